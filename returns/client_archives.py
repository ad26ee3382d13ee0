"""Archives of many clients' files: asked for by who asked for the files, written by a worker, given to them alone.

Of each client the right is read when the archive is written, listed and taken: where one was lost meanwhile, the
archive is given out no more, and may be made anew without that client.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import transaction
from django.http import Http404
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from ims_portal import audit, downloads, once, queue
from ims_portal.clock import Clock
from ims_portal.downloads import Made, Progress
from ims_portal.models import User
from returns import client_files, client_orders
from returns.client_orders import Order
from returns.models import Archive, Export


class NotReadyError(Exception):
    """Files of the order are still being written, or there are none; no archive was asked for."""


class RightLostError(Exception):
    """The archive holds something of clients whose files its asker may take no more; the message names them."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What there is of an order's archive: the latest one unless it is kept no more, and whether one may be asked for.

    `is_lost` where the right to something in it was lost since.
    """

    archive: Archive | None
    is_lost: bool
    may_ask: bool

    @property
    def is_live(self) -> bool:
        """Whether a worker is at it, or will be."""
        return self.archive is not None and not self.archive.is_over

    @property
    def may_take(self) -> bool:
        """Whether there is something to take."""
        return self.archive is not None and bool(self.archive.path) and not self.is_lost


def request(*, user: User, key: uuid.UUID, clock: Clock, request_id: uuid.UUID) -> Archive:
    """Want the files of what was asked under a key as one archive, and return its job: the live one where there is one.

    Raises Http404 where no files were asked for so, and NotReadyError.
    """
    order = client_orders.earlier(user=user, key=key)
    if order is None or not order.what.is_of_files:
        raise Http404("No files were asked for.")
    if not _is_ready(order, _unfinished([order])):
        raise NotReadyError(_("The files are still being written. Make the archive once all are done."))
    with transaction.atomic(durable=True):
        command = once.claim(actor=user, key=request_id, body={"do": "archive", "order": str(key)})
        if command.answer:
            return Archive.objects.get(pk=command.answer["archive"])
        same = {"requested_by": user, "order": key}
        archive = queue.new_or_live(Archive, same, language=get_language() or "en")
        audit.record(
            event="archive.asked",
            at=clock.now(),
            actor=user,
            subject=order.what.value,
            details={"archive": str(archive.pk), "clients": len(order.answers)},
            request_id=request_id,
        )
        once.answered(command, {"archive": str(archive.pk)})
        queue.enqueue(archive)
    return archive


def write(*, archive: Archive, clock: Clock) -> None:
    """Write the archive of a job, and finish or fail it. Who may take what is read again: it may wait long."""
    at = clock.now()

    def make(target: Path, progress: Progress) -> Made:
        return client_files.write(archive, target, at=at, progress=progress)

    downloads.write(download=archive, make=make, event="archive.made", at=at)


def shown(*, user: User, orders: Mapping[uuid.UUID, Order], at: datetime) -> dict[uuid.UUID, Shown]:
    """Return, for each order of files by its key, what there is of its archive: four queries, however many orders."""
    of_files = {key: order for key, order in orders.items() if order.what.is_of_files}
    unfinished = _unfinished(list(of_files.values()))
    may_take = client_files.may_take(user, at).keys()
    found = Archive.objects.filter(requested_by=user, order__in=of_files).order_by("created_at", "pk")
    archives = {archive.order: archive for archive in found if not downloads.is_over(archive, at)}
    result = {}
    for key, order in of_files.items():
        archive = archives.get(key)
        is_live = archive is not None and not archive.is_over
        is_lost = archive is not None and not archive.holds.keys() <= may_take
        result[key] = Shown(archive, is_lost, not is_live and _is_ready(order, unfinished))
    return result


def _unfinished(orders: Sequence[Order]) -> set[str]:
    """Return the ids of files asked for that are still being written: one query."""
    asked = [answer.job for order in orders for answer in order.answers if answer.job]
    live = Export.objects.filter(pk__in=asked, state__in=[Export.State.WAITING, Export.State.RUNNING])
    return {str(pk) for pk in live.values_list("pk", flat=True)}


def _is_ready(order: Order, unfinished: set[str]) -> bool:
    asked = {answer.job for answer in order.answers if answer.job}
    return bool(asked) and not asked & unfinished


def taken(*, user: User, pk: uuid.UUID, at: datetime) -> tuple[Archive, Path] | None:
    """Return an archive of one's own with where it lies, after telling every taxpayer's log; None for any other.

    Raises RightLostError where its asker may take the files of some client in it no more.
    """
    archive = Archive.objects.filter(requested_by=user, pk=pk).first()
    path = downloads.lies(archive) if archive and not downloads.is_over(archive, at) else None
    if archive is None or path is None:
        return None
    held = client_files.may_take(user, at)
    lost = [gstin for gstin in archive.holds if gstin not in held]
    if lost:
        told = _("You may take the files of %(gstins)s no more, and this archive has something of theirs.")
        raise RightLostError(told % {"gstins": ", ".join(lost)})
    files = {held[gstin].taxpayer.pk: export for gstin, export in archive.holds.items() if export}
    kind = Export.objects.filter(pk__in=files.values()).values_list("kind", flat=True).first()
    with transaction.atomic():
        audit.record(
            event="export.archive", at=at, actor=user, details={"archive": str(archive.pk), "files": archive.rows}
        )
        audit.record_each(
            event="export.downloaded",
            at=at,
            actor=user,
            subject=kind or "",
            details={taxpayer: {"export": export, "archive": str(archive.pk)} for taxpayer, export in files.items()},
        )
    return archive, path
