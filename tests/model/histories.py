"""Random histories: a calendar of suppliers' returns, and recipients with documents, feeds and choices of their own.

All is drawn from one `random.Random(seed)`. Nothing here knows the law beyond what a supplier's form accepts: which
day it may be filed, which document an amendment may name.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random

from tests.model.law_model import BILLS, Heads, day_in, month, month_of

MONTHS = {month(2024, 7): 4, month(2024, 8): 2, month(2024, 9): 3, month(2025, 2): 2, month(2025, 7): 5}
MONTHS |= {month(2025, 8): 3, month(2025, 9): 3, month(2025, 10): 3, month(2025, 12): 2, month(2026, 9): 3}
"""First month of a world -> for how many its suppliers report; recipients file one period more.

Around October 2024, around October 2025 (a time limit follows each), at the RCM block, at the next time limit.
"""
STARTS = tuple(MONTHS)
AMENDED_AS = {"b2b": "b2ba", "b2bdn": "b2bdna", "b2bcn": "b2bcna", "ecom": "ecoma", "impg": "impga"}
AMENDED_AS |= {"impgsez": "impgseza"}
SECTIONS = {"b2b": 28, "b2bcn": 28, "b2bdn": 9, "ecom": 9, "isd": 4, "isdcn": 3, "impg": 11, "impgsez": 5, "r37a": 4}
FILE_DAYS = (4, 8, 10, 11, 11, 11, 12, 13, 13, 14, 16, 24)
CLOSE_DAYS = (14, 15, 16, 18, 19, 20, 20, 21, 22, 24, 25, 27)


@dataclass(frozen=True)
class Slot:
    """One form of one supplier: the months it is for, the days it is saved, saved again and filed (or never)."""

    form: str
    period: int
    is_quarter: bool
    saved_on: date
    edited_on: date
    filed_on: date | None


@dataclass
class Supplier:
    """A supplier, its forms in the order they are filed, and the days it files its GSTR-3B."""

    key: str
    state: int
    is_quarterly: bool = False
    is_isd: bool = False
    slots: list[Slot] = field(default_factory=list)
    filings: list[tuple[date, int]] = field(default_factory=list)


@dataclass(frozen=True)
class Paper:
    """One version of one document. `how` says what its supplier does before filing: saves, edits or deletes it."""

    ref: str
    number: str
    section: str
    tax: Heads
    taxable: int
    dated: date
    prev: str = ""
    supplier: str = ""
    slot: int = -1
    how: str = "filed"
    before_edit: int = 1
    wrong_pos: bool = False
    reverse_charge: bool = False
    inv_type: str = "R"
    arrives: date | None = None
    side: str = ""
    period: int = 0


@dataclass(frozen=True)
class Event:
    """What a recipient does on a day: `act` on papers, `compute`, `close` a period, file its own `gstr1`."""

    day: date
    kind: str
    period: int = 0
    refs: tuple[str, ...] = ()
    seed: int = 0


@dataclass(frozen=True)
class History:
    """One recipient and everything that happens to it; `late_gstr1` are periods whose own GSTR-1 an event files."""

    state: int
    is_quarterly: bool
    papers: tuple[Paper, ...]
    events: tuple[Event, ...]
    late_gstr1: tuple[int, ...] = ()

    def without(self, *, paper: str = "", event: int = -1) -> History:
        """Return this history less one paper and whatever amends it, or less one event."""
        gone = {paper} - {""}
        while more := {p.ref for p in self.papers if p.prev in gone and gone} - gone:
            gone |= more
        papers = tuple(p for p in self.papers if p.ref not in gone)
        events = [replace(e, refs=tuple(r for r in e.refs if r not in gone)) for e in self.events]
        kept = tuple(e for n, e in enumerate(events) if n != event and (e.refs or e.kind != "act"))
        return replace(self, papers=papers, events=kept)


@dataclass
class World:
    """A calendar that many histories share."""

    start: int
    months: int
    suppliers: dict[str, Supplier]

    @property
    def last_day(self) -> date:
        return day_in(self.start + self.months + 1, 26)


def world(rng: Random, start: int) -> World:
    made = World(start, MONTHS[start], {})
    for key, state in (("S", 24), ("T", 27), ("U", 29)):
        made.suppliers[key] = _monthly(rng, made, Supplier(key, state))
    made.suppliers["Q"] = _quarterly(rng, made, Supplier("Q", 24, is_quarterly=True))
    isd = made.suppliers["I"] = Supplier("I", 27, is_isd=True)
    for period in range(start, start + made.months):
        day = day_in(period + 1, rng.randint(9, 15))
        isd.slots.append(Slot("GSTR-6", period, is_quarter=False, saved_on=day, edited_on=day, filed_on=day))
    return made


def _slot(rng: Random, form: str, period: int, first: date, filed_on: date, *, is_quarter: bool = False) -> Slot:
    saved_on = max(first, filed_on - timedelta(days=rng.randint(0, 9)))
    edited_on = saved_on + timedelta(days=rng.randint(0, (filed_on - saved_on).days))
    return Slot(form, period, is_quarter, saved_on, edited_on, filed_on)


def _monthly(rng: Random, world_: World, supplier: Supplier) -> Supplier:
    cursor = day_in(world_.start, 1)
    for period in range(world_.start, world_.start + world_.months):
        filed_on = max(cursor, day_in(period + 1, rng.choice(FILE_DAYS)))
        supplier.slots.append(_slot(rng, "GSTR-1", period, max(cursor, day_in(period, 20)), filed_on))
        opens = max(filed_on, day_in(period + 1, 11)) + timedelta(days=1)
        cursor = _close(rng, world_, supplier, period, opens, is_quarter=False)
    if rng.random() < 0.5:
        supplier.slots[-1] = replace(supplier.slots[-1], filed_on=None)
        supplier.filings = [line for line in supplier.filings if line[1] != supplier.slots[-1].period]
    return supplier


def _quarterly(rng: Random, world_: World, supplier: Supplier) -> Supplier:
    cursor = day_in(world_.start, 1)
    for period in range(world_.start, world_.start + world_.months):
        if period % 3 != 2:
            filed_on = day_in(period + 1, rng.randint(3, 13))
            if filed_on > cursor:
                first = max(cursor, day_in(period + 1, 1))
                supplier.slots.append(_slot(rng, "IFF", period, first, filed_on))
            continue
        filed_on = max(cursor, day_in(period + 1, rng.choice(FILE_DAYS)))
        first = max(cursor, day_in(period, 20))
        supplier.slots.append(_slot(rng, "GSTR-1", period, first, filed_on, is_quarter=True))
        opens = max(filed_on, day_in(period + 1, 13)) + timedelta(days=1)
        cursor = _close(rng, world_, supplier, period, opens, is_quarter=True)
    return supplier


def _close(rng: Random, world_: World, supplier: Supplier, period: int, opens: date, *, is_quarter: bool) -> date:
    """Add the period's GSTR-1A, or none, and its GSTR-3B; return the day after."""
    if rng.random() < 0.6:
        filed_on = opens + timedelta(days=rng.randint(1, 6))
        supplier.slots.append(_slot(rng, "GSTR-1A", period, opens, filed_on, is_quarter=is_quarter))
        opens = filed_on
    day = max(opens, day_in(period + 1, 14)) + timedelta(days=rng.randint(1, 9))
    if rng.random() < 0.15:
        day += timedelta(days=rng.randint(10, 25))
    if day < world_.last_day:
        supplier.filings.append((day, period))
    return day + timedelta(days=1)


