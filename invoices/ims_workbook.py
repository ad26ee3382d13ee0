"""The records of IMS as our workbook: the sheets and labels of the offline utility, our own of bills of entry.

Their layout is that of formats 9.2 and 9.3. A person changes Status, ITC to be reduced, the declared amounts and
Remarks; whatever else a row says tells which record it is. The last hidden column names it, and the version of its
action.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from ims_portal.rules.actions import Action, Answer
from ims_portal.rules.gstin import STATES
from ims_portal.rules.money import HEADS, Tax
from ims_portal.rules.sections import AMENDMENTS, BILLS_OF_ENTRY, InvoiceType, Section
from ims_portal.spreadsheet import Cell, Column, Field, Sheet, day_as, month_as, rupees
from invoices.ims_json import BillKey, DocumentKey, Row

TITLE = "IMS Portal - Invoice Management System. Not from the Government's portal."

SHEETS = {
    Section.B2B: "B2B",
    Section.B2BA: "B2BA",
    Section.DN: "B2B-DN",
    Section.DNA: "B2B-DNA",
    Section.CN: "B2B-CN",
    Section.CNA: "B2B-CNA",
    Section.ECO: "ECO",
    Section.ECOA: "ECOA",
    Section.IMPG: "IMPG",
    Section.IMPGA: "IMPGA",
    Section.IMPGSEZ: "IMPGSEZ",
    Section.IMPGSEZA: "IMPGSEZA",
}
"""Section -> its sheet, in the workbook's order."""

STATUSES = {
    Action.ACCEPT: "Accepted",
    Action.REJECT: "Rejected",
    Action.PENDING: "Pending",
    Action.NONE: "No Action",
}
SOURCES = {"R1": "GSTR-1/IFF", "R1A": "GSTR-1A", "R5": "GSTR-5"}
TYPES = {
    InvoiceType.REGULAR: "Regular",
    InvoiceType.SEZ_WITH_PAYMENT: "SEZ with payment",
    InvoiceType.SEZ_WITHOUT_PAYMENT: "SEZ without payment",
    InvoiceType.DEEMED_EXPORT: "Deemed Export",
    InvoiceType.BONDED_WAREHOUSE: "Sale from Bonded Warehouse",
}
AMENDS = {"A": "Amendment", "G": "Addition", "": ""}
REDUCED = {Answer.FULL: "Yes", Answer.PART: "Yes", Answer.NONE: "No", Answer.NOT_GIVEN: ""}
FLAG = {True: "Y", False: "N", None: ""}
HEAD_NAMES = {"igst": "Integrated tax (₹)", "cgst": "Central tax (₹)", "sgst": "State/UT tax (₹)", "cess": "Cess (₹)"}

STATUS, REDUCTION, REMARKS, PROBLEM = "Status", "ITC to be reduced", "Remarks", "Problem"
DECLARED = "Amount declared by taxpayer for ITC reduction"
KEY = "Record and version"
"""Labels by which a workbook is read again."""


Said = Field[Row]
"""A column, and what a record says in it."""

day = day_as("%d-%m-%Y")
month = month_as("%b-%y")
"""Days and periods as the cells of this workbook hold them."""


def _document(row: Row) -> DocumentKey:
    return cast("DocumentKey", row.key)


def _bill(row: Row) -> BillKey:
    return cast("BillKey", row.key)


def _type(row: Row) -> str:
    kind = _document(row).inv_type
    return TYPES[kind] if kind else "Regular"


def _taxes(group: str, heads: Iterable[str], of: Callable[[Row], Tax | None]) -> Iterator[Said]:
    for head in heads:
        yield Said((group, HEAD_NAMES[head]), _amount(of, head))


def _amount(of: Callable[[Row], Tax | None], head: str) -> Callable[[Row], Cell]:
    def cell(row: Row) -> Cell:
        tax = of(row)
        return None if tax is None else rupees(getattr(tax, head))

    return cell


def _declared(row: Row) -> Tax | None:
    return row.declared if row.answer is Answer.PART else None


def _hidden(label: str, of: Callable[[Row], Cell]) -> Said:
    return Said((label,), of, 12, is_hidden=True)


