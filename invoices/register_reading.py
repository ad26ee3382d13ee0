"""A purchase register read: which column is what, and the documents its rows tell (portal 3.10).

Every accounting program writes its register in a way of its own. A person says once which column is what; labels are
only guessed to begin with. Values are read strictly.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import groupby
from typing import BinaryIO

from ims_portal.rules import gstin, periods, rates
from ims_portal.rules.documents import NumberClass, Problem
from ims_portal.rules.money import HEADS, NotMoneyError, to_paise
from ims_portal.rules.texts import UNWELCOME
from invoices.json_reading import UnreadableFileError
from invoices.rows_back import SAME_NUMBER, RowsBack, WrongRows
from invoices.sheet_cells import Cell, DatedLine, Line, plain, text_of
from invoices.sheet_cells import day as written_day
from invoices.sheet_cells import number as written_number

UNREADABLE = "APP-F01"
LAST_HEADING = 20
"""The heading stands in the first rows, down to this one."""
LEAST_LABELS = 4
"""Cells with text a row needs to be taken for a heading nobody named yet."""
LONGEST_LABEL, LONGEST_NUMBER, LONGEST_VOUCHER = 80, 64, 80
MOST_LABELS = 100
MEND = "Mend what the last column says and upload this workbook: its documents are told anew, the others stay."
LARGEST = 12
"""Digits before the point, less one, that an amount may have."""


class Field(StrEnum):
    """What a column of a register may be."""

    SUPPLIER = "supplier"
    NUMBER = "number"
    DATE = "date"
    TYPE = "type"
    TAXABLE = "taxable"
    IGST = "igst"
    CGST = "cgst"
    SGST = "sgst"
    CESS = "cess"
    CLAIMED_IGST = "claimed_igst"
    CLAIMED_CGST = "claimed_cgst"
    CLAIMED_SGST = "claimed_sgst"
    CLAIMED_CESS = "claimed_cess"
    CLAIMED_MONTH = "claimed_month"
    BLOCKED = "blocked"
    VOUCHER = "voucher"


REQUIRED = (Field.SUPPLIER, Field.NUMBER, Field.DATE, Field.TAXABLE, Field.IGST, Field.CGST, Field.SGST)
TEMPLATE = {
    Field.SUPPLIER: "Supplier GSTIN",
    Field.NUMBER: "Document number",
    Field.DATE: "Document date",
    Field.TYPE: "Type",
    Field.TAXABLE: "Taxable value",
    Field.IGST: "IGST",
    Field.CGST: "CGST",
    Field.SGST: "SGST",
    Field.CESS: "Cess",
    Field.CLAIMED_IGST: "ITC claimed IGST",
    Field.CLAIMED_CGST: "ITC claimed CGST",
    Field.CLAIMED_SGST: "ITC claimed SGST",
    Field.CLAIMED_CESS: "ITC claimed cess",
    Field.CLAIMED_MONTH: "Claimed in (MM/YYYY)",
    Field.BLOCKED: "Blocked u/s 17(5)",
    Field.VOUCHER: "Voucher",
}
"""The columns of our own template, by what they are."""

GUESSES: dict[Field, tuple[str, ...]] = {
    Field.SUPPLIER: ("suppliergstin", "gstinofsupplier", "gstin", "gstinuin", "partygstin", "vendorgstin", "gstno"),
    Field.NUMBER: (
        *("documentnumber", "invoicenumber", "invoiceno", "billno", "billnumber", "supplierinvoiceno"),
        *("supplierinvoicenumber", "docno", "documentno", "vendorinvoiceno", "refno", "referenceno"),
    ),
    Field.DATE: ("documentdate", "invoicedate", "billdate", "supplierinvoicedate", "docdate", "vendorinvoicedate"),
    Field.TYPE: ("type", "documenttype", "doctype", "vouchertype", "invoicetype"),
    Field.TAXABLE: ("taxablevalue", "taxableamount", "taxable", "taxablevaluers", "assessablevalue"),
    Field.IGST: ("igst", "igstamount", "integratedtax", "integratedtaxrs", "inputigst"),
    Field.CGST: ("cgst", "cgstamount", "centraltax", "centraltaxrs", "inputcgst"),
    Field.SGST: ("sgst", "sgstutgst", "sgstamount", "stateuttax", "statetax", "stateuttaxrs", "inputsgst"),
    Field.CESS: ("cess", "cessamount", "cessrs"),
    Field.CLAIMED_IGST: ("itcclaimedigst", "itcigst", "claimedigst"),
    Field.CLAIMED_CGST: ("itcclaimedcgst", "itccgst", "claimedcgst"),
    Field.CLAIMED_SGST: ("itcclaimedsgst", "itcsgst", "claimedsgst"),
    Field.CLAIMED_CESS: ("itcclaimedcess", "itccess", "claimedcess"),
    Field.CLAIMED_MONTH: ("claimedinmmyyyy", "claimedin", "itcperiod", "claimperiod", "itcclaimedin"),
    Field.BLOCKED: ("blockedus175", "blocked", "ineligible", "blocked175", "ineligibleitc"),
    Field.VOUCHER: ("voucher", "voucherno", "vouchernumber", "vchno"),
}
"""What a column is by its label, written `plain`; the first that is there."""

CREDIT = {"creditnote", "credit", "cn", "c", "cdn", "purchasereturn", "debitnotetosupplier"}
DEBIT = {"debitnote", "debit", "dn", "d"}
INVOICE = {"", "invoice", "inv", "taxinvoice", "purchase", "purchases", "purchaseinvoice", "r", "i", "regular", "b2b"}
BILL = {"billofentry", "boe", "be", "import", "impg", "imports"}
YES, NO = {"yes", "y", "true", "1"}, {"", "no", "n", "false", "0"}


@dataclass(frozen=True, slots=True)
class Told:
    """What one row of a register tells of a document. Amounts are paise and may be below 0 in a row of several.

    `claimed` are the four heads of what was claimed, None where the row does not say.
    """

    position: str
    supplier: str
    number: str
    kind: NumberClass
    is_credit: bool
    day: date
    taxable: int
    taxes: tuple[int, int, int, int]
    claimed: tuple[int | None, ...]
    claimed_month: int | None
    is_blocked: bool
    voucher: str


@dataclass(frozen=True, slots=True)
class Wrong:
    """A row that cannot be read, and why."""

    position: str
    number: str
    message: str


Columns = Mapping[str, str]
"""Field -> the label of its column."""


class WrongCellError(Exception):
    """A cell cannot be read; the message says which, why and what next."""


def _at(cells: Sequence[Cell], place: int | None) -> str:
    text = text_of(cells[place]) if place is not None and place < len(cells) else ""
    return UNWELCOME.sub(" ", text).strip()


def _label(text: str) -> str:
    """Return a label as it is compared: as it is written, but for case and blanks."""
    return " ".join(text[:LONGEST_LABEL].split()).casefold()


def guess(labels: Iterable[str]) -> dict[str, str]:
    """Return field -> the label that is probably its column's."""
    by_plain = {plain(label): label for label in reversed(list(labels))}
    found = {field: next((by_plain[one] for one in names if one in by_plain), "") for field, names in GUESSES.items()}
    return {field.value: label for field, label in found.items() if label}


