"""Charts as inline SVG: numbers and words in, markup out; nothing here asks the database.

No library, no script, no `style`: colours come from classes, states from patterns, so that a chart prints and reads
without colour. A chart is a picture of the table that stands under it (`Figure`); positions are whole units.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from ims_portal.access import Access
from ims_portal.agenda import Agenda, Item
from ims_portal.templatetags import ims as show

WIDTH = 340
"""Units across: about a phone's pixels, so that text keeps its size there."""
BAR, ROW, TEXT = 16, 42, 14
"""Height of a bar, of a bar with its words, of a line of words."""
GAP = 2
DOT = 6
LEAST = 3
"""What is not nothing is at least this wide."""
LONGEST_NAME = 30
MOST_BARS = 10
"""Bars a chart holds; the table under it holds all."""


class Kind(StrEnum):
    """What a part of a bar stands for: its colour is the class `k-<kind>`, its pattern is in `PATTERNS`."""

    ACCEPTED = "accepted"
    NONE = "none"
    PENDING = "pending"
    REJECTED = "rejected"
    FIXED = "fixed"
    PROVISIONAL = "provisional"
    TOTAL = "total"


DOTS = format_html('<circle cx="3" cy="3" r="{}" fill="currentColor"/>', "1.6")
HATCH = format_html('<path d="{}" stroke="currentColor" stroke-width="2"/>', "M-1 1L1 -1M-1 7L7 -1M5 7L7 5")
CROSS = format_html('<path d="{}" stroke="currentColor" stroke-width="1.5"/>', "M0 0L6 6M6 0L0 6")
PATTERNS = {Kind.NONE: DOTS, Kind.PENDING: HATCH, Kind.REJECTED: CROSS, Kind.PROVISIONAL: HATCH}
"""Kind -> what fills it; the others are solid."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its name, its value in words, and its parts. A negative amount stands left of zero."""

    name: str
    value: str
    parts: tuple[tuple[Kind, int], ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a waterfall: a total, or a change that starts where the step before ended."""

    name: str
    value: str
    amount: int
    is_total: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """One deadline: what it is, its value in words, and in how many days it comes."""

    name: str
    value: str
    days: int


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table under a chart; `url` leads to what its numbers are made of."""

    name: str
    cells: tuple[str, ...]
    url: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart with its name, the finding as its caption, and the same numbers as a table."""

    key: str
    name: str
    finding: str
    svg: SafeString
    headings: tuple[str, ...]
    rows: tuple[Row, ...]
    note: str = ""


Reader = Callable[[Access, datetime], "Figure | None"]
_readers: dict[str, Reader] = {}


def serve(name: str, reader: Reader) -> None:
    """Name the reader of a figure that a room shows on the home of a GSTIN."""
    _readers[name] = reader


def of(held: Access, at: datetime) -> list[Figure]:
    """Return the figures that rooms have for the home of a taxpayer at a moment."""
    found = [reader(held, at) for _name, reader in sorted(_readers.items())]
    return [figure for figure in found if figure is not None]


def bars(key: str, name: str, told: str, lines: Sequence[Bar], legend: Sequence[tuple[Kind, str]] = ()) -> SafeString:
    """Return bars one below the other, each stacked from its parts, with a legend."""
    shown = lines[:MOST_BARS]
    right = max((sum(amount for _kind, amount in bar.parts if amount > 0) for bar in shown), default=0)
    left = max((-sum(amount for _kind, amount in bar.parts if amount < 0) for bar in shown), default=0)
    span = max(right + left, 1)
    zero = left * WIDTH // span
    drawn = [_stack(key, bar, place * ROW, zero, span) for place, bar in enumerate(shown)]
    top = len(shown) * ROW
    if left:
        drawn += [_line(zero, y + TEXT + 2, zero, y + TEXT + BAR + 6) for y in range(0, top, ROW)]
    drawn.append(_legend(key, legend, top))
    kinds = {kind for bar in shown for kind, _amount in bar.parts} | {kind for kind, _word in legend}
    return _svg(key, name, told, top + (len(legend) + 1) // 2 * (TEXT + 8) + 4, kinds, drawn)


def waterfall(key: str, name: str, told: str, steps: Sequence[Step]) -> SafeString:
    """Return how one total becomes another, step by step; where the changes are small the totals are cut off."""
    places, at = [], 0
    for step in steps:
        begins = 0 if step.is_total else at
        at = step.amount if step.is_total else at + step.amount
        places.append((begins, at))
    ends = [end for _begins, end in places] or [0]
    low, high = min(*ends, 0), max(*ends, 0)
    cut = _cut(min(ends), max(ends))
    low, high = (cut, high) if cut > 0 else (low, cut) if cut < 0 else (low, high)
    span = max(high - low, 1)
    drawn = []
    for place, (step, (begins, ends_at)) in enumerate(zip(steps, places, strict=True)):
        first, last = sorted((min(max(begins, low), high), min(max(ends_at, low), high)))
        kind = Kind.TOTAL if step.is_total else Kind.ACCEPTED if step.amount >= 0 else Kind.REJECTED
        x = (first - low) * WIDTH // span
        wide = (last - low) * WIDTH // span - x
        drawn += [_words(step.name, step.value, place * ROW), _part(key, kind, x, place * ROW, wide)]
    return _svg(key, name, told, len(steps) * ROW, {Kind.TOTAL, Kind.ACCEPTED, Kind.REJECTED}, drawn)


def _cut(least: int, most: int) -> int:
    """Return where the axis of a waterfall begins: at zero, unless the changes would not be seen beside the totals."""
    change = most - least
    if least > 0 and change and change * 8 < most:
        return least - change
    if most < 0 and change and change * 8 < -least:
        return most + change
    return 0


def is_cut(steps: Sequence[Step]) -> bool:
    """Whether a waterfall of these steps does not begin at zero."""
    at, ends = 0, [0]
    for step in steps:
        at = step.amount if step.is_total else at + step.amount
        ends.append(at)
    return len(ends) > 1 and _cut(min(ends[1:]), max(ends[1:])) != 0


def timeline(key: str, name: str, told: str, marks: Sequence[Mark], horizon: int) -> SafeString:
    """Return how many days are left to each deadline, from today at the left to `horizon` days at the right."""
    drawn = []
    for place, mark in enumerate(marks[:MOST_BARS]):
        top = place * ROW
        x = min(max(mark.days, 0), horizon) * (WIDTH - 2 * DOT) // max(horizon, 1) + DOT
        drawn += [_words(mark.name, mark.value, top), _line(0, top + 26, WIDTH, top + 26)]
        drawn += [
            format_html('<line class="axis" x1="{0}" y1="{1}" x2="{0}" y2="{2}"/>', week, top + 22, top + 30)
            for week in range(0, WIDTH + 1, max(WIDTH * 7 // max(horizon, 7), 1))
        ]
        kind = Kind.REJECTED if mark.days <= 0 else Kind.TOTAL
        drawn.append(
            format_html(
                '<g class="k-{0}"><rect x="0" y="{1}" width="{2}" height="6" fill="currentColor"/>'
                '<circle cx="{2}" cy="{3}" r="{4}" fill="currentColor"/></g>',
                kind.value,
                top + 23,
                x,
                top + 26,
                DOT,
            )
        )
    return _svg(key, name, told, len(marks[:MOST_BARS]) * ROW, (), drawn)


@dataclass(frozen=True, slots=True)
class AddBack:
    """What the rejections of one recipient add to a supplier's tax, in paise: fixed by a filed GSTR-3B, or not yet."""

    recipient: str
    fixed: int
    provisional: int
    url: str = ""


def add_backs(lines: Sequence[AddBack]) -> Figure:
    """Return chart C6: add-backs of the next GSTR-3B by recipient, the dearest first, provisional ones hatched."""
    ranked = sorted(lines, key=lambda line: (-(line.fixed + line.provisional), line.recipient))
    fixed, open_ = sum(line.fixed for line in ranked), sum(line.provisional for line in ranked)
    name = _("Add-backs by recipient")
    if not ranked:
        finding = _("No rejection adds to your tax.")
    else:
        finding = _(
            "Rejections add %(total)s to your tax: %(fixed)s is fixed, %(provisional)s is provisional. The most, "
            "%(most)s, comes from %(recipient)s."
        ) % {
            "total": show.inr(fixed + open_),
            "fixed": show.inr(fixed),
            "provisional": show.inr(open_),
            "most": show.inr(ranked[0].fixed + ranked[0].provisional),
            "recipient": ranked[0].recipient,
        }
    drawn = [
        Bar(
            line.recipient,
            show.inr(line.fixed + line.provisional),
            ((Kind.FIXED, line.fixed), (Kind.PROVISIONAL, line.provisional)),
        )
        for line in ranked
    ]
    return Figure(
        "c6",
        name,
        finding,
        bars("c6", name, finding, drawn, ((Kind.FIXED, _("Fixed")), (Kind.PROVISIONAL, _("Provisional")))),
        (_("Recipient"), _("Fixed"), _("Provisional"), _("Together")),
        tuple(
            Row(
                line.recipient,
                (show.inr(line.fixed), show.inr(line.provisional), show.inr(line.fixed + line.provisional)),
                line.url,
            )
            for line in ranked
        ),
    )


FARTHEST = 60
"""Days ahead that the timeline shows."""


def deadlines(agenda: Agenda) -> Figure | None:
    """Return chart C2, the days on which something falls due with what is at stake; None where none is near."""
    by_day: dict[date, list[Item]] = {}
    for item in agenda.items:
        if (item.on - agenda.day).days <= FARTHEST:
            by_day.setdefault(item.on, []).append(item)
    if not by_day:
        return None
    marks = [Mark(_day_of(on, items), show.inr(_stake(items)), (on - agenda.day).days) for on, items in by_day.items()]
    near = [item for items in by_day.values() for item in items]
    soonest = next(iter(by_day))
    dearest = max(by_day, key=lambda on: _stake(by_day[on]) or 0)
    names = {
        "first": show.day(soonest),
        "day": show.day(dearest),
        "most": show.inr(_stake(by_day[dearest])),
        "total": show.inr(_stake(near)),
    }
    if _stake(near):
        finding = (
            _("%(total)s of ITC is at stake. The next day is %(first)s; most, %(most)s, falls on %(day)s.") % names
        )
    else:
        finding = _("No ITC is at stake. The next day is %(first)s.") % names
    horizon = max(mark.days for mark in marks)
    name = _("Deadlines and what is at stake")
    return Figure(
        "c2",
        name,
        finding,
        timeline("c2", name, finding, marks, max(horizon, 14)),
        (_("Deadline"), _("Day"), _("ITC at stake")),
        tuple(Row(item.title, (show.day(item.on), show.inr(item.tax)), item.url) for item in near),
    )


def _day_of(on: date, items: Sequence[Item]) -> str:
    """Return a day with what falls due on it, as much as a line holds."""
    names = list(dict.fromkeys(item.short or item.title for item in items))
    return _("%(day)s: %(what)s") % {"day": show.day(on), "what": ", ".join(names)}


def _stake(items: Iterable[Item]) -> int | None:
    """Return the tax at stake on a day, None where nothing is counted."""
    found = [item.tax for item in items if item.tax is not None]
    return sum(found) if found else None


def _stack(key: str, bar: Bar, top: int, zero: int, span: int) -> SafeString:
    drawn, right, left = [_words(bar.name, bar.value, top)], zero, zero
    for kind, amount in bar.parts:
        wide = max(abs(amount) * WIDTH // span, LEAST + GAP) if amount else 0
        if amount > 0:
            drawn.append(_part(key, kind, right, top, wide - GAP))
            right += wide
        elif amount < 0:
            left -= wide
            drawn.append(_part(key, kind, left, top, wide - GAP))
    return format_html_join("", "{}", ((one,) for one in drawn))


def _part(key: str, kind: Kind, x: int, top: int, wide: int) -> SafeString:
    """Return one rectangle; its edge shows where a pattern is sparse."""
    wide = max(wide, LEAST)
    x = max(min(x, WIDTH - wide), 0)
    fill = f"url(#{key}-{kind.value})" if kind in PATTERNS else "currentColor"
    return format_html(
        '<rect class="k-{}" x="{}" y="{}" width="{}" height="{}" fill="{}" stroke="currentColor"/>',
        kind.value,
        x,
        top + TEXT + 4,
        wide,
        BAR,
        fill,
    )


def _words(name: str, value: str, top: int) -> SafeString:
    short = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
    return format_html(
        '<text x="0" y="{0}">{1}</text><text class="value" x="{2}" y="{0}" text-anchor="end">{3}</text>',
        top + TEXT - 1,
        short,
        WIDTH,
        value,
    )


def _line(x1: int, y1: int, x2: int, y2: int) -> SafeString:
    return format_html('<line class="axis" x1="{}" y1="{}" x2="{}" y2="{}"/>', x1, y1, x2, y2)


def _legend(key: str, legend: Sequence[tuple[Kind, str]], top: int) -> SafeString:
    drawn = []
    for place, (kind, word) in enumerate(legend):
        x, y = place % 2 * (WIDTH // 2), top + place // 2 * (TEXT + 8) + 6
        fill = f"url(#{key}-{kind.value})" if kind in PATTERNS else "currentColor"
        drawn.append(
            format_html(
                '<rect class="k-{}" x="{}" y="{}" width="14" height="14" fill="{}" stroke="currentColor"/>'
                '<text x="{}" y="{}">{}</text>',
                kind.value,
                x + 1,
                y,
                fill,
                x + 22,
                y + 12,
                word,
            )
        )
    return format_html_join("", "{}", ((one,) for one in drawn))


def _svg(key: str, name: str, told: str, height: int, kinds: Iterable[Kind], drawn: Iterable[SafeString]) -> SafeString:
    """Return the picture with its name and description for those who do not see it, and the patterns it uses."""
    patterns = format_html_join(
        "",
        '<pattern id="{}-{}" class="k-{}" width="6" height="6" patternUnits="userSpaceOnUse">'
        '<rect class="ground" width="6" height="6"/>{}</pattern>',
        ((key, kind.value, kind.value, PATTERNS[kind]) for kind in sorted(set(kinds)) if kind in PATTERNS),
    )
    return format_html(
        '<svg class="chart" role="img" aria-labelledby="{0}-title {0}-desc" viewBox="-1 -1 {1} {2}" width="{1}" '
        'height="{2}"><title id="{0}-title">{3}</title><desc id="{0}-desc">{4}</desc><defs>{5}</defs>{6}</svg>',
        key,
        WIDTH + 2,
        max(height, 1) + 2,
        name,
        told,
        patterns,
        format_html_join("", "{}", ((one,) for one in drawn)),
    )
