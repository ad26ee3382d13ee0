"""Real web, worker and beat processes on the test database, for tests of races, faults and journeys."""

import http.client
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from functools import cache, partial
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
import redis
from django.db import connection

from ims_portal import children, grants, run
from ims_portal.celery import app
from ims_portal.children import Child

READY_SECONDS = 60
PATIENCE = 5
"""Seconds a process may take after its test to finish what it does."""
NAMED = "portal of a test"
THEIRS = f"datname = current_database() AND application_name = '{NAMED}'"
"""The database's sessions of processes that tests started."""


@pytest.fixture
def nothing_under_way(transactional_db: None) -> Iterator[None]:  # noqa: ARG001 - it empties the database after this
    """After the test let processes finish what they do, then cut them off: what comes late must not meet the emptying.

    A browser that is closed leaves requests behind, and the next test must not find what they write.
    """
    yield
    with suppress(AssertionError):
        wait_for(is_quiet, seconds=PATIENCE)
    cut_off()


def cut_off() -> None:
    """End the database's sessions of processes that tests started; those that live take new ones when they next ask."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE {THEIRS}")


def is_quiet() -> bool:
    """Tell whether no other process asks the database for anything, for a while."""
    for _look in range(3):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM pg_stat_activity WHERE {THEIRS} AND state <> 'idle'")
            if cursor.fetchall() != [(0,)]:
                return False
        time.sleep(0.03)
    return True


@pytest.fixture
def process_environment(nothing_under_way: None) -> Iterator[dict[str, str]]:  # noqa: ARG001 - comes after all processes
    """Environment of a child process: the settings of this session, but its test database and an empty broker."""
    with closing(redis.Redis.from_url(os.environ["REDIS_URL"])) as broker:
        broker.flushdb()
    yield _environment()
    connection.close()


def _environment() -> dict[str, str]:
    return os.environ | {"DATABASE_URL": address_of(grants.APP), "IMS_LOG_LEVEL": "INFO", "PGAPPNAME": NAMED}


def address_of(role: str) -> str:
    """Return the address of the test database for a role; on servers that ask for passwords, for who runs the tests."""
    parts = urlsplit(os.environ["DATABASE_URL"])
    user, has_password, _password = parts.netloc.rpartition("@")[0].partition(":")
    place = parts.netloc.rpartition("@")[2]
    asked = parts._replace(path=f"/{connection.settings_dict['NAME']}")
    return urlunsplit(asked if has_password or not user else asked._replace(netloc=f"{role}@{place}"))


@pytest.fixture
def start_process(process_environment: dict[str, str], tmp_path: Path) -> Iterator[Callable[[str, list[str]], Child]]:
    """Start a process by role and command; all of them are killed after the test."""
    started: list[Child] = []

    def start(role: str, command: list[str]) -> Child:
        child = children.start(
            name=role,
            command=command,
            environment={**process_environment, "IMS_ROLE": role, "TMPDIR": os.fspath(tmp_path)},
            log=tmp_path / f"{role}-{len(started)}.log",
            if_we_die=signal.SIGKILL,
        )
        started.append(child)
        return child

    yield start
    children.kill(children=started)


@pytest.fixture
def start_worker(start_process: Callable[[str, list[str]], Child]) -> Callable[[], Child]:
    """Start a prefork worker and return once it takes messages; may be called again after a kill."""
    return partial(_worked, start_process)


def _worked(start: Callable[[str, list[str]], Child]) -> Child:
    worker = start("worker", run.worker_command())
    wait_for(lambda: " ready." in worker.log.read_text(), child=worker)
    return worker


@pytest.fixture
def start_web(start_process: Callable[[str, list[str]], Child]) -> Callable[[], str]:
    """Start gunicorn on a free port and return the portal's address once it answers."""
    return partial(_served, start_process)


@pytest.fixture(scope="session")
def start_lasting(
    django_db_setup: None,  # noqa: ARG001 - the database comes first
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[str, list[str]], Child]]:
    """Start a process by role and command for all tests to come, each of which finds the database empty."""
    started: list[Child] = []

    def start(role: str, command: list[str]) -> Child:
        log = tmp_path_factory.mktemp(role) / "log"
        environment = {**_environment(), "IMS_ROLE": role, "TMPDIR": os.fspath(log.parent)}
        child = children.start(name=role, command=command, environment=environment, log=log, if_we_die=signal.SIGKILL)
        started.append(child)
        return child

    yield start
    children.kill(children=started)


@pytest.fixture(scope="session")
def lasting_web(start_lasting: Callable[[str, list[str]], Child]) -> Callable[[], str]:
    """Return the address of a portal that one test after the other visits, started when the first one asks for it."""
    return cache(partial(_served, start_lasting))


@pytest.fixture(scope="session")
def lasting_worker(start_lasting: Callable[[str, list[str]], Child]) -> Callable[[], Child]:
    """Return a worker that takes the messages of one test after the other, started when the first one asks for it."""
    return cache(partial(_worked, start_lasting))


def listen(*, to: bool) -> None:
    """Let the worker that lasts take messages, or leave them alone: those of other tests are none of its."""
    asked = app.control.add_consumer if to else app.control.cancel_consumer
    answers = asked(app.conf.task_default_queue, reply=True, timeout=PATIENCE, limit=1)
    assert answers, "the worker does not answer"


def is_idle() -> bool:
    """Tell whether the worker on the broker has nothing in its hands."""
    asked = app.control.inspect(timeout=PATIENCE, limit=1)
    return not any(any(held.values()) for held in (asked.active() or {}, asked.reserved() or {}))


def _served(start: Callable[[str, list[str]], Child]) -> str:
    with closing(socket.socket()) as probe:
        probe.bind((run.HOST, 0))
        port = int(probe.getsockname()[1])
    web = start("web", run.web_command(port=port))
    wait_for(lambda: answers(port), child=web)
    return f"http://localhost:{port}"


def answers(port: int, host: str = run.HOST) -> bool:
    """Tell whether the portal says that it can serve."""
    with suppress(OSError, http.client.HTTPException), closing(http.client.HTTPConnection(host, port)) as asked:
        asked.request("GET", "/ready/", headers={"Host": "localhost"})
        return asked.getresponse().status == http.client.OK
    return False


def wait_for(is_so: Callable[[], bool], *, child: Child | None = None, seconds: float = READY_SECONDS) -> None:
    """Return once something is so; fail when it takes too long or the process it depends on has ended."""
    deadline = time.monotonic() + seconds
    while not is_so():
        ended = child is not None and child.process.poll() is not None
        if ended or time.monotonic() > deadline:
            raise AssertionError(child.log.read_text() if child else f"not so within {seconds} s")
        time.sleep(0.05)
