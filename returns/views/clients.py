"""The list of clients: every GSTIN the signed-in person may open, and what is asked for ticked ones."""

from __future__ import annotations

import re
import uuid

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from ims_portal import access, clock, web
from ims_portal.models import User
from returns import client_orders, clients
from returns.client_orders import What

GSTIN = re.compile(r"[0-9A-Z]{15}")
"""What a ticked row sends, whosever it is."""


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """List the clients of somebody with several GSTINs or an engagement; a POST asks something for ticked ones.

    A page has as many as the person chose for lists, which is also the most that can be ticked at once.
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
    what = request.POST.get("do", "")
    if what not in set(What) or len(ticked) > User.Rows.MOST or not all(GSTIN.fullmatch(one) for one in ticked):
        raise web.incomplete()
    if not ticked:
        messages.warning(request, _("No client is ticked. Tick those it is to be done for."))
        return web.see_other(reverse("clients"))
    client_orders.ask(user=request.user, what=What(what), gstins=ticked, key=key, clock=clock.portal())
    return web.see_other(reverse("clients-asked", args=[key]))


@require_safe
def asked(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Show what became of each client something was asked for; names and jobs only of those still open to the asker."""
    request.portal_now = at = clock.portal().now()
    order = client_orders.earlier(user=request.user, key=key)
    if order is None:
        raise Http404("Nothing was asked.")
    known = {held.taxpayer.gstin: held.taxpayer for held in access.all_of(user=request.user, at=at)}
    lines = [(answer, known.get(answer.gstin)) for answer in order.answers]
    return render(request, "returns/clients_asked.html", {"order": order, "lines": lines})
