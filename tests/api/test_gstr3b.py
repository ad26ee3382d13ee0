"""GSTR-3B for programs: read, declared row by row, reviewed and filed, each refusal with its code."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.core.cache import cache

from ims_portal.access import Right
from ims_portal.models import User
from ims_portal.rules import gstr3b as rules
from ims_portal.rules.documents import Form
from invoices import outward
from invoices.models import Record
from returns.models import Adjustment, Filing, Hold
from tests import factories
from tests.api.client import Program, one_time_code, token
from tests.api.test_entrance import refused

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now")]
TODAY = "2025-11-18"
R = factories.RECIPIENT
AT = f"t/{R}/3b/102025"
ALL = (Right.VIEW, Right.COMPUTE, Right.FILE)
NIL = {"igst": "0.00", "cgst": "0.00", "sgst": "0.00", "cess": "0.00"}


@pytest.fixture(autouse=True)
def _fresh() -> None:
    cache.clear()


@pytest.fixture
def asha() -> User:
    """A signatory of R, whose GSTR-2B of October holds an invoice of 18,000 tax; GSTR-1 is filed."""
    factories.filed()
    owner = factories.taxpayer()
    outward.file(
        supplier=owner, form=Form.GSTR1, period=factories.OCTOBER, actor=None, clock=factories.clock("2025-11-10")
    )
    factories.computed()
    return factories.member(owner, "signatory", "asha")


@pytest.fixture
def program(asha: User) -> Program:
    """A token of hers that may declare and file."""
    return Program(token(asha, R, rights=ALL))


def igst(amount: str) -> dict[str, str]:
    """Return tax of one head."""
    return {**NIL, "igst": amount}


def row(told: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a row of a return."""
    return next(line for line in told["rows"] if line["row"] == name)


def seen(program: Program) -> dict[str, Any]:
    """Return what the review tells to file."""
    told = program.get(f"{AT}/review").json()
    return {name: told[name] for name in ("statement_version", "digest", "net_itc")}


def test_a_draft_says_what_is_derived_declared_locked_and_in_the_way(program: Program) -> None:
    told = program.get(AT).json()
    assert (told["period"], told["state"], told["due"]) == ("102025", "draft", "2025-11-20")
    assert (told["statement_version"], told["is_out_of_date"], told["in_the_way"]) == (1, False, None)
    assert [line["row"] for line in told["rows"]] == list(rules.ROWS)
    assert told["net_itc"] == igst("18000.00") == row(told, "t4C")["declared"]
    itc, outward_ = row(told, "t4A5"), row(told, "t3_1_a")
    assert (itc["table"], itc["derived"]["igst"], itc["is_editable"], itc["taxable"]) == (
        "4(A)(5)",
        "18000.00",
        True,
        None,
    )
    assert (outward_["is_editable"], outward_["taxable"]) == (False, "0.00")
    assert "GSTR-1A" in outward_["lock"]
    assert told["payment"]["credit_left"] == igst("18000.00")
    factories.act(Record.objects.get(), "R", on="2025-11-17")
    behind = program.get(AT).json()
    assert (behind["is_out_of_date"], behind["in_the_way"]["code"]) == (True, "RECOMPUTE_REQUIRED")
    assert "1 saved change" in behind["in_the_way"]["message"]


