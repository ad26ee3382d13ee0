"""Answers too large for one: written by a worker in sealed parts, fetched by a program for half an hour (formats 7).

What there is to write comes from the rooms above, which name themselves with `serve`. A part holds so many rows at
most; its name cannot be guessed, and whoever has it, and the seal, may read it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import tarfile
import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from django.conf import settings
from django.db import transaction
from django.http import Http404
from django.utils.translation import gettext as _

from ims_portal import access, audit, downloads, queue, sealing
from ims_portal.access import Right
from ims_portal.clock import Clock, portal, real
from ims_portal.models import LargeAnswer, Taxpayer, User

MOST_IN_PART = 50_000
KEPT = timedelta(minutes=30)
"""How long parts are kept after they were written, by the real clock."""
ENDING = ".tar.gz"
LONGEST_WRITING = timedelta(minutes=15)
"""Longer than a worker may take, so that no part is removed while the others are written or read."""

Rows = TypeVar("Rows")


class Part(NamedTuple):
    """A file of an answer: how many rows it holds, and the pieces of its JSON text."""

    rows: int
    text: Iterable[str]


Writer = Callable[[Taxpayer, Mapping[str, Any], datetime], Iterator[Part]]

_writers: dict[str, Writer] = {}


def serve(kind: str, writer: Writer) -> None:
    """Name what writes a kind of answer: from taxpayer, what is asked and the portal's moment, its parts in order."""
    _writers[kind] = writer


def request(*, taxpayer: Taxpayer, kind: str, asked: Mapping[str, Any], actor: User, at: datetime) -> LargeAnswer:
    """Want an answer in parts, and return its job: the one at work on the very same for the same person, if any."""
    key = hashlib.sha256(json.dumps([kind, asked, actor.pk], sort_keys=True).encode()).hexdigest()
    with transaction.atomic():
        job = queue.new_or_live(
            LargeAnswer, {"taxpayer": taxpayer, "key": key}, kind=kind, asked=dict(asked), requested_by=actor
        )
        details = {"answer": str(job.pk), **asked}
        audit.record(event="export.asked", at=at, actor=actor, taxpayer=taxpayer, subject=kind, details=details)
        queue.enqueue(job)
    return job


def write(*, answer: LargeAnswer, clock: Clock) -> None:
    """Write the parts of an answer, and finish its job, or fail it where its person may not read any more."""
    at, seal = clock.now(), secrets.token_bytes(sealing.KEY_OCTETS)
    actor = answer.requested_by
    parts: list[dict[str, Any]] = []
    try:
        if actor is not None:
            access.require(user=actor, taxpayer=answer.taxpayer, right=Right.VIEW, at=at)
        with downloads.one_moment():
            downloads.be_patient()
            for part in _writers[answer.kind](answer.taxpayer, answer.asked, at):
                parts.append({**_pack(answer, part, seal, len(parts)), "rows": part.rows})
    except access.RightMissingError as missing:
        queue.fail(answer, _("%(name)s may no longer read this GSTIN. %(why)s") % {"name": actor, "why": missing})
        return
    except BaseException:
        _throw_away(parts)
        raise
    answer.seal, answer.parts, answer.made_at = base64.b64encode(seal).decode(), parts, real()
    answer.progress = answer.total = sum(part["rows"] for part in parts)
    with transaction.atomic():
        queue.finish(answer)
        details = {"answer": str(answer.pk), "rows": answer.total}
        audit.record(
            event="export.made", at=at, actor=actor, taxpayer=answer.taxpayer, subject=answer.kind, details=details
        )


def chunks(rows: Iterable[Rows]) -> Iterator[list[Rows]]:
    """Yield rows by as many as a part may hold."""
    left = iter(rows)
    while found := list(islice(left, MOST_IN_PART)):
        yield found


def few(read: Callable[[], Iterable[Rows]]) -> list[Rows] | None:
    """Return rows that are few enough for one answer, None where they are more; no more are read than it takes.

    In one moment, for a reader outside of any transaction would have all of them put by first.
    """
    with downloads.one_moment():
        rows = iter(read())
        found = list(islice(rows, settings.GSTN_LARGE_ROWS + 1))
        del rows  # closes its reader, which ends with the moment
    return found if len(found) <= settings.GSTN_LARGE_ROWS else None


def of(*, taxpayer: Taxpayer, token: str) -> LargeAnswer | None:
    """Return an answer of a taxpayer that is at work, failed or still kept; None for any other."""
    with suppress(ValueError):
        found = LargeAnswer.objects.filter(taxpayer=taxpayer, pk=uuid.UUID(token)).first()
        return found if found is not None and not _is_over(found) else None
    return None


def lies(name: str) -> Path | None:
    """Return where a part lies, None for a name that is none, kept no more, or of somebody who may read no more."""
    with suppress(ValueError):
        found = LargeAnswer.objects.filter(pk=uuid.UUID(name[:32])).select_related("requested_by", "taxpayer").first()
        if found is None or _is_over(found) or not _may_read(found):
            return None
        for part in found.parts:
            if hmac.compare_digest(part["name"].encode(), name.encode()):
                path = _folder() / part["name"]
                return path if path.is_file() else None
    return None


def remove_old() -> int:
    """Remove the parts that are kept no more, those of a killed worker too, and return how many."""
    oldest, count = (real() - KEPT - LONGEST_WRITING).timestamp(), 0
    for path in _folder().iterdir():
        with suppress(FileNotFoundError):  # what a worker has just finished with
            if path.stat().st_mtime < oldest:
                path.unlink()
                count += 1
    LargeAnswer.objects.exclude(seal="").filter(made_at__lt=real() - KEPT).update(seal="", parts=[])
    return count


def _may_read(answer: LargeAnswer) -> bool:
    """Whether who asked for an answer may still read what is in it."""
    try:
        if answer.requested_by is not None:
            at = portal().now()
            access.require(user=answer.requested_by, taxpayer=answer.taxpayer, right=Right.VIEW, at=at)
    except (access.RightMissingError, Http404):
        return False
    return True


def _is_over(answer: LargeAnswer) -> bool:
    return answer.made_at is not None and answer.made_at + KEPT <= real()


def _folder() -> Path:
    folder = Path(settings.IMS_ANSWER_DIR)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _pack(answer: LargeAnswer, part: Part, seal: bytes, number: int) -> dict[str, str]:
    """Write a part, and return its name and digest: a tar.gz with one file, which is sealed."""
    name = f"{answer.pk.hex}-{number + 1}-{secrets.token_urlsafe(24)}{ENDING}"
    target = _folder() / name
    try:
        with tempfile.NamedTemporaryFile(dir=_folder(), suffix=downloads.HALF) as inner:
            for piece in sealing.pieces(seal, part.text):
                inner.write(piece)
            inner.flush()
            with tarfile.open(target, "w:gz", compresslevel=1) as packed:
                packed.add(inner.name, arcname=f"{number + 1}.json", filter=_plain)
        return {"name": name, "sha256": downloads.digest(target)}
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _plain(told: tarfile.TarInfo) -> tarfile.TarInfo:
    """Return what is told of the file inside: nothing of the machine it was written on."""
    told.uid = told.gid = 0
    told.uname = told.gname = ""
    told.mode = 0o600
    return told


def _throw_away(parts: Iterable[Mapping[str, Any]]) -> None:
    for part in parts:
        (_folder() / part["name"]).unlink(missing_ok=True)
