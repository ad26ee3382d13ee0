"""Work that is wanted of a worker, and the files it writes."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ims_portal.models.taxpayers import Taxpayer, User


class Job(models.Model):
    """Work that is wanted: due while `done` is behind `wanted`. A Celery message only says "look".

    `is_owed` says of a kind that somebody relies on its work already, so that nobody may cancel it.
    """

    is_owed: ClassVar[bool] = False

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    taxpayer = models.ForeignKey(Taxpayer, on_delete=models.PROTECT, related_name="+")
    wanted = models.BigIntegerField(default=1)
    done = models.BigIntegerField(default=0)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    stage = models.CharField(max_length=80, blank=True)
    progress = models.PositiveBigIntegerField(default=0)
    total = models.PositiveBigIntegerField(default=0)
    problem = models.TextField(blank=True)
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to this job by itself."""
        return self.state in (self.State.DONE, self.State.FAILED)

    @property
    def percent(self) -> int:
        """How far it is, in whole percent."""
        return self.progress * 100 // self.total if self.total else 0


DOWNLOADS_KEPT = timedelta(days=7)
"""How long a file is kept after it was made, by the portal's clock."""


class Download(Job):
    """A file somebody wants, written by a worker and kept for some days.

    `as_of` is the moment its figures are of; `rows` how many things it holds. `path` is empty once it was removed.
    """

    class Stage(models.TextChoices):
        WRITING = "writing", _("Reading records and writing them")

    file_name = models.CharField(max_length=120, blank=True, default="")
    path = models.CharField(max_length=255, blank=True, default="")
    size = models.PositiveBigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True, default="")
    rows = models.PositiveBigIntegerField(default=0)
    as_of = models.DateTimeField(null=True, blank=True)
    made_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True

    @property
    def kept_until(self) -> datetime | None:
        """The moment from which the file is kept no more, None where it was not made."""
        return self.made_at + DOWNLOADS_KEPT if self.made_at else None


class OwnDownload(Download):
    """A download of a person, of no GSTIN alone: nobody else finds it. `language` is the one it was asked for in."""

    taxpayer = None  # type: ignore[assignment]  # as Django has it: a column of an abstract model, left out
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    language = models.CharField(max_length=10)

    class Meta:
        abstract = True


class AuditExtract(OwnDownload):
    """Events of the log as a file, for an administrator: which is in `asked`, and `key` is that in short."""

    asked = models.JSONField(default=dict)
    key = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["requested_by", "key"],
                condition=Q(state__in=["waiting", "running"]),
                name="one_live_extract_of_the_same",
            ),
        ]
        indexes = [
            models.Index(fields=["requested_by", "-created_at"], name="extracts_of_a_person"),
            models.Index(fields=["made_at"], condition=~Q(path=""), name="extracts_to_remove"),
        ]


class LargeAnswer(Job):
    """What a program asked for and is too much for one answer: kept in parts that it fetches (formats 7).

    `kind` and `asked` say what it is, `key` is both in short. `seal` is the AES key of the parts in base64, a fresh one
    each time; `parts` has name, rows and sha256 of each. `made_at` is a real moment: parts are kept half an hour.
    """

    kind = models.CharField(max_length=12)
    asked = models.JSONField(default=dict)
    key = models.CharField(max_length=64)
    seal = models.CharField(max_length=44, blank=True, default="")
    parts = models.JSONField(default=list, blank=True)
    made_at = models.DateTimeField(null=True, blank=True)

    class Stage(models.TextChoices):
        WRITING = "writing", _("Reading records and writing them")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["taxpayer", "key"],
                condition=Q(state__in=["waiting", "running"]),
                name="one_live_answer_of_the_same",
            ),
        ]
        indexes = [models.Index(fields=["taxpayer", "-created_at"], name="answers_of_a_taxpayer")]
