"""Our writer of workbooks: text stays text, headings stand where they should, it is fast in little memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest

from ims_portal import spreadsheet
from ims_portal.spreadsheet import Column, Sheet, TooManyRowsError

PROJECT = Path(__file__).resolve().parents[2]
HOSTILE = (
    "=1+1",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    '=HYPERLINK("http://x.test","y")',
    "\uff1d1+1",
    "{=1}",
    "http://x.test",
    "mailto:a@b.c",
    "a\x07b",
    "\ud7ff\ufffe",
    "0012",
    "1E5",
    "TRUE",
    "2026-11-29",
    "'quoted",
    "x" * 32_767,
)


def test_whatever_a_text_says_it_is_read_back_as_that_text(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    spreadsheet.write(path, [Sheet("S", [(text, 1.5) for text in HOSTILE], columns=[Column(("T",)), Column(("N",))])])
    sheet = openpyxl.load_workbook(path)["S"]
    for row, text in enumerate(HOSTILE, start=spreadsheet.TOP + 2):
        found = sheet.cell(row, 1)
        assert found.data_type == "s", text
        assert found.hyperlink is None
        assert openpyxl.utils.escape.unescape(found.value) == text
        assert sheet.cell(row, 2).value == 1.5


def test_tiers_of_headings_stand_over_their_columns_and_names_come_back(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    columns = [
        Column(("GSTIN",)),
        Column(("Tax", "IGST")),
        Column(("Tax", "Cess")),
        Column(("Declared", "IGST")),
        Column(("Status",), choices=("Accepted", "Rejected")),
        Column(("Key",), is_hidden=True),
    ]
    spreadsheet.write(
        path, [Sheet("S", [("a", 1.0, 2.0, 3.0, "Accepted", "k")], columns=columns, titles=("Title", "Sub"))]
    )
    sheet = openpyxl.load_workbook(path)["S"]
    assert (sheet["A1"].value, sheet["A2"].value) == ("Title", "Sub")
    assert [cell.value for cell in sheet[5]] == ["GSTIN", "Tax", None, "Declared", "Status", "Key"]
    assert [cell.value for cell in sheet[6]] == [None, "IGST", "Cess", "IGST", None, None]
    assert [cell.value for cell in sheet[7]] == ["a", 1, 2, 3, "Accepted", "k"]
    assert sheet.freeze_panes == "A7"
    assert sheet.column_dimensions["F"].hidden
    assert sheet.data_validations.dataValidation[0].formula1 == '"Accepted,Rejected"'


def test_more_rows_than_excel_reads_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheet, "MOST_ROWS", 10)
    columns = [Column(("A",)), Column(("B",))]
    spreadsheet.write(tmp_path / "a.xlsx", [Sheet("S", [(1, 2)] * 5, columns=columns)])
    with pytest.raises(TooManyRowsError, match="Sheet S"):
        spreadsheet.write(tmp_path / "b.xlsx", [Sheet("S", [(1, 2)] * 6, columns=columns)])


ROWS = """
def rows(count):
    for number in range(count):
        yield (*(f"text {number} {place}" for place in range(8)), *(number + place / 4 for place in range(12)))
"""
"""Rows as files have them: some texts, more numbers."""

PROGRAM = f"""
import sys
from pathlib import Path
from ims_portal import spreadsheet
from ims_portal.spreadsheet import Column, Sheet
{ROWS}
columns = [Column((str(place),)) for place in range(20)]
spreadsheet.write(Path(sys.argv[1]), [Sheet("S", rows(100_000), columns=columns)])
status = Path("/proc/self/status").read_text()  # ru_maxrss would count its parent's memory before the exec
print(int(status.split("VmHWM:")[1].split()[0]) // 1024)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="not run: only Linux tells a process's peak here")
def test_100_000_rows_are_written_in_100_mb(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    told = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path)], cwd=PROJECT, capture_output=True, check=True, text=True
    )
    assert int(told.stdout) < 100
    assert path.stat().st_size > 5_000_000
