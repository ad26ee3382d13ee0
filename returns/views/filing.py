"""Filing GSTR-3B: look before you file, file what was shown, the receipt."""

from __future__ import annotations

from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_POST, require_safe

from ims_portal import access, web
from ims_portal.access import Right
from ims_portal.clock import portal
from ims_portal.rules.money import Tax
from returns import gstr3b, review, tables
from returns.gstr3b import Draft
from returns.views.gstr3b import behind
from returns.views.opening import Opened, of_period
from returns.wording import Advice

SALT = "returns.shown"


@require_safe
@of_period(page="returns:gstr3b")
def review_page(request: HttpRequest, opened: Opened) -> HttpResponse:
    """Show what stands in the way of filing and what becomes final."""
    return _review(request, opened)


def _review(request: HttpRequest, opened: Opened, refused: Advice | None = None, status: int = 200) -> HttpResponse:
    found = review.of(taxpayer=opened.taxpayer, period=opened.period, at=opened.at, today=opened.today)
    signatories = [] if opened.may(Right.FILE) else access.who_may(opened.taxpayer, Right.FILE, opened.at)
    return opened.render(
        request,
        "returns/review.html",
        {
            "review": found,
            "draft": found.draft,
            "cards": tables.cards(found.draft),
            "refused": refused,
            "staleness": behind(found.draft),
            "digest": tables.grouped(found.draft.digest),
            "shown": signing.dumps(_shown(found.draft), salt=SALT, compress=True),
            "signatories": signatories,
        },
        status,
    )


def _shown(draft: Draft) -> dict[str, object]:
    """Return the figures a signatory was shown, to be set beside the new ones should they change."""
    return {
        "rows": {row: list(tax) for row, tax in draft.declared.items()},
        "version": draft.statement.version if draft.statement else 0,
    }


@require_POST
@of_period(Right.FILE, page="returns:gstr3b")
def file(request: HttpRequest, opened: Opened) -> HttpResponse:
    """File exactly what was shown, or nothing."""
    request_id = web.expect_form(request, opened.taxpayer.gstin)
    try:
        gstr3b.file(
            taxpayer=opened.taxpayer,
            period=opened.period,
            actor=opened.held.user,
            clock=portal(),
            shown_digest=request.POST.get("digest", ""),
            request_id=request_id,
        )
    except gstr3b.ChangedSinceShownError as changed:
        return _changed(request, opened, changed.shown_now)
    except gstr3b.Gstr3bRefusedError as refused:
        shown = gstr3b.draft(taxpayer=opened.taxpayer, period=opened.period, at=opened.at, today=opened.today)
        return _review(request, opened, review.advice(refused.refusal, shown), 409)
    return web.see_other(opened.url("gstr3b-receipt"))


def _changed(request: HttpRequest, opened: Opened, now: Draft) -> HttpResponse:
    try:
        before = signing.loads(request.POST.get("shown", ""), salt=SALT)
    except signing.BadSignature:
        before = {"rows": {}, "version": 0}
    rows = [(row, Tax(*heads)) for row, heads in before["rows"].items()]
    return opened.render(
        request,
        "returns/changed.html",
        {"draft": now, "moved": review.moved(rows, now), "version_before": before["version"]},
        409,
    )


@require_safe
@of_period(page="returns:gstr3b")
def receipt(request: HttpRequest, opened: Opened) -> HttpResponse:
    """Show the receipt of a filed period."""
    found = tables.receipt(taxpayer=opened.taxpayer, period=opened.period)
    if found is None:
        raise Http404("Not filed.")
    return opened.render(request, "returns/receipt.html", {"receipt": found})
