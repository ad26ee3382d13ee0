"""The page of tokens: who may make which, shown once and kept nowhere, and ended by its own person alone."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ims_portal import clock, tokens
from ims_portal.access import Right
from ims_portal.models import ApiToken, AuditEvent, Command, Engagement, Taxpayer, User
from tests import english, factories
from tests.api.client import Program, token
from tests.signing_in import PASSWORD, sign_in

pytestmark = pytest.mark.django_db
R, S = factories.RECIPIENT, factories.SUPPLIER
PAGE = "/en/me/tokens/"
SHOWN = re.compile(r'value="(imsp_[^"]+)"')


@pytest.fixture
def asha(client: Client) -> User:
    """A signatory of R who has just signed in."""
    found = factories.member(factories.taxpayer(name="Meera Traders"), "signatory", "asha")
    sign_in(client, "asha")
    return found


def ask(client: Client, **fields: object) -> Any:  # noqa: ANN401 - the test client's answer
    """Send the form."""
    usual = {"name": "erp", "gstins": [R], "rights": ["act"], "lasts": "24", "networks": "", "do": "make"}
    return client.post(PAGE, {**usual, "request_id": str(uuid.uuid4()), **fields})


def later(monkeypatch: pytest.MonkeyPatch, minutes: int) -> None:
    """Let minutes pass since anybody signed in."""
    then = clock.real() + timedelta(minutes=minutes)
    monkeypatch.setattr(clock, "real", lambda: then)


def test_a_token_is_shown_once_and_lets_a_program_in(client: Client, asha: User) -> None:
    page = ask(client, networks="127.0.0.0/8\n\n 2001:0DB8:0:0:0:0:0:1 \n")
    assert page.status_code == 200
    (text,) = SHOWN.findall(page.text)
    assert f"curl -H 'Authorization: Bearer {text}' http://testserver/api/v1/token" in page.text
    assert "no-store" in page.headers["Cache-Control"]
    told = Program(text).get("token").json()
    assert (told["name"], told["taxpayers"][0]["gstin"]) == ("erp", R)
    assert told["taxpayers"][0]["rights"] == ["act", "view"]
    kept = asha.api_tokens.get()
    assert kept.networks == ["127.0.0.0/8", "2001:db8::1/128"]
    assert kept.expires_at - kept.made_at == timedelta(days=1)
    assert text not in client.get(PAGE).text


@pytest.mark.usefixtures("asha")
def test_the_text_of_a_token_stays_nowhere(
    client: Client, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    page = ask(client)
    (text,) = SHOWN.findall(page.text)
    secret = text.split("_", 2)[2]  # may hold "_" itself
    assert len(secret) > tokens.OCTETS
    kept = [session.get_decoded() for session in Session.objects.all()]
    rows = [list(model.objects.values()) for model in (ApiToken, AuditEvent, Command)]
    out = capfd.readouterr()
    assert AuditEvent.objects.filter(event="token.made").exists()
    assert secret not in f"{kept} {rows} {caplog.text} {out.out} {out.err} {page.cookies} {dict(page.headers)}"


def test_the_same_form_sent_again_makes_and_shows_nothing(client: Client, asha: User) -> None:
    request_id = str(uuid.uuid4())
    first, again = (ask(client, request_id=request_id) for _time in range(2))
    assert SHOWN.findall(first.text)
    assert not SHOWN.findall(again.text)
    assert "This token was made already" in again.text
    assert "shown only once" in again.text
    assert asha.api_tokens.count() == 1
    assert ask(client, request_id=request_id, name="other").status_code == 409


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"name": ""}, "Give it a name"),
        ({"name": "x" * 61}, "at most 60"),
        ({"name": "a\u202eb"}, "cannot be shown"),
        ({"gstins": []}, "Choose at least one GSTIN"),
        ({"gstins": [S]}, "made by a signatory"),
        ({"gstins": [R, "x"]}, "made by a signatory"),
        ({"rights": ["grant"]}, "is not one of the available choices"),
        ({"rights": ["file"]}, "is not one of the available choices"),
        ({"lasts": "721"}, "is not one of the available choices"),
        ({"networks": "anywhere"}, "Write addresses like"),
        ({"networks": "10.0.0.1/8"}, "Write addresses like"),
        ({"networks": "\n".join(f"10.0.0.{n}" for n in range(21))}, "Write addresses like"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_all_stays_filled_in(
    client: Client, asha: User, wrong: dict[str, object], told: str
) -> None:
    factories.taxpayer(S)
    page = ask(client, **{"name": "erp of Pune", **wrong})
    (field,) = wrong
    assert page.status_code == 422
    assert told in page.text
    assert f'id="id_{field}-error"' in page.text
    if field != "name":
        assert 'value="erp of Pune"' in page.text
    assert not asha.api_tokens.exists()


def test_filing_is_chosen_only_by_who_has_an_app(client: Client, asha: User) -> None:
    asha.authenticator_set.update(type=Authenticator.Type.WEBAUTHN)  # a key instead of the app
    page = client.get(PAGE).text
    assert re.search(r'name="file" id="id_file" disabled', page)
    assert "/en/account/2fa/totp/activate/" in page
    refused = ask(client, file="on")
    assert refused.status_code == 422
    assert "you have none yet" in refused.text
    asha.authenticator_set.update(type=Authenticator.Type.TOTP)
    page = client.get(PAGE).text
    assert not re.search(r'name="file" id="id_file" disabled', page)
    assert "one-time code of your authenticator app with every filing" in page
    assert ask(client, file="on").status_code == 200
    assert asha.api_tokens.get().rights == ["act", "file", "view"]


def test_who_signed_in_long_ago_proves_who_they_are_and_finds_the_form_as_it_was(
    client: Client, asha: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        later(patched, 11)
        assert "You are asked for your password or code first" in client.get(PAGE).text
        answer = ask(client, name="erp of Pune", networks="10.0.0.1", lasts="168")
        assert answer.status_code == 303
        assert answer.headers["Location"] == "/en/account/reauthenticate/?next=%2Fen%2Fme%2Ftokens%2F"
        assert not asha.api_tokens.exists()
        assert not SHOWN.findall(str(answer.headers))
    answer = client.post("/en/account/reauthenticate/", {"password": PASSWORD, "next": PAGE}, follow=True)
    page = answer.text
    assert 'value="erp of Pune"' in page
    assert '<option value="168" selected>' in page
    assert f'value="{R}" checked' in page
    assert 'value="act" checked' in page
    assert ">10.0.0.1</textarea>" in page
    assert 'value="erp of Pune"' not in client.get(PAGE).text
    assert ask(client).status_code == 200
    assert asha.api_tokens.exists()


@pytest.mark.parametrize("role", ["viewer", "preparer"])
def test_who_is_no_signatory_sees_whom_to_ask(client: Client, role: str) -> None:
    recipient = factories.taxpayer(name="Meera Traders")
    factories.member(recipient, "signatory", "asha")
    client.force_login(factories.member(recipient, role, "ravi"))
    page = client.get(PAGE).text
    assert "Only a signatory makes tokens" in page
    assert re.search(rf'Meera Traders</span> <span class="gstin">{R}</span>: <span translate="no">Asha</span>', page)
    assert 'name="gstins"' not in page
    refused = ask(client)
    assert (refused.status_code, ApiToken.objects.count()) == (403, 0)
    assert "Only a signatory makes tokens" in refused.text


def test_a_practitioner_never_makes_tokens(client: Client) -> None:
    firm, recipient = factories.user("firm"), factories.taxpayer()
    Engagement.objects.create(
        user=firm,
        taxpayer=recipient,
        rights=["act", "grant"],
        valid_from=factories.LONG_AGO,
        asked_by=firm,
        accepted_by=factories.member(recipient, "signatory", "asha"),
    )
    client.force_login(firm)
    assert ask(client).status_code == 403
    assert not ApiToken.objects.exists()


def test_somebody_without_any_gstin_is_told_how_one_becomes_signatory(client: Client) -> None:
    client.force_login(factories.user("eve"))
    assert "A signatory gives you the role" in client.get(PAGE).text


def test_tokens_are_listed_with_what_they_may_and_only_one_s_own(client: Client, asha: User) -> None:
    token(asha, R, rights=[Right.EXPORT])
    mine = asha.api_tokens.get()
    other = factories.member(factories.taxpayer(), "signatory", "bela")
    token(other, R)
    page = client.get(PAGE).text
    assert f"imsp_{mine.prefix}" in page
    assert "Take files out</li>" in page
    assert ">never</td>" in page
    assert f"imsp_{other.api_tokens.get().prefix}" not in page
    asha.api_tokens.update(expires_at=clock.real())
    assert "No program has a token of yours" in client.get(PAGE).text


def test_a_token_is_revoked_by_its_own_person_alone(client: Client, asha: User) -> None:
    program = Program(token(asha, R))
    address = f"{PAGE}{asha.api_tokens.get().prefix}/revoke/"
    stranger = Client()
    stranger.force_login(factories.member(factories.taxpayer(), "signatory", "bela"))
    assert stranger.post(address, {"request_id": str(uuid.uuid4())}).status_code == 404
    assert client.get(address).status_code == 405
    assert client.post(address).status_code == 409  # no request id
    assert program.get("token").status_code == 200
    for _time in range(2):
        assert client.post(address, {"request_id": str(uuid.uuid4())}).headers["Location"] == PAGE
    assert program.get("token").status_code == 401
    assert AuditEvent.objects.filter(event="token.revoked").count() == 1


def many(user: User, count: int) -> list[Taxpayer]:
    """Return taxpayers of which somebody is signatory."""
    numbers = [f"27AAA{'ABCDEFGHIJKLMNOPQRSTUVWXYZ'[n]}R{1000 + n}K1Z7" for n in range(count)]
    found = [factories.taxpayer(gstin, name=f"Branch {gstin[5]}") for gstin in numbers]
    for taxpayer in found:
        factories.member(taxpayer, "signatory", user.username)
    return found


def test_many_gstins_are_narrowed_down_without_losing_what_is_filled_in(client: Client, asha: User) -> None:
    branches = many(asha, 24)
    page = client.get(PAGE).text
    assert page.count('name="gstins"') == 20
    assert "5 more fit" in page
    page = ask(client, do="narrow", narrow="branch x", gstins=[branches[1].gstin], networks="half an addre").text
    assert not asha.api_tokens.exists()
    assert re.findall(r'name="gstins" id="gstin-(\w+)"', page) == [branches[1].gstin, branches[23].gstin]
    assert f'value="{branches[1].gstin}" checked' in page
    assert 'value="erp"' in page
    assert ">half an addre</textarea>" in page
    assert "No name and no GSTIN" in ask(client, do="narrow", narrow="nobody", gstins=[]).text
    page = ask(client, narrow="branch x", gstins=[branch.gstin for branch in branches])
    assert asha.api_tokens.get().taxpayers.count() == 24


def test_the_page_asks_the_database_as_often_for_many_as_for_one(client: Client, asha: User) -> None:
    token(asha, R)
    client.get(PAGE)
    with CaptureQueriesContext(connection) as few:
        client.get(PAGE)
    branches = many(asha, 9)
    for _time in range(3):
        token(asha, *(branch.gstin for branch in branches))
    with CaptureQueriesContext(connection) as more:
        page = client.get(PAGE).text
    assert len(more) == len(few) <= 9
    assert page.count("<summary>4 more</summary>") == 3


def test_whom_to_ask_costs_one_question_however_many_gstins(client: Client) -> None:
    client.force_login(factories.user("ravi"))
    counts = []
    for gstin in (R, S):
        taxpayer = factories.taxpayer(gstin)
        factories.member(taxpayer, "preparer", "ravi")
        factories.member(taxpayer, "signatory", f"sig{gstin[:2]}")
        with CaptureQueriesContext(connection) as asked:
            page = client.get(PAGE).text
        counts.append(len(asked))
    assert counts[0] == counts[1]
    assert "Sig27" in page
    assert "Sig24" in page


def test_networks_are_kept_in_their_short_form_whatever_was_written(asha: User) -> None:
    longest = "0000:0000:0000:0000:0000:ffff:192.168.100.228/128"
    terms = tokens.Terms("erp", [R], [Right.VIEW], networks=[longest])
    tokens.make(user=asha, terms=terms, clock=clock.portal(), request_id=uuid.uuid4())
    assert asha.api_tokens.get().networks == ["::ffff:c0a8:64e4/128"]


def test_in_hindi_whatever_the_page_says_is_hindi(client: Client, asha: User) -> None:
    client.get(PAGE)  # where the English sign-in says that it worked
    page = PAGE.replace("/en/", "/hi/")
    request_id = str(uuid.uuid4())
    sent = {"name": "erp", "gstins": [R], "lasts": "6", "networks": "", "do": "make", "request_id": request_id}
    told = [client.post(page, {**sent, **more}).text for more in ({"networks": "x", "file": "on"}, {}, {})]
    many(asha, 24)
    told.append(client.get(page).text)
    client.force_login(factories.member(factories.taxpayer(), "viewer", "ravi"))
    told.append(client.get(page).text)
    names = {"Asha", "Ravi"}
    assert [english.left_in(each, data=names) for each in told] == [[]] * 5
