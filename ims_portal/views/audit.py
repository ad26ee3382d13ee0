"""The log, for administrators: filtered, page by page, as a file; with details of one GSTIN under break-glass."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import date
from http import HTTPStatus
from urllib.parse import urlencode

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from ims_portal import audit_extracts, audit_log, break_glass, clock, web
from ims_portal.audit_log import Line
from ims_portal.audit_words import EVENTS
from ims_portal.forms import AuditForm, GlassForm
from ims_portal.models import DOWNLOADS_KEPT, GLASS_LASTS, REASON_LEAST, REASON_LIMIT
from ims_portal.roles import RefusedError
from ims_portal.templatetags import ims as show
from ims_portal.views import control

ROWS = 100
NO_ERRORS: list[tuple[str, str]] = []


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """List the events that are asked for; a POST asks for them as a file, opens or ends a break-glass."""
    control.enter(request)
    if request.method != "POST":
        return _page(request)
    what, request_id = request.POST.get("do", ""), web.request_id(request)
    if what == "open":
        return _open(request, request_id)
    if what == "end":
        return _end(request, request_id)
    if what == "take_out":
        return _take_out(request, request_id)
    raise web.incomplete()


def _page(request: HttpRequest, wrong: GlassForm | None = None) -> HttpResponse:
    """Return the page, with the form that was refused; what is seen under break-glass is logged before it is read."""
    form = AuditForm(request.GET, auto_id="audit-%s")
    is_valid = form.is_valid()
    glass = break_glass.in_force(request.user, clock.real())
    is_open = is_valid and glass is not None and form.asked.taxpayer == glass.taxpayer
    if is_open:
        break_glass.look(glass, request.portal_now)
    found = audit_log.page(form.asked, most=ROWS + 1, before=_before(request)) if is_valid else []
    filters = {name: value for name, value in request.GET.items() if name in form.fields and value}
    context = {
        "form": form,
        "lines": [Line(row, is_open) for row in found[:ROWS]],
        "is_filtered": bool(filters),
        "is_later": _before(request) is not None,
        "first_url": f"?{urlencode(filters)}",
        "next_url": f"?{urlencode(filters | {'before': found[ROWS - 1].pk})}" if len(found) > ROWS else "",
        "glass": glass,
        "is_open": is_open,
        "glass_form": wrong or GlassForm(auto_id="glass-%s", initial={"gstin": filters.get("gstin", "")}),
        "glass_minutes": GLASS_LASTS.seconds // 60,
        "least": REASON_LEAST,
        "longest": REASON_LIMIT,
        "errors": web.errors(form) + (web.errors(wrong) if wrong else NO_ERRORS),
    }
    return render(request, "ims_portal/audit.html", context, status=422 if context["errors"] else 200)


def _before(request: HttpRequest) -> int | None:
    """Return the id the address says to go on from; what is no id means the newest."""
    told = request.GET.get("before", "")
    return int(told) if told.isascii() and told.isdigit() and len(told) <= control.LONGEST_ID else None


def _open(request: HttpRequest, request_id: uuid.UUID) -> HttpResponse:
    """Open a break-glass and go to the GSTIN's log, or say at its field why not."""
    form = GlassForm(request.POST, auto_id="glass-%s")
    if not form.is_valid():
        return _page(request, form)
    told = form.cleaned_data
    try:
        break_glass.begin(
            gstin=told["gstin"],
            reason=told["reason"],
            actor=request.user,
            clock=clock.portal(),
            real=clock.real,
            request_id=request_id,
        )
    except RefusedError as refused:
        form.add_error(refused.field or None, str(refused))
        return _page(request, form)
    messages.success(request, _("You may see the details of this GSTIN's log now. The taxpayer is told."))
    return web.see_other(f"{reverse('control-audit')}?{urlencode({'gstin': told['gstin']})}")


def _end(request: HttpRequest, request_id: uuid.UUID) -> HttpResponse:
    told = request.POST.get("glass", "")
    if not (told.isascii() and told.isdigit() and len(told) <= control.LONGEST_ID):
        raise web.incomplete()
    try:
        break_glass.end(pk=int(told), actor=request.user, clock=clock.portal(), real=clock.real, request_id=request_id)
    except RefusedError as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("The break-glass is ended."))
    return web.see_other(reverse("control-audit"))


def _take_out(request: HttpRequest, request_id: uuid.UUID) -> HttpResponse:
    """Want what the filters of the address show as a file, and lead to where it will be; or say what is wrong."""
    form = AuditForm(request.GET, auto_id="audit-%s")
    if not form.is_valid():
        return _page(request)
    audit_extracts.request(asked=form.asked, actor=request.user, clock=clock.portal(), request_id=request_id)
    return web.see_other(reverse("control-audit-extracts"))


@require_safe
def extracts(request: HttpRequest) -> HttpResponse:
    """List one's own files of the log, with how far each is; to htmx the part that changes."""
    at = control.enter(request)
    found = audit_extracts.latest(actor=request.user, at=at)
    is_over = all(extract.is_over for extract in found)
    context = {
        "lines": [(extract, _in_words(extract.asked)) for extract in found],
        "days": DOWNLOADS_KEPT.days,
        "is_over": is_over,
    }
    if getattr(request, "htmx", False):
        status = web.STOP_POLLING if is_over else HTTPStatus.OK
        return render(request, "ims_portal/_audit_extracts.html", context, status=status)
    return render(request, "ims_portal/audit_extracts.html", context)


def _in_words(asked: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the filters of a file as (name, value); none where the whole log is asked for."""
    names = {
        "actor": _("User name"),
        "event": _("Event"),
        "gstin": "GSTIN",
        "first": _("From day"),
        "last": _("To day"),
    }
    spoken = {
        "event": str(EVENTS.get(asked["event"], asked["event"])),
        **{name: show.day(date.fromisoformat(asked[name])) for name in ("first", "last") if asked[name]},
    }
    return [(name, spoken.get(key, asked[key])) for key, name in names.items() if asked[key]]


@require_safe
def extract_file(request: HttpRequest, pk: uuid.UUID) -> FileResponse:
    """Send a file of the log, to be kept and not shown, to who asked for it, if an administrator still."""
    at = control.enter(request)
    found = audit_extracts.taken(actor=request.user, pk=pk, at=at)
    if found is None:
        raise Http404("No such file.")
    extract, path = found
    return FileResponse(
        path.open("rb"), as_attachment=True, filename=extract.file_name, content_type="text/csv; charset=utf-8"
    )
