"""Purchase registers: kept, their columns named once per client, read by a worker, matched, removed again."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path

from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from ims_portal import access, audit, once, queue, workbook_reading
from ims_portal.access import Right
from ims_portal.clock import Clock, day
from ims_portal.models import Taxpayer, User
from ims_portal.rules.documents import financial_year
from ims_portal.workbook_reading import WorkbookRefusedError
from invoices import books_sql, kept_files, locking, register_reading
from invoices.json_reading import UnreadableFileError
from invoices.models import Booked, Books, Inbox, Register
from invoices.register_reading import REQUIRED, TEMPLATE, Field, Told, Wrong
from invoices.sheet_cells import DatedLine

ENDINGS = {".xlsx": Register.Kind.WORKBOOK, ".csv": Register.Kind.CSV}
MOST_PROBLEMS = 1_000
"""Rows that could not be read of which is told; a register with more has the wrong columns."""
LATEST = 12
PIECE = 2_000
Phase, State = Register.Phase, Register.State


class RegisterRefusedError(Exception):
    """A register, or a step with it, was refused; `problems` says why and what next, field -> sentence, "" for all."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        self.problems = problems
        super().__init__(" ".join(problems.values()))


def receive(
    *, taxpayer: Taxpayer, file: UploadedFile[bytes] | None, actor: User, clock: Clock, request_id: uuid.UUID
) -> Register:
    """Keep a register and ask for it to be read. The same file while its job lives, or request, is one job.

    Raises RegisterRefusedError, kept_files.UploadRefusedError, once.MismatchError and access.RightMissingError; then
    nothing is kept.
    """
    at = clock.now()
    access.require(user=actor, taxpayer=taxpayer, right=Right.ACT, at=at)
    kind = ENDINGS.get(Path(file.name or "").suffix.lower()) if file else None
    if file is None or kind is None:
        raise RegisterRefusedError({"file": _("Choose the register as an Excel workbook (.xlsx) or as CSV (.csv).")})
    with kept_files.held(file, ending=kind.value) as kept, transaction.atomic(durable=True):
        body = {"do": "purchase register", "gstin": taxpayer.gstin, "sha256": kept.sha256}
        command = once.claim(actor=actor, key=request_id, body=body)
        if command.answer:
            return Register.objects.get(pk=str(command.answer["register"]), taxpayer=taxpayer)
        found = queue.new_or_live(
            Register,
            {"taxpayer": taxpayer, "sha256": kept.sha256},
            kind=kind,
            **kept.columns(file.name),
            requested_by=actor,
        )
        once.answered(command, {"register": str(found.pk)})
        _record("register.received", found, actor, clock, request_id)
        queue.enqueue(found)
        kept.is_taken = found.path == str(kept.path)
        return found


def of(*, taxpayer: Taxpayer, register_id: uuid.UUID) -> Register | None:
    """Return a register of a taxpayer, None for any other and for one that was removed."""
    found = Register.objects.filter(taxpayer=taxpayer, pk=register_id, removed_at=None)
    return found.select_related("requested_by", "taxpayer").first()


def latest(*, taxpayer: Taxpayer) -> list[Register]:
    """Return the last registers of a taxpayer that were not removed, the newest first: one query."""
    found = Register.objects.filter(taxpayer=taxpayer, removed_at=None).select_related("requested_by")
    return list(found.order_by("-created_at")[:LATEST])


def name_columns(
    *, register: Register, columns: Mapping[str, str], actor: User, clock: Clock, request_id: uuid.UUID
) -> Register:
    """Keep which column is what for this taxpayer, and ask for a register to be read so. Again it changes nothing.

    `columns` is field -> label. Raises RegisterRefusedError field by field, access.RightMissingError.
    """

    def name() -> Register:
        access.require(user=actor, taxpayer=register.taxpayer, right=Right.ACT, at=clock.now())
        body = {"do": "name columns", "register": str(register.pk), "columns": dict(columns)}
        command = once.claim(actor=actor, key=request_id, body=body)
        fresh = _locked(register)
        if command.answer or fresh.phase != Phase.NAMING:
            return fresh
        chosen = {field: label for field, label in columns.items() if label}
        _check_columns(chosen, fresh.heading)
        books = books_of(fresh.taxpayer)
        books.columns = chosen
        books.save(update_fields=["columns"])
        _want(fresh, Phase.READING)
        once.answered(command, {"register": str(fresh.pk)})
        return fresh

    return locking.transact(name)


