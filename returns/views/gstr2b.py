"""GSTR-2B: the statement and its versions, the lines behind a figure, what two versions count differently, compute."""

from __future__ import annotations

import uuid
from contextlib import suppress
from http import HTTPStatus

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from ims_portal import clock, web
from ims_portal.access import Right
from invoices import locking
from returns import cells, figures, gstr2b, lines, summary
from returns.models import Gstr2bJob
from returns.views.opening import Opened, of_period


@require_safe
@of_period()
def statement(request: HttpRequest, opened: Opened) -> HttpResponse:
    """Show the newest version of a period's statement, or why there is none."""
    older, newer = (_number(request.GET.get(name)) for name in ("older", "newer"))
    if older and newer and older != newer:
        return web.see_other(opened.url("gstr2b-diff", min(older, newer), max(older, newer)))
    return _page(request, opened)


@require_safe
@of_period()
def version(request: HttpRequest, opened: Opened, version: int) -> HttpResponse:
    """Show an older version of a period's statement."""
    return _page(request, opened, version=version)


def _page(
    request: HttpRequest, opened: Opened, *, version: int | None = None, status: int = HTTPStatus.OK
) -> HttpResponse:
    page = summary.page(taxpayer=opened.taxpayer, period=opened.period, today=opened.today, version=version)
    if version is not None and page.shown is None:
        return _not_there(opened, "No such version.")
    return opened.render(
        request,
        "returns/gstr2b.html",
        {"page": page, "named": version, "refused": status != HTTPStatus.OK},
        status,
    )


def _not_there(opened: Opened, what: str) -> HttpResponse:
    """Lead to the statement's page where there is no version yet: it says why, and the cure; else there is no page."""
    if gstr2b.versions(opened.taxpayer, opened.period).exists():
        raise Http404(what)
    return web.see_other(opened.url("gstr2b"))


@require_safe
@of_period()
def statement_lines(request: HttpRequest, opened: Opened, section: str) -> HttpResponse:
    """Show the lines behind a figure of one version, a page at a time."""
    asked = {name: request.GET.get(name, "") for name in ("placement", "part", "status", "cell")}
    filters = lines.Filters(section="" if section == "all" else section, **asked)
    wanted = _number(request.GET.get("version"))
    found = gstr2b.version(taxpayer=opened.taxpayer, period=opened.period, version=wanted)
    if not filters.is_known:
        raise Http404("No such lines.")
    if found is None:
        return _not_there(opened, "No such version.")
    size = _number(request.GET.get("rows")) or 50
    page = lines.page(
        statement=found, filters=filters, size=size if size in lines.SIZES else 50, after=request.GET.get("after", "")
    )
    kept = {**asked, "version": wanted or "", "rows": request.GET.get("rows", "")}
    return opened.render(
        request,
        "returns/lines.html",
        {
            "page": page,
            "statement": found,
            "section": section,
            "kept": {k: v for k, v in kept.items() if v},
            "tables": lines.tables(found),
            "placements": [(place.value, names[0]) for place, names in summary.SECTIONS.items()],
            "statuses": [(status, name) for status, name in lines.STATUS_NAMES.items() if status],
            "sizes": lines.SIZES,
            "size": size,
        },
    )


@require_safe
@of_period()
def line_why(request: HttpRequest, opened: Opened, version: int, line: int) -> HttpResponse:
    """Show why one line of one version counts as it does, as it was decided then."""
    found = gstr2b.version(taxpayer=opened.taxpayer, period=opened.period, version=version)
    shown = lines.line_of(found, line) if found else None
    if shown is None:
        return _not_there(opened, "No such line.")
    return opened.render(request, "returns/why.html", {"line": shown, "statement": found})


@require_safe
@of_period()
def diff(request: HttpRequest, opened: Opened, older: int, newer: int) -> HttpResponse:
    """Show what two versions count differently, cell by cell, and who acted; one `cell` opens to its own records."""
    if older > newer:
        return web.see_other(opened.url("gstr2b-diff", newer, older))
    before, after = (
        gstr2b.version(taxpayer=opened.taxpayer, period=opened.period, version=number) for number in (older, newer)
    )
    if before is None or after is None or older == newer:
        return _not_there(opened, "No such versions.")
    asked = request.GET.get("cell", "")
    cell = cells.named(asked)
    if asked and cell is None:
        raise Http404("No such cell.")
    comparison = lines.compare(older=before, newer=after, cell=cell)
    figure = None if cell else figures.by_cause(comparison)
    return opened.render(request, "returns/diff.html", {"comparison": comparison, "figure": figure})


@require_safe
@of_period()
def changes(request: HttpRequest, opened: Opened) -> HttpResponse:
    """Show the records that changed since the newest version, and what they would count now."""
    page = summary.page(taxpayer=opened.taxpayer, period=opened.period, today=opened.today)
    if page.current is None or not page.is_stale:
        return web.see_other(opened.url("gstr2b"))
    found = lines.changes(statement=page.current, today=opened.today)
    return opened.render(request, "returns/changes.html", {"changes": found})


@require_http_methods(["GET", "HEAD", "POST"])
@of_period(posting=Right.COMPUTE)
def compute(request: HttpRequest, opened: Opened) -> HttpResponse:
    """Ask for the statement, and show the job that makes it; a refusal is shown with its cure.

    A GET, from a reload or the language switch on a refusal, goes back to the statement.
    """
    if request.method != "POST":
        return web.see_other(opened.url("gstr2b"))
    request_id = web.expect_form(request, opened.taxpayer.gstin)
    try:
        job = _computed(opened, request_id)
    except gstr2b.StatementRefusedError:
        return _page(request, opened, status=HTTPStatus.CONFLICT)
    return web.see_other(reverse("returns:job", args=[opened.taxpayer.gstin, job.pk]))


def _computed(opened: Opened, request_id: uuid.UUID) -> Gstr2bJob:
    """Return the job of a statement asked for: over where little was to do, else with the workers."""
    asked = {"taxpayer": opened.taxpayer, "period": opened.period, "actor": opened.held.user, "clock": clock.portal()}
    job = None
    with suppress(locking.BusyError):
        job = gstr2b.at_once(**asked, request_id=request_id)
    return job or gstr2b.request(**asked, request_id=request_id)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 7 else None  # noqa: PLR2004
