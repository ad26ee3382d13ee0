"""Jobs: everybody's for administrators, who retry and cancel; a GSTIN's own, with the way to each."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from ims_portal import clock, queue, web
from ims_portal.models import Job
from ims_portal.queue import JobRefusedError
from ims_portal.views import control

SHOWN_OF_ALL = 200
SHOWN_OF_ONE = 100


@require_http_methods(["GET", "HEAD", "POST"])
def every_job(request: HttpRequest) -> HttpResponse:
    """List the latest jobs of every GSTIN, of one state if asked; a POST retries or cancels one."""
    control.enter(request)
    state = request.GET.get("state", "")
    state = state if state in Job.State.values else ""
    if request.method == "POST":
        return _order(request, state)
    found = queue.latest(most=SHOWN_OF_ALL, state=state)
    context = {
        "lines": [(job, queue.served(job), queue.code(type(job)), uuid.uuid4()) for job in found],
        "states": [("", _("All")), *Job.State.choices],
        "state": state,
        "most": SHOWN_OF_ALL,
    }
    return render(request, "ims_portal/control_jobs.html", context)


def _order(request: HttpRequest, state: str) -> HttpResponse:
    """Do what the button of a job says, or say why not, and come back to the same list."""
    request_id, what = web.request_id(request), request.POST.get("do", "")
    do = {"retry": queue.retry, "cancel": queue.cancel}.get(what)
    try:
        job_id = uuid.UUID(request.POST.get("job", ""))
    except ValueError:
        raise web.incomplete() from None
    if do is None:
        raise web.incomplete()
    kind = request.POST.get("kind", "")
    try:
        do(kind=kind, job_id=job_id, actor=request.user, clock=clock.portal(), request_id=request_id)
    except JobRefusedError as refused:
        messages.error(request, str(refused))
    else:
        done = (
            _("The job waits again; a worker takes it in a moment.") if what == "retry" else _("The job is cancelled.")
        )
        messages.success(request, done)
    return web.see_other(reverse("control-jobs") + (f"?state={state}" if state else ""))


@require_safe
def jobs_of(request: HttpRequest, gstin: str) -> HttpResponse:
    """List a GSTIN's latest jobs, each with the way to its page, where it has one."""
    held = web.enter(request, gstin)
    found = queue.latest(most=SHOWN_OF_ONE, taxpayer=held.taxpayer)
    lines = []
    for job in found:
        kind = queue.served(job)
        lines.append((job, kind, reverse(kind.page, args=[gstin, job.pk]) if kind.page else ""))
    return render(request, "ims_portal/jobs.html", {"lines": lines})
