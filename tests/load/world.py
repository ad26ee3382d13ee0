"""Who works under load: people of one very large recipient and of some hundred small ones, each with own sign-in."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from ims_portal import clock
from ims_portal.models import Membership, PortalClock, Taxpayer, User
from ims_portal.rules import periods
from invoices.models import Record
from returns import bigworld, gstr2b, large_gstr1, practice
from tests import factories
from tests.api.client import token

DOCUMENTS = 120
"""Of a small recipient, so that its lists have a second page and a third."""
DESKS = 3
"""Recipients one person of the tail works for."""
SOME = 50
"""Suppliers of a recipient by whom its people filter."""
PREPARER = 5
"""Every such person is a preparer: tokens for programs are given to signatories alone."""
HANDERS = 60
"""Suppliers who hand in returns, one after the other."""
LASTS = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Desk:
    """A recipient, and suppliers of its documents."""

    gstin: str
    suppliers: tuple[str, ...]


@dataclass(slots=True)
class Person:
    """Somebody at work: the recipients they decide for, the supplier they look after, a token if they may have one.

    `cookies` are of their session, once they signed in.
    """

    username: str
    desks: tuple[Desk, ...]
    supplier: str
    is_hot: bool
    token: str = ""
    cookies: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class World:
    """All of it: people, the large recipient with its open period, a program that does the heavy work, who hands in."""

    people: tuple[Person, ...]
    hot: Desk
    tail: tuple[Desk, ...]
    period: str
    office: str
    """The token of the program that computes and exports for the large recipient and hands in for suppliers."""
    handers: tuple[str, ...]
    administrator: User
    records: int


def make(*, rows: int, tail: int, users: int, hot_users: int, rng: random.Random) -> World:
    """Make the world on an empty database two days after a draft day, the portal's date with it."""
    at = bigworld.two_days_after_a_draft()
    administrator = factories.user("loaded", is_staff=True)
    PortalClock.objects.update_or_create(pk=1, defaults={"ahead": at - clock.real(), "set_by": administrator})
    big = bigworld.make(rows=rows, at=at)
    small = practice.make(clients=tail, documents=DOCUMENTS, at=at)
    desks = tuple(_desk(firm) for firm in small.clients)
    hot = _desk(big.recipient)
    sellers = [Taxpayer.objects.get(gstin=gstin) for gstin in desks[0].suppliers]
    people = tuple(
        _person(
            no, hot if no < hot_users else None, desks, big.supplier if no < hot_users else rng.choice(sellers), rng
        )
        for no in range(users)
    )
    handers = tuple(large_gstr1.recipients(HANDERS))
    office = "office"
    for gstin in handers:
        factories.member(factories.taxpayer(gstin, first=big.period.month), "signatory", office)
    person = factories.member(big.recipient, "signatory", office)
    for taxpayer, period in gstr2b.drafts_due(at=at):  # these were made two days ago
        gstr2b.compute(taxpayer=taxpayer, period=period, actor=None, clock=clock.portal())
    return World(
        people,
        hot,
        desks,
        big.period.wire,
        token(person, hot.gstin, *handers, lasts=LASTS),
        handers,
        administrator,
        Record.objects.count(),
    )


def _desk(recipient: Taxpayer) -> Desk:
    found = Record.objects.filter(recipient=recipient, supplier__isnull=False).order_by("supplier__gstin")
    gstins = found.values_list("supplier__gstin", flat=True).distinct()[:SOME]
    return Desk(recipient.gstin, tuple(gstins))


def _person(no: int, hot: Desk | None, tail: Sequence[Desk], seller: Taxpayer, rng: random.Random) -> Person:
    desks = (hot,) if hot else tuple(rng.sample(tail, min(DESKS, len(tail))))
    username, is_preparer = f"user{no:04}", no % PREPARER == PREPARER - 1
    firms = [Taxpayer.objects.get(gstin=desk.gstin) for desk in desks]
    role = Membership.Role.PREPARER if is_preparer else Membership.Role.SIGNATORY
    for firm in (*firms, seller):
        person = factories.member(firm, role.value, username)
    text = "" if is_preparer else token(person, *(desk.gstin for desk in desks), lasts=LASTS)
    return Person(username, desks, seller.gstin, hot is not None, text)


def period_of(world: World) -> periods.TaxPeriod:
    """Return the open period of the large recipient."""
    return periods.parse(world.period)
