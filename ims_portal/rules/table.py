"""The form every rule is written in: rows of a decision table, and dated versions of a table.

One table, two readers. `Table.decide` answers for one record in Python; `ims_portal.sql.case` turns the very
same rows into a SQL CASE that answers for a million. A test proves both equal on every combination of facts.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Generic, TypeVar

Outcome = TypeVar("Outcome", bound=Hashable)
Outcome_co = TypeVar("Outcome_co", bound=Hashable, covariant=True)
Fact = str | bool | int
Facts = Mapping[str, tuple[Fact, ...]]
"""Each fact with the finite list of values it can have."""


class Unit(Enum):
    """The number a rule is dated by: a period YYYYMM (a quarter by its last month), a day YYYYMMDD, a year YYYY."""

    PERIOD = "period"
    DAY = "day"
    YEAR = "financial year"


class NoVersionInForceError(LookupError):
    """A rule was asked for a day before its first version: there is no law to apply, so none is made up."""


@dataclass(frozen=True, slots=True)
class Row(Generic[Outcome_co]):
    """One line of a table: when every named fact has one of the listed values, the outcome holds.

    `cite` names the source (rule id of the law and its publication); `ours` marks our reading where nothing is
    published.
    """

    outcome: Outcome_co
    when: Mapping[str, tuple[Fact, ...]]
    cite: str
    ours: bool = False

    def matches(self, facts: Mapping[str, Fact]) -> bool:
        """Whether this row answers for `facts`, a mapping of every declared fact to its value."""
        return all(facts[name] in values for name, values in self.when.items())


def row(outcome: Outcome, *, cite: str, ours: bool = False, **when: Fact | tuple[Fact, ...]) -> Row[Outcome]:
    """Return a row; a fact given as a tuple matches any of its values, a fact not named matches everything."""
    spread = {name: value if isinstance(value, tuple) else (value,) for name, value in when.items()}
    return Row(
        outcome=outcome, when={name: tuple(map(plain, values)) for name, values in spread.items()}, cite=cite, ours=ours
    )


def plain(value: Fact | Enum) -> Fact:
    """Return the stored form of a fact: enums give their value, everything else itself."""
    return value.value if isinstance(value, Enum) else value


@dataclass(frozen=True, slots=True)
class Decision(Generic[Outcome_co]):
    """What a table answered, and the row that decided (`index` counts from 0; the last is `otherwise`).

    `version` is the number from which the deciding version of a dated rule is in force.
    """

    outcome: Outcome_co
    index: int
    cite: str
    ours: bool
    version: int = 0


@dataclass(frozen=True)
class Table(Generic[Outcome_co]):
    """An ordered list of rows; the first match wins. The last row must match everything (`otherwise`).

    `facts` declares the finite domain of each fact, so that both readers can be compared on every combination.
    """

    name: str
    facts: Facts
    rows: tuple[Row[Outcome_co], ...]
    _domains: Mapping[str, frozenset[Fact]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_domains", {name: frozenset(map(plain, vs)) for name, vs in self.facts.items()})
        if not self.rows or self.rows[-1].when:
            raise ValueError(f"{self.name}: the last row must be an explicit otherwise()")
        for number, line in enumerate(self.rows):
            self._check_row(number, line)

    def _check_row(self, number: int, line: Row[Outcome_co]) -> None:
        if not line.cite:
            raise ValueError(f"{self.name}, row {number}: no citation")
        for name, values in line.when.items():
            unknown = set(values) - self._domains.get(name, frozenset())
            if unknown:
                raise ValueError(f"{self.name}, row {number}: {name} cannot be {sorted(map(str, unknown))}")

    def decide(self, **facts: Fact) -> Decision[Outcome_co]:
        """Return the first row's answer. Every declared fact must be given; an unknown fact or value raises."""
        known = {name: plain(value) for name, value in facts.items()}
        if known.keys() != self._domains.keys():
            raise ValueError(f"{self.name} needs exactly the facts {sorted(self._domains)}, got {sorted(known)}")
        for name, value in known.items():
            if value not in self._domains[name]:
                raise ValueError(f"{self.name}: {name} cannot be {value!r}")
        for number, line in enumerate(self.rows):
            if line.matches(known):
                return Decision(line.outcome, number, line.cite, line.ours)
        raise AssertionError("unreachable: the last row matches everything")

    def combinations(self) -> Iterator[dict[str, Fact]]:
        """Yield every combination of facts, for tests that enumerate."""
        names = list(self._domains)
        for values in itertools.product(*(sorted(self._domains[name], key=str) for name in names)):
            yield dict(zip(names, values, strict=True))


def otherwise(outcome: Outcome, *, cite: str, ours: bool = False) -> Row[Outcome]:
    """Return the row that closes a table: it matches whatever is left."""
    return Row(outcome=outcome, when={}, cite=cite, ours=ours)


@dataclass(frozen=True)
class Dated(Generic[Outcome_co]):
    """Versions of a table by the number from which each is in force.

    `governed_by` says of what that number is, `unit` how it is written. The earliest version of a rule that SQL reads
    starts at 0 and is explicit, because SQL would answer NULL where Python raises, and NULL in a refusal table reads
    as "allowed".
    """

    name: str
    governed_by: str
    versions: Mapping[int, Table[Outcome_co]]
    unit: Unit = Unit.PERIOD
    _decided: dict[tuple[object, ...], Decision[Outcome_co]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )
    """Answers already given; facts have finite domains, so there are finitely many."""

    def __post_init__(self) -> None:
        starts = list(self.versions)
        if starts != sorted(starts):
            raise ValueError(f"{self.name}: versions must be in order of their start")

    def at(self, when: int) -> Table[Outcome_co]:
        """Return the version in force at `when`; before the first one raise NoVersionInForceError."""
        return self.versions[self.version_at(when)]

    def version_at(self, when: int) -> int:
        """Return the start of the version in force at `when`; before the first one raise NoVersionInForceError."""
        started = [start for start in self.versions if start <= when]
        if not started:
            raise NoVersionInForceError(f"{self.name} has no version in force at {when}")
        return started[-1]

    def ends(self, when: int) -> int | None:
        """Return the start of the version that follows the one in force at `when`, None where none is known."""
        return next((start for start in self.versions if start > when), None)

    def decide(self, when: int, /, **facts: Fact) -> Decision[Outcome_co]:
        """Return the answer of the version in force at `when`."""
        version = self.version_at(when)
        asked = (version, *facts.items())
        found = self._decided.get(asked)
        if found is None:
            found = self._decided[asked] = replace(self.versions[version].decide(**facts), version=version)
        return found


def fingerprint(rules: Iterable[Dated[Any]], until: int) -> str:
    """Return twelve hexadecimal digits that change when a version in force by `until` of one of these rules changes.

    A version that begins later changes nothing.
    """
    in_force = [
        (rule.name, start, [(line.outcome, sorted(line.when.items()), line.cite, line.ours) for line in table.rows])
        for rule in rules
        for start, table in rule.versions.items()
        if start <= until
    ]
    return hashlib.sha256(repr(in_force).encode()).hexdigest()[:12]


def always(
    name: str, *, governed_by: str, facts: Facts, rows: tuple[Row[Outcome], ...], unit: Unit = Unit.PERIOD
) -> Dated[Outcome]:
    """Return a rule that has had one version as long as there is GST; a change adds a second one beside it."""
    return Dated(name, governed_by, {0: Table(name, facts, rows)}, unit)