def test_a_row_is_declared_with_its_reason_once_and_set_back(program: Program) -> None:
    key, body = uuid.uuid4(), {"tax": igst("17000.00"), "reason": "one truck was not received"}
    told = program.send("put", f"{AT}/rows/t4A5", body, key).json()
    assert (row(told, "t4A5")["declared"]["igst"], told["net_itc"]["igst"]) == ("17000.00", "17000.00")
    assert row(told, "t4A5")["reason"] == "one truck was not received"
    assert program.send("put", f"{AT}/rows/t4A5", body, key).json() == told
    other = program.send("put", f"{AT}/rows/t4A5", {**body, "tax": igst("1.00")}, key)
    refused(other, 422, "IDEMPOTENCY_MISMATCH")
    assert Adjustment.objects.get().igst == 17000_00
    above = program.send("put", f"{AT}/rows/t4A5", {**body, "tax": igst("19000.00")}).json()
    assert "1,000.00" in row(above, "t4A5")["warning"]
    back = program.send("delete", f"{AT}/rows/t4A5").json()
    assert (row(back, "t4A5")["declared"]["igst"], row(back, "t4A5")["reason"]) == ("18000.00", "")
    assert back["digest"] == program.get(AT).json()["digest"] != told["digest"]


def test_a_taxable_value_is_declared_where_a_row_has_one(program: Program) -> None:
    told = program.send("put", f"{AT}/rows/t3_1_c", {"taxable": "500.00"}).json()
    assert (row(told, "t3_1_c")["taxable"], row(told, "t3_1_c")["declared_taxable"]) == ("0.00", "500.00")
    told = program.send("put", f"{AT}/rows/t3_1_d", {"tax": igst("18.00"), "taxable": "100.00"}).json()
    assert (row(told, "t3_1_d")["declared"]["igst"], row(told, "t3_1_d")["declared_taxable"]) == ("18.00", "100.00")


@pytest.mark.parametrize(
    ("name", "body", "status", "code", "field"),
    [
        ("t4A5", {"tax": igst("1.00")}, 422, "REASON_REQUIRED", "reason"),
        ("t4C", {"tax": igst("1.00"), "reason": "x"}, 422, "FIELD_NOT_EDITABLE", ""),
        ("t3_1_a", {"tax": igst("1.00"), "reason": "x"}, 422, "FIELD_LOCKED", ""),
        ("t4B1", {}, 400, "INVALID", "tax"),
        ("t4B1", {"tax": {"igst": "1.00"}}, 400, "INVALID", "tax.cgst"),
        ("t4B1", {"tax": igst("1")}, 400, "INVALID", "tax.igst"),
        ("t4B1", {"tax": NIL, "taxable": "1.00"}, 400, "INVALID", "taxable"),
        ("t4B1", {"tax": NIL, "reason": "x" * 251}, 400, "INVALID", "reason"),
        ("t4B1", {"tax": NIL, "more": "1"}, 400, "INVALID", "more"),
        ("t3_1_c", {"tax": NIL, "taxable": "1.00"}, 400, "INVALID", "tax"),
        ("t3_1_c", {}, 400, "INVALID", "taxable"),
        ("t9", {"tax": NIL}, 404, "NOT_FOUND", ""),
    ],
)
def test_a_row_that_may_not_be_declared_so_is_refused(
    program: Program, name: str, body: dict[str, Any], status: int, code: str, field: str
) -> None:
    told = refused(program.send("put", f"{AT}/rows/{name}", body), status, code)
    assert told.get("field", "") == field
    assert not Adjustment.objects.exists()


def test_entries_are_kept_once_and_taken_back(program: Program) -> None:
    key = uuid.uuid4()
    told = program.send("put", f"{AT}/payment/interest", igst("10.00"), key).json()
    assert told["payment"]["interest"] == told["payment"]["entries"]["interest"] == igst("10.00")
    assert told["payment"]["cash"]["igst"] == "10.00"
    assert program.send("put", f"{AT}/payment/interest", igst("10.00"), key).json() == told
    refused(program.send("put", f"{AT}/payment/interest", igst("11.00"), key), 422, "IDEMPOTENCY_MISMATCH")
    credit = program.send("put", f"{AT}/payment/igst_credit", {"cgst": "5.00", "sgst": "0.00"}).json()
    assert credit["payment"]["entries"]["igst_credit"]["cgst"] == "5.00"
    back = program.send("delete", f"{AT}/payment/interest").json()
    assert (back["payment"]["entries"]["interest"], back["payment"]["interest"]) == (None, NIL)


