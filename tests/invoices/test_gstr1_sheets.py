"""A GSTR-1 from the offline tool's workbook: labels found leniently, values read strictly, tax worked out."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ims_portal import workbook_reading
from ims_portal.rules.documents import Document, Form, Problem
from ims_portal.rules.money import Tax
from invoices import gstr1_json, gstr1_sheets
from invoices.gstr1_json import Summary
from invoices.gstr1_sheets import Own, layouts
from invoices.json_reading import UnreadableFileError
from tests.invoices import gstr1_files, gstr1_workbook

DATA = Path(__file__).resolve().parent.parent / "data"
OWN = Own("29", dt.date(2026, 10, 31))
B2B = list(layouts.NAMES["b2b,sez,de"].columns.values())[:12]
GOOD = (
    "33AAPCN0000E1Z5",
    "KMF/1",
    "05-Oct-2026",
    11800,
    "33-Tamil Nadu",
    "N",
    None,
    "Regular B2B",
    None,
    18,
    10000,
    None,
)


class Row(NamedTuple):
    """A row as the reader of workbooks gives it."""

    sheet: str
    number: int
    cells: Sequence[Any]


def read(
    *cells: Sequence[Any],
    labels: Sequence[str] = B2B,
    sheet: str = "b2b,sez,de",
    own: Own = OWN,
    form: Form = Form.GSTR1,
) -> list[Any]:
    """Return what rows under some labels say, problems in the workbook's words."""
    lines = [
        Row(sheet, 1, ["Summary For B2B(4)"]),
        Row(sheet, 2, ["No. of Recipients", None, "No. of Invoices"]),
        Row(sheet, 4, labels),
        *(Row(sheet, 5 + place, row) for place, row in enumerate(cells)),
    ]
    found = gstr1_sheets.read(lines, form=form, own=own)
    return [gstr1_sheets.told(item) if isinstance(item, Problem) else item for item in found]


def changed(**cells: Any) -> list[Any]:  # noqa: ANN401 any cell
    """Return the good row with some cells changed, named by the keys of JSON."""
    keys = list(layouts.NAMES["b2b,sez,de"].columns)
    row = list(GOOD)
    for key, value in cells.items():
        row[keys.index(key)] = value
    return row


@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize("name", ["gstr1-monthly", "gstr1a", "iff", "story/kaveri-gstr1-082026"])
def test_a_workbook_of_a_sample_says_what_its_json_says(name: str, tmp_path: Path, *, shuffled: bool) -> None:
    file = json.loads((DATA / f"{name}.json").read_text())
    form = Form.IFF if name == "iff" else Form.GSTR1
    path = gstr1_workbook.write(tmp_path / "gstr1.xlsx", file, shuffled=shuffled)
    own = Own(file["gstin"][:2], dt.date(2026, 10, 31))
    with closing(workbook_reading.read(path)) as lines:
        told = list(gstr1_sheets.read(lines, form=form, own=own))
    assert _comparable(told) == _comparable(gstr1_files.read(file, form=form))


def _comparable(found: list[Any]) -> list[Any]:
    """Return documents without what no sheet says, sums and problems; the order of sheets is the workbook's own."""
    documents = [
        replace(d, position="", irn="", irn_date=None, items=tuple(sorted(d.items, key=repr)))
        for d in found
        if isinstance(d, Document)
    ]
    sums = [(s.section, s.taxable, s.tax, s.details) for s in found if isinstance(s, Summary)]
    return [sorted(documents, key=repr), sorted(sums, key=repr), [p for p in found if isinstance(p, Problem)]]


