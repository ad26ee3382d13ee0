"""The log as a file: asked for by an administrator, written by a worker, never with what is a taxpayer's."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from ims_portal import administrators, audit, audit_log, clock, csv_files, downloads, once, queue
from ims_portal.audit_log import Asked, Line
from ims_portal.audit_words import ADMINISTRATOR
from ims_portal.clock import Clock
from ims_portal.downloads import Made, NoFileError, Progress
from ims_portal.models import AuditExtract, User


def request(*, asked: Asked, actor: User, clock: Clock, request_id: uuid.UUID) -> AuditExtract:
    """Want a file of events and return its job: the one at work on the very same already, where there is one.

    Its headings will be in the active language. Raises Http404 for who is no administrator any more.
    """
    language = get_language() or "en"
    told = asked.told()
    key = hashlib.sha256(json.dumps([told, language], sort_keys=True).encode()).hexdigest()
    with transaction.atomic(durable=True):
        administrators.require(actor)
        command = once.claim(actor=actor, key=request_id, body={"do": "take out the log", "asked": key})
        if command.answer:
            return AuditExtract.objects.get(pk=command.answer["extract"])
        same = {"requested_by": actor, "key": key}
        extract = queue.new_or_live(AuditExtract, same, asked=told, language=language)
        audit.record(
            event="audit.asked",
            at=clock.now(),
            actor=actor,
            capacity=ADMINISTRATOR,
            details=told | {"extract": str(extract.pk)},
            request_id=request_id,
        )
        once.answered(command, {"extract": str(extract.pk)})
        queue.enqueue(extract)
    return extract


def write(*, extract: AuditExtract, clock: Clock) -> None:
    """Write the file of a job, and finish or fail it. The right is read again: a file may wait long."""
    at = clock.now()

    def make(target: Path, progress: Progress) -> Made:
        return _make(extract, at, target, progress)

    downloads.write(download=extract, make=make, event="audit.made", at=at, capacity=ADMINISTRATOR)


def _make(extract: AuditExtract, at: datetime, target: Path, progress: Progress) -> Made:
    """Write all events asked for as they stand at one moment, in pieces, so that memory stays flat."""
    if not administrators.is_one(extract.requested_by):
        told = _("%(name)s is no administrator any more, so no file was made.")
        raise NoFileError(told % {"name": extract.requested_by})
    asked = Asked.read(extract.asked)
    with downloads.one_moment(), override(extract.language), target.open("w", encoding="utf-8", newline="") as stream:
        progress.expect(audit_log.count(asked))
        stream.writelines(csv_files.lines(_headings(), _cells(progress.counted(audit_log.lines(asked)))))
    return Made(f"audit_{clock.day(at):%d%m%Y}.csv", progress.count, at)


def _headings() -> list[str]:
    return [
        _("Time, IST"),
        _("User name"),
        _("Name"),
        _("Capacity"),
        _("Event"),
        _("Code"),
        "GSTIN",
        _("Subject"),
        _("Details"),
        _("Reason"),
        _("Request id"),
    ]


def _cells(lines: Iterable[Line]) -> Iterator[list[str]]:
    for line in lines:
        row = line.row
        yield [
            timezone.localtime(row.at).strftime("%d/%m/%Y %H:%M:%S"),
            row.actor.username if row.actor else "",
            str(row.actor) if row.actor else _("the portal"),
            line.capacity,
            line.event,
            row.event,
            row.taxpayer.gstin if row.taxpayer else "",
            line.subject,
            "; ".join(f"{name}: {value}" for name, value in line.details),
            line.reason,
            str(row.request_id or ""),
        ]


def latest(*, actor: User, at: datetime) -> list[AuditExtract]:
    """Return what an administrator asked for that is at work, failed lately or still kept, newest first: one query."""
    found = AuditExtract.objects.filter(requested_by=actor).order_by("-created_at", "-pk")[: downloads.LATEST]
    return [extract for extract in found if not downloads.is_over(extract, at)]


def taken(*, actor: User, pk: uuid.UUID, at: datetime) -> tuple[AuditExtract, Path] | None:
    """Return a file of one's own with where it lies, after writing down that it is taken; None for any other."""
    extract = AuditExtract.objects.filter(requested_by=actor, pk=pk).first()
    path = downloads.lies(extract) if extract and not downloads.is_over(extract, at) else None
    if extract is None or path is None:
        return None
    details = extract.asked | {"extract": str(extract.pk), "rows": extract.rows}
    audit.record(event="audit.exported", at=at, actor=actor, capacity=ADMINISTRATOR, details=details)
    return extract, path
