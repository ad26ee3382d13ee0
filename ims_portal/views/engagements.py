"""The practitioner's side of engagements: their own, what they ask for, and what taxpayers ask of them."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from ims_portal import clock, engagements, proof, web
from ims_portal.forms import RequestForm, RowForm
from ims_portal.roles import RefusedError

PAGE = "engagements"


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """List one's own engagements and requests; a POST asks for one, accepts one or ends one."""
    request.portal_now = clock.portal().now()
    if request.method != "POST":
        return _page(request)
    request_id = web.request_id(request)
    proof.require(request, reverse(PAGE))
    if request.POST.get("do") == "ask":
        return _ask(request, request_id)
    return _change_row(request, request_id)


def _page(request: HttpRequest, wrong: RequestForm | None = None) -> HttpResponse:
    lines, past = engagements.of_user(request.user, request.portal_now)
    context = {
        "lines": [(line, uuid.uuid4(), uuid.uuid4()) for line in lines],
        "past": past,
        "form": wrong or RequestForm(),
        "errors": web.errors(wrong) if wrong else [],
    }
    return render(request, "ims_portal/engagements.html", context, status=422 if wrong else 200)


def _ask(request: HttpRequest, request_id: uuid.UUID) -> HttpResponse:
    """Ask a GSTIN for an engagement; what is wrong is said at its field."""
    form = RequestForm(request.POST)
    if not form.is_valid():
        return _page(request, form)
    gstin = form.cleaned_data["gstin"]
    try:
        engagements.ask(gstin=gstin, terms=form.terms, actor=request.user, clock=clock.portal(), request_id=request_id)
    except RefusedError as refused:
        form.add_error(refused.field or None, str(refused))
        return _page(request, form)
    messages.success(request, _("%(gstin)s is asked. You may open it once they accept.") % {"gstin": gstin})
    return web.see_other(reverse(PAGE))


def _change_row(request: HttpRequest, request_id: uuid.UUID) -> HttpResponse:
    """Accept a row or end it, or say why not."""
    form, gstin = RowForm(request.POST), request.POST.get("gstin", "")
    do = {"accept": engagements.agree, "end": engagements.leave}.get(request.POST.get("do", ""))
    if do is None or not form.is_valid() or not gstin.isalnum():
        raise web.incomplete()
    try:
        do(
            engagement=form.cleaned_data["row"],
            gstin=gstin,
            actor=request.user,
            clock=clock.portal(),
            request_id=request_id,
        )
    except RefusedError as refused:
        messages.error(request, str(refused))
    else:
        done = _("The engagement is agreed.") if do is engagements.agree else _("It has ended.")
        messages.success(request, f"{gstin}: {done}")
    return web.see_other(reverse(PAGE))
