"""How the two local servers of a place are started, on new data, on kept data, and on what a crash left behind.

PostgreSQL refuses to be root. As root it therefore gets another user's number, in a user namespace where the machine
allows one: there the data still belongs to root outside and no account is needed. Elsewhere it really becomes that
user.
"""

import functools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from ims_portal import binaries, engines
from ims_portal.engines import EngineError, Place

VALKEY_SECONDS = 10
NOBODY = 65534
MAKE_DATABASE = """
select format('create database %I', :'name') where not exists (select from pg_database where datname = :'name') \\gexec
"""
Command = Sequence[str | Path]
IN_NAMESPACE = ["unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}"]


def start(*, place: Place) -> None:
    """Start whichever of the two servers is not ready; return when both are. The caller holds the start lock."""
    make_private(folder=place.folder)
    make_private(folder=place.sockets)
    if not engines.postgres_is_ready(place=place):
        _start_postgres(place)
    if not engines.valkey_is_ready(place=place):
        _start_valkey(place)


def make_private(*, folder: Path) -> None:
    """Make a folder that only we may enter, and refuse one that somebody else made before us."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    ours = {os.geteuid(), NOBODY} if os.geteuid() == 0 else {os.geteuid()}
    if folder.is_symlink() or folder.stat().st_uid not in ours:
        message = f"{folder} belongs to another user. Remove it, or work as the user who made it."
        raise EngineError(message)
    folder.chmod(0o700)


def _start_postgres(place: Place) -> None:
    programs = binaries.postgres_folder()
    log = place.folder / "postgres.log"
    hand_over(place.sockets)
    hand_over(log)
    _refuse_closed_folder(place, programs)
    if not (place.data / "PG_VERSION").exists():
        _initialize(place, programs)
    if not _left_running(place):
        _clear_after_crash(place)
        (place.data / "postgresql.conf").write_text(_postgres_settings(place))
        # pg_ctl detaches the server from us and waits until it is ready or has failed.
        patience = f"--timeout={place.patience}"
        command: Command = [programs / "pg_ctl", "start", "--wait", patience, "--silent", "-D", place.data, "-l", log]
        run(command, place=place, failure=f"PostgreSQL did not start; see {log}")
    made = place.folder / "database_made"
    if not made.exists():
        names: Command = ["-h", place.sockets, "-U", engines.USER, "-d", "postgres", "-v", f"name={engines.DATABASE}"]
        run([programs / "psql", "-q", *names], place=place, failure="The database was not made", text=MAKE_DATABASE)
        made.touch()


def _initialize(place: Place, programs: Path) -> None:
    """Make the data folder under another name and rename it when it is whole, so that a kill leaves no half one.

    The name is a new one each time, for the initdb of a starter that was killed may still be at work.
    """
    for unfinished in place.folder.glob("postgres.new-*"):
        shutil.rmtree(unfinished, ignore_errors=True)
    (place.folder / "database_made").unlink(missing_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix="postgres.new-", dir=place.folder))
    hand_over(fresh)
    command: list[str | Path] = [programs / "initdb", "-D", fresh, "-U", engines.USER]
    command += ["--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"]
    if not place.durable:
        command.append("--no-sync")
    run(command, place=place, failure="PostgreSQL's data folder was not made")
    shutil.rmtree(place.data, ignore_errors=True)
    fresh.rename(place.data)


def _postgres_settings(place: Place) -> str:
    lines = [
        "listen_addresses = ''",
        f"unix_socket_directories = '{place.sockets}'",
        "unix_socket_permissions = 0700",
        f"port = {engines.PORT}",
        "max_connections = 200",
        "shared_buffers = 256MB",
        "max_wal_size = 2GB",
        "timezone = 'Asia/Kolkata'",
        "log_timezone = 'Asia/Kolkata'",
        "log_line_prefix = '%m [%p] %d '",
        *(_archiving(place.archive) if place.archive else ("wal_level = minimal", "max_wal_senders = 0")),
    ]
    if not place.durable:
        # Commits then survive a kill of the server, but not a crash of the machine.
        lines += ["fsync = off", "full_page_writes = off"]
    return "\n".join(["# Written anew at every start by ims_portal/engine_start.py", *lines, ""])


def _archiving(archive: Path) -> list[str]:
    """Return the settings that docs/runbook.md asks for in production: a log from which any moment can be restored."""
    return [
        "wal_level = replica",
        "archive_mode = on",
        f'archive_command = \'test ! -f "{archive}/%f" && cp "%p" "{archive}/%f"\'',
    ]


def _left_running(place: Place) -> bool:
    """Wait for a PostgreSQL that somebody killed left starting or stopping, and return whether it ended up ready."""
    deadline = time.monotonic() + place.patience
    while engines.postgres_pid(place=place) is not None and time.monotonic() < deadline:
        if engines.postgres_is_ready(place=place):
            return True
        time.sleep(0.02)
    return False


def _clear_after_crash(place: Place) -> None:
    """Remove what a killed PostgreSQL leaves and what would stop the next one: orphans, pid file, socket lock.

    PostgreSQL clears most of it by itself, but not once the noted pid belongs to somebody else. The caller has made
    sure, under the start lock, that no server runs on this data.
    """
    for orphan in engines.postgres_processes(place=place):
        engines.send(pid=orphan, number=signal.SIGKILL)
        engines.wait_until_gone(pid=orphan)
    place.postgres_pidfile.unlink(missing_ok=True)
    for leftover in place.sockets.glob(".s.PGSQL.*"):
        leftover.unlink(missing_ok=True)


def _start_valkey(place: Place) -> None:
    log = place.folder / "valkey.log"
    settings: dict[str, str | int | Path] = {
        "--daemonize": "yes",
        "--dir": place.folder,
        "--pidfile": place.valkey_pidfile,
        "--logfile": log,
        "--port": 0,
        "--unixsocket": place.valkey_socket,
        "--unixsocketperm": 700,
        "--databases": engines.BROKER_DATABASES,
        # The database is the truth: what is lost here is found again by the sweep, so nothing is written to disk.
        "--save": "",
        "--appendonly": "no",
        "--maxmemory-policy": "noeviction",
    }
    command = [str(binaries.valkey_program()), *(str(part) for pair in settings.items() for part in pair)]
    place.valkey_pidfile.unlink(missing_ok=True)
    ended = subprocess.run(command, check=False, cwd=place.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + VALKEY_SECONDS
    while not engines.valkey_is_ready(place=place):
        if ended.returncode or time.monotonic() > deadline:
            message = f"Valkey did not start; see {log}."
            raise EngineError(message)
        time.sleep(0.01)


def run(command: Command, *, place: Place, failure: str, text: str = "") -> None:
    """Run one of PostgreSQL's programs, as root under another user's number; raise EngineError with what it said."""
    # Files, not pipes: the server would keep a pipe open for ever.
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as told:
        told.write(text.encode())
        told.seek(0)
        code = _spawn(command, place=place, stdin=told.fileno(), stdout=said.fileno())
        said.seek(0)
        words = said.read().decode(errors="replace").strip()
    if code:
        message = f"{failure}. {command[0]} ended with {code} and said:\n{words}"
        raise EngineError(message)


def _spawn(command: Command, *, place: Place, stdin: int | None = None, stdout: int | None = None) -> int:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_"))}
    as_nobody = becomes_nobody()
    prefix = IN_NAMESPACE if os.geteuid() == 0 and not as_nobody else []
    return subprocess.run(
        [*prefix, *command],
        check=False,
        cwd=place.folder,
        env=environment | {"LC_ALL": "C"},
        stdin=stdin,
        stdout=stdout,
        stderr=stdout,
        user=NOBODY if as_nobody else None,
        group=NOBODY if as_nobody else None,
        extra_groups=[] if as_nobody else None,
    ).returncode


@functools.cache
def becomes_nobody() -> bool:
    """Tell whether we are root on a machine without user namespaces (as in most containers)."""
    if os.geteuid() != 0:
        return False
    try:
        return subprocess.run([*IN_NAMESPACE, "true"], check=False, capture_output=True).returncode != 0
    except FileNotFoundError:
        return True


def hand_over(path: Path) -> None:
    """Give a folder, or a log file to be, to the user that PostgreSQL really becomes, and let that user come to it."""
    if becomes_nobody():
        path.parent.chmod(0o711)
        if not path.is_dir():
            path.touch()
        os.chown(path, NOBODY, NOBODY)


def _refuse_closed_folder(place: Place, programs: Path) -> None:
    """Say what is wrong when root's PostgreSQL, being another user, can't get to the project at all."""
    if os.geteuid() != 0:
        return
    try:
        may_enter = _spawn(["test", "-x", programs / "postgres", "-a", "-x", place.sockets], place=place) == 0
    except PermissionError:
        may_enter = False
    if not may_enter:
        message = (
            f"PostgreSQL refuses to run as root, and the user it runs as instead may not enter {place.folder} or "
            f"{programs}. Work as the user who owns the project, move it to a folder that everybody may enter, or set "
            "DATABASE_URL and REDIS_URL."
        )
        raise EngineError(message)
