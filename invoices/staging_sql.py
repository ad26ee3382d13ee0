"""Documents as they arrive: staged, checked as a set against what is stored, and stored.

One statement per function. Staging is a temporary table, of a worker's session or a page's transaction, so a killed
process leaves nothing behind.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, NamedTuple

from ims_portal import sql
from ims_portal.rules import documents, periods
from ims_portal.rules.documents import Document, Form, Section
from ims_portal.rules.money import HEADS
from ims_portal.sql import run
from invoices import records_sql

READ_AT_ONCE = 5_000
STAGED_COLUMNS = (
    "place",
    "record_id",
    "section",
    "recipient_gstin",
    "number",
    "number_key",
    "number_class",
    "document_date",
    "fy",
    "pos",
    "inv_type",
    "reverse_charge",
    "taxable",
    "value",
    "igst",
    "cgst",
    "sgst",
    "cess",
    "original_key",
    "original_date",
    "items",
    "irn",
    "irn_date",
    "differential",
    "eco_supplier",
    "position",
    "withdraw",
)
REPORTED = (
    "number",
    "number_key",
    "document_date",
    "fy",
    "pos",
    "inv_type",
    "reverse_charge",
    "taxable",
    "value",
    "igst",
    "cgst",
    "sgst",
    "cess",
)
"""Columns of a record that its supplier reports and a later save may replace."""

AMENDED = ", ".join(sql.literal(s) for s in Section if s in documents.AMENDMENTS)
FAMILY = " ".join(f"WHEN {sql.literal(s)} THEN {sql.literal(o)}" for s, o in documents.ORIGINAL_OF.items())


@dataclass(frozen=True, slots=True)
class Reported:
    """What all documents of one save have in common: the supplier's form and where it counts."""

    supplier_id: int
    return_id: int
    form: str
    return_month: int
    own_month: int
    earliest_month: int
    files_by_quarter: bool


def make_staging(*, on_commit: Literal["DROP", "PRESERVE ROWS"] = "PRESERVE ROWS") -> None:
    """Make the session's empty staging table; with DROP it is gone with the transaction."""
    run(f"""
        DROP TABLE IF EXISTS staged;
        CREATE TEMPORARY TABLE staged (
            place bigint PRIMARY KEY, record_id bigint, section text NOT NULL, recipient_gstin text NOT NULL,
            number text NOT NULL, number_key text NOT NULL, number_class text NOT NULL, document_date date NOT NULL,
            fy int NOT NULL, pos text NOT NULL, inv_type text NOT NULL, reverse_charge boolean NOT NULL,
            taxable bigint NOT NULL, value bigint NOT NULL, igst bigint NOT NULL, cgst bigint NOT NULL,
            sgst bigint NOT NULL, cess bigint NOT NULL, original_key text NOT NULL, original_date date,
            items jsonb NOT NULL, irn text NOT NULL, irn_date date, differential boolean NOT NULL,
            eco_supplier text NOT NULL, position text NOT NULL, withdraw boolean NOT NULL,
            recipient_id bigint, original_id bigint, chain bigint, chain_no int NOT NULL DEFAULT 1,
            credit_fy int, problem text NOT NULL DEFAULT '') ON COMMIT {on_commit}
    """)


def drop_staging() -> None:
    """Drop the session's staging table."""
    run("DROP TABLE IF EXISTS staged")


def stage(rows: Iterable[tuple[int, Document, int | None]]) -> int:
    """COPY documents into staging and return their count; each comes with its place and the record it replaces."""
    return sql.copy_in("staged", STAGED_COLUMNS, (_staged(*row) for row in rows))


def _staged(place: int, document: Document, record_id: int | None) -> tuple[object, ...]:
    day = document.date
    items = [[item.rate, item.taxable, *item.tax] for item in document.items]
    return (
        place,
        record_id,
        document.section.value,
        document.recipient,
        document.number,
        document.number_key,
        documents.number_class(document.section).value,
        day,
        documents.financial_year(day),
        document.pos,
        document.inv_type.value,
        document.reverse_charge,
        document.taxable,
        document.value,
        *document.tax,
        document.original_number.upper(),
        document.original_date,
        json.dumps(items),
        document.irn,
        document.irn_date,
        document.differential,
        document.eco_supplier,
        document.position,
        document.withdraw,
    )


