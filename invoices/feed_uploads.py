"""Feeds handed in by an administrator: kept on disk until a worker has read them, taken whole or refused whole.

One transaction holds the records, what the feed told of them, the audit and the end of the job.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Count
from django.utils.translation import gettext as _

from ims_portal import audit, once, queue
from ims_portal.clock import Clock
from ims_portal.models import User
from ims_portal.rules.documents import Problem
from invoices import feeds, kept_files
from invoices.feeds_json import bills, isd, reversals
from invoices.json_reading import UnreadableFileError
from invoices.kept_files import UploadRefusedError
from invoices.models import FeedBatch, FeedKind, FeedProblem

READERS = {
    FeedKind.BILLS: (bills.read, feeds.take_bills),
    FeedKind.ISD: (isd.read, feeds.take_isd),
    FeedKind.RULE_37A: (reversals.read, feeds.take_reversals),
}
"""What reads a kind of feed, and what takes in what was read."""


class NotAnAdministratorError(Exception):
    """Only administrators hand in feeds."""


def receive(
    *, kind: FeedKind, file: UploadedFile[bytes] | None, actor: User, clock: Clock, request_id: uuid.UUID
) -> FeedBatch:
    """Keep a feed and ask for it to be taken in. The same file while its job lives, or the same request, is one job.

    Raises UploadRefusedError, once.MismatchError and NotAnAdministratorError; then nothing is kept.
    """
    if not _is_administrator(actor):
        raise NotAnAdministratorError
    if file is None:
        raise UploadRefusedError("NO_FILE", _("No file was chosen. Choose the JSON file of the feed."))
    with kept_files.held(file) as kept, transaction.atomic(durable=True):
        command = once.claim(
            actor=actor, key=request_id, body={"do": "feed", "kind": kind.value, "sha256": kept.sha256}
        )
        if command.answer:
            return FeedBatch.objects.get(pk=str(command.answer["batch"]))
        same = {"kind": kind, "sha256": kept.sha256}
        batch = queue.new_or_live(FeedBatch, same, **kept.columns(file.name), requested_by=actor)
        once.answered(command, {"batch": str(batch.pk)})
        kept.is_taken = batch.path == str(kept.path)
        if kept.is_taken:
            audit.record(
                event="feed.received",
                at=clock.now(),
                actor=actor,
                request_id=request_id,
                subject=kind.value,
                details={"batch": str(batch.pk)},
            )
        queue.enqueue(batch)
        return batch


def _is_administrator(user: User | None) -> bool:
    return user is not None and user.is_staff and user.is_active


def ingest(*, batch: FeedBatch, clock: Clock) -> None:
    """Read a kept feed and take it in whole, or fail the job with everything that is wrong and keep nothing of it.

    That its sender is an administrator is read again: a feed may wait longer than that lasts. Raises
    locking.BusyError; the job stays due then, and after whatever is not expected.
    """
    sender = User.objects.filter(pk=batch.requested_by_id).first() if batch.requested_by_id else None
    try:
        if not _is_administrator(sender):
            _fail(batch, [Problem("RIGHT_MISSING", _("Whoever handed in this feed is no administrator any more."))], 0)
        else:
            with Path(batch.path).open("rb") as stream:
                take(batch=batch, stream=stream, clock=clock)
    except FileNotFoundError:
        _fail(batch, [Problem("APP-F01", _("The file is no longer on this server. Upload it again."))], 0)
    except UnreadableFileError as refused:
        _fail(batch, [refused.problem], 0)
    except feeds.FeedRefusedError as refused:
        _fail(batch, refused.problems, refused.count)
    discard(batch)


def take(*, batch: FeedBatch, stream: BinaryIO, clock: Clock) -> None:
    """Take in the feed of a stream and finish its job, all in one transaction.

    Raises UnreadableFileError, feeds.FeedRefusedError and locking.BusyError; then nothing is kept.
    """
    read, take_in = READERS[FeedKind(batch.kind)]
    take_in(  # type: ignore[operator]
        found=read(stream), clock=clock, batch=batch, finishing=lambda taken: _finish(batch, taken)
    )


def _finish(batch: FeedBatch, taken: feeds.Taken) -> None:
    """Keep the outcome and end the job. This will join the transaction that holds the records."""
    batch.key, batch.repeats = taken.key, taken.repeats
    batch.added, batch.unchanged, batch.replaced = len(taken.record_ids), taken.unchanged, taken.replaced
    queue.finish(batch)


def _fail(batch: FeedBatch, problems: Iterable[Problem], count: int) -> None:
    found = list(problems)
    with transaction.atomic():
        FeedProblem.objects.bulk_create(
            FeedProblem(
                batch=batch,
                position=problem.position[:64],
                number=problem.number[:64],
                field=problem.field[:64],
                code=problem.code,
                message=problem.message,
            )
            for problem in found
        )
        batch.refused = count
        queue.fail(batch, found[0].message if found else "")
        batch.save(update_fields=["refused"])


def discard(batch: FeedBatch) -> None:
    """Remove the file of a job that is over."""
    if batch.is_over:
        with contextlib.suppress(OSError):
            Path(batch.path).unlink(missing_ok=True)


def latest(count: int) -> list[FeedBatch]:
    """Return the latest feeds with who handed them in and how many problems each has, the newest first: one query."""
    found = FeedBatch.objects.select_related("requested_by", "repeats").annotate(problem_count=Count("problems"))
    return list(found.order_by("-created_at")[:count])
