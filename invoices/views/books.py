"""The purchase register: handed in, its columns named, matched with the records, pairs made and unmade by hand."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ims_portal import clock, web
from ims_portal.access import Access, Right
from ims_portal.forms import RupeesField
from invoices import books, books_words, register_reading, registers, standing
from invoices.books import PairRefusedError
from invoices.books_sql import ONLY_IN_BOOKS, Place
from invoices.filters import Filters, Match
from invoices.kept_files import UploadRefusedError
from invoices.models import Booked, Register
from invoices.registers import RegisterRefusedError

ACCEPTED = {"status": "F", "action": "N"}
"""Of a tab, what its suggestion to accept is for: filed, and nothing decided yet."""

LARGEST_TOLERANCE = 1_000_00
LONGEST_ID = 18


class ToleranceForm(forms.Form):
    """What may differ per head, in rupees."""

    tolerance = RupeesField()

    def clean_tolerance(self) -> int:
        """Refuse what is no tolerance any more."""
        paise = int(self.cleaned_data["tolerance"])
        if not 0 <= paise <= LARGEST_TOLERANCE:
            raise forms.ValidationError(_("Write an amount from 0.00 to 1000.00 rupees."))
        return paise


@require_http_methods(["GET", "HEAD", "POST"])
def match(request: HttpRequest, gstin: str) -> HttpResponse:
    """Show the tabs of matching with one of them, or take in a register and go to its page."""
    held = web.enter(request, gstin, Right.ACT if request.method == "POST" else Right.VIEW)
    errors: list[tuple[str, str]] = []
    if request.method == "POST":
        request_id = web.expect_form(request, gstin)
        try:
            found = registers.receive(
                taxpayer=held.taxpayer,
                file=request.FILES.get("file"),
                actor=held.user,
                clock=clock.portal(),
                request_id=request_id,
            )
            return web.see_other(reverse("invoices:register", args=[gstin, found.pk]))
        except UploadRefusedError as refused:
            errors = [("id_file", str(refused))]
        except RegisterRefusedError as refused:
            errors = [(f"id_{field}", text) for field, text in refused.problems.items()]
    return _page(request, held, errors)


def _page(
    request: HttpRequest, held: Access, errors: list[tuple[str, str]], tolerance: str | None = None
) -> HttpResponse:
    matched = books.of(held.taxpayer)
    context: dict[str, object] = {
        "errors": errors,
        "may_act": held.may(Right.ACT),
        "registers": registers.latest(taxpayer=held.taxpayer),
        "matched": matched,
        "typed_tolerance": tolerance,
    }
    if matched is not None and matched.matched_at is not None and matched.span is not None:
        context |= _tab(request, held)
    return render(request, "invoices/match.html", context, status=422 if errors else 200)


def _tab(request: HttpRequest, held: Access) -> dict[str, object]:
    """Return the tabs with their counts, and the rows of the one that is open."""
    tab = request.GET.get("tab", "") or books.TABS[0]
    if tab not in books.TABS:
        raise Http404("No such tab.")
    today = standing.for_page(held, request.portal_now)
    address = reverse("invoices:match", args=[held.taxpayer.gstin])
    counted = books.counts(held.taxpayer, today)
    rows, after = books.page(held.taxpayer, today, tab, after=_place(request.GET.get("after", "")))
    return {
        "tab": tab,
        "tab_name": books_words.TABS[tab],
        "tabs": [(name, f"{address}?tab={name}", books_words.TABS[name], counted[name]) for name in books.TABS],
        "sum": counted[tab],
        "rows": [(row, books_words.why(row), books_words.SUGGESTIONS[row.suggestion]) for row in rows],
        "after_url": f"{address}?{urlencode({'tab': tab, 'after': '.'.join(map(str, after))})}" if after else "",
        "first_url": f"{address}?tab={tab}" if request.GET.get("after") else "",
        "list_query": Filters(match=tab, **ACCEPTED).query() if tab in (Match.EXACT, Match.TOLERANCE) else "",
        "list_url": Filters(match=tab).address(held.taxpayer.gstin) if tab != ONLY_IN_BOOKS else "",
        "back": request.get_full_path(),
    }


def _place(text: str) -> Place | None:
    try:
        return Place(*(int(part) for part in text.split("."))) if text else None
    except (ValueError, TypeError):
        raise Http404("No such place.") from None


@require_POST
def tolerance(request: HttpRequest, gstin: str) -> HttpResponse:
    """Keep what may differ within tolerance."""
    held = web.enter(request, gstin, Right.ACT)
    request_id = web.expect_form(request, gstin)
    form = ToleranceForm(request.POST)
    if not form.is_valid():
        errors = [("id_tolerance", text) for text in form.errors["tolerance"]]
        return _page(request, held, errors, request.POST.get("tolerance", ""))
    books.set_tolerance(
        taxpayer=held.taxpayer,
        paise=form.cleaned_data["tolerance"],
        actor=held.user,
        clock=clock.portal(),
        request_id=request_id,
    )
    messages.success(request, _("The tolerance is set."))
    return web.see_other(reverse("invoices:match", args=[gstin]))


@require_POST
def again(request: HttpRequest, gstin: str) -> HttpResponse:
    """Match the books again and go to where that is followed."""
    held = web.enter(request, gstin, Right.ACT)
    request_id = web.expect_form(request, gstin)
    try:
        found = registers.match_again(
            taxpayer=held.taxpayer, actor=held.user, clock=clock.portal(), request_id=request_id
        )
    except RegisterRefusedError as refused:
        messages.error(request, str(refused))
        found = None
    if found is None:
        return web.see_other(reverse("invoices:match", args=[gstin]))
    return web.see_other(reverse("invoices:register", args=[gstin, found.pk]))


@require_safe
def template(request: HttpRequest, gstin: str) -> HttpResponse:
    """Give the template of a register."""
    web.enter(request, gstin)
    headers = {"Content-Disposition": 'attachment; filename="purchase-register.csv"'}
    return HttpResponse(registers.template(), content_type="text/csv; charset=utf-8", headers=headers)


@require_safe
def register(request: HttpRequest, gstin: str, pk: uuid.UUID) -> HttpResponse:
    """Show how far a register is, ask for its columns, or tell what came of it; to htmx the part that changes."""
    held = web.enter(request, gstin)
    return _register(request, held, _of(held, pk))


def _of(held: Access, pk: uuid.UUID) -> Register:
    found = registers.of(taxpayer=held.taxpayer, register_id=pk)
    if found is None:
        raise Http404("No such register.")
    return found


def _register(
    request: HttpRequest, held: Access, found: Register, refused: RegisterRefusedError | None = None
) -> HttpResponse:
    problems = refused.problems if refused else {}
    context = {
        "register": found,
        "job_url": reverse("invoices:register", args=[held.taxpayer.gstin, found.pk]),
        "may_act": held.may(Right.ACT),
        "errors": [(f"id_{field}" if field else "", text) for field, text in problems.items()],
        "is_given_back": registers.is_given_back(found),
        "problems": list(found.problems.order_by("pk")[:100]) if found.wrong else [],
        **(_naming(request, found) if found.phase == Register.Phase.NAMING else {}),
    }
    if getattr(request, "htmx", False) and not refused:
        status = web.STOP_POLLING if found.is_over else 200
        return render(request, "invoices/_register.html", context, status=status)
    return render(request, "invoices/register.html", context, status=422 if refused else 200)


def _naming(request: HttpRequest, found: Register) -> dict[str, object]:
    """Return the fields whose columns are to be named, each with what was chosen or is guessed."""
    chosen = request.POST if request.method == "POST" else register_reading.guess(found.heading)
    return {
        "fields": [
            (field.value, books_words.FIELDS[field], chosen.get(field.value, ""), field in register_reading.REQUIRED)
            for field in register_reading.Field
        ]
    }


@require_POST
def columns(request: HttpRequest, gstin: str, pk: uuid.UUID) -> HttpResponse:
    """Keep which column of a register is what, and read it so."""
    held = web.enter(request, gstin, Right.ACT)
    request_id = web.expect_form(request, gstin)
    found = _of(held, pk)
    try:
        registers.name_columns(
            register=found,
            columns={field.value: request.POST.get(field.value, "") for field in register_reading.Field},
            actor=held.user,
            clock=clock.portal(),
            request_id=request_id,
        )
    except RegisterRefusedError as refused:
        return _register(request, held, found, refused)
    return web.see_other(reverse("invoices:register", args=[gstin, pk]))


@require_POST
def remove(request: HttpRequest, gstin: str, pk: uuid.UUID) -> HttpResponse:
    """Forget what a register told."""
    held = web.enter(request, gstin, Right.ACT)
    request_id = web.expect_form(request, gstin)
    found = _of(held, pk)
    try:
        registers.remove(register=found, actor=held.user, clock=clock.portal(), request_id=request_id)
    except RegisterRefusedError as refused:
        return _register(request, held, found, refused)
    messages.success(request, _("The register %(name)s is removed, with what it told.") % {"name": found.file_name})
    return web.see_other(reverse("invoices:match", args=[gstin]))


@require_safe
def booked(request: HttpRequest, gstin: str, pk: int) -> HttpResponse:
    """Show a document of the books, what it may be, and the message to its supplier."""
    held = web.enter(request, gstin)
    document = _document(held, pk)
    today = standing.for_page(held, request.portal_now)
    context = {
        "document": document,
        "candidates": books.candidates(held.taxpayer, document, today),
        "message": books_words.message(document, held.taxpayer),
        "may_act": held.may(Right.ACT),
        "back": web.local(request.GET.get("back", ""), otherwise=reverse("invoices:match", args=[gstin])),
    }
    return render(request, "invoices/booked.html", context)


def _document(held: Access, pk: int) -> Booked:
    found = books.booked(taxpayer=held.taxpayer, pk=pk)
    if found is None:
        raise Http404("No such document.")
    return found


@require_POST
def link(request: HttpRequest, gstin: str, pk: int) -> HttpResponse:
    """Pair a document with a record by hand."""
    return _say(request, gstin, pk, books.link, _("The two are paired."))


@require_POST
def unlink(request: HttpRequest, gstin: str, pk: int) -> HttpResponse:
    """Say that a document is not a record; matching again leaves it so."""
    return _say(request, gstin, pk, books.unlink, _("The two are no pair any more, also when you match again."))


def _say(request: HttpRequest, gstin: str, pk: int, do: Callable[..., None], done: str) -> HttpResponse:
    held = web.enter(request, gstin, Right.ACT)
    request_id = web.expect_form(request, gstin)
    record = request.POST.get("record", "")
    if not (record.isascii() and record.isdigit() and len(record) <= LONGEST_ID):
        raise web.incomplete()
    say = partial(do, taxpayer=held.taxpayer, booked_id=pk, record_id=int(record))
    try:
        say(actor=held.user, clock=clock.portal(), request_id=request_id)
    except PairRefusedError as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, done)
    return web.see_other(web.local(request.POST.get("back", ""), otherwise=reverse("invoices:match", args=[gstin])))
