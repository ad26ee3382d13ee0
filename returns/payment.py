"""Tables 5.1 and 6.1 of a GSTR-3B: its own credit set off against its own tax, interest of the return before (R8.14).

The portal keeps no cash and no credit ledger: everything comes from the return's own figures and four entries of the
taxpayer, kept beside the declared rows. What a filed return paid is kept with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from ims_portal.rules import interest
from ims_portal.rules import payment as rules
from ims_portal.rules.money import NIL, Tax
from ims_portal.rules.payment import SetOff, Use

INTEREST, CASH_BALANCE, IGST_CREDIT, OWN_CREDIT = "t5_1", "t6_cash", "t6_igst", "t6_own"
ENTRIES = (INTEREST, CASH_BALANCE, IGST_CREDIT, OWN_CREDIT)
"""What a taxpayer enters: interest, the least cash balance while this return was late, and two uses of credit.

The uses are kept by the head they go to or come from: CGST and SGST.
"""


@dataclass(frozen=True, slots=True)
class Late:
    """The return before, filed late: what it left to pay, the cash held meanwhile, its due day and its filing."""

    month: int
    net: Tax
    cash_balance: Tax
    due: date
    paid: date

    @property
    def days(self) -> int:
        """The days interest runs."""
        return interest.days_late(self.due, self.paid)

    @property
    def interest(self) -> Tax:
        """The interest the system works out, in paise."""
        return interest.on_late(net=self.net, cash_balance=self.cash_balance, due=self.due, paid=self.paid)


@dataclass(frozen=True, slots=True)
class Payment:
    """What a return pays: tax set off, interest declared for the return before, the cash balance entered for it."""

    set_off: SetOff
    late: Late | None
    interest: Tax
    cash_balance: Tax

    @property
    def interest_paid(self) -> Tax:
        """Interest in whole rupees, always in cash."""
        return rules.in_rupees(self.interest)

    @property
    def cash(self) -> Tax:
        """All that is paid in cash, in whole rupees."""
        return self.set_off.cash + self.set_off.cash_only_paid + self.interest_paid


def of(month: int, declared: Mapping[str, Tax], entries: Mapping[str, Tax], late: Late | None) -> Payment:
    """Return what a period's declared rows pay; `entries` by their row, `late` the return before where it was."""
    system = late.interest if late else NIL
    return Payment(
        rules.set_off(month, declared, wishes(entries)),
        late,
        interest.declared(month, system=system, entered=entries.get(INTEREST)),
        entries.get(CASH_BALANCE, NIL),
    )


def wishes(entries: Mapping[str, Tax]) -> dict[Use, int]:
    """Return the uses of credit that were chosen, each with its most in paise."""
    chosen: dict[Use, int] = {}
    if IGST_CREDIT in entries:
        amounts = entries[IGST_CREDIT].as_dict()
        chosen |= {use: amounts[use[1]] for use in rules.IGST_TO_OTHERS}
    if OWN_CREDIT in entries:
        amounts = entries[OWN_CREDIT].as_dict()
        chosen |= {use: amounts[use[0]] for use in rules.OTHERS_TO_IGST}
    return chosen


def late(month: int, *, kept: Mapping[str, Any], due: date, filed_on: date) -> Late | None:
    """Return the filed return of a month as late, None where it was in time, or kept no payment."""
    paid = read(kept)
    if paid is None or interest.days_late(due, filed_on) == 0:
        return None
    return Late(month, paid.set_off.net, paid.cash_balance, due, filed_on)


def stored(paid: Payment) -> dict[str, Any]:
    """Return a payment as it is kept with a filing."""
    done, behind = paid.set_off, paid.late
    return {
        "payable": list(done.payable),
        "cash_only": list(done.cash_only),
        "credit": list(done.credit),
        "uses": [[*use, amount] for use, amount in sorted(done.uses.items())],
        "interest": list(paid.interest),
        "cash_balance": list(paid.cash_balance),
        "late": behind
        and {
            "month": behind.month,
            "net": list(behind.net),
            "cash_balance": list(behind.cash_balance),
            "due": behind.due.isoformat(),
            "paid": behind.paid.isoformat(),
        },
    }


def read(kept: Mapping[str, Any]) -> Payment | None:
    """Return the payment a filing kept, None for one filed before payments were kept."""
    if not kept:
        return None
    uses = {(gives, head): amount for gives, head, amount in kept["uses"]}
    done = SetOff(Tax(*kept["payable"]), Tax(*kept["cash_only"]), Tax(*kept["credit"]), uses)
    return Payment(done, _late(kept["late"]), Tax(*kept["interest"]), Tax(*kept["cash_balance"]))


def _late(kept: Mapping[str, Any] | None) -> Late | None:
    if kept is None:
        return None
    days = (date.fromisoformat(kept[name]) for name in ("due", "paid"))
    return Late(kept["month"], Tax(*kept["net"]), Tax(*kept["cash_balance"]), *days)
