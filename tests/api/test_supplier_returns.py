"""A supplier's form by a program: entered, edited, taken back and filed as on the pages, each once."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.core.cache import cache
from pytest_django import DjangoAssertNumQueries

from ims_portal.access import Right
from ims_portal.clock import Fixed
from ims_portal.models import User
from ims_portal.rules.documents import Section
from ims_portal.rules.money import Tax
from invoices.models import Record, SupplierReturn
from tests import factories
from tests.api.client import USUAL, Program, one_time_code, token
from tests.api.test_entrance import refused

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now")]
TODAY = "2025-11-12"
R, S = factories.RECIPIENT, factories.SUPPLIER
OCTOBER = f"t/{S}/out/gstr1/102025"
KEY = "b2b:2025:INV/17-a"
ADDRESS = f"{OCTOBER}/records/{KEY}"
BODY: dict[str, Any] = {
    "recipient": R,
    "date": "2025-10-05",
    "pos": "27",
    "lines": [{"rate": "18.00", "taxable": "1000.00"}],
}


@pytest.fixture
def kiran() -> User:
    """A signatory of S; R is known."""
    factories.taxpayer(R)
    return factories.member(factories.taxpayer(S), "signatory", "kiran")


@pytest.fixture
def program(kiran: User) -> Program:
    """A program of S that may file."""
    return Program(token(kiran, S, rights=[*USUAL, Right.FILE]))


def test_a_document_is_entered_edited_and_taken_back_once_each(program: Program) -> None:
    key = uuid.uuid4()
    first = program.send("put", ADDRESS, BODY, key)
    assert (first.status_code, first.json()["changed"]) == (200, True), first.json()
    assert program.send("put", ADDRESS, BODY, key).json() == first.json()
    told = program.get(ADDRESS).json()
    assert (told["key"], told["version"], told["tax"]["igst"], told["value"]) == (KEY, 0, "180.00", "1180.00")
    assert told["lines"] == [
        {"rate": "18.00", "taxable": "1000.00", "igst": "180.00", "cgst": "0.00", "sgst": "0.00", "cess": "0.00"}
    ]
    key, other = uuid.uuid4(), {**BODY, "version": 0, "lines": [{"rate": "18.00", "taxable": "2000.00"}]}
    edited = program.send("put", ADDRESS, other, key)
    assert (edited.status_code, edited.json()["record"]) == (200, told["id"])
    assert program.send("put", ADDRESS, other, key).json() == edited.json()
    assert program.get(ADDRESS).json()["tax"]["igst"] == "360.00"
    refused(program.send("put", ADDRESS, other), 409, "CONFLICT")  # version 0 is gone
    refused(program.send("put", ADDRESS, BODY, key), 422, "IDEMPOTENCY_MISMATCH")
    refused(program.send("delete", f"{ADDRESS}?version=0"), 409, "CONFLICT")
    key = uuid.uuid4()
    gone = program.send("delete", f"{ADDRESS}?version=1", key=key)
    assert gone.json() == {"record": told["id"], "changed": True, "warnings": []}
    assert program.send("delete", f"{ADDRESS}?version=1", key=key).json() == gone.json()
    refused(program.send("delete", f"{ADDRESS}?version=2", key=key), 422, "IDEMPOTENCY_MISMATCH")
    refused(program.send("delete", f"{ADDRESS}?version=1"), 404, "NOT_FOUND")
    refused(program.get(ADDRESS), 404, "NOT_FOUND")
    assert Record.objects.get().status == Record.Status.WITHDRAWN
    refused(program.send("put", ADDRESS, other), 409, "CONFLICT")


@pytest.mark.parametrize(
    ("change", "status", "code", "field"),
    [
        ({"lines": []}, 400, "INVALID", "lines"),
        ({"lines": [{"rate": "18.00", "taxable": 1000}]}, 400, "INVALID", "lines[0].taxable"),
        ({"lines": [{"rate": "999.00", "taxable": "1.00"}]}, 400, "INVALID", "lines[0].rate"),
        ({"lines": [{"rate": "17.00", "taxable": "1.00"}]}, 422, "DOCUMENT_INVALID", "lines[0].rate"),
        ({"recipient": "27AAACR5055K1Z8"}, 422, "DOCUMENT_INVALID", "recipient"),
        ({"date": "2024-10-05"}, 400, "INVALID", "date"),
        ({"date": "2025-12-05"}, 422, "DOCUMENT_INVALID", "date"),
        ({"pos": "98"}, 422, "DOCUMENT_INVALID", "pos"),
        ({"original": {"number": "A", "date": "2025-10-01"}}, 400, "INVALID", "original"),
        ({"number": "X"}, 400, "INVALID", "number"),
        ({"version": 0}, 409, "CONFLICT", ""),
    ],
)
def test_a_document_that_may_not_stand_is_refused_at_its_field(
    program: Program, change: dict[str, Any], status: int, code: str, field: str
) -> None:
    told = refused(program.send("put", ADDRESS, {**BODY, **change}), status, code)
    assert told.get("field", "") == field
    assert not Record.objects.exists()


@pytest.mark.parametrize("key", ["b2b:25:A", "b2b:2025:", "cn:2025:A", "b2b", "b2b:2025:A_B", "b2b:2025:" + "A" * 17])
def test_what_is_no_key_is_not_there(program: Program, key: str) -> None:
    refused(program.get(f"{OCTOBER}/records/{key}"), 404, "NOT_FOUND")
    refused(program.send("put", f"{OCTOBER}/records/{key}", BODY), 404, "NOT_FOUND")


def test_a_number_saved_already_or_of_another_recipient_is_refused(program: Program) -> None:
    program.send("put", ADDRESS, BODY)
    refused(program.send("put", ADDRESS, BODY), 422, "DUPLICATE_DOCUMENT")
    told = program.send("put", ADDRESS, {**BODY, "version": 0, "recipient": "29AAKCT0000P1Z6"})
    assert refused(told, 422, "RECIPIENT_CHANGE_NOT_ALLOWED")["field"] == "recipient"


def test_an_amendment_names_what_it_amends(program: Program) -> None:
    factories.filed(factories.document(number="INV1"))
    address = f"t/{S}/out/gstr1a/102025/records/b2ba:2025:INV1"
    refused(program.send("put", address, BODY), 400, "INVALID")
    missing = {**BODY, "original": {"number": "INV2", "date": "2025-10-05"}}
    refused(program.send("put", address, missing), 422, "ORIGINAL_NOT_FOUND")
    done = program.send("put", address, {**BODY, "original": {"number": "INV1", "date": "2025-10-05"}})
    assert done.status_code == 200, done.json()
    assert Record.objects.get(section="b2ba").original.number == "INV1"


def test_an_amendment_after_the_last_day_of_the_law_is_refused(program: Program, now: Fixed) -> None:
    factories.filed(factories.document(number="INV1"))
    now.at = factories.at("2026-12-02")
    amendment = {**BODY, "original": {"number": "INV1", "date": "2025-10-05"}}
    refused(program.send("put", f"t/{S}/out/gstr1a/102025/records/b2ba:2025:INV1", amendment), 422, "TIME_LIMIT")


def test_a_form_tells_what_is_in_it_and_is_filed_with_a_code(program: Program, kiran: User) -> None:
    empty = program.get(OCTOBER).json()
    assert (empty["state"], empty["tables"], empty["saving_refused"]) == ("draft", [], None)
    program.send("put", ADDRESS, BODY)
    read = program.get(OCTOBER).json()
    assert (read["state"], read["tables"][0]["saved"], read["tables"][0]["tax"]["igst"]) == ("saved", 1, "180.00")
    body, key = {"digest": read["digest"]}, uuid.uuid4()
    refused(program.post(f"{OCTOBER}/file", body, key), 403, "STEP_UP_REQUIRED")
    code = one_time_code(kiran)
    wrong = "000000" if code != "000000" else "111111"
    refused(program.post(f"{OCTOBER}/file", body, key, code=wrong), 403, "STEP_UP_REQUIRED")
    filed = program.post(f"{OCTOBER}/file", body, key, code=code)
    assert (filed.status_code, filed.json()["filed_by"]) == (200, "Kiran"), filed.json()
    assert program.post(f"{OCTOBER}/file", body, key).json() == filed.json()  # no second code for the same request
    refused(program.post(f"{OCTOBER}/file", {"digest": "0" * 64}, key), 422, "IDEMPOTENCY_MISMATCH")
    read = program.get(OCTOBER).json()
    assert (read["state"], read["filing"], read["filing_refused"]["code"]) == ("filed", filed.json(), "ALREADY_FILED")
    cache.clear()
    refused(program.post(f"{OCTOBER}/file", body, code=one_time_code(kiran)), 409, "ALREADY_FILED")
    refused(program.send("put", f"{ADDRESS}9", BODY), 409, "ALREADY_FILED")
    refused(program.send("put", ADDRESS, {**BODY, "version": 0}), 409, "ALREADY_FILED")
    version = Record.objects.get().version
    refused(program.send("delete", f"{ADDRESS}?version={version}"), 409, "ALREADY_FILED")


def test_other_figures_than_were_read_are_not_filed(program: Program, kiran: User) -> None:
    digest = program.get(OCTOBER).json()["digest"]
    program.send("put", ADDRESS, BODY)
    told = program.post(f"{OCTOBER}/file", {"digest": digest}, code=one_time_code(kiran))
    refused(told, 409, "CHANGED_SINCE_SHOWN")
    assert not SupplierReturn.objects.get().is_filed


def test_a_form_there_is_none_of_is_told_apart_from_one_of_another_period(program: Program) -> None:
    for path in ("gstr9/102025", "gstr1/132025", "gstr1/x"):
        refused(program.get(f"t/{S}/out/{path}"), 404, "NOT_FOUND")
    refused(program.get(f"t/{S}/out/iff/102025"), 422, "WRONG_PERIOD")


def test_a_foreign_form_is_not_there_and_rights_are_needed(program: Program, kiran: User) -> None:
    program.send("put", ADDRESS, BODY)
    asha = factories.member(factories.taxpayer(), "signatory", "asha")
    stranger = Program(token(asha, R))
    for path in (OCTOBER, f"{OCTOBER}/records", ADDRESS):
        refused(stranger.get(path), 404, "NOT_FOUND")
    looks = Program(token(kiran, S, rights=[Right.VIEW]))
    assert looks.get(ADDRESS).status_code == 200
    refused(looks.send("put", ADDRESS, BODY), 403, "RIGHT_MISSING")
    refused(looks.send("delete", f"{ADDRESS}?version=0"), 403, "RIGHT_MISSING")
    prepares = Program(token(kiran, S))
    digest = prepares.get(OCTOBER).json()["digest"]
    told = prepares.post(f"{OCTOBER}/file", {"digest": digest}, code=one_time_code(kiran))
    refused(told, 403, "RIGHT_MISSING")
    refused(program.send("put", ADDRESS, BODY, ""), 400, "INVALID")


def test_a_form_never_tells_what_the_recipient_answered(program: Program) -> None:
    note = factories.filed(factories.document(section=Section.CN, number="C1", tax=5000))[0]
    factories.act(note, "A", answer="P", declared=Tax(igst=123_457), remark="used half")
    for path in (OCTOBER, f"{OCTOBER}/records", f"{OCTOBER}/records/b2bcn:2025:C1"):
        answer = program.get(path)
        text = answer.content.decode()
        assert answer.status_code == 200
        for canary in ("1234.57", '"reduce"', '"itc"', "declared", "gstr2b"):
            assert canary not in text


@pytest.mark.parametrize("wrong", [{"rows": "0"}, {"after": "x"}, {"section": "impg"}, {"q": "1"}])
def test_documents_asked_for_wrongly_are_refused_at_their_field(program: Program, wrong: dict[str, str]) -> None:
    assert refused(program.get(f"{OCTOBER}/records", **wrong), 400, "INVALID")["field"] == next(iter(wrong))


def test_queries_do_not_grow_with_documents(
    program: Program, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    factories.saved(*(factories.document(number=f"D{n}", tax=10) for n in range(5)))
    program.get("token")
    for rows in ("1", "200"):
        with django_assert_num_queries(6):
            program.get(f"{OCTOBER}/records", rows=rows)
    for path, queries in ((OCTOBER, 8), (f"{OCTOBER}/records/b2b:2025:D1", 5)):
        with django_assert_num_queries(queries):
            assert program.get(path).status_code == 200
