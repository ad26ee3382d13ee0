"""What this room says on a taxpayer's home: the GSTR-2B and the GSTR-3B of its open period."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from ims_portal.access import Access, Right
from ims_portal.rules import periods
from ims_portal.rules.periods import Return, TaxPeriod
from ims_portal.templatetags import ims as show
from ims_portal.tiles import Tile
from invoices import standing
from invoices.standing import Standing
from returns import summary
from returns.summary import Page


def room(held: Access, at: datetime) -> dict[str, Tile]:
    """Return both tiles of this room."""
    today = standing.for_page(held, at)
    page = summary.open_page(held, at)
    return {"gstr2b": gstr2b(held, page), "gstr3b": gstr3b(held, page.period, today)}


def gstr2b(held: Access, page: Page) -> Tile:
    """Return where the statement of the open period stands, and whether it can be computed now."""
    where = [held.taxpayer.gstin, page.period.wire]
    chip, state, barred = _state(page)
    net = _("Net ITC %(tax)s.") % {"tax": show.inr(page.total.total)}
    return Tile(
        title=_("GSTR-2B of %(period)s") % {"period": page.period.label},
        chip=chip,
        state=state,
        lines=tuple(line for line in (net if page.current else barred,) if line),
        links=((_("View"), reverse("returns:gstr2b", args=where)),),
        command=_("Compute"),
        command_url=reverse("returns:gstr2b-compute", args=where) if held.may(Right.COMPUTE) else "",
        barred=barred,
    )


def _state(page: Page) -> tuple[str, str, str]:
    """Return the chip, the state in words, and why nothing can be computed now."""
    barred = page.refusal.text if page.refusal else ""
    if page.current is None:
        return "none", _("Not computed"), barred
    if page.is_stale:
        return "stale", _("Out of date"), barred
    nothing = _("Nothing changed since version %(version)s of %(at)s.") % {
        "version": page.current.version,
        "at": show.moment(page.current.computed_at),
    }
    return "accepted", _("Version %(version)s") % {"version": page.current.version}, barred or nothing


def gstr3b(held: Access, period: TaxPeriod, today: Standing) -> Tile:
    """Return when the GSTR-3B of the open period falls due."""
    due = today.calendar.due(Return.GSTR3B, period, today.filer.group)
    where = [held.taxpayer.gstin, period.wire]
    is_late = today.day > due
    return Tile(
        title=_("GSTR-3B of %(period)s") % {"period": period.label},
        chip="problem" if is_late else "saved",
        state=_("Overdue") if is_late else _("Not filed"),
        lines=(_("Due on %(day)s.") % {"day": show.day(due)}, *_paid_ahead(period, today)),
        links=(
            (_("View"), reverse("returns:gstr3b", args=where)),
            (_("Review"), reverse("returns:gstr3b-review", args=where)),
        ),
    )


def _paid_ahead(period: TaxPeriod, today: Standing) -> list[str]:
    """Return the payments of a quarter that fall due before its return, those to come."""
    ahead = periods.paid_ahead(period, today.filer.group, today.calendar)
    return [
        _("PMT-06 of %(month)s is due on %(day)s.") % {"month": month.label, "day": show.day(due)}
        for month, due in ahead
        if due >= today.day
    ]
