"""A real PgBouncer before the test database, as in docker-compose.yml, but with so few sessions that all are shared."""

from __future__ import annotations

import configparser
import io
import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
import psycopg2.extras
import pytest
import yaml
from django.db import connection

from ims_portal import children, embedded, engine_start, grants, run
from ims_portal.engines import PORT, USER
from tests.live import wait_for

SESSIONS = 2
"""How many of the database's all of web has together."""
PROGRAM = "pgbouncer"
MISSING = (
    "PgBouncer is not on this machine, and what runs behind it is tested with it. On Debian: apt-get install pgbouncer"
)
ADMIN = "pgbouncer"


@dataclass(frozen=True)
class Pool:
    """A PgBouncer that runs: its port on this machine, and the database behind it."""

    port: int
    database: str

    def address(self, role: str = grants.APP) -> str:
        """Return what DATABASE_URL is for whoever comes this way."""
        return f"postgresql://{role}@{run.HOST}:{self.port}/{self.database}?pooling=transaction"

    def connect(self, role: str = grants.APP) -> psycopg2.extensions.connection:
        """Return a connection of a client that asks for nothing."""
        return psycopg2.connect(host=run.HOST, port=self.port, dbname=self.database, user=role)

    def show(self, what: str) -> list[dict[str, Any]]:
        """Return what the console of PgBouncer shows of clients, servers or pools of this database."""
        with closing(psycopg2.connect(host=run.HOST, port=self.port, dbname=ADMIN, user=ADMIN)) as console:
            console.autocommit = True
            with console.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
                cursor.execute(f"SHOW {what}")
                return [row for row in cursor.fetchall() if row["database"] == self.database]


@pytest.fixture
def pool(process_environment: dict[str, str]) -> Iterator[Pool]:
    """Give a PgBouncer before the test database; it is gone after the test."""
    program = shutil.which(PROGRAM, path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    assert program, MISSING
    around = Path(tempfile.mkdtemp(prefix="ims-pool-"))  # not pytest's, into which no other user comes
    folder = around / "own"
    folder.mkdir()
    engine_start.hand_over(folder)
    pool = Pool(free_port(), connection.settings_dict["NAME"])
    (folder / "users").write_text("".join(f'"{name}" ""\n' for name in (grants.APP, USER, ADMIN)))
    (folder / "ini").write_text(_settings(pool, folder))
    bouncer = children.start(
        name=PROGRAM,
        command=[*_as_somebody(), program, os.fspath(folder / "ini")],
        environment=process_environment,
        log=folder / "log",
        if_we_die=signal.SIGKILL,
    )
    wait_for(lambda: "process up" in bouncer.log.read_text(), child=bouncer)
    yield pool
    children.kill(children=[bouncer])
    shutil.rmtree(around)


def _as_somebody() -> list[str]:
    """Return what comes before a command that refuses to be root: who else it is then, as with PostgreSQL."""
    if os.geteuid() != 0:
        return []
    if engine_start.becomes_nobody():
        number = engine_start.NOBODY
        return ["setpriv", f"--reuid={number}", f"--regid={number}", "--clear-groups"]
    return engine_start.IN_NAMESPACE


def _settings(pool: Pool, folder: Path) -> str:
    """Return the settings of docker-compose.yml, at another place and with fewer sessions."""
    compose = yaml.safe_load((embedded.PROJECT / "docker-compose.yml").read_text())
    found = configparser.ConfigParser(interpolation=None)
    found.read_string(compose["services"]["pgbouncer"]["environment"]["PGBOUNCER_INI"])
    told = connection.settings_dict
    found["databases"] = {pool.database: f"host={told['HOST']} port={told['PORT'] or PORT} dbname={pool.database}"}
    found["pgbouncer"].update(
        {
            "listen_addr": run.HOST,
            "listen_port": str(pool.port),
            "auth_type": "trust",  # as the test servers do
            "auth_file": os.fspath(folder / "users"),
            "admin_users": ADMIN,
            "default_pool_size": str(SESSIONS),
            "reserve_pool_size": "0",
        }
    )
    text = io.StringIO()
    found.write(text)
    return text.getvalue()


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind((run.HOST, 0))
        return int(probe.getsockname()[1])
