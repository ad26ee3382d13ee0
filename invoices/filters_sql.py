"""Filters as SQL: the condition on a record `r`, and the states it is counted under. Every value is a parameter."""

from __future__ import annotations

from datetime import timedelta

from ims_portal import sql
from ims_portal.rules import gstr2b, periods, time_limit
from invoices import books_sql
from invoices.filters import SUPERSEDED, Filters
from invoices.standing import Standing

LAPSES_SOON = timedelta(days=7)
TAX = "(r.igst + r.cgst + r.sgst + r.cess)"
"""A document's tax, in paise."""

EFFECT = "(r.effect_igst + r.effect_cgst + r.effect_sgst + r.effect_cess)"
"""The change in ITC if a record is accepted in full, in paise."""

CHANGED = "(r.lost_action <> '')"
"""Whether its supplier's edit took away what was chosen, and nothing was chosen since (portal 7.10)."""

CANDIDATES = f"(r.reduces OR {CHANGED})"
"""What may need the recipient at all: two small indexes find it, and the rules judge only that."""


SUPPLIER = "(SELECT t.id FROM ims_portal_taxpayer t WHERE t.gstin = %(supplier)s)"


def where(
    recipient_id: int, today: Standing, filters: Filters, *, supplier: str = SUPPLIER
) -> tuple[str, dict[str, object]]:
    """Return the condition on a record `r` under which a recipient's list shows it, and the condition's parameters.

    `supplier` is the filter's supplier as SQL: its id, where the caller read it. A planner that knows whom it is about
    knows how many records that is.
    """
    parts = [
        "r.recipient_id = %(recipient)s",
        "r.section = %(section)s" if len(filters.sections) == 1 else "r.section = ANY(%(sections)s)",
        _settled() if filters.settled else listed(today),
        *_of_columns(filters, supplier),
        *_of_the_day(today, filters),
    ]
    parameters: dict[str, object] = {
        "recipient": recipient_id,
        "section": filters.sections[0].value,
        "sections": [section.value for section in filters.sections],
        "action": filters.action,
        "status": filters.status,
        "supplier": filters.supplier,
        "inv_type": filters.inv_type,
        "source": filters.source,
        "period": today.filer.period(filters.period).month if filters.period else None,
        "date_from": filters.date_from,
        "date_to": filters.date_to,
        "tax_from": filters.tax_from,
        "tax_to": filters.tax_to,
        "batch": filters.batch,
        "match": filters.match,
    }
    if filters.text:
        plain = filters.text.upper().replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
        parameters |= {"starts": f"{plain}%", "holds": f"%{plain}%"}
    return " AND ".join(parts), parameters


def _of_columns(filters: Filters, supplier: str) -> list[str]:
    """Return the conditions on what a record's own columns say, and on its match with the books."""
    asked = {
        "r.status = %(status)s": filters.status,
        f"r.supplier_id = {supplier}": filters.supplier,
        "r.inv_type = %(inv_type)s": filters.inv_type,
        "r.form = %(source)s": filters.source,
        "r.document_date >= %(date_from)s": filters.date_from is not None,
        "r.document_date <= %(date_to)s": filters.date_to is not None,
        f"{TAX} >= %(tax_from)s": filters.tax_from is not None,
        f"{TAX} <= %(tax_to)s": filters.tax_to is not None,
        CHANGED: filters.changed,
        books_sql.holds(filters.match): filters.match,
        """r.id IN (SELECT e.record_id FROM invoices_actionevent e
            WHERE e.recipient_id = %(recipient)s AND e.request_id = %(batch)s)""": filters.batch is not None,
        # An array, so that both sides are found by their indexes.
        """(r.number_key LIKE %(starts)s OR r.supplier_id = ANY(ARRAY(
            SELECT t.id FROM ims_portal_taxpayer t
            WHERE t.gstin LIKE %(starts)s OR upper(t.trade_name) LIKE %(holds)s
               OR upper(t.legal_name) LIKE %(holds)s)))""": filters.text,
    }
    return [condition for condition, is_asked in asked.items() if is_asked]


