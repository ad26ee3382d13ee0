"""The documents of one version of a statement, as its files write them; read a piece at a time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from ims_portal.rules.actions import Answer, BoeChange
from ims_portal.rules.gstr2b import PARTS_B, Part, Placement
from ims_portal.rules.money import NIL, Tax
from ims_portal.rules.sections import InvoiceType, Section
from invoices.models import BillOfEntry, Record
from returns.gstr2b_json import Bill, Earlier, Row
from returns.models import Gstr2b, Gstr2bLine

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


def of(statement: Gstr2b) -> Iterator[Row]:
    """Yield the documents of a statement's version, those of one supplier, period and filing day together.

    One query, read in pieces; rows come by section, then by supplier and period, then as they were reported.
    """
    for line in _lines(statement).iterator(chunk_size=PIECE):
        yield _row(line)


def _lines(statement: Gstr2b) -> QuerySet[Gstr2bLine]:
    """Return the lines a version counts."""
    version = Q(first_version__lte=statement.version) & (Q(last_version=None) | Q(last_version__gte=statement.version))
    found = Gstr2bLine.objects.filter(version, recipient_id=statement.recipient_id, month=statement.month)
    return found.select_related(*BESIDE).order_by(
        "row", F("record__supplier__gstin").asc(nulls_first=True), "record__return_month", "record_id"
    )


def _row(line: Gstr2bLine) -> Row:
    record = line.record
    reversal = _beside(record, "reversal")
    document = reversal.document if reversal is not None and reversal.document is not None else record
    bill, supplier = _bill(record), document.supplier
    told = _beside(record, "bill") or _beside(record, "bill_given_up")
    return Row(
        placement=Placement(line.placement),
        part=Part(line.part),
        section=Section(document.section),
        ctin=supplier.gstin if supplier else told.sez_gstin if told else "",
        name=supplier.name if supplier else told.sez_name if told else "",
        filed_on=document.filed_on,
        period=_period(document.return_month),
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
        bill=bill,
    )


def _declared(line: Gstr2bLine) -> Tax:
    """Return what was declared in part: what the line takes off the credit, head by head."""
    if line.answer != Answer.PART:
        return NIL
    sign = 1 if Part(line.part) in PARTS_B else -1
    return Tax(*(max(0, sign * paise) for paise in line.tax))


def _earlier(record: Record) -> Earlier | None:
    original = record.original
    if original is None or record.section in (Section.IMPGA, Section.IMPGSEZA):
        return None
    return Earlier(Section(original.section), original.number, original.document_date)


def _corrected(record: Record) -> Earlier | None:
    isd = _beside(record, "isd")
    if isd is None or not isd.corrected_number or isd.corrected_date is None:
        return None
    return Earlier(Section.ISD, isd.corrected_number, isd.corrected_date)


def _details(record: Record) -> dict[str, Any]:
    detail = _beside(record, "detail")
    if detail is None:
        return {}
    return {"irn": detail.irn, "irn_date": detail.irn_date, "is_differential": detail.differential}


def _bill(record: Record) -> Bill | None:
    """Return what customs told of a bill of entry; its importer before a change of GSTIN gave it up."""
    told: BillOfEntry | None = _beside(record, "bill") or _beside(record, "bill_given_up")
    if told is None:
        return None
    is_amended = record.section in (Section.IMPGA, Section.IMPGSEZA)
    kind = "G" if record.boe_change == BoeChange.NEW_GSTIN else "A"
    return Bill(
        referred_on=told.reference_date,
        received_on=_day(told.received_at),
        dated=told.boe_date,
        port=told.port,
        amends=kind if is_amended else "",
    )


def _day(moment: Any) -> date:  # noqa: ANN401 an aware datetime
    return timezone.localdate(moment)


def _period(month: int) -> str:
    return f"{month % 100:02d}{month // 100}"


def _beside(record: Record, name: str) -> Any:  # noqa: ANN401 one of several models, or None
    """Return what stands beside a record in a table of its own, None where nothing does."""
    try:
        return getattr(record, name)
    except ObjectDoesNotExist:
        return None
