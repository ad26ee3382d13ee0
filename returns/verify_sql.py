"""What must hold in the database whatever was done to it, each as a query that finds whoever breaks it (promises 2.3).

A check looks at what is stored, never at what a rule says today: a filed period is judged by what was filed.
"""

from __future__ import annotations

from dataclasses import dataclass

from ims_portal import sql
from ims_portal.access import MAY, PRACTITIONER, Right
from ims_portal.rules import periods
from ims_portal.rules.documents import Section
from ims_portal.rules.gstr2b import Placement
from ims_portal.rules.money import HEADS
from ims_portal.rules.periods import Return, StateGroup
from ims_portal.sql import literal
from invoices import kept_sql

OFFENDERS = 20
"""How many offenders of a check are named."""


@dataclass(frozen=True)
class Invariant:
    """A name, and what must hold."""

    name: str
    holds: str


@dataclass(frozen=True)
class Check(Invariant):
    """What must hold as SQL whose rows are offenders: what they are, and their id.

    The SQL has a place `{of}` for what restricts it, and may have `{adds_back}` for whether the law adds back what was
    rejected of a record `r` (R6.3). `taxpayer` is the column that has to be one of some taxpayers, and
    `period` the SQL that is true of a period, with a place `{month}`; empty where the check is of everybody alike, or
    of no period.
    """

    sql: str
    taxpayer: str = ""
    period: str = ""


def _heads(alias: str, prefix: str = "") -> str:
    return ", ".join(f"{alias}.{prefix}{head}" for head in HEADS)


def _some(*sections: Section) -> str:
    return ", ".join(literal(section.value) for section in sections)


FILED_LINE = """
    SELECT f.id AS filing_id, f.seq, f.filed_on, l.*
    FROM returns_filing f JOIN returns_gstr2b s ON s.id = f.statement_id
    JOIN returns_gstr2bline l ON l.recipient_id = f.taxpayer_id AND l.month = f.month
        AND l.first_version <= s.version AND (l.last_version IS NULL OR l.last_version >= s.version)
"""
"""Every line of every statement that was filed."""

ITS_RECORD = "JOIN invoices_record r ON r.recipient_id = l.recipient_id AND r.id = l.record_id"
"""The record of a line; one of nobody's or of another recipient's is V23's."""

LAST_BEFORE = """
    LEFT JOIN LATERAL (
        SELECT e.action FROM invoices_actionevent e
        WHERE e.recipient_id = l.recipient_id AND e.record_id = l.record_id AND e.inbox_seq <= l.seq
        ORDER BY e.version DESC LIMIT 1
    ) a ON TRUE
"""
"""What was last chosen for the record of a filed line, before its filing."""

AMOUNTS = ("taxable", *HEADS)
_DRAFT_DAY = sql.dated_case(
    periods.DUE_DAYS,
    {"form": literal(Return.GSTR2B), "frequency": "p.frequency", "group": literal(StateGroup.X)},  # one day for both
    day="p.month",
)
DRAFT_DAY = f"""(
    SELECT least(d.statutory, min(x.due))
    FROM (SELECT (to_date(p.month::text, 'YYYYMM') + interval '1 month')::date + {_DRAFT_DAY} - 1 AS statutory) d
    LEFT JOIN ims_portal_duedateextension x ON x.form = {literal(Return.GSTR2B)} AND x.month = p.month
        AND x.approved_by_id IS NOT NULL
    GROUP BY d.statutory
)"""
"""The first day any notification ever let the GSTR-2B of a return period `p` be made."""

REJECTED, AVAILABLE = literal(Placement.REJECTED.value), literal(Placement.AVAILABLE.value)
SIGN = "(CASE WHEN l.part LIKE 'B%%' THEN -1 ELSE 1 END)"
"""Part B is printed positive and reduces."""

