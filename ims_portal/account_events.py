"""What happened to an account, logged and told to its person: new browsers, factors, passwords, grants, filings.

The portal sends no mail about it: the list stands on the page of one's own settings (promises 4.3).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.account.signals import email_changed, password_changed, password_reset, password_set, user_logged_in
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
from allauth.usersessions.models import UserSession
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils.translation import gettext as _

from ims_portal import audit, clock, known_devices
from ims_portal.audit_words import EVENTS
from ims_portal.models import ACCOUNT_EVENTS, AuditEvent, Engagement, Membership, User

MOST_TOLD = 30


@dataclass(frozen=True, slots=True)
class Happened:
    """One line: a moment of the portal, and what happened then."""

    at: datetime
    text: str


def of(user: User, at: datetime) -> list[Happened]:
    """Return what happened to somebody's account up to a moment, the newest first: three queries."""
    own = AuditEvent.objects.filter(actor=user, event__in=ACCOUNT_EVENTS).select_related("taxpayer").order_by("-pk")
    found = [Happened(row.at, _told(row)) for row in own[:MOST_TOLD]]
    roles = Membership.objects.filter(user=user).select_related("taxpayer").order_by("-pk")
    found += [line for row in roles[:MOST_TOLD] for line in _of_role(row)]
    engaged = Engagement.objects.filter(user=user).select_related("taxpayer").order_by("-pk")
    found += [line for row in engaged[:MOST_TOLD] for line in _of_engagement(row)]
    return sorted((line for line in found if line.at <= at), key=lambda line: line.at, reverse=True)[:MOST_TOLD]


def _told(row: AuditEvent) -> str:
    what = str(EVENTS[row.event])
    return f"{what}: {row.taxpayer.gstin}" if row.taxpayer else what


def _of_role(row: Membership) -> Iterator[Happened]:
    told = {"role": row.get_role_display(), "gstin": row.taxpayer.gstin}
    yield Happened(row.valid_from, _("You were given the role %(role)s: %(gstin)s") % told)
    if row.valid_to is not None:
        yield Happened(row.valid_to, _("Your role %(role)s ended: %(gstin)s") % told)


def _of_engagement(row: Engagement) -> Iterator[Happened]:
    told = {"gstin": row.taxpayer.gstin}
    if row.accepted_by_id is not None:
        yield Happened(row.valid_from, _("Your engagement began: %(gstin)s") % told)
    if row.valid_to is not None:
        yield Happened(row.valid_to, _("Your engagement, or the request for one, ended: %(gstin)s") % told)


@receiver(user_logged_in)
def _signed_in(request: HttpRequest, user: User, **_others: Any) -> None:  # noqa: ANN401 - Django's signature
    """Have the browser known from now on; tell of one that was not."""
    request.signed_in_as = user.username  # type: ignore[attr-defined]  # for the entrance, which sets the cookie
    if not known_devices.knows(request, user.username):
        _record("account.new_device", user)


@receiver(authenticator_added)
def _factor_added(request: HttpRequest, user: User, authenticator: Authenticator, **_others: Any) -> None:  # noqa: ANN401
    """Take a factor that was just set up for given in this session, which gets a new key as at signing in (F65)."""
    if authenticator.type != Authenticator.Type.RECOVERY_CODES:
        record_authentication(request, user, "mfa", id=authenticator.pk, type=authenticator.type)
        request.session.cycle_key()
        UserSession.objects.create_from_request(request)
    _record("account.factor_added", user, authenticator)


@receiver(authenticator_removed)
def _factor_removed(user: User, authenticator: Authenticator, **_others: Any) -> None:  # noqa: ANN401
    _record("account.factor_removed", user, authenticator)


@receiver(authenticator_reset)
def _factor_renewed(user: User, authenticator: Authenticator, **_others: Any) -> None:  # noqa: ANN401
    _record("account.factor_renewed", user, authenticator)


@receiver([password_changed, password_reset, password_set])
def _password_changed(user: User, **_others: Any) -> None:  # noqa: ANN401
    _record("account.password_changed", user)


@receiver(email_changed)
def _mail_changed(user: User, **_others: Any) -> None:  # noqa: ANN401
    _record("account.mail_changed", user)


def _record(event: str, user: User, factor: Authenticator | None = None) -> None:
    details = {"factor": factor.type} if factor else {}
    audit.record(event=event, at=clock.portal().now(), actor=user, subject=f"user {user.pk}", details=details)
