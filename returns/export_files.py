"""What each kind of file is: what it needs to be asked for, how it is called, how it is written."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ims_portal import calendar, clock, downloads, spreadsheet
from ims_portal.downloads import NoFileError, Progress
from ims_portal.models import Taxpayer
from ims_portal.rules.documents import Form, Section
from ims_portal.rules.gstr2b import PARTS_B, Placement
from ims_portal.rules.periods import TaxPeriod
from ims_portal.templatetags import ims as show
from invoices import (
    exchange,
    exchange_files,
    filters,
    gstr1_out,
    gstr1_rows,
    ims_json,
    ims_rows,
    ims_workbook,
    inbox_sql,
    outward_filters,
    outward_list,
    outward_workbook,
    refused_rows,
    registers,
    standing,
    uploads,
)
from invoices.filters import Filters
from invoices.ims_json import Dialect
from invoices.models import ActionFile, Register, SupplierReturn, Upload
from invoices.outward_filters import Wanted
from invoices.rows_back import RowsBack
from returns import (
    gstr2b_json,
    gstr2b_rows,
    gstr2b_workbook,
    gstr3b,
    gstr3b_json,
    gstr3b_rows,
    summary,
)
from returns.gstr2b_json import Row
from returns.gstr2b_workbook import Head, Line
from returns.models import Export, Gstr2b

File = TypeVar("File", Upload, Register)


class Kind(StrEnum):
    """A kind of file; what stands behind the dash is its extension."""

    GSTR2B_XLSX = "gstr2b-xlsx"
    GSTR2B_JSON = "gstr2b-json"
    GSTR3B_JSON = "gstr3b-json"
    GSTR1_JSON = "gstr1-json"
    IMS_XLSX = "ims-xlsx"
    IMS_JSON = "ims-json"
    IMS_OFFLINE = "ims_offline-json"
    OUTWARD_XLSX = "outward-xlsx"
    REFUSED_XLSX = "refused-xlsx"
    REFUSED_JSON = "refused-json"
    ERRORS_XLSX = "errors-xlsx"
    REGISTER_XLSX = "register-xlsx"


LABELS = {
    Kind.GSTR2B_XLSX: gettext_lazy("GSTR-2B, Excel workbook"),
    Kind.GSTR2B_JSON: gettext_lazy("GSTR-2B, JSON of the portal"),
    Kind.GSTR3B_JSON: gettext_lazy("GSTR-3B, JSON of the portal"),
    Kind.GSTR1_JSON: gettext_lazy("GSTR-1, GSTR-1A or IFF, JSON of the portal"),
    Kind.IMS_XLSX: gettext_lazy("IMS records, Excel workbook"),
    Kind.IMS_JSON: gettext_lazy("IMS records, JSON of the portal"),
    Kind.IMS_OFFLINE: gettext_lazy("IMS records, JSON of the offline utility"),
    Kind.OUTWARD_XLSX: gettext_lazy("Outward supplies and recipients' actions, Excel workbook"),
    Kind.REFUSED_XLSX: gettext_lazy("Refused rows of a file of actions, Excel workbook"),
    Kind.REFUSED_JSON: gettext_lazy("Refused rows of a file of actions, JSON of the offline utility"),
    Kind.ERRORS_XLSX: gettext_lazy("Refused rows of a return's workbook, Excel workbook"),
    Kind.REGISTER_XLSX: gettext_lazy("Rows of a purchase register that could not be read, Excel workbook"),
}
OF_ANOTHER_FILE = (Kind.ERRORS_XLSX, Kind.REGISTER_XLSX)
"""Kinds found again in a file somebody handed in: what they are made of changes no more, and reading it takes long."""
ENGLISH = "en"
"""Files are in English, as the portal's are; so other programs read them."""


class NothingToWriteError(NoFileError):
    """There is nothing the file could hold; the message says why and what next."""


@dataclass(frozen=True, slots=True)
class Made(downloads.Made):
    """A written file; `left_out` names the parts of a return of which too little is kept to write them."""

    left_out: Sequence[str] = ()


def check(taxpayer: Taxpayer, kind: Kind, asked: Mapping[str, Any]) -> None:
    """Raise NothingToWriteError where there is nothing to be written of what is asked."""
    CHECKS[kind](taxpayer, asked)


def write(export: Export, target: Path, *, at: datetime, progress: Progress) -> Made:
    """Write the file of an export, in English. Raises NothingToWriteError and spreadsheet.TooManyRowsError."""
    with translation.override(ENGLISH):
        return WRITERS[Kind(export.kind)](export, target, at, progress)


