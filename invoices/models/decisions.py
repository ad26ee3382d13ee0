"""What recipients decide: the inbox that orders changes, each change of an action, and choices not saved yet."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from ims_portal.models import Taxpayer, User, paise, within_bounds
from ims_portal.rules import actions
from invoices.models.records import Record


class Inbox(models.Model):
    """A GSTIN's counter and lock: whatever can change its GSTR-2B runs one after another under this row.

    `seq` counts the changes that make a computed statement out of date (R7.11). `open_month` is the earliest of its
    own periods (last month, YYYYMM) whose GSTR-3B is not filed. `has_books` says whether there is a purchase
    register to match with.
    """

    taxpayer = models.OneToOneField(Taxpayer, on_delete=models.PROTECT, primary_key=True, related_name="inbox")
    seq = models.BigIntegerField(default=0)
    open_month = models.PositiveIntegerField()
    has_books = models.BooleanField(default=False, db_default=False)


class ActionEvent(models.Model):
    """One change of one record's action, by a person or by the supplier's edit; append-only.

    `inbox_seq` is the recipient's counter right after the change: "before the filing" is decided by it, by no clock.
    """

    class Cause(models.TextChoices):
        CHOSEN = "chosen", _("chosen by the recipient")
        EDITED = "edited", _("reset: the supplier changed the record")
        WITHDRAWN = "withdrawn", _("the supplier withdrew the record")
        UNDONE = "undone", _("undone by the recipient")

    recipient = models.ForeignKey(Taxpayer, on_delete=models.PROTECT, related_name="+", db_index=False)
    record = models.ForeignKey(Record, on_delete=models.PROTECT, related_name="events")
    version = models.PositiveIntegerField()
    cause = models.CharField(max_length=10, choices=Cause.choices, default=Cause.CHOSEN)
    old_action = models.CharField(max_length=1)
    action = models.CharField(max_length=1)
    answer = models.CharField(max_length=1, blank=True, default="")
    declared_igst = paise("", default=0)
    declared_cgst = paise("", default=0)
    declared_sgst = paise("", default=0)
    declared_cess = paise("", default=0)
    remark = models.CharField(max_length=actions.REMARK_LIMIT, blank=True, default="")
    reason_code = models.CharField(max_length=12, blank=True, default="")
    # Nothing asks for all a person ever did, and every index is written with every event.
    actor = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    capacity = models.CharField(max_length=20, blank=True, default="")
    request_id = models.UUIDField(default=uuid.uuid4)
    inbox_seq = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["recipient", "record", "version"], name="one_event_per_record_version"),
            models.UniqueConstraint(fields=["recipient", "request_id", "record"], name="one_event_per_request"),
            within_bounds(
                *("declared_igst", "declared_cgst", "declared_sgst", "declared_cess"),
                name="event_declarations_in_bounds",
                least=0,
            ),
        ]
        indexes = [
            models.Index(fields=["recipient", "inbox_seq"], name="actions_since_a_statement"),
        ]


class Draft(models.Model):
    """One person's choices for one GSTIN that are not saved yet; `back` is the page they were last made on."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    recipient = models.ForeignKey(Taxpayer, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    back = models.CharField(max_length=2000, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["recipient", "user"], name="one_draft_per_person_and_gstin"),
        ]


class DraftChoice(models.Model):
    """A choice that is not saved yet, at the version its person saw; `answers` is what they typed to its questions.

    `staged_at` is a real moment, not one of the sandbox: how long a draft lives has nothing to do with tax.
    """

    draft = models.ForeignKey(Draft, on_delete=models.CASCADE, related_name="choices")
    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="+")
    version = models.PositiveIntegerField()
    action = models.CharField(max_length=1)
    answers = models.JSONField(default=dict, blank=True)
    staged_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["draft", "record"], name="one_choice_per_record_of_a_draft"),
            models.CheckConstraint(condition=models.Q(action__in=["N", "A", "R", "P"]), name="staged_is_n_a_r_or_p"),
        ]