def heading(lines: Iterable[Line], columns: Columns) -> tuple[list[str], bool]:
    """Return the labels of the heading, and whether they hold every label of `columns`, which is not empty.

    Where no row holds them all, the heading is the row of the sheets' tops whose labels are guessed best.
    """
    wanted = {_label(label) for label in columns.values()}
    best: list[str] = []
    for line in lines:
        if line.number > LAST_HEADING:
            continue
        labels = _labels(line)
        if wanted and wanted <= {_label(label) for label in labels}:
            return labels, True
        if len(labels) >= LEAST_LABELS and (not best or len(guess(labels)) > len(guess(best))):
            best = labels
    return best, False


def _labels(line: Line) -> list[str]:
    texts = (_at(line.cells, place)[:LONGEST_LABEL] for place in range(min(len(line.cells), MOST_LABELS)))
    return [text for text in texts if text]


def read(lines: Iterable[Line], columns: Columns, *, until: date) -> Iterator[Told | Wrong]:
    """Yield what the rows of a register tell, of every sheet under whose heading all `columns` stand.

    A row that names neither supplier nor number is a sum or a remark, and passed over. A document dated after `until`
    is not read.
    """
    for _sheet, rows in groupby(lines, key=lambda line: line.sheet):
        places: dict[str, int] = {}
        for line in rows:
            if places:
                found = _row(line, places, until)
                if found is not None:
                    yield found
            elif line.number <= LAST_HEADING:
                places = _places(line, columns)


