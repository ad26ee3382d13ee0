"""What both sides of a rejection have to do by a day: a recipient to heed requests, a supplier to see to its notes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Count, F, Sum, Value
from django.db.models.functions import Greatest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ims_portal import calendar
from ims_portal.access import Access
from ims_portal.agenda import Item, Told
from ims_portal.models import Taxpayer
from ims_portal.rules.money import HEADS
from ims_portal.rules.periods import Return
from ims_portal.templatetags import ims as show
from invoices import messages, outward_list, standing
from invoices.outward_filters import PROVISIONAL, Wanted
from invoices.standing import Standing

TAX = F("record__igst") + F("record__cgst") + F("record__sgst") + F("record__cess")
LANDING = ("recipient_id", "recipient__gstin", "recipient__inbox__open_month", "gstr2b_month", "earliest_month")


def requests(held: Access, at: datetime) -> Told:
    """Return the requests of suppliers that wait: one query. They close when the open period's GSTR-3B is filed."""
    today = standing.for_page(held, at)
    if not today.has_ims:
        return Told()
    found = messages.waiting(held.taxpayer).aggregate(count=Count("pk"), tax=Sum(TAX))
    if not found["count"]:
        return Told()
    period = today.filer.period(standing.inbox(held, at).open_month)
    title = ngettext(
        "%(count)s supplier's request to reconsider a rejection waits",
        "%(count)s suppliers' requests to reconsider a rejection wait",
        found["count"],
    )
    item = Item(
        key="messages",
        title=title % {"count": show.count(found["count"])},
        if_nothing=_("The rejection stands, and becomes final when you file GSTR-3B."),
        on=today.calendar.due(Return.GSTR3B, period, today.filer.group),
        url=reverse("invoices:messages", args=[held.taxpayer.gstin]),
        do=_("Answer"),
        count=found["count"],
        tax=int(found["tax"]),
    )
    return Told([item])


def own_rejected(held: Access, at: datetime) -> Told:
    """Return the supplier's own documents whose rejection will raise its tax: one query, one more where there are any.

    The day is the first on which a recipient's GSTR-3B falls due that makes one of them final.
    """
    return Told(list(_own_rejected(held, standing.for_page(held, at))))


def _own_rejected(held: Access, today: Standing) -> Iterator[Item]:
    cost = sum((Greatest(Value(0), -F(f"effect_{head}")) for head in HEADS), Value(0))
    rows = list(
        outward_list.rejected(held.taxpayer)
        .filter(outward_list.provisional())
        .values(*LANDING)
        .order_by()
        .annotate(count=Count("pk"), cost=Sum(cost))
    )
    if not rows:
        return
    recipients = {row["recipient_id"]: Taxpayer(pk=row["recipient_id"], gstin=row["recipient__gstin"]) for row in rows}
    filers = calendar.filers(recipients.values())
    days = []
    for row in rows:
        filer = filers[row["recipient_id"]]
        counts_in = row["gstr2b_month"] or row["earliest_month"]
        period = filer.period(max(row["recipient__inbox__open_month"] or counts_in, counts_in))
        days.append(today.calendar.due(Return.GSTR3B, period, filer.group))
    count = sum(row["count"] for row in rows)
    title = ngettext(
        "%(count)s document of yours stands rejected and will raise your tax",
        "%(count)s documents of yours stand rejected and will raise your tax",
        count,
    )
    yield Item(
        key="rejected-notes",
        title=title % {"count": show.count(count)},
        if_nothing=_("Once the recipient files GSTR-3B, the rejection is final and adds to a later GSTR-3B of yours."),
        on=min(days),
        url=Wanted(place="rejected", effect=PROVISIONAL).address(held.taxpayer.gstin),
        do=_("View"),
        count=count,
        tax=sum(int(row["cost"]) for row in rows),
    )
