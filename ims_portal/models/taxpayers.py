"""People, taxpayers, rights, calendar, clock and audit. A period is YYYYMM of its last month."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from ims_portal.rules import gstr2b, periods, rates


class User(AbstractUser):
    """A person who signs in. Rights on a GSTIN are memberships and engagements, never flags here."""

    class Rows(models.IntegerChoices):
        """How many rows of a list make a page."""

        FEW = 25
        USUAL = 50
        MANY = 100
        MOST = 200

    full_name = models.CharField(_("name"), max_length=120, blank=True)
    rows = models.PositiveSmallIntegerField(_("rows of a list"), choices=Rows, default=Rows.USUAL)
    uses_keys = models.BooleanField(_("single keys work in lists"), default=True)
    knows_silence_accepts = models.BooleanField(
        default=False, help_text=_("was told that a record on which nothing is decided counts as accepted")
    )
    signed_out_at = models.DateTimeField(
        null=True, blank=True, help_text=_("real moment: sessions that began before it are over")
    )

    def __str__(self) -> str:
        return self.full_name or self.username


class Taxpayer(models.Model):
    """A GSTIN known to the portal: a member of it, or merely named as a recipient in somebody's return."""

    class Kind(models.TextChoices):
        REGULAR = "regular", _("regular")
        SEZ = "sez", _("SEZ unit")
        ECO = "eco", _("e-commerce operator")
        ISD = "isd", _("input service distributor")

    gstin = models.CharField("GSTIN", max_length=15, unique=True)
    legal_name = models.CharField(_("legal name"), max_length=200, blank=True)
    trade_name = models.CharField(_("trade name"), max_length=200, blank=True)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.REGULAR)
    registered_on = models.DateField(null=True, blank=True)
    first_month = models.PositiveIntegerField(default=periods.month_of(rates.GST_BEGAN))

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(gstin__regex=r"^[0-9]{2}[0-9A-Z]{13}$"), name="taxpayer_gstin_shape"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.gstin})"

    @property
    def name(self) -> str:
        """The trade name, else the legal name, else the GSTIN."""
        return self.trade_name or self.legal_name or self.gstin

    @property
    def state(self) -> str:
        """The two-digit State code."""
        return self.gstin[:2]

    @property
    def has_ims(self) -> bool:
        """Whether there is an IMS for what others report to this registration (R1.1)."""
        return gstr2b.has_ims(self.gstin, is_isd=self.is_isd)

    @property
    def is_isd(self) -> bool:
        """Whether this registration only distributes credit."""
        return self.kind == self.Kind.ISD


class FilingFrequency(models.Model):
    """How often a taxpayer files from a month on; changes only at the turn of a quarter."""

    taxpayer = models.ForeignKey(Taxpayer, on_delete=models.PROTECT, related_name="frequencies")
    from_month = models.PositiveIntegerField(default=0)
    frequency = models.CharField(max_length=1, choices=[(f.value, f.name.title()) for f in periods.Frequency])

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["taxpayer", "from_month"], name="one_filing_frequency_per_start"),
            models.CheckConstraint(
                condition=Q(from_month=0)
                | Q(from_month__in=[y * 100 + m for y in range(rates.GST_BEGAN.year, 2100) for m in (1, 4, 7, 10)]),
                name="filing_frequency_changes_at_quarter",
            ),
        ]


class Membership(models.Model):
    """A dated role of a user on a GSTIN; ended by `valid_to`, never deleted."""

    class Role(models.TextChoices):
        VIEWER = "viewer", _("Viewer")
        PREPARER = "preparer", _("Preparer")
        SIGNATORY = "signatory", _("Signatory")

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    taxpayer = models.ForeignKey(Taxpayer, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices)
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True, blank=True)
    granted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "taxpayer"],
                condition=Q(valid_to=None),
                name="one_open_membership_per_user_and_taxpayer",
            ),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from")), name="membership_ends_after_it_begins"
            ),
        ]


