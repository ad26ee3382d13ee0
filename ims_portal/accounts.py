"""Signing in: nobody makes an account for themselves, and how long a password may be."""

import re
from datetime import datetime, timedelta
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import LoginForm, default_token_generator
from allauth.account.utils import user_pk_to_url_str
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.webauthn.forms import AddWebAuthnForm, EditWebAuthnForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ims_portal import clock, lockout, proof, web
from ims_portal.forms import PlainTextField
from ims_portal.models import User

LONGEST_PASSWORD, LONGEST_NAME_OF_A_KEY = 128, 60
OUR_WORDS = ("ims", "portal", "gstin", "gstr", "gst", "invoice", "password")
SHORTEST_WORD, LEAST_OF_ONE_S_OWN = 3, 8
NO_LETTER = re.compile(r"[\W_]+")
GSTIN = re.compile(r"[0-9]{2}[a-z]{5}[0-9]{4}[0-9a-z]{4}")
TOO_MANY = 429
UP_TO_A_MINUTE = timedelta(seconds=59)
"""Added to a moment of which only the minute is told, so that it is over by then."""


def password_path(user: User) -> str:
    """Return the address at which a user chooses a password: once, and within the time Django gives such links."""
    told = {"uidb36": user_pk_to_url_str(user), "key": default_token_generator.make_token(user)}
    return reverse("account_reset_password_from_key", kwargs=told)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """People are made by an administrator; the sign-up page says so. Whoever guesses passwords or codes has to wait."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "too_many_login_attempts": gettext_lazy("Too many wrong codes. Wait a quarter of an hour, then try again."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002 - allauth's signature
        """Return that nobody can sign up."""
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:  # noqa: ANN401 - allauth's signature
        """Count a try before the password is looked at; allauth takes back one that was right.

        Raises ImmediateHttpResponse with a page that says why and until when to wait.
        """
        try:
            self._login_failed_rl_usage = lockout.take_note(request, credentials.get("username", ""))
        except lockout.LockedError as locked:
            raise ImmediateHttpResponse(_wait(request, locked.until)) from None

    def is_reauthentication_required(self, *, app: str, **_told: Any) -> bool:  # noqa: ANN401, ARG002 - its signature
        """Return whether a change of one's own account asks who one is first: as all that weighs much does."""
        return not proof.is_fresh(context.request)


def _wait(request: HttpRequest, until: datetime) -> HttpResponse:
    seconds = max(int((until - clock.real()).total_seconds()) + 1, 1)
    text = _(
        "Signing in waits until %(time)s. Five wrong passwords for a name within 15 minutes, or many from one network "
        "address, stop it, so that nobody can guess passwords; until then a right one is not taken either. If you do "
        "not know your password any more, ask an administrator."
    )
    told = {"code": "LOCKED", "text": text % {"time": f"{timezone.localtime(until + UP_TO_A_MINUTE):%H:%M}"}}
    page = render(request, "ims_portal/problem.html", told, status=TOO_MANY)
    return web.with_headers(page, {"Retry-After": str(seconds)})


class SignInForm(LoginForm):  # type: ignore[misc]  # allauth has no types
    """Asks for username and password; a pair that does not fit is told at the password, where people type again."""

    def clean(self) -> dict[str, Any]:
        """Move what is wrong with the pair to a field, so that the summary leads somewhere."""
        try:
            found: dict[str, Any] = super().clean()
        except ValidationError as problem:
            self.add_error("password", problem)
            return dict(self.cleaned_data)
        return found


class ContextWordsValidator:
    """Refuses passwords that are little more than what everybody here knows: our words, a GSTIN, one's name."""

    def validate(self, password: str, user: User | None = None) -> None:
        """Raise ValidationError where fewer than eight characters are left once such words are taken out."""
        names = f"{user.username} {user.full_name} {user.email}" if user else ""
        words = {*OUR_WORDS, *(word for word in NO_LETTER.split(names.casefold()) if len(word) >= SHORTEST_WORD)}
        left = GSTIN.sub("", password.casefold())
        for word in sorted(words, key=len, reverse=True):
            left = left.replace(word, "")
        if len(left) < LEAST_OF_ONE_S_OWN:
            raise ValidationError(self.get_help_text(), code="password_of_context_words")

    def get_help_text(self) -> str:
        """Return the sentence shown beside the field."""
        return _(
            "Your password must be more than your name, a GSTIN and words of this portal: at least %(count)d other "
            "characters."
        ) % {"count": LEAST_OF_ONE_S_OWN}


class MaximumLengthValidator:
    """Refuses passwords so long that hashing them is a burden."""

    def validate(self, password: str, user: Any = None) -> None:  # noqa: ANN401, ARG002 - Django's signature
        """Raise ValidationError for a password of more than 128 characters."""
        if len(password) > LONGEST_PASSWORD:
            raise ValidationError(self.get_help_text(), code="password_too_long")

    def get_help_text(self) -> str:
        """Return the sentence shown beside the field."""
        return _("Your password can have at most %(count)d characters.") % {"count": LONGEST_PASSWORD}


class AddKeyForm(AddWebAuthnForm):  # type: ignore[misc]  # allauth has no types
    """Names a security key, in plain text and in the reader's language; left empty, it gets a name by itself."""

    name = PlainTextField(label=gettext_lazy("Name of the key"), max_length=LONGEST_NAME_OF_A_KEY, required=False)


class EditKeyForm(EditWebAuthnForm):  # type: ignore[misc]  # allauth has no types
    """The same for a key that is there."""

    name = PlainTextField(label=gettext_lazy("Name of the key"), max_length=LONGEST_NAME_OF_A_KEY)
