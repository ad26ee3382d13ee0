"""A database brought back: from its base backup and log as of a moment, or from a dump. What is gone is named (F29)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest
from django.db import connection

from ims_portal import binaries, embedded, engine_start, engines, grants
from ims_portal.engines import Place
from returns.acknowledged_sql import ENTRIES
from returns.models import Filing
from tests import factories, live

pytestmark = [pytest.mark.fault, pytest.mark.skipif(sys.platform != "linux", reason="looks for processes under /proc")]

BEFORE = """
first, second = factories.filed(factories.document(number="N1"), factories.document(number="N2"))
factories.act(first, "R", remark="kept")
"""
AFTER = """
from invoices.models import Record
factories.act(Record.objects.get(number="N2"), "P", on="2025-11-13")
factories.filed_period()
"""


@pytest.fixture
def archived(tmp_path: Path) -> Iterator[Place]:
    """A server whose log is archived, beside those of the tests."""
    archive = tmp_path / "archive"
    archive.mkdir()
    where = Place(folder=tmp_path / "servers", durable=False, archive=archive)
    engine_start.hand_over(archive)
    embedded.ensure_at(where=where)
    yield where
    embedded.release(where=where)
    engines.stop(place=where)


def manage(where: Place, role: str, *words: str) -> str:
    """Return what a command of the portal printed on a server, as a role of it."""
    return python(embedded.addresses(where=where, role=role).database_url, where, "manage.py", *words)


def work(address: str, where: Place, script: str) -> None:
    """Have somebody work on a database as the portal does."""
    begin = "import django; django.setup()\nfrom tests import factories\n"
    python(address, where, "-c", begin + script)


def python(address: str, where: Place, *words: str) -> str:
    """Run Python in the project on a database and return what it printed."""
    told = embedded.environment(where=where) | {"DATABASE_URL": address, "IMS_LOG_LEVEL": "WARNING"}
    done = subprocess.run(
        [sys.executable, *words],
        cwd=embedded.PROJECT,
        env=os.environ | told | {"PYTHONPATH": os.fspath(embedded.PROJECT), "IMS_ROLE": "command"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def asked(address: str, statement: str) -> str:
    """Return the one value of a statement."""
    with closing(psycopg2.connect(address)) as server, server.cursor() as cursor:
        server.autocommit = True
        cursor.execute(statement)
        return str(cursor.fetchone()[0])


def test_a_restore_to_a_moment_holds_and_names_what_is_gone(archived: Place, tmp_path: Path) -> None:
    owner = embedded.addresses(where=archived).database_url
    app = embedded.addresses(where=archived, role=grants.APP).database_url
    manage(archived, engines.USER, "migrate", "--verbosity=0")
    manage(archived, engines.USER, "grant_roles")
    backup = tmp_path / "backup"
    backup.mkdir()
    engine_start.hand_over(backup)
    command = [binaries.postgres_folder() / "pg_basebackup", "-h", archived.sockets, "-U", engines.USER]
    engine_start.run([*command, "-D", backup, "--checkpoint=fast"], place=archived, failure="no backup")

    work(app, archived, BEFORE)
    before = manage(archived, grants.AUDIT, "acknowledged").splitlines()
    moment = asked(owner, "SELECT to_char(clock_timestamp(), 'YYYY-MM-DD\"T\"HH24:MI:SS.USTZH:TZM')")
    work(app, archived, AFTER)
    kept = tmp_path / "kept.jsonl"
    kept.write_text(manage(archived, grants.AUDIT, "acknowledged"))
    asked(owner, "SELECT pg_switch_wal()")
    live.wait_for(lambda: asked(owner, "SELECT last_archived_wal >= pg_walfile_name(pg_current_wal_lsn() - 1) "
                                       "FROM pg_stat_archiver") == "True")  # fmt: skip

    done = subprocess.run(
        [sys.executable, "-m", "ims_portal.drill", "--backup", backup, "--archive", archived.archive,
         "--until", moment, "--kept", kept],
        cwd=embedded.PROJECT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "checks hold." in done.stdout
    after = [json.loads(line) for line in kept.read_text().splitlines() if line not in before]
    assert {entry["what"] for entry in after} == {*ENTRIES} - {"message"}
    gone = [line for line in done.stdout.splitlines() if line.startswith("Gone: ")]
    assert gone == [f"Gone: {entry['what']} {entry['id']} of {entry['at']} {entry['gstin']}" for entry in after]
    assert f"{len(before)} of {len(before) + len(after)} acknowledged entries are here." in done.stdout


@pytest.mark.django_db(transaction=True)
def test_a_dump_comes_back_and_goes_on(tmp_path: Path) -> None:
    test = embedded.place(kind="test")
    if urlsplit(os.environ["DATABASE_URL"]).password or not engines.are_ready(place=test):
        pytest.skip("the servers are others' own")
    record = factories.filed(factories.document(number="N1"), factories.document(number="N2"))[0]
    factories.act(record, "R")
    programs, name = binaries.postgres_folder(), f"{connection.settings_dict['NAME']}_restored"
    at = ["-h", os.fspath(test.sockets), "-U", engines.USER]
    dump = tmp_path / "dump"
    _program(programs / "pg_dump", *at, "-Fc", "-f", dump, connection.settings_dict["NAME"])
    restored = embedded.addresses(where=test, role=grants.APP).database_url.replace("@/ims?", f"@/{name}?")
    try:
        _program(programs / "createdb", *at, name)
        _program(programs / "pg_restore", *at, "--exit-on-error", "-d", name, dump)
        owner = restored.replace(grants.APP, engines.USER)
        python(owner, test, "manage.py", "migrate", "--check")
        python(owner, test, "manage.py", "grant_roles")
        work(restored, test, AFTER)
        assert "checks hold." in python(restored.replace(grants.APP, grants.AUDIT), test, "manage.py", "verify")
        assert asked(restored, "SELECT count(*) FROM invoices_actionevent") == "2"
        assert asked(restored, "SELECT count(*) FROM returns_filing") == "1"
    finally:
        _program(programs / "dropdb", *at, "--if-exists", "--force", name)
    assert not Filing.objects.exists()


def _program(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
