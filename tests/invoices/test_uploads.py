"""Files handed in by a supplier: what is kept, what is refused with which words, and that nothing is half stored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django.fixtures import Settings

from ims_portal import once
from ims_portal.access import RightMissingError
from ims_portal.models import Membership, Taxpayer
from ims_portal.rules import periods
from ims_portal.rules.documents import Form
from invoices import gstr1_json, outward, tasks, uploads
from invoices.kept_files import UploadRefusedError
from invoices.models import Record, ReturnSummary, Upload, UploadProblem
from tests import factories

DATA = Path(__file__).resolve().parent.parent / "data"
KAVERI = "29AAFCK0000M1ZQ"
PERIOD = periods.parse("102026")
ON = "2026-11-05"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    """Keep the test's files in a folder of its own."""
    settings.IMS_UPLOAD_DIR = tmp_path / "uploads"
    return tmp_path / "uploads"


@pytest.fixture
def kaveri() -> Taxpayer:
    """Return the supplier of the sample files, nothing filed yet."""
    return factories.taxpayer(KAVERI, first=202610)


def receive(
    owner: Taxpayer, content: bytes, *, role: str = "preparer", request_id: UUID | None = None, name: str = "gstr1.json"
) -> Upload:
    """Return the job of a file handed in."""
    return uploads.receive(
        taxpayer=owner,
        form=Form.GSTR1,
        period=PERIOD,
        file=SimpleUploadedFile(name, content),
        actor=factories.member(owner, role),
        clock=factories.clock(ON),
        request_id=request_id or uuid4(),
    )


def ingested(owner: Taxpayer, content: bytes | dict[str, Any]) -> Upload:
    """Return the job of a file handed in and read."""
    if isinstance(content, dict):
        content = json.dumps(content).encode()
    upload = receive(owner, content)
    uploads.ingest(upload=upload, clock=factories.clock(ON))
    upload.refresh_from_db()
    return upload


def invoice(number: str = "KMF/1", **changes: Any) -> dict[str, Any]:  # noqa: ANN401 any JSON
    """Return one invoice as GSTR-1 writes it, 10,000 at 18 % from Karnataka to Maharashtra."""
    line = {"txval": 10000, "rt": 18, "iamt": 1800, "csamt": 0} | changes.pop("line", {})
    return {
        "inum": number,
        "idt": "05-10-2026",
        "val": 11800,
        "pos": "27",
        "rchrg": "N",
        "inv_typ": "R",
        "itms": [{"num": 1, "itm_det": line}],
    } | changes


def gstr1(*invoices: dict[str, Any], gstin: str = KAVERI, fp: str = "102026", **more: object) -> dict[str, Any]:
    """Return a GSTR-1 of invoices to the recipient."""
    return {"gstin": gstin, "fp": fp, "b2b": [{"ctin": factories.RECIPIENT, "inv": list(invoices)}], **more}


def codes(upload: Upload) -> list[tuple[str, str]]:
    """Return (number, code) of the problems that refused a document."""
    return list(upload.problems.filter(is_warning=False).order_by("id").values_list("number", "code"))


def test_a_good_file_is_saved_whole_and_its_copy_is_removed(kaveri: Taxpayer, folder: Path) -> None:
    upload = ingested(kaveri, gstr1(invoice("KMF/1"), invoice("KMF/2")))
    assert (upload.state, upload.added, upload.refused) == (Upload.State.DONE, 2, 0)
    assert set(Record.objects.values_list("number", "status")) == {("KMF/1", "S"), ("KMF/2", "S")}
    assert list(folder.iterdir()) == []


def test_the_kept_copy_is_nobody_elses_to_read(kaveri: Taxpayer, folder: Path) -> None:
    upload = receive(kaveri, b"{}", name="../../etc/passwd")
    (kept,) = folder.iterdir()
    assert str(kept) == upload.path
    assert kept.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