def _check_columns(chosen: Mapping[str, str], heading: list[str]) -> None:
    problems = {field.value: _("Say which column this is.") for field in REQUIRED if field not in chosen}
    for field, label in chosen.items():
        if label not in heading:
            problems[field] = _("The register has no such column. Choose one of the list.")
        elif heading.count(label) > 1:
            problems[field] = _("Several columns are called so. Give each a name of its own in the file.")
        elif list(chosen.values()).count(label) > 1:
            problems[field] = _("This column is named twice. Keep it once.")
    if problems:
        raise RegisterRefusedError(problems)


def match_again(*, taxpayer: Taxpayer, actor: User, clock: Clock, request_id: uuid.UUID) -> Register | None:
    """Ask for the books to be matched again, as its newest register's job; return it, None without a register."""

    def again() -> Register | None:
        access.require(user=actor, taxpayer=taxpayer, right=Right.ACT, at=clock.now())
        command = once.claim(actor=actor, key=request_id, body={"do": "match again", "gstin": taxpayer.gstin})
        newest = _matched(taxpayer)
        if newest is not None and not command.answer:
            _want(newest, Phase.MATCHING)
            once.answered(command, {"register": str(newest.pk)})
        return newest

    return locking.transact(again)


def _matched(taxpayer: Taxpayer) -> Register | None:
    """Return the newest matched register of a taxpayer, locked; None where there is none."""
    rows = Register.objects.filter(taxpayer=taxpayer, removed_at=None, phase=Phase.MATCHED)
    return rows.order_by("-created_at").select_for_update(of=("self",)).select_related("taxpayer").first()


def remove(*, register: Register, actor: User, clock: Clock, request_id: uuid.UUID) -> None:
    """Forget what a register told, and which column is what; the log keeps that it was there.

    The others are matched again. Raises RegisterRefusedError while it is read.
    """

    def forget() -> None:
        books = books_of(register.taxpayer)
        access.require(user=actor, taxpayer=register.taxpayer, right=Right.ACT, at=clock.now())
        once.claim(actor=actor, key=request_id, body={"do": "remove register", "register": str(register.pk)})
        fresh = _locked(register)
        if not fresh.is_over:
            raise RegisterRefusedError({"": _("The register is being worked on. Wait for its end, then remove it.")})
        if fresh.removed_at is not None:
            return
        books_sql.forget(fresh.taxpayer_id, fresh)
        books.columns = {}
        books.save(update_fields=["columns"])
        Path(fresh.path).unlink(missing_ok=True)
        fresh.removed_at = clock.now()
        fresh.save(update_fields=["removed_at", "changed_at"])
        _keep_has_books(fresh.taxpayer)
        _record("register.removed", fresh, actor, clock, request_id)
        rest = _matched(fresh.taxpayer)
        if rest is not None:
            _want(rest, Phase.MATCHING)

    locking.transact(forget)


def books_of(taxpayer: Taxpayer) -> Books:
    """Return the books of a taxpayer, locked: who changes what is matched comes one after the other.

    Nothing else is locked, so that matching never holds up a choice. This will join the caller's transaction.
    """
    Books.objects.get_or_create(taxpayer=taxpayer)
    return Books.objects.select_for_update().get(pk=taxpayer.pk)


def _keep_has_books(taxpayer: Taxpayer) -> None:
    has_books = Booked.objects.filter(recipient=taxpayer).exists()
    locking.ensure([taxpayer])
    Inbox.objects.filter(pk=taxpayer.pk).exclude(has_books=has_books).update(has_books=has_books)


def _want(register: Register, phase: Register.Phase) -> None:
    register.phase, register.wanted = phase, register.done + 1
    register.state, register.attempts, register.problem = State.WAITING, 0, ""
    try:
        with transaction.atomic():
            register.save()
    except IntegrityError:
        raise RegisterRefusedError(
            {"": _("The same file is being read already. Wait for its end, then try again.")}
        ) from None
    queue.enqueue(register)


def _locked(register: Register) -> Register:
    rows = Register.objects.select_for_update(of=("self",)).select_related("taxpayer", "requested_by")
    return rows.get(pk=register.pk)


