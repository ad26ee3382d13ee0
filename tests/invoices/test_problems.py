"""Problems wait in the order they came, few in memory and many in a file, and are given back as often as wanted."""

from __future__ import annotations

import pytest

from ims_portal.rules.documents import Problem
from invoices import problems
from invoices.problems import Problems


def problem(place: int, *, is_warning: bool = False) -> Problem:
    """Return a problem of a document."""
    return Problem("APP-G103", f"No “{place}”,\nsaid नहीं", place=place, position=f"b2b[{place}]", is_warning=is_warning)


@pytest.mark.parametrize("held", [1 << 20, 10])
def test_they_come_back_as_they_were_however_many(held: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(problems, "HELD_BYTES", held)
    found, told = Problems(), [problem(place) for place in range(1, 200)]
    found.extend(told[:100])
    assert list(found) == told[:100]
    found.extend(told[100:])
    assert list(zip(found, found, strict=True)) == list(zip(told, told, strict=True))
    assert (len(found), bool(found), bool(Problems())) == (199, True, False)


def test_a_document_is_refused_once_and_not_by_a_warning() -> None:
    found = Problems()
    found.extend([problem(1), problem(1), problem(2, is_warning=True), problem(3, is_warning=True), problem(3)])
    assert found.refused == 2
