"""Browsers in which somebody has signed in before: told by a signed cookie, which holds no name that can be read.

A known browser is counted apart when passwords are wrong, so nobody locks a person out of their own (F66). It replaces
neither password nor second factor.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

COOKIE = "__Host-device" if settings.HTTPS else "device"
SALT = "ims_portal.known_devices"
LASTS = timedelta(days=180)
MOST_NAMES = 5
"""How many people who share a browser it is known for, the latest first."""


@dataclass(frozen=True, slots=True)
class Device:
    """A browser: a random number, and marks of those who signed in with it."""

    number: str
    marks: tuple[str, ...] = ()


def knows(request: HttpRequest, username: str) -> str:
    """Return the number of a browser in which this user name has signed in before, "" where it has not."""
    found = _of(request)
    return found.number if found and _mark(username) in found.marks else ""


def remember(request: HttpRequest, response: HttpResponse, username: str) -> None:
    """Let the browser that gets a response be known for a user name from now on."""
    found, mark = _of(request) or Device(secrets.token_hex(16)), _mark(username)
    marks = [mark, *(one for one in found.marks if one != mark)][:MOST_NAMES]
    response.set_cookie(
        COOKIE,
        signing.dumps([found.number, marks], salt=SALT),
        max_age=LASTS,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )


def _of(request: HttpRequest) -> Device | None:
    try:
        number, marks = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=LASTS)
    except signing.BadSignature:
        return None
    return Device(number, tuple(marks))


def _mark(username: str) -> str:
    """Return what stands for a user name; signing in takes no notice of capital letters."""
    return salted_hmac(SALT, username.upper(), algorithm="sha256").hexdigest()
