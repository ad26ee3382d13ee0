"""Reading workbooks that nobody may trust: what comes out of good ones, and how bad ones are refused."""

import hashlib
import io
import json
import signal
import struct
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Self

import openpyxl
import pytest

from ims_portal import embedded, workbook_reading
from ims_portal.spreadsheet import Column, Sheet, write
from ims_portal.workbook_reading import NOT_READABLE, TOO_LARGE, Limits, Line, WorkbookRefusedError, read

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE_LINKS = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.{}.main+xml"/></Types>'
)
SHEET = "xl/worksheets/sheet1.xml"
PARTS = {
    "[Content_Types].xml": TYPES.format("openxmlformats-officedocument.spreadsheetml.sheet"),
    "_rels/.rels": f'{PACKAGE_LINKS}<Relationship Id="a" Type="{LINKS}/officeDocument" Target="xl/workbook.xml"/>'
    "</Relationships>",
    "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{LINKS}"><sheets><sheet name="B2B" sheetId="1" r:id="a"/>'
    "</sheets></workbook>",
    "xl/_rels/workbook.xml.rels": f'{PACKAGE_LINKS}<Relationship Id="a" Type="{LINKS}/worksheet" '
    'Target="worksheets/sheet1.xml"/></Relationships>',
}
BEGIN, END = f'<worksheet xmlns="{MAIN}"><sheetData>', "</sheetData></worksheet>"
MOST_MEGABYTES, MOST_SECONDS = 200, 10

MEASURE = """
import json, resource, sys, time
from pathlib import Path
from ims_portal.workbook_reading import WorkbookRefusedError, read
begin, refused = time.monotonic(), ("", "")
try:
    rows = sum(1 for line in read(Path(sys.argv[1])))
except WorkbookRefusedError as fault:
    rows, refused = 0, (fault.code, str(fault))
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
json.dump([*refused, rows, peak, time.monotonic() - begin], sys.stdout)
"""

HOLD = """
import sys, time
from pathlib import Path
from ims_portal import workbook_reading
real = workbook_reading.subprocess.Popen
class Popen(real):
    def __init__(self, *args, **named):
        super().__init__(*args, **named)
        print(self.pid, flush=True)
workbook_reading.subprocess.Popen = Popen
rows = workbook_reading.read(Path(sys.argv[1]))
next(rows)
print("reading", flush=True)
time.sleep(600)
"""


