"""The summary of the inward desk: how many records stand where, tab by tab; every number leads to its list."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from ims_portal import tiles, web
from ims_portal.access import Right
from ims_portal.rules.actions import Action
from ims_portal.rules.documents import BILLS_OF_ENTRY, Section
from invoices import inbox, standing, wording
from invoices.filters import IN_IMS, SUPERSEDED, Filters
from invoices.inbox import SectionSum
from invoices.inbox_sql import Sum
from invoices.views.listing import OPEN_COLUMNS, SETTLED_COLUMNS

OTHER, ISD, IMPORT, SETTLED = "other", "isd", "import", "settled"
TABS = {
    OTHER: gettext_lazy("All other ITC"),
    ISD: gettext_lazy("Inward supplies from ISD"),
    IMPORT: gettext_lazy("Import of goods"),
    SETTLED: gettext_lazy("Settled"),
}
OF_TAB = {
    OTHER: tuple(section for section in IN_IMS if section not in BILLS_OF_ENTRY),
    ISD: (),
    IMPORT: tuple(section for section in IN_IMS if section in BILLS_OF_ENTRY),
    SETTLED: IN_IMS,
}
"""Tab -> its sections. What comes by an input service distributor is in no list: nothing is decided on it."""


@require_safe
def summary(request: HttpRequest, gstin: str) -> HttpResponse:
    """Show how many records of a tab stand where; Settled shows what filed returns made final."""
    tab = request.GET.get("tab", OTHER)
    held = web.enter(request, gstin)
    if tab not in TABS:
        raise Http404("No such page.")
    today = standing.for_page(held, request.portal_now)
    period = inbox.open_period(held.taxpayer, today)
    is_open = tab != SETTLED
    found = inbox.summary(taxpayer=held.taxpayer, today=today, settled=not is_open)
    near = inbox.near_limit(taxpayer=held.taxpayer, today=today, open_now=period) if is_open else {}
    context = {
        "tab": tab,
        "is_settled": not is_open,
        "tabs": [
            (name, f"?tab={code}", code == tab, _waiting(found, code) if is_open else 0) for code, name in TABS.items()
        ],
        "period": period,
        "near_limit": [wording.near_limit(year, few, today) for year, few in near.items()],
        "tile": tiles.one("gstr2b", held, request.portal_now),
        "may_compute": held.may(Right.COMPUTE),
        "must_be_told": is_open and not held.user.knows_silence_accepts,
    }
    return render(request, "invoices/inward.html", context | _table(gstin, tab, found))


@require_POST
def understood(request: HttpRequest, gstin: str) -> HttpResponse:
    """Keep that somebody knows what silence means, so that the notice is not shown to them again."""
    held = web.enter(request, gstin)
    web.expect_form(request, gstin)
    held.user.knows_silence_accepts = True
    held.user.save(update_fields=["knows_silence_accepts"])
    return web.see_other(reverse("invoices:inward", args=[gstin]))


def _waiting(found: list[SectionSum], tab: str) -> int:
    """Return how many records of a tab need somebody."""
    return sum(line.needs_you.count for line in found if line.section in OF_TAB[tab]) if tab != SETTLED else 0


def _table(gstin: str, tab: str, found: list[SectionSum]) -> dict[str, object]:
    is_settled = tab == SETTLED
    states = SETTLED_COLUMNS if is_settled else OPEN_COLUMNS
    lines = [line for line in found if line.section in OF_TAB[tab]]
    rows = [
        _row(gstin, wording.SECTIONS[line.section], line, Filters(sections=(line.section,), settled=is_settled), states)
        for line in lines
    ]
    whole = Filters(sections=OF_TAB[tab], settled=is_settled)
    total = SectionSum(
        Section.B2B,
        {letter: sum((line.by_action.get(letter, Sum()) for line in lines), Sum()) for letter in _letters(lines)},
        sum((line.needs_you for line in lines), Sum()),
    )
    return {
        "columns": [wording.STATES[action] for action in states],
        "sections": rows,
        "total": _row(gstin, _("All of these"), total, whole, states) if lines else None,
    }


def _letters(lines: list[SectionSum]) -> set[str]:
    return {letter for line in lines for letter in line.by_action}


def _row(gstin: str, name: object, line: SectionSum, filters: Filters, states: tuple[Action, ...]) -> dict[str, object]:
    """Return one line of the table: every number with the address of the records it counts."""
    has_no_reject = set(filters.sections) <= BILLS_OF_ENTRY
    cells = []
    for action in states:
        found = line.by_action.get(action.value, Sum())
        is_barred = has_no_reject and action is Action.REJECT and not found.count
        cells.append((None if is_barred else found, filters.but(action=action.value).address(gstin)))
    return {
        "name": name,
        "url": filters.address(gstin),
        "cells": cells,
        "total": line.total,
        "needs_you": line.needs_you,
        "needs_url": filters.but(needs_you=True).address(gstin),
        "superseded": line.by_action.get(SUPERSEDED, Sum()),
        "superseded_url": filters.but(action=SUPERSEDED).address(gstin),
    }
