"""The page of a GSTIN's people: everybody with rights looks, who may grant changes, every button says what it did."""

from __future__ import annotations

import re
from html import unescape
from uuid import uuid4

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ims_portal.models import AuditEvent, Engagement, Membership, PortalClock, Taxpayer
from tests import factories

pytestmark = pytest.mark.django_db
GSTIN = factories.RECIPIENT
PAGE = f"/en/t/{GSTIN}/people/"
ROLES = ("signatory", "preparer", "viewer")
TERMS = {"rights": ["act", "export"], "first": "", "last": ""}


@pytest.fixture(autouse=True)
def firm() -> Taxpayer:
    """Return a taxpayer with one member of each role, on 12 November 2025."""
    PortalClock.objects.create(pk=1, ahead=factories.at("2025-11-12") - timezone.now())
    found = factories.taxpayer(name="Meera Traders")
    for role in ROLES:
        factories.member(found, role, role)
    factories.user("acct")
    factories.user("stranger")
    return found


def as_(username: str) -> Client:
    client = Client()
    client.force_login(factories.user(username))
    return client


def send(by: str = "signatory", **fields: object) -> HttpResponse:
    """Send a form of the page and follow where it leads."""
    return as_(by).post(PAGE, {"gstin": GSTIN, "request_id": str(uuid4())} | fields, follow=True)


def text(answer: HttpResponse) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def row(username: str) -> int:
    return Membership.objects.get(user__username=username, valid_to=None).pk


def engaged(*rights: str, asked_by: str = "acct", accepted_by: str = "") -> Engagement:
    return Engagement.objects.create(
        user=factories.user("acct"),
        taxpayer=factories.taxpayer(),
        rights=["view", *rights],
        valid_from=factories.LONG_AGO,
        asked_by=factories.user(asked_by),
        accepted_by=factories.user(accepted_by) if accepted_by else None,
    )


def state() -> tuple[object, ...]:
    """Return everything the page could change."""
    members = Membership.objects.order_by("pk").values_list("user__username", "role", "valid_to")
    rows = Engagement.objects.order_by("pk").values_list("rights", "valid_to", "accepted_by")
    return list(members), list(rows), AuditEvent.objects.count()


@pytest.mark.parametrize("who", [*ROLES, "acct"])
def test_whoever_may_open_the_gstin_sees_who_has_a_role(who: str) -> None:
    engaged("act", accepted_by="signatory")
    page = as_(who).get(PAGE)
    assert page.status_code == 200
    for part in ("Signatory", "Preparer", "Viewer", "01/07/2017", "Decide on records"):
        assert part in text(page)
    assert ('name="do"' in page.content.decode()) is (who == "signatory")
    assert ("Only a signatory changes this list." in text(page)) is (who != "signatory")


def test_a_practitioner_sees_no_other_practitioner_and_nothing_past(firm: Taxpayer) -> None:
    engaged("act", accepted_by="signatory")
    other = factories.user("rival", name="Rival and Co")
    past = factories.user("gone", name="Gone Away")
    common = {"taxpayer": firm, "valid_from": factories.LONG_AGO}
    Engagement.objects.create(user=other, asked_by=other, **common)
    Membership.objects.create(user=past, role="viewer", valid_to=factories.at("2025-11-11"), **common)
    assert "Rival and Co" in text(as_("viewer").get(PAGE))
    assert "Gone Away" in text(as_("viewer").get(PAGE))
    seen = text(as_("acct").get(PAGE))
    assert "Acct" in seen
    assert "Rival and Co" not in seen
    assert "Gone Away" not in seen


def test_a_stranger_and_an_administrator_find_nothing() -> None:
    boss = Client()
    boss.force_login(factories.user("boss", is_staff=True))
    for client in (as_("stranger"), boss):
        assert client.get(PAGE).status_code == 404
        assert client.post(PAGE, {"gstin": GSTIN, "request_id": uuid4(), "do": "give"}).status_code == 404
    assert Client().get(PAGE).headers["Location"].startswith("/en/account/login/")


POSTS = (
    {"do": "give", "username": "stranger", "role": "viewer"},
    {"do": "offer", "username": "stranger", **TERMS},
    {"do": "change-role", "role": "viewer"},
    {"do": "end-role"},
    {"do": "accept"},
    {"do": "end-engagement"},
)


@pytest.mark.parametrize("fields", POSTS, ids=lambda fields: fields["do"])
@pytest.mark.parametrize("who", ["preparer", "viewer", "acct"])
def test_a_forced_post_without_the_right_is_refused(who: str, fields: dict[str, object]) -> None:
    asked = engaged("act", accepted_by="signatory" if who == "acct" else "")
    target = asked.pk if fields["do"] in ("accept", "end-engagement") else row("preparer")
    before = state()
    answer = send(who, row=target, **fields)
    assert answer.status_code == 403
    assert "These people can: Signatory" in text(answer)
    assert state() == before


