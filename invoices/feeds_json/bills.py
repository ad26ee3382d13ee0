"""Bills of entry from ICEGATE, `boe-icegate.json` (formats 10.1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from datetime import date as Day  # noqa: N812 - the field `date` hides the type
from enum import StrEnum
from typing import Any, BinaryIO

from ims_portal.rules.documents import Problem, day_in_words
from ims_portal.rules.money import Tax
from invoices.feeds_json import fields
from invoices.feeds_json.envelope import Envelope, Shape
from invoices.feeds_json.fields import OUT_OF_DAYS, Place
from invoices.gstr1_json import values
from invoices.gstr1_json.values import Fault

NO_ORIGINAL, RECIPIENT_FIXED = "APP-B02", "APP-G118"


class Event(StrEnum):
    """What happened to a bill of entry."""

    NEW = "NEW"
    AMEND_VALUE = "AMEND_VALUE"
    AMEND_GSTIN = "AMEND_GSTIN"


class Source(StrEnum):
    """Where the goods came from."""

    OVERSEAS = "OVERSEAS"
    SEZ = "SEZ"


@dataclass(frozen=True, slots=True)
class Before:
    """A bill before an event: who could take its credit, when it counted, its amounts in paise."""

    importer: str
    reference_date: Day
    taxable: int
    tax: Tax


@dataclass(frozen=True, slots=True)
class Bill:
    """One event of a bill of entry, with what holds after it; amounts in paise. `before` belongs to amendments."""

    position: str
    event: Event
    source: Source
    seq: int
    importer: str
    port: str
    number: str
    date: Day
    reference_date: Day
    received_at: datetime
    taxable: int
    tax: Tax
    before: Before | None = None
    reference: str = ""
    importer_name: str = ""
    sez_gstin: str = ""
    sez_name: str = ""


@dataclass(frozen=True, slots=True)
class BillBatch:
    """What a file of bills says of itself."""

    batch_id: str


AMOUNTS = {"taxable_value": values.paise, "igst": values.paise, "cess": values.paise}
BEFORE = {"importer_gstin": fields.recipient, "icegate_ref_date": fields.day, **AMOUNTS}
RECORD = {
    "ref_no": fields.words(30),
    "event": values.one_of(*Event),
    "source": values.one_of(*Source),
    "seq": fields.whole,
    "importer_gstin": fields.recipient,
    "importer_name": fields.words(200),
    "sez_gstin": fields.anybody,
    "sez_name": fields.words(200),
    "port_code": values.pattern(r"[A-Z0-9]{6}", "of six capital letters and digits, such as INMAA1"),
    "boe_number": values.pattern(r"[0-9]{7}", "of seven digits, such as 7012345"),
    "boe_date": fields.day,
    "icegate_ref_date": fields.day,
    "received_at": fields.moment,
    **AMOUNTS,
    "original": fields.nested("original", BEFORE, tuple(BEFORE)),
}
REQUIRED = tuple(key for key in RECORD if key not in {"importer_name", "sez_gstin", "sez_name", "original"})
SHAPE = Shape(
    feed="ICEGATE-BOE",
    readers={
        "batch_id": fields.words(60),
        "generated_at": fields.moment,
        "from": fields.day,
        "to": fields.day,
        "count": fields.whole,
        "totals": fields.nested("totals", dict.fromkeys(AMOUNTS, fields.total), tuple(AMOUNTS)),
    },
    required=("batch_id", "generated_at", "from", "to", "count", "totals"),
    lists=("records",),
)


def read(stream: BinaryIO) -> Iterator[Bill | Problem | BillBatch]:
    """Yield every event or all its problems, then what is wrong with the file, or at the very end the batch.

    Raises UnreadableFileError, possibly after the last event, when no reader could trust the file.
    """
    envelope = Envelope(SHAPE)
    sums = dict.fromkeys(AMOUNTS, 0)
    days: dict[str, date] = {}
    is_whole = True
    for position, raw in envelope.elements(stream):
        found, problems = _record(raw, position)
        is_whole = is_whole and not problems
        yield from problems
        if not problems:
            bill = _bill(found, position)
            days[position] = bill.reference_date
            for key in AMOUNTS:
                sums[key] += found[key]
            yield bill
    envelope.agree(sums if is_whole else None)
    envelope.problems += _outside(envelope.head, days)
    yield from envelope.problems
    if is_whole and not envelope.problems:
        yield BillBatch(envelope.head["batch_id"])


def _outside(head: dict[str, Any], days: dict[str, date]) -> Iterator[Problem]:
    """Yield the records whose reference date the file says it does not cover."""
    begin, end = head.get("from"), head.get("to")
    if not begin or not end:
        return
    for position, day in days.items():
        if not begin <= day <= end:
            said = (
                f"icegate_ref_date {day_in_words(day)} is not within from and to of the file, {day_in_words(begin)} to "
                f"{day_in_words(end)}. Ask the sender which is right."
            )
            yield Place(position).problem(Fault(OUT_OF_DAYS, "icegate_ref_date", said))


def _record(raw: object, position: str) -> tuple[dict[str, Any], list[Problem]]:
    found, faults = fields.fields(raw, RECORD, REQUIRED)
    if not faults:
        faults = list(_contradictions(found))
    place = Place(position, str(found.get("boe_number") or ""))
    return found, [place.problem(fault) for fault in faults]


def _contradictions(found: dict[str, Any]) -> Iterator[Fault]:
    """Yield what the keys of one record, each right by itself, say against one another."""
    event, before = Event(found["event"]), found.get("original")
    if (event is Event.NEW) != (found["seq"] == 0):
        yield Fault(
            values.NOT_IN_LIST,
            "seq",
            f"seq {found['seq']} does not go with {event.value}: 0 is for NEW, 1, 2 .. for amendments. Correct it.",
        )
    if event is not Event.NEW and before is None:
        yield Fault(NO_ORIGINAL, "original", "original is missing. Say what the bill was before this amendment.")
    if found["source"] == Source.SEZ:
        for key in ("sez_gstin", "sez_name"):
            if not found.get(key):
                yield Fault(values.MISSING, key, f"{key} is missing, though the goods came from an SEZ. Add it.")
    if found["boe_date"] > found["icegate_ref_date"]:
        yield Fault(OUT_OF_DAYS, "boe_date", "boe_date is after icegate_ref_date. Correct one of the days.")
    if before is not None:
        yield from _importer(event, found["importer_gstin"], before["importer_gstin"])


def _importer(event: Event, after: str, before: str) -> Iterator[Fault]:
    if event is Event.AMEND_VALUE and after != before:
        said = f"importer_gstin {after} is another than before, {before}. Send a change of importer as AMEND_GSTIN."
        yield Fault(RECIPIENT_FIXED, "importer_gstin", said)
    if event is Event.AMEND_GSTIN and after == before:
        said = f"importer_gstin {after} is the same as before. Name the new importer, or send it as AMEND_VALUE."
        yield Fault(values.NOT_IN_LIST, "importer_gstin", said)


def _bill(found: dict[str, Any], position: str) -> Bill:
    before = found.get("original")
    return Bill(
        position=position,
        event=Event(found["event"]),
        source=Source(found["source"]),
        seq=found["seq"],
        importer=found["importer_gstin"],
        port=found["port_code"],
        number=found["boe_number"],
        date=found["boe_date"],
        reference_date=found["icegate_ref_date"],
        received_at=found["received_at"],
        taxable=found["taxable_value"],
        tax=Tax(igst=found["igst"], cess=found["cess"]),
        before=before
        and Before(
            importer=before["importer_gstin"],
            reference_date=before["icegate_ref_date"],
            taxable=before["taxable_value"],
            tax=Tax(igst=before["igst"], cess=before["cess"]),
        ),
        reference=found["ref_no"],
        importer_name=found.get("importer_name") or "",
        sez_gstin=found.get("sez_gstin") or "",
        sez_name=found.get("sez_name") or "",
    )
