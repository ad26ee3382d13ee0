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

from ims_portal import clock, complaints, spoken, web
from ims_portal.access import Access, Right
from ims_portal.models import Taxpayer
from ims_portal.rules import documents, rates
from ims_portal.rules import gstin as gstins
from ims_portal.rules.actions import Action
from ims_portal.rules.documents import Form
from ims_portal.rules.periods import TaxPeriod
from ims_portal.templatetags import ims as show
from invoices import amending, entry, entry_forms, open_forms, outward, reported, wording
from invoices.entry import Typed
from invoices.entry_forms import Page
from invoices.models import ActionEvent, Record
from invoices.views import return_records, supplier_returns

NEW = {
    "b2b": gettext_lazy("New invoice"),
    "b2ba": gettext_lazy("Amended invoice"),
    "cdnr": gettext_lazy("New credit or debit note"),
    "cdnra": gettext_lazy("Amended note"),
    "ecom": gettext_lazy("New section 9(5) document"),
    "ecoma": gettext_lazy("Amended section 9(5) document"),
}
"""What a page of entry is for, by its table."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a document is typed: whose form of which period, which table; what it replaces or amends, if anything."""

    held: Access
    form: Form
    period: TaxPeriod
    table: str
    replaced: Record | None = None
    amended: Record | None = None

    @property
    def accepted(self) -> tuple[int, ...]:
        """The rates offered: those of the period's end; the document's own day decides in the end."""
        return rates.accepted(self.period.last_day)

    @property
    def fixed(self) -> Typed | None:
        """The document whose recipient and kind stay what they are."""
        if self.replaced is not None:
            return entry.of_record(self.replaced)
        return entry.amending(self.amended) if self.amended is not None else None

    @property
    def here(self) -> str:
        """The address of the page."""
        if self.replaced is not None:
            return self.url("record-edit", self.replaced.pk)
        of = f"?of={self.amended.pk}" if self.amended is not None else ""
        return self.url("entry-new", self.table) + of

    def url(self, name: str, *more: object) -> str:
        """Return the address of a page of this form."""
        return reverse(
            f"invoices:{name}",
            args=[self.held.taxpayer.gstin, self.period.wire, supplier_returns.SLUGS[self.form], *more],
        )

    def where(self, typed: Typed) -> entry.Where:
        """Return into which form a document is typed."""
        return entry.where(typed, supplier=self.held.taxpayer, form=self.form, period=self.period)


@require_http_methods(["GET", "POST"])
@supplier_returns.of_a_form
def entry_new(request: HttpRequest, gstin: str, p: str, form: str, table: str) -> HttpResponse:
    """Show the page of a new document, or of an amendment filled in with what is filed, and save what is typed."""
    held = web.enter(request, gstin, Right.SUPPLY)
    found, period = supplier_returns.form_of(held.taxpayer, p, form)
    if table in entry.OF_OPERATORS and held.taxpayer.kind != Taxpayer.Kind.ECO:
        raise Http404("No such page.")
    is_amendment = entry.TABLES[table][0] in documents.AMENDMENTS
    desk = Desk(held, found, period, table, amended=_amended(request, held, table) if is_amendment else None)
    if is_amendment and desk.amended is None:
        return web.see_other(desk.url("return-table", table))
    if desk.amended is not None and amending.is_too_late(desk.amended, request.portal_now):
        return _too_late(request, desk.amended)
    return _answer(request, desk)


def _too_late(request: HttpRequest, record: Record) -> HttpResponse:
    """Lead to where amendments begin, which says until when the law allowed them."""
    if request.method == "POST":
        told = _("%(number)s can no longer be amended. What you typed was not saved.")
        messages.warning(request, told % {"number": record.number})
    return web.see_other(return_records.url_of(record.supplier.gstin, record, "record-amend"))


def _amended(request: HttpRequest, held: Access, table: str) -> Record | None:
    """Return the filed record an address asks to amend, if it names one; Http404 for what cannot be amended there."""
    of = request.GET.get("of", "")
    if not of:
        return None
    record = (
        reported.record_of(held.taxpayer, int(of)) if of.isdecimal() and of.isascii() and len(of) < LONGEST_ID else None
    )
    if record is None or not record.is_filed or entry.amending(record).table != table:
        raise Http404("No such page.")
    return record


LONGEST_ID = 19


