"""How long the database lets each kind of process wait, work and idle; standard library only, for the settings ask.

Whoever signs in to PostgreSQL itself sends them as it begins a session. Behind a PgBouncer that lends a session for one
transaction nobody can: there they are those of the role (`grants_sql`), which are web's.
"""

from __future__ import annotations

from collections.abc import Mapping

STATEMENT = {"web": "15s", "worker": "120s", "beat": "15s", "command": "0"}
"""A command (migrate, run_case) may work as long as it takes; a page may not."""


def of(role: str) -> Mapping[str, str]:
    """Return setting of PostgreSQL -> value, for web, worker, beat or command."""
    return {
        "default_transaction_isolation": "read committed",
        "lock_timeout": "5s",
        "statement_timeout": STATEMENT[role],
        # A backend whose client was killed lets go of its locks within this time, even while it waits or counts.
        "client_connection_check_interval": "1s",
        "idle_in_transaction_session_timeout": "0" if role == "command" else "30s",
    }
