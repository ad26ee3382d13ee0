"""The checks on one document, the rates and heads behind them."""

import datetime as dt
import sqlite3
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ims_portal.rules import documents, rates
from ims_portal.rules.documents import Document, Form, InvoiceType, Item, NumberClass, Problem, Section
from ims_portal.rules.money import Tax
from ims_portal.rules.table import NoVersionInForceError

SUPPLIER, RECIPIENT, OTHER_STATE = "29AAFCK0000M1ZQ", "29AAKCT0000P1Z6", "33AAPCN0000E1Z5"
OCTOBER = dt.date(2026, 10, 31)


def make_document(*, taxable: int = 1_000_000, rate: int = 1800, tax: Tax | None = None, **changes: Any) -> Document:  # noqa: ANN401
    """Return a good invoice inside Karnataka of Rs 10,000 at 18 %, changed as told."""
    if tax is None:
        half = taxable * rate // 20_000
        tax = Tax(cgst=half, sgst=half)
    free = changes.get("reverse_charge", False)
    given_ = {
        "section": Section.B2B,
        "recipient": RECIPIENT,
        "number": "INV-7",
        "date": dt.date(2026, 10, 5),
        "taxable": taxable,
        "tax": tax,
        "pos": "29",
        "value": taxable + (0 if free else tax.total),
        "items": (Item(rate=rate, taxable=taxable, tax=tax),),
    }
    return Document(**{**given_, **changes})


def find(
    document: Document,
    *,
    form: Form = Form.GSTR1,
    period_end: dt.date = OCTOBER,
    registered_on: dt.date | None = None,
    check_digit: bool = True,
    is_sez: bool = False,
    is_operator: bool = True,
) -> list[Problem]:
    """Return what the rules say to a document of Kaveri Mobility."""
    return documents.problems(
        document,
        supplier=SUPPLIER,
        form=form,
        period_end=period_end,
        registered_on=registered_on,
        check_digit=check_digit,
        is_sez=is_sez,
        is_operator=is_operator,
    )


def codes(document: Document, **judged_by: Any) -> list[str]:  # noqa: ANN401
    """Return the codes of all problems."""
    return [problem.code for problem in find(document, **judged_by)]


def test_a_good_document_has_no_problem() -> None:
    assert find(make_document()) == []


def test_the_message_says_what_is_wrong_with_which_document_and_what_to_do() -> None:
    late = make_document(date=dt.date(2026, 5, 3))
    assert [problem.message for problem in find(late, period_end=dt.date(2026, 4, 30))] == [
        "Invoice INV-7 is dated 3 May 2026; a return for 04/2026 can't contain it. "
        "Correct the date or file it in May 2026."
    ]


def test_a_problem_names_the_key_the_place_and_the_document() -> None:
    note = make_document(section=Section.CN, date=dt.date(2026, 11, 1), position="cdnr[0].nt[2]")
    (problem,) = find(note)
    assert (problem.field, problem.position, problem.number) == ("nt_dt", "cdnr[0].nt[2]", "INV-7")
    assert (problem.counterparty, problem.dated) == (RECIPIENT, "01-11-2026")


@pytest.mark.parametrize(
    ("day", "wrong"),
    [
        (dt.date(2026, 10, 31), []),
        (dt.date(2026, 11, 1), ["APP-G108"]),
        (dt.date(2026, 1, 1), []),
        (dt.date(2025, 12, 31), ["APP-G108"]),
    ],
)
def test_the_date_lies_between_registration_and_the_end_of_the_period(day: dt.date, wrong: list[str]) -> None:
    assert codes(make_document(date=day), registered_on=dt.date(2026, 1, 1)) == wrong


def test_a_date_before_gst_is_refused_and_its_rate_not_judged() -> None:
    assert codes(make_document(date=dt.date(2017, 6, 30), rate=1700)) == ["APP-G108"]


@pytest.mark.parametrize("number", ["A", "1234567890123456", "KMF/26-27/1001", "0a", "001"])
def test_numbers_of_letters_digits_dashes_and_strokes_are_taken(number: str) -> None:
    assert documents.number_problem(number) is None


