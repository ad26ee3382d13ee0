"""Whom an extension of a due date moves: taxpayers by their frequency and State, Pending records by kept counts."""

from __future__ import annotations

from ims_portal import sql
from ims_portal.extensions import Change, Moved
from ims_portal.rules import actions, extensions, gstr2b, periods
from ims_portal.rules.documents import Form
from ims_portal.rules.periods import Calendar, Frequency, Return
from ims_portal.sql import run
from invoices.standing import MONTHLY, QUARTERLY, frequency_sql, recipients_month_sql

REPORTED_BY_SUPPLIERS = frozenset({Return.GSTR1, Return.IFF})
"""Returns kept as a supplier's form; of the others `Inbox.open_month` says what is filed."""


def moved(change: Change) -> Moved:
    """Return how many taxpayers have yet to file the return, and how many Pending records' last days move.

    Two statements, one over taxpayers and one over kept counts, whatever their number.
    """
    return Moved(_taxpayers(change), _pending(change))


def _taxpayers(change: Change) -> int:
    asked = change.asked
    if asked.form in REPORTED_BY_SUPPLIERS:
        is_open = """NOT EXISTS (SELECT 1 FROM invoices_supplierreturn s WHERE s.supplier_id = t.id
            AND s.form = %(form)s AND s.month = %(month)s AND s.filed_on IS NOT NULL)"""
    else:
        is_open = "coalesce(i.open_month <= %(return_month)s, true)"
    has_returns = gstr2b.has_ims_sql("t.gstin", is_isd="t.kind = 'isd'")
    ((count,),) = run(
        f"""
        SELECT count(*) FROM ims_portal_taxpayer t LEFT JOIN invoices_inbox i ON i.taxpayer_id = t.id
        WHERE t.first_month <= %(month)s AND {has_returns} AND {is_open} AND {_files_it("t")}
        """,
        _parameters(change),
    )
    return int(str(count))


def _pending(change: Change) -> int:
    """Count the specified Pending whose last day moves: with the day itself, or with a window of saved records.

    Alike records stand in one row of kept counts, by whom they belong to; what bypasses IMS is never pending.
    """
    before, after = _month(change, change.before), _month(change, change.after)
    reduces = sql.dated_case(actions.SPECIFIED, {"reduces": "k.reduces"}, day=after)
    waits = f"({after} = %(waits)s AND {_files_it('t')})"
    ((count,),) = run(
        f"""
        SELECT coalesce(sum(k.records), 0) FROM invoices_keptcount k JOIN ims_portal_taxpayer t ON t.id = k.recipient_id
        WHERE k.action = 'P' AND k.settled_month IS NULL AND NOT k.is_superseded AND k.bypass = ''
          AND {reduces} AND ({waits} OR {after} <> {before})
        """,
        _parameters(change),
    )
    return int(str(count))


def _month(change: Change, calendar: Calendar) -> str:
    """Return the GSTR-2B month of kept counts `k` under a calendar, as SQL: of saved ones by the window of the day."""
    monthly = periods.window(Form.GSTR1, MONTHLY, change.on, calendar)
    quarterly = periods.window(Form.GSTR1, QUARTERLY, change.on, calendar)
    window = f"(CASE WHEN k.files_by_quarter THEN {quarterly:d} ELSE {monthly:d} END)"
    return (
        f"coalesce(k.gstr2b_month, {recipients_month_sql('k.recipient_id', f'greatest({window}, k.earliest_month)')})"
    )


def _files_it(taxpayer: str) -> str:
    """Return whether a taxpayer's frequency and State make a return its own, as SQL over its table."""
    group = sql.case(periods.STATE_GROUPS, {"state": f"left({taxpayer}.gstin, 2)"})
    return (
        f"({frequency_sql(f'{taxpayer}.id', '%(month)s')} = %(frequency)s AND (%(group)s = '' OR {group} = %(group)s))"
    )


def _parameters(change: Change) -> dict[str, object]:
    asked = change.asked
    by_month_of_a_quarter = asked.form in extensions.BY_MONTH_OF_A_QUARTER
    frequency = Frequency.QUARTERLY if by_month_of_a_quarter else asked.period.frequency
    return {
        "form": asked.form.value,
        "month": asked.period.month,
        "return_month": periods.quarter_end(asked.period.month) if by_month_of_a_quarter else asked.period.month,
        "frequency": frequency.value,
        "group": asked.group.value if asked.group else "",
        "waits": extensions.waiting_month(asked.form, asked.period),
    }
