"""What may be extended: a due day that exists, to a later one still to come, by a year at most (R8.12)."""

from __future__ import annotations

from datetime import date

import pytest

from ims_portal.rules import extensions, periods
from ims_portal.rules.extensions import Barred
from ims_portal.rules.periods import Calendar, Return, StateGroup, TaxPeriod

NOVEMBER = periods.parse("112026")
QUARTER = periods.parse("Q3-2026-27")
TODAY = date(2026, 12, 1)


@pytest.mark.parametrize(
    ("form", "period", "has"),
    [
        (Return.GSTR3B, "112026", True),
        (Return.GSTR1, "Q3-2026-27", True),
        (Return.IFF, "112026", True),
        (Return.IFF, "122026", False),
        (Return.IFF, "Q3-2026-27", False),
        (Return.PMT06, "102026", True),
        (Return.PMT06, "122026", False),
    ],
)
def test_iff_and_pmt06_are_of_the_first_two_months_of_a_quarter(form: Return, period: str, *, has: bool) -> None:
    assert extensions.has_due_day(form, periods.parse(period)) is has


def test_a_quarter_is_named_by_its_last_month() -> None:
    assert not extensions.has_due_day(Return.GSTR3B, TaxPeriod(202611, periods.Frequency.QUARTERLY))


@pytest.mark.parametrize(
    ("due", "today", "why"),
    [
        (date(2026, 12, 20), TODAY, Barred.NOT_LATER),
        (date(2026, 12, 21), TODAY, None),
        (date(2026, 12, 27), date(2026, 12, 27), None),
        (date(2026, 12, 27), date(2026, 12, 28), Barred.OVER),
        (date(2027, 12, 20), TODAY, None),
        (date(2027, 12, 21), TODAY, Barred.TOO_LATE),
    ],
)
def test_the_new_day_is_later_still_to_come_and_within_a_year(due: date, today: date, why: Barred | None) -> None:
    assert extensions.barred(Return.GSTR3B, NOVEMBER, None, due, today=today, calendar=Calendar()) is why


def test_for_every_state_it_is_later_than_the_latest_group_s_day() -> None:
    def why(due: date, group: StateGroup | None = None) -> Barred | None:
        return extensions.barred(Return.GSTR3B, QUARTER, group, due, today=TODAY, calendar=Calendar())

    assert why(date(2027, 1, 23)) is Barred.NOT_LATER
    assert why(date(2027, 1, 23), StateGroup.X) is None
    assert why(date(2027, 1, 25)) is None


def test_a_group_with_an_extension_of_its_own_is_not_moved_with_every_state() -> None:
    own = Calendar({(Return.GSTR3B, QUARTER, StateGroup.X): date(2027, 1, 27)})
    due = date(2027, 1, 31)
    assert extensions.barred(Return.GSTR3B, QUARTER, None, due, today=TODAY, calendar=own) is Barred.APART
    assert extensions.barred(Return.GSTR3B, QUARTER, StateGroup.X, due, today=TODAY, calendar=own) is None


def test_the_pending_of_the_month_before_waits_for_gstr_3b_alone() -> None:
    assert extensions.waiting_month(Return.GSTR3B, NOVEMBER) == 202610
    assert extensions.waiting_month(Return.GSTR3B, QUARTER) == 202609
    assert extensions.waiting_month(Return.GSTR1, NOVEMBER) is None
