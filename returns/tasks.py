"""Doors of the worker: compute a statement or write a file that is wanted, want the drafts that are due."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from celery import shared_task

from ims_portal import access, calendar, clock, queue
from invoices import locking, standing
from invoices.models import Inbox
from returns import client_archives, draft_day, exports, gstr2b, gstr2b_files, seals, wording
from returns.models import Archive, Export, Gstr2bJob, StatementFile

log = structlog.get_logger()

# The largest file takes longer than other work; limits stay below the broker's visibility timeout.
LIMITS = {"soft_time_limit": 540, "time_limit": 570}


@shared_task(name="returns.tasks.compute_gstr2b")
def compute_gstr2b(*, job_id: str, **_extra: object) -> None:
    """Compute the statement a job wants. Run twice, at once or later, this will do nothing the second time."""
    with queue.claimed(Gstr2bJob, job_id) as job:
        if job is None:
            return
        queue.show(job, Gstr2bJob.Stage.COUNTING)
        period = calendar.filer(job.taxpayer).period(job.month)
        portal = clock.portal()
        try:
            gstr2b.compute(taxpayer=job.taxpayer, period=period, actor=job.requested_by, clock=portal, job=job)
        except gstr2b.StatementRefusedError as refused:
            _refuse(job, refused)
        except access.RightMissingError as missing:
            queue.fail(job, f"{job.requested_by} may not compute GSTR-2B of {job.taxpayer.gstin} any more. {missing}")
        except locking.BusyError:
            queue.put_back(job, Gstr2bJob.Stage.BUSY)


def _refuse(job: Gstr2bJob, refused: gstr2b.StatementRefusedError) -> None:
    """Fail a job with the sentence that says why, and the code by which its page finds the cure."""
    inbox = Inbox.objects.get(pk=job.taxpayer_id)
    advice = wording.statement(
        refused.refusal,
        taxpayer=job.taxpayer,
        period=refused.period,
        today=standing.of(job.taxpayer, clock.portal().now()),
        open_month=inbox.open_month,
    )
    job.notice = advice.code
    job.save(update_fields=["notice"])
    queue.fail(job, advice.text)


@shared_task(name="returns.tasks.write_export", **LIMITS)
def write_export(*, job_id: str, **_extra: object) -> None:
    """Write the file a job wants. Run twice, at once or later, this will do nothing the second time."""
    with queue.claimed(Export, job_id) as export:
        if export is not None:
            queue.show(export, Export.Stage.WRITING)
            exports.write(export=export, clock=clock.portal())


@shared_task(name="returns.tasks.write_archive", **LIMITS)
def write_archive(*, job_id: str, **_extra: object) -> None:
    """Write the archive a job wants. Run twice, at once or later, this will do nothing the second time."""
    with queue.claimed(Archive, job_id) as archive:
        if archive is not None:
            queue.show(archive, Archive.Stage.WRITING)
            client_archives.write(archive=archive, clock=clock.portal())


@shared_task(name="returns.tasks.compare_statement_file", **LIMITS)
def compare_statement_file(*, job_id: str, **_extra: object) -> None:
    """Lay a file beside GSTR-2B. Run twice, at once or later, this will do nothing the second time."""
    with queue.claimed(StatementFile, job_id) as file:
        if file is not None:
            queue.show(file, StatementFile.Stage.COMPARING)
            gstr2b_files.carry_out(file=file)


@shared_task(name="returns.tasks.seal_history", **LIMITS)
def seal_history(**_extra: object) -> None:
    """Seal the history of an hour, or of all hours nobody sealed (promises 2.4). Run twice at once it does no harm."""
    if seals.is_due() and not seals.seal():
        log.info("history_not_sealed", reason="a transaction is still running that may add to it")


@shared_task(name="returns.tasks.draft_due")
def draft_due(**_extra: object) -> None:
    """Have the workers make the statements of every period whose draft day has come, in groups (R7.1)."""
    for group in draft_day.groups(at=clock.portal().now()):
        queue.send("returns.tasks.draft_some", {"recipient_ids": group})


@shared_task(name="returns.tasks.draft_some", **LIMITS)
def draft_some(*, recipient_ids: Sequence[int] = (), **_extra: object) -> None:
    """Make the drafts that are due of some recipients. Run twice, at once or later, this will do nothing more."""
    try:
        draft_day.make(recipient_ids=recipient_ids, clock=clock.portal())
    except locking.BusyError:
        return  # the next look finds them again
    except Exception:
        log.exception("drafts_one_by_one", recipients=len(recipient_ids))
        draft_day.want_each(recipient_ids=recipient_ids, clock=clock.portal())
