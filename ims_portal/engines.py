"""The two local servers of one place: where they live, whether they run, how they are stopped (started: engine_start).

Both listen on unix sockets only. Who needs them and how long is embedded.py's business. Standard library only, so that
this runs before Django and its settings exist.
"""

import contextlib
import hashlib
import os
import re
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 60  # enough to recover from a crash
STOP_SECONDS = 20
LONGEST_SOCKET_FOLDER = 80  # a socket's whole path must fit in 108 bytes, on macOS in 104
PLAIN_PATH = re.compile(r"[A-Za-z0-9/._-]+")  # needs no quoting in an address or in a configuration
USER = DATABASE = "ims"
PORT = 5432  # names the socket file; nothing listens on TCP
BROKER_DATABASES = 1000  # so that test sessions beside one another don't take each other's messages


class EngineError(Exception):
    """A local server can't be found, started or stopped; the message says what to do."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """One pair of servers: the folder that holds their data, and whether commits must survive a machine crash.

    `archive` is the folder into which PostgreSQL copies each finished piece of its log, so that the data can be brought
    back as of any moment; `patience` are the seconds a start may take, which a long recovery needs more of.
    """

    folder: Path
    durable: bool
    archive: Path | None = None
    patience: int = START_SECONDS

    @property
    def data(self) -> Path:
        """PostgreSQL's data folder."""
        return self.folder / "postgres"

    @property
    def sockets(self) -> Path:
        """The folder of both sockets: beside the data, or a short one in /tmp where that path can't serve."""
        beside = self.folder / "sockets"
        if len(os.fsencode(beside)) <= LONGEST_SOCKET_FOLDER and PLAIN_PATH.fullmatch(os.fspath(beside)):
            return beside
        name = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
        # Not TMPDIR, which differs between terminals. Only its owner may enter the folder, and one made by others is
        # refused.
        return Path("/tmp") / f"ims-{name}"  # noqa: S108  # nosec B108

    @property
    def postgres_socket(self) -> Path:
        """Where PostgreSQL listens."""
        return self.sockets / f".s.PGSQL.{PORT}"

    @property
    def valkey_socket(self) -> Path:
        """Where Valkey listens."""
        return self.sockets / "valkey.sock"

    @property
    def postgres_pidfile(self) -> Path:
        """PostgreSQL's own note of its pid and state."""
        return self.data / "postmaster.pid"

    @property
    def valkey_pidfile(self) -> Path:
        """Valkey's own note of its pid."""
        return self.folder / "valkey.pid"


def stop(*, place: Place) -> None:
    """Stop both servers and return when neither is left; a server that does not run is no error."""
    postgres, valkey = postgres_pid(place=place), valkey_pid(place=place)
    # SIGINT is PostgreSQL's fast shutdown: it rolls back what is open, disconnects everybody and writes a checkpoint.
    for pid, polite in ((postgres, signal.SIGINT), (valkey, signal.SIGTERM)):
        if pid is not None:
            send(pid=pid, number=polite)
    for pid, last in ((postgres, signal.SIGQUIT), (valkey, signal.SIGKILL)):
        if pid is not None and not wait_until_gone(pid=pid):
            send(pid=pid, number=last)
            wait_until_gone(pid=pid)
    if place.sockets.parent != place.folder:
        with contextlib.suppress(OSError):
            place.sockets.rmdir()


def are_ready(*, place: Place) -> bool:
    """Tell whether both servers run and take connections."""
    return postgres_is_ready(place=place) and valkey_is_ready(place=place)


def postgres_is_ready(*, place: Place) -> bool:
    """Tell whether this place's PostgreSQL runs and takes connections."""
    if postgres_pid(place=place) is None:
        return False
    state = _lines(place.postgres_pidfile)[7:8]
    return bool(state) and state[0].strip() == "ready" and _listens(place.postgres_socket)


def valkey_is_ready(*, place: Place) -> bool:
    """Tell whether this place's Valkey runs and takes connections."""
    return valkey_pid(place=place) is not None and _listens(place.valkey_socket)


def postgres_pid(*, place: Place) -> int | None:
    """Return the pid of the PostgreSQL that serves this place's data, or None."""
    return _pid_noted_in(place.postgres_pidfile, works_in=place.data)


def valkey_pid(*, place: Place) -> int | None:
    """Return the pid of this place's Valkey, or None."""
    return _pid_noted_in(place.valkey_pidfile, works_in=place.folder)


def postgres_processes(*, place: Place) -> list[int]:
    """Return PostgreSQL's processes on this place's data, the orphans of a killed server too; on Linux only."""
    found = (int(entry.parent.name) for entry in Path("/proc").glob("[0-9]*/comm") if _lines(entry) == ["postgres"])
    return [pid for pid in found if _works_in(pid, place.data)]


def send(*, pid: int, number: signal.Signals) -> None:
    """Send a signal; a process that is gone is no error."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def wait_until_gone(*, pid: int) -> bool:
    """Wait for a process to end, and return whether it did in time."""
    deadline = time.monotonic() + STOP_SECONDS
    while exists(pid=pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def exists(*, pid: int) -> bool:
    """Tell whether a process with this pid is left; one that ended but was not yet collected by its parent is not."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _pid_noted_in(pidfile: Path, *, works_in: Path) -> int | None:
    """Return the pid in the file if that process is the server: a pid may be another's by now, a working folder not."""
    first = _lines(pidfile)[:1]
    pid = int(first[0]) if first and first[0].strip().isdigit() else None
    return pid if pid and _works_in(pid, works_in) else None


def _works_in(pid: int, folder: Path) -> bool:
    if Path("/proc/self/cwd").exists():
        with contextlib.suppress(OSError):
            return Path(f"/proc/{pid}/cwd").readlink() == folder.resolve() and exists(pid=pid)
        return False
    command = subprocess.run(
        ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout
    return any(name in command for name in ("postgres", "valkey", "redis"))


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(2)
        try:
            probe.connect(os.fspath(path))
        except OSError:
            return False
        return True


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []
