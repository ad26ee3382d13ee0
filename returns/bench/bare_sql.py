"""Limits of the machine: the least the database must do for a path, without any rule, written by hand."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager

from django.db import connection, transaction

from ims_portal.rules.money import HEADS
from ims_portal.sql import run
from invoices.models import ActionEvent, Record
from returns.models import Gstr2bLine

LINE = ", ".join(str(one.column) for one in Gstr2bLine._meta.concrete_fields if not one.primary_key)  # noqa: SLF001 Django's documented interface
RECORD = ", ".join(str(one.column) for one in Record._meta.concrete_fields)  # noqa: SLF001
EVENT = ", ".join(str(one.column) for one in ActionEvent._meta.concrete_fields if not one.primary_key)  # noqa: SLF001
IN_SCOPE = (
    "r.recipient_id = %(recipient)s AND r.status = 'F' AND r.settled_month IS NULL AND r.superseded_by_id IS NULL"
)


@contextmanager
def undone() -> Iterator[None]:
    """Let nothing of the block remain; what commits would check is checked at its end, as part of it."""
    with transaction.atomic():
        yield
        run("SET CONSTRAINTS ALL IMMEDIATE")
        transaction.set_rollback(True)


def seconds(do: Callable[[], object]) -> float:
    """Return the seconds something takes in a transaction that leaves nothing behind, its constraints checked."""
    with transaction.atomic():
        began = time.perf_counter()
        do()
        run("SET CONSTRAINTS ALL IMMEDIATE")
        took = time.perf_counter() - began
        transaction.set_rollback(True)
    return took


def keep_lines(make: Callable[[], object], *, recipient_id: int, month: int) -> int:
    """Keep the lines that `make` makes in a table of their own, for `insert_lines`; they are gone from the portal's."""
    out = io.StringIO()
    with undone():
        make()
        with connection.cursor() as cursor:
            cursor.copy_expert(
                f"COPY (SELECT {LINE} FROM returns_gstr2bline WHERE recipient_id = {recipient_id:d} "
                f"AND month = {month:d} AND last_version IS NULL) TO STDOUT",
                out,
            )
    run(f"DROP TABLE IF EXISTS bench_lines; CREATE TABLE bench_lines AS SELECT {LINE} FROM returns_gstr2bline LIMIT 0")
    out.seek(0)
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY bench_lines ({LINE}) FROM STDIN", out)
    run("ANALYZE bench_lines")
    return int(str(run("SELECT count(*) FROM bench_lines")[0][0]))


def insert_lines() -> None:
    """Write as many lines of the same width, by no rule."""
    run(f"INSERT INTO returns_gstr2bline ({LINE}) SELECT {LINE} FROM bench_lines")


def forget_statements() -> None:
    """Take away every statement, past the triggers that keep them: each round makes all of them anew."""
    with transaction.atomic():
        run("SET LOCAL session_replication_role = replica")
        run("TRUNCATE returns_gstr2bline, returns_gstr2b CASCADE")


def insert_lines_again(recipient_ids: Collection[int], *, month: int, most: int | None = None) -> None:
    """Write the lines of some recipients once more, as of a version that was long ago closed; `most` of them."""
    columns = LINE.replace("first_version", "999").replace("last_version", "999")
    run(
        f"""
        INSERT INTO returns_gstr2bline ({LINE}) SELECT {columns} FROM returns_gstr2bline
        WHERE recipient_id = ANY(%(ids)s) AND month = %(month)s AND last_version IS NULL LIMIT %(most)s
        """,
        {"ids": list(recipient_ids), "month": month, "most": most},
    )


STORED = ("invoices_record", "invoices_recorddetail", "invoices_actionevent", "returns_gstr2bline", "returns_gstr2b")