def _statement(taxpayer: Taxpayer, asked: Mapping[str, Any]) -> Gstr2b:
    month, version = int(asked.get("month", 0)), int(asked.get("version", 0))
    found = Gstr2b.objects.filter(recipient=taxpayer, month=month, version=version).first()
    if found is None:
        raise NothingToWriteError(_("There is no such version of GSTR-2B. Compute it first."))
    return found


def _gstr2b_json(export: Export, target: Path, _at: datetime, progress: Progress) -> Made:
    statement = _statement(export.taxpayer, export.asked)
    progress.expect(statement.line_count)
    period = calendar.filer(export.taxpayer).period(statement.month)
    data = gstr2b_json.statement(
        gstin=export.taxpayer.gstin,
        period=period.wire,
        made_on=statement.as_of,
        rows=progress.counted(gstr2b_rows.of(statement)),
    )
    target.write_bytes(msgspec.json.encode(gstr2b_json.envelope(data)))
    return Made(_gstr2b_name(export, statement, period.wire, "json"), progress.count, statement.computed_at)


def _gstr2b_name(export: Export, statement: Gstr2b, wire: str, ending: str) -> str:
    """Return the portal's way to call a statement's file (formats 5.5); an older version says which it is."""
    newest = Gstr2b.objects.filter(recipient=export.taxpayer, month=statement.month).order_by("-version").first()
    version = "" if newest == statement else f"_v{statement.version}"
    return f"{statement.as_of:%d%m%Y}_{export.taxpayer.gstin}_R2B_{wire}{version}.{ending}"


def _gstr2b_xlsx(export: Export, target: Path, _at: datetime, progress: Progress) -> Made:
    statement = _statement(export.taxpayer, export.asked)
    progress.expect(statement.line_count)
    period = calendar.filer(export.taxpayer).period(statement.month)
    head = Head(
        export.taxpayer.gstin,
        export.taxpayer.legal_name,
        export.taxpayer.trade_name,
        period,
        statement.version,
        statement.as_of,
    )

    def rows(kind: gstr2b_workbook.Kind) -> Iterator[Row]:
        found = gstr2b_rows.of(statement, placements=kind.placements, sections=kind.sections)
        return progress.counted(row for row in found if kind.holds(row))

    spreadsheet.write(target, gstr2b_workbook.sheets(head, _summaries(statement), rows))
    return Made(_gstr2b_name(export, statement, period.wire, "xlsx"), progress.count, statement.computed_at)


def _summaries(statement: Gstr2b) -> dict[Placement, Sequence[Line]]:
    """Return the four summary sheets' lines, as the statement's page prints them."""
    return {section.placement: list(_summary_lines(section)) for section in summary.sections(statement)}


def _summary_lines(section: summary.SectionLines) -> Iterator[Line]:
    for half, (title, parts) in zip(("Part A", "Part B"), section.half_titles, strict=False):
        name = "Part B" if parts[0].part in PARTS_B else half
        yield Line(name, title.removeprefix(f"{name}: "), "", None)
        for part in parts:
            yield Line(part.number, part.heading, part.cells or "NA", part.tax, part.advisory)
            for line in part.rows:
                yield Line("", line.heading, "", line.tax)


def _gstr3b_json(export: Export, target: Path, at: datetime, _progress: Progress) -> Made:
    period = _own_period(export.taxpayer, export.asked)
    shown = gstr3b.draft(taxpayer=export.taxpayer, period=period, at=at)
    target.write_bytes(msgspec.json.encode(gstr3b_json.body(gstr3b_rows.of(shown))))
    as_of = shown.filing.filed_at if shown.filing else at
    return Made(f"{clock.day(as_of):%d%m%Y}_{export.taxpayer.gstin}_R3B_{period.wire}.json", 0, as_of)


def _own_period(taxpayer: Taxpayer, asked: Mapping[str, Any]) -> TaxPeriod:
    month = int(asked.get("month", 0))
    if month < taxpayer.first_month:
        raise NothingToWriteError(_("There is no such period of this GSTIN."))
    return calendar.filer(taxpayer).period(month)


def _gstr1_json(export: Export, target: Path, at: datetime, progress: Progress) -> Made:
    kept = _return(export.taxpayer, export.asked)
    wire = TaxPeriod(kept.month).wire
    pieces = gstr1_out.write(
        gstin=export.taxpayer.gstin,
        period=wire,
        documents=progress.counted(gstr1_rows.documents(kept)),
        sums=gstr1_rows.sums(kept),
    )
    _put(target, pieces)
    name = f"{clock.day(at):%d%m%Y}_{export.taxpayer.gstin}_{FORMS[Form(kept.form)]}_{wire}.json"
    return Made(name, progress.count, at, gstr1_rows.left_out(kept))


