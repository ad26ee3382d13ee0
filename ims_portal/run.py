"""What `make demo` runs: servers, database, story, then web, worker and beat, until Ctrl-C or until one of them dies.

python -m ims_portal.run [--port 8000]
"""

import argparse
import contextlib
import fcntl
import http.client
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType

from ims_portal import children, embedded, engines, grants
from ims_portal.children import Child
from ims_portal.engines import EngineError

HOST = "127.0.0.1"
ANSWER_SECONDS = 60
BROKEN_PAGE = 500
DEMO = embedded.place(kind="demo")


class DemoError(Exception):
    """The demo can't go on; the message says why and what to do."""


class _InterruptedError(Exception):
    """Somebody pressed Ctrl-C or sent a signal to end."""


def demo(*, port: int) -> None:
    """Run the portal on this port until somebody ends it."""
    started: list[Child] = []
    DEMO.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _only_one(), contextlib.ExitStack() as at_the_end:
        _refuse_taken(port)
        at_the_end.callback(embedded.release, where=DEMO)
        at_the_end.callback(_stop, started)
        environment = _environment()
        _prepare_database(environment)
        environment = _less_privileged(environment)
        sign_ins = _command(environment, "demo")
        started += _start(environment, port)
        _wait_for_page(port, started)
        print(sign_ins)
        print(f"The portal is ready: http://localhost:{port}/", flush=True)
        print(f"Its logs are in {DEMO.folder}. Ctrl-C stops it.", flush=True)
        _watch(started)


def _environment() -> dict[str, str]:
    """Return the environment of the children: on the servers that are named, or on our own."""
    if os.environ.get("DATABASE_URL"):
        files = DEMO.folder / "files"
        files.mkdir(mode=0o700, exist_ok=True)
        sandbox = {
            "SECRET_KEY": secrets.token_urlsafe(50),
            "IMS_FILES": str(files),
            "IMS_SANDBOX": "true",
            "IMS_DEMO_CODES": "true",
            "IMS_HTTPS": "false",
        }
        return {**sandbox, **os.environ, "DJANGO_SETTINGS_MODULE": "ims_portal.settings"}
    print("Starting PostgreSQL and the broker ...", flush=True)
    embedded.ensure(kind="demo")
    return {**os.environ, **embedded.environment(where=DEMO), "DJANGO_SETTINGS_MODULE": "ims_portal.settings"}


def _prepare_database(environment: Mapping[str, str]) -> None:
    """Bring the tables up to date, as their owner, and grant the role that works on them what it needs."""
    print("Preparing the database ...", flush=True)
    _command(environment, "migrate", "--verbosity=0")
    _command(environment, "grant_roles")


def _less_privileged(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of what serves people: on our own servers as the role that may not rewrite history.

    On servers that were named, whoever was named goes on: only they know that role's password.
    """
    if os.environ.get("DATABASE_URL"):
        return dict(environment)
    return {**environment, "DATABASE_URL": embedded.addresses(where=DEMO, role=grants.APP).database_url}


def _command(environment: Mapping[str, str], *words: str) -> str:
    """Run one of the portal's commands to its end and return what it printed."""
    command = [sys.executable, str(embedded.PROJECT / "manage.py"), *words]
    log = DEMO.folder / f"{words[0]}.log"
    child = children.start(name=words[0], command=command, environment=environment, log=log, if_we_die=signal.SIGKILL)
    try:
        code = child.process.wait()
    finally:
        children.kill(children=[child])
    if code:
        message = f"manage.py {words[0]} ended with {code}:\n{log.read_text()}"
        raise DemoError(message)
    return log.read_text()


def web_command(*, port: int, workers: int = 2, host: str = HOST) -> list[str]:
    """Return the command that serves the pages on this port."""
    return [
        *(sys.executable, "-m", "gunicorn", "ims_portal.wsgi", f"--bind={host}:{port}", f"--workers={workers}"),
        *("--worker-class=gthread", "--threads=4", "--preload", "--graceful-timeout=5", "--no-control-socket"),
    ]


def worker_command(*, concurrency: int = 2) -> list[str]:
    """Return the command that works off jobs in child processes."""
    return [
        *(
            sys.executable,
            "-m",
            "celery",
            "-A",
            "ims_portal.celery",
            "worker",
            "--pool=prefork",
            f"--concurrency={concurrency}",
        ),
        *("--loglevel=INFO", "--without-mingle", "--without-gossip"),
    ]


def beat_command() -> list[str]:
    """Return the command that has the database looked at every 30 seconds."""
    return [sys.executable, "-m", "celery", "-A", "ims_portal.celery", "beat", "--loglevel=INFO"]


def _start(environment: Mapping[str, str], port: int) -> list[Child]:
    commands = {"web": web_command(port=port), "worker": worker_command(), "beat": beat_command()}
    return [
        children.start(
            name=name,
            command=command,
            environment={**environment, "IMS_ROLE": name},
            log=DEMO.folder / f"{name}.log",
            # A killed runner can't insist: a worker that is asked first finishes its tasks, or looks for its broker for
            # many minutes. They are safe to cut off; its pool ends when nobody hands it work any more.
            if_we_die=signal.SIGKILL if name == "worker" else signal.SIGTERM,
        )
        for name, command in commands.items()
    ]


def _wait_for_page(port: int, started: list[Child]) -> None:
    deadline = time.monotonic() + ANSWER_SECONDS
    status: int | None = None
    while time.monotonic() < deadline:
        _check(started)
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection(HOST, port, timeout=10)
            connection.request("GET", "/", headers={"Host": f"localhost:{port}"})
            status = connection.getresponse().status
            connection.close()
            if status < BROKEN_PAGE:
                return
        time.sleep(0.1)
    message = f"The portal did not answer within {ANSWER_SECONDS} s (last status: {status}).\n{_end_of(started[0].log)}"
    raise DemoError(message)


def _watch(started: list[Child]) -> None:
    ours = not os.environ.get("DATABASE_URL")
    while True:
        _check(started)
        if ours and (engines.postgres_pid(place=DEMO) is None or engines.valkey_pid(place=DEMO) is None):
            message = f"A local server has ended; see the logs in {DEMO.folder}. The rest is being stopped."
            raise DemoError(message)
        time.sleep(0.5)


def _check(started: list[Child]) -> None:
    dead = children.ended(children=started)
    if dead:
        code, wrote = dead.process.returncode, _end_of(dead.log)
        message = f"The {dead.name} process ended with {code}; the rest is being stopped. It wrote:\n{wrote}"
        raise DemoError(message)


def _stop(started: list[Child]) -> None:
    print("Stopping ...", flush=True)
    try:
        children.stop(children=started)
    except _InterruptedError:
        children.kill(children=started)


def _end_of(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-30:])


@contextlib.contextmanager
def _only_one() -> Iterator[None]:
    with (DEMO.folder / "run.lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = "A demo already runs in this folder. Use that one, or end it first."
            raise DemoError(message) from None
        yield


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as problem:
            message = f"Port {port} can't be used ({problem.strerror}). Choose another: make demo PORT={port + 1}"
            raise DemoError(message) from problem


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise _InterruptedError


def main() -> int:
    """Run the demo and return the exit code: 0 after Ctrl-C, 1 with a sentence after a failure."""
    parser = argparse.ArgumentParser(description="Run the portal with its story on this machine.")
    parser.add_argument("--port", type=int, default=8000)
    port = parser.parse_args().port
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    if "MAKELEVEL" in os.environ:
        children.end_with_parent()
    try:
        demo(port=port)
    except _InterruptedError:
        return 0
    except (DemoError, EngineError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
