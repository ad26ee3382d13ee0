"""A record of IMS as a row of the portal's JSON: over the API and in the offline utility's file (formats 3.2, 3.8, 4).

Rows of bills of entry are provisional (formats 11, F5); all that is known of them is in this module.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import groupby
from typing import Any

from ims_portal.rules.actions import Action, Answer
from ims_portal.rules.money import NIL, Tax, to_rupees
from ims_portal.rules.sections import AMENDMENTS, BILLS_OF_ENTRY, NOTES, Form, InvoiceType, Section
from invoices import json_writing
from invoices.json_writing import rupees

FLAG = {True: "Y", False: "N"}
STATUS = {True: "Filed", False: "Not Filed"}
SUPPLY_TYPES = {one: one.value for one in InvoiceType} | {
    InvoiceType.SEZ_WITH_PAYMENT: "SEZWP",
    InvoiceType.SEZ_WITHOUT_PAYMENT: "SEZWOP",
}
"""How IMS spells a supply type: those of SEZ otherwise than GSTR-1 does (decision F4)."""

SOURCE_FORMS = {Form.GSTR1: "R1", Form.IFF: "R1", Form.GSTR1A: "R1A"}
ASKED = AMENDMENTS | {Section.CN}
"""The sections whose rows carry the ITC question (formats 3.3, 3.8)."""

DOCUMENT_HEADS = {"igst": "iamt", "cgst": "camt", "sgst": "samt", "cess": "cess"}
BILL_HEADS = {"igst": "igst", "cess": "cess"}
"""Head of tax -> its key in the row of a supplier's document, of a bill of entry."""

TEXT = json.JSONEncoder(ensure_ascii=False)
"""Made once: json.dumps would make another for every row."""


class Dialect(StrEnum):
    """Who reads the rows: a client of the API, or the offline utility."""

    API = "api"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class DocumentKey:
    """What tells a supplier's document from any other, as its row says it.

    `supplier` is a GSTIN, of an ECO document its operator's; `form` R1, R1A or R5; `period` that of the supplier's
    form, MMYYYY, or MM alone in some files (decision F9); ECO documents have no `inv_type`.
    """

    supplier: str
    number: str
    day: date
    form: str
    period: str
    inv_type: InvoiceType | None = None
    original_number: str = ""
    original_day: date | None = None


@dataclass(frozen=True, slots=True)
class BillKey:
    """What tells a bill of entry from any other, as its row says it; `reference` and its day are ICEGATE's.

    Periods are MMYYYY: the one the credit belongs to, and the one it was told in. `sez` is the GSTIN of the SEZ.
    """

    port: str
    number: str
    day: date
    reference: str = ""
    reference_day: date | None = None
    itc_period: str = ""
    source_period: str = ""
    sez: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A record as its row tells it; amounts are whole paise, positive for credit notes too.

    `declared` is what was declared of a partial reduction; `name` the supplier's or SEZ's; `amends` A or G of an
    amended bill of entry (formats 10.1). A flag is None where the wire has none. `record_id` and the `version` of its
    action are ours; no row of JSON has them.
    """

    section: Section
    key: DocumentKey | BillKey
    action: Action
    taxable: int
    tax: Tax
    value: int = 0
    pos: str = ""
    answer: Answer = Answer.NOT_GIVEN
    declared: Tax = NIL
    remark: str = ""
    name: str = ""
    amends: str = ""
    is_filed: bool | None = None
    pending_blocked: bool | None = None
    reduction_blocked: bool | None = None
    remarks_blocked: bool | None = None
    record_id: int = 0
    version: int = 0


def written(rows: Iterable[Row], *, recipient: str, dialect: Dialect) -> Iterator[str]:
    """Yield, a row at a time, the text of one JSON object with the rows of a recipient's GSTIN under their sections.

    Rows come section by section. Sections without rows are left out, in the offline file bills of entry too.
    """
    is_offline = dialect is Dialect.OFFLINE
    found = (one for one in rows if not (is_offline and one.section in BILLS_OF_ENTRY))
    seen: set[Section] = set()
    yield '{"imsDetails":{' if is_offline else "{"
    for section, few in groupby(found, key=lambda one: one.section):
        if section in seen:
            raise ValueError(f"rows of {section} come in two places: the file would hold the key twice")
        yield f'{"," if seen else ""}"{section}":['
        seen.add(section)
        for number, one in enumerate(few):
            text = TEXT.encode(as_row(one, recipient=recipient, dialect=dialect))
            yield f",{text}" if number else text
        yield "]"
    yield "}}" if is_offline else "}"


def as_row(one: Row, *, recipient: str, dialect: Dialect) -> dict[str, Any]:
    """Return the row of a record of a recipient's GSTIN, amounts in rupees."""
    if isinstance(one.key, BillKey):
        found = _bill(one, one.key)
    else:
        found = _document(one, one.key, is_offline=dialect is Dialect.OFFLINE)
    return found | {"hash": digest(one, recipient=recipient)}


