"""A batch as sets: its rows fixed and judged in one statement, written and taken back a piece at a time.

Every statement reads a record `r` and a choice `c` for it, so that the refusal tables judge a batch exactly as they
judge one click. A verdict is the first thing that stands against the choice, or `will`.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ims_portal import sql
from ims_portal.rules import actions, gstr2b
from ims_portal.rules.actions import Action, Answer, Refusal, Remark
from ims_portal.rules.gstr2b import Bypass, Placement
from ims_portal.rules.money import HEADS
from ims_portal.sql import run
from invoices import actions_sql, records_sql
from invoices.standing import Standing, time_barred_sql

WILL, SAME, MOVED, LEFT, APART = "will", "same", "moved", "left", "apart"
"""Verdicts that are no refusal.

It changes; it stands so already; somebody else was first; it is left out; it is decided on its own.
"""

UNANSWERED = Refusal.ITC_REDUCTION_REQUIRED.value

TAX = "r.igst + r.cgst + r.sgst + r.cess"
OF_BATCH = "b.recipient_id = %(recipient)s AND b.batch_id = %(b_id)s"
RECORD_OF_ROW = "JOIN invoices_record r ON r.recipient_id = b.recipient_id AND r.id = b.record_id"
PIECE_OF_RECORDS = "r.recipient_id = %(recipient)s AND r.id > %(after)s AND r.id <= %(upto)s"
"""Says of the records what follows from their rows, so that a piece of 200,000 is found by an index on both sides."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a batch does to each of its records; its answer and remark only where the record asks for them."""

    batch_id: uuid.UUID
    recipient_id: int
    action: Action
    answer: Answer = Answer.NOT_GIVEN
    remark: str = ""
    reason_code: str = ""

    @property
    def parameters(self) -> dict[str, object]:
        """The parameters of every statement here."""
        return {
            "recipient": self.recipient_id,
            "b_id": self.batch_id,
            "b_action": self.action.value,
            "b_answer": self.answer.value,
            "b_remark": self.remark,
            "b_reason": self.reason_code,
        }


@dataclass(frozen=True, slots=True)
class Sums:
    """How many rows, their tax, the change of the open period's ITC and of suppliers' tax they make; in paise."""

    count: int = 0
    tax: int = 0
    itc: int = 0
    rise: int = 0

    def __add__(self, other: Sums) -> Sums:
        return Sums(self.count + other.count, self.tax + other.tax, self.itc + other.itc, self.rise + other.rise)


@dataclass(frozen=True, slots=True)
class Rise:
    """A supplier whose tax a batch changes: by how many records, and by how much in paise."""

    gstin: str
    name: str
    count: int
    rise: int


def wait_at_most(patience: timedelta) -> None:
    """Let the database give up what takes longer, for the rest of the transaction."""
    run(
        "SELECT set_config('statement_timeout', %(limit)s, true)",
        {"limit": f"{patience // timedelta(milliseconds=1)}ms"},
    )


def fix_ticked(order: Order, today: Standing, open_month: int, seen: Mapping[int, int]) -> int:
    """Fix the ticked records, id -> version seen, as the rows of a batch, judged; return how many there are."""
    ticked = f"""JOIN unnest(%(ids)s::bigint[], %(versions)s::int[]) AS s(id, version) ON s.id = r.id
        {_choice(today, "s.version")} WHERE r.recipient_id = %(recipient)s"""
    return _fix(order, today, open_month, ticked, {"ids": list(seen), "versions": list(seen.values())})


def fix_matching(
    order: Order, today: Standing, open_month: int, condition: str, parameters: Mapping[str, object]
) -> int:
    """Fix all records a condition on `r` holds for as the rows of a batch, judged; return how many there are."""
    return _fix(order, today, open_month, f"{_choice(today, 'r.version')} WHERE {condition}", parameters)


def _fix(order: Order, today: Standing, open_month: int, which: str, parameters: Mapping[str, object]) -> int:
    found = run(
        f"""
        WITH fixed AS (
            INSERT INTO invoices_batchrow (recipient_id, batch_id, record_id, version, verdict, asks, tax, itc,
                rise, lost, kept)
            SELECT r.recipient_id, %(b_id)s, r.id, c.version, {_verdict(today)}, {today.columns("r")["specified"]},
                {TAX}, {_itc(today, open_month)}, {_rise(today)}, r.lost_action, ''
            FROM invoices_record r {which}
            RETURNING 1)
        SELECT count(*) FROM fixed
        """,
        {**parameters, **order.parameters},
    )
    return _whole(found[0][0])


