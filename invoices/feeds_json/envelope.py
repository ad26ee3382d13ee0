"""The root around the records of a feed (formats 10): which feed it is, how many records it says it has, their sums."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from ims_portal.rules.documents import Problem
from ims_portal.rules.money import to_rupees
from invoices.feeds_json.fields import DOES_NOT_AGREE, Place, fields
from invoices.gstr1_json import values
from invoices.gstr1_json.values import Fault, Reader, written
from invoices.json_reading import JsonReader, refuse

UNKNOWN_FILE = "APP-F03"
VERSION = "1.0"


@dataclass(frozen=True, slots=True)
class Shape:
    """What a root may hold: the value of `feed`, the keys around the records, and the lists of records."""

    feed: str
    readers: Mapping[str, Reader]
    required: tuple[str, ...]
    lists: tuple[str, ...]


@dataclass(slots=True)
class Envelope:
    """A feed while it is read: `elements` first, then `head` and `faults` say what stands around them."""

    shape: Shape
    head: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    count: int = 0

    def elements(self, stream: BinaryIO) -> Iterator[tuple[str, Any]]:
        """Yield (position, value) of every record, in file order, in flat memory.

        Raises UnreadableFileError, possibly after the last record, when the file as a whole must be refused.
        """
        reader = JsonReader(stream)
        if reader.peek() != "{":
            reader.skip()
            reader.end()
            refuse("APP-F01", "The file is not one JSON object. Upload the file as it was delivered.")
        root: dict[str, Any] = {}
        for key in reader.keys_of_object():
            if key in self.shape.lists and reader.peek() == "[":
                yield from self._list(reader, key)
            elif key in self.shape.readers or key in ("feed", "version", *self.shape.lists):
                root[key] = reader.value()
            else:
                reader.skip()
            if key == "feed":
                self._expect_feed(root)
        reader.end()
        self._expect_feed(root)
        self._close(root)

    def _list(self, reader: JsonReader, key: str) -> Iterator[tuple[str, Any]]:
        for number in reader.elements():
            self.count += 1
            yield f"{key}[{number}]", reader.value()

    def _expect_feed(self, root: dict[str, Any]) -> None:
        if root.get("feed") != self.shape.feed:
            found = f"its feed is {written(root['feed'])}" if "feed" in root else "it has no feed"
            refuse(
                UNKNOWN_FILE,
                f"This is not a feed of {self.shape.feed}: {found}. Choose another file, or another kind.",
                field="feed",
            )

    def _close(self, root: dict[str, Any]) -> None:
        """Read what stands around the records."""
        readers = {"feed": values.text, "version": values.one_of(VERSION), **self.shape.readers}
        readers |= dict.fromkeys(self.shape.lists, _not_a_list)
        self.head, faults = fields(root, readers, ("version", *self.shape.required))
        self.problems = [Place("").problem(fault) for fault in faults]

    def agree(self, sums: Mapping[str, int] | None) -> None:
        """Note where the file's own count and totals are not those of its records; None where not all could be read."""
        if not self.count and not self.problems:
            fault = Fault(values.MISSING, self.shape.lists[0], f"{self.shape.lists[0]} is missing or empty. Add it.")
            self.problems.append(Place("").problem(fault))
        self.compare("count", self.head.get("count"), self.count, is_money=False)
        if sums is None:
            return
        for key, told in (self.head.get("totals") or {}).items():
            self.compare(f"totals.{key}", told, sums[key])

    def compare(self, key: str, told: int | None, found: int, *, is_money: bool = True) -> None:
        """Note where a count or a sum the file tells is not that of its records; `told` None was never told."""
        if told is not None and told != found:
            show = to_rupees if is_money else str
            self.problems.append(
                Place("").problem(
                    Fault(
                        DOES_NOT_AGREE,
                        key,
                        f"{key} says {show(told)}, but the records come to {show(found)}. The file is incomplete or "
                        "was changed; ask its sender for it again.",
                    )
                )
            )


def _not_a_list(_: object) -> None:
    raise values.WrongValueError.of(values.WRONG_TYPE, "is not a list. Give the records as a list.")
