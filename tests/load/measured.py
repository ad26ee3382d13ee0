"""What a run measured: how long each kind of request took from when it was due, what went wrong, as a table and JSON.

Latency counts from the moment a request was due, not from when a busy user got round to it: a portal that holds
people up would otherwise be asked less just while it is slow, and look quick.
"""

from __future__ import annotations

import os
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

READ, ACTION, WRITE = "read", "single action", "other write"
TARGETS = {READ: 300, ACTION: 500}
"""Milliseconds that 95 in 100 may take at most (promises 6.2)."""
ERRORS = 0.01
"""Percent of requests that may fail."""
HOT = 1000
"""Milliseconds for single actions on the one hot GSTIN."""
BUSY, BROKE = 503, 500


@dataclass(frozen=True, slots=True)
class Sample:
    """One thing a user did: what kind of thing, over how many requests, when due, sent and done, in seconds."""

    kind: str
    sort: str
    is_hot: bool
    due: float
    sent: float
    done: float
    requests: int = 1
    """How many it took; where they are more than one, the last reads what the others came to."""

    @property
    def reads(self) -> int:
        """How many of its requests only read."""
        return self.requests if self.sort == READ else self.requests - 1

    @property
    def ms(self) -> float:
        """Milliseconds from due to done."""
        return (self.done - self.due) * 1000

    @property
    def own_ms(self) -> float:
        """Milliseconds from sent to done: what the portal took once it was asked."""
        return (self.done - self.sent) * 1000


@dataclass(frozen=True, slots=True)
class Fault:
    """An answer that was not what it should be: the kind, status (0: broken connection), number, what it said."""

    kind: str
    status: int
    number: str
    says: str
    is_explained: bool

    def __str__(self) -> str:
        return f"{self.kind}: {self.status}, request {self.number or 'unknown'}: {self.says}"


