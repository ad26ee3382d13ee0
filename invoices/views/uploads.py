"""Handing in a file, following its job, and fetching what was wrong with it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from ims_portal import clock, csv_files, web
from ims_portal.access import Access, Right
from ims_portal.rules.documents import Form, Problem
from invoices import gstr1_json, outward, uploads
from invoices.kept_files import UploadRefusedError
from invoices.models import Upload
from invoices.views import supplier_returns

SHOWN_PROBLEMS = 200


@require_http_methods(["GET", "POST"])
@supplier_returns.of_a_form
def return_upload(request: HttpRequest, gstin: str, p: str, form: str) -> HttpResponse:
    """Take a file in and go to its job; what cannot be taken in is said on the form's page."""
    held = web.enter(request, gstin, Right.SUPPLY)
    found, period = supplier_returns.form_of(held.taxpayer, p, form)
    if request.method == "GET":
        return web.see_other(supplier_returns.address(gstin, found, period))
    request_id = web.expect_form(request, gstin)
    try:
        upload = uploads.receive(
            taxpayer=held.taxpayer,
            form=found,
            period=period,
            file=request.FILES.get("file"),
            actor=held.user,
            clock=clock.portal(),
            request_id=request_id,
        )
    except (UploadRefusedError, outward.ReturnRefusedError) as refused:
        context = supplier_returns.page_of(request, held, found, period) | {"errors": [("id_file", str(refused))]}
        return render(request, "invoices/return.html", context, status=422)
    return web.see_other(_address(gstin, upload))


def _address(gstin: str, upload: Upload) -> str:
    return reverse("invoices:upload", args=[gstin, upload.pk])


@require_safe
def upload(request: HttpRequest, gstin: str, pk: uuid.UUID) -> HttpResponse:
    """Show how far an upload is, or what came of it; htmx asks for the fragment alone."""
    held = web.enter(request, gstin)
    found = _upload(held, pk)
    period = uploads.period_of(found)
    problems = list(found.problems.order_by("id")[:SHOWN_PROBLEMS]) if found.is_over else []
    template = "invoices/_upload.html" if request.htmx else "invoices/upload.html"
    return render(
        request,
        template,
        {
            **supplier_returns.heading(Form(found.form), period),
            "upload": found,
            "tens": found.percent // 10 * 10,
            "problems": problems,
            "refused": [problem for problem in problems if not problem.is_warning],
            "warned": [problem for problem in problems if problem.is_warning],
            "more": found.problems.count() - len(problems) if len(problems) == SHOWN_PROBLEMS else 0,
            "documents": found.added + found.changed + found.unchanged + found.withdrawn + found.refused,
            "changed_nothing": found.stage == uploads.Stage.CHANGED_NOTHING.value,
            "job_url": _address(gstin, found),
            "may_export": held.may(Right.EXPORT),
            "is_given_back": uploads.is_given_back(found),
        },
    )


def _upload(held: Access, pk: uuid.UUID) -> Upload:
    found = uploads.of(taxpayer=held.taxpayer, upload_id=pk)
    if found is None:
        raise Http404("No such page.")
    return found


@require_safe
def upload_report(request: HttpRequest, gstin: str, pk: uuid.UUID, kind: str) -> HttpResponseBase:
    """Return the problems of an upload as a file: CSV, or JSON in the shape of the upload where that was JSON."""
    held = web.enter(request, gstin, Right.EXPORT)
    found = _upload(held, pk)
    if kind == "json" and found.is_workbook:
        raise Http404("No such page.")
    name = f"errors-{found.form.replace('-', '')}-{uploads.period_of(found).wire}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    if kind == "json":
        report = gstr1_json.wire_problem_report(uploads.problems(found))
        return JsonResponse({"error_report": report}, headers=headers, json_dumps_params={"ensure_ascii": False})
    return StreamingHttpResponse(_csv(uploads.problems(found)), content_type="text/csv; charset=utf-8", headers=headers)


def _csv(problems: Iterator[Problem]) -> Iterator[str]:
    return csv_files.lines(
        ["Position", "Recipient", "Number", "Date", "Field", "Code", "Kind", "Problem"],
        (
            (
                problem.position,
                problem.counterparty,
                problem.number,
                problem.dated,
                problem.field,
                problem.code,
                "warning" if problem.is_warning else "refused",
                problem.message,
            )
            for problem in problems
        ),
    )
