"""How the portal stands, as its database knows it: work by kind and state, rows of a table, connections."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ims_portal.sql import run

Work = tuple[str, str, int, float]


def work(tables: Collection[tuple[str, str]]) -> Iterator[Work]:
    """Yield kind, state, how many jobs and the seconds since the longest untouched; `tables` are (kind, table).

    What is done is left out: only its number would grow.
    """
    for kind, table in tables:
        found = run(f"""
            SELECT state, count(*), extract(epoch FROM clock_timestamp() - min(changed_at)) FROM {table}
            WHERE state <> 'done' GROUP BY state
        """)
        yield from ((kind, str(state), int(str(count)), 0 + age) for state, count, age in found)  # type: ignore[operator]


def rows(table: str) -> int:
    """Return how many rows a table has."""
    return int(str(run(f"SELECT count(*) FROM {table}")[0][0]))


def connections() -> int:
    """Return how many connections the database has."""
    return int(str(run("SELECT numbackends FROM pg_stat_database WHERE datname = current_database()")[0][0]))
