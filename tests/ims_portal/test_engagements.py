"""Engagements: asked by one side, in force once the other accepts, with the rights and days chosen; ended at once."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

import pytest
from django.http import Http404

from ims_portal import access, clock, engagements, once
from ims_portal.access import Right, RightMissingError
from ims_portal.engagements import Line, Terms
from ims_portal.models import AuditEvent, Engagement, Membership, Taxpayer
from ims_portal.roles import RefusedError
from tests import factories

pytestmark = pytest.mark.django_db
DAY = "2025-11-12"
NOW = factories.at(DAY)
ACTS = Terms(frozenset({Right.ACT, Right.EXPORT}))
FILES = Terms(frozenset({Right.FILE, Right.COMPUTE}))


@pytest.fixture(autouse=True)
def firm() -> Taxpayer:
    """Return a taxpayer whose only signatory is Sig; Acct is nobody's practitioner yet."""
    found = factories.taxpayer()
    factories.member(found, "signatory", "sig")
    factories.member(found, "preparer", "ravi")
    factories.user("acct")
    return found


def told(by: str, on: str = DAY) -> dict[str, object]:
    return {"actor": factories.user(by), "clock": factories.clock(on), "request_id": uuid4()}


def offer(terms: Terms = ACTS, username: str = "acct", by: str = "sig", on: str = DAY) -> int:
    engagements.offer(taxpayer=factories.taxpayer(), username=username, terms=terms, **told(by, on))
    return Engagement.objects.latest("pk").pk


def ask(terms: Terms = ACTS, gstin: str = factories.RECIPIENT, by: str = "acct", on: str = DAY) -> int:
    engagements.ask(gstin=gstin, terms=terms, **told(by, on))
    return Engagement.objects.latest("pk").pk


def accept(pk: int, *, with_file: bool = False, by: str = "sig", on: str = DAY) -> None:
    engagements.accept(taxpayer=factories.taxpayer(), engagement=pk, with_file=with_file, **told(by, on))


def end(pk: int, by: str = "sig", on: str = DAY) -> None:
    engagements.end(taxpayer=factories.taxpayer(), engagement=pk, **told(by, on))


def agree(pk: int, by: str = "acct", on: str = DAY) -> None:
    engagements.agree(engagement=pk, gstin=factories.RECIPIENT, **told(by, on))


def leave(pk: int, by: str = "acct", on: str = DAY) -> None:
    engagements.leave(engagement=pk, gstin=factories.RECIPIENT, **told(by, on))


def may(on: str = DAY) -> set[str]:
    held = access.standing(user=factories.user("acct"), taxpayer=factories.taxpayer(), at=factories.at(on))
    return {right.value for right in held.rights} if held else set()


def log() -> list[tuple[str, str, str]]:
    return list(AuditEvent.objects.order_by("id").values_list("event", "actor__username", "capacity"))


def test_what_a_taxpayer_offers_is_in_force_once_the_practitioner_agrees() -> None:
    pk = offer()
    assert may() == set()
    agree(pk, on="2025-11-13")
    assert may("2025-11-12 23:59") == set()
    assert may("2025-11-13") == {"view", "act", "export"}
    row = Engagement.objects.get()
    assert (row.asked_by.username, row.accepted_by.username) == ("sig", "acct")
    assert log() == [
        ("engagement.asked", "sig", "signatory"),
        ("engagement.accepted", "acct", "practitioner"),
    ]


def test_what_a_practitioner_asks_is_in_force_once_a_signatory_accepts() -> None:
    pk = ask()
    assert may() == set()
    with pytest.raises(RightMissingError):
        accept(pk, by="ravi")
    accept(pk)
    assert may() == {"view", "act", "export"}
    row = Engagement.objects.get()
    assert (row.asked_by.username, row.accepted_by.username) == ("acct", "sig")


@pytest.mark.parametrize(("with_file", "rights"), [(False, {"view", "compute"}), (True, {"view", "compute", "file"})])
def test_filing_that_is_asked_for_is_granted_only_by_name(*, with_file: bool, rights: set[str]) -> None:
    accept(ask(FILES), with_file=with_file)
    assert may() == rights


def test_filing_that_was_not_asked_for_is_not_granted_by_a_forged_tick() -> None:
    accept(ask(ACTS), with_file=True)
    assert "file" not in may()


def test_filing_a_signatory_ticked_holds_once_agreed() -> None:
    agree(offer(FILES))
    assert may() == {"view", "compute", "file"}


