"""The supplier's outward desk: what each recipient decided about what was reported, and what that costs (R6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from ims_portal import web
from ims_portal.access import Access
from ims_portal.rules import periods
from ims_portal.rules.actions import Action
from ims_portal.rules.documents import Section
from ims_portal.rules.periods import Filer, TaxPeriod, financial_year_of
from invoices import forms, inbox, outward_list, reported, standing, wording
from invoices.models import Record
from invoices.outward_filters import FORMS, SECTIONS, Parsed, Wanted, parse
from invoices.outward_list import Counted
from invoices.outward_workbook import COLUMNS
from invoices.views import messages
from invoices.views.supplier_returns import SLUGS, lines_of, reason_of

UNREADABLE = 400
UNSHOWN = frozenset({"recipient", "in"})
"""Filters that only links set: the form has no field for them."""


@require_safe
def outward(request: HttpRequest, gstin: str) -> HttpResponse:
    """List what the supplier reported: the categories by recipient's action, and the documents themselves."""
    return _list(request, gstin, parse(request.GET))


@require_safe
def section(request: HttpRequest, gstin: str, section: str) -> HttpResponse:
    """List the documents of one category."""
    if section not in {found.value for found in SECTIONS}:
        raise Http404("No such page.")
    return _list(request, gstin, parse(request.GET, section=section))


@require_safe
def rejected(request: HttpRequest, gstin: str) -> HttpResponse:
    """List everything recipients rejected, with the effect on the supplier's tax."""
    return _list(request, gstin, parse(request.GET, place="rejected"))


@require_safe
def rejected_notes(request: HttpRequest, gstin: str) -> HttpResponse:
    """List the credit notes recipients rejected: each raises the supplier's tax (R6.3)."""
    return _list(request, gstin, parse(request.GET, place="rejected-notes"))


def _list(request: HttpRequest, gstin: str, asked: Parsed) -> HttpResponse:
    held = web.enter(request, gstin)
    at: datetime = request.portal_now
    wanted = asked.wanted
    months = reported.months(held.taxpayer)
    context = {
        "wanted": wanted,
        "heading": heading(wanted),
        "place": wanted.place or "documents",
        "errors": [("" if name in UNSHOWN else f"f-{name}", text) for name, text in asked.problems.items()],
        **_choices(held, months, request, standing.for_page(held, at).filer),
    }
    if asked.problems:
        return render(request, "invoices/outward.html", context, status=UNREADABLE)
    all_of = outward_list.of_place(held.taxpayer, wanted.place, at=at)
    found = outward_list.filtered(all_of, wanted, supplier=held.taxpayer)
    count = forms.rows(request.GET, usual=held.user.rows)
    total, summary = _summary(held, all_of, found, wanted)
    page = reported.page(found, cursor=request.GET.get("after", ""), size=count, at=at, total=total)
    context |= {
        "page": page,
        "lines": lines_of(page.rows),
        "query": wanted.query(rows=request.GET.get("rows", "")),
        "has_any": bool(months),
        **summary,
    }
    return render(request, "invoices/outward.html", context)


def heading(wanted: Wanted) -> str:
    """Return the title of a list."""
    if wanted.section:
        return str(wording.SECTIONS[Section(wanted.section)])
    titles = {"rejected": _("Rejected records"), "rejected-notes": _("Rejected credit notes")}
    return titles.get(wanted.place, _("Outward supplies"))


def _choices(held: Access, months: Sequence[int], request: HttpRequest, filer: Filer) -> dict[str, object]:
    """Return what the form of filters offers."""
    years = sorted({financial_year_of(month) for month in months}, reverse=True)
    return {
        "months": [filer.period(month) for month in months],
        "years": [(year, f"{year}-{(year + 1) % 100:02d}") for year in years],
        "forms": [(slug, form.value) for slug, form in FORMS.items()],
        "actions": [(action.value, wording.STATES[action]) for action in COLUMNS],
        "sizes": inbox.ROWS,
        "size": forms.rows(request.GET, usual=held.user.rows),
    }


def _summary(
    held: Access, all_of: QuerySet[Record], found: QuerySet[Record], wanted: Wanted
) -> tuple[int | None, dict[str, object]]:
    """Return how many documents the list has, where its sums say so, and the sums above it.

    They are categories by action over all documents, and costs over what is rejected.
    """
    if wanted.place:
        told = outward_list.costs(found)
        links = {effect: wanted.but(effect=effect).address(held.taxpayer.gstin) for effect in ("fixed", "provisional")}
        return told.count, {"costs": told, "fixed_url": links["fixed"], "provisional_url": links["provisional"]}
    if wanted.section:
        return None, {}
    counted = outward_list.counts(outward_list.filtered(all_of, wanted.but(action=""), supplier=held.taxpayer))
    shown, _tax = outward_list.all_of(counted, wanted.action)
    return shown, {
        "categories": [_category(held.taxpayer.gstin, line, wanted) for line in counted],
        "columns": [wording.STATES[action] for action in COLUMNS],
        "totals": [
            (*outward_list.all_of(counted, action.value), wanted.but(action=action.value).address(held.taxpayer.gstin))
            for action in COLUMNS
        ],
        "total": outward_list.all_of(counted),
    }


def _category(gstin: str, line: Counted, wanted: Wanted) -> dict[str, object]:
    base = wanted.but(section=line.section.value, action="")
    return {
        "name": wording.SECTIONS[line.section],
        "url": base.address(gstin),
        "cells": [
            (*line.by_action.get(action.value, (0, 0)), base.but(action=action.value).address(gstin))
            for action in COLUMNS
        ],
        "total": line.total,
    }


@require_safe
def outward_record(request: HttpRequest, gstin: str, pk: int) -> HttpResponse:
    """Show one reported record: as reported, what its recipient decided and wrote, and the effect on the supplier."""
    held = web.enter(request, gstin)
    record = reported.record_of(held.taxpayer, pk)
    if record is None or record.supplier_return is None:
        raise Http404("No such page.")
    kept = record.supplier_return
    (row,) = reported.rows([record], at=request.portal_now)
    slug = next((slug for form, slug in SLUGS.items() if form.value == kept.form), "")
    return render(
        request,
        "invoices/outward_record.html",
        {
            "record": record,
            "line": lines_of([row])[0],
            "row": row,
            "events": [{"event": event, "reason": reason_of(event.reason_code)} for event in reported.history(record)],
            "kept": kept,
            "slug": slug,
            "is_withdrawn": record.status == Record.Status.WITHDRAWN,
            "repair_is_here": row.is_actionable and row.action is Action.REJECT and row.is_settled,
            **messages.of_supplier(row, held),
            "period": TaxPeriod(
                kept.month, periods.Frequency.QUARTERLY if kept.is_quarter else periods.Frequency.MONTHLY
            ),
        },
    )