def history(rng: Random, world_: World, name: str) -> History:
    state, is_quarterly = rng.choice((27, 27, 24, 24, 7, 35, 97)), rng.random() < 0.25
    papers: list[Paper] = []
    for turn in range(rng.choice((1, 2, 3, 3, 4, 5, 6))):
        papers += _chain(rng, world_, state, f"{name}{'abcdef'[turn]}")
    periods = [p for p in range(world_.start, world_.start + world_.months + 1) if not is_quarterly or p % 3 == 2]
    late = tuple(p for p in periods if rng.random() < 0.03)
    filed = periods[: rng.choice((1, 2, 9, 9, 9))]
    events = [*_closings(rng, world_, filed, late), *_acts(rng, world_, papers)]
    if is_quarterly:
        papers = [replace(p, period=p.period + 2 - p.period % 3) if p.section == "r37a" else p for p in papers]
    return History(state, is_quarterly, tuple(papers), tuple(sorted(events, key=lambda e: e.day)), late)


def _closings(rng: Random, world_: World, periods: list[int], late: tuple[int, ...]) -> list[Event]:
    cursor, events = day_in(world_.start, 1), []
    for period in periods:
        draft = day_in(period + 1, 14)
        if rng.random() < 0.88:
            events.append(Event(draft, "compute", period))
        if rng.random() < 0.12:
            events.append(Event(draft + timedelta(days=rng.randint(-4, 20)), "compute", period))
        day = max(cursor, day_in(period + 1, rng.choice(CLOSE_DAYS)))
        day += timedelta(days=rng.randint(15, 45) if rng.random() < 0.2 else 0)
        if period in late:
            events.append(Event(day, "close", period))
            day += timedelta(days=rng.randint(0, 3))
            events.append(Event(day, "gstr1", period))
        events.append(Event(day, "close", period))
        cursor = day
        if rng.random() < 0.05:
            events.append(Event(day + timedelta(days=1), "close", rng.choice(periods)))
    return [event for event in events if event.day <= world_.last_day]


