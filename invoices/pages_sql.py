"""One page of a list by keyset: a row comparison finds the place, however deep; nothing is counted off.

A list may consist of parts that follow one another, each with an order of its own: what needs somebody before the
rest. A page is filled from the part it begins in, then from the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from ims_portal import sql
from ims_portal.models import Taxpayer
from ims_portal.rules import actions, periods
from ims_portal.rules.actions import Action
from ims_portal.sql import run
from invoices import filters_sql, pairs_sql
from invoices.filters import Filters
from invoices.filters_sql import TAX
from invoices.models import Record
from invoices.sorting import By, Place, Sort
from invoices.standing import Standing

NEVER = "9999-12-31"
"""Sorts behind every last day."""

BY_DATE = (("r.document_date", "date"), ("r.id", "bigint"))


@dataclass(frozen=True, slots=True)
class Part:
    """Some of a list's records: which (SQL, or "" for all), and by which expressions they stand, with their types."""

    condition: str
    keys: tuple[tuple[str, str], ...]
    is_by_name: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """A record where it stands in a list; `twin` is number and action of the only document of its tax that fits it."""

    place: Place
    record: Record
    twin: tuple[str, Action] | None


def page(
    recipient_id: int,
    today: Standing,
    filters: Filters,
    sort: Sort,
    *,
    beside: Place | None,
    backwards: bool,
    limit: int,
) -> list[Listed]:
    """Return at most `limit` records after (or before) a place, in the order read: backwards the nearest comes first.

    One query, with their suppliers, originals and twins.
    """
    parts = _parts(today, filters, sort.by)
    descends = sort.descends != backwards
    numbers = list(range(len(parts)))
    if sort.is_turned != backwards:
        numbers.reverse()
    if beside is not None:
        numbers = numbers[numbers.index(beside.part) :] if beside.part in numbers else []
    selects: list[str] = []
    parameters: dict[str, object] = {"limit": limit}
    room = "%(limit)s"
    for number in numbers:
        here = beside if beside is not None and beside.part == number else None
        condition, own = _where(recipient_id, today, filters, parts[number], here, descends=descends)
        statement = _select(parts[number], condition, descends=descends, goes_on=here is not None)
        selects.append(f"p{number} AS MATERIALIZED ({statement} LIMIT greatest({room}, 0))")
        room += f" - (SELECT count(*) FROM p{number})"
        parameters |= own
    return _listed(today, numbers, selects, parameters)


def _listed(
    today: Standing, numbers: Sequence[int], selects: Sequence[str], parameters: Mapping[str, object]
) -> list[Listed]:
    """Return what stands in parts, one part after the other: one query, which reads a part only while there is room."""
    if not numbers:
        return []
    together = " UNION ALL ".join(
        f"SELECT {turn} AS turn, {number} AS part, place, keys, record_id FROM p{number}"
        for turn, number in enumerate(numbers)
    )
    # Each record by its key, however many places the planner expects.
    rows = run(
        f"""
        WITH {", ".join(selects)}
        SELECT p.part, p.keys, t.number, t.action,
            {sql.columns(Record, "r")}, {sql.columns(Taxpayer, "s")}, {sql.columns(Record, "o")}
        FROM ({together}) p
        CROSS JOIN LATERAL (SELECT * FROM invoices_record WHERE id = p.record_id OFFSET 0) r
        LEFT JOIN ims_portal_taxpayer s ON s.id = r.supplier_id
        LEFT JOIN LATERAL (SELECT * FROM invoices_record WHERE id = r.original_id OFFSET 0) o ON TRUE
        LEFT JOIN LATERAL ({pairs_sql.twin("r", today)}) t ON TRUE
        ORDER BY p.turn, p.place
        """,
        parameters,
    )
    return [
        Listed(
            Place(cast("int", part), tuple(cast("list[str]", keys))),
            _record(values),
            None if number is None else (str(number), Action(str(action))),
        )
        for part, keys, number, action, *values in rows
    ]


def _record(values: Sequence[object]) -> Record:
    rest = iter(values)
    record = cast("Record", sql.read(Record, rest))
    record.supplier, record.original = sql.read(Taxpayer, rest), sql.read(Record, rest)
    return record


