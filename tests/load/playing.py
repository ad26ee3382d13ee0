"""A run from its empty database to its verdict: make, sign in, measure, judge."""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from django.db import connection

from tests.acks import AckLog
from tests.chaos import oracle
from tests.chaos.stage import Stage
from tests.chaos.wire import Line, Tally, Until
from tests.load import heavy, judged, processor, users, world
from tests.load.heavy import Heavy
from tests.load.measured import Run
from tests.load.users import Pace, Worker
from tests.load.world import Person, World
from tests.visitor import Visitor

SIGNING_IN = 4
"""People who sign in at one time."""
AHEAD = 1.0
"""Seconds between the last preparation and the first request."""

Say = Callable[[str], None]
"""Tells whoever waits."""


def play(asked: argparse.Namespace, stage: Stage, say: Say) -> int:
    """Play on a stage whose servers run, say what was measured, and return the exit code."""
    rng = random.Random(asked.seed)  # noqa: S311 - a play, not a secret
    stage.prepare()
    with _told(say, "the world made"):
        hot = max(1, round(asked.users * asked.hot))
        everything = world.make(rows=asked.rows, tail=asked.tail, users=asked.users, hot_users=hot, rng=rng)
    say(f"{everything.records} records of one large and {asked.tail} small recipients")
    stage.start_portal()
    log, tally, until = AckLog(), Tally(), Until(float("inf"))
    with _told(say, f"{asked.users} signed in"):
        workers = _signed_in(everything, stage.port, log, rng)
    line = lambda: Line(stage.port, tally, until, random.Random(rng.random()))  # noqa: E731, S311
    working = [] if asked.quiet else heavy.all_of(everything, line, stage.port, invoices=asked.invoices)
    run = _measured(asked, stage, workers, working, until)
    say(run.text())
    confirmed = [pk for worker in workers for pk in worker.confirmed]
    broken = [*oracle.liveness(everything.administrator), *tally.findings]
    broken += judged.broken(run, log, confirmed, stage)
    for one in broken[:50]:
        say(f"BROKEN {one}")
    counts = judged.counted(log, confirmed)
    say(f"seed {asked.seed}: {len(broken)} broken; {counts}")
    if asked.json:
        told = {**run.as_json(), "acknowledged": counts, "broken": broken}
        asked.json.write_text(json.dumps(told, indent=1) + "\n")
    return int(bool(broken))


@contextmanager
def _told(say: Say, what: str) -> Iterator[None]:
    """Say how long something took."""
    began = time.monotonic()
    yield
    say(f"{what} in {time.monotonic() - began:.0f} s")


def _signed_in(everything: World, port: int, log: AckLog, rng: random.Random) -> list[Worker]:
    """Sign everybody in, some at a time, and let them open their lists."""
    seeds = [rng.random() for _person in everything.people]
    with ThreadPoolExecutor(SIGNING_IN) as pool:
        list(pool.map(lambda person: _sign_in(person, port), everything.people))
        workers = [
            Worker(person, everything.period, port, log, random.Random(seed))  # noqa: S311
            for person, seed in zip(everything.people, seeds, strict=True)
        ]
        list(pool.map(Worker.begin, workers))
    return workers


def _sign_in(person: Person, port: int) -> None:
    visitor = Visitor(f"http://localhost:{port}").sign_in(person.username)
    person.cookies |= {cookie.name: cookie.value or "" for cookie in visitor.cookies}
    connection.close()  # this thread's own


def _measured(
    asked: argparse.Namespace, stage: Stage, workers: Sequence[Worker], working: Sequence[Heavy], until: Until
) -> Run:
    """Let everybody work for as long as was asked, and return what was measured."""
    begins = time.monotonic() + AHEAD
    until.at = begins + asked.seconds
    pace = Pace(begins, until.at, len(workers) * users.PER_TURN / asked.rate)
    before = processor.used(stage)
    for worker in workers:
        worker.pace = pace
    for one in (*workers, *working):
        one.start()
    time.sleep(max(0.0, until.at - time.monotonic()))
    after = processor.used(stage)
    _join((*workers, *working))
    return Run(
        records=[worker.record for worker in workers],
        jobs=[job for one in working for job in one.jobs],
        seconds=asked.seconds,
        cpu={who: seconds - before.get(who, 0) for who, seconds in after.items()},
        asked={name: value for name, value in vars(asked).items() if name not in ("json", "keep")},
    )


def _join(working: Iterable[Worker | Heavy]) -> None:
    for one in working:
        one.join()
