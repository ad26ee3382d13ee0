"""The banner above every page of a GSTIN: what a room has to say wherever its people are, until they do something.

The room names its reader when it starts (`serve`), as rooms do for tiles; the ground floor imports none of them.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from ims_portal.access import Access


@dataclass(frozen=True, slots=True)
class Banner:
    """What is said, where it opens to, and the command that ends it.

    `command_url` is empty for those without the right; `request_id` is the command's own: no other form
    of the page shares it.
    """

    title: str
    text: str
    url: str
    label: str
    command: str
    command_url: str
    request_id: uuid.UUID = field(default_factory=uuid.uuid4)


Reader = Callable[[Access, datetime], Banner | None]
_readers: list[Reader] = []


def serve(reader: Reader) -> None:
    """Name the reader of the room above."""
    _readers[:] = [reader]


def of(held: Access, at: datetime) -> Banner | None:
    """Return the banner of a GSTIN at a moment, None where there is nothing to say."""
    return _readers[0](held, at) if _readers else None