@pytest.mark.parametrize("ask_it", [ask, offer])
def test_granting_is_part_of_no_engagement(ask_it: object) -> None:
    with pytest.raises(RefusedError, match="right to grant") as refused:
        ask_it(Terms(frozenset({Right.GRANT})))
    assert refused.value.field == "rights"


def test_an_engagement_lasts_from_its_first_day_to_the_end_of_its_last() -> None:
    agree(offer(Terms(ACTS.rights, date(2025, 11, 15), date(2025, 11, 20))))
    assert may("2025-11-14 23:59") == set()
    assert "act" in may("2025-11-15 00:00")
    assert "act" in may("2025-11-20 23:59")
    assert may("2025-11-21 00:00") == set()
    assert Line(Engagement.objects.get(), NOW).last == date(2025, 11, 20)


def test_one_of_a_single_day_begins_with_the_agreement() -> None:
    agree(offer(Terms(ACTS.rights, date(2025, 11, 12), date(2025, 11, 12))), on="2025-11-12 18:00")
    assert may("2025-11-12 17:59") == set()
    assert "act" in may("2025-11-12 18:00")
    assert may("2025-11-13 00:00") == set()


@pytest.mark.parametrize(
    ("first", "last", "field", "match"),
    [
        (date(2025, 11, 11), None, "first", "This day is over"),
        (None, date(2025, 11, 11), "last", "This day is over"),
        (date(2025, 11, 20), date(2025, 11, 19), "last", "before the first"),
        (date(9999, 12, 31), None, "first", "too far away"),
        (None, date(9999, 12, 31), "last", "too far away"),
    ],
)
@pytest.mark.parametrize("ask_it", [ask, offer])
def test_days_that_make_no_sense_are_refused_at_their_field(
    ask_it: object, first: date | None, last: date | None, field: str, match: str
) -> None:
    with pytest.raises(RefusedError, match=match) as refused:
        ask_it(Terms(ACTS.rights, first, last))
    assert refused.value.field == field
    assert not Engagement.objects.exists()


def test_a_request_whose_last_day_passed_can_be_accepted_no_more() -> None:
    pk = ask(Terms(ACTS.rights, None, date(2025, 11, 14)))
    with pytest.raises(RefusedError, match="does not wait for your answer"):
        accept(pk, on="2025-11-15")
    assert may("2025-11-15") == set()
    ask(on="2025-11-15")


def test_only_the_other_side_accepts() -> None:
    offered = offer()
    with pytest.raises(RefusedError, match="does not wait for your answer"):
        accept(offered)
    end(offered)
    asked = ask()
    with pytest.raises(RefusedError, match="does not wait for your answer"):
        agree(asked)
    for call in (agree, leave):
        with pytest.raises(Http404):
            call(asked, by="ravi")
    assert may() == set()


def test_nobody_engages_or_accepts_themselves(firm: Taxpayer) -> None:
    with pytest.raises(RefusedError, match="Nobody engages themselves"):
        offer(username="sig")
    pk = ask()
    factories.member(firm, "signatory", "acct")
    with pytest.raises(RefusedError, match="Nobody accepts their own request"):
        accept(pk, by="acct")


@pytest.mark.parametrize("by_taxpayer", [True, False])
@pytest.mark.parametrize("first", [None, date(2025, 11, 20)])
def test_either_side_ends_it_at_once_and_the_row_stays(*, by_taxpayer: bool, first: date | None) -> None:
    pk = offer(Terms(ACTS.rights, first))
    agree(pk)
    (end if by_taxpayer else leave)(pk, on="2025-11-13 15:00")
    assert ("act" in may("2025-11-13 14:59")) is (first is None)
    assert may("2025-11-13 15:00") == may("2025-11-25") == set()
    row = Engagement.objects.get()
    assert row.valid_to == factories.at("2025-11-13 15:00")
    assert log()[-1][0] == "engagement.ended"
    with pytest.raises(RefusedError, match="has ended already"):
        end(pk, on="2025-11-14")
    offer(on="2025-11-14")
    assert Engagement.objects.count() == 2


@pytest.mark.parametrize(
    ("make", "stop", "event"),
    [
        (offer, end, "engagement.withdrawn"),
        (offer, leave, "engagement.declined"),
        (ask, leave, "engagement.withdrawn"),
        (ask, end, "engagement.declined"),
    ],
)
@pytest.mark.parametrize("terms", [ACTS, Terms(ACTS.rights, date(2025, 12, 1), date(2025, 12, 31))])
def test_a_request_is_declined_or_taken_back_and_cannot_be_accepted_then(
    make: object, stop: object, event: str, terms: Terms
) -> None:
    pk = make(terms)
    stop(pk)
    for answer in (agree, accept):
        with pytest.raises(RefusedError, match="does not wait for your answer"):
            answer(pk)
    assert may() == may("2025-12-15") == set()
    assert log()[-1][0] == event
    make(terms)  # and may be asked again


