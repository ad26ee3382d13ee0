"""A world of realistic size: one recipient with hundreds of thousands of records in its open period, for measuring.

Suppliers, documents and amendments are made up as sets; what the recipient decides, files and computes goes through
the domain, so that nothing stands here which the portal would not have let happen. The same size gives the same world.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db import transaction
from django.utils import timezone

from ims_portal import calendar, demo_codes
from ims_portal.clock import Fixed, real
from ims_portal.models import FilingFrequency, Membership, Taxpayer, User
from ims_portal.rules import documents, gstin, periods, rates
from ims_portal.rules.actions import Action, Answer, ReasonCode
from ims_portal.rules.documents import Form
from ims_portal.rules.money import Tax
from ims_portal.rules.periods import Filer, Frequency, Return, TaxPeriod
from invoices import actions, kept, locking, outward, records_sql
from invoices.actions import Choice, Item
from returns import bigworld_sql, gstr2b, gstr3b
from returns.bigworld_sql import Month, Wish

STATE = "27"
RECIPIENT = "27AAHCB4417N1Z"
DISTRIBUTOR = "27AAHCB4417N2Z"
SEZ_UNIT = "27AAKCE2290L1Z"
"""GSTINs without their check character."""

NAME = "Bharat Components and Castings Limited"
FIRST_WORDS = (
    "Shree Balaji", "Om Sai", "Jai Ambe", "Sri Venkateswara", "Maruti", "Ganesh", "Laxmi", "Durga", "Krishna",
    "Annapurna", "Himalaya", "Deccan", "Konkan", "Malwa", "Vindhya", "Sahyadri", "Godavari", "Narmada", "Sabarmati",
    "Coromandel", "Patel", "Mehta", "Iyer", "Reddy", "Chatterjee", "Bansal", "Agarwal", "Khanna", "Fernandes", "Nair",
)  # fmt: skip
SECOND_WORDS = (
    "Traders", "Steels", "Polymers", "Engineering Works", "Logistics", "Packaging", "Chemicals", "Electricals",
    "Hardware Stores", "Castings", "Forgings", "Tools", "Paints", "Fasteners", "Bearings", "Textiles", "Printers",
    "Transport", "Cables", "Rubber Industries", "Instruments", "Lubricants", "Timber Mart", "Enterprises",
)  # fmt: skip
STATES = ("27", "27", "27", "24", "29", "33", "07", "06", "09", "19", "36", "23", "08", "32", "22", "30")
"""Where suppliers are, by turns: some three in sixteen in the recipient's own State, the others across India."""

OPERATORS = 4
SMALLEST = 20
DOCUMENTS_PER_SUPPLIER = 40
BATCH = 5_000
AFTER_THE_STATEMENT = 20
"""Choices made after GSTR-2B was computed, so that it is out of date, as it mostly is."""

UNFILED = 33
"""Every such supplier has only saved its return."""

BY_THE_QUARTER = 7
"""The last digit of a supplier's number where it files by the quarter."""

WITH_REMARK, IN_FULL, NOT_AT_ALL = 0.3, 0.7, 0.85
"""Shares of rejections with a remark, of reductions answered Full, and up to None; the rest are answered in part."""


class AlreadyMadeError(Exception):
    """The big world stands already."""


@dataclass(frozen=True, slots=True)
class World:
    """What was made: the recipient with its open period, the largest supplier, who signs for both, counts."""

    recipient: Taxpayer
    supplier: Taxpayer
    owner: User
    period: TaxPeriod
    records: int


