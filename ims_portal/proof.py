"""Who they are, proved lately: what weighs much asks for the password or code again (promises 4.3).

Signing in proves it, and so does answering the page of `ask`; both are kept in the session, by the real clock.
"""

from __future__ import annotations

from datetime import timedelta

from allauth.account.authentication import get_authentication_records
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from ims_portal import clock

LASTS = timedelta(minutes=10)


def is_fresh(request: HttpRequest) -> bool:
    """Whether the user gave a password, code or key during the last ten minutes of this session."""
    given = [record["at"] for record in get_authentication_records(request, request.user)]
    return bool(given) and clock.real().timestamp() - max(given) < LASTS.total_seconds()


def ask(back: str) -> str:
    """Return the address of the page that asks for the proof and then leads to `back`, one of our own."""
    return f"{reverse('account_reauthenticate')}?{urlencode({'next': back})}"
