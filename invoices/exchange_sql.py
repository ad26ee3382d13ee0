"""Rows of a file of actions as a set: copied in, found among the records, judged and marked a piece at a time."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ims_portal.rules.actions import Action, Answer, Refusal
from ims_portal.rules.money import HEADS, Tax
from ims_portal.sql import copy_in, run
from invoices.asked import Asked
from invoices.standing import Standing

TWICE, STALE, UNKNOWN = "APP-F06", "IMSSAV0010", Refusal.RECORD_NOT_IN_IMS.value
"""Codes of rows that name a record twice, one that moved on, none (formats 8.5)."""

COLUMNS = (
    "recipient_id",
    "file_id",
    "place",
    "position",
    "section",
    "supplier_gstin",
    "number",
    "number_key",
    "document_date",
    "port",
    "named",
    "version",
    "previous",
    "said_taxable",
    *(f"said_{head}" for head in HEADS),
    "action",
    "answer",
    *(f"declared_{head}" for head in HEADS),
    "remark",
    "is_old_answer",
    "is_old_remark",
    "verdict",
    "code",
    "problem",
)


class Chosen(NamedTuple):
    """A row that stands against a record: its place, the record, the version seen, the choice."""

    place: int
    record_id: int
    version: int
    action: Action
    answer: Answer
    declared: Tax
    remark: str
    is_old_answer: bool
    is_old_remark: bool


def keep(recipient_id: int, file_id: uuid.UUID, rows: Iterable[Asked]) -> int:
    """Copy rows in, and return how many they were."""
    return copy_in("invoices_actionfilerow", COLUMNS, (_values(recipient_id, file_id, row) for row in rows))


def _values(recipient_id: int, file_id: uuid.UUID, row: Asked) -> tuple[object, ...]:
    return (
        recipient_id,
        file_id,
        row.place,
        row.position[:80],
        row.section,
        row.supplier[:15],
        row.number[:64],
        row.number.upper()[:64],
        row.day,
        row.port[:10],
        row.record_id,
        row.version,
        row.previous.value if row.previous else "",
        row.taxable,
        *(row.tax if row.taxable is not None else (None,) * len(HEADS)),
        row.action.value,
        row.answer.value,
        *row.declared,
        row.remark,
        row.is_old_answer,
        row.is_old_remark,
        "",
        row.code,
        row.problem,
    )


def forget(file_id: uuid.UUID) -> None:
    """Drop the rows of a file: what was begun and not finished is begun again."""
    run("DELETE FROM invoices_actionfilerow WHERE file_id = %(file)s", {"file": str(file_id)})


def find(recipient_id: int, file_id: uuid.UUID, today: Standing) -> None:
    """Find the record of every row: by the id its file names, else by supplier or port, number, day and section.

    Of several versions the one that is open. What names none, one twice, or one that moved on since, is marked: its
    action is not the one told, or its supplier says other amounts.
    """
    parameters = {"recipient": recipient_id, "file": str(file_id)}
    # What a file names is checked against what stands in the row: a cell moved by hand must not act on another record.
    run(
        """
        UPDATE invoices_actionfilerow f SET record_id = r.id, version = coalesce(f.version, r.version)
        FROM invoices_record r
        WHERE f.file_id = %(file)s AND r.recipient_id = %(recipient)s AND r.id = f.named
          AND r.section = f.section AND r.number_key = f.number_key
        """,
        parameters,
    )
    run(
        """
        UPDATE invoices_actionfilerow f SET record_id = m.id, version = m.version
        FROM (
            SELECT DISTINCT ON (a.place) a.place, r.id, r.version
            FROM invoices_actionfilerow a
            LEFT JOIN ims_portal_taxpayer s ON s.gstin = a.supplier_gstin AND a.supplier_gstin <> ''
            JOIN invoices_record r ON r.recipient_id = %(recipient)s AND r.number_key = a.number_key
              AND r.section = a.section AND r.supplier_id IS NOT DISTINCT FROM s.id
              AND (a.document_date IS NULL OR r.document_date = a.document_date)
              AND (a.port = '' OR r.port = a.port)
            WHERE a.file_id = %(file)s AND a.named IS NULL AND a.number <> '' AND r.status <> 'W'
            ORDER BY a.place, r.settled_month IS NOT NULL, r.superseded_by_id IS NOT NULL, r.id DESC) m
        WHERE f.file_id = %(file)s AND f.place = m.place
        """,
        parameters,
    )
    run(
        """
        UPDATE invoices_actionfilerow f SET verdict = %(unknown)s
        WHERE f.file_id = %(file)s AND f.code = '' AND f.record_id IS NULL
        """,
        {**parameters, "unknown": UNKNOWN},
    )
    run(
        """
        UPDATE invoices_actionfilerow f SET verdict = %(twice)s
        FROM (SELECT place, row_number() OVER (PARTITION BY record_id ORDER BY place) AS nth
              FROM invoices_actionfilerow WHERE file_id = %(file)s AND record_id IS NOT NULL AND code = '') n
        WHERE f.file_id = %(file)s AND f.place = n.place AND n.nth > 1
        """,
        {**parameters, "twice": TWICE},
    )
    _mark_stale(recipient_id, file_id, today)


def _mark_stale(recipient_id: int, file_id: uuid.UUID, today: Standing) -> None:
    """Mark the rows whose record moved on since they were written: decided otherwise, or told otherwise."""
    amounts = ("taxable", *HEADS)
    run(
        f"""
        UPDATE invoices_actionfilerow f SET verdict = %(stale)s
        FROM (
            SELECT r.*, {today.columns("r")["effective"]} AS effective
            FROM invoices_record r
            WHERE r.recipient_id = %(recipient)s
              AND r.id IN (SELECT record_id FROM invoices_actionfilerow WHERE file_id = %(file)s)) r
        WHERE f.file_id = %(file)s AND f.verdict = '' AND f.named IS NULL AND r.id = f.record_id
          AND ((f.previous <> '' AND r.effective <> f.previous AND r.action <> f.action)
               OR (f.said_taxable IS NOT NULL
                   AND ({", ".join(f"r.{name}" for name in amounts)})
                       IS DISTINCT FROM ({", ".join(f"f.said_{name}" for name in amounts)})))
        """,
        {"recipient": recipient_id, "file": str(file_id), "stale": STALE},
    )


def chosen(file_id: uuid.UUID, *, verdict: str, after: int, limit: int) -> list[Chosen]:
    """Return the next rows of a verdict that stand against a record, in the order of the file."""
    rows = run(
        f"""
        SELECT place, record_id, version, action, answer, {", ".join(f"declared_{head}" for head in HEADS)}, remark,
            is_old_answer, is_old_remark
        FROM invoices_actionfilerow
        WHERE file_id = %(file)s AND verdict = %(verdict)s AND place > %(after)s AND code = '' AND record_id IS NOT NULL
        ORDER BY place LIMIT %(limit)s
        """,
        {"file": str(file_id), "verdict": verdict, "after": after, "limit": limit},
    )
    return [
        Chosen(
            int(str(row[0])),
            int(str(row[1])),
            int(str(row[2])),
            Action(str(row[3])),
            Answer(str(row[4])),
            Tax(*(int(str(paise)) for paise in row[5:9])),
            str(row[9]),
            bool(row[10]),
            bool(row[11]),
        )
        for row in rows
    ]


def mark(file_id: uuid.UUID, verdicts: Mapping[int, str]) -> None:
    """Write place -> verdict."""
    run(
        """
        UPDATE invoices_actionfilerow f SET verdict = v.verdict
        FROM unnest(%(places)s::int[], %(verdicts)s::text[]) AS v(place, verdict)
        WHERE f.file_id = %(file)s AND f.place = v.place
        """,
        {"file": str(file_id), "places": list(verdicts), "verdicts": list(verdicts.values())},
    )


def choose(file_id: uuid.UUID, rows: Sequence[Chosen]) -> None:
    """Write what rows choose now: without what only stood there from another choice."""
    heads = {f"declared_{head}": [getattr(row.declared, head) for row in rows] for head in HEADS}
    run(
        f"""
        UPDATE invoices_actionfilerow f SET answer = c.answer, remark = c.remark,
            {", ".join(f"{name} = c.{name}" for name in heads)}
        FROM unnest(%(places)s::int[], %(answers)s::text[], %(remarks)s::text[],
            {", ".join(f"%({name})s::bigint[]" for name in heads)}) AS c(place, answer, remark, {", ".join(heads)})
        WHERE f.file_id = %(file)s AND f.place = c.place
        """,
        {
            "file": str(file_id),
            "places": [row.place for row in rows],
            "answers": [row.answer.value for row in rows],
            "remarks": [row.remark for row in rows],
            **heads,
        },
    )


def drop_same(file_id: uuid.UUID) -> int:
    """Drop the rows that ask for what stands already, and return how many they were."""
    rows = run(
        """
        WITH gone AS (DELETE FROM invoices_actionfilerow WHERE file_id = %(file)s AND verdict = 'same' RETURNING 1)
        SELECT count(*) FROM gone
        """,
        {"file": str(file_id)},
    )
    return int(str(rows[0][0]))


def counts(file_id: uuid.UUID) -> dict[str, int]:
    """Return verdict, or code of what could not be read -> how many rows."""
    rows = run(
        """
        SELECT coalesce(nullif(code, ''), verdict), count(*) FROM invoices_actionfilerow WHERE file_id = %(file)s
        GROUP BY 1 ORDER BY 1
        """,
        {"file": str(file_id)},
    )
    return {str(verdict): int(str(count)) for verdict, count in rows}


def by_action(file_id: uuid.UUID, verdicts: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Return action -> how many rows of these verdicts choose it, and the tax of their documents in paise."""
    tax = " + ".join(f"r.{head}" for head in HEADS)
    rows = run(
        f"""
        SELECT f.action, count(*), sum({tax}) FROM invoices_actionfilerow f
        JOIN invoices_record r ON r.recipient_id = f.recipient_id AND r.id = f.record_id
        WHERE f.file_id = %(file)s AND f.verdict = ANY(%(verdicts)s) GROUP BY f.action ORDER BY f.action
        """,
        {"file": str(file_id), "verdicts": list(verdicts)},
    )
    return {str(action): (int(str(count)), int(str(paise))) for action, count, paise in rows}
