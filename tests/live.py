"""Real web, worker and beat processes on the test database, for tests of races, faults and journeys."""

import http.client
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
import redis
from django.db import connection

from ims_portal import children, run
from ims_portal.children import Child

READY_SECONDS = 60


@pytest.fixture
def process_environment(transactional_db: None) -> Iterator[dict[str, str]]:  # noqa: ARG001 - makes the test commit
    """Environment of a child process: the settings of this session, but its test database and an empty broker."""
    address = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
    with closing(redis.Redis.from_url(os.environ["REDIS_URL"])) as broker:
        broker.flushdb()
    yield os.environ | {"DATABASE_URL": urlunsplit(address), "IMS_LOG_LEVEL": "INFO"}
    connection.close()


@pytest.fixture
def start_process(process_environment: dict[str, str], tmp_path: Path) -> Iterator[Callable[[str, list[str]], Child]]:
    """Start a process by role and command; all of them are killed after the test."""
    started: list[Child] = []

    def start(role: str, command: list[str]) -> Child:
        child = children.start(
            name=role,
            command=command,
            environment={**process_environment, "IMS_ROLE": role},
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

    def start() -> Child:
        worker = start_process("worker", run.worker_command())
        wait_for(lambda: " ready." in worker.log.read_text(), child=worker)
        return worker

    return start


@pytest.fixture
def start_web(start_process: Callable[[str, list[str]], Child]) -> Callable[[], str]:
    """Start gunicorn on a free port and return the portal's address once it answers."""

    def start() -> str:
        with closing(socket.socket()) as probe:
            probe.bind((run.HOST, 0))
            port = int(probe.getsockname()[1])
        web = start_process("web", run.web_command(port=port))
        wait_for(lambda: answers(port), child=web)
        return f"http://localhost:{port}"

    return start


def answers(port: int) -> bool:
    """Tell whether the portal says that it and its database are well."""
    with suppress(OSError, http.client.HTTPException), closing(http.client.HTTPConnection(run.HOST, port)) as asked:
        asked.request("GET", "/health/", headers={"Host": "localhost"})
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
