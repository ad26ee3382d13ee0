"""What is kept with a version of a statement beside its lines: sums by place and row, and by what became of records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ims_portal.rules import gstr2b as rules
from ims_portal.rules.gstr2b import Part, Placement
from ims_portal.rules.money import Tax
from returns.models import Gstr2b

Sums = Mapping[tuple[str, str, str, str], tuple[int, Tax]]
"""(placement, part, row, status) -> (count, tax as printed)."""
KeptSums = dict[str, dict[str, dict[str, list[int]]]]
"""Placement -> part -> row -> [count, igst, cgst, sgst, cess], in paise."""
NOTHING = (0, 0)
PENDING = "pending"
"""Stands in `Gstr2b.by_status` for what was Pending and so is not in the statement."""


@dataclass(frozen=True, slots=True)
class Told:
    """What is kept with a version beside its lines; see Gstr2b. `by_status` lacks what is Pending."""

    sums: KeptSums
    by_status: dict[str, list[int]]
    liable_taxable: int

    def kept(self, pending: tuple[int, int]) -> dict[str, Any]:
        """Return it as the fields of a Gstr2b; `pending` is count and net ITC of what is Pending."""
        return {
            "sums": self.sums,
            "by_status": self.by_status | {PENDING: list(pending)},
            "liable_taxable": self.liable_taxable,
            "line_count": count(self.sums),
        }


def by_part(statement: Gstr2b) -> dict[tuple[Placement, Part], Tax]:
    """Return (placement, part) -> tax as printed, from the sums kept with a statement."""
    found: dict[tuple[Placement, Part], Tax] = {}
    for placement, parts in statement.sums.items():
        for part, rows in parts.items():
            key = Placement(placement), Part(part)
            found[key] = sum((Tax(*line[1:]) for line in rows.values()), Tax())
    return found


def kept_sums(sums: Sums) -> KeptSums:
    """Return sums as kept: placement -> part -> row -> [count, igst, cgst, sgst, cess]."""
    kept: KeptSums = {}
    for (placement, part, row, _status), found in sums.items():
        line = kept.setdefault(placement, {}).setdefault(part, {}).setdefault(row, [0, 0, 0, 0, 0])
        line[:] = [before + more for before, more in zip(line, (found[0], *found[1]), strict=True)]
    return kept


def kept_by_status(sums: Sums, pending: tuple[int, int] = NOTHING) -> dict[str, list[int]]:
    """Return status -> [count, net ITC] of records that can be decided on: taken, or given up where rejected."""
    kept = {status.value: [0, 0] for status in rules.Status if status} | {PENDING: list(pending)}
    for (placement, part, _row, status), (count, tax) in sums.items():
        if status and placement in (Placement.AVAILABLE, Placement.REJECTED):
            kept[status][0] += count
            kept[status][1] += -tax.total if part in rules.PARTS_B else tax.total
    return kept


def plus(line: list[int], more: list[int]) -> list[int]:
    """Return two lines added up, figure by figure."""
    return [before + added for before, added in zip(line, more, strict=True)]


def added(kept: KeptSums, more: KeptSums) -> KeptSums:
    """Return sums with what moved added; what comes to no lines is left out, as it would be if counted afresh."""
    found: dict[tuple[str, str, str], list[int]] = {}
    for sums in (kept, more):
        for placement, parts in sums.items():
            for part, rows in parts.items():
                for row, line in rows.items():
                    found[placement, part, row] = plus(found.get((placement, part, row), [0] * len(line)), line)
    told: KeptSums = {}
    for (placement, part, row), line in sorted(found.items()):
        if line[0]:
            told.setdefault(placement, {}).setdefault(part, {})[row] = line
    return told


def count(sums: KeptSums) -> int:
    """Return how many lines sums are of."""
    return sum(line[0] for parts in sums.values() for rows in parts.values() for line in rows.values())
