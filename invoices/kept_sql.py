"""Kept counts as records: read by the very SQL that reads records, put together, compared with a fresh count.

The database keeps them itself (migration `counts_are_kept`): with each statement that changes records it adds rows and
never touches one that is there, so writers wait for nobody. All rows belong to one recipient, as its records do.
"""

from __future__ import annotations

from collections.abc import Collection

from ims_portal.sql import run
from invoices.models import KeptCount

FOLD_FROM = 200
"""Rows added since the last folding from which on it is worth while: reading them takes a millisecond."""

_FACTS = ", ".join(KeptCount.FACTS)
_SUMS = ", ".join(f"sum({name}) AS {name}" for name in KeptCount.SUMS)
_SOME = " OR ".join(f"sum({name}) <> 0" for name in KeptCount.SUMS)
_AS_THEY_ARE = ", ".join(name for name in KeptCount.FACTS if name not in ("adds_itc", "is_superseded", "pending_dated"))

_RECORDS = f"""(
    SELECT {_AS_THEY_ARE}, recipient_id, pending_dated AS document_date, false AS is_closed,
        CASE WHEN is_superseded THEN 0 END AS superseded_by_id, adds_itc::int AS effect_igst, 0 AS effect_cgst,
        0 AS effect_sgst, 0 AS effect_cess, {_SUMS}
    FROM invoices_keptcount WHERE recipient_id = {{whose}}
    GROUP BY recipient_id, {_FACTS} HAVING {_SOME})"""
RECORDS = _RECORDS.format(whose="%(recipient)s")
"""The SELECT of a recipient's records, alike ones in one row, under the names of their columns.

`records` says how many; `tax`, `effect` and `cap` are their sums in paise. Columns not kept are not there; of
`effect_igst` only the sign of the whole effect is, of `document_date` only that of Pending.
"""
RECORDS_OF_SEVERAL = _RECORDS.format(whose="ANY(%(recipients)s)")
"""The same of several recipients at once."""


def difference(whose: str) -> str:
    """Return the SELECT of facts, records and sums by which kept counts differ from a fresh count; `whose` is SQL."""
    sums = ", ".join(f"sum({name})" for name in KeptCount.SUMS)
    return f"""
        SELECT {_FACTS}, {sums} FROM (
            SELECT {_FACTS}, {", ".join(KeptCount.SUMS)} FROM invoices_keptcount WHERE recipient_id = {whose}
            UNION ALL
            SELECT {_FACTS}, {", ".join(f"-{name}" for name in KeptCount.SUMS)} FROM invoices_counted({whose})) d
        GROUP BY {_FACTS} HAVING {_SOME}
        """


def differing(recipient_id: int) -> list[tuple[object, ...]]:
    """Return what `difference` finds for one recipient; nothing where all is well."""
    return run(difference("%(recipient)s"), {"recipient": recipient_id})


def records_of(recipient_ids: Collection[int]) -> dict[int, int]:
    """Return recipient -> records that are not settled."""
    rows = run(
        """
        SELECT recipient_id, sum(records) FROM invoices_keptcount
        WHERE recipient_id = ANY(%(recipients)s) AND settled_month IS NULL GROUP BY recipient_id
        """,
        {"recipients": list(recipient_ids)},
    )
    return {int(str(pk)): int(str(records)) for pk, records in rows}


def recipients() -> list[int]:
    """Return everybody who has records or kept counts."""
    rows = run(
        """
        SELECT t.id FROM ims_portal_taxpayer t
        WHERE EXISTS (SELECT 1 FROM invoices_record r WHERE r.recipient_id = t.id)
           OR EXISTS (SELECT 1 FROM invoices_keptcount k WHERE k.recipient_id = t.id)
        ORDER BY t.gstin
        """
    )
    return [int(str(pk)) for (pk,) in rows]


def lock(recipient_id: int) -> None:
    """Keep others from putting together or counting afresh the same counts; writers and readers go on."""
    run("SELECT pg_advisory_xact_lock(hashtextextended('kept counts', %(recipient)s))", {"recipient": recipient_id})


def to_fold() -> list[int]:
    """Return the recipients whose counts are worth putting together."""
    rows = run(
        f"""
        SELECT recipient_id FROM invoices_keptcount WHERE NOT is_folded
        GROUP BY recipient_id HAVING count(*) >= {FOLD_FROM:d}
        """
    )
    return [int(str(pk)) for (pk,) in rows]


def fold(recipient_id: int) -> None:
    """Put a recipient's rows together, one for each kind of record. This will join a transaction after `lock`.

    What it takes away and what it puts there are of one snapshot; rows added meanwhile stay for the next time.
    """
    run(
        f"""
        WITH gone AS (DELETE FROM invoices_keptcount WHERE recipient_id = %(recipient)s RETURNING *)
        INSERT INTO invoices_keptcount (recipient_id, is_folded, {_FACTS}, {", ".join(KeptCount.SUMS)})
        SELECT recipient_id, true, {_FACTS}, {_SUMS} FROM gone GROUP BY recipient_id, {_FACTS} HAVING {_SOME}
        """,
        {"recipient": recipient_id},
    )


def count_afresh(recipient_id: int) -> None:
    """Replace a recipient's kept counts by what its records come to. This will join a transaction after `lock`.

    Both are of one snapshot, in which every change of a record stands together with the rows it added.
    """
    run(
        f"""
        WITH gone AS (DELETE FROM invoices_keptcount WHERE recipient_id = %(recipient)s)
        INSERT INTO invoices_keptcount (recipient_id, is_folded, {_FACTS}, {", ".join(KeptCount.SUMS)})
        SELECT recipient_id, true, {_FACTS}, {", ".join(KeptCount.SUMS)} FROM invoices_counted(%(recipient)s)
        """,
        {"recipient": recipient_id},
    )
