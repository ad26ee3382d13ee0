"""Files out: wanted by somebody with the right to them, written by a worker, kept for seven days.

A file is of one moment: whatever it takes to read it, it is read in one snapshot of the database.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from ims_portal import access, audit, queue
from ims_portal.access import Right
from ims_portal.clock import Clock
from ims_portal.models import Taxpayer, User
from ims_portal.spreadsheet import TooManyRowsError
from returns import export_files
from returns.export_files import Kind, NothingToWriteError, Progress
from returns.models import Export

KEPT = timedelta(days=7)
LATEST = 50
PIECE = 1 << 20


def request(*, taxpayer: Taxpayer, kind: Kind, asked: Mapping[str, Any], actor: User, clock: Clock) -> Export:
    """Want a file and return its job: the one that is at work on the very same already, where there is one.

    Raises access.RightMissingError, and NothingToWriteError where there is nothing such a file could hold.
    """
    at = clock.now()
    access.require(user=actor, taxpayer=taxpayer, right=Right.EXPORT, at=at)
    export_files.check(taxpayer, kind, asked)
    key = hashlib.sha256(json.dumps([kind, asked], sort_keys=True).encode()).hexdigest()
    try:
        with transaction.atomic():
            export = Export.objects.create(
                taxpayer=taxpayer, kind=kind.value, asked=dict(asked), key=key, requested_by=actor
            )
            audit.record(
                event="export.asked", at=at, actor=actor, taxpayer=taxpayer, subject=kind.value, details=dict(asked)
            )
            queue.enqueue(export)
            return export
    except IntegrityError:
        live = Export.objects.filter(taxpayer=taxpayer, key=key, state__in=[Export.State.WAITING, Export.State.RUNNING])
        return live.first() or request(taxpayer=taxpayer, kind=kind, asked=asked, actor=actor, clock=clock)


def write(*, export: Export, clock: Clock) -> None:
    """Write the file of a job, and finish or fail it. The right is read again: a file may wait long.

    What is not expected leaves no file, and the job due.
    """
    at = clock.now()
    target = _folder() / f"{export.pk}{Path(export.kind.replace('-', '.')).suffix}"
    try:
        if export.requested_by is not None:
            access.require(user=export.requested_by, taxpayer=export.taxpayer, right=Right.EXPORT, at=at)
        with _one_moment():
            made = export_files.write(export, target, at=at, progress=Progress(_keeper(export)))
    except access.RightMissingError as missing:
        _give_up(
            export,
            target,
            _("%(name)s may no longer export for this GSTIN. %(why)s") % {"name": export.requested_by, "why": missing},
        )
    except NothingToWriteError as nothing:
        _give_up(export, target, str(nothing))
    except TooManyRowsError as full:
        _give_up(
            export,
            target,
            _(
                "Sheet %(sheet)s would have more rows than Excel can read, so no file was made. Narrow the filter, or "
                "take JSON."
            )
            % {"sheet": full.sheet},
        )
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    else:
        _keep(export, target, made, at)


def _give_up(export: Export, target: Path, problem: str) -> None:
    target.unlink(missing_ok=True)
    queue.fail(export, problem)


def _keep(export: Export, target: Path, made: export_files.Made, at: datetime) -> None:
    """Keep a written file with its digest. This will end the job."""
    export.file_name, export.path = made.name, str(target)
    export.size, export.sha256 = target.stat().st_size, _digest(target)
    export.rows, export.progress, export.total = made.rows, made.rows, made.rows
    export.as_of, export.made_at, export.stage = made.as_of, at, ""
    export.left_out = list(made.left_out)
    with transaction.atomic():
        queue.finish(export)
        audit.record(
            event="export.made",
            at=at,
            actor=export.requested_by,
            taxpayer=export.taxpayer,
            subject=export.kind,
            details={"export": str(export.pk), "rows": made.rows, "sha256": export.sha256},
        )


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()


@contextlib.contextmanager
def _one_moment() -> Iterator[None]:
    """Read everything as it stands at one moment, and write nothing; a transaction that is open already decides."""
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        if is_outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def _keeper(export: Export) -> Callable[[int, int], None]:
    """Return what keeps how far a file is, beside the snapshot it is read in: its page must see it at once."""
    aside = connection.copy()

    def keep(count: int, total: int) -> None:
        with aside.cursor() as cursor:
            cursor.execute(
                "UPDATE returns_export SET progress = %s, total = %s, changed_at = now() WHERE id = %s",
                [count, max(count, total), export.pk],
            )
        aside.close()

    return keep


def _folder() -> Path:
    folder = Path(settings.IMS_EXPORT_DIR)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def of(*, taxpayer: Taxpayer, export_id: uuid.UUID, at: datetime) -> Export | None:
    """Return an export of a taxpayer that is at work, failed or still kept; None for any other."""
    export = Export.objects.filter(taxpayer=taxpayer, pk=export_id).select_related("requested_by").first()
    return None if export is None or is_over(export, at) else export


def is_over(export: Export, at: datetime) -> bool:
    """Whether a file is kept no more."""
    return export.made_at is not None and export.made_at + KEPT <= at


def latest(*, taxpayer: Taxpayer, at: datetime) -> list[Export]:
    """Return the exports of a taxpayer that are at work, failed lately or still kept, the newest first: one query."""
    found = Export.objects.filter(taxpayer=taxpayer).select_related("requested_by").order_by("-created_at")[:LATEST]
    return [export for export in found if not is_over(export, at)]


def downloaded(*, export: Export, actor: User, at: datetime) -> Path | None:
    """Write down that somebody takes a file, and return where it lies; None where it is gone."""
    path = Path(export.path)
    if not export.path or not path.is_file():
        return None
    audit.record(
        event="export.downloaded",
        at=at,
        actor=actor,
        taxpayer=export.taxpayer,
        subject=export.kind,
        details={"export": str(export.pk)},
    )
    return path


def remove_old(*, clock: Clock) -> int:
    """Remove the files kept longer than seven days, and return how many they were; their rows stay, as history."""
    old = Export.objects.exclude(path="").filter(made_at__lte=clock.now() - KEPT)
    count = 0
    for export in old.iterator():
        Path(export.path).unlink(missing_ok=True)
        Export.objects.filter(pk=export.pk).update(path="")
        count += 1
    return count
