"""What this room says in the deadline inbox: records to decide on by a day, and records suppliers have yet to file."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ims_portal import charts
from ims_portal.access import Access
from ims_portal.agenda import Item, Told
from ims_portal.charts import Bar, Figure, Kind, Row
from ims_portal.rules import actions, periods, time_limit
from ims_portal.rules.actions import Action
from ims_portal.rules.documents import Form
from ims_portal.rules.periods import Return, TaxPeriod
from ims_portal.templatetags import ims as show
from invoices import deadlines_sql, standing, tiles
from invoices.deadlines_sql import Waiting
from invoices.filters import Filters
from invoices.inbox_sql import Sum
from invoices.standing import MONTHLY, QUARTERLY, Standing

ASKED_AHEAD = timedelta(days=10)
"""How long before the day on which suppliers file, saved records are told of."""
AGES = (30, 60, 90)
"""Ages of Pending, in days, as the chart groups them; the last group is older."""


def room(held: Access, at: datetime) -> Told:
    """Return everything of this room that has a day: one query beside those of its tiles."""
    today = standing.for_page(held, at)
    open_now = today.filer.period(standing.inbox(held, at).open_month)
    found = deadlines_sql.waiting(held.taxpayer.pk, today, open_now.month) if today.has_ims else []
    items = [item for line in found if (item := _of(held, line, today, open_now)) is not None]
    items += _own_return(held, today, at)
    return Told(items, [_not_checked()] if today.has_ims else [])


def _of(held: Access, line: Waiting, today: Standing, open_now: TaxPeriod) -> Item | None:
    if line.why == "L":
        return _near_limit(held, line, today)
    period = TaxPeriod(line.month, today.filer.frequency(line.month))
    if line.why == "S":
        return _only_saved(held, line, period, today)
    return _lapses(held, line, period, today) if line.why == "P" else _untouched(held, line, period, today, open_now)


def _untouched(held: Access, line: Waiting, period: TaxPeriod, today: Standing, open_now: TaxPeriod) -> Item:
    """Return No-action records that reduce ITC: the GSTR-3B that settles them makes the full reduction final (R4.8)."""
    settles = max(period, open_now, key=lambda one: one.month)
    title = ngettext(
        "%(count)s record of GSTR-2B %(period)s that reduces your ITC has no action",
        "%(count)s records of GSTR-2B %(period)s that reduce your ITC have no action",
        line.count,
    )
    return Item(
        key=f"reduces:{line.month}",
        short=_("No action"),
        title=title % _names(line, period),
        if_nothing=_("If you do nothing, they are accepted and your ITC of %(period)s is reduced in full.")
        % {"period": settles.label},
        on=today.calendar.due(Return.GSTR3B, settles, today.filer.group),
        url=_undecided(held, Action.NONE, period),
        do=_("Decide"),
        count=line.count,
        tax=line.stake,
    )


def _lapses(held: Access, line: Waiting, period: TaxPeriod, today: Standing) -> Item:
    """Return Pending with its last day: from the day after it reads as No action (R3.4, R3.5)."""
    title = ngettext(
        "Pending of %(count)s record of GSTR-2B %(period)s lapses",
        "Pending of %(count)s records of GSTR-2B %(period)s lapses",
        line.count,
    )
    until = periods.pending_until(today.filer, period, today.calendar)
    return Item(
        key=f"lapses:{line.month}",
        short=_("Pending lapses"),
        title=title % _names(line, period),
        if_nothing=_(
            "If you do nothing, they count from %(day)s as without action: accepted, with your ITC reduced in full."
        )
        % {"day": show.day(until + timedelta(days=1))},
        on=until,
        url=_undecided(held, Action.PENDING, period),
        do=_("Decide"),
        count=line.count,
        tax=line.stake,
    )


def _only_saved(held: Access, line: Waiting, period: TaxPeriod, today: Standing) -> Item | None:
    """Return records that slip into the next GSTR-2B unless their suppliers file in time (R7.2).

    None while that day is far, and where the next filing window belongs to the same period of a quarterly recipient.
    """
    if line.by_month:
        window, last = today.saved_monthly, periods.window_end(Form.GSTR1, MONTHLY, today.saved_monthly, today.calendar)
    else:
        window = today.saved_quarterly
        last = periods.window_end(Form.GSTR1, QUARTERLY, window, today.calendar)
    slips_to = today.filer.period(periods.add_months(window, 1))
    if last - today.day > ASKED_AHEAD or slips_to == period:
        return None
    title = ngettext(
        "%(count)s record of GSTR-2B %(period)s is saved by its supplier, not filed",
        "%(count)s records of GSTR-2B %(period)s are saved by their suppliers, not filed",
        line.count,
    )
    return Item(
        key=f"saved:{line.month}",
        short=_("Only saved"),
        title=title % _names(line, period),
        if_nothing=_("If they are not filed by %(day)s, they count in GSTR-2B of %(next)s. Ask the suppliers to file.")
        % {"day": show.day(last), "next": slips_to.label},
        on=last,
        url=Filters(status="S", period=period.month).address(held.taxpayer.gstin),
        do=_("View"),
        count=line.count,
        tax=line.stake,
    )


def _near_limit(held: Access, line: Waiting, today: Standing) -> Item:
    """Return the undecided records of a year whose credit is barred soon (R7.9), from 1 November."""
    year = line.month
    last = time_limit.last_period(today.filer, year)
    title = ngettext(
        "%(count)s record of %(year)s is pending or without action",
        "%(count)s records of %(year)s are pending or without action",
        line.count,
    )
    return Item(
        key=f"limit:{year}",
        short=_("Time limit"),
        title=title % {"count": show.count(line.count), "year": f"{year}-{(year + 1) % 100:02d}"},
        if_nothing=_(
            "GSTR-3B of %(period)s is the last that can take this credit. What is still pending then is barred by "
            "section 16(4) from the next period on."
        )
        % {"period": last.label},
        on=today.calendar.due(Return.GSTR3B, last, today.filer.group),
        url=Filters(near_limit=True).address(held.taxpayer.gstin),
        do=_("Decide"),
        count=line.count,
        tax=line.stake,
    )


def _own_return(held: Access, today: Standing, at: datetime) -> Iterator[Item]:
    """Yield the taxpayer's own GSTR-1 of its open period, while it is not filed."""
    filed = tiles.own_gstr1(held, at)
    if held.taxpayer.is_isd or (filed is not None and filed.is_filed):
        return
    period = today.filer.period(standing.inbox(held, at).open_month)
    yield Item(
        key=f"gstr1:{period.month}",
        short=_("GSTR-1"),
        title=_("Your GSTR-1 of %(period)s is due") % {"period": period.label},
        if_nothing=_("If you file it later, your customers get this credit a month later, and GSTR-3B waits for it."),
        on=today.calendar.due(Return.GSTR1, period, today.filer.group),
        url=reverse("invoices:return", args=[held.taxpayer.gstin, period.wire, "gstr1"]),
        do=_("View"),
    )


