"""The one thing a supplier may do about a rejection before it is final: ask its recipient to reconsider.

Each side writes once per record; filing the recipient's GSTR-3B closes the exchange. Ours: the Government's portal
has no such thing (portal.md 3.9).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.core import signing
from django.db.models import Exists, OuterRef, QuerySet

from ims_portal import access, audit
from ims_portal.access import Right
from ims_portal.clock import Clock
from ims_portal.models import Taxpayer, User
from ims_portal.rules.actions import Action
from invoices import locking, standing
from invoices.models import Message, Record

CURSOR_SALT = "invoices.messages.cursor"
RIGHTS = {Message.Side.SUPPLIER: Right.SUPPLY, Message.Side.RECIPIENT: Right.ACT}
"""Side -> the right its message takes."""


class Why(StrEnum):
    """Why a side may not write."""

    CLOSED = "closed"
    NOT_REJECTED = "not_rejected"
    WRITTEN = "written"
    NOT_ASKED = "not_asked"


class MessageRefusedError(Exception):
    """A side may not write now; nothing was kept."""

    def __init__(self, why: Why) -> None:
        self.why = why
        super().__init__(why.value)


@dataclass(frozen=True, slots=True)
class Thread:
    """What was written about a record, and why each side may not write now, None where it may."""

    request: Message | None
    answer: Message | None
    asking: Why | None
    answering: Why | None

    def refusal(self, side: Message.Side) -> Why | None:
        """Return why a side may not write now."""
        return self.asking if side is Message.Side.SUPPLIER else self.answering

    def own(self, side: Message.Side) -> Message | None:
        """Return what a side has written."""
        return self.request if side is Message.Side.SUPPLIER else self.answer


def thread(record: Record, *, is_rejected: bool) -> Thread:
    """Return what was written about a record: one query. `is_rejected`: whether it stands rejected in IMS today."""
    found = Message.objects.filter(recipient_id=record.recipient_id, record=record).select_related("actor")
    told = {message.side: message for message in found}
    request, answer = told.get(Message.Side.SUPPLIER), told.get(Message.Side.RECIPIENT)
    return Thread(request, answer, _asking(record, request, is_rejected), _answering(record, request, answer))


def _asking(record: Record, request: Message | None, is_rejected: bool) -> Why | None:  # noqa: FBT001 a fact of it
    if request is not None:
        return Why.WRITTEN
    if record.settled_month is not None:
        return Why.CLOSED
    return None if is_rejected and record.superseded_by_id is None else Why.NOT_REJECTED


def _answering(record: Record, request: Message | None, answer: Message | None) -> Why | None:
    if request is None:
        return Why.NOT_ASKED
    if answer is not None:
        return Why.WRITTEN
    return Why.CLOSED if record.settled_month is not None else None


def write(*, record: Record, side: Message.Side, text: str, actor: User, clock: Clock) -> Message:
    """Keep a side's message about a record. This will lock the recipient's inbox, so that no filing overtakes it.

    The same text again from the same person is the same message. Raises MessageRefusedError and
    access.RightMissingError.
    """

    def work() -> Message:
        locking.lock([record.recipient_id])
        at = clock.now()
        found = Record.objects.select_related("recipient", "supplier").get(
            recipient_id=record.recipient_id, pk=record.pk
        )
        writer = found.supplier if side is Message.Side.SUPPLIER else found.recipient
        if writer is None or found.supplier is None:
            raise MessageRefusedError(Why.NOT_REJECTED)
        held = access.require(user=actor, taxpayer=writer, right=RIGHTS[side], at=at)
        told = of(found, at=at)
        own = told.own(side)
        if own is not None and (own.text, own.actor) == (text, actor):
            return own
        if (refusal := told.refusal(side)) is not None:
            raise MessageRefusedError(refusal)
        kept = Message.objects.create(
            recipient=found.recipient,
            supplier=found.supplier,
            record=found,
            side=side,
            text=text,
            actor=actor,
            at=at,
        )
        audit.record(
            event="message.written",
            at=at,
            actor=actor,
            capacity=held.capacity,
            taxpayer=writer,
            subject=found.number,
            details={"record": found.pk, "side": side.value},
        )
        return kept

    return locking.transact(work)


def of(record: Record, *, at: datetime) -> Thread:
    """Return what was written about a record, and who may write now, at a moment: three queries."""
    return thread(record, is_rejected=_is_rejected(record, at))


def _is_rejected(record: Record, at: datetime) -> bool:
    today = standing.of(record.recipient, at)
    is_open = record.status != Record.Status.WITHDRAWN and not today.bypass(record)
    return is_open and today.effective_action(record) is Action.REJECT


def waiting(recipient: Taxpayer) -> QuerySet[Message]:
    """Return the requests a recipient can still heed: unanswered, about records that stand rejected and unsettled."""
    answered = Message.objects.filter(recipient=recipient, record=OuterRef("record"), side=Message.Side.RECIPIENT)
    return Message.objects.filter(
        ~Exists(answered),
        recipient=recipient,
        side=Message.Side.SUPPLIER,
        record__settled_month=None,
        record__superseded_by=None,
        record__action=Action.REJECT.value,
    )


@dataclass(frozen=True, slots=True)
class Page:
    """One page of requests, the newest first, the cursor of the next, and how many there are in all."""

    messages: Sequence[Message]
    total: int
    after: str


def page(recipient: Taxpayer, *, cursor: str, size: int) -> Page:
    """Return one page of the requests that wait for a recipient: two queries."""
    found = waiting(recipient)
    total = found.count()
    if (place := _read(cursor)) is not None:
        found = found.filter(pk__lt=place)
    shown = list(found.select_related("record", "supplier").order_by("-pk")[: size + 1])
    after = signing.dumps(shown[size - 1].pk, salt=CURSOR_SALT) if len(shown) > size else ""
    return Page(shown[:size], total, after)


def _read(cursor: str) -> int | None:
    try:
        return int(signing.loads(cursor, salt=CURSOR_SALT))
    except (signing.BadSignature, ValueError, TypeError):
        return None
