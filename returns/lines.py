"""The document lines behind a statement's figures, a page at a time; and what two versions count differently."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import or_
from typing import Any

from django.core import signing
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ims_portal.rules.actions import Answer
from ims_portal.rules.documents import Section
from ims_portal.rules.gstr2b import (
    CELL,
    OWN_LIABILITY,
    PARTS_B,
    Part,
    Placement,
    Status,
    Unavailable,
    own_liability,
)
from ims_portal.rules.money import Tax
from invoices.models import ActionEvent, Record
from invoices.standing import Standing
from returns import behind_sql, cells, gstr2b, summary, wording
from returns.cells import Cell, Moved
from returns.gstr2b import Change
from returns.models import Gstr2b, Gstr2bLine

SIZES = (25, 50, 100, 200)
SALT = "returns.lines"
REVERSE_CHARGE = "t3_1_d"
"""The one row of GSTR-3B that lines feed besides the cell they keep: 3.1(d)."""
LARGEST_DIFF = 500
"""Records a comparison prints; the sums above them are of all."""

STATUS_NAMES = {
    Status.NONE.value: "",
    Status.ACCEPTED.value: gettext_lazy("Accepted"),
    Status.DEEMED_ACCEPTED.value: gettext_lazy("Deemed accepted"),
    Status.REJECTED.value: gettext_lazy("Rejected"),
}
CHIPS = {
    Status.NONE.value: "",
    Status.ACCEPTED.value: "accepted",
    Status.DEEMED_ACCEPTED.value: "none",
    Status.REJECTED.value: "rejected",
}
REASONS = {
    Unavailable.NO.value: "",
    Unavailable.PLACE_OF_SUPPLY.value: gettext_lazy(
        "P: place of supply and supplier in one State, recipient in another"
    ),
    Unavailable.TIME_BARRED.value: gettext_lazy("C: past the time limit of section 16(4)"),
    Unavailable.INELIGIBLE.value: gettext_lazy("I: ineligible ISD document"),
}
ANSWERS = {"": "", "F": gettext_lazy("Full"), "P": gettext_lazy("Part"), "N": gettext_lazy("None")}


@dataclass(frozen=True, slots=True)
class Filters:
    """Which lines are asked for; an empty field asks for all. An unknown value is a question without an answer."""

    section: str = ""
    placement: str = ""
    part: str = ""
    status: str = ""
    cell: str = ""

    @property
    def is_known(self) -> bool:
        """Whether every value is one the statement can have."""
        return (
            self.section in {"", *(section.value for section in summary.ROWS)}
            and self.placement in {"", *(placement.value for placement in Placement)}
            and self.part in {"", *(part.value for part in Part)}
            and self.status in STATUS_NAMES
            and self.cell in {"", *wording.ROW_NAMES}
        )

    def of(self, statement: Gstr2b) -> QuerySet[Gstr2bLine]:
        """Return the lines of a statement that are asked for."""
        lines = gstr2b.lines(statement)
        wanted = {
            "row": self.section,
            "placement": self.placement,
            "part": self.part,
            "status": self.status,
        }
        if self.cell == REVERSE_CHARGE:
            places = [Q(placement=place, part=part) for place, part in own_liability(statement.month)]
            lines = lines.filter(reduce(or_, places))
        elif self.cell:
            lines = lines.filter(cell=self.cell)
        return lines.filter(**{name: value for name, value in wanted.items() if value})

    def _feeds(self, month: int, placement: str, part: str) -> bool:
        """Whether lines of a placement and part feed the row of GSTR-3B asked for, in a statement of a month."""
        if self.cell == REVERSE_CHARGE:
            return OWN_LIABILITY.decide(month, placement=placement, part=part).outcome
        return self.cell in ("", CELL.decide(month, placement=placement, part=part).outcome)

    def kept(self, statement: Gstr2b) -> list[tuple[Part, int, Tax]]:
        """Return part, count and tax of each row asked for, from the sums kept with the statement."""
        return [
            (Part(part), line[0], Tax(*line[1:]))
            for placement, parts in statement.sums.items()
            for part, rows in parts.items()
            for row, line in rows.items()
            if self.placement in ("", placement)
            and self.part in ("", part)
            and self.section in ("", row)
            and self._feeds(statement.month, placement, part)
        ]

    def count(self, statement: Gstr2b) -> int | None:
        """Return how many lines there are; by status no count is kept: None."""
        return None if self.status else sum(count for _part, count, _tax in self.kept(statement))

    def sum(self, statement: Gstr2b) -> Tax | None:
        """Return what the lines come to: as printed within one part, Part B subtracted where parts are mixed."""
        if self.status or not (self.placement or self.cell or self.part):
            return None
        if self.part:
            return sum((tax for _part, _count, tax in self.kept(statement)), Tax())
        return sum((-tax if part in PARTS_B else tax for part, _count, tax in self.kept(statement)), Tax())

    @property
    def title(self) -> str:
        """What is shown, in words."""
        names = []
        if self.cell:
            names.append(_("GSTR-3B %(table)s") % {"table": wording.ROW_NAMES[self.cell][0]})
        if self.placement:
            names.append(str(summary.SECTIONS[Placement(self.placement)][0]))
        if self.part:
            names.append(
                _("Part %(letter)s %(number)s") % {"letter": self.part[0], "number": summary.PARTS[Part(self.part)][0]}
            )
        if self.section:
            names.append(str(next(text for section, text in summary.ROWS.items() if section.value == self.section)))
        if self.status:
            names.append(str(STATUS_NAMES[self.status]))
        return ", ".join(names) or _("All tables")


@dataclass(frozen=True, slots=True)
class Shown:
    """One line in words."""

    line: Gstr2bLine
    heading: str
    status: str
    chip: str
    reason: str
    answer: str
    declared: Tax | None

    @property
    def record(self) -> Record:
        """The record that was counted."""
        return self.line.record


@dataclass(frozen=True, slots=True)
class Page:
    """A page of lines. `first` counts from 1; cursors are opaque, empty where there is no such page."""

    lines: list[Shown]
    filters: Filters
    first: int
    total: int | None
    tax: Tax | None
    previous: str = ""
    following: str = ""

    @property
    def last(self) -> int:
        """The number of the last line shown."""
        return self.first + len(self.lines) - 1


def page(*, statement: Gstr2b, filters: Filters, size: int, after: str = "") -> Page:
    """Return a page of a statement's lines, by key: never an OFFSET. One query, whatever the depth."""
    where = _cursor(after)
    backwards = bool(where and where["back"])
    found = filters.of(statement).select_related("record__supplier", "record__reversal__document__supplier", "why")
    if where:
        found = found.extra(  # noqa: S610 a row comparison over our own column names; the values are parameters  # nosec B610
            where=[f"({_COLUMNS}) {'<' if backwards else '>'} (%s, %s, %s, %s)"], params=where["key"]
        )
    order = ("-placement", "-part", "-row", "-id") if backwards else ("placement", "part", "row", "id")
    rows = list(found.order_by(*order)[: size + 1])
    has_more = len(rows) > size
    rows = rows[:size][::-1] if backwards else rows[:size]
    first = _first(where, len(rows))
    has_previous = has_more if backwards else bool(where)
    has_following = True if backwards else has_more
    return Page(
        lines=[words(line) for line in rows],
        filters=filters,
        first=first,
        total=filters.count(statement),
        tax=filters.sum(statement),
        previous=_sign(rows[0], back=True, seen=first) if rows and has_previous else "",
        following=_sign(rows[-1], back=False, seen=first + len(rows) - 1) if rows and has_following else "",
    )


