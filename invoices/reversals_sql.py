"""Rule 37A reversals as a set: staged, their documents found, checked against what was counted, put in (R8.9).

One statement per function.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from ims_portal import sql
from ims_portal.rules.documents import Form, NumberClass, Section
from ims_portal.rules.money import HEADS
from ims_portal.sql import run
from invoices import counted, feeds_sql
from invoices.feeds_json.reversals import SECTIONS, Reversal
from invoices.standing import recipients_month_sql

COLUMNS = (
    "place",
    "position",
    "recipient_gstin",
    "told_month",
    "section",
    "supplier_gstin",
    "supplier_month",
    "number",
    "document_date",
    *HEADS,
)
FRESH = "s.problem = '' AND NOT s.is_known"
TAXES = ", ".join(f"{{0}}.{head}" for head in HEADS)


def make_staging() -> None:
    """Make the session's empty staging table."""
    run("""
        DROP TABLE IF EXISTS staged_reversals;
        CREATE TEMPORARY TABLE staged_reversals (
            place bigint PRIMARY KEY, position text NOT NULL, recipient_gstin text NOT NULL, told_month int NOT NULL,
            section text NOT NULL, supplier_gstin text NOT NULL, supplier_month int NOT NULL, number text NOT NULL,
            document_date date NOT NULL, igst bigint NOT NULL, cgst bigint NOT NULL, sgst bigint NOT NULL,
            cess bigint NOT NULL, recipient_id bigint, month int, document_id bigint, record_id bigint,
            is_known boolean NOT NULL DEFAULT false, room bigint[], problem text NOT NULL DEFAULT '')
    """)


def drop_staging() -> None:
    """Drop the session's staging table."""
    run("DROP TABLE IF EXISTS staged_reversals")


def stage(found: Iterable[tuple[int, Reversal]], *, day: date) -> int:
    """COPY reversals into staging and return their count; one without a document is dated the day it is told."""
    return sql.copy_in("staged_reversals", COLUMNS, (_staged(place, reversal, day) for place, reversal in found))


def _staged(place: int, reversal: Reversal, day: date) -> tuple[object, ...]:
    document, period = reversal.document, reversal.period
    of_document: tuple[object, ...] = ("", "", 0, f"R37A-{period.wire}", day)
    if document is not None:
        of_document = (
            document.section,
            document.supplier,
            document.period.month,
            document.number,
            document.date,
        )
    return (place, reversal.position, reversal.recipient, period.month, *of_document, *reversal.tax)


def recipients() -> dict[str, int | None]:
    """Return GSTIN -> taxpayer id, None for one unknown here, of everybody who must give credit back."""
    rows = run("""
        SELECT g.gstin, t.id FROM (SELECT DISTINCT recipient_gstin FROM staged_reversals) g (gstin)
        LEFT JOIN ims_portal_taxpayer t ON t.gstin = g.gstin
    """)
    return {str(gstin): None if pk is None else int(str(pk)) for gstin, pk in rows}


def resolve() -> None:
    """Find recipients, their own periods and the documents; mark what is stored, or told twice, already."""
    run("ANALYZE staged_reversals")
    run(f"""
        UPDATE staged_reversals s SET recipient_id = t.id, month = {recipients_month_sql("t.id", "s.told_month")}
        FROM ims_portal_taxpayer t WHERE t.gstin = s.recipient_gstin
    """)
    family = " OR ".join(
        f"(s.section = '{name}' AND r.section IN ({', '.join(map(sql.literal, of))}))" for name, of in SECTIONS.items()
    )
    run(f"""
        UPDATE staged_reversals s SET document_id = r.id
        FROM invoices_record r JOIN ims_portal_taxpayer t ON t.id = r.supplier_id
        WHERE t.gstin = s.supplier_gstin AND r.number_key = upper(s.number) AND r.recipient_id = s.recipient_id
          AND r.document_date = s.document_date AND r.return_month = s.supplier_month AND r.status = 'F' AND ({family})
    """)
    same = f"({TAXES.format('s')}) = ({TAXES.format('b')})"
    run(f"""
        UPDATE staged_reversals s SET is_known = {same}, problem = CASE WHEN {same} THEN '' ELSE 'OTHER_CONTENT' END
        FROM (SELECT min(place) AS place, document_id, month FROM staged_reversals GROUP BY document_id, month) f
        JOIN staged_reversals b ON b.place = f.place
        WHERE f.document_id = s.document_id AND f.month = s.month AND f.place < s.place
    """)
    run(f"""
        UPDATE staged_reversals s SET is_known = {same}, problem = CASE WHEN {same} THEN '' ELSE 'OTHER_CONTENT' END
        FROM invoices_reversal v JOIN invoices_record b ON b.id = v.record_id
        WHERE v.document_id = s.document_id AND v.month = s.month
    """)


