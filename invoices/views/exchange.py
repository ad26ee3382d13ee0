"""Actions by file: handed in, shown as they would come out, applied, the refused ones given back."""

from __future__ import annotations

import uuid
from itertools import islice

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ims_portal import clock, proof, web
from ims_portal.access import Access, Right
from ims_portal.rules.actions import Action
from invoices import bulk, exchange, exchange_sql, exchange_words, standing, wording
from invoices.kept_files import UploadRefusedError
from invoices.models import ActionFile

SHOWN = 100
"""Refused rows a page lists; the file of all of them has the rest."""

HELD = (ActionFile.Phase.READY, ActionFile.Phase.APPLIED)


@require_http_methods(["GET", "HEAD", "POST"])
def action_files(request: HttpRequest, gstin: str) -> HttpResponse:
    """Take a file in and go to its page, or show the last ones; what cannot be taken in is said here."""
    held = web.enter(request, gstin, Right.ACT if request.method == "POST" else Right.VIEW)
    errors: list[tuple[str, str]] = []
    if request.method == "POST":
        request_id = web.expect_form(request, gstin)
        try:
            found = exchange.receive(
                taxpayer=held.taxpayer,
                file=request.FILES.get("file"),
                actor=held.user,
                clock=clock.portal(),
                request_id=request_id,
            )
            return web.see_other(_address(gstin, found))
        except (UploadRefusedError, exchange.FileRefusedError) as refused:
            errors = [("id_file", str(refused))]
    context = {
        "errors": errors,
        "files": exchange.latest(taxpayer=held.taxpayer),
        "may_act": held.may(Right.ACT),
    }
    return render(request, "invoices/action_files.html", context, status=422 if errors else 200)


def _address(gstin: str, file: ActionFile) -> str:
    return reverse("invoices:action-file", args=[gstin, file.pk])


@require_safe
def action_file(request: HttpRequest, gstin: str, pk: uuid.UUID) -> HttpResponse:
    """Show how far a file is, what it would do, or what came of it; to htmx the part that changes."""
    held = web.enter(request, gstin)
    return _page(request, held, _file(held, pk))


def _page(request: HttpRequest, held: Access, file: ActionFile, refused: str = "") -> HttpResponse:
    is_over = file.is_over
    context = {
        "file": file,
        "job_url": _address(held.taxpayer.gstin, file),
        "refused_why": refused,
        "is_own": file.requested_by_id == held.user.pk,
        "may_act": held.may(Right.ACT),
        **(_told(file, held, request) if is_over and file.phase in HELD else {}),
    }
    if getattr(request, "htmx", False) and not refused:
        return render(request, "invoices/_action_file.html", context, status=web.STOP_POLLING if is_over else 200)
    return render(request, "invoices/action_file.html", context, status=409 if refused else 200)


def _told(file: ActionFile, held: Access, request: HttpRequest) -> dict[str, object]:
    """Return what a read or applied file comes to: by action, by reason, the first of what was refused."""
    today = standing.for_page(held, request.portal_now)
    verdict = exchange.SAVED if file.phase == ActionFile.Phase.APPLIED else exchange.WILL
    by_action = exchange_sql.by_action(file.pk, [verdict])
    groups: dict[str, int] = {}
    for code, count in file.counts.items():
        if code not in ActionFile.FINE:
            name = exchange_words.group(code)
            groups[name] = groups.get(name, 0) + count
    return {
        "changes": file.counts.get(verdict, 0),
        "already": file.untouched + file.counts.get(exchange.SAME, 0) + file.counts.get("unchanged", 0),
        "by_action": [(wording.ACTIONS[Action(letter)], count, tax) for letter, (count, tax) in by_action.items()],
        "groups": sorted(groups.items(), key=lambda line: -line[1]),
        "problems": list(islice(exchange_words.problems(file, today), SHOWN)) if groups else [],
        "shown": SHOWN,
        "back_kind": "refused-xlsx" if file.kind == ActionFile.Kind.WORKBOOK else "refused-json",
    }


@require_POST
def action_file_apply(request: HttpRequest, gstin: str, pk: uuid.UUID) -> HttpResponse:
    """Apply what a file's page showed, and lead back to it."""
    held = web.enter(request, gstin, Right.ACT)
    request_id = web.expect_form(request, gstin)
    found = _file(held, pk)
    counted = exchange_sql.by_action(found.pk, [exchange.WILL]).values()
    if bulk.weighs_much(sum(count for count, _tax in counted), sum(tax for _count, tax in counted)):
        proof.require(request, _address(gstin, found))
    try:
        exchange.confirm(file=found, actor=held.user, clock=clock.portal(), request_id=request_id)
    except exchange.FileRefusedError as refused:
        return _page(request, held, _file(held, pk), str(refused))
    return web.see_other(_address(gstin, found))


def _file(held: Access, pk: uuid.UUID) -> ActionFile:
    found = exchange.of(taxpayer=held.taxpayer, file_id=pk)
    if found is None:
        raise Http404("No such file.")
    return found
