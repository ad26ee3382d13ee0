"""A rule table read as SQL, and bulk in by COPY. Values of rules are constants of our own code and are quoted."""

from __future__ import annotations

import csv
import io
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from enum import Enum
from itertools import islice
from typing import Any, TypeVar, cast

from django.db import connection, transaction
from django.db.models import Model

from ims_portal.rules.table import Dated, Fact, Row, Table

Outcome = TypeVar("Outcome", bound=Hashable)
Found = TypeVar("Found", bound=Model)

PIECE = 500
"""Rows written into the stream at a time."""

ROWS_READ = 2000
"""Rows fetched at a time of an answer too large to be held."""

NULL_MARK = "\x01"
"""How COPY is told NULL: a control character, which no text of ours may hold."""


def literal(value: Hashable) -> str:
    """Return a constant of the rules as an SQL literal."""
    if value is None:
        return "NULL"
    stored = value.value if isinstance(value, Enum) else value
    if isinstance(stored, bool):
        return "TRUE" if stored else "FALSE"
    if isinstance(stored, int):
        return str(stored)
    if not isinstance(stored, str):
        raise TypeError(f"{stored!r} is no constant of a rule")
    return "'" + stored.replace("'", "''") + "'"


def case(table: Table[Outcome], columns: Mapping[str, str], outcomes: Mapping[Outcome, str] | None = None) -> str:
    """Return a CASE expression that answers for each row what `table.decide` answers for one record.

    `columns` maps every declared fact to an SQL expression that is never NULL; `outcomes` each answer to the SQL that
    stands for it, where it is not the answer itself.
    """
    if columns.keys() != table.facts.keys():
        raise ValueError(f"{table.name} needs exactly the facts {sorted(table.facts)}, got {sorted(columns)}")
    say = literal if outcomes is None else outcomes.__getitem__
    branches = [f"WHEN {_condition(line, columns)} THEN {say(line.outcome)}" for line in table.rows[:-1]]
    final = say(table.rows[-1].outcome)
    return f"(CASE {' '.join(branches)} ELSE {final} END)" if branches else final


def row_number(table: Table[Outcome], columns: Mapping[str, str]) -> str:
    """Return a CASE expression with the index of the row that decides, so that a line can cite it later."""
    branches = [f"WHEN {_condition(line, columns)} THEN {number}" for number, line in enumerate(table.rows[:-1])]
    final = str(len(table.rows) - 1)
    return f"(CASE {' '.join(branches)} ELSE {final} END)" if branches else final


def dated_case(
    rule: Dated[Outcome], columns: Mapping[str, str], *, day: str, outcomes: Mapping[Outcome, str] | None = None
) -> str:
    """Return a CASE over the versions of a rule; `day` is the SQL expression of the number that governs it.

    The rule must have an explicit version from 0 on: SQL would answer NULL before the first one.
    """
    if 0 not in rule.versions:
        raise ValueError(f"{rule.name}: a rule read by SQL needs an explicit earliest version")
    latest_first = sorted(rule.versions.items(), reverse=True)
    branches = [
        f"WHEN {day} >= {start} THEN {case(table, columns, outcomes)}" for start, table in latest_first if start
    ]
    final = case(rule.versions[0], columns, outcomes)
    return f"(CASE {' '.join(branches)} ELSE {final} END)" if branches else final


def version_in_force(rules: Iterable[Dated[Any]], *, day: str) -> str:
    """Return the latest start of any version of these rules at `day`, as SQL: the same number, the same versions."""
    starts = sorted({start for rule in rules for start in rule.versions if start}, reverse=True)
    return "(CASE " + " ".join(f"WHEN {day} >= {start} THEN {start}" for start in starts) + " ELSE 0 END)"


def _condition(line: Row[Outcome], columns: Mapping[str, str]) -> str:
    return " AND ".join(_comparison(columns[name], values) for name, values in line.when.items())


def _comparison(column: str, values: Sequence[Fact]) -> str:
    if all(isinstance(value, bool) for value in values):
        if len(set(values)) > 1:
            return "TRUE"
        return f"({column})" if values[0] else f"NOT ({column})"
    if len(values) == 1:
        return f"{column} = {literal(values[0])}"
    return f"{column} IN ({', '.join(map(literal, values))})"


def run(statement: str, parameters: Mapping[str, object] | None = None) -> list[tuple[object, ...]]:
    """Run one statement and return its rows, if it gives any."""
    with connection.cursor() as cursor:
        cursor.execute(statement, cast("Any", parameters))
        return cursor.fetchall() if cursor.description else []


@contextmanager
def whole_sets() -> Iterator[None]:
    """Have the planner join sets as wholes while the block runs, inside a transaction.

    For statements whose both sides are all of a recipient's period: counted before its lines were written, they would
    be looked up one by one among all the others, minutes for 180,000 lines.
    """
    run("SET LOCAL enable_nestloop = off")
    yield
    run("SET LOCAL enable_nestloop = on")


def stream(statement: str, parameters: Mapping[str, object] | None = None) -> Iterator[tuple[object, ...]]:
    """Run one statement and yield its rows as a cursor of the server hands them out, in pieces: memory stays flat.

    Outside of a transaction this holds one until the last row was read: the cursor must not outlive it, for behind a
    PgBouncer the session is then another's.
    """
    held = nullcontext() if connection.in_atomic_block else transaction.atomic()
    with held, connection.chunked_cursor() as cursor:
        cursor.execute(statement, cast("Any", parameters))
        while rows := cursor.fetchmany(ROWS_READ):
            yield from rows


def columns(model: type[Model], alias: str) -> str:
    """Return every column of a model's table, as a SELECT from `alias` asks for them; `read` takes them."""
    return ", ".join(f'{alias}."{column.column}"' for column in model._meta.concrete_fields)  # noqa: SLF001 Django's documented interface


def read(model: type[Found], values: Iterator[object]) -> Found | None:
    """Return the object whose `columns` come next among a row's values, None where there is none (an outer join)."""
    names = [column.attname for column in model._meta.concrete_fields]  # noqa: SLF001 as above
    own = list(islice(values, len(names)))
    return None if all(value is None for value in own) else model.from_db(connection.alias, names, own)


def copy_in(table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    """COPY rows into a table and return their count; None becomes NULL, an empty text stays empty.

    Five to ten times faster than any INSERT. Reads `rows` once, in pieces, so memory stays flat.
    """
    source = _CsvPieces(rows)
    names = ", ".join(f'"{name}"' for name in columns)
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY {table} ({names}) FROM STDIN WITH (FORMAT csv, NULL '{NULL_MARK}')", source)
    return source.count


class _CsvPieces(io.TextIOBase):
    """A readable stream of CSV lines, made while it is read."""

    def __init__(self, rows: Iterable[Sequence[object]]) -> None:
        self._rows = iter(rows)
        self._buffer = ""
        self.count = 0

    def read(self, size: int | None = -1, /) -> str:
        """Return at least `size` characters of CSV while rows last."""
        wanted = size if size and size > 0 else 1 << 30
        while len(self._buffer) < wanted and self._refill():
            pass
        piece, self._buffer = self._buffer[:wanted], self._buffer[wanted:]
        return piece

    def _refill(self) -> bool:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
        taken = 0
        for values in self._rows:
            writer.writerow([NULL_MARK if value is None else value for value in values])
            taken += 1
            if taken == PIECE:
                break
        self.count += taken
        self._buffer += text.getvalue()
        return taken > 0
