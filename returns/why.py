"""Why a row of GSTR-3B is what it is: the formula, each summand with the row of law that brought it, lock and cure.

Kept with the filing as JSON, so that a filed return explains itself after the law has moved on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ims_portal.rules import gstr2b as rules2b
from ims_portal.rules import gstr3b as rules
from ims_portal.rules import table3 as rules3
from ims_portal.rules import words
from ims_portal.rules.documents import NAMES, InvoiceType, Section
from ims_portal.rules.gstr2b import PARTS_B, Part, Placement
from ims_portal.rules.money import Tax
from ims_portal.rules.table import Decision
from ims_portal.rules.why import Step, explain
from returns import table3
from returns.table3 import Entry

Sums = Mapping[tuple[Placement, Part], Tax]
OWN_LIABILITY = "t3_1_d"
OURS = "our reading"


@dataclass(frozen=True, slots=True)
class Summand:
    """One part of a row's derived figure, with the row of law that put it there; `tax` in paise, as it counts.

    `taxable`: its taxable value where the row has one, None where it has none or where none was kept.
    """

    says: str
    tax: Tax
    cite: str
    version: int
    taxable: int | None = None


def rows(month: int, sums: Sums, outward: Iterable[Entry]) -> dict[str, dict[str, object]]:
    """Return row -> why, as JSON keeps it, for every row of a period's GSTR-3B."""
    entries = list(outward)
    return {name: row(month, name, sums, entries) for name in rules.ROWS}


def kept(told: Mapping[str, Any]) -> dict[str, object]:
    """Return why a row was what it was, as a filing kept it: one kept without taxable values has none."""
    return {**told, "summands": [(*summand, None)[:5] for summand in told["summands"]]}


def row(month: int, name: str, sums: Sums, outward: Iterable[Entry]) -> dict[str, object]:
    """Return why one row is what it is: `sums` of the statement it derives from, `outward` the entries of Table 3."""
    source = rules.SOURCES.decide(month, row=name)
    summands = [*_of_statement(month, name, sums), *_of_returns(month, name, outward)]
    return {
        "says": source.outcome,
        "cite": source.cite,
        "ours": source.ours,
        "version": source.version,
        "summands": [[s.says, list(s.tax), s.cite, s.version, s.taxable] for s in summands],
        "steps": [step.stored() for step in _steps(month, name)],
    }


def _of_statement(month: int, name: str, sums: Sums) -> Iterable[Summand]:
    rule = rules2b.OWN_LIABILITY if name == OWN_LIABILITY else rules2b.CELL
    feeds: object = True if name == OWN_LIABILITY else name
    for (placement, part), printed in sums.items():
        decided: Decision[bool] | Decision[str] = rule.decide(month, placement=placement, part=part)
        if decided.outcome == feeds:
            says = f"GSTR-2B, {words.PLACES[placement]}, {words.PARTS[part]}"
            yield Summand(says, -printed if part in PARTS_B else printed, decided.cite, decided.version)


def _of_returns(month: int, name: str, outward: Iterable[Entry]) -> Iterable[Summand]:
    for entry in outward:
        if entry.row == name:
            decided = _why_here(month, entry)
            value = None if entry.source == table3.ADDBACK else entry.taxable
            yield Summand(_entry(month, entry), entry.tax, decided.cite, decided.version, value)


def _entry(month: int, entry: Entry) -> str:
    if entry.source == table3.ADDBACK:
        return words.ADDED_BACK
    if entry.source == table3.SUMMARY:
        said = f"{entry.form}, {words.FACTS['section'].names[entry.section]}"
        if entry.original_is_kept is None:
            return said
        against = rules3.AGAINST.decide(month, original_is_kept=entry.original_is_kept)
        return f"{said}, {against.outcome}" + (f" ({OURS}, {against.cite})" if against.ours else "")
    return f"{entry.form}, {NAMES[Section(entry.section)]}"


def _why_here(month: int, entry: Entry) -> Decision[bool] | Decision[str]:
    if entry.source == table3.ADDBACK:
        return rules.ADDS_BACK.decide(month, reduces=True)
    if entry.source == table3.SUMMARY:
        return rules3.deciding(month, entry.section, entry.detail, entry.row)
    if entry.is_uin:
        return rules3.DOCUMENT_IN_3_2.decide(month, recipient_is_uin=True, is_inter_state=True)
    return rules.OUTWARD_ROW.decide(
        month, section=Section(entry.section), inv_type=InvoiceType(entry.detail), is_reverse_charge=False
    )


def _steps(month: int, name: str) -> list[Step]:
    steps = [explain(rules.EDIT_REFUSALS, month, row=name), explain(rules.NEEDS_REASON, month, row=name)]
    if rules.CARRIES_NEGATIVE.decide(month, row=name).outcome:
        steps.append(explain(rules.CARRIES_NEGATIVE, month, row=name))
    return steps
