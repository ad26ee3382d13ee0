"""GSTR-2B and GSTR-3B in the deadline inbox: draft day, recomputation, due days, by the clock (R7.1, R7.11, R8.12)."""

from __future__ import annotations

import pytest

from ims_portal import access
from ims_portal.agenda import Item
from ims_portal.rules.periods import Frequency
from invoices.models import Record
from returns import deadlines
from tests import factories

pytestmark = pytest.mark.django_db


def items(on: str, gstin: str = factories.RECIPIENT) -> dict[str, Item]:
    taxpayer = factories.taxpayer(gstin)
    held = access.for_taxpayer(user=factories.member(taxpayer, "preparer"), gstin=gstin, at=factories.at(on))
    return {item.key: item for item in deadlines.room(held, factories.at(on)).items}


def test_the_draft_of_gstr2b_is_ahead_until_its_day() -> None:
    found = items("2025-11-13")
    assert set(found) == {"gstr2b:202510", "gstr3b:202510"}
    assert found["gstr2b:202510"].on.isoformat() == "2025-11-14"
    late = items("2025-11-14")
    assert set(late) == {"compute:202510", "gstr3b:202510"}
    assert late["compute:202510"].on.isoformat() == "2025-11-20"


def test_a_current_statement_asks_for_nothing_and_one_out_of_date_to_be_computed() -> None:
    factories.filed()
    factories.computed()
    assert set(items("2025-11-15")) == {"gstr3b:202510"}
    factories.act(Record.objects.get(), "R", on="2025-11-15")
    item = items("2025-11-16")["compute:202510"]
    assert (item.on.isoformat(), item.count, item.do) == ("2025-11-20", 1, "Compute")
    assert "cannot be filed until it is computed again" in item.if_nothing


def test_the_gstr3b_of_the_open_period_closes_it_on_its_due_day() -> None:
    item = items("2025-11-16")["gstr3b:202510"]
    assert (item.on.isoformat(), item.closes_period) == ("2025-11-20", True)
    assert item.title == "GSTR-3B of 10/2025 is due"
    assert "From 21/11/2025 it is late" in item.if_nothing


def test_overdue_returns_are_counted_at_the_oldest() -> None:
    assert items("2026-01-20")["gstr3b:202510"].title == "GSTR-3B of 10/2025 and of 1 later period are due"
    assert items("2026-01-21")["gstr3b:202510"].title == "GSTR-3B of 10/2025 and of 2 later periods are due"


def test_once_filed_the_next_period_is_open() -> None:
    factories.filed_period()
    assert set(items("2025-11-19")) == {"gstr2b:202511", "gstr3b:202511"}


def test_a_quarter_s_payments_fall_due_before_its_return() -> None:
    factories.taxpayer("27AAACQ1234C1Z5", frequency=Frequency.QUARTERLY)
    found = items("2025-11-26", "27AAACQ1234C1Z5")
    assert "pmt06:202510" not in found
    assert found["pmt06:202511"].on.isoformat() == "2025-12-25"
    assert found["gstr3b:202512"].on.isoformat() == "2026-01-22"
    assert found["gstr2b:202512"].on.isoformat() == "2026-01-14"
