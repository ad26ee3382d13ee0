"""A statement as its page reads it: sections, parts and rows with headings, GSTR-3B table, advisory and tax (R7.6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ims_portal.access import Access
from ims_portal.models import Taxpayer
from ims_portal.rules import gstr2b as rules
from ims_portal.rules.documents import Section
from ims_portal.rules.gstr2b import PARTS_B, Part, Placement
from ims_portal.rules.gstr3b import computed
from ims_portal.rules.money import Tax
from ims_portal.rules.periods import Return, TaxPeriod, financial_year_of
from ims_portal.templatetags import ims as show
from invoices import standing
from invoices.models import Inbox, Record
from invoices.standing import Standing
from returns import behind, gstr2b, statement_sums, wording
from returns.models import Gstr2b
from returns.wording import Advice

LATEST = 6
"""Periods that are looked back at."""

SECTIONS: dict[Placement, tuple[Promise, Promise, Promise]] = {
    Placement.AVAILABLE: (
        gettext_lazy("ITC available"),
        gettext_lazy("Part A: credit may be claimed in the GSTR-3B tables named"),
        gettext_lazy("Part B: credit notes, to be netted off against the same tables"),
    ),
    Placement.NOT_AVAILABLE: (
        gettext_lazy("ITC not available"),
        gettext_lazy("Part A: credit may not be claimed in GSTR-3B"),
        gettext_lazy("Part B: credit notes, to be netted off against the same tables"),
    ),
    Placement.REVERSAL: (
        gettext_lazy("ITC reversal"),
        gettext_lazy("Part A: credit to be reversed in GSTR-3B"),
        gettext_lazy("Part B"),
    ),
    Placement.REJECTED: (
        gettext_lazy("ITC rejected"),
        gettext_lazy("Part A: records you rejected in IMS; they feed nothing in GSTR-3B"),
        gettext_lazy("Part B: credit notes you rejected in IMS; they feed nothing in GSTR-3B"),
    ),
}
"""Section of the statement -> its title, what its Part A is, what its Part B is."""

PARTS: dict[Part, tuple[str, Promise]] = {
    Part.A_I: ("I", gettext_lazy("All other ITC - Supplies from registered persons other than reverse charge")),
    Part.A_II: ("II", gettext_lazy("Inward Supplies from ISD")),
    Part.A_III: ("III", gettext_lazy("Inward Supplies liable for reverse charge")),
    Part.A_IV: ("IV", gettext_lazy("Import of Goods")),
    Part.B_I: ("I", gettext_lazy("Others - credit notes other than reverse charge")),
    Part.B_II: ("II", gettext_lazy("ISD credit notes")),
    Part.B_III: ("III", gettext_lazy("Credit notes liable for reverse charge")),
}

ROWS: dict[Section, Promise] = {
    Section.B2B: gettext_lazy("B2B - Invoices"),
    Section.DN: gettext_lazy("B2B - Debit notes"),
    Section.ECO: gettext_lazy("ECO - Documents"),
    Section.B2BA: gettext_lazy("B2B - Invoices (Amendment)"),
    Section.DNA: gettext_lazy("B2B - Debit notes (Amendment)"),
    Section.ECOA: gettext_lazy("ECO - Documents (Amendment)"),
    Section.CN: gettext_lazy("B2B - Credit notes"),
    Section.CNA: gettext_lazy("B2B - Credit notes (Amendment)"),
    Section.ISD: gettext_lazy("ISD - Invoices"),
    Section.ISDCN: gettext_lazy("ISD - Credit notes"),
    Section.IMPG: gettext_lazy("IMPG - Import of goods from overseas"),
    Section.IMPGA: gettext_lazy("IMPG - Import of goods from overseas (Amendment)"),
    Section.IMPGSEZ: gettext_lazy("IMPGSEZ - Import of goods from SEZ"),
    Section.IMPGSEZA: gettext_lazy("IMPGSEZ - Import of goods from SEZ (Amendment)"),
    Section.RULE_37A: gettext_lazy("B2B - Reversal under Rule 37A"),
}

_SUPPLIES = (Section.B2B, Section.DN, Section.ECO, Section.B2BA, Section.DNA, Section.ECOA)
_REVERSE_CHARGE = (Section.B2B, Section.DN, Section.B2BA, Section.DNA)
_NOTES = (Section.CN, Section.CNA)
_BLOCK: dict[Part, tuple[Section, ...]] = {
    Part.A_I: _SUPPLIES,
    Part.A_II: (Section.ISD,),
    Part.A_III: _REVERSE_CHARGE,
    Part.A_IV: (Section.IMPG, Section.IMPGA, Section.IMPGSEZ, Section.IMPGSEZA),
    Part.B_I: _NOTES,
    Part.B_II: (Section.ISDCN,),
    Part.B_III: _NOTES,
}
PRINTED: dict[Placement, dict[Part, tuple[Section, ...]]] = {
    Placement.AVAILABLE: _BLOCK,
    Placement.NOT_AVAILABLE: _BLOCK,
    Placement.REVERSAL: {Part.A_I: (Section.RULE_37A,)},
    Placement.REJECTED: {Part.A_I: _SUPPLIES, Part.B_I: _NOTES},
}
"""The rows a section always prints, zeros included. Whatever else a statement counted is printed too."""


@dataclass(frozen=True, slots=True)
class Line:
    """One printed row. `count` is how many records stand behind it; without any its figures open nothing."""

    number: str
    heading: str
    section: str
    count: int
    tax: Tax


@dataclass(frozen=True, slots=True)
class PartLines:
    """One part of a section: its own sum, and its rows."""

    part: Part
    number: str
    heading: str
    cells: str
    advisory: str
    count: int
    tax: Tax
    rows: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class SectionLines:
    """One section of the statement with its parts, A before B."""

    placement: Placement
    title: str
    half_a: str
    half_b: str
    parts: tuple[PartLines, ...]

    @property
    def count(self) -> int:
        """How many records the section counts."""
        return sum(part.count for part in self.parts)

    @property
    def half_titles(self) -> list[tuple[str, list[PartLines]]]:
        """Part A and Part B with their parts, without empty ones."""
        halves = [
            (self.half_a, [p for p in self.parts if p.part not in PARTS_B]),
            (self.half_b, [p for p in self.parts if p.part in PARTS_B]),
        ]
        return [(title, parts) for title, parts in halves if parts]


def sections(statement: Gstr2b) -> list[SectionLines]:
    """Return a statement as printed, from the sums kept with it: no query."""
    return [_section(statement.month, placement, statement.sums.get(placement.value, {})) for placement in SECTIONS]


def _section(month: int, placement: Placement, sums: Mapping[str, Mapping[str, Sequence[int]]]) -> SectionLines:
    title, half_a, half_b = SECTIONS[placement]
    printed = PRINTED[placement]
    parts = [part for part in PARTS if part in printed or part.value in sums]
    return SectionLines(
        placement,
        str(title),
        str(half_a),
        str(half_b),
        tuple(_part(month, placement, part, printed.get(part, ()), sums.get(part.value, {})) for part in parts),
    )


def _part(
    month: int, placement: Placement, part: Part, always: tuple[Section, ...], sums: Mapping[str, Sequence[int]]
) -> PartLines:
    number, heading = PARTS[part]
    names = [section for section in ROWS if section in always or section.value in sums]
    rows = []
    for place, section in enumerate(names, start=1):
        count, *tax = sums.get(section.value, (0, 0, 0, 0, 0))
        rows.append(Line(f"{number}.{place}", str(ROWS[section]), section.value, count, Tax(*tax)))
    return PartLines(
        part,
        number,
        str(heading),
        cells(month, placement, part),
        advisory(month, placement, part),
        sum(line.count for line in rows),
        sum((line.tax for line in rows), Tax()),
        tuple(rows),
    )


def cells(month: int, placement: Placement, part: Part) -> str:
    """Return the tables of GSTR-3B a part feeds in a period, as the form numbers them; the rules say which."""
    cell = rules.CELL.decide(month, placement=placement, part=part).outcome
    owes = rules.OWN_LIABILITY.decide(month, placement=placement, part=part).outcome
    named = ["3.1(d)"] if owes else []
    return ", ".join([*named, *([wording.ROW_NAMES[cell][0]] if cell else [])])


def advisory(month: int, placement: Placement, part: Part) -> str:
    """Return what the taxpayer does with a part, in a sentence."""
    tables = cells(month, placement, part)
    if not tables:
        return _("Feeds nothing in GSTR-3B. You can change the action in IMS until GSTR-3B is filed.")
    if placement is Placement.REVERSAL:
        return _("To be reversed in %(tables)s; it can be reclaimed once the supplier has paid.") % {"tables": tables}
    if placement is Placement.NOT_AVAILABLE:
        return _("No credit. Shown in %(tables)s for information.") % {"tables": tables}
    if part in PARTS_B:
        return _("Reduces %(tables)s. If negative, it adds.") % {"tables": tables}
    return _("Credit may be taken in %(tables)s. If negative, it reduces.") % {"tables": tables}


@dataclass(frozen=True, slots=True)
class Made:
    """One version of a statement as the list of versions tells it; `table_4` is net ITC, 4(C), as derived from it."""

    statement: Gstr2b
    reason: str
    table_4: Tax


def why_made(newer: Gstr2b, older: Gstr2b | None) -> str:
    """Return why a version was made, from what changed since the one before it (R7.1, R7.11)."""
    if older is None:
        return _("the first, asked for") if newer.computed_by_id else _("the draft of the draft day")
    told = []
    if newer.engine != older.engine:
        told.append(_("the rules had changed"))
    if changes := newer.seq - older.seq:
        text = ngettext("%(count)s saved change", "%(count)s saved changes", changes)
        told.append(text % {"count": show.count(changes)})
    return ", ".join(told) or _("a Pending had lapsed")


def table_4(statement: Gstr2b) -> Tax:
    """Return net ITC, 4(C), as derived from a statement alone: no query (R8.6)."""
    return computed(rules.table4(statement.month, statement_sums.by_part(statement)))["t4C"]


@dataclass(frozen=True)
class Page:
    """All that the page of a period's statement shows.

    `unfiled` are earlier periods whose GSTR-3B must be filed first; `counts_nothing` says that a statement computed
    now would be empty.
    """

    taxpayer: Taxpayer
    period: TaxPeriod
    versions: list[Gstr2b]
    shown: Gstr2b | None
    refusal: Advice | None
    is_stale: bool
    unfiled: Sequence[tuple[TaxPeriod, date]] = ()
    counts_nothing: bool = False

    @property
    def current(self) -> Gstr2b | None:
        """The newest version."""
        return self.versions[0] if self.versions else None

    @property
    def is_current(self) -> bool:
        """Whether the version shown is the newest."""
        return self.shown == self.current

    @property
    def financial_year(self) -> str:
        """The financial year of the period: 2026-27."""
        year = financial_year_of(self.period.month)
        return f"{year}-{(year + 1) % 100:02d}"

    @cached_property
    def made(self) -> list[Made]:
        """Every version with why it was made and what it comes to, the newest first."""
        before: list[Gstr2b | None] = [*self.versions[1:], None]
        return [
            Made(newer, why_made(newer, older), table_4(newer))
            for newer, older in zip(self.versions, before, strict=True)
        ]

    @cached_property
    def sections(self) -> list[SectionLines]:
        """The version shown, as printed."""
        return sections(self.shown) if self.shown else []

    @cached_property
    def total(self) -> Tax:
        """Net ITC of the version shown: what the available section adds to Table 4(A)."""
        return net_available(self.shown) if self.shown else Tax()


def unfiled(open_now: TaxPeriod, before: TaxPeriod, today: Standing) -> list[tuple[TaxPeriod, date]]:
    """Return the taxpayer's periods whose GSTR-3B must be filed before a period's, oldest first, with their due days.

    `open_now` is the oldest unfiled one; empty where that is the period itself or a later one.
    """
    found, period = [], open_now
    while period.month < before.month:
        found.append((period, today.calendar.due(Return.GSTR3B, period, today.filer.group)))
        period = today.filer.following(period)
    return found


def net_available(statement: Gstr2b) -> Tax:
    """Return what a statement's available section comes to: Part A less Part B."""
    total = Tax()
    for (placement, part), tax in statement_sums.by_part(statement).items():
        if placement is Placement.AVAILABLE:
            total = total - tax if part in PARTS_B else total + tax
    return total