def give_back(lines: Iterable[DatedLine], columns: Columns, wrong: Mapping[str, WrongRows], into: RowsBack) -> None:
    """Give back the rows in `wrong`, and all that have their document's number, in any sheet: rows of one add up."""
    numbers = set().union(*(here.numbers for here in wrong.values()))
    for sheet, rows in groupby(lines, key=lambda line: line.sheet):
        places: dict[str, int] = {}
        here = wrong.get(sheet, WrongRows())
        for line in rows:
            if not places:
                places = _places(line, columns) if line.number <= LAST_HEADING else {}
                if places:
                    into.sheet(sheet or "Register", line.cells, MEND)
            elif line.number in here.texts:
                into.add(line, here.texts[line.number])
            elif _at(line.cells, places.get(Field.NUMBER.value)).upper() in numbers:
                into.add(line, SAME_NUMBER)


def _places(line: Line, columns: Columns) -> dict[str, int]:
    """Return field -> its place in the rows, empty where this row is not the heading."""
    by_label: dict[str, int] = {}
    for place in range(len(line.cells)):
        by_label.setdefault(_label(_at(line.cells, place)), place)
    wanted = {field: _label(label) for field, label in columns.items()}
    if not all(label in by_label for label in wanted.values()):
        return {}
    return {field: by_label[label] for field, label in wanted.items()}


def _row(line: Line, places: Mapping[str, int], until: date) -> Told | Wrong | None:
    def cell(field: Field) -> str:
        return _at(line.cells, places.get(field.value))

    supplier, number = cell(Field.SUPPLIER).upper().replace(" ", ""), cell(Field.NUMBER)
    if not number and not (supplier and cell(Field.DATE)):
        return None
    position = f"{line.sheet}, row {line.number}" if line.sheet else f"row {line.number}"
    try:
        taxable = _paise(cell(Field.TAXABLE), TEMPLATE[Field.TAXABLE])
        kind, is_credit = _kind(cell(Field.TYPE))
        _check(supplier, number, kind)
        taxes = tuple(_paise(cell(Field(head)), TEMPLATE[Field(head)]) for head in HEADS)
        return Told(
            position=position,
            supplier="" if kind is NumberClass.BILL_OF_ENTRY else supplier,
            number=number,
            kind=kind,
            is_credit=is_credit,
            day=_day(cell(Field.DATE), until),
            taxable=taxable,
            taxes=(taxes[0], taxes[1], taxes[2], taxes[3]),
            claimed=tuple(_claimed(cell(Field(f"claimed_{head}")), head) for head in HEADS),
            claimed_month=_month(cell(Field.CLAIMED_MONTH)),
            is_blocked=_flag(cell(Field.BLOCKED)),
            voucher=cell(Field.VOUCHER)[:LONGEST_VOUCHER],
        )
    except WrongCellError as wrong:
        return Wrong(position, number[:LONGEST_NUMBER], str(wrong))


def _kind(said: str) -> tuple[NumberClass, bool]:
    """Return the class of a document's number, and whether it takes credit away."""
    word = plain(said)
    if word in INVOICE:
        return NumberClass.INVOICE, False
    if word in CREDIT or word in DEBIT:
        return NumberClass.NOTE, word in CREDIT
    if word in BILL:
        return NumberClass.BILL_OF_ENTRY, False
    raise WrongCellError(f'The type says "{said[:40]}". Write Invoice, Credit note, Debit note or Bill of entry.')


