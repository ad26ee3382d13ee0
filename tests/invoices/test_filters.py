"""What a list's address asks for: read strictly, written back as it was, and the same set in SQL."""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from uuid import UUID, uuid4

import pytest
from django.http import QueryDict

from ims_portal.rules.documents import Form, InvoiceType, Section
from ims_portal.rules.periods import Frequency
from invoices import actions, filters, inbox, standing
from invoices.actions import Choice, Item
from invoices.filters import FIELDS, Filters, Match, Parsed
from invoices.models import Record
from tests import factories

CN = Section.CN
A_SAVE = UUID("6f1f0f5e-6f0c-4f57-9c9e-0d8b1f1f8a11")
EVERY_FILTER = Filters(
    sections=(Section.B2B, CN),
    action="N",
    text="a&b=c/é",
    status="F",
    needs_you=True,
    supplier=factories.SUPPLIER,
    inv_type=InvoiceType.SEZ_WITH_PAYMENT.value,
    source=Form.IFF.value,
    period=202610,
    date_from=date(2026, 11, 5),
    date_to=date(2026, 11, 6),
    tax_from=0,
    tax_to=12_345_67,
    match=Match.EXACT.value,
    lapses_in=0,
    changed=True,
    reduces=True,
    near_limit=True,
    batch=A_SAVE,
)


def read(query: str, slug: str = "all", *, has_books: bool = False) -> Parsed:
    found = filters.parse(slug, QueryDict(query), has_books=has_books)
    assert found is not None
    return found


def problem(query: str, slug: str = "all") -> dict[str, str]:
    return dict(read(query, slug).problems)


def test_every_filter_comes_back_from_its_own_address() -> None:
    assert {line.attribute for line in EVERY_FILTER.active} == {line.attribute for line in FIELDS} - {"settled"}
    again = read(EVERY_FILTER.query(), has_books=True)
    assert (again.filters, again.problems) == (EVERY_FILTER, {})
    settled = Filters(settled=True, action="R")
    assert read(settled.query()).filters == settled


def test_every_attribute_has_a_field_in_the_address() -> None:
    assert {f.name for f in fields(Filters)} == {line.attribute for line in FIELDS} | {"sections"}


def test_no_filter_is_no_query_and_one_section_is_its_own_list() -> None:
    assert Filters().query() == ""
    assert Filters().address("27AAACR5055K1Z7").endswith("/27AAACR5055K1Z7/ims/inward/all/")
    one = Filters(sections=(CN,), needs_you=True)
    assert one.address("27AAACR5055K1Z7", rows=25, after="").endswith("/ims/inward/b2bcn/?needs=1&rows=25")


def test_a_filter_sent_empty_filters_nothing() -> None:
    assert read("q=&status=&action=&date_from=+&tax_from=&section=").filters == Filters()


def test_a_list_of_a_section_there_is_none_of_is_none() -> None:
    assert filters.parse("isd", QueryDict("")) is None


@pytest.mark.parametrize(
    ("query", "attribute", "value"),
    [
        ("date_from=05/11/2026", "date_from", date(2026, 11, 5)),
        ("date_to=5/11/2026", "date_to", date(2026, 11, 5)),
        ("period=10/2026", "period", 202610),
        ("period=102026", "period", 202610),
        ("tax_from=12,34,567.5", "tax_from", 123_456_750),
        ("tax_to=₹0", "tax_to", 0),
        (f"supplier={factories.SUPPLIER.lower()}", "supplier", factories.SUPPLIER),
        ("lapses=7", "lapses_in", 7),
        ("section=b2bcn&section=b2b", "sections", (Section.B2B, CN)),
    ],
)
def test_a_filter_is_read_as_people_write_it(query: str, attribute: str, value: object) -> None:
    found = read(query)
    assert (getattr(found.filters, attribute), found.problems) == (value, {})


@pytest.mark.parametrize(
    ("query", "name", "told"),
    [
        ("action=X", "action", "X is not one of the choices"),
        ("status=W", "status", "W is not one of the choices"),
        ("needs=yes", "needs", "yes is not one of the choices"),
        ("type=REG", "type", "REG is not one"),
        ("source=GSTR-5", "source", "GSTR-5 is not one"),
        ("match=perhaps", "match", "perhaps is not one"),
        ("supplier=24AAACS2718C1ZY", "supplier", "24AAACS2718C1ZY is not a GSTIN"),
        ("period=13/2026", "period", "Write the period as MM/YYYY"),
        ("period=2026-10", "period", "Write the period as MM/YYYY"),
        ("date_from=11/25/2026", "date_from", "Write the day as DD/MM/YYYY"),
        ("date_from=2026-11-05", "date_from", "Write the day as DD/MM/YYYY"),
        ("date_from=06/11/2026&date_to=05/11/2026", "date_to", "The end is before the beginning"),
        ("tax_from=१२", "tax_from", "digits 0 to 9"),
        ("tax_from=1.005", "tax_from", "at most two decimals"),
        ("tax_to=-1", "tax_to", "No document carries tax below 0.00"),
        ("tax_from=2&tax_to=1", "tax_to", "The end is before the beginning"),
        ("lapses=-1", "lapses", "from 0 to 366"),
        ("lapses=soon", "lapses", "from 0 to 366"),
        ("batch=7", "batch", "not the number of a save"),
        ("q=" + "x" * 41, "q", "at most 40 characters"),
        ("q=a%00b", "q", "cannot be shown"),
        ("section=isd", "section", "no section isd"),
        ("statuss=S", "statuss", "no filter called statuss"),
        ("action=A&action=R", "action", "given twice"),
        ("settled=1&needs=1", "needs", "Settled records have no such state"),
        ("settled=1&action=P", "action", "Settled records have no such state"),
        ("match=exact", "match", "no purchase register yet"),
    ],
)
def test_what_cannot_be_read_is_refused_at_its_field(query: str, name: str, told: str) -> None:
    found = problem(query)
    assert list(found) == [name]
    assert told in found[name]