@pytest.mark.parametrize(
    "number", ["", "12345678901234567", "-1", "/1", "0", "0000", "A B", "A_1", "१२", "A\n", "A\x00"]
)
def test_other_numbers_are_refused(number: str) -> None:
    assert codes(make_document(number=number)) == ["APP-G106"]


@pytest.mark.parametrize(
    ("recipient", "wrong"),
    [
        ("29AAKCT0000P1Z7", "APP-G105"),
        ("29AAKCT0000", "APP-G103"),
        ("", "APP-G103"),
        (SUPPLIER, "APP-G104"),
        ("29AAKCT0000P1C6", "APP-G103"),
    ],
)
def test_the_recipient_is_another_registered_person(recipient: str, wrong: str) -> None:
    assert codes(make_document(recipient=recipient)) == [wrong]


def test_the_check_digit_is_a_setting() -> None:
    assert codes(make_document(recipient="29AAKCT0000P1Z7"), check_digit=False) == []


def test_the_recipient_of_an_eco_document_is_named_by_its_own_key() -> None:
    assert [problem.field for problem in find(make_document(section=Section.ECO, recipient="29"))] == ["rtin"]


@pytest.mark.parametrize("pos", ["", "7", "00", "39", "99", "29 "])
def test_the_place_of_supply_is_a_state_code(pos: str) -> None:
    assert "APP-G104" in codes(make_document(pos=pos, tax=Tax(igst=180_000)))


@pytest.mark.parametrize("rate", [0, 10, 25, 100, 150, 300, 500, 600, 750, 1200, 1800, 2800, 4000])
def test_every_rate_of_the_law_is_accepted_today(rate: int) -> None:
    assert codes(make_document(rate=rate)) == []


@pytest.mark.parametrize("rate", [1700, 1801, 9, 10_000])
def test_a_rate_that_does_not_exist_is_refused_even_if_the_tax_fits(rate: int) -> None:
    assert codes(make_document(rate=rate)) == ["APP-G109"]


@pytest.mark.parametrize(
    ("day", "wrong"), [(dt.date(2025, 9, 21), ["APP-G109"]), (dt.date(2025, 9, 22), []), (dt.date(2025, 9, 23), [])]
)
def test_forty_percent_began_with_gst_2(day: dt.date, wrong: list[str]) -> None:
    assert codes(make_document(rate=4000, date=day)) == wrong


def test_twenty_eight_percent_stays_accepted_after_gst_2() -> None:
    assert codes(make_document(rate=2800, date=dt.date(2025, 9, 22))) == []


def test_rates_before_gst_are_not_made_up() -> None:
    with pytest.raises(NoVersionInForceError):
        rates.accepted(dt.date(2017, 6, 30))


@pytest.mark.parametrize(
    ("given_tax", "wrong"),
    [
        (Tax(cgst=90_000, sgst=90_000), []),
        (Tax(cgst=90_100, sgst=90_100), []),
        (Tax(cgst=89_900, sgst=89_900), []),
        (Tax(cgst=90_101, sgst=90_101), ["APP-G110"]),
        (Tax(cgst=89_899, sgst=89_899), ["APP-G110"]),
        (Tax(cgst=90_000, sgst=89_999), ["APP-G110"]),
        (Tax(), ["APP-G110"]),
    ],
)
def test_each_head_may_differ_by_one_rupee_and_both_halves_are_equal(given_tax: Tax, wrong: list[str]) -> None:
    assert codes(make_document(tax=given_tax)) == wrong


def test_cess_has_no_rate_to_be_judged_by() -> None:
    assert codes(make_document(tax=Tax(cgst=90_000, sgst=90_000, cess=400_000))) == []


@pytest.mark.parametrize(("igst", "wrong"), [(117_000, []), (180_000, ["APP-G110"])])
def test_the_differential_flag_means_65_percent_of_the_rate(igst: int, wrong: list[str]) -> None:
    assert codes(make_document(differential=True, pos="33", tax=Tax(igst=igst))) == wrong


