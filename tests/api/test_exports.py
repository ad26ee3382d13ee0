"""Files out for programs: asked for once, made by a worker, taken by who may, gone after seven days."""

from __future__ import annotations

import hashlib
import json
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ims_portal.access import Right
from ims_portal.clock import Fixed
from ims_portal.models import ApiToken, AuditEvent, User
from ims_portal.rules.documents import Form
from returns import exports
from returns.models import Export
from tests import factories
from tests.api.client import Program, token
from tests.api.test_entrance import refused

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now")]
TODAY = "2025-11-16"
R = factories.RECIPIENT
AT = f"t/{R}/exports"
STATEMENT = {"kind": "gstr2b-json", "period": "102025", "version": 1}


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Path) -> None:  # noqa: ANN401 pytest-django's settings
    settings.IMS_EXPORT_DIR = str(tmp_path / "exports")


@pytest.fixture
def asha() -> User:
    """A signatory of R, which has a GSTR-2B of October."""
    factories.filed()
    factories.computed()
    return factories.member(factories.taxpayer(), "signatory", "asha")


@pytest.fixture
def program(asha: User) -> Program:
    """A token of hers that may export."""
    return Program(token(asha, R, rights=[Right.VIEW, Right.EXPORT]))


def made(program: Program, body: dict[str, Any], now: Fixed) -> str:
    """Return the id of a file that was asked for and written."""
    told = program.post(AT, body).json()
    exports.write(export=Export.objects.get(pk=told["id"]), clock=now)
    return str(told["id"])


def test_a_file_is_asked_for_made_and_taken(program: Program, asha: User, now: Fixed) -> None:
    answer = program.post(AT, STATEMENT)
    told = answer.json()
    assert (answer.status_code, told["state"], told["file_kind"]) == (202, "waiting", "gstr2b-json")
    refused(program.get(f"{AT}/{told['id']}/file"), 404, "NOT_FOUND")
    exports.write(export=Export.objects.get(), clock=now)
    done = program.get(f"{AT}/{told['id']}").json()
    assert (done["state"], done["rows"], done["name"]) == ("done", 1, f"14112025_{R}_R2B_102025.json")
    assert done["kept_until"][:10] == "2025-11-23"
    file = program.client.get(f"/api/v1/{AT}/{told['id']}/file", headers={"Accept": "application/octet-stream"})
    content = b"".join(file.streaming_content)
    assert (file.status_code, file["Content-Type"], len(content)) == (200, "application/json", done["size"])
    assert hashlib.sha256(content).hexdigest() == done["sha256"]
    assert done["name"] in file["Content-Disposition"]
    assert json.loads(content)["data"]["gstin"] == R
    taken = AuditEvent.objects.get(event="export.downloaded")
    assert (taken.actor, taken.details["export"]) == (asha, told["id"])
    assert [one["id"] for one in program.get(AT).json()["exports"]] == [told["id"]]


def test_one_key_is_one_file(program: Program, now: Fixed) -> None:
    key = uuid.uuid4()
    first = program.post(AT, STATEMENT, key).json()
    assert program.post(AT, STATEMENT, key).json() == first
    assert program.post(AT, STATEMENT).json()["id"] == first["id"]  # still at work on the very same
    refused(program.post(AT, {**STATEMENT, "kind": "gstr2b-xlsx"}, key), 422, "IDEMPOTENCY_MISMATCH")
    exports.write(export=Export.objects.get(), clock=now)
    assert program.post(AT, STATEMENT, key).json()["id"] == first["id"]
    assert program.post(AT, STATEMENT).json()["id"] != first["id"]
    assert AuditEvent.objects.filter(event="export.asked").count() == 2


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "gstr3b-json", "period": "102025"},
        {"kind": "ims-xlsx", "list": "all"},
        {"kind": "ims-json", "list": "b2b", "filters": {"action": "N"}},
        {"kind": "outward-xlsx", "list": "all"},
    ],
)
def test_other_kinds_are_made_too(program: Program, now: Fixed, body: dict[str, Any]) -> None:
    pk = made(program, body, now)
    told = program.get(f"{AT}/{pk}").json()
    assert (told["state"], told["problem"], told["file_kind"]) == ("done", "", body["kind"])