def test_every_sheet_of_sums_says_what_json_says(tmp_path: Path) -> None:
    line = {"rt": 18, "txval": 1000, "iamt": 180}
    nested = {"itms": [{"num": 1, "itm_det": line}]}
    invoice = {"inum": "A/1", "idt": "05-10-2026", "val": 1180, **nested}
    old = {"oinum": "A/0", "oidt": "05-09-2026"}
    note = {"typ": "B2CL", "ntty": "C", "nt_num": "N/1", "nt_dt": "05-10-2026", "val": 1180, "pos": "33", **nested}
    advance = {"pos": "33", "sply_ty": "INTER", "itms": [{"rt": 18, "ad_amt": 1000, "iamt": 180}]}
    taxes = {"igst": 180, "cgst": 0, "sgst": 0, "cess": 0}
    free = {"rt": 18, "txval": 1000, "iamt": 0}
    file = gstr1_files.make_file(
        b2cl=[{"pos": "33", "inv": [invoice]}],
        b2cla=[{"pos": "33", "inv": [invoice | old]}],
        b2cs=[{"typ": "OE", "sply_ty": "INTER", "pos": "33", **line}],
        b2csa=[{"typ": "OE", "sply_ty": "INTER", "pos": "33", "omon": "022026", "itms": [line]}],
        exp=[{"exp_typ": "WPAY", "inv": [invoice | {"itms": [line], "sbnum": "1234567", "sbdt": "06-10-2026"}]}],
        expa=[{"exp_typ": "WOPAY", "inv": [invoice | old | {"itms": [free]}]}],
        cdnur=[note],
        cdnura=[note | {"ont_num": "N/0", "ont_dt": "05-09-2026"}],
        at=[advance],
        ata=[advance | {"omon": "072026"}],
        txpd=[advance],
        txpda=[advance | {"omon": "122025"}],
        nil={"inv": [{"sply_ty": "INTRAB2C", "nil_amt": 5, "expt_amt": 0, "ngsup_amt": 7}]},
        supeco={"clttx": [{"etin": "29AAFCK0000M1CA", "suppval": 1000, **taxes}]},
        ecom={"b2c": [{"stin": "29AAUPH0000F1Z2", "sply_ty": "INTER", "pos": "33", "flag": "N", **line}]},
    )
    path = gstr1_workbook.write(tmp_path / "gstr1.xlsx", file)
    with closing(workbook_reading.read(path)) as lines:
        told = list(gstr1_sheets.read(lines, form=Form.GSTR1, own=OWN))
    assert _comparable(told) == _comparable(gstr1_files.read(file))
    assert len([item for item in told if isinstance(item, Summary)]) == 15


def test_labels_are_found_in_any_order_case_and_row_and_with_stars() -> None:
    labels = [f"{label.upper().replace(' ', '  ')} *" for label in reversed(B2B)]
    (document,) = read(list(reversed(GOOD)), labels=labels)
    assert (document.number, document.tax, document.position) == ("KMF/1", Tax(180000), "b2b,sez,de row 5")


def test_rows_of_one_document_join_wherever_they_stand_and_in_their_order() -> None:
    first, second = read(changed(val=17800), changed(inum="KMF/2"), changed(val=17800, inum="kmf/1 ", rt=5, txval=5000))
    assert (first.number, first.position) == ("KMF/1", "b2b,sez,de rows 5, 7")
    assert [(item.rate, item.taxable, item.tax) for item in first.items] == [
        (1800, 1000000, Tax(180000)),
        (500, 500000, Tax(25000)),
    ]
    assert (first.taxable, first.tax, second.number) == (1500000, Tax(205000), "KMF/2")


def test_rows_of_one_document_that_differ_are_refused_together() -> None:
    (problem,) = read(changed(), changed(rt=5, val=99))
    assert (problem.code, problem.field, problem.position) == ("APP-G107", "Invoice Value", "b2b,sez,de rows 5-6")
    assert problem.message.startswith("Invoice KMF/1: row 6: Invoice Value is not what the first row")


@pytest.mark.parametrize(
    ("pos", "own", "recipient", "inv_type", "tax"),
    [
        ("33-Tamil Nadu", OWN, "33AAPCN0000E1Z5", "Regular B2B", Tax(180000)),
        ("29-Karnataka", OWN, "29AAKCT0000P1Z6", "Regular", Tax(0, 90000, 90000)),
        (29.0, OWN, "29AAKCT0000P1Z6", "Deemed Exp", Tax(0, 90000, 90000)),
        ("29-Karnataka", OWN, "29AAQCP0000D1ZT", "SEZ supplies with payment", Tax(180000)),
        ("29-Karnataka", OWN, "29AAQCP0000D1ZT", "SEZ supplies without payment", Tax()),
        ("29-Karnataka", replace(OWN, is_sez=True), "29AAKCT0000P1Z6", "Regular B2B", Tax(180000)),
        (
            "29-Karnataka",
            replace(OWN, sez_units=frozenset({"29AAQCP0000D1ZT"})),
            "29AAQCP0000D1ZT",
            "Regular B2B",
            Tax(180000),
        ),
    ],
)
def test_tax_follows_rate_place_of_supply_and_kind(
    pos: object, own: Own, recipient: str, inv_type: str, tax: Tax
) -> None:
    (document,) = read(changed(pos=pos, ctin=recipient, inv_typ=inv_type), own=own)
    assert document.tax == tax


@pytest.mark.parametrize(("share", "igst"), [(65, 117000), ("65%", 117000), (0.65, 117000), (None, 180000)])
def test_sixty_five_percent_of_the_rate_are_charged_where_the_sheet_says_so(share: object, igst: int) -> None:
    (document,) = read(changed(diff_percent=share))
    assert (document.differential, document.tax) == (share is not None, Tax(igst))


