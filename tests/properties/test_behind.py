"""What a statement lacks is what computing it again adds: the banner's sums are those of the next version (R7.11)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoices import standing
from returns import behind, behind_sql, gstr2b, lines
from tests import factories
from tests.properties import worlds
from tests.properties.worlds import CHOSEN_ON, CLOSED_ON, NOVEMBER, Chain, Wish

saves = st.lists(st.lists(st.tuples(st.integers(0, 99), worlds.wishes), max_size=4), min_size=1, max_size=3)


@pytest.mark.django_db(transaction=True)
@worlds.examples(8)
@given(drawn=worlds.several_chains, saved=saves)
def test_the_sums_are_those_of_the_next_version(drawn: list[Chain], saved: list[list[tuple[int, Wish]]]) -> None:
    records = worlds.open_november(drawn)
    older = worlds.compute(NOVEMBER).statement
    at = factories.at(CLOSED_ON[NOVEMBER])
    today = standing.of(worlds.party(), at)
    assert behind.of(taxpayer=worlds.party(), today=today) is None
    for picks in saved:
        by_place = {place % len(records): wish for place, wish in picks}
        worlds.take([(records[place], wish) for place, wish in by_place.items()], on=CHOSEN_ON[NOVEMBER])
    found = behind.of(taxpayer=worlds.party(), today=today)
    told, listed = behind_sql.changed(gstr2b.since(older, today), today, limit=1000)
    newer = worlds.compute(NOVEMBER).statement
    if found is None:
        assert newer == older
        return
    changes = {
        change.record_id: lines.net_itc(change.newer) - lines.net_itc(change.older) for change in _diff(older, newer)
    }
    totals = [tax.total for tax in changes.values()]
    assert (found.gain, found.loss) == (sum(t for t in totals if t > 0), sum(t for t in totals if t < 0))
    assert told == (found.count, found.gain, found.loss)
    assert set(changes) <= {one.record_id for one in listed}
    assert found.count == len(listed)
    assert behind.of(taxpayer=worlds.party(), today=today) is None


def _diff(older: gstr2b.Gstr2b, newer: gstr2b.Gstr2b) -> list[gstr2b.Change]:
    return gstr2b.diff(older, newer)
