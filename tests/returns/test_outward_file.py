"""The supplier's outward desk as a workbook: the list it was asked from, what a supplier may see, nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.http import QueryDict
from django.test import Client

from ims_portal.models import Taxpayer
from ims_portal.rules.documents import Section
from ims_portal.rules.money import Tax
from invoices.models import Record
from invoices.outward_filters import Wanted, parse_list
from returns import exports
from returns.export_files import Kind, NothingToWriteError
from returns.models import Export
from tests import factories

pytestmark = pytest.mark.django_db
TODAY = "2025-11-16"
NOW = factories.clock(TODAY)
OTHER = "29AAQCP0000D1ZT"
REMARK = '=HYPERLINK("http://x","Nothing came back")'
DESK = f"/en/t/{factories.SUPPLIER}/ims/outward/"


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> None:  # noqa: ANN401 pytest-django's settings
    """Keep files out of the way."""
    settings.IMS_EXPORT_DIR = str(tmp_path)


@pytest.fixture
def owner() -> Taxpayer:
    """Return a supplier with a rejected note, a note accepted in part, and two invoices, one of them only saved."""
    factories.taxpayer(OTHER, name="Palar Systems")
    factories.filed(
        factories.document(number="INV1"),
        factories.document(number="CN1", section=Section.CN, tax=1_800),
        factories.document(number="CN2", section=Section.CN, tax=1_800),
    )
    factories.saved(factories.document(number="INV2", recipient=OTHER), period="112025", on="2025-11-15")
    factories.act(Record.objects.get(number="CN1"), "R", remark=REMARK, reason="NOT_AGREED")
    factories.act(Record.objects.get(number="CN2"), "A", answer="P", declared=Tax(77_777), remark="Half of it")
    return factories.taxpayer(factories.SUPPLIER)


def made(owner: Taxpayer, section: str = "all", query: str = "") -> tuple[Export, list[dict[str, Any]]]:
    """Return a written file, and its rows by their lowest headings under those above."""
    asked = {"section": section, "query": query}
    actor = factories.member(owner, "viewer")
    export = exports.request(taxpayer=owner, kind=Kind.OUTWARD_XLSX, asked=asked, actor=actor, clock=NOW)
    exports.write(export=export, clock=NOW)
    export.refresh_from_db()
    assert (export.state, export.problem) == (Export.State.DONE, "")
    upper, lower, *rows = openpyxl.load_workbook(export.path)["Documents"].iter_rows(min_row=5, values_only=True)
    names, group = [], ""
    for above, below in zip(upper, lower, strict=True):
        group = above or group
        names.append(f"{group}: {below}" if below else str(above))
    return export, [dict(zip(names, row, strict=True)) for row in rows]


def test_the_file_holds_what_the_list_shows_the_newest_period_first(owner: Taxpayer) -> None:
    export, rows = made(owner)
    assert export.file_name == f"16112025_{factories.SUPPLIER}_outward.xlsx"
    assert export.rows == export.progress == 4
    assert [row["Document: Number"] for row in rows] == ["INV2", "CN2", "CN1", "INV1"]
    saved, _part, rejected, _invoice = rows
    assert (saved["GSTIN of recipient"], saved["Trade/Legal name"]) == (OTHER, "Palar Systems")
    assert (saved["Return: Filing status"], saved["Return: Period"]) == ("Saved", "Nov-25")
    assert rejected["Category"] == "Credit notes"
    assert rejected["Document: Date"] == Record.objects.get(number="CN1").document_date.strftime("%d-%m-%Y")
    assert rejected["Tax amount: Integrated tax (₹)"] == 1800
    assert (rejected["Recipient: Action"], rejected["Recipient: GSTR-3B"]) == ("Rejected", "Not filed")
    assert rejected["Recipient: Reason"] == "Credit note not agreed"
    assert (rejected["Effect on you: Effect"], rejected["Effect on you: Integrated tax (₹)"]) == ("Provisional", 1800)


def test_a_remark_is_text_and_never_a_formula(owner: Taxpayer) -> None:
    export, rows = made(owner, "rejected")
    assert [row["Recipient: Remark"] for row in rows] == [REMARK]
    sheet = openpyxl.load_workbook(export.path)["Documents"]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n"}


def test_a_supplier_is_never_told_the_answer_or_what_was_declared(owner: Taxpayer) -> None:
    export, rows = made(owner, query="q=CN2")
    (row,) = rows
    assert (row["Recipient: Action"], row["Recipient: Remark"]) == ("Accepted", "Half of it")
    told = [str(cell) for sheet in openpyxl.load_workbook(export.path) for line in sheet.values for cell in line]
    assert not [cell for cell in told if "777" in cell or "ITC" in cell or "reduc" in cell.lower()]


@pytest.mark.parametrize(
    ("section", "query", "numbers"),
    [
        ("b2bcn", "", ["CN2", "CN1"]),
        ("rejected-notes", "", ["CN1"]),
        ("rejected", "effect=fixed", []),
        ("all", "p=112025&status=S", ["INV2"]),
        ("all", f"fy=2025&recipient={OTHER}", ["INV2"]),
        ("b2b", "action=N", ["INV2", "INV1"]),
    ],
)
def test_the_filters_of_the_list_are_those_of_the_file(
    owner: Taxpayer, section: str, query: str, numbers: list[str]
) -> None:
    export, rows = made(owner, section, query)
    assert [row["Document: Number"] for row in rows] == numbers
    home = [row[:2] for row in openpyxl.load_workbook(export.path)["Home"].values]
    assert ("GSTIN", factories.SUPPLIER) in home
    assert ("Documents shown", f"{section} {query}".strip()) in home


@pytest.mark.parametrize(("section", "query"), [("impg", ""), ("", ""), ("all", "colour=blue"), ("all", "action=Z")])
def test_filters_that_cannot_be_read_give_no_file(owner: Taxpayer, section: str, query: str) -> None:
    with pytest.raises(NothingToWriteError, match="cannot be read"):
        made(owner, section, query)


def test_every_list_writes_filters_that_lead_back_to_it() -> None:
    for wanted in (Wanted(), Wanted(section="b2bcn", text="x"), Wanted(place="rejected", effect="fixed", into=202511)):
        assert _parsed(wanted) == wanted


def _parsed(wanted: Wanted) -> Wanted | None:
    found = parse_list(wanted.slug, QueryDict(wanted.query()))
    return found.wanted if found and not found.problems else None


@pytest.mark.parametrize("path", ["", "b2bcn/", "rejected/", "rejected-notes/"])
@pytest.mark.usefixtures("now")
def test_each_list_offers_its_file_with_its_filters(client: Client, owner: Taxpayer, path: str) -> None:
    client.force_login(factories.member(owner, "viewer"))
    page = client.get(f"{DESK}{path}?q=CN").text
    assert '<input type="hidden" name="kind" value="outward-xlsx">' in page
    assert f'name="section" value="{path.strip("/") or "all"}"' in page
    assert 'name="query" value="q=CN"' in page
