"""Files by a program: taken in as a job, told problem by problem, actions applied once that is asked for."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from ims_portal import clock
from ims_portal.access import Right
from ims_portal.models import User
from invoices import exchange, uploads
from invoices.models import ActionFile, Record, Upload
from tests import factories
from tests.api.client import Program, token
from tests.api.test_entrance import refused
from tests.invoices.test_uploads import DATA, KAVERI
from tests.invoices.views.test_exchange import rows

TODAY = "2026-11-05"
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now")]
BROKEN = (DATA / "gstr1-broken.json").read_bytes()
R = factories.RECIPIENT


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> None:
    """Keep the test's files in a folder of its own."""
    settings.IMS_UPLOAD_DIR = tmp_path / "uploads"


@pytest.fixture
def kiran() -> User:
    """A signatory of the supplier of the sample files."""
    return factories.member(factories.taxpayer(KAVERI, first=202610), "signatory", "kiran")


@pytest.fixture
def asha() -> User:
    """A signatory of R, with two filed records."""
    factories.filed(factories.document(number="N1"), factories.document(number="N2"))
    return factories.member(factories.taxpayer(), "signatory", "asha")


def send(program: Program, content: bytes, gstin: str = KAVERI, key: uuid.UUID | None = None, **fields: str) -> Any:  # noqa: ANN401 the test client's answer
    """Hand a file in."""
    name = fields.pop("name", "up.json")
    sent: dict[str, Any] = {"kind": "gstr1", "period": "102026", **fields}
    sent = {field: value for field, value in sent.items() if value}
    sent["file"] = SimpleUploadedFile(name, content)
    headers = {"Idempotency-Key": str(key or uuid.uuid4())}
    return program.client.post(f"/api/v1/t/{gstin}/uploads", sent, headers=headers)


def work() -> None:
    """Do what the worker would."""
    for upload in Upload.objects.exclude(state__in=["done", "failed"]):
        uploads.ingest(upload=upload, clock=clock.portal())
    for file in ActionFile.objects.exclude(state__in=["done", "failed"]):
        exchange.carry_out(file=file, clock=clock.portal())


def test_a_return_is_taken_in_once_and_its_problems_are_told_page_by_page(kiran: User) -> None:
    program, key = Program(token(kiran, KAVERI)), uuid.uuid4()
    first = send(program, BROKEN, key=key)
    assert (first.status_code, first.json()["state"], first.json()["kind"]) == (202, "waiting", "gstr1"), first.json()
    assert send(program, BROKEN, key=key).json() == first.json()
    refused(send(program, BROKEN + b" ", key=key), 422, "IDEMPOTENCY_MISMATCH")
    work()
    address = f"t/{KAVERI}/uploads/{first.json()['id']}"
    told = program.get(address).json()
    counts = {line["what"]: line["count"] for line in told["counts"]}
    assert (told["state"], told["period"], counts["added"] > 0, counts["refused"] > 0) == ("done", "102026", True, True)
    seen, after = [], ""
    while True:
        page = program.get(f"{address}/errors", rows="2", **({"after": after} if after else {})).json()
        assert len(page["problems"]) <= 2
        seen += page["problems"]
        after = page["next"]
        if not after:
            break
    kept = list(Upload.objects.get().problems.order_by("pk").values_list("code", "position"))
    assert [(one["code"], one["position"]) for one in seen] == kept
    refused(program.post(f"{address}/apply"), 422, "NOTHING_CHANGED")


def test_actions_are_judged_then_applied_once(asha: User) -> None:
    program = Program(token(asha, R))
    content = rows("N1", "N2")
    factories.act(Record.objects.get(number="N2"), "R")
    Record.objects.filter(number="N2").update(settled_month=202510, settled_as="R")
    told = send(program, content, R, kind="ims_offline_json", period="")
    assert (told.status_code, told.json()["phase"]) == (202, "reading"), told.json()
    address = f"t/{R}/uploads/{told.json()['id']}"
    refused(program.post(f"{address}/apply"), 409, "IN_PROGRESS")
    work()
    assert program.get(address).json()["phase"] == "ready"
    assert Record.objects.get(number="N1").action == "N"
    (problem,) = program.get(f"{address}/errors").json()["problems"]
    assert (problem["number"], problem["code"]) == ("N2", "RECORD_FROZEN")
    key = uuid.uuid4()
    assert program.post(f"{address}/apply", key=key).json()["phase"] == "applying"
    assert program.post(f"{address}/apply", key=key).status_code == 202
    work()
    assert program.get(address).json()["phase"] == "applied"
    assert Record.objects.get(number="N1").action == "A"