def page(*, taxpayer: Taxpayer, period: TaxPeriod, today: Standing, version: int | None = None) -> Page:
    """Return a period's statement page, of one version or the newest: two queries, one more for a lapsed Pending."""
    inbox = Inbox.objects.filter(pk=taxpayer.pk).first() or Inbox(taxpayer=taxpayer, open_month=taxpayer.first_month)
    made = list(gstr2b.versions(taxpayer, period).select_related("computed_by"))
    is_stale = bool(made) and gstr2b.is_out_of_date(made[0], inbox=inbox, today=today)
    found = _page(taxpayer, period, today, inbox, made, is_stale=is_stale)
    if version is None:
        return found
    return replace(found, shown=next((statement for statement in made if statement.version == version), None))


def _page(
    taxpayer: Taxpayer, period: TaxPeriod, today: Standing, inbox: Inbox, made: list[Gstr2b], *, is_stale: bool
) -> Page:
    refusal = gstr2b.refusal_of(
        taxpayer=taxpayer, period=period, inbox=inbox, filer=today.filer, in_force=today.calendar, day=today.day
    )
    advice = None
    if refusal is not None:
        advice = wording.statement(refusal, taxpayer=taxpayer, period=period, today=today, open_month=inbox.open_month)
    return Page(
        taxpayer=taxpayer,
        period=period,
        versions=made,
        shown=made[0] if made else None,
        refusal=advice,
        is_stale=is_stale,
        unfiled=unfiled(today.filer.period(inbox.open_month), period, today) if today.filer.owns(period) else (),
        counts_nothing=not made and refusal is None and not _in_scope(taxpayer, period).exists(),
    )


