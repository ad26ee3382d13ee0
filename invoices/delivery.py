"""A large return on its way: filed by law in one short transaction, brought to its recipients in many (promises F10).

Filing locks the supplier alone, judges everything that can refuse, and says what is due (`begin`); each piece locks its
own recipients, so that none of them waits for all the others. Due is what is still saved of a filed return: whoever
finds it so files it, on the day of the return, and finds nothing the second time. Statements and GSTR-3Bs take in
first what is on its way to their taxpayer (`take_in`), so that no document misses the period the law puts it in.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator
from functools import partial

from django.db.models import F
from django.utils.translation import gettext as _

from ims_portal import clock, queue
from ims_portal.models import Taxpayer, User
from invoices import delivery_sql, locking, records_sql
from invoices.models import Delivery, Inbox, SupplierReturn

MOST_RECIPIENTS, MOST_RECORDS = 200, 1_000
"""A return of no more recipients and no more records is filed and brought to them in one transaction.

A thousand records are what a busy machine files in a second, and a single click should not wait longer.
"""

PIECE = 240
"""Records filed under one hold of their recipients' locks; they have no more recipients than that."""

READ_AT_ONCE = 20_000


class DeliveryDueError(locking.BusyError):
    """A return of the supplier is still on its way to its recipients; nothing was done."""

    is_worded = True


def is_large(counts: Collection[int]) -> bool:
    """Whether a return goes in pieces; `counts` is how many records it holds for each of its recipients."""
    return len(counts) > MOST_RECIPIENTS or sum(counts) > MOST_RECORDS


def refuse_due(supplier: Taxpayer) -> None:
    """Raise DeliveryDueError while a return of a supplier is on its way. This will join the caller's transaction.

    The caller holds the supplier's lock: no other return of its can set out before it is done.
    """
    due = Delivery.objects.filter(taxpayer=supplier, done__lt=F("wanted")).first()
    if due is None:
        return
    kept = SupplierReturn.objects.get(supplier=supplier, pk=due.supplier_return_id)
    raise DeliveryDueError(
        _(
            "%(form)s of %(period)s is filed and is being brought to its recipients. Nothing was saved; try again in "
            "a minute."
        )
        % {"form": kept.form, "period": kept.period.label}
    )


def of(*, taxpayer: Taxpayer, delivery_id: uuid.UUID) -> Delivery | None:
    """Return a delivery of a taxpayer's returns, None for any other."""
    found = Delivery.objects.filter(taxpayer=taxpayer, pk=delivery_id)
    return found.select_related("taxpayer", "supplier_return").first()


def due_of(kept: SupplierReturn) -> Delivery | None:
    """Return the delivery of a return that is on its way to its recipients, None for one that is there."""
    return Delivery.objects.filter(supplier_return=kept, done__lt=F("wanted")).select_related("taxpayer").first()


def begin(*, kept: SupplierReturn, window_month: int, records: int, actor: User | None) -> Delivery:
    """Say that a return just filed is due to its recipients, and nudge a worker. The caller's transaction is joined."""
    due = Delivery.objects.create(
        taxpayer=kept.supplier, supplier_return=kept, window_month=window_month, total=records, requested_by=actor
    )
    queue.enqueue(due)
    return due


def carry_out(*, delivery: Delivery) -> None:
    """Bring a return to all recipients it has not reached, and finish. Raises locking.BusyError: what is done stays."""
    while True:
        for piece in _pieces(delivery_sql.saved_of(delivery.supplier_return_id, most=READ_AT_ONCE)):
            locking.transact(partial(_bring, delivery, piece))
        if locking.transact(partial(_finish, delivery)):
            return


def _pieces(due: Iterable[tuple[int, int]]) -> Iterator[dict[int, int]]:
    piece: dict[int, int] = {}
    for record_id, recipient_id in due:
        piece[record_id] = recipient_id
        if len(piece) == PIECE:
            yield piece
            piece = {}
    if piece:
        yield piece


def _bring(delivery: Delivery, piece: dict[int, int]) -> None:
    locking.lock(set(piece.values()))
    filed = file_records(kept=delivery.supplier_return, window_month=delivery.window_month, record_ids=piece.keys())
    # A try counts while nothing gets done: a long way may be taken up again as often as workers end.
    Delivery.objects.filter(pk=delivery.pk).update(
        progress=F("progress") + len(filed), attempts=1, changed_at=clock.real()
    )


def _finish(delivery: Delivery) -> bool:
    """Finish where nothing is left, and say whether; under the supplier's lock, which whoever asks for it holds too."""
    locking.lock([delivery.taxpayer_id])
    if delivery_sql.saved_of(delivery.supplier_return_id, most=1):
        return False
    delivery.progress = delivery.total
    queue.finish(delivery)
    return True


def take_in(*inboxes: Inbox) -> None:
    """File what is on its way to recipients whose locks the caller holds, in its transaction; renew their counts.

    So a GSTR-2B counts, and a GSTR-3B settles, whatever was filed by law before.
    """
    owed: dict[str, list[int]] = {}
    for delivery_id, record_id in delivery_sql.owed_to([inbox.taxpayer_id for inbox in inboxes]):
        owed.setdefault(delivery_id, []).append(record_id)
    if not owed:
        return
    for due in Delivery.objects.filter(pk__in=owed).select_related("supplier_return"):
        file_records(kept=due.supplier_return, window_month=due.window_month, record_ids=owed[str(due.pk)])
    seqs = dict(Inbox.objects.filter(pk__in=[inbox.pk for inbox in inboxes]).values_list("pk", "seq"))
    for inbox in inboxes:
        inbox.seq = seqs[inbox.pk]


def file_records(*, kept: SupplierReturn, window_month: int, record_ids: Collection[int] | None = None) -> list[int]:
    """File what is saved of a return that has its day, all or some, and return the ids of what was filed now.

    This will join the caller's transaction, after the locks of all recipients of these records.
    """
    if kept.filed_on is None:
        raise ValueError(f"return {kept.pk} is not filed")
    filed = records_sql.mark_filed(
        return_id=kept.pk, day=kept.filed_on, window_month=window_month, record_ids=record_ids
    )
    if filed:
        replaced = records_sql.supersede(recipient_ids=set(filed.values()))
        records_sql.refresh([*filed, *records_sql.successors(replaced), *records_sql.successors(filed)])
        records_sql.charge(filed)
        records_sql.bump(record_ids=[*filed, *replaced])
    return list(filed)
