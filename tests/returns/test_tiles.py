"""What the home says of GSTR-2B and GSTR-3B of the open period."""

from __future__ import annotations

import pytest

from ims_portal import access
from ims_portal.access import Access
from ims_portal.rules.periods import Frequency
from invoices.models import Record
from returns import tiles
from tests import factories

pytestmark = pytest.mark.django_db


def held(role: str = "preparer", on: str = "2025-11-16") -> Access:
    taxpayer = factories.taxpayer()
    return access.for_taxpayer(user=factories.member(taxpayer, role), gstin=taxpayer.gstin, at=factories.at(on))


def test_before_the_draft_day_it_says_from_when() -> None:
    tile = tiles.room(held(on="2025-11-10"), factories.at("2025-11-10"))["gstr2b"]
    assert tile.state == "Not computed"
    assert "from 14/11/2025" in tile.barred
    assert tile.lines == (tile.barred,)


def test_a_fresh_statement_has_nothing_to_compute() -> None:
    factories.filed()
    factories.computed()
    tile = tiles.room(held(), factories.at("2025-11-16"))["gstr2b"]
    assert (tile.state, tile.lines) == ("Version 1", ("Net ITC ₹18,000.00.",))
    assert tile.barred == "Nothing changed since version 1 of 14/11/2025 10:00."


def test_a_stale_statement_gives_the_command_to_those_who_may() -> None:
    factories.filed()
    factories.computed()
    factories.act(Record.objects.get(), "R", on="2025-11-15")
    tile = tiles.room(held(), factories.at("2025-11-16"))["gstr2b"]
    assert tile.state == "Out of date"
    assert tile.command_url.endswith("/returns/102025/gstr2b/compute/")
    assert tile.barred == ""
    assert tiles.room(held("viewer"), factories.at("2025-11-16"))["gstr2b"].command_url == ""


@pytest.mark.parametrize(("on", "state"), [("2025-11-20", "Not filed"), ("2025-11-21", "Overdue")])
def test_gstr3b_is_due_on_its_day_and_overdue_the_day_after(on: str, state: str) -> None:
    tile = tiles.room(held(), factories.at(on))["gstr3b"]
    assert (tile.state, tile.lines) == (state, ("Due on 20/11/2025.",))


@pytest.mark.parametrize(
    ("on", "ahead"),
    [
        ("2025-11-25", ["PMT-06 of 10/2025 is due on 25/11/2025.", "PMT-06 of 11/2025 is due on 25/12/2025."]),
        ("2025-11-26", ["PMT-06 of 11/2025 is due on 25/12/2025."]),
        ("2025-12-26", []),
    ],
)
def test_a_quarter_s_tile_tells_the_payments_that_fall_due_before_its_return(on: str, ahead: list[str]) -> None:
    taxpayer = factories.taxpayer("27AAACQ1234C1Z5", frequency=Frequency.QUARTERLY)
    quarterly = access.for_taxpayer(
        user=factories.member(taxpayer, "preparer"), gstin=taxpayer.gstin, at=factories.at(on)
    )
    tile = tiles.room(quarterly, factories.at(on))["gstr3b"]
    assert list(tile.lines) == ["Due on 22/01/2026.", *ahead]
