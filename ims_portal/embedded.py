"""Who needs the local PostgreSQL and broker, and for how long.

Whoever needs them holds a shared lock on a file, from ensure() until release() or the end of the process, however it
ends. A small process, the keeper, waits for the same lock exclusively: once it gets it nobody needs the servers any
more, and it stops them. So they outlive any one user, several sessions share them, and a kill -9 of a starter leaves
nothing running.

The demo and the tests have servers and data of their own, side by side under .local/ (IMS_LOCAL names another
folder). Standard library only: the settings ask here.

    python -m ims_portal.embedded test COMMAND...    runs a command on the test servers, as a sandbox
"""

import argparse
import contextlib
import fcntl
import os
import secrets
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO, Literal

from ims_portal import engine_start, engines
from ims_portal.engines import EngineError, Place

PROJECT = Path(__file__).resolve().parent.parent
LOCAL = Path(os.environ.get("IMS_LOCAL") or PROJECT / ".local").absolute()
KEEPER_SECONDS = 10

Kind = Literal["demo", "test"]

_held: dict[Path, IO[bytes]] = {}  # this process's shared locks by folder; closing the file gives the lock back
_keepers: dict[Path, subprocess.Popen[bytes]] = {}  # the keepers this process started, to be reaped by it


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """Where the two servers answer, in the form that DATABASE_URL and REDIS_URL take."""

    database_url: str
    redis_url: str


def place(*, kind: Kind) -> Place:
    """Return where the servers of the demo or the tests live; only the demo's data must survive a machine's crash."""
    return Place(folder=LOCAL / kind, durable=kind == "demo")


def ensure(*, kind: Kind) -> Addresses:
    """Start the demo's or the tests' servers unless they run; they stay until release() or the end of this process."""
    return ensure_at(where=place(kind=kind))


def ensure_at(*, where: Place) -> Addresses:
    """Do what ensure() does for servers in any folder, for tests that break their own."""
    engine_start.make_private(folder=where.folder)
    if where.folder not in _held:
        _held[where.folder] = _lock(where.folder / "users.lock", fcntl.LOCK_SH)  # waits while a keeper is stopping them
    try:
        with contextlib.closing(_lock(where.folder / "start.lock", fcntl.LOCK_EX)):
            _ensure_keeper(where)
            engine_start.start(place=where)
            _make_secret_key(where)
            engine_start.make_private(folder=where.folder / "files")
    except BaseException:
        release(where=where)
        raise
    return addresses(where=where)


def release(*, where: Place) -> None:
    """Give up this process's claim; when it was the last one, return after the servers and their keeper are gone."""
    claim = _held.pop(where.folder, None)
    if claim is None:
        return
    with claim:
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fcntl.flock(
                claim, fcntl.LOCK_SH
            )  # others need them: at once; the keeper was faster: when it has stopped them
            return
        engines.stop(place=where)
    _wait_for_keeper(where)


def running() -> Addresses | None:
    """Return the addresses of the running demo's servers, or None when no demo runs."""
    demo = place(kind="demo")
    return addresses(where=demo) if engines.are_ready(place=demo) else None


def addresses(*, where: Place, role: str = engines.USER) -> Addresses:
    """Return where the servers of this place answer a role of the database, whether or not they run."""
    return Addresses(
        database_url=f"postgresql://{role}@/{engines.DATABASE}?host={where.sockets}",
        redis_url=f"unix://{where.valkey_socket}?db=0",
    )


def environment(*, where: Place) -> dict[str, str]:
    """Return the settings, as environment variables, of a local sandbox on these servers, once they were started."""
    found = addresses(where=where)
    return {
        "DATABASE_URL": found.database_url,
        "REDIS_URL": found.redis_url,
        "SECRET_KEY": (where.folder / "secret_key").read_text(),
        "IMS_FILES": os.fspath(where.folder / "files"),
        "IMS_SANDBOX": "true",
        "IMS_DEMO_CODES": "true",
        "IMS_HTTPS": "false",
        "GSTN_ENCRYPTED_PROFILE": "true",
    }


def keep(*, where: Place, lock: int) -> None:
    """Be the keeper: wait until nobody needs the servers, and stop them. Its lock is an open file it inherited."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # Ctrl-C is for the users; they let go in their own order
    signal.signal(signal.SIGTERM, _told_to_end)
    claim = None
    with contextlib.suppress(_ToldToEndError):
        claim = _lock(where.folder / "users.lock", fcntl.LOCK_EX)
    engines.stop(place=where)
    os.close(lock)  # before the users' lock: whoever gets that one next must see that no keeper is left
    if claim:
        claim.close()


def run(*, kind: Kind, command: list[str]) -> int:
    """Run a command as a sandbox on the local servers, and return its exit code."""
    where = place(kind=kind)
    ensure(kind=kind)
    try:
        return subprocess.run(command, check=False, env=os.environ | environment(where=where)).returncode
    finally:
        release(where=where)


class _ToldToEndError(Exception):
    pass


def _told_to_end(_number: int, _frame: FrameType | None) -> None:
    raise _ToldToEndError


def _ensure_keeper(where: Place) -> None:
    """Start a keeper unless one lives. It inherits the lock that says so, so there is no moment without."""
    try:
        lock = _lock(where.folder / "keeper.lock", fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    durable = ["--durable"] if where.durable else []
    with lock, (where.folder / "keeper.log").open("ab") as log:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "ims_portal.embedded", "--keep", where.folder, f"--lock={lock.fileno()}", *durable],
            cwd=PROJECT,
            pass_fds=[lock.fileno()],
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    if where.folder in _keepers:
        _keepers.pop(where.folder).wait()  # one that was killed
    _keepers[where.folder] = keeper
    (where.folder / "keeper.pid").write_text(str(keeper.pid))


def _make_secret_key(where: Place) -> None:
    path = where.folder / "secret_key"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(50))


def _wait_for_keeper(where: Place) -> None:
    """Wait until the keeper has seen that nobody is left; one interrupted while starting may have no pid yet."""
    ours = _keepers.pop(where.folder, None)
    with contextlib.suppress(FileNotFoundError, ValueError):
        pid = ours.pid if ours else int((where.folder / "keeper.pid").read_text())
        deadline = time.monotonic() + KEEPER_SECONDS
        while time.monotonic() < deadline and (ours.poll() is None if ours else engines.exists(pid=pid)):
            time.sleep(0.01)


def _lock(path: Path, how: int) -> IO[bytes]:
    file = path.open("ab")
    try:
        fcntl.flock(file, how)
    except BaseException:
        file.close()
        raise
    return file


def main() -> int:
    """Keep servers, or run a command beside them."""
    parser = argparse.ArgumentParser(description="Run a command with the local servers' addresses in its environment.")
    parser.add_argument("--keep", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--lock", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--durable", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("kind", nargs="?", choices=["demo", "test"])
    parser.add_argument("command", nargs=argparse.REMAINDER)
    asked = parser.parse_args()
    if asked.keep:
        keep(where=Place(folder=asked.keep, durable=asked.durable), lock=asked.lock)
        return 0
    if not asked.kind or not asked.command:
        parser.error("say whose servers (demo or test) and the command to run")
    try:
        return run(kind=asked.kind, command=asked.command)
    except EngineError as problem:
        sys.exit(str(problem))


if __name__ == "__main__":
    sys.exit(main())
