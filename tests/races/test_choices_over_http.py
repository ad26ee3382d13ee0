"""Choices at one moment over HTTP (F01, F02, F03, F08, F12, F13, rights): one wins, the other is told."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any

import pytest

from ims_portal import clock, roles
from ims_portal.models import Membership
from invoices.models import ActionEvent, Inbox, Record
from tests import factories
from tests.races.over_http import Answer, Ask, Person, Portal, statuses
from tests.rounds import Begin

pytestmark = pytest.mark.race
AT_ONCE = 20


@pytest.fixture
def people(portal: Portal) -> list[Person]:
    """Asha and Ravi of the recipient."""
    return [portal.person(factories.taxpayer(), name) for name in ("asha", "ravi")]


@pytest.fixture
def kiran(portal: Portal) -> Person:
    """Kiran of the supplier."""
    return portal.person(factories.taxpayer(factories.SUPPLIER), "kiran")


def some(count: int, *, filed: bool = True, **options: object) -> list[Record]:
    """Return records of the recipient."""
    made = [factories.document(number=f"N{n}", **options) for n in range(count)]
    return factories.filed(*made) if filed else factories.saved(*made)


def test_of_two_people_one_wins_and_the_other_learns_who(portal: Portal, people: list[Person], rounds: Begin) -> None:
    turns = rounds("F01", 25, 200)
    for _turn, record in zip(turns, some(len(turns)), strict=True):
        answers = portal.at_once(*(portal.acting(one, record, action=a) for one, a in zip(people, "AP", strict=True)))
        assert statuses(answers) == ["conflict", "ok"], answers
        won = next(n for n, answer in enumerate(answers) if answer.statuses == ["ok"])
        now = answers[1 - won].told["results"][0]["current"]
        assert (now["by"], now["action"]) == (people[won].user.full_name, "AP"[won])
    assert ActionEvent.objects.filter(actor__in=[one.user for one in people]).count() == len(turns)


def test_one_request_sent_by_twenty_at_once_has_one_effect(portal: Portal, people: list[Person], rounds: Begin) -> None:
    turns = rounds("F02", 3, 20)
    for _turn, record in zip(turns, some(len(turns)), strict=True):
        asked = portal.acting(people[0], record, action="R")
        answers = portal.at_once(*[asked] * AT_ONCE)
        assert {answer.status for answer in answers} == {200}
        assert all(answer.told == answers[0].told for answer in answers), answers
        assert ActionEvent.objects.filter(record=record).count() == 1


def test_of_two_bodies_under_one_key_one_is_done(portal: Portal, people: list[Person], rounds: Begin) -> None:
    turns = rounds("F03", 10, 200)
    for _turn, record in zip(turns, some(len(turns)), strict=True):
        key = uuid.uuid4()
        pair = [Ask(people[0], "POST", "ims/actions", _items(record, action), key) for action in "AR"]
        answers = portal.at_once(*pair)
        assert sorted((answer.status, answer.code) for answer in answers) == [(200, ""), (422, "IDEMPOTENCY_MISMATCH")]
        record.refresh_from_db()
        done = next(n for n, answer in enumerate(answers) if answer.status == 200)
        assert (record.version, record.action) == (1, "AR"[done])
        portal.acks.told(portal.acks.attempt("asha", record.pk, 0, record.action, key), "ok", 1)


def _items(record: Record, action: str) -> dict[str, Any]:
    return {"items": [{"record": record.pk, "version": 0, "action": action}]}


def entering(supplier: Person, record: Record, taxable: str) -> Ask:
    """Return the request that gives a saved record another amount."""
    body = {
        "recipient": record.recipient.gstin,
        "date": record.document_date.isoformat(),
        "pos": record.recipient.gstin[:2],
        "version": record.version,
        "lines": [{"rate": "18.00", "taxable": taxable}],
    }
    key = f"{record.section}:{record.fy}:{record.number}"
    return Ask(supplier, "PUT", f"out/gstr1/102025/records/{key}", body)


def test_a_choice_beside_an_edit_never_stands_on_what_was_not_seen(
    portal: Portal, people: list[Person], kiran: Person, rounds: Begin
) -> None:
    portal.stand_at("2025-11-05")
    turns = rounds("F08", 12, 200)
    for _turn, record in zip(turns, some(len(turns), filed=False), strict=True):
        acted, edited = portal.at_once(portal.acting(people[0], record, action="A"), entering(kiran, record, "500.00"))
        _assert_one_of_two_orders(record, acted, edited)


def _assert_one_of_two_orders(record: Record, acted: Answer, edited: Answer) -> None:
    """First the choice, then the edit is refused; or first the edit, then the choice is old."""
    record.refresh_from_db()
    if edited.status == 409:
        assert (acted.statuses, record.action, record.igst) == (["ok"], "A", 18000_00)
    else:
        assert (edited.status, acted.statuses) == (200, ["conflict"]), (acted, edited)
        assert (record.action, record.igst) == ("N", 90_00)


def test_a_choice_beside_a_withdrawal_is_refused_or_kept_in_the_history(
    portal: Portal, people: list[Person], kiran: Person, rounds: Begin
) -> None:
    portal.stand_at("2025-11-05")
    turns = rounds("F08", 6, 200)
    for _turn, record in zip(turns, some(len(turns), filed=False), strict=True):
        key = f"{record.section}:{record.fy}:{record.number}"
        gone = Ask(kiran, "DELETE", f"out/gstr1/102025/records/{key}?version=0")
        acted, taken = portal.at_once(portal.acting(people[0], record, action="R"), gone)
        record.refresh_from_db()
        if taken.status == 200:
            assert (record.status, record.action) == (Record.Status.WITHDRAWN, "N")
            assert acted.statuses in (["refused"], ["conflict"]), acted
        else:
            assert (taken.status, acted.statuses, record.action) == (409, ["ok"], "R"), taken


def test_order_never_depends_on_the_clock(portal: Portal, people: list[Person], rounds: Begin) -> None:
    (record,) = some(1)
    turns = rounds("F12", 8, 200)
    for n in turns:
        portal.stand_at(f"2025-11-{13 - n % 2} {23 - n % 24:02d}:30")
        record.refresh_from_db()
        pair = zip(people, ("AP", "RN")[n % 2], strict=True)
        answers = portal.at_once(*(portal.acting(one, record, action=action) for one, action in pair))
        assert statuses(answers) == ["conflict", "ok"], answers
    history = list(ActionEvent.objects.filter(record=record).order_by("version"))
    assert [event.version for event in history] == list(range(1, len(turns) + 1))
    assert [event.inbox_seq for event in history] == sorted({event.inbox_seq for event in history})
    assert [event.old_action for event in history[1:]] == [event.action for event in history[:-1]]
    record.refresh_from_db()
    assert record.action == history[-1].action
    assert Inbox.objects.get(pk=record.recipient_id).seq == history[-1].inbox_seq
    assert [event.at for event in history] != sorted(event.at for event in history)


def test_what_is_declared_never_exceeds_what_is_reported(
    portal: Portal, people: list[Person], kiran: Person, rounds: Begin
) -> None:
    portal.stand_at("2025-11-05")
    turns = rounds("F13", 8, 200)
    for _turn, record in zip(turns, some(len(turns), filed=False, section=factories.Section.CN, tax=9000), strict=True):
        part = {"reduce": "P", "igst": "8000.00", "cgst": "0.00", "sgst": "0.00", "cess": "0.00"}
        chosen = portal.acting(people[0], record, action="A", itc=part, remark="part of it was used")
        portal.at_once(chosen, entering(kiran, record, "10000.00"))
        record.refresh_from_db()
        assert record.declared_igst <= record.igst in (9000_00, 1800_00)


def test_what_is_acknowledged_was_done_by_right(portal: Portal, people: list[Person], rounds: Begin) -> None:
    """A role ends as its person acts: the choice was made before the end, or not at all (promises 3, M16)."""
    turns = rounds("rights", 8, 200)
    for turn, record in zip(turns, some(len(turns)), strict=True):
        mina = portal.person(record.recipient, f"mina{turn}")
        role = Membership.objects.get(user=mina.user)
        end = partial(roles.end, taxpayer=record.recipient, membership=role.pk, actor=people[0].user)
        acted, ended = portal.at_once(
            portal.acting(mina, record, action="A"), partial(end, clock=clock.portal(), request_id=uuid.uuid4())
        )
        assert ended == mina.user, ended
        role.refresh_from_db()
        done = ActionEvent.objects.filter(record=record).first()
        if acted.status == 200:
            assert (acted.statuses, done is not None and done.at < role.valid_to) == (["ok"], True)
        else:
            assert (acted.status in (403, 404), done) == (True, None), acted
