"""A file somebody hands in: kept on disk under a name of our own until a worker has read it, 30 days at most."""

from __future__ import annotations

import contextlib
import hashlib
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

LONGEST_NAME = 200
KEPT = timedelta(days=30)
"""How long a file is kept whose job is not over, or whose refused rows may be asked for (F50)."""


class UploadRefusedError(Exception):
    """A file was not taken in at all; the message says why and what next."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


@dataclass(slots=True)
class Kept:
    """A file as it lies on disk; `is_taken` once a row names it."""

    path: Path
    size: int
    sha256: str
    is_taken: bool = False

    def columns(self, name: str | None) -> dict[str, Any]:
        """Return what a job keeps of a file that was handed in under a name."""
        return {"file_name": (name or "")[:LONGEST_NAME], "path": str(self.path), "size": self.size}


@contextmanager
def held(file: UploadedFile[bytes], *, ending: str = "json") -> Iterator[Kept]:
    """Keep a file while the block runs; afterwards it lies there only where `is_taken` was set.

    Raises as `keep` does; nothing lies there where the block raises.
    """
    kept = keep(file, ending=ending)
    try:
        yield kept
    except BaseException:
        kept.is_taken = False
        raise
    finally:
        if not kept.is_taken:
            kept.path.unlink(missing_ok=True)


def keep(file: UploadedFile[bytes], *, ending: str = "json") -> Kept:
    """Write a file to disk under a name of our own, piece by piece, and return what lies there.

    Raises UploadRefusedError for one too large or empty; then nothing lies there.
    """
    limit = settings.IMS_UPLOAD_LIMIT
    if file.size is not None and file.size > limit:
        raise _too_large(limit)
    folder = Path(settings.IMS_UPLOAD_DIR)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{uuid.uuid4()}.{ending}"
    try:
        kept = _copy(file, path, limit)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return kept


def remove_old(*, at: datetime) -> int:
    """Remove the files handed in more than 30 days before a real moment, and return how many they were.

    Their jobs stay, as history; one that still waits will ask for its file again.
    """
    count = 0
    for path in Path(settings.IMS_UPLOAD_DIR).glob("*"):
        with contextlib.suppress(FileNotFoundError):  # its job ended meanwhile
            if path.stat().st_mtime <= (at - KEPT).timestamp():
                path.unlink()
                count += 1
    return count


def _copy(file: UploadedFile[bytes], path: Path, limit: int) -> Kept:
    digest, size = hashlib.sha256(), 0
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as kept:
        for piece in file.chunks():
            size += len(piece)
            if size > limit:
                raise _too_large(limit)
            digest.update(piece)
            kept.write(piece)
    if not size:
        raise UploadRefusedError(
            "EMPTY_FILE",
            _("The file is empty, so nothing was kept. Export it again from the program that made it."),
        )
    return Kept(path, size, digest.hexdigest())


def _too_large(limit: int) -> UploadRefusedError:
    return UploadRefusedError(
        "FILE_TOO_LARGE",
        _(
            "The file is larger than %(limit)s MB, so nothing was kept. Split it into smaller files and "
            "upload them one after the other: what one of them saves the next leaves alone."
        )
        % {"limit": f"{limit / 1_048_576:.4g}"},
    )