def tables(statement: Gstr2b) -> list[tuple[str, str, int]]:
    """Return every table a statement has lines in: its name in addresses, its heading, how many. No query."""
    counts: dict[str, int] = {}
    for parts in statement.sums.values():
        for rows in parts.values():
            for row, line in rows.items():
                counts[row] = counts.get(row, 0) + line[0]
    return [
        (table.value, str(name), counts[table.value]) for table, name in summary.ROWS.items() if table.value in counts
    ]


_COLUMNS = ", ".join(f"returns_gstr2bline.{name}" for name in ("placement", "part", '"row"', "id"))


def _first(where: Mapping[str, Any] | None, shown: int) -> int:
    if where is None:
        return 1
    seen = int(where["seen"])
    return max(1, seen - shown) if where["back"] else seen + 1


def _sign(line: Gstr2bLine, *, back: bool, seen: int) -> str:
    return signing.dumps({"key": [line.placement, line.part, line.row, line.pk], "back": back, "seen": seen}, salt=SALT)


def _cursor(text: str) -> dict[str, Any] | None:
    """Return where a page begins; a cursor that is not ours begins at the start."""
    try:
        return signing.loads(text, salt=SALT) if text else None
    except signing.BadSignature:
        return None


def is_cursor(text: str) -> bool:
    """Whether a text is a cursor of a page of lines."""
    return _cursor(text) is not None


