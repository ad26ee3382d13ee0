"""A file somebody hands in: kept on disk under a name of our own until a worker has read it."""

from __future__ import annotations

import hashlib
import os
import uuid
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _


class UploadRefusedError(Exception):
    """A file was not taken in at all; the message says why and what next."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Kept:
    """A file as it lies on disk."""

    path: Path
    size: int
    sha256: str


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
