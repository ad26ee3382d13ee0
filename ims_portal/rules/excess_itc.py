"""ITC declared above that of GSTR-2B: from when and how much it may bring an intimation, DRC-01C (R8.16).

Never a block.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ims_portal.rules.actions import YES_NO
from ims_portal.rules.money import Tax, to_paise
from ims_portal.rules.table import Dated, Facts, Table, always, otherwise, row

FROM_GSTR2B = ("t4A1", "t4A3", "t4A4", "t4A5")
"""The rows of available ITC that follow GSTR-2B."""

SHARE: Dated[int] = always(
    "percent of GSTR-2B above which ITC may bring DRC-01C",
    governed_by="the tax period of GSTR-3B",
    facts={},
    rows=(otherwise(20, cite="R8.16: one source", ours=True),),
)

AMOUNT: Dated[int] = always(
    "rupees above GSTR-2B beyond which ITC may bring DRC-01C",
    governed_by="the tax period of GSTR-3B",
    facts={},
    rows=(otherwise(25_00_000, cite="R8.16: one source", ours=True),),
)

_FACTS: Facts = {"is_above_share": YES_NO, "is_above_amount": YES_NO}

IS_HINTED: Dated[bool] = Dated(
    name="may ITC above GSTR-2B bring an intimation in Form DRC-01C",
    governed_by="the tax period of GSTR-3B",
    versions={
        0: Table("before Rule 88D", _FACTS, (otherwise(False, cite="R8.16: no Rule 88D"),)),
        202308: Table(
            "Rule 88D",
            _FACTS,
            (
                row(
                    True,
                    is_above_share=True,
                    is_above_amount=True,
                    cite="R8.16; Rule 88D, Notif. 38/2023-CT",
                    ours=True,
                ),
                otherwise(False, cite="R8.16", ours=True),
            ),
        ),
    },
)


@dataclass(frozen=True, slots=True)
class Excess:
    """ITC declared above GSTR-2B, in paise over all heads; `percent` of GSTR-2B, None where that gives nothing."""

    declared: int
    gstr2b: int

    @property
    def amount(self) -> int:
        """What is declared above."""
        return self.declared - self.gstr2b

    @property
    def percent(self) -> int | None:
        """How many whole percent of GSTR-2B that is."""
        return self.amount * 100 // self.gstr2b if self.gstr2b > 0 else None


def hint(month: int, *, derived: Mapping[str, Tax], declared: Mapping[str, Tax]) -> Excess | None:
    """Return the excess of a period's declared ITC over GSTR-2B where it may bring DRC-01C, else None."""
    found = Excess(_total(declared), _total(derived))
    share = SHARE.decide(month).outcome * max(found.gstr2b, 0)
    is_hinted = IS_HINTED.decide(
        month,
        is_above_share=found.amount * 100 > share,
        is_above_amount=found.amount > to_paise(AMOUNT.decide(month).outcome),
    ).outcome
    return found if is_hinted else None


def _total(rows: Mapping[str, Tax]) -> int:
    return sum(rows[name].total for name in FROM_GSTR2B)