def line_of(statement: Gstr2b, pk: int) -> Shown | None:
    """Return one line of a version, with why it counts so: one query."""
    line = gstr2b.lines(statement).select_related("record__supplier", "why").filter(pk=pk).first()
    return words(line) if line else None


def words(line: Gstr2bLine) -> Shown:
    """Return a line in words."""
    reduces = line.tax if Part(line.part) in PARTS_B else -line.tax
    return Shown(
        line=line,
        heading=str(next(text for section, text in summary.ROWS.items() if section.value == line.row)),
        status=str(STATUS_NAMES[line.status]),
        chip=CHIPS[line.status],
        reason=str(REASONS[line.reason]),
        answer=str(ANSWERS[line.answer]),
        declared=reduces if line.answer == Answer.PART else None,
    )


@dataclass(frozen=True, slots=True)
class Difference:
    """One record that two versions count differently, and why: who acted, or what happened to it.

    Its figures are of all heads, or those of one `cell` of the statement.
    """

    change: Change
    record: Record
    cause: str
    before: ActionEvent | None
    event: ActionEvent | None
    cell: Cell | None = None

    @property
    def heading(self) -> str:
        """What the record is."""
        return str(summary.ROWS[Section(self.record.section)])

    @property
    def older_place(self) -> str:
        """The section the older version counted it in."""
        return _place(self.change.older)

    @property
    def newer_place(self) -> str:
        """The section the newer version counts it in."""
        return _place(self.change.newer)

    @property
    def old(self) -> int | None:
        """What the older version prints of it, in paise; None where it has no line there."""
        return self._printed(self.change.older)

    @property
    def new(self) -> int | None:
        """What the newer version prints of it."""
        return self._printed(self.change.newer)

    def _printed(self, line: Gstr2bLine | None) -> int | None:
        if line is None:
            return None
        return line.tax.total if self.cell is None else self.cell.of(line)

    @property
    def difference(self) -> Tax:
        """What it does to net ITC: newer less older."""
        return net_itc(self.change.newer) - net_itc(self.change.older)

    @property
    def moved(self) -> int:
        """What it does to its cell, or else to net ITC, in paise."""
        return self.difference.total if self.cell is None else _moved(self.change, self.cell)


def _moved(change: Change, cell: Cell) -> int:
    return cell.of(change.newer) - cell.of(change.older)


def _place(line: Gstr2bLine | None) -> str:
    return str(summary.SECTIONS[Placement(line.placement)][0]) if line else ""


