"""Table 3 of GSTR-3B: a supplier's own filed returns and the rejections added back to it, row by row (R8.1, R6.4)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ims_portal.models import Taxpayer
from ims_portal.rules import gstr3b as rules
from ims_portal.rules import table3 as rules3
from ims_portal.rules.documents import InvoiceType, Section
from ims_portal.rules.money import Tax
from ims_portal.rules.periods import TaxPeriod
from ims_portal.rules.table3 import AMENDED, BY_NUMBER, Detail
from returns import gstr3b_sql
from returns.gstr3b_sql import Source, Sum
from returns.models import Addback

DOCUMENT, SUMMARY, ADDBACK = "document", "summary", "addback"
LISTED = 200
"""Add-backs a break-up names one by one; all of them count."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One summand of an outward row: documents or a sum of a filed return, or rejections of one row, in paise.

    `pos`: the place of supply of what stands in 3.2, and `is_uin` whether UIN holders were supplied. `original_is_kept`
    tells of amended sums whether what they were reported as before was found; None of everything else.
    """

    row: str
    source: str
    form: str
    section: str
    detail: str
    count: int
    tax: Tax
    taxable: int = 0
    pos: str = ""
    is_uin: bool = False
    original_is_kept: bool | None = None


def entries(*, taxpayer: Taxpayer, period: TaxPeriod) -> list[Entry]:
    """Return what a period's outward rows are summed from: one query, and two more where sums are amended."""
    found: list[Entry] = []
    has_amended = False
    for source in gstr3b_sql.outward(supplier_id=taxpayer.pk, month=period.month):
        if source.source == SUMMARY and source.section in AMENDED:
            has_amended = True
        else:
            found += _of_source(period.month, source)
    if has_amended:
        found += _of_amended(taxpayer, period)
    return found


def _of_source(month: int, found: Source) -> Iterator[Entry]:
    entry = Entry("", found.source, found.form, found.section, found.detail, found.count, found.tax, found.taxable)
    if found.source == ADDBACK:
        yield replace(entry, row=found.section)
    elif found.source == SUMMARY:
        yield from _of_sum(month, entry)
    elif row := document_row(month, found.section, found.detail, is_reverse_charge=found.is_reverse_charge):
        yield replace(entry, row=row)
        if rules3.DOCUMENT_IN_3_2.decide(
            month, recipient_is_uin=bool(found.uin_pos), is_inter_state=bool(found.uin_pos)
        ).outcome:
            yield replace(entry, row="t3_2", pos=found.uin_pos, is_uin=True)


def document_row(month: int, section: str, inv_type: str, *, is_reverse_charge: bool) -> str:
    """Return the row of Table 3 that documents of a section stand in, empty for none."""
    return rules.OUTWARD_ROW.decide(
        month, section=Section(section), inv_type=InvoiceType(inv_type), is_reverse_charge=is_reverse_charge
    ).outcome


def _of_sum(month: int, entry: Entry) -> Iterator[Entry]:
    """Yield a sum for each row it feeds, with its sign; a row without tax takes only its taxable value."""
    sign = rules3.SUMMARY_SIGN.decide(month, section=entry.section).outcome
    signed = replace(entry, taxable=sign * entry.taxable, tax=-entry.tax if sign < 0 else entry.tax)
    for row in rules3.rows_of_summary(month, entry.section, entry.detail):
        tax = Tax() if row in rules.VALUE_ONLY else signed.tax
        yield replace(signed, row=row, tax=tax, pos=Detail.read(entry.detail).pos)


def _of_amended(taxpayer: Taxpayer, period: TaxPeriod) -> Iterator[Entry]:
    """Yield amended sums by their change, summed up by what places them and by whether their original was found."""
    lines = gstr3b_sql.amended(supplier_id=taxpayer.pk, month=period.month)
    before = gstr3b_sql.reported_before(supplier_id=taxpayer.pk, of=lines)
    summed: dict[tuple[str, str, str, bool], Entry] = {}
    for line, old in changes(lines, before):
        key = (line.form, line.section, line.detail.place, old is not None)
        entry = summed.get(key) or Entry("", SUMMARY, *key[:3], 0, Tax(), original_is_kept=key[3])
        taxable, tax = old or (0, Tax())
        summed[key] = replace(
            entry,
            count=entry.count + 1,
            taxable=entry.taxable + line.taxable - taxable,
            tax=entry.tax + line.tax - tax,
        )
    for entry in summed.values():
        yield from _of_sum(period.month, entry)