def staged_gstins() -> list[str]:
    """Return the recipients of what is staged."""
    return [str(gstin) for (gstin,) in run("SELECT DISTINCT recipient_gstin FROM staged")]


def index_staging() -> None:
    """Give the planner what it needs to join staging in sets."""
    run("CREATE INDEX ON staged (number_class, fy, number_key); ANALYZE staged")


def resolve(reported: Reported, *, keys_replace: bool) -> None:
    """Find, for each staged document, its recipient, the saved record it replaces, and the version it amends.

    `keys_replace`: the same key in the same form is the same document, as in a file; else only what is to be deleted
    is found by its key.
    """
    run("UPDATE staged s SET recipient_id = t.id FROM ims_portal_taxpayer t WHERE t.gstin = s.recipient_gstin")
    run(
        """
        UPDATE staged s SET record_id = r.id FROM invoices_record r
        WHERE s.record_id IS NULL AND r.supplier_return_id = %(return_id)s AND r.status = 'S'
          AND r.recipient_id = s.recipient_id AND r.section = s.section AND r.fy = s.fy
          AND r.number_key = s.number_key AND (%(keys_replace)s OR s.withdraw)
    """,
        {"return_id": reported.return_id, "keys_replace": keys_replace},
    )
    run(
        f"""
        UPDATE staged s SET original_id = o.id, chain = o.chain, chain_no = o.chain_no + 1, credit_fy = o.credit_fy
        FROM invoices_record o
        WHERE s.section IN ({AMENDED}) AND o.supplier_id = %(supplier_id)s AND o.number_key = s.original_key
          AND o.document_date = s.original_date AND o.number_class = s.number_class AND o.status = 'F'
          AND o.section IN (s.section, CASE s.section {FAMILY} END)
          AND (o.own_month = %(own_month)s OR NOT %(own_only)s)
          AND NOT EXISTS (SELECT 1 FROM invoices_record later WHERE later.recipient_id = o.recipient_id
              AND later.chain = o.chain AND later.chain_no > o.chain_no AND later.status = 'F')
    """,
        {
            "supplier_id": reported.supplier_id,
            "own_month": reported.own_month,
            "own_only": periods.AMENDS_OWN_PERIOD_ONLY.decide(reported.own_month, form=Form(reported.form)).outcome,
        },
    )


def check(reported: Reported) -> None:
    """Mark staged documents that cannot stand beside what is stored, or beside an earlier one of the same file."""
    run("UPDATE staged SET problem = 'ORIGINAL_NOT_FOUND' WHERE withdraw AND record_id IS NULL")
    run(f"""
        UPDATE staged s SET problem = 'ORIGINAL_NOT_FOUND'
        WHERE s.section IN ({AMENDED}) AND NOT s.withdraw AND s.original_id IS NULL
    """)
    run("""
        UPDATE staged s SET problem = 'RECIPIENT_CHANGE_NOT_ALLOWED' FROM invoices_record o
        WHERE s.problem = '' AND o.id = s.original_id AND o.recipient_id <> s.recipient_id
    """)
    run("""
        UPDATE staged s SET problem = 'DUPLICATE_DOCUMENT' FROM (
            SELECT place, row_number() OVER (PARTITION BY number_class, fy, number_key ORDER BY place) AS nth
            FROM staged WHERE problem = '') d
        WHERE d.place = s.place AND d.nth > 1
    """)
    run("""
        UPDATE staged s SET problem = 'DUPLICATE_DOCUMENT' FROM (
            SELECT place, row_number() OVER (PARTITION BY chain ORDER BY place) AS nth
            FROM staged WHERE problem = '' AND original_id IS NOT NULL) d
        WHERE d.place = s.place AND d.nth > 1
    """)
    run(
        """
        UPDATE staged s SET problem = 'DUPLICATE_DOCUMENT'
        WHERE s.problem = '' AND EXISTS (
            SELECT 1 FROM invoices_record r WHERE r.supplier_id = %(supplier_id)s AND r.number_key = s.number_key
              AND r.fy = s.fy AND r.number_class = s.number_class AND r.status <> 'W'
              AND r.id IS DISTINCT FROM s.record_id AND r.chain IS DISTINCT FROM s.chain)
    """,
        {"supplier_id": reported.supplier_id},
    )
    run(
        """
        UPDATE staged s SET problem = 'DUPLICATE_DOCUMENT'
        WHERE s.problem = '' AND s.original_id IS NOT NULL AND EXISTS (
            SELECT 1 FROM invoices_record r WHERE r.recipient_id = s.recipient_id AND r.chain = s.chain
              AND r.supplier_return_id = %(return_id)s AND r.status <> 'W' AND r.id IS DISTINCT FROM s.record_id)
    """,
        {"return_id": reported.return_id},
    )


