"""The portal on servers of its own, every process a child that can be killed: what chaos plays on."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psycopg2
import redis

from ims_portal import children, embedded, engine_start, engines, grants, run
from ims_portal.children import Child
from ims_portal.engines import Place
from tests import live

WORKERS = ("worker-1", "worker-2")
PROCESSES = ("web", *WORKERS, "beat")


class Stage:
    """PostgreSQL, the broker, gunicorn, two workers and beat; whoever starts it ends it, by its own processes' ids."""

    def __init__(self, folder: Path) -> None:
        self.place = Place(folder=folder / "servers", durable=True)
        self.logs = folder / "logs"
        self.logs.mkdir(parents=True)
        self.running: dict[str, Child] = {}
        self._started = 0
        with closing(socket.socket()) as probe:
            probe.bind((run.HOST, 0))
            self.port = int(probe.getsockname()[1])

    def start_servers(self) -> dict[str, str]:
        """Start PostgreSQL, as durable as for real returns, and the broker; return the portal's environment there."""
        embedded.ensure_at(where=self.place)
        settings = {"IMS_API_RATE": "1000000", "IMS_LOG_LEVEL": "WARNING", "IMS_MAIL": "dummy"}
        return {**embedded.environment(where=self.place), **settings, "DJANGO_SETTINGS_MODULE": "ims_portal.settings"}

    def start(self, name: str) -> None:
        """Start a process of the portal unless it runs."""
        if name in self.running and self.running[name].process.poll() is None:
            return
        role = name.partition("-")[0]
        command = {
            "web": lambda: run.web_command(port=self.port),
            "worker": lambda: [*run.worker_command(), f"--hostname={name}-{self._started}@%h"],
            "beat": run.beat_command,
        }[role]()
        self._started += 1
        self.running[name] = children.start(
            name=name,
            command=command,
            environment=self._environment(role),
            log=self.logs / f"{self._started:04}-{name}.log",
            if_we_die=signal.SIGKILL,
        )

    def _environment(self, role: str) -> dict[str, str]:
        """Return the environment of a process: the database by the role that may not rewrite history."""
        address = embedded.addresses(where=self.place, role=grants.APP).database_url
        return {**os.environ, "IMS_ROLE": role, "PGAPPNAME": "portal", "DATABASE_URL": address}

    def prepare(self) -> None:
        """Make the tables, and grant the role that works on them what it needs."""
        self.manage("migrate", "--verbosity=0")
        self.manage("grant_roles")

    def supervise(self) -> list[str]:
        """Start again what ended by itself, as whoever runs the portal does; return the names."""
        ended = [name for name, child in self.running.items() if child.process.poll() not in (None, -signal.SIGKILL)]
        for name in ended:
            self.start(name)
        return ended

    def start_portal(self) -> None:
        """Start every process of the portal and return once pages are answered."""
        for name in PROCESSES:
            self.start(name)
        live.wait_for(lambda: live.answers(self.port), child=self.running["web"])

    def kill_tree(self, name: str) -> None:
        """Kill a process with everything it started."""
        children.kill(children=[self.running[name]])

    def kill_child_of(self, name: str, rng: random.Random) -> bool:
        """Kill one of the children a process works by; False where it has none at the moment."""
        found = _children(self.running[name].process.pid)
        if found:
            engines.send(pid=rng.choice(found), number=signal.SIGKILL)
        return bool(found)

    def ask_to_end(self, name: str) -> None:
        """Ask a process to end in its own time; what comes after it may be started at once."""
        self.running[name].process.terminate()

    def reload_web(self) -> None:
        """Let gunicorn replace its workers one after the other."""
        self.running["web"].process.send_signal(signal.SIGHUP)

    def stop_postgres(self) -> None:
        """Stop PostgreSQL as a crash would: at once, with no checkpoint and no goodbye."""
        self._send_postgres(signal.SIGQUIT)
        pid = engines.postgres_pid(place=self.place)
        if pid is not None:
            engines.wait_until_gone(pid=pid)

    def stop_broker(self) -> None:
        """Stop the broker; it keeps nothing."""
        pid = engines.valkey_pid(place=self.place)
        if pid is not None:
            engines.send(pid=pid, number=signal.SIGKILL)
            engines.wait_until_gone(pid=pid)

    def signal_broker(self, number: signal.Signals) -> None:
        """Freeze the broker, or let it go on: it takes connections meanwhile and answers none."""
        pid = engines.valkey_pid(place=self.place)
        if pid is not None:
            engines.send(pid=pid, number=number)

    def start_engines(self) -> None:
        """Start whichever of the two servers does not run."""
        engine_start.start(place=self.place)

    def flush_broker(self) -> None:
        """Empty the broker: every message is gone."""
        with suppress(redis.RedisError), closing(self._broker()) as broker:
            broker.flushall()

    def _broker(self) -> redis.Redis:
        return redis.Redis(unix_socket_path=str(self.place.valkey_socket), socket_timeout=1, socket_connect_timeout=1)

    def _send_postgres(self, number: signal.Signals) -> None:
        pid = engines.postgres_pid(place=self.place)
        if pid is not None:
            engines.send(pid=pid, number=number)

    @contextmanager
    def database(self) -> Iterator[psycopg2.extensions.cursor]:
        """Give a cursor of a session of its own. Raises psycopg2.OperationalError while there is no database."""
        with closing(psycopg2.connect(os.environ["DATABASE_URL"], connect_timeout=2)) as session:
            session.autocommit = True
            with session.cursor() as cursor:
                yield cursor

    def backends(self) -> list[int]:
        """Return the pids of the database's processes that serve the portal; none while it is down."""
        with suppress(psycopg2.Error), self.database() as cursor:
            cursor.execute(
                "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() "
                "AND application_name = 'portal'"
            )
            return [pid for (pid,) in cursor.fetchall()]
        return []

    def manage(self, *words: str) -> str:
        """Run one of the portal's commands to its end and return what it printed."""
        command = [sys.executable, str(embedded.PROJECT / "manage.py"), *words]
        environment = {**os.environ, "IMS_ROLE": "command"}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    def end(self) -> None:
        """Kill the portal, then stop its servers."""
        children.kill(children=list(self.running.values()))
        embedded.release(where=self.place)


def _children(pid: int) -> list[int]:
    """Return the living processes another one started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, IndexError):
            rest = stat.read_text().rpartition(")")[2].split()
            if int(rest[1]) == pid and rest[0] != "Z":
                found.append(int(stat.parent.name))
    return found
