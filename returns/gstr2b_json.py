"""A GSTR-2B in the portal's JSON (formats 5): what each document is, what it does to the credit, sums by supplier.

Rows carry the documents' own amounts; what they do to the credit, which may be less, is in `itcsumm` alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from ims_portal.rules.gstr2b import Part, Placement
from ims_portal.rules.money import HEADS, NIL, Tax
from ims_portal.rules.sections import InvoiceType, Section
from invoices.json_writing import day, rupees

VERSION = "1.0"
FLAG = {True: "Y", False: "N"}

BLOCKS = {
    Placement.AVAILABLE: "itcavl",
    Placement.NOT_AVAILABLE: "itcunavl",
    Placement.REVERSAL: "itcrev",
    Placement.REJECTED: "itcRejected",
}
SUPPLIES = ("b2b", "b2ba", "cdnr", "cdnra")
BUCKETS = {
    "nonrevsup": (*SUPPLIES, "ecom", "ecoma"),
    "isdsup": ("isd", "isda"),
    "revsup": SUPPLIES,
    "imports": ("impg", "impgsez", "impga", "impgasez"),
    "othersup": ("cdnr", "cdnra", "cdnrrev", "cdnrarev", "isd", "isda"),
}
"""Bucket of a block -> its sections, all written, zeros included (formats 5.4)."""

BUCKET_OF = {
    Part.A_I: "nonrevsup",
    Part.A_II: "isdsup",
    Part.A_III: "revsup",
    Part.A_IV: "imports",
    Part.B_I: "othersup",
    Part.B_II: "othersup",
    Part.B_III: "othersup",
}
LISTS = {
    Section.B2B: "b2b",
    Section.B2BA: "b2ba",
    Section.DN: "cdnr",
    Section.DNA: "cdnra",
    Section.CN: "cdnr",
    Section.CNA: "cdnra",
    Section.ECO: "ecom",
    Section.ECOA: "ecoma",
    Section.ISD: "isd",
    Section.ISDCN: "isd",
    Section.IMPG: "impg",
    Section.IMPGA: "impg",
    Section.IMPGSEZ: "impgsez",
    Section.IMPGSEZA: "impgsez",
}
"""Our section -> the list of `docdata` its documents stand in; amended bills stand among the others, marked."""

ORDER = (*SUPPLIES, "ecom", "ecoma", "isd", "isda", "impg", "impgsez")
ROWS_OF = {"cdnr": "nt", "cdnra": "nt", "isd": "doclist", "isda": "doclist", "impgsez": "boe"}
"""List of `docdata` -> the key of its groups' rows, `inv` elsewhere."""

SEZ_TYPES = {InvoiceType.SEZ_WITH_PAYMENT: "SEZWP", InvoiceType.SEZ_WITHOUT_PAYMENT: "SEZWOP"}
"""Types GSTR-2B spells otherwise than GSTR-1 does (decision F4)."""

NOTES = {Section.CN: "C", Section.CNA: "C", Section.DN: "D", Section.DNA: "D"}
CREDIT_NOTES = (Section.CN, Section.CNA)


@dataclass(frozen=True, slots=True)
class Earlier:
    """The document an amendment replaces, or that an ISD credit note corrects."""

    section: Section
    number: str
    day: date


@dataclass(frozen=True, slots=True)
class Bill:
    """What customs told of a bill of entry besides its number; `amends` is A or G of an amendment (formats 10.1)."""

    referred_on: date
    received_on: date
    dated: date
    port: str
    amends: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A document of a statement; amounts are its own, in paise, and `counted` what it does to the credit.

    `section` is that of the document, of a Rule 37A reversal that of the document reversed. `counted` is signed as
    printed. `answer` is F, P, N or "" of the ITC question; `declared` what was declared of it in part. `record` is the
    id of its record, which no file holds.
    """

    placement: Placement
    part: Part
    section: Section
    ctin: str
    name: str
    filed_on: date | None
    period: str
    number: str
    day: date
    pos: str
    inv_type: InvoiceType
    is_reverse_charge: bool
    reason: str
    value: int
    taxable: int
    tax: Tax
    counted: Tax
    answer: str = ""
    declared: Tax = NIL
    remark: str = ""
    original: Earlier | None = None
    corrected: Earlier | None = None
    irn: str = ""
    irn_date: date | None = None
    is_differential: bool = False
    is_ineligible: bool = False
    bill: Bill | None = None
    record: int = 0

    @property
    def list(self) -> str:
        """The list of `docdata` it stands in."""
        return "isda" if self.is_amended_isd else LISTS[self.section]

    @property
    def is_amended_isd(self) -> bool:
        """Whether it is an ISD document that replaces an earlier one."""
        return self.section in (Section.ISD, Section.ISDCN) and self.original is not None

    @property
    def cell(self) -> str:
        """The section of `itcsumm` it counts in."""
        if self.part is Part.B_III:
            return {"cdnr": "cdnrrev", "cdnra": "cdnrarev"}[self.list]
        return {Section.IMPGA: "impga", Section.IMPGSEZA: "impgasez"}.get(self.section, self.list)


def envelope(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a statement as a file holds it: its data, and the digest of them (formats 5.1)."""
    return {"chksum": digest(data), "data": data}


