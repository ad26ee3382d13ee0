"""Who they are, proved lately: what weighs much asks for the password or code again (promises 4.3).

Signing in proves it, and so does answering the page of `ask`; both are kept in the session, by the real clock.
"""

from __future__ import annotations

from datetime import timedelta

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.login import record_authentication
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from ims_portal import clock
from ims_portal.models import User

LASTS = timedelta(minutes=10)


class ProofMissingError(Exception):
    """Something weighty was asked for and nothing was done; `ask` is the page that asks who it is, and leads back."""

    code = "PROOF_MISSING"

    def __init__(self, back: str) -> None:
        self.ask = ask(back)
        super().__init__(back)


def require(request: HttpRequest, back: str) -> None:
    """Let a request through whose user proved lately who they are.

    Raises ProofMissingError, which every page answers alike: with the page that asks, and then leads to `back`, one of
    our own.
    """
    if not is_fresh(request):
        raise ProofMissingError(back)


def is_fresh(request: HttpRequest) -> bool:
    """Whether the user gave a password, code or key during the last ten minutes of this session."""
    given = [record["at"] for record in get_authentication_records(request, request.user)]
    return bool(given) and clock.real().timestamp() - max(given) < LASTS.total_seconds()


def enter(session: SessionBase, user: User) -> None:
    """Note in a session that was not begun on the page of signing in that its person gave password and code just now.

    For measurements and tests, which begin sessions by themselves.
    """
    request = HttpRequest()
    request.session = session
    record_authentication(request, user, "mfa")


def has_second_factor(request: HttpRequest) -> bool:
    """Whether the user gave a code or key at all in this session; no query."""
    return any(record["method"] == "mfa" for record in get_authentication_records(request, request.user))


def ask_second_factor(request: HttpRequest, back: str) -> str:
    """Return the address of the page that asks who has a second factor for it, and then leads to `back`."""
    ways = get_adapter().get_reauthentication_methods(request.user)
    url = next(way["url"] for way in ways if way["id"].startswith("mfa"))
    return f"{url}?{urlencode({'next': back})}"


def ask(back: str) -> str:
    """Return the address of the page that asks for the proof and then leads to `back`, one of our own."""
    return f"{reverse('account_reauthenticate')}?{urlencode({'next': back})}"
