"""Bills of entry as a set: staged, looked up, checked against what is stored and one another, put in (R9.3, R9.4).

One statement per function. An event that is stored with the same content is passed over; `fresh` are the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from ims_portal import sql
from ims_portal.rules.actions import BoeChange
from ims_portal.rules.documents import Form, NumberClass, Section
from ims_portal.sql import run
from invoices import feeds_sql
from invoices.feeds_json.bills import Bill, Event, Source

KEY = ("port", "number", "boe_date", "seq")
TOLD = (
    *KEY,
    "event",
    "source",
    "reference",
    "importer_gstin",
    "importer_name",
    "sez_gstin",
    "sez_name",
    "reference_date",
    "received_at",
    "taxable",
    "igst",
    "cess",
    "original_gstin",
    "original_reference_date",
    "original_taxable",
    "original_igst",
    "original_cess",
)
"""What customs told of an event: columns of staging and of `BillOfEntry` alike."""

SAME_BILL = "{0}.port = {1}.port AND {0}.number = {1}.number AND {0}.boe_date = {1}.boe_date"
FRESH = "s.problem = '' AND NOT s.is_known"
SEZ_SECTIONS = {Section.IMPG: Section.IMPGSEZ, Section.IMPGA: Section.IMPGSEZA}


def make_staging() -> None:
    """Make the session's empty staging table."""
    run("""
        DROP TABLE IF EXISTS staged_bills;
        CREATE TEMPORARY TABLE staged_bills (
            place bigint PRIMARY KEY, position text NOT NULL, port text NOT NULL, number text NOT NULL,
            boe_date date NOT NULL, seq int NOT NULL, event text NOT NULL, source text NOT NULL,
            reference text NOT NULL, importer_gstin text NOT NULL, importer_name text NOT NULL,
            sez_gstin text NOT NULL, sez_name text NOT NULL, reference_date date NOT NULL,
            received_at timestamptz NOT NULL, taxable bigint NOT NULL, igst bigint NOT NULL, cess bigint NOT NULL,
            original_gstin text NOT NULL, original_reference_date date, original_taxable bigint NOT NULL,
            original_igst bigint NOT NULL, original_cess bigint NOT NULL,
            importer_id bigint, original_importer_id bigint, is_known boolean NOT NULL DEFAULT false,
            record_id bigint, reduction_id bigint, chain bigint, chain_no int,
            before_id bigint, before_chain bigint, before_chain_no int, problem text NOT NULL DEFAULT '')
    """)


def drop_staging() -> None:
    """Drop the session's staging table."""
    run("DROP TABLE IF EXISTS staged_bills")


def stage(bills: Iterable[tuple[int, Bill]]) -> int:
    """COPY events into staging and return their count; each comes with its place."""
    return sql.copy_in("staged_bills", ("place", "position", *TOLD), (_staged(*row) for row in bills))


def _staged(place: int, bill: Bill) -> tuple[object, ...]:
    before = bill.before
    return (
        place,
        bill.position,
        bill.port,
        bill.number,
        bill.date,
        bill.seq,
        bill.event.value,
        bill.source.value,
        bill.reference,
        bill.importer,
        bill.importer_name,
        bill.sez_gstin,
        bill.sez_name,
        bill.reference_date,
        bill.received_at.isoformat(),
        bill.taxable,
        bill.tax.igst,
        bill.tax.cess,
        before.importer if before else "",
        before.reference_date if before else None,
        before.taxable if before else 0,
        before.tax.igst if before else 0,
        before.tax.cess if before else 0,
    )


def parties() -> dict[str, int | None]:
    """Return GSTIN -> taxpayer id, None for one unknown here, of everybody staging names."""
    rows = run("""
        SELECT g.gstin, t.id FROM (SELECT importer_gstin FROM staged_bills UNION
            SELECT original_gstin FROM staged_bills WHERE original_gstin <> '') g (gstin)
        LEFT JOIN ims_portal_taxpayer t ON t.gstin = g.gstin
    """)
    return {str(gstin): None if pk is None else int(str(pk)) for gstin, pk in rows}


