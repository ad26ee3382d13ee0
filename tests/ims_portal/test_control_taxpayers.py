"""Registrations: administrators list them without their records, make them, and two name the first signatory."""

from __future__ import annotations

import re
from html import unescape
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.http import Http404, HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ims_portal import access, signatories, taxpayers
from ims_portal.access import Right
from ims_portal.clock import Fixed
from ims_portal.models import AuditEvent, FilingFrequency, Membership, Nomination, Taxpayer, User
from ims_portal.views import taxpayers as taxpayer_pages
from invoices.models import Inbox
from tests import factories

pytestmark = pytest.mark.django_db
TODAY = "2025-11-12"
PAGE = "/en/control/taxpayers/"
GSTIN = "33AAPCN0000E1Z5"
NEW = {
    "gstin": GSTIN,
    "legal_name": "Nilgiri Retail Private Limited",
    "trade_name": "Nilgiri Stores",
    "kind": "regular",
    "first": "10/2025",
    "frequency": "M",
}


@pytest.fixture(autouse=True)
def _stands(now: Fixed) -> None:
    """Let the portal stand on TODAY."""


def as_(username: str = "adm1") -> Client:
    client = Client()
    client.force_login(factories.user(username, is_staff=username.startswith("adm")))
    return client


def send(by: str = "adm1", **fields: object) -> HttpResponse:
    return as_(by).post(PAGE, {"request_id": uuid4()} | fields, follow=True)


def text(answer: HttpResponse) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def made(**change: str) -> Taxpayer:
    assert send(do="create", **NEW | change).redirect_chain
    return Taxpayer.objects.get(gstin=NEW["gstin"])


def named(by: str = "adm1", username: str = "owner") -> int:
    factories.user(username)
    send(by, do="name", gstin=GSTIN, username=username)
    return Nomination.objects.latest("pk").pk


def may_grant(username: str = "owner", on: str = TODAY) -> bool:
    held = access.standing(user=factories.user(username), taxpayer=factories.taxpayer(GSTIN), at=factories.at(on))
    return held is not None and held.may(Right.GRANT)


def log() -> list[tuple[str, str, str]]:
    found = AuditEvent.objects.order_by("pk").values_list("event", "actor__username", "capacity")
    return [row for row in found if row[0].startswith(("taxpayer.", "signatory."))]


@pytest.mark.parametrize("role", ["viewer", "signatory", ""])
def test_others_find_no_such_page(role: str) -> None:
    client = as_("stranger")
    if role:
        client.force_login(factories.member(factories.taxpayer(), role))
    assert "control/taxpayers" not in client.get("/en/t/").text
    assert client.get(PAGE).status_code == 404
    for what in ("create", "name", "confirm", "withdraw"):
        sent = NEW | {"do": what, "username": "stranger", "row": "1", "request_id": uuid4()}
        assert client.post(PAGE, sent).status_code == 404
    assert not Taxpayer.objects.filter(gstin=GSTIN).exists()
    assert "/login/" in Client().get(PAGE).headers["Location"]


def test_a_new_taxpayer_has_an_inbox_and_a_frequency_and_is_logged() -> None:
    found = made(first="11/2025", frequency="Q")
    assert (found.legal_name, found.trade_name, found.kind) == (NEW["legal_name"], NEW["trade_name"], "regular")
    assert FilingFrequency.objects.get(taxpayer=found).frequency == "Q"
    assert Inbox.objects.get(taxpayer=found).open_month == 202512
    assert log() == [("taxpayer.created", "adm1", "administrator")]
    row = AuditEvent.objects.get(taxpayer=found)
    assert row.details == {"kind": "regular", "first": 202511, "frequency": "Q"}
    page = as_().get(PAGE)
    assert f'<a href="{PAGE}" aria-current="page">Registrations</a>' in page.text
    assert f"{GSTIN} Nilgiri Stores Nilgiri Retail Private Limited regular 11/2025 0 0 0" in text(page)


def test_the_same_request_twice_makes_one() -> None:
    key = uuid4()
    for _again in range(2):
        assert "is here now" in text(send(do="create", **NEW | {"request_id": key}))
    assert len(log()) == 1
    assert send(do="create", **NEW | {"request_id": key, "kind": "sez"}).status_code == 409


def test_who_is_known_from_a_return_only_gets_its_names() -> None:
    factories.filed(factories.document(recipient=GSTIN))
    before = Taxpayer.objects.get(gstin=GSTIN)
    assert "so only its names are new" in text(send(do="create", **NEW | {"kind": "sez", "first": "11/2025"}))
    after = Taxpayer.objects.get(gstin=GSTIN)
    assert (after.legal_name, after.kind, after.first_month) == (NEW["legal_name"], before.kind, before.first_month)
    assert log() == [("taxpayer.named", "adm1", "administrator")]
    again = send(do="create", **NEW)
    assert again.status_code == 422
    assert f"{GSTIN} is here already: Nilgiri Stores." in text(again)


