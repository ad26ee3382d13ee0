"""The worker's door for uploads, feeds and batches: a message only means "look at this job"."""

from __future__ import annotations

from celery import shared_task

from ims_portal import clock, queue
from invoices import bulk, feed_uploads, kept, locking, uploads
from invoices.models import Batch, FeedBatch, Upload


# The largest file takes longer than other work; both limits stay below the broker's visibility timeout.
@shared_task(name="invoices.tasks.ingest_upload", soft_time_limit=540, time_limit=570)
def ingest_upload(job_id: str, **_: object) -> None:
    """Ingest an upload, if there is anything left to do of it."""
    with queue.claimed(Upload, job_id) as upload:
        if upload is None:
            return
        try:
            uploads.ingest(upload=upload, clock=clock.portal())
        except locking.BusyError:
            queue.put_back(upload, uploads.Stage.BUSY.value)


@shared_task(name="invoices.tasks.ingest_feed", soft_time_limit=540, time_limit=570)
def ingest_feed(job_id: str, **_: object) -> None:
    """Take in a feed, if there is anything left to do of it."""
    with queue.claimed(FeedBatch, job_id) as batch:
        if batch is None:
            return
        try:
            feed_uploads.ingest(batch=batch, clock=clock.portal())
        except locking.BusyError:
            queue.put_back(batch, uploads.Stage.BUSY.value)


@shared_task(name="invoices.tasks.carry_out_batch", soft_time_limit=540, time_limit=570)
def carry_out_batch(job_id: str, **_: object) -> None:
    """Do what is wanted of an action on many records, if there is anything left to do of it."""
    with queue.claimed(Batch, job_id) as batch:
        if batch is None:
            return
        try:
            bulk.carry_out(batch=batch, clock=clock.portal())
        except locking.BusyError:
            queue.put_back(batch, uploads.Stage.BUSY.value)


@shared_task(name="invoices.tasks.fold_counts")
def fold_counts(**_: object) -> None:
    """Put kept counts together, so that reading them stays short; without it they are right all the same."""
    kept.fold()
