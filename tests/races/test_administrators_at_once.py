"""Orders of administrators at one moment: one who may stays, one row is made, one look is open at a time."""

from __future__ import annotations

from functools import partial
from uuid import uuid4

import pytest
from django.http import Http404

from ims_portal import break_glass, clock, signatories, taxpayers, users
from ims_portal.models import BreakGlass, Membership, Nomination, Taxpayer, User
from ims_portal.roles import RefusedError
from ims_portal.rules.periods import Frequency
from invoices.models import Inbox
from tests import factories
from tests.races import together

pytestmark = pytest.mark.django_db(transaction=True)
REASON = "Ticket 77: they ask who filed"


def adm(number: int) -> User:
    return factories.user(f"adm{number}", is_staff=True)


def told(number: int) -> dict[str, object]:
    return {"actor": adm(number), "clock": factories.clock("2025-11-12"), "request_id": uuid4()}


@pytest.mark.parametrize("_round", range(6))
def test_of_two_administrators_who_suspend_each_other_one_stays(_round: int) -> None:
    pair = (adm(1), adm(2))
    answers = together.run(
        partial(users.suspend, pk=pair[1].pk, real=clock.real, **told(1)),
        partial(users.suspend, pk=pair[0].pk, real=clock.real, **told(2)),
    )
    assert len(together.of(answers, User)) == len(together.of(answers, Http404)) == 1, answers
    assert User.objects.filter(is_staff=True, is_active=True).count() == 1


@pytest.mark.parametrize("_round", range(4))
def test_one_look_is_open_at_a_time(_round: int) -> None:
    for gstin in (factories.RECIPIENT, factories.SUPPLIER):
        factories.taxpayer(gstin)
    answers = together.run(
        *(
            partial(break_glass.begin, gstin=gstin, reason=REASON, real=clock.real, **told(1))
            for gstin in (factories.RECIPIENT, factories.SUPPLIER)
        )
    )
    assert len(together.of(answers, RefusedError)) == 1, answers
    assert BreakGlass.objects.count() == 1


@pytest.mark.parametrize("_round", range(4))
def test_two_who_confirm_make_one_signatory(_round: int) -> None:
    firm = factories.taxpayer()
    factories.user("owner")
    signatories.propose(gstin=firm.gstin, username="owner", **told(1))
    pk = Nomination.objects.get().pk
    answers = together.run(*(partial(signatories.confirm, pk=pk, **told(number)) for number in (2, 3)))
    assert len(together.of(answers, RefusedError)) == 1, answers
    assert Membership.objects.count() == 1


@pytest.mark.parametrize("_round", range(4))
def test_what_is_confirmed_as_it_is_taken_back_is_one_of_both(_round: int) -> None:
    firm = factories.taxpayer()
    factories.user("owner")
    signatories.propose(gstin=firm.gstin, username="owner", **told(1))
    pk = Nomination.objects.get().pk
    answers = together.run(
        partial(signatories.confirm, pk=pk, **told(2)), partial(signatories.withdraw, pk=pk, **told(1))
    )
    assert len(together.of(answers, RefusedError)) == 1, answers
    assert Membership.objects.count() == Nomination.objects.count()


@pytest.mark.parametrize("_round", range(4))
def test_two_who_add_the_same_make_one(_round: int) -> None:
    new = taxpayers.New(factories.RECIPIENT, "Meera", "", Taxpayer.Kind.REGULAR, 202510, Frequency.MONTHLY)
    answers = together.run(*(partial(taxpayers.create, new=new, **told(number)) for number in (1, 2)))
    assert len(together.of(answers, RefusedError)) == 1, answers
    assert (Taxpayer.objects.count(), Inbox.objects.count()) == (1, 1)
    names = ("lakshmi", "Lakshmi")
    answers = together.run(
        *(partial(users.create, username=name, name="L", **told(number)) for number, name in enumerate(names, 1))
    )
    assert len(together.of(answers, RefusedError)) == 1, answers
    assert User.objects.filter(username__iexact="lakshmi").count() == 1
