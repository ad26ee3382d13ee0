"""A practitioner with many clients, made for a sandbox: what an accountant's morning begins with.

Everything goes through the domain functions the pages call: suppliers file GSTR-1, some clients decided on some of
it, GSTR-2B of some is computed.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from ims_portal import calendar, demo_codes
from ims_portal.clock import Fixed
from ims_portal.models import Engagement, FilingFrequency, Membership, Taxpayer, User
from ims_portal.rules import gstin, periods, rates
from ims_portal.rules.actions import Action
from ims_portal.rules.documents import Document, Form, Item, Section
from ims_portal.rules.money import Tax
from ims_portal.rules.periods import Frequency, Return, TaxPeriod
from invoices import actions, locking, outward, standing
from invoices.actions import Choice
from invoices.actions import Item as Act
from invoices.models import Record
from returns import bigworld, gstr2b

RIGHTS = ["view", "export", "act", "supply", "compute"]
SUPPLIERS = 12
STATE = "27"
EVERY = 6
"""Every such document of a client is a credit note."""


class AlreadyMadeError(Exception):
    """The practice stands already."""


@dataclass(frozen=True, slots=True)
class Practice:
    """What was made: who signs in, the clients, their open period."""

    user: User
    clients: list[Taxpayer]
    period: TaxPeriod


def make(
    *,
    clients: int,
    documents: int,
    at: datetime,
    username: str = "practice",
    password: str | None = None,
    is_computed: bool = True,
) -> Practice:
    """Make a practitioner engaged for `clients` GSTINs with about `documents` records each in their open period.

    The open period is the latest whose GSTR-1 is due at `at`. Without `is_computed` nobody has a GSTR-2B of it. Raises
    AlreadyMadeError.
    """
    if User.objects.filter(username=username).exists():
        raise AlreadyMadeError(f"{username} is there already; a practice is made once.")
    period = _period(at)
    firms = [_firm("AAC", no, period, STATE) for no in range(clients)]
    suppliers = [_firm("AAD", no, period, state) for no, state in zip(range(SUPPLIERS), bigworld.STATES, strict=False)]
    user = _practitioner(username, password, firms, at)
    drawn = random.Random(clients)  # noqa: S311 made-up figures, the same each time  # nosec B311
    filed_at = Fixed(at - timedelta(days=2))
    for no, supplier in enumerate(suppliers):
        found = list(_documents(supplier, no, firms, documents, period, drawn))
        outward.file(supplier=supplier, form=Form.GSTR1, period=period, actor=None, clock=filed_at, found=found)
    drafted = periods.draft_day(periods.filer(STATE), period, calendar.in_force(at))
    for no, firm in enumerate(firms):
        _decide_some(firm, no, at - timedelta(days=1))
        if is_computed and no % 3 and timezone.localdate(at) >= drafted:
            gstr2b.compute(taxpayer=firm, period=period, actor=None, clock=Fixed(at))
    return Practice(user, firms, period)


def _period(at: datetime) -> TaxPeriod:
    filer, in_force, day = periods.filer(STATE), calendar.in_force(at), timezone.localdate(at)
    month = periods.month_of(day)
    while day <= in_force.due(Return.GSTR1, filer.period(month), filer.group):
        month = periods.add_months(month, -1)
    return filer.period(month)


def _firm(letters: str, no: int, period: TaxPeriod, state: str) -> Taxpayer:
    name = f"{bigworld.FIRST_WORDS[no % len(bigworld.FIRST_WORDS)]} {bigworld.SECOND_WORDS[no % 24]} {no + 1}"
    first14 = f"{state}{letters}C{name[0]}{no:04d}K1Z"
    made = Taxpayer.objects.create(
        gstin=first14 + gstin.check_char(first14),
        legal_name=f"{name} Private Limited",
        trade_name=name,
        first_month=period.month,
    )
    FilingFrequency.objects.create(taxpayer=made, frequency=Frequency.MONTHLY.value)
    locking.ensure([made])
    return made


def _practitioner(username: str, password: str | None, firms: list[Taxpayer], at: datetime) -> User:
    user = User.objects.create_user(username=username, password=password, full_name="Lakshmi Iyer and Associates")
    owner = User.objects.create_user(username=f"{username}-owner", password=password, full_name="Their signatory")
    demo_codes.give(user)
    demo_codes.give(owner)
    since = bigworld.at_ten(rates.GST_BEGAN)
    Membership.objects.bulk_create(
        Membership(user=owner, taxpayer=firm, role=Membership.Role.SIGNATORY, valid_from=since) for firm in firms
    )
    Engagement.objects.bulk_create(
        Engagement(
            user=user,
            taxpayer=firm,
            rights=RIGHTS,
            valid_from=at - timedelta(days=90),
            asked_by=user,
            accepted_by=owner,
        )
        for firm in firms
    )
    return user


def _documents(
    supplier: Taxpayer, no: int, firms: list[Taxpayer], documents: int, period: TaxPeriod, drawn: random.Random
) -> Iterator[Document]:
    """Yield what one supplier reports to all clients: of each its share of their documents."""
    rate = rates.accepted(period.first_day)[-3]  # hundredths of a per cent
    for place, firm in enumerate(firms):
        for number in range(max(1, documents // SUPPLIERS)):
            is_note = number % EVERY == EVERY - 1 or (number == 0 and place % SUPPLIERS == no)
            taxable = drawn.randrange(1_000, 200_000) * 100
            tax = taxable * rate // 10_000
            heads = Tax(cgst=tax // 2, sgst=tax // 2) if supplier.state == STATE else Tax(igst=tax)
            day = period.first_day + timedelta(days=drawn.randrange(28))
            yield Document(
                section=Section.CN if is_note else Section.B2B,
                recipient=firm.gstin,
                number=f"{'CN' if is_note else 'S'}{no}/{place:03d}/{number:03d}",
                date=day,
                taxable=taxable,
                tax=heads,
                pos=STATE,
                value=taxable + heads.total,
                items=(Item(rate, taxable, heads),),
                position=str(number),
            )


def _decide_some(firm: Taxpayer, no: int, at: datetime) -> None:
    """Let a client have decided on a share of its invoices: from none to two in three."""
    today = standing.of(firm, at)
    open_ones = Record.objects.filter(recipient=firm, section=Section.B2B.value).order_by("pk")
    chosen = [record for place, record in enumerate(open_ones) if place % 3 < no % 3]
    items = [
        Act(record.pk, record.version, Choice(Action.ACCEPT))
        for record in chosen
        if Action.ACCEPT in today.allowed(record)
    ]
    if items:
        actions.take(taxpayer=firm, items=items, actor=None, clock=Fixed(at), request_id=uuid.uuid4())