def test_half_a_paisa_is_rounded_up_and_cess_is_what_the_sheet_says() -> None:
    (document,) = read(changed(pos="29", ctin="29AAKCT0000P1Z6", rt=5, txval=40125.4, csamt="1,234.50"))
    assert document.tax == Tax(0, 100314, 100314, 123450)


@pytest.mark.parametrize("day", ["05-Oct-2026", "2026-10-05", "05-10-2026", "05/10/2026", "05-Oct-26"])
def test_days_are_read_however_a_cell_holds_them(day: str) -> None:
    assert read(changed(idt=day))[0].date == dt.date(2026, 10, 5)


@pytest.mark.parametrize(
    ("cells", "field", "code", "said"),
    [
        ({"idt": "32-Oct-2026"}, "Invoice date", "APP-G103", 'Invoice date "32-Oct-2026" is not a day'),
        ({"idt": 46300.0}, "Invoice date", "APP-G103", 'Invoice date "46300" is not a day'),
        ({"ctin": "33AAPCN0000E1Z"}, "GSTIN/UIN of Recipient", "APP-G103", "GSTIN/UIN of Recipient"),
        ({"ctin": None}, "GSTIN/UIN of Recipient", "APP-G101", "GSTIN/UIN of Recipient is missing"),
        ({"inum": None}, "Invoice Number", "APP-G101", "Invoice Number is missing. Add it."),
        ({"inum": "KMF 1"}, "Invoice Number", "APP-G106", "may hold only letters"),
        ({"inum": 1234567890123456.0}, "Invoice Number", "APP-G102", "too long for a spreadsheet"),
        ({"val": "11 800"}, "Invoice Value", "APP-G102", 'Invoice Value "11 800" is not a number'),
        ({"val": -1}, "Invoice Value", "APP-G113", "Invoice Value -1 is negative"),
        ({"pos": "Tamil Nadu"}, "Place Of Supply", "APP-G104", 'Place Of Supply "Tamil Nadu" is not a State code'),
        ({"rchrg": "Perhaps"}, "Reverse Charge", "APP-G104", 'Reverse Charge "PERHAPS" is not one of Y, N'),
        ({"inv_typ": "Regular B2C"}, "Invoice Type", "APP-G104", "is not one of R, DE"),
        (
            {"inv_typ": "Intra-State supplies attracting IGST"},
            "Invoice Type",
            "APP-G104",
            'Invoice Type says "Intra-State supplies attracting IGST", but a supply inside a State bears CGST and SGST',
        ),
        ({"diff_percent": 70}, "Applicable % of Tax Rate", "APP-G104", '"70" is not 65'),
        ({"etin": "29AAFCK0000M1ZQ"}, "E-Commerce GSTIN", "APP-G103", "E-Commerce GSTIN"),
        ({"rt": "x"}, "Rate", "APP-G102", 'Rate "x" is not a number'),
        ({"rt": None}, "Rate", "APP-G101", "Rate is missing"),
        ({"txval": 10000.005}, "Taxable Value", "APP-G113", "has more than two decimals"),
        ({"txval": "१००"}, "Taxable Value", "APP-G102", "is not a number"),
        ({"csamt": "#N/A"}, "Cess Amount", "APP-G102", 'Cess Amount "#N/A" is not a number'),
    ],
)
def test_a_wrong_cell_is_named_by_sheet_row_and_column(cells: dict[str, Any], field: str, code: str, said: str) -> None:
    good, problem = read(changed(inum="KMF/9"), changed(**cells))
    assert (good.number, problem.position) == ("KMF/9", "b2b,sez,de row 6")
    assert (problem.field, problem.code) == (field, code)
    assert said in problem.message


def test_a_wrong_cell_of_one_line_names_its_row_and_all_problems_are_told() -> None:
    found = read(changed(idt="x"), changed(idt="x", rt="eighteen", txval=None))
    assert [(problem.field, problem.code) for problem in found] == [
        ("Rate", "APP-G102"),
        ("Invoice date", "APP-G103"),
        ("Taxable Value", "APP-G101"),
    ]
    assert "row 6: Rate" in found[0].message
    assert "row 6: Taxable Value is missing" in found[2].message


def test_what_cannot_be_seen_is_not_handed_on() -> None:
    (problem,) = read(changed(ctin="33AAP\u202eCN"))
    assert problem.counterparty == "33AAP?CN"
    assert "\u202e" not in problem.message


