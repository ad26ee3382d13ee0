"""A filed return on its way to its recipients: how far it is."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from ims_portal import web
from ims_portal.rules.documents import Form
from invoices import delivery as deliveries
from invoices.views import supplier_returns


@require_safe
def delivery(request: HttpRequest, gstin: str, pk: uuid.UUID) -> HttpResponse:
    """Show how far a return is on its way; htmx asks for the fragment alone."""
    held = web.enter(request, gstin)
    found = deliveries.of(taxpayer=held.taxpayer, delivery_id=pk)
    if found is None:
        raise Http404("No such page.")
    form, period = Form(found.supplier_return.form), found.supplier_return.period
    template = "invoices/_delivery.html" if request.htmx else "invoices/delivery.html"
    context = {**supplier_returns.heading(form, period), **supplier_returns.delivery_shown(found)}
    return render(request, template, context)
