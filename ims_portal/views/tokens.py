"""Tokens of one's own programs: what there is, a new one shown once, and the end of one."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from ims_portal import access, clock, engagements, one_time_codes, proof, tokens, web
from ims_portal.access import Access, Right
from ims_portal.forms import TokenForm
from ims_portal.models import ApiToken
from ims_portal.tokens import TokenRefusedError

PAGE = "tokens"
MOST_SHOWN = 20
"""More GSTINs than this are narrowed down by typing."""
MOST_IN_ROW = 5
MOST_NAMED = 50
"""How many GSTINs are listed with the people to ask."""
ASKED = "token_asked"
"""Where a session keeps what a form asked for, while its person proves who they are."""


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """List one's tokens that let in; a POST makes one, or narrows down the GSTINs of the form.

    A new token is answered with the page itself, not by a 303: it is shown once, and kept nowhere to show it from.
    """
    request.portal_now = at = clock.portal().now()
    mine = tokens.grantable(request.user, at)
    may_file, may_feed = bool(mine) and tokens.has_app(request.user), request.user.is_staff
    options = {"gstins": [held.taxpayer.gstin for held in mine], "may_file": may_file, "may_feed": may_feed}
    may_make = bool(mine) or may_feed
    if request.method != "POST":
        kept = request.session.pop(ASKED, None) if may_make else None
        return _page(request, mine, TokenForm(initial=kept, **options))
    request_id = web.request_id(request)
    if not may_make:
        return _page(request, mine, TokenForm(**options), status=403)
    if request.POST.get("do") == "narrow":
        return _page(request, mine, TokenForm(initial=_sent(request), **options))
    return _make(request, mine, TokenForm(request.POST, **options), request_id)


def _make(request: HttpRequest, mine: list[Access], form: TokenForm, request_id: uuid.UUID) -> HttpResponse:
    """Make the token a form asks for; what is wrong is said at its field."""
    if not form.is_valid():
        return _page(request, mine, form, status=422)
    if not proof.is_fresh(request):
        request.session[ASKED] = form.cleaned_data
        messages.info(request, _("Say first that it is you. What you filled in is kept, and no token is made yet."))
        return web.see_other(proof.ask(reverse(PAGE)))
    try:
        made = tokens.make(user=request.user, terms=form.terms, clock=clock.portal(), request_id=request_id)
    except TokenRefusedError as refused:
        for field, text in refused.problems.items():
            form.add_error(field or None, text)
        return _page(request, mine, form, status=422)
    gstins = [held.taxpayer.gstin for held in mine]
    blank = TokenForm(gstins=gstins, may_file=form.may_file, may_feed=form.may_feed)
    return _page(request, mine, blank, made=made, was_made=not made)


def _page(
    request: HttpRequest,
    mine: list[Access],
    form: TokenForm,
    *,
    made: str = "",
    was_made: bool = False,
    status: int = 200,
) -> HttpResponse:
    others = [] if mine else access.all_of(user=request.user, at=request.portal_now)
    context = {
        "lines": [
            _line(row) for row in tokens.live(request.user).select_related("sealed").prefetch_related("taxpayers")
        ],
        "form": form,
        "has_mine": bool(mine),
        "may_make": bool(mine) or form.may_feed,
        "may_file": form.may_file,
        "is_proved": proof.is_fresh(request),
        "errors": web.errors(form) if form.is_bound else [],
        "made": made,
        "was_made": was_made,
        "address": request.build_absolute_uri(reverse("api:token")),
        "may_have_codes": settings.GSTN_ENCRYPTED_PROFILE and bool(mine),
        "codes": one_time_codes.taxpayers_waiting(request.user) if settings.GSTN_ENCRYPTED_PROFILE and mine else [],
        **_choice(request, mine, form),
        **_whom_to_ask(request, others),
    }
    return render(request, "ims_portal/tokens.html", context, status=status)


def _sent(request: HttpRequest) -> dict[str, object]:
    """Return what a form holds so far, right or not, to be shown again."""
    told = request.POST
    lists = {name: told.getlist(name) for name in ("gstins", "rights")}
    return {name: told.get(name, "") for name in ("name", "lasts", "networks", "file", "feeds")} | lists


def _choice(request: HttpRequest, mine: list[Access], form: TokenForm) -> dict[str, object]:
    """Return the GSTINs to choose from: those that fit what was typed, as many as a page shows, and all ticked ones."""
    ticked = set(form["gstins"].value() or ())
    typed = " ".join(request.POST.get("narrow", "").split())[:60]
    words = typed.casefold().split()
    fitting = [
        held.taxpayer
        for held in mine
        if all(word in f"{held.taxpayer.name} {held.taxpayer.gstin}".casefold() for word in words)
    ]
    shown = {taxpayer.gstin for taxpayer in fitting[:MOST_SHOWN]} | ticked
    return {
        "choice": [(held.taxpayer, held.taxpayer.gstin in ticked) for held in mine if held.taxpayer.gstin in shown],
        "typed": typed,
        "has_many": len(mine) > MOST_SHOWN,
        "hidden": sum(1 for taxpayer in fitting if taxpayer.gstin not in shown),
    }


def _line(row: ApiToken) -> dict[str, object]:
    """Return a token as its row tells it: how it begins, its first GSTINs, the rest behind a click, its rights."""
    found = sorted(row.taxpayers.all(), key=lambda taxpayer: taxpayer.gstin)
    rights = [str(name) for right, name in engagements.NAMES.items() if right.value in row.rights and found]
    rights += [str(TokenForm.base_fields["feeds"].label)] if row.feeds else []
    mark = tokens.MARK_OF_SESSIONS if hasattr(row, "sealed") else tokens.MARK
    begins = f"{mark}_{row.prefix}"
    return {"row": row, "begins": begins, "first": found[:MOST_IN_ROW], "rest": found[MOST_IN_ROW:], "rights": rights}


def _whom_to_ask(request: HttpRequest, others: list[Access]) -> dict[str, object]:
    """Return the GSTINs of somebody who may make no token, each with the people who may."""
    some = [held.taxpayer for held in others[:MOST_NAMED]]
    who = access.who_may_of(some, Right.GRANT, request.portal_now)
    return {"asked_of": [(taxpayer, who[taxpayer.pk]) for taxpayer in some], "more_to_ask": len(others) - len(some)}


@require_POST
def revoke(request: HttpRequest, prefix: str) -> HttpResponse:
    """Revoke one of one's own tokens; one that ended before stays so, and somebody else's is not there."""
    web.request_id(request)
    row = get_object_or_404(request.user.api_tokens, prefix=prefix)
    tokens.revoke(user=request.user, prefix=prefix, at=clock.portal().now())
    messages.success(request, _("The token %(name)s lets nobody in any more.") % {"name": row.name})
    return web.see_other(reverse(PAGE))
