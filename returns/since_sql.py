"""What may count otherwise since a statement was computed: found by indexes, so that few changes cost little."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ims_portal import sql
from ims_portal.rules import actions
from ims_portal.rules.documents import BILLS_OF_ENTRY, Section
from ims_portal.rules.periods import Lapsed
from ims_portal.sql import run
from invoices.standing import Standing

_FED = ", ".join(sql.literal(s) for s in (*BILLS_OF_ENTRY, Section.ISD, Section.ISDCN, Section.RULE_37A))
"""Sections that reach IMS by feed: a day told in a feed may lie before the feed."""


_NEWEST_LINED = """coalesce((SELECT max(l.record_id) FROM returns_gstr2bline l
                WHERE l.recipient_id = %(recipient)s AND l.month = %(month)s AND l.last_version IS NULL), 0)"""
"""The newest record in the statement. A feed numbers its records under its recipients' locks, so what came by feed
since has a number above it."""


@dataclass(frozen=True, slots=True)
class Since:
    """A statement and what has gone by since: whose, of which month, the counter and day it was made at.

    `lapsed` is what had lapsed then.
    """

    recipient_id: int
    month: int
    seq: int
    as_of: date
    lapsed: Lapsed


def has_many(since: Since, *, more_than: int) -> bool:
    """Whether more than so many records were acted on since a statement; no more than that are counted."""
    rows = run(
        """
        SELECT count(*) FROM (SELECT 1 FROM invoices_actionevent e
            WHERE e.recipient_id = %(recipient)s AND e.inbox_seq > %(seq)s LIMIT %(limit)s) since
        """,
        {"recipient": since.recipient_id, "seq": since.seq, "limit": more_than + 1},
    )
    return int(str(rows[0][0])) > more_than


def touched(since: Since, today: Standing) -> tuple[str, dict[str, object]]:
    """Return the SELECT of (id, whether acted on) of all records whose line may differ since, and its parameters.

    Acted on and filed since, by the counter and by no clock, with what they replace; what was filed before `filed_seq`
    was kept, by its day; come by feed, by its number; Pending that lapsed, or whose lapse an extension took back. Each
    by an index, so that few changes cost little whatever the recipient's size.
    """
    parts = [
        """SELECT e.record_id, true FROM invoices_actionevent e
            WHERE e.recipient_id = %(recipient)s AND e.inbox_seq > %(seq)s""",
        """SELECT unnest(ARRAY[n.id, n.original_id]), false FROM invoices_record n
            WHERE n.recipient_id = %(recipient)s AND n.filed_seq >= %(seq)s AND n.settled_month IS NULL
              AND n.status = 'F' AND n.gstr2b_month <= %(month)s""",
        """SELECT unnest(ARRAY[n.id, n.original_id]), false FROM invoices_record n
            WHERE n.recipient_id = %(recipient)s AND n.filed_seq IS NULL AND n.filed_on >= %(as_of)s
              AND n.settled_month IS NULL AND n.status = 'F' AND n.gstr2b_month <= %(month)s""",
        f"""SELECT unnest(ARRAY[n.id, n.original_id]), false FROM invoices_record n
            WHERE n.recipient_id = %(recipient)s AND n.id > {_NEWEST_LINED}
              AND n.section IN ({_FED}) AND n.settled_month IS NULL
              AND n.status = 'F' AND n.gstr2b_month <= %(month)s AND NOT EXISTS (
                SELECT 1 FROM returns_gstr2bline o WHERE o.recipient_id = n.recipient_id AND o.month = %(month)s
                  AND o.record_id = n.id AND o.last_version IS NULL)""",
    ]
    if since.lapsed != today.lapsed:
        month = "p.gstr2b_month"
        parts.append(
            f"""SELECT p.id, false FROM invoices_record p
                WHERE p.recipient_id = %(recipient)s AND p.status = 'F' AND p.settled_month IS NULL
                  AND p.gstr2b_month <= %(month)s AND p.action = 'P' AND p.reduces
                  AND {sql.dated_case(actions.SPECIFIED, {"reduces": "p.reduces"}, day=month)}
                  AND {since.lapsed.sql(month)} <> {today.lapsed.sql(month)}"""
        )
    parameters = {"recipient": since.recipient_id, "month": since.month, "seq": since.seq, "as_of": since.as_of}
    return " UNION ALL ".join(parts), parameters


def note(since: Since, today: Standing) -> int:
    """Write the ids of all records whose line may differ since into `touched_records`, and return how many.

    The table is gone with the transaction.
    """
    found, parameters = touched(since, today)
    run("DROP TABLE IF EXISTS touched_records")
    run(
        f"CREATE TEMPORARY TABLE touched_records ON COMMIT DROP AS "
        f"SELECT DISTINCT f.id FROM ({found}) AS f(id, is_acted) WHERE f.id IS NOT NULL",
        parameters,
    )
    run("ALTER TABLE touched_records ADD PRIMARY KEY (id); ANALYZE touched_records")
    return int(str(run("SELECT count(*) FROM touched_records")[0][0]))