_STATUS = Said((STATUS,), lambda row: STATUSES[row.action], 12, choices=tuple(STATUSES.values()))
_REDUCTION = Said((REDUCTION,), lambda row: REDUCED[row.answer], 12, choices=("Yes", "No"))
_REMARKS = Said((REMARKS,), lambda row: row.remark, 32)
_ERRORS = (
    Said(("Sheet validation errors",), lambda _row: "", 20),
    Said(("Portal validation errors",), lambda _row: "", 20),
)
_KEY = _hidden(KEY, lambda row: f"{row.record_id}.{row.version}")
_BLOCKED = (
    _hidden("IsPendingBlocked", lambda row: FLAG[row.pending_blocked]),
    _hidden("IsRemarkBlocked", lambda row: FLAG[row.remarks_blocked]),
)
_PREVIOUS_STATUS = _hidden("Previous status", lambda row: STATUSES[row.action])
_PREVIOUS_REMARKS = _hidden("Previous remarks", lambda row: row.remark)
_PREVIOUS_ANSWER = (
    _hidden("Previous ITC to be reduced", lambda row: REDUCED[row.answer]),
    *(_hidden(f"Previous declared {head.upper()}", _amount(_declared, head)) for head in HEADS),
)
_REDUCTION_BLOCKED = _hidden("IsItcReductionBlocked", lambda row: FLAG[row.reduction_blocked])


def _things(section: Section) -> str:
    if section in (Section.CN, Section.CNA):
        return "Credit note"
    if section in (Section.DN, Section.DNA):
        return "Debit note"
    return "Document" if section in (Section.ECO, Section.ECOA) else "Invoice"


def _document_fields(section: Section) -> Iterator[Said]:
    """Yield the columns of a sheet of suppliers' documents (formats 9.2)."""
    thing, is_amended = _things(section), section in AMENDMENTS
    if is_amended:
        yield Said((f"Original {thing.lower()} number",), lambda row: _document(row).original_number, 20)
        yield Said((f"Original {thing.lower()} date",), lambda row: day(_document(row).original_day), 12)
    yield Said(("GSTIN of supplier",), lambda row: _document(row).supplier, 18)
    yield Said(("Trade/Legal name",), lambda row: row.name, 34)
    yield Said((f"{thing} details", f"{thing} number"), lambda row: row.key.number, 20)
    yield Said((f"{thing} details", f"{thing} type"), _type, 14)
    yield Said((f"{thing} details", f"{thing} date"), lambda row: day(row.key.day), 12)
    yield Said((f"{thing} details", f"{thing} value (₹)"), lambda row: rupees(row.value))
    yield _STATUS
    yield Said(("Place of supply",), lambda row: f"{row.pos}-{STATES.get(row.pos, '')}", 20)
    yield Said(("Taxable value (₹)",), lambda row: rupees(row.taxable))
    yield from _taxes("Tax amount", HEADS, lambda row: row.tax)
    has_reduction = is_amended or thing in ("Credit note", "Debit note")
    if has_reduction:
        yield _REDUCTION
        yield from _taxes(DECLARED, HEADS, _declared)
    yield _REMARKS
    yield Said(("Source",), lambda row: SOURCES.get(_document(row).form, _document(row).form), 12)
    yield Said(("Source return period",), lambda row: month(_document(row).period), 12)
    yield Said(("Source filing status",), lambda row: "Filed" if row.is_filed else "Not Filed", 12)
    yield from _ERRORS
    yield _PREVIOUS_STATUS
    if has_reduction:
        yield from _PREVIOUS_ANSWER
    yield _PREVIOUS_REMARKS
    yield from _BLOCKED
    if has_reduction:
        yield _REDUCTION_BLOCKED
    yield _KEY


