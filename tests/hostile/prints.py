"""A fingerprint of all that the database holds, to see that something changed nothing."""

from __future__ import annotations

from django.db import connection

MAY_CHANGE = frozenset({"django_session", "django_migrations"})
"""Tables whose rows come and go with people who only look."""


def fingerprint() -> dict[str, tuple[int, object]]:
    """Return table -> how many rows it has, and a sum over all they hold."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
        tables = [name for (name,) in cursor.fetchall() if name not in MAY_CHANGE]
        found = {}
        for table in tables:
            cursor.execute(f'SELECT count(*), sum(hashtextextended(t::text, 0)) FROM "{table}" t')
            found[table] = cursor.fetchone()
    return found


def changed(before: dict[str, tuple[int, object]]) -> dict[str, tuple[int, int]]:
    """Return the tables that are no more as they were, each with its rows then and now."""
    after = fingerprint()
    return {table: (before[table][0], after[table][0]) for table in before if before[table] != after[table]}