@pytest.mark.parametrize("fields", POSTS, ids=lambda fields: fields["do"])
def test_a_form_of_another_gstin_or_without_its_id_changes_nothing(fields: dict[str, object]) -> None:
    other = factories.taxpayer(factories.SUPPLIER)
    Membership.objects.create(
        user=factories.user("signatory"), taxpayer=other, role="signatory", valid_from=factories.LONG_AGO
    )
    asked = engaged("act")
    target = asked.pk if fields["do"] in ("accept", "end-engagement") else row("preparer")
    before = state()
    assert send(row=target, **(fields | {"gstin": factories.SUPPLIER})).status_code == 409
    assert send(row=target, **(fields | {"request_id": ""})).status_code == 409
    # The other desk's own form with this desk's row: another taxpayer's rows are not found.
    if "row" not in fields and fields["do"] not in ("give", "offer"):
        foreign = f"/en/t/{factories.SUPPLIER}/people/"
        body = {"gstin": factories.SUPPLIER, "request_id": uuid4(), "row": target, **fields}
        assert as_("signatory").post(foreign, body).status_code == 404
    assert state() == before


@pytest.mark.parametrize(
    "fields",
    [
        {"do": "grant-everything", "row": 1},
        {"do": "end-role"},
        {"do": "end-role", "row": "1; DROP"},
        {"do": "end-role", "row": "-1"},
        {"do": "change-role", "row": 1},
        {"do": "change-role", "row": 1, "role": "owner"},
        {},
    ],
)
def test_what_no_page_sends_is_refused(fields: dict[str, object]) -> None:
    before = state()
    assert send(**fields).status_code == 409
    assert send(do="end-role", row=10**30).status_code == 404
    assert state() == before


def test_a_role_is_given_changed_and_ended_by_buttons() -> None:
    page = send(do="give", username="stranger", role="preparer")
    assert page.redirect_chain == [(PAGE, 303)]
    assert "Stranger has the role from now on." in text(page)
    page = send(do="change-role", row=row("stranger"), role="viewer")
    assert "Stranger has another role from now on." in text(page)
    page = send(do="end-role", row=row("stranger"))
    assert "The role of Stranger has ended." in text(page)
    past = text(page).partition("Past roles")[2]
    assert past.count("Stranger") == 2
    assert "12/11/2025" in past
    assert as_("stranger").get(PAGE).status_code == 404


@pytest.mark.parametrize(
    ("fields", "at", "told"),
    [
        ({"username": "nobody"}, "role-username", "There is no user nobody here."),
        ({"username": ""}, "role-username", "Write the user name"),
        ({"username": "a\u202eb"}, "role-username", "cannot be shown"),
        ({"username": "signatory"}, "role-username", "Nobody gives a role to themselves."),
        ({"username": "viewer"}, "role-username", "has a role on this GSTIN already: Viewer"),
        ({"role": "owner"}, "role-role", "Select a valid choice"),
    ],
)
def test_a_role_that_cannot_be_given_is_told_at_its_field(fields: dict[str, str], at: str, told: str) -> None:
    before = state()
    answer = send(**({"do": "give", "username": "stranger", "role": "viewer"} | fields))
    assert answer.status_code == 422
    page = unescape(answer.content.decode())
    assert f'<a href="#{at}">' in page
    assert f'aria-describedby="{at}-error"' in page
    assert told in page.partition(f'id="{at}-error">')[2].partition("</p>")[0]
    assert state() == before


@pytest.mark.parametrize(
    ("fields", "at", "told"),
    [
        ({"username": "nobody"}, "offer-username", "There is no user nobody here."),
        ({"username": "signatory"}, "offer-username", "Nobody engages themselves."),
        ({"first": "11/11/2025"}, "offer-first", "This day is over."),
        ({"last": "31/31/2025"}, "offer-last", "DD/MM/YYYY"),
        ({"last": "31/12/9999"}, "offer-last", "too far away"),
        ({"rights": ["grant"]}, "offer-rights", "Select a valid choice"),
        ({"rights": ["file"]}, "offer-rights", "Select a valid choice"),
    ],
)
def test_an_engagement_that_cannot_be_offered_is_told_at_its_field(fields: dict[str, str], at: str, told: str) -> None:
    answer = send(**({"do": "offer", "username": "acct"} | TERMS | fields))
    assert answer.status_code == 422
    page = unescape(answer.content.decode())
    assert f'<a href="#{at}">' in page
    assert told in page.partition(f'id="{at}-error">')[2].partition("</p>")[0]
    assert not Engagement.objects.exists()


