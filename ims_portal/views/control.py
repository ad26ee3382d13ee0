"""The administrator's desk: the sandbox's date, the calendar of due dates."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import date, datetime, time, timedelta

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from ims_portal import clock, extensions, proof, web
from ims_portal.clock import ClockNotSettableError
from ims_portal.extensions import RefusedError
from ims_portal.forms import ExtensionForm, PortalDateForm
from ims_portal.rules import periods
from ims_portal.rules.periods import Return
from ims_portal.rules.table import Fact

SHOWN_EXTENSIONS = 200
LONGEST_ID = 18
"""Digits of an id that PostgreSQL takes."""


def enter(request: HttpRequest) -> datetime:
    """Let administrators in and return the portal's moment; for everybody else there is no such page."""
    if not request.user.is_staff:
        raise Http404("No such page.")
    request.portal_now = now = clock.portal().now()
    return now


@require_http_methods(["GET", "POST"])
def clock_page(request: HttpRequest) -> HttpResponse:
    """Move the sandbox's date forward; for administrators, in the sandbox only."""
    if not (settings.IMS_SANDBOX and request.user.is_staff):
        raise Http404("No such page.")
    request.portal_now = now = clock.portal().now()
    form = PortalDateForm(request.POST or None, initial={"on": clock.day(now).strftime("%d/%m/%Y")})
    if request.method == "POST" and form.is_valid():
        try:
            clock.set_forward(to=timezone.make_aware(form.moment), actor=request.user)
        except ClockNotSettableError as problem:
            form.add_error("on", str(problem))
        else:
            messages.success(
                request, _("The portal date is set. Whatever falls due now is done by the worker within a minute.")
            )
            return web.see_other(reverse("control-clock"))
    errors = web.errors(form)
    return render(
        request,
        "ims_portal/clock.html",
        {"form": form, "errors": errors, "steps": _steps(now)},
        status=422 if errors else 200,
    )


def _worth_going_to(today: date) -> list[tuple[int, Fact]]:
    """Return days of a month with the return due then: due days, the days after them, and the first."""
    rows = periods.DUE_DAYS.at(periods.month_of(today)).rows
    due = {row.outcome: row.when.get("form", (Return.GSTR3B,))[0] for row in rows}
    return [*sorted(due.items()), *((day + 1, "") for day in sorted(due) if day + 1 not in due), (1, "")]


def _steps(now: datetime) -> list[tuple[str, datetime, Fact]]:
    """Return the next days worth going to, at ten in the morning: name, moment, what falls due."""
    today = clock.day(now)
    found = []
    for number, what in _worth_going_to(today):
        day = today.replace(day=1)
        while day.day != number or day <= today:
            day += timedelta(days=1)
        found.append((f"{number}/{day.month}", timezone.make_aware(datetime.combine(day, time(10))), what))
    return sorted(found, key=lambda step: step[1])


@require_http_methods(["GET", "POST"])
def calendar_page(request: HttpRequest) -> HttpResponse:
    """Show the extensions and the form for another, with a preview once it is filled in; a POST proposes it."""
    now = enter(request)
    is_filled = request.method == "POST" or "period" in request.GET
    form = ExtensionForm((request.POST if request.method == "POST" else request.GET) if is_filled else None)
    preview = None
    if is_filled and form.is_valid():
        try:
            if request.method == "POST":
                proof.require(request, f"{reverse('control-calendar')}?{_asked(request.POST)}")
                extensions.propose(
                    asked=form.asked, actor=request.user, clock=clock.portal(), request_id=web.request_id(request)
                )
                messages.success(request, _("The extension is proposed. It waits for a second administrator."))
                return web.see_other(reverse("control-calendar"))
            preview = extensions.preview(form.asked, now)
        except RefusedError as refused:
            form.add_error(refused.field, str(refused))
    errors = web.errors(form)
    lines = [(line, uuid.uuid4(), uuid.uuid4()) for line in extensions.latest(SHOWN_EXTENSIONS)]
    return render(
        request,
        "ims_portal/calendar.html",
        {"form": form, "errors": errors, "preview": preview, "lines": lines},
        status=422 if errors else 200,
    )


def _asked(sent: QueryDict) -> str:
    """Return what a form asked for, so that its page, which shows a preview of that, can be opened again."""
    kept = sent.copy()
    for name in ("csrfmiddlewaretoken", "request_id"):
        kept.pop(name, None)
    return kept.urlencode()


@require_POST
def approve_extension(request: HttpRequest, pk: int) -> HttpResponse:
    """Put a proposed extension in force, or say why not."""
    return _decide(request, pk, extensions.approve, _("The extension is in force from now on."))


@require_POST
def withdraw_extension(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a proposed extension back, or say why not."""
    return _decide(request, pk, extensions.withdraw, _("The proposal is withdrawn."))


def _decide(request: HttpRequest, pk: int, do: Callable[..., None], done: str) -> HttpResponse:
    enter(request)
    proof.require(request, reverse("control-calendar"))
    try:
        do(pk=pk, actor=request.user, clock=clock.portal(), request_id=web.request_id(request))
    except RefusedError as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, done)
    return web.see_other(reverse("control-calendar"))
