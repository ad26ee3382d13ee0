"""The worker's door for uploads, returns on their way, feeds and batches: a message only means "look at this job"."""

from __future__ import annotations

from collections.abc import Callable

from celery import shared_task

from ims_portal import clock, queue
from ims_portal.models import Job
from invoices import bulk, delivery, exchange, feed_uploads, kept, kept_files, locking, registers, uploads
from invoices.models import ActionFile, Batch, Delivery, FeedBatch, Register, Upload

# The largest file, and the largest set, take longer than other work; limits stay below the broker's visibility timeout.
LIMITS = {"soft_time_limit": 540, "time_limit": 570}


@shared_task(name="invoices.tasks.ingest_upload", **LIMITS)
def ingest_upload(job_id: str, **_: object) -> None:
    """Ingest an upload, if there is anything left to do of it."""
    _work_on(Upload, job_id, lambda upload: uploads.ingest(upload=upload, clock=clock.portal()))


@shared_task(name="invoices.tasks.bring_return", **LIMITS)
def bring_return(job_id: str, **_: object) -> None:
    """Bring a filed return to the recipients it has not reached, if there are any."""
    _work_on(Delivery, job_id, lambda due: delivery.carry_out(delivery=due))


@shared_task(name="invoices.tasks.ingest_feed", **LIMITS)
def ingest_feed(job_id: str, **_: object) -> None:
    """Take in a feed, if there is anything left to do of it."""
    _work_on(FeedBatch, job_id, lambda batch: feed_uploads.ingest(batch=batch, clock=clock.portal()))


@shared_task(name="invoices.tasks.carry_out_file", **LIMITS)
def carry_out_file(job_id: str, **_: object) -> None:
    """Do what is wanted of a file of actions, if there is anything left to do of it."""
    _work_on(ActionFile, job_id, lambda file: exchange.carry_out(file=file, clock=clock.portal()))


@shared_task(name="invoices.tasks.carry_out_register", **LIMITS)
def carry_out_register(job_id: str, **_: object) -> None:
    """Do what is wanted of a purchase register, if there is anything left to do of it."""
    _work_on(Register, job_id, lambda register: registers.carry_out(register=register, clock=clock.portal()))


@shared_task(name="invoices.tasks.carry_out_batch", **LIMITS)
def carry_out_batch(job_id: str, **_: object) -> None:
    """Do what is wanted of an action on many records, if there is anything left to do of it."""
    _work_on(Batch, job_id, lambda batch: bulk.carry_out(batch=batch, clock=clock.portal()))


def _work_on(model: type[Job], job_id: str, work: Callable[[Job], None]) -> None:
    """Do the work of a job if nobody else does; put it back while another change of its GSTIN is being written."""
    with queue.claimed(model, job_id) as job:
        if job is None:
            return
        try:
            work(job)
        except locking.BusyError:
            queue.put_back(job, uploads.Stage.BUSY.value)


@shared_task(name="invoices.tasks.fold_counts")
def fold_counts(**_: object) -> None:
    """Put kept counts together, so that reading them stays short; without it they are right all the same."""
    kept.fold()


@shared_task(name="invoices.tasks.remove_old_uploads")
def remove_old_uploads(**_: object) -> None:
    """Remove the files kept longer than 30 days."""
    kept_files.remove_old(at=clock.real())
