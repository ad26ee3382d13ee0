"""Two machines on one: web and a worker each in two networks of their own, before one database and one broker.

    .venv/bin/python -m tests.chaos.machines

A machine is a network namespace with an address of its own; PostgreSQL and the broker listen on TCP at the other end of
its cable, and nothing else connects the two. The folder of files is one, as a shared disk is. Exit code 0: both shared
the work and nothing was lost; 1, and why, otherwise; 77, and why, where no networks may be made.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django

from ims_portal import children, engine_start, engines, grants, run
from tests import live
from tests.chaos.stage import Stage

if TYPE_CHECKING:
    from tests.chaos.wire import Tally
    from tests.chaos.world import Firm, World

NOT_ALLOWED = 77
PORT, BROKER_PORT = 8000, 6379
SECONDS, FIRMS, LOOKS = 12, 6, 20
BEGINS = "2025-11-16"
IP = shutil.which("ip", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") or ""


class NoNetworksError(Exception):
    """This machine lets us make no networks; the message says why."""


@dataclass(frozen=True)
class Machine:
    """A network namespace: its name, its address, and that of the database and the broker as it sees them."""

    name: str
    address: str
    servers: str

    def inside(self, command: Sequence[str]) -> list[str]:
        """Return a command that runs on this machine."""
        return [IP, "netns", "exec", self.name, *command]


@contextmanager
def machines() -> Iterator[list[Machine]]:
    """Make two machines, and take them away again. Raises NoNetworksError."""
    if not IP:
        raise NoNetworksError("there is no ip on this machine (on Debian: apt-get install iproute2)")
    own = os.getpid()
    made = [
        Machine(f"ims-{own}-{n}", f"10.213.{own % 250}.{4 * n + 2}", f"10.213.{own % 250}.{4 * n + 1}") for n in (0, 1)
    ]
    try:
        for number, machine in enumerate(made):
            _make(machine, f"ims{own % 100_000}-{number}")
        yield made
    finally:
        for machine in made:  # its cable goes with it
            subprocess.run([IP, "netns", "del", machine.name], check=False, capture_output=True)


def _make(machine: Machine, cable: str) -> None:
    _ip("netns", "add", machine.name)
    _ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", machine.name)
    _ip("addr", "add", f"{machine.servers}/30", "dev", cable)
    _ip("link", "set", cable, "up")
    for words in (("addr", "add", f"{machine.address}/30", "dev", "eth0"), ("link", "set", "eth0", "up")):
        _ip("-n", machine.name, *words)
    _ip("-n", machine.name, "link", "set", "lo", "up")


def _ip(*words: str) -> None:
    done = subprocess.run([IP, *words], check=False, capture_output=True, text=True)
    if done.returncode:
        raise NoNetworksError(f"ip {' '.join(words)}: {done.stderr.strip()}")


class TwoMachines(Stage):
    """The portal's processes, each on one of two machines: web-0 and worker-0, web-1 and worker-1."""

    def __init__(self, folder: Path, hosts: Sequence[Machine]) -> None:
        super().__init__(folder)
        self.hosts = hosts
        self.port = PORT

    def start_servers(self) -> dict[str, str]:
        """Start both servers, and have them listen on the machines' cables too."""
        told = super().start_servers()
        listen = ", ".join(host.servers for host in self.hosts)
        data = self.place.data
        with (data / "postgresql.auto.conf").open("a") as settings:
            settings.write(f"listen_addresses = '{listen}'\n")
        with (data / "pg_hba.conf").open("a") as who:
            who.writelines(f"host all all {host.address}/32 trust\n" for host in self.hosts)
        self.stop_postgres()
        engine_start.start(place=self.place)
        with closing(self._broker()) as broker:
            broker.config_set("protected-mode", "no")  # nobody else is on these cables
            broker.config_set("bind", listen.replace(",", ""))
            broker.config_set("port", BROKER_PORT)
        allowed = ",".join(["localhost", *(host.address for host in self.hosts)])
        return {**told, "ALLOWED_HOSTS": allowed, "IMS_LOG_LEVEL": "INFO"}

    def start_on(self, host: Machine, role: str) -> None:
        """Start web or a worker on a machine."""
        name = f"{role}-{self.hosts.index(host)}"
        worker = [*run.worker_command(), f"--hostname={name}@{host.name}"]
        command = run.web_command(port=PORT, host=host.address) if role == "web" else worker
        environment = {
            **os.environ,
            "IMS_ROLE": role,
            "DATABASE_URL": f"postgresql://{grants.APP}@{host.servers}:{engines.PORT}/{engines.DATABASE}",
            "REDIS_URL": f"redis://{host.servers}:{BROKER_PORT}/0",
        }
        self.running[name] = children.start(
            name=name,
            command=host.inside(command),
            environment=environment,
            log=self.logs / f"{name}.log",
            if_we_die=signal.SIGKILL,
        )

    def start_portal(self) -> None:
        """Start web and a worker on each machine, and beat, and return once both webs answer."""
        for host in self.hosts:
            self.start_on(host, "web")
            self.start_on(host, "worker")
        self.start("beat")
        for number, host in enumerate(self.hosts):
            live.wait_for(lambda host=host: live.answers(PORT, host.address), child=self.running[f"web-{number}"])

    def jobs_of(self, number: int) -> set[str]:
        """Return the jobs that a worker says it has looked at to their end."""
        lines = (self.logs / f"worker-{number}.log").read_text().splitlines()
        told: list[dict[str, Any]] = [json.loads(line) for line in lines if line.startswith("{")]
        return {one["job"] for one in told if "job" in one and " succeeded in " in one["event"]}


