"""What the mutants change stands in the code, as often as told: a guard that moved takes its mutant with it."""

from __future__ import annotations

import pytest

from tests.mutants import MUTANTS, PROJECT, Change

CHANGES = [pytest.param(change, id=f"{mutant.name} {change.path}") for mutant in MUTANTS for change in mutant.changes]


@pytest.mark.parametrize("change", CHANGES)
def test_what_a_mutant_changes_stands_there(change: Change) -> None:
    assert (PROJECT / change.path).read_text().count(change.old) == change.times