def answer(order: Order, today: Standing, open_month: int, left: Collection[int] | None) -> None:
    """Judge the rows that ask the ITC question again under the batch's answer, but those left out; None is all."""
    run(
        f"""
        UPDATE invoices_batchrow b SET verdict = j.verdict, itc = j.itc
        FROM (
            SELECT r.id, CASE WHEN %(leaves_all)s OR r.id = ANY(%(left)s::bigint[]) THEN '{LEFT}'
                    ELSE {_verdict(today)} END AS verdict,
                {_itc(today, open_month)} AS itc
            FROM invoices_batchrow b {RECORD_OF_ROW} {_choice(today, "b.version")}
            WHERE {OF_BATCH} AND b.asks AND b.verdict IN ('{WILL}', '{LEFT}', '{UNANSWERED}')) j
        WHERE {OF_BATCH} AND b.record_id = j.id
        """,
        {**order.parameters, "left": list(left or ()), "leaves_all": left is None},
    )


def set_apart(order: Order, ids: Collection[int] | None) -> dict[int, int]:
    """Take out the rows that ask something, or those of them that are named; return record id -> version previewed.

    Accepting asks about the ITC, rejecting why.
    """
    named = "" if ids is None else "AND b.record_id = ANY(%(ids)s::bigint[])"
    rows = run(
        f"""
        UPDATE invoices_batchrow b SET verdict = '{APART}'
        WHERE {OF_BATCH} AND (b.asks OR %(b_action)s <> 'A') AND b.verdict IN ('{WILL}', '{LEFT}', '{UNANSWERED}')
            {named}
        RETURNING b.record_id, b.version
        """,
        {**order.parameters, "ids": list(ids or ())},
    )
    return {_whole(pk): _whole(version) for pk, version in rows}


def next_place(order: Order, *, after: int, upto: int | None, limit: int) -> tuple[int, int]:
    """Return the id of the last of the next `limit` rows that change, and how many these are; (after, 0) at the end."""
    found = run(
        f"""
        SELECT coalesce(max(record_id), %(after)s), count(*) FROM (
            SELECT b.record_id FROM invoices_batchrow b
            WHERE {OF_BATCH} AND b.verdict = '{WILL}' AND b.record_id > %(after)s
              AND (%(upto)s IS NULL OR b.record_id <= %(upto)s)
            ORDER BY b.record_id LIMIT %(limit)s) piece
        """,
        {**order.parameters, "after": after, "upto": upto, "limit": limit},
    )
    return _whole(found[0][0]), _whole(found[0][1])


def judge_again(order: Order, today: Standing, *, after: int, upto: int) -> None:
    """Judge a piece of a batch as its records stand now, under the lock: what no longer changes says why."""
    run(
        f"""
        UPDATE invoices_batchrow b SET verdict = j.verdict
        FROM (
            SELECT r.id, {_verdict(today)} AS verdict
            FROM invoices_batchrow b {RECORD_OF_ROW} {_choice(today, "b.version")}
            WHERE {_piece()} AND {PIECE_OF_RECORDS}) j
        WHERE {_piece()} AND b.record_id = j.id AND j.verdict <> '{WILL}'
        """,
        {**order.parameters, "after": after, "upto": upto},
    )


def keep_from_undoing(order: Order, today: Standing, *, after: int, upto: int) -> None:
    """Judge going back on a piece of a batch, under the lock: what may not or cannot go back says why."""
    refusals = ", ".join(actions_sql.refusal_steps(today.columns("r"), "c.answer"))
    run(
        f"""
        UPDATE invoices_batchrow b SET kept = j.kept
        FROM (
            SELECT r.id, coalesce(CASE WHEN r.version <> c.version THEN '{MOVED}' END, {refusals}, '') AS kept
            FROM ({_before(_piece())}) c JOIN invoices_record r
              ON {PIECE_OF_RECORDS} AND r.id = c.record_id) j
        WHERE {_piece()} AND b.record_id = j.id AND j.kept <> ''
        """,
        {**order.parameters, "after": after, "upto": upto},
    )


def join_as_sets() -> None:
    """Let pieces be joined as the sets they are, for the rest of the transaction.

    Rows of a batch are too new for the database's statistics: it takes a piece of thousands for one row.
    """
    run("SELECT set_config('enable_nestloop', 'off', true)")


