"""The roles of the database and their grants, as SQL: all of them in one transaction, the same however often it runs.

Roles belong to the whole server, grants to one database. A password never becomes SQL: what is sent is what the
server would keep of it (SCRAM), which lets nobody in.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.db import connection, transaction
from psycopg2.extensions import encrypt_password

from ims_portal import grants, limits
from ims_portal.grants import APP, AUDIT, OWNER
from ims_portal.sql import run

MAINTAIN_SINCE = 170000
"""The server's version from which somebody else than the owner may analyse a table."""


class UnknownTableError(Exception):
    """Tables that `grants` does not name; nothing was granted."""


def apply(passwords: Mapping[str, str]) -> None:
    """Make the roles, hand everything to the owner, grant what `grants` says and nothing else.

    `passwords` are those of roles that sign in by one; the rest keep what they have. Raises UnknownTableError. It
    must run as a superuser, or as the database's owner with CREATEROLE.
    """
    with transaction.atomic():
        for role, signs_in in ((OWNER, False), (APP, True), (AUDIT, True)):
            _make(role, signs_in=signs_in)
        _set_up_database()
        _limit()
        _own()
        _grant()
        for role, password in passwords.items():
            _set_password(role, password)


def tables() -> list[str]:
    """Return every table of ours, by name, and the views that stand in for one (`placing`)."""
    found = run("""
        SELECT relname FROM pg_class WHERE relkind IN ('r', 'p', 'v') AND relnamespace = 'public'::regnamespace
        AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
    """)
    return sorted(str(name) for (name,) in found)


def unknown() -> list[str]:
    """Return the tables that no list of `grants` names."""
    return [table for table in tables() if table not in grants.of_app()]


def _make(role: str, *, signs_in: bool) -> None:
    """Make a role unless it is there; whoever makes it at the same moment was faster, which is as well."""
    can = "LOGIN" if signs_in else "NOLOGIN"
    run(f"""
        DO $$ BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
                CREATE ROLE {role} {can} NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
            END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
        END $$
    """)
    if role == AUDIT and not run(f"SELECT FROM pg_roles WHERE rolname = '{role}' AND rolconfig IS NOT NULL"):
        # Two at the same moment: the later one is told "tuple concurrently updated", which has no code of its own.
        run(f"""
            DO $$ BEGIN
                ALTER ROLE {role} SET default_transaction_read_only = on;
            EXCEPTION WHEN internal_error THEN NULL;
            END $$
        """)


def _set_up_database() -> None:
    """Let nobody in but the roles; only the one that works here makes temporary tables, in which files are staged."""
    database = connection.ops.quote_name(connection.settings_dict["NAME"])
    run(f"""
        REVOKE ALL ON DATABASE {database} FROM PUBLIC, {APP}, {AUDIT};
        GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {APP};
        GRANT CONNECT ON DATABASE {database} TO {AUDIT};
        REVOKE ALL ON SCHEMA public FROM PUBLIC, {APP}, {AUDIT};
        GRANT USAGE, CREATE ON SCHEMA public TO {OWNER};
        GRANT USAGE ON SCHEMA public TO {APP}, {AUDIT}
    """)


def _limit() -> None:
    """Let who works here have web's limits unasked, for behind a PgBouncer nobody can ask; who asks has their own."""
    database = connection.ops.quote_name(connection.settings_dict["NAME"])
    wanted = [f"{name}={value}" for name, value in limits.of("web").items()]
    (known,) = run(
        """
        SELECT coalesce((SELECT setconfig FROM pg_db_role_setting WHERE setrole = to_regrole(%(role)s)
            AND setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())), '{}') @> %(wanted)s
        """,
        {"role": APP, "wanted": wanted},
    )
    if known[0]:
        return
    lines = (f"ALTER ROLE {APP} IN DATABASE {database} SET {name} = '{v}';" for name, v in limits.of("web").items())
    # Two at the same moment, as with the auditor's above: both set the same.
    run(f"""
        DO $$ BEGIN
            {" ".join(lines)}
        EXCEPTION WHEN internal_error THEN NULL;
        END $$
    """)


def _own() -> None:
    """Give the owner what migrations made since the last time. Sequences follow their tables."""
    if not run("SELECT FROM pg_roles WHERE rolname = current_user AND rolsuper"):
        run(f"GRANT {OWNER} TO CURRENT_USER")
    relations = run(f"""
        SELECT format('ALTER TABLE public.%I OWNER TO {OWNER}', relname) FROM pg_class
        WHERE relkind IN ('r', 'p', 'v', 'm') AND relnamespace = 'public'::regnamespace
          AND relowner <> '{OWNER}'::regrole
          AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
    """)
    functions = run(f"""
        SELECT format('ALTER ROUTINE %s OWNER TO {OWNER}', oid::regprocedure) FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND proowner <> '{OWNER}'::regrole
          AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
    """)
    for (statement,) in (*relations, *functions):
        run(str(statement))


def _grant() -> None:
    """Take everything back and grant anew; readers elsewhere see the grants of before until this commits."""
    strangers = unknown()
    if strangers:
        raise UnknownTableError(", ".join(strangers))
    run(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, {APP}, {AUDIT}")
    run(f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC, {APP}, {AUDIT}")
    run(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {APP}")  # to take a number, not to set it back
    can_maintain = connection.cursor().connection.server_version >= MAINTAIN_SINCE
    may = grants.of_app()
    for table in tables():
        run(f"GRANT {may[table]} ON {table} TO {APP}")
        if can_maintain and table in grants.MAINTAINED:
            run(f"GRANT MAINTAIN ON {table} TO {APP}")
        if table not in grants.HIDDEN:
            run(f"GRANT {_shown(table)} ON {table} TO {AUDIT}")


def _shown(table: str) -> str:
    """Return the SELECT of a table without its secrets."""
    if table not in grants.SECRET:
        return "SELECT"
    names = run(
        """
        SELECT quote_ident(attname) FROM pg_attribute
        WHERE attrelid = %(table)s::regclass AND attnum > 0 AND NOT attisdropped AND attname <> ALL(%(secret)s)
        """,
        {"table": table, "secret": list(grants.SECRET[table])},
    )
    return f"SELECT ({', '.join(str(name) for (name,) in names)})"


def _set_password(role: str, password: str) -> None:
    with connection.cursor() as cursor:
        verifier = encrypt_password(password, role, cursor.connection, "scram-sha-256")
        cursor.execute(f"ALTER ROLE {role} PASSWORD %s", [verifier])
