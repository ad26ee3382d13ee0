"""Which rates and which heads of tax a document may carry, and how much tax they make (R10.7, R10.8)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

from ims_portal.rules.money import to_rupees
from ims_portal.rules.table import Dated, Table, Unit, always, otherwise, row

GST_BEGAN = date(2017, 7, 1)
"""CGST Act s.1(3), Notification 9/2017-CT: there is no document under GST before this day."""

_KNOWN = (0, 10, 25, 100, 150, 300, 500, 600, 750, 1200, 1800, 2800, 4000)
RATES: Dated[bool] = Dated(
    name="rate accepted on a document",
    governed_by="the date of the document",
    unit=Unit.DAY,
    versions={
        20170701: Table(
            name="rates before GST 2.0",
            facts={"rate": _KNOWN},
            rows=(
                row(outcome=False, rate=4000, ours=True, cite="R10.7: the 40 % slab began with GST 2.0"),
                otherwise(outcome=True, cite="R10.7; formats 1.5"),
            ),
        ),
        20250922: Table(
            name="rates since GST 2.0",
            facts={"rate": _KNOWN},
            rows=(otherwise(outcome=True, cite="R10.7: 5, 18 and 40 are main slabs, older ones stay accepted"),),
        ),
    },
)
"""Rates in hundredths of a percent. A rate outside the table's domain was never one."""


@lru_cache(maxsize=4096)
def accepted(on: date) -> tuple[int, ...]:
    """Return the rates a document dated `on` may carry; before 1 July 2017 raise NoVersionInForceError (R10.7)."""
    table = RATES.at(_number(on))
    return tuple(rate for rate in _KNOWN if table.decide(rate=rate).outcome)


class Heads(StrEnum):
    """Which taxes a supply bears."""

    IGST = "IGST"
    CGST_AND_SGST = "CGST and SGST"


HEADS_DUE: Dated[Heads] = always(
    "tax heads due",
    governed_by="the date of the document",
    unit=Unit.DAY,
    facts={"is_sez": (True, False), "is_same_state": (True, False)},
    rows=(
        row(Heads.IGST, is_sez=True, cite="R10.8; IGST Act s.7(5)(b): to or by an SEZ developer or unit"),
        row(Heads.CGST_AND_SGST, is_same_state=True, cite="R10.8; IGST Act s.8"),
        otherwise(Heads.IGST, cite="R10.8; IGST Act s.7"),
    ),
)


@lru_cache(maxsize=4096)
def heads_due(on: date, *, is_sez: bool, is_same_state: bool) -> Heads:
    """Return which taxes a document dated `on` bears; `is_same_state`: the supplier's State is the place of supply.

    R10.8.
    """
    return HEADS_DUE.decide(_number(on), is_sez=is_sez, is_same_state=is_same_state).outcome


def _number(on: date) -> int:
    return on.year * 10000 + on.month * 100 + on.day


TOLERANCE = 100
"""Paise by which each head may differ from rate times value (R10.8)."""

DIFFERENTIAL = 65
"""Percent of the rate that is charged where a document says so (R10.7)."""

DIVISOR = 2 * 10_000 * 100
"""What `tax_due` must be divided by to give paise: two halves, hundredths of a percent, percent of the rate."""


def is_differential(share: Decimal) -> bool:
    """Whether a share of the rate, such as 0.65, is the one that may be charged (R10.7)."""
    return share * 100 == DIFFERENTIAL


def tax_due(*, taxable: int, rate: int, heads: Heads, is_differential: bool) -> tuple[int, int, int]:
    """Return IGST, CGST and SGST due on a line, undivided by DIVISOR so that nothing is rounded (R10.8)."""
    due = taxable * rate * (DIFFERENTIAL if is_differential else 100)
    return (2 * due, 0, 0) if heads is Heads.IGST else (0, due, due)


def nearest(undivided: int) -> int:
    """Return paise for what `tax_due` returns: the nearest, a half upwards; documents may differ from it (R10.8)."""
    return (2 * undivided + DIVISOR) // (2 * DIVISOR)


WITHOUT_PAYMENT = frozenset({"SEWOP", "WOPAY", "EXPWOP"})
"""Kinds of supplies, as GSTR-1 writes them, that bear no tax: to an SEZ or abroad under bond (IGST Act s.16(3)(a))."""


def worked_out(*, taxable: int, rate: int, heads: Heads, is_differential: bool, kind: str) -> tuple[int, int, int]:
    """Return IGST, CGST and SGST of a line whose source names no tax, in paise, to the nearest (R10.8)."""
    due = tax_due(
        taxable=taxable, rate=0 if kind in WITHOUT_PAYMENT else rate, heads=heads, is_differential=is_differential
    )
    return nearest(due[0]), nearest(due[1]), nearest(due[2])


def percent(rate: int) -> str:
    """Return hundredths of a percent as people write it: 18 %, 0.25 %."""
    return f"{to_rupees(rate).normalize():f} %"
