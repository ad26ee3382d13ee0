"""The documents of one version of a statement, as its files write them; read a piece at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ims_portal import clock
from ims_portal.rules.actions import Answer, BoeChange
from ims_portal.rules.gstr2b import PARTS_B, Part, Placement
from ims_portal.rules.money import NIL, Tax
from ims_portal.rules.periods import TaxPeriod
from ims_portal.rules.sections import InvoiceType, Section
from returns import gstr2b_rows_sql
from returns.gstr2b_json import Bill, Earlier, Row
from returns.gstr2b_rows_sql import Told
from returns.models import Gstr2b

AMENDED_BILLS = (Section.IMPGA, Section.IMPGSEZA)


def of(statement: Gstr2b, *, placements: Sequence[Placement] = (), sections: Sequence[Section] = ()) -> Iterator[Row]:
    """Yield the documents of a statement's version, those of one supplier, period and filing day together.

    All of them, or those of some placements and sections of records. One query, read in pieces; rows come by section,
    then by supplier and period, then as they were reported.
    """
    told = gstr2b_rows_sql.lines(
        recipient_id=statement.recipient_id,
        month=statement.month,
        version=statement.version,
        placements=[placement.value for placement in placements],
        sections=[section.value for section in sections],
    )
    return map(_row, told)


def _row(told: Told) -> Row:
    part = Part(told.part)
    counted = Tax(told.counted_igst, told.counted_cgst, told.counted_sgst, told.counted_cess)
    return Row(
        placement=Placement(told.placement),
        part=part,
        section=Section(told.section),
        ctin=told.gstin,
        name=told.name,
        filed_on=told.filed_on,
        period=TaxPeriod(told.return_month).wire,
        number=told.number,
        day=told.day,
        pos=told.pos,
        inv_type=InvoiceType(told.inv_type),
        is_reverse_charge=told.reverse_charge,
        reason=told.reason,
        value=told.value,
        taxable=told.taxable,
        tax=Tax(told.igst, told.cgst, told.sgst, told.cess),
        counted=counted,
        answer=told.answer,
        declared=_declared(counted, part) if told.answer == Answer.PART else NIL,
        remark=told.remark,
        original=_earlier(told),
        corrected=_corrected(told),
        irn=told.irn,
        irn_date=told.irn_date,
        is_differential=told.is_differential,
        is_ineligible=told.is_ineligible,
        bill=_bill(told),
        record=told.record,
    )


def _declared(counted: Tax, part: Part) -> Tax:
    """Return what was declared in part: what the line takes off the credit, head by head."""
    sign = 1 if part in PARTS_B else -1
    return Tax(*(max(0, sign * paise) for paise in counted))


def _earlier(told: Told) -> Earlier | None:
    if told.original_day is None or told.section in AMENDED_BILLS:
        return None
    return Earlier(Section(told.original_section), told.original_number, told.original_day)


def _corrected(told: Told) -> Earlier | None:
    if not told.corrected_number or told.corrected_day is None:
        return None
    return Earlier(Section.ISD, told.corrected_number, told.corrected_day)


def _bill(told: Told) -> Bill | None:
    """Return what customs told of a bill of entry; its importer before a change of GSTIN gave it up."""
    if told.dated is None or told.referred_on is None or told.received_at is None:
        return None
    kind = "G" if told.boe_change == BoeChange.NEW_GSTIN else "A"
    return Bill(
        referred_on=told.referred_on,
        received_on=clock.day(told.received_at),
        dated=told.dated,
        port=told.port,
        amends=kind if told.record_section in AMENDED_BILLS else "",
    )