def test_the_broken_sample_gives_its_twelve_errors_and_three_saved(kaveri: Taxpayer) -> None:
    upload = ingested(kaveri, (DATA / "gstr1-broken.json").read_bytes())
    assert (upload.added, upload.refused, upload.changed, upload.unchanged) == (3, 12, 0, 0)
    assert [code for _number, code in codes(upload)] == [
        "APP-G105",
        "APP-G106",
        "APP-G103",
        "APP-G108",
        "APP-G104",
        "APP-G109",
        "APP-G110",
        "APP-G111",
        "APP-G107",
        "APP-G101",
        "APP-G102",
        "APP-G114",
    ]
    assert set(Record.objects.values_list("number", flat=True)) == {"KMF/26-27/2012", "KMF/26-27/2001", "KMF/CN/050"}
    report = gstr1_json.wire_problem_report(uploads.problems(upload))
    assert report["b2b"][0]["ctin"] == "29AAKCT0000P1Z7"
    assert report["b2b"][0]["error_cd"] == "APP-G105"
    assert report["b2b"][0]["inv"] == [{"inum": "KMF/26-27/2002", "idt": "04-10-2026"}]
    assert report["b2b"][1]["inv"][0]["error_cd"] == "APP-G106"


def test_a_document_with_several_problems_is_refused_once(kaveri: Taxpayer) -> None:
    upload = ingested(kaveri, gstr1(invoice("KMF 1", pos="99", rchrg="?"), invoice("KMF/2"), invoice("KMF 3")))
    assert codes(upload) == [("KMF 1", "APP-G106"), ("KMF 1", "APP-G104"), ("KMF 1", "APP-G104"), ("KMF 3", "APP-G106")]
    assert (upload.added, upload.refused) == (1, 2)


def test_the_same_file_again_changes_nothing_and_says_so(kaveri: Taxpayer) -> None:
    content = gstr1(invoice("KMF/1"), invoice("KMF/2"))
    ingested(kaveri, content)
    versions = list(Record.objects.order_by("id").values_list("id", "version", "taxable"))
    again = ingested(kaveri, content)
    assert (again.added, again.changed, again.unchanged, again.refused) == (0, 0, 2, 0)
    assert again.stage == uploads.Stage.CHANGED_NOTHING.value
    assert list(Record.objects.order_by("id").values_list("id", "version", "taxable")) == versions


def test_a_changed_document_replaces_the_saved_one_and_others_stay(kaveri: Taxpayer) -> None:
    ingested(kaveri, gstr1(invoice("KMF/1"), invoice("KMF/2")))
    again = ingested(kaveri, gstr1(invoice("kmf/1", val=23600, line={"txval": 20000, "iamt": 3600})))
    assert (again.added, again.changed, again.unchanged) == (0, 1, 0)
    assert set(Record.objects.values_list("number", "taxable")) == {("kmf/1", 2000000), ("KMF/2", 1000000)}


def test_a_document_with_flag_d_is_withdrawn(kaveri: Taxpayer) -> None:
    ingested(kaveri, gstr1(invoice("KMF/1")))
    again = ingested(kaveri, gstr1(invoice("KMF/1", flag="D")))
    assert (again.withdrawn, again.refused) == (1, 0)
    assert Record.objects.get().status == Record.Status.WITHDRAWN


def test_a_flag_d_for_a_document_that_is_not_saved_is_reported(kaveri: Taxpayer) -> None:
    upload = ingested(kaveri, gstr1(invoice("KMF/1"), invoice("KMF/9", flag="D")))
    assert (upload.added, upload.withdrawn, upload.refused) == (1, 0, 1)
    problem = upload.problems.get()
    assert (problem.code, problem.field, problem.counterparty) == ("APP-G114", "flag", factories.RECIPIENT)
    assert "no such document is saved" in problem.message


def test_sums_outside_ims_are_replaced_section_by_section(kaveri: Taxpayer) -> None:
    def consumers(pos: str) -> dict[str, Any]:
        return {"b2cs": [{"typ": "OE", "sply_ty": "INTER", "pos": pos, "rt": 18, "txval": 1000, "iamt": 180}]}

    ingested(kaveri, gstr1(invoice("KMF/1"), **consumers("33")))
    again = ingested(kaveri, gstr1(invoice("KMF/1"), **consumers("27")))
    assert list(ReturnSummary.objects.values_list("section", "detail", "igst")) == [("b2cs", "INTER 27", 18000)]
    assert again.stage != uploads.Stage.CHANGED_NOTHING.value


def test_an_empty_file_is_refused_at_once(kaveri: Taxpayer, folder: Path) -> None:
    with pytest.raises(UploadRefusedError, match="empty"):
        receive(kaveri, b"")
    assert not Upload.objects.exists()
    assert list(folder.iterdir()) == []


