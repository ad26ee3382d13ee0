"""What a recipient sees of its records: counts and tax per section and action, pages of them, one with its history."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from django.db.models import Count, Q

from ims_portal.models import Taxpayer
from ims_portal.rules import amendments, gstr2b, time_limit
from ims_portal.rules.actions import Action, Refusal
from ims_portal.rules.amendments import Direction
from ims_portal.rules.documents import BILLS_OF_ENTRY, Section
from ims_portal.rules.periods import TaxPeriod
from ims_portal.rules.table import Decision
from invoices import history, inbox_sql, pages_sql, pairs, sorting, uses, why
from invoices.filters import IN_IMS, SUPERSEDED, Filters
from invoices.history import Entry, Reduced
from invoices.inbox_sql import Sum
from invoices.models import ActionEvent, BillOfEntry, Inbox, Record
from invoices.pages_sql import Listed
from invoices.pairs import Pairs
from invoices.sorting import Cursor, Sort
from invoices.standing import Standing
from invoices.uses import Use

ROWS = (25, 50, 100, 200)
NEEDS = "needs"
"""Stands among counted letters for what needs the recipient."""

ORDER = (Action.ACCEPT, Action.REJECT, Action.PENDING, Action.NONE)
"""The order of the choices, everywhere."""


@dataclass(frozen=True, slots=True)
class SectionSum:
    """One section of the summary: counts and tax by action, and what needs the recipient."""

    section: Section
    by_action: Mapping[str, Sum]
    needs_you: Sum

    @property
    def total(self) -> Sum:
        """All open records of the section; superseded ones do not count."""
        return sum((part for letter, part in self.by_action.items() if letter != SUPERSEDED), Sum())


@dataclass(frozen=True, slots=True)
class Line:
    """One record as a list shows it: how it counts today, what may be chosen and why not the rest.

    `twin` is number and action of the only document of the same tax it may belong to.
    """

    record: Record
    effective: Action
    period: TaxPeriod
    refusals: Mapping[Action, Decision[Refusal | None]]
    is_specified: bool
    takes_remark: bool
    pending_until: date | None
    direction: Direction | None = None
    twin: tuple[str, Action] | None = None

    @property
    def is_open(self) -> bool:
        """Whether anything may be chosen."""
        return any(decision.outcome is None for decision in self.refusals.values())

    @property
    def barred(self) -> dict[Action, Refusal]:
        """Action -> why it may not be chosen."""
        return {action: found.outcome for action, found in self.refusals.items() if found.outcome is not None}

    @property
    def reasons(self) -> list[Refusal]:
        """The reasons against what may not be chosen, each once."""
        return list(dict.fromkeys(self.barred.values()))

    @property
    def has_lapsed(self) -> bool:
        """Whether the record was kept pending and that has run out (R3.5)."""
        return self.record.action == Action.PENDING and self.effective is Action.NONE


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list: its lines, how many there are, and the cursors of the pages beside it."""

    lines: list[Line]
    by_action: Mapping[str, Sum]
    shown: Sum
    first: int = 0
    before: str = ""
    after: str = ""

    @property
    def last(self) -> int:
        """The place of the last line in the whole list."""
        return self.first + len(self.lines) - 1 if self.lines else 0


@dataclass(frozen=True, slots=True)
class Detail:
    """One record with everything the desk knows of it."""

    line: Line
    settles_in: TaxPeriod
    bypass: str
    pairs: Pairs
    nears_limit: bool = False
    history: Sequence[Entry] = field(default_factory=list)
    versions: Sequence[Record] = field(default_factory=list)
    reversals: Sequence[Reduced] = field(default_factory=list)
    why: Sequence[Mapping[str, object]] = field(default_factory=list)

    @property
    def record(self) -> Record:
        """The record itself."""
        return self.line.record


def summary(*, taxpayer: Taxpayer, today: Standing, settled: bool = False) -> list[SectionSum]:
    """Return the sums of every section of the inward desk, in its order: one statement."""
    found = inbox_sql.sums(taxpayer.pk, today, Filters(settled=settled))
    return [
        SectionSum(
            section,
            {letter: all_ for (name, letter), (all_, _needs) in found.items() if name == section},
            sum((needs for (name, _letter), (_all, needs) in found.items() if name == section), Sum()),
        )
        for section in IN_IMS
    ]


