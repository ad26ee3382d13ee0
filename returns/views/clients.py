"""The list of clients: every GSTIN the signed-in person may open, and whose money is at risk today."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from ims_portal import access, clock
from returns import clients


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """List the clients of somebody with several GSTINs or an engagement, the most at risk first."""
    request.portal_now = at = clock.portal().now()
    found = access.all_of(user=request.user, at=at)
    has_clients = access.has_clients(found)
    lines = clients.of(found, at=at) if has_clients else []
    return render(request, "returns/clients.html", {"clients": lines})
