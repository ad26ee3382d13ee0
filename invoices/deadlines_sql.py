"""What of a recipient's records has a day to be decided by, and how old its Pending is: sums by GSTR-2B month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from ims_portal.rules import time_limit
from ims_portal.sql import run
from invoices import filters_sql, kept_sql
from invoices.inbox_sql import Sum
from invoices.standing import Standing


@dataclass(frozen=True, slots=True)
class Waiting:
    """Records of one GSTR-2B month that wait alike: how many, and the ITC at stake in paise.

    `why` is N or P, the action as it counts today of a record that reduces ITC, S for one its supplier only saved, or L
    for one that nears the time limit of its financial year, which then stands for the month. `by_month` says whether
    some of them stand in a form filed by the month.
    """

    why: str
    month: int
    count: int
    stake: int
    by_month: bool


def waiting(recipient_id: int, today: Standing, open_month: int) -> list[Waiting]:
    """Return what waits for a decision or for its supplier, by GSTR-2B month: one statement over kept counts.

    Of records that reduce, those with No action (accepted in full if left) and the Pending that can lapse; of saved
    records all that count in the month whose filing window is open; of years that are warned of, what is undecided
    and in time while the period `open_month` is open (R7.9).
    """
    years = time_limit.warned_years(today.day, open_month)
    columns = today.columns("r")
    is_open = f"r.recipient_id = %(recipient)s AND r.superseded_by_id IS NULL AND NOT {columns['bypasses']}"
    may_be_decided = f"NOT ({columns['is_unfiled_amendment']}) AND NOT ({columns['original_is_open']})"
    rows = run(
        f"""
        WITH counted AS ({kept_sql.RECORDS})
        SELECT why, month, sum(records), sum(stake), bool_or(by_month) FROM (
            SELECT {columns["effective"]} AS why, {columns["month"]} AS month, r.records, r.cap AS stake,
                true AS by_month
            FROM counted r
            WHERE {is_open} AND r.settled_month IS NULL AND r.reduces AND r.status <> 'W' AND {may_be_decided}
        ) reducing WHERE why IN ('N', 'P') GROUP BY why, month
        UNION ALL
        SELECT 'S', month, sum(records), sum(stake), bool_or(by_month) FROM (
            SELECT {columns["month"]} AS month, r.records, NOT r.files_by_quarter AS by_month,
                CASE WHEN r.effect_igst > 0 THEN r.effect ELSE 0 END AS stake
            FROM counted r WHERE {is_open} AND r.status = 'S'
        ) saved WHERE month = ANY(%(windows)s) GROUP BY month
        {_near_limit(today) if years else ""}
        ORDER BY 2, 1
        """,
        {"recipient": recipient_id, "windows": windows(today), "years": list(years), "open_month": open_month},
    )
    return [
        Waiting(str(why), _whole(month), _whole(count), _whole(stake), bool(by_month))
        for why, month, count, stake, by_month in rows
    ]


def _near_limit(today: Standing) -> str:
    return f"""
        UNION ALL
        SELECT 'L', r.credit_fy, sum(r.records), sum(r.effect), true FROM counted r
        WHERE r.recipient_id = %(recipient)s AND r.credit_fy = ANY(%(years)s)
          AND {filters_sql.listed(today)} AND {filters_sql.nears_limit(today, "%(open_month)s")}
        GROUP BY r.credit_fy"""


def windows(today: Standing) -> list[int]:
    """Return the recipient's GSTR-2B months into which what is filed today falls: by the month, by the quarter."""
    return [today.filer.period(month).month for month in (today.saved_monthly, today.saved_quarterly)]


def pending_by_age(recipient_id: int, today: Standing, bounds: Sequence[int]) -> list[Sum]:
    """Return the Pending of each age: documents up to `bounds` days old, one sum more for the older; their tax."""
    columns = today.columns("r")
    rows = run(
        f"""
        SELECT width_bucket(%(day)s::date - r.document_date, %(from)s::int[]) AS age,
            sum(r.records), sum(r.tax)
        FROM {kept_sql.RECORDS} r
        WHERE r.recipient_id = %(recipient)s AND r.settled_month IS NULL AND r.action = 'P'
          AND r.superseded_by_id IS NULL AND r.status <> 'W' AND NOT {columns["bypasses"]}
          AND {columns["effective"]} = 'P'
        GROUP BY age
        """,
        {"recipient": recipient_id, "day": today.day, "from": [bound + 1 for bound in bounds]},
    )
    found = {_whole(age): Sum(_whole(count), _whole(tax)) for age, count, tax in rows}
    return [found.get(age, Sum()) for age in range(len(bounds) + 1)]


def days_of_ages(day: date, bounds: Sequence[int]) -> list[tuple[date | None, date | None]]:
    """Return the first and last document day of each age of `pending_by_age`; None is open."""
    lasts: list[date | None] = [None, *(day - timedelta(days=bound + 1) for bound in bounds)]
    firsts: list[date | None] = [*(day - timedelta(days=bound) for bound in bounds), None]
    return list(zip(firsts, lasts, strict=True))


def _whole(value: object) -> int:
    return int(str(value or 0))
