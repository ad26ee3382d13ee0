"""What this room says on a taxpayer's home: its own GSTR-1 of the open period, and its inbox."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ims_portal.access import Access
from ims_portal.rules.actions import Action
from ims_portal.rules.documents import Form
from ims_portal.rules.periods import Return
from ims_portal.templatetags import ims as show
from ims_portal.tiles import Tile
from invoices import inbox, standing
from invoices.inbox_sql import Sum
from invoices.models import SupplierReturn
from invoices.standing import Standing


def room(held: Access, at: datetime) -> dict[str, Tile]:
    """Return both tiles of this room."""
    today = standing.for_page(held, at)
    return {"gstr1": gstr1(held, today, at), "ims": ims(held, today)}


def gstr1(held: Access, today: Standing, at: datetime) -> Tile:
    """Return where the taxpayer's own GSTR-1 of its open period stands."""
    period = today.filer.period(standing.inbox(held, at).open_month)
    found = own_gstr1(held, at)
    due = today.calendar.due(Return.GSTR1, period, today.filer.group)
    url = reverse("invoices:return", args=[held.taxpayer.gstin, period.wire, "gstr1"])
    title = _("GSTR-1 of %(period)s") % {"period": period.label}
    if found is not None and found.is_filed:
        state = _("Filed on %(day)s") % {"day": show.day(found.filed_on)}
        return Tile(title, "filed", state, (found.acknowledgement,), ((_("View"), url),))
    lines = (_("Due on %(day)s.") % {"day": show.day(due)},)
    return Tile(title, "saved", _("Not filed"), lines, ((_("View"), url),))


def own_gstr1(held: Access, at: datetime) -> SupplierReturn | None:
    """Return the taxpayer's own GSTR-1 of its open period, read once for all parts of a page; None without one."""
    month = standing.inbox(held, at).open_month
    forms = SupplierReturn.objects.filter(supplier=held.taxpayer, form=Form.GSTR1.value, month=month)
    return held.once("own GSTR-1", at, forms.first)


def ims(held: Access, today: Standing) -> Tile:
    """Return how many records wait in the taxpayer's inbox."""
    found = inbox.summary(taxpayer=held.taxpayer, today=today)
    untouched = sum((line.by_action.get(Action.NONE.value, Sum()) for line in found), Sum())
    needs = sum((line.needs_you for line in found), Sum())
    base = reverse("invoices:inward", args=[held.taxpayer.gstin])
    links = [(_("View"), base)]
    lines = [
        ngettext("%(count)s record without action.", "%(count)s records without action.", untouched.count)
        % {"count": show.count(untouched.count)}
    ]
    if needs.count:
        lines.append(
            ngettext("%(count)s needs you, tax %(tax)s.", "%(count)s need you, tax %(tax)s.", needs.count)
            % {"count": show.count(needs.count), "tax": show.inr(needs.tax)}
        )
        links.append((_("Decide"), reverse("invoices:inward-list", args=[held.taxpayer.gstin, "all"]) + "?needs=1"))
    state = _("Decide") if needs.count else _("Open") if untouched.count else _("Nothing to decide")
    return Tile(_("IMS, inward"), "pending" if needs.count else "none", state, tuple(lines), tuple(links))