class Refused(NamedTuple):
    """A document that cannot stand, in the order of its columns in `refused` and `overtaken`."""

    place: int
    problem: str
    position: str
    number: str
    section: str
    recipient: str
    day: date
    withdraw: bool


def refused() -> Iterator[Refused]:
    """Yield what the checks marked, in the order of the file, read some at a time."""
    after = 0
    while True:
        rows = run(
            """
            SELECT place, problem, position, number, section, recipient_gstin, document_date, withdraw
            FROM staged WHERE problem <> '' AND place > %(after)s ORDER BY place LIMIT %(most)s
        """,
            {"after": after, "most": READ_AT_ONCE},
        )
        found = [Refused(*row) for row in rows]  # type: ignore[arg-type]
        yield from found
        if len(found) < READ_AT_ONCE:
            return
        after = found[-1].place


def overtaken(return_id: int) -> list[Refused]:
    """Return saved amendments of a return whose original has a later filed version meanwhile, oldest first."""
    rows = run(
        """
        SELECT row_number() OVER (ORDER BY r.id), 'ORIGINAL_NOT_FOUND', '', r.number, r.section, t.gstin,
            r.document_date, false
        FROM invoices_record r JOIN ims_portal_taxpayer t ON t.id = r.recipient_id
        WHERE r.supplier_return_id = %(return_id)s AND r.status = 'S' AND r.original_id IS NOT NULL
          AND EXISTS (SELECT 1 FROM invoices_record later WHERE later.recipient_id = r.recipient_id
              AND later.chain = r.chain AND later.chain_no >= r.chain_no AND later.status = 'F')
        ORDER BY 1
    """,
        {"return_id": return_id},
    )
    return [Refused(*row) for row in rows]  # type: ignore[arg-type]


TOLD_BESIDE = ("items", "irn", "differential", "eco_supplier")
"""What else a recipient or its GSTR-2B is told of a document; the day an IRN was made is not."""

SAME = " AND ".join(
    [
        *(f"r.{c} = s.{c}" for c in REPORTED),
        "r.original_id IS NOT DISTINCT FROM s.original_id",
        *(f"d.{c} = s.{c}" for c in TOLD_BESIDE),
    ]
)
"""Whether a record `r` with its detail `d` says what is staged in `s`."""


def unchanged_count() -> int:
    """Return how many staged documents equal what is stored."""
    rows = run(f"""
        SELECT count(*) FROM staged s JOIN invoices_record r ON r.id = s.record_id AND r.recipient_id = s.recipient_id
        JOIN invoices_recorddetail d ON d.record_id = r.id
        WHERE s.problem = '' AND NOT s.withdraw AND {SAME}
    """)
    return int(str(rows[0][0]))


def changing() -> set[int]:
    """Return the recipients whose records what is staged changes, withdraws or amends; what is only new is none's yet.

    Until it is filed no statement counts a new document, no choice is on it, and its chain is nobody else's.
    """
    rows = run(f"""
        SELECT DISTINCT s.recipient_id FROM staged s
        LEFT JOIN invoices_record r ON r.id = s.record_id AND r.recipient_id = s.recipient_id
        LEFT JOIN invoices_recorddetail d ON d.record_id = r.id
        WHERE s.problem = '' AND s.recipient_id IS NOT NULL
          AND (s.withdraw OR s.original_id IS NOT NULL OR (r.id IS NOT NULL AND NOT ({SAME})))
    """)
    return {int(str(pk)) for (pk,) in rows}


