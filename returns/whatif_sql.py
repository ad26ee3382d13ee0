"""Choices as if they were made, as sets: what they would change of a statement and of suppliers' tax. Writes nothing.

The lines come from the very SELECT that computes a statement, over records as they would be; what the refusal table
forbids stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ims_portal import sql
from ims_portal.rules import actions, gstr2b
from ims_portal.rules.actions import Action, Answer, Refusal
from ims_portal.rules.money import HEADS, Tax
from ims_portal.sql import run
from invoices import records_sql
from invoices.models import Record
from invoices.standing import Standing
from returns import gstr2b_sql

WILL, SAME, LATER = "will", "same", "later"
"""Verdicts that are no refusal: it changes the statement; it stands so already; it counts in a later statement."""

_TAX = " + ".join(f"r.{head}" for head in HEADS)
_SCOPE = """r.recipient_id = %(recipient)s AND r.status = 'F' AND r.settled_month IS NULL
    AND r.superseded_by_id IS NULL AND r.gstr2b_month <= %(month)s"""


@dataclass(frozen=True, slots=True)
class Wish:
    """One choice for all records `r` a condition holds for; `answer` only where a record asks the ITC question."""

    recipient_id: int
    month: int
    condition: str
    action: Action
    answer: Answer = Answer.NOT_GIVEN
    parameters: Mapping[str, object] = field(default_factory=dict)

    @property
    def told(self) -> dict[str, object]:
        """The parameters of every statement here."""
        return {**self.parameters, "recipient": self.recipient_id, "month": self.month}


def _answer(wish: Wish, today: Standing) -> str:
    asks = today.columns("r")["specified"] if wish.action is Action.ACCEPT else "false"
    return f"(CASE WHEN {asks} THEN {sql.literal(wish.answer)} ELSE '' END)"


def _verdict(wish: Wish, today: Standing) -> str:
    """Return the first thing that stands against a choice, or what it comes to."""
    facts = dict(today.columns("r"))
    month, specified, _effective = facts.pop("month"), facts.pop("specified"), facts.pop("effective")
    refusal = sql.dated_case(actions.ACTION_REFUSALS, {"action": sql.literal(wish.action), **facts}, day=month)
    asks = wish.action is Action.ACCEPT and wish.answer is Answer.NOT_GIVEN
    unanswered = f"WHEN {specified} THEN {sql.literal(Refusal.ITC_REDUCTION_REQUIRED)}" if asks else ""
    return f"""coalesce({refusal}, (CASE {unanswered}
        WHEN r.action = {sql.literal(wish.action)} AND r.answer = {_answer(wish, today)} THEN '{SAME}'
        WHEN {_SCOPE} THEN '{WILL}' ELSE '{LATER}' END))"""


def verdicts(wish: Wish, today: Standing) -> dict[str, tuple[int, int]]:
    """Return verdict -> how many records and their tax in paise, of all the condition holds for."""
    rows = run(
        f"""
        SELECT j.verdict, count(*), sum(j.tax) FROM (
            SELECT {_verdict(wish, today)} AS verdict, {_TAX} AS tax FROM invoices_record r
            WHERE {wish.condition}) j
        GROUP BY j.verdict ORDER BY j.verdict
        """,
        wish.told,
    )
    return {str(verdict): (int(str(count)), int(str(tax))) for verdict, count, tax in rows}


def _lines(wish: Wish, today: Standing) -> str:
    """Return the WITH of the lines, `b` before and `a` after, of the records that a choice would change.

    Which these are is asked once: to judge a record takes longer than to make its line.
    """
    changing = f"""SELECT r.* FROM invoices_record r
            WHERE {_SCOPE} AND {wish.condition} AND {_verdict(wish, today)} = '{WILL}'"""
    would_be = {
        "action": sql.literal(wish.action),
        "answer": _answer(wish, today),
        **{f"declared_{head}": "0::bigint" for head in HEADS},
    }
    names = [str(column.column) for column in Record._meta.concrete_fields]  # noqa: SLF001 Django's documented interface
    columns = ", ".join(f"{would_be.get(name, f'r.{name}')} AS {name}" for name in names)
    return f"""WITH changing AS MATERIALIZED ({changing}),
        b AS ({gstr2b_sql.wanted(today, wish.month, source="changing r")}),
        a AS ({gstr2b_sql.wanted(today, wish.month, source=f"(SELECT {columns} FROM changing r) r")})"""


Sums = dict[tuple[str, str, str], tuple[int, Tax]]
"""(placement, part, row) -> how many lines and their tax as printed."""


def differences(wish: Wish, today: Standing) -> Sums:
    """Return what a choice would change of the sums of a statement: lines and tax, after less before."""
    heads = ", ".join(f"sum(d.sign * d.{head})" for head in HEADS)
    # Only what is summed: a UNION works out all that is named, and why a line counts so takes longest.
    line = ", ".join(("placement", "part", "row", *HEADS))
    rows = run(
        f"""
        {_lines(wish, today)}
        SELECT d.placement, d.part, d.row, sum(d.sign), {heads} FROM (
            SELECT 1 AS sign, {line} FROM a UNION ALL SELECT -1 AS sign, {line} FROM b) d
        GROUP BY d.placement, d.part, d.row
        """,
        wish.told,
    )
    return _read(rows)


def now(*, recipient_id: int, month: int, today: Standing) -> Sums:
    """Return the sums a statement computed now would have."""
    heads = ", ".join(f"sum(w.{head})" for head in HEADS)
    rows = run(
        f"""
        SELECT w.placement, w.part, w.row, count(*), {heads} FROM ({gstr2b_sql.wanted(today, month)}) w
        GROUP BY w.placement, w.part, w.row ORDER BY w.placement, w.part, w.row
        """,
        {"recipient": recipient_id, "month": month},
    )
    return _read(rows)


def _read(rows: list[tuple[object, ...]]) -> Sums:
    return {(str(r[0]), str(r[1]), str(r[2])): (int(str(r[3])), Tax(*(int(str(v)) for v in r[4:8]))) for r in rows}


@dataclass(frozen=True, slots=True)
class Charged:
    """A supplier whose tax a choice would change: what the rejections of this period add back, before and after."""

    gstin: str
    name: str
    before: int
    after: int
    count: int

    @property
    def change(self) -> int:
        """By how much its tax rises."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class AllCharged:
    """The suppliers most affected, and how many there are and what all of them come to, in paise."""

    suppliers: list[Charged]
    count: int = 0
    before: int = 0
    after: int = 0

    @property
    def change(self) -> int:
        """By how much their tax rises together."""
        return self.after - self.before


