"""A supplier's form: what its source may hold, filing what was shown, and what a supplier may see of its records."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ims_portal.models import Taxpayer
from ims_portal.rules import periods
from ims_portal.rules.actions import Action, Refusal
from ims_portal.rules.documents import Document, Form, Item, Problem, Section
from ims_portal.rules.money import NIL, Tax
from ims_portal.rules.periods import Frequency, TaxPeriod
from invoices import open_forms, outward, outward_list, reported, staging
from invoices.models import Inbox, Record, ReturnSummary, SupplierReturn
from invoices.reported import Effect
from tests import factories

pytestmark = pytest.mark.django_db
OCTOBER = periods.parse("102025")
NOTE = {"section": Section.CN, "number": "CN1"}


def save(*found: staging.Found, on: str = "2025-11-05", **options: Any) -> outward.Saved:  # noqa: ANN401
    """Return what saving into the supplier's GSTR-1 of October did."""
    factories.taxpayer(factories.RECIPIENT)
    told = {"supplier": factories.taxpayer(factories.SUPPLIER), "form": Form.GSTR1, "period": OCTOBER} | options
    return outward.save(found=found, actor=None, clock=factories.clock(on), **told)


def refusal_of(form: Form, taxpayer: Taxpayer, period: TaxPeriod = OCTOBER, on: str = "2025-11-05") -> str:
    """Return what saving a form is refused with, in words; "" where it is open."""
    return str(open_forms.look(supplier=taxpayer, form=form, period=period, at=factories.at(on)).saving or "")


def row(record: Record, on: str = "2025-11-12") -> reported.Row:
    """Return a record as its supplier sees it on a day."""
    found = reported.record_of(record.supplier, record.pk)
    assert found is not None
    return reported.rows([found], at=factories.at(on))[0]


def test_what_the_reader_could_not_read_is_reported_beside_the_checks() -> None:
    unread = Problem("APP-G101", "b2b[0].inv[0]: rchrg is missing.", field="rchrg", position="b2b[0].inv[0]")
    wrong = factories.document(number="LATE", on="2025-12-01")
    saved = save(unread, factories.document(number="GOOD"), wrong)
    assert (saved.added, saved.refused) == (1, 2)
    assert [problem.code for problem in saved.problems] == ["APP-G101", "APP-G108"]
    assert not saved.changed_nothing


def test_sums_come_with_the_documents_and_replace_their_section_whole() -> None:
    def consumers(pos: str, taxable: int = 100000) -> staging.Summary:
        return staging.Summary("b2cs", f"INTER {pos}", taxable, Tax(igst=18000))

    assert save(consumers("33"), consumers("29")).sums_changed
    again = save(consumers("29"), consumers("33"))
    assert (again.sums_changed, again.changed_nothing) == (False, True)
    assert save(consumers("27")).sums_changed
    save(staging.Summary("nil", "exempt", 5, NIL))
    assert set(ReturnSummary.objects.values_list("section", "detail")) == {("b2cs", "INTER 27"), ("nil", "exempt")}


def test_a_form_is_filed_as_it_was_shown_or_not_at_all() -> None:
    save(factories.document(number="ONE"))
    owner = factories.taxpayer(factories.SUPPLIER)
    shown = reported.digest(SupplierReturn.objects.get())
    save(factories.document(number="TWO"))
    with pytest.raises(outward.ChangedSinceShownError):
        outward.file(
            supplier=owner,
            form=Form.GSTR1,
            period=OCTOBER,
            actor=None,
            clock=factories.clock("2025-11-10"),
            shown_digest=shown,
        )
    assert not SupplierReturn.objects.get().is_filed
    filed = outward.file(
        supplier=owner,
        form=Form.GSTR1,
        period=OCTOBER,
        actor=None,
        clock=factories.clock("2025-11-10"),
        shown_digest=reported.digest(SupplierReturn.objects.get()),
    )
    assert filed.is_filed
    assert set(Record.objects.values_list("status", flat=True)) == {"F"}


def test_a_recipients_action_does_not_change_what_was_shown() -> None:
    record = factories.saved()[0]
    before = reported.digest(SupplierReturn.objects.get())
    factories.act(record, "A", on="2025-11-06")
    assert reported.digest(SupplierReturn.objects.get()) == before


