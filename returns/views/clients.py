"""The list of clients: every GSTIN the signed-in person may open, and what is asked for ticked ones."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from http import HTTPStatus
from itertools import groupby
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ims_portal import access, clock, web
from ims_portal.access import Right
from ims_portal.models import DOWNLOADS_KEPT
from returns import client_archives, client_orders, clients
from returns.client_orders import Order, What

MOST_CLIENTS = 500
"""Clients something may be asked for at once."""

GSTIN = re.compile(r"[0-9A-Z]{15}")
"""What a ticked row sends, whosever it is."""


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """List the clients of somebody with several GSTINs or an engagement; a POST asks something for ticked ones.

    A page has as many as the person chose for lists; all of every page can be asked for too.
    """
    request.portal_now = at = clock.portal().now()
    if request.method == "POST":
        return _ask(request)
    found = access.all_of(user=request.user, at=at)
    lines = clients.of(found, at=at) if access.has_clients(found) else []
    shown = Paginator(lines, request.user.rows).get_page(request.GET.get("page"))
    may_ask = any(line.may_be_ticked for line in shown)
    return render(request, "returns/clients.html", {"clients": shown, "may_ask": may_ask})


def _ask(request: HttpRequest) -> HttpResponse:
    """Ask for each ticked GSTIN what the button says. Which of them the person may, is not the form's to say."""
    key, ticked = web.request_id(request), list(dict.fromkeys(request.POST.getlist("tick")))
    if request.POST.get("all") == "1":
        held = access.all_of(user=request.user, at=request.portal_now)
        ticked = [one.taxpayer.gstin for one in held if one.may(Right.COMPUTE) or one.may(Right.EXPORT)][:MOST_CLIENTS]
    what = request.POST.get("do", "")
    if what not in set(What) or len(ticked) > MOST_CLIENTS or not all(GSTIN.fullmatch(one) for one in ticked):
        raise web.incomplete()
    if not ticked:
        messages.warning(request, _("No client is ticked. Tick those it is to be done for."))
        return web.see_other(reverse("clients"))
    client_orders.ask(user=request.user, what=What(what), gstins=ticked, key=key, clock=clock.portal())
    return web.see_other(reverse("clients-asked", args=[key]))


@require_safe
def asked(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Show what became of each client something was asked for; to htmx the part that changes.

    Names and jobs only of those still open to the asker.
    """
    request.portal_now = at = clock.portal().now()
    order = _order(request, key)
    known = {held.taxpayer.gstin: held.taxpayer for held in access.all_of(user=request.user, at=at)}
    jobs = order.jobs()
    lines = [(answer, known.get(answer.gstin), jobs.get(answer.job)) for answer in order.answers]
    mine = [job for _answer, taxpayer, job in lines if taxpayer is not None and job is not None]
    is_over = all(job.is_over for job in mine)
    shown = client_archives.shown(user=request.user, orders={key: order}, at=at).get(key)
    polls = not is_over or (shown is not None and shown.is_live)
    context = {
        "order": order,
        "key": key,
        "title": TITLES[order.what],
        "lines": lines,
        "job_url": reverse("clients-asked", args=[key]),
        "is_over": is_over,
        "polls": polls,
        "done": sum(job.state == job.State.DONE for job in mine),
        "number": len(mine),
        "shown": shown,
    }
    return _page_or_part(request, "clients_asked.html", context)


def _page_or_part(request: HttpRequest, page: str, context: dict[str, Any]) -> HttpResponse:
    """Return a page; to htmx the part that changes, and that it changes no more."""
    if getattr(request, "htmx", False):
        status = HTTPStatus.OK if context["polls"] else web.STOP_POLLING
        return render(request, f"returns/_{page}", context, status=status)
    return render(request, f"returns/{page}", context)


TITLES = {
    What.COMPUTE: gettext_lazy("Compute GSTR-2B"),
    What.EXPORT: gettext_lazy("Export IMS"),
    What.STATEMENT: gettext_lazy("Export GSTR-2B"),
}


def _order(request: HttpRequest, key: uuid.UUID) -> Order:
    order = client_orders.earlier(user=request.user, key=key)
    if order is None:
        raise Http404("Nothing was asked.")
    return order


@require_POST
def archive(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Want the files of what was asked together, with a cover, and lead to where the archive will be."""
    request.portal_now = clock.portal().now()
    request_id = web.request_id(request)
    try:
        client_archives.request(user=request.user, key=key, clock=clock.portal(), request_id=request_id)
    except client_archives.NotReadyError as early:
        messages.error(request, str(early))
        return web.see_other(reverse("clients-asked", args=[key]))
    return web.see_other(reverse("clients-exports"))


@require_safe
def archive_file(request: HttpRequest, pk: uuid.UUID) -> HttpResponseBase:
    """Send an archive, to be kept and not shown; who may take what is in it, is asked again."""
    request.portal_now = at = clock.portal().now()
    try:
        found = client_archives.taken(user=request.user, pk=pk, at=at)
    except client_archives.RightLostError as lost:
        text = _(
            "%(why)s Nothing was sent. Make the archive anew, without them: under Clients, Asked for many clients."
        )
        context = {"code": "RIGHT_LOST", "text": text % {"why": lost}}
        return render(request, "ims_portal/problem.html", context, status=HTTPStatus.FORBIDDEN)
    if found is None:
        raise Http404("No such archive.")
    made, path = found
    return FileResponse(path.open("rb"), as_attachment=True, filename=made.file_name, content_type="application/zip")


@require_safe
def exports_page(request: HttpRequest) -> HttpResponse:
    """List what the signed-in person asked for many clients at once in the last days; to htmx the part that changes."""
    request.portal_now = at = clock.portal().now()
    found = client_orders.latest(user=request.user, since=clock.real() - DOWNLOADS_KEPT)
    archives = client_archives.shown(user=request.user, orders={key: order for key, _asked_at, order in found}, at=at)
    context = {
        "lines": [(key, asked_at, TITLES[order.what], order, archives.get(key)) for key, asked_at, order in found],
        "days": DOWNLOADS_KEPT.days,
        "polls": any(shown.is_live for shown in archives.values()),
    }
    return _page_or_part(request, "clients_exports.html", context)


@require_safe
def deadlines(request: HttpRequest) -> HttpResponse:
    """List what falls due for any client, by day, those overdue first."""
    request.portal_now = at = clock.portal().now()
    found = access.all_of(user=request.user, at=at)
    lines = clients.of(found, at=at) if access.has_clients(found) else []
    today = clock.day(at)
    due = sorted(
        ((deadline, client) for client in lines for deadline in client.deadlines),
        key=lambda pair: (pair[0].on, pair[0].name, pair[1].held.taxpayer.name.casefold()),
    )
    soon = [pair for pair in due if pair[0].on <= today + AHEAD]
    days = [(on, list(pairs)) for on, pairs in groupby(soon, key=lambda pair: pair[0].on)]
    context = {"days": days, "today": today, "until": today + AHEAD, "has_clients": bool(lines)}
    return render(request, "returns/clients_deadlines.html", context)


AHEAD = timedelta(days=45)
"""How far the calendar of all clients looks: past the next month's due days."""
