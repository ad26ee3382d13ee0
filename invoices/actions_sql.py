"""Choices as sets: judged by the rule tables in one statement, written with their events in another."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from ims_portal import sql
from ims_portal.rules import actions, gstr2b
from ims_portal.rules.actions import Action, Refusal
from ims_portal.rules.money import HEADS, Tax
from ims_portal.sql import run
from invoices import records_sql
from invoices.standing import Standing, time_barred_sql

if TYPE_CHECKING:
    from invoices.actions import Item

CHOSEN = """unnest(%(ids)s::bigint[], %(versions)s::int[], %(actions)s::text[], %(answers)s::text[],
    %(d_igst)s::bigint[], %(d_cgst)s::bigint[], %(d_sgst)s::bigint[], %(d_cess)s::bigint[], %(remarks)s::text[],
    %(reasons)s::text[]) WITH ORDINALITY
    AS c(record_id, version, action, answer, d_igst, d_cgst, d_sgst, d_cess, remark, reason, place)"""


@dataclass(frozen=True, slots=True)
class Judged:
    """One item with the record as it stands, under the lock, and what the rules say of it.

    `is_silent` says that action, declaration and remark stay: at most a reason code changes, and no statement goes
    out of date (R7.11).
    """

    item: Item
    is_found: bool
    number: str
    version: int
    action: Action
    answer: str
    declared: Tax
    gstr2b_month: int | None
    is_same: bool
    is_silent: bool
    refusal: Refusal | None

    @property
    def is_conflict(self) -> bool:
        """Whether somebody changed the record after its user saw it, to something else than this choice."""
        return self.is_found and self.version != self.item.version and not self.is_same

    @property
    def is_allowed(self) -> bool:
        """Whether there is something to write and nothing against it."""
        return self.is_found and not self.is_conflict and self.refusal is None and not self.is_same


def judge(recipient_id: int, today: Standing, items: Sequence[Item]) -> list[Judged]:
    """Return every item judged by the refusal tables, in the order given; a foreign record is not in IMS."""
    columns = today.columns("r")
    caps = {head: gstr2b.CAP.sql.format(effect=f"r.effect_{head}") for head in HEADS}
    is_full = " AND ".join(f"c.d_{head} = {caps[head]}" for head in HEADS)
    answer = f"(CASE WHEN c.answer = 'P' AND {is_full} THEN 'F' ELSE c.answer END)"
    declared = {head: f"(CASE WHEN {answer} = 'P' THEN c.d_{head} ELSE 0 END)" for head in HEADS}
    same = " AND ".join(
        [
            "r.action = c.action",
            f"r.answer = {answer}",
            "r.remark = c.remark",
            *(f"r.declared_{head} = {declared[head]}" for head in HEADS),
        ]
    )
    refusals = ", ".join(refusal_steps(columns, answer))
    rows = run(
        f"""
        SELECT r.id IS NOT NULL, coalesce(r.number, ''), coalesce(r.version, 0), coalesce(r.action, 'N'), {answer},
            {", ".join(declared.values())}, r.gstr2b_month, coalesce({same} AND r.reason_code = c.reason, false),
            coalesce({same}, false),
            CASE WHEN r.id IS NULL THEN 'RECORD_NOT_IN_IMS' ELSE coalesce({refusals}) END
        FROM {CHOSEN} LEFT JOIN invoices_record r ON r.recipient_id = %(recipient)s AND r.id = c.record_id
        ORDER BY c.place
    """,
        {"recipient": recipient_id, **_arrays(items)},
    )
    return [_judged(item, row) for item, row in zip(items, rows, strict=True)]


def refusal_steps(columns: Mapping[str, str], answer: str) -> tuple[str, str, str, str]:
    """Return the refusal tables as SQL, in their order: of the action, the declaration, the remark, the reason code.

    Over a record `r` whose facts are `columns`, and a choice `c` whose answer is the SQL `answer`.
    """
    caps = {head: gstr2b.CAP.sql.format(effect=f"r.effect_{head}") for head in HEADS}
    facts = dict(columns)
    month, specified = facts.pop("month"), facts.pop("specified")
    facts.pop("effective")
    remark = (
        f"(CASE WHEN c.remark = '' THEN 'none' WHEN length(c.remark) > {actions.REMARK_LIMIT} THEN 'too long' "
        "ELSE 'given' END)"
    )
    return (
        sql.dated_case(actions.ACTION_REFUSALS, {"action": "c.action", **facts}, day=month),
        sql.dated_case(
            actions.DECLARATION_REFUSALS,
            {
                "action": "c.action",
                "answer": answer,
                "is_specified": specified,
                "has_negative": "least(c.d_igst, c.d_cgst, c.d_sgst, c.d_cess) < 0",
                "is_zero": "(c.d_igst = 0 AND c.d_cgst = 0 AND c.d_sgst = 0 AND c.d_cess = 0)",
                "exceeds_cap": "(" + " OR ".join(f"c.d_{head} > {caps[head]}" for head in HEADS) + ")",
                "cgst_differs": "c.d_cgst <> c.d_sgst",
            },
            day=month,
        ),
        sql.dated_case(actions.REMARK_REFUSALS, {"action": "c.action", "answer": answer, "remark": remark}, day=month),
        sql.dated_case(actions.REASON_REFUSALS, {"action": "c.action", "has_reason": "c.reason <> ''"}, day=month),
    )


def _arrays(items: Sequence[Item]) -> dict[str, object]:
    choices = [item.choice for item in items]
    return {
        "ids": [item.record_id for item in items],
        "versions": [item.version for item in items],
        "actions": [choice.action.value for choice in choices],
        "answers": [choice.answer.value for choice in choices],
        "remarks": [choice.remark for choice in choices],
        "reasons": [choice.reason_code for choice in choices],
        **{f"d_{head}": [getattr(choice.declared, head) for choice in choices] for head in HEADS},
    }


def _judged(item: Item, row: tuple[object, ...]) -> Judged:
    is_found, number, version, action, answer, igst, cgst, sgst, cess, month, is_same, is_silent, refusal = row
    return Judged(
        item,
        bool(is_found),
        str(number),
        int(str(version)),
        Action(str(action)),
        str(answer),
        Tax(int(str(igst)), int(str(cgst)), int(str(sgst)), int(str(cess))),
        None if month is None else int(str(month)),
        bool(is_same),
        bool(is_silent),
        None if refusal is None else Refusal(str(refusal)),
    )


def write(
    recipient_id: int,
    allowed: Sequence[Judged],
    *,
    actor_id: int | None,
    capacity: str,
    at: datetime,
    request_id: uuid.UUID,
    inbox_seq: int,
) -> int:
    """Write judged choices where the version still fits, each with its event, and return how many were written."""
    parameters = {
        **_arrays([line.item for line in allowed]),
        "answers": [line.answer for line in allowed],
        **{f"d_{head}": [getattr(line.declared, head) for line in allowed] for head in HEADS},
        "recipient": recipient_id,
        "actor": actor_id,
        "capacity": capacity,
        "at": at,
        "request": request_id,
        "seq": inbox_seq,
    }
    rows = run(
        f"""
        WITH chosen AS (
            SELECT c.*, r.action AS old_action FROM {CHOSEN}
            JOIN invoices_record r ON r.recipient_id = %(recipient)s AND r.id = c.record_id
        ), changed AS (
            UPDATE invoices_record r SET action = c.action, answer = c.answer, declared_igst = c.d_igst,
                declared_cgst = c.d_cgst, declared_sgst = c.d_sgst, declared_cess = c.d_cess, remark = c.remark,
                reason_code = c.reason, lost_action = '', version = r.version + 1
            FROM chosen c
            WHERE r.recipient_id = %(recipient)s AND r.id = c.record_id AND r.version = c.version
              AND r.settled_month IS NULL
            RETURNING r.id, r.version, c.old_action
        )
        INSERT INTO invoices_actionevent (recipient_id, record_id, version, cause, old_action, action, answer,
            declared_igst, declared_cgst, declared_sgst, declared_cess, remark, reason_code, actor_id, capacity,
            request_id, inbox_seq, at)
        SELECT %(recipient)s, g.id, g.version, 'chosen', g.old_action, c.action, c.answer, c.d_igst, c.d_cgst,
            c.d_sgst, c.d_cess, c.remark, c.reason, %(actor)s, %(capacity)s, %(request)s, %(seq)s, %(at)s
        FROM changed g JOIN chosen c ON c.record_id = g.id RETURNING id
    """,
        parameters,
    )
    return len(rows)


def latest_events(recipient_id: int, record_ids: Collection[int]) -> dict[int, tuple[str, datetime]]:
    """Return record id -> (who, when) of the latest change, so that somebody overtaken learns by whom."""
    rows = run(
        """
        SELECT DISTINCT ON (e.record_id) e.record_id,
            CASE WHEN e.actor_id IS NULL THEN coalesce(nullif(s.trade_name, ''), s.legal_name, s.gstin, '')
                ELSE coalesce(nullif(u.full_name, ''), u.username) END, e.at
        FROM invoices_actionevent e
        JOIN invoices_record r ON r.id = e.record_id AND r.recipient_id = e.recipient_id
        LEFT JOIN ims_portal_user u ON u.id = e.actor_id
        LEFT JOIN ims_portal_taxpayer s ON s.id = r.supplier_id
        WHERE e.recipient_id = %(recipient)s AND e.record_id = ANY(%(ids)s)
        ORDER BY e.record_id, e.version DESC
    """,
        {"recipient": recipient_id, "ids": list(record_ids)},
    )
    return {int(str(pk)): (str(by), at) for pk, by, at in rows}  # type: ignore[misc]


@dataclass(frozen=True, slots=True)
class Settled:
    """One record a filing settled."""

    record_id: int
    supplier_id: int | None
    own_month: int
    section: str
    inv_type: str
    cap: Tax
    is_reducing_rejection: bool


def suppliers_charged(recipient_id: int, month: int) -> set[int]:
    """Return the suppliers whose liability filing a period may raise: those of chosen rejections (R6.3)."""
    rows = run(
        f"""
        SELECT DISTINCT r.supplier_id FROM invoices_record r
        WHERE r.recipient_id = %(recipient)s AND r.status = 'F' AND r.settled_month IS NULL
          AND r.superseded_by_id IS NULL AND r.gstr2b_month <= %(month)s AND r.action = 'R'
          AND r.supplier_id IS NOT NULL AND {records_sql.adds_back("r")}
    """,
        {"recipient": recipient_id, "month": month},
    )
    return {int(str(pk)) for (pk,) in rows}


def settle(recipient_id: int, today: Standing, month: int) -> list[Settled]:
    """Stamp every record a filed 3B consumes with its period, as accepted or rejected (R7.7), and return them.

    A record carried Pending past the time limit and accepted settles as not available (R7.9).
    """
    effective = today.columns("r")["effective"]
    caps = ", ".join(gstr2b.CAP.sql.format(effect=f"r.effect_{head}") for head in HEADS)
    barred = time_barred_sql("r", str(int(month)))
    rows = run(
        f"""
        UPDATE invoices_record r SET settled_month = %(month)s,
            settled_as = CASE WHEN r.bypass = '' AND {effective} = 'R' THEN 'R' ELSE 'A' END,
            unavailable = CASE WHEN r.bypass = '' AND {effective} <> 'R' AND {barred} THEN 'C' ELSE r.unavailable END
        WHERE r.recipient_id = %(recipient)s AND r.status = 'F' AND r.settled_month IS NULL
          AND r.superseded_by_id IS NULL AND r.gstr2b_month <= %(month)s
          AND (r.bypass <> '' OR {effective} <> 'P')
        RETURNING r.id, r.supplier_id, r.own_month, r.section, r.inv_type, {caps},
            r.settled_as = 'R' AND {records_sql.adds_back("r")}
    """,
        {"recipient": recipient_id, "month": month},
    )
    return [
        Settled(
            int(str(r[0])),
            None if r[1] is None else int(str(r[1])),
            int(str(r[2])),
            str(r[3]),
            str(r[4]),
            Tax(*(int(str(v)) for v in r[5:9])),
            bool(r[9]),
        )
        for r in rows
    ]
