"""Whoever may do more than look signs in with a second factor, and reaches their account only until they have one."""

from __future__ import annotations

import base64
import re
from datetime import timedelta
from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from pytest_django.fixtures import Settings

from ims_portal import access, accounts, clock, demo_codes, entrance, second_factor
from ims_portal.models import AuditEvent, Engagement, Membership, User
from tests import factories
from tests.api.client import Program, token
from tests.signing_in import CODE_PAGE, PAGE, PASSWORD, code_of, sign_in

pytestmark = pytest.mark.django_db
R = factories.RECIPIENT
DESK, SET_UP, PROOF = f"/en/t/{R}/", "/en/account/2fa/", "/en/account/2fa/reauthenticate/"


def somebody(role: str = "", **options: object) -> User:
    """Return somebody without a second factor, with a role on R if told."""
    found = factories.user("asha", has_app=False, **options)
    if role:
        factories.member(factories.taxpayer(), role, "asha")
    return found


def signed_in(user: User) -> Client:
    """Return the browser of somebody who signed in with their password alone."""
    client = Client()
    client.post(PAGE, {"login": user.username, "password": PASSWORD})
    return client


def leads_to(client: Client, path: str = DESK) -> str:
    """Return where a page leads instead, "" where it is shown."""
    answer = client.get(path)
    return answer.headers.get("Location", "") if answer.status_code in (302, 303) else ""


# -- Who needs one


@pytest.mark.parametrize(("role", "is_led"), [("viewer", False), ("preparer", True), ("signatory", True)])
def test_a_role_that_does_more_than_look_needs_one(role: str, is_led: bool) -> None:
    client = signed_in(somebody(role))
    assert leads_to(client) == (SET_UP if is_led else "")
    assert leads_to(client, "/en/me/") == (SET_UP if is_led else "")


@pytest.mark.parametrize(
    ("rights", "is_led"), [(["view"], False), (["view", "export"], False), (["view", "act"], True), (["file"], True)]
)
def test_an_engagement_counts_by_its_rights_once_it_is_accepted(rights: list[str], is_led: bool) -> None:
    asha, owner = somebody(), factories.member(factories.taxpayer(), "signatory", "owner")
    engaged = Engagement.objects.create(
        user=asha, taxpayer=factories.taxpayer(), rights=rights, valid_from=factories.LONG_AGO, asked_by=asha
    )
    client = signed_in(asha)
    assert leads_to(client, "/en/t/") == ""
    Engagement.objects.filter(pk=engaged.pk).update(accepted_by=owner)
    assert leads_to(client, "/en/t/") == (SET_UP if is_led else "")


def test_an_administrator_needs_one() -> None:
    assert leads_to(signed_in(somebody(is_staff=True)), "/en/control/users/") == SET_UP


def test_a_role_that_is_over_needs_none_and_one_given_meanwhile_counts_at_once() -> None:
    asha = somebody("viewer")
    client = signed_in(asha)
    assert leads_to(client) == ""
    Membership.objects.filter(user=asha).update(role="preparer")
    assert leads_to(client) == SET_UP
    Membership.objects.filter(user=asha).update(valid_to=clock.portal().now() - timedelta(days=1))
    assert leads_to(client, "/en/t/") == ""


def addresses() -> list[tuple[str, bool]]:
    """Return every page by an address that leads to it, and whether it is open to everybody or one's own account's."""
    found: list[tuple[str, bool]] = []

    def walk(entries: list[URLPattern | URLResolver], before: str) -> None:
        for entry in entries:
            route = before + str(entry.pattern)
            if isinstance(entry, URLResolver):
                walk(entry.url_patterns, route)
                continue
            filled = re.sub(r"<(\w+:)?\w+>|\(\?P<\w+>.*?\)", lambda part: EXAMPLES.get(part[1] or "", "x"), route)
            name = entry.name or ""
            is_open = name.startswith(entrance.OF_ACCOUNT) or name in entrance.OPEN
            found.append((f"/{filled}", is_open or not getattr(entry.callback, "login_required", True)))

    walk(get_resolver().url_patterns, "")
    return [(address.replace("^", "").replace("$", ""), is_open) for address, is_open in found]


EXAMPLES = {"int:": "1", "uuid:": "11111111-1111-4111-8111-111111111111", "slug:": "x", "str:": R}


