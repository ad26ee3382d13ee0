"""What all feeds do to stored records alike: filed records put in as a set, from the staging of their kind.

Staging is a temporary table of the session, so a killed worker leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Mapping

from ims_portal import sql
from ims_portal.rules.documents import InvoiceType
from ims_portal.rules.money import HEADS
from ims_portal.sql import run
from invoices import staging_sql
from invoices.standing import recipients_month_sql

UNSET: Mapping[str, str] = {
    **dict.fromkeys(("supplier_id", "supplier_return_id", "original_id"), "NULL"),
    **dict.fromkeys(("files_by_quarter", "reverse_charge", "is_ineligible"), "false"),
    **dict.fromkeys(("is_pos_ineligible", "original_is_open", "has_baseline", "reduces"), "false"),
    **dict.fromkeys(("boe_change", "port", "bypass", "unavailable", "kind"), "''"),
    **dict.fromkeys(("answer", "remark", "reason_code", "settled_as"), "''"),
    **dict.fromkeys((*HEADS, "taxable", "charged_taxable", "version"), "0"),
    **{f"{what}_{head}": "0" for what in ("effect", "charged", "declared") for head in HEADS},
    "inv_type": sql.literal(InvoiceType.REGULAR),
    "action": "'N'",
    "status": "'F'",
}
"""What a record holds where its feed says nothing."""

STATE = "(SELECT left(t.gstin, 2) FROM ims_portal_taxpayer t WHERE t.id = {0})"
"""The State of a taxpayer: what comes by feed is supplied where its recipient is."""


def month_of(day: str) -> str:
    """Return the SQL of the month YYYYMM a day lies in."""
    return f"(extract(year FROM {day})::int * 100 + extract(month FROM {day})::int)"


def year_of(day: str) -> str:
    """Return the SQL of the year in which the financial year of a day begins (R10.3)."""
    return f"(extract(year FROM {day})::int - (extract(month FROM {day}) < 4)::int)"


def give_ids(staging: str, *, where: str = "true", column: str = "record_id") -> None:
    """Give the staged rows `s` of a condition the ids of records to come, in the order of the file.

    Ids known before the records are put in let others name them.
    """
    run(f"""
        UPDATE {staging} t SET {column} = n.id FROM (
            SELECT o.place, nextval(pg_get_serial_sequence('invoices_record', 'id')) AS id
            FROM (SELECT s.place FROM {staging} s WHERE {where} ORDER BY s.place) o) n
        WHERE n.place = t.place
    """)


def add_records(
    given: Mapping[str, str], *, source: str, month: str, parameters: Mapping[str, object] | None = None
) -> list[int]:
    """Put in one filed record for each row `s` of a source, and return their ids.

    `given` maps columns to SQL over `s`; `month` is the SQL of the month the record counts in, which becomes the
    recipient's own period.
    """
    of_day = {"fy": year_of(given["document_date"]), "credit_fy": year_of(given["document_date"])}
    tax = " + ".join(given.get(head, "0") for head in HEADS)
    columns = {
        **UNSET,
        **of_day,
        "value": f"{given.get('taxable', '0')} + {tax}",
        "number_key": f"upper({given['number']})",
        "pos": STATE.format(given["recipient_id"]),
        "filed_seq": f"(SELECT i.seq FROM invoices_inbox i WHERE i.taxpayer_id = {given['recipient_id']})",
        "gstr2b_month": recipients_month_sql(given["recipient_id"], f"({month})"),
        **given,
    }
    staging_sql.check_at_the_end()
    rows = run(
        f"""
        WITH added AS (
            INSERT INTO invoices_record ({", ".join(columns)})
            SELECT {", ".join(columns.values())} FROM {source} RETURNING id, recipient_id
        ), detailed AS (
            INSERT INTO invoices_recorddetail (record_id, recipient_id, items, irn, differential, eco_supplier)
            SELECT id, recipient_id, '[]', '', false, '' FROM added
        )
        SELECT id FROM added
    """,
        parameters,
    )
    return [int(str(pk)) for (pk,) in rows]
