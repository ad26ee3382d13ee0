"""What a supplier reported, as sums over its documents."""

from __future__ import annotations

from ims_portal.rules.money import HEADS
from ims_portal.sql import run

_SUMMED = ("taxable", *HEADS)


def totals(return_id: int) -> dict[str, list[int]]:
    """Return section -> documents, filed ones, recipients, taxable value and tax per head of what a form holds.

    Amounts are paise. It is put together by recipient first: counting distinct ones of a section would sort all its
    documents.
    """
    rows = run(
        f"""
        SELECT section, sum(number), sum(filed), count(*), {", ".join(f"sum({name})" for name in _SUMMED)}
        FROM (SELECT section, recipient_id, count(*) AS number, count(*) FILTER (WHERE status = 'F') AS filed,
                  {", ".join(f"sum({name}) AS {name}" for name in _SUMMED)}
              FROM invoices_record WHERE supplier_return_id = %(kept)s AND status <> 'W'
              GROUP BY section, recipient_id) of_recipient
        GROUP BY section
        """,
        {"kept": return_id},
    )
    return {str(section): [int(str(value)) for value in sums] for section, *sums in rows}
