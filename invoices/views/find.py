"""Find a document by its supplier and number: where it stands, or what to do where nobody reported it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from ims_portal import web
from ims_portal.rules.documents import Section
from invoices import finding, standing, wording
from invoices.finding import Found, Where
from invoices.forms import FindForm
from invoices.standing import Standing


@require_safe
def find(request: HttpRequest, gstin: str) -> HttpResponse:
    """Show the form, and what was found once a number is asked for."""
    held = web.enter(request, gstin)
    today = standing.for_page(held, request.portal_now)
    is_asked = "number" in request.GET or "gstin" in request.GET
    form = FindForm(request.GET if is_asked else None)
    context: dict[str, object] = {"form": form, "is_asked": is_asked}
    if is_asked and form.is_valid():
        asked = form.cleaned_data
        answer = finding.find(taxpayer=held.taxpayer, today=today, gstin=asked["gstin"], number=asked["number"])
        context |= {
            "found": [_row(found, today) for found in answer.found],
            "near": [(record, wording.TYPES[Section(record.section)]) for record in answer.near],
            "asked": asked,
            "what_to_do": wording.not_reported(asked["gstin"], today),
        }
    context["errors"] = web.errors(form)
    return render(request, "invoices/find.html", context, status=422 if form.errors else 200)


def _row(found: Found, today: Standing) -> dict[str, object]:
    """Return one document found, in words."""
    record = found.record
    return {
        "record": record,
        "type": wording.TYPES[Section(record.section)],
        "chip": CHIPS[found.where],
        "says": _says(found, today),
        "action": record.settled_as or today.effective_action(record) if found.where in IN_IMS else "",
        "counted": found.counted,
        "reversed_in": found.reversed_in,
        "successor": record.superseded_by,
    }


IN_IMS = (Where.OPEN, Where.SETTLED, Where.SAVED)
CHIPS = {
    Where.OPEN: "filed",
    Where.SETTLED: "settled",
    Where.SAVED: "saved",
    Where.SUPERSEDED: "none",
    Where.WITHDRAWN: "none",
    Where.BYPASSES: "provisional",
    Where.BEFORE_IMS: "provisional",
}


def _says(found: Found, today: Standing) -> tuple[str, str]:
    """Return where a document stands, in a word and in a sentence that says what may be done."""
    record, period = found.record, today.gstr2b_period(found.record)
    if found.where in (Where.BYPASSES, Where.BEFORE_IMS):
        because = wording.bypass(found.bypass, period.month)
        return _("Not in IMS"), _(
            "It goes straight into GSTR-2B of %(period)s, because %(because)s. Nothing is to be decided."
        ) % {"period": period.label, "because": because}
    names = {
        "supplier": wording.supplier(record),
        "period": period.label,
        "settled": today.filer.period(record.settled_month).label if record.settled_month else "",
        "later": record.superseded_by.number if record.superseded_by else "",
    }
    word, sentence = {
        Where.OPEN: (_("Open"), _("It counts in GSTR-2B of %(period)s and can be decided on.")),
        Where.SETTLED: (
            _("Settled"),
            _("Settled with GSTR-3B of %(settled)s. Only %(supplier)s can change it, by reporting it again."),
        ),
        Where.SAVED: (
            _("Only saved"),
            _("%(supplier)s saved it and has not filed it. It counts only once filed; until then it may change."),
        ),
        Where.SUPERSEDED: (
            _("Superseded"),
            _("Replaced by the later version %(later)s in the same GSTR-2B. Decide on that one."),
        ),
        Where.WITHDRAWN: (
            _("Withdrawn"),
            _("%(supplier)s took it back before filing. It counts nowhere, unless it is reported again."),
        ),
    }[found.where]
    return word, sentence % names
