"""Files out: wanted by somebody with the right to them, written by a worker, kept for seven days.

A file is of one moment: whatever it takes to read it, it is read in one snapshot of the database. Only what is found
again in a file somebody handed in needs none, and a snapshot would be cut off as idle while that is read.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import uuid
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from ims_portal import access, audit, downloads, once, queue
from ims_portal.access import Right
from ims_portal.clock import Clock
from ims_portal.downloads import NoFileError, Progress
from ims_portal.models import Taxpayer, User
from ims_portal.spreadsheet import TooManyRowsError
from returns import export_files
from returns.export_files import Kind, Made
from returns.models import Export


def request(
    *,
    taxpayer: Taxpayer,
    kind: Kind,
    asked: Mapping[str, Any],
    actor: User,
    clock: Clock,
    request_id: uuid.UUID | None = None,
) -> Export:
    """Want a file and return its job: the one that is at work on the very same already, where there is one.

    The same `request_id` again returns the job it returned. Raises access.RightMissingError, once.MismatchError, and
    export_files.NothingToWriteError where there is nothing such a file could hold.
    """
    at = clock.now()
    access.require(user=actor, taxpayer=taxpayer, right=Right.EXPORT, at=at)
    body = {"do": "export", "gstin": taxpayer.gstin, "kind": kind.value, "asked": dict(asked)}
    with transaction.atomic():
        command = once.claim(actor=actor, key=request_id, body=body) if request_id else None
        if command is not None and command.answer:
            return Export.objects.get(taxpayer=taxpayer, pk=command.answer["export"])
        export_files.check(taxpayer, kind, asked)
        export, is_new = _live_or_new(taxpayer, kind, asked, actor)
        if is_new:
            audit.record(
                event="export.asked", at=at, actor=actor, taxpayer=taxpayer, subject=kind.value, details=dict(asked)
            )
            queue.enqueue(export)
        if command is not None:
            once.answered(command, {"export": str(export.pk)})
    return export


def _live_or_new(taxpayer: Taxpayer, kind: Kind, asked: Mapping[str, Any], actor: User) -> tuple[Export, bool]:
    """Return the job at work on the very same, or a new one, and whether it is new."""
    key = hashlib.sha256(json.dumps([kind, asked], sort_keys=True).encode()).hexdigest()
    try:
        with transaction.atomic():
            made = Export.objects.create(
                taxpayer=taxpayer, kind=kind.value, asked=dict(asked), key=key, requested_by=actor
            )
            return made, True
    except IntegrityError:
        live = Export.objects.filter(taxpayer=taxpayer, key=key, state__in=[Export.State.WAITING, Export.State.RUNNING])
        found = live.first()
        return (found, False) if found else _live_or_new(taxpayer, kind, asked, actor)


def write(*, export: Export, clock: Clock) -> None:
    """Write the file of a job, and finish or fail it. The right is read again: a file may wait long."""
    at = clock.now()

    def make(target: Path, progress: Progress) -> Made:
        return _make(export, at, target, progress)

    downloads.write(download=export, make=make, event="export.made", at=at, subject=export.kind)


def _make(export: Export, at: datetime, target: Path, progress: Progress) -> Made:
    try:
        if export.requested_by is not None:
            access.require(user=export.requested_by, taxpayer=export.taxpayer, right=Right.EXPORT, at=at)
        with contextlib.nullcontext() if Kind(export.kind) in export_files.OF_ANOTHER_FILE else downloads.one_moment():
            made = export_files.write(export, target, at=at, progress=progress)
    except access.RightMissingError as missing:
        told = {"name": export.requested_by, "why": missing}
        raise NoFileError(_("%(name)s may no longer export for this GSTIN. %(why)s") % told) from None
    except TooManyRowsError as full:
        raise NoFileError(
            _(
                "Sheet %(sheet)s would have more rows than Excel can read, so no file was made. Narrow the filter, or "
                "take JSON."
            )
            % {"sheet": full.sheet}
        ) from None
    export.left_out = list(made.left_out)
    return made


def of(*, taxpayer: Taxpayer, export_id: uuid.UUID, at: datetime) -> Export | None:
    """Return an export of a taxpayer that is at work, failed or still kept; None for any other."""
    export = Export.objects.filter(taxpayer=taxpayer, pk=export_id).select_related("requested_by").first()
    return None if export is None or downloads.is_over(export, at) else export


def latest(*, taxpayer: Taxpayer, at: datetime) -> list[Export]:
    """Return the exports of a taxpayer that are at work, failed lately or still kept, the newest first: one query."""
    found = (
        Export.objects.filter(taxpayer=taxpayer)
        .select_related("requested_by")
        .order_by("-created_at")[: downloads.LATEST]
    )
    return [export for export in found if not downloads.is_over(export, at)]


def downloaded(*, export: Export, actor: User, at: datetime) -> Path | None:
    """Write down that somebody takes a file, and return where it lies; None where it is gone."""
    path = downloads.lies(export)
    if path is not None:
        audit.record(
            event="export.downloaded",
            at=at,
            actor=actor,
            taxpayer=export.taxpayer,
            subject=export.kind,
            details={"export": str(export.pk)},
        )
    return path
