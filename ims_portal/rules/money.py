"""Rupees at the edges, integer paise inside: the one pair of functions between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from decimal import Context, Decimal, Inexact

HEADS = ("igst", "cgst", "sgst", "cess")
LARGEST_PAISE = 999_999_999_999_999
"""Thirteen digits of rupees and two of paise, the widest amount a document may carry (R10.9)."""


EXACT = Context(prec=60, traps=[Inexact])
"""Shifts the point of an amount without rounding, or raises Inexact."""


class NotMoneyError(ValueError):
    """An amount is not a number of rupees with at most two decimals."""


def to_paise(rupees: Decimal | int) -> int:
    """Return whole paise for rupees; raise NotMoneyError for NaN, infinities, more than two decimals, 60 digits."""
    amount = Decimal(rupees)
    if not amount.is_finite():
        raise NotMoneyError(f"{rupees} is not a number")
    try:
        paise = amount.scaleb(2, EXACT)
    except Inexact:
        raise NotMoneyError(f"{rupees} has more digits than any amount") from None
    if paise != paise.to_integral_value():
        raise NotMoneyError(f"{rupees} has more than two decimals")
    return int(paise)


def to_rupees(paise: int) -> Decimal:
    """Return rupees with exactly two decimals for whole paise."""
    return Decimal(paise).scaleb(-2)


@dataclass(frozen=True, slots=True)
class Tax:
    """Tax by head in whole paise; sgst is also UTGST. Amounts may be negative where the law lets them."""

    igst: int = 0
    cgst: int = 0
    sgst: int = 0
    cess: int = 0

    def __add__(self, other: Tax) -> Tax:
        return Tax(*(a + b for a, b in zip(self, other, strict=True)))

    def __sub__(self, other: Tax) -> Tax:
        return Tax(*(a - b for a, b in zip(self, other, strict=True)))

    def __neg__(self) -> Tax:
        return Tax(*(-a for a in self))

    def __iter__(self) -> Iterator[int]:
        yield from (self.igst, self.cgst, self.sgst, self.cess)

    def __bool__(self) -> bool:
        return any(self)

    @property
    def total(self) -> int:
        """The sum of all heads, in paise."""
        return sum(self)

    def as_dict(self) -> dict[str, int]:
        """Return head -> paise, in the order of HEADS."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @classmethod
    def of(cls, heads: Mapping[str, int]) -> Tax:
        """Return the tax for a mapping of head -> paise; a missing head is 0, an unknown one raises TypeError."""
        return cls(**dict(heads))


NIL = Tax()