def _of_the_day(today: Standing, filters: Filters) -> list[str]:
    """Return the conditions that depend on how the recipient stands today."""
    columns = today.columns("r")
    found = []
    if filters.action:
        found.append(half(f"{state(today, filters)} = %(action)s"))
    if filters.needs_you:
        found.append(f"{CANDIDATES} AND {half(needs_you(today))}")
    if filters.period:
        found.append(half(f"{columns['month']} = %(period)s"))
    if filters.reduces:
        found.append(f"r.reduces AND {half(columns['specified'])}")
    if filters.lapses_in is not None:
        is_pending = f"{columns['effective']} = 'P' AND {lapses(today, timedelta(days=filters.lapses_in))}"
        found.append(f"r.reduces AND {half(is_pending)}")
    if filters.near_limit:
        open_month = "(SELECT i.open_month FROM invoices_inbox i WHERE i.taxpayer_id = %(recipient)s)"
        found.append(f"(r.credit_fy <= {time_limit.latest_warned(today.day):d} AND {nears_limit(today, open_month)})")
    return found


def listed(today: Standing) -> str:
    """Return what makes a record open: in IMS, not withdrawn, not settled, no later version of it settled (R2.5)."""
    bypasses = half("NOT " + today.columns("r")["bypasses"])
    return f"r.status <> 'W' AND r.settled_month IS NULL AND NOT r.is_closed AND {bypasses}"


def half(condition: str) -> str:
    """Return a condition that the planner guesses half of the records meet.

    Of a comparison of rules it guesses one in two hundred, and then sorts on disk or reads a table once per section.
    """
    return f"(CASE WHEN {condition} THEN TRUE ELSE FALSE END)"


def _settled() -> str:
    return "r.settled_month IS NOT NULL AND r.bypass = ''"


def state(today: Standing, filters: Filters) -> str:
    """Return the letter a record is counted under: its action as it counts today, or superseded."""
    if filters.settled:
        return "r.settled_as"
    effective = today.columns("r")["effective"]
    return f"(CASE WHEN r.superseded_by_id IS NOT NULL THEN '{SUPERSEDED}' ELSE {effective} END)"


def needs_you(today: Standing) -> str:
    """Return which open records are dear to leave (portal 3.2).

    Reducing ones untouched, Pending about to lapse, and what its supplier changed since it was decided.
    """
    columns = today.columns("r")
    actionable = (
        f"NOT ({columns['is_superseded']}) AND NOT ({columns['is_unfiled_amendment']}) "
        f"AND NOT ({columns['original_is_open']})"
    )
    effective = columns["effective"]
    return (
        f"({CANDIDATES} AND r.settled_month IS NULL AND {actionable} AND (({effective} = 'N' AND r.reduces) "
        f"OR ({effective} = 'P' AND {lapses(today, LAPSES_SOON)}) OR {CHANGED}))"
    )


def lapses(today: Standing, within: timedelta) -> str:
    """Return which records may not be pending any more after so many days from today."""
    columns = today.columns("r")
    soon = periods.lapsed(today.filer, today.day + within + timedelta(days=1), today.calendar)
    return f"({columns['specified']} AND {soon.sql(columns['month'])})"


def nears_limit(today: Standing, open_month: str) -> str:
    """Return which records are undecided and in time, but barred once the limit has passed (R7.9).

    Undecided is pending or without action. `open_month` is SQL for the open period's last month.
    """
    columns = today.columns("r")
    facts = {"section": "r.section", "is_reverse_charge": "r.reverse_charge", "adds_itc": f"({EFFECT} > 0)"}
    would_bar = sql.dated_case(gstr2b.TIME_BAR, {**facts, "is_past_limit": "true"}, day=columns["month"])
    is_past = gstr2b.TIME_LIMIT.sql.format(
        period=f"greatest({columns['month']}, {open_month})",
        credit_fy="r.credit_fy",
        limit_month=sql.dated_case(gstr2b.LIMIT_MONTH, {}, day="r.credit_fy"),
    )
    return f"(r.superseded_by_id IS NULL AND {columns['effective']} IN ('N', 'P') AND {would_bar} AND NOT {is_past})"
