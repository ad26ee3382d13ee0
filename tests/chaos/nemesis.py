"""What goes wrong, drawn by a seed: processes killed, servers stopped and frozen, days that jump, messages that double.

A fault may leave something down; it heals by itself a while later, while others strike. The nemesis ends nothing but
what the stage started.
"""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import psycopg2
from celery import current_app
from django.db import DatabaseError, InterfaceError, connection

from ims_portal import clock, engines, queue
from ims_portal.models import Job, User
from tests.chaos.stage import WORKERS, Stage

TURNS = (11, 13, 14, 20)
"""Days at whose end, or beginning, the law turns."""
OUTAGES = ((0.2, 2), (1, 5), (5, 20))
"""Seconds a broker is gone, at least and at most: mostly short, sometimes longer than its clients like to wait."""
DOUBLED = 10
LONGEST = 10.0
"""Seconds between two faults at most."""
SCARCE = {"postgres_stopped": 2, "backend_killed": 2, "clock": 8, "web_tree": 2, "worker_tree": 3, "rolling": 1}
"""Fault -> weight; others weigh 4."""
USUAL = 4


@dataclass
class Nemesis:
    """Faults of a seed, about `pace` seconds apart; `struck` counts them, `told` has each.

    It strikes in the thread that made the stage: the kernel ends a child with the thread that started it.
    """

    stage: Stage
    rng: random.Random
    pace: float
    administrator: User
    only: frozenset[str] = frozenset()
    """The faults there are, all where none is named."""
    struck: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    """What ended by itself, and was started again."""
    told: list[str] = field(default_factory=list)
    _heals: dict[str, tuple[float, Callable[[], None]]] = field(default_factory=dict)

    def run(self, is_over: Callable[[], bool]) -> None:
        """Strike until it is over, then heal everything."""
        began = time.monotonic()
        faults = {name.removeprefix("do_"): getattr(self, name) for name in sorted(dir(self)) if name.startswith("do_")}
        names = [name for name in faults if not self.only or name in self.only]
        weights = [SCARCE.get(name, USUAL) for name in names]
        while not is_over():
            time.sleep(min(LONGEST, self.rng.expovariate(1 / self.pace)))
            self._heal(until=time.monotonic())
            self.ended.update(self.stage.supervise())
            name = self.rng.choices(names, weights)[0]
            if faults[name]():
                self.struck[name] += 1
                self.told.append(f"{time.monotonic() - began:7.1f} {name}")
        self._heal(until=float("inf"))
        connection.close()

    def _heal(self, *, until: float) -> None:
        for what in [what for what, (when, _how) in self._heals.items() if when <= until]:
            self._heals.pop(what)[1]()

    def _down(self, what: str, least: float, most: float, how: Callable[[], None]) -> None:
        """Let something be down for a while."""
        self._heals[what] = (time.monotonic() + self.rng.uniform(least, most), how)

    def do_worker_child(self) -> bool:
        """Kill a child of a worker in whatever it is at."""
        return self.stage.kill_child_of(self.rng.choice(WORKERS), self.rng)

    def do_worker_tree(self) -> bool:
        """Kill a worker with its children; it comes back later."""
        name = self.rng.choice(WORKERS)
        self.stage.kill_tree(name)
        self._down(name, 0.5, 8, lambda: self.stage.start(name))
        return True

    def do_web_child(self) -> bool:
        """Kill a process that serves pages; gunicorn starts another."""
        return "web" not in self._heals and self.stage.kill_child_of("web", self.rng)

    def do_web_tree(self) -> bool:
        """Kill gunicorn with its children; it comes back at once."""
        self.stage.kill_tree("web")
        self._down("web", 0.2, 2, lambda: self.stage.start("web"))
        return True

    def do_backend_ended(self) -> bool:
        """End one session of the database as its administrator would."""
        found = self.stage.backends()
        if found:
            with suppress(psycopg2.Error), self.stage.database() as cursor:
                cursor.execute("SELECT pg_terminate_backend(%s)", [self.rng.choice(found)])
        return bool(found)

    def do_backend_killed(self) -> bool:
        """Kill one session's process: the database starts all of its processes anew, from its log."""
        found = self.stage.backends()
        if found:
            engines.send(pid=self.rng.choice(found), number=signal.SIGKILL)
        return bool(found)

    def do_postgres_stopped(self) -> bool:
        """Stop the database as a crash would, and start it a moment later."""
        if "postgres" in self._heals or "broker" in self._heals:
            return False
        self.stage.stop_postgres()
        self._down("postgres", 0.1, 2, self.stage.start_engines)
        return True

    def do_broker_flushed(self) -> bool:
        """Empty the broker."""
        if "broker" in self._heals:
            return False
        self.stage.flush_broker()
        return True

    def do_broker_stopped(self) -> bool:
        """Stop the broker for a while; it comes back empty."""
        if "broker" in self._heals or "postgres" in self._heals:
            return False
        self.stage.stop_broker()
        self._down("broker", *self.rng.choice(OUTAGES), self.stage.start_engines)
        return True

    def do_broker_frozen(self) -> bool:
        """Let the broker take connections and answer none."""
        if "broker" in self._heals:
            return False
        self.stage.signal_broker(signal.SIGSTOP)
        self._down("broker", *self.rng.choice(OUTAGES), lambda: self.stage.signal_broker(signal.SIGCONT))
        return True

    def do_beat_killed(self) -> bool:
        """Kill beat, so that nothing looks at what is due for a while."""
        self.stage.kill_tree("beat")
        self._down("beat", 1, 40, lambda: self.stage.start("beat"))
        return True

    def do_rolling(self) -> bool:
        """Replace what serves pages and a worker, as a deployment does: each may finish, the next starts beside it."""
        if "web" in self._heals:
            return False
        name = self.rng.choice(WORKERS)
        self.stage.reload_web()
        self.stage.ask_to_end(name)
        self._down(name, 0, 1, lambda: self.stage.start(name))
        return True

    def do_clock(self) -> bool:
        """Move the portal's date to just before the end, or just behind the beginning, of a day on which law turns."""
        try:
            clock.set_forward(to=turn(clock.portal().now(), self.rng), actor=self.administrator)
        except (DatabaseError, InterfaceError, clock.ClockNotSettableError):
            connection.close()
            return False
        return True

    def do_doubled(self) -> bool:
        """Send messages again, of work that is due and of work long done, ten times each."""
        if "broker" in self._heals:
            return False
        try:
            sent = [(task, str(pk)) for kind, task in queue.tasks().items() for pk in _jobs(kind)]
        except (DatabaseError, InterfaceError):
            connection.close()
            return False
        with suppress(Exception):  # the broker may be gone by now
            for task, pk in self.rng.sample(sent, min(3, len(sent))):
                for _time in range(DOUBLED):
                    current_app.send_task(task, kwargs={"job_id": pk}, retry=False)
        return bool(sent)


def _jobs(kind: type[Job]) -> list[object]:
    """Return ids of some jobs of a kind, the latest and the first."""
    rows = kind._default_manager.order_by("created_at").values_list("pk", flat=True)
    return [*rows[:2], *rows.reverse()[:2]]


def turn(now: datetime, rng: random.Random) -> datetime:
    """Return the next moment near midnight of a day on which law turns, four seconds before it ends or as it begins."""
    at = now
    while True:
        at += timedelta(days=1)
        day = clock.day(at)
        if day.day in TURNS:
            begins = clock.midnight(day)
            return begins if rng.random() < 0.5 else begins + timedelta(hours=23, minutes=59, seconds=56)
