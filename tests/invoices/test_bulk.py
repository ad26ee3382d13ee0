"""A batch: fixed and judged at its preview, written once whatever happens in between, undone while that is allowed."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from ims_portal import once
from ims_portal.access import RightMissingError
from ims_portal.clock import Fixed
from ims_portal.models import Membership, User
from ims_portal.rules.actions import Action, Answer, Refusal
from ims_portal.rules.documents import Section
from ims_portal.rules.money import Tax
from invoices import bulk, bulk_sql
from invoices.bulk import BatchRefusedError, Phase, Which, sums_of
from invoices.models import ActionEvent, Batch, BatchRow, Inbox, Record
from tests import factories
from tests.factories import act, at, clock, document, filed, filed_period, member, saved, taxpayer

pytestmark = pytest.mark.django_db(transaction=True)

NOON = "2025-11-15 12:00"
OTHER = "29AABCT1332L1ZA"
ALL = Which("all", "", "/")


def asha() -> User:
    return member(taxpayer(), "preparer", "asha")


def previewed(which: Which = ALL, action: str = "A", *, on: str = NOON) -> Batch:
    batch = bulk.preview(
        taxpayer=taxpayer(), which=which, action=Action(action), actor=asha(), clock=clock(on), request_id=uuid.uuid4()
    )
    bulk.find(batch=batch, clock=clock(on))
    return fresh(batch)


def applied(batch: Batch, *, on: str = NOON, remark: str = "", reason: str = "") -> Batch:
    bulk.apply(batch=batch, actor=asha(), clock=clock(on), request_id=uuid.uuid4(), remark=remark, reason_code=reason)
    bulk.carry_out(batch=fresh(batch), clock=clock(on))
    return fresh(batch)


def undone(batch: Batch, *, on: str = "2025-11-15 12:05") -> Batch:
    bulk.undo(batch=batch, actor=asha(), clock=clock(on), request_id=uuid.uuid4())
    bulk.carry_out(batch=fresh(batch), clock=clock(on))
    return fresh(batch)


def fresh(batch: Batch) -> Batch:
    return Batch.objects.get(pk=batch.pk)


def counts(kept: dict[str, list[int]]) -> dict[str, int]:
    return {verdict: sums.count for verdict, sums in sums_of(kept).items()}


def actions_now() -> dict[str, str]:
    return dict(Record.objects.values_list("number", "action"))


def stands() -> list[tuple[object, ...]]:
    columns = ("action", "answer", "declared_igst", "remark", "reason_code")
    return list(Record.objects.order_by("pk").values_list(*columns))


def some(count: int = 3) -> list[Record]:
    return filed(*(document(number=f"N{n}", tax=100 * (n + 1)) for n in range(count)))


def test_a_preview_saves_nothing_and_says_what_would_happen() -> None:
    first, second, _third = some()
    act(first, "A")
    act(second, "R")
    before = Inbox.objects.values_list("seq", flat=True).get(pk=taxpayer().pk)
    batch = previewed(action="P")
    assert counts(batch.found) == {"will": 3}
    batch = previewed(action="A")
    found = sums_of(batch.found)
    assert counts(batch.found) == {"same": 1, "will": 2}
    assert (found["same"].tax, found["will"].tax) == (10_000, 50_000)
    assert actions_now() == {"N0": "A", "N1": "R", "N2": "N"}
    assert Inbox.objects.values_list("seq", flat=True).get(pk=taxpayer().pk) == before


def test_a_preview_prices_the_change_of_itc_and_the_rise_of_suppliers_tax() -> None:
    filed(
        document(number="INV", tax=50_000),
        document(number="CN1", section=Section.CN, tax=18_000),
        document(number="CN2", section=Section.CN, tax=1_000),
    )
    act(Record.objects.get(number="CN2"), "R")
    batch = previewed(action="R")
    found = sums_of(batch.found)["will"]
    # The invoice's credit goes, the note's reduction goes; the supplier pays what the note took back.
    assert (found.itc, found.rise) == (-50_000_00 + 18_000_00, 18_000_00)
    accepting = previewed(action="A")
    assert sums_of(accepting.found)["will"].itc == 0
    rises, number = bulk_sql.rises(bulk.order_of(batch), limit=10)
    assert ([(rise.gstin, rise.count, rise.rise) for rise in rises], number) == (
        [(factories.SUPPLIER, 1, 18_000_00)],
        1,
    )


def test_what_is_applied_is_what_was_previewed_with_an_event_for_each_record() -> None:
    some()
    act(Record.objects.get(number="N1"), "P")
    batch = previewed(action="A")
    seq = Inbox.objects.values_list("seq", flat=True).get(pk=taxpayer().pk)
    batch = applied(batch)
    assert batch.phase == Phase.APPLIED
    assert batch.became["applied"] == batch.found
    assert set(actions_now().values()) == {"A"}
    events = ActionEvent.objects.filter(request_id=batch.pk)
    assert {(e.record.number, e.old_action, e.action, e.version) for e in events} == {
        ("N0", "N", "A", 1),
        ("N1", "P", "A", 2),
        ("N2", "N", "A", 1),
    }
    assert {(e.actor, e.capacity, e.inbox_seq, e.at) for e in events} == {(asha(), "preparer", seq + 1, at(NOON))}
    assert batch.undo_until == at(NOON) + timedelta(minutes=10)


def test_refusals_are_grouped_by_their_reason_and_never_written() -> None:
    some(2)
    saved(document(number="N0", section=Section.B2BA, original="N0", tax=200), period="112025", on="2025-11-15")
    batch = applied(previewed(action="A"))
    assert counts(batch.became["applied"]) == {"will": 2, Refusal.AMENDMENT_NOT_FILED.value: 1}
    assert Record.objects.get(section=Section.B2BA.value).action == "N"


def test_records_that_changed_after_the_preview_are_skipped_and_listed() -> None:
    first, second, third = some()
    batch = previewed(action="A")
    act(first, "R")
    act(second, "A")
    batch = applied(batch)
    assert counts(batch.became["applied"]) == {"moved": 2, "will": 1}
    assert actions_now() == {"N0": "R", "N1": "A", "N2": "A"}
    listed = bulk_sql.page(bulk.order_of(batch), verdict="moved", kept=None, after=0, upto=None, limit=10)
    assert listed == [first.pk, second.pk]
    assert third.pk not in listed


def test_the_set_is_fixed_at_the_preview() -> None:
    some(2)
    batch = previewed(action="A")
    filed(document(number="LATE", supplier=OTHER), supplier=OTHER, on="2025-11-15")
    batch = applied(batch)
    assert counts(batch.became["applied"]) == {"will": 2}
    assert actions_now()["LATE"] == "N"


def test_a_ticked_row_that_somebody_changed_since_it_was_shown_is_not_overwritten() -> None:
    first, second, _third = some()
    act(first, "R")
    batch = previewed(Which("all", "", "/", {first.pk: 0, second.pk: 0}), "A")
    assert counts(batch.found) == {"moved": 1, "will": 1}


def test_a_strangers_record_cannot_be_ticked() -> None:
    taxpayer(OTHER)
    mine, foreign = filed(document(number="N0"), document(number="X", recipient=OTHER))
    batch = previewed(Which("all", "", "/", {mine.pk: 0, foreign.pk: 0}), "A")
    assert list(BatchRow.objects.filter(batch=batch).values_list("record", flat=True)) == [mine.pk]


def test_filters_choose_the_set() -> None:
    filed(document(number="INV"), document(number="CN", section=Section.CN))
    act(Record.objects.get(number="INV"), "A")
    assert counts(previewed(Which(Section.CN.value, "action=N", "/"), "P").found) == {"will": 1}
    assert counts(previewed(Which(Section.B2B.value, "action=N", "/"), "P").found) == {}


def notes() -> None:
    filed(
        document(number="INV", tax=50_000),
        *(document(number=f"CN{n}", section=Section.CN, tax=1_000) for n in (1, 2, 3)),
    )


def test_accepting_reducing_records_waits_for_an_answer() -> None:
    notes()
    batch = previewed(action="A")
    assert counts(batch.found) == {"will": 1, Refusal.ITC_REDUCTION_REQUIRED.value: 3}
    with pytest.raises(BatchRefusedError, match="unanswered"):
        applied(batch)


def test_one_answer_for_all_but_those_left_out() -> None:
    notes()
    batch = previewed(action="A")
    left = Record.objects.get(number="CN3")
    bulk.answer(batch=batch, actor=asha(), clock=clock(NOON), given=Answer.NONE, remark="never claimed", left=[left.pk])
    batch = fresh(batch)
    assert counts(batch.found) == {"will": 3, "left": 1}
    # Two notes stop reducing what untouched they would have reduced in full.
    assert sums_of(batch.found)["will"].itc == 2_000_00
    batch = applied(batch)
    found = {r.number: (r.action, r.answer, r.remark) for r in Record.objects.all()}
    assert found == {
        "INV": ("A", "", ""),
        "CN1": ("A", "N", "never claimed"),
        "CN2": ("A", "N", "never claimed"),
        "CN3": ("N", "", ""),
    }


def test_an_answer_can_be_changed_until_it_is_applied() -> None:
    notes()
    batch = previewed(action="A")
    for given in (Answer.NONE, Answer.FULL):
        bulk.answer(batch=batch, actor=asha(), clock=clock(NOON), given=given, remark="x", left=[])
    batch = applied(fresh(batch))
    assert set(Record.objects.filter(section=Section.CN.value).values_list("answer", "remark")) == {("F", "")}


def test_one_reason_and_remark_for_all_rejected() -> None:
    some(2)
    applied(previewed(action="R"), remark="not ours", reason="NOT_OURS")
    assert set(Record.objects.values_list("action", "remark", "reason_code")) == {("R", "not ours", "NOT_OURS")}


def test_undoing_restores_what_stood_before_as_new_history() -> None:
    first, second, third = filed(
        document(number="CN1", section=Section.CN, tax=1_000),
        document(number="CN2", section=Section.CN, tax=1_000),
        document(number="CN3", section=Section.CN, tax=1_000),
    )
    act(first, "A", answer="P", declared=Tax(igst=400_00), remark="partly")
    act(second, "R", reason="OTHER", remark="why")
    before = list(
        Record.objects.order_by("pk").values_list("action", "answer", "declared_igst", "remark", "reason_code")
    )
    seq = Inbox.objects.values_list("seq", flat=True).get(pk=taxpayer().pk)
    batch = undone(applied(previewed(action="P")))
    after = list(
        Record.objects.order_by("pk").values_list("action", "answer", "declared_igst", "remark", "reason_code")
    )
    assert after == before
    assert batch.phase == Phase.UNDONE
    assert counts(batch.became["undone"]) == {"": 3}
    assert Inbox.objects.values_list("seq", flat=True).get(pk=taxpayer().pk) == seq + 2
    last = ActionEvent.objects.filter(record=third).latest("version")
    assert (last.cause, last.old_action, last.action, last.version) == ("undone", "P", "N", 2)


def test_undoing_gives_the_badge_of_a_suppliers_edit_back() -> None:
    record = saved(document(number="S1"))[0]
    act(record, "A", on="2025-11-06")
    saved(document(number="S1", tax=200), on="2025-11-07")
    record.refresh_from_db()
    assert (record.action, record.lost_action) == ("N", "A")
    batch = undone(applied(previewed(action="P", on="2025-11-08 12:00"), on="2025-11-08 12:00"), on="2025-11-08 12:05")
    assert counts(batch.became["undone"]) == {"": 1}
    record.refresh_from_db()
    assert (record.action, record.lost_action) == ("N", "A")


def test_undoing_leaves_what_others_changed_since() -> None:
    first, _second, _third = some()
    batch = applied(previewed(action="A"))
    act(first, "R", on="2025-11-15 12:01")
    batch = undone(batch)
    assert counts(batch.became["undone"]) == {"": 2, "moved": 1}
    assert actions_now() == {"N0": "R", "N1": "N", "N2": "N"}


def test_undoing_is_over_after_ten_minutes() -> None:
    some(1)
    batch = applied(previewed(action="A"))
    assert undone(batch, on="2025-11-15 12:10").phase == Phase.UNDONE
    some_other = applied(previewed(action="R", on="2025-11-15 12:10"), on="2025-11-15 12:10")
    with pytest.raises(BatchRefusedError, match="late"):
        undone(some_other, on="2025-11-15 12:21")


def test_nothing_is_undone_after_gstr3b() -> None:
    some(2)
    batch = applied(previewed(action="A", on="2025-11-18 12:00"), on="2025-11-18 12:00")
    filed_period(on="2025-11-18 12:05")
    with pytest.raises(BatchRefusedError, match="filed"):
        undone(batch, on="2025-11-18 12:06")
    assert set(actions_now().values()) == {"A"}


def test_gstr3b_filed_between_preview_and_apply_freezes_its_records() -> None:
    some(2)
    saved(document(number="NEXT"), period="112025", on="2025-11-15")
    batch = previewed(action="R", on="2025-11-18 12:00")
    filed_period(on="2025-11-18 12:05")
    batch = applied(batch, on="2025-11-18 12:06")
    assert counts(batch.became["applied"]) == {"will": 1, Refusal.RECORD_FROZEN.value: 2}
    assert actions_now() == {"N0": "N", "N1": "N", "NEXT": "R"}


def test_confirming_twice_has_one_effect() -> None:
    some()
    batch = previewed(action="A")
    request_id = uuid.uuid4()
    for _time in range(2):
        bulk.apply(batch=batch, actor=asha(), clock=clock(NOON), request_id=request_id, remark="", reason_code="")
        bulk.carry_out(batch=fresh(batch), clock=clock(NOON))
    applied(fresh(batch))
    assert ActionEvent.objects.count() == 3


def test_the_same_request_previews_once_and_another_set_under_it_is_refused() -> None:
    some()
    request_id = uuid.uuid4()
    ask = {"taxpayer": taxpayer(), "actor": asha(), "clock": clock(NOON), "request_id": request_id}
    first = bulk.preview(which=ALL, action=Action.ACCEPT, **ask)
    assert bulk.preview(which=ALL, action=Action.ACCEPT, **ask).pk == first.pk
    with pytest.raises(once.MismatchError):
        bulk.preview(which=ALL, action=Action.REJECT, **ask)


def test_a_batch_goes_on_where_it_was_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    some(7)
    monkeypatch.setattr(bulk, "PIECE", 3)
    batch = previewed(action="A")
    bulk.apply(batch=batch, actor=asha(), clock=clock(NOON), request_id=uuid.uuid4(), remark="", reason_code="")
    assert bulk._next_piece(fresh(batch), clock(NOON))
    batch = fresh(batch)
    assert (batch.progress, batch.total, batch.percent) == (3, 7, 42)
    assert list(actions_now().values()).count("A") == 3
    bulk.carry_out(batch=batch, clock=clock(NOON))
    assert set(actions_now().values()) == {"A"}
    assert ActionEvent.objects.count() == 7


def test_stopping_keeps_what_is_done_and_undo_takes_back_only_that(monkeypatch: pytest.MonkeyPatch) -> None:
    some(7)
    monkeypatch.setattr(bulk, "PIECE", 3)
    batch = previewed(action="A")
    bulk.apply(batch=batch, actor=asha(), clock=clock(NOON), request_id=uuid.uuid4(), remark="", reason_code="")
    bulk._next_piece(fresh(batch), clock(NOON))
    bulk.stop(batch=batch)
    bulk.carry_out(batch=fresh(batch), clock=clock(NOON))
    batch = fresh(batch)
    assert (batch.phase, batch.stop) == (Phase.APPLIED, Batch.Stop.ASKED)
    assert counts(batch.became["applied"]) == {"will": 3, "": 4}
    batch = undone(batch)
    assert counts(batch.became["undone"]) == {"": 3}
    assert set(actions_now().values()) == {"N"}


def test_a_right_that_ends_on_the_way_stops_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    some(7)
    monkeypatch.setattr(bulk, "PIECE", 3)
    batch = previewed(action="A")
    bulk.apply(batch=batch, actor=asha(), clock=clock(NOON), request_id=uuid.uuid4(), remark="", reason_code="")
    bulk._next_piece(fresh(batch), clock(NOON))
    Membership.objects.update(valid_to=at(NOON))
    bulk.carry_out(batch=fresh(batch), clock=Fixed(at(NOON) + timedelta(seconds=1)))
    batch = fresh(batch)
    assert batch.stop == Batch.Stop.RIGHT_LOST
    assert list(actions_now().values()).count("A") == 3


def test_somebody_elses_preview_cannot_be_confirmed() -> None:
    some()
    batch = previewed(action="A")
    other = member(taxpayer(), "signatory", "ravi")
    with pytest.raises(BatchRefusedError, match="foreign"):
        bulk.apply(batch=batch, actor=other, clock=clock(NOON), request_id=uuid.uuid4(), remark="", reason_code="")
    viewer = member(taxpayer(), "viewer", "vera")
    with pytest.raises(RightMissingError):
        bulk.apply(batch=batch, actor=viewer, clock=clock(NOON), request_id=uuid.uuid4(), remark="", reason_code="")
