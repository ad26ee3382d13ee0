"""GSTR-3B: derived, declared, reviewed, filed; a digest that holds what was shown."""

from __future__ import annotations

import uuid

import pytest

from ims_portal import access, once
from ims_portal.models import RuleSwitch, Taxpayer
from ims_portal.rules import periods
from ims_portal.rules.actions import Refusal
from ims_portal.rules.documents import Form, Section
from ims_portal.rules.money import Tax
from invoices import feeds, outward, standing
from invoices.models import Record
from returns import gstr3b, review, tables
from returns.gstr3b import ChangedSinceShownError, Draft, Gstr3bRefusedError
from returns.models import Addback, Adjustment, Filing
from returns.review import Review
from tests import factories
from tests.factories import OCTOBER, RECIPIENT, SUPPLIER

pytestmark = pytest.mark.django_db

RUPEES = 100
NOVEMBER = periods.parse("112025")


@pytest.fixture
def recipient() -> Taxpayer:
    return factories.taxpayer(RECIPIENT, name="Meera Traders")


def own_gstr1(taxpayer: Taxpayer, period: str = "102025", on: str = "2025-11-10") -> None:
    outward.file(
        supplier=taxpayer, form=Form.GSTR1, period=periods.parse(period), actor=None, clock=factories.clock(on)
    )


@pytest.fixture
def ready(recipient: Taxpayer) -> Taxpayer:
    """Return R with an invoice of 18,000 and a credit note of 9,000 in a fresh 2B of October, GSTR-1 filed."""
    factories.filed(
        factories.document(number="INV1", tax=18000), factories.document(section=Section.CN, number="CN1", tax=9000)
    )
    own_gstr1(recipient)
    factories.computed(recipient)
    return recipient


def draft(taxpayer: Taxpayer, on: str = "2025-11-16", period: str = "102025") -> Draft:
    return gstr3b.draft(taxpayer=taxpayer, period=periods.parse(period), at=factories.at(on))


def declare(taxpayer: Taxpayer, row: str, tax: Tax | None, reason: str = "", **options: object) -> Draft:
    return gstr3b.adjust(
        taxpayer=taxpayer,
        period=OCTOBER,
        row=row,
        tax=tax,
        reason=reason,
        actor=None,
        clock=factories.clock("2025-11-16"),
        **options,
    )


def file(taxpayer: Taxpayer, on: str = "2025-11-18", **options: object) -> Filing:
    options.setdefault("actor", None)
    return gstr3b.file(taxpayer=taxpayer, period=OCTOBER, clock=factories.clock(on), **options)


def reviewed(taxpayer: Taxpayer, on: str = "2025-11-16") -> Review:
    at = factories.at(on)
    return review.of(taxpayer=taxpayer, period=OCTOBER, at=at, today=standing.of(taxpayer, at))


def test_4a5_is_net_of_credit_notes_and_nothing_goes_to_4b2(ready: Taxpayer) -> None:
    shown = draft(ready)
    assert shown.derived["t4A5"] == Tax(igst=9000 * RUPEES)
    assert shown.derived["t4B2"] == Tax()
    assert shown.declared["t4C"] == Tax(igst=9000 * RUPEES)


def test_4a5_may_be_negative(recipient: Taxpayer) -> None:
    factories.filed(factories.document(section=Section.CN, number="CN1", tax=9000))
    factories.computed(recipient)
    assert draft(recipient).derived["t4A5"] == Tax(igst=-9000 * RUPEES)


def test_a_declared_row_needs_a_reason_and_keeps_it(ready: Taxpayer) -> None:
    with pytest.raises(Gstr3bRefusedError) as caught:
        declare(ready, "t4A5", Tax(igst=100))
    assert caught.value.refusal is Refusal.REASON_REQUIRED
    shown = declare(ready, "t4A5", Tax(igst=100), "half is personal use")
    assert (shown.declared["t4A5"], shown.derived["t4A5"]) == (Tax(igst=100), Tax(igst=9000 * RUPEES))
    assert shown.reasons == {"t4A5": "half is personal use"}


def test_an_entry_needs_no_reason(ready: Taxpayer) -> None:
    assert declare(ready, "t4B1", Tax(igst=500)).declared["t4B1"] == Tax(igst=500)


