"""Deadlines by a program: what the page says, in order of days."""

from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from ims_portal.models import Snooze
from ims_portal.rules.documents import Section
from tests import factories
from tests.api.client import Program, token
from tests.api.test_entrance import refused

TODAY = "2025-11-12"
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now")]
R, S = factories.RECIPIENT, factories.SUPPLIER


def test_what_falls_due_is_told_with_what_is_at_stake(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    factories.filed(factories.document(section=Section.CN, number="C1", tax=5000))
    asha = factories.member(factories.taxpayer(), "signatory", "asha")
    program = Program(token(asha, R))
    program.get("token")
    with django_assert_max_num_queries(10):
        told = program.get(f"t/{R}/deadlines").json()
    assert told["day"] == TODAY
    days = [one["on"] for one in told["deadlines"]]
    assert days == sorted(days)
    note = next(one for one in told["deadlines"] if one["key"] == "reduces:202510")
    assert (note["records"], note["tax"], note["snoozed_until"]) == (1, "5000.00", None)
    Snooze.objects.create(user=asha, taxpayer=factories.taxpayer(), item=note["key"], until="2025-11-15")
    told = program.get(f"t/{R}/deadlines").json()
    assert {one["key"]: one["snoozed_until"] for one in told["deadlines"]}[note["key"]] == "2025-11-15"


def test_another_s_deadlines_are_not_there() -> None:
    factories.taxpayer(S)
    asha = factories.member(factories.taxpayer(), "signatory", "asha")
    refused(Program(token(asha, R)).get(f"t/{S}/deadlines"), 404, "NOT_FOUND")