def test_a_return_s_file_says_its_form(now: Fixed) -> None:
    factories.filed()
    supplier = factories.taxpayer(factories.SUPPLIER)
    program = Program(token(factories.member(supplier), factories.SUPPLIER, rights=[Right.EXPORT]))
    body = {"kind": "gstr1-json", "period": "102025", "form": Form.GSTR1.value}
    told = program.post(f"t/{factories.SUPPLIER}/exports", body).json()
    exports.write(export=Export.objects.get(), clock=now)
    assert program.get(f"t/{factories.SUPPLIER}/exports/{told['id']}").json()["rows"] == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "kind"),
        ({"kind": "gstr2b-pdf"}, "kind"),
        ({"kind": "gstr2b-json", "period": "102025"}, "version"),
        ({"kind": "gstr2b-json", "period": "2025-10", "version": 1}, "period"),
        ({**STATEMENT, "version": 0}, "version"),
        ({**STATEMENT, "list": "all"}, "list"),
        ({**STATEMENT, "more": 1}, "more"),
        ({"kind": "gstr1-json", "period": "102025", "form": "GSTR-9"}, "form"),
        ({"kind": "ims-xlsx", "list": "all", "filters": {"action": 5 * [1]}}, "filters.action"),
        ({"kind": "refused-xlsx", "file": "x"}, "file"),
    ],
)
def test_a_file_asked_for_wrongly_is_refused_at_its_field(program: Program, body: dict[str, Any], field: str) -> None:
    assert refused(program.post(AT, body), 400, "INVALID")["field"] == field
    assert not Export.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        {**STATEMENT, "version": 9},
        {"kind": "gstr3b-json", "period": "092025"},
        {"kind": "gstr1-json", "period": "102025", "form": "GSTR-1"},
        {"kind": "ims-xlsx", "list": "nowhere"},
        {"kind": "ims-xlsx", "list": "all", "filters": {"colour": "red"}},
        {"kind": "outward-xlsx", "list": "nowhere"},
        {"kind": "refused-json", "file": str(uuid.uuid4())},
        {"kind": "errors-xlsx", "file": str(uuid.uuid4())},
        {"kind": "register-xlsx", "file": str(uuid.uuid4())},
    ],
)
def test_what_no_file_could_hold_is_refused_and_the_key_stays_free(program: Program, body: dict[str, Any]) -> None:
    key = uuid.uuid4()
    refused(program.post(AT, body, key), 422, "NOTHING_TO_EXPORT")
    assert not Export.objects.exists()
    assert program.post(AT, STATEMENT, key).status_code == 202


def test_a_file_is_gone_after_seven_days(program: Program, now: Fixed) -> None:
    pk = made(program, STATEMENT, now)
    now.at += timedelta(days=7)
    for path in (f"{AT}/{pk}", f"{AT}/{pk}/file"):
        refused(program.get(path), 404, "NOT_FOUND")
    assert program.get(AT).json()["exports"] == []


def test_who_may_export_is_asked_with_every_request(program: Program, now: Fixed) -> None:
    pk = made(program, STATEMENT, now)
    ApiToken.objects.update(rights=["view"])
    for path in (AT, f"{AT}/{pk}", f"{AT}/{pk}/file"):
        refused(program.get(path), 403, "RIGHT_MISSING")
    refused(program.post(AT, STATEMENT), 403, "RIGHT_MISSING")
    for path in ("exports", f"exports/{pk}", f"exports/{pk}/file"):
        refused(program.get(f"t/{factories.SUPPLIER}/{path}"), 404, "NOT_FOUND")
    supplier = factories.taxpayer(factories.SUPPLIER)
    other = Program(token(factories.member(supplier), factories.SUPPLIER, rights=[Right.EXPORT]))
    for path in (pk, f"{pk}/file"):
        refused(other.get(f"t/{factories.SUPPLIER}/exports/{path}"), 404, "NOT_FOUND")


def test_a_key_is_needed_and_queries_are_few(program: Program, django_assert_max_num_queries: Any) -> None:  # noqa: ANN401
    refused(program.post(AT, STATEMENT, key=""), 400, "INVALID")
    program.post(AT, STATEMENT)
    for many in (False, True):
        if many:
            program.post(AT, {**STATEMENT, "kind": "gstr2b-xlsx"})
            program.post(AT, {"kind": "gstr3b-json", "period": "102025"})
        pk = program.get(AT).json()["exports"][0]["id"]
        for path in (AT, f"{AT}/{pk}"):
            with django_assert_max_num_queries(4):
                assert program.get(path).status_code == 200
