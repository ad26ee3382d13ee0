"""Repairing what recipients rejected: which step helps for each record, and reporting one again unchanged."""

from __future__ import annotations

from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from ims_portal import access, clock, web
from ims_portal.access import Access, Right
from invoices import forms, inbox, outward, outward_list, outward_words, repair, reported
from invoices.models import Record
from invoices.outward_filters import Wanted
from invoices.repair import Way
from invoices.views.supplier_returns import address, lines_of


@require_safe
def repair_list(request: HttpRequest, gstin: str) -> HttpResponse:
    """List what stands rejected, each with the step that repairs it or why none does."""
    held = web.enter(request, gstin)
    at: datetime = request.portal_now
    found = outward_list.filtered(
        outward_list.rejected(held.taxpayer), Wanted(place="rejected"), supplier=held.taxpayer
    )
    count = forms.rows(request.GET, usual=held.user.rows)
    page = reported.page(found, cursor=request.GET.get("after", ""), size=count, at=at)
    plans = repair.plans(supplier=held.taxpayer, rows=page.rows, at=at)
    context = {
        "place": "repair",
        "page": page,
        "lines": [
            {**line, "plan": plan, "step": outward_words.next_step(plan)}
            for line, plan in zip(lines_of(page.rows), plans, strict=True)
        ],
        "query": f"rows={count}" if "rows" in request.GET else "",
        "sizes": inbox.ROWS,
        "may_supply": held.may(Right.SUPPLY),
    }
    return render(request, "invoices/outward_repair.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def record_repair(request: HttpRequest, gstin: str, pk: int) -> HttpResponse:
    """Show what reporting a rejected record again does to both sides; a POST saves it, unchanged."""
    held = web.enter(request, gstin, Right.SUPPLY if request.method == "POST" else Right.VIEW)
    record = reported.record_of(held.taxpayer, pk)
    if record is None or record.supplier_return_id is None:
        raise Http404("No such page.")
    if request.method != "POST":
        return _show(request, held, record)
    web.expect_form(request, gstin)
    try:
        plan, saved = repair.report_again(
            supplier=held.taxpayer,
            record=record,
            shown=request.POST.get("shown", ""),
            actor=held.user,
            clock=clock.portal(),
        )
    except outward.ChangedSinceShownError:
        text = _("Another form takes the document now than the one you were shown. Nothing was saved. Look again.")
        return _show(request, held, record, problem=text)
    except repair.RepairRefusedError as refused:
        if refused.plan.again is not None:
            return _go_on(request, gstin, refused.plan.again)
        return _show(request, held, record)
    except outward.ReturnRefusedError as refused_form:
        return _show(request, held, record, problem=str(refused_form))
    messages.success(
        request,
        _("%(number)s is saved again in %(form)s of %(period)s. It counts once you file that form.")
        % {
            "number": record.number,
            "form": plan.form.value if plan.form else "",
            "period": plan.period.label if plan.period else "",
        },
    )
    if plan.form is None or plan.period is None or not saved.record_ids:
        raise AssertionError("a repair that was saved names its form and its record")
    return web.see_other(address(gstin, plan.form, plan.period))


def _go_on(request: HttpRequest, gstin: str, again: Record) -> HttpResponse:
    """Answer the same click twice, or somebody faster: the later version says the rest."""
    messages.info(request, _("%(number)s is reported again already.") % {"number": again.number})
    return web.see_other(reverse("invoices:outward-record", args=[gstin, again.pk]))


def _show(request: HttpRequest, held: Access, record: Record, *, problem: str = "") -> HttpResponse:
    at: datetime = clock.portal().now() if problem else request.portal_now
    (row,) = reported.rows([record], at=at)
    plan = repair.plan(supplier=held.taxpayer, row=row, at=at)
    told: dict[str, object] = {"barred": outward_words.barred(plan)}
    if plan.way is Way.REPORT and plan.barred is None:
        told |= {
            "recipients": outward_words.recipients_effect(record),
            "own": outward_words.own_effect(plan),
            "shown": repair.named(plan),
        }
    may = held.may(Right.SUPPLY)
    context = {
        "record": record,
        "row": row,
        "line": lines_of([row])[0],
        "plan": plan,
        "is_asking": plan.way is Way.ASK and plan.barred is None,
        "problem": problem,
        "may_supply": may,
        "who_may": [] if may else access.who_may(held.taxpayer, Right.SUPPLY, at),
        **told,
    }
    is_refused = request.method == "POST"
    return render(request, "invoices/outward_record_repair.html", context, status=409 if is_refused else 200)
