"""The clients of who acts for several GSTINs: whose money is at risk today, what is due where, in few queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import F
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ims_portal.access import Access, Right
from ims_portal.rules import actions, periods
from ims_portal.rules.actions import Action
from ims_portal.rules.documents import Form
from ims_portal.rules.periods import Return, TaxPeriod
from invoices import clients_sql, reported
from invoices.clients_sql import Risk, Undecided
from invoices.filters import Filters
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
}
"""Why records are at risk -> its name."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of what is at risk: its name, how many records with the ITC at stake in paise, the list of them."""

    risk: Risk
    name: Promise
    sum: Sum
    url: str


@dataclass(frozen=True, slots=True)
class Deadline:
    """The next day of a client, overdue ones first: what falls due then, and where it is seen to."""

    on: date
    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Client:
    """One GSTIN as the list of clients shows it, on an Indian day.

    `untouched` are the records without action with their tax; `parts` what is at risk, empty parts left out. An input
    service distributor has no GSTR-2B and no returns of this portal: it has no `deadline`, and `has_returns` is false.
    """

    held: Access
    period: TaxPeriod
    day: date
    untouched: Sum
    untouched_url: str
    parts: Sequence[Part]
    statement: Gstr2b | None
    is_stale: bool
    gstr1_filed_on: date | None
    gstr1_due: date
    gstr3b_due: date
    deadline: Deadline | None

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

    Six queries at most, however many clients: calendar, inboxes, kept counts, statements, lapses, GSTR-1.
    """
    today = reported.standings([held.taxpayer for held in found], at=at)
    inboxes = _inboxes(found)
    undecided = clients_sql.undecided(today)
    statements = _statements(today)
    stale = gstr2b.out_of_date(statements, inboxes=inboxes, today=today)
    filed = _filed(today)
    clients = [
        _client(
            held,
            today[held.taxpayer.pk],
            inboxes[held.taxpayer.pk],
            undecided[held.taxpayer.pk],
            statements.get(held.taxpayer.pk),
            filed.get(held.taxpayer.pk),
            is_stale=held.taxpayer.pk in stale,
        )
        for held in found
    ]
    return sorted(clients, key=_order)


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


def _client(
    held: Access,
    today: Standing,
    inbox: Inbox,
    undecided: Sequence[Undecided],
    statement: Gstr2b | None,
    filed_on: date | None,
    *,
    is_stale: bool,
) -> Client:
    period, group = today.filer.period(inbox.open_month), today.filer.group
    untouched = [line for line in undecided if line.action == Action.NONE]
    return Client(
        held=held,
        period=period,
        day=today.day,
        untouched=sum((Sum(line.count, line.tax) for line in untouched), Sum()),
        untouched_url=Filters(action=Action.NONE.value).address(held.taxpayer.gstin),
        parts=_parts(held, period, undecided),
        statement=statement,
        is_stale=is_stale,
        gstr1_filed_on=filed_on,
        gstr1_due=today.calendar.due(Return.GSTR1, period, group),
        gstr3b_due=today.calendar.due(Return.GSTR3B, period, group),
        deadline=None if held.taxpayer.is_isd else _deadline(held, period, today, undecided, statement, filed_on),
    )


def _deadline(
    held: Access,
    period: TaxPeriod,
    today: Standing,
    undecided: Sequence[Undecided],
    statement: Gstr2b | None,
    filed_on: date | None,
) -> Deadline:
    """Return the first day among those of the open period's returns, its statement, and Pending that lapses.

    GSTR-3B of the open period is always due; of two on one day the one told first below is named.
    """
    due, group, names = today.calendar.due, today.filer.group, [held.taxpayer.gstin, period.wire]
    inbox = reverse("invoices:deadlines", args=[held.taxpayer.gstin])
    ahead = [Deadline(on, _("PMT-06"), inbox) for _month, on in periods.paid_ahead(period, group, today.calendar)]
    months = {line.month for line in undecided if line.action == Action.PENDING and line.can_lapse}
    lapses = [periods.pending_until(today.filer, today.filer.period(month), today.calendar) for month in months]
    drafted_on = periods.draft_day(today.filer, period, today.calendar)
    found = [Deadline(on, _("Pending lapses"), inbox) for on in lapses]
    if filed_on is None:
        on = due(Return.GSTR1, period, group)
        found.append(Deadline(on, _("GSTR-1"), reverse("invoices:return", args=[*names, "gstr1"])))
    if statement is None and today.day < drafted_on:
        found.append(Deadline(drafted_on, _("GSTR-2B"), reverse("returns:gstr2b", args=names)))
    found += [one for one in ahead if one.on >= today.day]
    found.append(Deadline(due(Return.GSTR3B, period, group), _("GSTR-3B"), reverse("returns:gstr3b", args=names)))
    return min(found, key=lambda one: one.on)


def _parts(held: Access, period: TaxPeriod, undecided: Sequence[Undecided]) -> list[Part]:
    """Return what is at risk by why; each part leads to the list that holds the same records."""
    reduces = actions.SPECIFIED.decide(period.month, reduces=True).outcome
    lists = {
        Risk.REDUCES: Filters(action=Action.NONE.value, needs_you=True, reduces=reduces),
        Risk.LAPSES: Filters(action=Action.PENDING.value, needs_you=True, lapses_in=LAPSES_SOON.days),
        Risk.LIMIT: Filters(near_limit=True),
    }
    sums: Mapping[Risk, Sum] = {
        risk: sum((Sum(line.count, line.stake) for line in undecided if line.risk is risk), Sum()) for risk in RISKS
    }
    return [
        Part(risk, name, sums[risk], lists[risk].address(held.taxpayer.gstin))
        for risk, name in RISKS.items()
        if sums[risk].count
    ]
