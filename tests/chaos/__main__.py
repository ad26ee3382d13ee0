"""Play chaos: the portal's processes on servers of their own, people's programs at work, faults drawn by a seed.

    .venv/bin/python -m tests.chaos [--seed 1] [--seconds 180] [--faults 1000] [--decisions 300000] [--firms 8]

It plays at least so many seconds, until so many faults struck and decisions were acknowledged. Exit code 0: due work
was done, nothing acknowledged was lost or doubled, every check was silent; 1, and why, otherwise.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import django

from tests.chaos.stage import Stage

if TYPE_CHECKING:
    from tests.chaos.actors import Kept
    from tests.chaos.nemesis import Nemesis
    from tests.chaos.wire import Tally

PACE = 2.5
"""Seconds between faults, on average."""
REPORTED = 60.0


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="Kill, stop and freeze; lose nothing.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--most", type=float, default=9_000, help="seconds after which it ends whatever was reached")
    parser.add_argument("--faults", type=int, default=0)
    parser.add_argument("--decisions", type=int, default=0)
    parser.add_argument("--firms", type=int, default=8)
    parser.add_argument("--pace", type=float, default=PACE)
    parser.add_argument("--only", nargs="*", default=[], help="faults, as a report names them")
    parser.add_argument("--keep", type=Path, help="a folder that keeps data and logs")
    return parser.parse_args()


def play(asked: argparse.Namespace, stage: Stage) -> int:
    """Play on a stage whose servers run, and return the exit code."""
    from django.db import connection  # noqa: PLC0415

    from tests.acks import AckLog  # noqa: PLC0415
    from tests.chaos import actors, nemesis, oracle, world  # noqa: PLC0415 - Django's settings come first
    from tests.chaos.wire import Line, Tally, Until  # noqa: PLC0415

    rng = random.Random(asked.seed)  # noqa: S311 - a play, not a secret
    stage.prepare()
    everybody = world.make(firms=asked.firms)
    stage.start_portal()
    began = time.monotonic()
    kept, tally = actors.Kept(AckLog()), Tally()
    until = Until(began + asked.most)
    lines = lambda: Line(stage.port, tally, until, random.Random(rng.random()))  # noqa: E731, S311
    players = actors.cast(everybody, lines, kept, rng)
    evil = nemesis.Nemesis(stage, random.Random(rng.random()), asked.pace, everybody.administrator)  # noqa: S311
    evil.only = frozenset(asked.only)
    for player in players:
        player.start()
    evil.run(Referee(asked, began, kept, evil, tally))
    until.over()
    for player in players:
        player.join()
    connection.close()  # it broke with the database, long ago
    quiet = time.monotonic()
    broken = [*oracle.liveness(everybody.administrator)]
    recovered = time.monotonic() - quiet
    broken += [*tally.findings, *oracle.faults(kept)]
    _report(evil, tally, oracle.counted(kept), seconds=time.monotonic() - began, recovered=recovered)
    for one in broken[:50]:
        print(f"BROKEN {one}")
    print(f"seed {asked.seed}: {len(broken)} broken")
    return int(bool(broken))


@dataclass
class Referee:
    """Says when it is over: enough of everything, too long, or something that must never happen; reports meanwhile."""

    asked: argparse.Namespace
    began: float
    kept: Kept
    evil: Nemesis
    tally: Tally
    reported: float = 0

    def __call__(self) -> bool:
        """Whether it is over."""
        lasted = time.monotonic() - self.began
        if lasted - self.reported > REPORTED:
            self.reported = lasted
            done = f"{self.evil.struck.total()} faults, {self.kept.decided} decisions, {self.kept.commands} commands"
            print(f"{lasted:.0f} s: {done}, answers {dict(self.tally.answers)}", flush=True)
        is_enough = self.evil.struck.total() >= self.asked.faults and self.kept.decided >= self.asked.decisions
        return (is_enough and lasted >= self.asked.seconds) or lasted >= self.asked.most or bool(self.tally.findings)


def _report(evil: Nemesis, tally: Tally, counts: dict[str, int], *, seconds: float, recovered: float) -> None:
    print(f"{seconds:.0f} s, due work done {recovered:.1f} s after the last fault; {counts}")
    print(f"faults {evil.struck.total()}: {dict(sorted(evil.struck.items()))}")
    print(f"ended by themselves: {dict(evil.ended)}")
    print(f"answers {dict(sorted(tally.answers.items()))}")
    for what, took in sorted(tally.seconds.items()):
        if len(took) > 1:
            p95 = statistics.quantiles(took, n=20)[-1]
            print(f"{what}: {len(took)}, median {statistics.median(took) * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms")


def main() -> int:
    """Make the stage, play, and take it away."""
    asked = _asked()
    folder = asked.keep or Path(tempfile.mkdtemp(prefix="ims-chaos-"))
    stage = Stage(folder)
    try:
        os.environ |= {**stage.start_servers(), "IMS_ROLE": "command", "PGAPPNAME": "chaos"}
        django.setup()
        return play(asked, stage)
    finally:
        stage.end()
        if not asked.keep:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
