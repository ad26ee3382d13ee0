"""The page of a GSTR-2B job: what it is at, polled until it is over; without script by its Refresh link."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from ims_portal import web
from returns import progress


@require_safe
def job(request: HttpRequest, gstin: str, pk: uuid.UUID) -> HttpResponse:
    """Show a job of a GSTIN; to htmx the part that changes."""
    held = web.enter(request, gstin)
    found = progress.of(taxpayer=held.taxpayer, job_id=pk, at=request.portal_now)
    if found is None:
        raise Http404("No such job.")
    context = {
        "gstin": gstin,
        "taxpayer": held.taxpayer,
        "found": found,
        "job": found.job,
        "period": found.period,
        "p": found.period.wire,
    }
    if getattr(request, "htmx", False):
        return render(request, "returns/_job.html", context, status=web.STOP_POLLING if found.job.is_over else 200)
    return render(request, "returns/job.html", context)
