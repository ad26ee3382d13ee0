"""Tax periods, statutory days, filing windows and the GSTR-2B period (R3.4, R7.1, R7.2, R8.12, R10.3).

A month is the integer YYYYMM; a quarter is compared by its last month. Days are Indian calendar days, and a
deadline includes its last day. Extensions come in through `Calendar`: statutory days never change here.
"""

from __future__ import annotations

import calendar as days_of
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from ims_portal.rules.documents import Form
from ims_portal.rules.table import Dated, Table, Unit, always, otherwise, row

APRIL = 4
MONTH = re.compile(r"^(0[1-9]|1[0-2])(20[0-9]{2})\Z")
QUARTER = re.compile(r"^Q([1-4])-(20[0-9]{2})-([0-9]{2})\Z")


class NotAPeriodError(ValueError):
    """A text is no month MMYYYY and no quarter Qn-YYYY-YY."""


class Frequency(StrEnum):
    """How often a taxpayer files: every month, or once a quarter under QRMP."""

    MONTHLY = "M"
    QUARTERLY = "Q"


class Return(StrEnum):
    """What has a due date. GSTR-2B's is its draft day."""

    GSTR1 = "GSTR-1"
    IFF = "IFF"
    GSTR2B = "GSTR-2B"
    GSTR3B = "GSTR-3B"
    PMT06 = "PMT-06"


class StateGroup(StrEnum):
    """The two groups of States whose quarterly GSTR-3B falls due on different days."""

    X = "X"
    Y = "Y"


