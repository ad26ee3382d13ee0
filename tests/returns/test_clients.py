"""The list of clients: the figures of each GSTIN's own pages, read for all at once; who is on it; in which order."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from ims_portal import access, agenda
from ims_portal.models import Engagement, Taxpayer, User
from ims_portal.rules.documents import Section
from ims_portal.rules.gstin import check_char
from ims_portal.rules.periods import Frequency
from invoices import deadlines_sql, filters, inbox, inbox_sql, standing
from invoices.clients_sql import Risk
from invoices.inbox_sql import Sum
from invoices.models import Record
from returns import clients, demo, overview
from returns.clients import Client
from tests import factories
from tests.returns import story

pytestmark = pytest.mark.django_db
NAMED = {"gstr1", "gstr2b", "gstr3b", "pmt06", "lapses"}
"""Deadlines of the inbox, by the beginning of their keys, of which a list of clients names the first."""


def engaged(user: User, taxpayer: Taxpayer, *rights: str) -> Engagement:
    return Engagement.objects.create(
        user=user,
        taxpayer=taxpayer,
        rights=list(rights),
        valid_from=factories.LONG_AGO,
        asked_by=user,
        accepted_by=factories.user("owner"),
    )


def of(user: User, on: str) -> dict[str, Client]:
    at = factories.at(on)
    return {c.held.taxpayer.gstin: c for c in clients.of(access.all_of(user=user, at=at), at=at)}


def gstin(first14: str) -> str:
    return first14 + check_char(first14)


def note(number: str = "CN1", tax: int = 9000, **options: object) -> object:
    return factories.document(section=Section.CN, number=number, tax=tax, **options)


@pytest.mark.parametrize("on", ["2026-11-13", "2026-11-15", "2026-11-21", "2026-12-16"])
def test_the_figures_are_those_of_each_gstin_s_own_pages(on: str) -> None:
    recipient, firm = story.told_so_far(), factories.user("firm")
    for number in (demo.RECIPIENT, demo.KAVERI, demo.NOYYAL, demo.WARDHA, demo.GUJARAT):
        engaged(firm, Taxpayer.objects.get(gstin=number), "export")
    factories.computed(recipient, period="102026", on="2026-11-14")
    if on > "2026-11-14":
        undone = Record.objects.filter(recipient=recipient, settled_month=None, action="A", status="F")
        factories.act(undone.filter(bypass="", superseded_by=None, original_is_open=False)[0], "N", on=on)
    found = of(firm, on)
    assert len(found) == 5
    assert found[demo.RECIPIENT].untouched.count
    for client in found.values():
        agrees(client, on)


def agrees(client: Client, on: str) -> None:
    """Compare a client with what its own pages are made of, and with the lists its figures lead to."""
    taxpayer, at = client.held.taxpayer, factories.at(on)
    today = standing.of(taxpayer, at)
    untouched = sum((line.by_action.get("N", Sum()) for line in inbox.summary(taxpayer=taxpayer, today=today)), Sum())
    assert client.untouched == untouched
    waiting = deadlines_sql.waiting(taxpayer.pk, today, client.period.month)
    reduces = sum((Sum(line.count, line.stake) for line in waiting if line.why == "N"), Sum())
    limit = sum((Sum(line.count, line.stake) for line in waiting if line.why == "L"), Sum())
    risks = {part.risk: part.sum for part in client.parts}
    assert (risks.get(Risk.REDUCES, Sum()), risks.get(Risk.LIMIT, Sum())) == (reduces, limit)
    for part in client.parts:
        assert counted(part.url, taxpayer, today) == part.sum.count
    if client.untouched.count:
        assert counted(client.untouched_url, taxpayer, today) == client.untouched.count
    line = next(line for line in overview.of(taxpayer=taxpayer, today=today).lines if line.is_open)
    assert (client.period, client.statement, client.is_stale) == (line.period, line.statement, line.is_stale)
    assert (client.gstr1_filed_on, client.gstr1_due, client.gstr3b_due) == (
        line.gstr1_filed_on,
        line.gstr1_due,
        line.gstr3b_due,
    )
    assert (client.gstr1_is_late, client.gstr3b_is_late) == (line.gstr1_is_late, line.gstr3b_is_late)
    own = [item for item in agenda.of(client.held, at).all if item.key.partition(":")[0] in NAMED]
    assert client.deadline is not None
    assert client.deadline.on == own[0].on


def counted(url: str, taxpayer: Taxpayer, today: standing.Standing) -> int:
    """Return how many records the list of an address holds."""
    parts = urlsplit(url)
    wanted = filters.parse("all", QueryDict(parts.query))
    assert wanted is not None
    assert wanted.is_valid
    letters = wanted.filters.action or "NP"
    sums = inbox_sql.sums(taxpayer.pk, today, wanted.filters)
    place = 1 if wanted.filters.needs_you else 0
    return sum(both[place].count for (_section, letter), both in sums.items() if letter in letters)


def test_pending_that_lapses_within_a_week_is_at_risk_and_then_out_of_date() -> None:
    firm, taxpayer = factories.user("firm"), factories.taxpayer()
    engaged(firm, taxpayer, "export")
    (record,) = factories.filed(note())
    factories.act(record, "P", on="2025-11-12")
    factories.filed_period()
    factories.computed(period="112025", on="2025-12-14")
    far = of(firm, "2025-12-12")[taxpayer.gstin]
    assert (far.at_risk, far.lapsing, far.is_stale) == (0, None, False)
    near = of(firm, "2025-12-15")[taxpayer.gstin]
    assert near.lapsing is not None
    assert (near.at_risk, near.lapsing.sum) == (900_000, Sum(1, 900_000))
    assert not near.is_stale
    gone = of(firm, "2025-12-21")[taxpayer.gstin]
    assert (gone.at_risk, gone.lapsing, gone.is_stale) == (900_000, None, True)
    assert [part.risk for part in gone.parts] == [Risk.REDUCES]
    for on in ("2025-12-12", "2025-12-15", "2025-12-21"):
        agrees(of(firm, on)[taxpayer.gstin], on)


def test_the_most_at_risk_come_first_and_then_the_earliest_deadline() -> None:
    firm = factories.user("firm")
    monthly, other = factories.taxpayer(), factories.taxpayer(gstin("24AAACU1234C1Z"))
    quarterly = factories.taxpayer("27AAACQ1234C1Z0", frequency=Frequency.QUARTERLY)
    for each in (quarterly, monthly, other):
        engaged(firm, each, "export")
    factories.filed(note(recipient=other.gstin))
    assert list(of(firm, "2025-11-12")) == [other.gstin, monthly.gstin, quarterly.gstin]
    assert of(firm, "2025-11-12")[other.gstin].at_risk == 900_000


def test_an_ended_engagement_and_one_nobody_accepted_are_not_there() -> None:
    firm = factories.user("firm")
    kept, ended, asked = (factories.taxpayer(g) for g in (factories.RECIPIENT, factories.SUPPLIER, "27AAACQ1234C1Z0"))
    engaged(firm, kept, "export")
    over = engaged(firm, ended, "export")
    waiting = engaged(firm, asked, "export")
    Engagement.objects.filter(pk=waiting.pk).update(accepted_by=None)
    assert set(of(firm, "2025-11-12")) == {kept.gstin, ended.gstin}
    Engagement.objects.filter(pk=over.pk).update(valid_to=factories.at("2025-11-12") - timedelta(minutes=1))
    assert set(of(firm, "2025-11-12")) == {kept.gstin}


def test_a_distributor_has_a_line_without_returns() -> None:
    firm, distributor = factories.user("firm"), factories.taxpayer()
    Taxpayer.objects.update(kind=Taxpayer.Kind.ISD)
    engaged(firm, distributor, "export")
    client = of(firm, "2025-11-12")[distributor.gstin]
    assert (client.has_returns, client.deadline, client.at_risk) == (False, None, 0)


def test_twelve_clients_take_no_more_queries_than_three() -> None:
    firm = factories.user("firm")
    few = asked(firm, range(3))
    many = asked(firm, range(3, 12))
    assert few == many
    assert few <= 8


def asked(firm: User, numbers: range) -> int:
    """Return how many queries the list takes with so many clients more, every other one filing by the quarter."""
    for number in numbers:
        frequency = Frequency.QUARTERLY if number % 2 else Frequency.MONTHLY
        taxpayer = factories.taxpayer(gstin(f"27AAACV{number:04d}C1Z"), frequency=frequency)
        engaged(firm, taxpayer, "export")
        (record,) = factories.filed(
            note(recipient=taxpayer.gstin, number=f"CN{number}"), supplier=gstin(f"24AAACW{number:04d}C1Z")
        )
        factories.act(record, "P")
        if not number % 2:
            factories.filed_period(taxpayer)
            factories.computed(taxpayer, period="112025", on="2025-12-14")
    with CaptureQueriesContext(connection) as found:
        listed = of(firm, "2025-12-22")
    assert len(listed) == numbers.stop
    assert sum(client.is_stale for client in listed.values()) == -(-numbers.stop // 2)
    return len(found)
