"""What people were told is done, as lines that can be kept elsewhere, and which of such lines a database lacks (F29).

A line is what, id, moment and GSTIN: no amounts, no texts, no names. The moment is the portal's; with it a line is
still told from another that got the same id after a restore.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from ims_portal.sql import run, stream

ENTRIES = {
    "action": "SELECT e.id, e.at, t.gstin FROM invoices_actionevent e "
    "JOIN ims_portal_taxpayer t ON t.id = e.recipient_id",
    "message": "SELECT e.id, e.at, t.gstin FROM invoices_message e JOIN ims_portal_taxpayer t ON t.id = e.recipient_id",
    "return of a supplier": "SELECT e.id, e.filed_at AS at, t.gstin FROM invoices_supplierreturn e "
    "JOIN ims_portal_taxpayer t ON t.id = e.supplier_id WHERE e.filed_at IS NOT NULL",
    "GSTR-2B": "SELECT e.id, e.computed_at AS at, t.gstin FROM returns_gstr2b e "
    "JOIN ims_portal_taxpayer t ON t.id = e.recipient_id",
    "GSTR-3B": "SELECT e.id, e.filed_at AS at, t.gstin FROM returns_filing e "
    "JOIN ims_portal_taxpayer t ON t.id = e.taxpayer_id",
    "audit event": "SELECT e.id, e.at, coalesce(t.gstin, '') AS gstin FROM ims_portal_auditevent e "
    "LEFT JOIN ims_portal_taxpayer t ON t.id = e.taxpayer_id",
}
"""What was acknowledged -> every row of it, with the portal's moment and whose it is."""


class Entry(NamedTuple):
    """One acknowledged thing."""

    what: str
    id: int
    at: datetime
    gstin: str


def since(moment: datetime | None) -> Iterator[Entry]:
    """Yield everything acknowledged from a moment on, by the portal's clock, or ever; what by what, in order of ids."""
    for what, rows in ENTRIES.items():
        told = {"since": moment}
        for row in stream(
            f"SELECT e.* FROM ({rows}) e WHERE %(since)s::timestamptz IS NULL OR e.at >= %(since)s ORDER BY e.id", told
        ):
            yield Entry(what, *row)  # type: ignore[arg-type]  # a row of the query above


def gone(kept: Collection[Entry]) -> list[Entry]:
    """Return those entries, of any number, that the database does not have."""
    lost: list[Entry] = []
    for what, rows in ENTRIES.items():
        found = {(entry.id, entry.at): entry for entry in kept if entry.what == what}
        lost += [found[key] for key in _missing(rows, list(found))]
    return lost


def _missing(rows: str, keys: Sequence[tuple[int, datetime]]) -> list[tuple[int, datetime]]:
    names = {"ids": [key[0] for key in keys], "moments": [key[1] for key in keys]}
    return run(  # type: ignore[return-value]  # rows of the query below
        f"""
        SELECT k.id, k.at FROM unnest(%(ids)s::bigint[], %(moments)s::timestamptz[]) k (id, at)
        WHERE NOT EXISTS (SELECT FROM ({rows}) e WHERE e.id = k.id AND e.at = k.at) ORDER BY k.id
        """,
        names,
    )
