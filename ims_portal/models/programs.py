"""What lets programs in: tokens, and what the sealed way of GSTN needs beside them (formats 8.3)."""

from __future__ import annotations

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ims_portal.models.taxpayers import Taxpayer, User


class ApiToken(models.Model):
    """A program's key to the interfaces: it acts for one person, on some GSTINs, with some of that person's rights.

    Kept only as a hash; `prefix` is what people know it by. Moments are real ones, whatever the sandbox's date says.
    `feeds` says whether it hands in feeds, which only an administrator's may.
    """

    LONGEST_NAME = 60

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="api_tokens")
    name = models.CharField(_("name"), max_length=LONGEST_NAME)
    prefix = models.CharField(max_length=8, unique=True)
    token_hash = models.CharField(max_length=64, unique=True)
    taxpayers = models.ManyToManyField(Taxpayer, related_name="+")
    rights = ArrayField(models.CharField(max_length=8))
    feeds = models.BooleanField(default=False)
    networks = ArrayField(models.CharField(max_length=43), default=list, blank=True)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["user", "-made_at"], name="tokens_of_a_user")]


class SealedSession(models.Model):
    """A session of a program that seals what it sends: its token, for one GSTIN, and the key of its envelopes.

    `kept_key` is that key, readable only with the portal's own secret key; `since` when its person gave the code.
    """

    token = models.OneToOneField(ApiToken, on_delete=models.PROTECT, related_name="sealed")
    taxpayer = models.ForeignKey(Taxpayer, on_delete=models.PROTECT, related_name="+")
    kept_key = models.TextField()
    since = models.DateTimeField()


class Envelope(models.Model):
    """A sealed request that was carried out; the same once more is a replay. `digest` is of all that tells it apart."""

    session = models.ForeignKey(SealedSession, on_delete=models.CASCADE, related_name="envelopes")
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["session", "digest"], name="an_envelope_opens_once")]


class OneTimeCode(models.Model):
    """A code that a program asked for and its person reads on the portal's page; good once, for some minutes.

    `purpose` says whether it lets a program in or files. Moments are real ones.
    """

    class Purpose(models.TextChoices):
        ENTER = "enter", _("lets a program in")
        FILE = "file", _("files a return")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="one_time_codes")
    taxpayer = models.ForeignKey(Taxpayer, on_delete=models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=5, choices=Purpose)
    code = models.CharField(max_length=6)
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "taxpayer", "purpose"], condition=Q(used_at=None), name="one_code_at_a_time"
            ),
        ]
