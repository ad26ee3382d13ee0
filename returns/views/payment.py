"""The entries beside GSTR-3B: interest, the cash balance while a return was late, how credit is used."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from ims_portal import clock, web
from ims_portal.access import Right
from ims_portal.rules.money import HEADS
from ims_portal.templatetags import ims as show
from returns import entries, gstr3b, payment, payment_card, wording
from returns.forms import EntryForm
from returns.views.opening import Opened, of_period


@require_http_methods(["GET", "HEAD", "POST"])
@of_period(page="returns:gstr3b", posting=Right.COMPUTE)
def entry(request: HttpRequest, opened: Opened, entry: str) -> HttpResponse:
    """Show an entry with its form; a POST keeps it or takes it back."""
    if entry not in payment.ENTRIES:
        raise Http404("No such entry.")
    if request.method != "POST":
        return _page(request, opened, entry, None)
    request_id = web.expect_form(request, opened.taxpayer.gstin)
    is_reset = "reset" in request.POST
    form = EntryForm(payment_card.ENTRY_HEADS.get(entry, HEADS), request.POST)
    if not is_reset and not form.is_valid():
        return _page(request, opened, entry, form, 422)
    try:
        entries.enter(
            taxpayer=opened.taxpayer,
            period=opened.period,
            row=entry,
            tax=None if is_reset else form.tax,
            actor=opened.held.user,
            clock=clock.portal(),
            request_id=request_id,
        )
    except entries.EntryTooLowError as refused:
        least = ", ".join(
            f"{wording.HEAD_NAMES[head]} {show.inr(value)}" for head, value in refused.least.as_dict().items()
        )
        form.add_error(None, _("Nothing was kept. The least that may be entered: %(least)s.") % {"least": least})
        return _page(request, opened, entry, form, 422)
    except gstr3b.Gstr3bRefusedError:
        form.is_valid()
        told = _("GSTR-3B of %(period)s is filed and cannot be changed.") % {"period": opened.period.label}
        form.add_error(None, told)
        return _page(request, opened, entry, form, 409)
    return web.see_other(opened.url("gstr3b") + "#table-6-1")


def _page(request: HttpRequest, opened: Opened, entry: str, form: EntryForm | None, status: int = 200) -> HttpResponse:
    shown = gstr3b.draft(taxpayer=opened.taxpayer, period=opened.period, at=opened.at, today=opened.today)
    heads = payment_card.ENTRY_HEADS.get(entry, HEADS)
    if form is None:
        stands = payment_card.entered(shown.payment, entry, shown.entries).as_dict()
        form = EntryForm(heads, initial={head: show.amount(stands[head]) for head in heads})
    return opened.render(
        request,
        "returns/entry.html",
        {
            "draft": shown,
            "entry": entry,
            "heading": payment_card.ENTRY_NAMES[entry],
            "card": payment_card.card(shown.payment),
            "floor": payment_card.floor(opened.period.month),
            "form": form,
            "amounts": [form[head] for head in heads],
            "errors": form.told,
            "is_entered": entry in shown.entries,
            "can_edit": shown.filing is None and opened.may(Right.COMPUTE),
        },
        status=status,
    )
