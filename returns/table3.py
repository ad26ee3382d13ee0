"""Table 3 of GSTR-3B: a supplier's own filed returns and the rejections added back to it, row by row (R8.1, R6.4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ims_portal.models import Taxpayer
from ims_portal.rules import gstr3b as rules
from ims_portal.rules.documents import InvoiceType, Section
from ims_portal.rules.money import Tax
from ims_portal.rules.periods import TaxPeriod
from returns import gstr3b_sql
from returns.models import Addback

DOCUMENT, SUMMARY, ADDBACK = "document", "summary", "addback"
LISTED = 200
"""Add-backs a break-up names one by one; all of them count."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One summand of an outward row: documents or a summary of a filed return, or rejections of one row."""

    row: str
    source: str
    form: str
    section: str
    detail: str
    count: int
    tax: Tax


def entries(*, taxpayer: Taxpayer, period: TaxPeriod) -> list[Entry]:
    """Return what a period's outward rows are summed from: one query."""
    found = []
    for source, form, section, detail, count, tax in gstr3b_sql.outward(supplier_id=taxpayer.pk, month=period.month):
        takes = source == SUMMARY and rules.SUMMARY_SIGN.decide(period.month, section=section).outcome < 0
        summand = -tax if takes else tax
        found += [
            Entry(row, source, form, section, detail, count, summand)
            for row in _rows(period.month, source, section, detail)
        ]
    return found


def _rows(month: int, source: str, section: str, detail: str) -> list[str]:
    if source == ADDBACK:
        return [section]
    if source == SUMMARY:
        return rules.rows_of_summary(month, section, detail)
    return [rules.OUTWARD_ROW.decide(month, section=Section(section), inv_type=InvoiceType(detail)).outcome]


def sums(found: Iterable[Entry]) -> dict[str, Tax]:
    """Return row -> tax."""
    rows: dict[str, Tax] = {}
    for entry in found:
        rows[entry.row] = rows.get(entry.row, Tax()) + entry.tax
    return rows


def added_back(found: Iterable[Entry]) -> Tax:
    """Return all that rejections add to a liability, already inside the sums."""
    return sum((entry.tax for entry in found if entry.source == ADDBACK), Tax())


def addbacks(*, taxpayer: Taxpayer, period: TaxPeriod, row: str) -> list[Addback]:
    """Return the rejections that land in a row of a period, with recipient and note: one query."""
    found = Addback.objects.filter(supplier=taxpayer, target_month=period.month, row=row)
    return list(found.select_related("record", "recipient", "filing").order_by("recipient__gstin", "id")[:LISTED])