def test_a_declared_row_stays_when_2b_is_computed_again(ready: Taxpayer) -> None:
    declare(ready, "t4A5", Tax(igst=100), "why")
    factories.act(Record.objects.get(number="CN1"), "R", on="2025-11-16")
    factories.computed(ready, on="2025-11-16")
    shown = draft(ready)
    assert (shown.declared["t4A5"], shown.derived["t4A5"]) == (Tax(igst=100), Tax(igst=18000 * RUPEES))


def test_a_row_set_back_loses_its_reason_and_follows_derived(ready: Taxpayer) -> None:
    declare(ready, "t4A5", Tax(igst=100), "why")
    shown = declare(ready, "t4A5", None)
    assert shown.declared["t4A5"] == shown.derived["t4A5"]
    assert shown.reasons == {}
    assert not Adjustment.objects.exists()


def test_the_same_request_declares_once(ready: Taxpayer) -> None:
    ravi, key = factories.member(ready, "preparer"), uuid.uuid4()
    body = {"taxpayer": ready, "period": OCTOBER, "row": "t4B1", "actor": ravi, "request_id": key, "reason": ""}
    clock = factories.clock("2025-11-16")
    gstr3b.adjust(**body, tax=Tax(igst=500), clock=clock)
    declare(ready, "t4B1", None)
    again = gstr3b.adjust(**body, tax=Tax(igst=500), clock=clock)
    assert again.declared["t4B1"] == Tax()
    with pytest.raises(once.MismatchError):
        gstr3b.adjust(**body, tax=Tax(igst=700), clock=clock)


@pytest.mark.parametrize(
    ("row", "refusal"),
    [
        ("t3_1_a", Refusal.FIELD_LOCKED),
        ("t3_1_1_i", Refusal.FIELD_LOCKED),
        ("t4C", Refusal.FIELD_NOT_EDITABLE),
    ],
)
def test_some_rows_are_never_typed_over(ready: Taxpayer, row: str, refusal: Refusal) -> None:
    with pytest.raises(Gstr3bRefusedError) as caught:
        declare(ready, row, Tax(igst=1), "why")
    assert caught.value.refusal is refusal


def test_table_3_2_locks_from_november_on(recipient: Taxpayer) -> None:
    assert "t3_2" not in draft(recipient).locked
    assert "t3_2" in draft(recipient, period="112025").locked


def test_the_table_4_switch_locks_what_follows_2b(ready: Taxpayer) -> None:
    RuleSwitch.objects.create(name=gstr3b.TABLE4_LOCK_FROM, from_month=202510)
    assert {"t4A1", "t4A4", "t4A5", "t4D2"} <= set(draft(ready).locked)
    assert not tables.row(draft(ready), "t4A5").is_editable
    assert tables.row(draft(ready), "t4A3").is_editable


def test_a_row_locked_after_it_was_edited_follows_derived(ready: Taxpayer) -> None:
    declare(ready, "t4A5", Tax(igst=10000 * RUPEES), "found another invoice")
    declare(ready, "t4A3", Tax(igst=500 * RUPEES), "unregistered lawyer")
    RuleSwitch.objects.create(name=gstr3b.TABLE4_LOCK_FROM, from_month=202510)
    filing = file(ready)
    assert filing.declared["t4A5"] == filing.derived["t4A5"] == [9000 * RUPEES, 0, 0, 0]
    assert filing.declared["t4A3"] == [500 * RUPEES, 0, 0, 0]
    assert filing.reasons == {"t4A3": "unregistered lawyer"}


@pytest.mark.parametrize("period", ["Q3-2025-26", "Q2-2025-26"])
def test_a_period_of_another_kind_of_filer_is_not_edited(ready: Taxpayer, period: str) -> None:
    with pytest.raises(Gstr3bRefusedError) as refused:
        gstr3b.adjust(
            taxpayer=ready,
            period=periods.parse(period),
            row="t4D1",
            tax=Tax(igst=100),
            reason="",
            actor=None,
            clock=factories.clock("2026-01-16"),
        )
    assert refused.value.refusal is Refusal.WRONG_PERIOD
    assert not Adjustment.objects.exists()


def test_declaring_above_derived_warns_and_does_not_stop(ready: Taxpayer) -> None:
    shown = declare(ready, "t4A5", Tax(igst=10000 * RUPEES), "found another invoice")
    assert shown.warnings == ["t4A5"]
    assert tables.row(shown, "t4A5").warning == "Declared above derived: Integrated tax ₹1,000.00."
    assert shown.refusal is None


