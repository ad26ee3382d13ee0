"""GSTR-3B: the draft or filed return, and one row of it with its break-up or its form."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_safe

from ims_portal import clock, web
from ims_portal.access import Right
from ims_portal.rules import gstr3b as rules
from ims_portal.rules.actions import Refusal
from ims_portal.rules.money import HEADS, Tax
from ims_portal.templatetags import ims as show
from returns import gstr3b, payment_card, tables, wording
from returns.forms import TAXABLE, DeclareForm, has_amount
from returns.gstr3b import Draft
from returns.views.opening import Opened, of_period


@require_safe
@of_period(page="returns:gstr3b")
def gstr3b_page(request: HttpRequest, opened: Opened) -> HttpResponse:
    """Show a period's GSTR-3B: Table 3 locked, Table 4 derived, declared by its people."""
    shown = gstr3b.draft(taxpayer=opened.taxpayer, period=opened.period, at=opened.at, today=opened.today)
    return opened.render(
        request,
        "returns/gstr3b.html",
        {
            "draft": shown,
            "cards": tables.cards(shown),
            "can_edit": opened.may(Right.COMPUTE),
            **payment_context(shown),
        },
    )


def payment_context(shown: Draft) -> dict[str, object]:
    """Return what pages say of a draft's payment and of ITC above GSTR-2B."""
    return {
        "paid": payment_card.card(shown.payment),
        "excess": payment_card.excess(shown.period.month, shown.derived, shown.declared),
    }


@require_http_methods(["GET", "HEAD", "POST"])
@of_period(page="returns:gstr3b", posting=Right.COMPUTE)
def row(request: HttpRequest, opened: Opened, row: str) -> HttpResponse:
    """Show one row: its break-up, its figures, the form that declares it; a POST declares it."""
    if row not in rules.ROWS:
        raise Http404("No such row.")
    if request.method == "POST":
        return _declare(request, opened, row)
    return _row_page(request, opened, row, None)


def _declare(request: HttpRequest, opened: Opened, row: str) -> HttpResponse:
    request_id = web.expect_form(request, opened.taxpayer.gstin)
    is_reset = "reset" in request.POST
    form = DeclareForm(request.POST, row=row)
    if not is_reset and not form.is_valid():
        return _row_page(request, opened, row, form, status=422)
    try:
        gstr3b.adjust(
            taxpayer=opened.taxpayer,
            period=opened.period,
            row=row,
            tax=None if is_reset else form.tax,
            taxable=None if is_reset else form.taxable,
            reason="" if is_reset else form.cleaned_data["reason"],
            actor=opened.held.user,
            clock=clock.portal(),
            request_id=request_id,
        )
    except gstr3b.Gstr3bRefusedError as refused:
        form.is_valid()
        lacks_reason = refused.refusal is Refusal.REASON_REQUIRED
        form.add_error("reason" if lacks_reason else None, wording.edit(refused.refusal, period=opened.period, row=row))
        return _row_page(request, opened, row, form, status=422 if lacks_reason else 409)
    return web.see_other(opened.url("gstr3b") + f"#table-{tables.anchor(row)}")


def _row_page(
    request: HttpRequest, opened: Opened, name: str, form: DeclareForm | None, status: int = 200
) -> HttpResponse:
    shown = gstr3b.draft(taxpayer=opened.taxpayer, period=opened.period, at=opened.at, today=opened.today)
    found = tables.row(shown, name)
    parts = None
    if found.has_breakup:
        parts = tables.breakup(taxpayer=opened.taxpayer, period=opened.period, shown=shown, name=name)
    derived, declared = _amounts(found.taxable, found.derived), _amounts(found.declared_taxable, found.declared)
    if form is None:
        written = {amount: show.amount(value) for amount, value in declared.items()}
        form = DeclareForm(initial={**written, "reason": found.reason}, row=name)
    amounts = [
        (amount, form[amount], derived[amount], declared[amount])
        for amount in (TAXABLE, *HEADS)
        if has_amount(name, amount)
    ]
    return opened.render(
        request,
        "returns/row.html",
        {
            "draft": shown,
            "row": found,
            "form": form,
            "amounts": amounts,
            "parts": parts,
            "limit": tables.limit(shown, name),
            "why": gstr3b.why_of(shown, name),
            "errors": form.told,
            "needs_reason": rules.NEEDS_REASON.decide(opened.period.month, row=name).outcome,
            "can_edit": found.is_editable and opened.may(Right.COMPUTE),
        },
        status=status,
    )


def _amounts(taxable: int | None, tax: Tax) -> dict[str, int]:
    return {TAXABLE: taxable or 0, **tax.as_dict()}
