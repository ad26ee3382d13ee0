"""The recipient's desk: its two sides, and lists of inward records. Nothing here writes."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from ims_portal import tiles, web
from ims_portal.access import Access, Right
from ims_portal.rules.documents import Section
from invoices import drafts, forms, history, inbox, sorting, standing, wording
from invoices.actions import Outcome
from invoices.filters import parse
from invoices.sorting import Sort
from invoices.standing import Standing
from invoices.views import columns, listing, rows
from invoices.views.listing import Look


@require_safe
def ims(request: HttpRequest, gstin: str) -> HttpResponse:
    """Show the two sides of IMS: inward to decide, outward to watch."""
    held = web.enter(request, gstin)
    at = request.portal_now
    return render(request, "invoices/ims.html", {"inward": tiles.one("ims", held, at)})


@require_safe
def records(request: HttpRequest, gstin: str, section: str) -> HttpResponse:
    """Show one page of records with their choices; the address carries every filter."""
    held, today = _enter(request, gstin)
    # Asked only by who filters by match: a list has eight queries.
    has_books = not request.GET.get("match") or standing.inbox(held, request.portal_now).has_books
    asked = parse(section, request.GET, has_books=has_books)
    if asked is None:
        raise Http404("No such page.")
    order, problems = _order(request, asked.problems)
    count = forms.rows(request.GET, usual=held.user.rows)
    look = Look(gstin, asked.filters, order, count, held.user.rows)
    around = listing.context(look, asked, problems, has_books=has_books) | {
        "section": section,
        "heading": heading(section),
    }
    if problems:
        errors = [(f"f-{name}", text) for name, text in problems.items()]
        return render(request, _template(request), around | {"filters": asked.filters, "errors": errors}, status=422)
    found = inbox.page(
        taxpayer=held.taxpayer,
        today=today,
        filters=asked.filters,
        rows=count,
        sort=order,
        cursor=request.GET.get("after", ""),
        counts_anew="result" in request.GET,
    )
    outcome = earlier(request, held)
    may_act = held.may(Right.ACT) and not asked.filters.settled
    draft = rows.unsaved(held, found.lines) if may_act else rows.NO_DRAFT
    shown = rows.rows(found.lines, today, outcome, draft)
    context = around | {
        "filters": asked.filters,
        "rows": shown,
        "draft": draft,
        "lines": list(zip(shown, _cells(held, found, look), strict=True)),
        "page": found,
        "tabs": listing.tabs(look, found),
        "first_url": look.url(),
        "before_url": look.url(after=found.before) if found.before else "",
        "after_url": look.url(after=found.after) if found.after else "",
        "back": request.get_full_path(),
        "told": told(held, today, outcome, [line.record.pk for line in found.lines]),
        "may_act": may_act,
        "keeps": may_act and bool(shown or draft.count),
        "actions": [(action.value, word) for action, word in wording.ACTIONS.items()],
        "nothing": "" if shown else listing.nothing(look, inbox.last_settled(held.taxpayer, asked.filters)),
        "is_of_bills": listing.is_of_bills(asked.filters),
        "has_amendments": any(line.record.original for line in found.lines),
    }
    answer = render(request, _template(request), context)
    if outcome is not None:
        answer.headers["HX-Replace-Url"] = request.get_full_path()
    return answer


def _order(request: HttpRequest, problems: Mapping[str, str]) -> tuple[Sort, dict[str, str]]:
    """Return the order of a list, and everything that is wrong with its address."""
    try:
        return sorting.parse(request.GET.get("sort", "")), dict(problems)
    except sorting.NotAnOrderError:
        told = _("A list has no such order. Choose one of those beside Sort.")
        return Sort(), {**problems, "sort": told}


def _cells(held: Access, found: inbox.Page, look: Look) -> list[columns.Cells]:
    lost = [line.record for line in found.lines if line.record.lost_action]
    return columns.cells(
        found.lines,
        look,
        changes=history.last_changes(held.taxpayer, lost),
        told_on=inbox.told_by_customs(held.taxpayer, found.lines),
    )


def _template(request: HttpRequest) -> str:
    return "invoices/_records.html" if request.htmx else "invoices/inward_list.html"


def _enter(request: HttpRequest, gstin: str) -> tuple[Access, Standing]:
    held = web.enter(request, gstin)
    return held, standing.for_page(held, request.portal_now)


def earlier(request: HttpRequest, held: Access) -> Outcome | None:
    """Return the outcome of the save that led here, if the address names one of this person's for this GSTIN."""
    try:
        key = uuid.UUID(request.GET.get("result", ""))
    except ValueError:
        return None
    return drafts.outcome_of(actor=held.user, gstin=held.taxpayer.gstin, request_id=key)


def told(held: Access, today: Standing, outcome: Outcome | None, here: Collection[int] = ()) -> rows.Told | None:
    """Return what the page says of an earlier save; `here` are the records whose rows it shows."""
    if outcome is None:
        return None
    missing = rows.troubled(outcome)
    return rows.told(outcome, inbox.by_ids(held.taxpayer, missing) if missing else {}, today, here)


def heading(section: str) -> str:
    """Return the title of a list."""
    return _("All inward records") if section == "all" else str(wording.SECTIONS[Section(section)])