def test_one_is_open_at_a_time_and_a_member_needs_none(firm: Taxpayer) -> None:
    ask(Terms(ACTS.rights, None, date(2025, 11, 30)))
    for make in (ask, offer):
        with pytest.raises(RefusedError, match="on this GSTIN already"):
            make()
    assert Engagement.objects.count() == 1
    for username in ("ravi", "sig"):
        with pytest.raises(RefusedError, match="has a role on this GSTIN already"):
            ask(by=username)
    with pytest.raises(RefusedError, match="has a role on this GSTIN already"):
        offer(username="ravi")
    assert Membership.objects.filter(taxpayer=firm, valid_to=None).count() == 2


def test_an_administrator_is_nobody_s_practitioner() -> None:
    factories.user("boss", is_staff=True)
    with pytest.raises(RefusedError, match="is an administrator"):
        offer(username="boss")
    with pytest.raises(RefusedError, match="is an administrator"):
        ask(by="boss")


def test_an_unknown_gstin_and_one_without_a_signatory_answer_alike() -> None:
    merely_named = factories.taxpayer(factories.SUPPLIER)
    factories.member(merely_named, "viewer", "mina")
    answers = set()
    for gstin in (factories.SUPPLIER, "29AAKCT0000P1Z6"):
        with pytest.raises(RefusedError) as refused:
            ask(gstin=gstin)
        assert refused.value.field == "gstin"
        answers.add(str(refused.value).replace(gstin, ""))
    assert len(answers) == 1
    assert "Mina" not in answers.pop()
    assert not Engagement.objects.exists()
    assert log() == []


@pytest.mark.parametrize("by", ["ravi", "acct", "stranger"])
def test_who_may_not_grant_offers_accepts_and_ends_nothing(by: str) -> None:
    pk = ask()
    factories.user("mina")
    for call in (lambda: offer(username="mina", by=by), lambda: accept(pk, by=by), lambda: end(pk, by=by)):
        with pytest.raises(RightMissingError):
            call()
    assert Engagement.objects.count() == 1
    assert may() == set()


def test_another_taxpayer_s_row_is_not_found() -> None:
    foreign = factories.taxpayer(factories.SUPPLIER)
    factories.member(foreign, "signatory", "other")
    pk = ask(gstin=factories.SUPPLIER)
    for call in (accept, end, agree, leave):
        with pytest.raises(Http404):
            call(pk)
    assert Line(Engagement.objects.get(), NOW).waits


def test_the_same_request_twice_has_one_effect() -> None:
    asked, accepted, ended = told("acct"), told("sig"), told("sig")
    for _press in range(2):
        engagements.ask(gstin=factories.RECIPIENT, terms=ACTS, **asked)
    pk, firm = Engagement.objects.get().pk, factories.taxpayer()
    for _press in range(2):
        engagements.accept(taxpayer=firm, engagement=pk, with_file=False, **accepted)
    for _press in range(2):
        engagements.end(taxpayer=firm, engagement=pk, **ended)
    assert [event for event, _who, _as in log()] == ["engagement.asked", "engagement.accepted", "engagement.ended"]
    with pytest.raises(once.MismatchError):
        engagements.ask(gstin=factories.RECIPIENT, terms=FILES, **asked)


def test_a_name_is_told_to_the_practitioner_only_once_the_taxpayer_wants_it() -> None:
    asked = ask()
    assert not Line(Engagement.objects.get(pk=asked), NOW).tells_name
    end(asked)
    offer()
    (line,), (past,) = engagements.of_user(factories.user("acct"), NOW)
    assert line.tells_name
    assert not past.tells_name
    assert (line.waits, line.is_taxpayers, past.is_open) == (True, True, False)
    assert clock.day(past.row.valid_to) == date(2025, 11, 12)


@pytest.mark.parametrize("rights", [frozenset(), frozenset(Right) - {Right.GRANT}])
def test_looking_is_always_part_of_it(rights: frozenset[Right], firm: Taxpayer) -> None:
    agree(offer(Terms(rights)))
    assert may() == {"view"} | {right.value for right in rights}
    assert engagements.of(firm, NOW)[0][0].rights[0] == "Look at pages, history and reasons"
