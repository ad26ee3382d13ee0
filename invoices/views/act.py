"""Choosing: a page of choices is staged, what asks something is answered on a page of its own, then saved."""

from __future__ import annotations

import uuid
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from ims_portal import clock, web
from ims_portal.access import Access, Right
from ims_portal.rules.actions import Action
from ims_portal.rules.periods import TaxPeriod
from invoices import actions, drafts, forms, inbox, standing, wording
from invoices.actions import Item, Outcome, ResultStatus
from invoices.drafts import Draft
from invoices.forms import AnswerForm
from invoices.standing import Standing
from invoices.views import inward, rows


@require_POST
def act(request: HttpRequest, gstin: str) -> HttpResponse:
    """Save a page of choices; those that ask something go to their own page first."""
    held = web.enter(request, gstin, Right.ACT)
    request_id = web.expect_form(request, gstin)
    back = web.local(request.POST.get("back", ""), otherwise=reverse("invoices:inward", args=[gstin]))
    try:
        picked = forms.picked(request.POST)
    except forms.UnreadableChoiceError:
        raise web.FormRefusedError(_("This form is not one of the portal's. Nothing was saved.")) from None
    staged = drafts.stage(
        taxpayer=held.taxpayer,
        picked=picked,
        actor=held.user,
        clock=clock.portal(),
        request_id=request_id,
        back=back,
        again=request.POST.get("again") == "1",
    )
    result = drafts.outcome_key(request_id) if staged.outcome.results else None
    if staged.asking:
        return web.see_other(_with_result(reverse("invoices:act-review", args=[gstin, request_id]), result))
    if result is None:
        messages.info(request, _("Nothing was changed: every row stands as it was saved."))
    return web.see_other(_with_result(back, result))


@require_http_methods(["GET", "POST"])
def review(request: HttpRequest, gstin: str, draft: uuid.UUID) -> HttpResponse:
    """Ask what the staged choices ask, one line per record; save what is answered, keep the rest with its errors."""
    held = web.enter(request, gstin, Right.ACT)
    at = request.portal_now  # type: ignore[attr-defined]
    found = drafts.of(taxpayer=held.taxpayer, actor=held.user, draft_id=draft, at=at)
    if found is None:
        raise Http404("No such page.")
    if request.method == "POST":
        return _save(request, held, found, draft)
    if not found.lines:
        for event in found.overtaken:
            messages.warning(request, wording.overtaken(event))
        return web.see_other(_with_result(found.back, _result_named(request)))
    return _show(request, held, found, forms.answers(found, None), outcome=inward.earlier(request, held))


def _save(request: HttpRequest, held: Access, found: Draft, draft: uuid.UUID) -> HttpResponse:
    request_id = web.expect_form(request, held.taxpayer.gstin)
    told = {name: values for name, values in request.POST.lists() if name not in ("csrfmiddlewaretoken", "request_id")}
    drafts.sent(actor=held.user, request_id=request_id, fields={"draft": draft, "told": told})
    sent = forms.answers(found, request.POST)
    # The same form sent twice: its outcome is known, and what it saved is gone from the draft.
    outcome = drafts.outcome_of(actor=held.user, gstin=held.taxpayer.gstin, request_id=request_id)
    items = [
        Item(form.choice.record_id, form.choice.version, form.result)
        for form in sent
        if form.is_valid() and not form.is_left_out
    ]
    if outcome is None and items:
        outcome = actions.take(
            taxpayer=held.taxpayer, items=items, actor=held.user, clock=clock.portal(), request_id=request_id
        )
    left = _unanswered(sent, outcome, standing.of(held.taxpayer, request.portal_now))  # type: ignore[attr-defined]
    if left:
        return _show(request, held, found, left, outcome=outcome, status=422)
    result = request_id if outcome is not None else None
    if found.waiting > len(found.lines):
        return web.see_other(_with_result(reverse("invoices:act-review", args=[held.taxpayer.gstin, draft]), result))
    return web.see_other(_with_result(found.back, result))


def _unanswered(sent: list[AnswerForm], outcome: Outcome | None, today: Standing) -> list[AnswerForm]:
    """Return the lines that stay on the page: not valid, or refused by the law with the reason beside them."""
    refused = {result.record_id: result for result in outcome.of(ResultStatus.REFUSED)} if outcome else {}
    for form in sent:
        told = refused.get(form.choice.record_id)
        if told is not None and form.is_valid():
            form.add_error(None, wording.result(told, form.line.record, today))
    return [form for form in sent if not form.is_valid()]


def _show(
    request: HttpRequest,
    held: Access,
    found: Draft,
    asked: list[AnswerForm],
    *,
    outcome: Outcome | None = None,
    status: int = 200,
) -> HttpResponse:
    today = standing.of(held.taxpayer, request.portal_now)  # type: ignore[attr-defined]
    open_now = inbox.open_period(held.taxpayer, today)
    lines = [_line(form, today, open_now) for form in asked]
    rejecting = [form.line.record for form in asked if form.choice.action is Action.REJECT]
    context = {
        "lines": lines,
        "errors": [(f"id_{form.prefix}-{name}", text) for form in asked for name, text in _errors(form)],
        "overtaken": found.overtaken,
        "more": found.waiting - len(found.lines),
        "back": found.back,
        "told": inward.told(held, today, outcome),
        "supplier_rises": sum(record.cap.total for record in rejecting if record.adds_back),
    }
    return render(request, "invoices/act_review.html", context, status=status)


def _errors(form: AnswerForm) -> list[tuple[str, str]]:
    if not form.is_bound:
        return []
    number = form.line.record.number
    return [
        ("leave" if name == "__all__" else name, f"{number}: {text}")
        for name, texts in form.errors.items()
        for text in texts
    ]


def _line(form: AnswerForm, today: Standing, open_now: TaxPeriod) -> dict[str, object]:
    record = form.line.record
    cost, is_suppliers = wording.rejection_cost(record)
    settles_in = inbox.settles_in(record, today, open_now)
    return {
        "form": form,
        "record": record,
        "action": form.choice.action.value,
        "key": f"{record.pk}.{form.choice.version}",
        "row": rows.row(form.line, today),
        "heads": [
            (form[head], wording.HEADS[head], getattr(record.cap, head))
            for head in record.cap.as_dict()
            if head in form.fields
        ],
        "cost": cost,
        "cost_is_suppliers": is_suppliers,
        "until_when": wording.until_when(record, settles_in),
        "pending_until": form.line.pending_until,
    }


def _result_named(request: HttpRequest) -> uuid.UUID | None:
    try:
        return uuid.UUID(request.GET.get("result", ""))
    except ValueError:
        return None


def _with_result(url: str, result: uuid.UUID | None) -> str:
    """Return an address that tells what the save before it came to."""
    parts = urlsplit(url)
    query = [(name, value) for name, value in parse_qsl(parts.query) if name != "result"]
    if result is not None:
        query.append(("result", str(result)))
    return parts._replace(query=urlencode(query)).geturl()
