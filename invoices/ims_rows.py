"""The records of a recipient's list as the files of IMS write them; read a piece at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ims_portal.models import Taxpayer
from ims_portal.rules.actions import Action, Answer, BoeChange
from ims_portal.rules.money import Tax
from ims_portal.rules.periods import TaxPeriod
from ims_portal.rules.sections import AMENDMENTS, BILLS_OF_ENTRY, ECO, Form, InvoiceType, Section
from invoices import ims_sql
from invoices.filters import Filters
from invoices.ims_json import ASKED, SOURCE_FORMS, BillKey, DocumentKey, Row
from invoices.ims_sql import Listed
from invoices.standing import Standing


def of(taxpayer: Taxpayer, today: Standing, filters: Filters, *, with_superseded: bool = True) -> Iterator[Row]:
    """Return the records a taxpayer's list shows under filters, as they stand today: by section, then by date.

    One query, read in pieces; what is barred is what the list bars. A list shows superseded records as such (R2.5);
    where rows have no word for it they are left out, as they are not counted.
    """
    return map(_row, ims_sql.listed(taxpayer.pk, today, filters, with_superseded=with_superseded))


def named(taxpayer: Taxpayer, today: Standing, ids: Sequence[int]) -> dict[int, Row]:
    """Return id -> the record as its row tells it, of some records of a taxpayer: one query."""
    return {found.record_id: _row(found) for found in ims_sql.named(taxpayer.pk, today, ids)}


def _row(found: Listed) -> Row:
    section = Section(found.section)
    is_bill = section in BILLS_OF_ENTRY
    return Row(
        section=section,
        key=_bill(found) if is_bill else _document(found, section),
        action=Action(found.action),
        taxable=found.taxable,
        tax=Tax(found.igst, found.cgst, found.sgst, found.cess),
        value=0 if is_bill else found.value,
        pos="" if is_bill else found.pos,
        answer=Answer(found.answer),
        declared=Tax(found.declared_igst, found.declared_cgst, found.declared_sgst, found.declared_cess),
        remark="" if is_bill else found.remark,
        name=found.name,
        amends=_change(found) if is_bill and section in AMENDMENTS else "",
        is_filed=None if is_bill else found.is_filed,
        pending_blocked=found.pending_blocked,
        reduction_blocked=not found.is_specified if section in ASKED else None,
        remarks_blocked=None if is_bill else found.remarks_blocked,
        record_id=found.record_id,
        version=found.version,
    )


def _document(found: Listed, section: Section) -> DocumentKey:
    return DocumentKey(
        supplier=found.supplier,
        number=found.number,
        day=found.day,
        form=SOURCE_FORMS[Form(found.form)],
        period=TaxPeriod(found.return_month).wire,
        inv_type=None if section in ECO else InvoiceType(found.inv_type),
        original_number=found.original_number,
        original_day=found.original_day,
    )


def _bill(found: Listed) -> BillKey:
    return BillKey(
        port=found.port,
        number=found.number,
        day=found.day,
        reference=found.reference,
        reference_day=found.told_on,
        itc_period=TaxPeriod(found.month).wire,
        source_period=TaxPeriod(found.return_month).wire,
        sez=found.supplier,
    )


def _change(found: Listed) -> str:
    """Return what kind of amendment a bill is: only its new importer's is one of GSTIN (formats 10.1)."""
    return "G" if found.boe_change == BoeChange.NEW_GSTIN else "A"
