"""Roles: given, changed and ended by who may grant, never to oneself; the last signatory stays; nothing is deleted."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.http import Http404

from ims_portal import access, once, roles
from ims_portal.access import Right, RightMissingError
from ims_portal.models import AuditEvent, Engagement, Membership, Taxpayer, User
from ims_portal.roles import RefusedError, Role
from tests import factories

pytestmark = pytest.mark.django_db
DAY = "2025-11-12"
NOW = factories.at(DAY)


@pytest.fixture
def firm() -> Taxpayer:
    """Return a taxpayer whose only signatory is Sig."""
    found = factories.taxpayer()
    factories.member(found, "signatory", "sig")
    return found


def told(by: str = "sig", on: str = DAY) -> dict[str, object]:
    """Return what every command takes."""
    return {
        "taxpayer": factories.taxpayer(),
        "actor": User.objects.get(username=by),
        "clock": factories.clock(on),
        "request_id": uuid4(),
    }


def row(username: str) -> int:
    return Membership.objects.get(user__username=username, valid_to=None).pk


def may(username: str, on: str = DAY) -> set[str]:
    user = User.objects.get(username=username)
    held = access.standing(user=user, taxpayer=factories.taxpayer(), at=factories.at(on))
    return {right.value for right in held.rights} if held else set()


def log() -> list[tuple[str, str]]:
    return list(AuditEvent.objects.order_by("id").values_list("event", "actor__username"))


def test_a_role_holds_from_the_moment_it_is_given(firm: Taxpayer) -> None:
    ravi = factories.user("ravi")
    assert may("ravi") == set()
    assert roles.give(username="ravi", role=Role.PREPARER, **told()) == ravi
    assert may("ravi") == {right.value for right in access.PREPARER}
    assert may("ravi", "2025-11-11") == set()
    kept = Membership.objects.get(user=ravi)
    assert (kept.valid_from, kept.valid_to, kept.granted_by) == (NOW, None, User.objects.get(username="sig"))
    event = AuditEvent.objects.get()
    assert (event.event, event.capacity, event.taxpayer) == ("role.given", "signatory", firm)
    assert event.details == {"user": ravi.pk, "role": "preparer"}


@pytest.mark.usefixtures("firm")
def test_another_role_ends_the_one_before_and_keeps_it() -> None:
    factories.member(factories.taxpayer(), "viewer", "ravi")
    before = row("ravi")
    roles.change(membership=before, role=Role.SIGNATORY, **told())
    assert "grant" in may("ravi")
    ended = Membership.objects.get(pk=before)
    assert (ended.role, ended.valid_to) == ("viewer", NOW)
    held, past = roles.of(factories.taxpayer(), NOW)
    assert [(each.user.username, each.role) for each in held] == [("ravi", "signatory"), ("sig", "signatory")]
    assert past == [ended]
    assert log() == [("role.changed", "sig")]


@pytest.mark.usefixtures("firm")
def test_a_role_that_ended_gives_nothing_and_can_be_given_again() -> None:
    factories.member(factories.taxpayer(), "preparer", "ravi")
    roles.end(membership=row("ravi"), **told())
    assert may("ravi") == set()
    assert "act" in may("ravi", "2025-11-11")
    roles.give(username="ravi", role=Role.VIEWER, **told(on="2025-11-13"))
    assert may("ravi", "2025-11-13") == {"view", "export"}
    assert Membership.objects.filter(user__username="ravi").count() == 2
    assert log() == [("role.ended", "sig"), ("role.given", "sig")]


@pytest.mark.parametrize("by", ["preparer", "viewer", "practitioner", "stranger", "boss"])
def test_only_who_may_grant_gives_changes_or_ends(firm: Taxpayer, by: str) -> None:
    if by in ("preparer", "viewer"):
        factories.member(firm, by, by)
    factories.user(by, is_staff=by == "boss")
    if by == "practitioner":
        rights = [right.value for right in Right]
        options = {"asked_by": factories.user(by), "accepted_by": factories.user("sig"), "rights": rights}
        Engagement.objects.create(user=factories.user(by), taxpayer=firm, valid_from=factories.LONG_AGO, **options)
    factories.user("ravi")
    with pytest.raises(RightMissingError) as refused:
        roles.give(username="ravi", role=Role.VIEWER, **told(by))
    assert refused.value.who_may == ["Sig"]
    with pytest.raises(RightMissingError):
        roles.change(membership=row("sig"), role=Role.VIEWER, **told(by))
    with pytest.raises(RightMissingError):
        roles.end(membership=row("sig"), **told(by))
    assert may("ravi") == set()
    assert "grant" in may("sig")
    assert log() == []


@pytest.mark.usefixtures("firm")
def test_a_right_that_ended_meanwhile_grants_nothing() -> None:
    factories.member(factories.taxpayer(), "signatory", "other")
    Membership.objects.filter(pk=row("other")).update(valid_to=NOW)
    factories.user("ravi")
    with pytest.raises(RightMissingError):
        roles.give(username="ravi", role=Role.VIEWER, **told("other"))


@pytest.mark.usefixtures("firm")
def test_nobody_gives_or_changes_their_own() -> None:
    with pytest.raises(RefusedError, match="Nobody gives a role to themselves") as refused:
        roles.give(username="sig", role=Role.SIGNATORY, **told())
    assert refused.value.field == "username"
    factories.member(factories.taxpayer(), "signatory", "other")
    with pytest.raises(RefusedError, match="Nobody changes their own role"):
        roles.change(membership=row("sig"), role=Role.VIEWER, **told())


def test_the_last_signatory_stays_and_one_of_two_may_go(firm: Taxpayer) -> None:
    with pytest.raises(RefusedError, match="Sig is the only signatory"):
        roles.end(membership=row("sig"), **told())
    suspended = factories.member(firm, "signatory", "suspended")
    User.objects.filter(pk=suspended.pk).update(is_active=False)
    with pytest.raises(RefusedError, match="Sig is the only signatory"):
        roles.end(membership=row("sig"), **told())
    factories.member(firm, "signatory", "other")
    roles.end(membership=row("sig"), **told())
    assert may("sig") == set()
    with pytest.raises(RefusedError, match="Other is the only signatory"):
        roles.end(membership=row("other"), **told("other"))


@pytest.mark.parametrize(
    ("username", "match"),
    [
        ("nobody", "There is no user nobody here"),
        ("gone", "There is no user gone here"),
        ("Ravi", "There is no user Ravi here"),
        ("boss", "is an administrator of this portal"),
        ("viewer", "has a role on this GSTIN already: Viewer"),
        ("acct", "has an engagement, or a request for one"),
    ],
)
def test_who_cannot_be_given_a_role_is_told_plainly(firm: Taxpayer, username: str, match: str) -> None:
    factories.user("gone", is_active=False)
    factories.user("boss", is_staff=True)
    factories.user("ravi")
    factories.member(firm, "viewer", "viewer")
    acct = factories.user("acct")
    Engagement.objects.create(user=acct, taxpayer=firm, valid_from=factories.LONG_AGO, asked_by=acct)
    with pytest.raises(RefusedError, match=match) as refused:
        roles.give(username=username, role=Role.PREPARER, **told())
    assert refused.value.field == "username"
    assert log() == []


@pytest.mark.usefixtures("firm")
def test_what_ended_or_is_so_already_is_refused_and_another_s_row_is_not_found() -> None:
    factories.member(factories.taxpayer(), "viewer", "ravi")
    ravi = row("ravi")
    with pytest.raises(RefusedError, match="has this role already: Viewer"):
        roles.change(membership=ravi, role=Role.VIEWER, **told())
    roles.end(membership=ravi, **told())
    with pytest.raises(RefusedError, match="has ended already"):
        roles.end(membership=ravi, **told())
    with pytest.raises(RefusedError, match="has ended already"):
        roles.change(membership=ravi, role=Role.PREPARER, **told())
    foreign = factories.taxpayer(factories.SUPPLIER)
    factories.member(foreign, "viewer", "mina")
    with pytest.raises(Http404):
        roles.end(membership=row("mina"), **told())
    assert Membership.objects.get(user__username="mina").valid_to is None


@pytest.mark.usefixtures("firm")
def test_the_same_request_twice_has_one_effect_and_with_another_body_none() -> None:
    factories.user("ravi")
    asked = told()
    for _press in range(2):
        assert roles.give(username="ravi", role=Role.VIEWER, **asked).username == "ravi"
    with pytest.raises(once.MismatchError):
        roles.give(username="ravi", role=Role.SIGNATORY, **asked)
    ending, membership = told(), row("ravi")
    for _press in range(2):
        roles.end(membership=membership, **ending)
    assert log() == [("role.given", "sig"), ("role.ended", "sig")]
    assert Membership.objects.get(pk=membership).valid_to == NOW


def test_past_roles_are_told_the_latest_first(firm: Taxpayer) -> None:
    for number in range(3):
        user = factories.user(f"old{number}")
        over = NOW - timedelta(days=number)
        Membership.objects.create(user=user, taxpayer=firm, role="viewer", valid_from=factories.LONG_AGO, valid_to=over)
    _held, past = roles.of(firm, NOW)
    assert [each.user.username for each in past] == ["old0", "old1", "old2"]
