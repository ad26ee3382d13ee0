"""Interest on a GSTR-3B filed late: how much, and how far the system's figure binds (R8.5, R8.14)."""

from __future__ import annotations

from datetime import date

from ims_portal.rules.money import Tax
from ims_portal.rules.periods import day_number
from ims_portal.rules.table import Dated, Table, Unit, always, otherwise

RATE: Dated[int] = always(
    "interest on a return filed late, in percent a year",
    governed_by="the day of payment",
    unit=Unit.DAY,
    facts={},
    rows=(otherwise(18, cite="R8.14; CGST Act s.50(1), Notif. 13/2017-CT"),),
)

IS_FLOOR: Dated[bool] = Dated(
    name="is the system's interest, row 5.1, the least that may be declared",
    governed_by="the tax period of the GSTR-3B that shows it",
    versions={
        0: Table("a proposal", {}, (otherwise(False, cite="R8.5: editable before"),)),
        202601: Table("a floor", {}, (otherwise(True, cite="R8.5; R8.14; advisory 30-Jan-2026"),)),
    },
)

DAYS_OF_YEAR = 365


def days_late(due: date, paid: date) -> int:
    """Return the days from the day after the due date to the day of payment, none where it is in time."""
    return max((paid - due).days, 0)


def on_late(*, net: Tax, cash_balance: Tax, due: date, paid: date) -> Tax:
    """Return the interest per head in paise, half a paisa up, for a return due on `due` and paid on `paid` (R8.14).

    `net` is what credit left to pay, `cash_balance` the least that stood in the cash ledger in between; a balance
    above the liability leaves nothing to pay interest on.
    """
    share = days_late(due, paid) * RATE.decide(day_number(paid)).outcome
    whole = DAYS_OF_YEAR * 100
    owed = (max(head - held, 0) for head, held in zip(net, cash_balance, strict=True))
    return Tax(*((2 * head * share + whole) // (2 * whole) for head in owed))


def declared(month: int, *, system: Tax, entered: Tax | None) -> Tax:
    """Return row 5.1 as declared: what was entered, never below the system's figure where that is a floor."""
    if entered is None:
        return system
    if not IS_FLOOR.decide(month).outcome:
        return entered
    return Tax(*(max(pair) for pair in zip(entered, system, strict=True)))


def is_too_low(month: int, *, system: Tax, entered: Tax) -> bool:
    """Whether an entry for row 5.1 is refused: a head below zero, or below the floor."""
    return min(entered) < 0 or declared(month, system=system, entered=entered) != entered
