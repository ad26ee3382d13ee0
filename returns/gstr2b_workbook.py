"""A GSTR-2B as the portal's workbook of 29 sheets (formats 9.1), written from the rows its JSON is written from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from ims_portal.rules.gstin import STATES
from ims_portal.rules.gstr2b import Placement
from ims_portal.rules.money import HEADS, NIL, Tax
from ims_portal.rules.periods import TaxPeriod, financial_year_of
from ims_portal.rules.rates import DIFFERENTIAL
from ims_portal.rules.sections import InvoiceType, Section
from ims_portal.spreadsheet import Cell, Column, Field, Sheet, day_as, month_as, rupees
from returns.gstr2b_json import CREDIT_NOTES, LISTS, Row

TAKEN = (Placement.AVAILABLE, Placement.NOT_AVAILABLE)
OUT = (Placement.REJECTED,)
BACK = (Placement.REVERSAL,)
ISD_LISTS = {"isda": "isd"}
"""Amended ISD documents are of the sections of the others."""

TITLE = "Goods and Services Tax  - GSTR-2B"
"""With two blanks before the dash, as the portal has it."""

TYPES = {
    InvoiceType.REGULAR: "Regular",
    InvoiceType.SEZ_WITH_PAYMENT: "SEZ With Payment of Tax",
    InvoiceType.SEZ_WITHOUT_PAYMENT: "SEZ Without Payment of Tax",
    InvoiceType.DEEMED_EXPORT: "Deemed Export",
    InvoiceType.BONDED_WAREHOUSE: "Intra-State Supplies Attracting IGST",
}
REASONS = {
    "P": "POS and supplier state are same but recipient state is different",
    "C": "Return filed post annual cut-off",
}
AMENDED_BILLS = {"A": "Amendment", "G": "Addition", "D": "Addition"}
WHOLE = 100
YES_NO = {True: "Yes", False: "No"}
ANSWERS = {"F": "Yes", "P": "Yes", "N": "No", "": ""}
TAXES = ("Integrated Tax(₹)", "Central Tax(₹)", "State/UT Tax(₹)", "Cess(₹)")


@dataclass(frozen=True, slots=True)
class Kind:
    """A sheet of documents: its name and title, the placements and lists its documents are of, its columns."""

    name: str
    title: str
    placements: tuple[Placement, ...]
    list: str
    fields: tuple[Said, ...]
    is_amended: bool | None = None

    @property
    def sections(self) -> tuple[Section, ...]:
        """The sections among which its documents are; those of a reversal are told by the document reversed."""
        if self.placements == BACK:
            return (Section.RULE_37A,)
        return tuple(section for section, name in LISTS.items() if name == ISD_LISTS.get(self.list, self.list))

    def holds(self, row: Row) -> bool:
        """Whether a document of its placements and sections stands in it."""
        is_amended = bool(row.bill.amends) if row.bill else None
        return row.list == self.list and (self.is_amended is None or self.is_amended == is_amended)


Said = Field[Row]
"""A column, and what a document says in it."""

day = day_as("%d/%m/%Y")
month = month_as("%b'%y")
"""Days and periods as the cells of this workbook hold them."""


def _taxes(group: str, of: Callable[[Row], Tax], names: Sequence[str] = TAXES) -> tuple[Said, ...]:
    """Return four columns under one heading."""

    def amount(head: str) -> Callable[[Row], Cell]:
        return lambda row: rupees(getattr(of(row), head))

    return tuple(Said((group, name), amount(head)) for head, name in zip(HEADS, names, strict=True))


GSTIN = Said(("GSTIN of supplier",), lambda row: row.ctin, 18)
NAME = Said(("Trade/Legal name",), lambda row: row.name, 34)
POS = Said(("Place of supply",), lambda row: STATES.get(row.pos, row.pos), 18)
REVERSE_CHARGE = Said(("Supply Attract Reverse Charge",), lambda row: YES_NO[row.is_reverse_charge], 12)
TAXABLE = Said(("Taxable Value (₹)",), lambda row: rupees(row.taxable))
TAX = _taxes("Tax Amount", lambda row: row.tax)
PERIOD = Said(("GSTR-1/1A/IFF/GSTR-5 Period",), lambda row: month(row.period), 12)
FILED = Said(("GSTR-1/1A/IFF/GSTR-5 Filing Date",), lambda row: day(row.filed_on), 12)
REMARKS = Said(("Remarks",), lambda row: row.remark, 30)
E_INVOICE = (
    Said(("Source",), lambda row: "E-Invoice" if row.irn else "", 12),
    Said(("IRN",), lambda row: row.irn, 24),
    Said(("IRN Date",), lambda row: day(row.irn_date), 12),
)


def _availability(row: Row) -> str:
    return YES_NO[row.placement is not Placement.NOT_AVAILABLE]


AVAILABLE = Said(("ITC Availability",), _availability, 12)
REASON = Said(("Reason",), lambda row: REASONS.get(row.reason, row.reason), 30)
RATE = Said(("Applicable % of Tax Rate",), lambda row: f"{DIFFERENTIAL if row.is_differential else WHOLE}%", 12)
OUTCOME = (AVAILABLE, REASON, RATE)


def _reduced(row: Row) -> Tax:
    """Return what is taken off the credit by the answer: nothing, what was declared, or all of it."""
    return {"P": row.declared, "F": row.tax}.get(row.answer, NIL)


REDUCTION = (
    Said(("Whether ITC to be reduced (Taxpayer's Input)",), lambda row: ANSWERS[row.answer], 14),
    *_taxes("Amount declared by taxpayer for ITC reduction", _reduced),
    REMARKS,
)
REVERSED = (
    Said(("Whether ITC to be reversed",), lambda row: YES_NO[row.placement is Placement.REVERSAL], 12),
    *_taxes("Amount of ITC to be reversed", lambda row: row.counted),
)


def _document(group: str, thing: str = "Invoice") -> tuple[Said, ...]:
    return (
        Said((group, f"{thing} number"), lambda row: row.number, 20),
        Said((group, f"{thing} type"), lambda row: TYPES[row.inv_type], 16),
        Said((group, f"{thing} Date"), lambda row: day(row.day), 12),
        Said((group, f"{thing} Value(₹)"), lambda row: rupees(row.value)),
    )


def _note_kind(section: Section) -> str:
    return "Credit Note" if section in CREDIT_NOTES else "Debit Note"


NOTE_GROUP = "Credit note/Debit note details"
NOTE = (
    Said((NOTE_GROUP, "Note number"), lambda row: row.number, 20),
    Said((NOTE_GROUP, "Note type"), lambda row: _note_kind(row.section), 12),
    Said((NOTE_GROUP, "Note Supply type"), lambda row: TYPES[row.inv_type], 16),
    Said((NOTE_GROUP, "Note date"), lambda row: day(row.day), 12),
    Said((NOTE_GROUP, "Note Value (₹)"), lambda row: rupees(row.value)),
)
ECO_GSTIN = Said(("GSTIN of ECO",), lambda row: row.ctin, 18)
_VALUES = (POS, REVERSE_CHARGE, TAXABLE, *TAX)
_PLAIN = (POS, TAXABLE, *TAX)

INVOICE = (GSTIN, NAME, *_document("Invoice Details"), *_VALUES)
CREDIT = (GSTIN, NAME, *NOTE, *_VALUES)
OPERATOR = (ECO_GSTIN, NAME, *_document("Document Details", "Document"), *_VALUES)


def _revised(original: Sequence[Said], revised: Sequence[Said]) -> tuple[Said, ...]:
    """Return the columns of an amendment sheet: three tiers, the original's and the revised document's."""
    return tuple(
        Said((group, *field.heads), field.of, field.width)
        for group, fields in (("Original Details", original), ("Revised Details", revised))
        for field in fields
    )


def _original_number(row: Row) -> str:
    return row.original.number if row.original else ""


def _original_day(row: Row) -> str:
    return day(row.original.day if row.original else None)


def _original(thing: str) -> tuple[Said, ...]:
    return (Said((f"{thing} number",), _original_number, 20), Said((f"{thing} Date",), _original_day, 12))


NOTE_BEFORE = (
    Said(("Note type",), lambda row: _note_kind(row.original.section) if row.original else "", 12),
    Said(("Note number",), _original_number, 20),
    Said(("Note date",), _original_day, 12),
)


def _isd_kind(section: Section) -> str:
    return "ISD Credit Note" if section is Section.ISDCN else "ISD Invoice"


ISD = (
    Said(("GSTIN of ISD",), lambda row: row.ctin, 18),
    NAME,
    Said(("ISD Document type",), lambda row: _isd_kind(row.section), 16),
    Said(("ISD Document number",), lambda row: row.number, 20),
    Said(("ISD Document date",), lambda row: day(row.day), 12),
    Said(("Original Invoice Number",), lambda row: row.corrected.number if row.corrected else "", 20),
    Said(("Original invoice date",), lambda row: day(row.corrected.day if row.corrected else None), 12),
    *_taxes("Input tax distribution by ISD", lambda row: row.tax),
    Said(("ISD GSTR-6 Period",), lambda row: month(row.period), 12),
    Said(("ISD GSTR-6 Filing Date",), lambda row: day(row.filed_on), 12),
    Said(("Eligibility of ITC",), lambda row: YES_NO[not row.is_ineligible], 12),
)
ISD_BEFORE = (
    Said(("ISD Document type",), lambda row: _isd_kind(row.original.section) if row.original else "", 16),
    Said(("Document Number",), _original_number, 20),
    Said(("Document date",), _original_day, 12),
)

BILL = "Bill of Entry Details"
IMPORT = (
    Said(("Icegate Reference Date",), lambda row: day(row.bill.referred_on if row.bill else None), 12),
    Said(("Port Code",), lambda row: row.bill.port if row.bill else "", 12),
    Said((BILL, "Number"), lambda row: row.number, 14),
    Said((BILL, "Date"), lambda row: day(row.bill.dated if row.bill else None), 12),
    Said((BILL, "Taxable Value"), lambda row: rupees(row.taxable)),
    Said(("Amount of tax", "Integrated Tax(₹)"), lambda row: rupees(row.tax.igst)),
    Said(("Amount of tax", "Cess(₹)"), lambda row: rupees(row.tax.cess)),
)
IMPORT_REDUCTION = (
    Said(("Type of Amendment",), lambda row: AMENDED_BILLS.get(row.bill.amends, "") if row.bill else "", 14),
    Said(("ITC reduced",), lambda row: ANSWERS[row.answer], 12),
    Said(("Amount declared for ITC reduction", "Integrated Tax(₹)"), lambda row: rupees(_reduced(row).igst)),
    Said(("Amount declared for ITC reduction", "Cess(₹)"), lambda row: rupees(_reduced(row).cess)),
)

TOLD = (PERIOD, FILED)
DECIDED = (REMARKS, PERIOD, FILED)


def _rejected(fields: Sequence[Said]) -> tuple[Said, ...]:
    """Return a base sheet's columns for what was rejected: without reverse charge."""
    return tuple(field for field in fields if field is not REVERSE_CHARGE)


