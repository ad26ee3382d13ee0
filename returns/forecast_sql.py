"""What rejections add to a supplier's tax, fixed and provisional, as one set statement."""

from __future__ import annotations

from dataclasses import dataclass

from ims_portal.rules import gstr2b
from ims_portal.rules.money import HEADS, Tax
from ims_portal.sql import run
from invoices import records_sql


@dataclass(frozen=True, slots=True)
class Group:
    """Rejections of one recipient that land alike: how many, and the tax they add in paise.

    Fixed ones have the period they land in and their row of Table 3; provisional ones have neither (None, ""), but
    what decides on both: the supplier's own month of the documents, their section and supply type.
    """

    gstin: str
    name: str
    target_month: int | None
    row: str
    own_month: int
    section: str
    inv_type: str
    count: int
    tax: Tax


def groups(*, supplier_id: int, open_month: int) -> list[Group]:
    """Return the add-backs of a supplier that land in its open period or later, and those that still may come."""
    caps = ", ".join(f"sum({gstr2b.CAP.sql.format(effect=f'r.effect_{head}')})" for head in HEADS)
    fixed = ", ".join(f"sum(a.{head})" for head in HEADS)
    name = "coalesce(nullif(t.trade_name, ''), nullif(t.legal_name, ''), t.gstin)"
    rows = run(
        f"""
        SELECT t.gstin, {name}, a.target_month, a."row", 0, '', '', count(*), {fixed}
        FROM returns_addback a JOIN ims_portal_taxpayer t ON t.id = a.recipient_id
        WHERE a.supplier_id = %(supplier)s AND a.target_month >= %(open)s
        GROUP BY t.id, a.target_month, a."row"
        UNION ALL
        SELECT t.gstin, {name}, NULL, '', r.own_month, r.section, r.inv_type, count(*), {caps}
        FROM invoices_record r JOIN ims_portal_taxpayer t ON t.id = r.recipient_id
        WHERE r.supplier_id = %(supplier)s AND r.status <> 'W' AND r.settled_month IS NULL AND r.reduces
          AND r.superseded_by_id IS NULL AND r.action = 'R' AND r.bypass = '' AND {records_sql.adds_back("r")}
        GROUP BY t.id, r.own_month, r.section, r.inv_type
        ORDER BY 1, 3, 4, 5, 6, 7
        """,
        {"supplier": supplier_id, "open": open_month},
    )
    return [
        Group(
            str(r[0]),
            str(r[1]),
            None if r[2] is None else int(str(r[2])),
            str(r[3]),
            int(str(r[4])),
            str(r[5]),
            str(r[6]),
            int(str(r[7])),
            Tax(*(int(str(value)) for value in r[8:12])),
        )
        for r in rows
    ]