def charged(wish: Wish, today: Standing, *, limit: int) -> AllCharged:
    """Return what filing would add back to suppliers whom a choice touches, as it stands and as chosen (R6.3)."""
    cap = " + ".join(gstr2b.CAP.sql.format(effect=f"r.effect_{head}") for head in HEADS)
    changes = f"({wish.condition} AND {_verdict(wish, today)} = '{WILL}')"
    rejects = sql.literal(wish.action is Action.REJECT)
    rows = run(
        f"""
        SELECT t.gstin, coalesce(nullif(t.trade_name, ''), t.legal_name), s.before, s.after, s.touched,
            count(*) OVER (), sum(s.before) OVER (), sum(s.after) OVER ()
        FROM (
            SELECT c.supplier_id, sum(c.touched) AS touched, coalesce(sum(c.cap) FILTER (WHERE c.was), 0) AS before,
                coalesce(sum(c.cap) FILTER (WHERE CASE WHEN c.touched = 1 THEN {rejects} ELSE c.was END), 0) AS after
            FROM (
                SELECT r.supplier_id, {cap} AS cap, {today.columns("r")["effective"]} = 'R' AS was,
                    (CASE WHEN {changes} THEN 1 ELSE 0 END) AS touched
                FROM invoices_record r
                WHERE {_SCOPE} AND r.bypass = '' AND r.supplier_id IS NOT NULL AND {records_sql.adds_back("r")}) c
            GROUP BY c.supplier_id) s
        JOIN ims_portal_taxpayer t ON t.id = s.supplier_id
        WHERE s.before <> s.after
        ORDER BY abs(s.after - s.before) DESC, t.gstin LIMIT %(limit)s
        """,
        {**wish.told, "limit": limit},
    )
    if not rows:
        return AllCharged([])
    found = [Charged(str(r[0]), str(r[1]), *(int(str(v)) for v in r[2:5])) for r in rows]
    return AllCharged(found, *(int(str(value)) for value in rows[0][5:8]))


_OPENED = """(%(opened)s IN (a.placement, b.placement, a.placement || '.' || a.part, b.placement || '.' || b.part,
        a.cell, b.cell) OR EXISTS (
            SELECT 1 FROM invoices_record o JOIN ims_portal_taxpayer t ON t.id = o.supplier_id
            WHERE o.recipient_id = %(recipient)s AND o.id = coalesce(a.record_id, b.record_id)
              AND t.gstin = %(opened)s))"""
"""Whether a record stands behind a figure, on either side of a choice."""


@dataclass(frozen=True, slots=True)
class Moved:
    """One record a choice would change: where it counts and how much, before and after; a side may be nowhere."""

    record_id: int
    before: tuple[str, str, int] | None
    after: tuple[str, str, int] | None
    net: int


def moved(wish: Wish, today: Standing, *, opened: str, limit: int) -> list[Moved]:
    """Return the records a choice would change, what changes net ITC most first.

    `opened` names a placement, `placement.part`, a cell of GSTR-3B or a supplier's GSTIN; "" is all of them.
    """
    tax = {side: " + ".join(f"{side}.{head}" for head in HEADS) for side in "ba"}
    net = f"coalesce({gstr2b_sql.net('a')}, 0) - coalesce({gstr2b_sql.net('b')}, 0)"
    rows = run(
        f"""
        {_lines(wish, today)}
        SELECT coalesce(a.record_id, b.record_id) AS pk, b.placement, b.part, {tax["b"]}, a.placement, a.part,
            {tax["a"]}, {net}
        FROM b FULL JOIN a ON a.record_id = b.record_id
        {f"WHERE {_OPENED}" if opened else ""}
        ORDER BY abs({net}) DESC, pk LIMIT %(limit)s
        """,
        {**wish.told, "opened": opened, "limit": limit},
    )
    return [
        Moved(int(str(pk)), _side(*was), _side(*will), int(str(change)))
        for pk, *sides, change in rows
        for was, will in [(sides[:3], sides[3:])]
    ]


def _side(placement: object, part: object, tax: object) -> tuple[str, str, int] | None:
    return None if placement is None else (str(placement), str(part), int(str(tax)))
