"""A world that takes seconds to play is played once by each process, and put back as it was for whoever asks again.

Rows go in as they came out, with triggers and checks of keys off: they were checked when they were written first.
"""

from __future__ import annotations

import io
from collections.abc import Callable

from django.db import connection

NOT_TOLD = ("django_migrations", "django_content_type", "auth_permission")
"""The same in every test database of a process."""

_kept: dict[str, dict[str, bytes]] = {}


def world(name: str, play: Callable[[], None]) -> None:
    """Play a world, or put it back where this process played it before."""
    if name in _kept:
        _put_back(_kept[name])
    else:
        play()
        _kept[name] = _taken()


def _taken() -> dict[str, bytes]:
    """Return table -> its rows, of every table that has any."""
    found = {}
    with connection.cursor() as cursor:
        for table in _tables():
            held = io.BytesIO()
            cursor.copy_expert(f'COPY "{table}" TO STDOUT', held)
            found[table] = held.getvalue()
    return found


def _put_back(rows: dict[str, bytes]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        try:
            for table, held in rows.items():
                cursor.execute(f'DELETE FROM "{table}"')  # a TRUNCATE would lock out other connections of the test
                if held:
                    cursor.copy_expert(f'COPY "{table}" FROM STDIN', io.BytesIO(held))
        finally:
            cursor.execute("SET session_replication_role = DEFAULT")
        _number_on(rows)


def _number_on(tables: dict[str, bytes]) -> None:
    """Let the next row of each table have a number behind all of them."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT t.relname, a.attname, pg_get_serial_sequence(quote_ident(t.relname), a.attname)
            FROM pg_class t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
            WHERE t.relname = ANY(%s) AND pg_get_serial_sequence(quote_ident(t.relname), a.attname) IS NOT NULL
            """,
            [list(tables)],
        )
        for table, column, sequence in cursor.fetchall():
            cursor.execute(
                f"""
                SELECT setval('{sequence}', greatest((SELECT max("{column}") FROM "{table}"), nextval('{sequence}')))
                """
            )


def _tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
        return [name for (name,) in cursor.fetchall() if name not in NOT_TOLD]