def test_the_list_of_one_section_takes_no_other() -> None:
    assert "no section b2b" in problem("section=b2b", "b2bcn")["section"]


def test_what_was_typed_is_kept_for_the_form() -> None:
    assert read("tax_from=many&q=abc").typed == {"tax_from": "many", "q": "abc"}


# The same set in SQL


def numbers(found: Filters, on: str = "2025-11-12") -> set[str]:
    """Return the numbers a filter lists, and check that the counted ones are as many."""
    owner = factories.taxpayer()
    today = standing.of(owner, factories.at(on))
    page = inbox.page(taxpayer=owner, today=today, filters=found, rows=50)
    assert page.shown.count == len(page.lines)
    return {line.record.number for line in page.lines}


NEIGHBOUR = "27AAAFK7071L1Z2"


@pytest.mark.django_db
def test_each_filter_lists_what_it_says_and_nothing_else() -> None:
    factories.filed(
        factories.document(number="PLAIN", tax=18000, on="2025-10-05"),
        factories.document(number="SEZ", tax=9000, on="2025-10-06", inv_type=InvoiceType.SEZ_WITH_PAYMENT),
        factories.document(number="CN1", tax=1800, on="2025-10-07", section=CN),
    )
    factories.filed(factories.document(number="NEAR", tax=100, on="2025-10-08", supplier=NEIGHBOUR), supplier=NEIGHBOUR)
    factories.saved(factories.document(number="LATER", on="2025-11-02"), period="112025", on="2025-11-11")
    expected = {
        Filters(supplier=NEIGHBOUR): {"NEAR"},
        Filters(inv_type="SEWP"): {"SEZ"},
        Filters(source="GSTR-1"): {"PLAIN", "SEZ", "CN1", "NEAR", "LATER"},
        Filters(source="ICEGATE"): set(),
        Filters(period=202511): {"LATER"},
        Filters(date_from=date(2025, 10, 6), date_to=date(2025, 10, 7)): {"SEZ", "CN1"},
        Filters(tax_from=100_00, tax_to=1_800_00): {"CN1", "NEAR"},
        Filters(reduces=True): {"CN1"},
        Filters(sections=(CN, Section.B2BA)): {"CN1"},
        Filters(action="A"): set(),
        Filters(needs_you=True): {"CN1"},
    }
    assert {asked: numbers(asked) for asked in expected} == expected


@pytest.mark.django_db
def test_a_quarterly_recipient_finds_a_month_in_its_quarter() -> None:
    factories.taxpayer(frequency=Frequency.QUARTERLY)
    factories.filed_record()
    assert numbers(Filters(period=202510)) == numbers(Filters(period=202512)) == {"INV1"}
    assert numbers(Filters(period=202509)) == set()


@pytest.mark.django_db
def test_pending_that_lapses_within_so_many_days_is_found_from_the_clock() -> None:
    factories.filed(factories.document(number="CN1", section=CN), factories.document(number="INV1"))
    for record in Record.objects.all():
        factories.act(record, "P")
    assert numbers(Filters(lapses_in=8), on="2025-12-12") == {"CN1"}
    assert numbers(Filters(lapses_in=7), on="2025-12-12") == set()
    assert numbers(Filters(lapses_in=0), on="2025-12-20") == {"CN1"}


@pytest.mark.django_db
def test_what_the_supplier_changed_since_it_was_decided_is_found_and_needs_you() -> None:
    for tax in (1800, 3600):
        factories.saved(
            factories.document(number="LATER", tax=tax, on="2025-11-02"),
            factories.document(number="SAME", on="2025-11-02"),
            period="112025",
            on="2025-11-11",
        )
        if tax == 1800:
            factories.act(Record.objects.get(number="LATER"), "A")
            factories.act(Record.objects.get(number="SAME"), "A")
    assert numbers(Filters(changed=True), on="2025-11-14") == {"LATER"}
    assert numbers(Filters(needs_you=True), on="2025-11-14") == {"LATER"}
    factories.act(Record.objects.get(number="LATER"), "A", on="2025-11-14")
    assert numbers(Filters(changed=True), on="2025-11-14") == set()


@pytest.mark.django_db
def test_what_a_save_changed_is_found_by_its_number() -> None:
    first, _second = factories.filed(factories.document(number="I1"), factories.document(number="I2"))
    key = uuid4()
    actions.take(
        taxpayer=factories.taxpayer(),
        items=[Item(first.pk, 0, Choice(actions.Action.ACCEPT))],
        actor=None,
        clock=factories.clock("2025-11-12"),
        request_id=key,
    )
    assert numbers(Filters(batch=key)) == {"I1"}
    assert numbers(Filters(batch=uuid4())) == set()


@pytest.mark.django_db
def test_what_the_time_limit_bars_soon_is_found_only_from_the_first_of_november() -> None:
    factories.filed(factories.document(number="OLD", on="2025-03-20"), factories.document(number="NEW"))
    assert numbers(Filters(near_limit=True), on="2025-10-31") == set()
    assert numbers(Filters(near_limit=True), on="2025-11-01") == {"OLD"}


@pytest.mark.django_db
def test_every_filter_at_once_is_one_statement_that_the_database_takes() -> None:
    factories.filed_record()
    assert numbers(EVERY_FILTER.but(match="")) == set()


@pytest.mark.django_db
@pytest.mark.parametrize("match", list(Match))
def test_without_books_no_record_has_a_match(match: Match) -> None:
    factories.filed_record()
    assert not numbers(Filters(match=match.value))
