"""The reclaim and RCM statements: what filings and corrections moved, how far a draft stays below them (R8.10)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db.models import Sum

from ims_portal.models import Taxpayer
from ims_portal.rules import gstr3b as rules
from ims_portal.rules.money import HEADS, NIL, Tax
from returns.models import LedgerEntry


def move_by_filing(taxpayer: Taxpayer, month: int, declared: Mapping[str, Tax], at: datetime) -> None:
    """Append what a filed return moves. This will join the filing's transaction."""
    moves = {
        LedgerEntry.Ledger.RECLAIM: declared["t4B2"] - declared["t4D1"],
        LedgerEntry.Ledger.RCM: declared["t3_1_d"] - declared["t4A2"] - declared["t4A3"],
    }
    for ledger, move in moves.items():
        if move:
            record(taxpayer=taxpayer, ledger=ledger, move=move, cause="GSTR-3B", month=month, at=at)


def record(
    *, taxpayer: Taxpayer, ledger: LedgerEntry.Ledger, move: Tax, cause: str, at: datetime, month: int | None = None
) -> None:
    """Append a movement to a statement (R8.10). This will join the caller's transaction."""
    LedgerEntry.objects.create(taxpayer=taxpayer, ledger=ledger, month=month, cause=cause, at=at, **move.as_dict())


def balance(taxpayer: Taxpayer, ledger: str) -> Tax:
    """Return the balance of a reclaim or RCM statement, in paise per head."""
    return balances(taxpayer).get(ledger, NIL)


def balances(taxpayer: Taxpayer) -> dict[str, Tax]:
    """Return ledger -> balance in paise per head, of the statements that have movements."""
    sums = LedgerEntry.objects.filter(taxpayer=taxpayer).values_list("ledger").annotate(*map(Sum, HEADS)).order_by()
    return {ledger: Tax(*map(int, heads)) for ledger, *heads in sums}


def rooms(taxpayer: Taxpayer, declared: Mapping[str, Tax]) -> tuple[Tax, Tax]:
    """Return how far declared rows stay below the reclaim and the RCM limit, per head; negative beyond them."""
    held = balances(taxpayer)
    return (
        rules.reclaim_room(declared, held.get(LedgerEntry.Ledger.RECLAIM, NIL)),
        rules.rcm_room(declared, held.get(LedgerEntry.Ledger.RCM, NIL)),
    )