def _not_checked() -> str:
    return _(
        "Not checked: invoices without action are not compared with your books, as no purchase register is kept here."
    )


def _names(line: Waiting, period: TaxPeriod) -> dict[str, str]:
    return {"count": show.count(line.count), "period": period.label}


def _undecided(held: Access, action: Action, period: TaxPeriod) -> str:
    """Return the list of a period's records of an action that reduce ITC."""
    is_asked = actions.SPECIFIED.decide(period.month, reduces=True).outcome
    asked = Filters(action=action.value, needs_you=action is Action.NONE, reduces=is_asked, period=period.month)
    return asked.address(held.taxpayer.gstin)


def pending_by_age(held: Access, today: Standing) -> Figure | None:
    """Return chart C3, Pending by the age of its documents: one query; None where nothing is pending."""
    found = deadlines_sql.pending_by_age(held.taxpayer.pk, today, AGES)
    total = sum(found, Sum())
    if not total.count:
        return None
    names = [*_ages(), _("more than %(last)s days") % {"last": AGES[-1]}]
    oldest = next(place for place in reversed(range(len(found))) if found[place].count)
    finding = ngettext(
        "%(count)s record is pending, tax %(tax)s. The oldest group, %(age)s, holds %(old)s.",
        "%(count)s records are pending, tax %(tax)s. The oldest group, %(age)s, holds %(old)s.",
        total.count,
    ) % {
        "count": show.count(total.count),
        "tax": show.inr(total.tax),
        "age": names[oldest],
        "old": show.inr(found[oldest].tax),
    }
    name = _("Pending by age of the document")
    drawn = [Bar(age, show.inr(one.tax), ((Kind.PENDING, one.tax),)) for age, one in zip(names, found, strict=True)]
    rows = [
        Row(age, (show.count(one.count), show.inr(one.tax)), _of_days(held, first, last) if one.count else "")
        for age, one, (first, last) in zip(names, found, deadlines_sql.days_of_ages(today.day, AGES), strict=True)
    ]
    return Figure(
        "c3",
        name,
        finding,
        charts.bars("c3", name, finding, drawn, ((Kind.PENDING, _("Pending")),)),
        (_("Age"), _("Records"), _("Tax")),
        tuple(rows),
    )


def _ages() -> list[str]:
    firsts = [0, *(bound + 1 for bound in AGES[:-1])]
    return [
        _("%(first)s to %(last)s days") % {"first": first, "last": last}
        for first, last in zip(firsts, AGES, strict=True)
    ]


def _of_days(held: Access, first: date | None, last: date | None) -> str:
    return Filters(action=Action.PENDING.value, date_from=first, date_to=last).address(held.taxpayer.gstin)
