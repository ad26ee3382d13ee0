"""A draft GSTR-3B filled from a file: handed in, shown row by row, filled as shown or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from ims_portal import clock, complaints, web
from ims_portal.access import Right
from ims_portal.rules.actions import Refusal
from ims_portal.templatetags import ims as show
from returns import gstr3b, gstr3b_reading, prefill, prefill_words, wording
from returns.forms import ReasonsForm
from returns.gstr3b import Draft
from returns.gstr3b_reading import Read
from returns.prefill import Preview
from returns.views.opening import Opened, of_period

SALT = "returns.prefill"


@require_http_methods(["GET", "HEAD", "POST"])
@of_period(page="returns:gstr3b", posting=Right.COMPUTE)
def upload(request: HttpRequest, opened: Opened) -> HttpResponse:
    """Ask for a file; a POST shows what it would do to each row. Nothing is saved by either."""
    shown = _draft(opened)
    if request.method != "POST":
        return _form(request, opened, shown)
    web.expect_form(request, opened.taxpayer.gstin)
    if shown.filing is not None:
        return _form(request, opened, shown, status=409)
    file = request.FILES.get("file")
    if file is None:
        return _form(request, opened, shown, _("Choose the JSON file (.json) of a GSTR-3B."), 422)
    try:
        # One byte more than may be: the reader refuses it, and the rest is not worth holding.
        content = file.read(gstr3b_reading.LARGEST_FILE + 1)
        asked = prefill.read(content, taxpayer=opened.taxpayer, period=opened.period)
    except gstr3b_reading.UnreadableFileError as refused:
        return _form(request, opened, shown, complaints.tell(refused.problem.message), 422)
    return _preview(request, opened, shown, asked)


def _draft(opened: Opened) -> Draft:
    return gstr3b.draft(taxpayer=opened.taxpayer, period=opened.period, at=opened.at, today=opened.today)


def _form(request: HttpRequest, opened: Opened, shown: Draft, problem: str = "", status: int = 200) -> HttpResponse:
    context = {"draft": shown, "errors": [("id_file", problem)] if problem else []}
    return opened.render(request, "returns/prefill_file.html", context, status)


def _preview(
    request: HttpRequest,
    opened: Opened,
    shown: Draft,
    asked: Read,
    *,
    form: ReasonsForm | None = None,
    told: str = "",
    status: int = 200,
) -> HttpResponse:
    """Show what a file would do, with the form that fills; `told` is why it is shown again."""
    found = prefill.judge(shown, asked)
    lines = prefill_words.lines(shown, found)
    seen = prefill.preview(shown, asked)
    reasoned = [line for line in lines if line.takes_reason]
    if form is None:
        typed = {name: text for name, text in request.POST.items() if name.startswith("reason") and text}
        kept = {line.field: shown.reasons.get(line.row, "") for line in reasoned}
        form = ReasonsForm([line.row for line in reasoned], initial=kept | typed)
    fields = [(line, form[line.field]) for line in reasoned if line.field in form.fields]
    context = {
        "draft": shown,
        "lines": lines,
        "left_out": prefill_words.left_out(asked),
        "limits": prefill_words.limits(shown, found),
        "count": len(seen.fills),
        "refused": sum(line.chip[0] == "problem" for line in lines),
        "seen": signing.dumps(_signed(opened, seen), salt=SALT, compress=True),
        "form": form,
        "fields": fields,
        "asks_why": any(line.needs_reason for line, _field in fields),
        "errors": web.errors(form) if form.is_bound else [],
        "told": told,
    }
    return opened.render(request, "returns/prefill.html", context, status)


def _signed(opened: Opened, seen: Preview) -> Mapping[str, Any]:
    return {"gstin": opened.taxpayer.gstin, "period": opened.period.wire, "seen": asdict(seen)}


def _seen(request: HttpRequest, opened: Opened) -> Preview:
    """Return the preview a form was sent from. Raises web.FormRefusedError where it is of no page of this period."""
    try:
        told = signing.loads(request.POST.get("seen", ""), salt=SALT)
    except signing.BadSignature:
        raise web.incomplete() from None
    if (told["gstin"], told["period"]) != (opened.taxpayer.gstin, opened.period.wire):
        raise web.incomplete()
    kept = told["seen"]
    return Preview(kept["digest"], kept["fills"], Read(**kept["asked"]))


@require_http_methods(["GET", "HEAD", "POST"])
@of_period(page="returns:gstr3b", posting=Right.COMPUTE)
def fill(request: HttpRequest, opened: Opened) -> HttpResponse:
    """Fill the rows that were shown, or none. A GET, from a reload of a refusal, goes back to the file."""
    if request.method != "POST":
        return web.see_other(opened.url("gstr3b-upload"))
    request_id = web.expect_form(request, opened.taxpayer.gstin)
    seen = _seen(request, opened)
    form = ReasonsForm([row for row in seen.fills if row in wording.ROW_NAMES], request.POST)
    if not form.is_valid():
        return _preview(request, opened, _draft(opened), seen.asked, form=form, status=422)
    try:
        count = prefill.fill(
            taxpayer=opened.taxpayer,
            period=opened.period,
            seen=seen,
            reasons=form.reasons,
            actor=opened.held.user,
            clock=clock.portal(),
            request_id=request_id,
        )
    except prefill.ReasonsMissingError as missing:
        _ask_why(form, missing.rows, opened)
        return _preview(request, opened, _draft(opened), seen.asked, form=form, status=422)
    except gstr3b.ChangedSinceShownError as changed:
        text = _("The figures changed while you looked. Check the new ones; nothing was filled.")
        return _preview(request, opened, changed.shown_now, seen.asked, told=text, status=409)
    except gstr3b.Gstr3bRefusedError:
        return _form(request, opened, _draft(opened), status=409)
    text = ngettext(
        "%(count)s row of GSTR-3B is filled from the file.",
        "%(count)s rows of GSTR-3B are filled from the file.",
        count,
    )
    messages.success(request, text % {"count": show.count(count)})
    return web.see_other(opened.url("gstr3b"))


def _ask_why(form: ReasonsForm, rows: Sequence[str], opened: Opened) -> None:
    for row in rows:
        form.add_error(f"reason-{row}", wording.edit(Refusal.REASON_REQUIRED, period=opened.period, row=row))