def resolve() -> None:
    """Find the importers, and mark what is stored already; the same key with other content is a problem."""
    run("CREATE INDEX ON staged_bills (port, number, boe_date, seq); ANALYZE staged_bills")
    run("""
        UPDATE staged_bills s SET importer_id = t.id, original_importer_id = o.id
        FROM ims_portal_taxpayer t, staged_bills n LEFT JOIN ims_portal_taxpayer o ON o.gstin = n.original_gstin
        WHERE n.place = s.place AND t.gstin = s.importer_gstin
    """)
    same = f"({', '.join(f's.{c}' for c in TOLD)}) IS NOT DISTINCT FROM ({', '.join(f'b.{c}' for c in TOLD)})"
    first = f"SELECT min(place) AS place, {', '.join(KEY)} FROM staged_bills GROUP BY {', '.join(KEY)}"
    run(f"""
        UPDATE staged_bills s SET is_known = {same}, problem = CASE WHEN {same} THEN '' ELSE 'OTHER_CONTENT' END
        FROM ({first}) f JOIN staged_bills b ON b.place = f.place
        WHERE {SAME_BILL.format("b", "s")} AND b.seq = s.seq AND b.place < s.place
    """)
    run(f"""
        UPDATE staged_bills s SET is_known = {same}, problem = CASE WHEN {same} THEN '' ELSE 'OTHER_CONTENT' END
        FROM invoices_billofentry b WHERE {SAME_BILL.format("b", "s")} AND b.seq = s.seq
    """)


def check(*, today: date) -> None:
    """Mark events nobody here can take, of days to come, and amendments that do not fit what came before them."""
    run(f"""
        UPDATE staged_bills s SET problem = CASE WHEN s.importer_id IS NULL THEN 'UNKNOWN_IMPORTER' ELSE 'ISD' END
        WHERE {FRESH} AND NOT EXISTS (
            SELECT 1 FROM ims_portal_taxpayer t WHERE t.id = s.importer_id AND t.kind <> 'isd')
    """)
    run(
        f"UPDATE staged_bills s SET problem = 'TO_COME' WHERE {FRESH} AND s.reference_date > %(today)s",
        {"today": today},
    )
    run(f"""
        UPDATE staged_bills s SET problem = CASE WHEN b.seq IS NULL THEN 'NO_ORIGINAL' ELSE 'OTHER_ORIGINAL' END
        FROM staged_bills n LEFT JOIN LATERAL ({_before("n")}) b ON true
        WHERE n.place = s.place AND {FRESH} AND s.seq > 0
          AND (s.source, s.original_gstin, s.original_reference_date, s.original_taxable, s.original_igst,
               s.original_cess)
            IS DISTINCT FROM (b.source, b.importer_gstin, b.reference_date, b.taxable, b.igst, b.cess)
    """)


def _before(of: str) -> str:
    """Return the SELECT of the event before a staged one: stored, or fresh in staging."""
    columns = "source, importer_gstin, reference_date, taxable, igst, cess, seq"
    where = f"{SAME_BILL.format('p', of)} AND p.seq = {of}.seq - 1"
    return f"""SELECT {columns}, p.record_id FROM invoices_billofentry p WHERE {where}
            UNION ALL SELECT {columns}, p.record_id FROM staged_bills p WHERE {where} AND NOT p.is_known LIMIT 1"""


class Refused(NamedTuple):
    """An event that cannot be taken, with what is stored of the event before it, if any."""

    problem: str
    position: str
    number: str
    seq: int
    importer: str
    last_seq: int | None
    before_importer: str | None
    before_date: date | None
    before_amounts: Sequence[int] | None


def refused() -> list[Refused]:
    """Return what the checks marked, in the order of the file."""
    rows = run(f"""
        SELECT s.problem, s.position, s.number, s.seq, s.importer_gstin,
            (SELECT max(p.seq) FROM (SELECT port, number, boe_date, seq FROM invoices_billofentry UNION ALL
                SELECT port, number, boe_date, seq FROM staged_bills WHERE problem = '') p
                WHERE {SAME_BILL.format("p", "s")} AND p.seq < s.seq),
            b.importer_gstin, b.reference_date, ARRAY[b.taxable, b.igst, b.cess]
        FROM staged_bills s LEFT JOIN LATERAL ({_before("s")}) b ON true
        WHERE s.problem <> '' ORDER BY s.place
    """)
    return [Refused(*row) for row in rows]  # type: ignore[arg-type]


def known_count() -> int:
    """Return how many events are stored already."""
    return int(str(run("SELECT count(*) FROM staged_bills WHERE is_known")[0][0]))


