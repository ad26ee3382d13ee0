"""What weighs much asks for the password or a code of the last ten minutes; without it nothing is done (promises 4.3).

Tokens, bulk changes and the supplier's returns are tested with their pages, programs in tests/api/test_step_up.py.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from urllib.parse import unquote

import pytest
from django.test import Client

from ims_portal import clock
from ims_portal.models import AuditEvent, DueDateExtension, Engagement, Membership, Nomination, Taxpayer, User
from returns.models import Filing
from tests import factories
from tests.ims_portal.test_calendar_page import ASKED, PAGE
from tests.signing_in import PASSWORD

pytestmark = pytest.mark.django_db
R, TODAY = factories.RECIPIENT, "2026-12-01"
ASKS = "/en/account/reauthenticate/"


@pytest.fixture(autouse=True)
def _portal(now: object) -> None:
    """Let the portal stand on TODAY."""


@pytest.fixture
def long_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let eleven minutes pass since anybody signed in."""
    then = clock.real() + timedelta(minutes=11)
    monkeypatch.setattr(clock, "real", lambda: then)


def browser(user: User) -> Client:
    """Return the browser of somebody who has signed in."""
    client = Client()
    client.force_login(user)
    return client


def asked(client: Client, page: str, **fields: object) -> str:
    """Send a form that must not be carried out, and return the page that is led back to after the proof."""
    answer = client.post(page, {"gstin": R, "request_id": str(uuid.uuid4()), **fields})
    assert answer.status_code == 303
    where, _, back = answer.headers["Location"].partition("?next=")
    assert where == ASKS
    assert "say first that it is you" in client.get(answer.headers["Location"]).text
    return unquote(back)


@pytest.mark.usefixtures("long_ago")
class TestWithoutProof:
    """Nothing is done."""

    @pytest.fixture
    def owner(self) -> Client:
        """A signatory of R."""
        return browser(factories.member(factories.taxpayer(), "signatory", "owner"))

    @pytest.fixture
    def administrator(self) -> Client:
        """An administrator."""
        return browser(factories.user("adm1", is_staff=True))

    @pytest.mark.parametrize("deed", ["give", "offer", "change-role", "end-role", "accept", "end-engagement"])
    def test_roles_and_engagements_stay(self, owner: Client, deed: str) -> None:
        factories.user("ravi")
        row = Membership.objects.get().pk
        back = asked(owner, f"/en/t/{R}/people/", do=deed, username="ravi", role="viewer", row=row)
        assert back == f"/en/t/{R}/people/"
        assert Membership.objects.get().valid_to is None
        assert not Engagement.objects.exists()

    @pytest.mark.parametrize("deed", ["ask", "accept", "end"])
    def test_a_practitioner_asks_for_nothing(self, deed: str) -> None:
        factories.taxpayer()
        back = asked(browser(factories.user("anand")), "/en/clients/engagements/", do=deed, row=1, rights=["act"])
        assert back == "/en/clients/engagements/"
        assert not Engagement.objects.exists()

    def test_no_due_date_moves_and_the_form_is_found_as_it_was(self, administrator: Client) -> None:
        back = asked(administrator, PAGE, **ASKED)
        assert ASKED["notification"] in administrator.get(back).text
        for deed in ("approve", "withdraw"):
            assert asked(administrator, f"{PAGE}1/{deed}/") == PAGE
        assert not DueDateExtension.objects.exists()

    @pytest.mark.parametrize("deed", ["create", "link", "suspend", "reactivate", "end-sessions"])
    def test_no_account_is_touched(self, administrator: Client, deed: str) -> None:
        ravi = factories.user("ravi")
        asked(administrator, "/en/control/users/", do=deed, row=ravi.pk, username="new", name="New")
        assert User.objects.filter(is_active=True, signed_out_at=None).count() == 2

    @pytest.mark.parametrize("deed", ["create", "name", "confirm", "withdraw"])
    def test_no_signatory_is_named(self, administrator: Client, deed: str) -> None:
        asked(administrator, "/en/control/taxpayers/", do=deed, row=1, username="ravi")
        assert not Nomination.objects.exists()
        assert not Taxpayer.objects.exists()

    def test_no_gstr3b_is_filed(self, owner: Client) -> None:
        page = f"/en/t/{R}/returns/102025/gstr3b/"
        assert asked(owner, f"{page}file/") == f"{page}review/"
        assert not Filing.objects.exists()

    @pytest.mark.parametrize("page", ["totp/deactivate/", "recovery-codes/generate/", "webauthn/add/"])
    def test_no_factor_changes(self, owner: Client, page: str) -> None:
        factors = list(User.objects.get().authenticator_set.values_list("pk", "data"))
        assert ASKS in owner.post(f"/en/account/2fa/{page}").headers["Location"]
        assert list(User.objects.get().authenticator_set.values_list("pk", "data")) == factors

    def test_no_mail_address_changes(self, owner: Client) -> None:
        answer = owner.post("/en/account/email/", {"email": "x@example.in", "action_add": ""})
        assert ASKS in answer.headers["Location"]
        assert not User.objects.get().emailaddress_set.exists()


def test_after_the_proof_it_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    owner = browser(factories.member(factories.taxpayer(), "signatory", "owner"))
    factories.user("ravi")
    page, fields = f"/en/t/{R}/people/", {"do": "give", "username": "ravi", "role": "viewer"}
    with monkeypatch.context() as patched:
        then = clock.real() + timedelta(minutes=11)
        patched.setattr(clock, "real", lambda: then)
        asked(owner, page, **fields)
    assert owner.post(ASKS, {"password": PASSWORD, "next": page}).headers["Location"] == page
    owner.post(page, {"gstin": R, "request_id": str(uuid.uuid4()), **fields})
    assert Membership.objects.filter(user__username="ravi").exists()
    assert AuditEvent.objects.filter(event="role.given").exists()
