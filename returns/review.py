"""What a signatory looks at before filing: what stands in the way, and what becomes final (R8.11, R6.3, R7.7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import BooleanField, Case, Count, F, Func, OrderBy, Sum, Value, When, Window
from django.db.models.expressions import RawSQL
from django.db.models.functions import Abs, Greatest, Least, RowNumber

import invoices.wording
from ims_portal.models import Taxpayer
from ims_portal.rules import gstr3b as rules
from ims_portal.rules.actions import Answer, Refusal
from ims_portal.rules.gstr2b import PARTS_B, Placement, Status
from ims_portal.rules.money import HEADS, Tax
from ims_portal.rules.periods import TaxPeriod
from invoices import records_sql
from invoices.standing import Standing
from returns import gstr2b, gstr3b, wording
from returns.gstr3b import Draft
from returns.models import Gstr2b, Gstr2bLine
from returns.wording import Advice

REJECTED, DEEMED, ANSWERED = "rejected", "deemed", "answered"
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
    """Records that become final in one way: how many, what they add to ITC and take from it, the dearest of them."""

    count: int = 0
    adds: int = 0
    takes: int = 0
    add_back: int = 0
    lines: tuple[Gstr2bLine, ...] = ()

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

    @property
    def may_be_filed(self) -> bool:
        """Whether nothing stands in the way."""
        return self.draft.refusal is None


def of(*, taxpayer: Taxpayer, period: TaxPeriod, at: datetime, today: Standing) -> Review:
    """Return the review of a period's GSTR-3B: the draft, and one more query for what becomes final."""
    shown = gstr3b.draft(taxpayer=taxpayer, period=period, at=at, today=today)
    groups = _finals(shown.statement)
    rejected = groups.get(REJECTED, Final())
    return Review(
        draft=shown,
        checks=checks(shown),
        deemed=groups.get(DEEMED, Final()),
        answered=groups.get(ANSWERED, Final()),
        rejected=rejected,
        rejections=[_rejected(line) for line in rejected.lines],
        add_back=rejected.add_back,
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


def _finals(statement: Gstr2b | None) -> dict[str, Final]:
    """Return what becomes final, by way, the dearest first: one query with its sums."""
    if statement is None:
        return {}
    total = F("igst") + F("cgst") + F("sgst") + F("cess")
    net = Case(When(part__in=[part.value for part in PARTS_B], then=-total), default=total)
    way = Case(
        When(placement=Placement.REJECTED.value, then=Value(REJECTED)),
        When(status=Status.DEEMED_ACCEPTED.value, then=Value(DEEMED)),
        When(answer__in=[Answer.PART.value, Answer.NONE.value], then=Value(ANSWERED)),
        default=Value(""),
    )
    cap = sum((Greatest(-F(f"record__effect_{head}"), Value(0)) for head in HEADS), start=Value(0))
    adds_back = RawSQL(records_sql.adds_back("invoices_record"), [], output_field=BooleanField())  # noqa: S611 our own rule
    charged = Case(When(adds_back, then=cap), default=Value(0))
    found = gstr2b.lines(statement).annotate(way=way, net=net, charged=charged).exclude(way="")
    ranked = found.annotate(
        place=_within(RowNumber(), order_by=[Abs(F("net")).desc(), F("id").asc()]),
        count=_within(Count("id")),
        adds=_within(Sum(Greatest(F("net"), Value(0)))),
        takes=_within(Sum(Least(F("net"), Value(0)))),
        add_back=_within(Sum("charged")),
    ).filter(place__lte=LISTED)
    groups: dict[str, list[Gstr2bLine]] = {}
    for line in ranked.select_related("record__supplier").order_by("way", "place"):
        groups.setdefault(line.way, []).append(line)
    return {name: _final(lines) for name, lines in groups.items()}


def _final(lines: list[Gstr2bLine]) -> Final:
    first: Any = lines[0]  # carries the sums of its whole way
    return Final(first.count, int(first.adds), int(first.takes), int(first.add_back), tuple(lines))


def _within(expression: Func, order_by: list[OrderBy] | None = None) -> Window:
    """Return an expression over all lines of one way."""
    return Window(expression, partition_by=[F("way")], order_by=order_by)


def _rejected(line: Gstr2bLine) -> Rejected:
    sentence, raises_supplier = invoices.wording.rejection_cost(line.record)
    return Rejected(line, sentence, raises_supplier)


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
