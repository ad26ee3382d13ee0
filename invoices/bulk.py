"""An action on many records at once: previewed, answered, applied a piece at a time, undone while that is allowed.

The set is fixed when it is previewed, each record at the version it had. Applying writes it in pieces, each under the
recipient's lock and committed with the place it reached (F11): single clicks get in between, a worker killed in the
middle goes on where it stopped, and nothing happens twice. Writes the actions of batches beside `actions`, by the same
refusal tables and the same protocol.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.db import OperationalError, transaction
from django.http import QueryDict

from ims_portal import access, audit, once, queue
from ims_portal.access import Right
from ims_portal.clock import Clock, real
from ims_portal.models import Taxpayer, User
from ims_portal.rules.actions import Action, Answer
from invoices import bulk_sql, filters, filters_sql, locking, standing, uploads
from invoices.bulk_sql import UNANSWERED, WILL, Order, Signed, Sums
from invoices.models import Batch, Inbox
from invoices.standing import Standing

AT_ONCE = 500
"""Records that change while the page waits; more are a job (portal 3.4)."""

PIECE = 2000
"""Records written under one hold of the lock, so that a single click waits less than 2 s (F11)."""

BREATH = 0.01
"""Seconds between two holds of the lock: whoever waits for it goes first."""

UNDO_FOR = timedelta(minutes=10)
KEPT_FOR = timedelta(hours=8)
"""How long a preview that nobody applies is kept."""

TOLD_AFTER = 5000
"""Milliseconds of work before a job says how much longer it takes."""

TOOK_TOO_LONG = "57014"
"""What the database says of a statement it gave up."""

MOST_APART = 100
"""Records of a batch that are answered one by one, as many as its page lists."""

MOST_TICKED = 1000
"""Rows one page can tick; five times what the longest shows."""

PROVED_FROM_COUNT, PROVED_FROM_TAX = 100, 10_00_000_00
"""Above these a batch asks who confirms it to prove who they are: records, and tax in paise (promises 4.3)."""

Phase, Stop, State = Batch.Phase, Batch.Stop, Batch.State
OPEN_PHASES = (Phase.FINDING, Phase.READY)


class BatchRefusedError(Exception):
    """What was asked of a batch cannot be done with it as it stands; `why` says which of the reasons."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(f"The batch refuses: {why}.")


