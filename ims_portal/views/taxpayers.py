"""The taxpayers of the portal, for administrators: listed, made, and given their first signatory by two of them."""

from __future__ import annotations

import uuid
from urllib.parse import urlencode

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from ims_portal import clock, proof, signatories, taxpayers, web
from ims_portal.forms import NominationForm, SearchForm, TaxpayerForm
from ims_portal.roles import RefusedError
from ims_portal.rules import gstin
from ims_portal.views import control

ROWS = 50
NO_ERRORS: list[tuple[str, str]] = []


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """List the taxpayers; a POST makes one, names a first signatory, confirms or takes back what was named."""
    control.enter(request)
    if request.method != "POST":
        return _page(request)
    what, request_id = request.POST.get("do", ""), web.request_id(request)
    proof.require(request, reverse("control-taxpayers"))
    if what == "create":
        return _create(request, request_id)
    if what == "name":
        return _name(request, request_id)
    if what in ("confirm", "withdraw"):
        return _decide(request, what, request_id)
    raise web.incomplete()


def _page(request: HttpRequest, wrong: Form | None = None) -> HttpResponse:
    """Return the page, with the form that was refused."""
    search = SearchForm(request.GET, auto_id="search-%s")
    after = request.GET.get("after", "")
    after = after if after.isascii() and after.isalnum() and len(after) == gstin.LENGTH else ""
    typed = search.cleaned_data["q"] if search.is_valid() else ""
    found = taxpayers.page(typed, request.portal_now, most=ROWS + 1, after=after) if search.is_valid() else []
    told = {"q": typed} if typed else {}
    context = {
        "search": search,
        "typed": typed,
        "lines": found[:ROWS],
        "is_later": bool(after),
        "first_url": f"?{urlencode(told)}",
        "next_url": f"?{urlencode(told | {'after': found[ROWS - 1].row.gstin})}" if len(found) > ROWS else "",
        "waiting": [(row, uuid.uuid4(), uuid.uuid4()) for row in signatories.waiting()],
        "new_form": wrong if isinstance(wrong, TaxpayerForm) else TaxpayerForm(auto_id="new-%s"),
        "name_form": wrong if isinstance(wrong, NominationForm) else NominationForm(auto_id="name-%s"),
        "name_request": uuid.uuid4(),
        "errors": web.errors(search) + (web.errors(wrong) if wrong else NO_ERRORS),
    }
    return render(request, "ims_portal/control_taxpayers.html", context, status=422 if context["errors"] else 200)


def _create(request: HttpRequest, request_id: uuid.UUID) -> HttpResponse:
    form = TaxpayerForm(request.POST, auto_id="new-%s")
    if not form.is_valid():
        return _page(request, form)
    try:
        is_new = taxpayers.create(new=form.new, actor=request.user, clock=clock.portal(), request_id=request_id)
    except RefusedError as refused:
        form.add_error(refused.field or None, str(refused))
        return _page(request, form)
    number = form.new.gstin
    if is_new:
        messages.success(request, _("%(gstin)s is here now. Name its first signatory.") % {"gstin": number})
    else:
        text = _("%(gstin)s was named in a return before, so only its names are new. Name its first signatory.")
        messages.success(request, text % {"gstin": number})
    return web.see_other(f"{reverse('control-taxpayers')}?{urlencode({'q': number})}")


def _name(request: HttpRequest, request_id: uuid.UUID) -> HttpResponse:
    form = NominationForm(request.POST, auto_id="name-%s")
    if not form.is_valid():
        return _page(request, form)
    try:
        user = signatories.propose(
            gstin=form.cleaned_data["gstin"],
            username=form.cleaned_data["username"],
            actor=request.user,
            clock=clock.portal(),
            request_id=request_id,
        )
    except RefusedError as refused:
        form.add_error(refused.field or None, str(refused))
        return _page(request, form)
    messages.success(request, _("%(name)s is named. It waits for a second administrator.") % {"name": user})
    return web.see_other(reverse("control-taxpayers"))


def _decide(request: HttpRequest, what: str, request_id: uuid.UUID) -> HttpResponse:
    """Confirm what another administrator named, or take it back, or say why not."""
    told = request.POST.get("row", "")
    if not (told.isascii() and told.isdigit() and len(told) <= control.LONGEST_ID):
        raise web.incomplete()
    do = signatories.confirm if what == "confirm" else signatories.withdraw
    try:
        do(pk=int(told), actor=request.user, clock=clock.portal(), request_id=request_id)
    except RefusedError as refused:
        messages.error(request, str(refused))
    else:
        confirmed, taken_back = _("The signatory is in force from now on."), _("The proposal is withdrawn.")
        messages.success(request, confirmed if what == "confirm" else taken_back)
    return web.see_other(reverse("control-taxpayers"))
