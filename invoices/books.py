"""The purchase register beside the records: six tabs, how far each pair differs, what is suggested, pairing by hand.

A suggestion is never applied by itself, and Reject is never suggested (portal 3.10).
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from django.utils.translation import gettext as _

from ims_portal import access, audit, once
from ims_portal.access import Right
from ims_portal.clock import Clock
from ims_portal.models import Taxpayer, User
from ims_portal.rules.actions import Action
from ims_portal.rules.documents import CREDIT_NOTES, Section
from ims_portal.rules.money import Tax
from invoices import books_sql, filters_sql, inbox, locking
from invoices.books_sql import ONLY_IN_BOOKS, Found, Place, Tally
from invoices.filters import Filters, Match
from invoices.inbox import Line
from invoices.models import Booked, Books, Pair, Record
from invoices.registers import books_of
from invoices.standing import Standing

TABS = (
    Match.EXACT.value,
    Match.TOLERANCE.value,
    Match.MISMATCH.value,
    Match.ONLY_IN_IMS.value,
    ONLY_IN_BOOKS,
    Match.AMBIGUOUS.value,
)
ROWS = 25
"""Rows of a page; each shows a document three times: as reported, as booked, and how they differ."""
CANDIDATES = 20


class PairRefusedError(Exception):
    """Two cannot be paired, or what was asked is gone; the message says why and what next."""


class Suggestion(StrEnum):
    """What is suggested for a row; nobody but a person does it."""

    ACCEPT = "accept"
    WAIT = "wait"
    PENDING = "pending"
    BY_HAND = "hand"
    ASK_SUPPLIER = "ask"
    PICK = "pick"
    DONE = "done"
    SETTLED = "settled"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a tab. `took` are the steps of `books_sql.STEPS` without which the two numbers are not the same."""

    place: Place
    booked: Booked | None
    line: Line | None
    is_said: bool
    took: Sequence[str]
    suggestion: Suggestion

    @property
    def record(self) -> Record | None:
        """The record, where there is one."""
        return self.line.record if self.line else None

    @property
    def differs(self) -> tuple[int, Tax] | None:
        """By how much the record is above the books: taxable value and tax, in paise; None without both."""
        if self.record is None or self.booked is None:
            return None
        return self.record.taxable - self.booked.taxable, self.record.tax - self.booked.tax


@dataclass(frozen=True, slots=True)
class Matched:
    """The books of a taxpayer: their tolerance in paise, when they were matched, which months they are of.

    `arrived` is how many records came after.
    """

    tolerance: int
    matched_at: datetime | None
    arrived: int
    span: tuple[date, date] | None


def of(taxpayer: Taxpayer) -> Matched | None:
    """Return the books of a taxpayer, None where no register was ever handed in: three queries."""
    books = Books.objects.filter(pk=taxpayer.pk).first()
    if books is None:
        return None
    arrived = Record.objects.filter(recipient=taxpayer, pk__gt=books.matched_upto).count() if books.matched_at else 0
    return Matched(books.tolerance, books.matched_at, arrived, books_sql.span(taxpayer.pk))


def counts(taxpayer: Taxpayer, today: Standing) -> dict[str, Tally]:
    """Return tab -> its count, in the order of the tabs: one query."""
    found = books_sql.counts(*filters_sql.where(taxpayer.pk, today, Filters()))
    return {tab: found.get(tab, Tally()) for tab in TABS}


def _only_in_ims(taxpayer: Taxpayer, today: Standing) -> tuple[str, dict[str, object]]:
    return filters_sql.where(taxpayer.pk, today, Filters(match=Match.ONLY_IN_IMS.value))


