"""Checks of `verify` made of the tables there are: of each kind of job, each reference of a spread database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ims_portal import placing
from ims_portal.placing_sql import Reference
from returns.verify_sql import LIVE, Check


def jobs(tables: Mapping[str, bool]) -> Check:
    """Return the check of jobs, which stand in several tables; `tables` says whether one's jobs are of a taxpayer."""
    each = [
        f"""
        SELECT '{table}', l.id::text
        FROM {table if has_taxpayer else f"(SELECT *, NULL::bigint AS taxpayer_id FROM {table})"} l
        WHERE {{of}} AND ((l.{LIVE} AND l.changed_at < now() - interval '10 minutes') OR l.attempts > 3)
        """
        for table, has_taxpayer in tables.items()
    ]
    return Check(
        "V28 jobs",
        "no job has waited for ten minutes, and none was tried more than three times",
        " UNION ALL ".join(each),
        "l.taxpayer_id",
    )


def references(found: Sequence[Reference]) -> Check:
    """Return the check of references that a database spread over machines cannot check by itself (`placing`)."""
    owners = {one.table: placing.DISTRIBUTED.get(one.table, ("NULL::bigint", ""))[0] for one in found}
    each = [
        f"""
        SELECT 'missing {one.target} of {one.table}', l.{one.columns[0]}::text
        FROM (SELECT *, {owners[one.table]} AS owner_id FROM {one.table}) l
        WHERE {{of}} AND l.{one.columns[0]} IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM {one.target} t WHERE t.{one.target_columns[0]} = l.{one.columns[0]})
        """
        for one in found
    ]
    return Check("V32 references", "what a row refers to is there", " UNION ALL ".join(each), "l.owner_id")
