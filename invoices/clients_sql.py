"""What is undecided in several inboxes at once, and what of it is at risk: one statement for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ims_portal.rules import time_limit
from ims_portal.rules.documents import Section
from ims_portal.rules.periods import Filer
from ims_portal.sql import run
from invoices import books_sql, filters_sql, kept_sql
from invoices.filters import IN_IMS
from invoices.inbox_sql import Sum
from invoices.standing import Standing


class Risk(StrEnum):
    """Why undecided records are at risk; a record stands under the first that holds (portal 3.10)."""

    REDUCES = "reduces"
    LAPSES = "lapses"
    LIMIT = "limit"
    BOOKS = "books"
    NONE = ""


NEVER_REDUCE = (Section.B2B, Section.DN, Section.ECO, Section.IMPG, Section.IMPGSEZ)
"""Sections whose records only ever add ITC."""


@dataclass(frozen=True, slots=True)
class Undecided:
    """Records of one recipient and GSTR-2B month (YYYYMM) that are alike: how many, and sums in paise.

    `action` is N or P, as it counts today. `tax` is the documents' tax, `stake` the ITC at stake. `can_lapse` says that
    they reduce ITC and can be decided: while they are pending, they lapse.
    """

    action: str
    month: int
    risk: Risk
    can_lapse: bool
    count: int
    tax: int
    stake: int


def undecided(today: Mapping[int, Standing]) -> dict[int, list[Undecided]]:
    """Return recipient id -> what is pending or without action in its inbox; `today` is every recipient's standing.

    Read from kept counts. Recipients who file alike share the SQL of their day: some branches, whatever their number.
    """
    alike: dict[tuple[bool, Filer], list[int]] = {}
    for pk, one in today.items():
        alike.setdefault((one.has_ims, one.filer), []).append(pk)
    found: dict[int, list[Undecided]] = {pk: [] for pk in today}
    if not alike:
        return found
    parameters: dict[str, object] = {"recipients": list(today), "sections": [section.value for section in IN_IMS]}
    branches = []
    for place, recipients in enumerate(alike.values()):
        parameters[f"alike_{place}"] = recipients
        branches.append(_branch(today[recipients[0]], f"alike_{place}"))
    rows = run(
        f"""
        WITH counted AS MATERIALIZED (
            SELECT k.*, coalesce(i.open_month, t.first_month) AS open_month
            FROM {kept_sql.RECORDS_OF_SEVERAL} k
            JOIN ims_portal_taxpayer t ON t.id = k.recipient_id
            LEFT JOIN invoices_inbox i ON i.taxpayer_id = k.recipient_id
            WHERE k.section = ANY(%(sections)s) AND k.settled_month IS NULL
        )
        SELECT recipient_id, action, month, risk, can_lapse, sum(records), sum(tax),
            sum(CASE WHEN risk = '{Risk.LIMIT}' THEN effect ELSE cap END)
        FROM ({" UNION ALL ".join(branches)}) u
        WHERE action IN ('N', 'P') GROUP BY recipient_id, action, month, risk, can_lapse
        ORDER BY recipient_id, month, action, risk, can_lapse
        """,
        parameters,
    )
    for recipient, action, month, risk, can_lapse, *sums in rows:
        count, tax, stake = (int(str(value or 0)) for value in sums)
        line = Undecided(str(action), int(str(month)), Risk(str(risk)), bool(can_lapse), count, tax, stake)
        found[int(str(recipient))].append(line)
    return found


def unbooked(today: Mapping[int, Standing]) -> dict[int, Sum]:
    """Return recipient id -> its invoices without action that are only in IMS, with their tax in paise: one query.

    `today` is the standing of those who have books. What the time limit bars soon stands under that risk.
    """
    if not today:
        return {}
    alike: dict[tuple[bool, Filer], list[int]] = {}
    for pk, one in today.items():
        alike.setdefault((one.has_ims, one.filer), []).append(pk)
    parameters: dict[str, object] = {
        "recipients": list(today),
        "sections": [section.value for section in NEVER_REDUCE],
    }
    branches = []
    for place, recipients in enumerate(alike.values()):
        parameters[f"alike_{place}"] = recipients
        one = today[recipients[0]]
        branches.append(
            f"""SELECT r.recipient_id, {filters_sql.TAX} AS tax FROM invoices_record r
            JOIN months m ON m.recipient_id = r.recipient_id AND m.month = {books_sql.MONTH.format("r")}
            WHERE r.recipient_id = ANY(%(alike_{place})s) AND r.section = ANY(%(sections)s)
              AND {one.columns("r")["effective"]} = 'N'
              AND r.credit_fy > {time_limit.latest_warned(one.day):d} AND r.superseded_by_id IS NULL
              AND {filters_sql.listed(one)} AND NOT EXISTS (SELECT 1 FROM invoices_pair p
                  WHERE p.recipient_id = r.recipient_id AND p.record_id = r.id AND p.kind <> 'not')"""
        )
    rows = run(
        f"""
        WITH months AS MATERIALIZED ({books_sql.MONTHS_OF_SEVERAL})
        SELECT recipient_id, count(*), sum(tax) FROM ({" UNION ALL ".join(branches)}) u GROUP BY recipient_id
        """,
        parameters,
    )
    return {int(str(pk)): Sum(int(str(count)), int(str(tax))) for pk, count, tax in rows}


def _branch(today: Standing, whose: str) -> str:
    """Return the SELECT of the undecided records of recipients who stand alike; `whose` names their parameter."""
    columns = today.columns("r")
    effective = columns["effective"]
    decided = f"(r.reduces AND NOT ({columns['is_unfiled_amendment']}) AND NOT ({columns['original_is_open']}))"
    soon = filters_sql.lapses(today, filters_sql.LAPSES_SOON)
    is_warned = f"r.credit_fy <= {time_limit.latest_warned(today.day):d}"
    return f"""
        SELECT r.recipient_id, {effective} AS action, {columns["month"]} AS month, {decided} AS can_lapse,
            CASE WHEN {effective} = 'N' AND {decided} THEN '{Risk.REDUCES}'
                 WHEN {effective} = 'P' AND {decided} AND {soon} THEN '{Risk.LAPSES}'
                 WHEN {is_warned} AND {filters_sql.nears_limit(today, "r.open_month")} THEN '{Risk.LIMIT}'
                 ELSE '{Risk.NONE}' END AS risk,
            r.records, r.tax, r.effect, r.cap
        FROM counted r
        WHERE r.recipient_id = ANY(%({whose})s) AND r.superseded_by_id IS NULL AND {filters_sql.listed(today)}"""
