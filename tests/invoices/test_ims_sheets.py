"""A workbook of IMS read by its labels: leniently found, strictly read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import pytest

from ims_portal.rules.actions import Action, Answer
from ims_portal.rules.money import NIL, Tax
from invoices import ims_sheets
from invoices.asked import Asked

LABELS = (
    "GSTIN of supplier",
    "Note number",
    "Note date",
    "Status",
    "ITC to be reduced",
    "Integrated tax (₹)",
    "Central tax",
    "State/UT Tax(₹)",
    "CESS",
    "Remarks",
)


class Row(NamedTuple):
    """A row as the reader of workbooks gives it."""

    sheet: str
    number: int
    cells: Sequence[Any]


def read(*cells: Sequence[Any], labels: Sequence[str] = LABELS, sheet: str = "B2B-CN") -> list[Asked]:
    """Return what rows under some labels ask."""
    lines = [
        Row(sheet, 1, ["a title"]),
        Row(sheet, 5, labels),
        *(Row(sheet, 6 + n, row) for n, row in enumerate(cells)),
    ]
    return list(ims_sheets.read(lines, ims_sheets.Found()))


def one(status: Any = "Accepted", reduction: Any = None, *amounts: Any, remark: Any = None) -> Asked:  # noqa: ANN401 cells
    """Return what one row asks."""
    heads = (*amounts, None, None, None, None)[:4]
    return read(["24AAACS2718C1ZX", "CN/1", "01-11-2025", status, reduction, *heads, remark])[0]


@pytest.mark.parametrize(
    ("word", "action"),
    [
        ("Accepted", Action.ACCEPT),
        ("ACCEPTED", Action.ACCEPT),
        ("a", Action.ACCEPT),
        ("reject", Action.REJECT),
        ("Pending", Action.PENDING),
        ("no action", Action.NONE),
        ("N", Action.NONE),
    ],
)
def test_a_status_is_read_in_any_case_and_as_its_letter(word: str, action: Action) -> None:
    assert one(word).action is action


@pytest.mark.parametrize("word", ["", None, "Aceptd", "Yes", 1.0, "=Accepted"])
def test_another_status_is_a_problem_of_its_row(word: object) -> None:
    asked = one(word)
    assert asked.code == "APP-G104"
    assert "Write Accepted, Rejected, Pending or No Action" in asked.problem
    assert (asked.supplier, asked.number, asked.position) == ("24AAACS2718C1ZX", "CN/1", "B2B-CN, row 6")


def test_the_answer_is_full_part_or_none() -> None:
    assert (one("A", "Yes").answer, one("A", "Yes").declared) == (Answer.FULL, NIL)
    assert one("A", "NO", remark="never taken").answer is Answer.NONE
    part = one("A", "y", None, 900.5, "900.50", remark="half")
    assert (part.answer, part.declared) == (Answer.PART, Tax(0, 90_050, 90_050, 0))
    assert one("A").answer is Answer.NOT_GIVEN


@pytest.mark.parametrize("amount", ["1,23,456.78", "₹ 123456.78", 123456.78, 123456.78000000001])
def test_amounts_are_read_as_people_write_them(amount: object) -> None:
    assert one("A", "Yes", amount, remark="x").declared == Tax(12_345_678, 0, 0, 0)


@pytest.mark.parametrize("amount", ["12.345", "twelve", "1e30", "nan", "12-", 0.001, "1.2.3"])
def test_what_is_no_amount_is_a_problem(amount: object) -> None:
    asked = one("A", "Yes", amount, remark="x")
    assert "Write rupees with at most two decimals" in asked.problem


def test_a_negative_amount_is_left_to_the_rules() -> None:
    assert one("A", "Yes", -5, remark="x").declared == Tax(-500, 0, 0, 0)


def test_an_amount_without_the_answer_it_belongs_to_is_a_problem() -> None:
    for reduction in (None, "No"):
        assert "does not say Yes" in one("A", reduction, 5).problem
    assert one("A", "No", 0, 0, 0, 0, remark="x").answer is Answer.NONE
    assert "Write Yes or No" in one("A", "maybe").problem


@pytest.mark.parametrize("day", ["01-11-2025", "01/11/2025", "2025-11-01", "01-Nov-2025", "1-Nov-25"])
def test_days_are_read_as_programs_write_them(day: str) -> None:
    (asked,) = read(["24AAACS2718C1ZX", "CN/1", day, "Accepted"])
    assert (str(asked.day), asked.problem) == ("2025-11-01", "")


def test_a_day_that_is_none_is_a_problem() -> None:
    (asked,) = read(["24AAACS2718C1ZX", "CN/1", "31-02-2025", "Accepted"])
    assert "The date says" in asked.problem


def test_signs_nobody_sees_are_refused_and_lines_joined() -> None:
    assert "cannot be seen" in one("Rejected", remark="pay \u202eme").problem
    assert one("Rejected", remark=" two\nlines ").remark == "two lines"


def test_sheets_are_found_without_regard_to_case_blanks_and_hyphens() -> None:
    for name in ("b2b-cn", "B2B CN", "b2bcn"):
        assert read(["24AAACS2718C1ZX", "CN/1", None, "A"], sheet=name)[0].section == "b2bcn"
    assert read(["24AAACS2718C1ZX", "CN/1", None, "A"], sheet="Pivot") == []


def test_columns_stand_in_any_order_and_a_sheet_without_them_asks_nothing() -> None:
    shuffled = ("Remarks", "Status", "Trade/Legal name", "Note number", "GSTIN of supplier")
    (asked,) = read(["why", "Rejected", "x", "CN/1", "24aaacs2718c1zx"], labels=shuffled)
    assert (asked.action, asked.remark, asked.supplier) == (Action.REJECT, "why", "24AAACS2718C1ZX")
    assert read(["why", "Rejected"], labels=("Remarks", "Status")) == []


def test_what_stood_there_when_the_file_was_made_asks_nothing() -> None:
    labels = (*LABELS, "Previous status", "Previous ITC to be reduced", "Previous remarks", "Record and version")
    row = ["24AAACS2718C1ZX", "CN/1", "01-11-2025", "Accepted", "Yes", None, None, None, None, None]
    found = ims_sheets.Found()
    kept = [Row("B2B-CN", 5, labels), Row("B2B-CN", 6, [*row, "Accepted", "Yes", None, "17.2"])]
    assert list(ims_sheets.read(kept, found)) == []
    assert found.untouched == 1
    row[3] = "Rejected"
    (asked,) = ims_sheets.read(
        [Row("B2B-CN", 5, labels), Row("B2B-CN", 6, [*row, "Accepted", "Yes", None, "17.2"])], found
    )
    assert (asked.action, asked.answer, asked.is_old_answer) == (Action.REJECT, Answer.FULL, True)
    assert asked.is_old_remark
    assert (asked.record_id, asked.version, asked.previous) == (17, 2, Action.ACCEPT)