def _one_too_far_left(fields: Sequence[Said]) -> tuple[Said, ...]:
    """Return columns whose tax headings stand one too far left, as the portal's sheet B2B-DNRA has them."""
    names = [name for _group, name in (field.heads[1:] for field in fields if "Tax Amount" in field.heads)]
    heads = iter([("Taxable Value", name) for name in names] + [("Taxable Value", "")])
    return tuple(
        Said((field.heads[0], *next(heads)), field.of, field.width)
        if "Tax Amount" in field.heads or field.heads[-1] == "Taxable Value (₹)"
        else field
        for field in fields
    )


_AMENDED_NOTE = _revised(NOTE_BEFORE, (*CREDIT, *REDUCTION, *TOLD, *OUTCOME))
KINDS: tuple[Kind, ...] = (
    Kind(
        "B2B",
        "Taxable inward supplies received from registered persons",
        TAKEN,
        "b2b",
        (*INVOICE, *TOLD, *OUTCOME, *E_INVOICE),
    ),
    Kind(
        "B2BA",
        "Amendments to previously filed invoices by supplier",
        TAKEN,
        "b2ba",
        _revised(_original("Invoice"), (*INVOICE, *REDUCTION, *TOLD, *OUTCOME)),
    ),
    Kind(
        "B2B-CDNR", "Debit/Credit notes (Original)", TAKEN, "cdnr", (*CREDIT, *REDUCTION, *TOLD, *OUTCOME, *E_INVOICE)
    ),
    Kind("B2B-CDNRA", "Amendments to previously filed Credit/Debit notes by supplier", TAKEN, "cdnra", _AMENDED_NOTE),
    Kind(
        "ECO",
        "Documents reported by ECO on which ECO is liable to pay tax u/s 9(5)",
        TAKEN,
        "ecom",
        (*OPERATOR, *TOLD, AVAILABLE, REASON, *E_INVOICE),
    ),
    Kind(
        "ECOA",
        "Amendments to previously filed documents by ECO on which ECO is liable to pay tax u/s 9(5)",
        TAKEN,
        "ecoma",
        _revised(_original("Document"), (*OPERATOR, *REDUCTION, *TOLD, AVAILABLE, REASON)),
    ),
    Kind("ISD", "ISD Credits", TAKEN, "isd", ISD),
    Kind("ISDA", "Amendments ISD Credits received", TAKEN, "isda", _revised(ISD_BEFORE, ISD)),
    Kind("IMPG", "Import of goods from overseas on bill of entry", TAKEN, "impg", IMPORT, is_amended=False),
    Kind(
        "IMPGA",
        "Import of goods from overseas on bill of entry (Amendment)",
        TAKEN,
        "impg",
        (*IMPORT, *IMPORT_REDUCTION),
        is_amended=True,
    ),
    Kind(
        "IMPGSEZ",
        "Import of goods from SEZ units/developers on bill of entry",
        TAKEN,
        "impgsez",
        (GSTIN, NAME, *IMPORT),
        is_amended=False,
    ),
    Kind(
        "IMPGSEZA",
        "Import of goods from SEZ units/developers on bill of entry (Amendment)",
        TAKEN,
        "impgsez",
        (GSTIN, NAME, *IMPORT, *IMPORT_REDUCTION),
        is_amended=True,
    ),
    Kind(
        "B2B (ITC Reversal)",
        "Invoices whose ITC is to be reversed (Rule 37A)",
        BACK,
        "b2b",
        (*INVOICE, *TOLD, *OUTCOME, *E_INVOICE, *REVERSED),
    ),
    Kind(
        "B2BA (ITC Reversal)",
        "Amended invoices whose ITC is to be reversed (Rule 37A)",
        BACK,
        "b2ba",
        _revised(_original("Invoice"), (*INVOICE, *TOLD, *OUTCOME, *REVERSED)),
    ),
    Kind(
        "B2B-DNR",
        "Debit notes whose ITC is to be reversed (Rule 37A)",
        BACK,
        "cdnr",
        (*CREDIT, *TOLD, *OUTCOME, *E_INVOICE, *REVERSED),
    ),
    Kind(
        "B2B-DNRA",
        "Amended debit notes whose ITC is to be reversed (Rule 37A)",
        BACK,
        "cdnra",
        _one_too_far_left(_revised(NOTE_BEFORE, (*CREDIT, *TOLD, *OUTCOME, *REVERSED))),
    ),
    Kind(
        "B2B(Rejected)",
        "Invoices rejected in IMS",
        OUT,
        "b2b",
        (*_rejected(INVOICE), *DECIDED, *E_INVOICE),
    ),
    Kind(
        "B2BA(Rejected)",
        "Amended invoices rejected in IMS",
        OUT,
        "b2ba",
        _revised(_original("Invoice"), (*_rejected(INVOICE), *DECIDED)),
    ),
    Kind(
        "B2B-CDNR(Rejected)",
        "Debit/Credit notes rejected in IMS",
        OUT,
        "cdnr",
        (*_rejected(CREDIT), *DECIDED, *E_INVOICE),
    ),
    Kind(
        "B2B-CDNRA(Rejected)",
        "Amended Debit/Credit notes rejected in IMS",
        OUT,
        "cdnra",
        _revised(NOTE_BEFORE, (*_rejected(CREDIT), *DECIDED)),
    ),
    Kind("ECO(Rejected)", "ECO documents rejected in IMS", OUT, "ecom", (*_rejected(OPERATOR), *DECIDED, *E_INVOICE)),
    Kind(
        "ECOA(Rejected)",
        "Amended ECO documents rejected in IMS",
        OUT,
        "ecoma",
        _revised(_original("Document"), (*_rejected(OPERATOR), *DECIDED)),
    ),
    Kind("ISD(Rejected)", "ISD Credits rejected", OUT, "isd", ISD[:-1]),
    Kind("ISDA(Rejected)", "Amended ISD Credits rejected", OUT, "isda", _revised(ISD_BEFORE, ISD[:-1])),
)


