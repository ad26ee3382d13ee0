"""What the hot paths take, beside a naive way and beside a limit of the machine, in the same run.

A path is measured some rounds, its limit in between, so that both meet the same machine; the naive way once, on fewer
rows where it would take too long. What counts is the ratio. See docs/scale.md.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path

STATUS, PEAK_IS_FORGOTTEN = Path("/proc/self/status"), Path("/proc/self/clear_refs")
"""What Linux tells of a process, its memory in kB; and where it forgets the peak when told 5."""
KB_OF_A_MB = 1024

Timed = Callable[[], float]
"""Does something once and returns the seconds of it that count."""


@dataclass(frozen=True, slots=True)
class Target:
    """A bound of a ratio: of `ours` to `of` at most, or at least where `is_least` (of is slower).

    `of` is naive, limit, or one of what is measured beside.
    """

    of: str
    times: float
    is_least: bool = False

    def misses(self, found: Measured) -> str:
        """Return how a path misses its target, "" where it keeps it."""
        beside = found.beside[self.of] if self.of in found.beside else getattr(found, self.of)
        ratio = beside / found.ours if self.is_least else found.ours / beside
        is_kept = ratio >= self.times if self.is_least else ratio <= self.times
        word = "at least" if self.is_least else "at most"
        return "" if is_kept else f"{ratio:.2f} of {self.of}, {word} {self.times:g}"


@dataclass(frozen=True, slots=True)
class Measured:
    """A path: rows, seconds of ours, the naive way and the limit (medians), slowest to fastest round, peak MB.

    `beside` holds further seconds worth telling, by name.
    """

    name: str
    rows: int
    ours: float
    naive: float
    limit: float
    spread: float
    memory_mb: int
    targets: Sequence[Target] = ()
    beside: Mapping[str, float] = field(default_factory=dict)

    def misses(self) -> list[str]:
        """Return the targets it misses, in words."""
        return [told for target in self.targets if (told := target.misses(self))]

    def as_json(self) -> dict[str, object]:
        """Return the figures as they are written to a file."""
        found = asdict(self)
        del found["name"], found["targets"]
        return {**found, "misses": self.misses()}


@dataclass(frozen=True, slots=True)
class HotPath:
    """How a path is measured; `naive_share` is the part of the rows the naive way is given, and scaled by."""

    name: str
    rows: int
    ours: Timed
    naive: Timed
    limit: Timed
    targets: Sequence[Target]
    naive_share: float = 1.0
    beside: Mapping[str, Timed] = field(default_factory=dict)
    within: Callable[[], AbstractContextManager[object]] = nullcontext
    peak: Callable[[], int] = lambda: memory("VmHWM")


def measured(path: HotPath, *, rounds: int) -> Measured:
    """Measure a path: ours and its limit by turns, after one of each that does not count."""
    with path.within():
        path.limit()
        PEAK_IS_FORGOTTEN.write_text("5")
        path.ours()
        peak = path.peak()
        pairs = [(path.ours(), path.limit()) for _round in range(rounds)]
        beside = {name: statistics.median(do() for _round in range(rounds)) for name, do in path.beside.items()}
        naive = path.naive() / path.naive_share
    ours, limits = zip(*pairs, strict=True)
    return Measured(
        name=path.name,
        rows=path.rows,
        ours=statistics.median(ours),
        naive=naive,
        limit=statistics.median(limits),
        spread=max(ours) / min(ours),
        memory_mb=peak,
        targets=path.targets,
        beside=beside,
    )


def memory(name: str) -> int:
    """Return MB of this process's memory: VmRSS now, VmHWM at its peak."""
    return int(STATUS.read_text().split(f"{name}:")[1].split()[0]) // KB_OF_A_MB


def timed(do: Callable[[], object]) -> float:
    """Return the seconds something takes."""
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def table(found: Sequence[Measured]) -> str:
    """Return the figures as a table for a terminal; ratios are of ours to the limit, and of the naive way to ours."""
    head = f"{'path':12} {'rows':>9} {'ours s':>8} {'limit s':>8} {'x limit':>8} {'naive s':>9} {'x faster':>9}"
    lines = [
        f"{one.name:12} {one.rows:9} {one.ours:8.3f} {one.limit:8.3f} {one.ours / one.limit:8.2f} {one.naive:9.2f}"
        f" {one.naive / one.ours:9.1f}  spread {one.spread:.2f}, {one.memory_mb} MB  {'; '.join(one.misses()) or 'ok'}"
        + "".join(f"\n{'':12} {name}: {seconds:.3f} s" for name, seconds in one.beside.items())
        for one in found
    ]
    return "\n".join([f"{head}", *lines])
