"""GSTR-2B computed over HTTP as others act and ask for it too (F04, F05): in it or stale, one statement per state."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from ims_portal.children import Child
from ims_portal.models import Job
from invoices.models import Inbox
from returns.models import Gstr2b, Gstr2bJob, Gstr2bLine
from tests import factories
from tests.live import wait_for
from tests.races import together
from tests.races.over_http import Ask, Portal
from tests.rounds import Begin

pytestmark = pytest.mark.race
AT_ONCE = 20


def test_an_action_beside_a_computation_is_in_it_or_makes_it_stale(portal: Portal, rounds: Begin) -> None:
    record = factories.filed_record()
    recipient = record.recipient
    asha = portal.person(recipient, "asha")
    portal.stand_at("2025-11-15")
    for turn in rounds("F04", 20, 200):
        record.refresh_from_db()
        action = "RA"[turn % 2]
        acted, computed = portal.at_once(
            portal.acting(asha, record, action=action), partial(factories.computed, recipient, on="2025-11-15")
        )
        assert acted.statuses == ["ok"], acted
        statement = computed.statement
        line = Gstr2bLine.objects.filter(record=record, first_version__lte=statement.version).latest("first_version")
        is_in_it = (line.placement == "rejected") is (action == "R")
        is_stale = Inbox.objects.get(pk=recipient.pk).seq != statement.seq
        assert is_in_it is not is_stale, (turn, statement.version)


def test_twenty_who_ask_at_once_have_one_job_and_one_statement(
    portal: Portal, start_worker: Callable[[], Child], rounds: Begin
) -> None:
    record = factories.filed_record()
    people = [portal.person(record.recipient, name) for name in ("asha", "ravi")]
    portal.stand_at("2025-11-15")
    worker = start_worker()
    for turn in rounds("F05", 3, 20):
        record.refresh_from_db()
        portal.ask(portal.acting(people[0], record, action="RA"[turn % 2]))
        answers = portal.at_once(*(Ask(people[n % 2], "POST", "2b/102025/compute") for n in range(AT_ONCE)))
        assert {answer.status for answer in answers} == {202}, answers
        jobs = Gstr2bJob.objects.filter(pk__in={answer.told["id"] for answer in answers})
        wait_for(lambda jobs=jobs: {job.state for job in jobs.all()} == {Job.State.DONE}, child=worker)
        seq = Inbox.objects.get(pk=record.recipient_id).seq
        assert Gstr2b.objects.filter(recipient=record.recipient, seq=seq).count() == 1
        assert Gstr2b.objects.count() == turn + 1


def test_twenty_computations_at_once_make_one_statement(portal: Portal, rounds: Begin) -> None:
    """As twenty workers would, of a message that was sent twenty times."""
    turns = rounds("F05", 3, 20)
    records = factories.filed(*(factories.document(number=f"N{n}") for n in range(len(turns))))
    asha = portal.person(records[0].recipient, "asha")
    portal.stand_at("2025-11-15")
    for turn in turns:
        portal.ask(portal.acting(asha, records[turn], action="R"))
        done = together.run(*[partial(factories.computed, on="2025-11-15")] * AT_ONCE)
        assert {answer.statement.version for answer in done} == {turn + 1}
        assert sum(not answer.nothing_changed for answer in done) == 1
    for statement in Gstr2b.objects.all():
        ends = Gstr2bLine.objects.filter(first_version__lte=statement.version)
        counted = [line for line in ends if line.last_version is None or line.last_version >= statement.version]
        assert len(counted) == len(records)
