"""Batches by a program: nothing before it is confirmed, once whatever is sent again, undone while that is allowed."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from ims_portal import clock
from ims_portal.access import Right
from ims_portal.models import User
from ims_portal.rules.documents import Section
from invoices.api import batches
from invoices.models import Batch, Record
from tests import factories
from tests.api.client import Program, one_time_code, token
from tests.api.test_entrance import refused

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now")]
TODAY = "2025-11-12"
R, S = factories.RECIPIENT, factories.SUPPLIER
OTHER = "29AAKCT0000P1Z6"
ALL = {"filter": "", "action": "A"}


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a request wait for its preview however slow the machine is."""
    monkeypatch.setattr(batches, "PATIENCE", timedelta(minutes=10))


@pytest.fixture
def asha() -> User:
    """A signatory of R, with three filed records."""
    factories.filed(*(factories.document(number=f"D{n}", tax=100 * n) for n in (1, 2, 3)))
    return factories.member(factories.taxpayer(), "signatory", "asha")


def previewed(program: Program, body: dict[str, Any]) -> dict[str, Any]:
    """Return a previewed batch."""
    answer = program.post(f"t/{R}/ims/batches", body)
    assert answer.status_code == 202, answer.json()
    told: dict[str, Any] = answer.json()
    return told


def actions_now() -> dict[str, str]:
    return dict(Record.objects.values_list("number", "action"))


def test_a_batch_is_previewed_confirmed_once_and_undone(asha: User) -> None:
    program = Program(token(asha, R))
    told = previewed(program, {"filter": "section=b2b&action=N&sort=-tax", "action": "A"})
    will = {"verdict": "will", "count": 3, "tax": "600.00", "itc": "0.00", "suppliers_tax": "0.00"}
    assert (told["phase"], told["state"], told["counts"], told["needs_code"]) == ("ready", "done", [will], False)
    assert actions_now() == {"D1": "N", "D2": "N", "D3": "N"}
    address, key = f"t/{R}/ims/batches/{told['id']}", uuid.uuid4()
    done = program.post(f"{address}/confirm", {}, key=key)
    assert (done.status_code, done.json()["phase"], done.json()["may_undo"]) == (202, "applied", True)
    assert actions_now() == {"D1": "A", "D2": "A", "D3": "A"}
    assert program.post(f"{address}/confirm", {}, key=key).json() == done.json() == program.get(address).json()
    assert set(Record.objects.values_list("version", flat=True)) == {1}
    factories.act(Record.objects.get(number="D1"), "R")
    key = uuid.uuid4()
    back = program.post(f"{address}/undo", key=key).json()
    assert back["phase"] == "undone"
    assert {line["verdict"]: line["count"] for line in back["undone"]} == {"moved": 1, "put_back": 2}
    assert program.post(f"{address}/undo", key=key).json() == back
    assert actions_now() == {"D1": "R", "D2": "N", "D3": "N"}


def test_named_records_are_decided_on_at_the_version_seen(asha: User) -> None:
    program = Program(token(asha, R))
    first, second = Record.objects.filter(number__in=["D1", "D2"]).order_by("number")
    factories.act(second, "A")
    named = [{"record": one.pk, "version": 0} for one in (first, second)]
    told = previewed(program, {"records": named, "action": "R", "reason_code": "DUPLICATE", "remark": "twice"})
    assert {line["verdict"]: line["count"] for line in told["counts"]} == {"will": 1, "moved": 1}
    program.post(f"t/{R}/ims/batches/{told['id']}/confirm")
    kept = Record.objects.get(pk=first.pk)
    assert (kept.action, kept.reason_code, kept.remark) == ("R", "DUPLICATE", "twice")


def test_the_itc_question_is_answered_with_the_batch(asha: User) -> None:
    factories.filed(factories.document(section=Section.CN, number="C1", tax=50, supplier=OTHER), supplier=OTHER)
    program = Program(token(asha, R))
    told = previewed(program, {"filter": "section=b2bcn", "action": "A"})
    address = f"t/{R}/ims/batches/{told['id']}"
    assert told["counts"][0]["verdict"] == "ITC_REDUCTION_REQUIRED"
    refused(program.post(f"{address}/confirm"), 422, "ITC_REDUCTION_REQUIRED")
    told = previewed(
        program, {"filter": "section=b2bcn", "action": "A", "itc": {"reduce": "N"}, "remark": "never taken"}
    )
    program.post(f"t/{R}/ims/batches/{told['id']}/confirm")
    kept = Record.objects.get(number="C1")
    assert (kept.action, kept.answer, kept.remark) == ("A", "N", "never taken")


def test_rejecting_what_raises_suppliers_tax_is_confirmed_knowingly(asha: User) -> None:
    factories.filed(factories.document(section=Section.CN, number="C1", tax=50, supplier=OTHER), supplier=OTHER)
    program = Program(token(asha, R))
    told = previewed(program, {"filter": "section=b2bcn", "action": "R", "reason_code": "DUPLICATE"})
    assert told["counts"][0]["suppliers_tax"] == "50.00"
    address = f"t/{R}/ims/batches/{told['id']}/confirm"
    assert "Rs 50.00" in refused(program.post(address), 400, "INVALID")["message"]
    assert program.post(address, {"suppliers_told": True}).json()["phase"] == "applied"


