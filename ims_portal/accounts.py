"""Signing in: nobody makes an account for themselves, and how long a password may be."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import LoginForm, default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from ims_portal.models import User

LONGEST_PASSWORD = 128


def password_path(user: User) -> str:
    """Return the address at which a user chooses a password: once, and within the time Django gives such links."""
    told = {"uidb36": user_pk_to_url_str(user), "key": default_token_generator.make_token(user)}
    return reverse("account_reset_password_from_key", kwargs=told)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """People are made by an administrator; the sign-up page says so."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002 - allauth's signature
        """Return that nobody can sign up."""
        return False


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


class MaximumLengthValidator:
    """Refuses passwords so long that hashing them is a burden."""

    def validate(self, password: str, user: Any = None) -> None:  # noqa: ANN401, ARG002 - Django's signature
        """Raise ValidationError for a password of more than 128 characters."""
        if len(password) > LONGEST_PASSWORD:
            raise ValidationError(self.get_help_text(), code="password_too_long")

    def get_help_text(self) -> str:
        """Return the sentence shown beside the field."""
        return _("Your password can have at most %(count)d characters.") % {"count": LONGEST_PASSWORD}
