"""One document of a return by hand: a new one, another version of a saved one, an amendment of a filed one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from ims_portal import clock, web
from ims_portal.access import Access, Right
from ims_portal.models import Taxpayer
from ims_portal.rules import gstin as gstins
from ims_portal.rules import rates
from ims_portal.rules.documents import Form, Section
from ims_portal.rules.periods import TaxPeriod
from ims_portal.templatetags import ims as show
from invoices import entry, entry_forms, open_forms, outward, wording
from invoices.entry import Typed
from invoices.entry_forms import Page
from invoices.models import Record
from invoices.views import supplier_returns

NEW = {
    "b2b": gettext_lazy("New invoice"),
    "b2ba": gettext_lazy("Amended invoice"),
    "cdnr": gettext_lazy("New credit or debit note"),
    "cdnra": gettext_lazy("Amended note"),
    "ecom": gettext_lazy("New section 9(5) document"),
    "ecoma": gettext_lazy("Amended section 9(5) document"),
}
HEADS = ("igst", "cgst", "sgst", "cess")


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a document is typed: whose form of which period, which table."""

    held: Access
    form: Form
    period: TaxPeriod
    table: str

    @property
    def accepted(self) -> tuple[int, ...]:
        """The rates offered: those of the period's end; the document's own day decides in the end."""
        return rates.accepted(self.period.last_day)

    def url(self, name: str, *more: object) -> str:
        """Return the address of a page of this form."""
        return reverse(
            f"invoices:{name}",
            args=[self.held.taxpayer.gstin, self.period.wire, supplier_returns.SLUGS[self.form], *more],
        )


@require_http_methods(["GET", "POST"])
@supplier_returns.of_a_form
def entry_new(request: HttpRequest, gstin: str, p: str, form: str, table: str) -> HttpResponse:
    """Show the page of a new document, and save what is typed in it."""
    held = web.enter(request, gstin, Right.SUPPLY)
    found, period = supplier_returns.form_of(held.taxpayer, p, form)
    desk = Desk(held, found, period, table)
    if table in entry.OF_OPERATORS and held.taxpayer.kind != Taxpayer.Kind.ECO:
        raise Http404("No such page.")
    section = entry.TABLES[table][0]
    if request.method == "GET":
        return _show(request, desk, entry_forms.blank(section, accepted=desk.accepted))
    return _sent(request, desk, entry_forms.sent(request.POST, section, accepted=desk.accepted, fixed=None))


def _sent(
    request: HttpRequest, desk: Desk, page: Page, *, replaced: Record | None = None, seen: int = 0
) -> HttpResponse:
    """Answer a page that was sent: one more line, one less, the tax worked out, or the document saved."""
    request_id = web.expect_form(request, desk.held.taxpayer.gstin)
    wish = request.POST.get("do", "save")
    if wish == "add":
        return _show(request, desk, entry_forms.with_lines(page, more=True), replaced=replaced)
    if wish.startswith("remove-") and wish[7:].isdecimal():
        return _show(request, desk, entry_forms.with_lines(page, without=int(wish[7:])), replaced=replaced)
    typed = page.typed(otherwise=desk.period.last_day)
    where = entry.Where(desk.held.taxpayer, desk.form, desk.period, is_to_sez=_is_sez(typed.recipient))
    found = entry.sums(typed, where)
    more = _sums_of(desk, page, typed, found)
    if wish == "compute":
        return _computed(request, desk, page, found, more, replaced)
    if page.unread:
        page.tell(entry.complaints(typed, where, unread=page.unread))
        return _show(request, desk, page, replaced=replaced, status=422, more=more)
    try:
        done = entry.save(
            typed,
            where,
            actor=desk.held.user,
            clock=clock.portal(),
            request_id=request_id,
            replaced=replaced,
            seen=seen,
        )
    except entry.RefusedError as refused:
        page.tell(refused.complaints)
        return _show(request, desk, page, replaced=replaced, status=422, more=more)
    except outward.ReturnRefusedError as refused:
        page.at_large.append(str(refused))
        return _show(request, desk, page, replaced=replaced, status=409, more=more)
    return _saved(request, desk, typed, done)


