"""One document of a supplier's form: as reported, how it can be changed, and where it can be amended."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from ims_portal import calendar, spoken, web
from ims_portal.access import Access, Right
from ims_portal.rules import gstin as gstins
from ims_portal.rules import periods, rates
from ims_portal.rules.documents import Form, InvoiceType, Section
from ims_portal.rules.periods import TaxPeriod
from invoices import amending, entry, open_forms, outward_words, reported, wording
from invoices.models import Record
from invoices.open_forms import Look
from invoices.views import supplier_returns


def of_form(held: Access, form: Form, period: TaxPeriod, pk: int) -> Record:
    """Return a record of a form, a deleted one too. This will raise Http404 for one of another form or supplier."""
    record = reported.record_of(held.taxpayer, pk)
    kept = record.supplier_return if record else None
    if record is None or kept is None or (kept.form, kept.month) != (form.value, period.month):
        raise Http404("No such page.")
    return record


@require_safe
@supplier_returns.of_a_form
def record_page(request: HttpRequest, gstin: str, p: str, form: str, pk: int) -> HttpResponse:
    """Show a document as it was reported, with its lines, and the ways to change it."""
    held = web.enter(request, gstin)
    found, period = supplier_returns.form_of(held.taxpayer, p, form)
    record = of_form(held, found, period, pk)
    at = request.portal_now
    typed = entry.of_record(record)
    table = typed.table
    return render(
        request,
        "invoices/return_record.html",
        {
            **supplier_returns.heading(found, period),
            "look": open_forms.look(supplier=held.taxpayer, form=found, period=period, at=at),
            "record": record,
            "typed": typed,
            "lines": [(rates.percent(line.rate), line) for line in typed.lines],
            "row": reported.rows([record], at=at)[0],
            "type": wording.TYPES[typed.section],
            "inv_type": wording.SUPPLIES[InvoiceType(record.inv_type)],
            "pos_name": spoken.say(gstins.STATES.get(record.pos, "")),
            "differential": rates.percent(rates.DIFFERENTIAL * 100),
            "table": table,
            "table_name": wording.TABLES[table],
            "is_withdrawn": record.status == Record.Status.WITHDRAWN,
            "may_supply": held.may(Right.SUPPLY),
        },
    )


@require_safe
@supplier_returns.of_a_form
def amend_page(request: HttpRequest, gstin: str, p: str, form: str, pk: int) -> HttpResponse:
    """Say where a filed document can be amended, what may change and until when; what is not filed is edited."""
    held = web.enter(request, gstin, Right.SUPPLY)
    found, period = supplier_returns.form_of(held.taxpayer, p, form)
    record = of_form(held, found, period, pk)
    if not record.is_filed:
        return web.see_other(supplier_returns.address(gstin, found, period, "return-record", pk=pk))
    at = request.portal_now
    ways = amending.ways(record, supplier=held.taxpayer, at=at)
    return render(
        request,
        "invoices/record_amend.html",
        {
            **supplier_returns.heading(found, period),
            "record": record,
            "type": wording.TYPES[Section(record.section)],
            "ways": ways,
            "year": f"{record.credit_fy}-{(record.credit_fy + 1) % 100:02d}",
            "later_url": url_of(gstin, ways.later) if ways.later else "",
            "too_late": outward_words.too_late(record, ways.until) if ways.is_late else "",
            "found": [_way(gstin, record, look) for look in ways.looks],
        },
    )


def _way(gstin: str, record: Record, look: Look) -> dict[str, object]:
    opened = look.opened
    table = entry.amending(record).table
    here = supplier_returns.address(gstin, opened.form, opened.period, "entry-new", table=table)
    return {
        "form": opened.form.value,
        "period": opened.period,
        "refused": str(look.saving or ""),
        "url": f"{here}?of={record.pk}",
        "counts": calendar.filer(record.recipient).period(
            periods.gstr2b_month(opened.form, opened.filer, opened.period, opened.day, opened.calendar)
        )
        if look.saving is None
        else None,
    }


def url_of(gstin: str, record: Record, page: str = "return-record") -> str:
    """Return the address of a record's page in its own form; of another `page` by its name."""
    kept = record.supplier_return
    if kept is None:
        return reverse("invoices:outward-record", args=[gstin, record.pk])
    frequency = periods.Frequency.QUARTERLY if kept.is_quarter else periods.Frequency.MONTHLY
    period = TaxPeriod(kept.month, frequency)
    return supplier_returns.address(gstin, Form(kept.form), period, page, pk=record.pk)