def stored() -> dict[str, tuple[int, int]]:
    """Return table -> rows, and bytes of a row with its share of all indexes; of those that grow with records."""
    found = {}
    for table in STORED:
        ((rows, size),) = run(f"SELECT count(*), pg_total_relation_size('{table}') FROM {table}")
        found[table] = (int(str(rows)), int(str(size)) // max(1, int(str(rows))))
    return found


def sum_records(*, recipient_id: int, month: int) -> None:
    """Add up the tax of the records in a statement's scope."""
    heads = ", ".join(f"sum(r.effect_{head})" for head in HEADS)
    run(
        f"SELECT count(*), {heads} FROM invoices_record r WHERE {IN_SCOPE} AND r.gstr2b_month <= %(month)s",
        {"recipient": recipient_id, "month": month},
    )


def act(*, recipient_id: int, record_ids: Collection[int], action: str) -> None:
    """Change records and append as many events, by no rule and past every trigger."""
    run("SET LOCAL session_replication_role = replica")
    run(
        "UPDATE invoices_record SET action = %(action)s, version = version + 1 WHERE id = ANY(%(ids)s)",
        {"action": action, "ids": list(record_ids)},
    )
    told = {
        "recipient_id": "r.recipient_id",
        "record_id": "r.id",
        "version": "r.version",
        "old_action": "'N'",
        "action": "r.action",
        "request_id": "%(request)s::uuid",
        "inbox_seq": "0",
        "at": "now()",
        "cause": "'chosen'",
        "actor_id": "NULL::bigint",
    }
    amounts = dict.fromkeys((f"declared_{head}" for head in HEADS), "0")
    values = ", ".join({**amounts, **told}.get(name, "''") for name in EVENT.split(", "))
    run(
        f"INSERT INTO invoices_actionevent ({EVENT}) SELECT {values} FROM invoices_record r "
        "WHERE r.recipient_id = %(recipient)s AND r.id = ANY(%(ids)s)",
        {"recipient": recipient_id, "ids": list(record_ids), "request": "00000000-0000-4000-8000-000000000000"},
    )


OF_NOBODY = {"id": "id + 1000000000000", "chain": "chain + 1000000000000", "supplier_id": "-supplier_id"}
"""What makes copies of records fit beside them: other numbers, and a supplier there is none of."""


def records_as_text(return_id: int) -> io.StringIO:
    """Return copies of the records of a return, as COPY writes them."""
    out = io.StringIO()
    values = ", ".join(OF_NOBODY.get(name, name) for name in RECORD.split(", "))
    with connection.cursor() as cursor:
        cursor.copy_expert(
            f"COPY (SELECT {values} FROM invoices_record WHERE supplier_return_id = {return_id:d}) TO STDOUT", out
        )
    return out


def copy_records(text: io.StringIO) -> None:
    """COPY records into their table with its checks and indexes, past every trigger and foreign key."""
    run("SET LOCAL session_replication_role = replica")
    text.seek(0)
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY invoices_record ({RECORD}) FROM STDIN", text)


def summary(*, recipient_id: int) -> Sequence[Sequence[object]]:
    """Count and sum open records by section and action, from the counts that are kept of them."""
    return run(
        """
        SELECT section, action, sum(records), sum(tax) FROM invoices_keptcount
        WHERE recipient_id = %(recipient)s GROUP BY section, action
        """,
        {"recipient": recipient_id},
    )


def grouped(*, recipient_id: int) -> Sequence[Sequence[object]]:
    """Count and sum open records by section and action from the records themselves."""
    return run(
        f"""
        SELECT r.section, r.action, count(*), sum({" + ".join(f"r.{head}" for head in HEADS)}) FROM invoices_record r
        WHERE {IN_SCOPE} GROUP BY r.section, r.action
        """,
        {"recipient": recipient_id},
    )


def joined(*, recipient_id: int) -> int:
    """Count the pairs of the books and the records by supplier, year and number, as one hash join."""
    rows = run(
        """
        SELECT count(*) FROM invoices_booked b
        JOIN ims_portal_taxpayer s ON s.gstin = b.supplier_gstin
        JOIN invoices_record r ON r.recipient_id = b.recipient_id AND r.supplier_id = s.id
            AND r.number_key = b.number_key AND r.fy = b.fy
        WHERE b.recipient_id = %(recipient)s
        """,
        {"recipient": recipient_id},
    )
    return int(str(rows[0][0]))


_OPEN = "r.recipient_id = %(recipient)s AND r.settled_month IS NULL AND r.status <> 'W' AND r.bypass = ''"


def place_at(*, recipient_id: int, offset: int) -> tuple[object, object]:
    """Return day and id of the open record so many places down the list by date."""
    rows = run(
        f"SELECT r.document_date, r.id FROM invoices_record r WHERE {_OPEN} ORDER BY r.document_date, r.id "
        "OFFSET %(offset)s LIMIT 1",
        {"recipient": recipient_id, "offset": offset},
    )
    return rows[0][0], rows[0][1]


def page(*, recipient_id: int, limit: int, after: tuple[object, object] | None = None) -> Sequence[Sequence[object]]:
    """Read a page of open records with their suppliers by date, behind a place."""
    behind = "AND (r.document_date, r.id) > (%(day)s, %(id)s)" if after else ""
    day, pk = after or (None, None)
    return run(
        f"""
        SELECT r.*, s.* FROM invoices_record r LEFT JOIN ims_portal_taxpayer s ON s.id = r.supplier_id
        WHERE {_OPEN} {behind} ORDER BY r.document_date, r.id LIMIT %(limit)s
        """,
        {"recipient": recipient_id, "limit": limit, "day": day, "id": pk},
    )


def by_offset(*, recipient_id: int, limit: int, offset: int) -> None:
    """Read a page by counting off what stands before it, and count the list, as one would write it first."""
    parameters = {"recipient": recipient_id, "limit": limit, "offset": offset}
    run(
        f"""
        SELECT r.*, s.* FROM invoices_record r LEFT JOIN ims_portal_taxpayer s ON s.id = r.supplier_id
        WHERE {_OPEN} ORDER BY r.document_date, r.id LIMIT %(limit)s OFFSET %(offset)s
        """,
        parameters,
    )
    run(f"SELECT count(*) FROM invoices_record r WHERE {_OPEN}", parameters)