@dataclass(frozen=True, slots=True)
class Signed:
    """Who changes records, in which capacity, when, under which request id."""

    actor_id: int
    capacity: str
    at: datetime
    request_id: uuid.UUID


def changes_open_period(order: Order, *, after: int, upto: int, open_month: int, undoing: bool) -> bool:
    """Whether a piece changes a record that counts up to the open period, so that its statement goes stale (R7.11)."""
    kept = "AND b.kept = ''" if undoing else ""
    found = run(
        f"""
        SELECT EXISTS (SELECT 1 FROM invoices_batchrow b {RECORD_OF_ROW}
            WHERE {_piece()} {kept} AND {PIECE_OF_RECORDS} AND r.gstr2b_month <= %(open_month)s)
        """,
        {**order.parameters, "after": after, "upto": upto, "open_month": open_month},
    )
    return bool(found[0][0])


def write(order: Order, today: Standing, signed: Signed, *, after: int, upto: int, inbox_seq: int) -> int:
    """Write a judged piece where the version still fits, each with its event; return how many were written."""
    chosen = f"""
        SELECT c.* FROM invoices_batchrow b {RECORD_OF_ROW} {_choice(today, "b.version")}
        WHERE {_piece()} AND {PIECE_OF_RECORDS}
    """
    return _write(chosen, "chosen", order, signed, {"after": after, "upto": upto, "seq": inbox_seq})


def write_back(order: Order, signed: Signed, *, after: int, upto: int, inbox_seq: int) -> int:
    """Give a judged piece back what stood before the batch, each with its event; return how many were written."""
    chosen = _before(f"{_piece()} AND b.kept = ''")
    return _write(chosen, "undone", order, signed, {"after": after, "upto": upto, "seq": inbox_seq})


def _write(chosen: str, cause: str, order: Order, signed: Signed, piece: Mapping[str, object]) -> int:
    rows = run(
        f"""
        WITH changed AS (
            UPDATE invoices_record r SET action = c.action, answer = c.answer, declared_igst = c.d_igst,
                declared_cgst = c.d_cgst, declared_sgst = c.d_sgst, declared_cess = c.d_cess, remark = c.remark,
                reason_code = c.reason, lost_action = c.lost, version = r.version + 1
            FROM (SELECT c.*, r.action AS old_action FROM ({chosen}) c
                JOIN invoices_record r ON {PIECE_OF_RECORDS} AND r.id = c.record_id) c
            WHERE {PIECE_OF_RECORDS} AND r.id = c.record_id AND r.version = c.version AND r.settled_month IS NULL
            RETURNING r.id, r.version, c.old_action, c.action, c.answer, c.d_igst, c.d_cgst, c.d_sgst, c.d_cess,
                c.remark, c.reason
        ), told AS (
            INSERT INTO invoices_actionevent (recipient_id, record_id, version, cause, old_action, action, answer,
                declared_igst, declared_cgst, declared_sgst, declared_cess, remark, reason_code, actor_id, capacity,
                request_id, inbox_seq, at)
            SELECT %(recipient)s, c.id, c.version, '{cause}', c.old_action, c.action, c.answer, c.d_igst, c.d_cgst,
                c.d_sgst, c.d_cess, c.remark, c.reason, %(actor)s, %(capacity)s, %(request)s, %(seq)s, %(at)s
            FROM changed c RETURNING 1)
        SELECT count(*) FROM told
        """,
        {
            **order.parameters,
            **piece,
            "actor": signed.actor_id,
            "capacity": signed.capacity,
            "request": signed.request_id,
            "at": signed.at,
        },
    )
    return _whole(rows[0][0])


def sums(order: Order, *, upto: int | None = None) -> dict[str, Sums]:
    """Return verdict -> sums of a batch's rows; rows that change and lie behind `upto` are told under ""."""
    rows = run(
        f"""
        SELECT CASE WHEN b.verdict = '{WILL}' AND b.record_id > %(upto)s THEN '' ELSE b.verdict END, count(*),
            sum(b.tax), sum(b.itc), sum(b.rise)
        FROM invoices_batchrow b WHERE {OF_BATCH} GROUP BY 1
        """,
        {**order.parameters, "upto": upto},
    )
    return {str(verdict): Sums(*(_whole(value) for value in values)) for verdict, *values in rows}