def make(
    *, rows: int, at: datetime, username: str = "bigworld", password: str | None = None, is_computed: bool = True
) -> World:
    """Make the world with `rows` documents in the recipient's open period, as it stands at a moment.

    The open period is the latest whose GSTR-2B can be computed at `at`; a tenth as many documents lie in the period
    before it, whose GSTR-3B is filed. `username` signs for the recipient and its largest supplier. Without
    `is_computed` the open period has no GSTR-2B yet. Raises AlreadyMadeError.
    """
    gstin_ = RECIPIENT + gstin.check_char(RECIPIENT)
    if Taxpayer.objects.filter(gstin=gstin_).exists():
        raise AlreadyMadeError(f"{gstin_} is there already; a big world is made once.")
    filer = periods.filer(STATE)
    open_, before = _two_periods(filer, at)
    recipient = _taxpayer(gstin_, NAME, before)
    distributor = _taxpayer(DISTRIBUTOR + gstin.check_char(DISTRIBUTOR), f"{NAME}, ISD", before, kind=Taxpayer.Kind.ISD)
    count = max(SMALLEST, rows // DOCUMENTS_PER_SUPPLIER)
    suppliers = _suppliers(count, before)
    few = max(SMALLEST, rows // 10)
    earlier = _month(before, filer, recipient, distributor, at)
    _report(earlier, recipient, suppliers, numbers=range(1, few + 1), everybody_filed=True, amends=None)
    _close(recipient, before, earlier, filer, at)
    current = _month(open_, filer, recipient, distributor, at)
    made = _report(
        current, recipient, suppliers, numbers=range(few + 1, few + rows + 1), everybody_filed=False, amends=before
    )
    bigworld_sql.learn()
    owner = _owner(username, password, (recipient, suppliers[0]))
    _decide(recipient, made, at=at - timedelta(hours=2), accepts=0.25, rejects=0.05, pends=0.12)
    found = World(recipient, suppliers[0], owner, open_, len(made))
    if is_computed:
        gstr2b.compute(taxpayer=recipient, period=open_, actor=owner, clock=Fixed(at - timedelta(hours=1)))
        change_minds(found, at)
    kept.fold_one(recipient.pk)
    bigworld_sql.learn()
    return found


def _two_periods(filer: Filer, at: datetime) -> tuple[TaxPeriod, TaxPeriod]:
    """Return the latest period whose statement may be made, and the one before it."""
    in_force, day = calendar.in_force(at), timezone.localdate(at)
    month = periods.month_of(day)
    while day < periods.draft_day(filer, filer.period(month), in_force):
        month = periods.add_months(month, -1)
    found = filer.period(month)
    return found, filer.previous(found)


def _taxpayer(number: str, name: str, first: TaxPeriod, **options: object) -> Taxpayer:
    found = Taxpayer.objects.create(gstin=number, legal_name=name, first_month=first.month, **options)
    FilingFrequency.objects.create(taxpayer=found, frequency=Frequency.MONTHLY.value)
    locking.ensure([found])
    return found


def _suppliers(count: int, first: TaxPeriod) -> list[Taxpayer]:
    """Make suppliers, the largest first and the operators last; every tenth files by the quarter."""
    drawn = random.Random(count)  # noqa: S311 made-up firms, the same each time  # nosec B311
    made = [_supplier(no, drawn, first, is_operator=no >= count) for no in range(count + OPERATORS)]
    Taxpayer.objects.bulk_create(made, batch_size=BATCH)
    FilingFrequency.objects.bulk_create(
        (FilingFrequency(taxpayer=firm, frequency=_frequency(no).value) for no, firm in enumerate(made)),
        batch_size=BATCH,
    )
    locking.ensure(made)
    return made


def _supplier(no: int, drawn: random.Random, first: TaxPeriod, *, is_operator: bool) -> Taxpayer:
    words = FIRST_WORDS[no % len(FIRST_WORDS)], SECOND_WORDS[no // len(FIRST_WORDS) % len(SECOND_WORDS)]
    name = " ".join(words) if no < len(FIRST_WORDS) * len(SECOND_WORDS) else f"{' '.join(words)} ({no})"
    letters = "".join(drawn.choice("ABCDEFGHJKLMNPRSTUVWY") for _ in range(3))
    pan = f"{letters}{drawn.choice('CFPH')}{name[0]}{no % 10_000:04d}{'ABCDEFGHIJKLMNOPQRSTUVWXYZ'[no // 10_000 % 26]}"
    first14 = f"{STATES[no % len(STATES)]}{pan}1Z"
    return Taxpayer(
        gstin=first14 + gstin.check_char(first14),
        legal_name=f"{name} Private Limited" if pan[3] == "C" else name,
        trade_name=name,
        first_month=first.month,
        kind=Taxpayer.Kind.ECO if is_operator else Taxpayer.Kind.REGULAR,
    )


def _frequency(no: int) -> Frequency:
    return Frequency.QUARTERLY if no % 10 == BY_THE_QUARTER else Frequency.MONTHLY


def _month(period: TaxPeriod, filer: Filer, recipient: Taxpayer, distributor: Taxpayer, at: datetime) -> Month:
    due = calendar.in_force(at).due(Return.GSTR1, period, filer.group)
    low, *_between, usual, _above, high = rates.accepted(period.first_day)[-7:]
    year = documents.financial_year(period.first_day)
    return Month(
        recipient_id=recipient.pk,
        state=STATE,
        number=period.month,
        first_day=period.first_day,
        days=(period.last_day - period.first_day).days + 1,
        filed_on=due - timedelta(days=1),
        rates=(usual, low, high),
        year=f"{year % 100}{(year + 1) % 100}",
        distributor_id=distributor.pk,
    )


def _report(
    month: Month,
    recipient: Taxpayer,
    suppliers: list[Taxpayer],
    *,
    numbers: range,
    everybody_filed: bool,
    amends: TaxPeriod | None,
) -> list[int]:
    """Put in what suppliers, customs and the distributor report in a month; return the ids of its records."""
    with transaction.atomic():
        locking.lock([recipient.pk])
        bigworld_sql.know_suppliers(_told(suppliers, month, everybody_filed=everybody_filed))
        bigworld_sql.open_returns(month)
        bigworld_sql.draft(month, numbers=numbers, supplier_count=len(suppliers) - OPERATORS, operator_count=OPERATORS)
        made = bigworld_sql.put_in(month)
        if amends is not None:
            made += bigworld_sql.amend(month, before=amends.month)
        bigworld_sql.keep_feeds(made, importer=recipient.gstin, sez=SEZ_UNIT + gstin.check_char(SEZ_UNIT))
        bigworld_sql.learn()
        records_sql.supersede(recipient_ids=[recipient.pk])
        records_sql.refresh(made)
        records_sql.charge(made)
        records_sql.bump(record_ids=made)
    return made


def _told(suppliers: list[Taxpayer], month: Month, *, everybody_filed: bool) -> Iterator[tuple[object, ...]]:
    for no, firm in enumerate(suppliers):
        initials = "".join(word[0] for word in firm.trade_name.split()[:2])
        is_quarterly = _frequency(no) is Frequency.QUARTERLY
        own = periods.quarter_end(month.number) if is_quarterly else month.number
        form = Form.IFF if is_quarterly and own != month.number else Form.GSTR1
        has_filed = everybody_filed or no % UNFILED != UNFILED - 1
        is_operator = firm.kind == Taxpayer.Kind.ECO
        yield no, firm.pk, firm.state, initials, form.value, own, is_quarterly, is_operator, has_filed


def _close(recipient: Taxpayer, period: TaxPeriod, month: Month, filer: Filer, at: datetime) -> None:
    """Decide on a period's records, compute its statement and file its GSTR-3B, on the days of its own calendar."""
    drafted = at_ten(periods.draft_day(filer, period, calendar.in_force(at)))
    clock = Fixed(drafted + timedelta(days=1))
    ids = bigworld_sql.records_of(recipient.pk, period.month)
    _decide(recipient, ids, at=drafted, accepts=0.7, rejects=0.05, pends=0.15)
    outward.file(supplier=recipient, form=Form.GSTR1, period=period, actor=None, clock=Fixed(at_ten(month.filed_on)))
    gstr2b.compute(taxpayer=recipient, period=period, actor=None, clock=clock)
    gstr3b.file(taxpayer=recipient, period=period, actor=None, clock=clock)


def at_ten(day: date) -> datetime:
    """Return ten o'clock of an Indian day."""
    return timezone.make_aware(datetime.combine(day, time(10)), timezone.get_default_timezone())


def _owner(username: str, password: str | None, firms: Collection[Taxpayer]) -> User:
    """Return who signs for the recipient and its largest supplier, made where it is new."""
    owner = User.objects.filter(username=username).first() or User.objects.create_user(
        username=username, password=password, full_name="Arundhati Rao"
    )
    demo_codes.give(owner)
    since = at_ten(rates.GST_BEGAN)
    for firm in firms:
        Membership.objects.get_or_create(
            user=owner, taxpayer=firm, defaults={"role": Membership.Role.SIGNATORY, "valid_from": since}
        )
    return owner


def _decide(
    recipient: Taxpayer, record_ids: Collection[int], *, at: datetime, accepts: float, rejects: float, pends: float
) -> None:
    """Choose on a share of records, as the system; what the law refuses stays without action."""
    wishes = bigworld_sql.wishes(record_ids, accepts=accepts, rejects=rejects, pends=pends)
    items = [Item(wish.record_id, wish.version, _choice(wish)) for wish in wishes]
    for start in range(0, len(items), BATCH):
        some = items[start : start + BATCH]
        actions.take(taxpayer=recipient, items=some, actor=None, clock=Fixed(at), request_id=uuid.uuid4())


def _choice(wish: Wish) -> Choice:
    if wish.action == Action.REJECT:
        codes = [code for code in ReasonCode if code is not ReasonCode.OTHER]
        remark = "Goods not received at our plant" if wish.draw < WITH_REMARK else ""
        return Choice(Action.REJECT, remark=remark, reason_code=codes[int(wish.draw * len(codes))].value)
    if wish.action == Action.ACCEPT and wish.reduces:
        if wish.draw < IN_FULL:
            return Choice(Action.ACCEPT, Answer.FULL)
        if wish.draw < NOT_AT_ALL:
            return Choice(Action.ACCEPT, Answer.NONE, remark="Credit of this supply was never taken")
        half = Tax(*(max(0, -effect) // 2 for effect in wish.effects))
        return Choice(Action.ACCEPT, Answer.PART, half, remark="Half of it was reversed earlier")
    return Choice(Action(wish.action))


def change_minds(world: World, at: datetime, *, count: int = AFTER_THE_STATEMENT) -> None:
    """Accept some records on which nothing was chosen, so that a statement just made is out of date."""
    untouched = bigworld_sql.untouched(world.recipient.pk, world.period.month, limit=count)
    items = [Item(pk, version, Choice(Action.ACCEPT)) for pk, version in untouched]
    actions.take(taxpayer=world.recipient, items=items, actor=world.owner, clock=Fixed(at), request_id=uuid.uuid4())


def two_days_after_a_draft() -> datetime:
    """Return a moment two days after the next day on which a statement can be made: from then on one is looked at."""
    now = real()
    filer, in_force = periods.filer(STATE), calendar.in_force(now)
    drafted = periods.draft_day(filer, filer.period(periods.month_of(timezone.localdate(now))), in_force)
    return at_ten(drafted + timedelta(days=2))