def test_the_look_says_what_saving_and_filing_would_be_refused_with() -> None:
    owner = factories.taxpayer(factories.SUPPLIER)

    def look(on: str, form: Form = Form.GSTR1) -> open_forms.Look:
        return open_forms.look(supplier=owner, form=form, period=OCTOBER, at=factories.at(on))

    early = look("2025-10-20")
    assert (early.kept, early.saving) == (None, None)
    assert early.filing is not None
    assert look("2025-11-02").filing is None
    assert "GSTR-1A of 10/2025 is not open" in str(look("2025-11-02", Form.GSTR1A).saving)
    outward.file(supplier=owner, form=Form.GSTR1, period=OCTOBER, actor=None, clock=factories.clock("2025-11-10"))
    assert "is filed" in str(look("2025-11-12").saving)
    assert look("2025-11-12", Form.GSTR1A).saving is None


def test_a_rejected_credit_note_costs_provisionally_until_the_recipient_files() -> None:
    record = factories.filed_record(**NOTE)
    factories.act(record, "R", remark="Nothing came back", reason="RETURNED")
    found = row(record)
    assert (found.action, found.effect, found.addback, found.remark) == (
        Action.REJECT,
        Effect.PROVISIONAL,
        Tax(igst=1800000),
        "Nothing came back",
    )
    factories.act(record, "A", answer="F")
    assert (row(record).effect, row(record).addback) == (Effect.NONE, NIL)


def test_filing_fixes_the_cost_in_the_suppliers_next_period() -> None:
    record = factories.filed_record(**NOTE)
    factories.act(record, "R")
    factories.filed_period()
    found = row(record, "2025-11-20")
    assert (found.effect, found.addback, found.target_month, found.is_settled) == (
        Effect.FIXED,
        Tax(igst=1800000),
        202511,
        True,
    )


def test_a_rejected_invoice_costs_its_supplier_nothing() -> None:
    record = factories.filed_record()
    factories.act(record, "R")
    assert (row(record).action, row(record).effect) == (Action.REJECT, Effect.NONE)


def test_a_pending_that_lapsed_shows_no_action() -> None:
    record = factories.filed_record(**NOTE)
    factories.act(record, "P")
    assert row(record, "2025-12-20").action is Action.PENDING
    assert row(record, "2025-12-21").action is Action.NONE


def test_a_record_outside_ims_shows_no_action_and_is_not_actionable() -> None:
    record = factories.filed_record(reverse_charge=True)
    assert (row(record).action, row(record).is_actionable) == (Action.NONE, False)


def test_the_history_does_not_give_the_answer_to_the_itc_question_away() -> None:
    record = factories.filed_record(**NOTE)
    factories.act(record, "A", answer="F")
    factories.act(record, "A", answer="N", remark="No credit was taken")
    factories.act(record, "A", answer="P", declared=Tax(igst=100), remark="No credit was taken")
    factories.act(record, "R", remark="Not ours")
    record.refresh_from_db()
    assert [(event.action, event.remark) for event in reported.history(record)] == [
        ("R", "Not ours"),
        ("A", "No credit was taken"),
        ("A", ""),
    ]


def test_pages_follow_each_other_by_key_and_back() -> None:
    factories.filed(*(factories.document(number=f"INV{n}") for n in range(7)))
    owner = factories.taxpayer(factories.SUPPLIER)

    def page(cursor: str) -> reported.Page:
        return reported.page(
            outward_list.of(owner, at=factories.at("2025-11-12")), cursor=cursor, size=3, at=factories.at("2025-11-12")
        )

    first = page("")
    second = page(first.after)
    third = page(second.after)
    assert [[line.record.number for line in found.rows] for found in (first, second, third)] == [
        ["INV6", "INV5", "INV4"],
        ["INV3", "INV2", "INV1"],
        ["INV0"],
    ]
    assert [(found.first, found.last, found.total) for found in (first, second, third)] == [
        (1, 3, 7),
        (4, 6, 7),
        (7, 7, 7),
    ]
    assert (first.before, third.after) == ("", "")
    back = page(third.before)
    assert [line.record.number for line in back.rows] == ["INV3", "INV2", "INV1"]
    assert (back.first, bool(back.before), bool(back.after)) == (4, True, True)
    assert page("forged").rows[0].record.number == "INV6"


def test_a_page_of_many_recipients_takes_the_same_few_queries(django_assert_num_queries: object) -> None:
    recipients = ["33AAPCN0000E1Z5", "29AAQCP0000D1ZT", "36AATCM0000C1Z0", factories.RECIPIENT]
    factories.filed(
        *(factories.document(number=f"INV{n}", recipient=gstin, tax=1800) for n, gstin in enumerate(recipients))
    )
    owner = factories.taxpayer(factories.SUPPLIER)
    with django_assert_num_queries(4):
        assert (
            len(
                reported.page(
                    outward_list.of(owner, at=factories.at("2025-11-12")),
                    cursor="",
                    size=50,
                    at=factories.at("2025-11-12"),
                ).rows
            )
            == 4
        )


