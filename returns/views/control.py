"""The administrator's desk of tax periods: what is due when, and how far all GSTINs are."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from ims_portal.views.control import enter
from returns import control_periods


@require_safe
def periods_page(request: HttpRequest) -> HttpResponse:
    """Show the tax periods around today with their days in force and counts; for administrators only."""
    now = enter(request)
    return render(request, "returns/control_periods.html", {"lines": control_periods.lines(now)})