def _day(text: str, until: date) -> date:
    found = written_day(text)
    if found is None or not rates.GST_BEGAN <= found <= until:
        raise WrongCellError(
            f'The date says "{text[:40]}". It must be a day since GST began, not after today, as DD-MM-YYYY.'
        )
    return found


def _check(supplier: str, number: str, kind: NumberClass) -> None:
    if not number or len(number.upper()) > LONGEST_NUMBER or UNWELCOME.search(number):
        raise WrongCellError(
            f"The document number is missing, or longer than {LONGEST_NUMBER} characters. Copy it anew."
        )
    if kind is NumberClass.BILL_OF_ENTRY:
        return
    if not supplier:
        raise WrongCellError("The supplier's GSTIN is missing. Copy it from the document.")
    problem = gstin.problem(supplier)
    if problem is not None:
        raise WrongCellError(f"The supplier's GSTIN {supplier[:20]} {problem}. Copy it from the document.")


def _paise(text: str, label: str) -> int:
    """Return rupees as paise; brackets or a minus sign are below 0. Raises WrongCellError."""
    if text in ("", "-"):
        return 0
    is_below = text.startswith("(") and text.endswith(")")
    try:
        paise = to_paise(_number(text.strip("()")))
    except NotMoneyError:
        raise WrongCellError(
            f'{label} says "{text[:40]}". Write rupees with at most two decimals, such as 1234.50.'
        ) from None
    return -paise if is_below else paise


def _number(text: str) -> Decimal:
    found = written_number(text)
    if found is None or found.adjusted() > LARGEST:
        raise NotMoneyError(text)
    return found


def _claimed(text: str, head: str) -> int | None:
    return _paise(text, TEMPLATE[Field(f"claimed_{head}")]) if text else None


def _month(text: str) -> int | None:
    """Return the month a cell names, however it is written, or None for none. Raises WrongCellError."""
    if not text:
        return None
    try:
        return periods.parse(text[:2] + text[2:].removeprefix("/")).month
    except periods.NotAPeriodError:
        raise WrongCellError(f'The period of the claim says "{text[:20]}". Write it as MM/YYYY.') from None


def _flag(text: str) -> bool:
    word = plain(text)
    if word not in YES | NO:
        raise WrongCellError(f'Blocked u/s 17(5) says "{text[:20]}". Write Yes or No.')
    return word in YES


@dataclass(frozen=True, slots=True)
class Written:
    """A row of a text file."""

    number: int
    cells: Sequence[str | None]
    sheet: str = ""
    days: tuple[int, ...] = ()


SEPARATORS = (",", ";", "\t")
LONGEST_LINE = 1 << 16
LONGEST_ROW = 1 << 20


def of_csv(stream: BinaryIO) -> Generator[Written, None, None]:
    """Yield the rows of a CSV file in UTF-8, separated by comma, semicolon or tab. Raises UnreadableFileError."""
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
    try:
        top = text.readline(LONGEST_LINE)
        text.seek(0)
        separator = max(SEPARATORS, key=top.count)
        lines = _Lines(text)
        for number, cells in enumerate(csv.reader(lines, delimiter=separator, strict=True), start=1):
            lines.since = 0
            yield Written(number, [UNWELCOME.sub(" ", cell) or None for cell in cells])
    except (UnicodeDecodeError, csv.Error) as problem:
        raise UnreadableFileError(
            Problem(
                UNREADABLE,
                "The file is not CSV in UTF-8, so nothing of it was kept. Save it as an Excel workbook (.xlsx), or as "
                "CSV UTF-8, and upload it again.",
            )
        ) from problem
    finally:
        text.detach()


class _Lines:
    """The lines of a text; a line or a row no register has is refused before it fills the memory."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self.since = 0

    def __iter__(self) -> Iterator[str]:
        while line := self._text.readline(LONGEST_LINE):
            self.since += len(line)
            if len(line) == LONGEST_LINE or self.since > LONGEST_ROW:
                raise csv.Error
            yield line
