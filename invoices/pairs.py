"""A credit note beside the invoice it may belong to: the law links them not (R6.9), people must, and these are warned.

A link is never more than likely: the same supplier and recipient, dates in order, and the same tax, or no other invoice
the note could be of. That a supplier gave one note only says nothing about which invoice it is of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from ims_portal.rules.actions import Action
from invoices import pairs_sql
from invoices.models import Record
from invoices.pairs_sql import NOTES, Candidate
from invoices.standing import Standing


class Warned(StrEnum):
    """What a pair is warned of."""

    NOTE_IS_LARGER = "note is larger"
    INVOICE_REJECTED = "invoice rejected, note accepted"
    BOTH_REJECTED = "both rejected"


class Fits(StrEnum):
    """Why a document is offered as the other half of a pair."""

    SAME_TAX = "same tax"
    ONLY_ONE = "only one"
    SAME_SUPPLIER = "same supplier"


@dataclass(frozen=True, slots=True)
class Pair:
    """A document that may be the other half, why it is offered, and what the two are warned of."""

    other: Candidate
    fits: Fits
    warned: Warned | None

    @property
    def is_likely(self) -> bool:
        """Whether it fits better than by its supplier alone; only then do the two get a warning."""
        return self.fits is not Fits.SAME_SUPPLIER


@dataclass(frozen=True, slots=True)
class Pairs:
    """What a record may belong to: the best few, how many there are, and whether a note is larger than all of them."""

    is_note: bool
    found: Sequence[Pair] = ()
    count: int = 0
    largest: int = 0
    is_larger_than_all: bool = False

    @property
    def likely(self) -> list[Pair]:
        """Those that fit by more than their supplier."""
        return [pair for pair in self.found if pair.is_likely]


def of(record: Record, today: Standing) -> Pairs:
    """Return what a record may belong to: one query for a note, an invoice, a debit note or an ECO document."""
    is_note = record.section in NOTES
    if record.status == Record.Status.WITHDRAWN or record.superseded_by_id is not None:
        return Pairs(is_note)
    found = pairs_sql.candidates(record, today)
    own = record.settled_as or today.effective_action(record)
    return Pairs(
        is_note,
        [_pair(record, Action(own), other, is_only=is_note and found.count == 1) for other in found.candidates],
        found.count,
        found.largest,
        is_note and found.count > 0 and found.largest < record.tax.total,
    )


def _pair(record: Record, own: Action, other: Candidate, *, is_only: bool) -> Pair:
    fits = Fits.SAME_TAX if other.has_same_tax else Fits.ONLY_ONE if is_only else Fits.SAME_SUPPLIER
    if fits is Fits.SAME_SUPPLIER:
        return Pair(other, fits, None)
    is_note = record.section in NOTES
    note, invoice = (own, Action(other.action)) if is_note else (Action(other.action), own)
    taxes = (record.tax.total, other.tax.total) if is_note else (other.tax.total, record.tax.total)
    return Pair(other, fits, warning(note=note, invoice=invoice, is_larger=taxes[0] > taxes[1]))


def warning(*, note: Action, invoice: Action, is_larger: bool) -> Warned | None:
    """Return what a note and its invoice are warned of, the dearest first; untouched counts as accepted (R2.1)."""
    if invoice is Action.REJECT and note is Action.REJECT:
        return Warned.BOTH_REJECTED
    if invoice is Action.REJECT and note in (Action.ACCEPT, Action.NONE):
        return Warned.INVOICE_REJECTED
    return Warned.NOTE_IS_LARGER if is_larger else None
