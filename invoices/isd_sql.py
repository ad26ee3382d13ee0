"""Documents of a GSTR-6 as a set: staged, looked up, checked, put in; those of an earlier file taken back (R9.1).

One statement per function.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from ims_portal import sql
from ims_portal.rules import documents
from ims_portal.rules.documents import Form
from ims_portal.rules.money import HEADS
from ims_portal.sql import run
from invoices import counted, feeds_sql
from invoices.feeds_json.isd import IsdDocument

COLUMNS = (
    "place",
    "position",
    "recipient_gstin",
    "section",
    "number",
    "number_key",
    "number_class",
    "document_date",
    "fy",
    "is_ineligible",
    *HEADS,
    "corrected_number",
    "corrected_date",
    "original_key",
    "original_date",
)


def make_staging() -> None:
    """Make the session's empty staging table."""
    run("""
        DROP TABLE IF EXISTS staged_isd;
        CREATE TEMPORARY TABLE staged_isd (
            place bigint PRIMARY KEY, position text NOT NULL, recipient_gstin text NOT NULL, section text NOT NULL,
            number text NOT NULL, number_key text NOT NULL, number_class text NOT NULL, document_date date NOT NULL,
            fy int NOT NULL, is_ineligible boolean NOT NULL, igst bigint NOT NULL, cgst bigint NOT NULL,
            sgst bigint NOT NULL, cess bigint NOT NULL, corrected_number text NOT NULL, corrected_date date,
            original_key text NOT NULL, original_date date, recipient_id bigint, record_id bigint,
            original_id bigint, chain bigint, chain_no int NOT NULL DEFAULT 1, problem text NOT NULL DEFAULT '')
    """)


def drop_staging() -> None:
    """Drop the session's staging table."""
    run("DROP TABLE IF EXISTS staged_isd")


def stage(found: Iterable[tuple[int, IsdDocument]]) -> int:
    """COPY documents into staging and return their count; each comes with its place."""
    return sql.copy_in("staged_isd", COLUMNS, (_staged(*row) for row in found))


def _staged(place: int, document: IsdDocument) -> tuple[object, ...]:
    return (
        place,
        document.position,
        document.recipient,
        document.section.value,
        document.number,
        document.number.upper(),
        document.number_class.value,
        document.date,
        documents.financial_year(document.date),
        not document.is_eligible,
        *document.tax,
        document.corrected_number,
        document.corrected_date,
        document.original_number.upper(),
        document.original_date,
    )


def recipients() -> list[str]:
    """Return the GSTINs of staging."""
    return [str(gstin) for (gstin,) in run("SELECT DISTINCT recipient_gstin FROM staged_isd")]


def stored_recipients(*, return_id: int) -> set[int]:
    """Return the ids of those an earlier file of the same GSTR-6 distributed to."""
    rows = run(
        "SELECT DISTINCT recipient_id FROM invoices_record WHERE supplier_return_id = %(id)s AND status = 'F'",
        {"id": return_id},
    )
    return {int(str(pk)) for (pk,) in rows}


def is_used(*, return_id: int) -> bool:
    """Whether a statement holds, or a later GSTR-6 amends, a document of an earlier file of the same GSTR-6."""
    rows = run(
        f"""
        SELECT EXISTS (SELECT 1 FROM invoices_record r WHERE r.supplier_return_id = %(id)s AND r.status = 'F'
            AND (r.settled_month IS NOT NULL
                OR EXISTS (SELECT 1 FROM ({counted.lines()}) l WHERE l.recipient_id = r.recipient_id
                    AND l.record_id = r.id)
                OR EXISTS (SELECT 1 FROM invoices_record later WHERE later.recipient_id = r.recipient_id
                    AND later.original_id = r.id AND later.status = 'F'
                    AND later.supplier_return_id <> r.supplier_return_id)))
    """,
        {"id": return_id},
    )
    return bool(rows[0][0])


def filed(*, return_id: int) -> list[int]:
    """Return the ids of the documents an earlier file of the same GSTR-6 brought."""
    rows = run("SELECT id FROM invoices_record WHERE supplier_return_id = %(id)s AND status = 'F'", {"id": return_id})
    return [int(str(pk)) for (pk,) in rows]


def take_back(record_ids: Iterable[int]) -> None:
    """Withdraw documents of an earlier file, keeping their history; the versions they had replaced stand again."""
    ids = {"ids": list(record_ids)}
    run(
        """
        UPDATE invoices_record o SET superseded_by_id = NULL, is_closed = false WHERE o.superseded_by_id = ANY(%(ids)s)
        """,
        ids,
    )
    run(
        """
        UPDATE invoices_record r SET status = 'W', filed_on = NULL, filed_seq = NULL, gstr2b_month = NULL,
            version = r.version + 1
        WHERE r.id = ANY(%(ids)s)
    """,
        ids,
    )


