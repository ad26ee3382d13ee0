"""Who may enter a GSTIN: members by role, practitioners by engagement; strangers all get the same bytes."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.http import Http404
from django.test import Client

from ims_portal import access
from ims_portal.access import Right, RightMissingError
from ims_portal.models import Engagement, Membership, Taxpayer
from tests import factories

pytestmark = pytest.mark.django_db
NOW = factories.at("2025-11-12")


@pytest.fixture
def recipient() -> Taxpayer:
    """Return the recipient."""
    return factories.taxpayer()


@pytest.mark.parametrize(
    ("role", "rights"),
    [
        ("viewer", {"view", "export"}),
        ("preparer", {"view", "export", "act", "supply", "compute"}),
        ("signatory", {"view", "export", "act", "supply", "compute", "file", "grant"}),
    ],
)
def test_a_role_holds_its_rights(recipient: Taxpayer, role: str, rights: set[str]) -> None:
    held = access.for_taxpayer(user=factories.member(recipient, role), gstin=recipient.gstin, at=NOW)
    assert {right.value for right in held.rights} == rights
    assert held.capacity == role


def test_a_stranger_finds_no_such_gstin(recipient: Taxpayer) -> None:
    with pytest.raises(Http404):
        access.for_taxpayer(user=factories.user("eve"), gstin=recipient.gstin, at=NOW)


def test_a_missing_right_names_people_who_have_it(recipient: Taxpayer) -> None:
    factories.member(recipient, "signatory", "asha")
    with pytest.raises(RightMissingError) as refused:
        access.for_taxpayer(
            user=factories.member(recipient, "preparer", "ravi"), gstin=recipient.gstin, at=NOW, right=Right.FILE
        )
    assert refused.value.who_may == ["Asha"]


def test_a_membership_that_ended_is_a_stranger_s(recipient: Taxpayer) -> None:
    gone = factories.member(recipient, "preparer", "ravi")
    Membership.objects.filter(user=gone).update(valid_to=NOW - timedelta(days=1))
    with pytest.raises(Http404):
        access.for_taxpayer(user=gone, gstin=recipient.gstin, at=NOW)


def test_a_practitioner_has_what_was_agreed_and_never_grants(recipient: Taxpayer) -> None:
    owner, firm = factories.member(recipient, "signatory", "asha"), factories.user("acct")
    engagement = Engagement.objects.create(
        user=firm, taxpayer=recipient, rights=["act", "grant"], valid_from=factories.LONG_AGO, asked_by=firm
    )
    with pytest.raises(Http404):
        access.for_taxpayer(user=firm, gstin=recipient.gstin, at=NOW)
    engagement.accepted_by = owner
    engagement.save()
    held = access.for_taxpayer(user=firm, gstin=recipient.gstin, at=NOW)
    assert held.rights == {Right.VIEW, Right.ACT}
    assert held.capacity == "practitioner"


def test_all_of_a_person_s_gstins_come_by_name_with_the_rights_of_each(recipient: Taxpayer) -> None:
    both = factories.member(recipient, "viewer", "acct")
    other = factories.taxpayer(factories.SUPPLIER, name="Asha Traders")
    for taxpayer in (recipient, other):
        Engagement.objects.create(
            user=both,
            taxpayer=taxpayer,
            rights=["act"],
            valid_from=factories.LONG_AGO,
            asked_by=both,
            accepted_by=factories.user("owner"),
        )
    found = access.all_of(user=both, at=NOW)
    assert [held.taxpayer for held in found] == [other, recipient]
    assert found == [access.for_taxpayer(user=both, gstin=one.gstin, at=NOW) for one in (other, recipient)]
    assert access.has_clients(found)
    assert access.has_clients(found[:1])
    assert not access.has_clients(found[1:])


def test_a_foreign_gstin_and_an_unknown_one_answer_the_same_bytes(client: Client, recipient: Taxpayer) -> None:
    client.force_login(factories.user("eve"))
    foreign = client.get(f"/en/t/{recipient.gstin}/")
    unknown = client.get("/en/t/29AAAAA0000A1Z5/")
    assert foreign.status_code == unknown.status_code == 404
    assert _alike(foreign.text) == _alike(unknown.text)
    assert recipient.gstin not in foreign.text


@pytest.mark.parametrize("path", ["/en/t/", "/en/control/clock/", f"/en/t/{factories.RECIPIENT}/"])
def test_nobody_is_let_in_without_signing_in(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/en/account/login/")


def test_an_administrator_sees_no_taxpayer_s_records(client: Client, recipient: Taxpayer) -> None:
    client.force_login(factories.user("boss", is_staff=True, is_superuser=True))
    assert client.get(f"/en/t/{recipient.gstin}/").status_code == 404


def _alike(page: str) -> str:
    """Return a page without what differs from one request to the next: the time, and the token of its forms."""
    return re.sub(r'<time>.*?</time>|name="csrfmiddlewaretoken" value="\w+"', "", page)


@pytest.mark.parametrize("gstin", ["%00", "29AAKCT0000P1Z6%00", "%ED%A0%80", "' OR 1=1", "A" * 3000])
def test_what_is_no_word_is_no_gstin(client: Client, recipient: Taxpayer, gstin: str) -> None:
    client.force_login(factories.member(recipient, "viewer"))
    assert client.get(f"/en/t/{gstin}/").status_code == 404
