"""What the roles of the database may do, asked of the database itself, each role on a connection of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg2
import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from psycopg2 import errors, extensions

from ims_portal import access, audit, calendar_keys, clock, grants, grants_sql, one_time_codes
from ims_portal.access import Right
from ims_portal.models import OneTimeCode
from ims_portal.rules.sections import Section
from returns import looking, verify
from tests import factories, live
from tests.api.client import one_time_code, token

TODAY = "2025-11-18"
WRITES = ("INSERT", "UPDATE", "DELETE", "TRUNCATE", "TRIGGER", "REFERENCES")


@contextmanager
def session(role: str) -> Iterator[extensions.connection]:
    """Give a connection of a role to the test database, as web, workers or an auditor open one."""
    with closing(psycopg2.connect(live.address_of(role))) as opened:
        yield opened


@contextmanager
def asked_by(role: str) -> Iterator[extensions.cursor]:
    """Give a cursor of a role whose statements each stand for themselves."""
    with session(role) as opened, opened.cursor() as cursor:
        opened.autocommit = True
        yield cursor


@pytest.fixture
def history(transactional_db: None) -> None:  # noqa: ARG001 - other connections see what is committed
    """An event, a statement with a line, a filing with an add-back, an audit event."""
    record = factories.filed(factories.document(number="CN1", section=Section.CN))[0]
    factories.act(record, "R")
    factories.filed_period()
    audit.record(event="test.event", at=factories.at(TODAY))


def test_every_table_is_in_exactly_one_list() -> None:
    lists = (grants.APPEND_ONLY, grants.OF_MIGRATIONS, grants.WRITTEN_ONCE, grants.STATE, grants.TRULY_REMOVED)
    named = [table for names in lists for table in names]
    assert sorted(named) == sorted(set(named))


@pytest.mark.django_db
def test_a_new_table_has_to_decide_what_becomes_of_its_rows() -> None:
    assert grants_sql.tables() == sorted(grants.of_app())
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE newcomer (id int)")
    with pytest.raises(CommandError, match="No grant is written for newcomer"):
        call_command("grant_roles")


@pytest.mark.django_db
def test_history_is_what_triggers_guard() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'never_emptied'")
        assert sorted(table for (table,) in cursor.fetchall()) == sorted(grants.APPEND_ONLY)


@pytest.mark.django_db
def test_the_command_may_run_again(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("grant_roles")
    call_command("grant_roles")
    said = f"{len(grants.of_app())} tables belong to ims_owner; ims_app works on them, ims_audit reads them.\n"
    assert capsys.readouterr().out == said * 2


@pytest.mark.django_db
def test_everything_belongs_to_the_owner_whom_nobody_signs_in_as() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")
        assert cursor.fetchall() == [(grants.OWNER,)]
        cursor.execute(
            "SELECT rolname, rolcanlogin, rolsuper OR rolcreatedb OR rolcreaterole OR rolbypassrls OR rolreplication "
            "FROM pg_roles WHERE rolname = ANY(%s) ORDER BY 1",
            [[grants.OWNER, grants.APP, grants.AUDIT]],
        )
        assert cursor.fetchall() == [
            (grants.APP, True, False),
            (grants.AUDIT, True, False),
            (grants.OWNER, False, False),
        ]
        cursor.execute("SELECT pg_has_role(%s, %s, 'MEMBER')", [grants.APP, grants.OWNER])
        assert cursor.fetchone() == (False,)


@pytest.mark.usefixtures("history")
def test_the_portal_cannot_ask_for_history_to_be_rewritten() -> None:
    with asked_by(grants.APP) as cursor:
        for statement in _rewritings():
            with pytest.raises(errors.InsufficientPrivilege):
                cursor.execute(statement)
        for table in ("invoices_actionevent", "returns_gstr2b", "returns_filing", "ims_portal_auditevent"):
            cursor.execute(f"SELECT count(*) FROM {table}")
            assert cursor.fetchone() != (0,), table


@pytest.mark.usefixtures("history")
def test_the_portal_closes_a_line_and_changes_nothing_else_of_it() -> None:
    with session(grants.APP) as opened, opened.cursor() as cursor:
        cursor.execute("UPDATE returns_gstr2bline SET last_version = 1 WHERE last_version IS NULL")
        with pytest.raises(errors.InsufficientPrivilege):
            cursor.execute("UPDATE returns_gstr2bline SET igst = 0")
        opened.rollback()


@pytest.mark.django_db(transaction=True)
def test_nothing_of_state_is_removed_or_emptied_but_what_the_lists_say() -> None:
    with asked_by(grants.APP) as cursor:
        for table, may in grants.of_app().items():
            cursor.execute(
                "SELECT has_table_privilege(%(t)s, 'INSERT'), has_table_privilege(%(t)s, 'UPDATE'), "
                "has_table_privilege(%(t)s, 'DELETE'), has_table_privilege(%(t)s, 'TRUNCATE'), "
                "has_table_privilege(%(t)s, 'TRIGGER')",
                {"t": table},
            )
            granted = ("INSERT" in may, may in (grants.CHANGE, grants.REMOVE), may == grants.REMOVE, False, False)
            assert cursor.fetchone() == granted, table


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "statement",
    [
        "SET session_replication_role = replica",
        "SET ROLE ims_owner",
        "CREATE TABLE own (id int)",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "SELECT setval(pg_get_serial_sequence('invoices_record', 'id'), 1)",
        "ALTER ROLE ims_app SUPERUSER",
        "COPY ims_portal_taxpayer TO PROGRAM 'cat'",
        "SELECT pg_read_file('postgresql.conf')",
    ],
)
def test_the_portal_is_refused_what_only_an_owner_may(statement: str) -> None:
    with asked_by(grants.APP) as cursor, pytest.raises(errors.InsufficientPrivilege):
        cursor.execute(statement)


@pytest.mark.django_db(transaction=True)
def test_the_portal_stages_files_and_has_its_large_tables_analysed() -> None:
    with session(grants.APP) as opened, opened.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE staged (id int) ON COMMIT DROP; ANALYZE staged")
        cursor.execute(f"ANALYZE {', '.join(grants.MAINTAINED)}")
        refused = [line for line in opened.notices if "permission denied" in line]
        assert bool(refused) == (opened.server_version < grants_sql.MAINTAIN_SINCE)


@pytest.mark.django_db(transaction=True)
def test_the_auditor_writes_nowhere() -> None:
    with asked_by(grants.AUDIT) as cursor:
        for table in grants_sql.tables():
            for privilege in WRITES:
                cursor.execute("SELECT has_table_privilege(%s, %s)", [table, privilege])
                assert cursor.fetchone() == (False,), (table, privilege)
            cursor.execute("SELECT has_any_column_privilege(%s, 'INSERT, UPDATE, REFERENCES')", [table])
            assert cursor.fetchone() == (False,), table
        cursor.execute("SET default_transaction_read_only = off")  # it is on for mistakes; the grants are what hold
        for statement in (
            "INSERT INTO ims_portal_snooze (item, until) VALUES ('x', now())",
            "UPDATE invoices_record SET action = 'A'",
            "DELETE FROM ims_portal_snooze",
            "CREATE TEMPORARY TABLE mine (id int)",
            "SELECT nextval(pg_get_serial_sequence('invoices_record', 'id'))",
            "SELECT 1 FROM ims_portal_taxpayer FOR UPDATE",
        ):
            with pytest.raises(errors.InsufficientPrivilege):
                cursor.execute(statement)


@pytest.mark.django_db(transaction=True)
def test_the_auditor_reads_no_secret() -> None:
    secrets = _secrets_of_everybody()
    read = ""
    with asked_by(grants.AUDIT) as cursor:
        for table in grants_sql.tables():
            cursor.execute(
                "SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 "
                "AND NOT attisdropped AND has_column_privilege(attrelid, attnum, 'SELECT')",
                [table],
            )
            columns = [name for (name,) in cursor.fetchall()]
            hidden = grants.SECRET.get(table, ())
            assert (columns == []) == (table in grants.HIDDEN)
            assert not set(columns) & set(hidden)
            if columns:
                cursor.execute(f"SELECT {', '.join(columns)} FROM {table}")
                read += repr(cursor.fetchall())
            if hidden or not columns:
                with pytest.raises(errors.InsufficientPrivilege):
                    cursor.execute(f"SELECT * FROM {table}")
    assert "asha" in read
    for what, secret in secrets.items():
        assert secret not in read, what


@pytest.mark.usefixtures("history")
def test_the_auditor_can_verify() -> None:
    with asked_by(grants.AUDIT) as cursor:
        for check in verify.checks():
            cursor.execute(looking.asked(check))
            assert cursor.fetchall() == [], check.name


@pytest.mark.django_db(transaction=True)
def test_a_password_is_kept_only_as_what_the_server_makes_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMS_AUDIT_PASSWORD", "not-in-the-sql")
    with connection.execute_wrapper(_refuse_text("not-in-the-sql")):
        call_command("grant_roles")
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolpassword FROM pg_authid WHERE rolname = %s", [grants.AUDIT])
        assert cursor.fetchone()[0].startswith("SCRAM-SHA-256$")
        cursor.execute(f"ALTER ROLE {grants.AUDIT} PASSWORD NULL")


def _refuse_text(text: str):  # noqa: ANN202 - Django's wrapper
    def look(execute, statement, parameters, many, context):  # noqa: ANN001, ANN202 - Django's signature
        assert text not in str(statement)
        assert text not in str(parameters)
        return execute(statement, parameters, many, context)

    return look


def _rewritings() -> Iterator[str]:
    """Yield every way to rewrite each table of history."""
    for table in grants.APPEND_ONLY:
        with connection.cursor() as cursor:
            names = [column.name for column in connection.introspection.get_table_description(cursor, table)]
        yield from (
            f"UPDATE {table} SET {name} = {name}" for name in names if name not in grants.CLOSED_ONCE.get(table, ())
        )
        yield from (f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE", f"DROP TABLE {table}")
        yield f"ALTER TABLE {table} DISABLE TRIGGER ALL"


def _secrets_of_everybody() -> dict[str, str]:
    """Make one of each thing that lets somebody in, and return how each stands in the database, or stood on screen."""
    taxpayer = factories.taxpayer()
    asha = factories.member(taxpayer, "signatory", "asha")
    made = token(asha, taxpayer.gstin, rights=(Right.VIEW,))
    visit = SessionStore()
    visit[SESSION_KEY] = str(asha.pk)
    visit.save()
    one_time_code(asha)
    at = clock.real()
    one_time_codes.ask(user=asha, taxpayer=taxpayer, purpose=OneTimeCode.Purpose.ENTER, at=at)
    held = access.for_taxpayer(user=asha, gstin=taxpayer.gstin, at=at)
    with transaction.atomic():
        calendar_key = calendar_keys.make(held=held, with_rupees=False, at=at)
    return {
        "calendar key": calendar_key,
        "one-time code": f"'{OneTimeCode.objects.get().code}'",
        "password": asha.password,
        "token": made,
        "hash of a token": asha.api_tokens.get().token_hash,
        "session": visit.session_key,
        "authenticator": Authenticator.objects.get(user=asha).data["secret"],
    }