def test_no_page_but_the_account_s_and_everybody_s_is_reached_without_it() -> None:
    client = signed_in(somebody("signatory", is_staff=True))
    closed = [address for address, is_open in addresses() if not is_open]
    assert len(closed) > 80
    for address in closed:
        for answer in (client.get(address), client.post(address, {})):
            assert answer.status_code in (303, 404), address
            assert answer.status_code == 404 or answer.headers["Location"] == SET_UP, address


def test_what_is_open_without_it_reads_no_taxpayer() -> None:
    of_pages = [address for address, is_open in addresses() if is_open and address.startswith("/en/")]
    assert [address for address in of_pages if R in address] == [f"/en/t/{R}/ims/deadlines.ics"]  # by a key of its own


def test_a_part_of_a_page_sends_the_whole_page_there() -> None:
    client = signed_in(somebody("preparer"))
    assert client.get(DESK, headers={"HX-Request": "true"}).headers["HX-Redirect"] == SET_UP


def test_a_sandbox_may_do_without(settings: Settings) -> None:
    settings.IMS_MFA = "optional"
    asha = somebody("signatory")
    assert leads_to(signed_in(asha)) == ""
    assert Program(token(asha, R)).get("token").status_code == 200


# -- Setting one up


@pytest.mark.django_db(transaction=True)
def test_who_sets_an_app_up_goes_on_in_a_session_with_a_new_key() -> None:
    asha = somebody("signatory")
    client = signed_in(asha)
    assert "Your rights need a second step of signing in" in client.get(DESK, follow=True).text
    before, page = client.session.session_key, client.get(f"{SET_UP}totp/activate/")
    secret = client.session["mfa.totp.secret"]
    assert secret in page.text
    code = auth.format_hotp_value(auth.hotp_value(secret, next(auth.yield_hotp_counters_from_time())))
    done = client.post(f"{SET_UP}totp/activate/", {"code": code})
    assert done.headers["Location"] == f"{SET_UP}recovery-codes/"
    assert client.session.session_key != before
    assert leads_to(client) == ""
    told = client.get("/en/me/").text
    assert "Second step of signing in added" in told
    assert AuditEvent.objects.filter(event="account.factor_added", actor=asha).exists()


def test_a_session_from_before_is_asked_for_the_factor() -> None:
    asha = somebody("signatory")
    here, there = signed_in(asha), signed_in(asha)
    assert leads_to(there) == SET_UP
    demo_codes.give(asha)
    assert leads_to(here) == f"{PROOF}?next={DESK.replace('/', '%2F')}"
    answer = here.post(PROOF, {"code": code_of("asha"), "next": DESK})
    assert answer.headers["Location"] == DESK
    assert leads_to(here) == ""


def test_the_last_factor_stays_while_rights_need_it(client: Client) -> None:
    factories.member(factories.taxpayer(), "preparer", "ravi")
    sign_in(client, "ravi")
    answer = client.post(f"{SET_UP}totp/deactivate/", follow=True)
    assert Authenticator.objects.filter(user__username="ravi").exists(), answer.text
    Membership.objects.update(role="viewer")
    client.post(f"{SET_UP}totp/deactivate/")
    assert not Authenticator.objects.filter(user__username="ravi").exists()


# -- Signing in with it


def test_the_password_alone_lets_nobody_in_who_has_one(client: Client) -> None:
    factories.member(factories.taxpayer(), "viewer", "ravi")
    client.post(PAGE, {"login": "ravi", "password": PASSWORD})
    assert leads_to(client).startswith("/en/account/login/")
    client.get(CODE_PAGE)
    before = client.session.session_key
    assert "The code is wrong, or was used already" in client.post(CODE_PAGE, {"code": "000000"}).text
    client.post(CODE_PAGE, {"code": code_of("ravi")})
    assert leads_to(client) == ""
    assert client.session.session_key != before


def test_a_code_is_good_once() -> None:
    factories.user("ravi")
    first, second = Client(), Client()
    sign_in(first, "ravi")
    second.post(PAGE, {"login": "ravi", "password": PASSWORD})
    assert "used already" in second.post(CODE_PAGE, {"code": demo_codes.now("ravi").digits}).text


