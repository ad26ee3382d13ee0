"""What an input service distributor distributes, `isd-gstr6.json` (formats 10.2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from datetime import date as Day  # noqa: N812 - the field `date` hides the type
from typing import Any, BinaryIO

from ims_portal.rules import documents, periods
from ims_portal.rules.documents import NumberClass, Problem, Section
from ims_portal.rules.money import HEADS, Tax
from ims_portal.rules.periods import TaxPeriod
from invoices.feeds_json import fields
from invoices.feeds_json.envelope import Envelope, Shape
from invoices.feeds_json.fields import Place
from invoices.gstr1_json import values
from invoices.gstr1_json.values import Fault

SECTIONS = {"ISDI": Section.ISD, "ISDC": Section.ISDCN}


@dataclass(frozen=True, slots=True)
class IsdDocument:
    """One document of an ISD to one of its registrations; tax in paise.

    `corrected_*` is the invoice a credit note corrects, `original_*` the document an amendment replaces.
    """

    position: str
    recipient: str
    section: Section
    number: str
    date: Day
    is_eligible: bool
    tax: Tax
    corrected_number: str = ""
    corrected_date: Day | None = None
    original_number: str = ""
    original_date: Day | None = None

    @property
    def number_class(self) -> NumberClass:
        """The class within which its number may not repeat."""
        return documents.number_class(self.section)


@dataclass(frozen=True, slots=True)
class Gstr6:
    """Whose GSTR-6 of which month a file is, and when it was filed."""

    isd: str
    period: TaxPeriod
    filed_on: date


TAXES = dict.fromkeys(HEADS, values.paise)
DOCUMENT = {
    "doctyp": values.one_of(*SECTIONS),
    "docnum": values.document_number,
    "docdt": fields.day,
    "itcelg": values.one_of("Y", "N"),
    **TAXES,
    "oinvnum": values.document_number,
    "oinvdt": fields.day,
}
REQUIRED = tuple(key for key in DOCUMENT if key not in {"oinvnum", "oinvdt"})
AMENDMENT = {"odoctyp": values.one_of(*SECTIONS), "odocnum": values.document_number, "odocdt": fields.day}
LINE = {"docs": fields.whole, **dict.fromkeys(HEADS, fields.total)}
BY_KIND = {kind: fields.nested(kind, LINE, tuple(LINE)) for kind in SECTIONS}
SHAPE = Shape(
    feed="GSTR6-ISD",
    readers={
        "gstin": fields.anybody,
        "fp": fields.period,
        "filed_on": fields.day,
        "totals": fields.nested(
            "totals", {section: fields.nested(section, BY_KIND, ()) for section in ("isd", "isda")}, ()
        ),
    },
    required=("gstin", "fp", "filed_on", "totals"),
    lists=("isd", "isda"),
)


def read(stream: BinaryIO) -> Iterator[IsdDocument | Problem | Gstr6]:
    """Yield every document or all its problems, then what is wrong with the file, or at the very end whose it is.

    Raises UnreadableFileError, possibly after the last document, when no reader could trust the file.
    """
    envelope = Envelope(SHAPE)
    sums: Counter[tuple[str, str, str]] = Counter()
    is_whole = True
    for position, raw in envelope.elements(stream):
        for found in _group(raw, position):
            is_whole = is_whole and not isinstance(found, Problem)
            if isinstance(found, IsdDocument):
                _add(sums, found)
            yield found
    totals = envelope.head.get("totals") or {}
    for section, kind, key in sorted({(s, k, key) for s in ("isd", "isda") for k in SECTIONS for key in LINE}):
        told = ((totals.get(section) or {}).get(kind) or {}).get(key, 0)
        if is_whole and "totals" in envelope.head:
            envelope.compare(f"totals.{section}.{kind}.{key}", told, sums[section, kind, key], is_money=key != "docs")
    yield from envelope.problems
    if is_whole and not envelope.problems:
        head = envelope.head
        yield Gstr6(head["gstin"], periods.parse(head["fp"]), head["filed_on"])


def _add(sums: Counter[tuple[str, str, str]], document: IsdDocument) -> None:
    section = document.position.partition("[")[0]
    kind = next(kind for kind, of in SECTIONS.items() if of is document.section)
    for key, amount in (("docs", 1), *document.tax.as_dict().items()):
        sums[section, kind, key] += amount


def _group(raw: object, position: str) -> Iterator[IsdDocument | Problem]:
    """Yield the documents to one registration, or what is wrong around them."""
    around, faults = fields.fields(raw, {"ctin": fields.recipient, "docs": _documents}, ("ctin", "docs"))
    if faults:
        yield from (Place(position).problem(fault) for fault in faults)
        return
    for index, line in enumerate(around["docs"]):
        yield from _document(line, around["ctin"], f"{position}.docs[{index}]")


def _documents(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise values.WrongValueError.of(values.WRONG_TYPE, "is not a list. Give the documents as a list.")
    return value


def _document(raw: object, recipient: str, position: str) -> Iterator[IsdDocument | Problem]:
    is_amendment = position.startswith("isda")
    readers = DOCUMENT | AMENDMENT if is_amendment else DOCUMENT
    found, faults = fields.fields(raw, readers, (*REQUIRED, *(AMENDMENT if is_amendment else ())))
    if is_amendment and not faults and found["odoctyp"] != found["doctyp"]:
        said = f"doctyp {found['doctyp']} is another than odoctyp {found['odoctyp']}. An amendment keeps its kind."
        faults = [Fault(values.NOT_IN_LIST, "doctyp", said)]
    if faults:
        place = Place(position, str(found.get("docnum") or ""))
        yield from (place.problem(fault) for fault in faults)
        return
    yield IsdDocument(
        position=position,
        recipient=recipient,
        section=SECTIONS[found["doctyp"]],
        number=found["docnum"],
        date=found["docdt"],
        is_eligible=found["itcelg"] == "Y",
        tax=Tax(*(found[head] for head in HEADS)),
        corrected_number=found.get("oinvnum") or "",
        corrected_date=found.get("oinvdt"),
        original_number=found.get("odocnum") or "",
        original_date=found.get("odocdt"),
    )
