"""The rules page: every table as in force on a day, from the code itself, published or our own reading."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ims_portal import rulebook
from ims_portal.rules import gstr2b, rates
from ims_portal.rules.table import Dated, Table, Unit
from tests import factories

PAGE = "/en/rules/"


@pytest.fixture
def reader(client: Client) -> Client:
    client.force_login(factories.user())
    return client


def _rule(day: date, name: str) -> rulebook.Rule:
    return next(rule for chapter in rulebook.chapters(day) for rule in chapter.rules if rule.name == name)


def test_every_table_of_the_law_is_on_the_page() -> None:
    shown = [rule.name for chapter in rulebook.chapters(date(2026, 11, 14)) for rule in chapter.rules]
    in_code = [
        value.name
        for module, _title in rulebook.CHAPTERS
        for value in vars(module).values()
        if isinstance(value, Dated | Table)
    ]
    assert sorted(shown) == sorted(in_code)
    assert len(shown) == len(set(shown))


def test_a_table_prints_every_row_of_the_version_in_force() -> None:
    found = _rule(date(2025, 10, 1), gstr2b.BYPASS.name)
    assert len(found.lines) == len(gstr2b.BYPASS.at(202510).rows)
    assert [version.is_in_force for version in found.versions] == [False, False, True]
    assert found.lines[-1].answer == "It is in IMS"


@pytest.mark.parametrize(
    ("day", "says_import_bypasses"), [(date(2025, 9, 30), True), (date(2025, 10, 1), False), (date(2024, 9, 30), False)]
)
def test_the_version_follows_the_day(day: date, *, says_import_bypasses: bool) -> None:
    answers = [line.answer for line in _rule(day, gstr2b.BYPASS.name).lines]
    assert ("It bypasses IMS, by an import before October 2025" in answers) is says_import_bypasses


@pytest.mark.parametrize(("day", "is_a_rate"), [(date(2025, 9, 21), False), (date(2025, 9, 22), True)])
def test_rules_dated_by_day_change_on_their_day(day: date, *, is_a_rate: bool) -> None:
    rule = _rule(day, rates.RATES.name)
    assert (rule.lines[0].answer == "Yes") is is_a_rate


def test_before_the_first_version_a_table_has_no_rows() -> None:
    assert _rule(date(2017, 6, 30), rates.RATES.name).lines == []


def test_only_our_readings_leaves_out_what_is_published() -> None:
    lines = [
        line
        for chapter in rulebook.chapters(date(2026, 11, 14), only_ours=True)
        for rule in chapter.rules
        for line in rule.lines
    ]
    assert lines
    assert all(line.ours for line in lines)


def test_every_unit_is_known() -> None:
    units = {
        rule.unit for module, _title in rulebook.CHAPTERS for rule in vars(module).values() if isinstance(rule, Dated)
    }
    assert units == set(Unit)


@pytest.mark.django_db
def test_the_page_shows_today_without_being_asked_and_reads_no_table_of_the_database(reader: Client) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        page = reader.get(PAGE)
    assert page.status_code == 200
    assert len(queries) <= 4
    assert "Published" in page.text
    assert "Our reading" in page.text


@pytest.mark.django_db
def test_the_page_shows_the_day_asked_for(reader: Client) -> None:
    page = reader.get(PAGE, {"on": "30/09/2025"}).text
    assert "Rules in force on 30/09/2025" in page
    assert "It bypasses IMS, by an import before October 2025" in page


@pytest.mark.django_db
@pytest.mark.parametrize("on", ["2025-09-30", "31/02/2026", "x", "<b>"])
def test_a_day_that_is_none_is_told_at_its_field(reader: Client, on: str) -> None:
    page = reader.get(PAGE, {"on": on})
    assert page.status_code == 422
    assert "Write the day as DD/MM/YYYY" in page.text
    assert "<b>" not in page.text


@pytest.mark.django_db
def test_the_page_is_for_people_who_are_signed_in(client: Client) -> None:
    assert client.get(PAGE).status_code == 302
