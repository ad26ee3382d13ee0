"""Tables 5.1 and 6.1: what a return pays, kept with its filing; interest of a late one in the next."""

from __future__ import annotations

import uuid
from datetime import date

import pytest

from ims_portal import once
from ims_portal.models import DueDateExtension, Taxpayer
from ims_portal.rules import payment as rules
from ims_portal.rules import periods
from ims_portal.rules.documents import Form, Section
from ims_portal.rules.money import NIL, Tax
from invoices import outward
from returns import entries, gstr3b, payment, review
from returns.entries import EntryTooLowError
from returns.gstr3b import ChangedSinceShownError, Draft, Gstr3bRefusedError
from returns.models import Adjustment, Filing
from tests import factories
from tests.factories import RECIPIENT, SUPPLIER

pytestmark = pytest.mark.django_db

LAKH = 10_000_000
INTEREST, CASH_BALANCE = payment.INTEREST, payment.CASH_BALANCE


@pytest.fixture
def owing() -> Taxpayer:
    """Return R with 18,000 of IGST on its own October return, ITC of 9,000 and reverse charge of one lakh."""
    recipient = factories.taxpayer(RECIPIENT, name="Meera Traders")
    factories.filed(
        factories.document(number="INV1", tax=18000), factories.document(section=Section.CN, number="CN1", tax=9000)
    )
    factories.filed(factories.document(number="OUT1", supplier=RECIPIENT, recipient=SUPPLIER), supplier=RECIPIENT)
    factories.computed(recipient)
    declare(recipient, "t3_1_d", Tax(igst=LAKH))
    return recipient


def declare(taxpayer: Taxpayer, row: str, tax: Tax, period: str = "102025", on: str = "2025-11-16") -> None:
    gstr3b.adjust(
        taxpayer=taxpayer,
        period=periods.parse(period),
        row=row,
        tax=tax,
        reason="",
        actor=None,
        clock=factories.clock(on),
    )


def enter(
    taxpayer: Taxpayer, row: str, tax: Tax | None, period: str = "102025", on: str = "2025-11-16", **options: object
) -> None:
    options.setdefault("actor", None)
    entries.enter(
        taxpayer=taxpayer, period=periods.parse(period), row=row, tax=tax, clock=factories.clock(on), **options
    )


def file(taxpayer: Taxpayer, on: str, period: str = "102025", digest: str | None = None) -> Filing:
    return gstr3b.file(
        taxpayer=taxpayer, period=periods.parse(period), actor=None, clock=factories.clock(on), shown_digest=digest
    )


def draft(taxpayer: Taxpayer, period: str = "102025", on: str = "2025-11-16") -> Draft:
    return gstr3b.draft(taxpayer=taxpayer, period=periods.parse(period), at=factories.at(on))


def paid(taxpayer: Taxpayer, period: str = "102025", on: str = "2025-11-16") -> payment.Payment:
    found = draft(taxpayer, period, on).payment
    assert found is not None
    return found


def test_own_itc_pays_output_tax_and_cash_pays_reverse_charge(owing: Taxpayer) -> None:
    done = paid(owing).set_off
    assert done.uses == {("igst", "igst"): 900_000}
    assert (done.cash, done.cash_only_paid) == (Tax(igst=900_000), Tax(igst=LAKH))
    assert done.net == Tax(igst=900_000 + LAKH)


def test_what_a_filing_paid_is_kept_with_it(owing: Taxpayer) -> None:
    enter(owing, CASH_BALANCE, Tax(igst=5))
    before = paid(owing)
    filing = file(owing, "2025-11-18")
    assert payment.read(filing.payment) == before
    assert paid(owing, on="2026-02-01") == before
    assert before.cash_balance == Tax(igst=5)


def test_a_filing_of_before_payments_were_kept_bears_no_interest(owing: Taxpayer) -> None:
    assert payment.read({}) is None
    due, kept = date(2025, 11, 20), payment.stored(paid(owing))
    assert payment.late(202510, kept=kept, due=due, filed_on=date(2025, 11, 28)) is not None
    assert payment.late(202510, kept={}, due=due, filed_on=date(2025, 11, 28)) is None


def test_a_return_filed_ten_days_late_bears_interest_in_the_next(owing: Taxpayer) -> None:
    assert paid(owing, "112025").interest == NIL
    file(owing, "2025-11-30")
    found = paid(owing, "112025", "2025-12-16")
    assert found.late is not None
    assert (found.late.days, found.late.net) == (10, Tax(igst=900_000 + LAKH))
    assert found.interest == Tax(igst=53_753)
    assert found.interest_paid == Tax(igst=53_800)
    assert found.cash == Tax(igst=53_800)


def test_a_return_filed_in_time_bears_none(owing: Taxpayer) -> None:
    file(owing, "2025-11-20")
    assert paid(owing, "112025", "2025-12-16").late is None


def test_an_extension_takes_its_days_from_the_interest(owing: Taxpayer) -> None:
    file(owing, "2025-11-30")
    DueDateExtension.objects.create(
        form="GSTR-3B",
        month=202510,
        frequency="M",
        due="2025-11-29",
        notification="made up",
        known_from=factories.at("2025-12-01"),
        approved_by=factories.user(),
    )
    found = paid(owing, "112025", "2025-12-16").late
    assert found is not None
    assert found.days == 1


