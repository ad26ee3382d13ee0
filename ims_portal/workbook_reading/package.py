"""Checks a workbook's zip package before anything parses it: what it is, how large it really is, what it may not hold.

Sizes are not believed: every part is inflated here once, as far as the limits go, by the same fields of the directory
that calamine's zip reader goes by, and scanned while it passes. What a scan by expressions cannot see, such as cells
without a reference, is left to the child's limit of memory.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator

from defusedxml import ElementTree

from ims_portal.workbook_reading.frames import TOO_LARGE, Limits, RefusedError

MOST_ROWS, MOST_COLUMNS = 1_048_576, 200

Errors = dict[int, dict[int, str]]
"""The cells of a sheet that hold an error such as #N/A: by row from 1 and column from 0."""

CHUNK = 1 << 20
OVERLAP = 1 << 14
"""Bytes scanned twice, so that nothing hides on the edge of two chunks, not even behind the longest formula."""
SMALL_PART = 1 << 20
"""Bytes of a part whose ratio is not looked at: little that repeats itself packs well and harms nobody."""
MOST_ERRORS = 1_000_000
LONGEST_MAP = 1 << 24
"""Bytes of the two parts that name the sheets."""

LOCAL_HEADER, DIRECTORY_ENTRY, DIRECTORY_END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
LOCAL_BYTES, END_BYTES = 30, 22
ENCRYPTED_BIT, SIZES_FOLLOW_BIT = 0x1, 0x8
SIZE_ELSEWHERE = 0xFFFFFFFF

_DECLARATION = re.compile(rb"<!(?:DOCTYPE|ENTITY)")
_ENCODING = re.compile(rb"""^(?:\xef\xbb\xbf)?<\?xml[^>]*encoding\s*=\s*["']([^"']+)""")
_MACRO = re.compile(rb"macro|vbaproject", re.IGNORECASE)
# GR is column 200. An empty cell that only has a style closes itself and is no part of the used range.
# Counts are bounded, or a part without any > would be searched to its end again and again.
_FAR = re.compile(rb' r="(?:([A-Z]{3,9}|[H-Z][A-Z]|G[S-Z])\d{1,20}|[A-Z]{0,2}(\d{7,20}))"[^<>]{0,200}(?<!/)>')
_ERROR = re.compile(rb"<c ([^<>]*)>(?:<f[^<>]*/>|<f[^<>]*>[^<]*</f>)?<v>(#[^<]{1,20})</v>")
_PLACE = re.compile(rb'(?:^|\s)r="([A-Z]{1,2})(\d{1,7})"')
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_LINK = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"

AGAIN = "Upload it again, or save it anew as .xlsx first."
AS_XLSX = "Save it as .xlsx (“Excel Workbook”) and upload that."


def check(data: bytes, limits: Limits) -> dict[str, Errors]:
    """Refuse what is no plain workbook within the limits; return the cells that hold errors, by the sheets' names.

    calamine gives such cells out as empty. Raises RefusedError.
    """
    _check_beginning(data, limits)
    entries = _directory(data, limits)
    names = {entry.filename.casefold() for entry in entries}
    _check_kind(names)
    if len(names) < len(entries):
        raise RefusedError("two of its parts have the same name", then=AGAIN)
    scan = _Scan()
    room = limits.unpacked_bytes
    for entry in entries:
        _check_entry(entry, limits)
        room -= entry.file_size
        if room < 0:
            raise RefusedError(
                f"unpacked it has more than {limits.unpacked_bytes >> 20} MB",
                code=TOO_LARGE,
                then="Remove sheets and columns that are not needed, or split it into several workbooks.",
            )
    for entry in entries:
        scan.part(entry.filename, _inflated(data, entry))
    return scan.errors_by_sheet()


def _check_beginning(data: bytes, limits: Limits) -> None:
    """Refuse what is no zip file, by the name of what it is."""
    if len(data) > limits.packed_bytes:
        raise RefusedError(
            f"it has more than {limits.packed_bytes >> 20} MB",
            code=TOO_LARGE,
            then="Remove pictures and sheets that are not needed, or split it into several workbooks.",
        )
    begin = data[:1024].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if data.startswith(LOCAL_HEADER):
        return
    if data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        said, then = (
            "it is encrypted or of the old format (.xls)",
            "Save it as .xlsx without a password and upload that.",
        )
    elif not begin:
        said, then = "it is empty", "Upload the file as your program saved it."
    elif begin.startswith(b"%pdf"):
        said, then = "it is a PDF file", "Upload the workbook itself, saved as .xlsx."
    elif begin.startswith(b"<"):
        said, then = "it is a web page or XML file under the name of a workbook", f"Open it in Excel. {AS_XLSX}"
    else:
        said, then = "it is not an .xlsx file, perhaps a CSV file with another name", f"Open it in Excel. {AS_XLSX}"
    raise RefusedError(said, then=then)


