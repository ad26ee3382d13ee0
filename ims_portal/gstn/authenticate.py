"""`authenticate`: a code is asked for, a session begins with it, and is renewed; codes for filing (formats 8.3)."""

from __future__ import annotations

import base64
from typing import Any, ClassVar

from allauth.account.adapter import get_adapter
from django.core.cache import caches
from django.http import Http404
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import AnonRateThrottle

from ims_portal import access, clock, one_time_codes, sealed_sessions, sealing, tokens
from ims_portal.access import Right, RightMissingError
from ims_portal.api import bodies
from ims_portal.gstn import certificate, sealed
from ims_portal.gstn.envelopes import GstnError
from ims_portal.gstn.views import NOT_SERVED, Door, OpenDoor, RawJson
from ims_portal.models import SealedSession, Taxpayer, User
from ims_portal.one_time_codes import Purpose
from ims_portal.sealing import SealError

BAD_CODE, WRONG_KEY = "AUTH4033", "TEC4002"
NO_SIGNATORY_ANY_MORE = (tokens.TokenRefusedError, RightMissingError, Http404)
"""What becomes of a session whose person lost the role while it was begun."""


class PerAddress(AnonRateThrottle):
    """So many requests a minute and address, with a session or without."""

    scope = "user"
    cache = caches["paces"]

    def get_cache_key(self, request: Request, view: object) -> str:  # noqa: ARG002 - the framework's signature
        """Return what requests are counted by."""
        return str(self.cache_format % {"scope": "authenticate", "ident": self.get_ident(request)})


class SmallJson(RawJson):
    """Anybody may send one, so it is short."""

    most = 16 << 10


class Authenticate(Door):
    """How a program gets its session."""

    authentication_classes: ClassVar[list[type]] = [sealed.BySession]
    permission_classes: ClassVar[list[type]] = []
    throttle_classes: ClassVar[list[type]] = [PerAddress]
    parser_classes: ClassVar[list[type]] = [SmallJson]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the framework's signature
        """Be unknown while the sealed way is off."""
        sealed.require_on()
        super().initial(request, *args, **kwargs)

    def get(self, request: Request) -> Response:
        """Ask for a code that files; within a session only."""
        session = sealed.session_of(request)
        if session is None:
            raise sealed.over()
        if request.query_params.get("action") != "EVCOTP":
            raise _unknown(request.query_params.get("action", ""))
        at = clock.portal().now()
        held = tokens.for_taxpayer(token=request.auth, gstin=session.kept.taxpayer.gstin, at=at, right=Right.FILE)
        one_time_codes.ask(user=request.user, taxpayer=held.taxpayer, purpose=Purpose.FILE, at=at)
        return Response({"status_cd": 1})

    def post(self, request: Request) -> Response:
        """Ask for a code, begin a session with it, or renew one."""
        body = bodies.read(request.data if isinstance(request.data, bytes) else b"")
        told = {key: body.get(key, "") for key in ("action", "app_key", "username", "otp", "auth_token")}
        if not all(isinstance(one, str) for one in told.values()):
            raise ParseError("action, app_key, username, otp and auth_token are text.")
        do = {"OTPREQUEST": self._ask, "AUTHTOKEN": self._begin, "REFRESHTOKEN": self._renew}.get(told["action"])
        if do is None:
            raise _unknown(told["action"])
        return Response({"status_cd": 1, **do(request, told)})

    def _ask(self, request: Request, told: dict[str, str]) -> dict[str, Any]:
        """Make a code for a signatory to read. Whoever is none is told the same, and has nothing to read."""
        _opened_key(told["app_key"])
        found = _signatory(told["username"], request.headers.get("gstin", ""))
        if found is not None:
            user, taxpayer = found
            one_time_codes.ask(user=user, taxpayer=taxpayer, purpose=Purpose.ENTER, at=clock.portal().now())
        return {}

    def _begin(self, request: Request, told: dict[str, str]) -> dict[str, Any]:
        app_key = _opened_key(told["app_key"])
        found = _signatory(told["username"], request.headers.get("gstin", ""))
        bad = GstnError(
            BAD_CODE, "The code is wrong, used, too old, or was tried too often. Wait for its end, ask anew."
        )
        if found is None or not _is_right(*found, _opened_code(app_key, told["otp"])):
            raise bad
        user, taxpayer = found
        try:
            return _told(app_key, *sealed_sessions.begin(user=user, taxpayer=taxpayer, clock=clock.portal()))
        except NO_SIGNATORY_ANY_MORE:
            raise bad from None

    def _renew(self, request: Request, told: dict[str, str]) -> dict[str, Any]:
        session = _session(told["auth_token"], request)
        key = sealed_sessions.key_of(session)
        if key is None:
            raise sealed.over()
        try:
            app_key = sealing.opened(key, told["app_key"])
        except SealError:
            raise sealed.over() from None
        if len(app_key) != sealing.KEY_OCTETS or session.token.user.username != told["username"]:
            raise sealed.over()
        try:
            return _told(app_key, *sealed_sessions.renew(session=session, clock=clock.portal()))
        except (tokens.BadTokenError, *NO_SIGNATORY_ANY_MORE):
            raise sealed.over() from None


class Certificate(OpenDoor):
    """What programs seal their own key under; anybody may have it."""

    def get(self, request: Request) -> Response:  # noqa: ARG002 - the framework's signature
        """Return the certificate, while the sealed way is on."""
        sealed.require_on()
        return Response({"certificate": certificate.text()})


def _unknown(action: str) -> GstnError:
    return GstnError(NOT_SERVED, f"The action {action[:20]!r} is not offered here.")


def _told(app_key: bytes, text: str, key: bytes) -> dict[str, Any]:
    minutes = int(sealed_sessions.LASTS.total_seconds()) // 60
    return {"auth_token": text, "sek": sealing.sealed(app_key, key), "expiry": minutes}


def _opened_key(text: str) -> bytes:
    """Return the key a program chose for itself. Raises GstnError where it was sealed under another certificate."""
    try:
        found = certificate.opened(base64.b64decode(text, validate=True))
    except (SealError, ValueError):
        found = b""
    if len(found) != sealing.KEY_OCTETS:
        raise GstnError(WRONG_KEY, "app_key is not sealed under our certificate. Fetch the certificate again.")
    return found


def _opened_code(app_key: bytes, text: str) -> str:
    try:
        return sealing.opened(app_key, text).decode("ascii")
    except (SealError, UnicodeDecodeError):
        return ""


def _is_right(user: User, taxpayer: Taxpayer, code: str) -> bool:
    return one_time_codes.use(user=user, taxpayer=taxpayer, purpose=Purpose.ENTER, code=code, at=clock.portal().now())


def _signatory(username: str, gstin: str) -> tuple[User, Taxpayer] | None:
    """Return a person and a taxpayer of theirs, None where they are no signatory of it, or there is no such."""
    user = User.objects.filter(username=username, is_active=True).first()
    if user is None:
        return None
    try:
        held = access.for_taxpayer(user=user, gstin=gstin, at=clock.portal().now(), right=Right.GRANT)
    except (Http404, RightMissingError):
        return None
    return user, held.taxpayer


def _session(text: str, request: Request) -> SealedSession:
    try:
        address = get_adapter().get_client_ip(request)
        found = sealed_sessions.of(tokens.enter(text, address=address, mark=tokens.MARK_OF_SESSIONS))
    except tokens.BadTokenError:
        found = None
    if found is None:
        raise sealed.over()
    return found
