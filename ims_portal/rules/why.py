"""Why: the row of a rule that decided, in a plain sentence with its source, and what would have decided otherwise.

Made from the tables themselves, so that no explanation can differ from what was decided.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from ims_portal.rules import words
from ims_portal.rules.table import Dated, Decision, Fact, Table, plain

Outcome = TypeVar("Outcome", bound=Hashable)
FIRST_DAY = 10_000_000
"""Numbers from here on are days YYYYMMDD, below it periods YYYYMM."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that would have decided otherwise: a clause to stand after "if", the answer then, who can do it."""

    when: str
    then: str
    mover: str


@dataclass(frozen=True, slots=True)
class Step:
    """One decision in words.

    `version` is the number from which the deciding version is in force (0: as long as there is GST), in the units of
    the rule: a period YYYYMM or a day YYYYMMDD. `ours` marks our reading where nothing is published.
    """

    asks: str
    says: str
    because: tuple[str, ...]
    cite: str
    ours: bool
    version: int
    changes: tuple[Change, ...] = ()

    def stored(self) -> dict[str, object]:
        """Return the step as JSON keeps it."""
        return {
            "asks": self.asks,
            "says": self.says,
            "because": list(self.because),
            "cite": self.cite,
            "ours": self.ours,
            "version": self.version,
            "changes": [[c.when, c.then, c.mover] for c in self.changes],
        }


def explain(rule: Dated[Outcome], when: int, /, **facts: Fact) -> Step:
    """Return why a rule answers as it does at `when`, a number of the units it is governed by."""
    known = {name: plain(value) for name, value in facts.items()}
    table, decided = rule.at(when), rule.decide(when, **facts)
    return Step(
        asks=rule.name,
        says=words.answer(decided.outcome),
        because=tuple(words.facts(name, [known[name]]) for name in _deciding(table, decided, known)),
        cite=decided.cite,
        ours=decided.ours,
        version=decided.version,
        changes=(*_movable(table, decided, known), *_later(rule, decided, known)),
    )


def since(version: int) -> str:
    """Return from when a version is in force: MM/YYYY of a period, DD/MM/YYYY of a day, "" as long as there is GST."""
    if version >= FIRST_DAY:
        return f"{version % 100:02d}/{version // 100 % 100:02d}/{version // 10000}"
    return f"{version % 100:02d}/{version // 100}" if version else ""


def _deciding(table: Table[Outcome], decided: Decision[Outcome], known: Mapping[str, Fact]) -> list[str]:
    """Return the facts that decided: those the row names; of the last row those that alone could have changed it."""
    named = list(table.rows[decided.index].when)
    return named or [
        name for name in table.facts if any(other != decided.outcome for _value, other in _others(table, known, name))
    ]


def _others(table: Table[Outcome], known: Mapping[str, Fact], name: str) -> Iterator[tuple[Fact, Outcome]]:
    """Yield what the table would answer for each other value of one fact."""
    for value in map(plain, table.facts[name]):
        if value != known[name]:
            yield value, table.decide(**{**known, name: value}).outcome


def _movable(table: Table[Outcome], decided: Decision[Outcome], known: Mapping[str, Fact]) -> Iterator[Change]:
    """Yield the changes somebody could still make that would have decided otherwise."""
    for name in table.facts:
        wording = words.FACTS.get(name)
        if wording is None or not wording.mover:
            continue
        for value, other in _others(table, known, name):
            if other != decided.outcome:
                yield Change(words.facts(name, [value]), words.answer(other), wording.mover)


def _later(rule: Dated[Outcome], decided: Decision[Outcome], known: Mapping[str, Fact]) -> Iterator[Change]:
    """Yield the first later version of the rule that decides otherwise."""
    for start, table in rule.versions.items():
        if start > decided.version and known.keys() == table.facts.keys():
            other = table.decide(**known).outcome
            if other != decided.outcome:
                yield Change(f"the rule in force from {since(start)} applied", words.answer(other), words.TIME)
                return