def test_a_period_whose_gstr3b_is_closed_takes_no_gstr1() -> None:
    owner = factories.taxpayer(factories.SUPPLIER, first=202510)
    september = periods.parse("092025")
    assert "GSTR-3B of 09/2025 is filed" in refusal_of(Form.GSTR1, owner, september)
    assert refusal_of(Form.GSTR1, owner) == ""
    with pytest.raises(outward.ReturnRefusedError) as refused:
        save(factories.document(on="2025-09-05"), period=september)
    assert refused.value.refusal is Refusal.ALREADY_FILED


def test_what_a_closed_quarter_left_saved_in_an_iff_can_be_deleted_and_nothing_added() -> None:
    owner = factories.taxpayer("24AAACT7788G1Z0", first=202512, frequency=Frequency.QUARTERLY)
    (record,) = factories.saved(factories.document(), supplier=owner.gstin, form=Form.IFF)
    Inbox.objects.filter(taxpayer=owner).update(open_month=202603)
    with pytest.raises(outward.ReturnRefusedError) as refused:
        save(factories.document(number="INV2"), supplier=owner, form=Form.IFF, on="2025-11-06")
    assert refused.value.refusal is Refusal.ALREADY_FILED
    gone = staging.document_of(record, withdraw=True)
    outward.delete(supplier=owner, record=record, document=gone, actor=None, clock=factories.clock("2025-11-06"))
    assert Record.objects.get().status == Record.Status.WITHDRAWN


@pytest.mark.parametrize(
    ("kind", "open_to_it"),
    [
        (Taxpayer.Kind.ISD, {Form.GSTR6}),
        (Taxpayer.Kind.REGULAR, {Form.GSTR1}),
        (Taxpayer.Kind.SEZ, {Form.GSTR1}),
        (Taxpayer.Kind.ECO, {Form.GSTR1}),
    ],
)
def test_gstr6_belongs_to_distributors_and_gstr1_to_everybody_else(kind: str, open_to_it: set[Form]) -> None:
    owner = factories.taxpayer(factories.SUPPLIER)
    Taxpayer.objects.filter(pk=owner.pk).update(kind=kind)
    owner.refresh_from_db()
    refusals = {form: refusal_of(form, owner) for form in (Form.GSTR1, Form.GSTR6)}
    assert {form for form, text in refusals.items() if not text} == open_to_it
    assert all("An input service distributor files GSTR-6" in text for text in refusals.values() if text)


def test_a_number_saved_already_is_replaced_by_a_file_and_refused_to_people() -> None:
    save(factories.document(tax=18000))
    again = factories.document(tax=36000)
    with pytest.raises(outward.ReturnRefusedError) as refused:
        save(again, keys_replace=False, all_or_nothing=True)
    assert refused.value.refusal is Refusal.DUPLICATE_DOCUMENT
    assert Record.objects.get().igst == 1800000
    assert save(again).changed == 1
    assert Record.objects.get().igst == 3600000


def test_problems_come_in_the_order_of_the_documents() -> None:
    saved = save(
        factories.document(number="ONE"),
        factories.document(number="one"),
        factories.document(number="LATE", on="2025-12-01"),
        factories.document(section=Section.B2BA, number="NONE"),
    )
    assert [problem.refusal for problem in saved.problems] == [
        "DUPLICATE_DOCUMENT",
        "DOCUMENT_INVALID",
        "ORIGINAL_NOT_FOUND",
    ]


@pytest.mark.parametrize("party", [factories.SUPPLIER, "24AAACB5055K1ZT"])
def test_who_is_an_sez_unit_is_read_of_supplier_and_recipient(party: str) -> None:
    inside = factories.document(recipient="24AAACB5055K1ZT")
    Taxpayer.objects.filter(pk=factories.taxpayer(party).pk).update(kind=Taxpayer.Kind.SEZ)
    assert [problem.code for problem in save(inside).problems] == ["APP-G111"]
    heads = Tax(igst=inside.tax.total)
    item = replace(inside.items[0], tax=heads)
    assert not list(save(replace(inside, tax=heads, items=(item,))).problems)


def test_a_credit_note_rejected_while_saved_costs_provisionally() -> None:
    record = factories.saved(factories.document(**NOTE))[0]
    factories.act(record, "R", on="2025-11-06")
    found = row(record, "2025-11-06")
    assert (found.effect, found.addback) == (Effect.PROVISIONAL, Tax(igst=1800000))


QUARTERLY = "24AAACT7788G1Z0"
LAKH = 100_000_00