@pytest.mark.parametrize(
    ("name", "body", "status", "code", "field"),
    [
        ("interest", igst("-1.00"), 422, "ENTRY_TOO_LOW", ""),
        ("interest", {"igst": "1.00"}, 400, "INVALID", "cgst"),
        ("igst_credit", {**NIL}, 400, "INVALID", "igst"),
        ("interest", {**NIL, "igst": 5}, 400, "INVALID", "igst"),
        ("fine", NIL, 404, "NOT_FOUND", ""),
    ],
)
def test_an_entry_that_cannot_be_is_refused(
    program: Program, name: str, body: dict[str, Any], status: int, code: str, field: str
) -> None:
    assert refused(program.send("put", f"{AT}/payment/{name}", body), status, code).get("field", "") == field
    assert not Adjustment.objects.exists()


def test_a_review_says_what_must_hold_and_what_becomes_final(program: Program) -> None:
    told = program.get(f"{AT}/review").json()
    assert (told["may_be_filed"], told["in_the_way"], told["warnings"]) == (True, None, [])
    assert all(check["holds"] and check["cite"] and not check["code"] for check in told["checks"])
    assert (told["deemed"], told["rejected"]["count"]) == ({"count": 1, "adds": "18000.00", "takes": "0.00"}, 0)
    program.send("put", f"{AT}/rows/t4A5", {"tax": igst("19000.00"), "reason": "x"})
    factories.act(Record.objects.get(), "R", on="2025-11-17")
    behind = program.get(f"{AT}/review").json()
    assert [check["code"] for check in behind["checks"] if not check["holds"]] == ["RECOMPUTE_REQUIRED"]
    assert (behind["may_be_filed"], behind["in_the_way"]["code"]) == (False, "RECOMPUTE_REQUIRED")
    assert "above GSTR-2B" in behind["warnings"][0]


def test_what_was_looked_at_is_filed_once(program: Program, asha: User) -> None:
    key, body = uuid.uuid4(), seen(program)
    answer = program.post(f"{AT}/file", body, key, code=one_time_code(asha))
    told = answer.json()
    filing = Filing.objects.get()
    assert (answer.status_code, told["reference"], told["filed_by"]) == (200, filing.reference, "Asha")
    assert (told["period"], told["digest"], told["net_itc"]) == ("102025", body["digest"], igst("18000.00"))
    cache.clear()  # a code proves one request; another thirty seconds would bring another
    assert program.post(f"{AT}/file", body, key, code=one_time_code(asha)).json() == told
    cache.clear()
    refused(program.post(f"{AT}/file", body, code=one_time_code(asha)), 409, "ALREADY_FILED")
    filed = program.get(AT).json()
    assert (filed["state"], filed["filing"]["reference"], filed["in_the_way"]) == ("filed", filing.reference, None)
    refused(program.send("put", f"{AT}/rows/t4B1", {"tax": NIL}), 409, "ALREADY_FILED")
    refused(program.send("delete", f"{AT}/payment/interest"), 409, "ALREADY_FILED")


def test_what_changed_since_it_was_looked_at_is_not_filed(program: Program, asha: User) -> None:
    body = seen(program)
    program.send("put", f"{AT}/rows/t4A5", {"tax": igst("17000.00"), "reason": "less came"})
    answer = program.post(f"{AT}/file", body, code=one_time_code(asha))
    told = answer.json()
    assert (answer.status_code, told["code"]) == (409, "CHANGED_SINCE_SHOWN")
    assert told["shown"] == body
    assert told["now"] == seen(program)
    assert (told["shown"]["net_itc"]["igst"], told["now"]["net_itc"]["igst"]) == ("18000.00", "17000.00")
    assert not Filing.objects.exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"statement_version": 2}, "statement_version"),
        ({"statement_version": None}, "statement_version"),
        ({"net_itc": igst("1.00")}, "net_itc.igst"),
        ({"digest": "x"}, "digest"),
        ({"digest": None}, "digest"),
        ({"more": 1}, "more"),
    ],
)
def test_figures_that_do_not_belong_together_are_refused(
    program: Program, asha: User, change: dict[str, Any], field: str
) -> None:
    answer = program.post(f"{AT}/file", {**seen(program), **change}, code=one_time_code(asha))
    assert refused(answer, 400, "INVALID")["field"] == field
    assert not Filing.objects.exists()


