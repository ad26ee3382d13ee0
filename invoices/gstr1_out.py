"""Write a GSTR-1, GSTR-1A or IFF in the portal's JSON (formats 2): its documents, and the sums that are kept whole.

It is what `gstr1_json` reads. Memory stays flat whatever the length: documents are written as they come.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from ims_portal.rules import gstin as registrations
from ims_portal.rules import rates
from ims_portal.rules.documents import ECO, SECTION_OF, SEZ, Document, Section
from ims_portal.rules.money import Tax
from ims_portal.rules.rates import Heads
from invoices.gstr1_json import SummaryLine
from invoices.gstr1_json.shapes import SHAPES, Shape
from invoices.json_writing import day, keyed, many, one, rupees

TABLE = {section: table for (table, _note), section in SECTION_OF.items()}
NOTE_TYPE = {section: note for (_table, note), section in SECTION_OF.items()}
OF_ECO = {("ecom", True): "b2b", ("ecom", False): "urp2b", ("ecoma", True): "b2ba", ("ecoma", False): "urp2ba"}
"""Table of an operator, and whether the supplier behind the document is registered -> the list it stands in."""

BY_HEADS = {Heads.IGST: ("iamt", "csamt"), Heads.CGST_AND_SGST: ("camt", "samt", "csamt")}
SUPPLY = {Heads.IGST: "INTER", Heads.CGST_AND_SGST: "INTRA"}
TAXES = ("iamt", "camt", "samt", "csamt")
NIL_KEYS = {"nil": "nil_amt", "exempt": "expt_amt", "non_gst": "ngsup_amt"}
KEPT_WHOLE = ("nil", "supeco", "supecoa")
"""The sections of sums that can be written as they were reported: all others have rates, and these are not kept."""


def write(
    *, gstin: str, period: str, documents: Iterable[Document], sums: Mapping[str, Sequence[SummaryLine]]
) -> Iterator[str]:
    """Yield the text of a return of a period MMYYYY, piece by piece; amounts come in paise, days as Indian days.

    `documents` are read once and must come table by table in the order of `TABLE`, those of one `part_of` and of one
    recipient (and supplier behind it) together. `sums` has the lines of the sections `KEPT_WHOLE`.
    """
    head = [("gstin", one(gstin)), ("fp", one(period))]
    return keyed(_after(head, _sections(gstin, documents, sums)))


def part_of(section: Section, eco_supplier: str) -> str:
    """Return the list of a file a document stands in: `b2b`, or in it that of an operator, `ecom.urp2b`."""
    table = TABLE[section]
    return f"{table}.{OF_ECO[table, bool(eco_supplier)]}" if section in ECO else table


Pairs = Iterable[tuple[str, Iterable[str]]]


def _after(head: Pairs, sections: Pairs) -> Pairs:
    """Yield the keys of the root; one without a section would not be known for a GSTR-1 (formats 12.4)."""
    yield from head
    is_nil = True
    for section in sections:
        is_nil = False
        yield section
    if is_nil:
        yield "b2b", one([])


def _sections(supplier: str, documents: Iterable[Document], sums: Mapping[str, Sequence[SummaryLine]]) -> Pairs:
    """Yield each section in the order of formats 2.1: sums stand before the tables of operators."""
    summed = [(name, one(_SUMMED[name](sums[name]))) for name in KEPT_WHOLE if sums.get(name)]
    for table, found in groupby(documents, lambda document: TABLE[document.section]):
        if table in ("ecom", "ecoma"):
            yield from summed
            summed = []
            yield table, keyed(_parts(supplier, found))
        else:
            yield table, _groups(supplier, found, SHAPES[table])
    yield from summed


def _parts(supplier: str, documents: Iterable[Document]) -> Pairs:
    """Yield the lists of a table of operators: with a registered supplier behind the documents, and without."""
    for part, found in groupby(documents, lambda document: part_of(document.section, document.eco_supplier)):
        yield part.partition(".")[2], _groups(supplier, found, SHAPES[part])


def _groups(supplier: str, documents: Iterable[Document], shape: Shape) -> Iterator[str]:
    """Yield the list of a section: its documents by whom they concern."""
    found = groupby(documents, lambda document: {"stin": document.eco_supplier, shape.recipient: document.recipient})
    for_each = (
        keyed(
            [
                *((key, one(around[key])) for key in shape.group),
                (shape.documents, many(one(_document(document, shape, supplier)) for document in of)),
            ]
        )
        for around, of in found
    )
    return many(for_each)


def row(document: Document, supplier: str) -> dict[str, Any]:
    """Return a document as the list it stands in holds it (formats 2.2), of a supplier's GSTIN."""
    return _document(document, SHAPES[part_of(document.section, document.eco_supplier)], supplier)


