"""Two statements laid side by side as sets: every document of one finds its own in the other by what it is called."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple, cast

import msgspec

from ims_portal.rules.money import HEADS
from ims_portal.sql import copy_in, run
from returns.gstr2b_reading import Told

THEIRS, OURS = "T", "O"
SAME = "same"
PIECE = 2_000
COLUMNS = ("side", "place", "key", "list", "ctin", "name", "number", "day", "said", "record")


class Count(NamedTuple):
    """How many documents something came of, and their tax on both sides, in paise, credit notes taken off."""

    outcome: str
    documents: int
    theirs: int
    ours: int


def make_place() -> None:
    """Make the place where documents of both sides wait; it goes with the transaction."""
    run(
        """
        DROP TABLE IF EXISTS pg_temp.laid;
        CREATE TEMP TABLE laid (
            side char(1), place bigint, key text, list text, ctin text, name text, number text, day date, said jsonb,
            record bigint
        ) ON COMMIT DROP
        """
    )


def keep(side: str, told: Iterator[Told]) -> int:
    """Keep the documents of one side, and return how many they were.

    They come in pieces: what stops a reader must not come out of the database, nor its cursor stand in the way.
    """
    count = 0
    while piece := list(islice(told, PIECE)):
        copy_in("laid", COLUMNS, (_row(side, place, one) for place, one in enumerate(piece, start=count)))
        count += len(piece)
    return count


def _row(side: str, place: int, told: Told) -> tuple[object, ...]:
    said = msgspec.json.encode(told.said).decode()
    return side, place, told.key, told.list, told.ctin, told.name, told.number, told.day, said, told.record


def compare(file_id: object) -> list[Count]:
    """Keep what differs, the largest tax first, and return what came of all documents.

    Two are the same where ours says all that theirs says: a workbook has no column for some of it. Documents called
    alike on one side are taken in the order of their file.
    """
    run("ANALYZE laid")
    rows = run(
        f"""
        WITH numbered AS (
            SELECT laid.*, row_number() OVER (PARTITION BY side, key ORDER BY place) AS nth,
                (CASE WHEN said->>'kind' IN ('C', 'ISDC') THEN -1 ELSE 1 END)
                * ({" + ".join(f"coalesce((said->>'{head}')::bigint, 0)" for head in HEADS)}) AS tax
            FROM laid
        ), beside AS MATERIALIZED (
            SELECT coalesce(o.list, t.list) AS list, coalesce(o.ctin, t.ctin) AS ctin,
                coalesce(nullif(o.name, ''), t.name) AS name, coalesce(o.number, t.number) AS number,
                coalesce(o.day, t.day) AS day, o.record, t.said AS theirs, o.said AS ours,
                coalesce(t.tax, 0) AS their_tax, coalesce(o.tax, 0) AS our_tax,
                CASE WHEN t.key IS NULL THEN 'ours' WHEN o.key IS NULL THEN 'theirs'
                     WHEN o.said @> t.said THEN 'same' ELSE 'differs' END AS outcome
            FROM (SELECT * FROM numbered WHERE side = '{THEIRS}') t
            FULL JOIN (SELECT * FROM numbered WHERE side = '{OURS}') o ON o.key = t.key AND o.nth = t.nth
        ), kept AS (
            INSERT INTO returns_statementdifference
                (file_id, outcome, list, ctin, name, number, day, record_id, theirs, ours)
            SELECT %(file)s, outcome, list, ctin, name, number, day, record, theirs, ours
            FROM beside WHERE outcome <> 'same'
            ORDER BY outcome, greatest(abs(their_tax), abs(our_tax), abs(their_tax - our_tax)) DESC, ctin, number
        )
        SELECT outcome, count(*), sum(their_tax)::bigint, sum(our_tax)::bigint FROM beside GROUP BY outcome
        """,
        {"file": str(file_id)},
    )
    return [Count._make(row) for row in cast("list[tuple[str, int, int, int]]", rows)]