@require_http_methods(["GET", "POST"])
@supplier_returns.of_a_form
def entry_edit(request: HttpRequest, gstin: str, p: str, form: str, pk: int) -> HttpResponse:
    """Show a saved document as it was typed, and save another version of it."""
    held = web.enter(request, gstin, Right.SUPPLY)
    found, period = supplier_returns.form_of(held.taxpayer, p, form)
    record = return_records.of_form(held, found, period, pk)
    if record.status != Record.Status.SAVED:
        return _no_edit(request, held, record)
    if len(record.detail.items) > entry_forms.MOST_LINES:
        messages.info(request, _("%(number)s has too many lines for this page. Upload it.") % {"number": record.number})
        return web.see_other(return_records.url_of(gstin, record))
    table = entry.of_record(record).table
    return _answer(request, Desk(held, found, period, table, replaced=record))


def _no_edit(request: HttpRequest, held: Access, record: Record) -> HttpResponse:
    """Lead to the page of a document that is filed or deleted meanwhile, and say so."""
    told = (
        _("%(number)s is filed. Correct it by an amendment. What you typed was not saved.")
        if record.is_filed
        else _("%(number)s is deleted. What you typed was not saved: enter it as a new document if it is needed.")
    )
    messages.warning(request, told % {"number": record.number})
    return web.see_other(return_records.url_of(held.taxpayer.gstin, record))


def _answer(request: HttpRequest, desk: Desk) -> HttpResponse:
    if request.method == "POST":
        section = desk.fixed.section if desk.fixed else entry.TABLES[desk.table][0]
        page = entry_forms.sent(request.POST, section, accepted=desk.accepted, fixed=desk.fixed)
        return _sent(request, desk, page)
    typed = desk.fixed
    if typed is None:
        return _show(request, desk, entry_forms.blank(entry.TABLES[desk.table][0], accepted=desk.accepted))
    plain = entry.sums(entry.worked_out(typed), desk.where(typed))
    page = entry_forms.filled_in(typed, plain, accepted=desk.accepted)
    return _show(request, desk, page, more=_sums_of(desk, list(enumerate(typed.lines)), typed, is_readable=True))


def _sent(request: HttpRequest, desk: Desk, page: Page) -> HttpResponse:
    """Answer a page that was sent: one more line, one less, the tax worked out, or the document saved."""
    request_id = web.expect_form(request, desk.held.taxpayer.gstin)
    wish = request.POST.get("do", "save")
    typed = page.typed(otherwise=desk.period.last_day)
    places = [(form.place, line) for form, line in zip(page.filled, typed.lines, strict=True)]
    more = _sums_of(desk, places, typed, is_readable="pos" not in page.unread)
    more["is_partly_read"] = bool(page.unread)
    if wish == "compute" and request.htmx:
        return render(request, "invoices/_entry_sums.html", more)
    if wish in ("add", "compute") or (wish.startswith("remove-") and wish[7:].isdecimal()):
        without = int(wish[7:]) if wish.startswith("remove-") else None
        again = entry_forms.with_lines(page, more=wish == "add", without=without)
        return _show(request, desk, again, more=more if wish == "compute" else None)
    if page.unread:
        page.tell(entry.complaints(typed, desk.where(typed), unread=page.unread))
        return _show(request, desk, page, status=422, more=more)
    seen = request.POST.get("version", "")
    try:
        done = entry.save(
            typed,
            desk.where(typed),
            actor=desk.held.user,
            clock=clock.portal(),
            request_id=request_id,
            replaced=desk.replaced,
            seen=int(seen) if seen.isdecimal() and seen.isascii() else 0,
        )
    except entry.RefusedError as refused:
        page.tell(refused.complaints)
        return _show(request, desk, page, status=422, more=more)
    except outward.ReturnRefusedError as refused:
        page.at_large.append(str(refused))
    except outward.ChangedMeanwhileError:
        page.at_large.append(_meanwhile(desk))
    else:
        return _saved(request, desk, typed, done)
    return _show(request, desk, page, status=409, more=more)


