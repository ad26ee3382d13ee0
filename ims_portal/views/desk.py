"""The front door, the list of taxpayers, the home of a GSTIN, own settings, and the pages that only explain."""

from __future__ import annotations

from itertools import groupby

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ims_portal import (
    access,
    account_events,
    agenda,
    break_glass,
    calendar_keys,
    charts,
    clock,
    engagements,
    glossary,
    rulebook,
    sessions,
    tiles,
    web,
)
from ims_portal.access import PRACTITIONER, Right
from ims_portal.forms import RulesForm, SettingsForm

DAYS_OF_STRIP = 6
DEAREST = 5


@login_not_required
@require_safe
def front(request: HttpRequest) -> HttpResponse:
    """Send people to their taxpayers, or to sign in, in the language their browser or cookie asks for."""
    return redirect("taxpayers" if request.user.is_authenticated else "account_login")


@require_http_methods(["GET", "POST"])
def stay(request: HttpRequest) -> HttpResponse:
    """Say how many seconds the session lasts without doing anything; a POST is doing something."""
    return JsonResponse({"seconds": max(int(sessions.left(request).total_seconds()), 0)})


@require_safe
def taxpayers(request: HttpRequest) -> HttpResponse:
    """List the GSTINs the signed-in person may see."""
    request.portal_now = at = clock.portal().now()
    found = access.all_of(user=request.user, at=at)
    context = {
        "taxpayers": [held.taxpayer for held in found],
        "has_clients": access.has_clients(found),
        "asked": engagements.waiting_for(request.user, at),
    }
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
        "asked": engagements.waiting_at(held.taxpayer, at) if held.may(Right.GRANT) else 0,
        "glasses": [] if held.capacity == PRACTITIONER else break_glass.recent(held.taxpayer, clock.real()),
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
    errors = web.errors(form)
    hours = int(sessions.LONGEST.total_seconds()) // 3600
    context = {
        "form": form,
        "errors": errors,
        "longest_hours": hours,
        "happened": account_events.of(request.user, clock.portal().now()),
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
        "errors": web.errors(asked),
    }
    return render(request, "ims_portal/rules.html", context, status=422 if context["errors"] else 200)
