"""What this room says in the deadline inbox: the draft of GSTR-2B or its recomputation, GSTR-3B and its payments."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ims_portal.access import Access
from ims_portal.agenda import Item, Told
from ims_portal.rules import periods
from ims_portal.rules.periods import Return, TaxPeriod
from ims_portal.templatetags import ims as show
from invoices import standing
from invoices.standing import Standing
from returns import behind, summary
from returns.summary import Page


def room(held: Access, at: datetime) -> Told:
    """Return the days of the open period's statement and return; no query beside those of their tiles and banner."""
    if held.taxpayer.is_isd:
        return Told()
    today, page = standing.for_page(held, at), summary.open_page(held, at)
    return Told(
        [*_gstr2b(held, page, today, at), *_gstr3b(held, page.period, today), *_paid_ahead(held, page.period, today)]
    )


def _gstr2b(held: Access, page: Page, today: Standing, at: datetime) -> Iterator[Item]:
    """Yield the draft day to come, or the statement that is missing or out of date (R7.1, R7.11)."""
    names = {"period": page.period.label}
    url = reverse("returns:gstr2b", args=[held.taxpayer.gstin, page.period.wire])
    due = today.calendar.due(Return.GSTR3B, page.period, today.filer.group)
    drafted_on = periods.draft_day(today.filer, page.period, today.calendar)
    if page.current is None and today.day < drafted_on:
        yield Item(
            key=f"gstr2b:{page.period.month}",
            short=_("GSTR-2B"),
            title=_("GSTR-2B of %(period)s is drafted") % names,
            if_nothing=_("Records without action count as accepted in it. You can change that until GSTR-3B is filed."),
            on=drafted_on,
            url=reverse("invoices:inward", args=[held.taxpayer.gstin]),
            do=_("View"),
        )
    elif page.current is None:
        yield Item(
            key=f"compute:{page.period.month}",
            short=_("Compute"),
            title=_("GSTR-2B of %(period)s is not computed") % names,
            if_nothing=_("Without it GSTR-3B of %(period)s cannot be filed.") % names,
            on=due,
            url=url,
            do=_("Compute"),
        )
    elif page.is_stale:
        lacks = behind.for_page(held, at)
        yield Item(
            key=f"compute:{page.period.month}",
            short=_("Compute"),
            title=_("GSTR-2B of %(period)s is out of date") % names,
            if_nothing=_("GSTR-3B of %(period)s cannot be filed until it is computed again.") % names,
            on=due,
            url=url,
            do=_("Compute"),
            count=lacks.count or None if lacks and not lacks.has_many else None,
            tax=lacks.gain - lacks.loss or None if lacks else None,
        )


def _gstr3b(held: Access, period: TaxPeriod, today: Standing) -> Iterator[Item]:
    """Yield the GSTR-3B of the open period; of later ones that are overdue too only how many (R7.4, R8.12)."""
    overdue = [due for _one, due in summary.unfiled(period, today.filer.period(periods.month_of(today.day)), today)]
    later = sum(1 for due in overdue[1:] if due < today.day)
    due = today.calendar.due(Return.GSTR3B, period, today.filer.group)
    names = {"period": period.label, "count": later, "day": show.day(due + timedelta(days=1))}
    if later:
        title = ngettext(
            "GSTR-3B of %(period)s and of %(count)s later period are due",
            "GSTR-3B of %(period)s and of %(count)s later periods are due",
            later,
        )
    else:
        title = _("GSTR-3B of %(period)s is due")
    yield Item(
        key=f"gstr3b:{period.month}",
        short=_("GSTR-3B"),
        title=title % names,
        if_nothing=_("From %(day)s it is late: interest runs on unpaid tax, and GSTR-2B of later periods waits for it.")
        % names,
        on=due,
        url=reverse("returns:gstr3b-review", args=[held.taxpayer.gstin, period.wire]),
        do=_("Review"),
        closes_period=True,
    )


def _paid_ahead(held: Access, period: TaxPeriod, today: Standing) -> Iterator[Item]:
    """Yield the payments of a quarter to come, before its return (R8.12)."""
    for month, due in periods.paid_ahead(period, today.filer.group, today.calendar):
        if due >= today.day:
            yield Item(
                key=f"pmt06:{month.month}",
                short=_("PMT-06"),
                title=_("PMT-06 of %(month)s is due") % {"month": month.label},
                if_nothing=_("From %(day)s interest runs on the tax of this month.")
                % {"day": show.day(due + timedelta(days=1))},
                on=due,
                url=reverse("returns:gstr3b", args=[held.taxpayer.gstin, period.wire]),
                do=_("View"),
            )