def digest(data: Mapping[str, Any]) -> str:
    """Return the SHA-256, in hex, of data as compact JSON with its keys sorted."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def statement(*, gstin: str, period: str, made_on: date, rows: Iterable[Row]) -> dict[str, Any]:
    """Return the data of a statement of a period MMYYYY; groups stand in the order their first rows come in."""
    ((_count, data),) = in_parts(gstin=gstin, period=period, made_on=made_on, chunks=[list(rows)])
    return data


def in_parts(
    *, gstin: str, period: str, made_on: date, chunks: Iterable[Sequence[Row]]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the data of a statement chunk by chunk, each with how many documents it holds; the last has all the sums.

    Merged list by list they are the statement, but that documents of one supplier may stand in two groups (formats 7).
    Reversals come all in the last, for their list holds one object. Two chunks are held at once.
    """
    head = {"gstin": gstin, "rtnprd": period, "version": VERSION, "gendt": day(made_on)}
    sums, held, reversed_ = _Sums(), list[Row](), list[Row]()
    for chunk in chunks:
        if held:
            yield len(held), head | _documents(held)
        sums.add(chunk)
        held = [row for row in chunk if row.placement is not Placement.REVERSAL]
        reversed_ += [row for row in chunk if row.placement is Placement.REVERSAL]
    last = held + reversed_
    yield len(last), head | sums.written() | _documents(last)


def _documents(rows: Sequence[Row]) -> dict[str, Any]:
    taken, rejected = _Documents(), _Documents()
    for row in rows:
        (rejected if row.placement is Placement.REJECTED else taken).add(row)
    return {"docdata": taken.written(), "docRejdata": rejected.written()}


class _Sums:
    """All that is summed of a statement: what it does to the credit, and the documents of each supplier."""

    def __init__(self) -> None:
        self.summary, self.taken, self.rejected = _Summary(), _Suppliers(), _Suppliers()

    def add(self, rows: Sequence[Row]) -> None:
        """Add documents."""
        for row in rows:
            self.summary.add(row)
            (self.rejected if row.placement is Placement.REJECTED else self.taken).add(row)

    def written(self) -> dict[str, Any]:
        """Return the three of them."""
        return {
            "itcsumm": self.summary.written(),
            "cpsumm": self.taken.written(),
            "cpSummRej": self.rejected.written(),
        }


class _Summary:
    """The sums of `itcsumm`: of every section, and of them every bucket."""

    def __init__(self) -> None:
        self.cells = {
            (block, bucket, cell): NIL
            for block in BLOCKS.values()
            for bucket, cells in BUCKETS.items()
            for cell in cells
            if block != "itcrev" or (bucket != "revsup" and cell not in ("ecom", "ecoma"))
        }

    def add(self, row: Row) -> None:
        """Add what a document does to the credit."""
        key = BLOCKS[row.placement], BUCKET_OF[row.part], row.cell
        self.cells[key] += row.counted

    def written(self) -> dict[str, Any]:
        """Return the four blocks."""
        blocks: dict[str, dict[str, dict[str, Any]]] = {}
        for (block, bucket, cell), tax in self.cells.items():
            blocks.setdefault(block, {}).setdefault(bucket, {})[cell] = tax
        return {
            block: {
                bucket: _tax(sum(cells.values(), NIL)) | {cell: _tax(tax) for cell, tax in cells.items()}
                for bucket, cells in buckets.items()
            }
            for block, buckets in blocks.items()
        }


