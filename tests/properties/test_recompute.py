"""A statement is what stands when it is computed: again, or from nothing, it comes out the same (R7.5, R7.11)."""

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from invoices.models import Record
from returns import gstr2b
from returns.models import Gstr2b, Gstr2bLine
from tests.properties import worlds
from tests.properties.worlds import CHOSEN_ON, CLOSED_ON, NOVEMBER, Chain, Wish

saves = st.lists(st.lists(st.tuples(st.integers(0, 99), worlds.wishes), max_size=4), min_size=1, max_size=4)


@pytest.mark.django_db(transaction=True)
@worlds.examples(8)
@given(drawn=worlds.several_chains, told=saves)
def test_a_statement_computed_again_or_from_nothing_has_the_same_lines(
    drawn: list[Chain], told: list[list[tuple[int, Wish]]]
) -> None:
    records = worlds.open_november(drawn)
    for picks in told:
        by_place = {place % len(records): wish for place, wish in picks}
        worlds.take([(records[place], wish) for place, wish in by_place.items()], on=CHOSEN_ON[NOVEMBER])
        _check_again(worlds.compute(NOVEMBER).statement)
    lines = worlds.lines(NOVEMBER)
    _check_set_and_set_back(records, lines)
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE returns_gstr2bline")
    _set_and_set_back(records)
    worlds.compute(NOVEMBER)
    assert worlds.lines(NOVEMBER) == lines


def _check_again(first: Gstr2b) -> None:
    before = worlds.digests()
    again = worlds.compute(NOVEMBER)
    assert (again.nothing_changed, again.statement) == (True, first)
    assert worlds.digests() == before


def _check_set_and_set_back(records: list[Record], lines: dict[worlds.Name, tuple[object, ...]]) -> None:
    older, count = worlds.statement(NOVEMBER), Gstr2bLine.objects.count()
    _set_and_set_back(records)
    newer = worlds.compute(NOVEMBER)
    assert (newer.nothing_changed, newer.statement.version) == (False, older.version + 1)
    assert gstr2b.diff(older, newer.statement) == []
    assert (worlds.lines(NOVEMBER), Gstr2bLine.objects.count()) == (lines, count)
    assert newer.statement.sums == older.sums


def _set_and_set_back(records: list[Record]) -> None:
    """Keep the bill of entry pending and take it as it was: always possible, never without a new version (R7.11)."""
    bill = next(record for record in records if record.section == "impg")
    bill.refresh_from_db()
    before = Wish(bill.action)
    worlds.take([(bill, Wish("N" if bill.action == "P" else "P"))], on=CLOSED_ON[NOVEMBER])
    worlds.take([(bill, before)], on=CLOSED_ON[NOVEMBER])
