"""Files to take: written by a worker whole or not at all, under names nobody guesses, kept for seven days."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from ims_portal import audit, downloads_sql, queue
from ims_portal.clock import Clock
from ims_portal.models import DOWNLOADS_KEPT as KEPT
from ims_portal.models import Download

LATEST = 50
HALF = ".part"
"""The ending of a file that is not whole yet."""


class NoFileError(Exception):
    """No file can be made of what is asked; the message says why and what next."""


@dataclass(frozen=True, slots=True)
class Made:
    """A written file: its name for whoever takes it, how many things it holds, the moment they are of."""

    name: str
    rows: int
    as_of: datetime


class Progress:
    """How far a file is: rows are counted as they pass, and told every so often."""

    EVERY = 2_000

    def __init__(self, keep: Callable[[int, int], None]) -> None:
        self.count = self.total = 0
        self._keep = keep

    def expect(self, total: int) -> None:
        """Say how many rows there will be."""
        self.total = total
        self._keep(0, total)

    def counted(self, rows: Iterable[Any], every: int = EVERY) -> Iterator[Any]:
        """Pass rows on, counting them."""
        for row in rows:
            self.count += 1
            if self.count % every == 0:
                self._keep(self.count, self.total)
            yield row


def write(
    *,
    download: Download,
    make: Callable[[Path, Progress], Made],
    event: str,
    at: datetime,
    subject: str = "",
    capacity: str = "",
) -> None:
    """Let `make` write the file of a job, and finish the job with its digest, or fail it where there is NoFileError.

    That it was made is logged as `event`. What is not expected leaves no file, and the job due; a worker that is
    killed leaves a part, which the next try writes anew.
    """
    part = _folder() / f"{download.pk}{HALF}"
    try:
        made = make(part, Progress(downloads_sql.keeper(download)))
        target = part.with_suffix(Path(made.name).suffix)
        part.replace(target)
    except NoFileError as nothing:
        part.unlink(missing_ok=True)
        queue.fail(download, str(nothing))
        return
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    download.file_name, download.path = made.name, str(target)
    download.size, download.sha256 = target.stat().st_size, digest(target)
    download.rows = download.progress = download.total = made.rows
    download.as_of, download.made_at, download.stage = made.as_of, at, ""
    with transaction.atomic():
        queue.finish(download)
        audit.record(
            event=event,
            at=at,
            actor=download.requested_by,
            taxpayer=download.taxpayer,
            subject=subject,
            capacity=capacity,
            details={queue.code(type(download)): str(download.pk), "rows": made.rows, "sha256": download.sha256},
        )


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextlib.contextmanager
def one_moment() -> Iterator[None]:
    """Read everything as it stands at one moment, and write nothing; a transaction that is open already decides."""
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        if is_outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def be_patient() -> None:
    """Let the open transaction wait for its worker as long as a worker may take: between two pieces lies much work."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = '10min'")


def _folder() -> Path:
    folder = Path(settings.IMS_EXPORT_DIR)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def is_over(download: Download, at: datetime) -> bool:
    """Whether a file is kept no more."""
    return download.kept_until is not None and download.kept_until <= at


def lies(download: Download) -> Path | None:
    """Return where a file lies, None where it was not made or is gone."""
    path = Path(download.path)
    return path if download.path and path.is_file() else None


def remove_old(*, clock: Clock, real: Callable[[], datetime]) -> int:
    """Remove the files of every kind kept longer than seven days, and return how many; their rows stay, as history.

    What no row tells of, left by a worker that was killed, goes after seven real days: no file is kept that long, for
    the portal's days are never longer than real ones.
    """
    count = 0
    for kind in (each for each in queue.tasks() if issubclass(each, Download)):
        old = kind._default_manager.exclude(path="").filter(made_at__lte=clock.now() - KEPT)  # noqa: SLF001 as documented
        for download in old.iterator():
            Path(download.path).unlink(missing_ok=True)
            kind._default_manager.filter(pk=download.pk).update(path="")  # noqa: SLF001 as above
            count += 1
    oldest = (real() - KEPT).timestamp()
    for left in _folder().iterdir():
        if left.is_file() and left.stat().st_mtime < oldest:
            left.unlink(missing_ok=True)
    return count