class _Documents:
    """The documents of one half of the statement by section and supplier."""

    def __init__(self) -> None:
        self.groups: dict[str, dict[tuple[str, ...], list[Row]]] = {}

    def add(self, row: Row) -> None:
        """Put a document to those of its supplier, period and filing day."""
        kind = "itcrev" if row.placement is Placement.REVERSAL else row.list
        self.groups.setdefault(kind, {}).setdefault(_key(row), []).append(row)

    def written(self) -> dict[str, Any]:
        """Return the lists of documents, empty ones left out."""
        found: dict[str, Any] = {}
        for kind in ORDER:
            groups = self.groups.get(kind, {})
            if groups and kind == "impg":
                found[kind] = [row_of(row) for rows in groups.values() for row in rows]
            elif groups:
                found[kind] = [_group(kind, key, rows) for key, rows in groups.items()]
        if reversed_ := self.groups.get("itcrev"):
            of_section: dict[str, list[dict[str, Any]]] = {}
            for kind, key, rows in _by_list(reversed_):
                of_section.setdefault(kind, []).append(_group(kind, key, rows))
            found["itcrev"] = [of_section]
        return found


class _Sum:
    """How many documents there are of a kind, and what they come to."""

    def __init__(self) -> None:
        self.count, self.taxable, self.tax = 0, 0, NIL

    def add(self, row: Row) -> None:
        """Add a document."""
        self.count, self.taxable, self.tax = self.count + 1, self.taxable + row.taxable, self.tax + row.tax


class _Suppliers:
    """The sums of every supplier's documents: of each kind of note and of ISD document, of each port."""

    def __init__(self) -> None:
        self.sums: dict[str, dict[tuple[str, ...], dict[str, _Sum]]] = {}
        self.reversed: dict[tuple[str, ...], dict[tuple[str, str], _Sum]] = {}

    def add(self, row: Row) -> None:
        """Add a document to those of its supplier, period and filing day."""
        if row.placement is Placement.REVERSAL:
            kind = row.list, _type_of(row.list, row)
            self.reversed.setdefault(_key(row), {}).setdefault(kind, _Sum()).add(row)
        elif row.list != "impg":
            groups = self.sums.setdefault(row.list, {})
            groups.setdefault(_key(row), {}).setdefault(_type_of(row.list, row), _Sum()).add(row)

    def written(self) -> dict[str, Any]:
        """Return the sums by supplier; bills of entry from overseas have no supplier."""
        found: dict[str, Any] = {}
        for kind in ORDER:
            if kind in self.sums:
                groups = self.sums[kind].items()
                found[kind] = [_sum(kind, key, type_, one) for key, types in groups for type_, one in types.items()]
        if self.reversed:
            found["itcrev"] = [
                {kind: _sum(kind, key, type_, one)}
                for key, kinds in self.reversed.items()
                for (kind, type_), one in sorted(kinds.items(), key=lambda told: SUPPLIES.index(told[0][0]))
            ]
        return found


def _by_list(
    groups: Mapping[tuple[str, ...], list[Row]],
) -> Iterator[tuple[str, tuple[str, ...], list[Row]]]:
    """Yield the reversed documents of each supplier by the list they would stand in."""
    for key, rows in groups.items():
        for kind in SUPPLIES:
            few = [row for row in rows if row.list == kind]
            if few:
                yield kind, key, few


def _group(kind: str, key: tuple[str, ...], rows: list[Row]) -> dict[str, Any]:
    ctin, name, filed, period = key
    head = {"ctin": ctin, "trdnm": name}
    if kind != "impgsez":
        head |= {"supfildt": filed, "supprd": period}
    return {**head, ROWS_OF.get(kind, "inv"): [row_of(row) for row in rows]}


def group_of(row: Row) -> dict[str, str]:
    """Return what the group of a document says of it."""
    return dict(zip(("ctin", "trdnm", "supfildt", "supprd"), _key(row), strict=True))


def _sum(kind: str, key: tuple[str, ...], type_: str, one: _Sum) -> dict[str, Any]:
    ctin, name, filed, period = key
    head, taxable = {"ctin": ctin, "trdnm": name}, {"txval": rupees(one.taxable)}
    if kind == "impgsez":
        amounts = {"igst": rupees(one.tax.igst), "cess": rupees(one.tax.cess)}
        return head | {"portcode": type_, "ttldocs": one.count} | taxable | amounts
    head |= {"supprd": period, "supfildt": filed}
    if type_:
        head["doctyp" if kind in ("isd", "isda") else "nttyp"] = type_
    return head | {"ttldocs": one.count} | ({} if kind in ("isd", "isda") else taxable) | _tax(one.tax)