def test_every_row_of_the_form_stands_on_a_card_once() -> None:
    names = [name for _anchor, _number, _title, rows, _tile in tables.CARDS for name in rows]
    assert sorted(names) == sorted(tables.wording.ROW_NAMES)


def test_filing_settles_opens_the_next_period_and_charges_the_supplier(ready: Taxpayer) -> None:
    factories.act(Record.objects.get(number="CN1"), "R", on="2025-11-16")
    factories.computed(ready, on="2025-11-16")
    filing = file(ready)
    assert filing.reference.startswith("SBX-")
    assert set(Record.objects.values_list("number", "settled_as")) == {("INV1", "A"), ("CN1", "R")}
    charged = Addback.objects.get()
    assert (charged.supplier.gstin, charged.target_month, charged.tax) == (SUPPLIER, 202511, Tax(igst=9000 * RUPEES))


def test_an_addback_stands_in_the_suppliers_next_period_and_its_break_up(ready: Taxpayer) -> None:
    factories.act(Record.objects.get(number="CN1"), "R", on="2025-11-16")
    factories.computed(ready, on="2025-11-16")
    file(ready)
    supplier = Taxpayer.objects.get(gstin=SUPPLIER)
    own, following = (draft(supplier, on="2025-12-10", period=text) for text in ("102025", "112025"))
    assert own.addback == Tax()
    assert following.derived["t3_1_a"] == Tax(igst=9000 * RUPEES)
    parts = tables.breakup(taxpayer=supplier, period=NOVEMBER, shown=following, name="t3_1_a")
    assert [(line.recipient, line.record.number) for line in parts.addbacks] == [(ready, "CN1")]
    assert parts.addback_tax == Tax(igst=9000 * RUPEES)


@pytest.mark.usefixtures("ready")
def test_the_break_up_of_a_row_adds_up_to_it() -> None:
    supplier = Taxpayer.objects.get(gstin=SUPPLIER)
    shown = draft(supplier)
    parts = tables.breakup(taxpayer=supplier, period=OCTOBER, shown=shown, name="t3_1_a")
    assert sum((line.tax for line in parts.own), Tax()) == shown.derived["t3_1_a"] == Tax(igst=9000 * RUPEES)


@pytest.mark.parametrize(
    ("unmade", "refusal"),
    [
        ("gstr1", Refusal.GSTR1_NOT_FILED),
        ("statement", Refusal.GSTR2B_NOT_AVAILABLE),
        ("fresh", Refusal.RECOMPUTE_REQUIRED),
    ],
)
def test_filing_is_refused_in_the_order_of_the_law(recipient: Taxpayer, unmade: str, refusal: Refusal) -> None:
    note = factories.filed_record(number="INV1")
    if unmade != "gstr1":
        own_gstr1(recipient)
    if unmade == "fresh":
        factories.computed(recipient)
        factories.act(note, "R", on="2025-11-16")
    with pytest.raises(Gstr3bRefusedError) as caught:
        file(recipient)
    assert caught.value.refusal is refusal
    assert not Filing.objects.exists()


def test_filing_what_is_not_shown_any_more_files_nothing(ready: Taxpayer) -> None:
    shown = draft(ready)
    declare(ready, "t4B1", Tax(igst=500))
    with pytest.raises(ChangedSinceShownError) as caught:
        file(ready, shown_digest=shown.digest)
    assert caught.value.shown_now.declared["t4B1"] == Tax(igst=500)
    assert not Filing.objects.exists()
    assert not Record.objects.exclude(settled_month=None).exists()


def test_a_new_version_with_the_same_figures_is_another_digest(ready: Taxpayer) -> None:
    shown = draft(ready)
    invoice = Record.objects.get(number="INV1")
    factories.act(invoice, "A", on="2025-11-16")
    factories.computed(ready, on="2025-11-16")
    now = draft(ready)
    assert now.declared == shown.declared
    assert now.digest != shown.digest


def test_the_same_request_files_once_and_answers_the_same(ready: Taxpayer) -> None:
    asha, key, digest = factories.member(ready), uuid.uuid4(), draft(ready).digest
    first = file(ready, actor=asha, shown_digest=digest, request_id=key)
    assert file(ready, actor=asha, shown_digest=digest, request_id=key) == first
    with pytest.raises(Gstr3bRefusedError) as caught:
        file(ready, actor=asha, shown_digest=digest, request_id=uuid.uuid4())
    assert caught.value.refusal is Refusal.ALREADY_FILED
    assert Filing.objects.count() == 1


