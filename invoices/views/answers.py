"""Answering: what staged choices ask before they are saved, as a page of its own or in a dialog over the list."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from ims_portal import clock, web
from ims_portal.access import Access, Right
from ims_portal.rules.actions import Action, Answer
from ims_portal.rules.periods import TaxPeriod
from ims_portal.templatetags import ims as show
from invoices import actions, drafts, forms, inbox, locking, standing, wording
from invoices.actions import Item, Outcome, ResultStatus
from invoices.drafts import Asking
from invoices.forms import AnswerForm
from invoices.standing import Standing
from invoices.views import act, inward, rows

UNANSWERED = 422


@require_http_methods(["GET", "POST"])
def review(request: HttpRequest, gstin: str, draft: uuid.UUID) -> HttpResponse:
    """Ask what the staged choices ask, one line per record; save what is answered, keep the rest with its errors."""
    held = web.enter(request, gstin, Right.ACT)
    only = request.GET.get("only", "")
    found = drafts.asking(
        taxpayer=held.taxpayer,
        actor=held.user,
        draft_id=draft,
        today=standing.of(held.taxpayer, request.portal_now),
        real_at=clock.real(),
        only=int(only) if only.isascii() and only.isdigit() and len(only) < forms.MOST_DIGITS_OF_AN_ID else None,
    )
    if found is None:
        raise Http404("No such page.")
    if request.method == "POST":
        return _take(request, held, found)
    if not found.lines:
        for event in found.overtaken:
            messages.warning(request, wording.overtaken(event))
        return web.see_other(act.with_result(found.back, _result_named(request)))
    return _show(request, held, found, forms.answers(found, None), outcome=inward.earlier(request, held))


def _take(request: HttpRequest, held: Access, found: Asking) -> HttpResponse:
    """Keep what was typed, then do what was asked: answer the rest alike, keep one record pending, or save."""
    request_id = web.expect_form(request, held.taxpayer.gstin)
    sent = forms.answers(found, request.POST)
    rest = request.POST.get("rest", "")
    if rest in (Answer.FULL, Answer.NONE):
        alike = forms.answered_alike(sent, Answer(rest), request.POST.get("rest_remark", "").strip())
        drafts.answer(draft_id=found.draft.pk, answers=alike)
        return web.see_other(request.get_full_path())
    drafts.answer(draft_id=found.draft.pk, answers={form.choice.record_id: form.typed for form in sent})
    waiting = next((form for form in sent if form.key == request.POST.get("pend")), None)
    if waiting is not None:
        turned = _turned(request, found, waiting)
        if len(sent) > 1:
            return web.see_other(request.get_full_path())
        sent = [turned]
    return _save(request, held, found, sent, request_id)


def _turned(request: HttpRequest, found: Asking, form: AnswerForm) -> AnswerForm:
    """Return the form of a rejection that is kept pending instead; its remark goes with it."""
    choice = drafts.turn(draft_id=found.draft.pk, choice=form.choice, action=Action.PENDING)
    remark = form.typed.get("remark", "")
    drafts.answer(draft_id=found.draft.pk, answers={choice.record_id: {"remark": remark} if remark else {}})
    return forms.PendingForm(request.POST, choice=choice, line=form.line)


def _save(
    request: HttpRequest, held: Access, found: Asking, sent: list[AnswerForm], request_id: uuid.UUID
) -> HttpResponse:
    fields = {
        name: values for name, values in request.POST.lists() if name not in ("csrfmiddlewaretoken", "request_id")
    }
    drafts.sent_answers(actor=held.user, request_id=request_id, fields={"draft": found.draft.pk, "told": fields})
    # The same form sent twice: its outcome is known, and what it saved is gone from the draft.
    outcome = drafts.outcome_of(actor=held.user, gstin=held.taxpayer.gstin, request_id=request_id)
    unchecked = _unchecked(request, sent) if outcome is None else ""
    if unchecked:
        return _show(request, held, found, sent, status=UNANSWERED, unchecked=unchecked)
    if outcome is None:
        try:
            outcome = _commit(held, found, sent, request_id)
        except locking.BusyError:
            return act.busy(request, again=request.get_full_path(), back=found.back, is_answered=True)
    left = _unanswered(sent, outcome, standing.of(held.taxpayer, request.portal_now))
    if left:
        return _show(request, held, found, left, outcome=outcome, status=UNANSWERED)
    result = request_id if outcome is not None else None
    if found.waiting > len(found.lines):
        again = reverse("invoices:act-review", args=[held.taxpayer.gstin, found.draft.pk])
        return web.see_other(act.with_result(again, result))
    return web.see_other(act.with_result(found.back, result))


def _unchecked(request: HttpRequest, sent: list[AnswerForm]) -> str:
    """Return what is missing before several acceptances may be saved together: every answer, and the tick."""
    accepted = [form for form in sent if form.choice.action is Action.ACCEPT and not form.typed.get("leave")]
    if len(accepted) < 2:  # noqa: PLR2004 - one answer is checked by giving it
        return ""
    missing = sum(1 for form in accepted if not form.typed.get("answer"))
    if missing:
        return ngettext(
            "%(number)s record has no answer yet. Nothing was saved.",
            "%(number)s records have no answer yet. Nothing was saved.",
            missing,
        ) % {"number": missing}
    if not request.POST.get("checked"):
        return _("Tick that you checked the %(number)s answers. Nothing was saved.") % {"number": len(accepted)}
    return ""


def _commit(held: Access, found: Asking, sent: list[AnswerForm], request_id: uuid.UUID) -> Outcome | None:
    """Save the lines that are answered and take them, and those left out, from the draft."""
    valid = [form for form in sent if form.is_valid()]
    items = [Item(form.choice.record_id, form.choice.version, form.result) for form in valid if not form.is_left_out]
    outcome = None
    if items:
        outcome = actions.take(
            taxpayer=held.taxpayer, items=items, actor=held.user, clock=clock.portal(), request_id=request_id
        )
        drafts.settle(draft_id=found.draft.pk, items=items, outcome=outcome)
    left_out = [form.choice for form in valid if form.is_left_out]
    if left_out:
        drafts.forget(draft_id=found.draft.pk, picked=left_out)
    return outcome


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
    found: Asking,
    asked: list[AnswerForm],
    *,
    outcome: Outcome | None = None,
    status: int = 200,
    unchecked: str = "",
) -> HttpResponse:
    today = standing.of(held.taxpayer, request.portal_now)
    open_now = inbox.open_period(held.taxpayer, today)
    lines = [line(form, today, open_now) for form in asked]
    rejecting = [form.line.record for form in asked if form.choice.action is Action.REJECT]
    accepting = [form for form in asked if form.choice.action is Action.ACCEPT]
    context = {
        "lines": lines,
        "errors": [("checked", unchecked)] * bool(unchecked) + [error for form in asked for error in _errors(form)],
        "unchecked": unchecked,
        "is_checked": bool(request.POST.get("checked")),
        "overtaken": found.overtaken,
        "more": found.waiting - len(found.lines),
        "action": request.get_full_path(),
        "back": act.with_result(found.back, _result_named(request)),
        "told": inward.told(held, today, outcome),
        "accepting": len(accepting) if len(accepting) > 1 else 0,
        **_reduced(accepting),
        "is_rejection": len(rejecting) == len(asked),
        "is_single": len(asked) == 1,
        "supplier_rises": sum(record.cap.total for record in rejecting if record.adds_back) if len(asked) > 1 else 0,
        "remarks": wording.remark_templates(),
    }
    if not request.htmx:
        return render(request, "invoices/act_review.html", context, status=status)
    part = render(request, "invoices/_answers.html", context, status=status)
    return web.with_headers(part, {"HX-Retarget": "#dialog-part", "HX-Reswap": "innerHTML", "HX-Push-Url": "false"})


def _reduced(accepting: list[AnswerForm]) -> dict[str, object]:
    """Return what the answers given so far take from ITC in all, and the sentence with marks for new figures."""
    by_line = [_reduction(form) for form in accepting]
    reducing = sum(1 for tax in by_line if tax)
    return {
        "reduces": wording.reduces_in_all(show.inr(sum(by_line)), reducing, len(accepting)),
        "reduces_text": wording.reduces_in_all("{tax}", "{number}", len(accepting)),
    }


def _reduction(form: AnswerForm) -> int:
    """Return by how much ITC falls by the answer a line has so far, in paise."""
    answer = form["answer"].value()
    if answer == Answer.FULL:
        return form.line.record.cap.total
    if answer != Answer.PART:
        return 0
    return sum(forms.paise(form[head].value()) for head in form.line.record.cap.as_dict())


def _errors(form: AnswerForm) -> list[tuple[str, str]]:
    if not form.is_bound:
        return []
    number = form.line.record.number
    return [
        (f"id_{form.prefix}-{'leave' if name == '__all__' else name}", f"{number}: {text}")
        for name, texts in form.errors.items()
        for text in texts
    ]


def line(form: AnswerForm, today: Standing, open_now: TaxPeriod) -> dict[str, object]:
    """Return one record's questions as a page or dialog asks them; bulk previews ask in the same words."""
    record = form.line.record
    cost, is_suppliers = wording.rejection_cost(record)
    settles_in = inbox.settles_in(record, today, open_now)
    return {
        "form": form,
        "record": record,
        "action": form.choice.action.value,
        "key": form.key,
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
        "may_pend": Action.PENDING not in form.line.barred,
    }


def _result_named(request: HttpRequest) -> uuid.UUID | None:
    try:
        return uuid.UUID(request.GET.get("result", ""))
    except ValueError:
        return None
