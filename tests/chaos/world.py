"""Who plays: GSTINs that supply one another, their people, tokens of their programs, and what all of them know."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth
from django.utils import timezone

from ims_portal.access import Right
from ims_portal.models import PortalClock, Taxpayer, User
from ims_portal.rules import periods
from ims_portal.rules.periods import TaxPeriod
from returns import large_gstr1
from tests import factories
from tests.api.client import USUAL, one_time_code, token

BEGINS, FIRST = "2025-11-10", "102025"
FILING = (Right.VIEW, Right.ACT, Right.SUPPLY, Right.COMPUTE, Right.FILE)


@dataclass(slots=True)
class Program:
    """A program of a person: its token, and the secret of the person's authenticator app."""

    user: str
    token: str
    secret: str
    _used: int = -1
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def code(self) -> str:
        """Return a code that was not used yet, "" while there is none: the app shows a new one every half minute."""
        with self._lock:
            counter = next(iter(auth.yield_hotp_counters_from_time()))
            if counter == self._used:
                return ""
            self._used = counter
            return auth.format_hotp_value(auth.hotp_value(self.secret, counter))


@dataclass(slots=True)
class Firm:
    """A GSTIN: who decides for it, who files; its open GSTR-3B, its open GSTR-1. Only its filer moves the periods.

    `is_closing`: its filer is at the open period, and who decides mostly waits, as people do.
    """

    gstin: str
    deciders: tuple[Program, Program]
    filer: Program
    open_3b: TaxPeriod
    open_gstr1: TaxPeriod
    is_closing: bool = False


@dataclass(frozen=True, slots=True)
class World:
    """All firms, and the administrator who moves the date."""

    firms: tuple[Firm, ...]
    administrator: User


def make(*, firms: int) -> World:
    """Make firms on an empty database, the portal's date with it."""
    administrator = factories.user("nemesis", is_staff=True)
    stand_at(BEGINS, administrator)
    return World(tuple(_firm(gstin) for gstin in large_gstr1.recipients(firms)), administrator)


def stand_at(text: str, by: User | None = None) -> None:
    """Set the portal's clock to a moment, be it backwards."""
    PortalClock.objects.update_or_create(
        pk=1, defaults={"ahead": factories.at(text) - timezone.now(), "set_by": by or factories.user("nemesis")}
    )


def _firm(gstin: str) -> Firm:
    owner = factories.taxpayer(gstin)
    first = periods.parse(FIRST)
    one, two, filer = (_program(owner, f"{name}-{owner.pk}") for name in ("asha", "ravi", "mina"))
    return Firm(gstin, (one, two), filer, first, first)


def _program(owner: Taxpayer, username: str) -> Program:
    person = factories.member(owner, "signatory", username)
    one_time_code(person)  # makes the app where there is none
    secret = auth.decrypt(Authenticator.objects.get(user=person, type=Authenticator.Type.TOTP).data["secret"])
    rights = FILING if username.startswith("mina") else USUAL
    return Program(username, token(person, owner.gstin, rights=rights), secret)
