"""The clients' log finds what no check of the database can: done twice, not done, done by nobody, done over another."""

from __future__ import annotations

import uuid

import pytest

from invoices.models import ActionEvent, Record
from tests import factories
from tests.acks import AckLog, Outcome

pytestmark = pytest.mark.django_db
KEY = uuid.UUID(int=7)


@pytest.fixture
def record() -> Record:
    return factories.filed_record()


@pytest.fixture
def log(record: Record) -> AckLog:
    """A log that began after somebody had acted."""
    happened(record, request_id=uuid.uuid4())
    return AckLog()


def happened(record: Record, *, who: str | None = "asha", **options: object) -> None:
    """Let the history have an event of an acceptance, but for what is told."""
    usual = {"version": 1, "old_action": "N", "action": "A", "request_id": KEY, "inbox_seq": 1}
    actor = who and factories.member(record.recipient, "preparer", who)
    at = factories.at("2025-11-12")
    ActionEvent.objects.create(recipient=record.recipient, record=record, actor=actor, at=at, **usual | options)


def accepted(log: AckLog, record: Record, outcome: Outcome, version: int | None = None) -> None:
    """Let Asha have accepted what she saw at version 1, and been told something."""
    log.told(log.attempt("asha", record.pk, 1, "A", KEY), outcome, version)


def test_what_was_told_and_done_agrees(log: AckLog, record: Record) -> None:
    accepted(log, record, Outcome.UNKNOWN)
    accepted(log, record, Outcome.OK, 2)  # sent again with its key
    happened(record, version=2)
    happened(record, who=None, version=3, action="N", cause="edited", request_id=uuid.uuid4())
    for outcome in (Outcome.CONFLICT, Outcome.REFUSED, Outcome.UNKNOWN):
        log.told(log.attempt("ravi", record.pk, 1, "P", uuid.uuid4()), outcome)
    log.told(log.attempt("ravi", record.pk, 1, "A", uuid.uuid4()), Outcome.OK, 2)  # so already, by Asha
    assert log.faults() == []
    log.check()
    assert [log.count(outcome) for outcome in Outcome] == [2, 1, 1, 1]


def test_what_may_or_may_not_have_been_done_may_be_either(log: AckLog, record: Record) -> None:
    accepted(log, record, Outcome.UNKNOWN)
    assert log.faults() == []
    happened(record, version=2)
    assert log.faults() == []


def test_what_was_acknowledged_and_is_not_there_is_found(log: AckLog, record: Record) -> None:
    accepted(log, record, Outcome.OK, 2)
    with pytest.raises(AssertionError, match="was acknowledged at version 2; the history has"):
        log.check()


@pytest.mark.parametrize("outcome", [Outcome.CONFLICT, Outcome.REFUSED])
def test_what_was_denied_and_is_there_is_found(log: AckLog, record: Record, outcome: Outcome) -> None:
    accepted(log, record, outcome)
    happened(record, version=2)
    assert f"was answered {outcome}" in log.faults()[0]


def test_two_answers_to_one_request_are_found(log: AckLog, record: Record) -> None:
    accepted(log, record, Outcome.OK, 2)
    accepted(log, record, Outcome.CONFLICT)
    assert "was answered in two ways" in log.faults()[0]


def test_what_nobody_asked_for_is_found(log: AckLog, record: Record) -> None:
    happened(record, version=2)
    assert "nobody asked" in log.faults()[0]


@pytest.mark.parametrize("wrong", [{"version": 3}, {"version": 2, "action": "R"}, {"version": 2, "who": "ravi"}])
def test_what_was_done_otherwise_than_asked_is_found(log: AckLog, record: Record, wrong: dict[str, object]) -> None:
    """A version that skips one is a change that its user did not see."""
    accepted(log, record, Outcome.UNKNOWN)
    happened(record, **wrong)
    assert "became" in log.faults()[0]
