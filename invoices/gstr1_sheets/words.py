"""What the cells of a row say, in the words of a return's JSON; whatever cannot be said so is left to its reader."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from ims_portal.rules import rates
from ims_portal.rules.documents import SEZ
from ims_portal.rules.money import to_rupees
from ims_portal.rules.rates import Heads
from invoices.gstr1_json import values
from invoices.gstr1_json.values import Fault, WrongValueError
from invoices.gstr1_out import SUPPLY
from invoices.gstr1_sheets.layouts import DESCRIPTIONS, INSIDE_WITH_IGST, TYPES, Layout, Lines
from invoices.json_reading import shown
from invoices.sheet_cells import Cell, day, number, plain, text_of

TOO_LONG = 10**15
"""A spreadsheet keeps 15 digits of a number; of a longer one the rest is lost before anybody reads it."""

MONTHS = [name.casefold() for name in calendar.month_name[1:]]
_YEAR = re.compile(r"(20[0-9]{2}) ?[-/] ?(?:20)?[0-9]{2}")
_CODE = re.compile(r"[0-9]{1,2}(?![0-9])")
_APRIL = 4


@dataclass(frozen=True, slots=True)
class Own:
    """Whose return a workbook is: its State, the last day of its period, whether it or which others are SEZ units."""

    state: str
    period_end: date
    is_sez: bool = False
    sez_units: frozenset[str] = frozenset()


def _wrong(said: str, code: str = values.WRONG_TYPE) -> WrongValueError:
    return WrongValueError.of(code, said)


def _text(cell: Cell) -> str:
    found = text_of(cell)
    if isinstance(cell, float) and abs(cell) >= TOO_LONG:
        raise _wrong(
            f"{shown(found)} is a number too long for a spreadsheet, which has lost its last digits. Format the cell "
            "as text and write it anew."
        )
    return found


def _capitals(cell: Cell) -> str:
    return _text(cell).upper()


def _day(cell: Cell) -> str:
    found = day(text_of(cell))
    return f"{found:%d-%m-%Y}" if found else text_of(cell)


def _pos(cell: Cell) -> str:
    found = _CODE.match(text_of(cell))
    return f"{int(found[0]):02d}" if found else text_of(cell)


def _amount(cell: Cell) -> Decimal:
    found = number(text_of(cell))
    if found is None:
        raise _wrong(f'"{shown(text_of(cell))}" is not a number. Write it in digits, such as 1234.50.')
    return found


def _share(cell: Cell) -> Decimal:
    """Return the share of the rate from the percent of it that is charged."""
    found = number(text_of(cell).removesuffix("%"))
    if found is None or not (found == rates.DIFFERENTIAL or rates.is_differential(found)):
        raise _wrong(
            f'"{shown(text_of(cell))}" is not {rates.DIFFERENTIAL}. Write {rates.DIFFERENTIAL} or leave the cell '
            "empty.",
            values.NOT_IN_LIST,
        )
    return to_rupees(rates.DIFFERENTIAL)


def _of_list(known: Mapping[str, str]) -> Callable[[Cell], str]:
    return lambda cell: known.get(plain(text_of(cell)), text_of(cell))


def _type(cell: Cell) -> str:
    """Return the letter of a type of supply; one that no rule has is refused in its own words."""
    if plain(text_of(cell)) == INSIDE_WITH_IGST:
        raise _wrong(
            f'says "{shown(text_of(cell))}", but a supply inside a State bears CGST and SGST here, IGST only to or by '
            "an SEZ. Write Regular B2B; to an SEZ, with or without payment, the type that says so; to another State, "
            "correct the place of supply too.",
            values.NOT_IN_LIST,
        )
    return TYPES.get(plain(text_of(cell)), text_of(cell))


ZERO_IF_EMPTY = ("igst", "cgst", "sgst", "cess", "nil_amt", "expt_amt", "ngsup_amt")
AMOUNTS = ("val", "rt", "txval", "csamt", "ad_amt", "suppval", *ZERO_IF_EMPTY)
READERS: dict[str, Callable[[Cell], Any]] = {
    **dict.fromkeys(("idt", "oidt", "nt_dt", "ont_dt", "sbdt", "irngendate"), _day),
    **dict.fromkeys(("ctin", "rtin", "stin", "etin", "oetin", "rchrg", "ntty", "typ", "exp_typ"), _capitals),
    **dict.fromkeys(AMOUNTS, _amount),
    "pos": _pos,
    "diff_percent": _share,
    "inv_typ": _type,
    "sply_ty": _of_list(DESCRIPTIONS),
}


@dataclass(slots=True)
class Words:
    """What a row says, by the keys of its list, and what of it cannot be read."""

    said: dict[str, Any]
    faults: list[Fault]

    @property
    def unread(self) -> set[str]:
        """The keys that could not be read."""
        return {fault.key for fault in self.faults}


def of(cells: Mapping[str, Cell], layout: Layout) -> Words:
    """Return the words of a row; empty cells say nothing, except where nothing means zero."""
    words = Words({}, [])
    for key in layout.columns:
        cell = cells.get(key)
        if cell is None or not text_of(cell):
            if key in ZERO_IF_EMPTY:
                words.said[key] = Decimal(0)
            continue
        try:
            words.said[key] = READERS.get(key, _text)(cell)
        except WrongValueError as wrong:
            words.faults += (Fault(fault.code, key, f"{key} {fault.said}") for fault in wrong.faults)
    if "fy" in layout.columns:
        _join_month(words)
    return words


def _join_month(words: Words) -> None:
    """Put financial year and month together as a return writes them, MMYYYY."""
    year, month = words.said.pop("fy", ""), words.said.get("omon", "")
    found = _YEAR.fullmatch(year)
    named = [at for at, name in enumerate(MONTHS, 1) if name.startswith(month.casefold())]
    if found and len(named) == 1:
        place = named[0]
        words.said["omon"] = f"{place:02d}{int(found[1]) + (place < _APRIL)}"
    elif year and month:
        words.said.pop("omon")
        said = f'omon "{shown(month)}" of "{shown(year)}" is no month. Write them like JULY and 2025-26.'
        words.faults.append(Fault(values.WRONG_FORMAT, "omon", said))


def heads_of(said: Mapping[str, Any], own: Own) -> Heads:
    """Return which taxes a supply of these words bears (R10.8); one that cannot be dated is refused anyway."""
    dated = day(said.get("idt") or said.get("nt_dt") or "")
    party = said.get("ctin") or said.get("rtin") or ""
    return rates.heads_due(
        dated or own.period_end,
        is_sez=own.is_sez or said.get("inv_typ") in SEZ or party in own.sez_units,
        is_same_state=said.get("pos") == own.state,
    )


def line_of(said: Mapping[str, Any], layout: Layout, heads: Heads, kind: str) -> dict[str, Any]:
    """Return a rate line with the tax it makes, which the sheet does not have; none where it cannot be worked out."""
    line = {key: said[key] for key in ("rt", layout.amount, "csamt") if key in said}
    try:
        rate, taxable = values.rate(line.get("rt")), values.signed_paise(line.get(layout.amount))
    except WrongValueError:
        return line
    igst, cgst, sgst = rates.worked_out(
        taxable=taxable, rate=rate, heads=heads, is_differential="diff_percent" in said, kind=kind
    )
    if heads is Heads.IGST:
        return line | {"iamt": to_rupees(igst)}
    return line | {"camt": to_rupees(cgst), "samt": to_rupees(sgst)}


def kind_of(said: Mapping[str, Any]) -> str:
    """Return the kind of a supply that decides whether it bears tax: to an SEZ, an export, a note on one."""
    return str(said.get("exp_typ") or said.get("inv_typ") or said.get("typ") or "")


def with_lines(said: dict[str, Any], lines: list[dict[str, Any]], layout: Layout) -> dict[str, Any]:
    """Return the words of a document or row with its rate lines where its list has them."""
    bare = {key: value for key, value in said.items() if key not in ("rt", layout.amount, "csamt")}
    if layout.lines is Lines.NONE:
        return said
    if layout.lines is Lines.ROW:
        return bare | lines[0]
    if layout.lines is Lines.FLAT:
        return bare | {"itms": lines}
    return bare | {"itms": [{"num": place, "itm_det": line} for place, line in enumerate(lines, start=1)]}


def of_supply(heads: Heads) -> str:
    """Return INTER or INTRA."""
    return SUPPLY[heads]
