"""A supplier's form of a period: what it holds, taking a document back, filing it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import wraps

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from ims_portal import access, calendar, clock, proof, web
from ims_portal.access import Access, Right
from ims_portal.rules import table3
from ims_portal.rules.actions import Action, ReasonCode, Refusal
from ims_portal.rules.documents import Form, Section
from ims_portal.rules.periods import Filer, Return, TaxPeriod
from ims_portal.templatetags import ims as show
from invoices import delivery, open_forms, outward, reported, staging, sum_words, uploads, wording
from invoices.models import Delivery, Record, SupplierReturn
from invoices.open_forms import NoSuchReturnError
from invoices.open_forms import form_of as form_of  # noqa: PLC0414 what every page of a form opens with
from invoices.outward_filters import FORMS
from invoices.views import return_tiles

SLUGS = {form: slug for slug, form in FORMS.items()}
ROWS = 50
SUMS = {
    "b2cl": gettext_lazy("B2C, large (table 5)"),
    "b2cla": gettext_lazy("B2C, large, amended (table 9A)"),
    "b2cs": gettext_lazy("B2C, others (table 7)"),
    "b2csa": gettext_lazy("B2C, others, amended (table 10)"),
    "exp": gettext_lazy("Exports (table 6A)"),
    "expa": gettext_lazy("Exports, amended (table 9A)"),
    "cdnur": gettext_lazy("Notes to unregistered persons (table 9B)"),
    "cdnura": gettext_lazy("Notes to unregistered persons, amended (table 9C)"),
    "nil": gettext_lazy("Nil rated, exempt, non-GST (table 8)"),
    "at": gettext_lazy("Advances received (table 11A)"),
    "ata": gettext_lazy("Advances received, amended (table 11)"),
    "txpd": gettext_lazy("Advances adjusted (table 11B)"),
    "txpda": gettext_lazy("Advances adjusted, amended (table 11)"),
    "supeco": gettext_lazy("Supplies through e-commerce operators (table 14)"),
    "supecoa": gettext_lazy("Supplies through e-commerce operators, amended (table 14A)"),
    "ecom.b2c": gettext_lazy("Section 9(5), registered supplier to consumers (table 15)"),
    "ecom.urp2c": gettext_lazy("Section 9(5), unregistered supplier to consumers (table 15)"),
    "ecoma.b2ca": gettext_lazy("Section 9(5), registered supplier to consumers, amended (table 15A)"),
    "ecoma.urp2ca": gettext_lazy("Section 9(5), unregistered supplier to consumers, amended (table 15A)"),
}
"""Sections of a return that hold sums, in words."""


def of_a_form(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let a view of a form answer a month the taxpayer does not file it for: why, and which form there is."""

    @wraps(view)
    def answering(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except NoSuchReturnError as problem:
            context = {
                "form": problem.form.value,
                "month": problem.month,
                "own": problem.own,
                "has_iff": problem.has_iff,
                "code": Refusal.WRONG_PERIOD.value,
            }
            return render(request, "invoices/return_none.html", context)

    return answering


def address(gstin: str, form: Form, period: TaxPeriod, name: str = "return", **more: object) -> str:
    """Return the address of a form's page."""
    return reverse(f"invoices:{name}", args=[gstin, period.wire, SLUGS[form], *more.values()])


@require_safe
@of_a_form
def return_page(request: HttpRequest, gstin: str, p: str, form: str) -> HttpResponse:
    """Show a form of a period: its state, its documents, and what may be done with it."""
    held = web.enter(request, gstin)
    filer = calendar.filer(held.taxpayer)
    found, period = form_of(held.taxpayer, p, form, filer)
    return render(request, "invoices/return.html", page_of(request, held, found, period, filer))


def page_of(
    request: HttpRequest, held: Access, form: Form, period: TaxPeriod, filer: Filer | None = None
) -> dict[str, object]:
    """Return what a form's page shows; an upload that is refused shows it again with the reason."""
    at = request.portal_now
    look = open_forms.look(supplier=held.taxpayer, form=form, period=period, at=at, filer=filer)
    totals = reported.totals(look.kept) if look.kept else []
    latest = uploads.of_form(taxpayer=held.taxpayer, form=form, period=period)
    read_upload, refused = uploads.refused_by_table(latest)
    section = request.GET.get("section", "")
    section = section if section in {total.section.value for total in totals} else ""
    page = None
    if look.kept and totals:
        page = reported.page(
            reported.of(look.kept, section=section),
            cursor=request.GET.get("after", ""),
            size=ROWS,
            at=at,
            total=sum(total.count for total in totals if section in ("", total.section.value)),
        )
    return {
        **heading(form, period),
        "look": look,
        "hint": _hint(look),
        "kept": look.kept,
        **_delivery(look),
        "state": state_of(look),
        "window": window(look),
        "totals": _named(totals),
        "tiles": return_tiles.tiles(held.taxpayer, totals, refused),
        "read_upload": read_upload,
        "page": page,
        "lines": lines_of(page.rows) if page else [],
        "section": section,
        "query": f"section={section}" if section else "",
        "section_name": wording.SECTIONS[Section(section)] if section else "",
        "summaries": _sums(look.kept),
        "uploads": latest,
        "may_supply": held.may(Right.SUPPLY),
        "may_file": held.may(Right.FILE),
        "errors": [],
        "who_may_file": [] if held.may(Right.FILE) else access.who_may(held.taxpayer, Right.FILE, at),
    }


def _delivery(look: open_forms.Look) -> dict[str, object]:
    due = delivery.due_of(look.kept) if look.kept and look.kept.is_filed else None
    return delivery_shown(due) if due else {}


def delivery_shown(due: Delivery) -> dict[str, object]:
    """Return what is shown of a return on its way to its recipients."""
    address_ = reverse("invoices:delivery", args=[due.taxpayer.gstin, due.pk])
    return {"delivery": due, "tens": due.percent // 10 * 10, "job_url": address_}


def heading(form: Form, period: TaxPeriod) -> dict[str, object]:
    """Return what every page of a form says about it."""
    return {"form": form.value, "slug": SLUGS[form], "period": period}


def _sums(kept: SupplierReturn | None) -> list[dict[str, object]]:
    if kept is None:
        return []
    return [
        {
            "line": line,
            "of": sum_words.detail(line.detail),
            "name": SUMS.get(line.section, line.section),
            "counts": bool(table3.rows_of_summary(kept.own_month, line.section, line.detail)),
            "by_change": line.section in table3.AMENDED,
        }
        for line in reported.summaries(kept)
    ]


def _hint(look: open_forms.Look) -> str:
    """Return why a form cannot be filed now, where the words about its window do not say it already."""
    is_said = look.filing is None or look.filing.refusal is Refusal.FORM_NOT_OPEN
    return "" if is_said else str(look.filing)


def state_of(look: open_forms.Look) -> str:
    """Return where a form stands: draft, saved or filed."""
    if look.kept is None:
        return "draft"
    return "filed" if look.kept.is_filed else "saved"


def window(look: open_forms.Look) -> str:
    """Return in words when a form can be filed."""
    opened = look.opened
    names = {
        "form": opened.form.value,
        "period": opened.period.label,
        "own": opened.filer.period(opened.period.month).label,
        "from": show.day(opened.period.last_day + timedelta(days=1)),
        "due": show.day(_due(opened)),
    }
    return {
        Form.GSTR1: _("%(form)s of %(period)s can be filed from %(from)s; it is due %(due)s."),
        Form.IFF: _(
            "IFF of %(period)s can be filed from %(from)s to %(due)s; later, its documents go into GSTR-1 of "
            "the quarter."
        ),
        Form.GSTR1A: _(
            "GSTR-1A of %(period)s opens when GSTR-1 is filed and its due date, %(due)s, has come. It is "
            "open until you file GSTR-3B of %(own)s, and can be filed once."
        ),
    }[opened.form] % names


def _due(opened: open_forms.Open) -> date:
    form = Return.IFF if opened.form is Form.IFF else Return.GSTR1
    return opened.calendar.due(form, opened.period, opened.filer.group)


def _named(totals: list[reported.SectionTotal]) -> list[dict[str, object]]:
    return [{"total": total, "name": wording.SECTIONS[total.section]} for total in totals]


def lines_of(rows: Sequence[reported.Row]) -> list[dict[str, object]]:
    """Return rows with the words for their kind and for the reason of a rejection."""
    return [
        {
            "row": row,
            "record": row.record,
            "type": wording.TYPES[Section(row.record.section)],
            "reason": reason_of(row.record.reason_code) if row.action is Action.REJECT else "",
        }
        for row in rows
    ]


def reason_of(code: str) -> str:
    """Return a reason code in words."""
    return str(wording.REASONS[ReasonCode(code)]) if code else ""


def _sum(totals: list[reported.SectionTotal]) -> dict[str, int]:
    """Return how many documents there are in all; their amounts are not added up, for credit notes count against."""
    return {
        "count": sum(total.count for total in totals),
        "filed": sum(total.filed for total in totals),
        "saved": sum(total.count - total.filed for total in totals),
    }


@require_http_methods(["GET", "POST"])
@of_a_form
def return_file(request: HttpRequest, gstin: str, p: str, form: str) -> HttpResponse:
    """Show what filing a form means, and file it."""
    held = web.enter(request, gstin, Right.FILE)
    found, period = form_of(held.taxpayer, p, form)
    if request.method == "POST":
        return _file(request, held, found, period)
    return _review(request, held, found, period)


def _file(request: HttpRequest, held: Access, form: Form, period: TaxPeriod) -> HttpResponse:
    gstin = held.taxpayer.gstin
    web.expect_form(request, gstin)
    here = address(gstin, form, period)
    if not proof.is_fresh(request):
        messages.info(request, _("Filing is final, so say first that it is you. Nothing is filed yet."))
        return web.see_other(proof.ask(address(gstin, form, period, "return-file")))
    try:
        filed = outward.file(
            supplier=held.taxpayer,
            form=form,
            period=period,
            actor=held.user,
            clock=clock.portal(),
            shown_digest=request.POST.get("shown", ""),
        )
    except outward.ChangedSinceShownError:
        return _review(
            request,
            held,
            form,
            period,
            status=409,
            problem=_(
                "The figures changed while you looked: somebody saved or took back a document. Nothing was filed. "
                "Check the new figures below."
            ),
        )
    except outward.ReturnRefusedError as refused:
        look = open_forms.look(supplier=held.taxpayer, form=form, period=period, at=clock.portal().now())
        if look.kept and look.kept.is_filed:
            return web.see_other(here)  # the same click twice, or somebody was faster: the page says who and when
        return _review(request, held, form, period, status=409, problem=str(refused))
    messages.success(
        request,
        _("%(form)s of %(period)s is filed. Acknowledgement %(number)s.")
        % {"form": form.value, "period": period.label, "number": filed.acknowledgement},
    )
    return web.see_other(here)


def _review(
    request: HttpRequest,
    held: Access,
    form: Form,
    period: TaxPeriod,
    *,
    status: int = 200,
    problem: str = "",
) -> HttpResponse:
    look = open_forms.look(supplier=held.taxpayer, form=form, period=period, at=request.portal_now)
    kept = look.kept
    if kept is not None and kept.is_filed and request.method == "GET":
        return web.see_other(address(held.taxpayer.gstin, form, period))
    totals = reported.totals(kept) if kept else []
    previous = look.opened.filer.previous(look.opened.filer.period(period.month))
    return render(
        request,
        "invoices/return_file.html",
        {
            **heading(form, period),
            "look": look,
            "totals": _named(totals),
            "sum": _sum(totals),
            "problem": problem,
            "recipients": reported.recipient_count(kept) if kept else 0,
            "previous": previous,
            "summaries": _sums(kept),
            "is_proved": proof.is_fresh(request),
            "shown": reported.digest(look.opened.supplier_return),
            "must_file_3b": look.filing is not None and look.filing.refusal is Refusal.PREVIOUS_3B_NOT_FILED,
        },
        status=status,
    )


@require_http_methods(["GET", "POST"])
@of_a_form
def record_delete(request: HttpRequest, gstin: str, p: str, form: str, pk: int) -> HttpResponse:
    """Ask before a saved document is taken back, and take it back."""
    held = web.enter(request, gstin, Right.SUPPLY)
    found, period = form_of(held.taxpayer, p, form)
    record = reported.record_of(held.taxpayer, pk)
    kept = record.supplier_return if record else None
    if record is None or kept is None or (kept.form, kept.month) != (found.value, period.month):
        raise Http404("No such page.")
    here = address(gstin, found, period)
    if record.status == Record.Status.WITHDRAWN:
        messages.info(request, _("%(number)s is taken back.") % {"number": record.number})
        return web.see_other(here)
    context = {
        **heading(found, period),
        "record": record,
        "row": reported.rows([record], at=request.portal_now)[0],
        "type": wording.TYPES[Section(record.section)],
    }
    if request.method == "GET":
        return render(request, "invoices/return_delete.html", context)
    web.expect_form(request, gstin)
    if request.POST.get("version") != str(record.version):
        problem = _(
            "The document or its recipient's action changed after you opened this page. Nothing was taken "
            "back. Look again."
        )
        return render(request, "invoices/return_delete.html", {**context, "problem": problem}, status=409)
    try:
        outward.delete(
            supplier=held.taxpayer,
            record=record,
            actor=held.user,
            clock=clock.portal(),
            document=staging.document_of(record, withdraw=True),
        )
    except outward.ReturnRefusedError as refused:
        return render(request, "invoices/return_delete.html", {**context, "problem": str(refused)}, status=409)
    messages.success(
        request, _("%(number)s is taken back. Its recipient no longer sees it.") % {"number": record.number}
    )
    return web.see_other(here)
