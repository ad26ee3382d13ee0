"""What a statement makes final once its return is filed: sums and the dearest records by way, and pairs to look at.

One statement reads its lines once, however many; only what is listed is looked up.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from ims_portal import sql
from ims_portal.rules import gstr2b
from ims_portal.rules.actions import Answer
from ims_portal.rules.documents import Section
from ims_portal.rules.gstr2b import PARTS_B, Part, Placement, Status
from ims_portal.rules.money import HEADS
from ims_portal.sql import run
from invoices import pairs_sql, records_sql
from returns.models import Gstr2b

REJECTED, DEEMED, ANSWERED, PAIRS = "rejected", "deemed", "answered", "pairs"
LISTED = 100
"""Records, and pairs, each list of the review prints; what is left out is counted."""
PAIRED = 2_000
"""Rejected invoices, the dearest, whose credit notes are looked for."""


@dataclass(frozen=True, slots=True)
class Way:
    """All records that become final in one way: count, what they add to ITC and take from it, what is added back.

    `lines` are the ids of the dearest, in order; amounts in paise, `takes` is not above zero.
    """

    count: int
    adds: int
    takes: int
    add_back: int
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Paired:
    """A rejected invoice and a credit note of the same supplier and tax: whether the note is rejected too."""

    invoice_id: int
    invoice: str
    note_id: int
    note: str
    supplier: str
    tax: int
    note_is_rejected: bool


def finals(statement: Gstr2b) -> tuple[dict[str, Way], list[Paired]]:
    """Return what becomes final by way, and the pairs that deserve a look: one query over one version's lines."""
    rows = run(
        f"""
        WITH line AS MATERIALIZED (
            SELECT l.id, l.record_id,
                CASE WHEN l.placement = {sql.literal(Placement.REJECTED)} THEN '{REJECTED}'
                    WHEN l.status = {sql.literal(Status.DEEMED_ACCEPTED)} THEN '{DEEMED}' ELSE '{ANSWERED}' END AS way,
                (CASE WHEN l.part IN ({_parts_b()}) THEN -1 ELSE 1 END)
                    * ({" + ".join(f"l.{head}" for head in HEADS)}) AS net
            FROM returns_gstr2bline l
            WHERE {_of_version("l")} AND (l.placement = {sql.literal(Placement.REJECTED)}
                OR l.status = {sql.literal(Status.DEEMED_ACCEPTED)}
                OR l.answer IN ({sql.literal(Answer.PART)}, {sql.literal(Answer.NONE)}))
        ), total AS (
            SELECT way, count(*) AS lines, sum(greatest(net, 0)) AS adds, sum(least(net, 0)) AS takes
            FROM line GROUP BY way
        ), added_back AS (
            SELECT sum({" + ".join(gstr2b.CAP.sql.format(effect=f"r.effect_{head}") for head in HEADS)}) AS tax
            FROM line JOIN invoices_record r ON r.id = line.record_id AND r.recipient_id = %(recipient)s
            WHERE line.way = '{REJECTED}' AND {records_sql.adds_back("r")}
        )
        SELECT t.way, t.lines, t.adds, t.takes, CASE WHEN t.way = '{REJECTED}' THEN (SELECT tax FROM added_back) END,
            ARRAY(SELECT d.id FROM line d WHERE d.way = t.way ORDER BY abs(d.net) DESC, d.id LIMIT {LISTED:d}), ''
        FROM total t
        UNION ALL
        SELECT '{PAIRS}', 0, 0, 0, 0, NULL, coalesce(json_agg(p)::text, '[]') FROM ({_pairs()}) p
        """,
        {"recipient": statement.recipient_id, "month": statement.month, "version": statement.version},
    )
    ways = {str(row[0]): _way(row) for row in rows if row[0] != PAIRS}
    return ways, [Paired(**told) for row in rows if row[0] == PAIRS for told in json.loads(str(row[6]))]


def _way(row: tuple[object, ...]) -> Way:
    count, adds, takes, add_back = (int(str(value or 0)) for value in row[1:5])
    return Way(count, adds, takes, add_back, tuple(row[5]))  # type: ignore[arg-type]


def _parts_b() -> str:
    return ", ".join(sql.literal(part) for part in Part if part in PARTS_B)


def _of_version(alias: str) -> str:
    return (
        f"{alias}.recipient_id = %(recipient)s AND {alias}.month = %(month)s AND {alias}.first_version <= %(version)s "
        f"AND ({alias}.last_version IS NULL OR {alias}.last_version >= %(version)s)"
    )


def _pairs() -> str:
    """Return the SELECT of rejected invoices with a note of the same supplier and the same tax in every head (R6.9)."""
    same_tax = " AND ".join(f"n.{head} = i.{head}" for head in HEADS)
    return f"""
        SELECT i.id AS invoice_id, i.number AS invoice, n.id AS note_id, n.number AS note,
            coalesce(nullif(s.trade_name, ''), nullif(s.legal_name, ''), s.gstin) AS supplier,
            {" + ".join(f"n.{head}" for head in HEADS)} AS tax,
            c.placement = {sql.literal(Placement.REJECTED)} AS note_is_rejected
        FROM (SELECT record_id FROM line WHERE way = '{REJECTED}' AND net > 0 ORDER BY net DESC LIMIT {PAIRED:d}) x
        JOIN invoices_record i ON i.id = x.record_id AND i.recipient_id = %(recipient)s
            AND i.section IN ({_sections(pairs_sql.INVOICES)})
        JOIN invoices_record n ON n.recipient_id = i.recipient_id AND n.supplier_id = i.supplier_id
            AND n.section IN ({_sections(pairs_sql.NOTES)}) AND n.document_date >= i.document_date
            AND n.fy <= i.fy + 1 AND n.chain <> i.chain AND {same_tax}
        JOIN returns_gstr2bline c ON c.record_id = n.id AND c.status <> '' AND {_of_version("c")}
        JOIN ims_portal_taxpayer s ON s.id = i.supplier_id
        ORDER BY tax DESC, i.id, n.id LIMIT {LISTED:d}"""


def _sections(names: tuple[Section, ...]) -> str:
    return ", ".join(map(sql.literal, names))
