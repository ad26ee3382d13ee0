"""The deadline inbox: what falls due when, with what is at stake, where it is decided; and putting it off."""

from __future__ import annotations

from http import HTTPStatus

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from ims_portal import agenda, charts, web
from ims_portal.access import Access
from ims_portal.agenda import Agenda, Group, Item, SnoozeRefusedError
from ims_portal.forms import SnoozeForm
from ims_portal.templatetags import ims as show
from invoices import deadlines, standing

GROUPS = {
    Group.TODAY: gettext_lazy("Today"),
    Group.WEEK: gettext_lazy("Within 7 days"),
    Group.PERIOD: gettext_lazy("This period"),
    Group.LATER: gettext_lazy("Later"),
}


@require_http_methods(["GET", "HEAD", "POST"])
def inbox(request: HttpRequest, gstin: str) -> HttpResponse:
    """Show all deadlines of a GSTIN; a POST puts one off, or shows one again, in this person's own view."""
    held = web.enter(request, gstin)
    if request.method != "POST":
        return _page(request, held)
    web.expect_form(request, gstin)
    if request.POST.get("wake"):
        agenda.wake(held=held, key=request.POST.get("item", "")[:60], at=request.portal_now)
        return web.see_other(reverse("invoices:deadlines", args=[gstin]))
    return _snooze(request, held)


def _snooze(request: HttpRequest, held: Access) -> HttpResponse:
    form = SnoozeForm(request.POST)
    if not form.is_valid():
        return _page(request, held, form, " ".join(form.errors.get("until", [_("Choose a deadline of this page.")])))
    at = request.portal_now
    key, until = form.cleaned_data["item"], form.cleaned_data["until"]
    try:
        item = agenda.snooze(held=held, key=key, until=until, at=at)
    except SnoozeRefusedError as refused:
        if refused.latest is None:
            messages.info(request, _("This deadline is gone: it was done or decided meanwhile."))
            return web.see_other(reverse("invoices:deadlines", args=[held.taxpayer.gstin]))
        text = _("Choose a day after today and not after %(day)s.") % {"day": show.day(refused.latest)}
        return _page(request, held, form, text)
    messages.success(
        request,
        _("Put off until %(day)s, in your own view: %(title)s.") % {"day": show.day(until), "title": item.title},
    )
    return web.see_other(reverse("invoices:deadlines", args=[held.taxpayer.gstin]))


def _page(request: HttpRequest, held: Access, form: SnoozeForm | None = None, problem: str = "") -> HttpResponse:
    at = request.portal_now
    found = agenda.of(held, at)
    refused = str(form["item"].value() or "") if form is not None else ""
    context = {
        "agenda": found,
        "groups": [(GROUPS[group], [_row(item, found) for item in items]) for group, items in found.groups],
        "snoozed": [(_row(item, found), until) for item, until in found.snoozed],
        "shows_snoozed": bool(request.GET.get("snoozed")),
        "figures": _figures(held, found, request),
        "refused": refused,
        "typed": str(form["until"].value() or "") if form is not None else "",
        "problem": problem,
        "errors": [(f"until-{refused}", problem)] if problem else [],
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
    return render(request, "invoices/deadlines.html", context, status=status)


def _figures(held: Access, found: Agenda, request: HttpRequest) -> list[charts.Figure]:
    at = request.portal_now
    today = standing.for_page(held, at)
    pending = deadlines.pending_by_age(held, today) if today.has_ims else None
    return [figure for figure in (charts.deadlines(found), pending) if figure is not None]


def _row(item: Item, found: Agenda) -> dict[str, object]:
    """Return an item as the page shows it, with the last day it may be put off to."""
    return {"item": item, "days": (item.on - found.day).days, "latest": item.latest_snooze(found.day)}