def test_five_wrong_codes_are_the_most_even_from_new_sessions() -> None:
    factories.user("ravi")
    for _try in range(5):
        client = Client()
        client.post(PAGE, {"login": "ravi", "password": PASSWORD})
        assert "The code is wrong" in client.post(CODE_PAGE, {"code": "000000"}).text
    answer = client.post(CODE_PAGE, {"code": demo_codes.now("ravi").digits})
    assert "Too many" in answer.text
    assert leads_to(client).startswith("/en/account/login/")


def test_a_recovery_code_lets_in_once(client: Client) -> None:
    ravi = factories.user("ravi")
    code = RecoveryCodes.activate(ravi).get_unused_codes()[0]
    client.post(PAGE, {"login": "ravi", "password": PASSWORD})
    client.post(CODE_PAGE, {"code": code})
    assert leads_to(client, "/en/t/") == ""
    again = Client()
    again.post(PAGE, {"login": "ravi", "password": PASSWORD})
    assert "used already" in again.post(CODE_PAGE, {"code": code}).text


def test_a_new_password_does_not_do_without_it(client: Client) -> None:
    ravi = factories.user("ravi")
    (page, _status) = client.get(accounts.password_path(ravi), follow=True).redirect_chain[-1]
    client.post(page, {"password1": "another fine battery", "password2": "another fine battery"})
    assert leads_to(client, "/en/t/").startswith("/en/account/login/")
    asked = client.post(PAGE, {"login": "ravi", "password": "another fine battery"})
    assert asked.headers["Location"] == CODE_PAGE


# -- Programs


def test_a_token_lets_nobody_in_whose_person_has_none() -> None:
    asha = factories.member(factories.taxpayer(), "signatory", "asha")
    program = Program(token(asha, R))
    assert program.get("token").status_code == 200
    asha.authenticator_set.all().delete()
    answer = program.get("token")
    assert answer.status_code == 403
    assert "add an app or a security key" in answer.json()["message"]


# -- How secrets are kept


def test_secrets_are_sealed_and_no_code_fits_under_another_secret_key(settings: Settings) -> None:
    ravi = factories.user("ravi")
    seed = RecoveryCodes.activate(ravi).get_unused_codes()
    kept = {row.type: row for row in ravi.authenticator_set.all()}
    secret = demo_codes.secret("ravi")
    assert secret not in str(kept["totp"].data)
    assert base64.b32decode(secret).hex() not in str(kept["totp"].data)
    assert second_factor.MfaAdapter().decrypt(kept["totp"].data["secret"]) == secret
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "x" * 60, [settings.SECRET_KEY]
    assert second_factor.MfaAdapter().decrypt(kept["totp"].data["secret"]) == secret
    settings.SECRET_KEY_FALLBACKS = []
    assert not kept["totp"].wrap().validate_code(demo_codes.now("ravi").digits)
    assert kept["recovery_codes"].wrap().get_unused_codes() != seed


# -- The demo's known codes


def test_a_demo_tells_its_codes_on_the_page_that_asks_and_by_a_command(client: Client) -> None:
    factories.user("ravi")
    client.post(PAGE, {"login": "ravi", "password": PASSWORD})
    assert demo_codes.now("ravi").digits in client.get(CODE_PAGE).text
    out = StringIO()
    call_command("codes", "ravi", stdout=out)
    assert demo_codes.now("ravi").digits in out.getvalue()


def test_nothing_tells_codes_elsewhere_or_of_somebody_s_own_app(client: Client, settings: Settings) -> None:
    ravi = factories.user("ravi", has_app=False)
    auth.TOTP.activate(ravi, auth.generate_totp_secret())
    client.post(PAGE, {"login": "ravi", "password": PASSWORD})
    assert "This is a demo" not in client.get(CODE_PAGE).text
    with pytest.raises(CommandError, match="an app of their own"):
        call_command("codes", "ravi")
    settings.IMS_DEMO_CODES = False
    assert demo_codes.shown(factories.user("asha")) is None
    with pytest.raises(CommandError, match="only in a demo"):
        call_command("codes", "asha")


def test_viewers_rights_are_all_that_needs_none() -> None:
    assert {access.Right.VIEW, access.Right.EXPORT} == access.VIEWER
    assert reverse("mfa_index") == SET_UP
