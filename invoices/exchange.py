"""Actions by a file: kept, read and judged, shown, applied once confirmed; what is refused comes back with its reason.

Judging writes nothing. Applying goes a piece at a time through `actions.take`, each piece under a request id of its
own: a worker killed between two goes on where it stopped, and a piece done twice is done once.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import groupby, islice
from pathlib import Path

from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from ims_portal import access, audit, once, queue, workbook_reading
from ims_portal.access import Right
from ims_portal.clock import Clock
from ims_portal.models import Taxpayer, User
from ims_portal.rules.actions import Answer, Refusal
from ims_portal.rules.documents import Problem
from ims_portal.rules.money import NIL
from ims_portal.workbook_reading import WorkbookRefusedError
from invoices import actions, actions_sql, exchange_sql, ims_reading, ims_sheets, kept_files, standing
from invoices.actions import Choice, Item, ResultStatus
from invoices.asked import Asked
from invoices.ims_json import BillKey
from invoices.ims_reading import RowOfFile
from invoices.json_reading import UnreadableFileError
from invoices.models import ActionFile
from invoices.standing import Standing

PIECE = 2_000
"""Records written under one hold of the lock, so that a single click waits less than 2 s (F11)."""

WILL, SAME, CONFLICT, SAVED = "will", "same", "conflict", ResultStatus.SAVED.value
WRONG_GSTIN, UNKNOWN_KIND = "APP-F05", "APP-F03"
ENDINGS = {".xlsx": ActionFile.Kind.WORKBOOK, ".json": ActionFile.Kind.JSON}
NO_PLACE_FOR_A_REMARK = (Refusal.REMARKS_NOT_ALLOWED, Refusal.REMARKS_BLOCKED)
Phase, State = ActionFile.Phase, ActionFile.State


class FileRefusedError(Exception):
    """A file, or a step with it, was refused; the message says why and what next."""


class InProgressError(Exception):
    """An earlier request of a program is still being carried out; nothing of this one was kept."""


@dataclass(slots=True)
class _Read:
    """What reading came to besides the rows."""

    gstin: str = ""
    untouched: int = 0


def receive(
    *, taxpayer: Taxpayer, file: UploadedFile[bytes] | None, actor: User, clock: Clock, request_id: uuid.UUID
) -> ActionFile:
    """Keep a file of actions and ask for it to be read. The same file while its job lives, or request, is one job.

    Raises FileRefusedError, kept_files.UploadRefusedError, once.MismatchError and access.RightMissingError; then
    nothing is kept.
    """
    at = clock.now()
    access.require(user=actor, taxpayer=taxpayer, right=Right.ACT, at=at)
    kind = ENDINGS.get(Path(file.name or "").suffix.lower()) if file else None
    if file is None or kind is None:
        raise FileRefusedError(_("Choose the workbook (.xlsx) or the JSON file (.json) of actions."))
    with kept_files.held(file, ending=kind.value) as kept, transaction.atomic(durable=True):
        body = {"do": "actions by file", "gstin": taxpayer.gstin, "sha256": kept.sha256}
        command = once.claim(actor=actor, key=request_id, body=body)
        if command.answer:
            return ActionFile.objects.get(pk=str(command.answer["file"]), taxpayer=taxpayer)
        found = queue.new_or_live(
            ActionFile,
            {"taxpayer": taxpayer, "sha256": kept.sha256},
            kind=kind,
            **kept.columns(file.name),
            requested_by=actor,
        )
        once.answered(command, {"file": str(found.pk)})
        audit.record(
            event="actions.file_received",
            at=at,
            actor=actor,
            taxpayer=taxpayer,
            request_id=request_id,
            details={"file": str(found.pk)},
        )
        queue.enqueue(found)
        kept.is_taken = found.path == str(kept.path)
        return found


def request(
    *, taxpayer: Taxpayer, body: UploadedFile[bytes], actor: User, clock: Clock, is_reset: bool = False
) -> ActionFile:
    """Keep a program's request to save or reset actions, and ask for it to be carried out where it may (formats 3.4).

    Raises InProgressError while an earlier one of the taxpayer lives, kept_files.UploadRefusedError and
    access.RightMissingError; then nothing is kept.
    """
    at = clock.now()
    access.require(user=actor, taxpayer=taxpayer, right=Right.ACT, at=at)
    with kept_files.held(body) as kept:
        try:
            with transaction.atomic(durable=True):
                found = ActionFile.objects.create(
                    taxpayer=taxpayer,
                    kind=ActionFile.Kind.JSON,
                    is_direct=True,
                    is_reset=is_reset,
                    sha256=kept.sha256,
                    **kept.columns(body.name),
                    requested_by=actor,
                )
                audit.record(
                    event="actions.request_received",
                    at=at,
                    actor=actor,
                    taxpayer=taxpayer,
                    details={"file": str(found.pk)},
                )
                queue.enqueue(found)
        except IntegrityError:
            raise InProgressError from None
        kept.is_taken = True
        return found


def of(*, taxpayer: Taxpayer, file_id: uuid.UUID) -> ActionFile | None:
    """Return a file of actions of a taxpayer, None for any other."""
    return ActionFile.objects.filter(taxpayer=taxpayer, pk=file_id).select_related("requested_by", "taxpayer").first()


def latest(*, taxpayer: Taxpayer) -> list[ActionFile]:
    """Return the last files of actions of a taxpayer, the newest first: one query."""
    found = ActionFile.objects.filter(taxpayer=taxpayer).select_related("requested_by")
    return list(found.order_by("-created_at")[:10])


def carry_out(*, file: ActionFile, clock: Clock) -> None:
    """Do what is wanted of a file, to its end: read and judge it, or apply it. Raises locking.BusyError."""
    if file.phase == Phase.READING:
        _read(file, clock)
    if file.phase == Phase.APPLYING and not file.is_over:
        _apply(file, clock)


def _read(file: ActionFile, clock: Clock) -> None:
    """Read a file, find its records, judge its rows; or fail the job with the reason the file was refused."""
    try:
        with transaction.atomic():
            exchange_sql.forget(file.pk)
            told, count = _Read(), 0
            for piece in _pieces(file, told):
                count += exchange_sql.keep(file.taxpayer_id, file.pk, piece)
            _refuse_foreign(told.gstin, file.taxpayer.gstin)
            today = standing.of(file.taxpayer, clock.now())
            exchange_sql.find(file.taxpayer_id, file.pk, today)
            _judge(file, today)
            file.untouched = told.untouched + exchange_sql.drop_same(file.pk)
            file.counts = exchange_sql.counts(file.pk)
            file.phase, file.read_at = Phase.APPLYING if file.is_direct else Phase.READY, clock.now()
            file.total = file.progress = count
            if file.is_direct:
                file.save()  # applied next, by whichever worker has it then
            else:
                queue.finish(file)
    except FileNotFoundError:
        queue.fail(file, _("The file is no longer on this server. Upload it again."))
    except UnreadableFileError as refused:
        queue.fail(file, refused.problem.message)
    except WorkbookRefusedError as refused:
        queue.fail(file, str(refused))
    Path(file.path).unlink(missing_ok=True)


def _refuse_foreign(found: str, wanted: str) -> None:
    if found in ("", wanted):
        return
    raise UnreadableFileError(
        Problem(
            WRONG_GSTIN,
            _(
                "The file is of %(found)s, but you are uploading for %(wanted)s. Nothing of it was kept. Choose the "
                "right file, or change to the other GSTIN."
            )
            % {"found": found, "wanted": wanted},
        )
    )


def _pieces(file: ActionFile, told: _Read) -> Iterator[list[Asked]]:
    """Yield the rows of a file some at a time. Raises UnreadableFileError, WorkbookRefusedError."""
    rows = _of_workbook(file, told) if file.kind == ActionFile.Kind.WORKBOOK else _of_json(file, told)
    while piece := list(islice(rows, PIECE)):
        yield piece


def _of_workbook(file: ActionFile, told: _Read) -> Iterator[Asked]:
    found = ims_sheets.Found()
    with closing(workbook_reading.read(Path(file.path))) as lines:
        yield from ims_sheets.read(lines, found)
    if not found.sheets:
        raise UnreadableFileError(
            Problem(
                UNKNOWN_KIND,
                _(
                    "No sheet of this workbook is one of IMS: B2B, B2B-CN and so on. Download the records of IMS, "
                    "change that workbook and upload it."
                ),
            )
        )
    told.gstin, told.untouched = found.gstin, found.untouched


def _of_json(file: ActionFile, told: _Read) -> Iterator[Asked]:
    """Yield the rows of a file of the offline utility; all that is wrong with a row stands in one."""
    with Path(file.path).open("rb") as stream:
        told.gstin = ims_reading.header(stream).rtin
        items = (one for one in ims_reading.read(stream) if isinstance(one, RowOfFile) or not one.is_warning)
        for place, (position, few) in enumerate(groupby(items, key=lambda one: one.position), start=1):
            found = list(few)
            if isinstance(found[0], RowOfFile):
                yield replace(_as_asked(found[0]), place=place)
            else:
                wrong = [one for one in found if isinstance(one, Problem)]
                yield Asked(
                    position=position,
                    place=place,
                    section="",
                    number=wrong[0].number,
                    supplier=wrong[0].counterparty,
                    code=wrong[0].code,
                    problem=" ".join(one.message for one in wrong),
                )


def _as_asked(item: RowOfFile) -> Asked:
    """Return what a row of JSON asks; its remark may be an echo of an old one (decision F3)."""
    row, key = item.row, item.row.key
    return Asked(
        position=item.position,
        place=item.place,
        section=row.section.value,
        supplier=key.sez if isinstance(key, BillKey) else key.supplier,
        number=key.number,
        day=key.day,
        port=key.port if isinstance(key, BillKey) else "",
        previous=item.previous,
        taxable=row.taxable,
        tax=row.tax,
        action=row.action,
        answer=row.answer,
        declared=row.declared,
        remark=row.remark,
        is_old_remark=True,
    )


def _items(rows: list[exchange_sql.Chosen]) -> list[Item]:
    return [
        Item(row.record_id, row.version, Choice(row.action, row.answer, row.declared, actions.tidy(row.remark)))
        for row in rows
    ]


def _judge(file: ActionFile, today: Standing) -> None:
    """Say of every row what applying it would do. This will join the transaction that read them."""
    after = -1
    while rows := exchange_sql.chosen(file.pk, verdict="", after=after, limit=PIECE):
        _judge_piece(file, today, rows)
        after = rows[-1].place


def _judge_piece(file: ActionFile, today: Standing, rows: list[exchange_sql.Chosen]) -> None:
    """Judge some rows; those refused for what stands there from another choice are judged again without it."""
    while rows:
        judged = actions_sql.judge(file.taxpayer_id, today, _items(rows))
        again = []
        for row, line in zip(rows, judged, strict=True):
            without = _without_old(row, line.refusal)
            if without is not None:
                again.append(without)
        exchange_sql.mark(file.pk, {row.place: _verdict(line) for row, line in zip(rows, judged, strict=True)})
        if again:
            exchange_sql.choose(file.pk, again)
        rows = again


def _without_old(row: exchange_sql.Chosen, refusal: Refusal | None) -> exchange_sql.Chosen | None:
    """Return a row without what the rules have no place for and nobody just wrote, None where it stands as it is."""
    if refusal in NO_PLACE_FOR_A_REMARK and row.remark and row.is_old_remark:
        return row._replace(remark="")
    if refusal is Refusal.ITC_REDUCTION_ONLY_ON_ACCEPT and row.is_old_answer:
        return row._replace(answer=Answer.NOT_GIVEN, declared=NIL, is_old_answer=False)
    return None


def _verdict(line: actions_sql.Judged) -> str:
    if line.is_same:
        return SAME
    if line.is_conflict:
        return CONFLICT
    return line.refusal.value if line.refusal else WILL


def confirm(*, file: ActionFile, actor: User, clock: Clock, request_id: uuid.UUID) -> ActionFile:
    """Ask for what was shown to be applied. Confirming again changes nothing.

    Raises FileRefusedError where it is not this person's or there is nothing to do, access.RightMissingError.
    """
    with transaction.atomic(durable=True):
        access.require(user=actor, taxpayer=file.taxpayer, right=Right.ACT, at=clock.now())
        once.claim(actor=actor, key=request_id, body={"do": "apply actions by file", "file": str(file.pk)})
        fresh = (
            ActionFile.objects.select_for_update(of=("self",))
            .select_related("taxpayer", "requested_by")
            .get(pk=file.pk)
        )
        if fresh.phase != Phase.READY:
            return fresh
        if fresh.requested_by_id != actor.pk:
            raise FileRefusedError(_("Only who uploaded a file can apply it. Upload it yourself."))
        if not fresh.counts.get(WILL):
            raise FileRefusedError(_("Nothing of this file would change, so nothing was done."))
        fresh.phase, fresh.wanted = Phase.APPLYING, fresh.done + 1
        fresh.state, fresh.attempts, fresh.problem, fresh.progress = State.WAITING, 0, "", 0
        fresh.total = fresh.counts[WILL]
        fresh.save()
        queue.enqueue(fresh)
        return fresh


def _apply(file: ActionFile, clock: Clock) -> None:
    """Apply the rows of a file piece by piece, to the end."""
    try:
        while rows := exchange_sql.chosen(file.pk, verdict=WILL, after=file.place, limit=PIECE):
            outcome = actions.take(
                taxpayer=file.taxpayer,
                items=_items(rows),
                actor=file.requested_by,
                clock=clock,
                request_id=uuid.uuid5(file.pk, str(rows[0].place)),
            )
            became = {row.place: _became(result) for row, result in zip(rows, outcome.results, strict=True)}
            with transaction.atomic():
                exchange_sql.mark(file.pk, became)
                file.place, file.progress = rows[-1].place, file.progress + len(rows)
                file.save(update_fields=["place", "progress", "changed_at"])
    except access.RightMissingError as missing:
        queue.fail(
            file,
            _("%(name)s may no longer act for this GSTIN. What was saved before stays. %(why)s")
            % {"name": file.requested_by, "why": missing},
        )
        return
    with transaction.atomic():
        file.counts = exchange_sql.counts(file.pk)
        file.phase, file.applied_at = Phase.APPLIED, clock.now()
        queue.finish(file)


def _became(result: actions.Result) -> str:
    if result.status is ResultStatus.REFUSED and result.refusal is not None:
        return result.refusal.value
    return result.status.value