def _record(event: str, register: Register, actor: User, clock: Clock, request_id: uuid.UUID) -> None:
    audit.record(
        event=event,
        at=clock.now(),
        actor=actor,
        taxpayer=register.taxpayer,
        request_id=request_id,
        details={"register": str(register.pk), "documents": register.documents},
    )


# The worker's part


def carry_out(*, register: Register, clock: Clock) -> None:
    """Do what is wanted of a register, to its end: read it and match it, or match again. Raises locking.BusyError."""
    try:
        if register.phase == Phase.READING:
            _read(register, clock)
        elif register.phase == Phase.MATCHING:
            locking.transact(lambda: _match(register, clock))
    except FileNotFoundError:
        queue.fail(register, _("The file is no longer on this server. Upload it again."))
    except UnreadableFileError as refused:
        queue.fail(register, refused.problem.message)
    except WorkbookRefusedError as refused:
        queue.fail(register, str(refused))
    if register.is_over and register.phase != Phase.NAMING and not is_given_back(register):
        Path(register.path).unlink(missing_ok=True)


def is_given_back(register: Register) -> bool:
    """Whether rows of a register were refused and can be read again, to be given back with what is wrong of them."""
    return register.phase == Phase.MATCHED and register.wrong > 0 and Path(register.path).is_file()


def _read(register: Register, clock: Clock) -> None:
    """Read a register whose columns are known and match it; else end with its heading, for a person to name them.

    Only once its rows are read the books are locked: others may pair and set meanwhile.
    """
    kept = Books.objects.filter(pk=register.taxpayer_id).values_list("columns", flat=True).first() or {}
    with lines(register) as rows:
        heading, is_known = register_reading.heading(rows, kept)
    if not heading:
        queue.fail(
            register, _("No row of the file looks like a heading. Give each column a name in one row, at the top.")
        )
    elif not is_known or not locking.transact(lambda: _take(register, kept, clock)):
        register.heading, register.phase = heading, Phase.NAMING
        queue.finish(register)


@contextmanager
def lines(register: Register) -> Iterator[Iterator[DatedLine]]:
    """Give the rows of a register's file.

    Raises FileNotFoundError; UnreadableFileError, WorkbookRefusedError while they are read.
    """
    path = Path(register.path)
    if register.kind == Register.Kind.WORKBOOK:
        with closing(workbook_reading.read(path)) as rows:
            yield rows
        return
    with path.open("rb") as stream, closing(register_reading.of_csv(stream)) as written:
        yield written


def _take(register: Register, columns: Mapping[str, str], clock: Clock) -> bool:
    """Keep what the rows of a register tell and match it; False, and only what was wrong kept, for no document."""
    register.problems.all().delete()
    books_sql.make_place()
    place, wrong, problems = 0, 0, list[Wrong]()
    with lines(register) as rows:
        found = register_reading.read(rows, columns, until=day(clock.now()))
        while piece := list(islice(found, PIECE)):
            told = [row for row in piece if isinstance(row, Told)]
            books_sql.keep((place + n, financial_year(row.day), row) for n, row in enumerate(told))
            problems += [row for row in piece if isinstance(row, Wrong)][: MOST_PROBLEMS - len(problems)]
            place, wrong = place + len(told), wrong + len(piece) - len(told)
    if Field.TYPE not in columns:
        books_sql.tell_by_sign()
    books_of(register.taxpayer)
    books_sql.complain(register, problems)
    register.documents, register.replaced, refused = books_sql.take(register.taxpayer_id, register)
    register.wrong = wrong + refused
    register.total = register.progress = place
    if register.documents:
        _match(register, clock)
    return register.documents > 0


def _match(register: Register, clock: Clock) -> None:
    """Match the books and say so. This will join its caller's transaction, and end the job."""
    books_of(register.taxpayer)
    newest = books_sql.match(register.taxpayer_id)
    Books.objects.filter(pk=register.taxpayer_id).update(matched_at=clock.now(), matched_upto=newest)
    _keep_has_books(register.taxpayer)
    register.phase = Phase.MATCHED
    queue.finish(register)


def template() -> str:
    """Return the heading of our own template, as a line of CSV."""
    return ",".join(TEMPLATE[field] for field in Field) + "\r\n"
