"""Who enters: a token, at its pace. Knows no views, for the framework reads it while it makes its own."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from django.core.cache import caches
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import UserRateThrottle

from ims_portal import tokens
from ims_portal.models import ApiToken, User

BEARER = b"bearer"


class NoSecondFactor(PermissionDenied):
    """The token is good, but its person has no second factor."""

    default_detail = (
        "The token's person has no second step of signing in. They sign in and add an app or a security key to their "
        "account; then the token lets in again."
    )


class Bearer(BaseAuthentication):
    """Lets in who sends `Authorization: Bearer <token>`; a session never does, so no page can send a request here."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """Return person and token, None without a header. Raises AuthenticationFailed and NoSecondFactor."""
        sent = get_authorization_header(request).split()
        if not sent or sent[0].lower() != BEARER:
            return None
        try:
            text = sent[1].decode("ascii") if len(sent) == 2 else ""  # noqa: PLR2004 the word and the token
            token = tokens.enter(text, address=get_adapter().get_client_ip(request))
        except tokens.NoSecondFactorError:
            raise NoSecondFactor from None
        except (UnicodeDecodeError, tokens.BadTokenError):
            raise AuthenticationFailed(
                "The token lets nobody in: it is unknown, expired, revoked, or of another address. Make a new one."
            ) from None
        return token.user, token

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - the framework's signature
        """Return what a request without a token is asked for."""
        return "Bearer"


class HasToken(BasePermission):
    """Nobody else enters; what a token may is for the view."""

    message = "Send a token: Authorization: Bearer …. One is made on the page of tokens."

    def has_permission(self, request: Request, view: Any) -> bool:  # noqa: ANN401, ARG002 - the framework's signature
        """Return whether a token came along."""
        return isinstance(request.auth, ApiToken)


class PerToken(UserRateThrottle):
    """So many requests a minute and token."""

    scope = "user"
    cache = caches["paces"]

    def get_ident(self, request: Request) -> str:
        """Return what requests are counted by."""
        return request.auth.prefix if isinstance(request.auth, ApiToken) else super().get_ident(request)


class ByToken:
    """What a view knows of the token that entered."""

    request: Request

    @property
    def token(self) -> ApiToken:
        """The token that entered."""
        found: ApiToken = self.request.auth
        return found

    @property
    def actor(self) -> User:
        """The person the token acts for."""
        return self.token.user
