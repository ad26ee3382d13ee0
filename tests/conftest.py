"""Starts the servers that the tests stand on, before Django reads its settings, and gives them back at the end.

With DATABASE_URL and REDIS_URL set, those servers are used. Every session has a test database of its own, named after
its process unless IMS_TEST_DB chooses the name, so that several people can run tests beside one another.
"""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

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

pytest_plugins = ["tests.live"]
FILES = tempfile.mkdtemp(prefix="ims-files-")


def _prepare() -> None:
    """Set the environment that the settings read."""
    defaults = {
        "DJANGO_SETTINGS_MODULE": "ims_portal.settings",
        "IMS_MAIL": "locmem",
        "IMS_LOG_LEVEL": "WARNING",
        "IMS_TEST_DB": f"test_ims_{os.getpid()}",
    }
    if os.environ.get("DATABASE_URL"):
        defaults |= {"SECRET_KEY": secrets.token_urlsafe(50), "IMS_SANDBOX": "true", "IMS_HTTPS": "false"}
    else:
        _drop_leftovers(embedded.ensure(kind="test").database_url)
        defaults |= embedded.environment(where=embedded.place(kind="test"))
        # The messages of one session must not reach the workers of another.
        defaults["REDIS_URL"] = defaults["REDIS_URL"].replace("db=0", f"db={os.getpid() % engines.BROKER_DATABASES}")
    defaults["IMS_FILES"] = FILES
    for name, value in defaults.items():
        os.environ.setdefault(name, value)


def _drop_leftovers(address: str) -> None:
    """Drop the test databases of sessions that were killed before they could."""
    with closing(psycopg2.connect(address)) as server, server.cursor() as cursor:
        server.autocommit = True
        cursor.execute("SELECT datname FROM pg_database WHERE datname ~ '^test_ims_[0-9]+$'")
        for (name,) in cursor.fetchall():
            if not engines.exists(pid=int(name.removeprefix("test_ims_"))):
                cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')


_prepare()
django.setup()  # here, not in pytest-django: it looks for settings before this file is read

from ims_portal import clock  # noqa: E402 - models exist from here on
from ims_portal.clock import Fixed  # noqa: E402
from invoices.views import bulk as bulk_pages  # noqa: E402
from tests import factories  # noqa: E402


def pytest_unconfigure() -> None:
    """Stop the servers, if no other session uses them, and throw away what was uploaded."""
    embedded.release(where=embedded.place(kind="test"))
    shutil.rmtree(FILES, ignore_errors=True)


@pytest.fixture(autouse=True)
def _usual_language() -> Iterator[None]:
    """Leave no language behind: a page asked for in Hindi sets it for whatever is asked next."""
    yield
    translation.deactivate()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:  # noqa: ARG001 - pytest-django's own goes first
    """Let the test database be emptied between tests: append-only tables refuse TRUNCATE, in tests too.

    UPDATE and DELETE stay refused; tests/returns/test_integrity.py switches the guard on again to see it hold.
    """
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'never_emptied'")
        for (table,) in cursor.fetchall():
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER never_emptied")


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
