"""Records in the deadline inbox: each with its day, its count and its rupees, by the clock alone (R3.4, R4.8, R7.2)."""

from __future__ import annotations

import pytest
from django.http import QueryDict

from ims_portal import access
from ims_portal.access import Access
from ims_portal.agenda import Item
from ims_portal.models import DueDateExtension
from ims_portal.rules.documents import Form, Section
from ims_portal.rules.periods import Frequency
from invoices import deadlines, filters, inbox, standing
from returns import gstr3b
from tests import factories

pytestmark = pytest.mark.django_db
QUARTERLY = "27AAACQ1234C1Z0"


def held(on: str, gstin: str = factories.RECIPIENT) -> Access:
    taxpayer = factories.taxpayer(gstin)
    return access.for_taxpayer(user=factories.member(taxpayer, "preparer"), gstin=gstin, at=factories.at(on))


def items(on: str, gstin: str = factories.RECIPIENT) -> dict[str, Item]:
    return {item.key: item for item in deadlines.room(held(on, gstin), factories.at(on)).items}


def note(number: str = "CN1", tax: int = 18000, **options: object) -> object:
    return factories.document(section=Section.CN, number=number, tax=tax, **options)


def settled() -> None:
    """File October's GSTR-3B of both sides."""
    factories.computed(factories.taxpayer(factories.SUPPLIER), on="2025-11-18")
    gstr3b.file(
        taxpayer=factories.taxpayer(factories.SUPPLIER),
        period=factories.OCTOBER,
        actor=None,
        clock=factories.clock("2025-11-18"),
    )
    factories.filed_period()


def extend(due: str, *, month: int = 202511, known: str = "2025-12-01") -> None:
    DueDateExtension.objects.create(
        form="GSTR-3B",
        month=month,
        frequency="M",
        due=due,
        notification="N",
        known_from=factories.at(known),
        proposed_by=factories.user("adm1"),
        approved_by=factories.user("adm2"),
    )


def test_an_october_note_kept_pending_lapses_on_20_december() -> None:
    (record,) = factories.filed(note())
    factories.act(record, "P")
    item = items("2025-12-01")["lapses:202510"]
    assert (item.on.isoformat(), item.count, item.tax) == ("2025-12-20", 1, 18_000_00)
    assert "from 21/12/2025 as without action" in item.if_nothing
    assert item.url.endswith("/ims/inward/all/?action=P&period=10/2025&reduces=1")


def test_on_its_last_day_pending_still_lapses_and_the_day_after_the_record_is_without_action() -> None:
    (record,) = factories.filed(note())
    factories.act(record, "P")
    assert "lapses:202510" in items("2025-12-20 23:59")
    after = items("2025-12-21 00:00")
    assert "lapses:202510" not in after
    assert (after["reduces:202510"].count, after["reduces:202510"].tax) == (1, 18_000_00)


def test_a_quarterly_recipient_s_pending_lapses_with_the_following_quarter() -> None:
    factories.taxpayer(QUARTERLY, frequency=Frequency.QUARTERLY)
    (record,) = factories.filed(note(recipient=QUARTERLY))
    factories.act(record, "P")
    item = items("2026-01-05", QUARTERLY)["lapses:202512"]
    assert item.on.isoformat() == "2026-04-22"
    assert "GSTR-2B 10-12/2025" in item.title


def test_an_extension_moves_the_last_day_from_when_it_is_known() -> None:
    (record,) = factories.filed(note())
    factories.act(record, "P")
    extend("2025-12-27", known="2025-12-15")
    assert items("2025-12-14")["lapses:202510"].on.isoformat() == "2025-12-20"
    assert items("2025-12-15")["lapses:202510"].on.isoformat() == "2025-12-27"


def test_an_untouched_note_is_due_with_the_gstr3b_that_settles_it() -> None:
    factories.filed(note())
    item = items("2025-11-12")["reduces:202510"]
    assert (item.on.isoformat(), item.count, item.tax) == ("2025-11-20", 1, 18_000_00)
    assert item.url.endswith("?action=N&needs=1&period=10/2025&reduces=1")
    assert "reduced in full" in item.if_nothing


def test_a_decided_note_and_an_ordinary_invoice_are_no_deadline() -> None:
    accepted, rejected, _invoice, pending = factories.filed(
        note("CN1"), note("CN2"), factories.document(number="I1"), factories.document(number="I2")
    )
    factories.act(accepted, "A", answer="F")
    factories.act(rejected, "R")
    factories.act(pending, "P")
    assert set(items("2025-11-12")) == {"gstr1:202510"}


def test_what_accepting_takes_is_at_stake_not_the_document_s_tax() -> None:
    factories.filed(factories.document(tax=18000))
    settled()
    factories.filed(
        factories.document(section=Section.B2BA, number="INV1A", original="INV1", tax=12000),
        period="112025",
        on="2025-12-08",
    )
    assert items("2025-12-12")["reduces:202511"].tax == 6_000_00


def test_an_amendment_only_saved_is_not_to_decide_yet() -> None:
    factories.filed(factories.document(tax=18000))
    settled()
    factories.saved(
        factories.document(section=Section.B2BA, number="INV1A", original="INV1", tax=12000),
        period="112025",
        on="2025-12-05",
    )
    assert "reduces:202511" not in items("2025-12-06")


@pytest.mark.parametrize(("on", "is_told"), [("2025-10-31", False), ("2025-11-01", True), ("2025-11-11", True)])
def test_saved_records_are_told_of_in_the_ten_days_before_suppliers_file(on: str, *, is_told: bool) -> None:
    factories.saved(factories.document(), on="2025-10-20")
    assert ("saved:202510" in items(on)) is is_told


