"""History as it is sealed: rows in one form that never changes, up to where nothing can come in any more."""

from __future__ import annotations

from collections.abc import Iterator

from ims_portal.sql import run, stream
from returns.models import Seal
from returns.verify_sql import Check

_TABLES = {Seal.Sealed.EVENTS: "invoices_actionevent", Seal.Sealed.FILINGS: "returns_filing"}
_MOMENT = "(extract(epoch FROM {0}) * 1000000)::bigint"
_ROWS = {
    Seal.Sealed.EVENTS: f"""
        id, recipient_id, record_id, version, cause, old_action, action, answer, declared_igst, declared_cgst,
        declared_sgst, declared_cess, remark, reason_code, actor_id, capacity, request_id, inbox_seq,
        {_MOMENT.format("at")}
    """,
    Seal.Sealed.FILINGS: f"""
        id, taxpayer_id, return_period_id, month, statement_id, seq, digest, derived, declared, taxable, why, reasons,
        payment, reference, filed_on, {_MOMENT.format("filed_at")}, filed_by_id
    """,
}
"""What of a row is sealed, in this order. A column added later is not: old seals must stay what they are."""

COUNTED = " ".join(
    f"WHEN '{sealed}' THEN (SELECT count(*) FROM {table} t WHERE t.id BETWEEN s.from_id AND s.to_id)"
    for sealed, table in _TABLES.items()
)
NAMED = "'seal of ' || s.sealed || ' ' || s.from_id || ' to ' || s.to_id || ', number'"
CHAIN = Check(
    "V29 seals",
    "seals form a chain without gaps, and each block has as many rows as were sealed",
    f"""
    SELECT {NAMED}, s.id FROM (
        SELECT *, lag(hash) OVER (ORDER BY id) AS before, lag(to_id) OVER (PARTITION BY sealed ORDER BY id) AS ended
        FROM returns_seal
    ) s
    WHERE {{of}} AND (s.prev_hash <> coalesce(s.before, '') OR s.from_id <> coalesce(s.ended, 0) + 1
        OR s.to_id < s.from_id OR s.rows <> CASE s.sealed {COUNTED} END)
    """,
)


def mark() -> tuple[str, dict[str, int]]:
    """Return the newest id of each table now, and the first transaction that had not begun to write by then."""
    newest = ", ".join(f"(SELECT coalesce(max(id), 0) FROM {table})" for table in _TABLES.values())
    ((begun, *ends),) = run(f"SELECT pg_snapshot_xmax(pg_current_snapshot())::text, {newest}")
    return str(begun), {sealed.value: int(str(end)) for sealed, end in zip(_TABLES, ends, strict=True)}


def are_over(begun: str) -> bool:
    """Whether every transaction that was writing when a mark was made is over."""
    return bool(run("SELECT pg_snapshot_xmin(pg_current_snapshot()) >= %(begun)s::xid8", {"begun": begun})[0][0])


def block_end(sealed: str, *, begin: int, end: int, most: int) -> int | None:
    """Return the id a block from `begin` ends with: of at most `most` rows, none above `end`; None without any row."""
    rows = run(
        f"""
        SELECT max(t.id) FROM (
            SELECT id FROM {_TABLES[Seal.Sealed(sealed)]} WHERE id BETWEEN %(begin)s AND %(end)s
            ORDER BY id LIMIT %(most)s
        ) t
        """,
        {"begin": begin, "end": end, "most": most},
    )
    return None if rows[0][0] is None else int(str(rows[0][0]))


def texts(sealed: str, *, begin: int, end: int) -> Iterator[str]:
    """Yield the rows of a block in the order of their ids, each as a line of JSON; memory stays flat."""
    table = Seal.Sealed(sealed)
    rows = stream(
        f"""
        SELECT jsonb_build_array({_ROWS[table]})::text FROM {_TABLES[table]}
        WHERE id BETWEEN %(begin)s AND %(end)s ORDER BY id
        """,
        {"begin": begin, "end": end},
    )
    return (str(text) for (text,) in rows)
