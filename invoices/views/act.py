"""Choosing: a page of choices is kept in its person's draft; saving commits what asks nothing, and asks the rest."""

from __future__ import annotations

import uuid
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ims_portal import clock, web
from ims_portal.access import Access, Right
from invoices import drafts, filters, forms, locking, standing
from invoices.drafts import Sent

NOTHING_TO_SHOW = 204
BUSY = 503


@require_POST
def act(request: HttpRequest, gstin: str) -> HttpResponse:
    """Keep, save or discard choices; with somewhere to `go`, or a `filter` form sent along, keep them and go there."""
    held = web.enter(request, gstin, Right.ACT)
    request_id = web.expect_form(request, gstin)
    back = web.local(request.POST.get("back", ""), otherwise=reverse("invoices:inward", args=[gstin]))
    deed, go = request.POST.get("do", "save"), request.POST.get("go", "") or _filtered(request.POST)
    if deed == "discard":
        drafts.discard(taxpayer=held.taxpayer, actor=held.user)
        return web.see_other(with_result(back, None))
    try:
        sent = forms.sent(request.POST, back=back)
    except forms.UnreadableChoiceError:
        raise web.FormRefusedError(_("This form is not one of the portal's. Nothing was saved.")) from None
    if deed == "stage" or go:
        today = standing.of(held.taxpayer, request.portal_now)
        drafts.stage(taxpayer=held.taxpayer, actor=held.user, sent=sent, today=today, real_at=clock.real())
        return web.see_other(_onward(go, back)) if go else HttpResponse(status=NOTHING_TO_SHOW)
    return _save(request, held, sent, request_id)


def _save(request: HttpRequest, held: Access, sent: Sent, request_id: uuid.UUID) -> HttpResponse:
    gstin = held.taxpayer.gstin
    only = sent.picked[0].record_id if request.POST.get("only") and sent.picked else None
    try:
        saved = drafts.save(
            taxpayer=held.taxpayer,
            actor=held.user,
            sent=sent,
            clock=clock.portal(),
            real_at=clock.real(),
            request_id=request_id,
            only=only,
        )
    except locking.BusyError:
        return busy(request, again=reverse("invoices:act", args=[gstin]), back=sent.back)
    result = drafts.outcome_key(request_id) if saved.outcome.results else None
    if saved.asking:
        asked = reverse("invoices:act-review", args=[gstin, saved.draft_id])
        return web.see_other(with_result(f"{asked}?only={only}" if only else asked, result))
    if result is None:
        messages.info(request, _("Nothing was changed: every row stands as it was saved."))
    return web.see_other(with_result(sent.back, result))


def _filtered(post: QueryDict) -> str:
    """Return the address of the list its filter form asks for, which without script is sent with the rows."""
    base, query = post.get("filter", ""), filters.typed(post)
    return f"{base}?{query}" if base and query else base


def _onward(go: str, back: str) -> str:
    """Return where to go with the choices kept; an address that begins with ? is one of the page they are from."""
    asked = urlsplit(back).path + go if go.startswith("?") else go
    return with_result(web.local(asked, otherwise=back), None)


def busy(request: HttpRequest, *, again: str, back: str, is_answered: bool = False) -> HttpResponse:
    """Say that another change is being written; the choices are kept, and one button tries again."""
    context = {"again": again, "back": back, "is_answered": is_answered}
    answer = web.whole(request, render(request, "invoices/busy.html", context, status=BUSY))
    answer.headers["Retry-After"] = "2"
    return answer


def with_result(url: str, result: uuid.UUID | None) -> str:
    """Return an address that tells what the save before it came to."""
    parts = urlsplit(url)
    query = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != "result"]
    if result is not None:
        query.append(("result", str(result)))
    return parts._replace(query=urlencode(query, safe="/")).geturl()
