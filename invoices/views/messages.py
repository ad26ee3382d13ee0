"""Asking to reconsider a rejection, and answering: one message a side, until the recipient's GSTR-3B closes it."""

from __future__ import annotations

from http import HTTPStatus

from django.contrib import messages as told
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from ims_portal import access, clock, web
from ims_portal.access import Access
from invoices import forms, messages, outward_words, reported, wording
from invoices.forms import MessageForm
from invoices.messages import MessageRefusedError
from invoices.models import Message, Record
from invoices.models.messages import LONGEST
from invoices.views.supplier_returns import reason_of

PAGES = {Message.Side.SUPPLIER: "invoices:outward-record", Message.Side.RECIPIENT: "invoices:record"}
"""Side -> its page of a record."""


@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest, gstin: str, pk: int) -> HttpResponse:
    """Ask the recipient of a rejected record to reconsider."""
    return _message(request, gstin, pk, Message.Side.SUPPLIER)


@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: HttpRequest, gstin: str, pk: int) -> HttpResponse:
    """Answer the supplier of a record one rejected."""
    return _message(request, gstin, pk, Message.Side.RECIPIENT)


def _message(request: HttpRequest, gstin: str, pk: int, side: Message.Side) -> HttpResponse:
    right = messages.RIGHTS[side]
    held = web.enter(request, gstin, right) if request.method == "POST" else web.enter(request, gstin)
    mine = {"supplier": held.taxpayer} if side is Message.Side.SUPPLIER else {"recipient": held.taxpayer}
    found = Record.objects.select_related("recipient", "supplier").filter(pk=pk, supplier__isnull=False, **mine).first()
    if found is None:
        raise Http404("No such page.")
    if request.method != "POST":
        return _page(request, held, found, side, MessageForm())
    web.expect_form(request, gstin)
    form = MessageForm(request.POST)
    if not form.is_valid():
        return _page(request, held, found, side, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        messages.write(record=found, side=side, text=form.cleaned_data["text"], actor=held.user, clock=clock.portal())
    except MessageRefusedError:
        found.refresh_from_db()
        return _page(request, held, found, side, form, status=HTTPStatus.CONFLICT)
    told.success(request, _("Your message about %(number)s is sent.") % {"number": found.number})
    return web.see_other(reverse(PAGES[side], args=[gstin, pk]) + "#messages")


def _page(
    request: HttpRequest, held: Access, record: Record, side: Message.Side, form: MessageForm, status: int = 200
) -> HttpResponse:
    at = request.portal_now
    thread = messages.of(record, at=at)
    refusal = thread.refusal(side)
    errors = list(form.errors.get("text", []))
    may = held.may(messages.RIGHTS[side])
    context = {
        "record": record,
        "is_supplier": side is Message.Side.SUPPLIER,
        "other": record.recipient if side is Message.Side.SUPPLIER else record.supplier,
        "type": wording.TYPES[wording.Section(record.section)],
        "reason": reason_of(record.reason_code) if not refusal else "",
        "thread": thread,
        "refusal": outward_words.refusal(refusal, side) if refusal else "",
        "typed": form["text"].value() or "",
        "limit": LONGEST,
        "errors": [("text", text) for text in errors],
        "problem": " ".join(map(str, errors)),
        "may": may,
        "who_may": [] if may else access.who_may(held.taxpayer, messages.RIGHTS[side], at),
        "back": reverse(PAGES[side], args=[held.taxpayer.gstin, record.pk]),
    }
    return render(request, "invoices/message.html", context, status=status)


@require_safe
def waiting(request: HttpRequest, gstin: str) -> HttpResponse:
    """List the requests of suppliers that wait for an answer, or for the action to change."""
    held = web.enter(request, gstin)
    page = messages.page(
        held.taxpayer, cursor=request.GET.get("after", ""), size=forms.rows(request.GET, usual=held.user.rows)
    )
    return render(request, "invoices/messages.html", {"page": page, "has_earlier": "after" in request.GET})


def panel(record: Record, side: Message.Side, held: Access, thread: messages.Thread) -> dict[str, object]:
    """Return what a record's own page says of its messages; nothing where none is or can be written."""
    refusal = thread.refusal(side)
    name = "outward-record-message" if side is Message.Side.SUPPLIER else "record-message"
    may = held.may(messages.RIGHTS[side]) and refusal is None
    return {
        "thread": thread,
        "has_thread": bool(thread.request or may),
        "message_url": reverse(f"invoices:{name}", args=[held.taxpayer.gstin, record.pk]) if may else "",
        "is_suppliers_page": side is Message.Side.SUPPLIER,
    }


def of_supplier(row: reported.Row, held: Access) -> dict[str, object]:
    """Return the panel of a record on its supplier's page."""
    is_rejected = row.is_actionable and row.action is messages.Action.REJECT
    thread = messages.thread(row.record, is_rejected=is_rejected)
    return panel(row.record, Message.Side.SUPPLIER, held, thread)
