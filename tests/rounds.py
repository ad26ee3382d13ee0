"""How often each fault of promises 1A was raced, told at the end of a session: "F01: 25 rounds, 0 failures".

A test asks for its rounds; what it could not finish because a round failed counts as one failure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.depth import IS_THOROUGH, ROUNDS

PROPERTY = "rounds"
"""What a test's report carries: fault and count. Reports travel from the processes of one session to its end."""


@dataclass(slots=True)
class Rounds:
    """The rounds of one fault in one test: as many as its length, counted as they begin."""

    count: int
    fault: str
    told: list[tuple[str, object]]

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[int]:
        place = len(self.told)
        self.told.append((PROPERTY, (self.fault, 0)))
        for number in range(self.count):
            self.told[place] = (PROPERTY, (self.fault, number + 1))
            yield number


Begin = Callable[[str, int, int], Rounds]


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> Begin:
    """Return the rounds of a fault: `usual` many, `thorough` where the suite digs deep, IMS_ROUNDS where it is told."""

    def begin(fault: str, usual: int, thorough: int) -> Rounds:
        return Rounds(ROUNDS or (thorough if IS_THOROUGH else usual), fault, request.node.user_properties)

    return begin


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print rounds and failures of each fault, if any was raced."""
    done: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            if report.when != "call":
                continue
            for name, told in report.user_properties:
                if name == PROPERTY:
                    done[told[0]] += told[1]
                    failed[told[0]] += outcome == "failed"
    if done:
        terminalreporter.section("rounds of races")
        for fault in sorted(done):
            terminalreporter.write_line(f"{fault}: {done[fault]} rounds, {failed[fault]} failures")
