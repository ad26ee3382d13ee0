"""A supplier's file: kept on disk until a worker has read it, saved into its form all at once, reported on after.

Whatever stops the reading leaves nothing behind: the documents wait in staging, and one transaction at the end holds
them, their problems and the end of the job.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from django.core.files.uploadedfile import UploadedFile
from django.db import connection, transaction
from django.db.models import Count, Expression, F, Func, TextField, Value
from django.utils.translation import gettext as _

from ims_portal import access, audit, calendar, once, queue, workbook_reading
from ims_portal.access import Right
from ims_portal.clock import Clock
from ims_portal.models import Taxpayer, User
from ims_portal.rules import periods
from ims_portal.rules.documents import Document, Form, Problem
from ims_portal.rules.periods import TaxPeriod
from ims_portal.workbook_reading import WorkbookRefusedError
from invoices import gstr1_json, gstr1_sheets, kept_files, open_forms, outward, staging, staging_sql
from invoices.json_reading import UnreadableFileError
from invoices.kept_files import UploadRefusedError
from invoices.models import Upload, UploadProblem

WRONG_GSTIN, WRONG_PERIOD = "APP-F05", "APP-G117"
PROBLEMS_AT_ONCE = 2_000
ZIPPED, OLD_WORKBOOK = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
MARK = b'"itms"'
"""Stands once in every document: counting it is the cheapest guess at how many there are."""


class Stage(StrEnum):
    """What a job is at, or what it came to where the counts do not tell."""

    READING = "reading"
    SAVING = "saving"
    BUSY = "busy"
    CHANGED_NOTHING = "changed nothing"


def receive(
    *,
    taxpayer: Taxpayer,
    form: Form,
    period: TaxPeriod,
    file: UploadedFile[bytes] | None,
    actor: User,
    clock: Clock,
    request_id: uuid.UUID,
) -> Upload:
    """Keep a file and ask for it to be ingested. The same file while its job lives, or the same request, is one job.

    Raises UploadRefusedError, outward.ReturnRefusedError where the form takes nothing now, once.MismatchError and
    access.RightMissingError; then nothing is kept.
    """
    at = clock.now()
    access.require(user=actor, taxpayer=taxpayer, right=Right.SUPPLY, at=at)
    if file is None:
        raise UploadRefusedError(
            "NO_FILE", _("No file was chosen. Choose the JSON file or the workbook of the return.")
        )
    refused = open_forms.look(supplier=taxpayer, form=form, period=period, at=at).saving
    if refused is not None:
        raise refused
    what = {"form": form.value, "month": period.month}
    ending = "xlsx" if _is_workbook(file) else "json"
    with kept_files.held(file, ending=ending) as kept, transaction.atomic(durable=True):
        body = {"do": "upload", "gstin": taxpayer.gstin, **what, "sha256": kept.sha256}
        command = once.claim(actor=actor, key=request_id, body=body)
        if command.answer:
            return Upload.objects.get(pk=str(command.answer["upload"]), taxpayer=taxpayer)
        same = {"taxpayer": taxpayer, **what, "sha256": kept.sha256}
        upload = queue.new_or_live(Upload, same, **kept.columns(file.name), requested_by=actor)
        once.answered(command, {"upload": str(upload.pk)})
        kept.is_taken = upload.path == str(kept.path)
        if kept.is_taken:
            audit.record(
                event="upload.received",
                at=at,
                actor=actor,
                taxpayer=taxpayer,
                request_id=request_id,
                subject=f"{form.value} {period.name}",
                details={"upload": str(upload.pk)},
            )
        queue.enqueue(upload)
        return upload


def _is_workbook(file: UploadedFile[bytes]) -> bool:
    """Whether a file calls itself a workbook or begins as one; what is wrong with it then is for its reader."""
    begin = file.read(len(OLD_WORKBOOK))
    file.seek(0)
    return Path(file.name or "").suffix.lower() == ".xlsx" or begin.startswith((ZIPPED, OLD_WORKBOOK))


def period_of(upload: Upload) -> TaxPeriod:
    """Return the period of an upload's form."""
    if upload.form == Form.IFF.value:
        return TaxPeriod(upload.month)
    return calendar.filer(upload.taxpayer).period(upload.month)


