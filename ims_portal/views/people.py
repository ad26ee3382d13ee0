"""Who has which rights on a GSTIN: its roles and engagements, given and ended by who may grant; others only look."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from ims_portal import break_glass, clock, engagements, proof, roles, web
from ims_portal.access import PRACTITIONER, Access, Right
from ims_portal.forms import OfferForm, RoleForm, RowForm
from ims_portal.models import Membership, User
from ims_portal.roles import RefusedError

NO_ERRORS: list[tuple[str, str]] = []


@require_http_methods(["GET", "HEAD", "POST"])
def people(request: HttpRequest, gstin: str) -> HttpResponse:
    """List who has rights on a GSTIN; a POST changes them, for who may grant."""
    if request.method != "POST":
        return _page(request, web.enter(request, gstin))
    held = web.enter(request, gstin, Right.GRANT)
    request_id = web.expect_form(request, gstin)
    proof.require(request, reverse("people", args=[held.taxpayer.gstin]))
    what = request.POST.get("do", "")
    if what in ("give", "offer"):
        return _name_somebody(request, held, what, request_id)
    return _change_row(request, held, what, request_id)


def _page(request: HttpRequest, held: Access, wrong: Form | None = None) -> HttpResponse:
    """Return the page, with the form that was refused. A practitioner sees no other practitioner, and nothing past."""
    members, past_members = roles.of(held.taxpayer, request.portal_now)
    engaged, past_engaged = engagements.of(held.taxpayer, request.portal_now)
    if held.capacity == PRACTITIONER:
        engaged = [line for line in engaged if line.row.user_id == held.user.pk]
        past_members, past_engaged = [], []
    context = {
        "may_grant": held.may(Right.GRANT),
        "members": [(row, uuid.uuid4(), uuid.uuid4()) for row in members],
        "past_members": past_members,
        "engaged": [(line, uuid.uuid4(), uuid.uuid4()) for line in engaged],
        "past_engaged": past_engaged,
        "glasses": [] if held.capacity == PRACTITIONER else break_glass.of(held.taxpayer),
        "roles": Membership.Role.choices,
        "role_form": wrong if isinstance(wrong, RoleForm) else RoleForm(auto_id="role-%s"),
        "offer_form": wrong if isinstance(wrong, OfferForm) else OfferForm(auto_id="offer-%s"),
        "offer_request": uuid.uuid4(),
        "errors": web.errors(wrong) if wrong else NO_ERRORS,
    }
    return render(request, "ims_portal/people.html", context, status=422 if wrong else 200)


def _name_somebody(request: HttpRequest, held: Access, what: str, request_id: uuid.UUID) -> HttpResponse:
    """Give a role, or offer an engagement, to the user of a name; what is wrong is said at its field."""
    form = RoleForm(request.POST, auto_id="role-%s") if what == "give" else OfferForm(request.POST, auto_id="offer-%s")
    if not form.is_valid():
        return _page(request, held, form)
    who = {"taxpayer": held.taxpayer, "actor": held.user, "clock": clock.portal(), "request_id": request_id}
    username = form.cleaned_data["username"]
    try:
        if what == "give":
            user = roles.give(username=username, role=Membership.Role(form.cleaned_data["role"]), **who)
            messages.success(request, _("%(name)s has the role from now on.") % {"name": user})
        else:
            user = engagements.offer(username=username, terms=form.terms, **who)
            messages.success(request, _("%(name)s is asked. Nothing is granted until they accept.") % {"name": user})
    except RefusedError as refused:
        form.add_error(refused.field or None, str(refused))
        return _page(request, held, form)
    return web.see_other(reverse("people", args=[held.taxpayer.gstin]))


def _change_row(request: HttpRequest, held: Access, what: str, request_id: uuid.UUID) -> HttpResponse:
    """Do what the button of a row says, or say why not."""
    form = RowForm(request.POST)
    if not form.is_valid():
        raise web.incomplete()
    told = form.cleaned_data
    who = {"taxpayer": held.taxpayer, "actor": held.user, "clock": clock.portal(), "request_id": request_id}
    try:
        done = _do(what, told, who)
    except RefusedError as refused:
        messages.error(request, str(refused))
        return web.see_other(reverse("people", args=[held.taxpayer.gstin]))
    user, text = done
    messages.success(request, text % {"name": user})
    is_gone = what == "end-role" and user == held.user
    return web.see_other(reverse("taxpayers") if is_gone else reverse("people", args=[held.taxpayer.gstin]))


def _do(what: str, told: dict[str, object], who: dict[str, object]) -> tuple[User, str]:
    """Carry out one command and return whom it concerns, and the sentence that says what was done."""
    if what == "change-role" and told["role"]:
        role = Membership.Role(told["role"])
        return roles.change(membership=told["row"], role=role, **who), _("%(name)s has another role from now on.")
    if what == "end-role":
        return roles.end(membership=told["row"], **who), _("The role of %(name)s has ended.")
    if what == "accept":
        user = engagements.accept(engagement=told["row"], with_file=told["file"], **who)
        return user, _("The engagement of %(name)s is agreed.")
    if what == "end-engagement":
        user = engagements.end(engagement=told["row"], **who)
        return user, _("The engagement of %(name)s, or the request for one, has ended.")
    raise web.incomplete()
