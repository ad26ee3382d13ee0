"""A command that comes again changes no row of any table, and a save equal to what is stored changes nothing (R2.2)."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ims_portal.models import User
from ims_portal.rules import periods
from ims_portal.rules.documents import Form
from ims_portal.rules.money import Tax
from invoices import outward
from invoices.actions import Choice, Item, ResultStatus, take
from invoices.models import Record
from returns import gstr2b, gstr3b
from returns.models import Gstr2bJob
from tests import factories
from tests.properties import worlds
from tests.properties.worlds import CHOSEN_ON, CLOSED_ON, MONTHS, NOVEMBER, Chain, Wish

pytestmark = pytest.mark.django_db(transaction=True)
PERIOD, LATER = periods.parse(MONTHS[NOVEMBER]), factories.clock(CLOSED_ON[NOVEMBER])
LOG_OF_REQUESTS = "ims_portal_command"

choices = st.lists(st.tuples(st.integers(0, 99), worlds.wishes), min_size=1, max_size=4, unique_by=lambda pick: pick[0])
rows = st.tuples(
    st.sampled_from(["t4A5", "t4B1", "t4D1", "t3_1_d"]),
    st.none() | st.builds(Tax, igst=st.integers(0, 999)),
    st.just("books differ"),
)
steps = st.lists(
    st.tuples(st.just("choose"), choices) | st.tuples(st.just("adjust"), rows) | st.tuples(st.just("want"), st.none()),
    min_size=2,
    max_size=7,
)


@dataclass
class Sent:
    """A command that was done, how to send it again, and what it answered."""

    again: Callable[[], object]
    answer: object


@worlds.examples(8)
@given(drawn=worlds.several_chains, told=steps, which=st.integers(0, 99))
def test_a_command_sent_again_changes_no_row_and_answers_the_same(
    drawn: list[Chain], told: list[tuple[str, object]], which: int
) -> None:
    records = worlds.open_november(drawn)
    actor = factories.member(worlds.party())
    sent: list[Sent] = []
    outward.file(supplier=worlds.party(), form=Form.GSTR1, period=PERIOD, actor=actor, clock=LATER)
    for kind, what in told:
        command = _command(kind, what, records, actor)
        sent.append(Sent(command, command()))
        _send_again(sent[which % len(sent)])
    jobs = Gstr2bJob.objects.all()  # the one that was wanted is over when the request for it comes again
    gstr2b.compute(taxpayer=worlds.party(), period=PERIOD, actor=actor, clock=LATER, job=jobs.first())
    filing = _command("file", None, records, actor)
    sent.append(Sent(filing, filing()))
    for earlier in sent:
        _send_again(earlier)


def _send_again(sent: Sent) -> None:
    before = worlds.digests()
    assert sent.again() == sent.answer
    assert worlds.digests() == before


def _command(kind: str, what: object, records: list[Record], actor: User) -> Callable[[], object]:
    """Return a command with its request id fixed, to be sent as often as wanted; its answer can be compared."""
    told = {"taxpayer": worlds.party(), "period": PERIOD, "actor": actor, "clock": LATER}
    key = uuid4()
    if kind == "choose":
        return _choice(what, records, actor, key)
    if kind == "adjust":
        row, tax, reason = what
        return lambda: bool(gstr3b.adjust(**told, row=row, tax=tax, reason=reason, request_id=key))
    if kind == "want":
        return lambda: gstr2b.request(**told, request_id=key).pk
    return lambda: gstr3b.file(**told, request_id=key).reference


def _choice(picks: list[tuple[int, Wish]], records: list[Record], actor: User, key: UUID) -> Callable[[], object]:
    by_place = {place % len(records): wish for place, wish in picks}
    items = []
    for place, wish in by_place.items():
        record = records[place]
        record.refresh_from_db()
        items.append(Item(record.pk, record.version, worlds.chosen(record, wish, CHOSEN_ON[NOVEMBER])))
    clock = factories.clock(CHOSEN_ON[NOVEMBER])
    return lambda: take(taxpayer=worlds.party(), items=items, actor=actor, clock=clock, request_id=key).results


@worlds.examples(6)
@given(drawn=worlds.several_chains, data=st.data())
def test_a_save_equal_to_what_is_stored_changes_nothing(drawn: list[Chain], data: st.DataObject) -> None:
    records = worlds.open_november(drawn)
    wishes = data.draw(st.lists(worlds.wishes, min_size=len(records), max_size=len(records)))
    worlds.take(list(zip(records, wishes, strict=True)), on=CHOSEN_ON[NOVEMBER])
    statement = worlds.compute(NOVEMBER).statement
    actor = factories.member(worlds.party())
    before = worlds.digests(without=[LOG_OF_REQUESTS])
    outcome = take(
        taxpayer=worlds.party(),
        items=[_as_stored(record) for record in records],
        actor=actor,
        clock=LATER,
        request_id=uuid4(),
    )
    assert {result.status for result in outcome.results} <= {ResultStatus.UNCHANGED, ResultStatus.REFUSED}
    assert worlds.digests(without=[LOG_OF_REQUESTS]) == before
    again = worlds.compute(NOVEMBER, on="2025-12-16")
    assert (again.nothing_changed, again.statement.pk) == (True, statement.pk)


def _as_stored(record: Record) -> Item:
    record.refresh_from_db()
    choice = Choice(
        worlds.actions.Action(record.action),
        worlds.actions.Answer(record.answer),
        record.declared,
        record.remark,
        record.reason_code,
    )
    return Item(record.pk, record.version, choice)


@worlds.examples(5)
@given(drawn=worlds.several_chains)
def test_a_return_filed_again_is_refused_and_documents_saved_again_change_nothing(drawn: list[Chain]) -> None:
    worlds.open_november(drawn)
    supplier, clock = worlds.party(worlds.ACROSS), factories.clock("2025-12-11")
    told = {"supplier": supplier, "form": Form.GSTR1, "actor": None, "clock": clock}
    saved = factories.document(number="SAVED1", tax=900)
    before = worlds.digests()
    with pytest.raises(outward.ReturnRefusedError):
        outward.file(**told, period=PERIOD, found=worlds.november_of(drawn, worlds.ACROSS))
    assert worlds.digests() == before
    assert outward.save(**told, period=periods.parse(MONTHS[NOVEMBER + 1]), found=[saved]).changed_nothing
    assert worlds.digests() == before