def place_in_chains() -> None:
    """Give each fresh event its records and its place in the chain of versions that counts for its importer.

    A chain begins with a new bill and anew with a change of GSTIN; seq goes up by one from event to event.
    """
    feeds_sql.give_ids("staged_bills", where=FRESH)
    moved = f"{FRESH} AND s.event = '{Event.AMEND_GSTIN}'"
    feeds_sql.give_ids("staged_bills", where=moved, column="reduction_id")
    run(f"""
        UPDATE staged_bills s SET chain = coalesce(begun.record_id, r.chain),
            chain_no = CASE WHEN begun.seq IS NULL THEN r.chain_no + n.seq - stored.seq ELSE n.seq - begun.seq + 1 END
        FROM staged_bills n
        LEFT JOIN LATERAL (SELECT b.record_id, b.seq FROM staged_bills b
            WHERE {SAME_BILL.format("b", "n")} AND b.seq <= n.seq AND b.event <> '{Event.AMEND_VALUE}'
              AND NOT b.is_known
            ORDER BY b.seq DESC LIMIT 1) begun ON true
        LEFT JOIN LATERAL (SELECT b.record_id, b.seq FROM invoices_billofentry b
            WHERE {SAME_BILL.format("b", "n")} ORDER BY b.seq DESC LIMIT 1) stored ON true
        LEFT JOIN invoices_record r ON r.id = stored.record_id
        WHERE n.place = s.place AND {FRESH}
    """)
    run(f"""
        UPDATE staged_bills s SET before_id = b.record_id, before_chain = coalesce(p.chain, r.chain),
            before_chain_no = coalesce(p.chain_no, r.chain_no)
        FROM staged_bills n CROSS JOIN LATERAL ({_before("n")}) b
        LEFT JOIN staged_bills p ON {SAME_BILL.format("p", "n")} AND p.seq = n.seq - 1 AND NOT p.is_known
        LEFT JOIN invoices_record r ON r.id = b.record_id
        WHERE n.place = s.place AND {FRESH} AND s.seq > 0
    """)


def add() -> list[int]:
    """Put in the records of fresh events, and return their ids (R9.4)."""
    shared = {
        "form": sql.literal(Form.CUSTOMS),
        "number_class": sql.literal(NumberClass.BILL_OF_ENTRY),
        "number": "s.number",
        "document_date": "s.boe_date",
        "port": "s.port",
        "filed_on": "s.reference_date",
        **dict.fromkeys(("return_month", "own_month", "earliest_month"), feeds_sql.month_of("s.reference_date")),
    }
    month = feeds_sql.month_of("s.reference_date")
    is_new_importer = f"s.event = '{Event.AMEND_GSTIN}'"
    added = feeds_sql.add_records(
        shared
        | {
            "id": "s.record_id",
            "recipient_id": "s.importer_id",
            "section": _section(f"s.event = '{Event.NEW}'"),
            "boe_change": f"CASE WHEN {is_new_importer} THEN '{BoeChange.NEW_GSTIN}' ELSE '' END",
            "taxable": "s.taxable",
            "igst": "s.igst",
            "cess": "s.cess",
            "original_id": f"CASE WHEN s.event = '{Event.AMEND_VALUE}' THEN s.before_id END",
            "chain": "s.chain",
            "chain_no": "s.chain_no",
        },
        source=f"staged_bills s WHERE {FRESH} ORDER BY s.place",
        month=month,
    )
    reduced = feeds_sql.add_records(
        shared
        | {
            "id": "s.reduction_id",
            "recipient_id": "s.original_importer_id",
            "section": _section("false"),
            "boe_change": f"'{BoeChange.OLD_GSTIN}'",
            "taxable": "s.original_taxable",
            "igst": "s.original_igst",
            "cess": "s.original_cess",
            "original_id": "s.before_id",
            "chain": "s.before_chain",
            "chain_no": "s.before_chain_no + 1",
        },
        source=f"staged_bills s WHERE {FRESH} AND {is_new_importer} ORDER BY s.place",
        month=month,
    )
    return added + reduced


def _section(is_original: str) -> str:
    """Return the SQL of the section a record stands in."""
    pairs = [(SEZ_SECTIONS[own], own) for own in (Section.IMPG, Section.IMPGA)]
    original, amended = (
        f"(CASE WHEN s.source = '{Source.SEZ}' THEN '{from_sez.value}' ELSE '{overseas.value}' END)"
        for from_sez, overseas in pairs
    )
    return f"(CASE WHEN {is_original} THEN {original} ELSE {amended} END)"


def keep(*, batch_id: object) -> None:
    """Keep what customs told of the fresh events, with the records they made."""
    columns = ", ".join(TOLD)
    run(
        f"""
        INSERT INTO invoices_billofentry (record_id, reduction_id, batch_id, {columns})
        SELECT s.record_id, s.reduction_id, %(batch)s, {", ".join(f"s.{c}" for c in TOLD)}
        FROM staged_bills s WHERE {FRESH} ORDER BY s.place
    """,
        {"batch": batch_id},
    )


def made() -> list[tuple[int, int | None]]:
    """Return (record, reduction) of each fresh event, in the order of the file."""
    rows = run(f"SELECT s.record_id, s.reduction_id FROM staged_bills s WHERE {FRESH} ORDER BY s.place")
    return [(int(str(new)), None if old is None else int(str(old))) for new, old in rows]
