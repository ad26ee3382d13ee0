"""Taking an action: one winner per version, one effect per request, only what changed is written."""

from uuid import uuid4

import pytest

from ims_portal import access, once
from ims_portal.rules.actions import Action, Answer, Refusal
from ims_portal.rules.documents import Section
from ims_portal.rules.money import Tax
from invoices import actions
from invoices.actions import Choice, Item, ResultStatus
from invoices.models import ActionEvent, Inbox, Record
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
ACCEPT = Choice(Action.ACCEPT)
REJECT = Choice(Action.REJECT)


def take(record: Record, choice: Choice, **options: object) -> actions.Result:
    defaults = {
        "taxpayer": record.recipient,
        "items": [Item(record.pk, record.version, choice)],
        "actor": None,
        "clock": factories.clock("2025-11-12"),
        "request_id": uuid4(),
    }
    return actions.take(**(defaults | options)).results[0]


def test_an_action_is_saved_with_one_event_that_says_what_changed() -> None:
    record = factories.filed_record()
    assert take(record, REJECT).status is ResultStatus.SAVED
    record.refresh_from_db()
    event = ActionEvent.objects.get()
    assert (record.action, record.version) == ("R", 1)
    assert (event.old_action, event.action, event.version, event.record_id) == ("N", "R", 1, record.pk)


def test_somebody_overtaken_learns_who_chose_what() -> None:
    record = factories.filed_record()
    winner = factories.member(record.recipient, "preparer", "ravi")
    take(record, REJECT, actor=winner)
    late = take(record, ACCEPT)
    assert late.status is ResultStatus.CONFLICT
    assert (late.current, late.by, late.at) == (Action.REJECT, "Ravi", factories.at("2025-11-12"))
    record.refresh_from_db()
    assert record.action == "R"


def test_a_save_equal_to_what_is_stored_changes_nothing() -> None:
    record = factories.filed_record()
    take(record, REJECT)
    record.refresh_from_db()
    seq = Inbox.objects.get(pk=record.recipient_id).seq
    assert take(record, REJECT).status is ResultStatus.UNCHANGED
    assert ActionEvent.objects.count() == 1
    assert Inbox.objects.get(pk=record.recipient_id).seq == seq


def test_the_same_request_twice_has_one_effect_and_one_answer() -> None:
    record = factories.filed_record()
    actor, request_id = factories.member(record.recipient, "preparer"), uuid4()
    first = take(record, REJECT, actor=actor, request_id=request_id)
    second = take(record, REJECT, actor=actor, request_id=request_id)
    assert first == second
    assert first.status is ResultStatus.SAVED
    assert ActionEvent.objects.count() == 1


def test_a_request_id_used_for_something_else_does_nothing() -> None:
    record = factories.filed_record()
    actor, request_id = factories.member(record.recipient, "preparer"), uuid4()
    take(record, REJECT, actor=actor, request_id=request_id)
    record.refresh_from_db()
    with pytest.raises(once.MismatchError):
        take(record, ACCEPT, actor=actor, request_id=request_id)
    record.refresh_from_db()
    assert record.action == "R"


def test_one_refused_record_takes_no_other_down() -> None:
    invoice, note = factories.filed(
        factories.document(), factories.document(section=Section.CN, number="CN1", tax=9000)
    )
    outcome = actions.take(
        taxpayer=invoice.recipient,
        items=[Item(note.pk, 0, ACCEPT), Item(invoice.pk, 0, ACCEPT)],
        actor=None,
        clock=factories.clock("2025-11-12"),
        request_id=uuid4(),
    )
    assert [result.status for result in outcome.results] == [ResultStatus.REFUSED, ResultStatus.SAVED]
    assert outcome.results[0].refusal is Refusal.ITC_REDUCTION_REQUIRED


def test_a_foreign_record_answers_like_one_that_does_not_exist() -> None:
    record = factories.filed_record()
    stranger = factories.taxpayer("29AAKCT0000P1Z6")
    foreign = take(record, REJECT, taxpayer=stranger)
    missing = take(record, REJECT, taxpayer=stranger, items=[Item(record.pk + 1000, 0, REJECT)])
    assert (foreign.status, foreign.refusal, foreign.number) == (missing.status, missing.refusal, missing.number)
    record.refresh_from_db()
    assert record.action == "N"


def test_a_part_equal_to_the_cap_counts_as_full() -> None:
    note = factories.filed_record(section=Section.CN, number="CN1", tax=9000)
    choice = Choice(Action.ACCEPT, Answer.PART, Tax(igst=9000_00))
    assert take(note, choice).status is ResultStatus.SAVED
    note.refresh_from_db()
    assert (note.answer, note.declared) == ("F", Tax())


def test_a_viewer_may_not_act_even_when_the_request_gets_this_far() -> None:
    record = factories.filed_record()
    viewer = factories.member(record.recipient, "viewer")
    with pytest.raises(access.RightMissingError):
        take(record, REJECT, actor=viewer)


def test_a_command_of_too_many_records_or_one_twice_is_refused_whole() -> None:
    record = factories.filed_record()
    with pytest.raises(actions.TooManyRecordsError):
        take(record, REJECT, items=[Item(record.pk, 0, REJECT), Item(record.pk, 0, ACCEPT)])
    assert not ActionEvent.objects.exists()


def test_only_changes_in_scope_of_the_open_period_make_a_statement_stale() -> None:
    later = factories.filed_record(number="LATE")
    saved = factories.saved(factories.document(number="NEXT", on="2025-11-20"), period="112025", on="2025-11-21")[0]
    seq = Inbox.objects.get(pk=later.recipient_id).seq
    take(saved, REJECT, clock=factories.clock("2025-11-22"))
    assert Inbox.objects.get(pk=later.recipient_id).seq == seq
    take(later, REJECT, clock=factories.clock("2025-11-22"))
    assert Inbox.objects.get(pk=later.recipient_id).seq == seq + 1


def test_what_a_supplier_edits_resets_the_choice_and_an_old_click_no_longer_fits() -> None:
    record = factories.saved()[0]
    factories.act(record, "A", on="2025-11-06")
    record.refresh_from_db()
    factories.saved(factories.document(tax=12000), on="2025-11-07")
    record.refresh_from_db()
    assert (record.action, record.version, record.igst) == ("N", 2, 12000_00)
    assert factories.act(record, "R", version=1).results[0].status is ResultStatus.CONFLICT
    assert list(ActionEvent.objects.order_by("version").values_list("cause", flat=True)) == ["chosen", "edited"]


def test_judging_takes_the_same_number_of_statements_for_one_record_and_for_two_hundred(
    django_assert_max_num_queries: object,
) -> None:
    many = factories.filed(*(factories.document(number=f"N{n}") for n in range(200)))
    with django_assert_max_num_queries(16):
        outcome = actions.take(
            taxpayer=many[0].recipient,
            items=[Item(record.pk, 0, REJECT) for record in many],
            actor=None,
            clock=factories.clock("2025-11-12"),
            request_id=uuid4(),
        )
    assert outcome.counts == {"ok": 200}
