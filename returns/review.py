"""What a signatory looks at before filing: what stands in the way, and what becomes final (R8.11, R6.3, R7.7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _

import invoices.wording
from ims_portal.models import Taxpayer
from ims_portal.rules import gstr3b as rules
from ims_portal.rules.actions import Refusal
from ims_portal.rules.gstr2b import PARTS_B, Part
from ims_portal.rules.money import Tax
from ims_portal.rules.periods import TaxPeriod
from ims_portal.templatetags import ims as show
from invoices.models import Record
from invoices.pair_words import WARNINGS
from invoices.pairs import Warned
from invoices.standing import Standing
from returns import gstr3b, review_sql, summary, wording
from returns.gstr3b import Draft
from returns.models import Gstr2b, Gstr2bLine
from returns.review_sql import ANSWERED, DEEMED, REJECTED, Paired, Way
from returns.wording import Advice


@dataclass(frozen=True, slots=True)
class Check:
    """One condition of filing: what must hold, whether it does, and the cure where it does not."""

    text: str
    is_met: bool
    advice: Advice | None
    cite: str


@dataclass(frozen=True, slots=True)
class FinalLine:
    """One record that becomes final: its line, and what it does to net ITC, in paise."""

    line: Gstr2bLine
    net: int

    @property
    def record(self) -> Record:
        """The record."""
        return self.line.record


@dataclass(frozen=True, slots=True)
class Final:
    """Records that become final in one way: how many, what they add to ITC and take from it, the dearest of them."""

    count: int = 0
    adds: int = 0
    takes: int = 0
    add_back: int = 0
    lines: tuple[FinalLine, ...] = ()

    @property
    def taken(self) -> int:
        """What they take from ITC, as a positive amount."""
        return -self.takes

    @property
    def unlisted(self) -> int:
        """How many are not listed."""
        return self.count - len(self.lines)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A rejection and who pays for it."""

    line: Gstr2bLine
    sentence: str
    raises_supplier: bool


@dataclass(frozen=True, slots=True)
class Review:
    """A draft GSTR-3B with its checks, and what filing makes final."""

    draft: Draft
    checks: list[Check]
    deemed: Final
    answered: Final
    rejections: list[Rejected]
    rejected: Final
    add_back: int
    pairs: Sequence[Paired] = ()
    unfiled: Sequence[tuple[TaxPeriod, date]] = ()

    @property
    def may_be_filed(self) -> bool:
        """Whether nothing stands in the way."""
        return self.draft.refusal is None


def of(*, taxpayer: Taxpayer, period: TaxPeriod, at: datetime, today: Standing) -> Review:
    """Return the review of a period's GSTR-3B: the draft, and two more queries for what becomes final."""
    shown = gstr3b.draft(taxpayer=taxpayer, period=period, at=at, today=today)
    groups, pairs = _finals(shown.statement)
    rejected = groups.get(REJECTED, Final())
    return Review(
        draft=shown,
        checks=checks(shown),
        deemed=groups.get(DEEMED, Final()),
        answered=groups.get(ANSWERED, Final()),
        rejected=rejected,
        rejections=[_rejected(found.line) for found in rejected.lines],
        add_back=rejected.add_back,
        pairs=pairs,
        unfiled=summary.unfiled(shown.open_period, period, today),
    )


def checks(shown: Draft) -> list[Check]:
    """Return every condition of the rule in force for the period, in the rule's order, kept or not."""
    found = []
    for line in rules.FILING_REFUSALS.at(shown.period.month).rows[:-1]:
        fact = next(iter(line.when))
        if fact == "is_stale" and shown.facts["has_no_statement"]:
            continue
        is_met = not line.matches(shown.facts)
        refusal = line.outcome
        advice = None if is_met or refusal is None else wording.filing(refusal, shown=shown)
        found.append(Check(str(wording.EXPECTED[fact]), is_met, advice, line.cite))
    return found


def advice(refusal: Refusal, shown: Draft) -> Advice:
    """Return what stands in the way of filing, in words."""
    return wording.filing(refusal, shown=shown)


