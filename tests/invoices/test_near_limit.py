"""Labels of amendments, and the warning from 1 November of credit whose time limit is near."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ims_portal.models import Taxpayer
from ims_portal.rules import periods
from ims_portal.rules.amendments import Direction
from ims_portal.rules.documents import Section
from ims_portal.rules.money import Tax
from ims_portal.rules.periods import Frequency
from invoices import inbox, standing, wording
from invoices.filters import Filters
from invoices.inbox_sql import Sum
from invoices.models import Record
from returns import gstr3b
from tests import factories

pytestmark = pytest.mark.django_db

OLD, DAY = "2025-03-10", "2025-11-12"


@pytest.fixture
def recipient() -> Taxpayer:
    return factories.taxpayer()


def near(taxpayer: Taxpayer, on: str = DAY) -> dict[int, Sum]:
    today = standing.of(taxpayer, factories.at(on))
    return inbox.near_limit(taxpayer=taxpayer, today=today, open_now=inbox.open_period(taxpayer, today))


def warned(record: Record, on: str = DAY) -> bool:
    today = standing.of(record.recipient, factories.at(on))
    found = inbox.detail(taxpayer=record.recipient, today=today, pk=record.pk)
    assert found is not None
    return found.nears_limit


def test_undecided_credit_of_the_year_before_is_counted_from_1_november(recipient: Taxpayer) -> None:
    old, pending, decided, new = factories.filed(
        factories.document(number="OLD", on=OLD, tax=100),
        factories.document(number="PENDING", on=OLD, tax=10),
        factories.document(number="DECIDED", on=OLD, tax=1000),
        factories.document(number="NEW", on="2025-04-01", tax=7),
    )
    factories.act(pending, "P", on="2025-11-11")
    factories.act(decided, "R", on="2025-11-11")
    assert near(recipient) == {2024: Sum(2, 110_00)}
    assert near(recipient, "2025-10-31") == {}
    assert near(recipient, "2025-11-01") == {2024: Sum(2, 110_00)}
    assert [warned(record) for record in (old, pending, decided, new)] == [True, True, False, False]
    assert not warned(old, "2025-10-31")


def test_what_the_limit_does_not_bar_is_not_warned_of(recipient: Taxpayer) -> None:
    note, reverse = factories.filed(
        factories.document(section=Section.CN, number="CN1", on=OLD),
        factories.document(number="RCM", on=OLD, reverse_charge=True),
    )
    assert near(recipient) == {}
    assert not warned(note)
    assert not warned(reverse)


def test_once_the_open_period_is_past_the_limit_nothing_can_be_saved_any_more(recipient: Taxpayer) -> None:
    record = factories.filed_record(number="OLD", on=OLD)
    factories.act(record, "P")
    factories.filed_period()
    record.refresh_from_db()
    with CaptureQueriesContext(connection) as asked:
        assert near(recipient, "2025-12-02") == {}
    assert not any("credit_fy" in query["sql"] for query in asked)
    assert not warned(record, "2025-12-02")


def test_the_warning_names_the_last_return_in_time(recipient: Taxpayer) -> None:
    factories.filed_record(number="OLD", on=OLD)
    today = standing.of(recipient, factories.at(DAY))
    told = wording.near_limit(2024, near(recipient)[2024], today)
    assert "1 record of 2024-25 is pending or without action, credit ₹18,000.00." in told
    assert "GSTR-3B of 10/2025 is the last that can take this credit" in told
    quarterly = factories.taxpayer("27AAACQ1234C1Z5", frequency=Frequency.QUARTERLY)
    late = standing.of(quarterly, factories.at(DAY))
    assert "GSTR-3B of 07-09/2025 is the last" in wording.near_limit(2024, Sum(1, 1), late)


def labels(taxpayer: Taxpayer, on: str = "2025-12-12") -> dict[str, Direction | None]:
    today = standing.of(taxpayer, factories.at(on))
    found = inbox.page(taxpayer=taxpayer, today=today, filters=Filters(), rows=50)
    return {line.record.number: line.direction for line in found.lines}


def amended(number: str, tax: int, section: Section = Section.B2BA, rate: int = 18, period: str = "112025") -> None:
    """File an amendment by S, which has filed its own return of the month before."""
    before, on = {"112025": ("102025", "2025-12-10"), "122025": ("112025", "2026-01-10")}[period]
    supplier = factories.taxpayer(factories.SUPPLIER)
    factories.computed(supplier, period=before, on=on)
    gstr3b.file(taxpayer=supplier, period=periods.parse(before), actor=None, clock=factories.clock(on))
    amends = "2025-10-05" if period == "112025" else "2025-11-03"
    factories.filed(
        factories.document(section=section, number=number, tax=tax, rate=rate, on="2025-11-03", original_on=amends),
        period=period,
        on=on,
    )


@pytest.mark.parametrize(
    ("tax", "rate", "label"),
    [
        (18_001, 18, Direction.UPWARD),
        (17_999, 18, Direction.DOWNWARD),
        (18_000, 18, Direction.UNCHANGED),
        (18_000, 12, Direction.UPWARD),
        (18_000, 28, Direction.DOWNWARD),
    ],
)
@pytest.mark.parametrize("action", ["A", "R"])
def test_an_amendment_is_labelled_against_what_was_accepted_or_the_version_before(
    recipient: Taxpayer, action: str, tax: int, rate: int, label: Direction
) -> None:
    record = factories.filed_record(number="INV1")
    factories.act(record, action)
    factories.filed_period(recipient)
    amended("INV1", tax, rate=rate)
    assert labels(recipient) == {"INV1": label}


def test_a_bigger_credit_note_goes_upward_though_it_takes_itc(recipient: Taxpayer) -> None:
    factories.filed(factories.document(section=Section.CN, number="CN1", tax=9_000))
    factories.filed_period(recipient)
    amended("CN1", 9_001, Section.CNA)
    assert labels(recipient) == {"CN1": Direction.UPWARD}


def test_with_an_accepted_version_that_is_not_the_last_it_is_the_accepted_one_that_counts(recipient: Taxpayer) -> None:
    factories.filed(factories.document(number="INV1", tax=18_000))
    factories.filed_period(recipient)
    amended("INV1", 20_000)
    factories.act(Record.objects.get(section="b2ba"), "R", on="2025-12-12")
    factories.filed_period(recipient, period="112025", on="2025-12-18")
    amended("INV1", 18_000, rate=12, period="122025")
    assert labels(recipient, "2026-01-12") == {"INV1": Direction.UPWARD}


def test_what_amends_nothing_has_no_label(recipient: Taxpayer) -> None:
    factories.filed_record(number="INV1", tax=Tax(igst=100))
    assert labels(recipient, "2025-11-12") == {"INV1": None}
