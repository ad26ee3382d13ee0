"""The deadlines as a calendar feed, and the page where a person makes or revokes the key to it."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from ims_portal import agenda, calendar_keys, clock, ics, once, web
from ims_portal.access import Access
from ims_portal.agenda import Item
from ims_portal.ics import Event
from ims_portal.templatetags import ims as show


@require_http_methods(["GET", "HEAD", "POST"])
def keys(request: HttpRequest, gstin: str) -> HttpResponse:
    """Show whether a person has a feed of a GSTIN's deadlines; a POST makes a new key or revokes it.

    A new key is answered with the page itself, not by a 303: it is shown once, and kept nowhere to show it from.
    """
    held = web.enter(request, gstin)
    if request.method != "POST":
        return _page(request, held)
    request_id, at = web.expect_form(request, gstin), request.portal_now
    if request.POST.get("do") == "revoke":
        calendar_keys.revoke(user=held.user, taxpayer=held.taxpayer, at=at)
        return web.see_other(reverse("invoices:deadline-keys", args=[gstin]))
    with_rupees = request.POST.get("rupees") == "1"
    with transaction.atomic():
        command = once.claim(
            actor=held.user, key=request_id, body={"do": "calendar key", "gstin": gstin, "rupees": with_rupees}
        )
        if command.answer:
            return web.see_other(reverse("invoices:deadline-keys", args=[gstin]))
        made = calendar_keys.make(held=held, with_rupees=with_rupees, at=at)
        once.answered(command, {"made": True})
    query = urlencode({"key": made})
    return _page(
        request, held, request.build_absolute_uri(f"{reverse('invoices:deadlines-ics', args=[gstin])}?{query}")
    )


def _page(request: HttpRequest, held: Access, url: str = "") -> HttpResponse:
    return render(request, "invoices/deadline_keys.html", {"key": calendar_keys.of(held), "url": url})


@login_not_required
@require_safe
def feed(request: HttpRequest, gstin: str) -> HttpResponse:
    """Return the deadlines of a GSTIN as a calendar, to whoever has a live key; anybody else gets nothing."""
    at = clock.portal().now()
    holder = calendar_keys.holder(key=request.GET.get("key", ""), gstin=gstin, at=at)
    inbox = request.build_absolute_uri(reverse("invoices:deadlines", args=[gstin]))
    body = ics.calendar(
        name=_("GST deadlines of %(taxpayer)s") % {"taxpayer": str(holder.held.taxpayer)},
        events=[_event(item, gstin, inbox, with_rupees=holder.with_rupees) for item in agenda.of(holder.held, at).all],
        at=at,
        language=get_language(),
    )
    answer = HttpResponse(body, content_type="text/calendar; charset=utf-8")
    answer.headers["Content-Disposition"] = f'inline; filename="deadlines-{gstin}.ics"'
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


def _event(item: Item, gstin: str, inbox: str, *, with_rupees: bool) -> Event:
    summary = item.title
    if with_rupees and item.tax is not None:
        summary = _("%(title)s: %(tax)s") % {"title": item.title, "tax": show.inr(item.tax)}
    return Event(
        uid=f"{item.key.replace(':', '-')}-{gstin}@ims-portal.invalid",
        on=item.on,
        summary=summary,
        description=item.if_nothing,
        url=inbox,
    )
