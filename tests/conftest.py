"""Starts the servers that the tests stand on, before Django reads its settings, and gives them back at the end.

With DATABASE_URL and REDIS_URL set, those servers are used. Every session has a test database of its own, named after
its process unless IMS_TEST_DB chooses the name, so that several people can run tests beside one another.

With -n, pytest-xdist hands the tests of one session out to several processes, here called runners. The session starts
the servers and makes no database; each runner has its own, for pytest-django adds the runner's name to the session's.
"""

import fcntl
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import timedelta
from typing import IO

import django
import hypothesis
import psycopg2
import pytest
from django.db import connection
from django.utils import translation
from pytest_django.plugin import DjangoDbBlocker

from ims_portal import embedded, engines

# How long an example takes is the machine's affair, not a property.
hypothesis.settings.register_profile("portal", deadline=None)
hypothesis.settings.load_profile("portal")

pytest_plugins = ["tests.live", "tests.pooler", "tests.rounds"]
SETTINGS = "ims_portal.settings"
IS_RUNNER = "PYTEST_XDIST_WORKER" in os.environ
OWN_SERVERS = "DATABASE_URL" not in os.environ  # of a runner it says nothing: the session has set them
# A runner's folder lies in the session's, which is thrown away even where a runner was killed.
FILES = tempfile.mkdtemp(prefix="ims-files-", dir=os.environ["IMS_FILES"] if IS_RUNNER else None)
_claimed: list[IO[bytes]] = []


def _prepare() -> None:
    """Set the environment that the settings read."""
    if IS_RUNNER:
        os.environ |= {"DJANGO_SETTINGS_MODULE": SETTINGS, "IMS_FILES": FILES, "REDIS_URL": _own_broker()}
        return
    defaults = {
        "DJANGO_SETTINGS_MODULE": SETTINGS,
        "IMS_MAIL": "locmem",
        "IMS_LOG_LEVEL": "WARNING",
        "IMS_API_RATE": "100000",  # a program of the tests asks more in a minute than one at work
        "IMS_TEST_DB": f"test_ims_{os.getpid()}",
    }
    if OWN_SERVERS:
        _drop_leftovers(embedded.ensure(kind="test").database_url)
        defaults |= embedded.environment(where=embedded.place(kind="test"))
        defaults["REDIS_URL"] = _own_broker()
    else:
        sandbox = {"IMS_SANDBOX": "true", "IMS_DEMO_CODES": "true", "IMS_HTTPS": "false"}
        defaults |= sandbox | {"SECRET_KEY": secrets.token_urlsafe(50)}
    defaults["GSTN_ENCRYPTED_PROFILE"] = "true"
    defaults["IMS_FILES"] = FILES
    for name, value in defaults.items():
        os.environ.setdefault(name, value)


def _drop_leftovers(address: str) -> None:
    """Drop the test databases of sessions that were killed before they could."""
    with closing(psycopg2.connect(address)) as server, server.cursor() as cursor:
        server.autocommit = True
        cursor.execute("SELECT datname FROM pg_database WHERE datname ~ '^test_ims_[0-9]+(_gw[0-9]+)?$'")
        for (name,) in cursor.fetchall():
            if not engines.exists(pid=int(name.split("_")[2])):
                cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')


def _own_broker() -> str:
    """Return the address of a broker database that no other process has, so that its workers get no other's messages.

    The claim is a lock on a file, gone with the process however it ends. Number 0 is for commands beside the tests.
    """
    test = embedded.place(kind="test")
    for number in range(1, engines.BROKER_DATABASES):
        claim = (test.folder / f"broker-{number}.lock").open("ab")
        with suppress(BlockingIOError):
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _claimed.append(claim)
            return embedded.addresses(where=test).redis_url.replace("db=0", f"db={number}")
        claim.close()
    raise RuntimeError("every database of the broker is taken")


_prepare()
django.setup()  # here, not in pytest-django: it looks for settings before this file is read

from django.contrib.auth import user_logged_in  # noqa: E402 - models exist from here on
from django.http import HttpRequest  # noqa: E402

from ims_portal import clock, grants_sql, proof  # noqa: E402
from ims_portal.clock import Fixed  # noqa: E402
from ims_portal.models import User  # noqa: E402
from invoices.views import bulk as bulk_pages  # noqa: E402
from tests import factories  # noqa: E402


def _entered_wholly(request: HttpRequest, user: User, **_told: object) -> None:
    """Let `client.force_login` stand for signing in with password and code, which no page was asked for."""
    if "REMOTE_ADDR" not in request.META:  # which whoever comes by a page has
        proof.enter(request.session, user)


user_logged_in.connect(_entered_wholly)


def pytest_configure(config: pytest.Config) -> None:
    """Make ready for several processes; refuse them on servers that were given, with one broker database for all."""
    if IS_RUNNER or not config.getoption("numprocesses", None):
        return
    if not OWN_SERVERS:
        raise pytest.UsageError("with DATABASE_URL and REDIS_URL set, tests run in one process: make test JOBS=0")
    # A runner that inherits it has its settings read by pytest-django, before this file has set what is its own.
    del os.environ["DJANGO_SETTINGS_MODULE"]


def pytest_unconfigure() -> None:
    """Stop the servers, if no other session uses them, and throw away what was uploaded."""
    for claim in _claimed:
        claim.close()
    embedded.release(where=embedded.place(kind="test"))  # in a runner nothing: they are the session's
    shutil.rmtree(FILES, ignore_errors=True)


@pytest.fixture(autouse=True)
def _usual_language() -> Iterator[None]:
    """Leave no language behind: a page asked for in Hindi sets it for whatever is asked next."""
    yield
    translation.deactivate()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:  # noqa: ARG001 - pytest-django's own goes first
    """Grant the roles what is theirs, and let the test database be emptied between tests, which only its owner may.

    Append-only tables refuse TRUNCATE to the owner too, so their guard of it is off. UPDATE and DELETE stay refused;
    tests/returns/test_integrity.py switches the guard on again to see it hold.
    """
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        grants_sql.apply({})
        cursor.execute("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'never_emptied'")
        for (table,) in cursor.fetchall():
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER never_emptied")
    yield
    # What a killed process asked last may be under way still, and a database in use is not dropped.
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        cursor.execute(f"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE {others}")


@pytest.fixture
def now(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Fixed:
    """Let the portal stand on the module's TODAY, written YYYY-MM-DD, until the test moves it."""
    found = factories.clock(request.module.TODAY)
    monkeypatch.setattr(clock, "portal", lambda: found)
    return found


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a page wait for its preview however slow the machine is; that a long one becomes a job is tested by size."""
    monkeypatch.setattr(bulk_pages, "PATIENCE", timedelta(minutes=10))