def _acts(rng: Random, world_: World, papers: list[Paper]) -> list[Event]:
    shown = {paper.ref: _first_day(world_, paper) for paper in papers}
    events = []
    span = (world_.last_day - day_in(world_.start, 1)).days
    for _ in range(rng.randint(4, 3 * world_.months + 2)):
        day = day_in(world_.start, 1) + timedelta(days=rng.randint(30, span))
        if rng.random() < 0.8:
            day = day.replace(day=rng.choice((12, 14, 15, 19, 20, 20, 20, 21, 21, 22, 25)))
        there = tuple(ref for ref, first in shown.items() if first <= day and rng.random() < 0.6)
        if there:
            events.append(Event(day, "act", refs=there, seed=rng.randint(0, 10**9)))
    return [event for event in events if event.day <= world_.last_day]


def _first_day(world_: World, paper: Paper) -> date:
    if paper.arrives:
        return paper.arrives
    slot = world_.suppliers[paper.supplier].slots[paper.slot]
    return slot.saved_on if paper.how != "filed" else slot.filed_on or date.max


def _chain(rng: Random, world_: World, state: int, ref: str) -> list[Paper]:
    section = rng.choices(list(SECTIONS), list(SECTIONS.values()))[0]
    if section in BILLS or section == "r37a":
        return _fed(rng, world_, ref, section)
    key = "I" if section.startswith("isd") else rng.choice("SSTUQ")
    supplier = world_.suppliers[key]
    at = rng.randrange(max(1, len(supplier.slots) - rng.randint(0, 3)))
    slot = supplier.slots[at]
    first = Paper(
        ref=f"{ref}1",
        number=ref.upper(),
        section=section,
        tax=(0, 0, 0, 0),
        taxable=0,
        dated=_dated(rng, world_, slot.period),
        supplier=key,
        slot=at,
        wrong_pos=section[:3] == "b2b" and state != supplier.state and rng.random() < 0.12,
        reverse_charge=section[:3] == "b2b" and rng.random() < 0.14,
        inv_type=rng.choice(("SEWP", "DE")) if section[:3] == "b2b" and rng.random() < 0.12 else "R",
    )
    if first.reverse_charge and state != supplier.state and rng.random() < 0.3:
        first = replace(first, wrong_pos=True)
    if first.inv_type == "SEWP":
        first = replace(first, wrong_pos=False)
    return _versions(rng, supplier, state, first)


