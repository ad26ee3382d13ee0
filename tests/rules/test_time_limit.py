"""The last day on which a supplier may report a document again, and the day after."""

from __future__ import annotations

from datetime import date

import pytest

from ims_portal.rules import time_limit


@pytest.mark.parametrize(
    ("day", "is_too_late"),
    [(date(2026, 3, 31), False), (date(2026, 11, 30), False), (date(2026, 12, 1), True), (date(2027, 4, 1), True)],
)
def test_a_document_of_2025_26_can_be_reported_again_until_30_november_2026(day: date, is_too_late: bool) -> None:
    assert time_limit.last_amended_on(2025) == date(2026, 11, 30)
    assert time_limit.is_too_late_to_amend(day, 2025) is is_too_late


def test_the_decision_names_its_sources() -> None:
    decision = time_limit.TOO_LATE_TO_AMEND.decide(2025, last_day_has_passed=True)
    assert "s.37(3)" in decision.cite
