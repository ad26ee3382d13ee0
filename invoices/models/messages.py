"""What the two sides of a rejected record write to each other."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from ims_portal.models import Taxpayer, User
from invoices.models.records import Record

LONGEST = 500
"""Characters of one message; ours, as the whole exchange is."""


class Message(models.Model):
    """What one side wrote to the other about one record: one message a side; append-only."""

    class Side(models.TextChoices):
        SUPPLIER = "S", _("supplier")
        RECIPIENT = "R", _("recipient")

    recipient = models.ForeignKey(Taxpayer, on_delete=models.PROTECT, related_name="+", db_index=False)
    supplier = models.ForeignKey(Taxpayer, on_delete=models.PROTECT, related_name="+")
    record = models.ForeignKey(Record, on_delete=models.PROTECT, related_name="messages")
    side = models.CharField(max_length=1, choices=Side.choices)
    text = models.CharField(max_length=LONGEST)
    actor = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["recipient", "record", "side"], name="one_message_per_side_and_record"),
            models.CheckConstraint(condition=~models.Q(text=""), name="a_message_says_something"),
        ]
        indexes = [models.Index(fields=["recipient", "side", "-id"], name="messages_to_a_recipient")]