def ingest(*, upload: Upload, clock: Clock) -> None:
    """Read a kept file and save what may stand. This will finish or fail the job, and never leave half a file stored.

    The right is read again: a file may wait longer than its sender's membership lasts. Raises locking.BusyError; the
    job stays due then, and after whatever is not expected.
    """
    form, period = Form(upload.form), period_of(upload)
    try:
        staged = (_of_workbook if upload.is_workbook else _of_json)(upload, form, period)
        _tell(upload, Stage.SAVING, staged.count, staged.count)
        outward.apply_staged(
            supplier=upload.taxpayer,
            form=form,
            period=period,
            actor=upload.requested_by,
            portal_clock=clock,
            staged=staged,
            finishing=lambda saved: _finish(upload, saved, staged.count),
        )
    except FileNotFoundError:
        _fail(upload, Problem("APP-F01", _("The file is no longer on this server. Upload it again.")))
    except UnreadableFileError as refused:
        _fail(upload, refused.problem)
    except WorkbookRefusedError as refused:
        _fail(upload, Problem(refused.code, str(refused)))
    except outward.ReturnRefusedError as refused:
        _fail(upload, Problem(refused.refusal.value, str(refused)))
    except access.RightMissingError as missing:
        _fail(
            upload,
            Problem(
                "RIGHT_MISSING",
                _("%(name)s may no longer upload for this GSTIN. %(why)s")
                % {"name": upload.requested_by, "why": missing},
            ),
        )
    finally:
        if not connection.needs_rollback:
            staging_sql.drop_staging()
    discard(upload)


def _of_json(upload: Upload, form: Form, period: TaxPeriod) -> staging.Staged:
    """Return what the JSON of a return holds, its good documents staged. Raises UnreadableFileError."""
    with Path(upload.path).open("rb") as stream:
        _refuse_foreign(gstr1_json.header(stream), upload.taxpayer, period)
        return staging.fill(
            supplier=upload.taxpayer,
            form=form,
            period=period,
            found=found_in(stream, form),
            told=_teller(upload, stream),
        )


def _of_workbook(upload: Upload, form: Form, period: TaxPeriod) -> staging.Staged:
    """Return what a workbook holds, its good documents staged; it names no taxpayer and no period: the page does.

    Raises UnreadableFileError and WorkbookRefusedError.
    """
    supplier = upload.taxpayer
    units = Taxpayer.objects.filter(kind=Taxpayer.Kind.SEZ).values_list("gstin", flat=True)
    own = gstr1_sheets.Own(
        supplier.state, period.last_day, is_sez=supplier.kind == Taxpayer.Kind.SEZ, sez_units=frozenset(units)
    )
    with contextlib.closing(workbook_reading.read(Path(upload.path))) as lines:
        return staging.fill(
            supplier=supplier,
            form=form,
            period=period,
            found=_known(gstr1_sheets.read(lines, form=form, own=own)),
            told=lambda count: _tell(upload, Stage.READING, count, 0),
        )


def _refuse_foreign(header: gstr1_json.Header, taxpayer: Taxpayer, period: TaxPeriod) -> None:
    if header.gstin != taxpayer.gstin:
        raise UnreadableFileError(
            Problem(
                WRONG_GSTIN,
                _(
                    "The file is a return of %(found)s, but you are uploading for %(wanted)s. Nothing of it was kept. "
                    "Choose the right file, or change to the other GSTIN."
                )
                % {"found": header.gstin, "wanted": taxpayer.gstin},
                field="gstin",
            )
        )
    found = periods.parse(header.period_text)
    if found.month != period.month:
        raise UnreadableFileError(
            Problem(
                WRONG_PERIOD,
                _(
                    "The file is for %(found)s, but this return is for %(wanted)s. Nothing of it was kept. Choose the "
                    "right file, or open the return of %(found)s."
                )
                % {"found": found.label, "wanted": period.label},
                field="fp",
            )
        )


def found_in(stream: BinaryIO, form: Form) -> Iterator[staging.Found]:
    """Yield what a JSON file holds in the domain's words; sections that have no part here are passed over."""
    return _known(gstr1_json.read(stream, form=form))


def _known(found: Iterable[object]) -> Iterator[staging.Found]:
    for item in found:
        if isinstance(item, Document | Problem):
            yield item
        elif isinstance(item, gstr1_json.Summary):
            for line in item.details:
                yield staging.Summary(item.section, str(line.detail), line.taxable, line.tax)


def _teller(upload: Upload, stream: BinaryIO) -> Callable[[int], None]:
    """Return what tells how far the reading is; the marks are counted first, for how many there will be."""
    expected, tail = 0, b""
    while piece := stream.read(1 << 20):
        expected += (tail + piece).count(MARK)
        tail = piece[1 - len(MARK) :]
    stream.seek(0)
    return lambda count: _tell(upload, Stage.READING, count, max(count, expected))


