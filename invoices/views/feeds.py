"""The administrator's desk for feeds: three uploads, and what became of the latest ones."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from ims_portal import clock, web
from invoices import feed_uploads
from invoices.kept_files import UploadRefusedError
from invoices.models import FeedBatch, FeedKind

SHOWN_BATCHES = 30
SHOWN_PROBLEMS = 200


@dataclass(frozen=True, slots=True)
class Taker:
    """One of the uploads: its kind, the sentence on what it takes, and the request id of its form."""

    kind: FeedKind
    takes: Promise
    request_id: uuid.UUID


TAKES = {
    FeedKind.BILLS: gettext_lazy(
        "New bills of entry, changes of their value and of their importer, as customs sends them "
        "(boe-icegate.json). The month of the ICEGATE reference date decides the GSTR-2B."
    ),
    FeedKind.ISD: gettext_lazy(
        "The GSTR-6 of one distributor and month (isd-gstr6.json). Another file of the same month takes its place "
        "until a GSTR-2B has used it."
    ),
    FeedKind.RULE_37A: gettext_lazy(
        "Documents whose supplier never paid (rule37a.json). Each must have been counted by an earlier GSTR-2B of its "
        "recipient, and is reversed in the GSTR-2B of the period it names."
    ),
}


@require_http_methods(["GET", "POST"])
def feeds(request: HttpRequest) -> HttpResponse:
    """Show the desk, or take a feed in and go to its job; what cannot be taken in is said on the desk."""
    _enter(request)
    if request.method == "GET":
        return _desk(request)
    kind = request.POST.get("kind", "")
    if kind not in FeedKind.values:
        raise Http404("No such page.")
    request_id = web.request_id(request)
    try:
        batch = feed_uploads.receive(
            kind=FeedKind(kind),
            file=request.FILES.get("file"),
            actor=request.user,
            clock=clock.portal(),
            request_id=request_id,
        )
    except UploadRefusedError as refused:
        return _desk(request, (kind, str(refused)))
    return web.see_other(reverse("control-feed", args=[batch.pk]))


@require_safe
def feed(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Show how far a feed is, or what came of it; htmx asks for the fragment alone."""
    _enter(request)
    found = get_object_or_404(FeedBatch.objects.select_related("requested_by", "repeats"), pk=pk)
    problems = list(found.problems.order_by("id")[: SHOWN_PROBLEMS + 1]) if found.is_over else []
    context = {
        "batch": found,
        "problems": problems[:SHOWN_PROBLEMS],
        "has_more": len(problems) > SHOWN_PROBLEMS,
        "job_url": reverse("control-feed", args=[found.pk]),
    }
    template = "invoices/_feed.html" if request.htmx else "invoices/feed.html"
    return render(request, template, context)


def _enter(request: HttpRequest) -> None:
    """Let administrators in; for everybody else there is no such page."""
    if not request.user.is_staff:
        raise Http404("No such page.")
    request.portal_now = clock.portal().now()


def _desk(request: HttpRequest, refused: tuple[str, str] | None = None) -> HttpResponse:
    context = {
        "takers": [Taker(kind, takes, uuid.uuid4()) for kind, takes in TAKES.items()],
        "batches": feed_uploads.latest(SHOWN_BATCHES),
        "errors": [(f"id_{refused[0]}", refused[1])] if refused else [],
        "refused": refused[0] if refused else "",
    }
    return render(request, "invoices/feeds.html", context, status=422 if refused else 200)
