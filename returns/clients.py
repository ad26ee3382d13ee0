"""The clients of who acts for several GSTINs: whose money is at risk today, what is due where, in few queries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from django.db.models import F
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ims_portal.access import Access, Right
from ims_portal.rules import actions, periods
from ims_portal.rules.actions import Action
from ims_portal.rules.documents import Form
from ims_portal.rules.periods import Filer, Return, TaxPeriod
from invoices import clients_sql, reported
from invoices.clients_sql import NEVER_REDUCE, Risk, Undecided
from invoices.filters import Filters, Match
from invoices.filters_sql import LAPSES_SOON
from invoices.inbox_sql import Sum
from invoices.models import Inbox, SupplierReturn
from invoices.standing import Standing
from returns import gstr2b
from returns.models import Gstr2b

RISKS: dict[Risk, Promise] = {
    Risk.REDUCES: gettext_lazy("No action"),
    Risk.LAPSES: gettext_lazy("Pending lapses"),
    Risk.LIMIT: gettext_lazy("Time limit"),
    Risk.BOOKS: gettext_lazy("Not in books"),
}
"""Why records are at risk -> its name."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of what is at risk: how many records with the ITC at stake in paise, and the filters of their list."""

    risk: Risk
    sum: Sum
    filters: Filters
    gstin: str

    @property
    def name(self) -> Promise:
        """What it is called."""
        return RISKS[self.risk]

    @property
    def url(self) -> str:
        """The list that holds the same records."""
        return self.filters.address(self.gstin)


@dataclass(frozen=True, slots=True)
class Deadline:
    """The next day of a client, overdue ones first: what falls due then, and the page where it is seen to."""

    on: date
    name: str
    page: str
    where: tuple[str, ...]

    @property
    def url(self) -> str:
        """The address of that page."""
        return reverse(self.page, args=self.where)


@dataclass(frozen=True, slots=True)
class _Days:
    """The days of a period, the same for all who file alike."""

    gstr1: date
    draft: date
    gstr3b: date
    ahead: tuple[date, ...]

    @classmethod
    def of(cls, period: TaxPeriod, today: Standing) -> _Days:
        """Return the days of a filer's period."""
        due, group = today.calendar.due, today.filer.group
        return cls(
            due(Return.GSTR1, period, group),
            periods.draft_day(today.filer, period, today.calendar),
            due(Return.GSTR3B, period, group),
            tuple(on for _month, on in periods.paid_ahead(period, group, today.calendar)),
        )


@dataclass(frozen=True, slots=True)
class Client:
    """One GSTIN as the list of clients shows it, on an Indian day.

    `untouched` are the records without action with their tax; `parts` what is at risk, empty parts left out. An input
    service distributor has no GSTR-2B and no returns of this portal: it has no deadlines, and `has_returns` is false.
    """

    held: Access
    period: TaxPeriod
    day: date
    untouched: Sum
    parts: Sequence[Part]
    statement: Gstr2b | None
    is_stale: bool
    gstr1_filed_on: date | None
    gstr1_due: date
    gstr3b_due: date
    deadlines: Sequence[Deadline]

    @property
    def deadline(self) -> Deadline | None:
        """The first of the deadlines."""
        return self.deadlines[0] if self.deadlines else None

    @property
    def untouched_url(self) -> str:
        """The list of the records without action."""
        return Filters(action=Action.NONE.value).address(self.held.taxpayer.gstin)

    @property
    def at_risk(self) -> int:
        """The ITC at stake in all that is at risk, in paise."""
        return sum(part.sum.tax for part in self.parts)

    @property
    def lapsing(self) -> Part | None:
        """The Pending that lapses within seven days."""
        return next((part for part in self.parts if part.risk is Risk.LAPSES), None)

    @property
    def may_be_ticked(self) -> bool:
        """Whether something may be asked for this client together with others."""
        return self.held.may(Right.COMPUTE) or self.held.may(Right.EXPORT)

    @property
    def has_returns(self) -> bool:
        """Whether this GSTIN files GSTR-1 and GSTR-3B."""
        return not self.held.taxpayer.is_isd

    @property
    def gstr1_is_late(self) -> bool:
        """Whether GSTR-1 of the open period is past its day and not filed."""
        return self.gstr1_filed_on is None and self.day > self.gstr1_due

    @property
    def gstr3b_is_late(self) -> bool:
        """Whether GSTR-3B of the open period, which is not filed, is past its day."""
        return self.day > self.gstr3b_due


def of(found: Sequence[Access], *, at: datetime) -> list[Client]:
    """Return the clients somebody has access to, the most at risk first, then by their next deadline.

    Seven queries at most, however many clients: calendar, inboxes, kept counts, books, statements, lapses, GSTR-1.
    """
    today = reported.standings([held.taxpayer for held in found], at=at)
    inboxes = _inboxes(found)
    undecided = clients_sql.undecided(today)
    unbooked = clients_sql.unbooked({pk: one for pk, one in today.items() if inboxes[pk].has_books})
    statements = _statements(today)
    stale = gstr2b.out_of_date(statements, inboxes=inboxes, today=today)
    filed = _filed(today)
    days: dict[tuple[Filer, int], _Days] = {}
    clients = []
    for held in found:
        pk = held.taxpayer.pk
        period = today[pk].filer.period(inboxes[pk].open_month)
        key = (today[pk].filer, period.month)
        if key not in days:
            days[key] = _Days.of(period, today[pk])
        read = _Read(
            held,
            period,
            today[pk],
            days[key],
            undecided[pk],
            unbooked.get(pk, Sum()),
            statements.get(pk),
            filed.get(pk),
            pk in stale,
        )
        clients.append(_client(read))
    return sorted(clients, key=_order)


