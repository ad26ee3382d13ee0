"""In which order a list stands, and where in it a page begins: signed cursors that nobody can make up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from django.core import signing

SALT = "invoices.sorting"


class NotAnOrderError(ValueError):
    """No list can be sorted so."""


class By(StrEnum):
    """What a list is sorted by."""

    NEEDS = "needs"
    TAX = "tax"
    DATE = "date"
    SUPPLIER = "supplier"
    LAST = "last"


DESCENDS = {By.NEEDS: True, By.TAX: True, By.DATE: True, By.SUPPLIER: False, By.LAST: False}
"""The usual direction: what needs somebody, the dearest, the newest first; suppliers by name, the soonest last day."""


@dataclass(frozen=True, slots=True)
class Sort:
    """An order of a list; `is_turned` stands it on its head. An address writes that with a minus sign."""

    by: By = By.NEEDS
    is_turned: bool = False

    @property
    def code(self) -> str:
        """The order as an address writes it; the usual one of all is not written."""
        return "" if self == Sort() else f"-{self.by}" if self.is_turned else str(self.by)

    @property
    def descends(self) -> bool:
        """Whether the greatest stands first."""
        return DESCENDS[self.by] != self.is_turned

    def next(self, by: By) -> Sort:
        """Return the order a click on a column's heading leads to: by that column, or turned where it is already."""
        return Sort(by, not self.is_turned) if by is self.by else Sort(by)


def parse(text: str) -> Sort:
    """Return the order an address asks for; raises NotAnOrderError for one there is none of."""
    if not text:
        return Sort()
    try:
        return Sort(By(text.removeprefix("-")), text.startswith("-"))
    except ValueError:
        raise NotAnOrderError(text) from None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands in an order: the part of the list and its values there, as text; its id is the last."""

    part: int
    values: tuple[str, ...]

    @property
    def record_id(self) -> int:
        """The record that stands there."""
        return int(self.values[-1])


@dataclass(frozen=True, slots=True)
class Cursor:
    """A page: what follows (or, backwards, precedes) a place; the number of its first record; the counts of the list.

    `counted` is what the first page counted, letter -> (records, tax in paise): pages after it need not count again.
    """

    sort: Sort
    beside: Place
    backwards: bool
    first: int
    counted: Mapping[str, tuple[int, int]]

    def signed(self) -> str:
        """Return the cursor for an address."""
        place = [self.beside.part, *self.beside.values]
        return signing.dumps([self.sort.code, place, self.backwards, self.first, self.counted], salt=SALT)


def read(text: str, sort: Sort) -> Cursor | None:
    """Return the cursor of an address, None for none, for one of another order and for one of somebody's own making."""
    if not text:
        return None
    try:
        code, (part, *values), backwards, first, counted = signing.loads(text, salt=SALT)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    if code != sort.code:
        return None
    return Cursor(sort, Place(part, tuple(values)), backwards, first, {k: (n, tax) for k, (n, tax) in counted.items()})