def test_saved_records_slip_into_the_next_gstr2b_after_the_eleventh() -> None:
    factories.saved(factories.document())
    item = items("2025-11-05")["saved:202510"]
    assert (item.on.isoformat(), item.count, item.tax) == ("2025-11-11", 1, 18_000_00)
    assert "not filed by 11/11/2025, they count in GSTR-2B of 11/2025" in item.if_nothing
    assert item.url.endswith("?status=S&period=10/2025")
    assert "saved:202510" not in items("2025-11-12")
    assert "saved:202511" not in items("2025-11-12")


def test_records_saved_by_the_quarter_slip_after_the_thirteenth() -> None:
    factories.taxpayer("24AAACS2718C1ZX", frequency=Frequency.QUARTERLY)
    factories.saved(factories.document(), form=Form.IFF)
    assert items("2025-11-12")["saved:202510"].on.isoformat() == "2025-11-13"
    assert "saved:202510" not in items("2025-11-14")


def test_for_a_quarterly_recipient_only_the_quarter_s_last_window_matters() -> None:
    factories.taxpayer(QUARTERLY, frequency=Frequency.QUARTERLY)
    factories.saved(factories.document(recipient=QUARTERLY))
    assert "saved:202512" not in items("2025-11-05", QUARTERLY)
    assert items("2026-01-05", QUARTERLY)["saved:202512"].on.isoformat() == "2026-01-11"


def test_from_the_first_of_november_undecided_credit_of_the_last_year_is_near_its_limit() -> None:
    factories.taxpayer(first=202503)
    old = factories.document(on="2025-03-05")
    (record,) = factories.filed(old, period="102025", on="2025-11-08")
    factories.act(record, "P", on="2025-11-09")
    assert not [key for key in items("2025-10-31") if key.startswith("limit")]
    item = items("2025-11-12")["limit:2024"]
    assert (item.on.isoformat(), item.count, item.tax) == ("2025-11-20", 1, 18_000_00)
    assert item.url.endswith("?limit=1")


def test_the_own_gstr1_is_a_deadline_until_it_is_filed() -> None:
    factories.taxpayer()
    assert items("2025-11-05")["gstr1:202510"].on.isoformat() == "2025-11-11"
    factories.filed_period()
    assert set(items("2025-11-20")) == {"gstr1:202511"}


def test_every_number_opens_to_as_many_records() -> None:
    factories.taxpayer(first=202503)
    old, *notes = factories.filed(
        factories.document(number="OLD", on="2025-03-05"),
        *(note(f"CN{number}", on="2025-10-05") for number in range(4)),
        on="2025-11-08",
    )
    for record in (old, *notes[:2]):
        factories.act(record, "P")
    factories.saved(factories.document(number="NEW", on="2025-11-03"), period="112025", on="2025-11-12")
    found = {**items("2025-11-12"), **items("2025-12-02")}
    assert {key for key, item in found.items() if item.count} == {
        "limit:2024",
        "lapses:202510",
        "reduces:202510",
        "saved:202511",
    }
    for on, key in [
        ("2025-11-12", "limit:2024"),
        ("2025-11-12", "lapses:202510"),
        ("2025-11-12", "reduces:202510"),
        ("2025-12-02", "saved:202511"),
    ]:
        asked = filters.parse("all", QueryDict(found[key].url.partition("?")[2]))
        assert asked is not None
        today = standing.of(factories.taxpayer(), factories.at(on))
        page = inbox.page(taxpayer=factories.taxpayer(), today=today, filters=asked.filters, rows=50)
        assert page.shown.count == found[key].count, key


def test_without_a_register_it_says_what_is_not_checked() -> None:
    told = deadlines.room(held("2025-11-12"), factories.at("2025-11-12"))
    assert any(text.startswith("Not checked: invoices without action") for text in told.notes)


def test_pending_is_drawn_by_the_age_of_its_documents_and_opens_to_them() -> None:
    records = factories.filed(
        factories.document(number="NEW", on="2025-10-31", tax=1000),
        factories.document(number="AGE30", on="2025-10-13", tax=2000),
        factories.document(number="AGE31", on="2025-10-12", tax=4000),
        factories.document(number="OLD", on="2025-08-13", tax=8000),
        factories.document(number="NOT", on="2025-08-13", tax=16000),
    )
    for record in records[:-1]:
        factories.act(record, "P")
    on = "2025-11-12"
    figure = deadlines.pending_by_age(held(on), standing.of(factories.taxpayer(), factories.at(on)))
    assert figure is not None
    assert [(row.name, *row.cells) for row in figure.rows] == [
        ("0 to 30 days", "2", "₹3,000.00"),
        ("31 to 60 days", "1", "₹4,000.00"),
        ("61 to 90 days", "0", "₹0.00"),
        ("more than 90 days", "1", "₹8,000.00"),
    ]
    assert figure.rows[1].url.endswith("?action=P&date_from=13/09/2025&date_to=12/10/2025")
    assert figure.rows[3].url.endswith("?action=P&date_to=13/08/2025")
    assert "4 records are pending, tax ₹15,000.00" in figure.finding


def test_nothing_pending_draws_nothing() -> None:
    factories.filed()
    on = "2025-11-12"
    assert deadlines.pending_by_age(held(on), standing.of(factories.taxpayer(), factories.at(on))) is None
