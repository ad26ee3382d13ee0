"""Second factors of a demo's people: known to everybody, as their password is, so that a visitor can sign in.

Settings refuse them anywhere but in a sandbox (IMS_DEMO_CODES). A code is the one an authenticator app would show: it
is good once, and for half a minute at most.
"""

from __future__ import annotations

import base64
import hashlib
import time
from dataclasses import dataclass

from allauth.mfa import app_settings
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth
from allauth.mfa.utils import decrypt, encrypt
from django.conf import settings

from ims_portal.models import User

OCTETS = 20


@dataclass(frozen=True, slots=True)
class Code:
    """What an app shows now, and for how many seconds yet."""

    digits: str
    seconds: int


def secret(username: str) -> str:
    """Return what a person of a demo types into an authenticator app, in base32: always the same for a user name."""
    return base64.b32encode(hashlib.sha256(f"IMS Portal demo: {username}".encode()).digest()[:OCTETS]).decode()


def give(user: User) -> None:
    """Let somebody have an authenticator app with their known secret, where the settings say so."""
    if not settings.IMS_DEMO_CODES:
        return
    kept = {"data": {"secret": encrypt(secret(user.username))}}
    Authenticator.objects.update_or_create(user=user, type=Authenticator.Type.TOTP, defaults=kept)


def now(username: str) -> Code:
    """Return what the app of a demo's person shows now."""
    return code(secret(username))


def code(secret_: str) -> Code:
    """Return what an app with a secret shows now."""
    period = app_settings.TOTP_PERIOD
    counter, gone = divmod(int(time.time()), period)
    return Code(auth.format_hotp_value(auth.hotp_value(secret_, counter)), period - gone)


def shown(user: User | None) -> Code | None:
    """Return the code to show on the page that asks for it: None outside of a demo, and for an app of one's own."""
    if user is None or not settings.IMS_DEMO_CODES:
        return None
    kept = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).first()
    is_known = kept is not None and decrypt(kept.data["secret"]) == secret(user.username)
    return now(user.username) if is_known else None