@dataclass(frozen=True, slots=True)
class Head:
    """Whose statement it is, of which period and version, made when."""

    gstin: str
    legal_name: str
    trade_name: str
    period: TaxPeriod
    version: int
    made_on: date


@dataclass(frozen=True, slots=True)
class Line:
    """A printed row of a summary sheet; a part's own row has no tax where it is only a heading."""

    number: str
    heading: str
    table: str
    tax: Tax | None
    advisory: str = ""


SUMMARIES = {
    Placement.AVAILABLE: ("ITC Available", "FORM SUMMARY - ITC Available"),
    Placement.NOT_AVAILABLE: ("ITC not available", "FORM SUMMARY - ITC Not Available"),
    Placement.REVERSAL: ("ITC Reversal", "FORM SUMMARY - ITC Reversal"),
    Placement.REJECTED: ("ITC Rejected", "FORM SUMMARY - ITC Rejected"),
}

Rows = Callable[[Kind], Iterable[Row]]
"""Reads the documents of a sheet, while it is written."""


def sheets(head: Head, summaries: Mapping[Placement, Sequence[Line]], rows: Rows) -> Iterator[Sheet]:
    """Yield the 29 sheets in the portal's order; amounts are rupees, as the documents have them."""
    yield Sheet("Read me", _read_me(head), widths=(30, 44, 34, 60))
    for placement, (name, title) in SUMMARIES.items():
        yield _summary(name, title, summaries.get(placement, ()))
    for kind in KINDS:
        yield Sheet(
            kind.name,
            _cells(kind, rows),
            columns=[field.column for field in kind.fields],
            titles=(TITLE, kind.title),
        )