@dataclass(frozen=True, slots=True)
class Which:
    """The records a batch is for: ticked ones, id -> version seen, or all a condition on a record `r` holds for.

    `section` and `query` are the list they were chosen from and `back` its address.
    """

    section: str
    query: str
    back: str
    ticked: Mapping[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """What is said of all records of a batch when it is asked for; pages ask it later."""

    answer: Answer = Answer.NOT_GIVEN
    remark: str = ""
    reason_code: str = ""


NOTHING_GIVEN = Given()


def preview(
    *,
    taxpayer: Taxpayer,
    which: Which,
    action: Action,
    actor: User,
    clock: Clock,
    request_id: uuid.UUID,
    given: Given = NOTHING_GIVEN,
) -> Batch:
    """Return a new batch of records, still to be found and judged by `carry_out`. This will save nothing of theirs.

    The same request again returns the same batch. Raises once.MismatchError, BatchRefusedError with `too_many`.
    """
    if which.ticked is not None and len(which.ticked) > MOST_TICKED:
        raise BatchRefusedError("too_many")
    with transaction.atomic(durable=True):
        at = clock.now()
        body = {"command": "bulk", "gstin": taxpayer.gstin, "which": asdict(which), "action": action.value}
        body |= asdict(given)
        command = once.claim(actor=actor, key=request_id, body=body)
        if command.answer:
            return Batch.objects.get(taxpayer=taxpayer, pk=command.answer["batch"])
        _forget(taxpayer, actor)
        inbox = Inbox.objects.get(pk=taxpayer.pk)
        batch = Batch.objects.create(
            taxpayer=taxpayer,
            action=action.value,
            answer=given.answer.value,
            remark=given.remark,
            reason_code=given.reason_code,
            section=which.section,
            query=which.query,
            is_ticked=which.ticked is not None,
            back=which.back,
            open_month=inbox.open_month,
            requested_by=actor,
            asked_at=at,
        )
        if which.ticked is not None:
            bulk_sql.fix_ticked(order_of(batch), standing.of(taxpayer, at), batch.open_month, which.ticked)
            _ready(batch)
        once.answered(command, {"gstin": taxpayer.gstin, "batch": str(batch.pk)})
        return batch


def _forget(taxpayer: Taxpayer, actor: User) -> None:
    """Drop the rows of what a person previewed long ago and never applied."""
    old = Batch.objects.filter(
        taxpayer=taxpayer, requested_by=actor, phase__in=OPEN_PHASES, created_at__lt=real() - KEPT_FOR
    ).exclude(found={})
    forgotten = list(old.values_list("pk", flat=True))
    if forgotten:
        bulk_sql.forget(taxpayer.pk, forgotten)
        Batch.objects.filter(pk__in=forgotten).update(found={}, total=0)


def order_of(batch: Batch) -> Order:
    """Return what a batch does to each of its records."""
    return Order(
        batch.pk, batch.taxpayer_id, Action(batch.action), Answer(batch.answer), batch.remark, batch.reason_code
    )


def of(*, taxpayer: Taxpayer, batch_id: uuid.UUID) -> Batch | None:
    """Return a batch of a taxpayer, None for any other."""
    found = Batch.objects.filter(taxpayer=taxpayer, pk=batch_id)
    return found.select_related("requested_by", "undone_by", "taxpayer").first()


def find(*, batch: Batch, clock: Clock, patience: timedelta | None = None) -> bool:
    """Fix and judge the records of a batch in one statement; return whether it is done. Again it finds it done.

    With `patience`, one that takes longer is left to a worker instead.
    """
    try:
        with transaction.atomic(durable=True):
            fresh = _locked(batch)
            if fresh.phase != Phase.FINDING:
                return True
            today = standing.of(fresh.taxpayer, clock.now())
            condition, parameters = _condition(fresh, today)
            if patience is not None:
                bulk_sql.wait_at_most(patience)
            bulk_sql.fix_matching(order_of(fresh), today, fresh.open_month, condition, parameters)
            _ready(fresh)
    except OperationalError as problem:
        if patience is None or getattr(problem.__cause__, "pgcode", None) != TOOK_TOO_LONG:
            raise
        with transaction.atomic():
            queue.enqueue(batch)
        return False
    return True


def _condition(batch: Batch, today: Standing) -> tuple[str, Mapping[str, object]]:
    """Return the condition of the list a batch was made from. Its query was read once, when the batch was asked for."""
    asked = filters.parse(batch.section, QueryDict(batch.query))
    if asked is None or not asked.is_valid:
        raise BatchRefusedError("unreadable")
    return filters_sql.where(batch.taxpayer_id, today, asked.filters)


def _ready(batch: Batch) -> None:
    """Say that a batch can be confirmed. This will join the transaction that found its rows."""
    batch.phase, batch.found = Phase.READY, _kept(bulk_sql.sums(order_of(batch)))
    batch.total = sums_of(batch.found).get(WILL, Sums()).count
    queue.finish(batch)


def answer(*, batch: Batch, actor: User, clock: Clock, given: Answer, remark: str, left: list[int] | None) -> None:
    """Answer the ITC question of all records of a batch that ask it, but those left out, and judge them again.

    `left` None leaves all of them out. Raises BatchRefusedError where the batch is not this person's to confirm.
    """
    with transaction.atomic(durable=True):
        fresh = _to_confirm(batch, actor)
        today = standing.of(batch.taxpayer, clock.now())
        fresh.answer, fresh.remark = given.value, remark
        bulk_sql.answer(order_of(fresh), today, fresh.open_month, left)
        fresh.found = _kept(bulk_sql.sums(order_of(fresh)))
        fresh.total = sums_of(fresh.found).get(WILL, Sums()).count
        fresh.save()


def set_apart(*, batch: Batch, actor: User, ids: Collection[int] | None) -> dict[int, int]:
    """Take records out of a batch that are to be decided one by one; return record id -> version previewed.

    `ids` None is all that ask something. Raises BatchRefusedError, with `many_apart` for more than people answer so.
    """
    with transaction.atomic(durable=True):
        fresh = _to_confirm(batch, actor)
        apart = bulk_sql.set_apart(order_of(fresh), ids)
        if len(apart) > MOST_APART:
            raise BatchRefusedError("many_apart")
        fresh.found = _kept(bulk_sql.sums(order_of(fresh)))
        fresh.total = sums_of(fresh.found).get(WILL, Sums()).count
        fresh.save()
    return apart


def _to_confirm(batch: Batch, actor: User) -> Batch:
    fresh = _locked(batch)
    if fresh.phase != Phase.READY:
        raise BatchRefusedError("confirmed")
    if fresh.requested_by_id != actor.pk:
        raise BatchRefusedError("foreign")
    return fresh


def apply(*, batch: Batch, actor: User, clock: Clock, request_id: uuid.UUID, remark: str, reason_code: str) -> Batch:
    """Confirm a batch; `carry_out` then does it, here or in a worker. Confirming it again changes nothing.

    A batch that failed on the way goes on. Raises BatchRefusedError, once.MismatchError, RightMissingError.
    """
    with transaction.atomic(durable=True):
        access.require(user=actor, taxpayer=batch.taxpayer, right=Right.ACT, at=clock.now())
        body = {"command": "apply", "batch": str(batch.pk), "remark": remark, "reason": reason_code}
        once.claim(actor=actor, key=request_id, body=body)
        fresh = _locked(batch)
        if fresh.state == State.FAILED and fresh.phase in (Phase.APPLYING, Phase.UNDOING):
            return _go_on(fresh)
        if fresh.phase not in OPEN_PHASES:
            return fresh
        fresh = _to_confirm(batch, actor)
        if sums_of(fresh.found).get(UNANSWERED, Sums()).count:
            raise BatchRefusedError("unanswered")
        if not fresh.total:
            raise BatchRefusedError("nothing")
        fresh.phase, fresh.reason_code = Phase.APPLYING, reason_code
        fresh.remark = fresh.remark if fresh.action == Action.ACCEPT else remark
        return _want(fresh)


def _want(batch: Batch) -> Batch:
    batch.wanted, batch.progress, batch.pace = batch.done + 1, 0, 0
    return _go_on(batch)


def _go_on(batch: Batch) -> Batch:
    batch.state, batch.attempts, batch.problem, batch.stop = State.WAITING, 0, "", Stop.NO
    batch.save()
    if batch.total > AT_ONCE:
        queue.enqueue(batch)
    return batch


def stop(*, batch: Batch) -> None:
    """Stop a batch before its next piece: what is done stays done, and is told."""
    Batch.objects.filter(pk=batch.pk, phase=Phase.APPLYING).update(stop=Stop.ASKED)


def may_undo(batch: Batch, at: datetime) -> bool:
    """Whether a batch can be undone at a moment, as far as it says itself; GSTR-3B is asked under the lock."""
    return (
        batch.phase == Phase.APPLIED and batch.undo_until is not None and at <= batch.undo_until and bool(batch.total)
    )


def undo(*, batch: Batch, actor: User, clock: Clock, request_id: uuid.UUID) -> Batch:
    """Take a batch back while that is allowed; `carry_out` then does it. Asking again changes nothing.

    Raises BatchRefusedError with `late` or `filed`, once.MismatchError, RightMissingError.
    """

    def work() -> Batch:
        inbox = locking.lock([batch.taxpayer_id])[batch.taxpayer_id]
        at = clock.now()
        access.require(user=actor, taxpayer=batch.taxpayer, right=Right.ACT, at=at)
        once.claim(actor=actor, key=request_id, body={"command": "undo", "batch": str(batch.pk)})
        fresh = _locked(batch)
        if fresh.phase in (Phase.UNDOING, Phase.UNDONE):
            return fresh
        if inbox.open_month != fresh.applied_month:
            raise BatchRefusedError("filed")
        if not may_undo(fresh, at):
            raise BatchRefusedError("late")
        fresh.phase, fresh.undone_by, fresh.undone_at = Phase.UNDOING, actor, at
        return _want(fresh)

    return locking.transact(work)


def asks_proof(batch: Batch) -> bool:
    """Whether who confirms a previewed batch must prove who they are first, for so much changes."""
    will = sums_of(batch.found).get(WILL, Sums())
    return weighs_much(will.count, will.tax)


def weighs_much(records: int, tax: int) -> bool:
    """Whether a change of so many records, with so many paise of tax, asks its person who they are (promises 4.3)."""
    return records > PROVED_FROM_COUNT or tax > PROVED_FROM_TAX


def carry_out_small(*, batch: Batch, clock: Clock) -> None:
    """Carry a small batch out while its asker waits; whatever comes between, a worker ends it. Larger ones wait."""
    if batch.is_over or batch.total > AT_ONCE:
        return
    mine = queue.begun(Batch, str(batch.pk))
    if mine is None:
        return
    try:
        carry_out(batch=mine, clock=clock)
    except locking.BusyError:
        queue.put_back(mine, uploads.Stage.BUSY.value)


def carry_out(*, batch: Batch, clock: Clock) -> None:
    """Do what is wanted of a batch, to its end. Raises locking.BusyError; another call goes on where this stopped."""
    if batch.phase == Phase.FINDING:
        find(batch=batch, clock=clock)
        return
    while _next_piece(batch, clock):
        time.sleep(BREATH)


def _next_piece(batch: Batch, clock: Clock) -> bool:
    """Write the next piece of a batch; return whether there may be another."""

    def work() -> bool:
        began = time.monotonic()
        inbox = locking.lock([batch.taxpayer_id])[batch.taxpayer_id]
        at, fresh = clock.now(), _locked(batch)
        if fresh.phase not in (Phase.APPLYING, Phase.UNDOING):
            return False
        fresh.applied_month = fresh.applied_month or inbox.open_month
        signed = _signed(fresh, inbox, at)
        if signed is None:
            return _over(fresh, at)
        is_undoing = fresh.phase == Phase.UNDOING
        after, end = (fresh.undo_place, fresh.place) if is_undoing else (fresh.place, None)
        upto, count = bulk_sql.next_place(order_of(fresh), after=after, upto=end, limit=PIECE)
        if count:
            _write(fresh, inbox, signed, after=after, upto=upto)
            _advance(fresh, upto, count, began)
        if count < PIECE:
            return _over(fresh, at)
        fresh.save()
        return True

    return locking.transact(work)


def _locked(batch: Batch) -> Batch:
    rows = Batch.objects.select_for_update(of=("self",)).select_related("taxpayer", "requested_by", "undone_by")
    return rows.get(pk=batch.pk)


def _signed(batch: Batch, inbox: Inbox, at: datetime) -> Signed | None:
    """Return who signs the next piece, or None where the batch stops: asked to, GSTR-3B filed, or the right is gone."""
    is_undoing = batch.phase == Phase.UNDOING
    actor = batch.undone_by if is_undoing else batch.requested_by
    held = access.holding(user=actor, taxpayer=batch.taxpayer, at=at) if actor else None
    if is_undoing and inbox.open_month != batch.applied_month:
        batch.stop = Stop.FILED
    if actor is None or held is None or not held.may(Right.ACT):
        batch.stop = Stop.RIGHT_LOST
        return None
    if batch.stop:
        return None
    return Signed(actor.pk, held.capacity, at, batch.undo_request if is_undoing else batch.pk)


def _write(batch: Batch, inbox: Inbox, signed: Signed, *, after: int, upto: int) -> None:
    order, today, is_undoing = order_of(batch), standing.of(batch.taxpayer, signed.at), batch.phase == Phase.UNDOING
    bulk_sql.join_as_sets()
    judge = bulk_sql.keep_from_undoing if is_undoing else bulk_sql.judge_again
    judge(order, today, after=after, upto=upto)
    if bulk_sql.changes_open_period(order, after=after, upto=upto, open_month=inbox.open_month, undoing=is_undoing):
        inbox.seq += 1
        inbox.save(update_fields=["seq"])
    if is_undoing:
        written = bulk_sql.write_back(order, signed, after=after, upto=upto, inbox_seq=inbox.seq)
    else:
        written = bulk_sql.write(order, today, signed, after=after, upto=upto, inbox_seq=inbox.seq)
    audit.record(
        event="records.undone" if is_undoing else "records.acted",
        at=signed.at,
        actor=batch.undone_by if is_undoing else batch.requested_by,
        taxpayer=batch.taxpayer,
        capacity=signed.capacity,
        details={"records": written, "batch": str(batch.pk)},
        request_id=signed.request_id,
    )


def _advance(batch: Batch, upto: int, count: int, began: float) -> None:
    """Move a batch's place, and the average of its pace: the latest piece counts a quarter."""
    if batch.phase == Phase.UNDOING:
        batch.undo_place = upto
    else:
        batch.place = upto
    batch.progress += count
    latest = int((time.monotonic() - began + BREATH) * 1_000_000) // count
    batch.pace = (3 * batch.pace + latest) // 4 if batch.pace else latest


def _over(batch: Batch, at: datetime) -> bool:
    """Close a batch with what became of it. This will join the transaction of its last piece."""
    order = order_of(batch)
    if batch.phase == Phase.UNDOING:
        batch.phase = Phase.UNDONE
        batch.became |= {"undone": _kept(bulk_sql.undone(order, upto=batch.undo_place, place=batch.place))}
    else:
        batch.phase, batch.applied_at, batch.undo_until = Phase.APPLIED, at, at + UNDO_FOR
        batch.became = {"applied": _kept(bulk_sql.sums(order, upto=batch.place))}
        batch.total = sums_of(batch.became["applied"]).get(WILL, Sums()).count
    queue.finish(batch)
    return False


def _kept(sums: Mapping[str, Sums]) -> dict[str, list[int]]:
    return {verdict: [found.count, found.tax, found.itc, found.rise] for verdict, found in sums.items()}


def sums_of(kept: Mapping[str, list[int]]) -> dict[str, Sums]:
    """Return verdict -> sums as a batch keeps them."""
    return {verdict: Sums(*numbers) for verdict, numbers in kept.items()}