def _directory(data: bytes, limits: Limits) -> list[zipfile.ZipInfo]:
    """Return the entries of the zip directory, once it is sure that they are few."""
    if DIRECTORY_END not in data[-END_BYTES:]:
        raise RefusedError("it is cut off, or something was added to its end", then=AGAIN)
    count, at = 0, data.find(DIRECTORY_ENTRY)
    while at >= 0:
        count, at = count + 1, data.find(DIRECTORY_ENTRY, at + 1)
        if count > limits.parts:
            raise RefusedError(
                f"it consists of more than {limits.parts} parts",
                code=TOO_LARGE,
                then="Remove pictures and sheets that are not needed.",
            )
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error):
        raise RefusedError("its directory is damaged", then=AGAIN) from None


def _check_kind(names: set[str]) -> None:
    """Refuse other kinds of documents that come as zip files."""
    if any("vbaproject" in name or name.startswith("xl/macrosheets/") for name in names):
        raise _with_macros()
    if "xl/workbook.bin" in names:
        raise RefusedError("it is a binary workbook (.xlsb)", then=AS_XLSX)
    if "content.xml" in names:
        raise RefusedError("it is an OpenDocument file (.ods)", then=AS_XLSX)
    if not {"[content_types].xml", "xl/workbook.xml"} <= names:
        raise RefusedError("it is a zip file without a workbook in it", then=AS_XLSX)


def _with_macros() -> RefusedError:
    return RefusedError("it holds macros", then="Save it as .xlsx (“Excel Workbook”), which has none, and upload that.")


def _check_entry(entry: zipfile.ZipInfo, limits: Limits) -> None:
    """Refuse a part by what the directory says about it."""
    name = entry.orig_filename
    if name.startswith("/") or not name.isprintable() or re.search(r"[\\:]|(^|/)\.\.(/|$)", name):
        raise RefusedError("the name of one of its parts leads out of it", then=AGAIN)
    if entry.flag_bits & ENCRYPTED_BIT:
        raise RefusedError("it is encrypted", then="Save it as .xlsx without a password and upload that.")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise RefusedError("it is packed in a way that workbooks are not", then=AGAIN)
    if entry.file_size > max(SMALL_PART, limits.ratio * entry.compress_size):
        raise RefusedError(
            f"a part of it unpacks to more than {limits.ratio} times its size, as harmful files do",
            code=TOO_LARGE,
            then="Remove rows and columns that only repeat the same value, save it anew as .xlsx and upload that.",
        )


