"""Charts of statements: every bar is what the statement says, and both ends of a waterfall are reached."""

from __future__ import annotations

import pytest

from ims_portal import access, charts
from ims_portal.access import Access
from ims_portal.rules.documents import Section
from invoices.models import Record
from returns import figures, lines
from returns.models import Gstr2b
from returns.statement_sums import PENDING
from tests import factories

pytestmark = pytest.mark.django_db


def held(on: str) -> Access:
    taxpayer = factories.taxpayer()
    return access.for_taxpayer(user=factories.member(taxpayer, "viewer"), gstin=taxpayer.gstin, at=factories.at(on))


def drawn(on: str = "2025-11-16") -> charts.Figure | None:
    return figures.itc_by_status(held(on), factories.at(on))


def decided() -> None:
    accepted, rejected, pending, note, _untouched = factories.filed(
        factories.document(number="A", tax=18000),
        factories.document(number="R", tax=5000),
        factories.document(number="P", tax=700),
        factories.document(number="CN", section=Section.CN, tax=2000),
        factories.document(number="N", tax=900),
    )
    for record, action in ((accepted, "A"), (rejected, "R"), (pending, "P")):
        factories.act(record, action)
    factories.act(note, "A", answer="F")


def test_itc_is_stacked_by_what_became_of_it_credit_notes_taken_off() -> None:
    decided()
    factories.computed()
    figure = drawn()
    assert figure is not None
    assert figure.headings == ("Period", "Accepted", "No action", "Pending", "Rejected", "ITC taken")
    (row,) = figure.rows
    assert (row.name, row.cells) == ("10/2025", ("₹16,000.00", "₹900.00", "₹700.00", "₹5,000.00", "₹16,900.00"))
    assert row.url.endswith("/returns/102025/gstr2b/")
    assert "you accepted ₹16,000.00 and ₹900.00 counts as accepted without action" in figure.finding


def test_sums_by_status_are_those_of_the_version_they_are_kept_with() -> None:
    decided()
    first = factories.computed().statement
    factories.act(Record.objects.get(number="P"), "A", on="2025-11-15")
    second = factories.computed(on="2025-11-16").statement
    assert first.by_status["accepted"] == [2, 16_000_00]
    assert first.by_status[PENDING] == [1, 700_00]
    assert second.by_status["accepted"] == [3, 16_700_00]
    assert second.by_status[PENDING] == [0, 0]


def test_periods_without_kept_sums_have_no_bar_and_are_named() -> None:
    decided()
    factories.filed_period()
    figure = drawn("2025-12-10")
    assert figure is not None
    assert [row.name for row in figure.rows] == ["11/2025", "10/2025"]
    assert figure.rows[0].cells == ("", "", "", "", "")
    assert figure.note == "No sums by status are kept for: 11/2025."


def test_without_a_statement_there_is_no_chart() -> None:
    assert drawn() is None


def versions() -> tuple[Gstr2b, Gstr2b]:
    decided()
    older = factories.computed().statement
    factories.act(Record.objects.get(number="A"), "R", on="2025-11-15")
    factories.act(Record.objects.get(number="P"), "A", on="2025-11-15")
    factories.act(Record.objects.get(number="CN"), "P", on="2025-11-15")
    return older, factories.computed(on="2025-11-16").statement


def test_a_waterfall_goes_from_one_version_to_the_other_by_what_was_chosen() -> None:
    older, newer = versions()
    figure = figures.by_cause(lines.compare(older=older, newer=newer))
    assert figure is not None
    assert [(row.name, *row.cells) for row in figure.rows] == [
        ("Version 1", "", "₹16,900.00"),
        ("chosen: Reject", "1", "-₹18,000.00"),
        ("chosen: Pending", "1", "+₹2,000.00"),
        ("chosen: Accept", "1", "+₹700.00"),
        ("Version 2", "", "₹1,600.00"),
    ]
    assert "Net ITC changes by -₹15,300.00 from version 1 to version 2" in figure.finding
    assert "The largest cause, -₹18,000.00: chosen: Reject." in figure.finding


def test_records_a_comparison_does_not_list_are_one_step(monkeypatch: pytest.MonkeyPatch) -> None:
    older, newer = versions()
    monkeypatch.setattr(lines, "LARGEST_DIFF", 1)
    figure = figures.by_cause(lines.compare(older=older, newer=newer))
    assert figure is not None
    assert figure.rows[-2].name == "all other records"
    assert figure.rows[-2].cells[0] == "2"
    assert figure.rows[-1].cells[1] == "₹1,600.00"


def test_versions_alike_draw_nothing() -> None:
    decided()
    older = factories.computed().statement
    factories.act(Record.objects.get(number="N"), "P", on="2025-11-15")
    factories.act(Record.objects.get(number="N"), "N", on="2025-11-15")
    newer = factories.computed(on="2025-11-16").statement
    assert newer.version == 2
    assert figures.by_cause(lines.compare(older=older, newer=newer)) is None
