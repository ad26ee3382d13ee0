"""The order of choices on different records does not matter, nor in how many commands they come (R2.2, R7.6)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoices.models import Record
from tests.properties import worlds
from tests.properties.worlds import CHOSEN_ON, NOVEMBER, Chain, Wish

Told = dict[worlds.Name, tuple[str, str, int]]


@pytest.mark.django_db(transaction=True)
@worlds.examples(8)
@given(drawn=worlds.several_chains, data=st.data())
def test_choices_in_any_order_and_any_grouping_end_alike(drawn: list[Chain], data: st.DataObject) -> None:
    ends = []
    wishes = None
    for _turn in range(2):
        records = worlds.open_november(drawn)
        wishes = wishes or data.draw(st.lists(worlds.wishes, min_size=len(records), max_size=len(records)))
        told = _choose(data.draw(st.permutations(list(zip(records, wishes, strict=True)))), data)
        worlds.compute(NOVEMBER)
        ends.append((told, worlds.records(), worlds.lines(NOVEMBER), worlds.table_4(NOVEMBER)))
    assert ends[0] == ends[1]


def _choose(arranged: list[tuple[Record, Wish]], data: st.DataObject) -> Told:
    told: Told = {}
    while arranged:
        size = data.draw(st.integers(1, len(arranged)))
        batch, arranged = arranged[:size], arranged[size:]
        outcome = worlds.take(batch, on=CHOSEN_ON[NOVEMBER])
        for (record, _wish), result in zip(batch, outcome.results, strict=True):
            told[worlds.name_of(record)] = result.status.value, str(result.refusal), result.version
    return told
