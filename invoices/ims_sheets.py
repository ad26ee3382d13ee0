"""A workbook of IMS read again: ours, the offline utility's, and their near relatives (formats 9.3).

Sheets and columns are found by their labels, never by position. Of a row only what a person may change is taken; the
rest tells which record it is. Values are read strictly.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import groupby
from typing import Any

from ims_portal.rules.actions import Action, Answer
from ims_portal.rules.money import HEADS, NIL, NotMoneyError, Tax, to_paise
from ims_portal.rules.sections import Section
from ims_portal.rules.texts import UNWELCOME
from invoices.asked import Asked
from invoices.ims_workbook import SHEETS, STATUSES
from invoices.sheet_cells import LAST_HEADING, Cell, Line, plain, text_of
from invoices.sheet_cells import day as written_day
from invoices.sheet_cells import number as written_number

WRONG_VALUE, MISSING = "APP-G104", "APP-G101"
LARGEST = 12
"""Digits before the point, less one, that an amount may have."""


LABELS = {
    "status": "status",
    "itctobereduced": "reduction",
    "whetheritctobereduced": "reduction",
    "remarks": "remarks",
    "recordandversion": "key",
    "portcode": "port",
    "previousstatus": "previous",
    "previousremarks": "previous_remarks",
    "previousitctobereduced": "previous_reduction",
    **{f"previousdeclared{head}": f"previous_{head}" for head in HEADS},
}
TAXES = {"integratedtax": "igst", "centraltax": "cgst", "stateuttax": "sgst", "statetax": "sgst", "cess": "cess"}
NUMBER = re.compile(r"^(invoice|creditnote|debitnote|note|document|billofentry)(number|no)$")
DAY = re.compile(r"^(invoice|creditnote|debitnote|note|document|billofentry)date$")
KEY = re.compile(r"^(\d{1,18})\.(\d{1,9})$")

ACTIONS = {_word.casefold(): action for action, _word in STATUSES.items()} | {
    action.value.casefold(): action for action in Action
}
ACTIONS |= {"accept": Action.ACCEPT, "reject": Action.REJECT, "noaction": Action.NONE, "no action": Action.NONE}
YES, NO = {"yes", "y"}, {"no", "n"}


SECTIONS = {plain(name): section for section, name in SHEETS.items()}


@dataclass(slots=True)
class Found:
    """What a workbook says of itself: whose it is, and how many rows were left as they were."""

    gstin: str = ""
    untouched: int = 0
    sheets: list[str] = field(default_factory=list)


def read(lines: Iterable[Line], found: Found) -> Iterator[Asked]:
    """Yield what the rows of a workbook ask, sheet by sheet; `found` is filled on the way.

    Rows whose Status, reduction and remark are those that stood there when the file was made are passed over.
    """
    place = 0
    for name, rows in groupby(lines, key=lambda line: line.sheet):
        section = SECTIONS.get(plain(name))
        if section is None:
            found.gstin = found.gstin or _owner(name, rows)
            continue
        found.sheets.append(name)
        for asked in _sheet(section, rows):
            if asked is None:
                found.untouched += 1
                continue
            place += 1
            yield replace(asked, place=place)


def _owner(name: str, rows: Iterable[Line]) -> str:
    """Return the GSTIN a home sheet names."""
    if plain(name) not in ("home", "readme"):
        return ""
    told = (line.cells for line in rows)
    named = (cells for cells in told if len(cells) > 1 and plain(cells[0]) == "gstin")
    return next((str(cells[1] or "").strip().upper() for cells in named), "")


def _sheet(section: Section, rows: Iterable[Line]) -> Iterator[Asked | None]:
    """Yield what a sheet's rows ask, None for one left as it was."""
    columns: dict[str, int] = {}
    heading: list[Line] = []
    for line in rows:
        if not columns or _is_heading(line, columns):
            if line.number <= LAST_HEADING:
                heading.append(line)
                columns = _columns(heading)
            continue
        yield _row(section, line, columns)


def _is_heading(line: Line, columns: Mapping[str, int]) -> bool:
    """Whether a row still belongs to the headings: nothing stands under whom or what it is about."""
    if line.number > LAST_HEADING:
        return False
    first = columns.get("supplier", columns.get("port", 0))
    return not _text(line.cells, first) or plain(_text(line.cells, columns["status"])) == "status"


def _columns(heading: Sequence[Line]) -> dict[str, int]:
    """Return what each column is, by its lowest label; nothing before there is a Status and somebody it is about."""
    labels: dict[int, str] = {}
    for line in heading:
        for place, cell in enumerate(line.cells):
            if plain(cell):
                labels[place] = plain(cell)
    columns: dict[str, int] = {}
    for place, label in sorted(labels.items()):
        name = _name(label, columns)
        if name and name not in columns:
            columns[name] = place
    is_whole = "status" in columns and ("supplier" in columns or "port" in columns)
    return columns if is_whole else {}


def _name(label: str, before: Mapping[str, int]) -> str:
    """Return what a label stands for; taxes after the question of reduction are the amounts declared for it."""
    if label in LABELS:
        return LABELS[label]
    if label.startswith("gstinof"):
        return "supplier"
    if NUMBER.match(label):
        return "number"
    if DAY.match(label):
        return "day"
    if label in TAXES and "reduction" in before:
        return f"declared_{TAXES[label]}"
    return "reduction" if label.startswith("whetheritctobereduced") else ""


