"""GSTR-2B as somebody else has it: handed in, laid beside ours, what differs listed."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from ims_portal import clock, web
from ims_portal.access import Right
from invoices import standing
from invoices.kept_files import UploadRefusedError
from returns import gstr2b, gstr2b_file_words, gstr2b_files
from returns.gstr2b_files import NoStatementError
from returns.models import StatementDifference, StatementFile
from returns.views.opening import Opened, of_period

ROWS = 50
Outcome = StatementDifference.Outcome


@require_http_methods(["GET", "HEAD", "POST"])
@of_period(posting=Right.COMPUTE)
def files(request: HttpRequest, opened: Opened) -> HttpResponse:
    """List the files of a period that were compared; a POST takes in another and leads to its page."""
    errors: list[tuple[str, str]] = []
    if request.method == "POST":
        request_id = web.expect_form(request, opened.taxpayer.gstin)
        try:
            found = gstr2b_files.receive(
                taxpayer=opened.taxpayer,
                period=opened.period,
                file=request.FILES.get("file"),
                actor=opened.held.user,
                clock=clock.portal(),
                request_id=request_id,
            )
            return web.see_other(_address(opened, found))
        except NoStatementError:
            return web.see_other(opened.url("gstr2b"))
        except UploadRefusedError as refused:
            errors = [("id_file", str(refused))]
    newest = gstr2b.version(taxpayer=opened.taxpayer, period=opened.period, version=None)
    found_files = gstr2b_files.latest(taxpayer=opened.taxpayer, period=opened.period)
    context = {
        "errors": errors,
        "newest": newest,
        "files": [(one, gstr2b_files.same(one), _differing(one)) for one in found_files],
    }
    return opened.render(request, "returns/gstr2b_files.html", context, status=422 if errors else 200)


def _differing(file: StatementFile) -> int:
    return sum(file.counts.get(outcome, [0])[0] for outcome in Outcome.values)


def _address(opened: Opened, found: StatementFile) -> str:
    return reverse("returns:gstr2b-file", args=[opened.taxpayer.gstin, found.pk])


@require_safe
def file(request: HttpRequest, gstin: str, pk: uuid.UUID) -> HttpResponse:
    """Show how far a comparison is, or what came of it; one outcome at a time is listed."""
    held = web.enter(request, gstin)
    found = gstr2b_files.of(taxpayer=held.taxpayer, file_id=pk)
    if found is None:
        raise Http404("No such file.")
    today = standing.for_page(held, request.portal_now)
    opened = Opened(held, today.filer.period(found.month), request.portal_now, today)
    context: dict[str, object] = {"job": found, "job_url": _address(opened, found)}
    if found.state == StatementFile.State.DONE:
        context |= _outcome(request, opened, found)
    if getattr(request, "htmx", False):
        status = web.STOP_POLLING if found.is_over else 200
        return opened.render(request, "returns/_gstr2b_file.html", context, status=status)
    return opened.render(request, "returns/gstr2b_file.html", context)


def _outcome(request: HttpRequest, opened: Opened, found: StatementFile) -> dict[str, object]:
    """Return what came of a comparison, and the rows of the outcome that is open."""
    there = [outcome for outcome in Outcome if found.counts.get(outcome, [0])[0]]
    tab = request.GET.get("tab", "") or (there or [Outcome.DIFFERS])[0].value
    after = request.GET.get("after", "0")
    if tab not in Outcome.values or not (after.isascii() and after.isdigit() and len(after) < 19):  # noqa: PLR2004 a bigint's digits
        raise Http404("No such rows.")
    rows = gstr2b_files.differences(found, tab, after=int(after), most=ROWS + 1)
    newest = gstr2b.version(taxpayer=opened.taxpayer, period=opened.period, version=None)
    sums = gstr2b_file_words.sums(found)
    return {
        "tab": tab,
        "tab_name": Outcome(tab).label,
        "tabs": [(one.value, one.label, found.counts.get(one, [0, 0, 0])) for one in Outcome],
        "same": gstr2b_files.same(found),
        "rows": [gstr2b_file_words.row(one) for one in rows[:ROWS]],
        "is_replaced": not rows and found.counts.get(tab, [0])[0] and after == "0",
        "next": rows[ROWS - 1].pk if len(rows) > ROWS else None,
        "is_first": after == "0",
        "sums": [one for one in sums if one.differs],
        "sum_count": len(sums),
        "newer": newest if newest and found.statement and newest.version > found.statement.version else None,
    }
