"""What each room says about a GSTIN's open period, for pages that may not know the rooms: home, the inward summary.

The rooms name their readers when they start (`serve`), as jobs name their tasks; the ground floor imports none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from ims_portal.access import Access

ORDER = ("gstr1", "ims", "gstr2b", "gstr3b")


@dataclass(frozen=True, slots=True)
class Tile:
    """One return or desk of the open period: its state in words, where to look, what may be done and why not.

    `chip` is the class of the state's chip, `command_url` what a POST starts, `barred` why it cannot be started now.
    """

    title: str
    chip: str
    state: str
    lines: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    command: str = ""
    command_url: str = ""
    barred: str = ""


Reader = Callable[[Access, datetime], Mapping[str, Tile]]
_readers: dict[tuple[str, ...], Reader] = {}


def serve(keys: tuple[str, ...], reader: Reader) -> None:
    """Name the reader of one room, and which of ORDER it gives."""
    _readers[keys] = reader


def of(held: Access, at: datetime) -> list[Tile]:
    """Return the tiles of a taxpayer's open period at a moment, in their order."""
    found = {key: tile for reader in _readers.values() for key, tile in reader(held, at).items()}
    return [found[key] for key in ORDER if key in found]


def one(key: str, held: Access, at: datetime) -> Tile | None:
    """Return one tile, asking its room alone; None where no room has named it."""
    for keys, reader in _readers.items():
        if key in keys:
            return reader(held, at)[key]
    return None