Value = tuple[int, Tax]
_Key = tuple[str, str]


def changes(lines: Sequence[Sum], before: Iterable[Sum]) -> Iterator[tuple[Sum, Value | None]]:
    """Yield each amended sum with what stood before it, None where nothing was reported (R6.12, R8.1).

    What stood is the newest earlier amendment of the same, and originals filed after that.
    """
    reported: dict[_Key, list[Sum]] = defaultdict(list)
    for line in before:
        reported[_key(line, line.detail.number)].append(line)
    for line in lines:
        earlier = [each for each in reported[_key(line, line.detail.original)] if _order(each) < _order(line)]
        yield line, _standing(sorted(earlier, key=_order))


def _key(line: Sum, name: str) -> _Key:
    """Return what two versions of one sum have in common: the document, or month, place, kind and party."""
    original = AMENDED.get(line.section, line.section)
    if original in {AMENDED[section] for section in BY_NUMBER}:
        return original, name
    told = line.detail
    return original, f"{told.amends or line.own_month} {told.supply} {told.pos} {told.kind} {name}"


def _order(line: Sum) -> tuple[datetime, bool, int]:
    return line.filed_at, line.section in AMENDED, line.pk


def _standing(earlier: Sequence[Sum]) -> Value | None:
    taxable, tax = 0, Tax()
    for line in earlier:
        if line.section in AMENDED:
            taxable, tax = line.taxable, line.tax
        else:
            taxable, tax = taxable + line.taxable, tax + line.tax
    return (taxable, tax) if earlier else None


def sums(found: Iterable[Entry]) -> dict[str, Tax]:
    """Return row -> tax."""
    rows: dict[str, Tax] = {}
    for entry in found:
        rows[entry.row] = rows.get(entry.row, Tax()) + entry.tax
    return rows


def taxable(found: Iterable[Entry], *, liable: int) -> dict[str, int]:
    """Return the taxable value of every row of Table 3; `liable` is that of 3.1(d), from the statement."""
    rows: dict[str, int] = dict.fromkeys(rules.TABLE_3, 0)
    rows["t3_1_d"] = liable
    for entry in found:
        rows[entry.row] += entry.taxable
    return rows


def added_back(found: Iterable[Entry]) -> Tax:
    """Return all that rejections add to a liability, already inside the sums."""
    return sum((entry.tax for entry in found if entry.source == ADDBACK), Tax())


def addbacks(*, taxpayer: Taxpayer, period: TaxPeriod, row: str) -> list[Addback]:
    """Return the rejections that land in a row of a period, with recipient and note: one query."""
    found = Addback.objects.filter(supplier=taxpayer, target_month=period.month, row=row)
    return list(found.select_related("record", "recipient", "filing").order_by("recipient__gstin", "id")[:LISTED])


@dataclass(frozen=True, slots=True)
class Place:
    """Inter-State supplies of one class to one place, as the form lists them in 3.2."""

    pos: str
    taxable: int
    igst: int


def by_place(found: Iterable[Entry]) -> Mapping[bool, list[Place]]:
    """Return the places of 3.2 in order, by whether UIN holders or unregistered persons were supplied."""
    summed: dict[tuple[bool, str], tuple[int, int]] = {}
    for entry in found:
        if entry.row == "t3_2":
            held = summed.get((entry.is_uin, entry.pos), (0, 0))
            summed[entry.is_uin, entry.pos] = (held[0] + entry.taxable, held[1] + entry.tax.igst)
    return {
        is_uin: [Place(pos, *amounts) for (of_uin, pos), amounts in sorted(summed.items()) if of_uin is is_uin]
        for is_uin in (False, True)
    }
