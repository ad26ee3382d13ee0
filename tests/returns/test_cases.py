"""The law as worked cases: every file of tests/cases plays through the domain; the list of those not kept shrinks."""

from pathlib import Path

import pytest

from returns.cases import case, checks, play

CASES = sorted((Path(__file__).parent.parent / "cases").glob("*.json"))
NOT_BUILT_YET: dict[str, str] = {}
"""Case id -> what is missing. Strict: a case that starts to hold must leave this list."""


def _cases() -> list[pytest.param]:
    found = []
    for path in CASES:
        if path.name == "case.schema.json":
            continue
        name = path.name.split("-", 1)[0]
        marks = [pytest.mark.xfail(strict=True, reason=NOT_BUILT_YET[name])] if name in NOT_BUILT_YET else []
        found.append(pytest.param(path, id=path.stem[:60], marks=marks))
    return found


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", _cases())
def test_case_holds(path: Path) -> None:
    broken = [
        f"{kept.where}: expected {kept.expected}, found {kept.found}"
        for kept in play.play(case.read(path), checks.check)
        if not kept.holds
    ]
    assert broken == []