def test_a_large_change_asks_for_a_code(asha: User) -> None:
    factories.filed(factories.document(number="BIG", tax=10_00_001, supplier=OTHER), supplier=OTHER)
    program = Program(token(asha, R))
    told = previewed(program, ALL)
    assert told["needs_code"]
    address = f"t/{R}/ims/batches/{told['id']}/confirm"
    refused(program.post(address), 403, "STEP_UP_REQUIRED")
    code = one_time_code(asha)
    refused(program.post(address, code="000000" if code != "000000" else "111111"), 403, "STEP_UP_REQUIRED")
    assert set(actions_now().values()) == {"N"}
    assert program.post(address, code=code).json()["phase"] == "applied"


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({"action": "A"}, 400, "INVALID", "filter"),
        ({**ALL, "records": [{"record": 1, "version": 0}]}, 400, "INVALID", "filter"),
        ({"records": [], "action": "A"}, 400, "INVALID", "records"),
        ({"records": [{"record": 1, "version": 0}] * 2, "action": "A"}, 400, "INVALID", "records"),
        ({**ALL, "filter": "colour=red"}, 400, "INVALID", "filter"),
        ({**ALL, "filter": "settled=1"}, 400, "INVALID", "filter"),
        ({**ALL, "action": "X"}, 400, "INVALID", "action"),
        ({**ALL, "itc": {"reduce": "P"}}, 400, "INVALID", "itc.reduce"),
        ({**ALL, "itc": {"reduce": "N"}}, 422, "REMARKS_REQUIRED", "remark"),
        ({**ALL, "remark": "x"}, 422, "REMARKS_NOT_ALLOWED", "remark"),
        ({**ALL, "reason_code": "DUPLICATE"}, 422, "REASON_CODE_ONLY_ON_REJECT", "reason_code"),
        ({**ALL, "action": "P", "itc": {"reduce": "F"}}, 422, "ITC_REDUCTION_ONLY_ON_ACCEPT", "itc"),
        ({**ALL, "action": "R"}, 400, "INVALID", "reason_code"),
        ({**ALL, "action": "R", "reason_code": "OTHER"}, 422, "REMARKS_REQUIRED", "remark"),
    ],
)
def test_what_is_asked_wrongly_is_refused_at_its_field(
    asha: User, body: dict[str, Any], status: int, code: str, field: str
) -> None:
    assert refused(Program(token(asha, R)).post(f"t/{R}/ims/batches", body), status, code)["field"] == field
    assert not Batch.objects.exists()


def test_the_same_key_is_the_same_batch_and_another_body_is_refused(asha: User) -> None:
    program, key = Program(token(asha, R)), uuid.uuid4()
    first = program.post(f"t/{R}/ims/batches", ALL, key=key).json()
    assert program.post(f"t/{R}/ims/batches", ALL, key=key).json() == first
    refused(program.post(f"t/{R}/ims/batches", {**ALL, "action": "P"}, key=key), 422, "IDEMPOTENCY_MISMATCH")
    refused(program.post(f"t/{R}/ims/batches", ALL, key=""), 400, "INVALID")


def test_what_cannot_be_done_with_a_batch_is_told(asha: User) -> None:
    ravi = factories.member(factories.taxpayer(), "signatory", "ravi")
    program = Program(token(asha, R))
    batch = previewed(program, ALL)["id"]
    foreign = Program(token(ravi, R)).post(f"t/{R}/ims/batches/{batch}/confirm")
    refused(foreign, 403, "RIGHT_MISSING")
    refused(program.post(f"t/{R}/ims/batches/{batch}/undo"), 409, "CONFLICT")
    program.post(f"t/{R}/ims/batches/{batch}/confirm")
    again = previewed(program, ALL)["id"]
    refused(program.post(f"t/{R}/ims/batches/{again}/confirm"), 422, "NOTHING_CHANGED")
    Batch.objects.filter(pk=batch).update(undo_until=clock.portal().now() - timedelta(minutes=1))
    refused(program.post(f"t/{R}/ims/batches/{batch}/undo"), 422, "UNDO_OVER")
    Batch.objects.filter(pk=batch).update(applied_month=202501)
    refused(program.post(f"t/{R}/ims/batches/{batch}/undo"), 409, "RECORD_FROZEN")
    Batch.objects.filter(pk=again).update(phase="finding")
    refused(program.post(f"t/{R}/ims/batches/{again}/confirm"), 409, "IN_PROGRESS")


def test_a_batch_of_another_gstin_is_not_there_and_rights_are_needed(asha: User) -> None:
    factories.member(factories.taxpayer(S), "signatory", "asha")
    batch = previewed(Program(token(asha, R)), ALL)["id"]
    both = Program(token(asha, R, S))
    for answer in (
        both.get(f"t/{S}/ims/batches/{batch}"),
        both.post(f"t/{S}/ims/batches/{batch}/confirm"),
        both.post(f"t/{S}/ims/batches/{batch}/undo"),
        Program(token(asha, S)).post(f"t/{R}/ims/batches", ALL),
    ):
        refused(answer, 404, "NOT_FOUND")
    looks = Program(token(asha, R, rights=[Right.VIEW]))
    assert looks.get(f"t/{R}/ims/batches/{batch}").status_code == 200
    for path in ("batches", f"batches/{batch}/confirm", f"batches/{batch}/undo"):
        refused(looks.post(f"t/{R}/ims/{path}", ALL), 403, "RIGHT_MISSING")


def test_reading_a_batch_takes_few_queries(asha: User, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    program = Program(token(asha, R))
    batch = previewed(program, ALL)["id"]
    program.get("token")
    with django_assert_num_queries(4):
        program.get(f"t/{R}/ims/batches/{batch}")