def zipped(parts: dict[str, str | bytes]) -> bytes:
    """Return a zip file."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return target.getvalue()


def book(cells: str = "", **more: str | bytes) -> bytes:
    """Return a workbook of one sheet with these rows; other parts by name, with __ for the slash and _ for the dot."""
    named = {name.replace("__", "/").replace("_xml", ".xml"): content for name, content in more.items()}
    return zipped(PARTS | {SHEET: BEGIN + cells + END} | named)


def row(*cells: str, number: int = 1) -> str:
    return f'<row r="{number}">{"".join(cells)}</row>'


def bomb() -> bytes:
    return book(" " * 50_000_000)


def declaring(data: bytes, size: int, *, in_directory: bool) -> bytes:
    """Return the workbook with another size of its sheet in the sheet's own header, and perhaps in the directory."""
    changed = bytearray(data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        begin = archive.getinfo(SHEET).header_offset
    changed[begin + 22 : begin + 26] = struct.pack("<I", size)
    if in_directory:
        entry = data.index(SHEET.encode(), data.index(b"PK\x01\x02")) - 46
        changed[entry + 24 : entry + 28] = struct.pack("<I", size)
    return bytes(changed)


def encrypted() -> bytes:
    changed = bytearray(book())
    changed[6] |= 1
    changed[changed.index(b"PK\x01\x02") + 8] |= 1
    return bytes(changed)


def damaged() -> bytes:
    data = book(row(f'<c r="A1" t="str"><v>{hashlib.shake_128(b"a").hexdigest(5000)}</v></c>'))
    middle = data.index(SHEET.encode()) + 2000
    return data[:middle] + bytes([data[middle] ^ 255]) + data[middle + 1 :]


def twice() -> bytes:
    return zipped(PARTS | {SHEET: BEGIN + END, SHEET.upper(): BEGIN + END})


def many_sheets() -> bytes:
    workbook = openpyxl.Workbook()
    for number in range(64):
        workbook.create_sheet(f"more {number}")
    target = io.BytesIO()
    workbook.save(target)
    return target.getvalue()


def endless() -> bytes:
    return book("".join(f'<row r="{number}"><c r="A{number}"><v>1</v></c></row>' for number in range(1, 1_048_578)))


XML_BOMB = (
    '<!DOCTYPE sst [<!ENTITY a "haha"><!ENTITY b "&a;&a;&a;">]>' + f'<sst xmlns="{MAIN}"><si><t>&b;</t></si></sst>'
)
OUTSIDE = '<!DOCTYPE worksheet [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + BEGIN + END
A_DECLARATION = "declares a document type or entities"
WITHOUT_PASSWORD = "without a password"

HOSTILE: dict[str, tuple[Callable[[], bytes], str, str, str]] = {
    "zip bomb": (bomb, TOO_LARGE, "unpacks to more than", "save it anew"),
    "size lies everywhere": (
        lambda: declaring(bomb(), 1000, in_directory=True), NOT_READABLE, "than its directory says", "save it anew",
    ),
    "size lies in its own header": (
        lambda: declaring(book(row()), 5, in_directory=False), NOT_READABLE, "than its directory says", "save it anew",
    ),
    "XML bomb": (lambda: book(xl__sharedStrings_xml=XML_BOMB), NOT_READABLE, A_DECLARATION, "save it anew"),
    "external entity": (lambda: zipped(PARTS | {SHEET: OUTSIDE}), NOT_READABLE, A_DECLARATION, "save it anew"),
    "XML bomb in UTF-16": (
        lambda: book(xl__sharedStrings_xml=XML_BOMB.encode("utf-16")), NOT_READABLE, "not written in UTF-8", "save it",
    ),
    "XML that says UTF-7": (
        lambda: book(xl__styles_xml='<?xml version="1.0" encoding="UTF-7"?><a/>'),
        NOT_READABLE, "not written in UTF-8", "save it",
    ),
    "XML cut off": (lambda: zipped(PARTS | {SHEET: BEGIN + "<row"}), NOT_READABLE, "ends early", "save it anew"),
    "old or encrypted": (
        lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4096), NOT_READABLE, "old format", WITHOUT_PASSWORD,
    ),
    "encrypted zip": (encrypted, NOT_READABLE, "encrypted", WITHOUT_PASSWORD),
    "macros": (lambda: zipped(PARTS | {"xl/vbaProject.bin": b"x"}), NOT_READABLE, "holds macros", "as .xlsx"),
    "xlsm": (
        lambda: zipped(PARTS | {"[Content_Types].xml": TYPES.format("ms-excel.sheet.macroEnabled")}),
        NOT_READABLE, "holds macros", "as .xlsx",
    ),
    "xlsb": (lambda: zipped({"xl/workbook.bin": b"x"}), NOT_READABLE, "binary workbook", "as .xlsx"),
    "ods": (lambda: zipped({"content.xml": "<a/>"}), NOT_READABLE, "OpenDocument", "as .xlsx"),
    "html": (lambda: b"\xef\xbb\xbf\n<html><table></table></html>", NOT_READABLE, "a web page", "as .xlsx"),
    "pdf": (lambda: b"%PDF-1.7\n", NOT_READABLE, "PDF", "as .xlsx"),
    "csv": (lambda: b"GSTIN,Status\n", NOT_READABLE, "perhaps a CSV file", "as .xlsx"),
    "truncated": (lambda: book(row())[:-200], NOT_READABLE, "cut off", "Upload it again"),
    "damaged": (damaged, NOT_READABLE, "damaged", "Upload it again"),
    "empty": (lambda: b"", NOT_READABLE, "is empty", "Upload the file"),
    "no workbook": (lambda: zipped({"a.txt": "a"}), NOT_READABLE, "without a workbook", "as .xlsx"),
    "a row too many": (endless, TOO_LARGE, "row 1048577", "Remove"),
    "a cell in the last corner": (
        lambda: book(row('<c r="A1"><v>1</v></c>', '<c r="XFD1048576"><v>1</v></c>')),
        TOO_LARGE, "column XFD", "Remove",
    ),
    "a cell one column too far": (lambda: book(row('<c r="GS1"><v>1</v></c>')), TOO_LARGE, "column GS", "Remove"),
    "the last corner, hidden from the scan": (
        lambda: book(row('<c r="A1"><v>1</v></c>', "<c r='XFD1048576'><v>1</v></c>")), TOO_LARGE, "memory", "split it",
    ),
    "one column too far, hidden from the scan": (
        lambda: book(row("<c><v>1</v></c>" * 201)), TOO_LARGE, "column 201", "Remove",
    ),
    "path": (lambda: zipped(PARTS | {"xl/../../a.xml": "<a/>"}), NOT_READABLE, "leads out of it", "Upload it again"),
    "same name twice": (twice, NOT_READABLE, "same name", "Upload it again"),
    "10,000 parts": (
        lambda: zipped(PARTS | {f"xl/{number}.xml": "<a/>" for number in range(10_000)}), TOO_LARGE, "parts", "Remove",
    ),
    "65 sheets": (many_sheets, TOO_LARGE, "65 sheets", "Remove"),
    "long text": (
        lambda: book(row(f'<c r="A1" t="str"><v>{"a" * 32_768}</v></c>')), TOO_LARGE, "32768 characters", "Shorten",
    ),
    "no number": (lambda: book(row('<c r="A1"><v>1e999</v></c>')), NOT_READABLE, "a number that is none", "save it"),
}  # fmt: skip


