"""Changes of who may do what at one moment: a signatory is left, one row is open, one answer counts."""

import threading
from functools import partial
from uuid import uuid4

import pytest
from django.db import connection, transaction

from ims_portal import access, engagements, roles
from ims_portal.access import Right, RightMissingError
from ims_portal.engagements import Terms
from ims_portal.models import Engagement, Membership, User
from ims_portal.roles import BusyError, RefusedError
from ims_portal.rules.actions import Action
from invoices import actions
from invoices.actions import Choice, Item
from invoices.models import ActionEvent
from tests import factories
from tests.races import together

pytestmark = pytest.mark.django_db(transaction=True)
TERMS = Terms(frozenset({Right.ACT}))


def told(actor: User) -> dict[str, object]:
    return {"actor": actor, "clock": factories.clock("2025-11-12"), "request_id": uuid4()}


@pytest.mark.parametrize("_round", range(8))
def test_of_two_signatories_who_end_each_other_one_is_left(_round: int) -> None:
    firm = factories.taxpayer()
    people = [factories.member(firm, "signatory", name) for name in ("asha", "ravi")]
    rows = [Membership.objects.get(user=person).pk for person in people]
    answers = together.run(
        partial(roles.end, taxpayer=firm, membership=rows[1], **told(people[0])),
        partial(roles.end, taxpayer=firm, membership=rows[0], **told(people[1])),
    )
    assert len(together.of(answers, User)) == len(together.of(answers, RightMissingError)) == 1, answers
    assert Membership.objects.filter(valid_to=None).count() == 1


@pytest.mark.parametrize("_round", range(8))
def test_of_two_signatories_who_go_at_once_one_stays(_round: int) -> None:
    firm = factories.taxpayer()
    people = [factories.member(firm, "signatory", name) for name in ("asha", "ravi")]
    calls = [
        partial(roles.end, taxpayer=firm, membership=Membership.objects.get(user=person).pk, **told(person))
        for person in people
    ]
    answers = together.run(*calls)
    assert len(together.of(answers, User)) == len(together.of(answers, RefusedError)) == 1, answers
    assert Membership.objects.filter(valid_to=None).count() == 1


@pytest.mark.parametrize("_round", range(4))
def test_both_sides_who_ask_at_once_make_one_request(_round: int) -> None:
    firm, acct = factories.taxpayer(), factories.user("acct")
    sig = factories.member(firm, "signatory", "sig")
    dated = Terms(TERMS.rights, None, factories.at("2025-12-31").date())  # no constraint keeps two of these apart
    answers = together.run(
        partial(engagements.ask, gstin=firm.gstin, terms=dated, **told(acct)),
        partial(engagements.offer, taxpayer=firm, username="acct", terms=dated, **told(sig)),
    )
    assert len(together.of(answers, RefusedError)) == 1, answers
    assert Engagement.objects.count() == 1


@pytest.mark.parametrize("_round", range(4))
def test_a_request_accepted_as_it_is_taken_back_is_over(_round: int) -> None:
    firm, acct = factories.taxpayer(), factories.user("acct")
    sig = factories.member(firm, "signatory", "sig")
    engagements.ask(gstin=firm.gstin, terms=TERMS, **told(acct))
    pk = Engagement.objects.get().pk
    answers = together.run(
        partial(engagements.accept, taxpayer=firm, engagement=pk, with_file=False, **told(sig)),
        partial(engagements.leave, engagement=pk, gstin=firm.gstin, **told(acct)),
    )
    row = Engagement.objects.get()
    assert row.valid_to == factories.at("2025-11-12")
    assert (row.accepted_by is None) is bool(together.of(answers, RefusedError)), answers


def end_role(user: User, clock: together.Slow) -> object:
    row, actor = Membership.objects.get(user=user), User.objects.get(username="sig")
    return partial(roles.end, taxpayer=row.taxpayer, membership=row.pk, **(told(actor) | {"clock": clock}))


def end_engagement(user: User, clock: together.Slow) -> object:
    row = Engagement.objects.get(user=user)
    return partial(engagements.leave, engagement=row.pk, gstin=row.taxpayer.gstin, **(told(user) | {"clock": clock}))


@pytest.mark.parametrize("how", [end_role, end_engagement])
def test_what_is_done_while_a_right_ends_was_done_before_its_end_or_not_at_all(how: object) -> None:
    record = factories.filed_record()
    factories.member(record.recipient, "signatory", "sig")
    actor = factories.user("acct")
    if how is end_role:
        factories.member(record.recipient, "preparer", "acct")
    else:
        options = {"rights": ["act"], "asked_by": actor, "accepted_by": actor, "valid_from": factories.LONG_AGO}
        Engagement.objects.create(user=actor, taxpayer=record.recipient, **options)
    ending = together.Slow("2025-11-12 10:00", ActionEvent.objects.exists)

    def act_a_minute_later() -> object:
        ending.is_read.wait(timeout=10)
        return factories.act(record, "A", on="2025-11-12 10:01", actor=actor)

    ended, acted = together.run(how(actor, ending), act_a_minute_later)
    assert not isinstance(ended, Exception), ended
    assert isinstance(acted, RightMissingError), acted
    assert not ActionEvent.objects.exists()


def test_a_right_that_ends_while_its_turn_is_waited_for_no_longer_counts() -> None:
    record, now = factories.filed_record(), factories.clock("2025-11-12 10:00")
    ravi = factories.member(record.recipient, "preparer", "ravi")
    Membership.objects.filter(user=ravi).update(valid_to=factories.at("2025-11-12 10:03"))

    def five_minutes_pass() -> None:
        now.at = factories.at("2025-11-12 10:05")

    with together.held(record.recipient_id, meanwhile=five_minutes_pass), pytest.raises(RightMissingError):
        actions.take(
            taxpayer=record.recipient,
            items=[Item(record.pk, 0, Choice(Action.ACCEPT))],
            **(told(ravi) | {"clock": now}),
        )
    assert not ActionEvent.objects.exists()


def test_an_end_that_waits_too_long_for_a_command_says_so_and_changes_nothing() -> None:
    firm = factories.taxpayer()
    sig = factories.member(firm, "signatory", "sig")
    row = Membership.objects.get(user=factories.member(firm, "preparer", "ravi"))
    holds, is_over = threading.Event(), threading.Event()

    def command() -> None:
        with transaction.atomic():
            access.require(user=row.user, taxpayer=firm, right=Right.ACT, at=factories.at("2025-11-12"))
            holds.set()
            is_over.wait(timeout=10)

    def end() -> None:
        holds.wait(timeout=10)
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '200ms'")
        try:
            roles.end(taxpayer=firm, membership=row.pk, **told(sig))
        finally:
            is_over.set()

    _done, refused = together.run(command, end)
    assert isinstance(refused, BusyError)
    assert refused.code == "BUSY"
    row.refresh_from_db()
    assert row.valid_to is None
