"""Tables 5.1 and 6.1 as pages print them: per head what is owed, what pays it, and what an entry asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ims_portal.rules import excess_itc, interest
from ims_portal.rules.money import HEADS, NIL, Tax, to_paise
from ims_portal.rules.periods import day_number
from ims_portal.templatetags import ims as show
from returns import payment, wording
from returns.payment import Late, Payment

ENTRY_NAMES: Mapping[str, Promise] = {
    payment.INTEREST: gettext_lazy("5.1 Interest"),
    payment.CASH_BALANCE: gettext_lazy("Least cash balance while this return was late"),
    payment.IGST_CREDIT: gettext_lazy("IGST credit left after IGST, by the head it pays"),
    payment.OWN_CREDIT: gettext_lazy("CGST and SGST credit that pays IGST"),
}

ENTRY_HEADS: Mapping[str, tuple[str, ...]] = {
    payment.IGST_CREDIT: ("cgst", "sgst"),
    payment.OWN_CREDIT: ("cgst", "sgst"),
}
"""Entries that ask for some heads only."""


@dataclass(frozen=True, slots=True)
class Line:
    """One head of Table 6.1, in paise: `by` is what each head of credit pays, in the order of the heads."""

    name: str
    payable: int
    by: list[int]
    cash: int
    cash_only: int
    cash_only_paid: int
    interest: int
    interest_paid: int

    @property
    def in_cash(self) -> int:
        """All cash of the head."""
        return self.cash + self.cash_only_paid + self.interest_paid


@dataclass(frozen=True, slots=True)
class Card:
    """Table 6.1: a line per head, their sum, net ITC that is left, and how interest came about."""

    lines: list[Line]
    total: Line
    credit_left: Tax
    interest_told: str
    cash_balance: Tax

    @property
    def in_cash(self) -> Tax:
        """All cash of each head."""
        return Tax(*(line.in_cash for line in self.lines))


def card(paid: Payment | None) -> Card | None:
    """Return Table 6.1 of a draft or filed return, None for one filed before payments were kept."""
    if paid is None:
        return None
    lines = [_line(paid, head) for head in HEADS]
    return Card(lines, _sum(lines), paid.set_off.credit - paid.set_off.used, _told(paid.late), paid.cash_balance)


def _line(paid: Payment, head: str) -> Line:
    done = paid.set_off
    return Line(
        name=str(wording.HEAD_NAMES[head]),
        payable=done.payable.as_dict()[head],
        by=[done.uses.get((gives, head), 0) for gives in HEADS],
        cash=done.cash.as_dict()[head],
        cash_only=done.cash_only.as_dict()[head],
        cash_only_paid=done.cash_only_paid.as_dict()[head],
        interest=paid.interest.as_dict()[head],
        interest_paid=paid.interest_paid.as_dict()[head],
    )


def _sum(lines: list[Line]) -> Line:
    return Line(
        name=_("Total"),
        payable=sum(line.payable for line in lines),
        by=[sum(column) for column in zip(*(line.by for line in lines), strict=True)],
        cash=sum(line.cash for line in lines),
        cash_only=sum(line.cash_only for line in lines),
        cash_only_paid=sum(line.cash_only_paid for line in lines),
        interest=sum(line.interest for line in lines),
        interest_paid=sum(line.interest_paid for line in lines),
    )


def _told(late: Late | None) -> str:
    """Return how the system's interest came about, empty where the return before was in time."""
    if late is None:
        return ""
    return _(
        "GSTR-3B of %(period)s was due on %(due)s and filed on %(paid)s, %(days)s days late. Interest on %(net)s left "
        "to pay, less %(held)s least cash balance: (net liability - balance) x days / %(year)s x %(rate)s %% = "
        "%(interest)s, head by head."
    ) % {
        "period": show.period(late.month),
        "due": show.day(late.due),
        "paid": show.day(late.paid),
        "days": late.days,
        "net": show.inr(late.net.total),
        "held": show.inr(late.cash_balance.total),
        "year": interest.DAYS_OF_YEAR,
        "rate": interest.RATE.decide(day_number(late.paid)).outcome,
        "interest": show.inr(late.interest.total),
    }


def floor(month: int) -> str:
    """Return whether the system's interest may be lowered in a period, in words (R8.5)."""
    if interest.IS_FLOOR.decide(month).outcome:
        return _("The system's figure is the least: it can be raised, not lowered.")
    return _("The system's figure is a proposal: it can be raised or lowered.")


def entered(paid: Payment | None, entry: str, entries: Mapping[str, Tax]) -> Tax:
    """Return what the form of an entry starts with: what was entered, or what stands without it."""
    if entry in entries or paid is None:
        return entries.get(entry, NIL)
    uses = paid.set_off.uses
    if entry == payment.IGST_CREDIT:
        return Tax(cgst=uses.get(("igst", "cgst"), 0), sgst=uses.get(("igst", "sgst"), 0))
    if entry == payment.OWN_CREDIT:
        return Tax(cgst=uses.get(("cgst", "igst"), 0), sgst=uses.get(("sgst", "igst"), 0))
    return paid.interest if entry == payment.INTEREST else paid.cash_balance


def excess(month: int, derived: Mapping[str, Tax], declared: Mapping[str, Tax]) -> str:
    """Return the hint that ITC stands so far above GSTR-2B that DRC-01C may follow, empty where it does not (R8.16)."""
    found = excess_itc.hint(month, derived=derived, declared=declared)
    if found is None:
        return ""
    names = {
        "amount": show.inr(found.amount),
        "percent": found.percent,
        "share": excess_itc.SHARE.decide(month).outcome,
        "limit": show.inr(to_paise(excess_itc.AMOUNT.decide(month).outcome)),
    }
    gap = (
        _("ITC is declared %(amount)s above GSTR-2B, which gives none.")
        if found.percent is None
        else _("ITC is declared %(amount)s above GSTR-2B, %(percent)s %% of it.")
    )
    follows = _(
        "Filing is not stopped, but above %(share)s %% and %(limit)s an intimation in Form DRC-01C under Rule 88D may "
        "follow, to be paid or explained."
    )
    return f"{gap % names} {follows % names}"
