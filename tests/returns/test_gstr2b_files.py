"""A GSTR-2B from elsewhere beside ours: what is the same, what differs, what one side only has; nothing is changed."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from ims_portal import access, once
from ims_portal.access import Right
from ims_portal.models import Taxpayer
from ims_portal.rules.documents import Section
from invoices.kept_files import UploadRefusedError
from invoices.models import Record
from returns import gstr2b_files
from returns.export_files import Kind
from returns.gstr2b_files import NoStatementError
from returns.models import Gstr2b, Gstr2bLine, StatementDifference, StatementFile
from tests import factories
from tests.returns.test_exports import exported, folder, owner  # noqa: F401 a fixture

pytestmark = pytest.mark.django_db
NOON = factories.clock("2025-11-15 12:00")
Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def statement() -> Gstr2b:
    """A statement of October 2025 with three invoices, a credit note and an ECO document of one supplier."""
    invoices = [factories.document(number=f"INV{n}", tax=n * 100) for n in (1, 2, 3)]
    Taxpayer.objects.filter(pk=factories.taxpayer(factories.SUPPLIER).pk).update(kind=Taxpayer.Kind.ECO)
    others = [(Section.CN, "CN1"), (Section.ECO, "ECO1")]
    factories.filed(*invoices, *(factories.document(section=kind, number=number, tax=50) for kind, number in others))
    factories.member(factories.taxpayer(), "preparer", "asha")
    return factories.computed().statement


@pytest.fixture(autouse=True)
def uploads(settings: Any, tmp_path: Path) -> Path:  # noqa: ANN401 pytest-django's settings
    """Keep uploads where the test can see them."""
    settings.IMS_UPLOAD_DIR = str(tmp_path / "uploads")
    return tmp_path / "uploads"


def handed_in(made: Gstr2b, content: bytes, name: str = "2b.json", key: uuid.UUID | None = None) -> StatementFile:
    """Return a file somebody handed in, not read yet."""
    return gstr2b_files.receive(
        taxpayer=made.recipient,
        period=factories.OCTOBER,
        file=SimpleUploadedFile(name, content),
        actor=owner(made.recipient),
        clock=NOON,
        request_id=key or uuid.uuid4(),
    )


def compared(made: Gstr2b, content: bytes, name: str = "2b.json") -> StatementFile:
    """Return a file that was handed in and compared."""
    found = handed_in(made, content, name)
    gstr2b_files.carry_out(file=found)
    found.refresh_from_db()
    return found


def our_json(made: Gstr2b, change: Change | None = None) -> bytes:
    """Return the statement as a file, in which something was changed."""
    told = json.loads(Path(exported(made, Kind.GSTR2B_JSON).path).read_bytes())
    if change:
        change(told["data"])
    return json.dumps(told).encode()


def differences(found: StatementFile) -> list[tuple[str, str]]:
    """Return outcome and number of whatever differs."""
    return [(one.outcome, one.number) for one in found.differences.order_by("pk")]


@pytest.mark.parametrize("kind", [Kind.GSTR2B_JSON, Kind.GSTR2B_XLSX])
def test_our_own_file_says_the_same_as_the_statement(statement: Gstr2b, kind: Kind, uploads: Path) -> None:
    content = Path(exported(statement, kind).path).read_bytes()
    found = compared(statement, content, f"2b.{kind.rpartition('-')[2]}")
    assert (found.problem, found.problems, found.state) == ("", [], StatementFile.State.DONE)
    assert found.counts["same"][0] == found.documents == statement.line_count
    assert (list(found.counts), differences(found)) == (["same"], [])
    assert found.sums
    assert all(theirs == ours for _block, _bucket, theirs, ours in found.sums)
    assert (found.statement, found.made_on) == (statement, statement.as_of)
    assert list(uploads.iterdir()) == []


def test_what_differs_is_told_and_nothing_is_changed(statement: Gstr2b) -> None:
    seen: dict[str, str] = {}

    def change(data: dict[str, Any]) -> None:
        group = next(group for group in data["docdata"]["b2b"] if len(group["inv"]) > 1)
        changed, gone = group["inv"][:2]
        seen.update(changed=changed["inum"], gone=gone["inum"])
        changed["igst"], changed["pos"] = changed["igst"] + 0.01, "07"
        group["inv"].remove(gone)
        group["inv"].append({**changed, "inum": "NEW/1"})
        data["itcsumm"]["itcavl"]["nonrevsup"]["igst"] += 5

    before = list(Record.objects.order_by("pk").values()), list(Gstr2bLine.objects.order_by("pk").values())
    found = compared(statement, our_json(statement, change))
    assert sorted(differences(found)) == [("differs", seen["changed"]), ("ours", seen["gone"]), ("theirs", "NEW/1")]
    differs = found.differences.get(outcome="differs")
    assert differs.record == Record.objects.get(recipient=statement.recipient, number=seen["changed"])
    other = {name for name, value in differs.theirs.items() if differs.ours[name] != value}
    assert other == {"igst", "pos"}
    assert differs.theirs["igst"] - differs.ours["igst"] == 1
    assert [(block, bucket) for block, bucket, theirs, ours in found.sums if theirs != ours] == [
        ("itcavl", "nonrevsup")
    ]
    assert (list(Record.objects.order_by("pk").values()), list(Gstr2bLine.objects.order_by("pk").values())) == before
    assert Gstr2b.objects.filter(recipient=statement.recipient).latest("version") == statement


def test_a_number_in_another_case_is_the_same_and_one_of_another_year_is_not(statement: Gstr2b) -> None:
    def change(data: dict[str, Any]) -> None:
        first, second = [row for group in data["docdata"]["b2b"] for row in group["inv"]][:2]
        first["inum"] = first["inum"].lower()
        second["dt"] = "05-10-2024"

    found = compared(statement, our_json(statement, change))
    assert sorted(outcome for outcome, _number in differences(found)) == ["ours", "theirs"]


def test_what_cannot_be_read_is_told_by_its_place_and_the_rest_compared(statement: Gstr2b) -> None:
    def change(data: dict[str, Any]) -> None:
        data["docdata"]["b2b"][0]["inv"][0]["txval"] = "1000"

    found = compared(statement, our_json(statement, change))
    assert (found.state, found.wrong, found.documents) == (StatementFile.State.DONE, 1, statement.line_count - 1)
    assert [(one["position"], one["field"]) for one in found.problems] == [("docdata.b2b[0].inv[0]", "txval")]
    assert [outcome for outcome, _number in differences(found)] == ["ours"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda data: data.update(gstin="29AAKCT0000P1Z6"), "29AAKCT0000P1Z6"),
        (lambda data: data.update(rtnprd="092025"), "092025"),
        (lambda data: data.clear(), "This is no GSTR-2B"),
    ],
)
def test_a_file_of_somebody_or_something_else_is_refused_whole(
    statement: Gstr2b,
    change: Change,
    told: str,
    uploads: Path,
) -> None:
    found = compared(statement, our_json(statement, change))
    assert found.state == StatementFile.State.FAILED
    assert told in found.problem
    assert (StatementDifference.objects.count(), found.counts, list(uploads.iterdir())) == (0, {}, [])


@pytest.mark.parametrize("content", [b"PK\x03\x04 no workbook", b"\xd0\xcf\x11\xe0 an old one", b"not a zip at all"])
def test_a_broken_workbook_is_refused_with_what_to_do(statement: Gstr2b, content: bytes) -> None:
    found = compared(statement, content, "2b.xlsx")
    assert found.state == StatementFile.State.FAILED
    assert "Nothing of it was kept" in found.problem


def test_only_the_newest_file_of_a_period_keeps_its_documents(statement: Gstr2b) -> None:
    def lose(data: dict[str, Any]) -> None:
        data["docdata"].pop("cdnr")

    older = compared(statement, our_json(statement, lose))
    assert older.differences.exists()
    newer = compared(statement, our_json(statement))
    assert (older.differences.exists(), newer.differences.exists()) == (False, False)
    assert older.counts["ours"][0] > 0
    assert gstr2b_files.latest(taxpayer=statement.recipient, period=factories.OCTOBER) == [newer, older]


def test_a_file_is_taken_in_once_and_only_where_there_is_something_to_compare(
    statement: Gstr2b,
    uploads: Path,
) -> None:
    key = uuid.uuid4()
    first = handed_in(statement, our_json(statement), key=key)
    assert handed_in(statement, our_json(statement), key=key) == first
    assert handed_in(statement, our_json(statement)) == first  # while it waits
    assert len(list(uploads.iterdir())) == 1
    with pytest.raises(once.MismatchError):
        handed_in(statement, b"{}", key=key)
    with pytest.raises(UploadRefusedError):
        handed_in(statement, b"%PDF", name="2b.pdf")
    viewer = factories.member(statement.recipient, "viewer", "only-looks")
    with pytest.raises(access.RightMissingError) as refused:
        gstr2b_files.receive(
            taxpayer=statement.recipient,
            period=factories.OCTOBER,
            file=SimpleUploadedFile("2b.json", b"{}"),
            actor=viewer,
            clock=NOON,
            request_id=uuid.uuid4(),
        )
    assert refused.value.right == Right.COMPUTE


def test_without_a_statement_there_is_nothing_to_compare_with() -> None:
    recipient = factories.taxpayer()
    asha = factories.member(recipient, "preparer", "asha")
    with pytest.raises(NoStatementError):
        gstr2b_files.receive(
            taxpayer=recipient,
            period=factories.OCTOBER,
            file=SimpleUploadedFile("2b.json", b"{}"),
            actor=asha,
            clock=NOON,
            request_id=uuid.uuid4(),
        )
