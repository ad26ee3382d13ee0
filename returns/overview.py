"""The periods of a GSTIN with where each of its returns stands, one financial year at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ims_portal.models import Taxpayer
from ims_portal.rules import periods
from ims_portal.rules.documents import Form
from ims_portal.rules.periods import Return, TaxPeriod
from invoices.models import Inbox, SupplierReturn
from invoices.standing import Standing
from returns import gstr2b
from returns.models import Filing, Gstr2b


@dataclass(frozen=True, slots=True)
class PeriodLine:
    """One period: days, and what is filed, computed, open."""

    period: TaxPeriod
    gstr1_due: date
    gstr1_filed_on: date | None
    draft_on: date
    statement: Gstr2b | None
    is_stale: bool
    may_be_computed: bool
    gstr3b_due: date
    paid_ahead: list[tuple[TaxPeriod, date]]
    filing: Filing | None
    is_open: bool
    day: date

    @property
    def gstr1_is_late(self) -> bool:
        """Whether GSTR-1 is past its day and not filed."""
        return self.gstr1_filed_on is None and self.day > self.gstr1_due

    @property
    def gstr3b_is_late(self) -> bool:
        """Whether GSTR-3B is past its day and not filed."""
        return self.filing is None and self.day > self.gstr3b_due


@dataclass(frozen=True, slots=True)
class Overview:
    """The periods of one financial year, the newest first; the years there are; the oldest period that is open."""

    year: int
    years: list[tuple[int, str]]
    lines: list[PeriodLine]
    open_period: TaxPeriod


def of(*, taxpayer: Taxpayer, today: Standing, year: int | None = None) -> Overview:
    """Return a taxpayer's periods of a financial year, the present one unless named: four queries, one for a lapse."""
    inbox = Inbox.objects.filter(pk=taxpayer.pk).first() or Inbox(taxpayer=taxpayer, open_month=taxpayer.first_month)
    this_month = periods.month_of(today.day)
    first, last = (periods.financial_year_of(month) for month in (taxpayer.first_month, this_month))
    years = list(range(last, first - 1, -1)) or [last]
    chosen = year if year in years else last
    own = _periods(taxpayer, today, chosen, this_month)
    months = [period.month for period in own]
    forms = SupplierReturn.objects.filter(supplier=taxpayer, form=Form.GSTR1.value, month__in=months)
    filed = {month: day for month, day in forms.values_list("month", "filed_on") if day is not None}
    made = Gstr2b.objects.filter(recipient=taxpayer, month__in=months).defer("sums").order_by("month", "-version")
    statements = {statement.month: statement for statement in made.distinct("month")}
    filings = {filing.month: filing for filing in Filing.objects.filter(taxpayer=taxpayer, month__in=months)}
    lines = [_line(period, today, inbox, filed, statements, filings) for period in own]
    return Overview(
        chosen,
        [(start, f"{start}-{(start + 1) % 100:02d}") for start in years],
        lines,
        today.filer.period(inbox.open_month),
    )


def _periods(taxpayer: Taxpayer, today: Standing, year: int, this_month: int) -> list[TaxPeriod]:
    """Return the taxpayer's own periods of a financial year that have begun, the newest first."""
    found: dict[int, TaxPeriod] = {}
    month = max(year * 100 + 4, taxpayer.first_month)
    while month <= min((year + 1) * 100 + 3, this_month):
        period = today.filer.period(month)
        found[period.month] = period
        month = periods.add_months(month, 1)
    return sorted(found.values(), reverse=True)


def _line(
    period: TaxPeriod,
    today: Standing,
    inbox: Inbox,
    filed: dict[int, date],
    statements: dict[int, Gstr2b],
    filings: dict[int, Filing],
) -> PeriodLine:
    group, due = today.filer.group, today.calendar.due
    statement = statements.get(period.month)
    is_open = period.month == inbox.open_month
    draft_on = periods.draft_day(today.filer, period, today.calendar)
    return PeriodLine(
        period=period,
        gstr1_due=due(Return.GSTR1, period, group),
        gstr1_filed_on=filed.get(period.month),
        draft_on=draft_on,
        statement=statement,
        is_stale=bool(statement and is_open and gstr2b.is_out_of_date(statement, inbox=inbox, today=today)),
        may_be_computed=is_open and today.day >= draft_on,
        gstr3b_due=due(Return.GSTR3B, period, group),
        paid_ahead=periods.paid_ahead(period, group, today.calendar),
        filing=filings.get(period.month),
        is_open=is_open,
        day=today.day,
    )
