"""Registers as files: headings found, columns guessed, rows read strictly."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import date

import pytest

from ims_portal.rules.documents import NumberClass
from invoices import register_reading
from invoices.json_reading import UnreadableFileError
from invoices.register_reading import TEMPLATE, Field, Told, Wrong
from invoices.sheet_cells import Cell

OURS = {name.value: label for name, label in TEMPLATE.items()}
GSTIN = "24AAACS2718C1ZX"


@dataclass
class Line:
    """A row of a sheet."""

    number: int
    cells: list[Cell]
    sheet: str = "Oct"


def row(**cells: object) -> list[Cell]:
    """Return the cells of a row under our own heading; what is not told is a plain invoice's."""
    usual = {"supplier": GSTIN, "number": "INV1", "date": "05-10-2025", "taxable": 1000, "igst": "180.00"}
    return [(usual | cells).get(name.value) for name in Field]


def read(*rows: list[Cell], columns: dict[str, str] = OURS) -> list[Told | Wrong]:
    lines = [Line(1, list(TEMPLATE.values())), *(Line(n, cells) for n, cells in enumerate(rows, start=2))]
    return list(register_reading.read(lines, columns, until=date(2025, 11, 12)))


def told(**cells: object) -> Told:
    (found,) = read(row(**cells))
    assert isinstance(found, Told), found
    return found


def wrong(**cells: object) -> str:
    (found,) = read(row(**cells))
    assert isinstance(found, Wrong), found
    assert found.position == "Oct, row 2"
    return found.message


def test_a_row_tells_a_document_to_the_paisa() -> None:
    found = told(
        type="Credit Note",
        cess=0.1 + 0.2,
        claimed_igst="(1,80.00)",
        claimed_month="10/2025",
        blocked="Yes",
        voucher="V 1",
    )
    assert (found.kind, found.is_credit, found.day) == (NumberClass.NOTE, True, date(2025, 10, 5))
    assert (found.taxable, found.taxes) == (100_000, (18_000, 0, 0, 30))
    assert found.claimed == (-18_000, None, None, None)
    assert (found.claimed_month, found.is_blocked, found.voucher) == (202510, True, "V 1")


@pytest.mark.parametrize("written", ["05-10-2025", "05/10/2025", "2025-10-05", "5-Oct-2025"])
def test_a_day_is_read_however_it_is_written(written: str) -> None:
    assert told(date=written).day == date(2025, 10, 5)


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        ({"igst": "18O"}, 'IGST says "18O"'),
        ({"igst": "1.005"}, 'IGST says "1.005"'),
        ({"taxable": "1e400"}, "Taxable value says"),
        ({"taxable": "99999999999999"}, "Taxable value says"),
        ({"date": "31-02-2025"}, "The date says"),
        ({"date": None}, "The date says"),
        ({"date": "30-06-2017"}, "since GST began"),
        ({"date": "05-10-2205"}, "not after today"),
        ({"number": "ß" * 40}, "longer than 64"),
        ({"supplier": "24AAACS2718C1ZZ"}, "has the check character"),
        ({"supplier": None}, "GSTIN is missing"),
        ({"number": "X" * 65}, "longer than 64"),
        ({"type": "Journal"}, 'The type says "Journal"'),
        ({"blocked": "perhaps"}, "Blocked u/s 17(5)"),
        ({"claimed_month": "13/2025"}, "period of the claim"),
    ],
    ids=str,
)
def test_what_cannot_be_read_is_said_with_its_row(cells: dict[str, object], says: str) -> None:
    assert says in wrong(**cells)


def test_a_bill_of_entry_needs_no_supplier() -> None:
    found = told(type="BOE", supplier=None, number="7012345")
    assert (found.kind, found.supplier) == (NumberClass.BILL_OF_ENTRY, "")


def test_columns_are_found_by_the_label_as_it_is_written() -> None:
    labels = [*TEMPLATE.values()]
    labels[[*TEMPLATE].index(Field.CESS)] = "IGST %"
    columns = {name: label for name, label in OURS.items() if name != "cess"}
    lines = [Line(1, ["IGST %", *labels]), Line(2, [18, *row()])]
    (found,) = register_reading.read(lines, columns, until=date(2025, 11, 12))
    assert isinstance(found, Told)
    assert found.taxes == (18_000, 0, 0, 0)


def test_sums_and_empty_rows_are_passed_over() -> None:
    total: list[Cell] = [None, None, None, "Total", 5000]
    assert read(total, [], [None]) == []


def test_a_heading_is_found_below_a_title_and_guessed_by_its_names() -> None:
    labels: list[Cell] = [
        "Party GSTIN",
        "Bill No",
        "Bill Date",
        "Assessable Value",
        "Input IGST",
        "Central Tax",
        "SGST",
    ]
    lines = [Line(1, ["Purchase register of R"]), Line(3, labels)]
    heading, is_known = register_reading.heading(lines, {})
    assert (heading, is_known) == (labels, False)
    assert register_reading.guess(heading) == {
        "supplier": "Party GSTIN",
        "number": "Bill No",
        "date": "Bill Date",
        "taxable": "Assessable Value",
        "igst": "Input IGST",
        "cgst": "Central Tax",
        "sgst": "SGST",
    }
    chosen = register_reading.guess(heading)
    assert register_reading.heading([*lines, Line(4, ["x"])], chosen) == (labels, True)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "with a mark"])
def test_csv_is_read_with_any_separator(separator: str, mark: bytes) -> None:
    text = separator.join(TEMPLATE.values()) + "\r\n" + separator.join(str(cell or "") for cell in row()) + "\r\n"
    lines = register_reading.of_csv(io.BytesIO(mark + text.encode()))
    (found,) = register_reading.read(lines, OURS, until=date(2025, 11, 12))
    assert isinstance(found, Told)
    assert (found.position, found.number, found.taxes[0]) == ("row 2", "INV1", 18_000)


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe\x00a,b",
        b"a,b\n" + b"," * 70_000 + b"\n",
        b'a,b\n"' + b"x\n" * 100_000,
        b"\xe9t\xe9,b\n",
        b'a,b\n"' + b'\na","' * 300_000,
    ],
    ids=["utf-16", "endless line", "endless quote", "latin", "endless row"],
)
def test_what_is_no_csv_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadableFileError, match="CSV UTF-8"):
        list(register_reading.of_csv(io.BytesIO(content)))
