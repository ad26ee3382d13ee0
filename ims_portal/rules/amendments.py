"""The label of an amendment: upward, downward or unchanged (R2.11)."""

from __future__ import annotations

from enum import StrEnum

from ims_portal.rules.actions import Sign
from ims_portal.rules.table import Dated, always, otherwise, row


class Direction(StrEnum):
    """Which way an amendment goes."""

    UPWARD = "upward"
    DOWNWARD = "downward"
    UNCHANGED = "unchanged"


DIRECTION: Dated[Direction] = always(
    "label of an amendment",
    governed_by="the record's GSTR-2B period",
    facts={"change": tuple(Sign), "taxable_change": tuple(Sign)},
    rows=(
        row(Direction.UPWARD, change=Sign.POSITIVE, cite="R2.11: by total tax", ours=True),
        row(Direction.DOWNWARD, change=Sign.NEGATIVE, cite="R2.11: by total tax", ours=True),
        row(Direction.UPWARD, taxable_change=Sign.POSITIVE, cite="R2.11: on a tie by taxable value", ours=True),
        row(Direction.DOWNWARD, taxable_change=Sign.NEGATIVE, cite="R2.11: on a tie by taxable value", ours=True),
        otherwise(Direction.UNCHANGED, cite="R2.11", ours=True),
    ),
)


def direction(month: int, *, tax: int, taxable: int) -> Direction:
    """Return the label of an amendment from its changes of total tax and of taxable value, in paise (R2.11)."""
    return DIRECTION.decide(month, change=_sign(tax), taxable_change=_sign(taxable)).outcome


def _sign(change: int) -> Sign:
    if change == 0:
        return Sign.ZERO
    return Sign.POSITIVE if change > 0 else Sign.NEGATIVE