def _tell(upload: Upload, stage: Stage, progress: int, total: int) -> None:
    """Write how far a job is, in a transaction of its own: the page that polls must see it at once."""
    upload.stage, upload.progress, upload.total = stage.value, progress, total
    upload.save(update_fields=["stage", "progress", "total", "changed_at"])


def _finish(upload: Upload, saved: outward.Saved, count: int) -> None:
    """Keep the outcome and end the job. This will join the transaction that holds the documents."""
    upload.added, upload.changed, upload.unchanged = saved.added, saved.changed, saved.unchanged
    upload.withdrawn, upload.refused = saved.withdrawn, saved.refused
    upload.stage = Stage.CHANGED_NOTHING.value if saved.changed_nothing else ""
    upload.progress = upload.total = count
    _keep_problems(upload, saved.problems)
    queue.finish(upload)


def _fail(upload: Upload, problem: Problem) -> None:
    with transaction.atomic():
        _keep_problems(upload, [problem])
        queue.fail(upload, problem.message)


def _keep_problems(upload: Upload, found: Iterable[Problem]) -> None:
    waiting = iter(map(gstr1_sheets.told, found) if upload.is_workbook else found)
    while batch := list(islice(waiting, PROBLEMS_AT_ONCE)):
        UploadProblem.objects.bulk_create(
            UploadProblem(
                upload=upload,
                position=problem.position[:64],
                number=problem.number[:64],
                field=problem.field[:64],
                code=problem.code,
                message=problem.message,
                is_warning=problem.is_warning,
                counterparty=problem.counterparty[:64],
                dated=problem.dated[:64],
            )
            for problem in batch
        )


def discard(upload: Upload) -> None:
    """Remove the file of a job that is over, but a workbook whose refused rows can be given back.

    A job given up after three tries keeps its file for another.
    """
    if upload.is_over and not (is_given_back(upload) and upload.problems.exists()):
        with contextlib.suppress(OSError):
            Path(upload.path).unlink(missing_ok=True)


def is_given_back(upload: Upload) -> bool:
    """Whether the rows of a file can be read again, to be given back with what is wrong of them."""
    return upload.is_workbook and upload.state == Upload.State.DONE and Path(upload.path).is_file()


def problems(upload: Upload) -> Iterator[Problem]:
    """Yield what was wrong with the documents of an upload, in the order of its file, read some at a time.

    Each piece is a query of its own: a page that streams them must not keep a session of the database meanwhile.
    """
    after = 0
    while rows := list(upload.problems.filter(id__gt=after).order_by("id")[:PROBLEMS_AT_ONCE]):
        yield from map(_problem, rows)
        if len(rows) < PROBLEMS_AT_ONCE:
            return
        after = rows[-1].pk


def _problem(row: UploadProblem) -> Problem:
    return Problem(
        row.code,
        row.message,
        field=row.field,
        number=row.number,
        position=row.position,
        is_warning=row.is_warning,
        counterparty=row.counterparty,
        dated=row.dated,
    )


def of(*, taxpayer: Taxpayer, upload_id: uuid.UUID) -> Upload | None:
    """Return an upload of a taxpayer, None for any other."""
    found = Upload.objects.filter(taxpayer=taxpayer, pk=upload_id)
    return found.select_related("requested_by", "taxpayer").first()


def of_form(*, taxpayer: Taxpayer, form: Form, period: TaxPeriod) -> list[Upload]:
    """Return the latest uploads into a form, the newest first."""
    found = Upload.objects.filter(taxpayer=taxpayer, form=form.value, month=period.month)
    return list(found.select_related("requested_by").order_by("-created_at")[:5])


def refused_by_table(found: Sequence[Upload]) -> tuple[Upload | None, dict[str, int]]:
    """Return the latest of a form's uploads that was read, and how many of its documents each table refused."""
    latest = next((upload for upload in found if upload.state == Upload.State.DONE), None)
    if latest is None or not latest.refused:
        return latest, {}
    where: Expression | F = F("position")
    for sign in (" row", "[", "."):
        where = Func(where, Value(sign), Value(1), function="split_part", output_field=TextField())
    refused = latest.problems.filter(is_warning=False).annotate(where=where).values("where").order_by("where")
    by_table: dict[str, int] = {}
    for row in refused.annotate(count=Count("position", distinct=True)):
        table = gstr1_sheets.table_of(row["where"]) or row["where"]
        by_table[table] = by_table.get(table, 0) + row["count"]
    return latest, by_table
