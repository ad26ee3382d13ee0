"""The recipient's records read as sets: which are listed, how many and how much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ims_portal.sql import run
from invoices import filters_sql, kept_sql
from invoices.filters import IN_IMS, Filters
from invoices.standing import Standing

_KEPT = frozenset({"status", "period", "lapses_in", "changed", "reduces", "near_limit", "settled"})
"""Filters whose columns kept counts have."""


@dataclass(frozen=True, slots=True)
class Sum:
    """How many records, and their tax in paise."""

    count: int = 0
    tax: int = 0

    def __add__(self, other: Sum) -> Sum:
        return Sum(self.count + other.count, self.tax + other.tax)


def sums(
    recipient_id: int, today: Standing, filters: Filters, *, supplier_id: int | None = None
) -> dict[tuple[str, str], tuple[Sum, Sum]]:
    """Return (section, action) -> (all of them, those that need the recipient), whatever `filters.action` says.

    From kept counts, unless a filter asks for what they do not know. `supplier_id` is the filter's supplier where it is
    known: a planner that knows whom it is about knows how many records that is.
    """
    state, needs = filters_sql.state(today, filters), filters_sql.needs_you(today)
    plain = filters.but(action="", needs_you=False)
    supplier = filters_sql.SUPPLIER if supplier_id is None else f"{supplier_id:d}"
    where, parameters = filters_sql.where(recipient_id, today, plain, supplier=supplier)
    source, number, tax = "invoices_record", "1", filters_sql.TAX
    if _may_be_read_from_counts(plain):
        source, number, tax = kept_sql.RECORDS, "r.records", "r.tax"
    rows = run(
        f"""
        SELECT section, state, sum(number), sum(tax), sum(number) FILTER (WHERE needs), sum(tax) FILTER (WHERE needs)
        FROM (SELECT r.section, {state} AS state, {number} AS number, {tax} AS tax, {needs} AS needs
              FROM {source} r
              WHERE {where}) listed
        GROUP BY section, state
        """,
        parameters,
    )
    return {
        (str(section), str(letter)): (Sum(_whole(n), _whole(total)), Sum(_whole(few), _whole(few_total)))
        for section, letter, n, total, few, few_total in rows
    }


def _may_be_read_from_counts(filters: Filters) -> bool:
    """Whether kept counts know everything these filters ask for."""
    return all(line.attribute in _KEPT for line in filters.active)


def near_limit(recipient_id: int, today: Standing, years: range, open_month: int) -> dict[int, Sum]:
    """Return financial year -> how many open records, with their ITC, are not decided and in time, but only just.

    Undecided is pending or without action; `years` are those whose limit is near (R7.9).
    """
    rows = run(
        f"""
        SELECT r.credit_fy, sum(r.records), sum(r.effect) FROM {kept_sql.RECORDS} r
        WHERE r.recipient_id = %(recipient)s AND r.section = ANY(%(sections)s) AND r.credit_fy = ANY(%(years)s)
          AND {filters_sql.listed(today)} AND {filters_sql.nears_limit(today, "%(open_month)s")}
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


def _whole(value: object) -> int:
    return int(str(value or 0))
