"""A GSTR-1, GSTR-1A or IFF from the workbook of GSTN's offline tool (formats 9.4), as the reader of its JSON gives it.

Sheets and columns are found by their labels, never by position; values are read strictly, by the JSON's own readers.
Each row is a rate line: rows of one document become one. Tax is worked out, for the template has no columns for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

import msgspec

from ims_portal.rules.documents import Document, Form, Problem
from invoices import gstr1_json
from invoices.gstr1_json import summaries, values
from invoices.gstr1_json.values import Fault
from invoices.gstr1_sheets import places, words
from invoices.gstr1_sheets.layouts import NATURES, SHEETS, Layout
from invoices.gstr1_sheets.places import Row
from invoices.gstr1_sheets.words import Own, Words
from invoices.json_reading import UnreadableFileError, refuse, shown
from invoices.sheet_cells import LAST_HEADING, Line, plain

__all__ = ["Own", "UnreadableFileError", "first_row", "read", "table_of", "told"]

UNKNOWN_FILE, TOO_MANY, NUMBER_USED = "APP-F03", "APP-F04", "APP-G107"
MOST_ROWS = 300_000
"""Rows of documents of one sheet, which wait in memory until the last is read: rows of one may stand anywhere."""
ROWS_TOLD = 3
"""Rows of one document that its position names where they do not stand together."""

_encoded = msgspec.json.Encoder().encode
_decoded = msgspec.json.Decoder(list[str | float | bool | None]).decode_lines
_PLACE = re.compile(r"(?P<sheet>.+?)\srows?\s(?P<rows>[0-9]+(?:(?:-|, )[0-9]+)*)(?: …)?", re.DOTALL)
_LINE = re.compile(r"\bline\s([0-9]+)\b")

Found = Document | Problem | gstr1_json.Summary


def read(lines: Iterable[Line], *, form: Form, own: Own) -> Iterator[Found]:
    """Yield every document or all its problems, and the totals of the other sheets, sheet by sheet.

    Documents and problems are named by sheet and rows, but speak of keys as JSON does: `told` puts the labels in.
    Raises UnreadableFileError where no sheet is one of a GSTR-1, or one has too many rows.
    """
    known = 0
    for name, rows in groupby(lines, key=lambda line: line.sheet):
        layout = SHEETS.get(plain(name))
        if layout is not None:
            known += 1
            yield from _sheet(name, layout, rows, form, own)
    if not known:
        refuse(
            UNKNOWN_FILE,
            "No sheet of this workbook is one of GSTR-1: “b2b,sez,de”, “cdnr” and so on. Fill in the workbook of the "
            "GST offline tool and upload that.",
        )


def _sheet(name: str, layout: Layout, lines: Iterable[Line], form: Form, own: Own) -> Iterator[Found]:
    """Yield what one sheet holds."""
    waiting = iter(lines)
    columns = places.heading(waiting, layout).columns
    missing = [layout.columns[key] for key in layout.required if key not in columns]
    if missing:
        listed = ", ".join(f"“{label}”" for label in missing)
        yield Problem(
            values.MISSING,
            f"The sheet “{name}” has no column {listed} in its first {LAST_HEADING} rows, so nothing of it was "
            "kept. Give it the headings of the offline tool.",
            position=name,
        )
        return
    rows = places.rows(waiting, columns)
    if layout.has_documents:
        yield from _documents(name, layout, rows, own)
    elif form is Form.IFF:
        if next(rows, None) is not None:
            yield gstr1_json.not_in_iff(name)
    else:
        yield from _summed(name, layout, rows, own)


def _documents(name: str, layout: Layout, rows: Iterator[Row], own: Own) -> Iterator[Document | Problem]:
    """Yield the documents of a sheet in the order of their first rows, all rows of one together."""
    keys = tuple(layout.columns)
    held: dict[str, bytes] = {}
    for count, (number, cells) in enumerate(rows, start=1):
        if count > MOST_ROWS:
            refuse(
                TOO_MANY,
                f"The sheet “{name}” has more than {MOST_ROWS} rows. Nothing of the workbook was kept. Split it into "
                "several workbooks and upload them one after the other.",
            )
        whose = places.document(number, cells, layout)
        held[whose] = held.get(whose, b"") + _encoded([number, *(cells.get(key) for key in keys)]) + b"\n"
    for whose in list(held):
        lines = [
            (int(number or 0), dict(zip(keys, cells, strict=True))) for number, *cells in _decoded(held.pop(whose))
        ]
        yield from _document(name, layout, lines, own)


def _document(name: str, layout: Layout, rows: Sequence[Row], own: Own) -> Iterator[Document | Problem]:
    """Yield one document, or everything wrong with it."""
    said = [words.of(cells, layout) for _number, cells in rows]
    first = said[0].said
    faults = said[0].faults if len(said) == 1 else list(_faults(said, layout))
    heads = words.heads_of(first, own)
    lines = [words.line_of(row.said, layout, heads, words.kind_of(first)) for row in said]
    around = {key: first.pop(key) for key in layout.around if key in first}
    raw = _complete(words.with_lines(first, lines, layout), layout, words.of_supply(heads))
    found = gstr1_json.one(
        raw, part=layout.part, around=around, position=_position(name, [number for number, _ in rows]), before=faults
    )
    if isinstance(found, Document):
        yield found
    else:
        unread = set().union(*(row.unread for row in said))
        yield from (problem for problem in found if _is_new(problem, unread))


def _is_new(problem: Problem, unread: set[str]) -> bool:
    """Whether a complaint says something new: what could not be read is not missing as well."""
    return problem.code not in (values.MISSING, values.NO_ORIGINAL) or problem.field not in unread


def _faults(rows: Sequence[Words], layout: Layout) -> Iterator[Fault]:
    """Yield what cannot be read in the rows of one document, and what a row says otherwise than the first."""
    of_line = {"rt", layout.amount, "csamt"}
    shared = [key for key in layout.columns if key not in {*of_line, *layout.keys_of_document}]
    first = rows[0]
    for place, row in enumerate(rows, start=1):
        for fault in row.faults:
            if place == 1 or fault.key in of_line or fault not in first.faults:
                yield Fault(fault.code, fault.key, f"line {place}: {fault.said}")
        differing = [key for key in shared if row.said.get(key) != first.said.get(key)]
        for key in differing:
            if key not in row.unread | first.unread:
                yield Fault(
                    NUMBER_USED,
                    key,
                    f"line {place}: {key} is not what the first row of this document says. Write the same in all its "
                    "rows, or give another document another number.",
                )


def _complete(raw: dict[str, Any], layout: Layout, supply: str) -> dict[str, Any]:
    """Return a document or row with what its list demands and no sheet has, such as that it is new."""
    readers = (
        gstr1_json.shapes.SHAPES[layout.part].readers if layout.has_documents else summaries.ROWS[layout.part].readers
    )
    if layout.part.startswith("ecom"):
        raw["flag"] = "N"
    if "sply_ty" in readers and "sply_ty" not in layout.columns:
        raw["sply_ty"] = supply
    if "ostin" in readers and "stin" in raw:  # the sheet has one supplier, the list asks for the one before too
        raw["ostin"] = raw["stin"]
    return raw


def _summed(name: str, layout: Layout, rows: Iterator[Row], own: Own) -> Iterator[Problem | gstr1_json.Summary]:
    """Yield the totals of a sheet whose rows never reach IMS, and what is wrong with rows that cannot be added."""
    section = layout.part.partition(".")[0] if layout.part.startswith("supeco") else layout.part
    totals = summaries.Totals(section)
    for number, cells in rows:
        found = words.of(cells, layout)
        part = _part(layout, found)
        heads = words.heads_of(found.said, own)
        line = words.line_of(found.said, layout, heads, words.kind_of(found.said))
        around = {key: found.said.pop(key) for key in layout.around if key in found.said}
        raw = _complete(words.with_lines(found.said, [line], layout), layout, words.of_supply(heads))
        problems = summaries.one(
            raw, section=part, around=around, position=_position(name, [number]), totals=totals, before=found.faults
        )
        yield from (problem for problem in problems if _is_new(problem, found.unread))
    if totals.rows:
        yield totals.summary()


def _part(layout: Layout, found: Words) -> str:
    """Return the list a row goes into, where the sheet feeds two of them."""
    if "nature" not in layout.columns:
        return layout.part
    section, _, usual = layout.part.partition(".")
    nature = found.said.pop("nature", "")
    into = NATURES.get(plain(nature))
    if into is None:
        said = (
            f'nature "{shown(nature)}" is not “Liable to collect tax u/s 52(TCS)” or “Liable to pay tax u/s 9(5)”. '
            "Write one of them."
        )
        found.faults.append(Fault(values.NOT_IN_LIST, "nature", said))
        return layout.part
    return f"{section}.{into}{'a' if usual.endswith('a') else ''}"


def _position(name: str, rows: Sequence[int]) -> str:
    """Return where a document stands: its sheet, its rows as far as they can be named."""
    if len(rows) == 1:
        return " ".join((name, "row", str(rows[0])))
    if rows[-1] - rows[0] == len(rows) - 1:
        return " ".join((name, "rows", f"{rows[0]}-{rows[-1]}"))
    few = ", ".join(map(str, rows[:ROWS_TOLD]))
    return " ".join((name, "rows", few, *("…" for _ in rows[ROWS_TOLD : ROWS_TOLD + 1])))


def table_of(position: str) -> str:
    """Return the table of the return that a position in a workbook belongs to, "" for a position in JSON."""
    place = _PLACE.fullmatch(position)
    layout = SHEETS.get(plain(place["sheet"] if place else position))
    return layout.part.partition(".")[0] if layout else ""


def first_row(position: str) -> tuple[str, int] | None:
    """Return the sheet and the first row of a document by its position, None for one that names no row."""
    place = _PLACE.fullmatch(position)
    return (place["sheet"], _numbers(place["rows"])[0]) if place else None


def told(problem: Problem) -> Problem:
    """Return a problem of a workbook in the workbook's words: columns by their labels, lines by their rows."""
    place = _PLACE.fullmatch(problem.position)
    layout = SHEETS.get(plain(place["sheet"])) if place else None
    if place is None or layout is None:
        return problem
    message = problem.message
    for key in (problem.field, *layout.columns):
        if key in layout.columns:
            message = re.sub(rf"(?<![\w\"“/-]){key}(?![\w\"”/-])", layout.columns[key], message)
    rows = _numbers(place["rows"])
    if (line := _LINE.search(message)) and int(line[1]) <= len(rows):
        message = _LINE.sub(f"row {rows[int(line[1]) - 1]}", message, count=1)
    return replace(problem, message=message, field=layout.columns.get(problem.field, problem.field))


def _numbers(rows: str) -> Sequence[int]:
    """Return the numbers of rows as a position names them."""
    first, dash, last = rows.partition("-")
    return range(int(first), int(last) + 1) if dash else [int(row) for row in rows.split(", ")]