UNDECIDED = """action = 'N', answer = '', declared_igst = 0, declared_cgst = 0, declared_sgst = 0,
                declared_cess = 0, remark = '', reason_code = ''"""
"""What a record looks like on which nothing is decided."""


def _note(cause: str, changes: str) -> str:
    """Return the INSERT of system events, over a SELECT of (recipient, record, version, action before)."""
    return f"""
            INSERT INTO invoices_actionevent (recipient_id, record_id, version, cause, old_action, action, answer,
                declared_igst, declared_cgst, declared_sgst, declared_cess, remark, reason_code, capacity,
                request_id, inbox_seq, at)
            SELECT c.recipient, c.record, c.version, '{cause}', c.old_action, 'N', '', 0, 0, 0, 0, '', '', '',
                gen_random_uuid(), i.seq, %(at)s
            FROM ({changes}) c (recipient, record, version, old_action)
            JOIN invoices_inbox i ON i.taxpayer_id = c.recipient"""


def replace_changed(*, at: datetime) -> list[int]:
    """Replace saved records that changed, reset their action (R2.3), and return their ids.

    The system event raises `version`, so that a click on the old figures no longer fits; what the record said before
    is kept with it (`ReportedBefore`).
    """
    columns = ", ".join(f"{c} = s.{c}" for c in REPORTED)
    before = ", ".join(f"'{c}', r.{c}" for c in REPORTED)
    rows = run(
        f"""
        WITH changed AS (
            SELECT s.*, r.action AS old_action, r.version + 1 AS next_version, r.recipient_id AS owner,
                jsonb_build_object({before}) AS said
            FROM staged s JOIN invoices_record r ON r.id = s.record_id AND r.recipient_id = s.recipient_id
            JOIN invoices_recorddetail d ON d.record_id = r.id
            WHERE s.problem = '' AND NOT s.withdraw AND NOT ({SAME})
        ), replaced AS (
            UPDATE invoices_record r SET {columns}, original_id = s.original_id,
                lost_action = CASE WHEN r.action = 'N' THEN r.lost_action ELSE r.action END,
                chain = coalesce(s.chain, r.chain), chain_no = s.chain_no,
                credit_fy = coalesce(s.credit_fy, s.fy), {UNDECIDED}, version = s.next_version
            FROM changed s WHERE r.id = s.record_id AND r.recipient_id = s.owner RETURNING r.id
        ), detailed AS (
            UPDATE invoices_recorddetail d SET items = s.items, irn = s.irn, irn_date = s.irn_date,
                differential = s.differential, eco_supplier = s.eco_supplier
            FROM changed s WHERE d.record_id = s.record_id
        ), kept AS (
            INSERT INTO invoices_reportedbefore (recipient_id, record_id, version, said)
            SELECT owner, record_id, next_version, said FROM changed
        ), noted AS (
            {_note("edited", "SELECT owner, record_id, next_version, old_action FROM changed")}
        )
        SELECT id FROM replaced
    """,
        {"at": at},
    )
    return [int(str(pk)) for (pk,) in rows]


def withdraw(*, at: datetime) -> list[int]:
    """Withdraw saved records the supplier deletes, keeping their history, and return their ids."""
    rows = run(
        f"""
        WITH gone AS (
            UPDATE invoices_record r SET status = 'W', version = r.version + 1, lost_action = '', {UNDECIDED}
            FROM staged s, invoices_record old
            WHERE s.problem = '' AND s.withdraw AND r.id = s.record_id AND old.id = r.id
            RETURNING r.id, r.recipient_id, r.version, old.action AS old_action
        ), noted AS (
            {_note("withdrawn", "SELECT recipient_id, id, version, old_action FROM gone")}
        )
        SELECT id FROM gone
    """,
        {"at": at},
    )
    return [int(str(pk)) for (pk,) in rows]


