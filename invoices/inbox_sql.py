"""The recipient's records read as sets: which are listed, how many and how much, one page of them by keyset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from ims_portal import sql
from ims_portal.rules import gstr2b, periods
from ims_portal.rules.documents import Section
from ims_portal.sql import run
from invoices.standing import Standing

IN_IMS = tuple(section for section in Section if section not in (Section.ISD, Section.ISDCN, Section.RULE_37A))
SUPERSEDED = "S"
"""Stands for a record that a later version in the same GSTR-2B replaced: listed, never counted as open."""

LAPSES_SOON = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list shows; every field comes from the address. `action` is A, R, P, N, S or empty for all of them."""

    sections: tuple[Section, ...] = IN_IMS
    action: str = ""
    text: str = ""
    status: str = ""
    needs_you: bool = False
    settled: bool = False


@dataclass(frozen=True, slots=True)
class Sum:
    """How many records, and their tax in paise."""

    count: int = 0
    tax: int = 0

    def __add__(self, other: Sum) -> Sum:
        return Sum(self.count + other.count, self.tax + other.tax)


def sums(recipient_id: int, today: Standing, filters: Filters) -> dict[tuple[str, str], tuple[Sum, Sum]]:
    """Return (section, action) -> (all of them, those that need the recipient), whatever `filters.action` says."""
    state, needs = _state(today, filters), _needs_you(today)
    where, parameters = _where(recipient_id, today, filters)
    tax = "r.igst + r.cgst + r.sgst + r.cess"
    rows = run(
        f"""
        SELECT section, state, count(*), sum(tax), count(*) FILTER (WHERE needs), sum(tax) FILTER (WHERE needs)
        FROM (SELECT r.section, {state} AS state, {tax} AS tax, {needs} AS needs
              FROM invoices_record r
              WHERE r.section = ANY(%(sections)s) AND {where}) listed
        GROUP BY section, state
        """,
        parameters,
    )
    return {
        (str(section), str(letter)): (Sum(_whole(n), _whole(total)), Sum(_whole(few), _whole(few_total)))
        for section, letter, n, total, few, few_total in rows
    }


def page(
    recipient_id: int,
    today: Standing,
    filters: Filters,
    *,
    beside: tuple[date, int] | None,
    backwards: bool,
    limit: int,
) -> list[int]:
    """Return the ids of at most `limit` records after (or before) a place in the list, the newest document first.

    One index scan per section, merged: a row comparison finds the place, however deep. Backwards the order is turned.
    """
    where, parameters = _where(recipient_id, today, filters)
    if filters.action:
        where += f" AND {_state(today, filters)} = %(action)s"
    if filters.needs_you:
        where += f" AND {_needs_you(today)}"
    direction, sign = ("ASC", ">") if backwards else ("DESC", "<")
    if beside is not None:
        where += f" AND (r.document_date, r.id) {sign} (%(beside_date)s, %(beside_id)s)"
        parameters |= {"beside_date": beside[0], "beside_id": beside[1]}
    rows = run(
        f"""
        SELECT found.id FROM unnest(%(sections)s::text[]) AS s(section) CROSS JOIN LATERAL (
            SELECT r.id, r.document_date FROM invoices_record r
            WHERE r.section = s.section AND {where}
            ORDER BY r.document_date {direction}, r.id {direction} LIMIT %(limit)s
        ) found
        ORDER BY found.document_date {direction}, found.id {direction} LIMIT %(limit)s
        """,
        parameters | {"limit": limit, "action": filters.action},
    )
    return [_whole(row[0]) for row in rows]


def changed_since_decided(recipient_id: int, record_ids: Sequence[int]) -> dict[int, str]:
    """Return record id -> the action its supplier's edit took away, for records on which nothing was chosen since."""
    if not record_ids:
        return {}
    rows = run(
        """
        SELECT e.record_id, e.old_action FROM invoices_actionevent e
        JOIN invoices_record r ON r.recipient_id = e.recipient_id AND r.id = e.record_id AND r.version = e.version
        WHERE e.recipient_id = %(recipient)s AND e.record_id = ANY(%(ids)s) AND e.cause = 'edited'
          AND e.old_action <> 'N'
        """,
        {"recipient": recipient_id, "ids": list(record_ids)},
    )
    return {_whole(pk): str(action) for pk, action in rows}


def near_limit(recipient_id: int, today: Standing, years: range, open_month: int) -> dict[int, Sum]:
    """Return financial year -> how many open records, with their ITC, are not decided and in time, but only just.

    Undecided is pending or without action; `years` are those whose limit is near (R7.9).
    """
    columns, effect = today.columns("r"), "r.effect_igst + r.effect_cgst + r.effect_sgst + r.effect_cess"
    facts = {"section": "r.section", "is_reverse_charge": "r.reverse_charge", "adds_itc": f"({effect} > 0)"}
    would_bar = sql.dated_case(gstr2b.TIME_BAR, {**facts, "is_past_limit": "true"}, day=columns["month"])
    is_past = gstr2b.TIME_LIMIT.sql.format(
        period=f"greatest({columns['month']}, %(open_month)s)",
        credit_fy="r.credit_fy",
        limit_month=sql.dated_case(gstr2b.LIMIT_MONTH, {}, day="r.credit_fy"),
    )
    rows = run(
        f"""
        SELECT r.credit_fy, count(*), sum({effect}) FROM invoices_record r
        WHERE r.recipient_id = %(recipient)s AND r.section = ANY(%(sections)s) AND r.credit_fy = ANY(%(years)s)
          AND {_listed(today)} AND r.superseded_by_id IS NULL AND {columns["effective"]} IN ('N', 'P')
          AND {would_bar} AND NOT {is_past}
        GROUP BY r.credit_fy ORDER BY r.credit_fy
        """,
        {
            "recipient": recipient_id,
            "sections": [section.value for section in IN_IMS],
            "years": list(years),
            "open_month": open_month,
        },
    )
    return {_whole(year): Sum(_whole(number), _whole(tax)) for year, number, tax in rows}