TOLD = ", ".join(f"coalesce(sum((r.value ->> {at})::bigint), 0) AS {head}" for at, head in enumerate(HEADS, 1))
"""The heads of a row of a statement's stored sums, behind the count of its documents."""

BILLS = _some(Section.IMPG, Section.IMPGA, Section.IMPGSEZ, Section.IMPGSEZA)
DECIDED = "r.version, r.action, r.answer, r.declared_igst, r.declared_cgst, r.declared_sgst, r.declared_cess, r.remark"
LIVE = "state IN ('waiting', 'running')"
ACTING = ", ".join(literal(role) for role, rights in MAY.items() if Right.ACT in rights)

TOUCHED = "SELECT v.recipient_id FROM invoices_actionevent v WHERE v.id > {0:d}"
"""The taxpayers of whom an action event is newer than one."""

OF_RECORD = "r.gstr2b_month = {month}"
OF_EVENT = "e.record_id IN (SELECT m.id FROM invoices_record m WHERE m.gstr2b_month = {month})"
OF_CHAIN = """r.chain IN (
    SELECT m.chain FROM invoices_record m WHERE m.recipient_id = r.recipient_id AND m.gstr2b_month = {month}
)"""
OF_SETTLED = "r.settled_month = {month}"
OF_LINE = "l.month = {month}"
OF_FILING = "f.month = {month}"

