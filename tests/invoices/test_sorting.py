"""Every order of a list, both ways: pages follow without gap or repeat, and PREVIOUS is what came before."""

from __future__ import annotations

from itertools import pairwise

import pytest

from ims_portal.rules.documents import Section
from invoices import inbox, sorting, standing
from invoices.filters import Filters
from invoices.inbox import Page
from invoices.models import Record
from invoices.sorting import By, Sort
from tests import factories

pytestmark = pytest.mark.django_db
CN = Section.CN
NEIGHBOUR = "27AAAFK7071L1Z2"
EVERY_ORDER = [Sort(by, is_turned) for by in By for is_turned in (False, True)]


@pytest.fixture
def desk() -> None:
    """Let two suppliers, named the other way round than they are numbered, report what every order can tell apart."""
    factories.taxpayer(factories.SUPPLIER, name="Zinc")
    factories.taxpayer(NEIGHBOUR, name="alum")
    factories.filed(
        factories.document(number="I1", tax=300, on="2025-10-01"),
        factories.document(number="I2", tax=100, on="2025-10-09"),
        factories.document(number="I3", tax=200, on="2025-10-09"),
        factories.document(number="C1", tax=100, on="2025-10-03", section=CN),
        factories.document(number="C2", tax=500, on="2025-10-02", section=CN),
    )
    later = [factories.document(number=f"N{n}", tax=100, on="2025-10-04", supplier=NEIGHBOUR) for n in range(1, 4)]
    note = factories.document(number="NC", tax=50, on="2025-11-01", section=CN, supplier=NEIGHBOUR)
    factories.filed(*later, supplier=NEIGHBOUR)
    factories.saved(note, supplier=NEIGHBOUR, period="112025", on="2025-11-11")
    factories.act(Record.objects.get(number="C2"), "R", reason="NOT_OURS")


def page(sort: Sort, *, rows: int, cursor: str = "", filters: Filters | None = None, on: str = "2025-11-12") -> Page:
    owner = factories.taxpayer()
    today = standing.of(owner, factories.at(on))
    return inbox.page(taxpayer=owner, today=today, filters=filters or Filters(), rows=rows, sort=sort, cursor=cursor)


def numbers(found: Page) -> list[str]:
    return [line.record.number for line in found.lines]


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        (Sort(By.NEEDS), ["NC", "C1", "I3", "I2", "N3", "N2", "N1", "C2", "I1"]),
        (Sort(By.DATE), ["NC", "I3", "I2", "N3", "N2", "N1", "C1", "C2", "I1"]),
        (Sort(By.TAX), ["C2", "I1", "I3", "N3", "N2", "N1", "C1", "I2", "NC"]),
        (Sort(By.SUPPLIER), ["N1", "N2", "N3", "NC", "I1", "C2", "C1", "I2", "I3"]),
        (Sort(By.LAST), ["C2", "C1", "NC", "I1", "N1", "N2", "N3", "I2", "I3"]),
    ],
)
def test_each_order_puts_first_what_it_is_named_for_and_turned_ends_with_it(sort: Sort, expected: list[str]) -> None:
    assert numbers(page(sort, rows=20)) == expected
    assert numbers(page(Sort(sort.by, is_turned=True), rows=20)) == expected[::-1]


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize("sort", EVERY_ORDER, ids=lambda sort: sort.code or "needs")
@pytest.mark.parametrize("rows", [1, 2, 4, 9])
def test_pages_follow_without_gap_or_repeat_and_previous_is_what_came_before(sort: Sort, rows: int) -> None:
    whole = numbers(page(sort, rows=20))
    pages = [page(sort, rows=rows)]
    while pages[-1].after:
        pages.append(page(sort, rows=rows, cursor=pages[-1].after))
    assert [name for found in pages for name in numbers(found)] == whole
    assert [found.first for found in pages] == list(range(1, len(whole) + 1, rows))
    for before, found in pairwise(pages):
        back = page(sort, rows=rows, cursor=found.before)
        assert (numbers(back), back.first, back.last) == (numbers(before), before.first, before.last)
        assert numbers(page(sort, rows=rows, cursor=back.after)) == numbers(found)
    assert pages[0].before == ""


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize("by", list(By))
@pytest.mark.parametrize(
    "filters", [Filters(needs_you=True), Filters(reduces=True), Filters(sections=(CN,)), Filters(settled=True)]
)
def test_an_order_shows_what_the_filter_lists_and_no_more(by: By, filters: Filters) -> None:
    expected = set(numbers(page(Sort(By.DATE), rows=20, filters=filters)))
    found = numbers(page(Sort(by), rows=20, filters=filters))
    assert len(found) == len(expected)
    assert set(found) == expected


@pytest.mark.usefixtures("desk")
def test_the_counts_travel_with_the_cursor_until_they_are_asked_anew() -> None:
    first = page(Sort(), rows=4)
    factories.act(Record.objects.get(number="I1"), "A")
    second = page(Sort(), rows=4, cursor=first.after)
    assert second.by_action == first.by_action
    owner = factories.taxpayer()
    today = standing.of(owner, factories.at("2025-11-12"))
    anew = inbox.page(taxpayer=owner, today=today, filters=Filters(), rows=4, cursor=first.after, counts_anew=True)
    assert (first.by_action["N"].count, anew.by_action["N"].count, anew.by_action["A"].count) == (8, 7, 1)
    assert numbers(anew) == numbers(second)


@pytest.mark.usefixtures("desk")
def test_a_page_whose_records_have_gone_is_the_first_page() -> None:
    first = page(Sort(), rows=8)
    Record.objects.filter(number="I1").update(status="W", filed_on=None, gstr2b_month=None)
    assert page(Sort(), rows=8, cursor=first.after).first == 1


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize("cursor", ["forged", "WyIiLFswLCIyIl0sZmFsc2UsMSx7fV0:1:x"])
def test_a_cursor_of_ones_own_making_or_of_another_order_shows_the_first_page(cursor: str) -> None:
    assert page(Sort(), rows=4, cursor=cursor).first == 1
    assert page(Sort(By.TAX), rows=4, cursor=page(Sort(), rows=4).after).first == 1


def test_an_order_is_written_as_it_is_read() -> None:
    assert [sorting.parse(sort.code) for sort in EVERY_ORDER] == EVERY_ORDER
    assert Sort().code == ""
    with pytest.raises(sorting.NotAnOrderError):
        sorting.parse("colour")
    with pytest.raises(sorting.NotAnOrderError):
        sorting.parse("--tax")
