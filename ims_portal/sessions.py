"""How long somebody stays signed in: a quarter of an hour without doing anything, a working day at most.

Both limits go by the real clock, whatever the sandbox's date says, and are kept in the session itself. Asking how a job
is getting on is no doing: a page that polls sends `X-Poll`. Limits are our own (portal 7.8).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth import logout, user_logged_in
from django.contrib.auth.views import redirect_to_login
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from ims_portal import clock, web

IDLE = timedelta(minutes=15)
LONGEST = timedelta(hours=8)
WARNED_BEFORE = timedelta(minutes=2)
KEPT_BY = timedelta(minutes=1)
"""Activity is written down once a minute, not with every page; nobody is signed out earlier for that."""


@receiver(user_logged_in)
def begin(sender: object, request: HttpRequest, **others: Any) -> None:  # noqa: ANN401, ARG001 - Django's signature
    """Remember when a session began, to less than a second: one may begin right after others were ended."""
    request.session["began"] = clock.real().timestamp()
    request.session["seen"] = _now()


def left(request: HttpRequest) -> timedelta:
    """Return how long the session lasts if nothing is done from now on; zero or less when it is over."""
    now, session = _now(), request.session
    seen, began = session.get("seen", now), session.get("began", now)
    return timedelta(seconds=min(seen + IDLE.total_seconds(), began + LONGEST.total_seconds()) - now)


class Limits:
    """Middleware: sign out whose time is over, and lead them back to the page they wanted."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer; whoever is signed in and in time is seen."""
        if not request.user.is_authenticated:
            return self.get_response(request)
        if left(request) <= -KEPT_BY or _was_ended(request):
            return self._over(request)
        if "X-Poll" not in request.headers:
            _seen(request)
        return self.get_response(request)

    def _over(self, request: HttpRequest) -> HttpResponse:
        wanted = web.wanted(request)
        idle = _("You were signed out because nothing was done for a while. Sign in to go on where you were.")
        told = _("An administrator ended your sessions. Sign in again.") if _was_ended(request) else idle
        logout(request)
        messages.info(request, told)
        return web.go(request, redirect_to_login(wanted, reverse("account_login")).headers["Location"])


def _was_ended(request: HttpRequest) -> bool:
    """Whether an administrator ended the sessions of this person since this one began; one of unknown age is over."""
    ended = request.user.signed_out_at if request.user.is_authenticated else None
    return ended is not None and request.session.get("began", 0) <= ended.timestamp()


def _seen(request: HttpRequest) -> None:
    now = _now()
    request.session.setdefault("began", now)
    if now - request.session.get("seen", 0) >= KEPT_BY.total_seconds():
        request.session["seen"] = now


def _now() -> int:
    return int(clock.real().timestamp())