@dataclass(slots=True)
class Record:
    """What one user met; nobody else writes to it."""

    samples: list[Sample] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    broke: list[str] = field(default_factory=list)
    """What the driver itself could not make sense of."""
    late: list[float] = field(default_factory=list)
    """Seconds by which a user who had nothing to do began later than due: the driver's own fault."""
    unsent: int = 0
    """What was due before the end and never got its turn."""
    oldest: float = 0.0
    """Seconds for which the oldest of those had been due at the end."""
    conflicts: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table, milliseconds but for `count`; `own95` from when it was sent."""

    name: str
    count: int
    p50: int
    p95: int
    p99: int
    most: int
    own50: int
    own95: int
    errors: Mapping[str, int]
    target: int = 0

    def as_json(self) -> dict[str, object]:
        """Return the line as it is written to a file."""
        return {name: getattr(self, name) for name in self.__slots__}


def line(name: str, samples: Sequence[Sample], faults: Iterable[Fault], *, target: int = 0) -> Line:
    """Return a line of the table for some samples."""
    took, own = sorted(one.ms for one in samples), sorted(one.own_ms for one in samples)
    errors = Counter(str(one.status) for one in faults)
    at = [int(_place(took, part)) for part in (50, 95, 99, 100)]
    return Line(name, len(samples), *at, int(_place(own, 50)), int(_place(own, 95)), dict(errors), target)


def _place(found: Sequence[float], percent: int) -> float:
    """Return the value that so many in a hundred do not exceed, of a sorted list."""
    return found[max(0, -(-len(found) * percent // 100) - 1)] if found else 0.0


@dataclass(frozen=True, slots=True)
class Job:
    """Heavy work that ended: its kind, seconds, why it failed or ""."""

    kind: str
    seconds: float
    problem: str = ""


@dataclass(slots=True)
class Run:
    """Everything a run measured."""

    records: list[Record]
    jobs: list[Job]
    seconds: float
    cpu: Mapping[str, float]
    """Who -> seconds of processor time."""
    asked: Mapping[str, object]

    def lines(self) -> list[Line]:
        """Return the table: every kind, then all reads, all single actions, and those on the hot GSTIN."""
        samples, faults = self.samples, self.faults
        by_kind: dict[str, list[Sample]] = defaultdict(list)
        for one in samples:
            by_kind[one.kind].append(one)
        kinds = sorted({*by_kind, *(one.kind for one in faults)})
        found = [line(kind, by_kind[kind], [one for one in faults if one.kind == kind]) for kind in kinds]
        for sort, target in TARGETS.items():
            found.append(line(f"ALL {sort}s", [one for one in samples if one.sort == sort], [], target=target))
        for sort, target in ((READ, 0), (ACTION, HOT)):
            hot = [one for one in samples if one.sort == sort and one.is_hot]
            found.append(line(f"ALL {sort}s, hot GSTIN", hot, [], target=target))
        return found

    @property
    def samples(self) -> list[Sample]:
        """What everybody did."""
        return [one for record in self.records for one in record.samples]

    @property
    def faults(self) -> list[Fault]:
        """What went wrong for anybody."""
        return [one for record in self.records for one in record.faults]

    @property
    def broke(self) -> list[str]:
        """What the driver could not make sense of."""
        return [one for record in self.records for one in record.broke]

    @property
    def requests(self) -> int:
        """How many requests were answered or failed."""
        return sum(one.requests for one in self.samples) + len(self.faults)

    def text(self) -> str:
        """Return the table and what stands around it."""
        head = f"{'kind':36} {'count':>7} {'p50':>6} {'p95':>6} {'p99':>6} {'max':>6} {'sent50':>6} {'sent95':>6}  of"
        return "\n".join([head, *(_row(one) for one in self.lines()), *self._around()])

    def _around(self) -> Iterable[str]:
        faults, unexplained = self.faults, [one for one in self.faults if not one.is_explained]
        percent = 100 * len(faults) / max(1, self.requests)
        reads = sum(one.reads for one in self.samples)
        told = "ok" if percent < ERRORS else "MISS"
        yield (
            f"{self.requests} requests in {self.seconds:.0f} s: {self.requests / self.seconds:.1f}/s of"
            f" {self.asked['rate']}/s aimed at; {100 * reads / max(1, self.requests):.0f}% of them read"
        )
        yield f"errors: {len(faults)}, {percent:.4f}% of {ERRORS}% {told}; unexplained {len(unexplained)}"
        yield from (f"UNEXPLAINED {one}" for one in unexplained[:50])
        yield from (f"DRIVER {one}" for one in self.broke[:20])
        unsent, oldest = sum(one.unsent for one in self.records), max((one.oldest for one in self.records), default=0)
        yield f"due and never sent: {unsent}" + (f", the oldest due {oldest:.1f} s before the end" if unsent else "")
        yield f"overtaken by somebody else: {sum(one.conflicts for one in self.records)}"
        late = sorted(late for record in self.records for late in record.late)
        yield f"driver began late by: p50 {_place(late, 50) * 1000:.1f} ms, p95 {_place(late, 95) * 1000:.1f} ms"
        shares = (f"{who} {100 * used / self.seconds:.0f}%" for who, used in self.cpu.items())
        yield f"processor, of one core each ({os.cpu_count()} here): {', '.join(shares)}"
        for kind, took in self.jobs_by_kind().items():
            failed = [one.problem for one in self.jobs if one.kind == kind and one.problem]
            median = f"median {statistics.median(took):.1f} s, longest {max(took):.1f} s" if took else "none"
            yield f"{kind}: {len(took)} ended, {median}; {len(failed)} failed {failed[:3] if failed else ''}".rstrip()

    def jobs_by_kind(self) -> dict[str, list[float]]:
        """Return kind of heavy work -> seconds of each that ended well."""
        found: dict[str, list[float]] = {one.kind: [] for one in self.jobs}
        for one in self.jobs:
            if not one.problem:
                found[one.kind].append(one.seconds)
        return found

    def as_json(self) -> dict[str, object]:
        """Return what was measured as it is written to a file."""
        faults = self.faults
        return {
            "asked": dict(self.asked),
            "seconds": self.seconds,
            "requests": self.requests,
            "lines": [one.as_json() for one in self.lines()],
            "errors": dict(Counter(str(one.status) for one in faults)),
            "unexplained": [str(one) for one in faults if not one.is_explained],
            "driver": self.broke,
            "unsent": sum(one.unsent for one in self.records),
            "conflicts": sum(one.conflicts for one in self.records),
            "cpu_seconds": dict(self.cpu),
            "jobs": self.jobs_by_kind(),
            "jobs_failed": [f"{one.kind}: {one.problem}" for one in self.jobs if one.problem],
        }


def _row(one: Line) -> str:
    told = f"{one.target} {'ok' if one.p95 < one.target else 'MISS'}" if one.target and one.count else ""
    errors = " ".join(f"{status}: {count}" for status, count in sorted(one.errors.items()))
    return (
        f"{one.name:36} {one.count:7} {one.p50:6} {one.p95:6} {one.p99:6} {one.most:6} {one.own50:6} {one.own95:6}"
        f"  {told} {errors}".rstrip()
    )