def test_a_refused_filing_leaves_its_request_id_unused(ready: Taxpayer) -> None:
    asha, key = factories.member(ready), uuid.uuid4()
    with pytest.raises(ChangedSinceShownError):
        file(ready, actor=asha, shown_digest="0" * 64, request_id=key)
    with pytest.raises(ChangedSinceShownError):
        file(ready, actor=asha, shown_digest="1" * 64, request_id=key)


def test_only_a_signatory_files(ready: Taxpayer) -> None:
    with pytest.raises(access.RightMissingError):
        file(ready, actor=factories.member(ready, "preparer"))
    assert not Filing.objects.exists()


def test_a_filed_return_shows_what_was_filed_whatever_follows(ready: Taxpayer) -> None:
    declare(ready, "t4B1", Tax(igst=500))
    filing = file(ready)
    shown = draft(ready, on="2025-12-30")
    assert shown.filing == filing
    assert shown.declared["t4B1"] == Tax(igst=500)
    assert shown.digest == filing.digest
    with pytest.raises(Gstr3bRefusedError) as caught:
        declare(ready, "t4B1", Tax())
    assert caught.value.refusal is Refusal.ALREADY_FILED


def test_the_review_lists_every_condition_with_its_cure(recipient: Taxpayer) -> None:
    found = reviewed(recipient)
    open_ones = {check.advice.code for check in found.checks if check.advice}
    assert open_ones == {"GSTR1_NOT_FILED", "GSTR2B_NOT_AVAILABLE"}
    assert not found.may_be_filed
    assert all(check.cite for check in found.checks)


def test_the_review_says_what_becomes_final_and_who_pays(ready: Taxpayer) -> None:
    note = Record.objects.get(number="CN1")
    factories.act(note, "R", on="2025-11-16", remark="goods kept")
    factories.computed(ready, on="2025-11-16")
    found = reviewed(ready)
    assert found.may_be_filed
    assert (found.deemed.count, found.deemed.adds, found.deemed.takes) == (1, 18000 * RUPEES, 0)
    assert [line.raises_supplier for line in found.rejections] == [True]
    assert "tax rises by ₹9,000.00" in found.rejections[0].sentence
    assert found.add_back == 9000 * RUPEES


def test_the_review_lists_answers_in_part_and_none(ready: Taxpayer) -> None:
    factories.act(Record.objects.get(number="CN1"), "A", on="2025-11-16", answer="N", remark="reversed in March")
    factories.computed(ready, on="2025-11-16")
    found = reviewed(ready)
    assert [line.record.number for line in found.answered.lines] == ["CN1"]
    assert found.deemed.count == 1


def test_a_limit_is_named_head_by_head(ready: Taxpayer) -> None:
    with_room = declare(ready, "t4D1", Tax(igst=500))
    assert with_room.reclaim_room == Tax(igst=-500)
    advice = review.advice(Refusal.RECLAIM_EXCEEDS_BALANCE, with_room)
    assert advice.text == "4(D)(1) Integrated tax: at most ₹0.00."


def test_the_receipt_names_the_add_backs(ready: Taxpayer) -> None:
    factories.act(Record.objects.get(number="CN1"), "R", on="2025-11-16")
    factories.computed(ready, on="2025-11-16")
    filing = file(ready)
    receipt = tables.receipt(taxpayer=ready, period=OCTOBER)
    assert receipt is not None
    assert "".join(receipt.digest) == filing.digest
    assert [line.record.number for line in receipt.addbacks] == ["CN1"]
    assert receipt.addback_tax == 9000 * RUPEES


def test_a_statement_out_of_date_stops_filing_before_ims_too() -> None:
    owner, september = factories.taxpayer(first=202409), periods.parse("092024")
    outward.file(supplier=owner, form=Form.GSTR1, period=september, actor=None, clock=factories.clock("2024-10-11"))
    factories.computed(owner, period="092024", on="2024-10-14")
    feeds.rule_37a(recipient=owner, period=september, tax=Tax(igst=5400), clock=factories.clock("2024-10-18"))
    with pytest.raises(gstr3b.Gstr3bRefusedError, match="RECOMPUTE_REQUIRED"):
        gstr3b.file(taxpayer=owner, period=september, actor=None, clock=factories.clock("2024-10-19"))