FORMS = {Form.GSTR1: "R1", Form.GSTR1A: "R1A", Form.IFF: "IFF"}


def _return(taxpayer: Taxpayer, asked: Mapping[str, Any]) -> SupplierReturn:
    found = SupplierReturn.objects.filter(
        supplier=taxpayer, form=str(asked.get("form", "")), month=int(asked.get("month", 0))
    )
    kept = found.filter(form__in=[form.value for form in FORMS]).select_related("supplier").first()
    if kept is None:
        raise NothingToWriteError(_("Nothing is saved in this return yet, so there is no file of it."))
    return kept


def _put(target: Path, pieces: Iterable[str]) -> None:
    with target.open("w", encoding="utf-8") as stream:
        stream.writelines(pieces)


def _filters(_taxpayer: Taxpayer, asked: Mapping[str, Any]) -> Filters:
    found = filters.parse(str(asked.get("section", "")), QueryDict(str(asked.get("query", ""))))
    if found is None or not found.is_valid:
        raise _unreadable_filters()
    return found.filters


def _unreadable_filters() -> NothingToWriteError:
    return NothingToWriteError(_("The filters of the list cannot be read. Open the list again and ask from there."))


def _ims_xlsx(export: Export, target: Path, at: datetime, progress: Progress) -> Made:
    wanted, today = _filters(export.taxpayer, export.asked), standing.of(export.taxpayer, at)
    sums = inbox_sql.sums(export.taxpayer.pk, today, wanted)
    counts: dict[Section, dict[str, int]] = {}
    for (section, letter), (all_, _needs) in sums.items():
        counts.setdefault(Section(section), {})[letter] = all_.count
    progress.expect(sum(sum(by_action.values()) for by_action in counts.values()))
    head = ims_workbook.Head(
        export.taxpayer.gstin,
        export.taxpayer.legal_name,
        export.taxpayer.trade_name,
        f"{show.moment(at)} IST",
        wanted.query() or "all that are open",
        counts,
    )

    def rows(section: Section) -> Iterator[ims_json.Row]:
        if section not in wanted.sections:
            return iter(())
        return progress.counted(ims_rows.of(export.taxpayer, today, wanted.but(sections=(section,))))

    spreadsheet.write(target, ims_workbook.sheets(head, rows))
    return Made(f"{clock.day(at):%d%m%Y}_{export.taxpayer.gstin}_IMS.xlsx", progress.count, at)


def _ims_json(dialect: Dialect, name: str) -> Callable[[Export, Path, datetime, Progress], Made]:
    """Return the writer of a dialect of the records' JSON."""

    def write_rows(export: Export, target: Path, at: datetime, progress: Progress) -> Made:
        wanted, today = _filters(export.taxpayer, export.asked), standing.of(export.taxpayer, at)
        rows = progress.counted(ims_rows.of(export.taxpayer, today, wanted))
        _put(target, ims_json.written(rows, recipient=export.taxpayer.gstin, dialect=dialect))
        return Made(f"{clock.day(at):%d%m%Y}_{export.taxpayer.gstin}_{name}.json", progress.count, at)

    return write_rows


def _outward(_taxpayer: Taxpayer, asked: Mapping[str, Any]) -> Wanted:
    found = outward_filters.parse_list(str(asked.get("section", "")), QueryDict(str(asked.get("query", ""))))
    if found is None or found.problems:
        raise _unreadable_filters()
    return found.wanted


def _outward_xlsx(export: Export, target: Path, at: datetime, progress: Progress) -> Made:
    wanted = _outward(export.taxpayer, export.asked)
    every = outward_list.of_place(export.taxpayer, wanted.place, at=at)
    records = outward_list.filtered(every, wanted, supplier=export.taxpayer)
    shown = " ".join(filter(None, (wanted.slug, wanted.query())))
    head = outward_workbook.Head(export.taxpayer, f"{show.moment(at)} IST", shown, outward_list.counts(records))
    progress.expect(head.count)
    rows = progress.counted(outward_workbook.rows(records, at=at))
    spreadsheet.write(target, outward_workbook.sheets(head, rows))
    return Made(f"{clock.day(at):%d%m%Y}_{export.taxpayer.gstin}_outward.xlsx", progress.count, at)


def _action_file(taxpayer: Taxpayer, asked: Mapping[str, Any]) -> ActionFile:
    try:
        found = exchange.of(taxpayer=taxpayer, file_id=uuid.UUID(str(asked.get("file", ""))))
    except ValueError:
        found = None
    if found is None or not found.refused:
        raise NothingToWriteError(_("No row of that file was refused."))
    return found