def _meanwhile(desk: Desk) -> str:
    """Return what became of a document while another version of it was typed; what is stored now is told in figures."""
    record = desk.replaced
    event = ActionEvent.objects.filter(record=record).order_by("-version").first()
    if record is None or event is None:
        return _("The document changed after you opened this page. Nothing was saved; look at it again.")
    names = {
        "number": record.number,
        "time": show.moment(event.at),
        "taxable": show.inr(record.taxable),
        "tax": show.inr(record.tax.total),
        "action": wording.STATES[Action(record.action)],
    }
    if event.cause == ActionEvent.Cause.EDITED:
        return (
            _(
                "Somebody saved another version of %(number)s at %(time)s, after you opened this page: taxable value "
                "%(taxable)s, tax %(tax)s. Yours is not saved and stands below. Save again to replace theirs."
            )
            % names
        )
    return (
        _(
            "The recipient decided on %(number)s at %(time)s, after you opened this page: %(action)s. Yours is not "
            "saved and stands below. Save again to replace the document and to have it decided anew."
        )
        % names
    )


def _saved(request: HttpRequest, desk: Desk, typed: Typed, done: entry.Entered) -> HttpResponse:
    names = {"number": typed.number, "form": desk.form.value, "period": desk.period.label}
    told = _("%(number)s is saved in %(form)s of %(period)s. Its recipient sees it at once; it counts once you file.")
    if desk.replaced is not None:
        told = _("%(number)s is saved anew. Its recipient sees old and new figures at once and decides again.")
    if not done.has_changed:
        told = _("%(number)s stands as it stood: nothing changed.")
    messages.success(request, told % names)
    for warning in done.warnings:
        messages.warning(request, complaints.tell(warning))
    if request.POST.get("do") == "more":
        return web.see_other(desk.url("entry-new", desk.table))
    return web.see_other(desk.url("return-table", desk.table))


def _sums_of(desk: Desk, places: list[tuple[int, entry.Line]], typed: Typed, *, is_readable: bool) -> dict[str, Any]:
    """Return what a document comes to, each line under its place on the page; nothing without a place of supply."""
    found = entry.sums(typed, desk.where(typed))
    return {
        "sums": found if is_readable else None,
        "sum_lines": [
            (place, place + 1, line.taxable, tax) for (place, line), tax in zip(places, found.lines, strict=True)
        ],
        "is_inside": found.heads is rates.Heads.CGST_AND_SGST,
        "from_state": spoken.say(gstins.STATES[desk.held.taxpayer.state]),
        "to_state": spoken.say(gstins.STATES.get(typed.pos, "")),
    }


def _show(
    request: HttpRequest, desk: Desk, page: Page, *, status: int = 200, more: dict[str, Any] | None = None
) -> HttpResponse:
    at = request.portal_now
    look = open_forms.look(supplier=desk.held.taxpayer, form=desk.form, period=desk.period, at=at)
    recipient = page.fixed.recipient if page.fixed else str(page.head["recipient"].value() or "").strip().upper()
    replaced, is_judged = desk.replaced, status >= JUDGED
    context = {
        **supplier_returns.heading(desk.form, desk.period),
        "look": look,
        "entry": page,
        "table": desk.table,
        "table_name": wording.TABLES[desk.table],
        "title": _("Edit %(number)s") % {"number": replaced.number} if replaced else NEW[desk.table],
        "type": wording.TYPES[page.section],
        "errors": page.errors if is_judged else [],
        "is_judged": is_judged,
        "recipient": recipient,
        "known": Taxpayer.objects.filter(gstin=recipient).first() if recipient.isalnum() else None,
        "record": replaced,
        "version": replaced.version if replaced else "",
        "here": desk.here,
        "back": desk.url("return-table", desk.table),
        "most_lines": entry_forms.MOST_LINES,
        "differential": rates.percent(rates.DIFFERENTIAL * 100),
    }
    return render(request, "invoices/entry.html", context | (more or {}), status=status)


JUDGED = 400
"""From this status on a page was sent to be saved and tells what is wrong with it."""


@require_safe
@supplier_returns.of_a_form
def recipient(request: HttpRequest, gstin: str, p: str, form: str) -> HttpResponse:
    """Say whose a typed GSTIN is, or what is wrong with it: the part of the page beside the field."""
    held = web.enter(request, gstin, Right.SUPPLY)
    supplier_returns.form_of(held.taxpayer, p, form)
    typed = request.GET.get("recipient", "").upper().replace(" ", "")[: gstins.LENGTH + 1]
    reason = gstins.problem(typed, kinds=gstins.RECIPIENTS) if typed else None
    known = Taxpayer.objects.filter(gstin=typed).first() if typed and not reason else None
    told = complaints.tell(f"{typed} {reason}.") if reason else None
    return render(request, "invoices/_entry_recipient.html", {"recipient": typed, "reason": told, "known": known})