def _bill_fields(section: Section) -> Iterator[Said]:
    """Yield the columns of a sheet of bills of entry (formats 9.3)."""
    if section in (Section.IMPGSEZ, Section.IMPGSEZA):
        yield Said(("GSTIN of SEZ",), lambda row: _bill(row).sez, 18)
        yield Said(("Trade/Legal name",), lambda row: row.name, 34)
    yield Said(("Icegate reference date",), lambda row: day(_bill(row).reference_day), 12)
    yield Said(("Port code",), lambda row: _bill(row).port, 12)
    yield Said(("Bill of entry details", "Bill of entry number"), lambda row: row.key.number, 14)
    yield Said(("Bill of entry details", "Bill of entry date"), lambda row: day(row.key.day), 12)
    yield _STATUS
    yield Said(("Taxable value (₹)",), lambda row: rupees(row.taxable))
    yield from _taxes("Tax amount", ("igst", "cess"), lambda row: row.tax)
    if section in AMENDMENTS:
        yield Said(("Type of amendment",), lambda row: AMENDS[row.amends], 14)
        yield _REDUCTION
        yield from _taxes(DECLARED, ("igst", "cess"), _declared)
    yield _REMARKS
    yield Said(("ITC period",), lambda row: month(_bill(row).itc_period), 12)
    yield from _ERRORS
    yield _PREVIOUS_STATUS
    yield from _BLOCKED
    if section in AMENDMENTS:
        yield _REDUCTION_BLOCKED
    yield _KEY


FIELDS = {
    section: tuple(_bill_fields(section) if section in BILLS_OF_ENTRY else _document_fields(section))
    for section in SHEETS
}
"""Section -> the columns of its sheet."""


@dataclass(frozen=True, slots=True)
class Head:
    """Whose records they are, made when (IST), under which filter in words; counts per section and action."""

    gstin: str
    legal_name: str
    trade_name: str
    made_on: str
    shown: str
    counts: Mapping[Section, Mapping[str, int]]


Rows = Callable[[Section], Iterable[Row]]
"""Reads the records of a section, while its sheet is written."""


def sheets(head: Head, rows: Rows) -> Iterator[Sheet]:
    """Yield the home sheet and those of all sections; amounts are rupees, as the documents have them."""
    yield Sheet("Home", _home(head), widths=(34, 40, 14, 14, 14, 14))
    for section in SHEETS:
        yield sheet(section, rows(section))


def sheet(section: Section, rows: Iterable[Row]) -> Sheet:
    """Return a section's sheet."""
    fields = FIELDS[section]
    return _sheet(section, ([field.of(row) for field in fields] for row in rows))


def problem_sheet(section: Section, rows: Iterable[tuple[Row, str]]) -> Sheet:
    """Return a section's sheet of refused rows; a last column tells the problem of each."""
    fields = FIELDS[section]
    cells = ([*(field.of(row) for field in fields), problem] for row, problem in rows)
    return _sheet(section, cells, Column((PROBLEM,), 60))


def _sheet(section: Section, cells: Iterable[Sequence[Cell]], *more: Column) -> Sheet:
    columns = [*(_column(field, section) for field in FIELDS[section]), *more]
    return Sheet(SHEETS[section], cells, columns=columns, titles=(TITLE, SHEETS[section]))


def _column(field: Said, section: Section) -> Column:
    """Return a column; the sheets of amendments have three tiers, as the utility's."""
    heads = field.heads
    if section in AMENDMENTS and section not in BILLS_OF_ENTRY and not field.is_hidden:
        heads = ("Original details" if heads[0].startswith("Original") else "Revised details", *heads)
    return replace(field.column, heads=heads)


def _home(head: Head) -> Iterator[tuple[Cell, ...]]:
    yield (TITLE,)
    yield ("GSTIN", head.gstin)
    yield ("Legal name", head.legal_name)
    yield ("Trade name", head.trade_name)
    yield ("Made on", head.made_on)
    yield ("Records shown", head.shown)
    yield ()
    yield (
        "What you may change",
        "Status, ITC to be reduced, the amounts declared for it, Remarks. Upload the file again: only what you changed "
        "is taken, and shown to you before anything is saved.",
    )
    for title, sections in (
        ("All other ITC", [section for section in SHEETS if section not in BILLS_OF_ENTRY]),
        ("Import of Goods", [section for section in SHEETS if section in BILLS_OF_ENTRY]),
    ):
        yield ()
        yield (title, "", *STATUSES.values())
        for section in sections:
            counts = head.counts.get(section, {})
            yield (SHEETS[section], "", *(counts.get(action.value, 0) for action in STATUSES))