def _cells(kind: Kind, rows: Rows) -> Iterator[tuple[Cell, ...]]:
    for row in rows(kind):
        yield tuple(field.of(row) for field in kind.fields)


def _summary(name: str, title: str, lines: Sequence[Line]) -> Sheet:
    columns = [
        Column(("S.no.",), 8),
        Column(("Heading",), 70),
        Column(("GSTR-3B table",), 18),
        *(Column((name,)) for name in TAXES),
        Column(("Advisory",), 70),
    ]
    rows = [(line.number, line.heading, line.table, *_amounts(line.tax), line.advisory) for line in lines]
    return Sheet(name, rows, columns=columns, titles=(TITLE, title))


def _amounts(tax: Tax | None) -> tuple[Cell, ...]:
    return (None,) * 4 if tax is None else tuple(rupees(paise) for paise in tax)


def _read_me(head: Head) -> Iterator[tuple[Cell, ...]]:
    """Yield the title, what the statement is, and what every column of every sheet is called."""
    first, year = head.period.last_day, financial_year_of(head.period.month)
    yield (TITLE,)
    yield ()
    yield ("", "Financial Year", f"{year}-{(year + 1) % 100:02d}")
    yield ("", "Tax Period", f"{first:%B}")
    yield ("", "GSTIN", head.gstin)
    yield ("", "Legal Name", head.legal_name)
    yield ("", "Trade Name (if any)", head.trade_name)
    yield ("", "Date of generation", day(head.made_on))
    yield ("", "Version", f"{head.version}, of the IMS Portal mirror; not from the Government's portal")
    yield ()
    yield ("Worksheet Name", "GSTR-2B Table Reference", "Field Name", "Instructions")
    for kind in KINDS:
        for field in kind.fields:
            yield (kind.name, kind.title, field.heads[-1], " / ".join(field.heads[:-1]))
