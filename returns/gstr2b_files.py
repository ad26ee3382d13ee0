"""GSTR-2B as somebody else has it, or GSTR-2A: a file is laid beside our newest version (formats 12.3).

It never takes that one's place. All of it is compared in one transaction, so that what stops it leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _

from ims_portal import access, audit, calendar, once, queue, workbook_reading
from ims_portal.access import Right
from ims_portal.clock import Clock
from ims_portal.models import Taxpayer, User
from ims_portal.rules.documents import Problem
from ims_portal.rules.money import NIL, Tax
from ims_portal.rules.periods import TaxPeriod
from ims_portal.workbook_reading import WorkbookRefusedError
from invoices import kept_files
from invoices.kept_files import UploadRefusedError
from returns import gstr2b, gstr2b_files_sql, gstr2b_reading, gstr2b_rows, gstr2b_sheets
from returns.gstr2b_files_sql import OURS, SAME, THEIRS
from returns.gstr2b_json import BLOCKS, BUCKET_OF, BUCKETS
from returns.gstr2b_reading import Head, Told, UnreadableFileError
from returns.models import Gstr2b, StatementDifference, StatementFile

WORKBOOK, JSON = ".xlsx", ".json"
LATEST = 12
MOST_PROBLEMS = 100
"""Documents that could not be read of which is told; a file with more is no file of the portal."""


class NoStatementError(Exception):
    """There is no GSTR-2B of the period to lay a file beside."""


class _RefusedError(Exception):
    """The file is another GSTIN's or period's; the message says which."""


def receive(
    *,
    taxpayer: Taxpayer,
    period: TaxPeriod,
    file: UploadedFile[bytes] | None,
    actor: User,
    clock: Clock,
    request_id: uuid.UUID,
) -> StatementFile:
    """Keep a file and ask for it to be compared. The same file while its job lives, or the same request, is one job.

    Raises NoStatementError, kept_files.UploadRefusedError, once.MismatchError and access.RightMissingError; then
    nothing is kept.
    """
    at = clock.now()
    access.require(user=actor, taxpayer=taxpayer, right=Right.COMPUTE, at=at)
    ending = Path(file.name or "").suffix.lower() if file else ""
    if file is None or ending not in (WORKBOOK, JSON):
        raise UploadRefusedError(
            "NO_FILE", _("Choose GSTR-2B or GSTR-2A as the portal's workbook (.xlsx) or as its JSON (.json).")
        )
    if not gstr2b.versions(taxpayer, period).exists():
        raise NoStatementError
    with kept_files.held(file, ending=ending[1:]) as kept, transaction.atomic(durable=True):
        body = {"do": "compare gstr2b", "gstin": taxpayer.gstin, "month": period.month, "sha256": kept.sha256}
        command = once.claim(actor=actor, key=request_id, body=body)
        if command.answer:
            return StatementFile.objects.get(pk=str(command.answer["file"]), taxpayer=taxpayer)
        found = queue.new_or_live(
            StatementFile,
            {"taxpayer": taxpayer, "month": period.month, "sha256": kept.sha256},
            **kept.columns(file.name),
            requested_by=actor,
        )
        once.answered(command, {"file": str(found.pk)})
        audit.record(
            event="gstr2b.file_received",
            at=at,
            actor=actor,
            taxpayer=taxpayer,
            request_id=request_id,
            subject=period.wire,
            details={"file": str(found.pk)},
        )
        queue.enqueue(found)
        kept.is_taken = found.path == str(kept.path)
        return found


def of(*, taxpayer: Taxpayer, file_id: uuid.UUID) -> StatementFile | None:
    """Return a file of a taxpayer, None for any other: one query."""
    found = StatementFile.objects.filter(taxpayer=taxpayer, pk=file_id)
    return found.select_related("requested_by", "statement").first()


def latest(*, taxpayer: Taxpayer, period: TaxPeriod) -> list[StatementFile]:
    """Return the last files of a taxpayer's period, the newest first: one query."""
    found = StatementFile.objects.filter(taxpayer=taxpayer, month=period.month)
    return list(found.select_related("requested_by", "statement").order_by("-created_at")[:LATEST])