def page(
    *,
    taxpayer: Taxpayer,
    today: Standing,
    filters: Filters,
    rows: int,
    sort: Sort | None = None,
    cursor: str = "",
    counts_anew: bool = False,
) -> Page:
    """Return one page of a list. This will begin at the first page where the cursor cannot be read.

    The first page counts the list, the cursors carry its counts on; `counts_anew` counts them again on any page.
    """
    order = sort or Sort()
    here = sorting.read(cursor, order)
    kept = here.counted if here and not counts_anew else None
    backwards = here is not None and here.backwards
    found = pages_sql.page(
        taxpayer.pk, today, filters, order, beside=here.beside if here else None, backwards=backwards, limit=rows + 1
    )
    if here is not None and (not found or (backwards and len(found) <= rows)):
        # Less than a page lies before, or nothing any more after: the first page, whole.
        here, backwards = None, False
        found = pages_sql.page(taxpayer.pk, today, filters, order, beside=None, backwards=False, limit=rows + 1)
    has_more, found = len(found) > rows, found[:rows]
    first = here.first if here else 1
    if backwards:
        found.reverse()
        first = max(first - len(found), 1)
    places = [one.place for one in found]
    counted = _counted(taxpayer, today, filters, found) if kept is None else kept
    return Page(
        lines=_lines(taxpayer, today, found),
        by_action={letter: Sum(*sums) for letter, sums in counted.items() if letter != NEEDS},
        shown=_shown(counted, filters),
        first=first if places else 0,
        before=Cursor(order, places[0], backwards=True, first=first, counted=counted).signed()
        if here and places
        else "",
        after=Cursor(order, places[-1], backwards=False, first=first + len(places), counted=counted).signed()
        if places and (has_more or backwards)
        else "",
    )


def _counted(
    taxpayer: Taxpayer, today: Standing, filters: Filters, shown: Sequence[Listed]
) -> dict[str, tuple[int, int]]:
    """Return the counts of a list by action, and under NEEDS of what needs the recipient among those shown.

    `shown` are records of it, if it has any: they tell whom a filter by supplier is about.
    """
    supplier_id = shown[0].record.supplier_id if shown and filters.supplier else None
    counted: dict[str, Sum] = {}
    for (_section, letter), (all_, few) in inbox_sql.sums(taxpayer.pk, today, filters, supplier_id=supplier_id).items():
        counted[letter] = counted.get(letter, Sum()) + all_
        if filters.action in ("", letter):
            counted[NEEDS] = counted.get(NEEDS, Sum()) + few
    return {letter: (found.count, found.tax) for letter, found in counted.items()}


def _shown(counted: Mapping[str, tuple[int, int]], filters: Filters) -> Sum:
    letter = NEEDS if filters.needs_you else filters.action
    if letter:
        return Sum(*counted.get(letter, (0, 0)))
    return sum((Sum(*found) for letter, found in counted.items() if letter != NEEDS), Sum())


def _lines(taxpayer: Taxpayer, today: Standing, found: Sequence[Listed]) -> list[Line]:
    labels = _directions(taxpayer, today, [one.record for one in found])
    return [line(one.record, today, labels.get(one.record.pk), one.twin) for one in found]


def _directions(taxpayer: Taxpayer, today: Standing, records: Iterable[Record]) -> dict[int, Direction]:
    """Return record id -> the label of each amendment; one query where a baseline has the same tax (R2.11)."""
    changes = {record: _tax_change(record) for record in records if record.is_amendment and record.original}
    ties = [record.pk for record, change in changes.items() if change == 0 and record.has_baseline]
    before = inbox_sql.accepted_before(taxpayer.pk, ties)
    return {
        record.pk: amendments.direction(
            today.gstr2b_period(record).month,
            tax=change,
            taxable=record.taxable - before.get(record.pk, record.original.taxable if record.original else 0),
        )
        for record, change in changes.items()
    }


def _tax_change(record: Record) -> int:
    """Return the change of an amendment's total tax against its baseline, else against the version before, in paise."""
    if record.has_baseline or record.original is None:
        return gstr2b.SIGN.python(record.section) * record.effect.total
    return record.tax.total - record.original.tax.total


def near_limit(*, taxpayer: Taxpayer, today: Standing, open_now: TaxPeriod) -> dict[int, Sum]:
    """Return financial year -> undecided records whose credit is barred soon: one query while a limit is near (R7.9).

    `open_now` is the open period.
    """
    years = time_limit.warned_years(today.day, open_now.month)
    return inbox_sql.near_limit(taxpayer.pk, today, years, open_now.month) if years else {}


def _nears_limit(record: Record, today: Standing, settles: TaxPeriod) -> bool:
    """Whether a record is undecided, in time if it settles in a period, and barred soon (R7.9)."""
    if record.settled_month is not None or record.superseded_by_id is not None or today.bypass(record):
        return False
    would_bar = gstr2b.TIME_BAR.decide(
        today.gstr2b_period(record).month,
        section=record.section,
        is_reverse_charge=record.reverse_charge,
        adds_itc=record.effect.total > 0,
        is_past_limit=True,
    ).outcome
    return (
        would_bar
        and record.status != Record.Status.WITHDRAWN
        and today.effective_action(record) in (Action.NONE, Action.PENDING)
        and time_limit.has_begun(today.day, record.credit_fy)
        and not gstr2b.TIME_LIMIT.python(settles.month, record.credit_fy)
    )


