"""What statements and returns made of records, for their pages: the room that makes them names its reader at its start.

As homes get their tiles and jobs their tasks; nothing here imports that room.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ims_portal.models import Taxpayer
from ims_portal.rules.money import NIL, Tax


class What(StrEnum):
    """What happened to a record."""

    COUNTED = "counted"
    DROPPED = "dropped"
    FILED = "filed"


@dataclass(frozen=True, slots=True)
class Use:
    """One thing a statement or a return did with a record, in words, with the address that shows it.

    `counted`: a version of a GSTR-2B began to count it so, `tax` as printed; `dropped`: one no longer counts it;
    `filed`: a GSTR-3B made that final. `who` is empty where the portal did it, `steps` say why it was counted so.
    """

    what: What
    month: int
    at: datetime
    who: str
    name: str
    says: str
    url: str
    tax: Tax = NIL
    is_newest: bool = False
    steps: Sequence[Mapping[str, object]] = ()


Reader = Callable[[Taxpayer, Collection[int]], Mapping[int, list[Use]]]
_readers: list[Reader] = []


def serve(reader: Reader) -> None:
    """Name the reader of the room above."""
    _readers[:] = [reader]


def of(taxpayer: Taxpayer, record_ids: Collection[int]) -> Mapping[int, list[Use]]:
    """Return record id -> what became of it, oldest first; ids are the taxpayer's own records."""
    return _readers[0](taxpayer, record_ids) if _readers and record_ids else {}


def newest(found: Sequence[Use], month: int | None = None) -> Use | None:
    """Return how the newest version that counts a record counts it, of one month or of any; None where none does."""
    counted = [use for use in found if use.what is What.COUNTED and use.is_newest and month in (None, use.month)]
    return counted[-1] if counted else None
