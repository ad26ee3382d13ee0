"""Sessions of programs that seal what they send: a token for one GSTIN, and the key of its envelopes (formats 8.3).

A session is a token as any other, on the page of tokens, and revoked there. Its key is kept so that only the portal's
own secret key reads it.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

from cryptography.fernet import InvalidToken
from django.db import IntegrityError, transaction

from ims_portal import access, kept_secrets, sealing, tokens
from ims_portal.access import Right
from ims_portal.clock import Clock, real
from ims_portal.models import ApiToken, Envelope, SealedSession, Taxpayer, User
from ims_portal.tokens import Terms

LASTS = timedelta(hours=6)
NAME = "OTP"
"""What the page of tokens calls a session: how it came about."""
PURPOSE = "ims_portal.sealed_sessions"
"""What the keys of envelopes are kept for."""


class ReplayedError(Exception):
    """A sealed request that was carried out before."""


def begin(*, user: User, taxpayer: Taxpayer, clock: Clock, since: datetime | None = None) -> tuple[str, bytes]:
    """Return the token and the key of a new session: with all its person's rights but to grant.

    It files only where its person has an authenticator app, as every token. `since` is when the code was given, where
    it renews another. Raises tokens.TokenRefusedError, access.RightMissingError and Http404.
    """
    held = access.for_taxpayer(user=user, gstin=taxpayer.gstin, at=clock.now(), right=Right.GRANT)
    rights = held.rights - tokens.NEVER - (set() if tokens.has_app(user) else {Right.FILE})
    terms = Terms(name=NAME, gstins=[taxpayer.gstin], rights=rights, lasts=LASTS)
    key = secrets.token_bytes(sealing.KEY_OCTETS)
    with transaction.atomic():
        text = tokens.make(user=user, terms=terms, clock=clock, request_id=uuid.uuid4(), mark=tokens.MARK_OF_SESSIONS)
        SealedSession.objects.create(
            since=since or real(),
            token=tokens.found(text),
            taxpayer=taxpayer,
            kept_key=kept_secrets.keeper(PURPOSE).encrypt(key).decode(),
        )
    return text, key


def renew(*, session: SealedSession, clock: Clock) -> tuple[str, bytes]:
    """Return token and key of a new session in place of one, which ends.

    Raises tokens.BadTokenError where it is over already, or its code was given too long ago; else as `begin` does.
    """
    old = session.token
    with transaction.atomic():
        is_live = tokens.revoke(user=old.user, prefix=old.prefix, at=clock.now())
        if not is_live or session.since + tokens.LONGEST <= real():
            raise tokens.BadTokenError
        return begin(user=old.user, taxpayer=session.taxpayer, clock=clock, since=session.since)


def of(token: ApiToken) -> SealedSession | None:
    """Return the session a token belongs to, None for one that was made on the page."""
    return SealedSession.objects.select_related("taxpayer").filter(token=token).first()


def key_of(session: SealedSession) -> bytes | None:
    """Return the key of a session's envelopes, None where the portal's secret key is another now."""
    try:
        return kept_secrets.keeper(PURPOSE).decrypt(session.kept_key.encode())
    except InvalidToken:
        return None


def take(session: SealedSession, parts: Iterable[str]) -> Envelope:
    """Take note of a sealed request by all that tells it apart. Raises ReplayedError for one that was taken before."""
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    try:
        with transaction.atomic():
            return Envelope.objects.create(session=session, digest=digest)
    except IntegrityError:
        raise ReplayedError from None


def remove_old() -> None:
    """Forget the envelopes of sessions that are over: nobody gets in with them any more."""
    Envelope.objects.filter(session__token__expires_at__lt=real()).delete()