def test_the_tax_message_gives_the_amount_that_was_expected() -> None:
    (problem,) = find(make_document(pos="33", tax=Tax(igst=160_000)))
    assert problem.message == (
        "Invoice INV-7, line 1: IGST is Rs 1600.00, but 18 % of Rs 10000.00 gives Rs 1800.00. "
        "Correct the tax, the rate or the taxable value."
    )


@pytest.mark.parametrize(
    ("inv_type", "pos", "given_tax", "wrong"),
    [
        (InvoiceType.REGULAR, "29", Tax(igst=180_000), ["APP-G111"]),
        (InvoiceType.REGULAR, "33", Tax(cgst=90_000, sgst=90_000), ["APP-G111"]),
        (InvoiceType.REGULAR, "33", Tax(igst=180_000), []),
        (InvoiceType.REGULAR, "96", Tax(igst=180_000), []),
        (InvoiceType.DEEMED_EXPORT, "29", Tax(cgst=90_000, sgst=90_000), []),
        (InvoiceType.SEZ_WITH_PAYMENT, "29", Tax(igst=180_000), []),
        (InvoiceType.SEZ_WITH_PAYMENT, "29", Tax(cgst=90_000, sgst=90_000), ["APP-G111"]),
        (InvoiceType.SEZ_WITHOUT_PAYMENT, "29", Tax(), []),
        (InvoiceType.SEZ_WITHOUT_PAYMENT, "29", Tax(igst=180_000), ["APP-G110"]),
    ],
)
def test_the_place_of_supply_and_the_sez_decide_the_tax_heads(
    inv_type: InvoiceType, pos: str, given_tax: Tax, wrong: list[str]
) -> None:
    assert codes(make_document(inv_type=inv_type, pos=pos, tax=given_tax)) == wrong


def test_a_reverse_charge_document_carries_its_tax_and_only_its_taxable_value() -> None:
    assert find(make_document(reverse_charge=True)) == []


def test_a_value_that_does_not_add_up_is_only_a_warning() -> None:
    (problem,) = find(make_document(value=1_180_101))
    assert (problem.code, problem.is_warning) == ("APP-G112", True)
    assert find(make_document(value=1_180_100)) == []


@pytest.mark.parametrize("amount", [-1, 10**15])
def test_amounts_out_of_bounds_are_refused(amount: int) -> None:
    assert "APP-G113" in codes(make_document(value=amount))
    assert "APP-G113" in codes(make_document(taxable=amount, tax=Tax()))


def test_lines_that_do_not_add_up_to_the_document_are_refused() -> None:
    assert codes(replace(make_document(), taxable=2_000_000, value=2_180_000)) == ["APP-G110"]


@pytest.mark.parametrize(
    ("original_number", "original_date", "field"),
    [("", None, "oinum"), ("INV-1", None, "oidt"), ("", dt.date(2026, 9, 1), "oinum")],
)
def test_an_amendment_names_its_original(original_number: str, original_date: dt.date | None, field: str) -> None:
    amended = make_document(section=Section.B2BA, original_number=original_number, original_date=original_date)
    (problem,) = find(amended)
    assert (problem.code, problem.field, problem.refusal) == ("APP-G114", field, "ORIGINAL_NOT_FOUND")


@pytest.mark.parametrize("form", [Form.GSTR1, Form.GSTR1A, Form.IFF])
@pytest.mark.parametrize("section", [Section.B2B, Section.DN, Section.CN, Section.ECO])
def test_the_suppliers_forms_report_documents_for_registered_recipients(form: Form, section: Section) -> None:
    assert codes(make_document(section=section), form=form) == []


@pytest.mark.parametrize(
    ("form", "section"),
    [(Form.IFF, Section.IMPG), (Form.GSTR1, Section.ISD), (Form.CUSTOMS, Section.B2B), (Form.GSTR6, Section.CN)],
)
def test_a_section_of_another_form_is_refused(form: Form, section: Section) -> None:
    assert codes(make_document(section=section), form=form) == ["APP-G115"]


def test_a_withdrawal_needs_only_what_names_the_document() -> None:
    assert codes(make_document(withdraw=True, pos="", taxable=0, tax=Tax(), items=(), value=0)) == []
    assert codes(make_document(withdraw=True, number="")) == ["APP-G106"]


