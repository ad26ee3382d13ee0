"""Documents whose supplier never paid, `rule37a.json` (formats 10.3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, BinaryIO

from ims_portal.rules import periods
from ims_portal.rules.documents import Problem, Section
from ims_portal.rules.money import HEADS, Tax
from ims_portal.rules.periods import TaxPeriod
from invoices.feeds_json import fields
from invoices.feeds_json.envelope import Envelope, Shape
from invoices.feeds_json.fields import Place
from invoices.gstr1_json import values

SECTIONS = {
    "b2b": (Section.B2B,),
    "b2ba": (Section.B2BA,),
    "cdnr": (Section.DN, Section.CN),
    "cdnra": (Section.DNA, Section.CNA),
}
"""A section of the reversal part of GSTR-2B -> the sections of records it names."""


@dataclass(frozen=True, slots=True)
class Reversed:
    """The document a reversal is of: its section in GSTR-2B, its supplier, and that supplier's period."""

    section: str
    supplier: str
    period: TaxPeriod
    number: str
    date: date


@dataclass(frozen=True, slots=True)
class Reversal:
    """Credit to be given back in a period's GSTR-2B; tax in paise. Without `document` only the sum is known."""

    position: str
    recipient: str
    period: TaxPeriod
    tax: Tax
    document: Reversed | None = None


@dataclass(frozen=True, slots=True)
class ReversalBatch:
    """What a file of reversals says of itself."""

    batch_id: str


RECORD = {
    "gstin": fields.recipient,
    "itcprd": fields.period,
    "section": values.one_of(*SECTIONS),
    "ctin": fields.anybody,
    "supprd": fields.period,
    "docnum": values.document_number,
    "docdt": fields.day,
    **dict.fromkeys(HEADS, values.paise),
}
SHAPE = Shape(
    feed="RULE-37A",
    readers={
        "batch_id": fields.words(60),
        "count": fields.whole,
        "totals": fields.nested("totals", dict.fromkeys(HEADS, fields.total), HEADS),
    },
    required=("batch_id", "count", "totals"),
    lists=("records",),
)


def read(stream: BinaryIO) -> Iterator[Reversal | Problem | ReversalBatch]:
    """Yield every reversal or all its problems, then what is wrong with the file, or at the very end the batch.

    Raises UnreadableFileError, possibly after the last reversal, when no reader could trust the file.
    """
    envelope = Envelope(SHAPE)
    found_sum, is_whole = Tax(), True
    for position, raw in envelope.elements(stream):
        found, faults = fields.fields(raw, RECORD, tuple(RECORD))
        is_whole = is_whole and not faults
        place = Place(position, str(found.get("docnum") or ""))
        yield from (place.problem(fault) for fault in faults)
        if not faults:
            reversal = _reversal(found, position)
            found_sum += reversal.tax
            yield reversal
    envelope.agree(found_sum.as_dict() if is_whole else None)
    yield from envelope.problems
    if is_whole and not envelope.problems:
        yield ReversalBatch(envelope.head["batch_id"])


def _reversal(found: dict[str, Any], position: str) -> Reversal:
    return Reversal(
        position=position,
        recipient=found["gstin"],
        period=periods.parse(found["itcprd"]),
        tax=Tax(*(found[head] for head in HEADS)),
        document=Reversed(
            section=found["section"],
            supplier=found["ctin"],
            period=periods.parse(found["supprd"]),
            number=found["docnum"],
            date=found["docdt"],
        ),
    )
