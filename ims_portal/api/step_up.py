"""Who they are, proved in the same request: a code of the person's authenticator app (promises 3, 4.3).

A program keeps its token for hours, so what a page asks the password for again needs more than the token here. A code
proves one request and is used up by it; wrong ones are counted together with those of the pages.
"""

from __future__ import annotations

import re

from allauth.core import ratelimit
from allauth.mfa.models import Authenticator
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import Throttled
from rest_framework.request import Request

from ims_portal.api.errors import RefusedError
from ims_portal.models import User

HEADER = "X-One-Time-Code"
PARAMETER = OpenApiParameter(
    HEADER,
    str,
    OpenApiParameter.HEADER,
    description="the six digits the authenticator app of the token's person shows now; each code proves one request",
)
CODE = "STEP_UP_REQUIRED"
WAIT = 15 * 60
"""Seconds after which wrong codes are forgotten, as on the pages (settings.ACCOUNT_RATE_LIMITS)."""

_DIGITS = re.compile(r"[0-9]{6}", re.ASCII)
_NO_APP = "This needs a code of an authenticator app. {who} has none: one is added on the page of one's own account."
_NO_CODE = f"This needs proof of who you are. Send the code the authenticator app of {{who}} shows now, in {HEADER}."
_WRONG = "The code is wrong, or was used already. Nothing was done. Wait for the app's next code and send that one."


def require(request: Request, user: User) -> None:
    """Let a request through that carries a fresh code of the person's authenticator app in its header; as `prove`."""
    prove(request, user, request.headers.get(HEADER, "").strip())


def prove(request: Request, user: User, code: str) -> None:
    """Let a request through with a fresh code of the person's authenticator app; the code is used up.

    Raises RefusedError with STEP_UP_REQUIRED (403) that says what to do, and Throttled after too many wrong codes.
    """
    held = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).first()
    if held is None:
        raise _refused(_NO_APP.format(who=user))
    if not code:
        raise _refused(_NO_CODE.format(who=user))
    counted = {"action": "login_failed", "key": f"mfa-auth-user-{user.pk}"}
    if not ratelimit.consume(request, **counted):
        raise Throttled(wait=WAIT, detail="Too many wrong codes. Nothing was done. Wait a quarter of an hour.")
    if not (_DIGITS.fullmatch(code) and held.wrap().validate_code(code)):
        raise _refused(_WRONG)
    ratelimit.clear(request, **counted)
    held.record_usage()


def _refused(message: str) -> RefusedError:
    return RefusedError(CODE, message, status=403)