def asked(order: Order, *, limit: int) -> list[tuple[int, str]]:
    """Return the dearest rows that ask the ITC question: record id and verdict."""
    rows = run(
        f"""
        SELECT b.record_id, b.verdict FROM invoices_batchrow b
        WHERE {OF_BATCH} AND b.asks AND b.verdict IN ('{WILL}', '{LEFT}', '{UNANSWERED}')
        ORDER BY b.tax DESC, b.record_id LIMIT %(limit)s
        """,
        {**order.parameters, "limit": limit},
    )
    return [(_whole(pk), str(verdict)) for pk, verdict in rows]


def asked_sums(order: Order) -> tuple[int, int]:
    """Return how many rows ask the ITC question, and what answering all of them in full reduces, in paise."""
    caps = " + ".join(gstr2b.CAP.sql.format(effect=f"r.effect_{head}") for head in HEADS)
    rows = run(
        f"""
        SELECT count(*), sum({caps}) FROM invoices_batchrow b {RECORD_OF_ROW}
        WHERE {OF_BATCH} AND b.asks AND b.verdict IN ('{WILL}', '{LEFT}', '{UNANSWERED}')
        """,
        order.parameters,
    )
    return _whole(rows[0][0]), _whole(rows[0][1])


def undone(order: Order, *, upto: int, place: int) -> dict[str, Sums]:
    """Return why kept -> sums of what a batch changed: "" went back, `left` was not reached."""
    rows = run(
        f"""
        SELECT CASE WHEN b.record_id > %(upto)s THEN '{LEFT}' ELSE b.kept END, count(*), sum(b.tax), sum(b.itc),
            sum(b.rise)
        FROM invoices_batchrow b WHERE {OF_BATCH} AND b.verdict = '{WILL}' AND b.record_id <= %(place)s GROUP BY 1
        """,
        {**order.parameters, "upto": upto, "place": place},
    )
    return {str(why): Sums(*(_whole(value) for value in values)) for why, *values in rows}


def rises(order: Order, *, limit: int) -> tuple[list[Rise], int]:
    """Return the suppliers whose tax a batch changes most, and how many there are."""
    rows = run(
        f"""
        SELECT t.gstin, coalesce(nullif(t.trade_name, ''), t.legal_name), s.n, s.rise, count(*) OVER ()
        FROM (SELECT r.supplier_id, count(*) AS n, sum(b.rise) AS rise
              FROM invoices_batchrow b {RECORD_OF_ROW}
              WHERE {OF_BATCH} AND b.verdict = '{WILL}' AND b.rise <> 0 AND r.supplier_id IS NOT NULL
              GROUP BY r.supplier_id) s
        JOIN ims_portal_taxpayer t ON t.id = s.supplier_id
        ORDER BY abs(s.rise) DESC, t.gstin LIMIT %(limit)s
        """,
        {**order.parameters, "limit": limit},
    )
    found = [Rise(str(row[0]), str(row[1]), _whole(row[2]), _whole(row[3])) for row in rows]
    return found, _whole(rows[0][4]) if rows else 0


def page(order: Order, *, verdict: str, kept: str | None, after: int, upto: int | None, limit: int) -> list[int]:
    """Return the ids of a page of records of one verdict, or of those undoing left alone for a reason."""
    rows = run(
        f"""
        SELECT b.record_id FROM invoices_batchrow b
        WHERE {OF_BATCH} AND b.verdict = %(verdict)s AND (%(kept)s IS NULL OR b.kept = %(kept)s)
          AND b.record_id > %(after)s AND (%(upto)s IS NULL OR b.record_id <= %(upto)s)
        ORDER BY b.record_id LIMIT %(limit)s
        """,
        {**order.parameters, "verdict": verdict, "kept": kept, "after": after, "upto": upto, "limit": limit},
    )
    return [_whole(pk) for (pk,) in rows]


def forget(recipient_id: int, batch_ids: Sequence[uuid.UUID]) -> None:
    """Delete the rows of batches that were previewed and never applied."""
    run(
        "DELETE FROM invoices_batchrow WHERE recipient_id = %(recipient)s AND batch_id = ANY(%(ids)s::uuid[])",
        {"recipient": recipient_id, "ids": [str(pk) for pk in batch_ids]},
    )


def _piece() -> str:
    return f"{OF_BATCH} AND b.verdict = '{WILL}' AND b.record_id > %(after)s AND b.record_id <= %(upto)s"