def _inflated(data: bytes, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield the content of a part in chunks; refuse it once it is not what the directory declares."""
    packed = _packed(data, entry)
    chunks = _deflated(packed) if entry.compress_type == zipfile.ZIP_DEFLATED else _slices(packed)
    size, checksum = 0, 0
    try:
        for chunk in chunks:
            size += len(chunk)
            checksum = zlib.crc32(chunk, checksum)
            if size > entry.file_size:
                raise _lying()
            yield chunk
    except zlib.error:
        raise RefusedError("a part of it is damaged", then=AGAIN) from None
    if size != entry.file_size:
        raise _lying()
    if checksum != entry.CRC:
        raise RefusedError("a part of it is damaged", then=AGAIN)


def _lying() -> RefusedError:
    return RefusedError("a part of it is larger or smaller than its directory says", then=AGAIN)


def _packed(data: bytes, entry: zipfile.ZipInfo) -> memoryview:
    """Return the packed bytes of a part; what its own header says must agree with the directory."""
    begin = entry.header_offset
    header = data[begin : begin + LOCAL_BYTES]
    if len(header) < LOCAL_BYTES or not header.startswith(LOCAL_HEADER):
        raise RefusedError("its directory is damaged", then=AGAIN)
    flags, _, _, _, _, packed, unpacked, name, extra = struct.unpack("<6xHHHHIIIHH", header)
    is_told_twice = not flags & SIZES_FOLLOW_BIT and SIZE_ELSEWHERE not in (packed, unpacked)
    if is_told_twice and (packed, unpacked) != (entry.compress_size, entry.file_size):
        raise _lying()
    begin += LOCAL_BYTES + name + extra
    body = memoryview(data)[begin : begin + entry.compress_size]
    if len(body) < entry.compress_size:
        raise RefusedError("it is cut off", then=AGAIN)
    return body


def _deflated(packed: memoryview) -> Iterator[bytes]:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    for piece in _slices(packed):
        waiting = piece
        while waiting:
            yield inflater.decompress(waiting, CHUNK)
            waiting = inflater.unconsumed_tail
    yield inflater.flush()
    if not inflater.eof:
        raise zlib.error("ends early")


def _slices(body: memoryview) -> Iterator[bytes]:
    for begin in range(0, len(body), CHUNK):
        yield bytes(body[begin : begin + CHUNK])


class _Scan:
    """Looks through the parts as they pass, and keeps where errors stand and the two parts that name the sheets."""

    def __init__(self) -> None:
        self._errors: dict[str, Errors] = {}
        self._count = 0
        self._kept: dict[str, bytes] = {}

    def part(self, name: str, chunks: Iterator[bytes]) -> None:
        """Take one part; refuse what no workbook of a plain table has."""
        lower = name.casefold()
        is_picture = lower.startswith(("xl/media/", "xl/embeddings/"))
        before = b""
        for chunk in chunks:
            window = before + chunk
            if not before and lower.endswith((".xml", ".rels")):
                _check_encoding(window)
            if not is_picture and _DECLARATION.search(window):
                raise RefusedError(
                    "one of its parts declares a document type or entities, as harmful files do",
                    then="Open it in a spreadsheet program, save it anew as .xlsx and upload that.",
                )
            if lower == "[content_types].xml" and _MACRO.search(window):
                raise _with_macros()
            if lower.startswith("xl/worksheets/"):
                _check_places(window)
                self._keep_errors(lower, window)
            if lower in ("xl/workbook.xml", "xl/_rels/workbook.xml.rels"):
                self._keep(lower, chunk)
            before = window[-OVERLAP:]

    def errors_by_sheet(self) -> dict[str, Errors]:
        """Return the errors by the names of the sheets they stand in."""
        if not self._errors:
            return {}
        try:
            links = ElementTree.fromstring(self._kept.get("xl/_rels/workbook.xml.rels", b""))
            book = ElementTree.fromstring(self._kept["xl/workbook.xml"])
        except ElementTree.ParseError:
            raise RefusedError("a part of it is broken", then=AGAIN) from None
        parts = {link.get("Id"): str(link.get("Target")).removeprefix("/").removeprefix("xl/") for link in links}
        named = {
            str(sheet.get("name")): f"xl/{parts.get(sheet.get(f'{_LINK}id'))}".casefold()
            for sheet in book.iter(f"{_MAIN}sheet")
        }
        return {name: self._errors[part] for name, part in named.items() if part in self._errors}

    def _keep(self, name: str, chunk: bytes) -> None:
        self._kept[name] = self._kept.get(name, b"") + chunk
        if len(self._kept[name]) > LONGEST_MAP:
            raise RefusedError(
                "its list of sheets is endless", code=TOO_LARGE, then="Remove sheets that are not needed."
            )

    def _keep_errors(self, name: str, window: bytes) -> None:
        if b't="e"' not in window:
            return
        rows = self._errors.setdefault(name, {})
        for found in _ERROR.finditer(window):
            place = _PLACE.search(found[1])
            if place and b't="e"' in found[1]:
                self._count += 1
                row, text = int(place[2]), found[2].decode("ascii", "replace")
                rows.setdefault(row, {})[_column(place[1])] = text
        if self._count > MOST_ERRORS:
            raise RefusedError(
                f"more than {MOST_ERRORS} of its cells hold errors such as #N/A",
                code=TOO_LARGE,
                then="Remove the columns of formulas that fail.",
            )


def _column(letters: bytes) -> int:
    """Return the place of a column, A being 0."""
    place = 0
    for letter in letters:
        place = place * 26 + letter - ord("A") + 1
    return place - 1


def _check_encoding(beginning: bytes) -> None:
    """Refuse XML in which a scan by bytes would see nothing."""
    declared = _ENCODING.match(beginning[:OVERLAP])
    is_other = declared and declared[1].lower() not in (b"utf-8", b"us-ascii")
    if is_other or b"\0" in beginning[:OVERLAP] or beginning.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise RefusedError("one of its parts is not written in UTF-8", then=AGAIN)


def _check_places(window: bytes) -> None:
    """Refuse a cell so far out that a table with it would fill all memory."""
    for found in _FAR.finditer(window):
        column, row = found.groups()
        if column:
            said = f"it has a cell in column {column.decode()}, at most {MOST_COLUMNS} columns (to GR) are read"
        elif int(row) > MOST_ROWS:
            said = f"it has a row {row.decode()}, at most {MOST_ROWS} are read"
        else:
            continue
        raise RefusedError(said, code=TOO_LARGE, then="Remove what stands far below or beside the table.")