def accepted_before(recipient_id: int, record_ids: Sequence[int]) -> dict[int, int]:
    """Return record id -> the taxable value of the nearest earlier version, settled as accepted, with equal tax."""
    if not record_ids:
        return {}
    rows = run(
        """
        SELECT DISTINCT ON (r.id) r.id, v.taxable FROM invoices_record r
        JOIN invoices_record v ON v.recipient_id = r.recipient_id AND v.chain = r.chain AND v.chain_no < r.chain_no
          AND v.settled_as = 'A' AND v.igst + v.cgst + v.sgst + v.cess = r.igst + r.cgst + r.sgst + r.cess
        WHERE r.recipient_id = %(recipient)s AND r.id = ANY(%(ids)s)
        ORDER BY r.id, v.chain_no DESC
        """,
        {"recipient": recipient_id, "ids": list(record_ids)},
    )
    return {_whole(pk): _whole(taxable) for pk, taxable in rows}


def shown_actions(recipient_id: int, seen: Mapping[int, int]) -> dict[int, str]:
    """Return record id -> the action at the version somebody saw; version 0 is No action and has no event."""
    rows = run(
        """
        SELECT e.record_id, e.action FROM unnest(%(ids)s::bigint[], %(versions)s::int[]) AS s(record_id, version)
        JOIN invoices_actionevent e ON e.recipient_id = %(recipient)s AND e.record_id = s.record_id
          AND e.version = s.version
        """,
        {"recipient": recipient_id, "ids": list(seen), "versions": list(seen.values())},
    )
    return dict.fromkeys(seen, "N") | {_whole(pk): str(action) for pk, action in rows}


def _where(recipient_id: int, today: Standing, filters: Filters) -> tuple[str, dict[str, object]]:
    """Return the condition on a record `r` and its parameters, all of `filters` but action and needs-you."""
    parts = ["r.recipient_id = %(recipient)s", _settled() if filters.settled else _listed(today)]
    parameters: dict[str, object] = {"recipient": recipient_id, "sections": [s.value for s in filters.sections]}
    if filters.status:
        parts.append("r.status = %(status)s")
        parameters["status"] = filters.status
    if filters.text:
        parts.append("""(r.number_key LIKE %(starts)s OR r.supplier_id IN (
            SELECT t.id FROM ims_portal_taxpayer t
            WHERE t.gstin LIKE %(starts)s OR upper(t.trade_name) LIKE %(holds)s
               OR upper(t.legal_name) LIKE %(holds)s))""")
        plain = filters.text.upper().replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
        parameters |= {"starts": f"{plain}%", "holds": f"%{plain}%"}
    return " AND ".join(parts), parameters


def _listed(today: Standing) -> str:
    """Return what makes a record open: in IMS, not withdrawn, not settled, no later version of it settled (R2.5)."""
    bypasses = today.columns("r")["bypasses"]
    return f"""r.status <> 'W' AND r.settled_month IS NULL AND NOT {bypasses}
        AND (r.superseded_by_id IS NULL OR NOT EXISTS (
            SELECT 1 FROM invoices_record later
            WHERE later.recipient_id = r.recipient_id AND later.chain = r.chain AND later.chain_no > r.chain_no
              AND later.settled_month IS NOT NULL))"""


def _settled() -> str:
    return "r.settled_month IS NOT NULL AND r.bypass = ''"


def _state(today: Standing, filters: Filters) -> str:
    if filters.settled:
        return "r.settled_as"
    effective = today.columns("r")["effective"]
    return f"(CASE WHEN r.superseded_by_id IS NOT NULL THEN '{SUPERSEDED}' ELSE {effective} END)"


def _needs_you(today: Standing) -> str:
    """Return which open records are dear to leave: reducing ones untouched, and Pending about to lapse."""
    columns = today.columns("r")
    soon = periods.lapsed(today.filer, today.day + LAPSES_SOON + timedelta(days=1), today.calendar)
    actionable = (
        f"NOT ({columns['is_superseded']}) AND NOT ({columns['is_unfiled_amendment']}) "
        f"AND NOT ({columns['original_is_open']})"
    )
    lapses = f"({columns['specified']} AND {soon.sql(columns['month'])})"
    effective = columns["effective"]
    return (
        f"(r.settled_month IS NULL AND {actionable} AND (({effective} = 'N' AND r.reduces) "
        f"OR ({effective} = 'P' AND {lapses})))"
    )


def _whole(value: object) -> int:
    return int(str(value or 0))