def resolve(*, isd_id: int) -> None:
    """Find the recipients, and the version each amendment replaces: the latest of its chain (formats 10.2)."""
    run("CREATE INDEX ON staged_isd (number_class, fy, number_key); ANALYZE staged_isd")
    run("UPDATE staged_isd s SET recipient_id = t.id FROM ims_portal_taxpayer t WHERE t.gstin = s.recipient_gstin")
    run(
        f"""
        UPDATE staged_isd s SET original_id = o.id, chain = o.chain, chain_no = o.chain_no + 1
        FROM invoices_record o
        WHERE s.original_key <> '' AND o.supplier_id = %(isd)s AND o.form = '{Form.GSTR6}' AND o.status = 'F'
          AND o.number_key = s.original_key AND o.document_date = s.original_date AND o.section = s.section
          AND NOT EXISTS (SELECT 1 FROM invoices_record later WHERE later.recipient_id = o.recipient_id
              AND later.chain = o.chain AND later.chain_no > o.chain_no AND later.status = 'F')
    """,
        {"isd": isd_id},
    )


def check(*, isd_id: int, last_day: date) -> None:
    """Mark documents that cannot stand beside what is stored, or beside an earlier one of the same file."""
    run(
        """
        UPDATE staged_isd s SET problem = CASE WHEN t.id = %(isd)s THEN 'ITSELF' WHEN t.kind = 'isd' THEN 'ISD'
            WHEN s.document_date > %(last)s THEN 'AFTER_PERIOD'
            WHEN s.original_key <> '' AND s.original_id IS NULL THEN 'NO_ORIGINAL'
            WHEN o.recipient_id <> s.recipient_id THEN 'OTHER_RECIPIENT' ELSE '' END
        FROM staged_isd n JOIN ims_portal_taxpayer t ON t.id = n.recipient_id
        LEFT JOIN invoices_record o ON o.id = n.original_id WHERE n.place = s.place
    """,
        {"isd": isd_id, "last": last_day},
    )
    run("""
        UPDATE staged_isd s SET problem = 'TWICE' FROM (
            SELECT place, row_number() OVER (PARTITION BY number_class, fy, number_key ORDER BY place) AS nth,
                row_number() OVER (PARTITION BY chain ORDER BY place) AS version, chain
            FROM staged_isd WHERE problem = '') d
        WHERE d.place = s.place AND (d.nth > 1 OR (d.chain IS NOT NULL AND d.version > 1))
    """)
    run(
        """
        UPDATE staged_isd s SET problem = 'USED' WHERE s.problem = '' AND EXISTS (
            SELECT 1 FROM invoices_record r WHERE r.supplier_id = %(isd)s AND r.number_key = s.number_key
              AND r.fy = s.fy AND r.number_class = s.number_class AND r.status <> 'W'
              AND r.chain IS DISTINCT FROM s.chain)
    """,
        {"isd": isd_id},
    )


class Refused(NamedTuple):
    """A document that cannot be taken."""

    problem: str
    position: str
    number: str
    recipient: str
    original: str


def refused() -> list[Refused]:
    """Return what the checks marked, in the order of the file."""
    rows = run("""
        SELECT problem, position, number, recipient_gstin, original_key FROM staged_isd WHERE problem <> ''
        ORDER BY place
    """)
    return [Refused(*row) for row in rows]  # type: ignore[arg-type]


def add(*, isd_id: int, return_id: int, month: int, window: int, filed_on: date, batch_id: object) -> list[int]:
    """Put in the documents of a GSTR-6 of `month` whose filing day belongs to `window`; return their ids."""
    feeds_sql.give_ids("staged_isd")
    run("UPDATE staged_isd s SET chain = coalesce(s.chain, s.record_id)")
    names = ("number", "number_key", "number_class", "document_date", "section", "is_ineligible", *HEADS)
    added = feeds_sql.add_records(
        {
            **{name: f"s.{name}" for name in names},
            **{name: f"s.{name}" for name in ("recipient_id", "original_id", "chain", "chain_no")},
            "id": "s.record_id",
            "form": sql.literal(Form.GSTR6),
            "supplier_id": "%(isd)s",
            "supplier_return_id": "%(return)s",
            "filed_on": "%(filed_on)s",
            **dict.fromkeys(("return_month", "own_month", "earliest_month"), "%(month)s"),
        },
        source="staged_isd s ORDER BY s.place",
        month="%(window)s::int",
        parameters={"isd": isd_id, "return": return_id, "month": month, "window": window, "filed_on": filed_on},
    )
    run(
        """
        INSERT INTO invoices_isddocument (record_id, batch_id, corrected_number, corrected_date)
        SELECT s.record_id, %(batch)s, s.corrected_number, s.corrected_date FROM staged_isd s ORDER BY s.place
    """,
        {"batch": batch_id},
    )
    return added
