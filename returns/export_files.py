"""What each kind of file is: what it needs to be asked for, how it is called, how it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ims_portal import calendar, spreadsheet
from ims_portal.models import Taxpayer
from ims_portal.rules.gstr2b import PARTS_B, Placement
from returns import gstr2b_json, gstr2b_rows, gstr2b_workbook, summary
from returns.gstr2b_json import Row
from returns.gstr2b_workbook import Head, Line
from returns.models import Export, Gstr2b


class Kind(StrEnum):
    """A kind of file; what stands behind the dash is its extension."""

    GSTR2B_XLSX = "gstr2b-xlsx"
    GSTR2B_JSON = "gstr2b-json"


LABELS = {
    Kind.GSTR2B_XLSX: gettext_lazy("GSTR-2B, Excel workbook"),
    Kind.GSTR2B_JSON: gettext_lazy("GSTR-2B, JSON of the portal"),
}


class NothingToWriteError(Exception):
    """There is nothing the file could hold; the message says why and what next."""


@dataclass(frozen=True, slots=True)
class Made:
    """A written file: its name for whoever takes it, how many records it holds, the moment they are of."""

    name: str
    rows: int
    as_of: datetime


class Progress:
    """How far a file is: rows are counted as they pass, and told every so often."""

    EVERY = 2_000

    def __init__(self, keep: Callable[[int, int], None]) -> None:
        self.count = self.total = 0
        self._keep = keep

    def expect(self, total: int) -> None:
        """Say how many rows there will be."""
        self.total = total
        self._keep(0, total)

    def counted(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Pass rows on, counting them."""
        for row in rows:
            self.count += 1
            if self.count % self.EVERY == 0:
                self._keep(self.count, self.total)
            yield row


def check(taxpayer: Taxpayer, kind: Kind, asked: Mapping[str, Any]) -> None:
    """Raise NothingToWriteError where there is nothing to be written of what is asked."""
    CHECKS[kind](taxpayer, asked)


def write(export: Export, target: Path, *, at: datetime, progress: Progress) -> Made:
    """Write the file of an export, in English. Raises NothingToWriteError and spreadsheet.TooManyRowsError."""
    with translation.override("en"):
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


CHECKS: dict[Kind, Callable[[Taxpayer, Mapping[str, Any]], object]] = {
    Kind.GSTR2B_XLSX: _statement,
    Kind.GSTR2B_JSON: _statement,
}
WRITERS: dict[Kind, Callable[[Export, Path, datetime, Progress], Made]] = {
    Kind.GSTR2B_XLSX: _gstr2b_xlsx,
    Kind.GSTR2B_JSON: _gstr2b_json,
}