def _key(row: Row) -> tuple[str, str, str, str]:
    return row.ctin, row.name, day(row.filed_on) if row.filed_on else "", row.period


def _type_of(kind: str, row: Row) -> str:
    if kind in ("isd", "isda"):
        return _isd_type(row.section)
    if kind == "impgsez":
        return row.bill.port if row.bill else ""
    return NOTES.get(row.section, "")


def row_of(row: Row) -> dict[str, Any]:
    """Return a document as its list holds it."""
    if row.bill is not None:
        return _bill_row(row, row.bill)
    return _isd_row(row) if row.list in ("isd", "isda") else _document_row(row)


def _document_row(row: Row) -> dict[str, Any]:
    """Return the row of an invoice, a note or an ECO document (formats 5.2)."""
    type_ = SEZ_TYPES.get(row.inv_type, row.inv_type.value)
    is_note, is_out = row.section in NOTES, row.placement is Placement.REJECTED
    found: dict[str, Any] = {}
    if row.original is not None and is_note:
        kind = NOTES.get(row.original.section, NOTES[row.section])
        found = {"onttyp": kind, "ontnum": row.original.number, "ontdt": day(row.original.day)}
    elif row.original is not None:
        found = {"oinum": row.original.number, "oidt": day(row.original.day)}
    if is_note:
        found |= {"ntnum": row.number, "typ": NOTES[row.section], "suptyp": type_}
    else:
        found |= {"inum": row.number, "typ": type_}
    found |= {"dt": day(row.day), "val": rupees(row.value), "pos": row.pos}
    found |= {"rev": FLAG[row.is_reverse_charge], "itcavl": "Y", "rsn": ""}
    if row.placement is Placement.NOT_AVAILABLE:
        found |= {"itcavl": "N", "rsn": row.reason}
    if row.section not in (Section.ECO, Section.ECOA):
        found["diffprcnt"] = 0.65 if row.is_differential else 1
    found |= {"txval": rupees(row.taxable)} | _tax(row.tax)
    if row.irn and row.section not in (Section.B2BA, Section.DNA, Section.CNA, Section.ECO, Section.ECOA):
        found |= {"srctyp": "e-Invoice", "irn": row.irn, "irngendate": day(row.irn_date) if row.irn_date else ""}
    return found | ({} if is_out else _answered(row)) | ({"remarks": row.remark} if row.remark else {})


def _answered(row: Row) -> dict[str, Any]:
    """Return the answer to the ITC question: none, a full reduction without amounts, part of it with all four."""
    if not row.answer:
        return {}
    if row.answer == "N":
        return {"itcRedReq": "N"}
    if row.answer == "F":
        return {"itcRedReq": "Y"}
    amounts = {f"decl{head.title()}": rupees(paise) for head, paise in row.declared.as_dict().items()}
    return {"itcRedReq": "Y", **amounts}


def _isd_row(row: Row) -> dict[str, Any]:
    found = {}
    if row.original is not None:
        kind = _isd_type(row.original.section)
        found = {"odoctyp": kind, "odocnum": row.original.number, "odocdt": day(row.original.day)}
    found |= {"doctyp": _isd_type(row.section), "docnum": row.number, "docdt": day(row.day)}
    if row.corrected is not None:
        found |= {"oinvnum": row.corrected.number, "oinvdt": day(row.corrected.day)}
    return found | _tax(row.tax) | {"itcelg": FLAG[not row.is_ineligible]}


def _isd_type(section: Section) -> str:
    return "ISDC" if section is Section.ISDCN else "ISDI"


def _bill_row(row: Row, bill: Bill) -> dict[str, Any]:
    found = {
        "refdt": day(bill.referred_on),
        "recdt": day(bill.received_on),
        "portcode": bill.port,
        "boenum": row.number,
        "boedt": day(bill.dated),
        "isamd": FLAG[bool(bill.amends)],
        "txval": rupees(row.taxable),
        "igst": rupees(row.tax.igst),
        "cess": rupees(row.tax.cess),
    }
    return found | ({"amendType": bill.amends} if bill.amends else {}) | _answered(row)


def _tax(tax: Tax) -> dict[str, Any]:
    return {head: rupees(getattr(tax, head)) for head in HEADS}