def check() -> None:
    """Mark reversals nobody here can take, of credit no statement counted, or of more than was counted."""
    run(f"""
        UPDATE staged_reversals s SET problem = CASE WHEN s.recipient_id IS NULL THEN 'UNKNOWN_RECIPIENT'
            WHEN s.month < (SELECT i.open_month FROM invoices_inbox i WHERE i.taxpayer_id = s.recipient_id)
                THEN 'PERIOD_FILED'
            WHEN s.supplier_gstin <> '' AND s.document_id IS NULL THEN 'NO_DOCUMENT' ELSE '' END
        WHERE {FRESH}
    """)
    room = ", ".join(f"greatest(0, c.{head}) - coalesce(v.{head}, 0) - coalesce(w.{head}, 0)" for head in HEADS)
    sums = ", ".join(f"sum({{0}}.{head}) AS {head}" for head in HEADS)
    run(f"""
        UPDATE staged_reversals s SET problem = CASE WHEN c.igst IS NULL THEN 'NEVER_COUNTED'
                WHEN {" OR ".join(f"s.{head} > (ARRAY[{room}])[{place}]" for place, head in enumerate(HEADS, 1))}
                THEN 'TOO_MUCH' ELSE '' END,
            room = ARRAY[{room}]
        FROM staged_reversals n
        CROSS JOIN LATERAL (SELECT {sums.format("l")} FROM ({counted.lines()}) l
            WHERE l.recipient_id = n.recipient_id AND l.record_id = n.document_id
              AND l.is_newest AND l.is_available AND l.month < n.month) c
        CROSS JOIN LATERAL (SELECT {sums.format("b")} FROM invoices_reversal e JOIN invoices_record b
            ON b.id = e.record_id WHERE e.document_id = n.document_id) v
        CROSS JOIN LATERAL (SELECT {sums.format("o")} FROM staged_reversals o
            WHERE o.document_id = n.document_id AND o.place < n.place AND NOT o.is_known AND o.problem = '') w
        WHERE n.place = s.place AND {FRESH} AND s.document_id IS NOT NULL
    """)


class Refused(NamedTuple):
    """A reversal that cannot be taken; `room` is what is left of what was counted, per head in paise."""

    problem: str
    position: str
    number: str
    recipient: str
    month: int
    room: Sequence[int] | None


def refused() -> list[Refused]:
    """Return what the checks marked, in the order of the file."""
    rows = run("""
        SELECT problem, position, number, recipient_gstin, told_month, room FROM staged_reversals
        WHERE problem <> '' ORDER BY place
    """)
    return [Refused(*row) for row in rows]  # type: ignore[arg-type]


def known_count() -> int:
    """Return how many reversals are stored already."""
    return int(str(run("SELECT count(*) FROM staged_reversals WHERE is_known")[0][0]))


def add(*, day: date, batch_id: object) -> list[int]:
    """Put in the fresh reversals, filed on a day, each counting in its own period; return their ids."""
    feeds_sql.give_ids("staged_reversals", where=FRESH)
    added = feeds_sql.add_records(
        {
            "id": "s.record_id",
            "recipient_id": "s.recipient_id",
            "section": sql.literal(Section.RULE_37A),
            "form": sql.literal(Form.RULE_37A),
            "number": "s.number",
            "number_class": sql.literal(NumberClass.BILL_OF_ENTRY),
            "document_date": "s.document_date",
            "chain": "s.record_id",
            "chain_no": "1",
            "filed_on": "%(day)s",
            **{head: f"s.{head}" for head in HEADS},
            **dict.fromkeys(("return_month", "own_month", "earliest_month"), feeds_sql.month_of("%(day)s::date")),
        },
        source=f"staged_reversals s WHERE {FRESH} ORDER BY s.place",
        month="s.month",
        parameters={"day": day},
    )
    run(
        f"""
        INSERT INTO invoices_reversal (record_id, document_id, batch_id, month)
        SELECT s.record_id, s.document_id, %(batch)s, s.month FROM staged_reversals s WHERE {FRESH} ORDER BY s.place
    """,
        {"batch": batch_id},
    )
    return added
