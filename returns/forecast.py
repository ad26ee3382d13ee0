"""What a supplier's next GSTR-3B will owe, low to high: own returns, fixed and provisional add-backs (R6.3, R6.4).

Low is what GSTR-3B would derive now; high adds every rejection that stands today, were its recipient to file now. A
note never adds to its own period: what would land later is told apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ims_portal import calendar
from ims_portal.models import Taxpayer
from ims_portal.rules import periods
from ims_portal.rules.documents import Form
from ims_portal.rules.money import NIL, Tax
from ims_portal.rules.periods import TaxPeriod
from invoices import outward_list
from invoices.models import SupplierReturn
from returns import forecast_sql, table3
from returns.forecast_sql import Group

ROWS = ("t3_1_a", "t3_1_b", "t3_1_1_i")
"""The rows of Table 3 that add-backs go to (R6.3)."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """What one recipient's rejections add: fixed by its filed GSTR-3B, or not yet; how many records each."""

    gstin: str
    name: str
    fixed: Tax = NIL
    fixed_count: int = 0
    provisional: Tax = NIL
    provisional_count: int = 0

    @property
    def together(self) -> Tax:
        """Both."""
        return self.fixed + self.provisional


@dataclass(frozen=True, slots=True)
class Line:
    """One row of Table 3: own filed returns, then what is fixed, then what is not."""

    row: str
    own: Tax = NIL
    fixed: Tax = NIL
    provisional: Tax = NIL

    @property
    def low(self) -> Tax:
        """What GSTR-3B would derive now."""
        return self.own + self.fixed

    @property
    def high(self) -> Tax:
        """The same with every rejection that stands today."""
        return self.low + self.provisional


@dataclass(frozen=True, slots=True)
class Later:
    """What would land in a period after the next one."""

    period: TaxPeriod
    recipients: Sequence[Recipient]

    @property
    def together(self) -> Tax:
        """All of it."""
        return sum((one.together for one in self.recipients), NIL)


@dataclass(frozen=True, slots=True)
class Forecast:
    """A supplier's next GSTR-3B as it can be told at a moment. `gstr1_is_filed`: whether own documents are complete."""

    period: TaxPeriod
    at: datetime
    lines: Sequence[Line]
    recipients: Sequence[Recipient]
    later: Sequence[Later]
    gstr1_is_filed: bool

    @property
    def total(self) -> Line:
        """All rows together."""
        summed = Line("")
        for line in self.lines:
            summed = Line("", summed.own + line.own, summed.fixed + line.fixed, summed.provisional + line.provisional)
        return summed

    @property
    def has_rejections(self) -> bool:
        """Whether any rejection adds to this or a later period."""
        return bool(self.recipients or self.later)


def of(*, supplier: Taxpayer, at: datetime) -> Forecast:
    """Return the forecast of a supplier's first unfiled GSTR-3B. This will write nothing."""
    filer, open_month = calendar.filer(supplier), outward_list.open_month(supplier)
    period = filer.period(open_month)
    groups = forecast_sql.groups(supplier_id=supplier.pk, open_month=period.month)
    by_period: dict[int, list[Group]] = defaultdict(list)
    for group in groups:
        month = group.target_month or periods.addback_period(filer, group.own_month, open_month).month
        by_period[month].append(group)
    own = [entry for entry in table3.entries(taxpayer=supplier, period=period) if entry.source != table3.ADDBACK]
    return Forecast(
        period=period,
        at=at,
        lines=_lines(period, table3.sums(own), by_period.get(period.month, ())),
        recipients=_recipients(by_period.pop(period.month, ())),
        later=[Later(filer.period(month), _recipients(found)) for month, found in sorted(by_period.items())],
        gstr1_is_filed=SupplierReturn.objects.filter(
            supplier=supplier, form=Form.GSTR1.value, month=period.month, filed_on__isnull=False
        ).exists(),
    )


def _lines(period: TaxPeriod, own: dict[str, Tax], found: Iterable[Group]) -> list[Line]:
    fixed: dict[str, Tax] = defaultdict(Tax)
    open_: dict[str, Tax] = defaultdict(Tax)
    for group in found:
        row = group.row or table3.document_row(period.month, group.section, group.inv_type, is_reverse_charge=False)
        kept = fixed if group.target_month else open_
        kept[row] += group.tax
    return [Line(row, own.get(row, NIL), fixed[row], open_[row]) for row in ROWS]


def _recipients(found: Iterable[Group]) -> list[Recipient]:
    """Return what each recipient adds, the dearest first."""
    summed: dict[str, Recipient] = {}
    for group in found:
        held = summed.get(group.gstin) or Recipient(group.gstin, group.name)
        if group.target_month:
            one = Recipient(
                held.gstin,
                held.name,
                held.fixed + group.tax,
                held.fixed_count + group.count,
                held.provisional,
                held.provisional_count,
            )
        else:
            one = Recipient(
                held.gstin,
                held.name,
                held.fixed,
                held.fixed_count,
                held.provisional + group.tax,
                held.provisional_count + group.count,
            )
        summed[group.gstin] = one
    return sorted(summed.values(), key=lambda one: (-one.together.total, one.gstin))
