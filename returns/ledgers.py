"""The reclaim, RCM and negative liability statements: what filings moved, what a draft may take (R8.10, R8.15)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, Sum, Value, When

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
    negative = LedgerEntry.Ledger.NEGATIVE
    for row, carried in rules.carried(month, declared, held(taxpayer, month).brought).items():
        if carried.move:
            record(taxpayer=taxpayer, ledger=negative, row=row, move=carried.move, cause="GSTR-3B", month=month, at=at)


def record(
    *,
    taxpayer: Taxpayer,
    ledger: LedgerEntry.Ledger,
    move: Tax,
    cause: str,
    at: datetime,
    month: int | None = None,
    row: str = "",
) -> None:
    """Append a movement to a statement (R8.10, R8.15). This will join the caller's transaction."""
    LedgerEntry.objects.create(
        taxpayer=taxpayer, ledger=ledger, row=row, month=month, cause=cause, at=at, **move.as_dict()
    )


def balance(taxpayer: Taxpayer, ledger: str) -> Tax:
    """Return the balance of a reclaim or RCM statement, in paise per head."""
    return balances(taxpayer).get(ledger, NIL)


def balances(taxpayer: Taxpayer) -> Mapping[str, Tax]:
    """Return ledger -> balance in paise per head, of the statements that have movements."""
    return held(taxpayer, 0).balances


@dataclass(frozen=True, slots=True)
class Held:
    """What the statements of a taxpayer hold for the return of a month, in paise per head.

    `balances`: by ledger, whatever was moved; `brought`: by row, the negative liability of earlier returns.
    """

    balances: Mapping[str, Tax]
    brought: Mapping[str, Tax]


def held(taxpayer: Taxpayer, month: int) -> Held:
    """Return what the statements hold for the return of a month: one query."""
    earlier = Case(When(month__lt=month, then=Value(True)), default=Value(False))
    moves = LedgerEntry.objects.filter(taxpayer=taxpayer).annotate(is_earlier=earlier)
    by_ledger: dict[str, Tax] = {}
    by_row: dict[str, Tax] = {}
    sums: Iterable[tuple[Any, ...]] = (
        moves.values_list("ledger", "row", "is_earlier").annotate(*map(Sum, HEADS)).order_by()
    )
    for ledger, row, is_earlier, *heads in sums:
        tax = Tax(*map(int, heads))
        by_ledger[ledger] = by_ledger.get(ledger, NIL) + tax
        if is_earlier and ledger == LedgerEntry.Ledger.NEGATIVE:
            by_row[row] = by_row.get(row, NIL) + tax
    return Held(by_ledger, by_row)


def rooms(found: Held, declared: Mapping[str, Tax]) -> tuple[Tax, Tax]:
    """Return how far declared rows stay below the reclaim and the RCM limit, per head; negative beyond them."""
    return (
        rules.reclaim_room(declared, found.balances.get(LedgerEntry.Ledger.RECLAIM, NIL)),
        rules.rcm_room(declared, found.balances.get(LedgerEntry.Ledger.RCM, NIL)),
    )
