"""What a signatory looks at before filing: what stands in the way, and what becomes final (R8.11, R6.3, R7.7)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Abs

import invoices.wording
from ims_portal.models import Taxpayer
from ims_portal.rules import gstr3b as rules
from ims_portal.rules.actions import Answer, Refusal
from ims_portal.rules.gstr2b import Placement, Status
from ims_portal.rules.money import HEADS, Tax
from ims_portal.rules.periods import TaxPeriod
from invoices.standing import Standing
from returns import gstr2b, gstr3b, wording
from returns.gstr3b import Draft
from returns.models import Gstr2b, Gstr2bLine
from returns.wording import Advice

LISTED = 100
"""Records each list of the review prints; what is left out is counted and linked."""


@dataclass(frozen=True, slots=True)
class Check:
    """One condition of filing: what must hold, whether it does, and the cure where it does not."""

    text: str
    is_met: bool
    advice: Advice | None
    cite: str


@dataclass(frozen=True, slots=True)
class Final:
    """Records that become final in one way: how many, their tax as printed, the dearest of them."""

    count: int
    tax: int
    lines: list[Gstr2bLine]

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

    @property
    def may_be_filed(self) -> bool:
        """Whether nothing stands in the way."""
        return self.draft.refusal is None


def of(*, taxpayer: Taxpayer, period: TaxPeriod, at: datetime, today: Standing) -> Review:
    """Return the review of a period's GSTR-3B: the draft and at most five more queries."""
    shown = gstr3b.draft(taxpayer=taxpayer, period=period, at=at, today=today)
    statement = shown.statement
    rejected = _final(statement, Q(placement=Placement.REJECTED.value))
    return Review(
        draft=shown,
        checks=checks(shown),
        deemed=_final(statement, Q(status=Status.DEEMED_ACCEPTED.value)),
        answered=_final(statement, Q(answer__in=[Answer.PART.value, Answer.NONE.value])),
        rejected=rejected,
        rejections=[_rejected(line) for line in rejected.lines],
        add_back=_add_back(statement),
    )


def checks(shown: Draft) -> list[Check]:
    """Return every condition of the rule in force for the period, in the rule's order, kept or not."""
    found = []
    for line in rules.FILING_REFUSALS.at(shown.period.month).rows[:-1]:
        fact = next(iter(line.when))
        is_met = not line.matches(shown.facts)
        refusal = line.outcome
        advice = None if is_met or refusal is None else wording.filing(refusal, shown=shown)
        found.append(Check(str(wording.EXPECTED[fact]), is_met, advice, line.cite))
    return found


def advice(refusal: Refusal, shown: Draft) -> Advice:
    """Return what stands in the way of filing, in words."""
    return wording.filing(refusal, shown=shown)


def _final(statement: Gstr2b | None, which: Q) -> Final:
    """Return the records of a statement that a condition holds for, the dearest first, in two queries."""
    if statement is None:
        return Final(0, 0, [])
    total = F("igst") + F("cgst") + F("sgst") + F("cess")
    found = gstr2b.lines(statement).filter(which)
    lines = list(found.select_related("record__supplier").order_by(Abs(total).desc(), "id")[:LISTED])
    if len(lines) < LISTED:
        return Final(len(lines), sum(line.tax.total for line in lines), lines)
    sums = found.aggregate(count=Count("id"), tax=Sum(total))
    return Final(int(sums["count"]), int(sums["tax"]), lines)


def _rejected(line: Gstr2bLine) -> Rejected:
    sentence, raises_supplier = invoices.wording.rejection_cost(line.record)
    return Rejected(line, sentence, raises_supplier)


def _add_back(statement: Gstr2b | None) -> int:
    """Return what the rejections add to suppliers' tax: the caps of those that reduce."""
    if statement is None:
        return 0
    charged = gstr2b.lines(statement).filter(placement=Placement.REJECTED.value, record__reduces=True)
    sums = charged.aggregate(
        **{
            f"cap_{head}": Sum(f"record__effect_{head}", filter=Q(**{f"record__effect_{head}__lt": 0}))
            for head in HEADS
        }
    )
    return -sum(int(value or 0) for value in sums.values())


@dataclass(frozen=True, slots=True)
class Moved:
    """A row whose figures changed while the signatory looked: as shown, as it stands, the change."""

    number: str
    heading: str
    before: Tax
    now: Tax

    @property
    def change(self) -> Tax:
        """Now less before."""
        return self.now - self.before


def moved(before: Iterable[tuple[str, Tax]], now: Draft) -> list[Moved]:
    """Return the rows of a draft that differ from what was shown, in the form's order."""
    shown = dict(before)
    return [
        Moved(wording.ROW_NAMES[row][0], str(wording.ROW_NAMES[row][1]), shown.get(row, Tax()), now.declared[row])
        for row in rules.ROWS
        if shown.get(row, Tax()) != now.declared[row]
    ]
