"""The periods of a GSTIN: what is filed, computed and open, and where to go."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from ims_portal import web
from invoices import standing
from returns import overview


@require_safe
def periods(request: HttpRequest, gstin: str) -> HttpResponse:
    """Show the periods of a financial year with the state of their returns."""
    held = web.enter(request, gstin)
    year = request.GET.get("fy", "")
    found = overview.of(
        taxpayer=held.taxpayer,
        today=standing.of(held.taxpayer, request.portal_now),
        year=int(year) if year.isascii() and year.isdigit() else None,
    )
    return render(request, "returns/periods.html", {"gstin": gstin, "taxpayer": held.taxpayer, "overview": found})