class Engagement(models.Model):
    """A practitioner's dated right to act for a GSTIN, agreed by both sides, with the rights chosen."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="engagements")
    taxpayer = models.ForeignKey(Taxpayer, on_delete=models.PROTECT, related_name="engagements")
    rights = ArrayField(models.CharField(max_length=10), default=list)
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True, blank=True)
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    accepted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "taxpayer"],
                condition=Q(valid_to=None),
                name="one_open_engagement_per_user_and_taxpayer",
            ),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from")), name="engagement_ends_after_it_begins"
            ),
        ]


NOTIFICATION_LIMIT = 200
"""Characters of the name of a notification."""


class DueDateExtension(models.Model):
    """A due date moved by notification, for one return and period, for every State or one group of them."""

    form = models.CharField(max_length=8, choices=[(r.value, r.value) for r in periods.Return])
    month = models.PositiveIntegerField(help_text=_("the period's last month, YYYYMM"))
    frequency = models.CharField(max_length=1, choices=[(f.value, f.name.title()) for f in periods.Frequency])
    group = models.CharField(max_length=1, blank=True, choices=[(g.value, g.value) for g in periods.StateGroup])
    due = models.DateField()
    notification = models.CharField(max_length=NOTIFICATION_LIMIT)
    known_from = models.DateTimeField()
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    approved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(approved_by=None) | ~Q(approved_by=F("proposed_by")), name="extension_approved_by_another"
            ),
        ]


class PortalClock(models.Model):
    """The sandbox's clock: how far its now lies ahead of the real one. One row; only ever moved forward."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    ahead = models.DurationField()
    set_at = models.DateTimeField(auto_now=True)
    set_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_portal_clock")]


class RuleSwitch(models.Model):
    """A dated switch of the law that is off until a row turns it on, e.g. TABLE4_LOCK_FROM (R8.17)."""

    name = models.CharField(max_length=40, primary_key=True)
    from_month = models.PositiveIntegerField()


ACCOUNT_EVENTS = [
    "account.factor_added",
    "account.factor_removed",
    "account.factor_renewed",
    "account.mail_changed",
    "account.new_device",
    "account.password_changed",
    "gstr3b.filed",
    "return.filed",
    "token.made",
    "token.revoked",
]
"""Events of which their own person is told. An index holds just these: change it with them."""


class AuditEvent(models.Model):
    """Who did what to which thing; append-only. Counts and ids, never remarks or amounts."""

    at = models.DateTimeField()
    actor = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    capacity = models.CharField(max_length=20, blank=True)
    event = models.CharField(max_length=40)
    taxpayer = models.ForeignKey(Taxpayer, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    subject = models.CharField(max_length=80, blank=True)
    details = models.JSONField(default=dict)
    request_id = models.UUIDField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["taxpayer", "-id"], name="audit_of_a_taxpayer"),
            models.Index(fields=["actor", "-id"], condition=Q(event__in=ACCOUNT_EVENTS), name="audit_of_an_account"),
        ]


class Nomination(models.Model):
    """The first signatory of a GSTIN as one administrator named them; the role begins when another one confirms."""

    taxpayer = models.ForeignKey(Taxpayer, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    approved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["taxpayer"], condition=Q(approved_by=None), name="one_waiting_nomination_per_taxpayer"
            ),
            models.CheckConstraint(
                condition=Q(approved_by=None) | ~Q(approved_by=F("proposed_by")), name="nomination_confirmed_by_another"
            ),
        ]


GLASS_LASTS = timedelta(minutes=30)
"""How long a break-glass lasts at most, by the real clock."""
REASON_LEAST, REASON_LIMIT = 10, 300
"""Characters of the reason of a break-glass."""


class BreakGlass(models.Model):
    """An administrator's look into one GSTIN's log, with the reason its owner reads; read-only, real times."""

    actor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    taxpayer = models.ForeignKey(Taxpayer, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=REASON_LIMIT)
    began_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(reason__regex=r"\S"), name="break_glass_has_a_reason"),
            models.CheckConstraint(
                condition=Q(ends_at__gte=F("began_at"), ends_at__lte=F("began_at") + GLASS_LASTS),
                name="break_glass_lasts_half_an_hour_at_most",
            ),
        ]


class Command(models.Model):
    """A request id and the answer it got, so that the same request twice has one effect and one answer."""

    actor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    key = models.UUIDField()
    body_hash = models.CharField(max_length=64)
    answer = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["actor", "key"], name="one_command_per_request_id")]


class Snooze(models.Model):
    """A deadline that a person put off in their own view of a GSTIN's inbox; it shows again from `until` on."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    taxpayer = models.ForeignKey(Taxpayer, on_delete=models.PROTECT, related_name="+")
    item = models.CharField(max_length=60)
    until = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "taxpayer", "item"], name="one_snooze_per_item")]


class CalendarKey(models.Model):
    """A person's key to the deadline feed of one GSTIN: kept only as a hash, shown once, revoked but never deleted."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="calendar_keys")
    taxpayer = models.ForeignKey(Taxpayer, on_delete=models.PROTECT, related_name="+")
    key_hash = models.CharField(max_length=64, unique=True)
    with_rupees = models.BooleanField(default=False)
    made_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "taxpayer"],
                condition=Q(revoked_at=None),
                name="one_live_calendar_key_per_user_and_taxpayer",
            ),
        ]