def measured(path: Path) -> tuple[str, str, int, float, float]:
    """Read a workbook in a process of its own; return code, message, rows, megabytes of the child, seconds."""
    command = [sys.executable, "-c", MEASURE, str(path)]
    done = subprocess.run(command, cwd=embedded.PROJECT, capture_output=True, check=True)
    return tuple(json.loads(done.stdout))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_workbook_is_refused_soon_and_says_why_and_what_next(name: str, tmp_path: Path) -> None:
    make, code, why, then = HOSTILE[name]
    (tmp_path / "a.xlsx").write_bytes(make())
    said, message, _, megabytes, seconds = measured(tmp_path / "a.xlsx")
    assert (said, why in message, then in message) == (code, True, True), message
    assert "Nothing of it was kept." in message
    assert megabytes < MOST_MEGABYTES
    assert seconds < MOST_SECONDS


def test_a_range_that_lies_about_its_size_costs_nothing(tmp_path: Path) -> None:
    lying = f'<worksheet xmlns="{MAIN}"><dimension ref="A1:XFD1048576"/><sheetData>'
    cells = row('<c r="A1"><v>1</v></c>', '<c r="XFD1048576" s="0"/>')
    (tmp_path / "a.xlsx").write_bytes(zipped(PARTS | {SHEET: lying + cells + END}))
    code, message, rows, megabytes, _ = measured(tmp_path / "a.xlsx")
    assert (code, message, rows) == ("", "", 1)
    assert megabytes < MOST_MEGABYTES


def lines(path: Path, data: bytes) -> list[Line]:
    target = path / "a.xlsx"
    target.write_bytes(data)
    return list(read(target))


def test_what_our_writer_wrote_comes_back(tmp_path: Path) -> None:
    texts = [
        "=1+1", "+91", "-5", "@a", "\ta", "a\nb", "कावेरी ₹ 😀", "00123456789012345678901", " a ", "a & b <c>",
        "_x0007_", "_x005F_", "TRUE", "#N/A", "13-10-2026",
    ]  # fmt: skip
    amounts = [0.1, -0.05, 118000.55, 9999999999999.99, 0.07]
    columns = [Column(("Details", "Text")), Column(("Details", "Amount")), Column(("Nothing",))]
    rows = [[text, amounts[at % len(amounts)], None] for at, text in enumerate(texts)]
    home = Sheet("Home", [["Home"], ["Records", 2]], widths=[9, 9])
    write(tmp_path / "a.xlsx", [Sheet("B2B", rows, columns, titles=["Title"]), home])
    table = [line for line in read(tmp_path / "a.xlsx") if line.sheet == "B2B"]
    assert [line.number for line in table] == [1, 4, 5, 6, *range(7, 7 + len(texts))]
    assert table[0].cells == ("Title",)
    assert [line.cells for line in table[2:4]] == [("Details", None, "Nothing"), ("Text", "Amount")]
    assert [line.cells for line in table[4:]] == [tuple(cells[:2]) for cells in rows]
    first, *_, last = (line for line in read(tmp_path / "a.xlsx") if line.sheet == "Home")
    assert (first, last) == (Line("Home", 1, ("Home",)), Line("Home", 3, ("Records", 2.0)))


def test_control_characters_become_blanks(tmp_path: Path) -> None:
    write(tmp_path / "a.xlsx", [Sheet("B2B", [["a\x00\x07\x1f\x7f\rb\tc\nd"]], [Column(("Text",))])])
    assert list(read(tmp_path / "a.xlsx"))[-1].cells == ("a     b\tc\nd",)


