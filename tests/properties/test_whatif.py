"""What-if tells what comes of it: the choices made and computed give the sums it told, and filing the add-backs."""

from __future__ import annotations

import pytest
from django.db.models import F, Sum
from hypothesis import given
from hypothesis import strategies as st

from ims_portal.rules.actions import Action, Answer
from ims_portal.rules.documents import Section
from ims_portal.rules.periods import parse
from invoices import standing
from invoices.filters import IN_IMS, Filters
from invoices.models import Record
from returns import whatif
from returns.models import Addback
from returns.whatif import Choices
from returns.whatif_sql import Sums
from tests import factories
from tests.properties import worlds
from tests.properties.worlds import CHOSEN_ON, CLOSED_ON, NOVEMBER, Chain, Wish

saves = st.lists(st.tuples(st.integers(0, 99), worlds.wishes), max_size=4)
asked = st.builds(
    Choices,
    st.builds(
        Filters,
        sections=st.sampled_from([IN_IMS, (Section.CN, Section.CNA), (Section.B2B,)]),
        action=st.sampled_from(["", "", "N", "A", "R"]),
    ),
    st.sampled_from(Action),
    st.sampled_from([Answer.FULL, Answer.NONE]),
)


@pytest.mark.django_db(transaction=True)
@worlds.examples(12)
@given(drawn=worlds.several_chains, told=saves, choices=asked, is_current=st.booleans())
def test_what_is_told_is_what_comes_of_it(
    drawn: list[Chain], told: list[tuple[int, Wish]], choices: Choices, is_current: bool
) -> None:
    records = worlds.open_november(drawn)
    picks = {place % len(records): wish for place, wish in told}
    worlds.take([(records[place], wish) for place, wish in picks.items()], on=CHOSEN_ON[NOVEMBER])
    if is_current:
        worlds.compute(NOVEMBER)
    owner, at = worlds.party(), factories.at(CLOSED_ON[NOVEMBER])
    before = worlds.digests()
    found = whatif.ask(taxpayer=owner, inbox=owner.inbox, today=standing.of(owner, at), choices=choices)
    moved = whatif.moved(taxpayer=owner, inbox=owner.inbox, today=standing.of(owner, at), choices=choices)
    assert worlds.digests() == before
    assert _stored(found.before) == worlds.compute(NOVEMBER).statement.sums
    _choose(choices)
    statement = worlds.compute(NOVEMBER).statement
    assert _stored(found.after) == statement.sums
    table_4 = worlds.table_4(NOVEMBER)
    assert {row: tax for row, tax in found.table_4(found.after).items() if row in table_4} == table_4
    net = found.table_4(found.after)["t4C"] - found.table_4(found.before)["t4C"]
    assert sum(line.net for line in moved) == net.total
    worlds.close(NOVEMBER, worlds.RECIPIENT)
    added = Addback.objects.filter(recipient=owner, filing__month=parse(worlds.MONTHS[NOVEMBER]).month)
    charged = dict(
        added.values_list("supplier__gstin").annotate(tax=Sum(F("igst") + F("cgst") + F("sgst") + F("cess"))).order_by()
    )
    for line in found.charged.suppliers:
        assert charged.get(line.gstin, 0) == line.after


def _choose(choices: Choices) -> None:
    """Make the choices as one would by hand: for what the list shows, in one command."""
    shown = choices.filters
    at = standing.of(worlds.party(), factories.at(CLOSED_ON[NOVEMBER]))
    wish = Wish(choices.action.value, choices.answer.value)
    picked: list[tuple[Record, Wish]] = [
        (record, wish)
        for record in worlds.open_records()
        if Section(record.section) in shown.sections and shown.action in ("", at.effective_action(record).value)
    ]
    worlds.take(picked, on=CLOSED_ON[NOVEMBER])


def _stored(sums: Sums) -> dict[str, dict[str, dict[str, list[int]]]]:
    """Return sums as a statement keeps them."""
    kept: dict[str, dict[str, dict[str, list[int]]]] = {}
    for (placement, part, row), (count, tax) in sums.items():
        kept.setdefault(placement, {}).setdefault(part, {})[row] = [count, *tax]
    return kept