def of_value(lakhs: int, number: str, more: int = 0, **options: Any) -> Document:  # noqa: ANN401
    """Return a document of a value in lakhs of rupees and some paise, at no tax."""
    document = factories.document(number=number, supplier=QUARTERLY, tax=Tax(), **options)
    value = lakhs * LAKH + more
    return replace(document, taxable=value, value=value, items=(Item(0, value, Tax()),))


def save_iff(*found: Document, period: str = "102025", **options: Any) -> outward.Saved:  # noqa: ANN401
    """Return what saving into the IFF of a quarterly supplier did."""
    owner = factories.taxpayer(QUARTERLY, first=202512, frequency=Frequency.QUARTERLY)
    return save(*found, supplier=owner, form=Form.IFF, period=periods.parse(period), **options)


def test_an_iff_takes_documents_up_to_fifty_lakh_a_month() -> None:
    save_iff(of_value(30, "A"))
    with pytest.raises(outward.ReturnRefusedError) as refused:
        save_iff(of_value(20, "B", more=1))
    assert refused.value.refusal is Refusal.DOCUMENT_INVALID
    assert "would come to Rs 5000000.01" in str(refused.value)
    assert save_iff(of_value(20, "B")).added == 1
    assert save_iff(of_value(50, "C", on="2025-11-02"), period="112025", on="2025-12-02").added == 1


def test_a_credit_note_makes_no_room_in_an_iff_and_takes_none() -> None:
    assert save_iff(of_value(50, "A"), of_value(9, "CN", section=Section.CN)).added == 2
    with pytest.raises(outward.ReturnRefusedError):
        save_iff(of_value(1, "B"))


def test_gstr1_of_the_quarter_takes_documents_of_any_value() -> None:
    assert save(of_value(90, "A")).added == 1


def test_an_iff_over_its_limit_is_not_filed_and_takes_nothing_new_but_a_deletion() -> None:
    save_iff(of_value(40, "A"), of_value(10, "B"))
    Record.objects.filter(number="A").update(value=51 * LAKH)
    owner = factories.taxpayer(QUARTERLY)
    with pytest.raises(outward.ReturnRefusedError) as refused:
        outward.file(supplier=owner, form=Form.IFF, period=OCTOBER, actor=None, clock=factories.clock("2025-11-10"))
    assert refused.value.refusal is Refusal.DOCUMENT_INVALID
    assert save_iff(of_value(10, "B", withdraw=True)).withdrawn == 1


def file_november() -> None:
    """File the supplier's GSTR-1 of November with what is saved in it."""
    owner, november = factories.taxpayer(factories.SUPPLIER), periods.parse("112025")
    outward.file(supplier=owner, form=Form.GSTR1, period=november, actor=None, clock=factories.clock("2025-12-10"))


def test_amendments_saved_in_two_returns_stand_beside_each_other_until_one_is_filed() -> None:
    factories.filed(factories.document(tax=18000))
    amended = factories.document(section=Section.B2BA, tax=17000)
    november = {"period": "112025", "on": "2025-11-12"}
    (later,) = factories.saved(amended, **november)
    again = factories.document(section=Section.B2BA, tax=16000, on="2025-10-06")
    with pytest.raises(outward.ReturnRefusedError) as refused:
        save(again, keys_replace=False, all_or_nothing=True, period=periods.parse("112025"), on="2025-11-12")
    assert refused.value.refusal is Refusal.DUPLICATE_DOCUMENT
    factories.filed(again, form=Form.GSTR1A, on="2025-11-13")
    Inbox.objects.filter(taxpayer=later.supplier).update(open_month=202511)
    with pytest.raises(outward.ReturnRefusedError) as refused:
        file_november()
    assert refused.value.refusal is Refusal.ORIGINAL_NOT_FOUND
    assert refused.value.problems[0].number == "INV1"
    later.refresh_from_db()
    assert later.status == Record.Status.SAVED
    save(replace(amended, original_date=again.date), period=periods.parse("112025"), on="2025-12-02")
    file_november()
    assert list(Record.objects.filter(status="F").order_by("chain_no").values_list("chain_no", "igst")) == [
        (1, 1800000),
        (2, 1600000),
        (3, 1700000),
    ]


@pytest.mark.django_db
def test_a_document_that_differs_only_in_what_stands_beside_its_amounts_is_another() -> None:
    """65 % of the rate is told in GSTR-2B, an operator's supplier in IMS: neither may stay as it was."""
    plain = factories.document(number="E1", tax=0, irn="a" * 64)
    record = factories.saved(plain)[0]
    version = record.version
    for other in (replace(plain, irn="b" * 64), replace(plain, differential=True)):
        factories.saved(other)
        record.refresh_from_db()
        assert record.version == version + 1, other
        version = record.version
    factories.saved(replace(plain, differential=True))
    record.refresh_from_db()
    assert record.version == version
