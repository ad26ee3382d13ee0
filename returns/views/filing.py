"""Filing GSTR-3B: look before you file, file what was shown, the receipt."""

from __future__ import annotations

from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_http_methods, require_safe

from ims_portal import access, clock, proof, web
from ims_portal.access import Right
from returns import gstr3b, holds, payment, payment_card, review, tables, wording
from returns.gstr3b import Draft
from returns.review import Review
from returns.views.gstr3b import payment_context
from returns.views.opening import Opened, of_period
from returns.wording import Advice

SALT = "returns.shown"


@require_safe
@of_period(page="returns:gstr3b")
def review_page(request: HttpRequest, opened: Opened) -> HttpResponse:
    """Show what stands in the way of filing and what becomes final; of a filed period its receipt."""
    found = _found(opened)
    if found.draft.filing is not None:
        return web.see_other(opened.url("gstr3b-receipt"))
    return _review(request, opened, found)


def _found(opened: Opened) -> Review:
    return review.of(taxpayer=opened.taxpayer, period=opened.period, at=opened.at, today=opened.today)


def _review(
    request: HttpRequest, opened: Opened, found: Review, refused: Advice | None = None, status: int = 200
) -> HttpResponse:
    signatories = [] if opened.may(Right.FILE) else access.who_may(opened.taxpayer, Right.FILE, opened.at)
    return opened.render(
        request,
        "returns/review.html",
        {
            "review": found,
            "draft": found.draft,
            "cards": tables.cards(found.draft),
            "refused": refused,
            "digest": tables.grouped(found.draft.digest),
            "shown": signing.dumps(review.shown(found.draft), salt=SALT, compress=True),
            "signatories": signatories,
            "is_proved": proof.is_fresh(request),
            "above": review.above_statement(found.draft),
            "pairs": [(pair, review.pair_warning(pair)) for pair in found.pairs],
            "unfiled": found.unfiled,
            **payment_context(found.draft),
        },
        status,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@of_period(page="returns:gstr3b", posting=Right.FILE)
def file(request: HttpRequest, opened: Opened) -> HttpResponse:
    """File exactly what was shown, or nothing. A GET, from a reload of a refusal, goes back to the review."""
    if request.method != "POST":
        return web.see_other(opened.url("gstr3b-review"))
    request_id = web.expect_form(request, opened.taxpayer.gstin)
    proof.require(request, opened.url("gstr3b-review"))
    try:
        gstr3b.file(
            taxpayer=opened.taxpayer,
            period=opened.period,
            actor=opened.held.user,
            clock=clock.portal(),
            shown_digest=request.POST.get("digest", ""),
            request_id=request_id,
        )
    except gstr3b.ChangedSinceShownError as changed:
        return _changed(request, opened, changed.shown_now)
    except gstr3b.Gstr3bRefusedError as refused:
        found = _found(opened)
        return _review(request, opened, found, review.advice(refused.refusal, found.draft), 409)
    except holds.HeldError as held:
        return _review(request, opened, _found(opened), wording.held(held), 409)
    return web.see_other(opened.url("gstr3b-receipt"))


def _changed(request: HttpRequest, opened: Opened, now: Draft) -> HttpResponse:
    try:
        before = signing.loads(request.POST.get("shown", ""), salt=SALT)
    except signing.BadSignature:
        before = {}
    return opened.render(
        request,
        "returns/changed.html",
        {"draft": now, "moved": review.moved(before, now), "version_before": before.get("version")},
        409,
    )


@require_safe
@of_period(page="returns:gstr3b")
def receipt_json(request: HttpRequest, opened: Opened) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Hand out the receipt of a filed period as JSON, amounts in rupees as text."""
    found = tables.receipt(taxpayer=opened.taxpayer, period=opened.period)
    if found is None:
        raise Http404("Not filed.")
    name = f"{found.filing.reference}.json"
    return JsonResponse(
        tables.receipt_as_json(found, opened.taxpayer, opened.period),
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
        json_dumps_params={"indent": 2, "ensure_ascii": False},
    )


@require_safe
@of_period(page="returns:gstr3b")
def receipt(request: HttpRequest, opened: Opened) -> HttpResponse:
    """Show the receipt of a filed period."""
    found = tables.receipt(taxpayer=opened.taxpayer, period=opened.period)
    if found is None:
        raise Http404("Not filed.")
    paid = payment_card.card(payment.read(found.filing.payment))
    return opened.render(request, "returns/receipt.html", {"receipt": found, "paid": paid})
