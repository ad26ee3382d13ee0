"""What a GSTIN must do by when: deadlines with counts and rupees, as each room tells them, and what a person put off.

The rooms name their readers when they start (`serve`), as they do for tiles; the ground floor imports none of them.
Everything is read from the clock: no job has to have run for a deadline to stand here or to pass.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from django.db import transaction

from ims_portal import audit, clock
from ims_portal.access import Access
from ims_portal.models import Snooze

SOON = timedelta(days=7)
"""How far the second group reaches; and how long something overdue may still be put off."""
MONTH_AHEAD = timedelta(days=30)
"""Within so many days "nothing lapses" is said of."""


class Group(StrEnum):
    """When something falls due, as the inbox groups it."""

    TODAY = "today"
    WEEK = "week"
    PERIOD = "period"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to do by a day. `key` names it for good: it stays when its count or its day changes.

    `count` and `tax` (paise at stake) are None where there is nothing to count, as for the day of a return.
    `if_nothing` says what happens otherwise, without amounts: a calendar may show it. `url` is where it is decided,
    `do` the word on the way there; `short` names it in a chart. The period's own closing day sets `closes_period`.
    """

    key: str
    title: str
    if_nothing: str
    on: date
    url: str
    do: str
    short: str = ""
    count: int | None = None
    tax: int | None = None
    closes_period: bool = False

    def latest_snooze(self, today: date) -> date:
        """Return the last day this may be put off to: never past its own day, which would hide it for good."""
        return self.on if self.on > today else today + SOON


@dataclass(frozen=True, slots=True)
class Told:
    """What one room has to say: things to do, and sentences on what it could not look at."""

    items: Sequence[Item] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Agenda:
    """All there is to do, in order of days, without what the person put off; `snoozed` is that, with until when."""

    day: date
    items: Sequence[Item]
    snoozed: Sequence[tuple[Item, date]] = ()
    notes: Sequence[str] = field(default_factory=tuple)

    @property
    def period_ends(self) -> date | None:
        """The day on which the GSTR-3B of the open period falls due."""
        return next((item.on for item in self.all if item.closes_period), None)

    @property
    def all(self) -> list[Item]:
        """Everything, put off or not, in order of days."""
        return in_order([*self.items, *(item for item, _until in self.snoozed)])

    @property
    def groups(self) -> list[tuple[Group, list[Item]]]:
        """The items by when they fall due, without empty groups."""
        found: dict[Group, list[Item]] = {group: [] for group in Group}
        for item in self.items:
            found[self.group(item)].append(item)
        return [(group, items) for group, items in found.items() if items]

    def group(self, item: Item) -> Group:
        """Return when an item falls due: what is overdue, today."""
        if item.on <= self.day:
            return Group.TODAY
        if item.on <= self.day + SOON:
            return Group.WEEK
        ends = self.period_ends
        return Group.PERIOD if ends is not None and item.on <= ends else Group.LATER

    def dearest(self, most: int) -> list[Item]:
        """Return the items with the most tax at stake, the earlier first among equals."""
        return sorted(self.items, key=lambda item: (-(item.tax or 0), item.on, item.key))[:most]

    @property
    def is_calm(self) -> bool:
        """Whether no records wait for a decision within a month; days of returns are always ahead."""
        return not any(item.count and item.on <= self.day + MONTH_AHEAD for item in self.all)

    def item(self, key: str) -> Item | None:
        """Return the item of a key, put off or not."""
        return next((item for item in self.all if item.key == key), None)


Reader = Callable[[Access, datetime], Told]
_readers: dict[str, Reader] = {}


def serve(name: str, reader: Reader) -> None:
    """Name the reader of one room."""
    _readers[name] = reader


def of(held: Access, at: datetime) -> Agenda:
    """Return what a taxpayer has to do at a moment, as one person sees it: what the readers ask, and one query."""
    day = clock.day(at)
    told = [reader(held, at) for _name, reader in sorted(_readers.items())]
    items = in_order(item for one in told for item in one.items)
    until = dict(
        Snooze.objects.filter(user=held.user, taxpayer=held.taxpayer, until__gt=day).values_list("item", "until")
    )
    return Agenda(
        day=day,
        items=[item for item in items if item.key not in until],
        snoozed=[(item, until[item.key]) for item in items if item.key in until],
        notes=[note for one in told for note in one.notes],
    )


def in_order(items: object) -> list[Item]:
    """Return items by day, the dearer first on the same one."""
    return sorted(items, key=lambda item: (item.on, -(item.tax or 0), item.key))  # type: ignore[call-overload,no-any-return]


class SnoozeRefusedError(Exception):
    """Something cannot be put off to a day; `latest` is the last day it can, None where it is not to do any more."""

    def __init__(self, latest: date | None) -> None:
        self.latest = latest
        super().__init__("not put off")


def snooze(*, held: Access, key: str, until: date, at: datetime) -> Item:
    """Put an item off to a day, in this person's own view alone, and return it.

    This will raise SnoozeRefusedError for a day that has come, one past the item's own, or an item that is gone.
    """
    agenda = of(held, at)
    item = agenda.item(key)
    if item is None:
        raise SnoozeRefusedError(None)
    latest = item.latest_snooze(agenda.day)
    if not agenda.day < until <= latest:
        raise SnoozeRefusedError(latest)
    with transaction.atomic():
        Snooze.objects.update_or_create(user=held.user, taxpayer=held.taxpayer, item=key, defaults={"until": until})
        _record("deadline.snoozed", held, key, at)
    return item


def wake(*, held: Access, key: str, at: datetime) -> None:
    """Show an item again that this person put off; nothing where it was not."""
    with transaction.atomic():
        if Snooze.objects.filter(user=held.user, taxpayer=held.taxpayer, item=key).delete()[0]:
            _record("deadline.woken", held, key, at)


def _record(event: str, held: Access, key: str, at: datetime) -> None:
    audit.record(
        event=event, at=at, actor=held.user, capacity=held.capacity, taxpayer=held.taxpayer, details={"item": key}
    )
