"""`make demo` as a process: it serves pages, keeps its data, and leaves nothing behind however it ends."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from ims_portal import embedded, engines
from ims_portal.engines import Place

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="looks for processes under /proc"),
    pytest.mark.xdist_group("demo"),  # one process for all of them: its first start is slow
]


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the demo's servers, not the developer's; one for all tests, for only the first start is slow."""
    return tmp_path_factory.mktemp("demo") / "local"


@pytest.fixture
def port() -> int:
    """A port that was free a moment ago."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def start(local: Path, port: int) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Start the demo and wait until it says that it is ready."""
    runners: list[subprocess.Popen[str]] = []

    def demo() -> subprocess.Popen[str]:
        runner = subprocess.Popen(
            [sys.executable, "-m", "ims_portal.run", f"--port={port}"],
            cwd=embedded.PROJECT,
            env=environment(local),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        runners.append(runner)
        return runner

    yield demo
    for runner in runners:
        runner.terminate()
        runner.communicate()


def environment(local: Path) -> dict[str, str]:
    """Return the environment of a terminal in which nothing of the tests is set."""
    ours = ("IMS_", "DJANGO_", "DATABASE_", "REDIS_", "SECRET_", "PYTEST_", "MAKE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | {"IMS_LOCAL": str(local)}


def wait_until_ready(runner: subprocess.Popen[str]) -> str:
    """Read what the demo prints up to its address, and return it."""
    assert runner.stdout is not None
    said = ""
    for line in runner.stdout:
        said += line
        if "The portal is ready" in line:
            return said
    raise AssertionError(said)


def processes_of(local: Path) -> list[str]:
    """Return the command lines of the processes that belong to this demo: by working folder, or by its environment."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            here = f"IMS_LOCAL={local}\0" in (entry / "environ").read_text(errors="replace")
            inside = (entry / "cwd").readlink().is_relative_to(local)
            if (here or inside) and engines.exists(pid=int(entry.name)):
                found.append((entry / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


def is_empty(local: Path, seconds: float) -> bool:
    """Tell whether no process of this demo is left within some seconds."""
    deadline = time.monotonic() + seconds
    while processes_of(local):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def test_interrupt_while_the_servers_start_leaves_nothing(
    start: Callable[[], subprocess.Popen[str]], local: Path
) -> None:
    runner = start()
    assert runner.stdout is not None
    assert "Starting" in runner.stdout.readline()
    os.kill(runner.pid, signal.SIGINT)
    assert runner.wait(timeout=30) == 0
    assert is_empty(local, seconds=10), processes_of(local)


def test_demo_serves_pages_with_real_processes_and_ctrl_c_ends_all(
    start: Callable[[], subprocess.Popen[str]], local: Path, port: int
) -> None:
    runner = start()
    assert f"http://localhost:{port}/" in wait_until_ready(runner)
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("GET", "/health/")
        assert connection.getresponse().status == 200
    commands = "\n".join(processes_of(local))
    for part in (
        "gunicorn",
        "celery -A ims_portal.celery worker",
        "celery -A ims_portal.celery beat",
        "postgres",
        "valkey",
    ):
        assert part in commands
    os.killpg(runner.pid, signal.SIGINT)
    assert runner.wait(timeout=30) == 0
    assert is_empty(local, seconds=1), processes_of(local)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_after_the_runner_is_told_or_killed(
    start: Callable[[], subprocess.Popen[str]], local: Path, number: signal.Signals
) -> None:
    runner = start()
    wait_until_ready(runner)
    os.kill(runner.pid, number)
    assert is_empty(local, seconds=30), processes_of(local)


def test_second_start_keeps_the_data(start: Callable[[], subprocess.Popen[str]], local: Path) -> None:
    runner = start()
    wait_until_ready(runner)
    address = embedded.addresses(where=Place(folder=local / "demo", durable=True)).database_url
    with closing(psycopg2.connect(address)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("create schema ours; create table ours.kept as select 7 as value")
    os.kill(runner.pid, signal.SIGINT)
    runner.wait(timeout=30)
    again = start()
    wait_until_ready(again)
    with closing(psycopg2.connect(address)) as connection, connection.cursor() as cursor:
        cursor.execute("select value from ours.kept")
        assert cursor.fetchone() == (7,)


def test_running_demo_is_found_by_commands_and_refuses_a_second_one(
    start: Callable[[], subprocess.Popen[str]], local: Path
) -> None:
    wait_until_ready(start())
    script = "from django.conf import settings; print(settings.DATABASES['default']['HOST'])"
    command = [sys.executable, "manage.py", "shell", "-c", script]
    said = subprocess.run(
        command, cwd=embedded.PROJECT, env=environment(local), capture_output=True, text=True, check=True
    )
    assert said.stdout.splitlines()[-1] == str(Place(folder=local / "demo", durable=True).sockets)
    second = start()
    assert "A demo already runs in this folder" in second.communicate(timeout=30)[0]
    assert second.returncode == 1


def test_dead_child_is_named_and_the_rest_stops(start: Callable[[], subprocess.Popen[str]], local: Path) -> None:
    runner = start()
    wait_until_ready(runner)
    for entry in Path("/proc").glob("[0-9]*"):
        if is_child(entry, runner.pid) and "beat" in (entry / "cmdline").read_text():
            os.kill(int(entry.name), signal.SIGKILL)
    said, _ = runner.communicate(timeout=30)
    assert "The beat process ended with -9; the rest is being stopped." in said
    assert runner.returncode == 1
    assert is_empty(local, seconds=1), processes_of(local)


def is_child(entry: Path, parent: int) -> bool:
    """Tell whether a folder of /proc is that of a child of this process."""
    try:
        return int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == parent
    except OSError:
        return False


def test_taken_port_is_refused_before_anything_starts(
    start: Callable[[], subprocess.Popen[str]], local: Path, port: int
) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        said, _ = start().communicate(timeout=30)
    assert re.search(rf"Port {port} can't be used .* make demo PORT={port + 1}", said)
    assert is_empty(local, seconds=0)