def page(
    taxpayer: Taxpayer, today: Standing, tab: str, *, after: Place | None = None
) -> tuple[list[Row], Place | None]:
    """Return one page of a tab, the dearest first, and the place to go on from, None at its end: three queries."""
    only = _only_in_ims(taxpayer, today)
    found = books_sql.page(taxpayer.pk, tab, after=after, limit=ROWS + 1, only=only)
    shown = found[:ROWS]
    booked = Booked.objects.filter(recipient=taxpayer).in_bulk([row.booked_id for row in shown if row.booked_id])
    records = inbox.by_ids(taxpayer, [row.record_id for row in shown if row.record_id])
    rows = [_row(row, tab, booked, records, today) for row in shown]
    return rows, shown[-1].place if len(found) > ROWS else None


def _row(found: Found, tab: str, booked: dict[int, Booked], records: dict[int, Record], today: Standing) -> Row:
    line = inbox.line(records[found.record_id], today) if found.record_id in records else None
    return Row(
        place=found.place,
        booked=booked.get(found.booked_id) if found.booked_id else None,
        line=line,
        is_said=found.is_said,
        took=_took(*found.stages),
        suggestion=suggestion(tab, line, today),
    )


def _took(one: Sequence[str], other: Sequence[str]) -> list[str]:
    """Return the steps it took until two numbers were the same; those that changed neither are left out."""
    took = []
    for step, before, after in zip(
        books_sql.STEPS, zip(one, other, strict=True), zip(one[1:], other[1:], strict=True), strict=False
    ):
        if before[0] == before[1]:
            break
        if before != after:
            took.append(step)
    return took


def suggestion(tab: str, line: Line | None, today: Standing) -> Suggestion:
    """Return what is suggested for a row of a tab (portal 3.10)."""
    if line is None:
        return Suggestion.ASK_SUPPLIER
    if line.record.settled_month is not None:
        return Suggestion.SETTLED
    if today.bypass(line.record):
        return Suggestion.NOTHING
    if tab == Match.AMBIGUOUS:
        return Suggestion.PICK
    if tab in (Match.EXACT, Match.TOLERANCE):
        return _to_accept(line)
    if tab == Match.ONLY_IN_IMS and Section(line.record.section) in CREDIT_NOTES:
        return Suggestion.BY_HAND
    return _if_possible(line, Action.PENDING, Suggestion.PENDING)


def _to_accept(line: Line) -> Suggestion:
    if not line.record.is_filed:
        return Suggestion.WAIT
    return _if_possible(line, Action.ACCEPT, Suggestion.ACCEPT)


def _if_possible(line: Line, action: Action, suggested: Suggestion) -> Suggestion:
    if line.effective is action:
        return Suggestion.DONE
    return Suggestion.BY_HAND if action in line.barred else suggested


def of_record(taxpayer: Taxpayer, line: Line, today: Standing) -> tuple[str, Row] | None:
    """Return the tab and the row of a record that is a document of the books, or may be one: two queries.

    None for a record only in IMS.
    """
    found = books_sql.of_record(taxpayer.pk, line.record.pk)
    if found is None:
        return None
    tab, place = found
    document = Booked.objects.filter(recipient=taxpayer, pk__in=[place.booked_id]).first()
    return tab, Row(place.place, document, line, place.is_said, _took(*place.stages), suggestion(tab, line, today))


# By hand


def booked(*, taxpayer: Taxpayer, pk: int) -> Booked | None:
    """Return a document of a taxpayer's books, None for any other."""
    return Booked.objects.filter(recipient=taxpayer, pk=pk).select_related("register").first()


def candidates(taxpayer: Taxpayer, document: Booked, today: Standing) -> list[Row]:
    """Return the records a document may be, the likeliest first: two queries."""
    ids = books_sql.candidates(taxpayer.pk, document.pk, limit=CANDIDATES)
    records = inbox.by_ids(taxpayer, ids)
    lines = [inbox.line(records[pk], today) for pk in ids if pk in records]
    return [Row(Place(0, line.record.pk), document, line, False, (), Suggestion.PICK) for line in lines]