def _text(cells: Sequence[Cell], place: int | None) -> str:
    """Return the text of a cell, "" where there is none; a number with the 15 digits a spreadsheet shows of it."""
    return text_of(cells[place]) if place is not None and place < len(cells) else ""


class WrongCellError(Exception):
    """A cell cannot be read; the message says which, why and what next."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


def _row(section: Section, line: Line, columns: Mapping[str, int]) -> Asked | None:
    """Return what a row asks, None where it is as it was when the file was made."""

    def cell(name: str) -> str:
        return _text(line.cells, columns.get(name))

    if "previous" in columns and _is_untouched(cell):
        return None
    asked = Asked(
        position=f"{line.sheet}, row {line.number}",
        place=0,
        section=section.value,
        supplier=cell("supplier").upper(),
        number=cell("number"),
        port=cell("port").upper(),
    )
    if key := KEY.match(cell("key")):
        asked = replace(asked, record_id=int(key[1]), version=int(key[2]))
    try:
        asked = replace(asked, day=_day(cell("day")))
        return replace(asked, **_chosen(cell))
    except WrongCellError as wrong:
        return replace(asked, code=wrong.code, problem=str(wrong))


def _is_untouched(cell: Callable[[str], str]) -> bool:
    """Whether what may be changed is what stood there when the file was made."""
    pairs = [("status", "previous"), ("reduction", "previous_reduction"), ("remarks", "previous_remarks")]
    pairs += [(f"declared_{head}", f"previous_{head}") for head in HEADS]
    return all(plain(cell(now)) == plain(cell(before)) for now, before in pairs[:2]) and all(
        cell(now) == cell(before) for now, before in pairs[2:]
    )


def _chosen(cell: Callable[[str], str]) -> dict[str, Any]:
    """Return the choice of a row: the action, the answer with its amounts, the remark. Raises WrongCellError."""
    action = ACTIONS.get(cell("status").casefold())
    if action is None:
        raise WrongCellError(
            WRONG_VALUE,
            f'Status says "{cell("status")[:40]}". Write Accepted, Rejected, Pending or No Action.',
        )
    previous = ACTIONS.get(cell("previous").casefold())
    answer, declared = _answered(cell)
    remark = _joined(cell("remarks"))
    if UNWELCOME.search(remark):
        raise WrongCellError(WRONG_VALUE, "Remarks holds signs that cannot be seen. Delete them, or write it anew.")
    return {
        "action": action,
        "previous": previous,
        "answer": answer,
        "declared": declared,
        "remark": remark,
        "is_old_answer": _is_left_over(cell),
        "is_old_remark": remark == _joined(cell("previous_remarks")),
    }


def _joined(text: str) -> str:
    """Return a text on one line."""
    return " ".join(text.split())


def _is_left_over(cell: Callable[[str], str]) -> bool:
    names = ["reduction", *HEADS]
    now = [cell("reduction"), *(cell(f"declared_{head}") for head in HEADS)]
    return any(now) and now == [cell(f"previous_{name}") for name in names]


def _answered(cell: Callable[[str], str]) -> tuple[Answer, Tax]:
    """Return the answer to the question of ITC reduction; with amounts it is one in part."""
    said = cell("reduction").casefold()
    amounts = {head: cell(f"declared_{head}") for head in HEADS}
    if said and said not in YES | NO:
        raise WrongCellError(
            WRONG_VALUE, f'ITC to be reduced says "{cell("reduction")[:40]}". Write Yes or No, or nothing.'
        )
    declared = Tax(*(_paise(head, amounts[head]) for head in HEADS))
    if said in YES:
        return (Answer.PART, declared) if any(amounts.values()) else (Answer.FULL, NIL)
    if any(declared):
        raise WrongCellError(
            WRONG_VALUE,
            "An amount is declared, but ITC to be reduced does not say Yes. Write Yes, or clear the amounts.",
        )
    return (Answer.NONE if said in NO else Answer.NOT_GIVEN), NIL


NAMES = {"igst": "integrated tax", "cgst": "central tax", "sgst": "State/UT tax", "cess": "cess"}


def _paise(head: str, text: str) -> int:
    """Return rupees as paise, of any sign: that is for the rules. Raises WrongCellError for more than two decimals."""
    if not text:
        return 0
    rupees = written_number(text)
    if rupees is not None and rupees.adjusted() <= LARGEST:
        with suppress(NotMoneyError):
            return to_paise(rupees)
    raise WrongCellError(
        WRONG_VALUE,
        f'The declared {NAMES[head]} says "{text[:40]}". Write rupees with at most two decimals, such as 1234.50.',
    )


def _day(text: str) -> date | None:
    """Return a day however its cell was written. Raises WrongCellError."""
    if not text:
        return None
    found = written_day(text)
    if found is None:
        raise WrongCellError(
            WRONG_VALUE, f'The date says "{text[:40]}". Write it as DD-MM-YYYY, as it was in the file.'
        )
    return found
