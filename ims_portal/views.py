"""The front door, the list of taxpayers, the home of a GSTIN, the sandbox's date, the calendar of due dates."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from itertools import groupby

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ims_portal import (
    access,
    agenda,
    calendar_keys,
    charts,
    clock,
    extensions,
    glossary,
    rulebook,
    sessions,
    tiles,
    web,
)
from ims_portal.clock import ClockNotSettableError
from ims_portal.extensions import RefusedError
from ims_portal.forms import ExtensionForm, PortalDateForm, RulesForm, SettingsForm
from ims_portal.rules import periods
from ims_portal.rules.periods import Return
from ims_portal.rules.table import Fact

DAYS_OF_STRIP = 6
DEAREST = 5
SHOWN_EXTENSIONS = 200


@login_not_required
@require_safe
def front(request: HttpRequest) -> HttpResponse:
    """Send people to their taxpayers, or to sign in, in the language their browser or cookie asks for."""
    return redirect("taxpayers" if request.user.is_authenticated else "account_login")


@login_not_required
@require_safe
def health(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Say that the portal and its database answer."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "ok"})


@require_http_methods(["GET", "POST"])
def stay(request: HttpRequest) -> HttpResponse:
    """Say how many seconds the session lasts without doing anything; a POST is doing something."""
    return JsonResponse({"seconds": max(int(sessions.left(request).total_seconds()), 0)})


@require_safe
def taxpayers(request: HttpRequest) -> HttpResponse:
    """List the GSTINs the signed-in person may see."""
    request.portal_now = at = clock.portal().now()
    found = access.all_of(user=request.user, at=at)
    context = {"taxpayers": [held.taxpayer for held in found], "has_clients": access.has_clients(found)}
    return render(request, "ims_portal/taxpayers.html", context)


@require_safe
def home(request: HttpRequest, gstin: str) -> HttpResponse:
    """Show where the open period of a GSTIN stands: tiles, the days to come, the dearest deadlines, charts."""
    held = web.enter(request, gstin)
    at = request.portal_now
    found = agenda.of(held, at)
    figures = [charts.deadlines(found), *charts.of(held, at)]
    context = {
        "tiles": tiles.of(held, at),
        "days": [(on, list(items)) for on, items in groupby(found.items, key=lambda item: item.on)][:DAYS_OF_STRIP],
        "rows": [{"item": item, "days": (item.on - found.day).days} for item in found.dearest(DEAREST)],
        "more": max(len(found.items) - DEAREST, 0),
        "figures": [figure for figure in figures if figure is not None],
    }
    return render(request, "ims_portal/home.html", context)


@login_not_required
@require_safe
def text_page(request: HttpRequest, name: str) -> HttpResponse:
    """Show a page that only explains: help, glossary, accessibility, policies. They are open to everybody."""
    return render(request, f"ims_portal/{name}.html", {"words": glossary.WORDS})


@require_http_methods(["GET", "POST"])
def me(request: HttpRequest) -> HttpResponse:
    """Show and keep what the signed-in person chose for themselves."""
    form = SettingsForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Your settings are saved."))
        return web.see_other(reverse("me"))
    errors = [(form[name].id_for_label, text) for name, texts in form.errors.items() for text in texts]
    hours = int(sessions.LONGEST.total_seconds()) // 3600
    context = {
        "form": form,
        "errors": errors,
        "longest_hours": hours,
        "calendar_keys": calendar_keys.live(request.user),
    }
    return render(request, "ims_portal/me.html", context, status=422 if errors else 200)


@require_POST
def revoke_calendar(request: HttpRequest, gstin: str) -> HttpResponse:
    """Revoke one's own key to the deadlines of a GSTIN, whatever became of one's rights on it."""
    web.expect_form(request, gstin)
    key = get_object_or_404(calendar_keys.live(request.user), taxpayer__gstin=gstin)
    at = clock.portal().now()
    calendar_keys.revoke(user=request.user, taxpayer=key.taxpayer, at=at)
    messages.success(request, _("The calendar feed of %(gstin)s is revoked.") % {"gstin": gstin})
    return web.see_other(reverse("me"))


@require_safe
def rules_page(request: HttpRequest) -> HttpResponse:
    """Show every table of the law as in force on a chosen day; today's where none, or no day, is asked for."""
    request.portal_now = now = clock.portal().now()
    asked = RulesForm(request.GET or None)
    day = (asked.cleaned_data["on"] if asked.is_valid() else None) or clock.day(now)
    only_ours = bool(request.GET.get("ours"))
    context = {
        "form": asked,
        "day": day,
        "only_ours": only_ours,
        "chapters": rulebook.chapters(day, only_ours=only_ours),
        "figures": rulebook.FIGURES,
        "errors": [(asked["on"].id_for_label, text) for text in asked.errors.get("on", [])],
    }
    return render(request, "ims_portal/rules.html", context, status=422 if context["errors"] else 200)


@require_http_methods(["GET", "POST"])
def control_clock(request: HttpRequest) -> HttpResponse:
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
    errors = [(form[name].id_for_label, text) for name, texts in form.errors.items() for text in texts]
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
def control_calendar(request: HttpRequest) -> HttpResponse:
    """Show the extensions and the form for another, with a preview once it is filled in; a POST proposes it."""
    now = _enter_control(request)
    is_filled = request.method == "POST" or "period" in request.GET
    form = ExtensionForm((request.POST if request.method == "POST" else request.GET) if is_filled else None)
    preview = None
    if is_filled and form.is_valid():
        try:
            if request.method == "POST":
                extensions.propose(
                    asked=form.asked, actor=request.user, clock=clock.portal(), request_id=web.request_id(request)
                )
                messages.success(request, _("The extension is proposed. It waits for a second administrator."))
                return web.see_other(reverse("control-calendar"))
            preview = extensions.preview(form.asked, now)
        except RefusedError as refused:
            form.add_error(refused.field, str(refused))
    errors = [(form[name].id_for_label, text) for name, texts in form.errors.items() for text in texts]
    lines = [(line, uuid.uuid4(), uuid.uuid4()) for line in extensions.latest(SHOWN_EXTENSIONS)]
    return render(
        request,
        "ims_portal/calendar.html",
        {"form": form, "errors": errors, "preview": preview, "lines": lines},
        status=422 if errors else 200,
    )


@require_POST
def approve_extension(request: HttpRequest, pk: int) -> HttpResponse:
    """Put a proposed extension in force, or say why not."""
    return _decide(request, pk, extensions.approve, _("The extension is in force from now on."))


@require_POST
def withdraw_extension(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a proposed extension back, or say why not."""
    return _decide(request, pk, extensions.withdraw, _("The proposal is withdrawn."))


def _decide(request: HttpRequest, pk: int, do: Callable[..., None], done: str) -> HttpResponse:
    _enter_control(request)
    try:
        do(pk=pk, actor=request.user, clock=clock.portal(), request_id=web.request_id(request))
    except RefusedError as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, done)
    return web.see_other(reverse("control-calendar"))


def _enter_control(request: HttpRequest) -> datetime:
    """Let administrators in and return the portal's moment; for everybody else there is no such page."""
    if not request.user.is_staff:
        raise Http404("No such page.")
    request.portal_now = now = clock.portal().now()
    return now
