"""A bulk action on very many records, with its events, counts and versions."""

from __future__ import annotations

import time
import uuid
from datetime import datetime

from ims_portal.clock import Fixed
from ims_portal.rules.actions import Action
from ims_portal.rules.documents import Section
from invoices import bulk
from invoices.filters import Filters
from invoices.models import ActionEvent, Record
from returns.bench import HotPath, Target, bare_sql
from returns.bigworld import World

NAIVE_ROWS = 2_000


class BulkAction:
    """Invoices of the largest supplier that are accepted and set back by turns, each time all of them."""

    def __init__(self, world: World, at: datetime) -> None:
        self.world, self.at = world, at
        self.to = Action.ACCEPT
        self.by_us()
        rows = Record.objects.filter(recipient=world.recipient, supplier=world.supplier, section=Section.B2B.value)
        accepted = rows.filter(status="F", settled_month=None, superseded_by=None, action="A")
        self.ids = list(accepted.order_by("pk").values_list("pk", flat=True))

    def by_us(self) -> float:
        """Return the seconds from confirming a batch of all of them to its end."""
        clock, owner = Fixed(self.at), self.world.owner
        before = Action.NONE if self.to is Action.ACCEPT else Action.ACCEPT
        shown = Filters(supplier=self.world.supplier.gstin, action=before.value)
        which = bulk.Which("b2b", shown.query(), "/")
        batch = bulk.preview(
            taxpayer=self.world.recipient,
            which=which,
            action=self.to,
            actor=owner,
            clock=clock,
            request_id=uuid.uuid4(),
        )
        bulk.carry_out(batch=batch, clock=clock)
        batch.refresh_from_db()
        began = time.perf_counter()
        bulk.apply(batch=batch, actor=owner, clock=clock, request_id=uuid.uuid4(), remark="", reason_code="")
        bulk.carry_out(batch=batch, clock=clock)
        took = time.perf_counter() - began
        batch.refresh_from_db()
        if batch.phase != batch.Phase.APPLIED:
            raise AssertionError(batch.problem or batch.phase)
        self.to = before
        return took

    def one_by_one(self) -> float:
        """Return the seconds a loop over model objects takes for some of them."""
        return bare_sql.seconds(self._loop)

    def _loop(self) -> None:
        for record in Record.objects.filter(pk__in=self.ids[:NAIVE_ROWS]):
            old, record.action = record.action, "R"
            record.version += 1
            record.save()
            ActionEvent.objects.create(
                recipient_id=record.recipient_id,
                record=record,
                version=record.version,
                old_action=old,
                action=record.action,
                actor=self.world.owner,
                inbox_seq=0,
                at=self.at,
            )

    def bare(self) -> float:
        """Return the seconds of an UPDATE and an INSERT of as many rows."""
        pk = self.world.recipient.pk
        return bare_sql.seconds(lambda: bare_sql.act(recipient_id=pk, record_ids=self.ids, action="P"))

    def path(self) -> HotPath:
        """Return how it is measured."""
        return HotPath(
            "bulk_action",
            len(self.ids),
            ours=self.by_us,
            naive=self.one_by_one,
            limit=self.bare,
            targets=(Target("limit", 2),),
            naive_share=min(1.0, NAIVE_ROWS / len(self.ids)),
        )
