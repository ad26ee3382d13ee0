"""The records of a list with all that their rows in a file say: one statement, read in pieces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from ims_portal.sql import stream
from invoices import filters_sql
from invoices.filters import IN_IMS, Filters
from invoices.standing import Standing


class Listed(NamedTuple):
    """A record as it stands today; `month` is that of its GSTR-2B. Amounts are paise, months YYYYMM.

    What no supplier's document has is empty: `told_on` and what follows it are of a bill of entry.
    """

    record_id: int
    version: int
    section: str
    form: str
    return_month: int
    is_filed: bool
    number: str
    day: date
    pos: str
    inv_type: str
    taxable: int
    value: int
    igst: int
    cgst: int
    sgst: int
    cess: int
    answer: str
    declared_igst: int
    declared_cgst: int
    declared_sgst: int
    declared_cess: int
    remark: str
    boe_change: str
    month: int
    action: str
    is_specified: bool
    pending_blocked: bool
    remarks_blocked: bool
    supplier: str
    name: str
    original_number: str
    original_day: date | None
    told_on: date | None
    reference: str
    port: str


def listed(recipient_id: int, today: Standing, filters: Filters, *, with_superseded: bool) -> Iterator[Listed]:
    """Return the records a recipient's list shows: by section in the desk's order, then by date; one statement."""
    where, parameters = filters_sql.where(recipient_id, today, filters)
    where = where if with_superseded else f"{where} AND r.superseded_by_id IS NULL"
    return _where(today, where, parameters)


def named(recipient_id: int, today: Standing, ids: Sequence[int]) -> Iterator[Listed]:
    """Return some records of a recipient, listed or not, in the same order."""
    return _where(
        today,
        "r.recipient_id = %(recipient)s AND r.id = ANY(%(ids)s)",
        {"recipient": recipient_id, "ids": list(ids)},
    )


def _where(today: Standing, where: str, parameters: Mapping[str, object]) -> Iterator[Listed]:
    columns = today.columns("r")
    # What customs told stands with the record of its importer, or of the one who gave the bill up.
    rows = stream(
        f"""
        SELECT r.id, r.version, r.section, r.form, r.return_month, r.status = 'F', r.number, r.document_date,
            r.pos, r.inv_type, r.taxable, r.value, r.igst, r.cgst, r.sgst, r.cess,
            r.answer, r.declared_igst, r.declared_cgst, r.declared_sgst, r.declared_cess, r.remark, r.boe_change,
            {columns["month"]}, {columns["effective"]}, {columns["specified"]},
            {today.pending_blocked_sql("r")}, {today.remarks_blocked_sql("r")},
            coalesce(s.gstin, b.sez_gstin, g.sez_gstin, ''),
            coalesce(nullif(s.trade_name, ''), nullif(s.legal_name, ''), s.gstin, b.sez_name, g.sez_name, ''),
            coalesce(o.number, ''), o.document_date,
            coalesce(b.reference_date, g.reference_date), coalesce(b.reference, g.reference, ''), r.port
        FROM invoices_record r
        LEFT JOIN ims_portal_taxpayer s ON s.id = r.supplier_id
        LEFT JOIN invoices_record o ON o.id = r.original_id
        LEFT JOIN invoices_billofentry b ON b.record_id = r.id
        LEFT JOIN invoices_billofentry g ON g.reduction_id = r.id
        WHERE {where}
        ORDER BY array_position(%(in_order)s::text[], r.section::text), r.document_date, r.id
        """,
        {**parameters, "in_order": [section.value for section in IN_IMS]},
    )
    return map(Listed._make, rows)
