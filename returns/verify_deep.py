"""Statements told again: what `verify --deep` lays beside what is stored (promises 2.1).

Of every filed GSTR-2B, and of the newest of each period that is not filed, the lines that ought to be there are worked
out by `rules.statement` from what was reported, filed and chosen by then, never by the SQL that made them. Then the
sums kept with the statement, the rows of the GSTR-3B filed on it, and the digest that was shown.

*By then* means: filed at a lower count of the inbox than the statement's `seq` (where that was not kept yet, on an
earlier day than its `as_of`; one of the same day may be in it or not), chosen by the last event up to `seq`, settled by
GSTR-3Bs of earlier periods, with the due dates known at the moment it was computed.

What cannot be judged is left alone. A statement that another version of code or law made (`engine`) has its sums and
digest compared, no line. In a draft that is out of date nothing is said of a GSTR-6 that was replaced since. Whether a
taxpayer has an IMS and how often it files are taken as they stand now. The texts that explain a line are not compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from django.db.models import Exists, OuterRef, QuerySet

from ims_portal import calendar
from ims_portal.models import Taxpayer
from ims_portal.rules import gstr2b as rules
from ims_portal.rules import periods, statement
from ims_portal.rules.gstr2b import Part, Placement
from ims_portal.rules.money import HEADS, Tax
from ims_portal.rules.statement import Counted, Line, Scope
from invoices.models import Inbox
from returns import digests, gstr2b, statement_sums, verify_deep_sql
from returns.models import Filing, Gstr2b
from returns.verify_deep_sql import Beside, Printed
from returns.verify_sql import Invariant

LINES = Invariant("D01 lines", "a statement has the lines that follow from what was reported and chosen by then")
SUMS = Invariant("D02 sums", "what is kept with a statement is what its lines add up to")
TABLE_4 = Invariant("D03 Table 4", "a filed GSTR-3B derives what its statement adds up to")
DIGEST = Invariant("D04 digest", "a filed GSTR-3B is the one that was shown")
INVARIANTS = (LINES, SUMS, TABLE_4, DIGEST)

Offender = tuple[Invariant, str, str]
"""What does not hold, of what, and its id."""

TAX = slice(verify_deep_sql.PRINTED.index(HEADS[0]), verify_deep_sql.PRINTED.index(HEADS[-1]) + 1)


@dataclass(slots=True)
class _Told:
    """What the lines of a statement add up to, and what stays Pending; `is_whole`: every record could be judged."""

    sums: dict[tuple[str, str, str, str], tuple[int, Tax]] = field(default_factory=dict)
    pending: tuple[int, int] = (0, 0)
    liable: int = 0
    is_whole: bool = True

    def add(self, line: Printed) -> None:
        """Take a stored line."""
        placement, _reason, part, row, _cell, status = map(str, line[: TAX.start])
        count, tax = self.sums.get((placement, part, row, status), (0, Tax()))
        self.sums[placement, part, row, status] = count + 1, tax + Tax(*(int(str(head)) for head in line[TAX]))


def look(*, taxpayers: QuerySet[Taxpayer] | None = None, month: int | None = None) -> Iterator[Offender]:
    """Yield what does not hold of the statements that are to be compared, and of filings; of all, or of some.

    Memory stays flat: one document at a time. This will join the caller's transaction.
    """
    statements, filings = _statements(), Filing.objects.all()
    if taxpayers is not None:
        statements, filings = statements.filter(recipient__in=taxpayers), filings.filter(taxpayer__in=taxpayers)
    if month is not None:
        statements, filings = statements.filter(month=month), filings.filter(month=month)
    for one in statements.select_related("recipient").iterator():
        yield from _of_statement(one)
    yield from _digests(filings)


def _of_statement(one: Gstr2b) -> Iterator[Offender]:
    told = _Told()
    yield from _lines(one, told)
    yield from _kept(one, told)
    filing = Filing.objects.filter(statement=one).first()
    if filing is not None and not gstr2b.is_of_other_law(one):
        rows = rules.table4(one.month, _by_part(told))
        if any(list(tax) != filing.derived.get(name) for name, tax in rows.items()):
            yield TABLE_4, "filing", str(filing.pk)


def _statements() -> QuerySet[Gstr2b]:
    """Return the filed statements, and the newest of each period that is not filed."""
    same = {"month": OuterRef("month")}
    filed = Filing.objects.filter(taxpayer=OuterRef("recipient"), **same)
    later = Gstr2b.objects.filter(recipient=OuterRef("recipient"), version__gt=OuterRef("version"), **same)
    is_filed = Exists(Filing.objects.filter(statement=OuterRef("pk")))
    return Gstr2b.objects.filter(is_filed | (~Exists(filed) & ~Exists(later))).order_by("recipient", "month")


def _lines(one: Gstr2b, told: _Told) -> Iterator[Offender]:
    """Compare line by line, and add up what is stored."""
    scope, is_judged = _scope(one), not gstr2b.is_of_other_law(one)
    is_current = Inbox.objects.filter(pk=one.recipient_id, seq=one.seq).exists()
    found = verify_deep_sql.beside(recipient_id=one.recipient_id, month=one.month, version=one.version, seq=one.seq)
    told.is_whole = is_judged
    for beside in found:
        if beside.line is not None:
            told.add(beside.line)
        if is_judged and not _agrees(one, beside, scope, told, is_current=is_current):
            yield LINES, f"line of statement {one.pk}, record", str(beside.record.id)


def _scope(one: Gstr2b) -> Scope:
    filer, in_force = calendar.of(one.recipient, one.computed_at)
    return Scope(
        month=one.month,
        state=one.recipient.state,
        has_ims=one.recipient.has_ims,
        lapsed=periods.lapsed(filer, one.as_of, in_force),
    )


def _agrees(one: Gstr2b, beside: Beside, scope: Scope, told: _Told, *, is_current: bool) -> bool:
    """Whether the stored line of a record, or that it has none, is what the law says, as far as that can be told."""
    as_of = one.as_of.isoformat()
    came = {kept.id: kept.came_before(one.seq, as_of) for kept in (beside.record, *beside.others)}
    was_taken_back = any(kept.was_taken_back for kept in (beside.record, *beside.others))
    if None in came.values() or (was_taken_back and not is_current):
        told.is_whole = False
        return True
    version = beside.record.version(one.month)
    others = [kept.version(one.month) for kept in beside.others if came[kept.id]]
    in_scope = came[version.number] and version.month <= one.month and not version.settled_as
    if not in_scope or statement.is_superseded(version, others, one.month):
        return beside.line is None
    counted = statement.counted(version, others, beside.choice, scope)
    told.liable += counted.liable
    if counted.line is None:
        told.pending = told.pending[0] + 1, told.pending[1] + counted.effect.total
    return beside.line == _printed(counted)


def _printed(counted: Counted) -> Printed | None:
    line: Line | None = counted.line
    if line is None:
        return None
    place = (line.placement, line.reason, line.part, line.row, line.cell, line.status)
    return (*(str(one) for one in place), *line.tax, line.answer, line.remark)


def _kept(one: Gstr2b, told: _Told) -> Iterator[Offender]:
    """Compare what is kept with a statement: sums by place, count, what became of records, value of 3.1(d)."""
    agrees = one.sums == statement_sums.kept_sums(told.sums) and one.line_count == sum(
        n for n, _tax in told.sums.values()
    )
    if told.is_whole:
        agrees = agrees and one.liable_taxable == told.liable
        agrees = agrees and one.by_status in ({}, statement_sums.kept_by_status(told.sums, told.pending))
    if not agrees:
        yield SUMS, "statement", str(one.pk)


def _by_part(told: _Told) -> Mapping[tuple[Placement, Part], Tax]:
    found: dict[tuple[Placement, Part], Tax] = {}
    for (placement, part, _row, _status), (_count, tax) in told.sums.items():
        key = Placement(placement), Part(part)
        found[key] = found.get(key, Tax()) + tax
    return found


def _digests(filings: QuerySet[Filing]) -> Iterator[Offender]:
    """Compare each filing with the digest it was filed under."""
    for filing in filings.select_related("taxpayer", "return_period", "statement").iterator():
        now = digests.of_return(
            gstin=filing.taxpayer.gstin,
            period=filing.return_period.period.name,
            statement=(filing.statement.pk, filing.statement.version) if filing.statement else None,
            derived=filing.derived,
            declared=filing.declared,
            reasons=filing.reasons,
            payment=filing.payment,
            taxable=(filing.taxable.get("derived", {}), filing.taxable.get("declared", {})),
        )
        if now != filing.digest:
            yield DIGEST, "filing", str(filing.pk)