def _refused_xlsx(export: Export, target: Path, at: datetime, progress: Progress) -> Made:
    file, today = _action_file(export.taxpayer, export.asked), standing.of(export.taxpayer, at)
    progress.expect(file.refused)
    spreadsheet.write(target, exchange_files.sheets(file, today))
    return Made(f"refused_{export.taxpayer.gstin}_{clock.day(at):%d%m%Y}.xlsx", file.refused, at)


def _refused_json(export: Export, target: Path, at: datetime, progress: Progress) -> Made:
    file, today = _action_file(export.taxpayer, export.asked), standing.of(export.taxpayer, at)
    progress.expect(file.refused)
    _put(target, exchange_files.json_text(file, today))
    return Made(f"refused_{export.taxpayer.gstin}_{clock.day(at):%d%m%Y}.json", file.refused, at)


def _upload(taxpayer: Taxpayer, asked: Mapping[str, Any]) -> Upload:
    found = _of_file(Upload.objects.filter(taxpayer=taxpayer), asked)
    if found is None or not uploads.is_given_back(found):
        raise NothingToWriteError(
            _("That workbook is kept no more, so its rows cannot be given back. Take the problems as CSV.")
        )
    return found


def _register(taxpayer: Taxpayer, asked: Mapping[str, Any]) -> Register:
    found = _of_file(Register.objects.filter(taxpayer=taxpayer, removed_at=None), asked)
    if found is None or not registers.is_given_back(found):
        raise NothingToWriteError(
            _("That register is kept no more, so its rows cannot be given back. Upload it again.")
        )
    return found


def _of_file(files: QuerySet[File], asked: Mapping[str, Any]) -> File | None:
    try:
        return files.filter(pk=uuid.UUID(str(asked.get("file", "")))).first()
    except ValueError:
        return None


def _errors_xlsx(export: Export, target: Path, at: datetime, progress: Progress) -> Made:
    upload = _upload(export.taxpayer, export.asked)
    name = f"errors-{upload.form.replace('-', '')}-{uploads.period_of(upload).wire}.xlsx"
    return Made(name, _given_back(target, progress, lambda: refused_rows.of_return(upload)), at)


def _register_xlsx(export: Export, target: Path, at: datetime, progress: Progress) -> Made:
    register = _register(export.taxpayer, export.asked)
    name = f"errors_{export.taxpayer.gstin}_register_{clock.day(at):%d%m%Y}.xlsx"
    return Made(name, _given_back(target, progress, lambda: refused_rows.of_register(register)), at)


def _given_back(target: Path, progress: Progress, found: Callable[[], RowsBack]) -> int:
    """Write the rows given back of another file, and return how many they are."""
    try:
        rows = found()
    except refused_rows.NotKeptError as gone:
        raise NothingToWriteError(str(gone)) from None
    progress.expect(rows.count)
    spreadsheet.write(target, rows.sheets())
    return rows.count


CHECKS: dict[Kind, Callable[[Taxpayer, Mapping[str, Any]], object]] = {
    Kind.GSTR2B_XLSX: _statement,
    Kind.GSTR2B_JSON: _statement,
    Kind.GSTR3B_JSON: _own_period,
    Kind.GSTR1_JSON: _return,
    Kind.IMS_XLSX: _filters,
    Kind.IMS_JSON: _filters,
    Kind.IMS_OFFLINE: _filters,
    Kind.OUTWARD_XLSX: _outward,
    Kind.REFUSED_XLSX: _action_file,
    Kind.REFUSED_JSON: _action_file,
    Kind.ERRORS_XLSX: _upload,
    Kind.REGISTER_XLSX: _register,
}
WRITERS: dict[Kind, Callable[[Export, Path, datetime, Progress], Made]] = {
    Kind.GSTR2B_XLSX: _gstr2b_xlsx,
    Kind.GSTR2B_JSON: _gstr2b_json,
    Kind.GSTR3B_JSON: _gstr3b_json,
    Kind.GSTR1_JSON: _gstr1_json,
    Kind.IMS_XLSX: _ims_xlsx,
    Kind.IMS_JSON: _ims_json(Dialect.API, "IMS"),
    Kind.IMS_OFFLINE: _ims_json(Dialect.OFFLINE, "IMS_offline"),
    Kind.OUTWARD_XLSX: _outward_xlsx,
    Kind.REFUSED_XLSX: _refused_xlsx,
    Kind.REFUSED_JSON: _refused_json,
    Kind.ERRORS_XLSX: _errors_xlsx,
    Kind.REGISTER_XLSX: _register_xlsx,
}