def differences(file: StatementFile, outcome: str, *, after: int, most: int) -> list[StatementDifference]:
    """Return what differs of a file, the largest tax first, behind the id `after`: one query."""
    found = StatementDifference.objects.filter(file=file, outcome=outcome, pk__gt=after)
    return list(found.order_by("pk")[:most])


# The worker's part


def carry_out(*, file: StatementFile) -> None:
    """Compare a file to its end, or fail its job with what is wrong with it."""
    try:
        _compare(file)
    except FileNotFoundError:
        queue.fail(file, _("The file is no longer on this server. Upload it again."))
    except UnreadableFileError as refused:
        queue.fail(file, refused.problem.message)
    except (WorkbookRefusedError, _RefusedError) as refused:
        queue.fail(file, str(refused))
    if file.is_over:
        with contextlib.suppress(OSError):
            Path(file.path).unlink(missing_ok=True)


def _compare(file: StatementFile) -> None:
    period = calendar.filer(file.taxpayer).period(file.month)
    statement = gstr2b.versions(file.taxpayer, period)[0]
    head, problems, wrong = Head(), list[Problem](), 0
    with transaction.atomic():
        gstr2b_files_sql.make_place()

        def told() -> Iterator[Told]:
            nonlocal wrong
            for one in _read(Path(file.path), head):
                if isinstance(one, Told):
                    yield one
                    continue
                wrong += 1
                if len(problems) < MOST_PROBLEMS:
                    problems.append(one)

        file.documents = gstr2b_files_sql.keep(THEIRS, told())
        _check(head, file.taxpayer, period)
        gstr2b_files_sql.keep(OURS, map(gstr2b_reading.of_row, gstr2b_rows.of(statement)))
        StatementDifference.objects.filter(file__taxpayer=file.taxpayer, file__month=file.month).delete()
        counted = gstr2b_files_sql.compare(file.pk)
        file.counts = {one.outcome: [one.documents, one.theirs, one.ours] for one in counted}
        file.sums = _sums(head, statement)
        file.statement, file.made_on, file.wrong = statement, head.made_on, wrong
        file.problems = [asdict(problem) for problem in problems]
        queue.finish(file)


def _read(path: Path, head: Head) -> Iterator[Told | Problem]:
    """Read a file as what its name says it is. Raises UnreadableFileError, WorkbookRefusedError while it is read."""
    if path.suffix == WORKBOOK:
        with closing(workbook_reading.read(path)) as lines:
            yield from gstr2b_sheets.read(lines, head)
        return
    with path.open("rb") as stream:
        yield from gstr2b_reading.read(stream, head)


def _check(head: Head, taxpayer: Taxpayer, period: TaxPeriod) -> None:
    """Raise _RefusedError where a file is of another GSTIN or period."""
    if head.gstin.strip().upper() != taxpayer.gstin:
        raise _RefusedError(
            _("The file is of %(theirs)s, this page is of %(ours)s. Nothing was compared. Choose its own file.")
            % {"theirs": head.gstin[:40], "ours": taxpayer.gstin}
        )
    if head.period.strip() != period.wire:
        raise _RefusedError(
            _(
                "The file is of %(theirs)s, this page is of %(ours)s. Nothing was compared. Open the page of "
                "that period, or choose another file."
            )
            % {"theirs": head.period[:40], "ours": period.wire}
        )


def _sums(head: Head, statement: Gstr2b) -> list[list[object]]:
    """Return block, bucket and both sides' heads of every sum that either has; none where the file says no sums."""
    ours = dict[tuple[str, str], Tax]()
    for placement, parts in statement.sums.items():
        for part, rows in parts.items():
            place = BLOCKS[placement], BUCKET_OF[part]
            ours[place] = ours.get(place, NIL) + sum((Tax(*row[1:]) for row in rows.values()), NIL)
    places = [(block, bucket) for block in BLOCKS.values() for bucket in BUCKETS]
    return [
        [*place, list(head.sums.get(place, NIL)), list(ours.get(place, NIL))]
        for place in places
        if head.sums and (place in ours or head.sums.get(place, NIL) != NIL)
    ]


def same(file: StatementFile) -> int:
    """Return how many documents are the same on both sides."""
    return int(file.counts.get(SAME, [0])[0])