@pytest.mark.parametrize(
    ("fields", "status", "code", "field"),
    [
        ({"kind": "boe"}, 400, "INVALID", "kind"),
        ({"period": ""}, 400, "INVALID", "period"),
        ({"period": "2026-10"}, 400, "INVALID", "period"),
        ({"kind": "ims_xlsx"}, 400, "INVALID", "period"),
        ({"kind": "ims_xlsx", "period": ""}, 400, "INVALID", "file"),
        ({"colour": "red"}, 400, "INVALID", "colour"),
        ({"kind": "iff"}, 422, "WRONG_PERIOD", ""),
        ({"kind": "gstr1a"}, 422, "FORM_NOT_OPEN", ""),
    ],
)
def test_what_cannot_be_taken_in_is_refused_at_its_field(
    kiran: User, fields: dict[str, str], status: int, code: str, field: str
) -> None:
    told = refused(send(Program(token(kiran, KAVERI)), BROKEN, **fields), status, code)
    assert told.get("field", "") == field
    assert not Upload.objects.exists()


def test_no_file_an_empty_one_two_or_a_huge_one_is_refused(kiran: User, settings: Settings) -> None:
    program = Program(token(kiran, KAVERI))
    refused(send(program, b""), 422, "EMPTY_FILE")
    refused(program.post(f"t/{KAVERI}/uploads", {}), 415, "NOT_JSON")
    one = {"kind": "gstr1", "period": "102026"}
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    none = program.client.post(f"/api/v1/t/{KAVERI}/uploads", one, headers=headers)
    assert refused(none, 400, "INVALID")["field"] == "file"
    two = {**one, "file": SimpleUploadedFile("a.json", b"{}"), "more": SimpleUploadedFile("b.json", b"{}")}
    refused(program.client.post(f"/api/v1/t/{KAVERI}/uploads", two, headers=headers), 400, "INVALID")
    settings.IMS_UPLOAD_LIMIT = 10
    refused(send(program, BROKEN), 413, "TOO_LARGE")


def test_a_file_of_another_gstin_is_not_there_and_rights_are_needed(kiran: User, asha: User) -> None:
    program = Program(token(kiran, KAVERI))
    pk = send(program, BROKEN).json()["id"]
    other = Program(token(asha, R))
    for path in ("", "/errors"):
        refused(other.get(f"t/{R}/uploads/{pk}{path}"), 404, "NOT_FOUND")
        refused(other.get(f"t/{KAVERI}/uploads/{pk}{path}"), 404, "NOT_FOUND")
    looks = Program(token(kiran, KAVERI, rights=[Right.VIEW]))
    assert looks.get(f"t/{KAVERI}/uploads/{pk}").status_code == 200
    refused(send(looks, BROKEN), 403, "RIGHT_MISSING")
    refused(looks.post(f"t/{KAVERI}/uploads/{pk}/apply"), 403, "RIGHT_MISSING")
    acts = Program(token(kiran, KAVERI, rights=[Right.VIEW, Right.SUPPLY]))
    refused(send(acts, b"{}", kind="ims_offline_json", period=""), 403, "RIGHT_MISSING")


def test_reading_a_file_takes_few_queries(kiran: User, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    program = Program(token(kiran, KAVERI))
    pk = send(program, BROKEN).json()["id"]
    work()
    for path, queries in (("", 4), ("/errors", 5)):
        with django_assert_num_queries(queries):
            program.get(f"t/{KAVERI}/uploads/{pk}{path}")