def test_a_file_above_the_limit_is_refused_and_not_kept(kaveri: Taxpayer, folder: Path, settings: Settings) -> None:
    settings.IMS_UPLOAD_LIMIT = 1000
    with pytest.raises(UploadRefusedError, match="larger than"):
        receive(kaveri, b"x" * 1001)
    assert not folder.exists() or list(folder.iterdir()) == []
    assert not Upload.objects.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"not json",
        b"[]",
        b"null",
        b"[" * 100_000,
        b'{"gstin": NaN}',
        b"\xff\xfe{\x00}\x00",
        b"\x00",
        json.dumps(gstr1(invoice())).encode()[:-1] + b",}",
        json.dumps(gstr1(invoice())).encode() + b"{}",
        json.dumps(gstr1(invoice())).replace("10000", "NaN").encode(),
        json.dumps(gstr1(invoice())).replace("10000", "Infinity").encode(),
        json.dumps(gstr1(invoice())).replace("10000", "1e999999999").encode(),
        json.dumps(gstr1(invoice(), gadget=[1])).encode(),
        json.dumps(gstr1(invoice())).replace('"b2b"', '"b2b": [], "b2b"').encode(),
    ],
)
def test_a_file_that_cannot_be_trusted_is_refused_whole(kaveri: Taxpayer, content: bytes) -> None:
    upload = ingested(kaveri, content)
    assert upload.state == Upload.State.FAILED
    assert upload.problem
    assert codes(upload)[0][1].startswith("APP-")
    assert not Record.objects.exists()
    assert not ReturnSummary.objects.exists()
    assert not Path(upload.path).exists()


def test_a_file_cut_off_at_any_byte_stores_nothing(kaveri: Taxpayer) -> None:
    whole = json.dumps(gstr1(*(invoice(f"KMF/{n}") for n in range(1, 40)))).encode()
    for end in [1, 2, 10, 60, 61, *range(100, len(whole), 797), len(whole) - 2, len(whole) - 1]:
        upload = ingested(kaveri, whole[:end])
        assert upload.state == Upload.State.FAILED, end
        assert "cannot be read" in upload.problem or "not a GSTR-1" in upload.problem
    assert not Record.objects.exists()


def test_a_file_cut_off_after_thousands_of_documents_stores_nothing(kaveri: Taxpayer) -> None:
    content = gstr1(*(invoice(f"K{n}") for n in range(1, 5001)))
    content["b2b"].append({"ctin": "33AAPCN0000E1Z5", "inv": [invoice(f"K{n}", pos="33") for n in range(5001, 6001)]})
    whole = json.dumps(content).encode()
    upload = ingested(kaveri, whole[:-3])
    assert (upload.state, upload.progress, upload.total) == (Upload.State.FAILED, 5000, 6000)
    assert not Record.objects.exists()
    whole_again = ingested(kaveri, whole)
    assert (whole_again.added, whole_again.progress, whole_again.total) == (6000, 6000, 6000)


def test_a_file_of_another_gstin_is_refused(kaveri: Taxpayer) -> None:
    upload = ingested(kaveri, gstr1(invoice(), gstin=factories.SUPPLIER))
    assert (upload.state, codes(upload)) == (Upload.State.FAILED, [("", "APP-F05")])
    assert factories.SUPPLIER in upload.problem
    assert not Record.objects.exists()


def test_a_file_of_another_period_is_refused(kaveri: Taxpayer) -> None:
    upload = ingested(kaveri, gstr1(invoice(), fp="092026"))
    assert (upload.state, codes(upload)) == (Upload.State.FAILED, [("", "APP-G117")])
    assert "09/2026" in upload.problem
    assert not Record.objects.exists()


def test_a_filed_period_takes_no_file(kaveri: Taxpayer) -> None:
    waiting = receive(kaveri, json.dumps(gstr1(invoice())).encode())
    outward.file(supplier=kaveri, form=Form.GSTR1, period=PERIOD, actor=None, clock=factories.clock(ON))
    with pytest.raises(outward.ReturnRefusedError, match="is filed"):
        receive(kaveri, json.dumps(gstr1(invoice())).encode())
    uploads.ingest(upload=waiting, clock=factories.clock(ON))
    waiting.refresh_from_db()
    assert (waiting.state, codes(waiting)) == (Upload.State.FAILED, [("", "ALREADY_FILED")])
    assert not Record.objects.exists()


