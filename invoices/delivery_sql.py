"""What filed returns still owe their recipients: records that are saved while their return is filed.

One statement per function.
"""

from __future__ import annotations

from collections.abc import Collection

from ims_portal.sql import run


def saved_of(return_id: int, *, most: int) -> list[tuple[int, int]]:
    """Return (record id, recipient id) of what is still saved of a return, by GSTIN; no more than `most`."""
    rows = run(
        """
        SELECT r.id, r.recipient_id FROM invoices_record r JOIN ims_portal_taxpayer t ON t.id = r.recipient_id
        WHERE r.supplier_return_id = %(return_id)s AND r.status = 'S' ORDER BY t.gstin, r.id LIMIT %(most)s
        """,
        {"return_id": return_id, "most": most},
    )
    return [(int(str(pk)), int(str(recipient))) for pk, recipient in rows]


def owed_to(recipient_ids: Collection[int]) -> list[tuple[str, int]]:
    """Return (delivery id, record id) of what is on its way to recipients; next to nothing is read where nothing is.

    The records are found by recipient and supplier, so that a large return is not read for one of its recipients.
    """
    rows = run(
        """
        SELECT d.id, r.id FROM invoices_delivery d CROSS JOIN LATERAL (
            SELECT r.id, r.supplier_return_id, r.status FROM invoices_record r
            WHERE r.recipient_id = ANY(%(recipients)s) AND r.supplier_id = d.taxpayer_id OFFSET 0) r
        WHERE d.done < d.wanted AND r.supplier_return_id = d.supplier_return_id AND r.status = 'S'
        ORDER BY d.created_at, r.id
        """,
        {"recipients": list(recipient_ids)},
    )
    return [(str(delivery), int(str(pk))) for delivery, pk in rows]