def _finals(statement: Gstr2b | None) -> tuple[dict[str, Final], list[Paired]]:
    """Return what becomes final, by way, the dearest first, and the pairs to look at: two queries, however many."""
    if statement is None:
        return {}, []
    ways, pairs = review_sql.finals(statement)
    listed = [pk for way in ways.values() for pk in way.lines]
    of_one = {"recipient": statement.recipient_id, "record__recipient": statement.recipient_id}
    lines = Gstr2bLine.objects.filter(**of_one).select_related("record__supplier").in_bulk(listed)
    return {name: _final(way, lines) for name, way in ways.items()}, pairs


def _final(way: Way, lines: Mapping[int, Gstr2bLine]) -> Final:
    found = tuple(FinalLine(lines[pk], _net(lines[pk])) for pk in way.lines)
    return Final(way.count, way.adds, way.takes, way.add_back, found)


def _net(line: Gstr2bLine) -> int:
    return -line.tax.total if Part(line.part) in PARTS_B else line.tax.total


def _rejected(line: Gstr2bLine) -> Rejected:
    sentence, raises_supplier = invoices.wording.rejection_cost(line.record)
    return Rejected(line, sentence, raises_supplier)


def above_statement(shown: Draft) -> list[str]:
    """Return the rows of Table 4 declared above GSTR-2B, by how much per head: a warning, never a block (R8.16)."""
    told = []
    for row in shown.warnings:
        if rules.WARNS_WHEN.decide(shown.period.month, row=row).outcome == "above":
            gaps = (shown.declared[row] - shown.derived[row]).as_dict()
            heads = [f"{wording.HEAD_NAMES[head]} {show.inr(gap)}" for head, gap in gaps.items() if gap > 0]
            number, heading = wording.ROW_NAMES[row]
            told.append(
                _("%(row)s %(heading)s is declared above GSTR-2B: %(heads)s.")
                % {"row": number, "heading": heading, "heads": ", ".join(heads)}
            )
    return told


def pair_warning(pair: Paired) -> str:
    """Return what a rejected invoice and its likely credit note are warned of (`invoices.pair_words`)."""
    warned = Warned.BOTH_REJECTED if pair.note_is_rejected else Warned.INVOICE_REJECTED
    return str(WARNINGS[warned]) % {
        "invoice": pair.invoice,
        "note": pair.note,
        "note_tax": show.inr(pair.tax),
        "supplier": pair.supplier,
    }


@dataclass(frozen=True, slots=True)
class Moved:
    """A row whose figures changed while the signatory looked: as shown, as it stands, the change.

    Taxable values are None where the row has none.
    """

    number: str
    heading: str
    is_derived: bool
    before: Tax
    now: Tax
    taxable_before: int | None
    taxable_now: int | None

    @property
    def change(self) -> Tax:
        """Now less before."""
        return self.now - self.before

    @property
    def taxable_change(self) -> int | None:
        """Taxable value now less before."""
        return None if self.taxable_now is None else self.taxable_now - (self.taxable_before or 0)


def shown(draft: Draft) -> dict[str, object]:
    """Return the figures a signatory was shown, to be set beside the new ones should they change."""
    return {
        "version": draft.statement.version if draft.statement else 0,
        "derived": {row: list(tax) for row, tax in draft.derived.items()},
        "declared": {row: list(tax) for row, tax in draft.declared.items()},
        "taxable": {"derived": draft.taxable, "declared": draft.declared_taxable},
    }


def moved(before: Mapping[str, Any], now: Draft) -> list[Moved]:
    """Return the rows, derived and declared, that differ from what was shown, in the form's order."""
    found = []
    for row in rules.ROWS:
        number, heading = wording.ROW_NAMES[row]
        for name, stands, value in (
            ("derived", now.derived[row], now.taxable.get(row)),
            ("declared", now.declared[row], now.declared_taxable.get(row)),
        ):
            seen = Tax(*before.get(name, {}).get(row, ()))
            seen_value = before.get("taxable", {}).get(name, {}).get(row)
            if (seen, seen_value or 0) != (stands, value or 0):
                found.append(Moved(number, str(heading), name == "derived", seen, stands, seen_value, value))
    return found
