"""The sealed way in: who a session token is, how its bodies are opened and its answers sealed (formats 8.3)."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from collections.abc import Mapping
from typing import Any, NamedTuple

from allauth.account.adapter import get_adapter
from django.conf import settings
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import NotFound, ParseError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from ims_portal import sealed_sessions, sealing, tokens
from ims_portal.api import bodies
from ims_portal.gstn.envelopes import GstnError
from ims_portal.models import ApiToken, SealedSession, User
from ims_portal.sealing import SealError

HEADER, FILING = "auth-token", "RETFILE"
SESSION_OVER, NOT_AUTHORISED = "AUTH4038", "AUTH158"
UNREADABLE = "The body cannot be opened with the key of this session, or was changed on its way. Seal it anew."


class Session(NamedTuple):
    """A session and the key of its envelopes."""

    kept: SealedSession
    key: bytes


class BySession(BaseAuthentication):
    """Lets in who sends the token of a sealed session in `auth-token`; such requests are unknown while it is off."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """Return person and token, None without the header. Raises GstnError with AUTH4038, which asks for a code."""
        sent = request.headers.get(HEADER, "")
        if not sent:
            return None
        require_on()
        try:
            token = tokens.enter(sent, address=get_adapter().get_client_ip(request), mark=tokens.MARK_OF_SESSIONS)
        except tokens.BadTokenError:
            raise over() from None
        if request.headers.get("username", token.user.username) != token.user.username:
            raise GstnError(NOT_AUTHORISED, "The session is of another username.")
        return token.user, token


def require_on() -> None:
    """Raise NotFound while the sealed way is switched off."""
    if not settings.GSTN_ENCRYPTED_PROFILE:
        raise NotFound("There is no such address.")


def over() -> GstnError:
    """Return what tells a client to ask for a new code."""
    return GstnError(SESSION_OVER, "The session is over or unknown. Ask for a new code.")


def session_of(request: Request) -> Session | None:
    """Return the session of a request that came by the sealed way, None for one with a bearer token.

    Raises GstnError for a session token without a key: made on the page, or kept under a key that is no more.
    """
    if not isinstance(request.successful_authenticator, BySession):
        return None
    kept = sealed_sessions.of(request.auth)
    key = sealed_sessions.key_of(kept) if kept is not None else None
    if kept is None or key is None:
        raise over()
    return Session(kept, key)


def opened(raw: bytes, session: Session) -> tuple[bytes, str]:
    """Return a body as the plain way has it, and its signature. Raises ParseError for one that cannot be opened.

    What files is signed with `sid`, person and code; everything else with the key of the session.
    """
    body = bodies.read(raw)
    told = {key: body.get(key, "") for key in ("action", "data", "hmac", "sign", "sid")}
    if not all(isinstance(one, str) for one in told.values()):
        raise ParseError("The body needs an action, and data, hmac and what signs it as text.")
    is_filing = told["action"] == FILING
    signature, key = (told["sign"], told["sid"].encode()) if is_filing else (told["hmac"], session.key)
    try:
        message = sealing.opened(session.key, told["data"])
        text = base64.b64decode(message, validate=True)
    except (SealError, binascii.Error):
        raise ParseError(UNREADABLE) from None
    if not hmac.compare_digest(sealing.signed(key, message).encode(), signature.encode()):
        raise ParseError(UNREADABLE)
    head = {"action": told["action"], **({"sid": told["sid"]} if is_filing else {})}
    return JSONRenderer().render(head)[:-1] + b',"data":' + text + b"}", signature


def success(result: Mapping[str, Any], session: Session) -> Response:
    """Return the envelope of an answer, sealed under a key of its own that the session's key opens."""
    key = secrets.token_bytes(sealing.KEY_OCTETS)
    message = base64.b64encode(JSONRenderer().render(result))
    envelope = {
        "rek": sealing.sealed(session.key, key),
        "data": sealing.sealed(key, message),
        "hmac": sealing.signed(key, message),
    }
    return Response({"status_cd": 1, **envelope})