def test_an_offer_keeps_what_was_typed_when_it_is_refused() -> None:
    answer = send(do="offer", username="nobody", rights=["act"], file="on", last="30/11/2025").content.decode()
    assert re.search(r'value="act" checked', answer)
    assert not re.search(r'value="export" checked', answer)
    assert re.search(r'name="file" id="offer-file" checked', answer)
    assert 'value="30/11/2025"' in answer


def test_filing_is_offered_only_where_it_is_ticked_by_name() -> None:
    page = send(do="offer", username="acct", **TERMS)
    assert "Acct is asked. Nothing is granted until they accept." in text(page)
    assert Engagement.objects.get().rights == ["view", "export", "act"]
    assert "Waits for their answer" in text(page)
    send(do="end-engagement", row=Engagement.objects.get().pk)
    send(do="offer", username="acct", file="on", **TERMS)
    assert Engagement.objects.latest("pk").rights == ["view", "export", "act", "file"]


def test_a_request_is_accepted_with_filing_only_by_its_own_tick() -> None:
    asked = engaged("act", "file")
    page = as_("signatory").get(PAGE).content.decode()
    assert f'name="file" id="file-{asked.pk}">' in page
    page = send(do="accept", row=asked.pk)
    assert "The engagement of Acct is agreed." in text(page)
    assert "In force" in text(page)
    asked.refresh_from_db()
    assert asked.rights == ["view", "act"]
    assert as_("acct").get(f"/en/t/{GSTIN}/").status_code == 200


def test_an_engagement_is_ended_at_once(firm: Taxpayer) -> None:
    held = engaged("act", accepted_by="signatory")
    acct = as_("acct")
    assert acct.get(f"/en/t/{firm.gstin}/").status_code == 200
    page = send(do="end-engagement", row=held.pk)
    assert "The engagement of Acct, or the request for one, has ended." in text(page)
    assert "Past engagements" in text(page)
    assert acct.get(f"/en/t/{firm.gstin}/").status_code == 404


def test_what_a_button_cannot_do_is_told_in_a_message() -> None:
    page = send(do="end-role", row=row("signatory"))
    assert "message-error" in page.content.decode()
    assert "Signatory is the only signatory of this GSTIN." in text(page)
    held = engaged("act", accepted_by="signatory")
    assert "does not wait for your answer any more" in text(send(do="accept", row=held.pk))


def test_who_ends_their_own_role_is_led_out(firm: Taxpayer) -> None:
    factories.member(firm, "signatory", "other")
    answer = send(do="end-role", row=row("signatory"))
    assert answer.redirect_chain == [("/en/t/", 303)]
    assert "The role of Signatory has ended." in text(answer)


def test_a_double_press_has_one_effect() -> None:
    fields = {"do": "give", "username": "stranger", "role": "viewer", "request_id": str(uuid4())}
    for _press in range(2):
        assert "Stranger has the role from now on." in text(send(**fields))
    assert AuditEvent.objects.filter(event="role.given").count() == 1
    assert send(**(fields | {"role": "signatory"})).status_code == 409


def test_the_page_asks_no_more_of_the_database_for_more_people(firm: Taxpayer) -> None:
    engaged("act", accepted_by="signatory")
    client = as_("signatory")
    client.get(PAGE)
    with CaptureQueriesContext(connection) as few:
        client.get(PAGE)
    for number in range(8):
        factories.member(firm, "viewer", f"more{number}")
        firm_of = factories.user(f"firm{number}")
        Engagement.objects.create(user=firm_of, taxpayer=firm, valid_from=factories.LONG_AGO, asked_by=firm_of)
    with CaptureQueriesContext(connection) as more:
        assert text(client.get(PAGE)).count("Waits for your answer") == 8
    assert len(few) == len(more) <= 12


def test_the_home_of_the_gstin_leads_here() -> None:
    assert f'href="{PAGE}"' in as_("viewer").get(f"/en/t/{GSTIN}/").content.decode()


def test_who_may_grant_is_told_on_the_home_that_somebody_asks() -> None:
    home = f"/en/t/{GSTIN}/"
    told = "1 practitioner asks for an engagement"
    asked = engaged("act")
    assert told in text(as_("signatory").get(home))
    assert told not in text(as_("preparer").get(home))
    Engagement.objects.filter(pk=asked.pk).update(asked_by=factories.user("signatory"))  # theirs to answer, not ours
    assert told not in text(as_("signatory").get(home))
