"""The portal's now: the real clock in production, settable forward by an administrator in the sandbox.

Only doors ask for it. A door hands `clock` to a command, which reads it once, right after its lock; everything
below takes that moment. Moments are aware datetimes; the Indian day of one is `day(at)`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Protocol

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from ims_portal import audit
from ims_portal.models import PortalClock, User

LAST_YEAR = 2099
"""The last year whose periods have names (`rules.periods`); a clock that only moves forward must not pass it."""


class ClockNotSettableError(Exception):
    """The portal date was to be moved where it may not be, or backwards."""


class Clock(Protocol):
    """Whatever can say the portal's now."""

    def now(self) -> datetime:
        """Return the portal's moment, aware."""
        ...


Real = Callable[[], datetime]
"""What says the real moment: `real`, handed to commands about machine time and read after their lock."""


class Portal:
    """The portal's clock: the real one, plus what the sandbox's administrator moved it ahead."""

    def now(self) -> datetime:
        """Return the portal's moment, aware; in production always the real one."""
        real = timezone.now()
        if not settings.IMS_SANDBOX:
            return real
        ahead = PortalClock.objects.filter(pk=1).values_list("ahead", flat=True).first()
        return real + (ahead or timedelta())


class Fixed:
    """A clock that stands at one moment until moved; for worked cases and tests."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        """Return the moment it was set to."""
        return self.at


def portal() -> Portal:
    """Return the portal's clock, for a door to hand on."""
    return Portal()


def real() -> datetime:
    """Return the real moment, aware, for what has nothing to do with tax: how long somebody is signed in."""
    return timezone.now()


def day(at: datetime) -> date:
    """Return the Indian calendar day of a moment."""
    return timezone.localdate(at)


def midnight(on: date) -> datetime:
    """Return the moment at which an Indian calendar day begins."""
    return timezone.make_aware(datetime.combine(on, time()))


def set_forward(*, to: datetime, actor: User) -> None:
    """Move the sandbox's clock to a later moment. This will refuse production, and any step backwards.

    Setting the minute it stands at changes nothing.
    """
    if not settings.IMS_SANDBOX:
        raise ClockNotSettableError(_("The portal date can be set in the sandbox only."))
    if day(to).year > LAST_YEAR:
        raise ClockNotSettableError(_("Periods are known until 12/2099. Choose an earlier day."))
    with transaction.atomic():
        PortalClock.objects.get_or_create(pk=1, defaults={"ahead": timedelta(), "set_by": actor})
        PortalClock.objects.select_for_update().get(pk=1)  # two administrators: the later one looks at the former's
        now = Portal().now()
        if now - timedelta(minutes=1) < to <= now:
            return  # the same minute again: a double click
        if to < now:
            raise ClockNotSettableError(_("The portal date only moves forward: records already carry today's date."))
        PortalClock.objects.filter(pk=1).update(ahead=to - timezone.now(), set_by=actor, set_at=timezone.now())
        audit.record(event="clock.set", actor=actor, at=to, details={"to": to.isoformat()})
