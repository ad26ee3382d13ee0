"""What a notification may extend: a due day that exists, to a later one that is still to come (R8.12)."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from ims_portal.rules.periods import (
    Calendar,
    Return,
    StateGroup,
    TaxPeriod,
    add_months,
    quarter_end,
    statutory_due,
)

BY_MONTH_OF_A_QUARTER = frozenset({Return.IFF, Return.PMT06})
"""Forms that quarterly filers alone have, for months 1 and 2 of a quarter."""


class Barred(StrEnum):
    """Why a due day cannot be moved to another."""

    NO_SUCH_RETURN = "no such return"
    NOT_LATER = "not later than the day in force"
    OVER = "the new day is over"
    TOO_LATE = "later than a year"
    APART = "a group of States has an extension of its own"


def has_due_day(form: Return, period: TaxPeriod) -> bool:
    """Whether anybody has such a return for such a period (R8.12)."""
    ends_quarter = quarter_end(period.month) == period.month
    if form in BY_MONTH_OF_A_QUARTER:
        return not period.is_quarter and not ends_quarter
    return ends_quarter or not period.is_quarter


def latest_day(form: Return, period: TaxPeriod, group: StateGroup) -> date:
    """Return the last day a due day may be moved to: a year after the statutory one.

    Our reading. None was ever moved further, and `periods.window` looks back thirteen months, no more.
    """
    day = statutory_due(form, period, group)
    return day.replace(year=day.year + 1)


def groups(group: StateGroup | None) -> tuple[StateGroup, ...]:
    """Return the groups of States an extension is for; None is every State."""
    return (group,) if group else tuple(StateGroup)


def with_extension(
    calendar: Calendar, form: Return, period: TaxPeriod, group: StateGroup | None, due: date
) -> Calendar:
    """Return a calendar as it would be with one extension more."""
    return Calendar({**calendar.extensions, (form, period, group): due})


def days_in_force(calendar: Calendar, form: Return, period: TaxPeriod, group: StateGroup | None) -> list[date]:
    """Return the due days of a return for those an extension is for: one, or two where groups of States differ."""
    return sorted({calendar.due(form, period, one) for one in groups(group)})


def barred(
    form: Return, period: TaxPeriod, group: StateGroup | None, due: date, *, today: date, calendar: Calendar
) -> Barred | None:
    """Return why an extension is not possible on an Indian day under the calendar in force then, None where it is."""
    if not has_due_day(form, period):
        return Barred.NO_SUCH_RETURN
    if due <= days_in_force(calendar, form, period, group)[-1]:
        return Barred.NOT_LATER
    if due < today:
        return Barred.OVER
    if any(due > latest_day(form, period, one) for one in groups(group)):
        return Barred.TOO_LATE
    after = with_extension(calendar, form, period, group, due)
    # What one group was given stands before what every State is given.
    return Barred.APART if any(after.due(form, period, one) != due for one in groups(group)) else None


def waiting_month(form: Return, period: TaxPeriod) -> int | None:
    """Return the GSTR-2B month (YYYYMM) whose Pending waits for a return's due day (R3.4), None where none does.

    The period before ends in the month before, whether it was filed by the month or by the quarter.
    """
    return add_months(period.first_month, -1) if form is Return.GSTR3B else None