def _parts(today: Standing, filters: Filters, by: By) -> list[Part]:
    """Return the parts of a list in its usual order."""
    if by is By.TAX:
        return [Part("", ((TAX, "bigint"), ("r.id", "bigint")))]
    if by is By.SUPPLIER:
        named = (("n.name", "text"), ("n.id", "bigint"), *BY_DATE)
        return [Part("r.supplier_id IS NOT NULL", named, is_by_name=True), Part("r.supplier_id IS NULL", BY_DATE)]
    if by is By.NEEDS and not filters.settled:
        needs = filters_sql.half(filters_sql.needs_you(today))
        first = Part("" if filters.needs_you else f"{filters_sql.CANDIDATES} AND {needs}", BY_DATE)
        return [first] if filters.needs_you else [first, Part(f"NOT {needs}", BY_DATE)]
    if by is By.LAST:
        specified = today.columns("r")["specified"]
        keys = ((_last_day(today), "date"), *BY_DATE)
        first = Part("" if filters.reduces else f"r.reduces AND {specified}", keys)
        return [first] if filters.reduces else [first, Part(f"NOT {specified}", BY_DATE)]
    return [Part("", BY_DATE)]


def _where(
    recipient_id: int, today: Standing, filters: Filters, part: Part, beside: Place | None, *, descends: bool
) -> tuple[str, dict[str, object]]:
    where, parameters = filters_sql.where(recipient_id, today, filters)
    if part.condition:
        where += f" AND {part.condition}"
    if beside is not None:
        keys = ", ".join(key for key, _type in part.keys)
        values = ", ".join(f"%(key_{n})s::{type_}" for n, (_key, type_) in enumerate(part.keys))
        where += f" AND ({keys}) {'<' if descends else '>'} ({values})"
        parameters |= {f"key_{n}": value for n, value in enumerate(beside.values)}
    return where, parameters


def _select(part: Part, where: str, *, descends: bool, goes_on: bool) -> str:
    """Return the statement of a part's records in their order: their place in it, their keys and ids.

    Keys are texts, so that parts with different ones are read together. `goes_on` says that there is a place in the
    part to go on from.
    """
    direction = "DESC" if descends else "ASC"
    order = ", ".join(f"{key} {direction}" for key, _type in part.keys)
    keys = ", ".join(f"({key})::text" for key, _type in part.keys)
    source = _by_name(where, descends=descends, goes_on=goes_on) if part.is_by_name else _by_index(where)
    place = f"row_number() OVER (ORDER BY {order}) AS place"
    return f"SELECT {place}, ARRAY[{keys}] AS keys, r.id AS record_id FROM {source} ORDER BY {order}"


def _by_index(where: str) -> str:
    """Return the records under a condition; an index gives them in their order."""
    return f"invoices_record r WHERE {where}"


def _by_name(where: str, *, descends: bool, goes_on: bool) -> str:
    """Return a page of records by suppliers' names: the recipient's suppliers `n`, leaping from one to the next.

    Their records `r` come supplier by supplier from the index of a supplier's list, until the page is full; `goes_on`
    says that there is a place to go on from, before whose supplier none needs to be looked at.
    """
    rest = f"WHERE (name, id) {'<=' if descends else '>='} (%(key_0)s, %(key_1)s::bigint)" if goes_on else ""
    direction = "DESC" if descends else "ASC"
    inner = ", ".join(f"{key} {direction}" for key, _type in BY_DATE)
    return f"""(
        WITH RECURSIVE of_recipient(id) AS (
            SELECT min(supplier_id) FROM invoices_record WHERE recipient_id = %(recipient)s
            UNION ALL
            SELECT (SELECT min(r.supplier_id) FROM invoices_record r
                    WHERE r.recipient_id = %(recipient)s AND r.supplier_id > of_recipient.id)
            FROM of_recipient WHERE of_recipient.id IS NOT NULL
        ), named AS MATERIALIZED (
            SELECT t.id, upper(coalesce(nullif(t.trade_name, ''), nullif(t.legal_name, ''), t.gstin)) AS name
            FROM of_recipient JOIN ims_portal_taxpayer t ON t.id = of_recipient.id
        )
        SELECT * FROM named {rest} ORDER BY name {direction}, id {direction}) n
        CROSS JOIN LATERAL (
            SELECT r.document_date, r.id FROM invoices_record r
            WHERE r.supplier_id = n.id AND {where} ORDER BY {inner} LIMIT %(limit)s
        ) r"""


def _last_day(today: Standing) -> str:
    """Return the last day a specified record may be pending, as SQL: its GSTR-2B period says it (R3.4)."""
    latest = max(today.saved_monthly, today.saved_quarterly, periods.month_of(today.day))
    month, days = min(start for start in actions.SPECIFIED.versions if start), {}
    while month <= periods.add_months(latest, 12):
        days[month] = periods.pending_until(today.filer, today.filer.period(month), today.calendar)
        month = periods.add_months(month, 1)
    branches = " ".join(f"WHEN {month:d} THEN '{day.isoformat()}'" for month, day in days.items())
    return f"(CASE {today.columns('r')['month']} {branches} ELSE '{NEVER}' END)::date"