@pytest.mark.parametrize(
    ("field", "typed", "says"),
    [
        ("gstin", "33AAPCN0000E1Z6", "check character 6"),
        ("gstin", "x" * 16, "at most 15 characters"),
        ("gstin", "", "Write the GSTIN"),
        ("legal_name", "  ", "Write the name of the registration"),
        ("legal_name", "a\u202eb", "a character that cannot be shown"),
        ("legal_name", "x" * 201, "at most 200 characters"),
        ("kind", "bank", "Select a valid choice"),
        ("first", "13/2025", "Write the period as MM/YYYY"),
        ("first", "", "Write the period as MM/YYYY"),
        ("first", "06/2017", "Choose a period from 07/2017"),
        ("first", "12/2025", "to the one that runs now"),
        ("frequency", "Y", "Select a valid choice"),
    ],
)
def test_what_is_wrong_is_told_at_its_field_and_makes_nothing(field: str, typed: str, says: str) -> None:
    answer = send(do="create", **NEW | {field: typed})
    assert answer.status_code == 422
    assert f'id="new-{field}-error"' in answer.text
    assert f'<a href="#new-{field}">' in answer.text
    assert says in text(answer)
    assert not Taxpayer.objects.exists()


@pytest.mark.parametrize("fields", [{}, {"do": "burn"}, {"do": "confirm", "row": "x"}, {"do": "confirm", "row": "٣"}])
def test_a_form_that_is_none_of_the_pages_is_refused(fields: dict[str, str]) -> None:
    assert send(**fields).status_code == 409
    assert send(do="create", **NEW | {"request_id": "none"}).status_code == 409


# -- The list


def test_search_is_by_how_a_number_or_a_name_begins() -> None:
    factories.taxpayer(factories.RECIPIENT, name="Meera Traders")
    factories.taxpayer(factories.SUPPLIER, name="Shree Balaji")
    client = as_()
    for typed, met in (("27aaa", 1), ("meera", 1), ("traders", 0), ("", 2), ("%", 0), ("_7", 0), ("\\", 0)):
        assert len(client.get(PAGE, {"q": typed}).context["lines"]) == met, typed
    assert "No GSTIN and no name begins so." in text(client.get(PAGE, {"q": "zz"}))
    assert client.get(PAGE, {"q": "x" * 61}).status_code == 422
    assert client.get(PAGE, {"q": "a\x00"}).status_code == 422
    assert client.get(PAGE, {"after": "'; --"}).status_code == 200


def test_pages_follow_one_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taxpayer_pages, "ROWS", 2)
    numbers = [factories.RECIPIENT, factories.SUPPLIER, GSTIN]
    for number in numbers:
        factories.taxpayer(number)
    client, query, met = as_(), "?", []
    while query:
        page = client.get(f"{PAGE}{query}")
        met += [line.row.gstin for line in page.context["lines"]]
        query = page.context["next_url"]
    assert met == sorted(numbers)


def test_counts_of_roles_are_shown_and_nothing_of_records(django_assert_num_queries: object) -> None:
    factories.filed(factories.document(number="KMF/1004", tax=18000))
    meera = factories.taxpayer()
    for role in ("viewer", "signatory", "preparer"):
        factories.member(meera, role, role)
    Membership.objects.filter(role="preparer").update(valid_to=factories.at("2025-11-11"))
    client = as_()
    (line,) = client.get(PAGE, {"q": meera.gstin}).context["lines"]
    assert (line.signatories, line.roles, line.engagements) == (1, 2, 0)
    page = client.get(PAGE).text
    assert "KMF/1004" not in page
    assert "18,000" not in page
    User.objects.filter(username="signatory").update(is_active=False)
    (line,) = client.get(PAGE, {"q": meera.gstin}).context["lines"]
    assert (line.signatories, line.roles) == (0, 2)
    # Session and user; taxpayers, roles, engagements; who waits.
    with django_assert_num_queries(6):
        client.get(PAGE)
    with CaptureQueriesContext(connection) as more:
        factories.taxpayer(GSTIN)
        before = len(more)
        client.get(PAGE)
    assert len(more) - before == 6


# -- The first signatory