def add_months(month: int, count: int) -> int:
    """Return the month `count` months after `month`, both YYYYMM; `count` may be negative."""
    index = (month // 100) * 12 + month % 100 - 1 + count
    return (index // 12) * 100 + index % 12 + 1


def month_of(day: date) -> int:
    """Return the month YYYYMM a day lies in."""
    return day.year * 100 + day.month


def day_number(day: date) -> int:
    """Return YYYYMMDD, the number by which rules governed by a day are dated."""
    return day.year * 10000 + day.month * 100 + day.day


def quarter_end(month: int) -> int:
    """Return the last month of the calendar quarter that contains `month`, both YYYYMM."""
    return add_months(month, -(month % 100) % 3)


@dataclass(frozen=True, slots=True, order=True)
class TaxPeriod:
    """A month or a quarter. `month` is its last month YYYYMM, by which periods compare with dates of law."""

    month: int
    frequency: Frequency = field(default=Frequency.MONTHLY, compare=True)

    @property
    def is_quarter(self) -> bool:
        """Whether this is a QRMP quarter."""
        return self.frequency is Frequency.QUARTERLY

    @property
    def length(self) -> int:
        """The number of months in the period."""
        return 3 if self.is_quarter else 1

    @property
    def first_month(self) -> int:
        """The first month, YYYYMM."""
        return add_months(self.month, 1 - self.length)

    @property
    def first_day(self) -> date:
        """The first day of the period."""
        return date(self.first_month // 100, self.first_month % 100, 1)

    @property
    def last_day(self) -> date:
        """The last day of the period."""
        year, number = divmod(self.month, 100)
        return date(year, number, days_of.monthrange(year, number)[1])

    @property
    def wire(self) -> str:
        """The portal's own text, MMYYYY; a quarter is named by its last month (formats 1.1)."""
        return f"{self.month % 100:02d}{self.month // 100}"

    @property
    def name(self) -> str:
        """The text of the worked cases and of people: MMYYYY, or Qn-YYYY-YY for a quarter."""
        if not self.is_quarter:
            return self.wire
        year = financial_year_of(self.month)
        return f"Q{(self.month % 100 - 4) % 12 // 3 + 1}-{year}-{(year + 1) % 100:02d}"

    @property
    def label(self) -> str:
        """What screens print: 10/2026, or Oct-Dec 2026 written as 10-12/2026 for a quarter."""
        year, number = divmod(self.month, 100)
        return f"{self.first_month % 100:02d}-{number:02d}/{year}" if self.is_quarter else f"{number:02d}/{year}"

    @property
    def paid_ahead(self) -> list[TaxPeriod]:
        """The months whose tax falls due by PMT-06 before the return: 1 and 2 of a QRMP quarter (R8.12)."""
        return [TaxPeriod(add_months(self.month, back)) for back in (-2, -1)] if self.is_quarter else []

    def contains(self, month: int) -> bool:
        """Whether a month YYYYMM lies in the period."""
        return self.first_month <= month <= self.month


def financial_year_of(month: int) -> int:
    """Return the year in which the financial year (April to March) of a month YYYYMM starts (R10.3)."""
    return month // 100 - (month % 100 < APRIL)


def parse(text: str) -> TaxPeriod:
    """Return the period for MMYYYY or Qn-YYYY-YY; anything else raises NotAPeriodError."""
    if found := MONTH.match(text):
        return TaxPeriod(int(found[2]) * 100 + int(found[1]))
    found = QUARTER.match(text)
    if found and int(found[3]) == (int(found[2]) + 1) % 100:
        return TaxPeriod(add_months(int(found[2]) * 100 + 4, int(found[1]) * 3 - 1), Frequency.QUARTERLY)
    raise NotAPeriodError(f"{text!r} is not a period. Write a month as MMYYYY (102026) or a quarter as Q3-2026-27.")


DUE_DAYS: Dated[int] = always(
    "day of the month after the period on which a return falls due",
    governed_by="the tax period of the return",
    facts={"form": tuple(Return), "frequency": tuple(Frequency), "group": tuple(StateGroup)},
    rows=(
        row(11, form=Return.GSTR1, frequency=Frequency.MONTHLY, cite="R8.12; Rule 59(1), Notif. 83/2020-CT"),
        row(13, form=Return.GSTR1, cite="R8.12; Notif. 83/2020-CT, quarterly filers"),
        row(13, form=Return.IFF, cite="R8.12; Rule 59(2)"),
        row(14, form=Return.GSTR2B, cite="R7.1; Rule 60(7)"),
        row(25, form=Return.PMT06, cite="R8.12; Rule 61(3): months 1 and 2 of a quarter, quarterly filers"),
        row(20, frequency=Frequency.MONTHLY, cite="R8.12; Rule 61(1)"),
        row(22, group=StateGroup.X, cite="R8.12; Notif. 76/2020-CT, first group of States"),
        otherwise(24, cite="R8.12; Notif. 76/2020-CT, second group of States"),
    ),
)

STATE_GROUPS: Table[StateGroup] = Table(
    name="group of States for the due day of the quarterly GSTR-3B",
    facts={"state": tuple(f"{code:02d}" for code in range(1, 100))},
    rows=(
        row(StateGroup.X, state=tuple(f"{code:02d}" for code in range(22, 38)), cite="R8.12; Notif. 76/2020-CT"),
        otherwise(StateGroup.Y, cite="R8.12; Notif. 76/2020-CT; code 97 is our reading"),
    ),
)

SUBSEQUENT_MONTH_FORMS = frozenset({Form.GSTR1A})

AMENDS_OWN_PERIOD_ONLY: Dated[bool] = always(
    "may a form amend only what its own period's return reported",
    governed_by="the tax period of the form",
    facts={"form": tuple(Form)},
    rows=(
        row(True, form=Form.GSTR1A, cite="R6.5: GSTR-1A amends this period's GSTR-1, quarterly with its IFF"),
        otherwise(False, cite="R2.4: the amendment tables of a later return"),
    ),
)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Due dates: the statutory day, or the extension in force. Pure; `ims_portal.calendar` loads the extensions.

    `extensions` maps (return, period, group or None for every State) to the extended day.
    """

    extensions: Mapping[tuple[Return, TaxPeriod, StateGroup | None], date] = field(default_factory=dict)

    def due(self, form: Return, period: TaxPeriod, group: StateGroup) -> date:
        """Return the last day for a return of a period, for a filer in a group of States."""
        for key in ((form, period, group), (form, period, None)):
            if key in self.extensions:
                return self.extensions[key]
        return statutory_due(form, period, group)


def statutory_due(form: Return, period: TaxPeriod, group: StateGroup) -> date:
    """Return the statutory day of a return, before any extension (R8.12)."""
    day = DUE_DAYS.decide(period.month, form=form, frequency=period.frequency, group=group).outcome
    following = add_months(period.month, 1)
    return date(following // 100, following % 100, day)


def paid_ahead(period: TaxPeriod, group: StateGroup, calendar: Calendar) -> list[tuple[TaxPeriod, date]]:
    """Return the months of a quarter paid by PMT-06 before its return, each with its due day (R8.12)."""
    return [(month, calendar.due(Return.PMT06, month, group)) for month in period.paid_ahead]


@dataclass(frozen=True, slots=True)
class Filer:
    """A taxpayer as the calendar sees it: its State group, and its filing frequency from given months on.

    `changes` is (first month YYYYMM, frequency) in order of month; the first entry holds before its month too.
    """

    group: StateGroup
    changes: tuple[tuple[int, Frequency], ...]

    def frequency(self, month: int) -> Frequency:
        """Return the filing frequency in a month YYYYMM."""
        current = self.changes[0][1]
        for start, frequency in self.changes:
            if start <= month:
                current = frequency
        return current

    def period(self, month: int) -> TaxPeriod:
        """Return the filer's own period that contains a month YYYYMM."""
        frequency = self.frequency(month)
        return TaxPeriod(quarter_end(month) if frequency is Frequency.QUARTERLY else month, frequency)

    def following(self, period: TaxPeriod) -> TaxPeriod:
        """Return the filer's own period after `period`."""
        return self.period(add_months(period.month, 1))

    def previous(self, period: TaxPeriod) -> TaxPeriod:
        """Return the filer's own period before `period`."""
        return self.period(add_months(period.first_month, -1))

    def owns(self, period: TaxPeriod) -> bool:
        """Whether `period` is one of the filer's own return periods."""
        return self.period(period.month) == period

    def is_return_of(self, form: Form, period: TaxPeriod) -> bool:
        """Whether this filer has such a form for such a period: IFF only in months 1 and 2 of a QRMP quarter."""
        if form is Form.IFF:
            is_month = not period.is_quarter
            return (
                is_month
                and self.frequency(period.month) is Frequency.QUARTERLY
                and quarter_end(period.month) != period.month
            )
        if form is Form.GSTR6:
            return not period.is_quarter
        return self.owns(period)


def filer(state: str, *changes: tuple[int, Frequency]) -> Filer:
    """Return the filer of a State code with frequency changes; without any it files monthly."""
    group = STATE_GROUPS.decide(state=state).outcome
    return Filer(group=group, changes=tuple(changes) or ((0, Frequency.MONTHLY),))


def window(form: Form, filer: Filer, day: date, calendar: Calendar) -> int:
    """Return the month YYYYMM in whose filing window a day lies, for the filer's form (R7.2; Rule 60(7)).

    A monthly GSTR-1 filed after the due day of m-1 and up to that of m belongs to m; so does an IFF or quarterly
    GSTR-1 by the thirteenths. Bills of entry belong to the month of their ICEGATE reference date.
    """
    if form in (Form.CUSTOMS, Form.RULE_37A):
        return month_of(day)
    month = add_months(month_of(day), -13)
    while window_end(form, filer, month, calendar) < day:
        month = add_months(month, 1)
    return month


def window_end(form: Form, filer: Filer, month: int, calendar: Calendar) -> date:
    """Return the last day of the filing window that belongs to a month YYYYMM (R7.2)."""
    period = filer.period(month)
    if form is not Form.GSTR6 and not period.is_quarter:
        return calendar.due(Return.GSTR1, period, filer.group)
    quarter = TaxPeriod(quarter_end(month), Frequency.QUARTERLY)
    if month == quarter.month:
        return calendar.due(Return.GSTR1, quarter, filer.group)
    return calendar.due(Return.IFF, TaxPeriod(month), filer.group)


def earliest_month(form: Form, period: TaxPeriod) -> int:
    """Return the first month YYYYMM a form's documents can count in: its own, for GSTR-1A the one after (R7.2)."""
    return add_months(period.month, 1) if form in SUBSEQUENT_MONTH_FORMS else period.month


def gstr2b_month(form: Form, filer: Filer, period: TaxPeriod, day: date, calendar: Calendar) -> int:
    """Return the month YYYYMM a form filed (or, while saved, imagined filed) on `day` counts in (R7.2).

    The recipient's GSTR-2B period is the one of its own periods that contains this month.
    """
    return max(window(form, filer, day, calendar), earliest_month(form, period))


def addback_period(supplier: Filer, own_month: int, open_month: int) -> TaxPeriod:
    """Return the supplier's period a fixed add-back lands in: its first unfiled one after the record's own (R6.4).

    `own_month` is the supplier's GSTR-3B month of the record's return, `open_month` its first unfiled one.
    """
    after = supplier.following(supplier.period(own_month))
    return max(after, supplier.period(open_month), key=lambda period: period.month)


def pending_until(recipient: Filer, gstr2b_period: TaxPeriod, calendar: Calendar) -> date:
    """Return the last day a specified record may be pending: the due day of the next period's 3B (R3.4)."""
    return calendar.due(Return.GSTR3B, recipient.following(gstr2b_period), recipient.group)


@dataclass(frozen=True, slots=True)
class Lapsed:
    """The GSTR-2B periods (last months, YYYYMM) whose Pending has lapsed: all up to `upto` but those `still_open`.

    A month stays open where the due day it waits for was extended beyond that of a later one.
    """

    upto: int
    still_open: tuple[int, ...] = ()

    def holds(self, month: int) -> bool:
        """Whether Pending of a GSTR-2B month has lapsed."""
        return month <= self.upto and month not in self.still_open

    def sql(self, month: str) -> str:
        """Return `holds` as SQL over `month`."""
        but = "".join(f" AND {month} <> {kept:d}" for kept in self.still_open)
        return f"({month} <= {self.upto:d}{but})"


def lapsed(recipient: Filer, day: date, calendar: Calendar) -> Lapsed:
    """Return the GSTR-2B periods whose Pending has lapsed by `day` (R3.5).

    Specified records of these periods read as No action.
    """
    period = recipient.period(month_of(day))
    while pending_until(recipient, period, calendar) >= day:
        period = recipient.previous(period)
    waited_for = {due for form, due, _group in calendar.extensions if form is Return.GSTR3B and recipient.owns(due)}
    earlier = {recipient.previous(due) for due in waited_for}
    kept = [p.month for p in earlier if p.month < period.month and pending_until(recipient, p, calendar) >= day]
    return Lapsed(period.month, tuple(sorted(kept)))


def may_open(form: Form, filer: Filer, period: TaxPeriod, day: date, calendar: Calendar) -> bool:
    """Whether a form may be filed on `day` as far as the calendar goes: after its period; IFF in its days (R8.12)."""
    if form is Form.IFF:
        return period.last_day < day <= calendar.due(Return.IFF, period, filer.group)
    return day > period.last_day


def has_closed(form: Form, filer: Filer, period: TaxPeriod, day: date, calendar: Calendar) -> bool:
    """Whether a form takes nothing any more because its days are over: IFF alone has such days (R8.12)."""
    return form is Form.IFF and day > calendar.due(Return.IFF, period, filer.group)


THREE_YEAR_BAR: Dated[bool] = Dated(
    name="a return more than three years past due cannot be filed",
    governed_by="the day of filing",
    unit=Unit.DAY,
    versions={
        0: Table(
            "no bar",
            {"older_than_three_years": (False, True)},
            (otherwise(False, cite="before advisory 606 of 7-Jun-2025"),),
        ),
        20250701: Table(
            "three-year bar",
            {"older_than_three_years": (False, True)},
            (
                row(True, older_than_three_years=True, cite="R8.13; Finance Act 2023, advisory of Jun-2025"),
                otherwise(False, cite="R8.13"),
            ),
        ),
    },
)


def is_time_barred(due: date, day: date) -> bool:
    """Whether a return due on `due` can no longer be filed on `day` (R8.13)."""
    years_later = due.replace(year=due.year + 3) if (due.month, due.day) != (2, 29) else date(due.year + 3, 3, 1)
    return THREE_YEAR_BAR.decide(day_number(day), older_than_three_years=day > years_later).outcome


def draft_day(filer: Filer, period: TaxPeriod, calendar: Calendar) -> date:
    """Return the day from which a GSTR-2B may be made (R7.1)."""
    return calendar.due(Return.GSTR2B, period, filer.group)
