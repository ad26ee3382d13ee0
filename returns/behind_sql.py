"""What a statement lacks, as sets: the newest one with all that says whether it is behind, and what changed since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from ims_portal.sql import run
from invoices.standing import Standing
from returns import gstr2b_sql, since_sql
from returns.since_sql import Since

_DIFFERENCE = f"coalesce({gstr2b_sql.net('w')}, 0) - coalesce({gstr2b_sql.net('o')}, 0)"
"""What a change does to net ITC: of the line it would get, `w`, less that of the line in the statement, `o`."""


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest statement of a GSTIN's open period, and the inbox's counter now."""

    open_month: int
    seq: int
    pk: int
    version: int
    at_seq: int
    as_of: date
    computed_at: datetime
    engine: str


def newest(*, recipient_id: int) -> Newest | None:
    """Return the newest statement of the open period, None where there is none. One query, by key."""
    rows = run(
        """
        SELECT i.open_month, i.seq, s.id, s.version, s.seq, s.as_of, s.computed_at, s.engine
        FROM invoices_inbox i CROSS JOIN LATERAL (
            SELECT * FROM returns_gstr2b b WHERE b.recipient_id = i.taxpayer_id AND b.month = i.open_month
            ORDER BY b.version DESC LIMIT 1) s
        WHERE i.taxpayer_id = %(recipient)s
        """,
        {"recipient": recipient_id},
    )
    if not rows:
        return None
    return Newest(*rows[0])  # type: ignore[arg-type]


def _compared(since: Since, today: Standing, select: str) -> tuple[str, dict[str, object]]:
    """Return a SELECT, with its parameters, over each touched record's line `o` beside the one it would get, `w`.

    What was never in the statement and would not be is no change of it: a record of a later period, or one that came
    by feed and was kept pending before.
    """
    touched, parameters = since_sql.touched(since, today)
    # One record at a time, by its key: as a set of its own it would be joined by reading it once per touched record.
    wanted = gstr2b_sql.wanted(today, since.month, among="t.id")
    return (
        f"""WITH touched AS MATERIALIZED (
            SELECT f.id, bool_or(f.is_acted) AS is_acted FROM ({touched}) AS f(id, is_acted) GROUP BY f.id
        )
        SELECT {select}
        FROM touched t
        JOIN invoices_record r ON r.recipient_id = %(recipient)s AND r.id = t.id
        LEFT JOIN LATERAL ({wanted}) w ON true
        LEFT JOIN returns_gstr2bline o ON o.recipient_id = %(recipient)s AND o.month = %(month)s
            AND o.record_id = t.id AND o.last_version IS NULL
        WHERE (o.id IS NOT NULL OR w.record_id IS NOT NULL OR (t.is_acted AND r.status = 'F'
            AND r.settled_month IS NULL AND r.gstr2b_month <= %(month)s))""",
        parameters,
    )


_SUMS = tuple(f"coalesce(sum({side}({_DIFFERENCE}, 0)){{over}}, 0)" for side in ("greatest", "least"))


@dataclass(frozen=True, slots=True)
class Changed:
    """One record changed since a statement: the id of its line there, and the line it would get; None for none."""

    record_id: int
    line_id: int | None
    wanted: Mapping[str, Any] | None


Sums = tuple[int, int, int]
"""How many records changed since a statement, and what net ITC gains and loses by them, in paise.

A record counts by what it comes to: what was set and set back is among the number, but not in the sums.
"""


def sums(since: Since, today: Standing) -> Sums:
    """Return what changed since a statement, in figures."""
    rows = run(*_compared(since, today, ", ".join(["count(*)", *(one.format(over="") for one in _SUMS)])))
    return _whole(rows[0])


def changed(since: Since, today: Standing, *, limit: int) -> tuple[Sums, list[Changed]]:
    """Return what changed since a statement in figures, and the dearest records of it. One query."""
    names = [name for name in gstr2b_sql.LINE if name not in ("record_id", "why_id")]
    of_all = ["count(*) OVER ()", *(one.format(over=" OVER ()") for one in _SUMS)]
    columns = ["t.id", "o.id", "w.record_id IS NOT NULL", *(f"w.{name}" for name in names)]
    query, parameters = _compared(since, today, ", ".join([*of_all, *columns]))
    rows = run(f"{query} ORDER BY abs({_DIFFERENCE}) DESC, t.id LIMIT %(limit)s", parameters | {"limit": limit})
    found = [
        Changed(
            int(str(pk)),
            None if line is None else int(str(line)),
            dict(zip(names, values, strict=True)) if is_there else None,
        )
        for _count, _gain, _loss, pk, line, is_there, *values in rows
    ]
    return _whole(rows[0][:3]) if rows else (0, 0, 0), found


def _whole(row: Sequence[object]) -> Sums:
    count, gain, loss = (int(str(value)) for value in row)
    return count, gain, loss
