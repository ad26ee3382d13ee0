"""The log's page: administrators only, filters, pages, and no taxpayer's content without break-glass."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ims_portal import audit
from ims_portal.audit_words import CAPACITIES, EVENTS
from ims_portal.models import AuditEvent, AuditExtract, BreakGlass, Engagement, Taxpayer
from ims_portal.views import audit as audit_pages
from tests import factories
from tests.ims_portal import log_desk
from tests.ims_portal.log_desk import FILES, GSTIN, PAGE, REASON, SECRET, as_, at, opened, record, text, told

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now")]
TODAY = log_desk.TODAY


# -- Who comes in


@pytest.mark.parametrize("role", ["viewer", "preparer", "signatory"])
def test_members_find_no_log_and_no_door_to_it(meera: Taxpayer, role: str) -> None:
    client = Client()
    client.force_login(factories.member(meera, role))
    assert "control/audit" not in client.get("/en/t/").text
    before = AuditEvent.objects.count()
    assert (client.get(PAGE).status_code, client.get(FILES).status_code) == (404, 404)
    for what in ({"do": "open", "gstin": GSTIN, "reason": REASON}, {"do": "end", "glass": "1"}, {"do": "take_out"}):
        assert client.post(PAGE, what | {"request_id": uuid4()}).status_code == 404
    assert (BreakGlass.objects.count(), AuditExtract.objects.count(), AuditEvent.objects.count()) == (0, 0, before)


def test_a_practitioner_and_a_stranger_find_no_log(meera: Taxpayer) -> None:
    acct = factories.user("acct")
    Engagement.objects.create(
        user=acct, taxpayer=meera, rights=["view"], valid_from=factories.LONG_AGO, asked_by=acct, accepted_by=acct
    )
    for username in ("acct", "stranger"):
        assert as_(username).get(PAGE).status_code == 404
        assert as_(username).get(FILES).status_code == 404


def test_nobody_in_particular_is_asked_to_sign_in(client: Client) -> None:
    for path in (PAGE, FILES):
        assert "/login/" in client.get(path).headers["Location"]
    assert "/login/" in client.post(PAGE, {"do": "open"}).headers["Location"]


@pytest.mark.usefixtures("meera")
def test_an_administrator_comes_to_it_by_the_menu() -> None:
    assert f'<a href="{PAGE}">Audit log</a>' in as_().get("/en/t/").text
    assert f'<a href="{PAGE}" aria-current="page">Audit log</a>' in as_().get(PAGE).text


# -- What it says


@pytest.mark.usefixtures("meera")
def test_newest_first_with_words_and_nothing_that_is_a_taxpayers() -> None:
    newest, _other, role, export = told(as_())
    assert newest.startswith("12/11/2025 10:00:00 Portal date set Adm9 adm9")
    assert "to: 2025-11-12" in newest
    assert f"Role given Owner owner Signatory {GSTIN} about role.given Only under break-glass" in role
    assert f"File made Owner owner Signatory {GSTIN} about export.made Only under break-glass" in export
    assert SECRET not in as_().get(PAGE).text
    assert SECRET not in as_().get(f"{PAGE}?gstin={GSTIN}").text


@pytest.mark.usefixtures("real")
def test_a_subject_that_names_a_document_is_the_taxpayers_too(meera: Taxpayer) -> None:
    record("message.written", meera, None, {"record": 1}, subject="KMF/1004")
    assert "KMF/1004" not in as_().get(f"{PAGE}?gstin={GSTIN}").text
    opened(as_())
    assert "KMF/1004" in as_().get(f"{PAGE}?gstin={GSTIN}").text


def test_what_nobody_has_words_for_is_told_by_its_code() -> None:
    audit.record(event="some.thing_new", at=at(), capacity="odd")
    (only,) = told(as_())
    assert "some.thing_new the portal odd" in only


def test_every_event_the_portal_writes_has_words() -> None:
    rooms = (Path(audit.__file__).parent, *(Path(audit.__file__).parents[1] / name for name in ("invoices", "returns")))
    written = re.compile(r'(?:event=|_record\(|\.record\(|return |else |EDED = )"([a-z0-9_]+\.[a-z_]+)"')
    files = [path for room in rooms for path in room.rglob("*.py") if not path.stem.endswith("sql")]
    codes = {code for path in files for code in written.findall(path.read_text())}
    assert {"role.given", "engagement.declined", "break_glass.looked", "demo.seeded", "return.filed"} <= codes
    assert codes - EVENTS.keys() == set()


def test_an_empty_log_says_so() -> None:
    assert "Nothing was done yet." in text(as_().get(PAGE))
    factories.audit_event()
    assert "No event fits these filters." in text(as_().get(f"{PAGE}?actor=adm1"))


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("?actor=owner", 2),
        ("?event=export.made", 2),
        (f"?event=export.made&gstin={GSTIN}", 1),
        (f"?gstin={GSTIN.lower()}", 2),
        ("?first=12/11/2025&last=12/11/2025", 4),
        ("?first=13/11/2025", 0),
        ("?last=11/11/2025", 0),
        ("?before=nonsense", 4),
        (f"?before={'9' * 40}", 4),
        ("?before=०१", 4),
    ],
)
@pytest.mark.usefixtures("meera")
def test_filters_stand_in_the_address(query: str, count: int) -> None:
    assert len(told(as_(), query)) == count


def test_a_day_is_an_indian_day(meera: Taxpayer) -> None:
    record("role.ended", meera, None, {}, at=at("2025-11-13 00:00"))
    assert len(told(as_(), "?first=13/11/2025")) == 1
    assert len(told(as_(), "?last=12/11/2025")) == 4


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("actor=nobody", "There is no user nobody here"),
        ("actor=%00", "a character that cannot be shown"),
        ("event=nothing.at_all", "Select a valid choice"),
        ("gstin=27AAACR5055K1Z8", "check character 8"),
        ("gstin=33AAPCN0000E1Z5", "No taxpayer here has the GSTIN 33AAPCN0000E1Z5"),
        ("gstin=%27%3B--", "has 4 characters"),
        ("first=31/31/2025", "Write the day as DD/MM/YYYY"),
        ("last=31/12/9999", "The log has no such day"),
        ("first=01/01/0001", "The log has no such day"),
        ("first=12/11/2025&last=11/11/2025", "The last day is before the first"),
    ],
)
@pytest.mark.usefixtures("meera")
def test_filters_that_mean_nothing_are_told_at_their_field(query: str, says: str) -> None:
    told_out = as_().post(f"{PAGE}?{query}", {"do": "take_out", "request_id": uuid4()})
    assert not AuditExtract.objects.exists()
    for answer in (as_().get(f"{PAGE}?{query}"), told_out):
        assert answer.status_code == 422
        assert says in text(answer)
        assert "Events" not in text(answer)


def test_pages_follow_one_another_without_gap_or_repeat(meera: Taxpayer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_pages, "ROWS", 3)
    client, met, query = as_(), [], "?first=12/11/2025"
    for number in range(4):
        record("role.ended", meera, None, {}, subject=f"membership {number}")
    while query:
        page = client.get(f"{PAGE}{query}")
        met += [line.row.pk for line in page.context["lines"]]
        found = re.search(r'href="(\?[^"]*before=\d+)"', page.text)
        query = unescape(found[1]) if found else ""
        assert "first=12" in query or not query
    assert met == list(AuditEvent.objects.order_by("-pk").values_list("pk", flat=True))
    assert len(met) == 8
    assert "There is no earlier event." in text(client.get(f"{PAGE}?before=1"))


def test_queries_do_not_grow_with_the_log(meera: Taxpayer) -> None:
    client = as_()
    client.get(PAGE)
    with CaptureQueriesContext(connection) as few:
        client.get(f"{PAGE}?gstin={GSTIN}&actor=owner")
    for number in range(30):
        record("role.ended", meera, factories.user(f"u{number}"), {})
    with CaptureQueriesContext(connection) as more:
        client.get(f"{PAGE}?gstin={GSTIN}&actor=owner")
        assert len(told(client)) == 34
    # Session, user; the filters' user and taxpayer; break-glass; the events.
    assert len(few) == 6
    assert len(more) == 6 + 4


def test_capacities_have_words() -> None:
    assert set(CAPACITIES) == {"viewer", "preparer", "signatory", "practitioner", "administrator"}