_AS_RECORDS = f"""SELECT f.id, f.recipient_id, %(supplier_id)s::bigint AS supplier_id, f.section, f.original_id,
                coalesce(f.chain, f.id) AS chain, f.chain_no, 'S'::text AS status, NULL::int AS gstr2b_month,
                %(earliest_month)s::int AS earliest_month, coalesce(f.credit_fy, f.fy) AS credit_fy, f.reverse_charge,
                f.pos, {", ".join(f"f.{head}" for head in HEADS)}, ''::text AS boe_change, ''::text AS bypass,
                ''::text AS unavailable, false AS is_ineligible
            FROM fresh f"""
"""What is to be added, under the names of a record's columns, as far as its chain asks for them."""


def add_new(reported: Reported) -> list[int]:
    """Insert staged documents that are not stored yet, with what their chains make of them, and return their ids."""
    columns = ", ".join(REPORTED)
    values = ", ".join(f"f.{c}" for c in REPORTED)
    of_chain = ", ".join(records_sql.OF_CHAIN)
    rows = run(
        f"""
        WITH fresh AS (
            SELECT nextval(pg_get_serial_sequence('invoices_record', 'id')) AS id, s.* FROM staged s
            WHERE s.problem = '' AND NOT s.withdraw AND s.record_id IS NULL ORDER BY s.place
        ), told AS (
            {records_sql.of_chain(f"({_AS_RECORDS})")}
        ), added AS (
            INSERT INTO invoices_record (id, recipient_id, supplier_id, supplier_return_id, section, form,
                return_month, own_month, earliest_month, files_by_quarter, status, number_class, credit_fy,
                original_id, chain, chain_no, {columns}, {of_chain},
                boe_change, port, charged_taxable, charged_igst,
                charged_cgst, charged_sgst, charged_cess, action, answer, declared_igst, declared_cgst,
                declared_sgst, declared_cess, remark, reason_code, version, settled_as)
            SELECT f.id, f.recipient_id, %(supplier_id)s, %(return_id)s, f.section, %(form)s, %(return_month)s,
                %(own_month)s, %(earliest_month)s, %(files_by_quarter)s, 'S', f.number_class,
                coalesce(f.credit_fy, f.fy), f.original_id, coalesce(f.chain, f.id), f.chain_no, {values}, {of_chain},
                '', '', 0, 0, 0, 0, 0, 'N', '', 0, 0, 0, 0, '', '', 0, ''
            FROM fresh f JOIN told ON told.id = f.id RETURNING id
        ), detailed AS (
            INSERT INTO invoices_recorddetail (record_id, recipient_id, items, irn, irn_date, differential,
                eco_supplier)
            SELECT f.id, f.recipient_id, f.items, f.irn, f.irn_date, f.differential, f.eco_supplier FROM fresh f
        )
        SELECT id FROM added
    """,
        vars_of(reported),
    )
    return [int(str(pk)) for (pk,) in rows]


WORTH_LEARNING = 1_000
"""Records added at once that make plans for the table as it was before wrong ones."""


def check_at_the_end() -> None:
    """Let the checks of whose the added records are wait for the end of the transaction, when `learn` has been told.

    Planned for the table as it was before, each may read all records that are added for its recipient.
    """
    run("SET CONSTRAINTS ALL DEFERRED")


def learn(added: int) -> None:
    """Let the planner count records anew after a save that at least doubled what it had counted.

    Plans made for an almost empty table make every later check a long scan; of a table that was long already they stay
    right, and counting it costs as much as saving thousands of documents.
    """
    if added < WORTH_LEARNING:
        return
    ((has_doubled,),) = run(
        "SELECT reltuples <= %(added)s FROM pg_class WHERE oid = 'invoices_record'::regclass", {"added": added}
    )
    if has_doubled:
        run("ANALYZE invoices_record; ANALYZE invoices_recorddetail")


def vars_of(reported: Reported) -> dict[str, object]:
    """Return the parameters a statement names."""
    return {name: getattr(reported, name) for name in reported.__slots__}