def _document(document: Document, shape: Shape, supplier: str) -> dict[str, Any]:
    heads = _heads(document, supplier)
    found: dict[str, Any] = {}
    if shape.original and document.original_date:
        number, dated = shape.original
        found = {number: document.original_number, dated: day(document.original_date)}
    if note := NOTE_TYPE[document.section]:
        found["ntty"] = note
    found |= {shape.number: document.number, shape.dated: day(document.date)}
    found |= {"val": rupees(document.value), "pos": document.pos}
    if document.section in ECO:
        found |= {"sply_ty": SUPPLY[heads], "inv_typ": document.inv_type.value, "flag": "N"}
    else:
        found |= {"rchrg": "Y" if document.reverse_charge else "N", "inv_typ": document.inv_type.value}
        if document.differential:
            found["diff_percent"] = rupees(rates.DIFFERENTIAL)
        if document.irn and "irn" in shape.rest:
            found |= {"srctyp": "e-Invoice", "irn": document.irn}
            found |= {"irngendate": day(document.irn_date)} if document.irn_date else {}
    found["itms"] = [
        {"num": place, "itm_det": {"rt": rupees(item.rate), "txval": rupees(item.taxable), **_taxes(item.tax, heads)}}
        for place, item in enumerate(document.items, start=1)
    ]
    return found


def _heads(document: Document, supplier: str) -> Heads:
    """Return the heads of a document: those it bears, or where it bears none those it would."""
    if document.tax.igst or document.tax.cgst:
        return Heads.IGST if document.tax.igst else Heads.CGST_AND_SGST
    is_same_state = registrations.state_of(supplier) == document.pos
    return rates.heads_due(document.date, is_sez=document.inv_type in SEZ, is_same_state=is_same_state)


def _taxes(tax: Tax, heads: Heads) -> dict[str, Any]:
    """Return a tax of a line: the heads of its document, and whatever else it bears."""
    amounts = zip(TAXES, tax, strict=True)
    return {key: rupees(paise) for key, paise in amounts if paise or key in BY_HEADS[heads]}


def _nil(lines: Sequence[SummaryLine]) -> dict[str, Any]:
    """Return table 8: a row for each kind of supply, noughts of it included."""
    rows: dict[str, dict[str, Any]] = {}
    for line in lines:
        row = rows.setdefault(line.detail.supply, dict.fromkeys(NIL_KEYS.values(), 0))
        row[NIL_KEYS[line.detail.kind]] = rupees(line.taxable)
    return {"inv": [{"sply_ty": supply, **row} for supply, row in rows.items()]}


def _operators(lines: Sequence[SummaryLine]) -> dict[str, Any]:
    """Return table 14 or 14A: supplies through operators, by who pays the tax."""
    lists: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        told = line.detail
        igst, cgst, sgst, cess = map(rupees, line.tax)
        row: dict[str, Any] = {"etin": told.number, "suppval": rupees(line.taxable)}
        row |= {"igst": igst, "cgst": cgst, "sgst": sgst, "cess": cess}
        if told.month:
            row |= {"oetin": told.original, "omon": told.month}
        lists.setdefault(told.kind + ("a" if told.month else ""), []).append(row)
    return lists


_SUMMED = {"nil": _nil, "supeco": _operators, "supecoa": _operators}
