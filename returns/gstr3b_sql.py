"""What a period's outward rows of GSTR-3B come from, as one set statement."""

from __future__ import annotations

from ims_portal.rules.money import Tax
from ims_portal.sql import run

Source = tuple[str, str, str, str, int, Tax]
"""Where from (document, summary, addback), form, section or row, type or detail, how many, tax."""


def outward(*, supplier_id: int, month: int) -> list[Source]:
    """Return a supplier's own filed documents, summaries and add-backs of a period, summed by what places them."""
    rows = run(
        """
        SELECT 'document', form, section, inv_type, count(*), sum(charged_igst), sum(charged_cgst),
            sum(charged_sgst), sum(charged_cess)
        FROM invoices_record WHERE supplier_id = %(supplier)s AND own_month = %(month)s AND status = 'F'
        GROUP BY form, section, inv_type
        UNION ALL
        SELECT 'summary', r.form, s.section, s.detail, 1, s.igst, s.cgst, s.sgst, s.cess
        FROM invoices_returnsummary s JOIN invoices_supplierreturn r ON r.id = s.supplier_return_id
        WHERE r.supplier_id = %(supplier)s AND r.own_month = %(month)s AND r.filed_on IS NOT NULL
        UNION ALL
        SELECT 'addback', '', a."row", '', count(*), sum(a.igst), sum(a.cgst), sum(a.sgst), sum(a.cess)
        FROM returns_addback a WHERE a.supplier_id = %(supplier)s AND a.target_month = %(month)s
        GROUP BY a."row"
        ORDER BY 1, 2, 3, 4
        """,
        {"supplier": supplier_id, "month": month},
    )
    return [
        (str(r[0]), str(r[1]), str(r[2]), str(r[3]), int(str(r[4])), Tax(*(int(str(v)) for v in r[5:9]))) for r in rows
    ]
