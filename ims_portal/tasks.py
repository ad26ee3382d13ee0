"""What beat asks for, and the worker's doors of the ground floor. Nothing depends on beat having run."""

from __future__ import annotations

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded
from django.utils.translation import gettext as _

from ims_portal import audit_extracts, clock, downloads, large_answers, lockout, queue, sealed_sessions
from ims_portal.models import AuditExtract, LargeAnswer

# A long log takes longer than other work; limits stay below the broker's visibility timeout.
LIMITS = {"soft_time_limit": 540, "time_limit": 570}


@shared_task(name="ims_portal.tasks.sweep")
def sweep(**_extra: object) -> None:
    """Nudge a worker for every job that is due; lost messages are made good here."""
    queue.sweep()


@shared_task(name="ims_portal.tasks.write_audit_extract", **LIMITS)
def write_audit_extract(*, job_id: str, **_extra: object) -> None:
    """Write the events a job wants. Run twice, at once or later, this will do nothing the second time."""
    with queue.claimed(AuditExtract, job_id) as extract:
        if extract is not None:
            queue.show(extract, AuditExtract.Stage.WRITING)
            try:
                audit_extracts.write(extract=extract, clock=clock.portal())
            except SoftTimeLimitExceeded:
                # A second try would take as long.
                queue.fail(extract, _("These are more events than a worker can write in its time. Ask for fewer days."))


@shared_task(name="ims_portal.tasks.write_large_answer", **LIMITS)
def write_large_answer(*, job_id: str, **_extra: object) -> None:
    """Write the parts a job wants. Run twice, at once or later, this will do nothing the second time."""
    with queue.claimed(LargeAnswer, job_id) as answer:
        if answer is not None:
            queue.show(answer, LargeAnswer.Stage.WRITING)
            try:
                large_answers.write(answer=answer, clock=clock.portal())
            except SoftTimeLimitExceeded:
                # A second try would take as long.
                queue.fail(answer, _("These are more rows than a worker can write in its time. Ask for some of them."))


@shared_task(name="ims_portal.tasks.remove_old_downloads")
def remove_old_downloads(**_extra: object) -> None:
    """Remove files after seven days, parts of answers after half an hour, envelopes and counts that are over."""
    downloads.remove_old(clock=clock.portal(), real=clock.real)
    large_answers.remove_old()
    sealed_sessions.remove_old()
    lockout.forget_old()
