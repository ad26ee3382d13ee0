"""The tax periods as the administrator's desk shows them: their days, how far all GSTINs are, no row of any of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Count, QuerySet

from ims_portal import calendar, clock
from ims_portal.rules import periods
from ims_portal.rules.documents import Form
from ims_portal.rules.periods import Calendar, Frequency, Return, StateGroup, TaxPeriod
from invoices.models import Inbox, SupplierReturn
from returns.models import Filing, Gstr2b

BEFORE, AFTER = 8, 1
"""Months shown before today's, and after."""


@dataclass(frozen=True, slots=True)
class Due:
    """A return of a month or a quarter: its days in force, or one for each group of States; whether any is extended."""

    form: Return
    is_of_quarter: bool
    days: Sequence[date]
    is_extended: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A period, its returns, and how many GSTINs have it open, filed its GSTR-1 and GSTR-3B, and have its GSTR-2B."""

    period: TaxPeriod
    due: Sequence[Due]
    open: int
    filed_gstr1: int
    computed: int
    filed_gstr3b: int


def lines(at: datetime) -> list[Line]:
    """Return the months around a moment and the quarters that end in them, the newest first: five queries."""
    in_force, today = calendar.in_force(at), periods.month_of(clock.day(at))
    first, last = periods.add_months(today, -BEFORE), periods.add_months(today, AFTER)
    months = [periods.add_months(last, -back) for back in range(BEFORE + AFTER + 1)]
    between = {"month__gte": first, "month__lte": last}
    opened = _counts(Inbox.objects.filter(open_month__gte=first), "open_month")
    gstr1 = SupplierReturn.objects.filter(**between, form=Form.GSTR1.value, filed_on__isnull=False)
    filed1 = _counts(gstr1)
    computed = _counts(Gstr2b.objects.filter(**between, version=1))
    filed3 = _counts(Filing.objects.filter(**between))
    return [
        Line(
            TaxPeriod(month),
            _due(month, in_force),
            opened.get(month, 0),
            filed1.get(month, 0),
            computed.get(month, 0),
            filed3.get(month, 0),
        )
        for month in months
    ]


def _counts(rows: QuerySet[Any], month: str = "month") -> dict[int, int]:
    """Return month -> how many rows: one query."""
    return dict(rows.order_by().values_list(month).annotate(count=Count("pk")))


def _due(month: int, in_force: Calendar) -> list[Due]:
    """Return what falls due for a month, and for the quarter that ends in it."""
    monthly = TaxPeriod(month)
    found = [_days(form, monthly, in_force) for form in (Return.GSTR1, Return.GSTR2B, Return.GSTR3B)]
    if periods.quarter_end(month) == month:
        quarter = TaxPeriod(month, Frequency.QUARTERLY)
        return found + [_days(form, quarter, in_force) for form in (Return.GSTR1, Return.GSTR3B)]
    return found + [_days(form, monthly, in_force) for form in (Return.IFF, Return.PMT06)]


def _days(form: Return, period: TaxPeriod, in_force: Calendar) -> Due:
    now = {in_force.due(form, period, group) for group in StateGroup}
    before = {periods.statutory_due(form, period, group) for group in StateGroup}
    return Due(form, period.is_quarter, sorted(now), now != before)