def test_an_amendment_must_say_what_it_amends() -> None:
    labels = list(layouts.NAMES["cdnra"].columns.values())
    row = dict.fromkeys(layouts.NAMES["cdnra"].columns) | {
        "ctin": "33AAPCN0000E1Z5",
        "nt_num": "CN/1",
        "nt_dt": "05-Oct-2026",
        "ntty": "c",
        "pos": "33",
        "rchrg": "N",
        "inv_typ": "Regular B2B",
        "val": 118,
        "rt": 18,
        "txval": 100,
    }
    (problem,) = read(list(row.values()), labels=labels, sheet="CDNRA")
    assert (problem.code, problem.field) == ("APP-G114", "Original Note Number")
    assert "Original Note Number and Original Note Date missing" in problem.message
    (note,) = read(list((row | {"ont_num": "CN/0", "ont_dt": "05-Sep-2026"}).values()), labels=labels, sheet="CDNRA")
    assert (note.section, note.original_number, note.tax) == ("b2bcna", "CN/0", Tax(1800))


def test_a_sheet_without_its_headings_is_one_problem_and_the_others_stand() -> None:
    lines = [
        Row("cdnr", 4, ["GSTIN/UIN of Recipient", "Note Number", "Note Date"]),
        Row("cdnr", 5, ["33AAPCN0000E1Z5", "CN/1", "05-Oct-2026"]),
        Row("b2ba", 1, ["no headings at all"]),
        Row("b2b", 4, B2B),
        Row("b2b", 5, GOOD),
    ]
    notes, amendments, document = gstr1_sheets.read(lines, form=Form.GSTR1, own=OWN)
    assert (notes.position, notes.code) == ("cdnr", "APP-G101")
    assert "“Note Type”" in notes.message
    assert "“Rate”" in notes.message
    assert amendments.position == "b2ba"
    assert document.number == "KMF/1"


def test_sums_have_no_place_in_an_iff() -> None:
    labels = list(layouts.NAMES["b2cs"].columns.values())
    (problem,) = read(["OE", "33", None, 18, 100, None, None], labels=labels, sheet="b2cs", form=Form.IFF)
    assert (problem.code, problem.position) == ("APP-G115", "b2cs")
    assert read(labels=labels, sheet="b2cs", form=Form.IFF) == []


def test_a_wrong_row_of_sums_is_named_and_left_out() -> None:
    labels = list(layouts.NAMES["b2csa"].columns.values())
    good = ["2025-26", "February", "OE", "33", None, 18, 100, None, None]
    summary, *problems = reversed(
        read(good, ["2025-26", "Smarch", *good[2:]], [*good[:4], None, "x", *good[6:]], labels=labels, sheet="b2csa")
    )
    assert (summary.taxable, summary.details[0].detail.month) == (10000, "022026")
    assert [(problem.position, problem.field, problem.code) for problem in reversed(problems)] == [
        ("b2csa row 6", "Original Month", "APP-G103"),
        ("b2csa row 7", "Rate", "APP-G102"),
    ]


def test_supplies_through_operators_go_by_their_nature() -> None:
    labels = list(layouts.NAMES["eco"].columns.values())
    rest = ["29AAFCK0000M1CA", 1000, 180, None, None, None]
    wrong, summary = read(
        ["Liable to collect tax u/s 52(TCS)", *rest],
        ["Liable to pay tax u/s 9(5)", *rest],
        ["Liable", *rest],
        labels=labels,
        sheet="eco",
    )
    assert [line.detail.kind for line in summary.details] == ["clttx", "paytx"]
    assert (summary.section, wrong.position, wrong.field) == ("supeco", "eco row 7", "Nature of Supply")


def test_a_workbook_without_a_sheet_of_a_gstr1_is_refused_whole() -> None:
    with pytest.raises(UnreadableFileError) as refused:
        list(gstr1_sheets.read([Row("Sheet1", 1, ["x"])], form=Form.GSTR1, own=OWN))
    assert refused.value.problem.code == "APP-F03"


def test_a_sheet_of_endless_rows_is_refused_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gstr1_sheets, "MOST_ROWS", 2)
    with pytest.raises(UnreadableFileError) as refused:
        read(GOOD, GOOD, GOOD)
    assert refused.value.problem.code == "APP-F04"


def test_every_layout_names_keys_its_list_has_and_covers_what_it_demands() -> None:
    for name, layout in layouts.NAMES.items():
        row = gstr1_json.shapes.SHAPES.get(layout.part) or gstr1_json.summaries.ROWS[layout.part]
        known = {*row.readers, *layout.around, "rt", layout.amount, "csamt", "fy", "nature"}
        assert set(layout.columns) <= known, name
        assert set(row.required) - {"itms", "flag", "sply_ty", "ostin"} <= set(layout.columns), name
        assert len({layouts.named(label) for label in layout.columns.values()}) == len(layout.columns), name
