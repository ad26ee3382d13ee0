"""One table of a supplier's form that leads to IMS: its documents, and the way to a new one."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from ims_portal import calendar, web
from ims_portal.access import Right
from ims_portal.models import Taxpayer
from ims_portal.rules import documents
from invoices import entry, open_forms, reported, uploads, wording
from invoices.views import supplier_returns


@require_safe
@supplier_returns.of_a_form
def table_page(request: HttpRequest, gstin: str, p: str, form: str, table: str) -> HttpResponse:
    """List the documents of one table of a form, and lead to a new one."""
    held = web.enter(request, gstin)
    filer = calendar.filer(held.taxpayer)
    found, period = supplier_returns.form_of(held.taxpayer, p, form, filer)
    at = request.portal_now
    look = open_forms.look(supplier=held.taxpayer, form=found, period=period, at=at, filer=filer)
    totals = [line for line in reported.totals(look.kept) if line.section in entry.TABLES[table]] if look.kept else []
    latest = uploads.of_form(taxpayer=held.taxpayer, form=found, period=period)
    upload, refused = uploads.refused_by_table(latest)
    page = None
    if look.kept and totals:
        records = reported.of(look.kept).filter(section__in=[section.value for section in entry.TABLES[table]])
        page = reported.page(
            records,
            cursor=request.GET.get("after", ""),
            size=supplier_returns.ROWS,
            at=at,
            total=sum(line.count for line in totals),
        )
    return render(
        request,
        "invoices/return_table.html",
        {
            **supplier_returns.heading(found, period),
            "look": look,
            "state": supplier_returns.state_of(look),
            "window": supplier_returns.window(look),
            "table": table,
            "table_name": wording.TABLES[table],
            "saved": sum(total.saved for total in totals),
            "filed": sum(total.filed for total in totals),
            "refused": refused.get(table, 0),
            "upload": upload,
            "page": page,
            "lines": supplier_returns.lines_of(page.rows) if page else [],
            "is_amendments": entry.TABLES[table][0] in documents.AMENDMENTS,
            "may_enter": table not in entry.OF_OPERATORS or held.taxpayer.kind == Taxpayer.Kind.ECO,
            "may_supply": held.may(Right.SUPPLY),
        },
    )
