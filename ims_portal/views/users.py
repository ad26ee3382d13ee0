"""The people of the portal, for administrators: listed, made, suspended and let in again, their sessions ended."""

from __future__ import annotations

import uuid
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from ims_portal import accounts, clock, proof, users, web
from ims_portal.forms import SearchForm, UserForm
from ims_portal.models import User
from ims_portal.roles import RefusedError
from ims_portal.views import control

ROWS = 50
NO_ERRORS: list[tuple[str, str]] = []


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """List the users; a POST makes one, or does what the button of a row says.

    A new link is answered with the page itself, not by a 303: it is shown once, and kept nowhere to show it from.
    """
    control.enter(request)
    if request.method != "POST":
        return _page(request)
    request_id = web.request_id(request)
    proof.require(request, reverse("control-users"))
    if request.POST.get("do") == "create":
        return _create(request, request_id)
    told = request.POST.get("row", "")
    if not (told.isascii() and told.isdigit() and len(told) <= control.LONGEST_ID):
        raise web.incomplete()
    try:
        return _do(request, int(told), request_id)
    except RefusedError as refused:
        messages.error(request, str(refused))
        return web.see_other(reverse("control-users"))


def _page(request: HttpRequest, wrong: UserForm | None = None, new: User | None = None) -> HttpResponse:
    """Return the page, with the form that was refused, or the link of somebody who has yet to choose a password."""
    search = SearchForm(request.GET, auto_id="search-%s")
    after = request.GET.get("after", "")[:150].replace("\x00", "")
    typed = search.cleaned_data["q"] if search.is_valid() else ""
    found = users.page(typed, request.portal_now, most=ROWS + 1, after=after) if search.is_valid() else []
    told = {"q": typed} if typed else {}
    context = {
        "search": search,
        "typed": typed,
        "lines": found[:ROWS],
        "is_later": bool(after),
        "first_url": f"?{urlencode(told)}",
        "next_url": f"?{urlencode(told | {'after': found[ROWS - 1].row.username})}" if len(found) > ROWS else "",
        "form": wrong or UserForm(auto_id="new-%s"),
        "new": new,
        "link": request.build_absolute_uri(accounts.password_path(new)) if new else "",
        "errors": web.errors(search) + (web.errors(wrong) if wrong else NO_ERRORS),
    }
    return render(request, "ims_portal/control_users.html", context, status=422 if context["errors"] else 200)


def _create(request: HttpRequest, request_id: uuid.UUID) -> HttpResponse:
    form = UserForm(request.POST, auto_id="new-%s")
    if not form.is_valid():
        return _page(request, form)
    try:
        new = users.create(
            username=form.cleaned_data["username"],
            name=form.cleaned_data["name"],
            actor=request.user,
            clock=clock.portal(),
            request_id=request_id,
        )
    except RefusedError as refused:
        form.add_error(refused.field or None, str(refused))
        return _page(request, form)
    return _page(request, new=new) if new else web.see_other(reverse("control-users"))


def _do(request: HttpRequest, pk: int, request_id: uuid.UUID) -> HttpResponse:
    """Carry out the order of a row and say what was done."""
    what, who = request.POST.get("do"), {"pk": pk, "actor": request.user, "clock": clock.portal()}
    who["request_id"] = request_id
    if what == "link":
        new = users.may_choose_password(**who)
        return _page(request, new=new) if new else web.see_other(reverse("control-users"))
    if what == "suspend":
        row, text = users.suspend(real=clock.real, **who), _("%(name)s is suspended and signed out.")
    elif what == "reactivate":
        row, text = users.reactivate(**who), _("%(name)s may sign in again.")
    elif what == "end-sessions":
        row, text = users.end_sessions(real=clock.real, **who), _("%(name)s is signed out everywhere.")
    else:
        raise web.incomplete()
    messages.success(request, text % {"name": row})
    return web.see_other(f"{reverse('control-users')}?{urlencode({'q': row.username})}")