def test_a_second_administrator_confirms_and_only_then_the_role_begins() -> None:
    made()
    pk = named()
    assert not may_grant()
    own = send("adm1", do="confirm", row=pk)
    assert "Another administrator confirms." in text(own)
    assert not may_grant()
    assert "The signatory is in force" in text(send("adm2", do="confirm", row=pk))
    assert may_grant()
    row = Membership.objects.get()
    assert (row.role, row.granted_by.username, row.valid_from) == ("signatory", "adm2", factories.at(TODAY))
    assert log()[1:] == [
        ("signatory.named", "adm1", "administrator"),
        ("signatory.confirmed", "adm2", "administrator"),
    ]
    assert "does not wait any more" in text(send("adm3", do="confirm", row=pk))
    assert "does not wait any more" in text(send("adm3", do="withdraw", row=pk))


def test_the_same_requests_twice_have_one_effect() -> None:
    taxpayer, owner, keys = made(), factories.user("owner"), [uuid4(), uuid4()]
    adm1, adm2 = (factories.user(name, is_staff=True) for name in ("adm1", "adm2"))
    clock = factories.clock(TODAY)
    for _again in range(2):
        told = {"gstin": taxpayer.gstin, "username": "owner", "clock": clock}
        assert signatories.propose(**told, actor=adm1, request_id=keys[0]) == owner
    for _again in range(2):
        signatories.confirm(pk=Nomination.objects.get().pk, actor=adm2, clock=clock, request_id=keys[1])
    assert (Membership.objects.count(), len(log())) == (1, 3)


def test_what_is_taken_back_gives_nothing_and_stays_in_the_log() -> None:
    made()
    pk = named()
    send("adm2", do="withdraw", row=pk)
    assert not Nomination.objects.exists()
    assert log()[-1] == ("signatory.withdrawn", "adm2", "administrator")
    assert not may_grant()


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"username": "nobody"}, "There is no user nobody here"),
        ({"username": "adm2"}, "is an administrator of this portal and holds no rights"),
        ({"username": "gone"}, "There is no user gone here"),
        ({"gstin": factories.SUPPLIER}, "No taxpayer here has the GSTIN"),
        ({"gstin": factories.RECIPIENT}, "This GSTIN has a signatory"),
        ({"username": ""}, "Write the user name"),
    ],
)
def test_who_cannot_be_it_is_refused_at_the_field(fields: dict[str, str], says: str) -> None:
    made()
    factories.member(factories.taxpayer(), "signatory")
    factories.user("owner")
    factories.user("adm2", is_staff=True)
    factories.user("gone", is_active=False)
    answer = send(do="name", **{"gstin": GSTIN, "username": "owner"} | fields)
    assert answer.status_code == 422
    assert f'<a href="#name-{next(iter(fields))}">' in answer.text
    assert says in text(answer)
    assert not Nomination.objects.exists()


def test_one_waits_at_a_time() -> None:
    made()
    named()
    factories.user("second")
    again = send("adm2", do="name", gstin=GSTIN, username="second")
    assert "already waits for a second administrator" in text(again)
    assert Nomination.objects.count() == 1


def test_a_confirmation_is_judged_by_its_own_moment() -> None:
    taxpayer = made()
    pk = named()
    User.objects.filter(username="owner").update(is_active=False)
    assert "There is no user owner here" in text(send("adm2", do="confirm", row=pk))
    User.objects.filter(username="owner").update(is_active=True)
    factories.member(taxpayer, "signatory", "another")
    assert "This GSTIN has a signatory" in text(send("adm2", do="confirm", row=pk))
    assert not may_grant()


def test_a_gstin_whose_signatory_cannot_sign_in_gets_another() -> None:
    taxpayer = made()
    lost = factories.member(taxpayer, "signatory", "lost")
    User.objects.filter(pk=lost.pk).update(is_active=False)
    send("adm2", do="confirm", row=named())
    assert may_grant()


def test_the_right_is_read_again_and_the_database_keeps_four_eyes() -> None:
    taxpayer, owner = made(), factories.user("owner")
    was, adm1 = factories.user("was"), factories.user("adm1", is_staff=True)
    was.is_staff = True
    told = {"clock": factories.clock(TODAY), "request_id": uuid4(), "actor": was}
    with pytest.raises(Http404):
        signatories.propose(gstin=GSTIN, username="owner", **told)
    with pytest.raises(Http404):
        taxpayers.create(
            new=taxpayers.New(GSTIN, "A", "", Taxpayer.Kind.REGULAR, 202510, taxpayers.Frequency.MONTHLY), **told
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        Nomination.objects.create(
            taxpayer=taxpayer, user=owner, proposed_by=adm1, approved_by=adm1, proposed_at=factories.at(TODAY)
        )