class _Read(NamedTuple):
    """One client's share of what was read for all."""

    held: Access
    period: TaxPeriod
    today: Standing
    days: _Days
    undecided: Sequence[Undecided]
    unbooked: Sum
    statement: Gstr2b | None
    filed_on: date | None
    is_stale: bool


def _order(client: Client) -> tuple[int, date]:
    return -client.at_risk, client.deadline.on if client.deadline else date.max


def _inboxes(found: Iterable[Access]) -> dict[int, Inbox]:
    """Return taxpayer id -> its inbox, an unsaved one where none is kept: one query."""
    taxpayers = [held.taxpayer for held in found]
    kept = Inbox.objects.in_bulk([taxpayer.pk for taxpayer in taxpayers])
    return {
        taxpayer.pk: kept.get(taxpayer.pk) or Inbox(taxpayer=taxpayer, open_month=taxpayer.first_month)
        for taxpayer in taxpayers
    }


def _statements(ids: Iterable[int]) -> dict[int, Gstr2b]:
    """Return taxpayer id -> the newest statement of its open period, where there is one: one query."""
    made = Gstr2b.objects.filter(recipient_id__in=list(ids), month=F("recipient__inbox__open_month")).defer("sums")
    newest = made.order_by("recipient_id", "-version").distinct("recipient_id")
    return {statement.recipient_id: statement for statement in newest}


def _filed(ids: Iterable[int]) -> dict[int, date]:
    """Return taxpayer id -> the day its GSTR-1 of the open period was filed, where it was: one query."""
    forms = SupplierReturn.objects.filter(
        supplier_id__in=list(ids), form=Form.GSTR1.value, month=F("supplier__inbox__open_month")
    )
    return {pk: day for pk, day in forms.values_list("supplier_id", "filed_on") if day is not None}


def _client(read: _Read) -> Client:
    untouched = [line for line in read.undecided if line.action == Action.NONE]
    return Client(
        held=read.held,
        period=read.period,
        day=read.today.day,
        untouched=sum((Sum(line.count, line.tax) for line in untouched), Sum()),
        parts=_parts(read),
        statement=read.statement,
        is_stale=read.is_stale,
        gstr1_filed_on=read.filed_on,
        gstr1_due=read.days.gstr1,
        gstr3b_due=read.days.gstr3b,
        deadlines=[] if read.held.taxpayer.is_isd else _deadlines(read),
    )


def _deadlines(read: _Read) -> list[Deadline]:
    """Return the days of the open period's returns, of its statement, and of Pending that lapses, the first first.

    GSTR-3B of the open period is always due; of two on one day the one told first below is named.
    """
    today, days, gstin = read.today, read.days, read.held.taxpayer.gstin
    names, inbox = (gstin, read.period.wire), ("invoices:deadlines", (gstin,))
    months = {line.month for line in read.undecided if line.action == Action.PENDING and line.can_lapse}
    lapses = [periods.pending_until(today.filer, today.filer.period(month), today.calendar) for month in months]
    found = [Deadline(on, _("Pending lapses"), *inbox) for on in lapses]
    if read.filed_on is None:
        found.append(Deadline(days.gstr1, _("GSTR-1"), "invoices:return", (*names, "gstr1")))
    if read.statement is None and today.day < days.draft:
        found.append(Deadline(days.draft, _("GSTR-2B"), "returns:gstr2b", names))
    found += [Deadline(on, _("PMT-06"), *inbox) for on in days.ahead if on >= today.day]
    found.append(Deadline(days.gstr3b, _("GSTR-3B"), "returns:gstr3b", names))
    return sorted(found, key=lambda one: one.on)


def _parts(read: _Read) -> list[Part]:
    """Return what is at risk by why, without empty parts."""
    sums: dict[Risk, Sum] = {}
    for line in read.undecided:
        sums[line.risk] = sums.get(line.risk, Sum()) + Sum(line.count, line.stake)
    sums[Risk.BOOKS] = read.unbooked
    return [
        Part(risk, sums[risk], _listed(risk, read.period), read.held.taxpayer.gstin)
        for risk in RISKS
        if risk in sums and sums[risk].count
    ]


def _listed(risk: Risk, open_now: TaxPeriod) -> Filters:
    """Return the filters of the list that holds what is at risk for a reason; `open_now` is the open period."""
    if risk is Risk.REDUCES:
        is_asked = actions.SPECIFIED.decide(open_now.month, reduces=True).outcome
        return Filters(action=Action.NONE.value, needs_you=True, reduces=is_asked)
    if risk is Risk.LAPSES:
        return Filters(action=Action.PENDING.value, needs_you=True, lapses_in=LAPSES_SOON.days)
    if risk is Risk.BOOKS:
        return Filters(sections=NEVER_REDUCE, action=Action.NONE.value, match=Match.ONLY_IN_IMS.value)
    return Filters(near_limit=True)
