"""A taxpayer's filing frequencies and the extensions in force, with one query as with two."""

from __future__ import annotations

import pytest

from ims_portal import access, calendar
from ims_portal.models import DueDateExtension, FilingFrequency
from ims_portal.rules.periods import Frequency
from tests import factories

pytestmark = pytest.mark.django_db


def extend(due: str, known: str, *, approved: bool = True) -> None:
    DueDateExtension.objects.create(
        form="GSTR-3B",
        month=202511,
        frequency="M",
        due=due,
        notification="N",
        known_from=factories.at(known),
        proposed_by=factories.user("adm1"),
        approved_by=factories.user("adm2") if approved else None,
    )


@pytest.mark.parametrize("on", ["2025-12-09", "2025-12-10", "2025-12-15", "2025-12-16"])
def test_one_query_finds_what_two_find(on: str, django_assert_num_queries: object) -> None:
    taxpayer = factories.taxpayer()
    other = factories.taxpayer(factories.SUPPLIER)
    FilingFrequency.objects.create(taxpayer=taxpayer, from_month=202601, frequency=Frequency.QUARTERLY.value)
    FilingFrequency.objects.create(taxpayer=other, from_month=202604, frequency=Frequency.QUARTERLY.value)
    extend("2025-12-31", "2025-12-16")
    extend("2025-12-27", "2025-12-10")
    extend("2026-01-31", "2025-12-01", approved=False)
    at = factories.at(on)
    with django_assert_num_queries(1):
        found = calendar.of(taxpayer, at)
    assert found == (calendar.filer(taxpayer), calendar.in_force(at))
    preparer = factories.member(taxpayer, "preparer")
    with django_assert_num_queries(1):
        held = access.for_taxpayer(user=preparer, gstin=taxpayer.gstin, at=at)
        assert held.calendar(at) == found


def test_without_either_a_taxpayer_files_by_the_month_and_the_statutory_days_hold() -> None:
    taxpayer = factories.taxpayer()
    FilingFrequency.objects.all().delete()
    at = factories.at("2025-12-10")
    found = calendar.of(taxpayer, at)
    assert found == (calendar.filer(taxpayer), calendar.in_force(at))
    held = access.for_taxpayer(user=factories.member(taxpayer, "preparer"), gstin=taxpayer.gstin, at=at)
    assert held.calendar(at) == found
