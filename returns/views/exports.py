"""Files out: asked for by a button, made by a worker, taken from their page."""

from __future__ import annotations

import uuid
from http import HTTPStatus

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from ims_portal import clock, web
from ims_portal.access import Right
from ims_portal.models import DOWNLOADS_KEPT
from returns import exports
from returns.export_files import LABELS, Kind, NothingToWriteError
from returns.models import Export

TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
}
ASKED = {"month": int, "version": int, "form": str, "section": str, "query": str, "file": str}
"""What a form may ask for besides the kind, and how it is read."""


@require_http_methods(["GET", "HEAD", "POST"])
def exports_page(request: HttpRequest, gstin: str) -> HttpResponse:
    """List a GSTIN's files; a POST wants another and leads to its page."""
    held = web.enter(request, gstin, Right.EXPORT)
    if request.method == "POST":
        return _ask(request, gstin)
    at = request.portal_now
    found = exports.latest(taxpayer=held.taxpayer, at=at)
    context = {
        "gstin": gstin,
        "taxpayer": held.taxpayer,
        "lines": [(export, LABELS[Kind(export.kind)]) for export in found],
        "days": DOWNLOADS_KEPT.days,
    }
    return render(request, "returns/exports.html", context)


def _ask(request: HttpRequest, gstin: str) -> HttpResponse:
    web.expect_form(request, gstin)
    try:
        kind = Kind(request.POST.get("kind", ""))
        asked = {name: read(request.POST[name]) for name, read in ASKED.items() if name in request.POST}
    except ValueError:
        raise web.incomplete() from None
    taxpayer = request.access.taxpayer
    try:
        export = exports.request(taxpayer=taxpayer, kind=kind, asked=asked, actor=request.user, clock=clock.portal())
    except NothingToWriteError as nothing:
        context = {"code": "NOTHING_TO_EXPORT", "text": str(nothing), "gstin": gstin}
        return render(request, "ims_portal/problem.html", context, status=HTTPStatus.CONFLICT)
    return web.see_other(reverse("returns:export", args=[gstin, export.pk]))


@require_safe
def export(request: HttpRequest, gstin: str, pk: uuid.UUID) -> HttpResponse:
    """Show a file with its size and digest, or how far it is; to htmx the part that changes."""
    held = web.enter(request, gstin, Right.EXPORT)
    job = _export(request, pk)
    context = {
        "gstin": gstin,
        "taxpayer": held.taxpayer,
        "job": job,
        "label": LABELS[Kind(job.kind)],
    }
    if getattr(request, "htmx", False):
        return render(request, "returns/_export.html", context, status=web.STOP_POLLING if job.is_over else 200)
    return render(request, "returns/export.html", context)


@require_safe
def file(request: HttpRequest, gstin: str, pk: uuid.UUID) -> FileResponse:
    """Send a file, to be kept and not shown; who may, is asked again."""
    web.enter(request, gstin, Right.EXPORT)
    job = _export(request, pk)
    path = exports.downloaded(export=job, actor=request.user, at=request.portal_now)
    if path is None:
        raise Http404("No such file.")
    return FileResponse(
        path.open("rb"),
        as_attachment=True,
        filename=job.file_name,
        content_type=TYPES[job.file_name.rpartition(".")[2]],
    )


def _export(request: HttpRequest, pk: uuid.UUID) -> Export:
    found = exports.of(taxpayer=request.access.taxpayer, export_id=pk, at=request.portal_now)
    if found is None:
        raise Http404("No such export.")
    return found
