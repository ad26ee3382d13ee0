"""Tokens of programs: made by a signatory, bound to GSTINs, rights and addresses, short-lived, revocable.

An administrator makes them too, to hand in feeds; such a token opens no GSTIN by that.

A token is worth no more than its person: what it may do is what both may (promises 3). It never grants; it files only
where its person said so, and then only with a code given in the same request. Only a hash of it is kept.
"""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from ims_portal import access, audit, once, second_factor
from ims_portal.access import Access, Right
from ims_portal.clock import Clock, real
from ims_portal.models import ApiToken, Taxpayer, User

MARK, MARK_OF_SESSIONS = "imsp", "imss"
"""What a token begins with: one that opens everything by itself, and one that opens sealed requests only."""
OCTETS = 32
"""Random octets of a token: too many to guess, so that looking one up by its hash needs no more."""
LONGEST_TOKEN = 100
USUAL = timedelta(hours=6)
LONGEST = timedelta(days=30)
KEPT_BY = timedelta(minutes=1)
"""A use is written down once a minute, not with every request."""
MOST_GSTINS, MOST_NETWORKS = 500, 20
NEVER = frozenset({Right.GRANT})


class TokenRefusedError(Exception):
    """A token that may not be made as asked; `problems` is field -> sentence, "" for all of it."""

    def __init__(self, problems: dict[str, str]) -> None:
        self.problems = problems
        super().__init__(" ".join(problems.values()))


@dataclass(frozen=True, slots=True)
class Terms:
    """What a token is to be: its name, where it may what, for how long, and from which addresses; none means any.

    `feeds` lets it hand in feeds, an administrator's alone.
    """

    name: str
    gstins: Collection[str]
    rights: Collection[Right]
    lasts: timedelta = USUAL
    networks: Sequence[str] = ()
    feeds: bool = False


class BadTokenError(Exception):
    """A token that lets nobody in: unknown, expired, revoked, or from another address."""


class NoSecondFactorError(BadTokenError):
    """A token whose person has no second factor any more, and so may do nothing that asks for one (promises 4.3)."""


def live(user: User) -> QuerySet[ApiToken]:
    """Return a person's tokens that let somebody in, the newest first."""
    return user.api_tokens.filter(revoked_at=None, expires_at__gt=real()).order_by("-made_at", "-pk")


def grantable(user: User, at: datetime) -> list[Access]:
    """Return a person's access to every GSTIN a token may be made for: where the person is a signatory."""
    return [held for held in access.all_of(user=user, at=at) if held.may(Right.GRANT)]


def has_app(user: User) -> bool:
    """Whether a person has an authenticator app: without its codes no program files for them (promises 3)."""
    return bool(Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists())


def make(*, user: User, terms: Terms, clock: Clock, request_id: uuid.UUID, mark: str = MARK) -> str:
    """Return a new token, the only time it is seen, "" where the same request made it before.

    Raises TokenRefusedError, and once.MismatchError. That its person proved who they are, and has an app where the
    token is to file, is for the door to see to.
    """
    at = clock.now()
    with transaction.atomic():
        plain = {"gstins": sorted(terms.gstins), "rights": sorted(terms.rights), "lasts": str(terms.lasts)}
        body = {"do": "token", "terms": {**asdict(terms), **plain}}
        command = once.claim(actor=user, key=request_id, body=body)
        if command.answer:
            return ""
        found = {held.taxpayer.gstin: held.taxpayer for held in grantable(user, at)}
        _check(terms, found, user)
        prefix, secret, made_at = secrets.token_hex(4), secrets.token_urlsafe(OCTETS), real()
        text = f"{mark}_{prefix}_{secret}"
        made = ApiToken.objects.create(
            user=user,
            name=terms.name,
            prefix=prefix,
            token_hash=_hash(text),
            rights=sorted({*terms.rights, Right.VIEW}),
            feeds=terms.feeds,
            networks=[str(ipaddress.ip_network(one)) for one in terms.networks],
            made_at=made_at,
            expires_at=made_at + terms.lasts,
        )
        taxpayers = [found[gstin] for gstin in terms.gstins]
        made.taxpayers.set(taxpayers)
        _record("token.made", made, taxpayers, at)
        once.answered(command, {"token": prefix})
    return text


def _check(terms: Terms, grantable_: Collection[str], user: User) -> None:
    problems = _of_scope(terms, grantable_, user)
    if not terms.name.strip() or len(terms.name) > ApiToken.LONGEST_NAME:
        problems["name"] = _("Give it a name of up to %(most)s letters.") % {"most": ApiToken.LONGEST_NAME}
    if not timedelta() < terms.lasts <= LONGEST:
        problems["lasts"] = _("A token lasts %(days)s days at most.") % {"days": LONGEST.days}
    if len(terms.networks) > MOST_NETWORKS or not all(_is_network(one) for one in terms.networks):
        problems["networks"] = _("Write addresses like 203.0.113.7 or 203.0.113.0/24, one in a line, or none.")
    if problems:
        raise TokenRefusedError(problems)


