"""Thirty ways to write a formula, in every text of every workbook and CSV file of ours: none lives (F43)."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.db import connection, transaction

from ims_portal import csv_files, spreadsheet
from ims_portal.models import Taxpayer
from ims_portal.spreadsheet import Column, Sheet
from returns import demo, exports
from returns.export_files import Kind
from returns.models import Export, Gstr2b
from tests import factories
from tests.returns.test_exports import NOON, folder, statement  # noqa: F401 fixtures

FORMULAS = (
    *("=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1+1", "\r=1+1", "\n=1+1", " =1+1", "\u00a0=1+1", "'=1+1", '"=1+1"'),
    *("\uff1d1+1", "\uff0b1", "\uff0d1", "\uff20A1", "\u22121+1", "{=1+1}", "=cmd|' /C calc'!A0", "=DDE(1;2;3)"),
    *('=HYPERLINK("http://x.test","y")', '=WEBSERVICE("http://x.test")', "=IMPORTXML(A1)", "='C:\\x.xls'!A1"),
    *("http://x.test/=1", "mailto:a@b.test", "file:///etc/passwd", "1E5", "0012", "TRUE", "#REF!", '=A1&";"=1'),
)
"""No text may hold a control character where it came by a form or file; writers are shown them all the same."""
LIVE = re.compile(rb"<f[ >]|<hyperlink|externalLink|ddeLink|oleObject")


def parts(path: str | Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of every part of a workbook."""
    with zipfile.ZipFile(path) as book:
        for name in book.namelist():
            yield name, book.read(name)


def test_a_workbook_holds_no_formula_and_no_link_whatever_stands_where(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    columns = [Column((text, "T")) for text in FORMULAS]
    free = Sheet("Free", [(text, text) for text in FORMULAS], widths=(10, 10))
    spreadsheet.write(path, [Sheet("S", [FORMULAS] * 2, columns=columns, titles=FORMULAS[:2]), free])
    assert [name for name, content in parts(path) if LIVE.search(content) or LIVE.search(name.encode())] == []
    book = openpyxl.load_workbook(path)
    (first, second) = book["S"].iter_rows(min_row=spreadsheet.TOP + 3)
    for row in (first, second):
        assert [openpyxl.utils.escape.unescape(cell.value) for cell in row] == list(FORMULAS)
        assert {cell.data_type for cell in row} == {"s"}


def test_no_cell_of_a_csv_file_is_a_formula_and_all_are_read_back() -> None:
    text = "".join(csv_files.lines(["T"], [[formula] for formula in FORMULAS])).removeprefix("\ufeff")
    told = [cell for (cell,) in list(csv.reader(io.StringIO(text, newline="")))[1:]]
    live = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
    assert [cell for cell in told if cell.lstrip().startswith(live)] == []
    assert [cell.removeprefix("'") for cell in told] == [formula.removeprefix("'") for formula in FORMULAS]


@pytest.mark.django_db
@pytest.mark.parametrize("kind", [Kind.GSTR2B_XLSX, Kind.IMS_XLSX, Kind.OUTWARD_XLSX])
def test_no_file_of_ours_holds_a_formula_somebody_wrote(statement: Gstr2b, kind: Kind) -> None:  # noqa: F811
    firm = statement.recipient if kind is not Kind.OUTWARD_XLSX else Taxpayer.objects.get(gstin=demo.WARDHA)
    _write_everywhere()
    asked: dict[str, Any] = {"month": statement.month, "version": statement.version, "list": "all", "section": "all"}
    wanted = exports.request(
        taxpayer=firm, kind=kind, asked=asked | {"query": ""}, actor=factories.member(firm, "viewer"), clock=NOON
    )
    exports.write(export=wanted, clock=NOON)
    wanted.refresh_from_db()
    assert (wanted.state, wanted.problem) == (Export.State.DONE, "")
    assert [name for name, content in parts(wanted.path) if LIVE.search(content)] == []
    cells = [cell for sheet in openpyxl.load_workbook(wanted.path) for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n", "d"}
    told = {str(cell.value) for cell in cells}
    assert len([formula for formula in FORMULAS if formula in told]) > 3


def _write_everywhere() -> None:
    """Write a formula into every name, number and remark, as no form and no trigger sees it."""
    columns = {
        "ims_portal_taxpayer": ("legal_name", "trade_name"),
        "invoices_record": ("number", "remark"),
        "returns_gstr2bline": ("remark",),
        "invoices_billofentry": ("sez_name", "reference", "importer_name"),
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for table, names in columns.items():
            for name in names:
                cursor.execute(f"SELECT id FROM {table} ORDER BY id")
                for turn, (key,) in enumerate(cursor.fetchall()):
                    told = [text for text in FORMULAS if len(text) <= 25 and text.isprintable()]
                    text = told[turn % len(told)] + (str(key) if name == "number" and turn >= len(told) else "")
                    cursor.execute(f"UPDATE {table} SET {name} = %s WHERE id = %s", [text, key])
