"""docs/asvs.md names each requirement of ASVS 5.0 level 2 once, and no module or test that is not there."""

import re
from collections import Counter
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
TEXT = (PROJECT / "docs" / "asvs.md").read_text()
ROW = re.compile(r"^\| ((?:\d+\.\d+\.\d+(?:, )?)+) \| ([a-z/ ]+) \| (.*) \| (.*) ?\|$", re.MULTILINE)
ROWS = ROW.findall(TEXT)
VERDICTS = {"holds", "partly", "operator", "n/a"}
LEVEL_2 = {
    "1.1": 2, "1.2": 9, "1.3": 11, "1.4": 3, "1.5": 2, "2.1": 3, "2.2": 3, "2.3": 4, "2.4": 1, "3.2": 2, "3.3": 4,
    "3.4": 6, "3.5": 5, "3.7": 2, "4.1": 3, "4.2": 1, "4.3": 2, "4.4": 4, "5.1": 1, "5.2": 3, "5.3": 2, "5.4": 3,
    "6.1": 3, "6.2": 12, "6.3": 4, "6.4": 4, "6.5": 5, "6.6": 3, "6.8": 4, "7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5,
    "7.5": 2, "7.6": 2, "8.1": 2, "8.2": 3, "8.3": 1, "8.4": 1, "9.1": 3, "9.2": 4, "10.1": 2, "10.2": 2, "10.3": 4,
    "10.4": 11, "10.5": 5, "10.6": 2, "10.7": 3, "11.1": 2, "11.2": 3, "11.3": 3, "11.4": 4, "11.5": 1, "11.6": 1,
    "12.1": 3, "12.2": 2, "12.3": 4, "13.1": 1, "13.2": 5, "13.3": 2, "13.4": 5, "14.1": 2, "14.2": 4, "14.3": 3,
    "15.1": 3, "15.2": 3, "15.3": 7, "16.1": 1, "16.2": 5, "16.3": 4, "16.4": 3, "16.5": 3, "17.1": 1, "17.2": 4,
    "17.3": 2,
}  # fmt: skip
"""Section -> how many of its requirements are of level 1 or 2."""

OF_LEVEL_3 = {"1.2.10", "2.3.5", "5.2.4", "6.3.8", "7.5.3", "8.3.2", "15.4.2", "16.5.4"}
"""What promises 4 asks for besides."""


def numbers() -> list[str]:
    return [number for numbers, *_rest in ROWS for number in numbers.split(", ")]


def test_every_requirement_is_named_once() -> None:
    found = numbers()
    assert [number for number, times in Counter(found).items() if times > 1] == []
    assert set(found) >= OF_LEVEL_3
    of_section = Counter(number.rpartition(".")[0] for number in found if number not in OF_LEVEL_3)
    assert of_section == LEVEL_2


def test_every_row_has_a_verdict_we_explain() -> None:
    assert {verdict for _numbers, verdict, *_rest in ROWS} == VERDICTS
    assert TEXT.count("\n| ") - len(ROWS) == len(VERDICTS) + 1 + TEXT.count("| Id |")


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_what_a_row_names_is_there(row: tuple[str, str, str, str]) -> None:
    _numbers, _verdict, where, tests = row
    for path in re.findall(r"`([\w/.]+\.(?:py|md))`", where):
        assert (PROJECT / path).is_file(), path
    for path, _, name in (named.partition("::") for named in re.findall(r"`([^`]+)`", tests)):
        source = (PROJECT / "tests" / path).read_text()
        assert not name or f"def {name}(" in source, name
