"""Read the JSON of a GSTR-1, GSTR-1A or IFF (formats 2): documents, their problems, and totals for Table 3.

A file can be unreadable at its very end, so `read` streams and may still raise after thousands of documents: stage
what it yields in one transaction, and roll back when it raises.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from ims_portal.rules import gstin
from ims_portal.rules.documents import Document, Form, Problem
from invoices.gstr1_json import shapes, summaries, values
from invoices.gstr1_json.report import wire_problem_report
from invoices.gstr1_json.summaries import Summary, SummaryLine
from invoices.json_reading import Held, JsonReader, UnreadableFileError, refuse, shown

__all__ = [
    "Header",
    "PassedOver",
    "Summary",
    "SummaryLine",
    "UnreadableFileError",
    "header",
    "not_in_iff",
    "one",
    "read",
    "wire_problem_report",
]

UNKNOWN_FILE = "APP-F03"
NOT_IN_THIS_FORM = "APP-G115"

HEAD_KEYS = frozenset({"gstin", "fp", "gt", "cur_gt", "version", "hash"})
PARTS = {
    "ecom": {"b2b", "urp2b", "b2c", "urp2c"},
    "ecoma": {"b2ba", "urp2ba", "b2ca", "urp2ca"},
    "supeco": {"clttx", "paytx"},
    "supecoa": {"clttxa", "paytxa"},
    "nil": {"inv"},
}
"""Sections that are an object of lists (formats 2.2, 2.3)."""
SECTIONS = frozenset(
    {
        "b2b",
        "b2ba",
        "b2cl",
        "b2cla",
        "b2cs",
        "b2csa",
        "cdnr",
        "cdnra",
        "cdnur",
        "cdnura",
        "nil",
        "exp",
        "expa",
        "at",
        "ata",
        "txpd",
        "txpda",
        "supeco",
        "supecoa",
        "ecom",
        "ecoma",
        "hsn",
        "doc_issue",
    }
)

OTHER_FILES = {
    "rtin": "a file of IMS actions",
    "reqtyp": "a file of IMS actions",
    "invdata": "a file of IMS actions",
    "imsDetails": "a download of the IMS",
    "docdata": "a GSTR-2B",
    "data": "a GSTR-2B or a request",
    "cdn": "a GSTR-2A",
    "cdna": "a GSTR-2A",
    "ret_period": "a GSTR-3B",
    "sup_details": "a GSTR-3B",
    "feed": "a feed of customs, ISD or Rule 37A",
    "error_report": "an error report",
}
"""What a file is whose root holds such a key (formats 12.4)."""
OF_GSTR2A = frozenset({"fldtr1", "flprdr1"})

_PERIOD = re.compile(r"(0[1-9]|1[0-2])20[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Header:
    """Who files and for which period, MMYYYY."""

    gstin: str
    period_text: str


@dataclass(frozen=True, slots=True)
class PassedOver:
    """Rows that are right and yet have no part here: HSN tables and the like, old refund vouchers in cdnr."""

    section: str
    rows: int


Found = Document | Problem | Summary | PassedOver


def header(stream: BinaryIO, *, check_digit: bool = True) -> Header:
    """Return whose return this is, reading no further than needed, and leave the stream where it began."""
    begin = stream.tell()
    reader = JsonReader(stream)
    root: dict[str, Any] = {}
    try:
        for key in _root_keys(reader):
            root[key] = reader.value() if key in HEAD_KEYS else None
            if _is_complete(root):
                break
            if key not in HEAD_KEYS:
                reader.skip(4 if key in PARTS else 3)
        else:
            reader.end()
    finally:
        stream.seek(begin)
    return _header(root, check_digit=check_digit)


def read(stream: BinaryIO, *, form: Form = Form.GSTR1, check_digit: bool = True) -> Iterator[Found]:
    """Yield every document or all its problems, and the totals and counts of the other sections, in file order.

    What `documents.problems` finds (dates, rates, tax, place of supply) comes on top of it. Raises
    UnreadableFileError, possibly after the last document, when the file as a whole must be refused.
    """
    reader = JsonReader(stream)
    root: dict[str, Any] = {}
    unknown = ""
    for key in _root_keys(reader):
        root[key] = None
        if key in SECTIONS:
            yield from _section(reader, key, form, check_digit=check_digit)
        elif key in HEAD_KEYS:
            root[key] = reader.value()
        else:
            unknown = unknown or key
            reader.skip()
    reader.end()
    _header(root, check_digit=check_digit)
    if unknown:
        refuse(
            values.UNKNOWN_KEY,
            f"GSTR-1 has no section or key {shown(unknown)}, so nothing of the file was kept. "
            "Remove it or correct its spelling.",
            field=shown(unknown),
        )


def _root_keys(reader: JsonReader) -> Iterator[str]:
    if reader.peek() not in ("{", ""):
        reader.skip()
        reader.end()
        refuse("APP-F01", "The file is not one JSON object. Upload the file as your program made it.")
    yield from reader.keys_of_object()


def _is_complete(root: dict[str, Any]) -> bool:
    return "gstin" in root and "fp" in root and not SECTIONS.isdisjoint(root)


def _header(root: dict[str, Any], *, check_digit: bool) -> Header:
    if not _is_complete(root):
        other = next((f"; it looks like {OTHER_FILES[key]}" for key in root if key in OTHER_FILES), "")
        missing = " and ".join([key for key in ("gstin", "fp") if key not in root] or ["a section"])
        refuse(UNKNOWN_FILE, f"This is not a GSTR-1, GSTR-1A or IFF: {missing} missing{other}. Choose another file.")
    try:
        filer = values.registration(check_digit=check_digit, kinds=gstin.ANY_KIND)(root["gstin"])
    except values.WrongValueError as wrong:
        refuse(wrong.faults[0].code, f"The GSTIN of the file, {wrong.faults[0].said}", field="gstin")
    period = root["fp"]
    if not isinstance(period, str) or not _PERIOD.fullmatch(period):
        refuse(
            values.WRONG_FORMAT,
            f"The period of the file, {values.written(period)}, is not text of the form "
            'MMYYYY. Write it like "102026".',
            field="fp",
        )
    return Header(filer, period)


def _section(reader: JsonReader, section: str, form: Form, *, check_digit: bool) -> Iterator[Found]:
    """Yield what one section of the root says."""
    if section not in PARTS:
        yield from _list(reader, section, form, check_digit=check_digit)
        return
    if reader.peek() != "{":
        yield from _wrong_container(reader, section, "an object")
        return
    totals = summaries.Totals(section)
    for part in reader.keys_of_object():
        name = section if section == "nil" else f"{section}.{part}"
        if part not in PARTS[section]:
            reader.skip()
            yield _problem(
                values.UNKNOWN_KEY, section, shown(part), f"GSTR-1 has no such key as {shown(part)} here. Remove it."
            )
        elif section in ("nil", "supeco", "supecoa"):
            yield from _summed(reader, name, form, totals)
        else:
            yield from _list(reader, name, form, check_digit=check_digit)
    if totals.rows:
        yield totals.summary()


def _list(reader: JsonReader, name: str, form: Form, *, check_digit: bool) -> Iterator[Found]:
    """Yield what one list of documents or rows says."""
    if name in shapes.SHAPES:
        if reader.peek() == "[":
            yield from _documents(reader, name, check_digit=check_digit)
        else:
            yield from _wrong_container(reader, name, "a list")
    elif name in summaries.ROWS:
        totals = summaries.Totals(name)
        yield from _summed(reader, name, form, totals)
        if totals.rows:
            yield totals.summary()
    else:
        rows = reader.skip()
        if rows:
            yield not_in_iff(name) if form is Form.IFF else PassedOver(name, rows)


def _summed(reader: JsonReader, name: str, form: Form, totals: summaries.Totals) -> Iterator[Problem]:
    if reader.peek() != "[":
        yield from _wrong_container(reader, name, "a list")
    elif form is Form.IFF:
        if reader.skip():
            yield not_in_iff(name)
    else:
        yield from summaries.read(reader, name, totals)


def not_in_iff(name: str) -> Problem:
    """Refuse a section: an IFF holds only documents for registered recipients (formats 2.5)."""
    return _problem(
        NOT_IN_THIS_FORM, name, "", f"An IFF cannot contain {name}. Report it in the GSTR-1 of the quarter."
    )


def _wrong_container(reader: JsonReader, name: str, wanted: str) -> Iterator[Problem]:
    """Pass over a section that is not what it should be; null and empty lists count as absent."""
    is_bracket = reader.peek() in ("[", "{")
    is_absent = reader.skip() == 0 if is_bracket else reader.value() is None
    if not is_absent:
        yield _problem(values.WRONG_TYPE, name, "", f"{name} is not {wanted}. Nothing of it was kept.")


def _problem(code: str, position: str, field: str, message: str) -> Problem:
    return Problem(code=code, message=f"{position}: {message}" if field else message, field=field, position=position)


def _documents(reader: JsonReader, name: str, *, check_digit: bool) -> Iterator[Found]:
    """Yield the documents of one section, group by group."""
    shape = shapes.SHAPES[name]
    registrations = {key: values.registration(check_digit=check_digit, kinds=gstin.RECIPIENTS) for key in shape.group}
    passed_over = 0
    for number in reader.elements():
        held = Held()
        try:
            if reader.peek() == "{":
                group = _group(reader, shape, registrations, held)
            else:
                group = shapes.Group(shape, {}, {}, [values.Fault(values.WRONG_TYPE, "", "An object is needed here.")])
                reader.skip()
            if held.is_empty:
                yield from _empty_group(group, f"{name}[{number}]")
            for index, raw in enumerate(held):
                found = shapes.document(raw, group, f"{name}[{number}].{shape.documents}[{index}]")
                if isinstance(found, list):
                    yield from found
                elif found is None:
                    passed_over += 1
                else:
                    yield found
        finally:
            held.close()
    if passed_over:
        yield PassedOver(name, passed_over)


def one(
    raw: dict[str, Any], *, part: str, around: dict[str, str], position: str, before: Sequence[values.Fault] = ()
) -> Document | list[Problem]:
    """Return one document given outside a file, or everything wrong with it, exactly as a file's would be read.

    `part` names its list (`b2b`, `cdnr`, `ecom.urp2b`), `around` the GSTINs that stand around it there, `before` what
    was found wrong with it where it came from. Check digits are left to `documents.problems`, which says the same of
    them in one place.
    """
    shape = shapes.SHAPES[part]
    readers = {key: values.registration(check_digit=False, kinds=gstin.RECIPIENTS) for key in shape.group}
    found, faults = values.fields(around, readers, shape.group)
    written = {key: shown(value) for key, value in around.items()}
    group = shapes.Group(shape, written, found, [*before, *faults])
    read = shapes.document(raw, group, position)
    return read if read is not None else []


def _group(
    reader: JsonReader, shape: shapes.Shape, registrations: dict[str, values.Reader], held: Held
) -> shapes.Group:
    """Read the object around the documents of one counterparty, whatever the order of its keys."""
    around: dict[str, Any] = {}
    for key in reader.keys_of_object():
        if key == shape.documents and reader.peek() == "[":
            for _ in reader.elements():
                held.take(reader)
        elif key in OF_GSTR2A:
            refuse(UNKNOWN_FILE, f"This is not a GSTR-1 but a GSTR-2A: its groups hold {key}. Choose another file.")
        elif key in shape.group or key == shape.documents:
            around[key] = reader.value()
        else:
            reader.skip()
            around[shown(key)] = ""
    readers = {**registrations, **shapes.GROUP_ADDED_BY_DOWNLOADS, shape.documents: _not_a_list}
    found, faults = values.fields(around, readers, shape.group)
    written = {key: shown(str(around.get(key) or "")) for key in shape.group}
    return shapes.Group(shape, written, found, faults)


def _not_a_list(_: object) -> None:
    raise values.WrongValueError.of(values.WRONG_TYPE, "is not a list. Give the documents as a list.")


def _empty_group(group: shapes.Group, position: str) -> Iterator[Problem]:
    shape = group.shape
    faults = group.faults or [
        values.Fault(
            values.MISSING,
            shape.documents,
            f"{shape.documents} is missing or empty. Add the documents or remove the group.",
        )
    ]
    for fault in faults:
        yield Problem(
            code=fault.code,
            message=f"{position}: {fault.said}",
            field=fault.key,
            position=position,
            counterparty=group.written.get(shape.recipient, ""),
        )