def test_nothing_is_filed_without_a_code_a_key_or_with_something_in_the_way(program: Program, asha: User) -> None:
    body = seen(program)
    refused(program.post(f"{AT}/file", body), 403, "STEP_UP_REQUIRED")
    code = one_time_code(asha)
    refused(program.post(f"{AT}/file", body, key="", code=code), 400, "INVALID")
    refused(program.post(f"{AT}/file", body, code="000000"), 403, "STEP_UP_REQUIRED")
    factories.act(Record.objects.get(), "R", on="2025-11-17")
    refused(program.post(f"{AT}/file", seen(program), code=code), 409, "RECOMPUTE_REQUIRED")
    assert not Filing.objects.exists()


def test_who_is_held_is_told_so_and_files_nothing(program: Program, asha: User) -> None:
    found = {"V10 Table 4": [1, [["filing", "1"]]]}
    Hold.objects.create(taxpayer=factories.taxpayer(), month=202510, found=found, at=factories.at(TODAY))
    told = refused(program.post(f"{AT}/file", seen(program), code=one_time_code(asha)), 422, "HELD")
    assert "Filing is stopped for this GSTIN" in told["message"]
    assert not Filing.objects.exists()


WRITES = (
    ("put", "rows/t4B1", {"tax": NIL}),
    ("delete", "rows/t4B1", None),
    ("put", "payment/interest", NIL),
    ("delete", "payment/interest", None),
)


def test_who_may_only_look_changes_nothing(asha: User) -> None:
    viewer = Program(token(asha, R, rights=[Right.VIEW]))
    for method, path, body in WRITES:
        refused(viewer.send(method, f"{AT}/{path}", body), 403, "RIGHT_MISSING")
    preparer = Program(token(asha, R, rights=[Right.VIEW, Right.COMPUTE]))
    refused(preparer.post(f"{AT}/file", {}), 403, "RIGHT_MISSING")
    foreign = f"t/{factories.SUPPLIER}/3b/102025"
    everything = [*WRITES, ("post", "file", {}), ("get", "review", None), ("get", "", None)]
    for method, path, body in everything:
        there = f"{foreign}/{path}".rstrip("/")
        answer = viewer.get(there) if method == "get" else viewer.send(method, there, body)
        refused(answer, 404, "NOT_FOUND")


def test_every_write_needs_a_key(program: Program) -> None:
    for method, path, body in WRITES:
        told = refused(program.send(method, f"{AT}/{path}", body, key=""), 400, "INVALID")
        assert told["field"] == "Idempotency-Key"


def test_periods_that_are_none_have_no_return(program: Program) -> None:
    refused(program.get(f"t/{R}/3b/092025"), 404, "NOT_FOUND")
    refused(program.get(f"t/{R}/3b/x"), 404, "NOT_FOUND")
    later = program.get(f"t/{R}/3b/122099").json()
    assert later["in_the_way"]["code"] == "PREVIOUS_3B_NOT_FILED"


@pytest.mark.parametrize(("path", "most"), [("", 8), ("/review", 10)])
def test_queries_are_few(program: Program, path: str, most: int, django_assert_max_num_queries: Any) -> None:  # noqa: ANN401
    program.get("token")  # a token's use is written down once a minute
    with django_assert_max_num_queries(most):
        assert program.get(f"{AT}{path}").status_code == 200