def net_itc(line: Gstr2bLine | None) -> Tax:
    """Return what a line does to net ITC: rejected and not available lines nothing, whatever they print."""
    if line is None or line.placement in (Placement.REJECTED, Placement.NOT_AVAILABLE):
        return Tax()
    takes = line.placement == Placement.REVERSAL or Part(line.part) in PARTS_B
    return -line.tax if takes else line.tax


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changed between two versions: net ITC of both, the records, and in how many of them.

    `cells` are the figures that differ, by section; where one `cell` is opened, the records are those that moved it.
    """

    older: Gstr2b
    newer: Gstr2b
    records: list[Difference]
    count: int
    totals: list[tuple[str, Tax, Tax, Tax]] = field(default_factory=list)
    cells: list[tuple[str, list[Moved]]] = field(default_factory=list)
    cell: Cell | None = None
    has_more: bool = False


def compare(
    *, older: Gstr2b, newer: Gstr2b, cell: Cell | None = None, after: int = 0, most: int | None = None
) -> Comparison:
    """Return what changed between two versions of a statement, or in one cell of it, with who acted: three queries.

    The records of a cell come the dearest first. `most` of them are told, LARGEST_DIFF unless said, those behind the
    record `after`; none are where that is not among them.
    """
    most = most or LARGEST_DIFF
    changes = gstr2b.diff(older, newer)
    if cell is not None:
        changes = [change for change in changes if _moved(change, cell)]
        changes.sort(key=lambda change: (-abs(_moved(change, cell)), change.record_id))
    places = {change.record_id: place for place, change in enumerate(changes, start=1)}
    start = places.get(after, len(changes)) if after else 0
    printed = changes[start : start + most]
    records = _records(older, (change.record_id for change in printed))
    events = _events(older, records, until=newer.seq)
    return Comparison(
        older,
        newer,
        count=len(changes),
        totals=list(_totals(older, newer)),
        cells=cells.moved(older, newer),
        cell=cell,
        has_more=start + most < len(changes),
        records=[
            replace(_difference(change, records[change.record_id], events.get(change.record_id, []), older), cell=cell)
            for change in printed
        ],
    )


def _records(statement: Gstr2b, ids: Iterable[int]) -> dict[int, Record]:
    own = Record.objects.filter(recipient=statement.recipient_id)
    return own.select_related("supplier", "reversal__document__supplier").in_bulk(list(ids))


def _difference(change: Change, record: Record, events: list[ActionEvent], older: Gstr2b) -> Difference:
    if events:
        return Difference(change, record, str(ActionEvent.Cause(events[-1].cause).label), events[0], events[-1])
    if change.newer is None and record.superseded_by_id is not None:
        cause = _("replaced by an amendment")
    elif change.older is None and record.filed_on is not None and record.filed_on >= older.as_of:
        cause = _("filed by the supplier")
    else:
        cause = _("a date passed, or an earlier record changed")
    return Difference(change, record, cause, None, None)


def _totals(older: Gstr2b, newer: Gstr2b) -> Iterable[tuple[str, Tax, Tax, Tax]]:
    for before, after in zip(summary.sections(older), summary.sections(newer), strict=True):
        old, new = _net(before), _net(after)
        yield before.title, old, new, new - old


def _net(section: summary.SectionLines) -> Tax:
    return sum((-part.tax if part.part in PARTS_B else part.tax for part in section.parts), Tax())


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed since a statement: records, the dearest first; how many and how much, with those not shown."""

    statement: Gstr2b
    records: list[Difference]
    count: int
    gain: int
    loss: int


def changes(*, statement: Gstr2b, today: Standing, most: int | None = None) -> Changes:
    """Return the records changed since the newest statement, each as it counts and as it would: four queries."""
    (count, gain, loss), found = behind_sql.changed(gstr2b.since(statement, today), today, limit=most or LARGEST_DIFF)
    older = Gstr2bLine.objects.filter(recipient=statement.recipient_id).in_bulk(
        [one.line_id for one in found if one.line_id is not None]
    )
    records = _records(statement, (one.record_id for one in found))
    events = _events(statement, records)
    listed = []
    for one in found:
        pk = one.record_id
        newer = Gstr2bLine(recipient_id=statement.recipient_id, record_id=pk, **one.wanted) if one.wanted else None
        change = Change(pk, older[one.line_id] if one.line_id is not None else None, newer)
        listed.append(_difference(change, records[pk], events.get(pk, []), statement))
    return Changes(statement, listed, count, gain, loss)


def _events(older: Gstr2b, records: Iterable[int], until: int | None = None) -> dict[int, list[ActionEvent]]:
    """Return record -> its events since a statement, or until another, by the inbox's counter, by no clock."""
    found = ActionEvent.objects.filter(
        recipient_id=older.recipient_id, record_id__in=list(records), inbox_seq__gt=older.seq
    )
    if until is not None:
        found = found.filter(inbox_seq__lte=until)
    found = found.select_related("actor").order_by("record_id", "version")
    events: dict[int, list[ActionEvent]] = {}
    for event in found:
        events.setdefault(event.record_id, []).append(event)
    return events
