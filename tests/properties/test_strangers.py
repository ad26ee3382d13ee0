"""What other taxpayers report, choose and file changes nothing for a recipient (R2.13, R7.6, R7.11)."""

from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoices import actions, feeds
from invoices.actions import Item, ResultStatus
from invoices.models import Record
from returns.models import Gstr2bLine
from tests import factories
from tests.properties import worlds
from tests.properties.worlds import ACROSS, CHOSEN_ON, CLOSED_ON, NEIGHBOUR, NOVEMBER, OCTOBER, WITHIN, Chain, Wish

OTHER_SUPPLIER = "29AAKCT0000P1Z6"


@pytest.mark.django_db(transaction=True)
@worlds.examples(7)
@given(
    ours=worlds.several_chains,
    theirs=worlds.several_chains,
    picks=st.lists(worlds.wishes, min_size=12, max_size=12),
)
def test_strangers_change_no_line_no_row_and_no_count_of_a_recipient(
    ours: list[Chain], theirs: list[Chain], picks: list[Wish]
) -> None:
    alone, among_others = (_play(ours, strangers, picks) for strangers in ([], theirs))
    assert among_others == alone


def _play(ours: list[Chain], theirs: list[Chain], picks: list[Wish]) -> tuple[object, ...]:
    """Return how the recipient ends after its November; strangers act between its choices and its computations."""
    records = worlds.open_november(ours, theirs)
    if theirs:
        _choose_as_neighbour(records, picks)
    worlds.take(list(zip(records, picks, strict=False)), on=CHOSEN_ON[NOVEMBER])
    first = worlds.compute(NOVEMBER).statement
    if theirs:
        _close_as_strangers()
    again = worlds.compute(NOVEMBER)
    ended = worlds.records(), worlds.lines(NOVEMBER), worlds.table_4(OCTOBER), worlds.table_4(NOVEMBER)
    return *ended, worlds.sequence(), first.seq, again.nothing_changed


def _choose_as_neighbour(ours: list[Record], picks: list[Wish]) -> None:
    """Let the neighbour choose for its own records, and in vain for ours, while another supplier reports to it."""
    theirs = worlds.open_records(NEIGHBOUR)
    if theirs:
        worlds.take(list(zip(theirs, reversed(picks), strict=False)), on=CHOSEN_ON[NOVEMBER])
    foreign = [
        Item(record.pk, record.version, worlds.chosen(record, pick, CHOSEN_ON[NOVEMBER]))
        for record, pick in zip(ours, picks, strict=False)
    ]
    outcome = actions.take(
        taxpayer=worlds.party(NEIGHBOUR),
        items=foreign,
        actor=None,
        clock=factories.clock(CHOSEN_ON[NOVEMBER]),
        request_id=uuid4(),
    )
    assert {result.status for result in outcome.results} == {ResultStatus.REFUSED}
    worlds.close(OCTOBER, OTHER_SUPPLIER)


def _close_as_strangers() -> None:
    """Let everybody else file November: another supplier, a bill of entry that changes hands, returns, add-backs."""
    found = factories.document(number="OTHER1", recipient=NEIGHBOUR)
    worlds.report(NOVEMBER, found, supplier=OTHER_SUPPLIER)
    bill = worlds.bill(NOVEMBER, worlds.Tax(igst=5_000), importer=NEIGHBOUR)
    feeds.change_gstin(original=bill, to=worlds.party(OTHER_SUPPLIER), clock=factories.clock(CLOSED_ON[NOVEMBER]))
    worlds.close(NOVEMBER, NEIGHBOUR, OTHER_SUPPLIER, ACROSS, WITHIN)
    assert Gstr2bLine.objects.filter(recipient__gstin=NEIGHBOUR, last_version=None).exists()