def digest(one: Row, *, recipient: str) -> str:
    """Return our `hash` of a record: 64 hex digits that change with what its supplier says, never with the action."""
    key = one.key
    if isinstance(key, BillKey):
        said = [key.sez, key.port, key.number, _day(key.day), _day(key.reference_day), key.itc_period]
        amounts = [one.taxable, *(getattr(one.tax, head) for head in BILL_HEADS)]
    else:
        said = [key.supplier, key.number, _day(key.day), key.original_number, _day(key.original_day)]
        said += [SUPPLY_TYPES[key.inv_type] if key.inv_type else "", key.form, key.period]
        # The place of supply stands between the amounts.
        said += [str(to_rupees(one.value)), one.pos]
        amounts = [one.taxable, *one.tax]
    parts = [recipient, one.section.value, *said, *(str(to_rupees(paise)) for paise in amounts)]
    return hashlib.sha256("|".join(parts).encode()).hexdigest()


def _document(one: Row, key: DocumentKey, *, is_offline: bool) -> dict[str, Any]:
    number, day = ("nt_num", "nt_dt") if one.section in NOTES else ("inum", "idt")
    found: dict[str, Any] = {"stin": key.supplier} | ({"tradenm": one.name} if is_offline else {})
    if one.section in AMENDMENTS:
        found |= {f"o{number}": key.original_number, f"o{day}": _day(key.original_day)}
    found |= {number: key.number, day: _day(key.day)}
    if key.inv_type is not None:
        found["inv_typ"] = SUPPLY_TYPES[key.inv_type]
    found |= {"action": one.action.value} | _flag("ispendactblocked", is_set=one.pending_blocked)
    found |= {"srcform": key.form, "rtnprd": key.period}
    if is_offline:
        found |= {"rtnTyp": key.form, "sRtnPrd": key.period}
    if one.is_filed is not None:
        found["srcfilstatus"] = STATUS[one.is_filed]
    found |= {"val": rupees(one.value), "pos": one.pos, "txval": rupees(one.taxable)}
    found |= {name: rupees(getattr(one.tax, head)) for head, name in DOCUMENT_HEADS.items()}
    found |= _flag("isItcRedReqBlocked", is_set=one.reduction_blocked)
    if is_offline:
        # Two readers of the file know only this spelling (decision F2).
        found |= _flag("itcRedReqBlocked", is_set=one.reduction_blocked)
    found |= _answered(one, DOCUMENT_HEADS) | _flag("isRemarksBlocked", is_set=one.remarks_blocked)
    return found | ({"remarks": one.remark} if one.remark else {})


def _bill(one: Row, key: BillKey) -> dict[str, Any]:
    found = {"rgstinrefId": key.reference} | _flag("ispendactblocked", is_set=one.pending_blocked)
    found |= {"irefdt": _day(key.reference_day), "itcprd": key.itc_period}
    found |= {"portcd": key.port, "boenum": key.number, "boedt": _day(key.day)}
    if key.sez:
        found |= {"stin": key.sez, "tradenm": one.name}
    if one.amends:
        found["amendType"] = one.amends
    found |= _flag("isItcRedReqBlocked", is_set=one.reduction_blocked)
    found |= {"action": one.action.value} | _answered(one, BILL_HEADS)
    found |= {"txval": rupees(one.taxable)}
    found |= {name: rupees(getattr(one.tax, head)) for head, name in BILL_HEADS.items()}
    return found | {"srtinprd": key.source_period}


def _answered(one: Row, heads: Iterable[str]) -> dict[str, Any]:
    """Return the answer to the ITC question: none, a full reduction without amounts, part of it with all of them."""
    if one.answer is Answer.NOT_GIVEN:
        return {}
    found: dict[str, Any] = {"itcRedReq": FLAG[one.answer is not Answer.NONE]}
    if one.answer is Answer.PART:
        found |= {f"decl{head.title()}": rupees(getattr(one.declared, head)) for head in heads}
    return found


def _flag(name: str, *, is_set: bool | None) -> dict[str, Any]:
    return {} if is_set is None else {name: FLAG[is_set]}


def _day(day: date | None) -> str:
    return json_writing.day(day) if day else ""
