"""The log as administrators read it: filtered, newest first, page by page, or all of it in pieces.

What an event of a taxpayer says beyond who did what, when, is the taxpayer's: it is shown only under a break-glass
(`break_glass`), and never taken out. Events and days have no index of their own: measured on a million events, the
slowest page took a quarter of a second, and every command would pay for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Q, QuerySet

from ims_portal import clock
from ims_portal.audit_words import CAPACITIES, EVENTS
from ims_portal.models import AuditEvent, Taxpayer, User

PIECE = 2_000
"""Events read at a time for a file, so that memory stays flat."""

NAMING_DOCUMENTS = frozenset({"message.written", "feed.taken"})
"""Events of taxpayers whose subject is a number of a document or somebody's GSTIN, not only a form, a period, an id."""

PORTALS_OWN = ("break_glass.", "signatory.", "taxpayer.")
"""Events about a taxpayer that tell what an administrator did, not what the taxpayer has."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which events are asked for; None and "" ask for any. Days are Indian days of the portal, both included."""

    actor: User | None = None
    event: str = ""
    taxpayer: Taxpayer | None = None
    first: date | None = None
    last: date | None = None

    def told(self) -> dict[str, str]:
        """Return it as the log keeps it."""
        return {
            "actor": self.actor.username if self.actor else "",
            "event": self.event,
            "gstin": self.taxpayer.gstin if self.taxpayer else "",
            "first": self.first.isoformat() if self.first else "",
            "last": self.last.isoformat() if self.last else "",
        }

    @classmethod
    def read(cls, told: Mapping[str, str]) -> Asked:
        """Return what was told so. People and taxpayers keep their names here and are never deleted."""
        return cls(
            User.objects.get(username=told["actor"]) if told["actor"] else None,
            told["event"],
            Taxpayer.objects.get(gstin=told["gstin"]) if told["gstin"] else None,
            date.fromisoformat(told["first"]) if told["first"] else None,
            date.fromisoformat(told["last"]) if told["last"] else None,
        )


@dataclass(frozen=True, slots=True)
class Line:
    """An event as listed; `is_open` while a break-glass lets its reader see what is the taxpayer's."""

    row: AuditEvent
    is_open: bool = False

    @property
    def event(self) -> str:
        """What happened, in words where there are words."""
        return str(EVENTS.get(self.row.event, self.row.event))

    @property
    def capacity(self) -> str:
        """In which capacity, in words where there are words."""
        return str(CAPACITIES.get(self.row.capacity, self.row.capacity))

    @property
    def subject(self) -> str:
        """What it was done to, "" where that is the taxpayer's."""
        return self.row.subject if self._shows_all or self.row.event not in NAMING_DOCUMENTS else ""

    @property
    def details(self) -> list[tuple[str, str]]:
        """Its counts and ids by name, none where they are the taxpayer's."""
        if not (self._shows_all or self._is_portals):
            return []
        return [(name, _text(value)) for name, value in self.row.details.items() if name != "reason"]

    @property
    def is_closed(self) -> bool:
        """Whether there are details that are the taxpayer's, and kept from the reader."""
        return bool(self.row.details) and not (self._shows_all or self._is_portals)

    @property
    def reason(self) -> str:
        """Why, where whoever did it had to say."""
        return str(self.row.details.get("reason", "")) if self._shows_all or self._is_portals else ""

    @property
    def _shows_all(self) -> bool:
        return self.is_open or self.row.taxpayer_id is None

    @property
    def _is_portals(self) -> bool:
        return self.row.event.startswith(PORTALS_OWN)


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def page(asked: Asked, *, most: int, before: int | None = None) -> list[AuditEvent]:
    """Return the newest events asked for, older than the id `before` if told, `most` at most: one query."""
    return list(_found(asked, before)[:most])


def count(asked: Asked) -> int:
    """Return how many events are asked for."""
    return _found(asked, None).count()


def lines(asked: Asked) -> Iterator[Line]:
    """Return the events asked for, newest first, as every administrator may see them at any time."""
    before: int | None = None
    while found := page(asked, most=PIECE, before=before):
        yield from map(Line, found)
        before = found[-1].pk


def _found(asked: Asked, before: int | None) -> QuerySet[AuditEvent]:
    narrowed = Q() if before is None else Q(pk__lt=before)
    if asked.actor is not None:
        narrowed &= Q(actor=asked.actor)
    if asked.event:
        narrowed &= Q(event=asked.event)
    if asked.taxpayer is not None:
        narrowed &= Q(taxpayer=asked.taxpayer)
    if asked.first is not None:
        narrowed &= Q(at__gte=clock.midnight(asked.first))
    if asked.last is not None:
        narrowed &= Q(at__lt=clock.midnight(asked.last + timedelta(days=1)))
    return AuditEvent.objects.filter(narrowed).select_related("actor", "taxpayer").order_by("-pk")