def _of_scope(terms: Terms, grantable_: Collection[str], user: User) -> dict[str, str]:
    """Return what is wrong with where a token may what."""
    problems = {}
    if not (terms.gstins or terms.feeds) or len(terms.gstins) > MOST_GSTINS:
        problems["gstins"] = _("Choose at least one GSTIN, and %(most)s at most.") % {"most": MOST_GSTINS}
    elif not set(terms.gstins) <= set(grantable_):
        problems["gstins"] = _("A token is made by a signatory, for GSTINs where you are one.")
    if NEVER & set(terms.rights):
        problems["rights"] = _("A token can never give rights to others.")
    if terms.feeds and not user.is_staff:
        problems["feeds"] = _("Only administrators hand in feeds.")
    return problems


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=True)
    except ValueError:
        return False
    return True


def found(text: str) -> ApiToken:
    """Return the token of a text that was just made."""
    return ApiToken.objects.get(token_hash=_hash(text))


def revoke(*, user: User, prefix: str, at: datetime) -> bool:
    """Revoke one of a person's tokens, and return whether there was such a live one."""
    with transaction.atomic():
        found = live(user).filter(prefix=prefix).select_for_update(of=("self",)).first()
        if found is None:
            return False
        found.revoked_at = real()
        found.save(update_fields=["revoked_at"])
        _record("token.revoked", found, found.taxpayers.all(), at)
    return True


def enter(text: str, *, address: str, mark: str = MARK) -> ApiToken:
    """Return the token of a text, with its person, for a request from an address: one query, two once a minute.

    Raises BadTokenError, the same whatever is wrong with it, but NoSecondFactorError where the token itself is good.
    Only who needs a second factor makes tokens, so the rights of its person need not be looked at.
    """
    if not (text.startswith(f"{mark}_") and len(text) <= LONGEST_TOKEN):
        raise BadTokenError
    now = real()
    of_text = Q(token_hash=_hash(text), revoked_at=None, expires_at__gt=now, user__is_active=True)
    rows = ApiToken.objects.filter(of_text).select_related("user").annotate(has_factor=second_factor.held("user"))
    found = rows.first()
    if found is None or not _is_from(address, found.networks):
        raise BadTokenError
    if second_factor.is_asked_for() and not found.has_factor:
        raise NoSecondFactorError
    if found.used_at is None or now - found.used_at >= KEPT_BY:
        ApiToken.objects.filter(pk=found.pk).update(used_at=now)
    return found


def _is_from(address: str, networks: Iterable[str]) -> bool:
    allowed = [ipaddress.ip_network(one) for one in networks]
    try:
        return not allowed or any(ipaddress.ip_address(address) in network for network in allowed)
    except ValueError:
        return False


def for_taxpayer(*, token: ApiToken, gstin: str, at: datetime, right: Right) -> Access:
    """Return a token's access to a GSTIN: the rights both it and its person hold, two queries.

    Raises Http404 where either has nothing to do with the GSTIN, access.RightMissingError where either lacks the right.
    """
    if not (gstin.isalnum() and token.taxpayers.filter(gstin=gstin).exists()):
        raise Http404("No such page.")
    held = access.for_taxpayer(user=token.user, gstin=gstin, at=at, right=right)
    both = held.rights & {Right(name) for name in token.rights}
    if right not in both:
        raise access.RightMissingError(right, [])
    return replace(held, rights=both)


def taxpayers_of(token: ApiToken, at: datetime) -> list[Access]:
    """Return a token's access to every GSTIN of it that its person may still open: three queries."""
    own = set(token.taxpayers.values_list("pk", flat=True))
    rights = {Right(name) for name in token.rights}
    return [
        replace(held, rights=held.rights & rights)
        for held in access.all_of(user=token.user, at=at)
        if held.taxpayer.pk in own
    ]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _record(event: str, token: ApiToken, taxpayers: Iterable[Taxpayer], at: datetime) -> None:
    """Append one event for each GSTIN, one without any for feeds. This will join the caller's transaction."""
    for taxpayer in (*taxpayers, *([None] if token.feeds else [])):
        audit.record(
            event=event,
            at=at,
            actor=token.user,
            taxpayer=taxpayer,
            subject=token.prefix,
            details={"rights": list(token.rights) if taxpayer else ["feeds"]},
        )