def play(stage: TwoMachines) -> int:
    """Play on a stage whose servers run, and return the exit code."""
    from django.db import connection  # noqa: PLC0415 - Django's settings come first

    from tests.acks import AckLog  # noqa: PLC0415
    from tests.chaos import actors, oracle, world  # noqa: PLC0415
    from tests.chaos.wire import Line, Tally, Until  # noqa: PLC0415

    stage.prepare()
    everybody = world.make(firms=FIRMS)
    world.stand_at(BEGINS)
    stage.start_portal()
    broken = [*_sees_at_once(stage, everybody), *_stays_signed_in(stage, everybody.firms[0])]
    kept, until = actors.Kept(AckLog()), Until(time.monotonic() + SECONDS)
    rng = random.Random(11)  # noqa: S311 - a play, not a secret
    tallies = [Tally(), Tally()]
    turn = iter(range(1_000_000))

    def line() -> Line:
        number = next(turn) % 2
        return Line(PORT, tallies[number], until, rng, stage.hosts[number].address)

    players = actors.cast(everybody, line, kept, rng)
    for player in players:
        player.start()
    for player in players:
        player.join()
        player.line.close()
    broken += [*oracle.liveness(everybody.administrator), *oracle.faults(kept)]
    broken += _shared(stage, tallies)
    connection.close()
    for one in broken[:50]:
        print(f"BROKEN {one}")
    return int(bool(broken))


def _sees_at_once(stage: TwoMachines, everybody: World) -> Iterator[str]:
    """Save a document at one web process and read it at the other, in turns; yield what was not there."""
    from tests.chaos.wire import Line, Tally, Until  # noqa: PLC0415

    firm, other = everybody.firms[:2]
    until = Until(time.monotonic() + 60)
    lines = [Line(PORT, Tally(), until, random.Random(1), host.address) for host in stage.hosts]  # noqa: S311
    lines_ = [{"rate": "18.00", "taxable": "1000.00"}]
    for look in range(LOOKS):
        here, there = lines[look % 2], lines[(look + 1) % 2]
        path = f"t/{firm.gstin}/out/gstr1/102025/records/b2b:2025:SEEN{look}"
        body = {"recipient": other.gstin, "date": "2025-10-01", "pos": "27", "lines": lines_}
        token = firm.filer.token
        put = here.send("PUT", token, path, body, key=uuid.uuid4())
        found = there.get(token, path)
        if not (put.is_good and found.is_good):
            yield f"SEEN{look} was answered {put.status} at one and {found.status} {found.body} at the other"
    for line in lines:
        line.close()
    print(f"{LOOKS} documents saved at one web process and read at the other at once")


def _stays_signed_in(stage: TwoMachines, firm: Firm) -> Iterator[str]:
    """Sign in at one web process and ask the other with the same cookie; then sign out there and ask the first."""
    from tests.visitor import Visitor  # noqa: PLC0415

    first, second = (f"http://{host.address}:{PORT}" for host in stage.hosts)
    signed_in = Visitor(first).sign_in(firm.filer.user)
    session = {"Cookie": f"sid={next(cookie.value for cookie in signed_in.cookies if cookie.name == 'sid')}"}
    desk = f"/en/t/{firm.gstin}/"
    found = Visitor(second).get(desk, session)
    if found.status != 200 or firm.gstin not in found.text or "/account/login/" in found.url:
        yield f"signed in at {first}, {second} answered {found.status} {found.url}"
    if "/account/login/" not in Visitor(second).get(desk).url:
        yield "a desk is shown to nobody in particular"
    print("a session of one web process is one of the other")


def _shared(stage: TwoMachines, tallies: Sequence[Tally]) -> Iterator[str]:
    """Yield where one of the two did not do its part, or both did the same."""
    from ims_portal import queue  # noqa: PLC0415

    done = {str(job.pk): job for kind in queue.tasks() for job in kind._default_manager.filter(state="done")}
    by = [stage.jobs_of(number) & done.keys() for number in (0, 1)]
    answers = [sum(count for code, count in tally.answers.items() if code.startswith("2")) for tally in tallies]
    alone = [len(by[0] - by[1]), len(by[1] - by[0])]
    tries = Counter(job.attempts for job in done.values())
    print(f"web answered {answers}, workers did {alone} jobs by themselves of {len(done)}, tried {dict(tries)}")
    yield from (
        f"{type(job).__name__} {pk} was begun {job.attempts} times" for pk, job in done.items() if job.attempts > 1
    )
    yield from (f"web-{number} answered nothing" for number in (0, 1) if not answers[number])
    yield from (f"worker-{number} did nothing" for number in (0, 1) if not alone[number])
    for tally in tallies:
        yield from tally.findings


def main() -> int:
    """Make the machines and the stage, play, and take all of it away."""
    folder = Path(tempfile.mkdtemp(prefix="ims-machines-"))
    try:
        with machines() as hosts:
            stage = TwoMachines(folder, hosts)
            try:
                os.environ |= {**stage.start_servers(), "IMS_ROLE": "command", "PGAPPNAME": "machines"}
                django.setup()
                return play(stage)
            finally:
                stage.end()
    except NoNetworksError as reason:
        print(reason)
        return NOT_ALLOWED
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
