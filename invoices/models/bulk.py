"""One command over many records: the set it was shown for, how far it is, and what became of each record."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ims_portal.models import Job, Taxpayer, User, paise
from ims_portal.rules import actions
from invoices.models.records import Record


class Batch(Job):
    """An action on a set of records that was fixed when it was previewed, applied at most once, undone at most once.

    `wanted` and `done` count its steps: preview, apply, undo. `place` is the id of the record up to which it is
    applied, `undo_place` up to which it is undone; both move with the records, in one transaction, so that a worker
    killed in between goes on where the last one stopped. `open_month` and `applied_month` are the recipient's open
    period at the preview and at the first piece. `found` and `became` are the sums per verdict, amounts in
    paise, when it was previewed and when it was applied. `pace` is the milliseconds a thousand records take.
    """

    class Phase(models.TextChoices):
        FINDING = "finding", _("finding the records")
        READY = "ready", _("to be confirmed")
        APPLYING = "applying", _("being applied")
        APPLIED = "applied", _("applied")
        UNDOING = "undoing", _("being undone")
        UNDONE = "undone", _("undone")

    class Stop(models.TextChoices):
        NO = "", ""
        ASKED = "asked", _("somebody stopped it")
        RIGHT_LOST = "right", _("the right to act ended")
        FILED = "filed", _("GSTR-3B was filed meanwhile")

    phase = models.CharField(max_length=8, choices=Phase.choices, default=Phase.FINDING)
    action = models.CharField(max_length=1, choices=[(a.value, a.name.title()) for a in actions.Action])
    answer = models.CharField(max_length=1, blank=True, default="")
    remark = models.CharField(max_length=actions.REMARK_LIMIT, blank=True, default="")
    reason_code = models.CharField(max_length=12, blank=True, default="")
    section = models.CharField(max_length=8)
    query = models.CharField(max_length=1000, blank=True, default="")
    is_ticked = models.BooleanField(default=False)
    back = models.CharField(max_length=2000)
    open_month = models.PositiveIntegerField()
    applied_month = models.PositiveIntegerField(null=True, blank=True)
    place = models.BigIntegerField(default=0)
    undo_place = models.BigIntegerField(default=0)
    found = models.JSONField(default=dict)
    became = models.JSONField(default=dict)
    pace = models.PositiveIntegerField(default=0)
    stop = models.CharField(max_length=8, choices=Stop.choices, blank=True, default=Stop.NO)
    asked_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True, blank=True)
    undo_until = models.DateTimeField(null=True, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(phase__in=["finding", "ready", "applying"], applied_at=None, undo_until=None)
                | Q(phase__in=["applied", "undoing", "undone"], applied_at__isnull=False, undo_until__isnull=False),
                name="batch_applied_says_when",
            ),
        ]
        indexes = [models.Index(fields=["taxpayer", "-created_at"], name="batches_of_a_taxpayer")]

    @property
    def undo_request(self) -> uuid.UUID:
        """The request id under which the batch is undone; it is applied under its own id."""
        return uuid.uuid5(self.pk, "undone")


class BatchRow(models.Model):
    """One record of a batch at the version it was previewed at.

    `verdict` is what the batch does with it: `will`, `same`, `moved`, `left` or the code of its refusal, as previewed
    and, once the batch got to it, as it came out. `asks` says that accepting it asks the ITC question. `itc` is the
    change it makes to the open period's ITC and `rise` the change of its supplier's tax, both in paise. `kept` is why
    undoing left it alone; `lost` what its supplier's edit had taken away, for undoing to give back.
    """

    # Written 200,000 at a time beside a page that waits: checking each reference doubles that time, and records,
    # batches and taxpayers are never deleted while rows name them.
    pk = models.CompositePrimaryKey("recipient_id", "batch_id", "record_id")
    recipient = models.ForeignKey(
        Taxpayer, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    batch = models.ForeignKey(
        Batch, on_delete=models.DO_NOTHING, related_name="rows", db_index=False, db_constraint=False
    )
    record = models.ForeignKey(
        Record, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    version = models.PositiveIntegerField()
    verdict = models.CharField(max_length=30)
    asks = models.BooleanField(default=False)
    tax = paise("", default=0)
    itc = paise("", default=0)
    rise = paise("", default=0)
    lost = models.CharField(max_length=1, blank=True, default="")
    kept = models.CharField(max_length=30, blank=True, default="")