def _choice(today: Standing, seen: str) -> str:
    """Return the choice `c` of a batch for a record `r`: an answer and a remark only where the law takes them."""
    columns = today.columns("r")
    asks = f"(%(b_action)s = 'A' AND {columns['specified']})"
    takes = sql.dated_case(
        actions.REMARK_REFUSALS,
        {"action": "%(b_action)s", "answer": "''", "remark": sql.literal(Remark.GIVEN)},
        day=columns["month"],
    )
    return f"""CROSS JOIN LATERAL (
        SELECT r.id AS record_id, {seen} AS version, %(b_action)s::text AS action,
            CASE WHEN {asks} THEN %(b_answer)s::text ELSE '' END AS answer,
            0::bigint AS d_igst, 0::bigint AS d_cgst, 0::bigint AS d_sgst, 0::bigint AS d_cess,
            CASE WHEN {asks} AND %(b_answer)s = 'N' THEN %(b_remark)s::text
                WHEN %(b_action)s = 'A' OR {takes} IS NOT NULL THEN '' ELSE %(b_remark)s::text END AS remark,
            %(b_reason)s::text AS reason, ''::text AS lost) c"""


def _before(where: str) -> str:
    """Return what the records of rows stood at before the batch: the event of the version it saw, or nothing chosen."""
    return f"""
        SELECT b.record_id, b.version + 1 AS version, coalesce(e.action, 'N') AS action,
            coalesce(e.answer, '') AS answer, coalesce(e.declared_igst, 0) AS d_igst,
            coalesce(e.declared_cgst, 0) AS d_cgst, coalesce(e.declared_sgst, 0) AS d_sgst,
            coalesce(e.declared_cess, 0) AS d_cess, coalesce(e.remark, '') AS remark,
            coalesce(e.reason_code, '') AS reason, b.lost
        FROM invoices_batchrow b LEFT JOIN invoices_actionevent e
          ON e.recipient_id = b.recipient_id AND e.record_id = b.record_id AND e.version = b.version
          AND e.recipient_id = %(recipient)s AND e.record_id > %(after)s AND e.record_id <= %(upto)s
        WHERE {where}"""


def _verdict(today: Standing) -> str:
    """Return what a choice `c` comes to on a record `r`: what stands as chosen asks and changes nothing."""
    columns = today.columns("r")
    action, *others = actions_sql.refusal_steps(columns, "c.answer")
    return (
        f"coalesce(CASE WHEN r.version <> c.version THEN '{MOVED}' END, {action}, "
        f"CASE WHEN {columns['effective']} = c.action THEN '{SAME}' END, {', '.join(others)}, '{WILL}')"
    )


def _itc(today: Standing, open_month: int) -> str:
    """Return the change a choice makes to the ITC of the open period, in paise: what counts after it less before."""
    columns = today.columns("r")
    in_scope = (
        f"r.status = 'F' AND r.settled_month IS NULL AND r.superseded_by_id IS NULL "
        f"AND r.gstr2b_month <= {open_month:d}"
    )
    stored = f"(CASE WHEN {columns['effective']} = 'A' THEN r.answer ELSE '' END)"
    after = _counted("c.action", "c.answer", open_month)
    return f"(CASE WHEN {in_scope} THEN {after} - {_counted(columns['effective'], stored, open_month)} ELSE 0 END)"


def _counted(action: str, answer_sql: str, open_month: int) -> str:
    """Return the ITC a record `r` gives the open period under an action and an answer, in paise (R2.14, R7.6)."""
    placement = sql.case(
        gstr2b.PLACEMENT.at(open_month),
        {
            "bypass": sql.literal(Bypass.NO),
            "unavailable": "r.unavailable",
            "action": action,
            "is_barred": time_barred_sql("r", str(open_month)),
        },
    )
    heads = " + ".join(records_sql.counted(head, answer_sql) for head in HEADS)
    return f"(CASE WHEN {placement} = {sql.literal(Placement.AVAILABLE)} THEN {heads} ELSE 0 END)"


def _rise(today: Standing) -> str:
    """Return by how much a choice raises the tax of a record's supplier, in paise; a minus takes a rise back."""
    caps = " + ".join(gstr2b.CAP.sql.format(effect=f"r.effect_{head}") for head in HEADS)
    turns = f"((c.action = 'R')::int - ({today.columns('r')['effective']} = 'R')::int)"
    return f"(CASE WHEN {records_sql.adds_back('r')} THEN ({caps}) * {turns} ELSE 0 END)"


def _whole(value: object) -> int:
    return int(str(value or 0))