def by_ids(taxpayer: Taxpayer, ids: Collection[int]) -> dict[int, Record]:
    """Return a recipient's records by id, with supplier and original; foreign ids are missing."""
    found = Record.objects.filter(recipient=taxpayer, pk__in=ids).select_related("supplier", "original")
    return {record.pk: record for record in found}


def last_settled(taxpayer: Taxpayer, filters: Filters) -> tuple[int, int] | None:
    """Return the latest month whose GSTR-3B settled records of a list's sections, and how many: one query."""
    settled = Record.objects.filter(recipient=taxpayer, settled_month__isnull=False, bypass="")
    by_month = settled.filter(section__in=filters.sections).values_list("settled_month").annotate(count=Count("pk"))
    return by_month.order_by("-settled_month").first()


def told_by_customs(taxpayer: Taxpayer, lines: Iterable[Line]) -> dict[int, date]:
    """Return record id -> the day customs told of it (its reference date): one query, none without bills of entry."""
    ids = [line.record.pk for line in lines if line.record.section in BILLS_OF_ENTRY]
    if not ids:
        return {}
    kept = BillOfEntry.objects.filter(Q(record__in=ids, record__recipient=taxpayer) | Q(reduction__in=ids))
    days: dict[int, date] = {}
    for record_id, reduction_id, day in kept.values_list("record_id", "reduction_id", "reference_date"):
        days |= dict.fromkeys([pk for pk in (record_id, reduction_id) if pk in ids], day)
    return days


def line(
    record: Record, today: Standing, direction: Direction | None = None, twin: tuple[str, Action] | None = None
) -> Line:
    """Return a record as it stands today."""
    return Line(
        record=record,
        effective=today.effective_action(record),
        period=today.gstr2b_period(record),
        refusals={action: today.refusal(record, action) for action in ORDER},
        is_specified=today.is_specified(record),
        takes_remark=not today.remarks_blocked(record),
        pending_until=today.pending_until(record),
        direction=direction,
        twin=twin,
    )


def detail(*, taxpayer: Taxpayer, today: Standing, pk: int) -> Detail | None:
    """Return one record of a recipient with its history, the other versions of its document and what it may belong to.

    Six queries, one more where its supplier edited it, one where the chain was settled, one on a tie of an amendment.
    """
    found = Record.objects.filter(recipient=taxpayer, pk=pk)
    record = found.select_related("supplier", "original", "recipient__inbox").first()
    if record is None:
        return None
    events = list(
        ActionEvent.objects.filter(recipient=taxpayer, record=record).select_related("actor").order_by("-version")
    )
    versions = list(
        Record.objects.filter(recipient=taxpayer, chain=record.chain).exclude(pk=pk).order_by("chain_no", "pk")
    )
    used = uses.of(taxpayer, [pk]).get(pk, [])
    settles = settles_in(record, today, today.filer.period(record.recipient.inbox.open_month))
    return Detail(
        line=line(record, today, direction=_directions(taxpayer, today, [record]).get(pk)),
        settles_in=settles,
        nears_limit=_nears_limit(record, today, settles),
        bypass=today.bypass(record),
        pairs=pairs.of(record, today),
        history=history.of(record, events, used),
        versions=versions,
        reversals=history.reversals(taxpayer, record, versions),
        why=_why(record, today, settles, used),
    )


def _why(record: Record, today: Standing, settles: TaxPeriod, used: Sequence[Use]) -> Sequence[Mapping[str, object]]:
    """Return why a record counts as it does: as the statement that settled it kept it, or as it stands today."""
    if record.status == Record.Status.WITHDRAWN or record.superseded_by_id is not None:
        return []
    if record.settled_month is None:
        return [step.stored() for step in why.of_record(record, today, settles.month)]
    kept = uses.newest(used, record.settled_month)
    return kept.steps if kept else []


def settles_in(record: Record, today: Standing, open_now: TaxPeriod) -> TaxPeriod:
    """Return the period whose GSTR-3B settles a record if it is decided now; `open_now` is the open one."""
    if record.settled_month is not None:
        return today.filer.period(record.settled_month)
    return max(today.gstr2b_period(record), open_now, key=lambda period: period.month)


def open_period(taxpayer: Taxpayer, today: Standing) -> TaxPeriod:
    """Return the earliest of a taxpayer's own periods whose GSTR-3B is not filed."""
    month = Inbox.objects.filter(taxpayer=taxpayer).values_list("open_month", flat=True).first()
    return today.filer.period(month or taxpayer.first_month)
