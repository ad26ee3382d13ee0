"""Table 6.1 of GSTR-3B: which credit pays which head of tax, in which order, and what is left for cash (R8.14).

Everything comes from one return's own figures; amounts are whole paise, cash is whole rupees (R10.9).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ims_portal.rules.gstr3b import TABLE_3
from ims_portal.rules.money import HEADS, Tax
from ims_portal.rules.table import Dated, Table, always, otherwise, row

Use = tuple[str, str]
"""A head of credit and the head of tax it pays."""


class Means(StrEnum):
    """What the tax of a row of Table 3 is paid with."""

    CREDIT = "credit"
    CASH = "cash"
    NOTHING = "nothing"


PAID_WITH: Dated[Means] = always(
    "what the tax of a row of Table 3 is paid with",
    governed_by="the tax period of GSTR-3B",
    facts={"row": TABLE_3},
    rows=(
        row(Means.CASH, row="t3_1_d", cite="R8.14; CGST Act s.49(4), s.2(82): reverse charge is no output tax"),
        row(Means.CASH, row="t3_1_1_i", cite="R8.14; Circular 167/23/2021-GST: section 9(5) in cash", ours=True),
        row(Means.CREDIT, row=("t3_1_a", "t3_1_b"), cite="R8.14; CGST Act s.49(4)"),
        otherwise(Means.NOTHING, cite="R8.1: it repeats supplies of 3.1, or bears no tax"),
    ),
)

CREDIT_PAYS: Dated[bool] = always(
    "may a head of credit pay a head of tax",
    governed_by="the tax period of GSTR-3B",
    facts={"credit": HEADS, "head": HEADS},
    rows=(
        row(True, credit="igst", head=("igst", "cgst", "sgst"), cite="R8.14; CGST Act s.49(5)(a)"),
        row(True, credit="cgst", head=("cgst", "igst"), cite="R8.14; CGST Act s.49(5)(b)"),
        row(True, credit="sgst", head=("sgst", "igst"), cite="R8.14; CGST Act s.49(5)(c), (d)"),
        row(True, credit="cess", head="cess", cite="R8.14; Compensation to States Act s.11(2)"),
        otherwise(False, cite="R8.14; CGST Act s.49(5)(e), (f): CGST and SGST never pay each other"),
    ),
)

IGST_IN_ANY_ORDER: Dated[bool] = Dated(
    name="once IGST credit is used up, may SGST credit pay IGST before CGST credit is used up",
    governed_by="the tax period of GSTR-3B",
    versions={
        0: Table("CGST first", {}, (otherwise(False, cite="R8.14; CGST Act s.49(5)(c), proviso"),)),
        202602: Table("any order and proportion", {}, (otherwise(True, cite="R8.14; advisory 30-Jan-2026"),)),
    },
)

IGST_TO_OTHERS: tuple[Use, ...] = (("igst", "cgst"), ("igst", "sgst"))
OTHERS_TO_IGST: tuple[Use, ...] = (("cgst", "igst"), ("sgst", "igst"))
"""Both in the order taken where none is chosen."""


@dataclass(frozen=True, slots=True)
class SetOff:
    """What pays the tax of a return, per head: `uses` of its own credit, the rest in cash. Paise."""

    payable: Tax
    cash_only: Tax
    credit: Tax
    uses: Mapping[Use, int]

    @property
    def used(self) -> Tax:
        """What each head of credit gave."""
        return Tax(*(sum(paid for (gives, _head), paid in self.uses.items() if gives == name) for name in HEADS))

    @property
    def covered(self) -> Tax:
        """What credit pays of each head of tax."""
        return Tax(*(sum(paid for (_gives, head), paid in self.uses.items() if head == name) for name in HEADS))

    @property
    def net(self) -> Tax:
        """What credit leaves to pay, to the paisa: the net liability on which interest runs (R8.14)."""
        return self.payable + self.cash_only - self.covered

    @property
    def cash(self) -> Tax:
        """What is paid in cash on rows credit may pay, in whole rupees."""
        return in_rupees(self.payable - self.covered)

    @property
    def cash_only_paid(self) -> Tax:
        """What is paid in cash on rows credit may not pay, in whole rupees."""
        return in_rupees(self.cash_only)


def in_rupees(tax: Tax) -> Tax:
    """Return amounts of paise, none below zero, as whole rupees per head, half a rupee up (R10.9; CGST Act s.170)."""
    return Tax(*((head + 50) // 100 * 100 for head in tax))


def liability(month: int, rows: Mapping[str, Tax]) -> tuple[Tax, Tax]:
    """Return what credit may pay and what cash alone may, of the rows of Table 3 of a period.

    A head of a row that is below zero is payable as zero (R8.15).
    """
    owed = {Means.CREDIT: Tax(), Means.CASH: Tax(), Means.NOTHING: Tax()}
    for name in TABLE_3:
        owed[PAID_WITH.decide(month, row=name).outcome] += not_below_zero(rows.get(name, Tax()))
    return owed[Means.CREDIT], owed[Means.CASH]


def not_below_zero(tax: Tax) -> Tax:
    """Return every head, zero where it is negative."""
    return Tax(*(max(head, 0) for head in tax))


def set_off(month: int, rows: Mapping[str, Tax], wish: Mapping[Use, int] | None = None) -> SetOff:
    """Return what pays the tax of a period's rows: its own net ITC, 4(C), then cash.

    IGST credit goes first and wholly: IGST, then CGST and SGST; CGST and SGST credit pay their own head, then IGST;
    cess pays cess. `wish` says how much at most a use takes before the order above takes the rest, where the law
    leaves a choice.
    """
    payable, cash_only = liability(month, rows)
    credit = not_below_zero(rows.get("t4C", Tax()))
    left, due, uses = credit.as_dict(), payable.as_dict(), dict[Use, int]()
    for gives, head, most in _steps(month, wish or {}):
        paid = min(left[gives], due[head], left[gives] if most is None else most)
        left[gives] -= paid
        due[head] -= paid
        if paid:
            uses[gives, head] = uses.get((gives, head), 0) + paid
    return SetOff(payable, cash_only, credit, uses)


def _steps(month: int, wish: Mapping[Use, int]) -> list[tuple[str, str, int | None]]:
    """Return the uses of credit in their order, each with the most it takes, None for all it can."""
    to_igst = OTHERS_TO_IGST if IGST_IN_ANY_ORDER.decide(month).outcome else ()
    return [
        ("igst", "igst", None),
        *((*use, wish[use]) for use in IGST_TO_OTHERS if use in wish),
        *((*use, None) for use in IGST_TO_OTHERS),
        *((name, name, None) for name in ("cgst", "sgst", "cess")),
        *((*use, wish[use]) for use in to_igst if use in wish),
        *((*use, None) for use in OTHERS_TO_IGST),
    ]
