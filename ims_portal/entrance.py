"""Nobody who may do more than look gets further than their account without a second factor (promises 4.3).

Whoever gave a code or key in this session passes without a query. For everybody else each request asks again, so that
a role given a minute ago counts. Pages are closed unless they are named here: a new one cannot be forgotten.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from ims_portal import clock, known_devices, proof, second_factor, web

OF_ACCOUNT = ("account_", "mfa_", "usersessions_")
"""How the names of the pages begin on which people see to their own account."""
OPEN = frozenset({"stay", "set_language"})
"""What the shell of those pages asks for."""


class Entrance:
    """Middleware: lead whoever needs a second factor and has not given one to where it is set up, or asked for.

    A browser in which somebody has just signed in is known for them from then on.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer; `process_view` decides, once it is known which page is asked for."""
        response = self.get_response(request)
        if name := getattr(request, "signed_in_as", ""):
            known_devices.remember(request, response, name)
        return response

    def process_view(
        self,
        request: HttpRequest,
        view: Callable[..., HttpResponse],
        _arguments: tuple[object, ...],
        _names: dict[str, Any],
    ) -> HttpResponse | None:
        """Return the way to the second factor, or None where the page may be shown."""
        if _is_open(request, view) or not request.user.is_authenticated or proof.has_second_factor(request):
            return None
        if not second_factor.is_needed(request.user, clock.portal().now()):
            return None
        if second_factor.is_set(request.user):
            messages.info(request, _("A second step was added to your account. Give its code or key to go on."))
            return web.go(request, proof.ask_second_factor(request, web.wanted(request)))
        text = _(
            "Your rights need a second step of signing in. Set up an app or a security key here; until then you "
            "reach your account only."
        )
        messages.warning(request, text)
        return web.go(request, reverse("mfa_index"))


def _is_open(request: HttpRequest, view: Callable[..., HttpResponse]) -> bool:
    """Whether a page is everybody's, or one's own account's."""
    name = (request.resolver_match.url_name if request.resolver_match else None) or ""
    return name in OPEN or name.startswith(OF_ACCOUNT) or not getattr(view, "login_required", True)