def _dated(rng: Random, world_: World, period: int) -> date:
    if rng.random() < 0.5:  # of the financial year before
        return date(world_.start // 12 - (world_.start % 12 < 3), 3, rng.randint(1, 31))
    return day_in(period, rng.randint(1, 28))


def _versions(rng: Random, supplier: Supplier, state: int, first: Paper) -> list[Paper]:
    is_local = supplier.state == state or first.wrong_pos
    made = [_priced(rng, first, 100 * rng.choice((200, 300, 400, 500)), is_local=is_local)]
    made = [replace(made[0], how=_how(rng, supplier.slots[first.slot]), before_edit=rng.choice((1, 2)))]
    while made[-1].section in AMENDED_AS or made[-1].section in AMENDED_AS.values():
        last = made[-1]
        slot = _next_slot(rng, supplier, last)
        if slot is None or last.how == "deleted" or rng.random() < 0.35:
            return made
        wrong = (
            not last.wrong_pos
            if supplier.state != state and first.inv_type != "SEWP" and rng.random() < 0.08
            else last.wrong_pos
        )
        following = replace(
            last,
            ref=f"{first.ref[:-1]}{len(made) + 1}",
            section=AMENDED_AS.get(first.section, first.section),
            prev=last.ref,
            slot=slot,
            wrong_pos=wrong,
            how=_how(rng, supplier.slots[slot]),
            before_edit=rng.choice((1, 2)),
        )
        made.append(_priced(rng, following, _again(rng, last.taxable), is_local=supplier.state == state or wrong))
    return made


def _again(rng: Random, taxable: int) -> int:
    return rng.choice((taxable, taxable, taxable * 2, taxable + 10000, taxable // 2, taxable - 10000, taxable // 4))


def _how(rng: Random, slot: Slot) -> str:
    ways = ("saved", "saved", "edited", "deleted") if slot.filed_on is None else ("filed",) * 5 + ("saved",) * 3
    ways = ways if slot.filed_on is None else (*ways, "edited", "deleted")
    return rng.choice(ways) if slot.form != "GSTR-6" else "filed"


def _next_slot(rng: Random, supplier: Supplier, last: Paper) -> int | None:
    """Return a later form that may amend a paper: GSTR-1A only what its own period reported."""
    own = supplier.slots[last.slot]
    later = []
    for at, slot in enumerate(supplier.slots):
        is_after = own.filed_on is not None and slot.saved_on > own.filed_on
        fits = slot.form != "GSTR-1A" or (own.form != "GSTR-1A" and _reports(slot, own))
        if is_after and fits:
            later.append(at)
    return rng.choice(later[:3]) if later else None


def _reports(amending: Slot, own: Slot) -> bool:
    if own.form == "GSTR-1A":
        return False
    return 0 <= amending.period - own.period < (3 if amending.is_quarter else 1)


def _priced(rng: Random, paper: Paper, taxable: int, *, is_local: bool) -> Paper:
    """Return a paper with a taxable value in whole hundreds of paise and 18 % of it, split by place of supply."""
    taxable = max(20000, taxable - taxable % 10000)
    tax = taxable * 18 // 100
    cess = rng.choice((0, 0, 0, 500, 1500, 4000))
    heads: Heads = (0, tax // 2, tax // 2, cess) if is_local and paper.inv_type != "SEWP" else (tax, 0, 0, cess)
    return replace(paper, tax=heads, taxable=taxable)


def _fed(rng: Random, world_: World, ref: str, section: str) -> list[Paper]:
    span = (day_in(world_.start + world_.months, 1) - day_in(world_.start, 1)).days
    day = day_in(world_.start, 1) + timedelta(days=rng.randrange(span))
    first = Paper(f"{ref}1", ref.upper(), section, (0, 0, 0, 0), 0, day, arrives=day, period=month_of(day))
    first = _priced(rng, first, 100 * rng.choice((200, 300, 400, 500)), is_local=False)
    if section == "r37a":
        late = max(day, day_in(month_of(day) + 1, 1) + timedelta(days=rng.randint(-5, 18)))
        return [replace(first, arrives=late)]
    made = [replace(first, side=rng.choice(("", "", "", "new")))]
    if made[0].side == "new":
        made = [replace(made[0], section=AMENDED_AS[section])]
    while rng.random() < 0.5 and made[-1].side != "old":
        last = made[-1]
        day = (last.arrives or date.max) + timedelta(days=rng.randint(1, 60))
        if day > world_.last_day:
            return made
        following = replace(
            last,
            ref=f"{ref}{len(made) + 1}",
            section=AMENDED_AS[section],
            prev=last.ref,
            arrives=day,
            period=month_of(day),
            side="",
        )
        if rng.random() < 0.5:
            made.append(replace(following, side="old"))
        else:
            made.append(_priced(rng, following, _again(rng, last.taxable), is_local=False))
    return made
