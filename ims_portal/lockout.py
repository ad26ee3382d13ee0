"""Guessing passwords is cut short (F66): 5 failures for a name from an address, 20 from an address, in 15 minutes.

A try is counted before the password is looked at, and taken back where it was right: so many may be tried at once,
through however many processes, and no more. The counts are kept in the database. During the wait a right password is
refused too. What is counted by is the name as it was typed, whether or not there is anybody of that name.
"""

from __future__ import annotations

from datetime import UTC, datetime

from allauth.core.internal import ratelimit
from allauth.core.internal.ratelimit import RateLimitUsage
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest

from ims_portal import clock, known_devices
from ims_portal.models import SharedCount

APP, ACTION = "ims_portal", "password"
OF_NAME = "5/15m/key"
OF_ADDRESS = f"{settings.IMS_FAILURES_PER_ADDRESS}/15m/ip"
Rates = dict[str, str]


class LockedError(Exception):
    """Too many failures; `until` is when the next try counts again, a real moment."""

    def __init__(self, until: datetime) -> None:
        self.until = until
        super().__init__(f"locked until {until:%H:%M}")


def take_note(request: HttpRequest, username: str) -> RateLimitUsage:
    """Count a try, and return what takes it back (`rollback`). Raises LockedError.

    A browser this name has signed in with before is counted by itself, so that strangers at the same address, or in
    the same office, lock nobody out of it.
    """
    device = known_devices.knows(request, username)
    rates = {ACTION: OF_NAME if device else f"{OF_NAME},{OF_ADDRESS}"}
    key = f"{username.strip().upper()} {device or ratelimit.get_ip(request)}"
    usage = ratelimit.consume(request, app=APP, action=ACTION, config=rates, key=key)
    if usage is None:
        raise LockedError(_until(request, rates, key))
    return usage


def forget_old() -> None:
    """Remove counts that are over; Django's cache does so only where it is full, or asked for one of them."""
    SharedCount.objects.filter(expires__lt=clock.real()).delete()


def _until(request: HttpRequest, rates: Rates, key: str) -> datetime:
    """Return when the oldest failures that count have been forgotten."""
    ends = []
    for rate in ratelimit.get_rates(app=APP, action=ACTION, config=rates):
        where = ratelimit.get_cache_key(request, app=APP, action=ACTION, rate=rate, key=key)
        latest_first = cache.get(where, [])
        if len(latest_first) >= rate.amount:
            ends.append(latest_first[rate.amount - 1] + rate.duration)
    return datetime.fromtimestamp(max(ends, default=clock.real().timestamp()), UTC)
