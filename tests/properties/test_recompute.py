"""A statement is what stands when it is computed: again, or from every record, it comes out the same (R7.5, R7.11)."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from ims_portal.rules import periods
from invoices.models import Record
from returns import gstr2b
from returns.models import Gstr2b, Gstr2bLine
from tests.properties import worlds
from tests.properties.worlds import CHOSEN_ON, CLOSED_ON, NOVEMBER, Chain, Wish

saves = st.lists(st.lists(st.tuples(st.integers(0, 99), worlds.wishes), max_size=4), min_size=1, max_size=4)


@pytest.mark.django_db(transaction=True)
@worlds.examples(8)
@given(drawn=worlds.several_chains, told=saves)
def test_a_statement_made_from_few_changes_is_the_one_made_from_every_record(
    drawn: list[Chain], told: list[list[tuple[int, Wish]]]
) -> None:
    records = worlds.open_november(drawn)
    for picks in told:
        by_place = {place % len(records): wish for place, wish in picks}
        worlds.take([(records[place], wish) for place, wish in by_place.items()], on=CHOSEN_ON[NOVEMBER])
        _check_again(_from_few_changes())
        _check_from_every_record()
    _check_set_and_set_back(records, worlds.lines(NOVEMBER))
    _check_from_every_record()


def _from_few_changes() -> Gstr2b:
    """Compute; where there was a statement before, see that nothing but what changed was looked at."""
    month = periods.parse(worlds.MONTHS[NOVEMBER]).month
    is_first = not Gstr2b.objects.filter(recipient=worlds.party(), month=month).exists()
    with CaptureQueriesContext(connection) as queries:
        done = worlds.compute(NOVEMBER)
    wanted = [one["sql"] for one in queries if "CREATE TEMPORARY TABLE wanted_lines" in one["sql"]]
    assert done.nothing_changed or ["touched_records" in sql for sql in wanted] == [not is_first]
    return done.statement


@contextmanager
def _other_code() -> Iterator[None]:
    """Let statements be of other code than those before, so that they are made from every record."""
    before = gstr2b.CODE
    gstr2b.CODE = "another"
    try:
        yield
    finally:
        gstr2b.CODE = before


def _check_from_every_record() -> None:
    few, lines = worlds.statement(NOVEMBER), worlds.lines(NOVEMBER)
    with _other_code():
        every = worlds.compute(NOVEMBER)
    assert (every.nothing_changed, every.statement.version) == (False, few.version + 1)
    assert not Gstr2bLine.objects.filter(first_version=every.statement.version).exists()
    assert not Gstr2bLine.objects.filter(last_version=few.version).exists()
    assert worlds.lines(NOVEMBER) == lines
    kept = ("sums", "by_status", "liable_taxable", "line_count")
    assert [getattr(every.statement, name) for name in kept] == [getattr(few, name) for name in kept]
    worlds.compute(NOVEMBER)  # by the usual code again, so that the next one has few changes to look at


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