def test_every_kind_of_value_of_another_program(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.append([])
    sheet.append([None, "text", 7, 0.3, True, date(2026, 10, 13), datetime(2026, 10, 13, 23, 59)])  # noqa: DTZ001 - a cell has no zone
    sheet.append([None, "=1+1", "#N/A", None])
    workbook.create_chartsheet("Chart")
    workbook.create_sheet("Second")["C3"] = "_x0041_"
    workbook["Second"].sheet_state = "hidden"
    workbook.save(tmp_path / "a.xlsx")
    assert list(read(tmp_path / "a.xlsx")) == [
        Line("Sheet", 2, (None, "text", 7.0, 0.3, "TRUE", "2026-10-13", "2026-10-13"), (5, 6)),
        Line("Sheet", 3, (None, None, "#N/A")),
        Line("Second", 3, (None, None, "A")),
    ]


def test_formulas_give_what_they_gave_last(tmp_path: Path) -> None:
    cells = row(
        '<c r="A1" t="str"><f>B1</f><v>=x</v></c><c r="B1"><f>1+1</f><v>2.10</v></c><c r="C1"><f>A1</f></c>'
        '<c r="D1" s="0" t="e"><f>VLOOKUP(A1,B:C,2)</f><v>#REF!</v></c><c r="E1" t="b"><v>0</v></c>'
    )
    assert lines(tmp_path, book(cells)) == [Line("B2B", 1, ("=x", 2.1, None, "#REF!", "FALSE"))]


def test_a_workbook_without_cells_has_no_rows(tmp_path: Path) -> None:
    assert lines(tmp_path, book()) == []


class Recorded(subprocess.Popen[bytes]):
    """Keeps the children that were started."""

    started: list[Self] = []

    def __init__(self, *args: object, **named: object) -> None:
        super().__init__(*args, **named)
        self.started.append(self)


@pytest.fixture
def long_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a workbook whose rows do not fit into the pipe; the child that reads it is in Recorded.started."""
    monkeypatch.setattr(workbook_reading.subprocess, "Popen", Recorded)
    Recorded.started.clear()
    write(tmp_path / "a.xlsx", [Sheet("B2B", ([f"row {at} " + "a" * 100] for at in range(20_000)), [Column(("a",))])])
    yield tmp_path / "a.xlsx"
    assert None not in [process.returncode for process in Recorded.started]


def test_nothing_starts_before_the_first_row(long_one: Path) -> None:
    read(long_one)
    assert Recorded.started == []


def test_a_caller_who_stops_early_leaves_no_process(long_one: Path) -> None:
    rows = read(long_one)
    assert next(rows).number == 4
    rows.close()
    assert [process.returncode for process in Recorded.started] == [-signal.SIGKILL]


@pytest.mark.parametrize(
    ("number", "code", "why"),
    [
        (signal.SIGKILL, NOT_READABLE, "was stopped"),
        (signal.SIGABRT, TOO_LARGE, "memory"),
        (signal.SIGXCPU, TOO_LARGE, "too long"),
        (signal.SIGSEGV, NOT_READABLE, "broken"),
    ],
)
def test_a_child_that_ends_midway_is_a_refusal(long_one: Path, number: signal.Signals, code: str, why: str) -> None:
    rows = read(long_one)
    next(rows)
    Recorded.started[0].send_signal(number)
    with pytest.raises(WorkbookRefusedError, match=why) as refused:
        list(rows)
    assert refused.value.code == code


def test_a_child_that_hangs_is_ended(long_one: Path) -> None:
    rows = read(long_one, limits=Limits(seconds=2))
    next(rows)
    Recorded.started[0].send_signal(signal.SIGSTOP)
    with pytest.raises(WorkbookRefusedError, match="too long"):
        list(rows)
    assert [process.returncode for process in Recorded.started] == [-signal.SIGKILL]


def test_time_that_the_caller_takes_does_not_count(long_one: Path) -> None:
    rows = read(long_one, limits=Limits(seconds=2))
    next(rows)
    time.sleep(2.5)
    assert sum(1 for _ in rows) == 20_001


def test_a_child_does_not_outlive_a_killed_parent(long_one: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(long_one)]
    with subprocess.Popen(command, cwd=embedded.PROJECT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        assert parent.stdout.readline() == "reading\n"
        parent.kill()
    deadline = time.monotonic() + MOST_SECONDS
    while is_running(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(child)


def is_running(process: int) -> bool:
    """Return whether a process is there and no zombie of a parent that is slow to bury it."""
    listed = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True, check=False)
    return listed.stdout.strip()[:1] not in ("", "Z")


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        (Limits(packed_bytes=1000), "has more than"),
        (Limits(unpacked_bytes=1000), "unpacked it has"),
        (Limits(memory_bytes=30 * 2**20), "memory"),
    ],
)
def test_limits_are_kept(long_one: Path, limits: Limits, why: str) -> None:
    with pytest.raises(WorkbookRefusedError, match=why) as refused:
        list(read(long_one, limits=limits))
    assert refused.value.code == TOO_LARGE


def test_the_child_can_open_nothing() -> None:
    script = (
        "from ims_portal.workbook_reading import child; from ims_portal.workbook_reading.frames import Limits\n"
        "import socket; child._give_up_rights(Limits())\n"
        "for what in (lambda: open('/etc/hostname'), socket.socket):\n"
        "    try: what(); print('opened')\n"
        "    except OSError: print('barred')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=embedded.PROJECT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["barred", "barred"]