def test_a_number_twice_in_other_letters_is_reported_and_the_first_stands(kaveri: Taxpayer) -> None:
    upload = ingested(kaveri, gstr1(invoice("KMF/a"), invoice("kmf/A", val=1180, line={"txval": 1000, "iamt": 180})))
    assert (upload.added, codes(upload)) == (1, [("kmf/A", "APP-G107")])
    assert Record.objects.get().number == "KMF/a"


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"inv_colour": "red"}, "APP-G116", "inv_colour"),
        ({"val": -11800}, "APP-G113", "val"),
        ({"line": {"txval": -10000}}, "APP-G113", "txval"),
        ({"line": {"iamt": 1800.001}}, "APP-G113", "iamt"),
        ({"line": {"txval": "10000"}}, "APP-G102", "txval"),
        ({"line": {"rt": 17, "iamt": 1700}}, "APP-G109", "rt"),
        ({"idt": "05-11-2026"}, "APP-G108", "idt"),
        ({"inum": "K MF"}, "APP-G106", "inum"),
    ],
)
def test_a_wrong_document_is_reported_and_the_others_are_saved(
    kaveri: Taxpayer, changes: dict[str, Any], code: str, field: str
) -> None:
    upload = ingested(kaveri, gstr1(invoice("KMF/1"), invoice("KMF/2", **changes), invoice("KMF/3")))
    assert (upload.added, upload.refused) == (2, 1)
    problem = upload.problems.filter(is_warning=False).get()
    assert (problem.code, problem.field) == (code, field)
    assert problem.position == "b2b[0].inv[1]"
    assert problem.message


def test_the_same_request_twice_is_one_job(kaveri: Taxpayer, folder: Path) -> None:
    key = uuid4()
    content = json.dumps(gstr1(invoice())).encode()
    first = receive(kaveri, content, request_id=key)
    uploads.ingest(upload=first, clock=factories.clock(ON))
    assert receive(kaveri, content, request_id=key) == first
    assert (Upload.objects.count(), list(folder.iterdir())) == (1, [])
    with pytest.raises(once.MismatchError):
        receive(kaveri, content + b" ", request_id=key)
    assert list(folder.iterdir()) == []


def test_the_same_file_while_its_job_lives_is_one_job(kaveri: Taxpayer, folder: Path) -> None:
    content = json.dumps(gstr1(invoice())).encode()
    assert receive(kaveri, content) == receive(kaveri, content)
    assert len(list(folder.iterdir())) == 1


def test_only_who_may_supply_hands_in_a_file(kaveri: Taxpayer, folder: Path) -> None:
    with pytest.raises(RightMissingError):
        receive(kaveri, b"{}", role="viewer")
    stranger = factories.user("stranger")
    with pytest.raises(RightMissingError):
        uploads.receive(
            taxpayer=kaveri,
            form=Form.GSTR1,
            period=PERIOD,
            file=SimpleUploadedFile("a.json", b"{}"),
            actor=stranger,
            clock=factories.clock(ON),
            request_id=uuid4(),
        )
    assert not folder.exists()


def test_a_right_that_ended_while_the_file_waited_saves_nothing(kaveri: Taxpayer) -> None:
    upload = receive(kaveri, json.dumps(gstr1(invoice())).encode())
    Membership.objects.update(valid_to=factories.at("2026-11-04"))
    uploads.ingest(upload=upload, clock=factories.clock(ON))
    upload.refresh_from_db()
    assert (upload.state, codes(upload)) == (Upload.State.FAILED, [("", "RIGHT_MISSING")])
    assert not Record.objects.exists()


def test_a_file_gone_from_disk_fails_with_what_to_do(kaveri: Taxpayer) -> None:
    upload = receive(kaveri, b"{}")
    Path(upload.path).unlink()
    uploads.ingest(upload=upload, clock=factories.clock(ON))
    assert upload.state == Upload.State.FAILED
    assert "Upload it again" in upload.problem


def test_a_late_message_for_a_finished_job_changes_nothing(kaveri: Taxpayer) -> None:
    upload = ingested(kaveri, gstr1(invoice()))
    tasks.ingest_upload(job_id=str(upload.pk), extra="ignored")
    tasks.ingest_upload(job_id=str(uuid4()))
    upload.refresh_from_db()
    assert (upload.state, upload.attempts, UploadProblem.objects.count()) == (Upload.State.DONE, 0, 0)
