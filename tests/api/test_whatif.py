"""What-if and forecast for programs: what choices would come to, and what the next GSTR-3B will owe."""

from __future__ import annotations

from typing import Any

import pytest

from ims_portal.access import Right
from ims_portal.models import Taxpayer, User
from ims_portal.rules.documents import Section
from ims_portal.rules.money import Tax
from invoices.models import ActionEvent, Record
from returns import gstr3b
from tests import factories
from tests.api.client import Program, token
from tests.api.test_entrance import refused
from tests.properties import worlds

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now")]
TODAY = "2025-11-16"
R, S = factories.RECIPIENT, factories.SUPPLIER
NOTHING = {"igst": "0.00", "cgst": "0.00", "sgst": "0.00", "cess": "0.00"}


@pytest.fixture
def asha() -> User:
    """A signatory of R, whose GSTR-2B of October holds an invoice of 18,000 tax and a credit note of 400."""
    factories.filed(factories.document(number="INV1"), factories.document(number="CN1", section=Section.CN, tax=400))
    factories.computed()
    return factories.member(factories.taxpayer(), "signatory", "asha")


@pytest.fixture
def program(asha: User) -> Program:
    """A token of hers that may only look."""
    return Program(token(asha, R, rights=[Right.VIEW]))


def ask(program: Program, **body: Any) -> Any:  # noqa: ANN401 - any body
    """Return the answer to a what-if."""
    return program.post(f"t/{R}/whatif", body, key="")


def igst(told: dict[str, Any], row: str) -> tuple[str, str, str]:
    """Return before, after and change of a row of Table 4."""
    line = next(line for line in told["table_4"] if line["row"] == row)
    return line["before"]["igst"], line["after"]["igst"], line["change"]["igst"]


def test_choices_are_told_before_and_after_and_nothing_is_saved(program: Program) -> None:
    before = worlds.digests(without=("ims_portal_apitoken",))
    answer = ask(program, action="R", list="b2bcn")
    told = answer.json()
    assert (answer.status_code, told["period"], told["version"]) == (200, "102025", 1)
    assert igst(told, "t4A5") == igst(told, "t4C") == ("17600.00", "18000.00", "400.00")
    moved = [line for line in told["sums"] if line["before"] != line["after"]]
    assert [(line["section"], line["part"], line["before"]["records"], line["after"]["records"]) for line in moved] == [
        ("available", "B_I", 1, 0),
        ("rejected", "B_I", 0, 1),
    ]
    assert [(one["verdict"], one["count"], one["tax"]) for one in told["verdicts"]] == [("will", 1, "400.00")]
    assert told["supplier_count"] == 1
    assert told["suppliers"] == [
        {"gstin": S, "name": "Firm AAACS", "records": 1, "before": "0.00", "after": "400.00", "change": "400.00"}
    ]
    assert worlds.digests(without=("ims_portal_apitoken",)) == before
    assert not ActionEvent.objects.exists()


def test_some_records_are_asked_about_and_what_stands_against_is_told(program: Program) -> None:
    note = Record.objects.get(number="CN1")
    told = ask(program, action="A", records=[note.pk]).json()
    assert [(one["verdict"], one["count"]) for one in told["verdicts"]] == [("ITC_REDUCTION_REQUIRED", 1)]
    told = ask(program, action="A", reduce="N", records=[note.pk], filters={"q": "CN1"}).json()
    assert igst(told, "t4C") == ("17600.00", "18000.00", "400.00")
    assert ask(program, action="R", records=[note.pk], filters={"q": "INV1"}).json()["verdicts"] == []
    factories.act(Record.objects.get(number="INV1"), "R")
    assert ask(program, action="R").json()["version"] is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "action"),
        ({"action": "X"}, "action"),
        ({"action": "R", "reduce": "F"}, "reduce"),
        ({"action": "A", "reduce": "P"}, "reduce"),
        ({"action": "R", "list": "nowhere"}, "list"),
        ({"action": "R", "filters": {"colour": "red"}}, "filters.colour"),
        ({"action": "R", "filters": {"action": "Z"}}, "filters.action"),
        ({"action": "R", "records": []}, "records"),
        ({"action": "R", "records": [0]}, "records[0]"),
        ({"action": "R", "records": list(range(1, 202))}, "records"),
        ({"action": "R", "more": 1}, "more"),
    ],
)
def test_a_what_if_asked_wrongly_is_refused_at_its_field(program: Program, body: dict[str, Any], field: str) -> None:
    assert refused(ask(program, **body), 400, "INVALID")["field"] == field


def test_a_forecast_goes_from_low_to_high(asha: User) -> None:
    supplier = factories.taxpayer(S)
    program = Program(token(factories.member(supplier), S, rights=[Right.VIEW]))
    factories.act(Record.objects.get(number="CN1"), "R", actor=asha)
    told = program.get(f"t/{S}/outward/forecast").json()
    assert (told["period"], told["gstr1_is_filed"], told["count"]) == ("102025", True, 0)
    assert (told["total_low"]["igst"], told["total_high"]["igst"]) == ("17600.00", "17600.00")
    (later,) = told["later"]  # a note never adds to its own period
    assert (later["period"], later["together"]["igst"], later["count"]) == ("112025", "400.00", 1)
    assert later["recipients"][0]["provisional_records"] == 1
    _file_3b(supplier)
    told = program.get(f"t/{S}/outward/forecast").json()
    assert (told["period"], told["gstr1_is_filed"]) == ("112025", False)
    first = told["rows"][0]
    assert (first["row"], first["table"], first["low"]) == ("t3_1_a", "3.1(a)", NOTHING)
    assert (first["provisional"], first["high"]["igst"]) == ({**NOTHING, "igst": "400.00"}, "400.00")
    assert (told["recipients"][0]["gstin"], told["recipients"][0]["fixed_records"]) == (R, 0)


def _file_3b(owner: Taxpayer) -> None:
    factories.computed(owner, on=TODAY)
    gstr3b.file(taxpayer=owner, period=factories.OCTOBER, actor=None, clock=factories.clock(TODAY))


def test_a_distributor_has_no_forecast() -> None:
    firm = factories.taxpayer("27AAACD5055K1ZZ")
    Taxpayer.objects.filter(pk=firm.pk).update(kind=Taxpayer.Kind.ISD)
    program = Program(token(factories.member(firm), firm.gstin, rights=[Right.VIEW]))
    refused(program.get(f"t/{firm.gstin}/outward/forecast"), 422, "WRONG_PERIOD")


def test_what_belongs_to_others_is_not_there(program: Program) -> None:
    refused(program.get(f"t/{S}/outward/forecast"), 404, "NOT_FOUND")
    refused(program.post(f"t/{S}/whatif", {"action": "R"}, key=""), 404, "NOT_FOUND")


def test_queries_do_not_grow(program: Program, asha: User, django_assert_max_num_queries: Any) -> None:  # noqa: ANN401
    program.get("token")  # a token's use is written down once a minute
    for number in range(2):
        with django_assert_max_num_queries(10):
            assert ask(program, action="R").status_code == 200
        with django_assert_max_num_queries(8):
            assert program.get(f"t/{R}/outward/forecast").status_code == 200
        supplier = f"29AAKCT000{number}P1Z6"
        more = [factories.document(number=f"D{n}", tax=Tax(igst=100), supplier=supplier) for n in range(3)]
        factories.filed(*more, supplier=supplier)
        factories.act(Record.objects.filter(supplier__gstin=supplier)[0], "R", actor=asha)
