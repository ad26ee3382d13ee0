"""Interest on late filing, its floor, and the two hints of nearness: DRC-01C and the time limit."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ims_portal.rules import amendments, excess_itc, interest, periods, time_limit
from ims_portal.rules.amendments import Direction
from ims_portal.rules.money import NIL, Tax
from ims_portal.rules.periods import Calendar, Frequency, Return, StateGroup, TaxPeriod

DUE = date(2026, 2, 20)
LAKH = 10_000_000


def owed(net: Tax, balance: Tax = NIL, paid: date = date(2026, 3, 2)) -> Tax:
    return interest.on_late(net=net, cash_balance=balance, due=DUE, paid=paid)


@pytest.mark.parametrize(
    ("paid", "days"), [(date(2026, 2, 20), 0), (date(2026, 2, 1), 0), (date(2026, 2, 21), 1), (date(2026, 3, 2), 10)]
)
def test_days_run_from_the_day_after_the_due_date_to_the_day_of_payment(paid: date, days: int) -> None:
    assert interest.days_late(DUE, paid) == days


def test_a_lakh_paid_ten_days_late_bears_493_rupees_15_paise() -> None:
    assert owed(Tax(igst=LAKH)) == Tax(igst=49_315)


def test_the_cash_balance_bears_no_interest_head_by_head() -> None:
    assert owed(Tax(LAKH, LAKH, LAKH), Tax(0, LAKH // 2, 2 * LAKH)) == Tax(49_315, 24_658, 0)


@given(st.integers(0, 10**13), st.integers(0, 1200))
def test_interest_is_the_nearest_whole_paisa_half_up(net: int, days: int) -> None:
    paid = date.fromordinal(DUE.toordinal() + days)
    found = owed(Tax(cess=net), paid=paid).cess
    exact = net * days * 18
    assert 2 * found * 36_500 - 36_500 <= 2 * exact < 2 * found * 36_500 + 36_500


@pytest.mark.parametrize(("month", "is_refused", "declared"), [(202512, False, 10), (202601, True, 500)])
def test_the_systems_interest_is_a_floor_since_january_2026(month: int, *, is_refused: bool, declared: int) -> None:
    system, entered = Tax(igst=500), Tax(igst=10)
    assert interest.is_too_low(month, system=system, entered=entered) is is_refused
    assert interest.declared(month, system=system, entered=entered) == Tax(igst=declared)


def test_interest_is_raised_at_will_and_never_below_zero() -> None:
    assert not interest.is_too_low(202601, system=Tax(igst=5), entered=Tax(igst=6, cgst=1))
    assert interest.is_too_low(202512, system=NIL, entered=Tax(igst=-1))
    assert interest.declared(202601, system=Tax(igst=5), entered=None) == Tax(igst=5)


def rows(total: int) -> dict[str, Tax]:
    return dict.fromkeys(excess_itc.FROM_GSTR2B, NIL) | {"t4A5": Tax(igst=total)}


@pytest.mark.parametrize(
    ("gstr2b", "declared", "percent"),
    [
        (100 * LAKH, 125 * LAKH + 100, 25),
        (100 * LAKH, 125 * LAKH, None),
        (200 * LAKH, 240 * LAKH, None),
        (200 * LAKH, 240 * LAKH + 1, 20),
        (10 * LAKH, 20 * LAKH, None),
        (100 * LAKH, 60 * LAKH, None),
    ],
)
def test_drc_01c_is_hinted_at_above_both_limits(gstr2b: int, declared: int, percent: int | None) -> None:
    found = excess_itc.hint(202610, derived=rows(gstr2b), declared=rows(declared))
    assert (found.percent if found else None) == percent
    if found:
        assert found.amount == declared - gstr2b


def test_drc_01c_is_hinted_at_where_gstr2b_gives_nothing_and_not_before_rule_88d() -> None:
    found = excess_itc.hint(202610, derived=rows(-LAKH), declared=rows(26 * LAKH))
    assert found is not None
    assert (found.amount, found.percent) == (27 * LAKH, None)
    assert excess_itc.hint(202307, derived=rows(0), declared=rows(26 * LAKH)) is None


@pytest.mark.parametrize(
    ("tax", "taxable", "label"),
    [
        (1, -5, Direction.UPWARD),
        (-1, 5, Direction.DOWNWARD),
        (0, 5, Direction.UPWARD),
        (0, -5, Direction.DOWNWARD),
        (0, 0, Direction.UNCHANGED),
    ],
)
def test_an_amendment_is_labelled_by_total_tax_and_on_a_tie_by_taxable_value(
    tax: int, taxable: int, label: Direction
) -> None:
    assert amendments.direction(202610, tax=tax, taxable=taxable) is label


@pytest.mark.parametrize(
    ("day", "open_month", "years"),
    [
        (date(2026, 10, 31), 202610, []),
        (date(2026, 11, 1), 202610, [2025]),
        (date(2026, 12, 19), 202610, [2025]),
        (date(2026, 12, 21), 202611, []),
        (date(2026, 11, 1), 202509, [2024, 2025]),
        (date(2026, 4, 1), 202603, []),
    ],
)
def test_credit_is_warned_of_from_1_november_while_the_open_period_is_in_time(
    day: date, open_month: int, years: list[int]
) -> None:
    assert list(time_limit.warned_years(day, open_month)) == years


@pytest.mark.parametrize(("frequency", "name"), [(Frequency.MONTHLY, "102026"), (Frequency.QUARTERLY, "Q2-2026-27")])
def test_the_last_period_in_time_is_october_or_the_second_quarter(frequency: Frequency, name: str) -> None:
    assert time_limit.last_period(periods.filer("27", (0, frequency)), 2025).name == name


def test_pmt_06_falls_due_on_the_25th_after_months_1_and_2_of_a_quarter() -> None:
    quarter = TaxPeriod(202612, Frequency.QUARTERLY)
    due = [Calendar().due(Return.PMT06, month, StateGroup.X) for month in quarter.paid_ahead]
    assert due == [date(2026, 11, 25), date(2026, 12, 25)]
    assert TaxPeriod(202610).paid_ahead == []


def test_pmt_06_moves_with_its_extension() -> None:
    month = TaxPeriod(202610)
    extended = Calendar({(Return.PMT06, month, None): date(2026, 11, 28)})
    assert extended.due(Return.PMT06, month, StateGroup.Y) == date(2026, 11, 28)