def _in_scope(taxpayer: Taxpayer, period: TaxPeriod) -> QuerySet[Record]:
    """Return what a statement of a period would count, Pending included (R7.6)."""
    return Record.objects.filter(
        recipient=taxpayer,
        status=Record.Status.FILED,
        settled_month=None,
        superseded_by=None,
        gstr2b_month__lte=period.month,
    )


def open_page(held: Access, at: datetime) -> Page:
    """Return where the open period's newest statement stands, read once for all parts of a page; no older version."""
    return held.once("open statement", at, lambda: _open_page(held, at))


def _open_page(held: Access, at: datetime) -> Page:
    today, inbox = standing.for_page(held, at), standing.inbox(held, at)
    newest = latest(held, at).get(inbox.open_month)
    is_stale = behind.known(held, at, newest, inbox, today) is not None
    period = today.filer.period(inbox.open_month)
    return _page(held.taxpayer, period, today, inbox, [newest] if newest else [], is_stale=is_stale)


def latest_periods(held: Access, at: datetime) -> list[TaxPeriod]:
    """Return the six periods of a taxpayer up to its open one, the newest first; none from before its first."""
    today = standing.for_page(held, at)
    found = [today.filer.period(standing.inbox(held, at).open_month)]
    while len(found) < LATEST and found[-1].first_month > held.taxpayer.first_month:
        found.append(today.filer.previous(found[-1]))
    return found


def latest(held: Access, at: datetime) -> dict[int, Gstr2b]:
    """Return month -> the newest statement of each of the latest periods, read once for all parts of a page."""
    months = [period.month for period in latest_periods(held, at)]
    made = Gstr2b.objects.filter(recipient=held.taxpayer, month__in=months)
    newest = made.order_by("month", "-version").distinct("month")
    return held.once("latest statements", at, lambda: {statement.month: statement for statement in newest})