def link(
    *, taxpayer: Taxpayer, booked_id: int, record_id: int, actor: User, clock: Clock, request_id: uuid.UUID
) -> None:
    """Say that a document of the books is a record. Raises PairRefusedError, access.RightMissingError."""

    def work() -> None:
        books_of(taxpayer)
        at = clock.now()
        access.require(user=actor, taxpayer=taxpayer, right=Right.ACT, at=at)
        command = once.claim(actor=actor, key=request_id, body={"do": "link", "booked": booked_id, "record": record_id})
        if command.answer:
            return
        document = Booked.objects.filter(recipient=taxpayer, pk=booked_id).first()
        record = Record.objects.filter(recipient=taxpayer, pk=record_id).exclude(status="W").first()
        if document is None or record is None:
            raise PairRefusedError(_("The document or the record is not there any more. Open the page again."))
        other = Pair.objects.filter(recipient=taxpayer, record=record, kind=Pair.Kind.IS).exclude(booked=document)
        taken = other.select_related("booked").first()
        if taken is not None:
            raise PairRefusedError(
                _("%(record)s is already %(number)s of the books. Unlink that pair first.")
                % {"record": record.number, "number": taken.booked.number}
            )
        Pair.objects.filter(recipient=taxpayer, booked=document).exclude(kind=Pair.Kind.NOT).delete()
        Pair.objects.filter(recipient=taxpayer, record=record, kind=Pair.Kind.MAYBE).delete()
        _say(taxpayer, document.pk, record.pk, Pair.Kind.IS, actor, at)
        _record("books.linked", taxpayer, document.pk, record.pk, actor, at, request_id)
        once.answered(command, {"booked": booked_id})

    locking.transact(work)


def unlink(
    *, taxpayer: Taxpayer, booked_id: int, record_id: int, actor: User, clock: Clock, request_id: uuid.UUID
) -> None:
    """Say that a document of the books is not a record; matching again leaves it so. Raises as `link` does."""

    def work() -> None:
        books_of(taxpayer)
        at = clock.now()
        access.require(user=actor, taxpayer=taxpayer, right=Right.ACT, at=at)
        body = {"do": "unlink", "booked": booked_id, "record": record_id}
        command = once.claim(actor=actor, key=request_id, body=body)
        if command.answer:
            return
        found = Pair.objects.filter(recipient=taxpayer, booked_id=booked_id, record_id=record_id)
        if not found.exists():
            raise PairRefusedError(_("These two are no pair any more. Open the page again."))
        _say(taxpayer, booked_id, record_id, Pair.Kind.NOT, actor, at)
        _record("books.unlinked", taxpayer, booked_id, record_id, actor, at, request_id)
        once.answered(command, {"booked": booked_id})

    locking.transact(work)


def _say(taxpayer: Taxpayer, booked_id: int, record_id: int, kind: Pair.Kind, actor: User, at: datetime) -> None:
    Pair.objects.update_or_create(
        recipient=taxpayer,
        booked_id=booked_id,
        record_id=record_id,
        defaults={"kind": kind, "said_by": actor, "said_at": at},
    )


def _record(
    event: str, taxpayer: Taxpayer, booked_id: int, record_id: int, actor: User, at: datetime, request_id: uuid.UUID
) -> None:
    audit.record(
        event=event,
        at=at,
        actor=actor,
        taxpayer=taxpayer,
        request_id=request_id,
        details={"booked": booked_id, "record": record_id},
    )


def set_tolerance(*, taxpayer: Taxpayer, paise: int, actor: User, clock: Clock, request_id: uuid.UUID) -> None:
    """Keep what may differ per head within tolerance, in paise; tabs follow at once."""

    def work() -> None:
        books = books_of(taxpayer)
        at = clock.now()
        access.require(user=actor, taxpayer=taxpayer, right=Right.ACT, at=at)
        once.claim(actor=actor, key=request_id, body={"do": "tolerance", "gstin": taxpayer.gstin, "paise": paise})
        if books.tolerance == paise:
            return
        books.tolerance = paise
        books.save(update_fields=["tolerance"])
        audit.record(
            event="books.tolerance",
            at=at,
            actor=actor,
            taxpayer=taxpayer,
            request_id=request_id,
            details={"paise": paise},
        )

    locking.transact(work)
