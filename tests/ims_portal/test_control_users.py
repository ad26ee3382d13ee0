"""Users: administrators list and make them without a password of theirs, suspend them, and end their sessions."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from uuid import uuid4

import pytest
from django.contrib.auth import SESSION_KEY
from django.http import Http404, HttpResponse
from django.test import Client
from django.utils import timezone

from ims_portal import clock, users
from ims_portal.clock import Fixed
from ims_portal.models import AuditEvent, Engagement, User
from ims_portal.views import users as user_pages
from tests import factories, signing_in

pytestmark = pytest.mark.django_db
TODAY = "2025-11-12"
PAGE = "/en/control/users/"
NEW = {"username": "lakshmi", "name": "Lakshmi Iyer"}
CHOSEN = "a fine and private place"


@pytest.fixture(autouse=True)
def _stands(now: Fixed) -> None:
    """Let the portal stand on TODAY."""


@pytest.fixture
def real(monkeypatch: pytest.MonkeyPatch) -> Fixed:
    """Return the real clock, standing until the test moves it."""
    found = Fixed(timezone.now())
    monkeypatch.setattr(clock, "real", found.now)
    return found


def user(username: str) -> User:
    return factories.user(username, is_staff=username.startswith("adm"))


def as_(username: str = "adm1") -> Client:
    client = Client()
    client.force_login(user(username))
    return client


def send(by: str = "adm1", **fields: object) -> HttpResponse:
    return as_(by).post(PAGE, {"request_id": uuid4()} | fields, follow=True)


def order(what: str, username: str, by: str = "adm1", **fields: object) -> HttpResponse:
    return send(by, do=what, row=user(username).pk, **fields)


def text(answer: HttpResponse) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def link_in(answer: HttpResponse) -> str:
    found = re.search(r'id="password-link" value="http://testserver([^"]+)"', answer.text)
    return unescape(found[1]) if found else ""


def signs_in(username: str, password: str = CHOSEN) -> bool:
    client = Client()
    answer = client.post(signing_in.PAGE, {"login": username, "password": password})
    if answer.headers.get("Location") == signing_in.CODE_PAGE:
        client.post(signing_in.CODE_PAGE, {"code": signing_in.code_of(username)})
    return SESSION_KEY in client.session


def log() -> list[tuple[str, str]]:
    found = AuditEvent.objects.filter(event__startswith="user.").order_by("pk")
    return [(row.event, row.actor.username) for row in found]


@pytest.mark.parametrize("role", ["viewer", "signatory", ""])
def test_others_find_no_such_page(role: str) -> None:
    client = as_("stranger")
    if role:
        client.force_login(factories.member(factories.taxpayer(), role))
    assert "control/users" not in client.get("/en/t/").text
    assert client.get(PAGE).status_code == 404
    row = factories.user("asha").pk
    for what in ("create", "link", "suspend", "reactivate", "end-sessions"):
        assert client.post(PAGE, NEW | {"do": what, "row": row, "request_id": uuid4()}).status_code == 404
    assert not User.objects.filter(username="lakshmi").exists()
    assert User.objects.get(pk=row).is_active
    assert "/login/" in Client().get(PAGE).headers["Location"]


# -- Making one


def test_a_new_user_chooses_the_password_by_a_link_shown_once() -> None:
    answer = send(do="create", **NEW)
    link, visitor = link_in(answer), Client()
    made = User.objects.get(username="lakshmi")
    assert (made.full_name, made.is_staff, made.has_usable_password()) == ("Lakshmi Iyer", False, False)
    assert link.startswith("/en/account/password/reset/key/")
    assert link not in as_().get(PAGE).text
    page = visitor.get(link, follow=True)
    assert "Choose a password" in text(page)
    (to, _status), sent = page.redirect_chain[-1], {"password1": CHOSEN, "password2": CHOSEN}
    short = visitor.post(to, {"password1": "short", "password2": "short"})
    assert "at least 12 characters" in text(short)
    assert "Your password is kept." in text(visitor.post(to, sent, follow=True))
    assert signs_in("lakshmi")
    assert "used already, or is too old" in text(Client().get(link, follow=True))
    assert log() == [("user.created", "adm1")]
    assert "May sign in" in text(as_().get(PAGE, {"q": "lakshmi"}))


def test_another_link_is_made_only_while_there_is_no_password() -> None:
    send(do="create", **NEW)
    assert "Has yet to choose a password" in text(as_().get(PAGE, {"q": "lakshmi"}))
    first = link_in(order("link", "lakshmi"))
    assert first
    made = User.objects.get(username="lakshmi")
    made.set_password(CHOSEN)
    made.save()
    answer = order("link", "lakshmi")
    assert "has a password, or is suspended. No link was made." in text(answer)
    assert link_in(answer) == ""
    assert "used already" in text(Client().get(first, follow=True))
    assert log() == [("user.created", "adm1"), ("user.link_made", "adm1")]


def test_the_same_request_twice_makes_one_and_shows_no_second_link() -> None:
    key = uuid4()
    assert link_in(send(do="create", **NEW | {"request_id": key}))
    again = send(do="create", **NEW | {"request_id": key})
    assert (again.redirect_chain, link_in(again)) == ([(PAGE, 303)], "")
    assert len(log()) == 1
    assert send(do="create", **NEW | {"request_id": key, "name": "Other"}).status_code == 409


@pytest.mark.parametrize(
    ("field", "typed", "says"),
    [
        ("username", "", "Write the user name"),
        ("username", "ASHA", "Somebody has the user name ASHA already"),
        ("username", "lakshmi iyer", "Enter a valid username"),
        ("username", "l\u0430kshmi", "Enter a valid username"),
        ("username", "<b>", "Enter a valid username"),
        ("username", "x" * 151, "at most 150 characters"),
        ("name", "", "Write what they are called"),
        ("name", "a\u202eb", "a character that cannot be shown"),
    ],
)
def test_what_is_wrong_is_told_at_its_field_and_makes_nobody(field: str, typed: str, says: str) -> None:
    factories.user("asha")
    answer = send(do="create", **NEW | {field: typed})
    assert answer.status_code == 422
    assert f'<a href="#new-{field}">' in answer.text
    assert f'id="new-{field}-error"' in answer.text
    assert says in text(answer)
    assert User.objects.count() == 2


def test_what_somebody_is_called_is_never_markup() -> None:
    send(do="create", username="evil", name="<script>alert(1)</script>")
    assert "<script>alert" not in as_().get(PAGE).text


# -- Suspending and signing out


def test_who_is_suspended_is_out_at_once_and_comes_back_only_by_signing_in(real: Fixed) -> None:
    asha = as_("asha")
    assert asha.get("/en/t/").status_code == 200
    assert "is suspended and signed out" in text(order("suspend", "asha"))
    assert "/login/" in asha.get("/en/t/").headers["Location"]
    assert not signs_in("asha", factories.PASSWORD)
    sent = {"login": "asha", "password": factories.PASSWORD}
    assert "This account is suspended" in text(Client().post("/en/account/login/", sent, follow=True))
    assert "Suspended" in text(as_().get(PAGE, {"q": "asha"}))
    real.at += timedelta(minutes=1)
    assert "may sign in again" in text(order("reactivate", "asha", "adm2"))
    assert "/login/" in asha.get("/en/t/").headers["Location"]
    assert signs_in("asha", factories.PASSWORD)
    assert log() == [("user.suspended", "adm1"), ("user.reactivated", "adm2")]
    assert "is not suspended" in text(order("reactivate", "asha"))


def test_every_session_that_began_is_ended_and_a_new_one_stays(real: Fixed) -> None:
    here, there, other = as_("asha"), as_("asha"), as_("ravi")
    real.at += timedelta(minutes=1)
    assert "is signed out everywhere" in text(order("end-sessions", "asha"))
    for client in (here, there):
        answer = client.get("/en/t/?x=1")
        assert answer.headers["Location"] == "/en/account/login/?next=/en/t/%3Fx%3D1"
        assert "An administrator ended your sessions." in client.get(answer.headers["Location"]).text
    assert other.get("/en/t/").status_code == 200
    real.at += timedelta(milliseconds=1)
    assert as_("asha").get("/en/t/").status_code == 200
    assert log() == [("user.signed_out", "adm1")]


@pytest.mark.parametrize("what", ["suspend", "end-sessions", "reactivate"])
def test_nobody_does_it_to_themselves(what: str) -> None:
    factories.user("adm2", is_staff=True)
    assert "This is you. Another administrator can do this." in text(order(what, "adm1"))
    assert User.objects.get(username="adm1").is_active
    assert log() == []


def test_of_two_administrators_who_suspend_each_other_one_stays(real: Fixed) -> None:
    adm1, adm2 = (factories.user(name, is_staff=True) for name in ("adm1", "adm2"))
    told = {"clock": factories.clock(TODAY), "real": real.now}
    users.suspend(pk=adm2.pk, actor=adm1, request_id=uuid4(), **told)
    with pytest.raises(Http404):  # what adm2 began before that is over with it
        users.suspend(pk=adm1.pk, actor=adm2, request_id=uuid4(), **told)
    assert list(User.objects.filter(is_staff=True, is_active=True)) == [adm1]


def test_the_same_order_twice_has_one_effect() -> None:
    key = uuid4()
    for _again in range(2):
        assert "is suspended and signed out" in text(order("suspend", "asha", request_id=key))
    assert log() == [("user.suspended", "adm1")]
    assert "is suspended already" in text(order("suspend", "asha"))
    assert order("suspend", "ravi", request_id=key).status_code == 409


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, 409),
        ({"do": "burn", "row": "1"}, 409),
        ({"do": "suspend", "row": "x"}, 409),
        ({"do": "suspend", "row": "9" * 40}, 409),
        ({"do": "suspend", "row": "99999"}, 404),
        ({"do": "create", "request_id": "none"}, 409),
    ],
)
def test_a_form_that_is_none_of_the_pages_is_refused(fields: dict[str, str], status: int) -> None:
    assert send(**fields).status_code == status


# -- The list


def test_search_is_by_how_a_user_name_or_a_name_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    client = as_()
    factories.user("meera", name="Meera Nair")
    factories.user("nair", name="K Nair")
    for typed, met in (("MEE", 1), ("k n", 1), ("nair", 1), ("%", 0), ("_", 0), ("", 3)):
        assert len(client.get(PAGE, {"q": typed}).context["lines"]) == met, typed
    assert "No user name and no name begins so." in text(client.get(PAGE, {"q": "zz"}))
    assert client.get(PAGE, {"q": "x" * 61}).status_code == 422
    assert client.get(PAGE, {"after": "\x00'"}).status_code == 200
    monkeypatch.setattr(user_pages, "ROWS", 2)
    first = client.get(PAGE)
    second = client.get(f"{PAGE}{first.context['next_url']}")
    assert [[line.row.username for line in page.context["lines"]] for page in (first, second)] == [
        ["adm1", "meera"],
        ["nair"],
    ]


def test_counts_are_shown_with_as_many_queries_for_many(django_assert_num_queries: object) -> None:
    meera, shree = factories.taxpayer(), factories.taxpayer(factories.SUPPLIER)
    for taxpayer in (meera, shree):
        factories.member(taxpayer, "viewer", "asha")
    acct = factories.user("acct")
    Engagement.objects.create(
        user=acct, taxpayer=meera, rights=["view"], valid_from=factories.LONG_AGO, asked_by=acct, accepted_by=acct
    )
    client = as_()
    page = client.get(PAGE)
    found = {line.row.username: (line.roles, line.engagements) for line in page.context["lines"]}
    assert found == {"acct": (0, 1), "adm1": (0, 0), "asha": (2, 0)}
    assert f'<a href="{PAGE}" aria-current="page">Users</a>' in page.text
    assert factories.RECIPIENT not in page.text
    # Session and user; users, roles, engagements.
    with django_assert_num_queries(5):
        client.get(PAGE)
    for number in range(20):
        factories.member(meera, "viewer", f"u{number}")
    with django_assert_num_queries(5):
        client.get(PAGE)
