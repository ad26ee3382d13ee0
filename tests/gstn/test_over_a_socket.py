"""Software written from the formats alone, at work against a running portal and its worker, by both of GSTN's ways."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from ims_portal import clock
from ims_portal.access import Right
from ims_portal.models import OneTimeCode, PortalClock, Taxpayer, User
from returns import bigworld
from returns.bigworld import World
from tests import factories
from tests.api.client import USUAL, one_time_code, token
from tests.gstn import scenarios
from tests.gstn.scenarios import FULL, Reply, none, partial
from tests.gstn.software import Client, Encrypted, Plain
from tests.journeys.desk import set_clock
from tests.returns import story

pytestmark = pytest.mark.django_db(transaction=True)
DATA = Path(__file__).resolve().parent.parent / "data"
STORY, OTHER, SELLER = "29AAKCT0000P1Z6", "33AASFN0000R1Z5", factories.RECIPIENT
OCTOBER = "102026"
PAN = "ABCPD1234E"
PLAIN, SEALED = "plain", "sealed"
MANY = 20_000


def enter(way: str, base: str, user: User, gstin: str) -> Client:
    """Return software of a person that is in: with a token, or by the code its person reads."""
    if way == PLAIN:
        return Plain(base, gstin, token(user, gstin, rights=(*USUAL, Right.FILE)))
    found = Encrypted(base, gstin, user.username)
    assert found.ask_otp().ok
    assert found.sign_in(OneTimeCode.objects.get(user=user, taxpayer__gstin=gstin, used_at=None).code).ok
    return found


def sid(client: Client, user: User) -> str:
    """Return who files and the code that says so: of the app, or asked for."""
    if isinstance(client, Encrypted):
        assert client.ask_filing_otp(PAN, "R1").ok
        return f"{PAN}|{OneTimeCode.objects.get(user=user, purpose='file', used_at=None).code}"
    return f"{PAN}|{one_time_code(user)}"


@pytest.fixture
def asha() -> User:
    """A signatory, with an authenticator app, of the story's recipient on 13 November and of a seller."""
    recipient = story.told_so_far()
    set_clock("2026-11-13 10:00")
    user = factories.member(recipient, "signatory", "asha")
    factories.member(factories.taxpayer(SELLER, first=202610), "signatory", "asha")
    one_time_code(user)
    return user


@pytest.mark.parametrize("way", [PLAIN, SEALED])
def test_software_does_a_month_s_work(
    way: str, asha: User, start_web: Callable[[], str], start_worker: Callable[[], object]
) -> None:
    base = start_web()
    start_worker()
    client = enter(way, base, asha, STORY)
    if isinstance(client, Encrypted):
        assert client.refresh().ok
    told = json.loads((DATA / "ims-inward.json").read_text())
    rows = scenarios.fetch_every_section(client, {section: len(found) for section, found in told.items()})
    scenarios.counts_agree(client, rows)
    decide(client, rows)
    set_clock("2026-11-14 10:00")
    scenarios.recompute_and_fetch(client, OCTOBER)
    scenarios.refusals(client, OTHER, {"b2b": rows["b2b"][:1]})
    again = scenarios.fetch_every_section(client, {section: len(found) for section, found in told.items()})
    scenarios.counts_agree(client, again)
    sell(enter(way, base, asha, SELLER), asha)


def decide(client: Client, rows: scenarios.Rows) -> None:
    """Reject an invoice, take it back, and accept credit notes with each answer to the ITC question and without."""
    undecided = {"b2b": [row for row in rows["b2b"] if row["action"] == "N"][:2]}
    count = len(undecided["b2b"])
    scenarios.everything_processed(scenarios.poll(client, scenarios.save(client, undecided, "R")), count)
    stale = scenarios.poll(client, scenarios.save(client, undecided, "A"))
    scenarios.partly_refused(stale, {row["inum"]: "IMSSAV0010" for row in undecided["b2b"]})
    rejected = {"b2b": [row | {"action": "R"} for row in undecided["b2b"]]}
    scenarios.everything_processed(scenarios.poll(client, scenarios.reset(client, rejected)), count)
    notes = [row for row in rows["b2bcn"] if row["action"] == "N"]
    assert len(notes) == 3
    full, part, nothing = (row["nt_num"] for row in notes)
    tax = [notes[1][head] for head in ("iamt", "camt", "samt", "cess")]
    halves = [(Decimal(amount) / 2).quantize(Decimal("0.01")) for amount in tax]
    replies = {full: FULL, part: partial(halves, "half was never taken"), nothing: Reply()}
    report = scenarios.poll(client, scenarios.save(client, {"b2bcn": notes}, "A", answers=scenarios.by_number(replies)))
    scenarios.partly_refused(report, {nothing: "IMSSAV0054"})
    last = {nothing: none("credit was never taken")}
    report = scenarios.poll(
        client, scenarios.save(client, {"b2bcn": notes[2:]}, "A", answers=scenarios.by_number(last))
    )
    scenarios.everything_processed(report, 1)


def sell(client: Client, user: User) -> None:
    """Report, read back and file a GSTR-1; a second time there is nothing to file."""
    body = scenarios.gstr1_body(SELLER, OCTOBER, STORY, prefix="SOC")
    told = scenarios.file_gstr1(client, OCTOBER, body, lambda: sid(client, user))
    assert told["ack_num"]
    if isinstance(client, Encrypted):
        again = client.resend()
        assert (again.http, again.ok) == (200, False)


@pytest.fixture
def world() -> World:
    """A recipient of twenty thousand records."""
    at = bigworld.two_days_after_a_draft()
    PortalClock.objects.create(pk=1, ahead=at - clock.real())
    return bigworld.make(rows=MANY, at=at)


def test_twenty_thousand_rows_come_in_parts_and_a_second_save_waits(
    world: World, start_web: Callable[[], str], start_worker: Callable[[], object]
) -> None:
    base = start_web()
    start_worker()
    for way in (PLAIN, SEALED):
        client = enter(way, base, world.owner, world.recipient.gstin)
        counts = client.get("returns/ims", "GETCNT").result["all_oth"]["b2b"]
        rows = scenarios.large_section(client, "b2b", sum(counts.values()))
        assert len(rows) > MANY // 2
        period = world.period.wire
        scenarios.large_statement(client, period, documents(world.recipient))
        undecided = [row for row in rows if row["action"] == "N" and row["srcfilstatus"] == "Filed"]
        large, small = {"b2b": undecided[1:5_001]}, {"b2b": undecided[:1]}
        scenarios.everything_processed(scenarios.second_save_is_refused(client, large, small), len(large["b2b"]))


def documents(recipient: Taxpayer) -> int:
    """Return how many documents the newest statement holds."""
    count: int = recipient.statements.latest("month", "version").line_count
    return count
