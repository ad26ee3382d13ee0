"""What a period's outward rows of GSTR-3B come from, as set statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from ims_portal.rules import gstin
from ims_portal.rules.money import Tax
from ims_portal.rules.table3 import AMENDED, BY_NUMBER, SEPARATOR, Detail
from ims_portal.sql import run

UIN = f"^{gstin.PATTERNS[gstin.Kind.UIN].pattern}$"


@dataclass(frozen=True, slots=True)
class Source:
    """What one group of a period adds: documents, sums that are no amendments, or rejections added back.

    `source`: document, summary or addback. `section`: of a rejection its row. `detail`: the supply type of documents,
    the place of sums. `uin_pos`: the place of inter-State supplies to UIN holders, else empty.
    """

    source: str
    form: str
    section: str
    detail: str
    is_reverse_charge: bool
    uin_pos: str
    count: int
    taxable: int
    tax: Tax


class Sum(NamedTuple):
    """One sum of a filed return as it was reported, to be set against what was reported before."""

    pk: int
    own_month: int
    filed_at: datetime
    form: str
    section: str
    detail: Detail
    taxable: int
    tax: Tax


def outward(*, supplier_id: int, month: int) -> list[Source]:
    """Return a supplier's own filed documents, sums and add-backs of a period, grouped by what places them."""
    rows = run(
        """
        SELECT 'document', r.form, r.section, r.inv_type, r.reverse_charge, r.uin_pos, count(*),
            sum(r.charged_taxable), sum(r.charged_igst), sum(r.charged_cgst), sum(r.charged_sgst), sum(r.charged_cess)
        FROM (SELECT d.*, CASE WHEN d.pos <> left(s.gstin, 2) AND d.recipient_id IN (
                SELECT t.id FROM ims_portal_taxpayer t WHERE t.gstin ~ %(uin)s) THEN d.pos ELSE '' END AS uin_pos
            FROM invoices_record d JOIN ims_portal_taxpayer s ON s.id = d.supplier_id
            WHERE d.supplier_id = %(supplier)s AND d.own_month = %(month)s AND d.status = 'F') r
        GROUP BY r.form, r.section, r.inv_type, r.reverse_charge, r.uin_pos
        UNION ALL
        SELECT 'summary', r.form, s.section, split_part(s.detail, %(separator)s, 1), false, '', count(*),
            sum(s.taxable), sum(s.igst), sum(s.cgst), sum(s.sgst), sum(s.cess)
        FROM invoices_returnsummary s JOIN invoices_supplierreturn r ON r.id = s.supplier_return_id
        WHERE r.supplier_id = %(supplier)s AND r.own_month = %(month)s AND r.filed_on IS NOT NULL
        GROUP BY r.form, s.section, split_part(s.detail, %(separator)s, 1)
        UNION ALL
        SELECT 'addback', '', a."row", '', false, '', count(*), 0, sum(a.igst), sum(a.cgst), sum(a.sgst), sum(a.cess)
        FROM returns_addback a WHERE a.supplier_id = %(supplier)s AND a.target_month = %(month)s
        GROUP BY a."row"
        ORDER BY 1, 2, 3, 4, 5, 6
        """,
        {"supplier": supplier_id, "month": month, "uin": UIN, "separator": SEPARATOR},
    )
    return [Source(str(r[0]), str(r[1]), str(r[2]), str(r[3]), bool(r[4]), str(r[5]), *_amounts(r[6:])) for r in rows]


def _amounts(row: Sequence[object]) -> tuple[int, int, Tax]:
    count, taxable, *tax = (int(str(value)) for value in row)
    return count, taxable, Tax(*tax)


def amended(*, supplier_id: int, month: int) -> list[Sum]:
    """Return the amended sums a supplier filed in a period."""
    return _sums(
        "r.own_month = %(month)s AND s.section = ANY(%(sections)s)",
        {"supplier": supplier_id, "month": month, "sections": list(AMENDED)},
    )


def reported_before(*, supplier_id: int, of: Sequence[Sum]) -> list[Sum]:
    """Return every sum, original or amended, that some of these amended ones may have been reported as before."""
    numbers = {line.detail.original for line in of if line.section in BY_NUMBER}
    months = {line.detail.amends for line in of if line.section not in BY_NUMBER}
    sections = {line.section for line in of}
    return _sums(
        """(s.section = ANY(%(numbered)s) AND split_part(s.detail, %(separator)s, 2) = ANY(%(numbers)s)
            OR s.section = ANY(%(originals)s) AND r.own_month = ANY(%(months)s)
            OR s.section = ANY(%(amended)s) AND split_part(s.detail, %(separator)s, 1) = ANY(%(places)s))""",
        {
            "supplier": supplier_id,
            "separator": SEPARATOR,
            "numbered": [name for each in sections & set(BY_NUMBER) for name in (each, AMENDED[each])],
            "numbers": list(numbers),
            "originals": [AMENDED[each] for each in sections - set(BY_NUMBER)],
            "amended": list(sections - set(BY_NUMBER)),
            "months": list(months),
            "places": [line.detail.place for line in of],
        },
    )


def _sums(which: str, parameters: dict[str, object]) -> list[Sum]:
    rows = run(
        f"""
        SELECT s.id, r.own_month, r.filed_at, r.form, s.section, s.detail, s.taxable, s.igst, s.cgst, s.sgst, s.cess
        FROM invoices_returnsummary s JOIN invoices_supplierreturn r ON r.id = s.supplier_return_id
        WHERE r.supplier_id = %(supplier)s AND r.filed_on IS NOT NULL AND {which}
        ORDER BY s.id
        """,
        parameters,
    )
    return [
        Sum(
            int(str(r[0])),
            int(str(r[1])),
            r[2],  # type: ignore[arg-type]
            str(r[3]),
            str(r[4]),
            Detail.read(str(r[5])),
            int(str(r[6])),
            Tax(*(int(str(v)) for v in r[7:11])),
        )
        for r in rows
    ]