CHECKS: tuple[Check, ...] = (
    Check(
        "V01 history",
        "what is chosen for a record is what its history chose last",
        f"""
        SELECT 'record', r.id FROM invoices_record r
        LEFT JOIN LATERAL (
            SELECT * FROM invoices_actionevent e WHERE e.recipient_id = r.recipient_id AND e.record_id = r.id
            ORDER BY e.version DESC LIMIT 1
        ) e ON TRUE
        WHERE {{of}} AND ({DECIDED}, r.reason_code) IS DISTINCT FROM (
            coalesce(e.version, 0), coalesce(e.action, 'N'), coalesce(e.answer, ''), coalesce(e.declared_igst, 0),
            coalesce(e.declared_cgst, 0), coalesce(e.declared_sgst, 0), coalesce(e.declared_cess, 0),
            coalesce(e.remark, ''), coalesce(e.reason_code, '')
        )
        """,
        "r.recipient_id",
        OF_RECORD,
    ),
    Check(
        "V02 no holes",
        "a record's history has every version once, and no event is ahead of its inbox",
        """
        SELECT 'record', e.record_id FROM invoices_actionevent e WHERE {of}
        GROUP BY e.record_id HAVING count(*) <> max(e.version) OR min(e.version) <> 1
        UNION ALL
        SELECT 'event', e.id FROM invoices_actionevent e
        LEFT JOIN invoices_inbox i ON i.taxpayer_id = e.recipient_id
        WHERE {of} AND e.inbox_seq > coalesce(i.seq, -1)
        """,
        "e.recipient_id",
        OF_EVENT,
    ),
    Check(
        "V03 settled once",
        "what a filed GSTR-3B counted is settled by it, and what is settled was counted, but where it had no GSTR-2B",
        f"""
        SELECT 'record', l.record_id FROM ({FILED_LINE}) l {ITS_RECORD}
        WHERE {{of}} AND r.settled_month IS DISTINCT FROM l.month
        UNION ALL
        SELECT 'record', l.id FROM (SELECT *, settled_month AS month FROM invoices_record) l
        LEFT JOIN returns_filing f ON f.taxpayer_id = l.recipient_id AND f.month = l.month
        LEFT JOIN returns_gstr2b s ON s.id = f.statement_id
        LEFT JOIN returns_gstr2bline c ON c.recipient_id = l.recipient_id AND c.month = l.month AND c.record_id = l.id
            AND c.first_version <= s.version AND (c.last_version IS NULL OR c.last_version >= s.version)
        WHERE {{of}} AND l.month IS NOT NULL AND c.id IS NULL AND (f.id IS NULL OR f.statement_id IS NOT NULL)
        """,
        "l.recipient_id",
        OF_LINE,
    ),
    Check(
        "V04 nothing forgotten",
        "a document whose GSTR-2B is filed was counted by it, unless it was kept pending or a later version counts",
        """
        SELECT 'record', r.id FROM invoices_record r JOIN returns_filing f
            ON f.taxpayer_id = r.recipient_id AND f.month >= r.gstr2b_month AND f.statement_id IS NOT NULL
        WHERE {of} AND r.status = 'F' AND r.superseded_by_id IS NULL AND r.filed_on < f.filed_on
            AND (r.settled_month IS NULL OR r.settled_month > f.month)
            AND NOT EXISTS (
                SELECT 1 FROM (
                    SELECT e.action FROM invoices_actionevent e
                    WHERE e.recipient_id = r.recipient_id AND e.record_id = r.id AND e.inbox_seq <= f.seq
                    ORDER BY e.version DESC LIMIT 1
                ) last WHERE last.action = 'P'
            )
        """,
        "r.recipient_id",
        OF_FILING,
    ),
    Check(
        "V05 only what was filed",
        "no filed GSTR-2B counts a document that was only saved, withdrawn, or of a later period",
        f"""
        SELECT 'record', l.record_id FROM ({FILED_LINE}) l {ITS_RECORD}
        WHERE {{of}} AND (r.status <> 'F' OR r.gstr2b_month > l.month)
        """,
        "l.recipient_id",
        OF_LINE,
    ),
    Check(
        "V06 as it was chosen",
        "a filed line is rejected where its record was rejected before the filing, and nowhere else",
        f"""
        SELECT 'record', l.record_id FROM ({FILED_LINE}) l {ITS_RECORD} {LAST_BEFORE}
        WHERE {{of}} AND r.bypass = '' AND (coalesce(a.action, 'N') = 'R') <> (l.placement = {REJECTED})
        """,
        "l.recipient_id",
        OF_LINE,
    ),
    Check(
        "V07 settled is settled",
        "nothing is chosen for a record after the GSTR-3B that settled it",
        """
        SELECT 'event', e.id FROM invoices_actionevent e JOIN invoices_record r ON r.id = e.record_id
        JOIN returns_filing f ON f.taxpayer_id = r.recipient_id AND f.month = r.settled_month
        WHERE {of} AND e.inbox_seq > f.seq
        """,
        "e.recipient_id",
        OF_FILING,
    ),
    Check(
        "V08 chains",
        "the filed versions of a document are numbered without a hole",
        """
        SELECT 'chain', r.chain FROM invoices_record r WHERE {of} AND r.status = 'F'
        GROUP BY r.recipient_id, r.chain HAVING max(r.chain_no) <> count(*)
        """,
        "r.recipient_id",
        OF_CHAIN,
    ),
    Check(
        "V09 one version counts",
        "of two versions of a document with one GSTR-2B period no GSTR-3B settles both",
        """
        SELECT 'chain', r.chain FROM invoices_record r WHERE {of} AND r.settled_month IS NOT NULL
        GROUP BY r.recipient_id, r.chain, r.gstr2b_month, r.settled_month HAVING count(*) > 1
        """,
        "r.recipient_id",
        OF_SETTLED,
    ),
    Check(
        "V10 Table 4",
        "each row of a filed Table 4(A) is the sum of its lines",
        f"""
        SELECT 'filing', f.id FROM returns_filing f
        CROSS JOIN LATERAL jsonb_each(f.derived) d
        LEFT JOIN LATERAL (
            SELECT {", ".join(f"coalesce(sum({SIGN} * l.{head}), 0) AS {head}" for head in HEADS)}
            FROM ({FILED_LINE}) l WHERE l.filing_id = f.id AND l.cell = d.key AND l.placement = {AVAILABLE}
        ) s ON TRUE
        WHERE {{of}} AND f.statement_id IS NOT NULL AND d.key LIKE 't4A%%'
            AND jsonb_build_array({_heads("s")}) <> d.value
        """,
        "f.taxpayer_id",
        OF_FILING,
    ),
    Check(
        "V11 rejected counts nowhere",
        "no rejected line names a row of GSTR-3B",
        f"""
        SELECT 'record', l.record_id FROM returns_gstr2bline l WHERE {{of}} AND l.placement = {REJECTED}
            AND l.cell <> ''
        """,
        "l.recipient_id",
        OF_LINE,
    ),
    Check(
        "V12 add-backs",
        "a settled rejection that reduces is charged to its supplier once, in a later period of its that was open",
        f"""
        SELECT 'record', l.record_id FROM ({FILED_LINE}) l {ITS_RECORD}
        LEFT JOIN returns_addback b ON b.recipient_id = l.recipient_id AND b.record_id = r.id
        WHERE {{of}} AND l.placement = {REJECTED} AND {{adds_back}} AND r.supplier_id IS NOT NULL AND b.id IS NULL
        UNION ALL
        SELECT 'addback', l.id FROM returns_addback l JOIN invoices_record r ON r.id = l.record_id
        JOIN returns_filing f ON f.id = l.filing_id
        WHERE {{of}} AND (l.supplier_id <> r.supplier_id OR l.recipient_id <> r.recipient_id
            OR f.taxpayer_id <> r.recipient_id OR f.month IS DISTINCT FROM r.settled_month OR r.settled_as <> 'R'
            OR l.target_month <= r.own_month OR EXISTS (
                SELECT 1 FROM returns_filing t
                WHERE t.taxpayer_id = l.supplier_id AND t.month = l.target_month AND t.filed_at < f.filed_at
            ))
        """,
        "l.recipient_id",
        OF_SETTLED,
    ),
    Check(
        "V13 declarations",
        "only an accepted record declares a reduction, a part of one is more than nothing, and says why",
        """
        SELECT 'record', r.id FROM invoices_record r
        WHERE {of} AND r.answer <> '' AND (r.action <> 'A'
            OR (r.answer = 'P' AND r.declared_igst + r.declared_cgst + r.declared_sgst + r.declared_cess = 0)
            OR (r.answer IN ('P', 'N') AND btrim(r.remark) = ''))
        """,
        "r.recipient_id",
        OF_RECORD,
    ),
    Check(
        "V14 sums",
        "a statement has as many lines as it says, and its sums are those of its lines",
        f"""
        SELECT 'statement', s.id FROM returns_gstr2b s
        LEFT JOIN LATERAL (
            SELECT count(*) AS lines, {", ".join(f"coalesce(sum(l.{head}), 0) AS {head}" for head in HEADS)}
            FROM returns_gstr2bline l WHERE l.recipient_id = s.recipient_id AND l.month = s.month
                AND l.first_version <= s.version AND (l.last_version IS NULL OR l.last_version >= s.version)
        ) f ON TRUE
        LEFT JOIN LATERAL (
            SELECT {TOLD}
            FROM jsonb_each(s.sums) p, jsonb_each(p.value) q, jsonb_each(q.value) r
        ) t ON TRUE
        WHERE {{of}} AND (s.line_count <> f.lines OR ({_heads("f")}) IS DISTINCT FROM ({_heads("t")}))
        """,
        "s.recipient_id",
        "s.month = {month}",
    ),
    Check(
        "V16 nothing lost",
        "recipients hold what a return said when it was filed, or it is on its way, and nothing is filed of another",
        f"""
        SELECT 'return', t.id FROM invoices_supplierreturn t
        CROSS JOIN LATERAL (
            SELECT jsonb_build_array(count(*), {", ".join(f"coalesce(sum(r.{head}), 0)" for head in AMOUNTS)}) AS held,
                count(*) AS documents
            FROM invoices_record r WHERE r.supplier_return_id = t.id AND (r.status = 'F' OR r.status = 'S' AND EXISTS (
                SELECT 1 FROM invoices_delivery d WHERE d.supplier_return_id = t.id AND d.done < d.wanted
            ))
        ) n
        WHERE {{of}} AND CASE WHEN t.filed_on IS NULL THEN n.documents > 0 ELSE t.held <> n.held END
        """,
        "t.supplier_id",
        "t.month = {month}",
    ),
    Check(
        "V20 the statement that was shown",
        "a filed GSTR-3B rests on its own period's statement, and nothing in its scope changed in between",
        """
        SELECT 'filing', f.id FROM returns_filing f JOIN returns_gstr2b s ON s.id = f.statement_id
        WHERE {of} AND (s.recipient_id <> f.taxpayer_id OR s.month <> f.month OR s.seq > f.seq OR EXISTS (
            SELECT 1 FROM invoices_actionevent e JOIN invoices_record r ON r.id = e.record_id
            WHERE e.recipient_id = f.taxpayer_id AND e.inbox_seq > s.seq AND e.inbox_seq < f.seq
                AND r.settled_month = f.month
        ))
        """,
        "f.taxpayer_id",
        OF_FILING,
    ),
    Check(
        "V21 in order",
        "a period is filed where it has a filing, and only after those before it",
        """
        SELECT 'period', p.id FROM returns_returnperiod p LEFT JOIN returns_filing f ON f.return_period_id = p.id
        WHERE {of} AND (p.is_filed <> (f.id IS NOT NULL) OR (p.is_filed AND EXISTS (
            SELECT 1 FROM returns_returnperiod q
            WHERE q.taxpayer_id = p.taxpayer_id AND q.month < p.month AND NOT q.is_filed
        )))
        """,
        "p.taxpayer_id",
        "p.month = {month}",
    ),
    Check(
        "V22 not too early",
        "no GSTR-2B is computed, and no GSTR-3B filed on one, before the day from which it could be",
        f"""
        SELECT 'filing', f.id FROM returns_filing f JOIN returns_returnperiod p ON p.id = f.return_period_id
        WHERE {{of}} AND f.statement_id IS NOT NULL AND f.filed_on < {DRAFT_DAY}
        UNION ALL
        SELECT 'statement', f.id FROM (SELECT *, recipient_id AS taxpayer_id FROM returns_gstr2b) f
        JOIN returns_returnperiod p ON p.id = f.return_period_id WHERE {{of}} AND f.as_of < {DRAFT_DAY}
        """,
        "f.taxpayer_id",
        OF_FILING,
    ),
    Check(
        "V23 one's own",
        "lines and history belong to the recipient of their record",
        """
        SELECT 'line', l.id FROM returns_gstr2bline l
        LEFT JOIN invoices_record r ON r.recipient_id = l.recipient_id AND r.id = l.record_id
        WHERE {of} AND r.id IS NULL
        UNION ALL
        SELECT 'event', l.id FROM invoices_actionevent l JOIN invoices_record r ON r.id = l.record_id
        WHERE {of} AND r.recipient_id <> l.recipient_id
        """,
        "l.recipient_id",
        OF_RECORD,
    ),
    Check(
        "V24 by right",
        "whoever chose had the right to act for that GSTIN at that moment",
        f"""
        SELECT 'event', e.id FROM invoices_actionevent e
        WHERE {{of}} AND e.actor_id IS NOT NULL AND NOT CASE WHEN e.capacity = {literal(PRACTITIONER)} THEN EXISTS (
            SELECT 1 FROM ims_portal_engagement g WHERE g.user_id = e.actor_id AND g.taxpayer_id = e.recipient_id
                AND {literal(Right.ACT.value)} = ANY(g.rights) AND g.valid_from <= e.at
                AND (g.valid_to IS NULL OR g.valid_to > e.at)
        ) ELSE EXISTS (
            SELECT 1 FROM ims_portal_membership m WHERE m.user_id = e.actor_id AND m.taxpayer_id = e.recipient_id
                AND m.role IN ({ACTING}) AND m.valid_from <= e.at AND (m.valid_to IS NULL OR m.valid_to > e.at)
        ) END
        """,
        "e.recipient_id",
        OF_EVENT,
    ),
    Check(
        "V25 one statement for a state",
        "no state of an inbox has two statements of one day, and none is ahead of it",
        """
        SELECT 'statement', max(s.id) FROM returns_gstr2b s WHERE {of}
        GROUP BY s.recipient_id, s.month, s.seq, s.as_of, s.engine HAVING count(*) > 1
        UNION ALL
        SELECT 'statement', s.id FROM returns_gstr2b s LEFT JOIN invoices_inbox i ON i.taxpayer_id = s.recipient_id
        WHERE {of} AND s.seq > coalesce(i.seq, -1)
        """,
        "s.recipient_id",
        "s.month = {month}",
    ),
    Check(
        "V26 never rejected",
        "no bill of entry was ever rejected",
        f"""
        SELECT 'event', e.id FROM invoices_actionevent e JOIN invoices_record r ON r.id = e.record_id
        WHERE {{of}} AND e.action = 'R' AND r.section IN ({BILLS})
        """,
        "e.recipient_id",
        OF_RECORD,
    ),
    Check(
        "V27 every row one fate",
        "each document of a file that was taken in was added, changed, withdrawn, refused with a reason, or was there",
        """
        SELECT 'upload', u.id::text FROM invoices_upload u
        WHERE {of} AND u.state = 'done' AND (
            u.total <> u.added + u.changed + u.unchanged + u.withdrawn + u.refused
            OR (u.refused > 0) <> EXISTS (
                SELECT 1 FROM invoices_uploadproblem p WHERE p.upload_id = u.id AND NOT p.is_warning
            ))
        UNION ALL
        SELECT 'feed', u.id::text FROM invoices_feedbatch u
        WHERE {of} AND u.state = 'done' AND (u.refused > 0 OR u.added <> (
            SELECT count(b.record_id) + count(b.reduction_id) FROM invoices_billofentry b WHERE b.batch_id = u.id
        ) + (
            SELECT count(*) FROM invoices_isddocument d WHERE d.batch_id = u.id
        ) + (
            SELECT count(*) FROM invoices_reversal v WHERE v.batch_id = u.id
        ))
        """,
        "u.taxpayer_id",
    ),
    Check(
        "V30 counts",
        "the counts that pages show are those of the records",
        f"""
        SELECT 'taxpayer', t.id FROM (
            SELECT recipient_id AS id FROM invoices_record UNION SELECT recipient_id FROM invoices_keptcount
        ) t
        WHERE {{of}} AND EXISTS ({kept_sql.difference("t.id")})
        """,
        "t.id",
    ),
    Check(
        "V31 on its way",
        "a filed return is on its way only while a job is at it, and reaches everybody as of the day it was filed",
        f"""
        SELECT 'return', d.supplier_return_id FROM invoices_delivery d
        JOIN invoices_supplierreturn t ON t.id = d.supplier_return_id
        WHERE {{of}} AND (t.filed_on IS NULL OR t.supplier_id <> d.taxpayer_id OR d.done < d.wanted AND NOT d.{LIVE})
        UNION ALL
        SELECT 'record', r.id FROM invoices_delivery d
        JOIN invoices_supplierreturn t ON t.id = d.supplier_return_id
        JOIN invoices_record r ON r.supplier_return_id = t.id AND r.status = 'F'
        WHERE {{of}} AND r.filed_on <> t.filed_on
        """,
        "d.taxpayer_id",
        "t.month = {month}",
    ),
)
