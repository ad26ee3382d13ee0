"""The documents of one version of a statement, as its files write them; read a piece at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import F

from ims_portal import clock
from ims_portal.rules.actions import Answer, BoeChange
from ims_portal.rules.gstr2b import PARTS_B, Part, Placement
from ims_portal.rules.money import NIL, Tax
from ims_portal.rules.periods import TaxPeriod
from ims_portal.rules.sections import InvoiceType, Section
from invoices.models import BillOfEntry, Record
from returns import gstr2b
from returns.gstr2b_json import Bill, Earlier, Row
from returns.models import Gstr2b, Gstr2bLine

AMENDED_BILLS = (Section.IMPGA, Section.IMPGSEZA)
PIECE = 2000
"""Lines read at a time, so that memory does not grow with the statement."""

BESIDE = (
    "record__supplier",
    "record__original",
    "record__detail",
    "record__bill",
    "record__bill_given_up",
    "record__isd",
    "record__reversal__document__supplier",
)


def of(statement: Gstr2b, *, placements: Sequence[Placement] = (), sections: Sequence[Section] = ()) -> Iterator[Row]:
    """Yield the documents of a statement's version, those of one supplier, period and filing day together.

    All of them, or those of some placements and sections of records. One query, read in pieces; rows come by section,
    then by supplier and period, then as they were reported.
    """
    found = gstr2b.lines(statement).select_related(*BESIDE)
    if placements:
        found = found.filter(placement__in=placements)
    if sections:
        found = found.filter(row__in=sections)
    order = ("row", F("record__supplier__gstin").asc(nulls_first=True), "record__return_month", "record_id")
    for line in found.order_by(*order).iterator(chunk_size=PIECE):
        yield _row(line)


def _row(line: Gstr2bLine) -> Row:
    record = line.record
    reversal, told = getattr(record, "reversal", None), _told(record)
    document = reversal.document if reversal is not None and reversal.document is not None else record
    supplier = document.supplier
    return Row(
        placement=Placement(line.placement),
        part=Part(line.part),
        section=Section(document.section),
        ctin=supplier.gstin if supplier else told.sez_gstin if told else "",
        name=supplier.name if supplier else told.sez_name if told else "",
        filed_on=document.filed_on,
        period=TaxPeriod(document.return_month).wire,
        number=document.number,
        day=document.document_date,
        pos=document.pos,
        inv_type=InvoiceType(document.inv_type),
        is_reverse_charge=document.reverse_charge,
        reason=line.reason,
        value=document.value,
        taxable=document.taxable,
        tax=record.tax,
        counted=line.tax,
        answer=line.answer,
        declared=_declared(line),
        remark=line.remark,
        original=_earlier(document),
        corrected=_corrected(record),
        **_details(document),
        is_ineligible=record.is_ineligible,
        bill=_bill(record, told) if told else None,
    )


def _declared(line: Gstr2bLine) -> Tax:
    """Return what was declared in part: what the line takes off the credit, head by head."""
    if line.answer != Answer.PART:
        return NIL
    sign = 1 if Part(line.part) in PARTS_B else -1
    return Tax(*(max(0, sign * paise) for paise in line.tax))


def _earlier(record: Record) -> Earlier | None:
    original = record.original
    if original is None or record.section in AMENDED_BILLS:
        return None
    return Earlier(Section(original.section), original.number, original.document_date)


def _corrected(record: Record) -> Earlier | None:
    isd = getattr(record, "isd", None)
    if isd is None or not isd.corrected_number or isd.corrected_date is None:
        return None
    return Earlier(Section.ISD, isd.corrected_number, isd.corrected_date)


def _details(record: Record) -> dict[str, Any]:
    detail = getattr(record, "detail", None)
    if detail is None:
        return {}
    return {"irn": detail.irn, "irn_date": detail.irn_date, "is_differential": detail.differential}


def _told(record: Record) -> BillOfEntry | None:
    """Return what customs told of a bill of entry; its importer before a change of GSTIN gave it up."""
    return getattr(record, "bill", None) or getattr(record, "bill_given_up", None)


def _bill(record: Record, told: BillOfEntry) -> Bill:
    is_amended = record.section in AMENDED_BILLS
    kind = "G" if record.boe_change == BoeChange.NEW_GSTIN else "A"
    return Bill(
        referred_on=told.reference_date,
        received_on=clock.day(told.received_at),
        dated=told.boe_date,
        port=told.port,
        amends=kind if is_amended else "",
    )
