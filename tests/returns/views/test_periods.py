"""The list of periods: where GSTR-1, GSTR-2B and GSTR-3B stand, one financial year at a time."""

from __future__ import annotations

from ims_portal.rules.periods import Frequency
from returns import gstr3b
from tests import factories
from tests.returns.views.conftest import Desk
from tests.returns.views.test_gstr2b import text


def test_every_period_that_has_begun_is_listed_with_its_days(desk: Desk) -> None:
    found = text(desk.get("returns/"))
    for part in ("11/2025", "10/2025 open", "due 11/11/2025", "can be computed", "due 20/11/2025", "Overdue"):
        assert part in found
    assert "12/2025" not in found.replace("11/12/2025", "").replace("20/12/2025", "").replace("14/12/2025", "")


def test_what_is_filed_and_computed_is_said_with_its_day(desk: Desk) -> None:
    desk.documents()
    filing = _file(desk)
    found = text(desk.get("returns/"))
    for part in ("on 10/11/2025", "version 1, 14/11/2025 10:00", filing, "11/2025 open"):
        assert part in found


def _file(desk: Desk) -> str:
    factories.computed(desk.taxpayer)
    made = gstr3b.file(
        taxpayer=desk.taxpayer, period=factories.OCTOBER, actor=None, clock=factories.clock("2025-11-16")
    )
    return made.reference


def test_a_quarter_is_one_period(desk: Desk) -> None:
    quarterly = factories.taxpayer("27AAACQ1234C1Z5", frequency=Frequency.QUARTERLY)
    factories.member(quarterly, "viewer", "viewer")
    answer = desk.as_("viewer").get(f"/en/t/{quarterly.gstin}/returns/")
    assert "10-12/2025" in text(answer)
    assert "/returns/122025/gstr2b/" in answer.content.decode()
    assert "PMT-06 of 10/2025 due 25/11/2025 PMT-06 of 11/2025 due 25/12/2025" in text(answer)
    assert "PMT-06" not in text(desk.get("returns/"))


def test_an_earlier_year_is_one_click_away(desk: Desk) -> None:
    desk.today("2026-04-02")
    assert "04/2026" in text(desk.get("returns/"))
    assert "10/2025" in text(desk.get("returns/", fy="2025"))
    assert "04/2026" in text(desk.get("returns/", fy="1999"))