def _saved(request: HttpRequest, desk: Desk, typed: Typed, done: entry.Entered) -> HttpResponse:
    names = {"number": typed.number, "form": desk.form.value, "period": desk.period.label}
    told = _("%(number)s is saved in %(form)s of %(period)s. Its recipient sees it at once; it counts once you file.")
    messages.success(
        request, (told if done.has_changed else _("%(number)s stands as it stood: nothing changed.")) % names
    )
    for warning in done.warnings:
        messages.warning(request, warning)
    if request.POST.get("do") == "more":
        return web.see_other(desk.url("entry-new", desk.table))
    return web.see_other(desk.url("return-table", desk.table))


def _is_sez(recipient: str) -> bool:
    return bool(recipient) and Taxpayer.objects.filter(gstin=recipient, kind=Taxpayer.Kind.SEZ).exists()


def _computed(
    request: HttpRequest, desk: Desk, page: Page, found: entry.Sums, more: dict[str, Any], replaced: Record | None
) -> HttpResponse:
    """Show what the document comes to; without script, with each empty tax filled in."""
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "invoices/_entry_sums.html", more | {"entry": page})
    again = entry_forms.with_lines(page)
    places = {line.place: tax for line, tax in zip(page.filled, found.lines, strict=True)}
    for line in again.lines:
        tax = places.get(line.place)
        for head in HEADS if tax and "pos" not in page.unread else ():
            line.initial[head] = line.initial.get(head) or show.amount(getattr(tax, head))
    return _show(request, desk, again, replaced=replaced, more=more)


def _sums_of(desk: Desk, page: Page, typed: Typed, found: entry.Sums) -> dict[str, Any]:
    is_readable = "pos" not in page.unread
    return {
        "sums": found if is_readable else None,
        "sum_lines": [
            (line.place, line.place + 1, typed_line.taxable, tax)
            for line, typed_line, tax in zip(page.filled, typed.lines, found.lines, strict=True)
        ],
        "is_inside": found.heads is rates.Heads.CGST_AND_SGST,
        "from_state": gstins.STATES[desk.held.taxpayer.state],
        "to_state": gstins.STATES.get(typed.pos, ""),
    }


def _show(
    request: HttpRequest,
    desk: Desk,
    page: Page,
    *,
    replaced: Record | None = None,
    status: int = 200,
    more: dict[str, Any] | None = None,
) -> HttpResponse:
    at = request.portal_now  # type: ignore[attr-defined]
    look = open_forms.look(supplier=desk.held.taxpayer, form=desk.form, period=desk.period, at=at)
    recipient = page.fixed.recipient if page.fixed else str(page.head["recipient"].value() or "").strip().upper()
    known = Taxpayer.objects.filter(gstin=recipient).first() if recipient.isalnum() else None
    here = desk.url("record-edit", replaced.pk) if replaced else desk.url("entry-new", desk.table)
    context = {
        **supplier_returns.heading(desk.form, desk.period),
        "look": look,
        "entry": page,
        "table": desk.table,
        "table_name": wording.TABLES[desk.table],
        "title": _("Edit %(number)s") % {"number": replaced.number} if replaced else NEW[desk.table],
        "type": wording.TYPES[Section(replaced.section)] if replaced else "",
        "errors": page.errors if status != 200 else [],  # noqa: PLR2004 a page shown for the first time complains of nothing
        "is_judged": status != 200,  # noqa: PLR2004
        "recipient": recipient,
        "known": known,
        "record": replaced,
        "here": request.get_full_path() if not replaced else here,
        "back": desk.url("return-table", desk.table),
        "most_lines": entry_forms.MOST_LINES,
        "differential": rates.percent(rates.DIFFERENTIAL * 100),
        "own_state": desk.held.taxpayer.state,
    }
    return render(request, "invoices/entry.html", context | (more or {}), status=status)


@require_safe
@supplier_returns.of_a_form
def recipient(request: HttpRequest, gstin: str, p: str, form: str) -> HttpResponse:
    """Say whose a typed GSTIN is, or what is wrong with it: the part of the page beside the field."""
    held = web.enter(request, gstin, Right.SUPPLY)
    supplier_returns.form_of(held.taxpayer, p, form)
    typed = request.GET.get("recipient", "").upper().replace(" ", "")[:40]
    reason = gstins.problem(typed, kinds=gstins.RECIPIENTS) if typed else None
    known = Taxpayer.objects.filter(gstin=typed).first() if typed and not reason else None
    return render(request, "invoices/_entry_recipient.html", {"recipient": typed, "reason": reason, "known": known})