def test_all_problems_are_told_shape_first() -> None:
    wrong = make_document(number="#", pos="33", date=dt.date(2026, 11, 5), rate=1700, tax=Tax(cgst=1, sgst=1), value=0)
    assert codes(wrong) == ["APP-G106", "APP-G108", "APP-G109", "APP-G111", "APP-G112"]


@given(st.integers(0, 10**12), st.sampled_from(rates.accepted(OCTOBER)), st.booleans(), st.booleans())
def test_tax_rounded_to_the_paisa_is_always_accepted(
    taxable: int, rate: int, is_inside: bool, is_reduced: bool
) -> None:
    due = Decimal(taxable) * rate / 10_000 * (Decimal("0.65") if is_reduced else 1)
    tax = Tax(cgst=round(due / 2), sgst=round(due / 2)) if is_inside else Tax(igst=round(due))
    assert (
        codes(
            make_document(taxable=taxable, rate=rate, tax=tax, pos="29" if is_inside else "33", differential=is_reduced)
        )
        == []
    )


@pytest.mark.parametrize(
    ("day", "year"), [(dt.date(2026, 3, 31), 2025), (dt.date(2026, 4, 1), 2026), (dt.date(2026, 12, 31), 2026)]
)
def test_the_financial_year_runs_from_april_to_march(day: dt.date, year: int) -> None:
    assert documents.financial_year(day) == year


def test_invoices_share_their_numbers_with_eco_documents_and_notes_do_not() -> None:
    assert documents.number_class(Section.B2B) is documents.number_class(Section.ECOA) is NumberClass.INVOICE
    assert documents.number_class(Section.DN) is documents.number_class(Section.CNA) is NumberClass.NOTE
    assert documents.number_class(Section.IMPGSEZA) is NumberClass.BILL_OF_ENTRY


def test_every_section_has_a_name_and_a_form() -> None:
    assert set(documents.NAMES) == set(Section)
    assert set().union(*documents.REPORTED_IN.values()) == set(Section)


@pytest.mark.parametrize(
    ("supplier", "pos", "recipient", "is_ineligible"),
    [("36", "36", "29", True), ("36", "36", "36", False), ("36", "29", "29", False), ("36", "29", "33", False)],
)
def test_credit_is_lost_when_the_supply_stays_with_the_supplier(
    supplier: str, pos: str, recipient: str, *, is_ineligible: bool
) -> None:
    assert documents.is_pos_ineligible(supplier_state=supplier, pos=pos, recipient_state=recipient) is is_ineligible


@given(*[st.sampled_from(["29", "33", "36"])] * 3)
def test_the_sql_twin_of_pos_ineligible_says_the_same(supplier: str, pos: str, recipient: str) -> None:
    sql = documents.POS_INELIGIBLE_SQL.format(supplier_state=":s", pos=":p", recipient_state=":r")
    with closing(sqlite3.connect(":memory:")) as database:
        (told,) = database.execute(f"SELECT {sql}", {"s": supplier, "p": pos, "r": recipient}).fetchone()
    assert bool(told) is documents.is_pos_ineligible(supplier_state=supplier, pos=pos, recipient_state=recipient)


@pytest.mark.parametrize("section", [Section.ECO, Section.ECOA])
def test_only_an_operator_reports_supplies_under_section_9_5(section: Section) -> None:
    original = {"original_number": "INV-1", "original_date": dt.date(2026, 9, 1)} if section is Section.ECOA else {}
    document = make_document(section=section, **original)
    assert (codes(document), codes(document, is_operator=False)) == ([], ["APP-G115"])


def test_supplies_to_or_by_an_sez_unit_bear_igst_inside_one_state_too() -> None:
    inside, between = make_document(), make_document(tax=Tax(igst=180_000))
    assert (codes(inside), codes(inside, is_sez=True)) == ([], ["APP-G111"])
    assert (codes(between), codes(between, is_sez=True)) == (["APP-G111"], [])
    (problem,) = find(inside, is_sez=True)
    assert "supplies to or by an SEZ always bear IGST" in problem.message
