"""Acting on many records: preview, answer, confirm, follow, undo. Every page of a batch has the same address."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from ims_portal import clock, proof, web
from ims_portal.access import Access, Right
from ims_portal.rules.actions import Action
from ims_portal.rules.periods import TaxPeriod
from invoices import bulk, bulk_forms, bulk_sql, bulk_words, drafts, inbox, standing, wording
from invoices.bulk import BatchRefusedError, Phase, sums_of
from invoices.bulk_sql import APART, LEFT, SAME, UNANSWERED, WILL, Sums
from invoices.drafts import Picked, Sent
from invoices.forms import UnreadableChoiceError
from invoices.models import Batch
from invoices.views import inward, rows

PATIENCE = timedelta(seconds=2)
"""How long a page waits for its preview; a longer one is a job (portal 8)."""

MOST_SUPPLIERS = 10
MOST_ASKED = bulk.MOST_APART
PER_PAGE = 100

View = Callable[..., HttpResponse]


@require_POST
def preview(request: HttpRequest, gstin: str) -> HttpResponse:
    """Fix the ticked or matching records as a batch and go to its preview. Nothing of theirs is changed."""
    held = web.enter(request, gstin, Right.ACT)
    request_id = web.expect_form(request, gstin)
    back = web.local(request.POST.get("back", ""), otherwise=reverse("invoices:inward", args=[gstin]))
    try:
        batch = bulk.preview(
            taxpayer=held.taxpayer,
            which=bulk_forms.which(request.POST, back),
            action=bulk_forms.action(request.POST),
            actor=held.user,
            clock=clock.portal(),
            request_id=request_id,
        )
    except bulk_forms.NothingTickedError:
        messages.warning(request, _("Nothing is ticked. Tick rows, or choose all matching, then preview."))
        return web.see_other(back)
    except UnreadableChoiceError:
        raise web.FormRefusedError(_("This form is not one of the portal's. Nothing was saved.")) from None
    except BatchRefusedError as refused:
        messages.warning(request, str(bulk_words.REFUSED[refused.why]))
        return web.see_other(back)
    if batch.phase == Phase.FINDING:
        bulk.find(batch=batch, clock=clock.portal(), patience=PATIENCE)
    return web.see_other(_address(batch))


def _address(batch: Batch) -> str:
    return reverse("invoices:batch", args=[batch.taxpayer.gstin, batch.pk])


def of_a_batch(right: Right) -> Callable[[View], View]:
    """Hand a view the access and the batch its address names; what the batch refuses is told on its page."""

    def decorate(view: View) -> View:
        @wraps(view)
        def inner(request: HttpRequest, gstin: str, pk: uuid.UUID) -> HttpResponse:
            held = web.enter(request, gstin, right)
            batch = bulk.of(taxpayer=held.taxpayer, batch_id=pk)
            if batch is None:
                raise Http404("No such page.")
            if request.method == "POST":
                web.expect_form(request, gstin)
            try:
                return view(request, held, batch)
            except BatchRefusedError as refused:
                messages.warning(request, str(bulk_words.REFUSED[refused.why]))
                return web.see_other(_address(batch))

        return inner

    return decorate


@require_safe
@of_a_batch(Right.VIEW)
def batch(request: HttpRequest, held: Access, batch: Batch) -> HttpResponse:
    """Show a batch as it stands: its preview, its progress, or what came of it; to htmx the part that changes."""
    return _show(request, held, batch)


@require_POST
@of_a_batch(Right.ACT)
def answer(request: HttpRequest, held: Access, batch: Batch) -> HttpResponse:
    """Answer the ITC question for all records of a batch that ask it."""
    form = bulk_forms.AnswerForm(request.POST)
    if not form.is_valid():
        return _show(request, held, batch, answering=form, status=422)
    bulk.answer(
        batch=batch,
        actor=held.user,
        clock=clock.portal(),
        given=form.given,
        remark=form.text,
        left=None if form.leaves_all else form.left(request.POST),
    )
    return web.see_other(_address(batch))


@require_POST
@of_a_batch(Right.ACT)
def apart(request: HttpRequest, held: Access, batch: Batch) -> HttpResponse:
    """Take records out of a batch, the ticked ones or all that ask something, and ask about each on its own."""
    ticked = bulk_forms.AnswerForm.left(request.POST)
    seen = bulk.set_apart(batch=batch, actor=held.user, ids=ticked or None)
    fresh = bulk.of(taxpayer=held.taxpayer, batch_id=batch.pk) or batch
    rest = fresh.total or sums_of(fresh.found).get(UNANSWERED, Sums()).count
    draft_id = drafts.stage(
        taxpayer=held.taxpayer,
        actor=held.user,
        sent=Sent(
            [Picked(pk, version, Action(batch.action)) for pk, version in seen.items()],
            back=_address(batch) if rest else batch.back,
        ),
        today=standing.of(held.taxpayer, request.portal_now),
        real_at=clock.real(),
    )
    return web.see_other(reverse("invoices:act-review", args=[held.taxpayer.gstin, draft_id]))


@require_POST
@of_a_batch(Right.ACT)
def confirm(request: HttpRequest, held: Access, batch: Batch) -> HttpResponse:
    """Confirm a batch and do it: here where it is small, in a worker where it is not."""
    sums = sums_of(batch.found)
    form = bulk_forms.confirm(Action(batch.action), request.POST, raises=sums.get(WILL, Sums()).rise > 0)
    if batch.phase == Phase.READY and not form.is_valid():
        return _show(request, held, batch, confirming=form, status=422)
    if batch.phase == Phase.READY and bulk.asks_proof(batch) and not proof.is_fresh(request):
        messages.info(request, _("This is a large change: say first that it is you. Your preview is kept."))
        return web.see_other(proof.ask(_address(batch)))
    wanted = bulk.apply(
        batch=batch,
        actor=held.user,
        clock=clock.portal(),
        request_id=uuid.UUID(request.POST["request_id"]),
        remark=form.text if form.is_valid() else "",
        reason_code=form.reason_code if form.is_valid() else "",
    )
    return _do(wanted)


@require_POST
@of_a_batch(Right.ACT)
def undo(request: HttpRequest, held: Access, batch: Batch) -> HttpResponse:
    """Undo a batch while that is allowed."""
    request_id = uuid.UUID(request.POST["request_id"])
    if bulk.asks_proof(batch):
        proof.require(request, _address(batch))
    return _do(bulk.undo(batch=batch, actor=held.user, clock=clock.portal(), request_id=request_id))


@require_POST
@of_a_batch(Right.ACT)
def stop(request: HttpRequest, held: Access, batch: Batch) -> HttpResponse:  # noqa: ARG001 - the decorator's signature
    """Stop a batch before its next piece."""
    bulk.stop(batch=batch)
    return web.see_other(_address(batch))


def _do(batch: Batch) -> HttpResponse:
    bulk.carry_out_small(batch=batch, clock=clock.portal())
    return web.see_other(_address(batch))


def _show(request: HttpRequest, held: Access, batch: Batch, *, status: int = 200, **forms: Form) -> HttpResponse:
    at = request.portal_now
    will = sums_of(batch.found).get(WILL, Sums()).count
    context: dict[str, object] = {
        "batch": batch,
        "batch_url": _address(batch),
        "title": bulk_words.title(batch, will if batch.phase == Phase.READY else batch.total),
        "chosen_from": bulk_words.chosen_from(batch),
        "is_mine": held.may(Right.ACT) and batch.requested_by_id == held.user.pk,
        "may_act": held.may(Right.ACT),
        "time_left": bulk_words.time_left(batch),
        "tens": batch.percent // 10 * 10,
        "told": inward.told(held, standing.for_page(held, at), inward.earlier(request, held)),
    }
    if batch.phase == Phase.READY:
        context |= _of_preview(request, held, batch, **forms)
    elif batch.applied_at:
        context |= _of_result(batch) | {"may_undo": held.may(Right.ACT) and bulk.may_undo(batch, at)}
    if getattr(request, "htmx", False):
        over = web.STOP_POLLING if batch.is_over else status
        return render(request, "invoices/_batch.html", context, status=over)
    return render(request, "invoices/batch.html", context, status=status)


def _of_preview(
    request: HttpRequest,
    held: Access,
    batch: Batch,
    *,
    answering: bulk_forms.AnswerForm | None = None,
    confirming: Form | None = None,
) -> dict[str, object]:
    order, sums = bulk.order_of(batch), sums_of(batch.found)
    will, total = sums.get(WILL, Sums()), sum(sums.values(), Sums())
    asking, reduces = bulk_sql.asked_sums(order) if batch.action == Action.ACCEPT else (0, 0)
    suppliers, number = bulk_sql.rises(order, limit=MOST_SUPPLIERS) if will.rise else ([], 0)
    initial = {"answer": batch.answer, "remark": batch.remark} if batch.answer else {}
    bound = answering or confirming
    return {
        "will": will,
        "total": total,
        "same": sums.get(SAME, Sums()),
        "unanswered": sums.get(UNANSWERED, Sums()),
        "left": sums.get(LEFT, Sums()),
        "apart": sums.get(APART, Sums()),
        "refused": _refused(sums),
        "groups": bulk_words.groups(sums, is_done=False),
        "period": TaxPeriod(batch.open_month),
        "suppliers": suppliers,
        "more_suppliers": number - len(suppliers),
        "asking": asking,
        "may_be_apart": (will.count if batch.action == Action.REJECT else asking) <= bulk.MOST_APART,
        "reduces": reduces,
        "asked": _asked(held, order) if asking else [],
        "more_asked": max(0, asking - MOST_ASKED),
        "answering": answering or bulk_forms.AnswerForm(initial=initial),
        "confirming": confirming or bulk_forms.confirm(Action(batch.action), None, raises=will.rise > 0),
        "reasons": list(wording.REASONS.items()),
        "is_proved": not bulk.asks_proof(batch) or proof.is_fresh(request),
        "errors": [(f"id_{name}", text) for name, texts in bound.errors.items() for text in texts] if bound else [],
    }


def _refused(sums: dict[str, Sums]) -> Sums:
    told_apart = (WILL, SAME, UNANSWERED, LEFT, APART)
    return sum((found for verdict, found in sums.items() if verdict not in told_apart), Sums())


def _asked(held: Access, order: bulk_sql.Order) -> list[dict[str, object]]:
    """Return the dearest records that ask the ITC question, to be looked at and left out one by one."""
    found = bulk_sql.asked(order, limit=MOST_ASKED)
    records = inbox.by_ids(held.taxpayer, [pk for pk, _verdict in found])
    return [{"record": records[pk], "is_left": verdict == LEFT} for pk, verdict in found if pk in records]


def _of_result(batch: Batch) -> dict[str, object]:
    sums = sums_of(batch.became.get("applied", {}))
    context: dict[str, object] = {
        "done": sums.get(WILL, Sums()),
        "same": sums.get(SAME, Sums()),
        "left": sums.get(LEFT, Sums()),
        "apart": sums.get(APART, Sums()),
        "refused": _refused(sums),
        "groups": bulk_words.groups(sums, is_done=True),
        "period": TaxPeriod(batch.open_month),
        "stopped": bulk_words.STOPS.get(batch.stop, ""),
        "changed_url": f"{reverse('invoices:inward-list', args=[batch.taxpayer.gstin, 'all'])}?batch={batch.pk}",
    }
    if batch.phase == Phase.UNDONE:
        back = sums_of(batch.became.get("undone", {}))
        context |= {"put_back": back.get("", Sums()), "kept": bulk_words.kept_groups(back)}
    return context


@require_safe
@of_a_batch(Right.VIEW)
def batch_rows(request: HttpRequest, held: Access, batch: Batch) -> HttpResponse:
    """List the records of a batch that share a verdict, or what undoing left as it is."""
    asked = listing(batch, request.GET)
    found = bulk_sql.page(bulk.order_of(batch), limit=PER_PAGE + 1, **asked.which)
    records = inbox.by_ids(held.taxpayer, found[:PER_PAGE])
    today = standing.of(held.taxpayer, request.portal_now)
    context = {
        "batch": batch,
        "batch_url": _address(batch),
        "heading": asked.heading,
        "rows": [rows.row(inbox.line(records[pk], today), today) for pk in found[:PER_PAGE] if pk in records],
        "after": found[PER_PAGE - 1] if len(found) > PER_PAGE else 0,
        "query": asked.query,
        "may_export": held.may(Right.EXPORT),
    }
    return render(request, "invoices/batch_rows.html", context)


@dataclass(frozen=True, slots=True)
class Listing:
    """Which rows of a batch are listed, under which heading, by which query."""

    heading: str
    query: str
    which: dict[str, Any]


def listing(batch: Batch, asked: QueryDict) -> Listing:
    """Return what the address of a list of rows asks for; what it never says is nothing."""
    place = asked.get("after", "")
    after = int(place) if bulk_forms.ID.match(place) else 0
    if "kept" in asked:
        kept = asked["kept"]
        which: dict[str, Any] = {"verdict": WILL, "kept": kept, "after": after, "upto": batch.place}
        if kept == LEFT:
            which |= {"kept": "", "after": max(after, batch.undo_place)}
        return Listing(str((bulk_words.VERDICTS | bulk_words.KEPT).get(kept, "")), f"kept={kept}", which)
    verdict = asked.get("verdict", "")
    if verdict == bulk_words.REST:
        which = {"verdict": WILL, "kept": None, "after": max(after, batch.place), "upto": None}
        return Listing(str(bulk_words.VERDICTS[""]), f"verdict={verdict}", which)
    upto = batch.place if verdict == WILL and batch.applied_at else None
    told = bulk_words.VERDICTS | bulk_words.DONE if batch.applied_at else bulk_words.VERDICTS
    which = {"verdict": verdict, "kept": None, "after": after, "upto": upto}
    return Listing(str(told.get(verdict, "")), f"verdict={verdict}", which)