def test_the_cash_balance_entered_bears_no_interest(owing: Taxpayer) -> None:
    enter(owing, CASH_BALANCE, Tax(igst=900_000 + LAKH))
    file(owing, "2025-11-30")
    assert paid(owing, "112025", "2025-12-16").interest == NIL


def _late_november(taxpayer: Taxpayer, then: str) -> None:
    """File October in time and November ten days late, with reverse charge of a lakh, so that `then` bears it."""
    for period, on in (("102025", "2025-11-18"), ("112025", "2025-12-30"), ("122025", "2026-01-18")):
        if period == then:
            return
        if period != "102025":
            _ready(taxpayer, period, on)
        file(taxpayer, on, period)


def _ready(taxpayer: Taxpayer, period: str, on: str) -> None:
    outward.file(
        supplier=taxpayer, form=Form.GSTR1, period=periods.parse(period), actor=None, clock=factories.clock(on)
    )
    factories.computed(taxpayer, period=period, on=on)
    declare(taxpayer, "t3_1_d", Tax(igst=LAKH), period, on)


def test_before_january_2026_interest_may_be_lowered(owing: Taxpayer) -> None:
    _late_november(owing, "122025")
    assert paid(owing, "122025", "2026-01-16").interest == Tax(igst=49_315)
    enter(owing, INTEREST, Tax(igst=100), "122025", "2026-01-16")
    assert paid(owing, "122025", "2026-01-16").interest == Tax(igst=100)
    enter(owing, INTEREST, None, "122025", "2026-01-16")
    assert paid(owing, "122025", "2026-01-16").interest == Tax(igst=49_315)


def test_from_january_2026_the_systems_interest_is_a_floor(owing: Taxpayer) -> None:
    _late_november(owing, "122025")
    _ready(owing, "122025", "2026-01-30")
    enter(owing, INTEREST, Tax(igst=5), "012026", "2026-01-16")
    file(owing, "2026-01-30", "122025")
    assert paid(owing, "012026", "2026-02-16").interest == Tax(igst=49_315)
    with pytest.raises(EntryTooLowError) as caught:
        enter(owing, INTEREST, Tax(igst=49_314), "012026", "2026-02-16")
    assert caught.value.least == Tax(igst=49_315)
    enter(owing, INTEREST, Tax(igst=60_000), "012026", "2026-02-16")
    assert paid(owing, "012026", "2026-02-16").interest == Tax(igst=60_000)


@pytest.mark.parametrize("row", payment.ENTRIES)
def test_no_entry_is_below_zero_and_none_is_made_after_filing(owing: Taxpayer, row: str) -> None:
    with pytest.raises(EntryTooLowError):
        enter(owing, row, Tax(sgst=-1))
    file(owing, "2025-11-18")
    with pytest.raises(Gstr3bRefusedError):
        enter(owing, row, Tax(sgst=1))


def test_the_same_request_enters_once(owing: Taxpayer) -> None:
    who = {"actor": factories.member(owing, "preparer"), "request_id": uuid.uuid4()}
    enter(owing, CASH_BALANCE, Tax(igst=5), **who)
    enter(owing, CASH_BALANCE, None)
    enter(owing, CASH_BALANCE, Tax(igst=5), **who)
    assert not Adjustment.objects.filter(row=CASH_BALANCE).exists()
    with pytest.raises(once.MismatchError):
        enter(owing, CASH_BALANCE, Tax(igst=6), **who)


def test_an_entry_is_no_row_and_needs_no_reason(owing: Taxpayer) -> None:
    rows = draft(owing).declared
    enter(owing, CASH_BALANCE, Tax(igst=5))
    shown = draft(owing)
    assert shown.declared == rows
    assert shown.reasons == {"t3_1_d": ""}
    assert [line.number for line in review.moved(review.shown(shown), shown)] == []


def test_an_entry_made_while_one_looked_stops_the_filing(owing: Taxpayer) -> None:
    digest = draft(owing).digest
    enter(owing, CASH_BALANCE, Tax(igst=5))
    with pytest.raises(ChangedSinceShownError):
        file(owing, "2025-11-18", digest=digest)
    assert not Filing.objects.exists()


def test_the_uses_chosen_reach_the_set_off() -> None:
    chosen = payment.wishes({payment.IGST_CREDIT: Tax(cgst=1, sgst=2), payment.OWN_CREDIT: Tax(cgst=3, sgst=4)})
    assert chosen == {("igst", "cgst"): 1, ("igst", "sgst"): 2, ("cgst", "igst"): 3, ("sgst", "igst"): 4}
    rows = {"t3_1_a": Tax(cgst=100, sgst=100), "t4C": Tax(igst=100)}
    done = payment.of(202610, rows, {payment.IGST_CREDIT: Tax(sgst=100)}, None).set_off
    assert done.uses == {("igst", "sgst"): 100}
    assert payment.of(202610, rows, {}, None).set_off.uses == {("igst", "cgst"): 100}
    assert done == rules.set_off(202610, rows, {("igst", "cgst"): 0, ("igst", "sgst"): 100})
