"""The workbook of the GST offline tool, filled with what a GSTR-1 in JSON says."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl

from ims_portal.rules.gstin import STATES
from invoices.gstr1_sheets.layouts import NAMES, Layout, Lines

TYPES = {
    "R": "Regular B2B",
    "SEWP": "SEZ supplies with payment",
    "SEWOP": "SEZ supplies without payment",
    "DE": "Deemed Exp",
    "CBW": "Sale from Bonded WH",
}
DESCRIPTIONS = {
    "INTRB2B": "Inter-State supplies to registered persons",
    "INTRAB2B": "Intra-State supplies to registered persons",
    "INTRB2C": "Inter-State supplies to unregistered persons",
    "INTRAB2C": "Intra-State supplies to unregistered persons",
}
NATURES = {"clttx": "Liable to collect tax u/s 52(TCS)", "paytx": "Liable to pay tax u/s 9(5)"}
MARCH = 3
UNKNOWN_TO_JSON = ("Receiver Name", "Error Message")


def cells(key: str, value: Any) -> Any:  # noqa: ANN401 any cell
    """Return a value of JSON as the template spells it."""
    if key in ("idt", "oidt", "nt_dt", "ont_dt", "sbdt", "irngendate"):
        return f"{datetime.strptime(value, '%d-%m-%Y'):%d-%b-%Y}"  # noqa: DTZ007 a day has no zone
    if key == "pos":
        return f"{value}-{STATES.get(value, 'Other')}"
    if key == "diff_percent":
        return 65
    return {"inv_typ": TYPES, "sply_ty": DESCRIPTIONS}.get(key, {}).get(value, value)


def rows_of(layout: Layout, words: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the rows of one document or row of JSON, with its rate lines beside it."""
    if "omon" in words and "fy" in layout.columns:
        month, year = int(words["omon"][:2]), int(words["omon"][2:])
        begin = year if month > MARCH else year - 1
        words = words | {"fy": f"{begin}-{(begin + 1) % 100:02d}", "omon": calendar.month_name[month].upper()}
    if layout.lines in (Lines.ROW, Lines.NONE):
        yield words
        return
    for line in words["itms"]:
        yield words | (line["itm_det"] if layout.lines is Lines.NESTED else line)


def groups(file: dict[str, Any], layout: Layout) -> Iterator[dict[str, Any]]:
    """Yield the groups and rows of the lists a sheet feeds."""
    section, _, part = layout.part.partition(".")
    holder = file.get(section, {} if part or section == "nil" else [])
    if "nature" in layout.columns:
        for nature, words in NATURES.items():
            for row in holder.get(nature + "a" * part.endswith("a"), []):
                yield row | {"nature": words}
    elif section == "nil":
        yield from holder.get("inv", [])
    else:
        yield from holder.get(part, []) if part else holder


def found(file: dict[str, Any], layout: Layout) -> Iterator[dict[str, Any]]:
    """Yield the rows that a file says of a sheet."""
    for group in groups(file, layout):
        inner = next((key for key in ("inv", "nt", "posItms") if key in group), "")
        around = {key: value for key, value in group.items() if key != inner}
        for words in group[inner] if inner else [{}]:
            yield from rows_of(layout, around | words)


def write(target: Path, file: dict[str, Any], *, shuffled: bool = False) -> Path:
    """Write a workbook with headings in row 4 and what the file says from row 5 on; return its path.

    `shuffled` writes the columns the other way round and rows of one document apart.
    """
    book = openpyxl.Workbook()
    book.active.title = "Help Instruction"
    for name, layout in NAMES.items():
        sheet = book.create_sheet(name)
        keys = [key for key in layout.columns if key not in ("irn", "irngendate")]
        keys = keys[::-1] if shuffled else keys
        for title in (f"Summary For {name}", "No. of Invoices", None):
            sheet.append([title])
        sheet.append([*(layout.columns[key] for key in keys), *UNKNOWN_TO_JSON])
        rows = list(found(file, layout))
        if shuffled:
            rows = rows[::2] + rows[1::2]
        for row in rows:
            sheet.append([cells(key, row[key]) if key in row else None for key in keys])
    book.create_sheet("master").append(["1", "Rate", "Taxable Value"])
    book.save(target)
    return target
