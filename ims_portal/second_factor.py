"""The second factor of signing in: who needs one besides the password, who has one, how its secrets are kept.

Whoever may do more than look, on any GSTIN or in the administration, needs an authenticator app or a security key
(promises 4.3). Recovery codes come with either and are no factor of their own.
"""

from __future__ import annotations

from datetime import datetime

import structlog
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import generate_totp_secret
from cryptography.fernet import InvalidToken
from django.conf import settings
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from ims_portal import access, clock, kept_secrets
from ims_portal.models import User

log = structlog.get_logger()

FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
PURPOSE = "ims_portal.second_factor"
REQUIRED = "required"


def is_asked_for() -> bool:
    """Whether anybody needs one here: only a sandbox can do without."""
    return bool(settings.IMS_MFA == REQUIRED)


def is_needed(user: User, at: datetime) -> bool:
    """Whether somebody may not go without one at a moment: two queries at most."""
    return is_asked_for() and (user.is_staff or access.does_more_than_look(user=user, at=at))


def is_set(user: User) -> bool:
    """Whether somebody has one: one query."""
    return bool(Authenticator.objects.filter(user=user, type__in=FACTORS).exists())


def held(user_column: str) -> Exists:
    """Return whether the person of a row has one, for a query that reads the row anyway."""
    return Exists(Authenticator.objects.filter(user=OuterRef(user_column), type__in=FACTORS))


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    """How allauth keeps factors for us."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": _("The code is wrong, or was used already. Wait for the app's next code and type that one."),
        "cannot_delete_authenticator": _(
            "Your rights need a second step of signing in. Set up another one first, then remove this one."
        ),
    }

    def encrypt(self, text: str) -> str:
        """Return a secret as the database keeps it: a copy of the database makes no codes."""
        return kept_secrets.keeper(PURPOSE).encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Return a kept secret; where SECRET_KEY is another now, one that nobody knows, so that no code fits."""
        try:
            return kept_secrets.keeper(PURPOSE).decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            log.warning("second_factor_unreadable")
            return str(generate_totp_secret())

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Return whether a person may remove a factor: not the last one while their rights need one."""
        others = Authenticator.objects.filter(user=authenticator.user, type__in=FACTORS).exclude(pk=authenticator.pk)
        return others.exists() or not is_needed(authenticator.user, clock.portal().now())
