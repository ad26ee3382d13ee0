"""One record: as reported, what may be done and why, what it may belong to, its history. Nothing here writes."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from ims_portal import web
from ims_portal.access import Access, Right
from ims_portal.rules.actions import Action
from ims_portal.rules.documents import Section
from invoices import books, books_words, history, inbox, messages, pair_words, standing, wording
from invoices.models import Message
from invoices.pairs import Pairs
from invoices.standing import Standing
from invoices.views import inward, rows
from invoices.views.messages import panel


@require_safe
def record(request: HttpRequest, gstin: str, pk: int) -> HttpResponse:
    """Show one record on a page of its own; to htmx the part that a list shows beside its rows."""
    held = web.enter(request, gstin)
    today = standing.for_page(held, request.portal_now)
    found = inbox.detail(taxpayer=held.taxpayer, today=today, pk=pk)
    if found is None:
        raise Http404("No such page.")
    outcome = inward.earlier(request, held)
    kept = next((result for result in outcome.results if result.record_id == pk), None) if outcome else None
    in_ims = not found.bypass and found.record.status != found.record.Status.WITHDRAWN
    may_act = held.may(Right.ACT) and in_ims and found.line.is_open
    draft = rows.unsaved(held, [found.line]) if may_act else rows.NO_DRAFT
    context = {
        "detail": found,
        "record": found.record,
        "row": rows.row(found.line, today, kept, draft),
        "in_ims": in_ims,
        "told": inward.told(held, today, outcome),
        "back": _back(request),
        "may_act": may_act,
        "reason": _reason(found.record.reason_code),
        **_figures(found),
        **_sentences(found, today),
        **_beside(gstin, found),
        "history": [_told(entry) for entry in found.history],
        **_messages(held, found),
        **_books(held, found, today),
    }
    return render(request, "invoices/_record_panel.html" if request.htmx else "invoices/record.html", context)


def _messages(held: Access, found: inbox.Detail) -> dict[str, object]:
    """Return what the record's supplier wrote about it and what may be answered; bills of entry have no supplier."""
    was_rejected = any(entry.event is not None and entry.event.action == Action.REJECT for entry in found.history)
    if found.record.supplier_id is None or not was_rejected:  # only a rejection is ever written about
        return {}
    thread = messages.thread(found.record, is_rejected=found.line.effective is Action.REJECT)
    return panel(found.record, Message.Side.RECIPIENT, held, thread)


def _books(held: Access, found: inbox.Detail, today: Standing) -> dict[str, object]:
    """Return what the books tell of a record, where there are any."""
    if not found.record.recipient.inbox.has_books:
        return {}
    matched = books.of_record(held.taxpayer, found.line, today)
    if matched is None:
        return {"has_books": True}
    tab, row = matched
    return {
        "has_books": True,
        "in_books": row,
        "tab": books_words.TABS[tab],
        "tab_url": f"{reverse('invoices:match', args=[held.taxpayer.gstin])}?tab={tab}",
        "matched_why": books_words.why(row),
    }


def _back(request: HttpRequest) -> str:
    """Return where a save leads: this page, or the list that shows the record beside its rows."""
    listed = request.htmx.current_url_abs_path if request.htmx else None
    return web.local(listed or "", otherwise=request.path)


def _figures(found: inbox.Detail) -> dict[str, object]:
    """Return the document's tax by head with its effect, and what was reversed on its chain before."""
    record = found.record
    effect, cap, declared = record.effect.as_dict(), record.cap.as_dict(), record.declared.as_dict()
    old = record.original.tax.as_dict() if record.original else {}
    return {
        "heads": [
            {
                "name": wording.HEADS[head],
                "tax": tax,
                "old": old.get(head),
                "effect": effect[head],
                "cap": cap[head],
                "declared": declared[head],
            }
            for head, tax in record.tax.as_dict().items()
        ],
        "reversals": [(line, wording.answer(line.record)) for line in found.reversals],
    }


def _sentences(found: inbox.Detail, today: Standing) -> dict[str, object]:
    """Return what the page says of the record: origin, choices, what follows of none, who pays, last days."""
    record = found.record
    cost, is_suppliers = wording.rejection_cost(record)
    return {
        "origin": wording.origin(record, today),
        "bypass": wording.bypass(found.bypass, today.gstr2b_period(record).month),
        "untouched": wording.if_untouched(record, found.settles_in),
        "cost": cost,
        "cost_is_suppliers": is_suppliers,
        "until_when": wording.until_when(record, found.settles_in),
        "near_limit": wording.record_near_limit(record, today) if found.nears_limit else "",
        "last_day": wording.last_day(found.settles_in, today),
        "choices": [
            (
                str(wording.ACTIONS[action]),
                wording.refusal(decision.outcome, record, today) if decision.outcome else "",
                decision.cite,
            )
            for action, decision in found.line.refusals.items()
        ],
    }


def _beside(gstin: str, found: inbox.Detail) -> dict[str, object]:
    """Return the documents the record may belong to, why each is offered, and the warnings."""
    pairs: Pairs = found.pairs
    supplier = found.record.supplier
    everything = reverse("invoices:inward-list", args=[gstin, "all"])
    return {
        "pairs": [
            {
                "other": pair.other,
                "type": wording.TYPES[Section(pair.other.section)],
                "why": pair_words.FITS[pair.fits],
                "is_likely": pair.is_likely,
            }
            for pair in pairs.found
        ],
        "pair_warnings": pair_words.warnings(found.record, pairs),
        "all_of_supplier": f"{everything}?{urlencode({'q': supplier.gstin})}" if supplier else "",
    }


def _told(entry: history.Entry) -> dict[str, object]:
    """Return one line of the history in words."""
    event = entry.event
    told: dict[str, object] = {"at": entry.at, "event": event, "use": entry.use, "batch": entry.batch}
    if event is not None:
        told |= {
            "role": wording.CAPACITIES.get(event.capacity, event.capacity),
            "old": str(wording.STATES[Action(event.old_action)]),
            "reduction": wording.reduction(event.answer, rows.declared(event)),
            "reason": _reason(event.reason_code),
            "changes": [pair_words.changed(change) for change in entry.changes],
        }
    return told


def _reason(code: str) -> str:
    return str(wording.REASONS[wording.ReasonCode(code)]) if code else ""
