"""The lines of a version of a statement with all that their rows in a file say: one statement, read in pieces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import NamedTuple

from ims_portal.rules.money import HEADS
from ims_portal.sql import stream


class Told(NamedTuple):
    """A line and the document it counts, of a Rule 37A reversal the one reversed; amounts are paise, months YYYYMM.

    What no supplier's document has is empty: `port` and what follows it are of a bill of entry.
    """

    placement: str
    part: str
    reason: str
    counted_igst: int
    counted_cgst: int
    counted_sgst: int
    counted_cess: int
    answer: str
    remark: str
    igst: int
    cgst: int
    sgst: int
    cess: int
    is_ineligible: bool
    record_section: str
    boe_change: str
    section: str
    filed_on: date | None
    return_month: int
    number: str
    day: date
    pos: str
    inv_type: str
    reverse_charge: bool
    value: int
    taxable: int
    gstin: str
    name: str
    original_section: str
    original_number: str
    original_day: date | None
    irn: str
    irn_date: date | None
    is_differential: bool
    corrected_number: str
    corrected_day: date | None
    port: str
    dated: date | None
    referred_on: date | None
    received_at: datetime | None
    record: int


def lines(
    *, recipient_id: int, month: int, version: int, placements: Sequence[str], sections: Sequence[str]
) -> Iterator[Told]:
    """Yield the lines of a version, of some placements and rows or of all where none is named.

    By row, then by supplier and period, then as they were reported.
    """
    # What customs told stands with the record of its importer, or of the one who gave the bill up.
    rows = stream(
        f"""
        SELECT l.placement, l.part, l.reason, {", ".join(f"l.{head}" for head in HEADS)}, l.answer, l.remark,
            {", ".join(f"r.{head}" for head in HEADS)}, r.is_ineligible, r.section, r.boe_change,
            d.section, d.filed_on, d.return_month, d.number, d.document_date, d.pos, d.inv_type, d.reverse_charge,
            d.value, d.taxable,
            coalesce(s.gstin, b.sez_gstin, g.sez_gstin, ''),
            coalesce(nullif(s.trade_name, ''), nullif(s.legal_name, ''), s.gstin, b.sez_name, g.sez_name, ''),
            coalesce(o.section, ''), coalesce(o.number, ''), o.document_date,
            coalesce(e.irn, ''), e.irn_date, coalesce(e.differential, false),
            coalesce(i.corrected_number, ''), i.corrected_date,
            coalesce(b.port, g.port, ''), coalesce(b.boe_date, g.boe_date),
            coalesce(b.reference_date, g.reference_date), coalesce(b.received_at, g.received_at), r.id
        FROM returns_gstr2bline l
        JOIN invoices_record r ON r.recipient_id = l.recipient_id AND r.id = l.record_id
        LEFT JOIN invoices_reversal v ON v.record_id = r.id
        JOIN invoices_record d ON d.recipient_id = l.recipient_id AND d.id = coalesce(v.document_id, r.id)
        LEFT JOIN ims_portal_taxpayer s ON s.id = d.supplier_id
        LEFT JOIN invoices_record o ON o.id = d.original_id
        LEFT JOIN invoices_recorddetail e ON e.record_id = d.id
        LEFT JOIN invoices_isddocument i ON i.record_id = r.id
        LEFT JOIN invoices_billofentry b ON b.record_id = r.id
        LEFT JOIN invoices_billofentry g ON g.reduction_id = r.id
        WHERE l.recipient_id = %(recipient)s AND l.month = %(month)s AND l.first_version <= %(version)s
          AND (l.last_version IS NULL OR l.last_version >= %(version)s)
          {"AND l.placement = ANY(%(placements)s)" if placements else ""}
          {'AND l."row" = ANY(%(sections)s)' if sections else ""}
        ORDER BY l."row", s.gstin NULLS FIRST, r.return_month, r.id
        """,
        {
            "recipient": recipient_id,
            "month": month,
            "version": version,
            "placements": list(placements),
            "sections": list(sections),
        },
    )
    return map(Told._make, rows)
