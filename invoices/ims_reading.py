"""Read the rows of IMS in a file or a request (formats 3, 4): what they say of each record, and what is asked of it.

A row comes out alike whatever its dialect: the API's, that of the portal's page, or of the offline utility and its
relatives (decisions F1, F2, F4, F9). Unknown keys are ignored; a row that cannot be read takes no other down.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, BinaryIO

from ims_portal.rules import gstin
from ims_portal.rules.actions import Action, Answer
from ims_portal.rules.documents import Problem
from ims_portal.rules.money import NIL, Tax
from ims_portal.rules.sections import AMENDMENTS, BILLS_OF_ENTRY, ECO, NOTES, InvoiceType, Section
from invoices.feeds_json import bills, fields
from invoices.gstr1_json import values
from invoices.gstr1_json.values import Fault, Reader
from invoices.ims_json import BILL_HEADS, DOCUMENT_HEADS, SUPPLY_TYPES, BillKey, DocumentKey, Row
from invoices.json_reading import KEY_TWICE, NOT_READABLE, JsonReader, UnreadableFileError, refuse, shown

__all__ = ["Header", "Request", "RowOfFile", "UnreadableFileError", "header", "read"]

UNKNOWN_FILE, RECORD_TWICE = "APP-F03", "APP-F06"

SECTIONS = {one.value: one for one in Section if one not in (Section.ISD, Section.ISDCN, Section.RULE_37A)}
SECTIONS |= {"cn": Section.CN, "cna": Section.CNA, "dn": Section.DN, "dna": Section.DNA}
"""Key of a list -> the section of its rows; older programs leave `b2b` off the notes (formats 3.5)."""

ASKS, SHOWS = "invdata", "imsDetails"
AROUND = ("rtin", "reqtyp", "action", "fp")
"""What stands beside the rows: `fp` only in returns, whose sections bear the same names."""

SPELLINGS = {
    "itc_red_req": "itcRedReq",
    "decl_igst": "declIgst",
    "decl_cgst": "declCgst",
    "decl_sgst": "declSgst",
    "decl_cess": "declCess",
    "itcRedReqBlocked": "isItcRedReqBlocked",
    "ispendactnallwd": "ispendactblocked",
}
"""Another spelling of a key -> the API's (decisions F1, F2; formats 3.2)."""

DECLARED = {head: f"decl{head.title()}" for head in DOCUMENT_HEADS}
SUPPLY_TYPE_OF = {text: one for one, text in SUPPLY_TYPES.items()} | {one.value: one for one in InvoiceType}
IS_FILED = {"F": True, "FILED": True, "NOT FILED": False, "SAVED": False, "NF": False}


class Request(StrEnum):
    """What a file asks for, by its `reqtyp`; a download asks for nothing."""

    SAVE = "SAVE"
    RESET = "RESET"
    NOTHING = ""


OUTER_ACTIONS = {Request.SAVE: "SAVE", Request.RESET: "RESETIMS"}


@dataclass(frozen=True, slots=True)
class Header:
    """Whose records a file is about, a GSTIN or "" of a download, what it asks for, and whether as a body of the API.

    `rows_in` is the way to the object that holds the sections: keys with dots between, "" for the root.
    """

    rtin: str
    request: Request
    is_api: bool
    rows_in: str


@dataclass(frozen=True, slots=True)
class RowOfFile:
    """A row where it stands: `position` such as invdata.b2b[3], `place` its number among all rows of the file, from 1.

    `row.action` is what is asked for, in a download the action shown, N in a reset; `previous` the action its writer
    took the record to have, None where not said. What the file does not tell of a record is empty or None.
    """

    position: str
    place: int
    row: Row
    previous: Action | None


def header(stream: BinaryIO, *, check_digit: bool = True) -> Header:
    """Return what a file is, read to its end, and leave the stream where it began.

    Raises UnreadableFileError when the file as a whole must be refused.
    """
    begin = stream.tell()
    reader, found = JsonReader(stream), _Envelope()
    try:
        for _ in _lists(reader, found):
            reader.skip(1)
    finally:
        stream.seek(begin)
    return _header(found, check_digit=check_digit)


def read(stream: BinaryIO, *, check_digit: bool = True) -> Iterator[RowOfFile | Problem]:
    """Return every row, or all its problems, in the order of the file; a warning tells of a section there is none of.

    Raises UnreadableFileError, before the first row, when the file as a whole must be refused. Whether `rtin` is the
    GSTIN in question is for the caller to check; so is what the law says to an action, and a bare month of a period.
    """
    told = header(stream, check_digit=check_digit)
    return _rows(JsonReader(stream), told, check_digit=check_digit)


@dataclass(slots=True)
class _Envelope:
    """What was found around the rows: values by key, and the ways to the objects that hold sections."""

    values: dict[str, Any] = field(default_factory=dict)
    rows_in: set[str] = field(default_factory=set)

    def take(self, key: str, value: object) -> None:
        """Keep a value; the root and the `data` inside it may not contradict one another."""
        if self.values.setdefault(key, value) != value:
            refuse(KEY_TWICE, f"The file says {key} twice, and not the same. Export the file again.", field=key)


def _lists(reader: JsonReader, found: _Envelope) -> Iterator[tuple[str, str]]:
    """Yield the object and key of whatever may be a list of rows; the caller consumes the value each time."""
    if reader.peek() not in ("{", ""):
        reader.skip()
        reader.end()
        refuse(NOT_READABLE, "The file is not one JSON object. Upload the file as your program made it.")
    yield from _inside(reader, found, "")
    reader.end()


def _inside(reader: JsonReader, found: _Envelope, where: str) -> Iterator[tuple[str, str]]:
    """Yield the lists of the root or of the `data` inside it, which wraps a request and the portal page's answer."""
    for key in reader.keys_of_object():
        way = f"{where}.{key}" if where else key
        if key in (ASKS, SHOWS):
            found.rows_in.add(way)
            yield from _sections(reader, way)
        elif key == "data" and not where and reader.peek() == "{":
            yield from _inside(reader, found, way)
        elif key in SECTIONS:
            found.rows_in.add(where)
            yield where, key
        elif key in AROUND:
            found.take(key, reader.value())
        else:
            reader.skip()


def _sections(reader: JsonReader, way: str) -> Iterator[tuple[str, str]]:
    if reader.peek() == "{":
        yield from ((way, key) for key in reader.keys_of_object())
    elif not _is_absent(reader):
        key = way.rpartition(".")[2]
        refuse(values.WRONG_TYPE, f"{key} is not an object with a list for each section. Correct it.", field=key)


def _is_absent(reader: JsonReader) -> bool:
    """Whether the next value, which is passed over, is null or empty."""
    return reader.skip(1) == 0 if reader.peek() in ("[", "{") else reader.value() is None


def _header(found: _Envelope, *, check_digit: bool) -> Header:
    rows_in = " ".join(sorted(found.rows_in))
    holds_request = rows_in.endswith(ASKS)
    missing = [key for key in ("rtin", "reqtyp") if holds_request and key not in found.values]
    is_return = "fp" in found.values and not rows_in.endswith((ASKS, SHOWS))
    if len(found.rows_in) != 1 or missing or is_return:
        said = f": {' and '.join(missing)} missing" if missing else ""
        refuse(UNKNOWN_FILE, f"This is neither a file of IMS actions nor a download of IMS{said}. Choose another file.")
    if not holds_request:
        return Header("", Request.NOTHING, is_api=False, rows_in=rows_in)
    filer = _around(found, "rtin", values.registration(check_digit=check_digit, kinds=gstin.ANY_KIND))
    request = Request(_around(found, "reqtyp", values.one_of(*OUTER_ACTIONS)))
    if "action" in found.values:
        _around(found, "action", values.one_of(OUTER_ACTIONS[request]))
    return Header(filer, request, is_api=rows_in != ASKS, rows_in=rows_in)


def _around(found: _Envelope, key: str, reader: Reader) -> str:
    try:
        return str(reader(found.values[key]))
    except values.WrongValueError as wrong:
        refuse(wrong.faults[0].code, f"The {key} of the file, {wrong.faults[0].said}", field=key)


def _rows(reader: JsonReader, told: Header, *, check_digit: bool) -> Iterator[RowOfFile | Problem]:
    seen: dict[object, str] = {}
    place = 0
    # `data` is an envelope, no place: a row stands at invdata.b2b[3] in a file and in a request alike.
    inside = told.rows_in.removeprefix("data").removeprefix(".")
    for _where, key in _lists(reader, _Envelope()):
        name = f"{inside}.{key}" if inside else key
        if key not in SECTIONS:
            yield from _passed_over(reader, inside, key)
        elif reader.peek() != "[":
            if not _is_absent(reader):
                yield Problem(values.WRONG_TYPE, f"{name} is not a list. Nothing of it was read.", position=name)
        else:
            shape = _shape(SECTIONS[key], told, check_digit=check_digit)
            for number in reader.elements():
                place += 1
                yield from shape.row(reader.value(), f"{name}[{number}]", place, seen)


def _passed_over(reader: JsonReader, inside: str, key: str) -> Iterator[Problem]:
    """Warn of rows under a name that is no section: whoever wrote them expects them to count."""
    is_list = reader.peek() == "["
    count = reader.skip(1)
    if is_list and count:
        said = f"IMS has no section {shown(key)}; {count} rows of it were passed over. Correct its name."
        yield Problem(values.UNKNOWN_KEY, f"{inside}: {said}", field=shown(key), position=inside, is_warning=True)


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a row of a section may say: the reader of each key, and which keys it must have."""

    section: Section
    number: str
    day: str
    heads: Mapping[str, str]
    readers: Mapping[str, Reader]
    required: tuple[str, ...]

    def row(self, raw: object, position: str, place: int, seen: dict[object, str]) -> Iterator[RowOfFile | Problem]:
        """Yield the row, or all that is wrong with it; `seen` has the position of every record before."""
        plain, clashes = _plainly(raw)
        found, faults = fields.fields(plain, self.readers, self.required)
        faults = clashes + faults + _undeclared(found, self.heads)
        if not faults:
            row = _bill(self, found) if self.section in BILLS_OF_ENTRY else _document(self, found)
            first = seen.setdefault(_same(row), position)
            if first == position:
                previous = found.get("prev_status")
                yield RowOfFile(position, place, row, Action(previous) if previous else None)
                return
            said = f"is the record of {first} once more. That one stands; remove one of the two."
            faults = [Fault(RECORD_TWICE, self.number, f"{found[self.number]} {said}")]
        for fault in faults:
            yield Problem(
                fault.code,
                f"{position}: {fault.said}",
                field=fault.key,
                number=_written(plain, self.number),
                position=position,
                counterparty=_written(plain, "stin"),
                dated=_written(plain, self.day),
                place=place,
            )


def _shape(section: Section, told: Header, *, check_digit: bool) -> _Shape:
    asked = values.one_of(Action.NONE) if told.request is Request.RESET else values.one_of(*Action)
    readers: dict[str, Reader] = {
        "stin": values.registration(check_digit=check_digit, kinds=gstin.ANY_KIND),
        "tradenm": values.text,
        "action": asked,
        "prev_status": values.one_of(*Action),
        "ispendactblocked": _flag,
        "isItcRedReqBlocked": _flag,
        "itcRedReq": _flag,
        "txval": values.total_paise,
    }
    required = ["txval"]
    if told.request is not Request.RESET:
        required.append("action")
    if told.is_api:
        required.append("prev_status")
    is_bill = section in BILLS_OF_ENTRY
    heads = BILL_HEADS if is_bill else DOCUMENT_HEADS
    readers |= dict.fromkeys((*heads.values(), *(DECLARED[head] for head in heads)), values.total_paise)
    number, day, own, needed = _of_bill() if is_bill else _of_document(section)
    return _Shape(section, number, day, heads, readers | own, (*needed, *heads.values(), *required))


def _of_document(section: Section) -> tuple[str, str, dict[str, Reader], list[str]]:
    """Return the keys of number and date, the readers a supplier's document has beside a bill's, and what it needs."""
    number, day = ("nt_num", "nt_dt") if section in NOTES else ("inum", "idt")
    own: dict[str, Reader] = {
        number: values.document_number,
        day: values.day,
        "srcform": values.one_of("R1", "R1A", "R5"),
        "rtnprd": values.pattern(r"(0[1-9]|1[0-2])(20[0-9]{2})?", "MMYYYY"),
        "val": values.total_paise,
        "pos": values.pos,
    }
    if section in AMENDMENTS:
        own |= {f"o{number}": values.document_number, f"o{day}": values.day}
    if section not in ECO:
        own["inv_typ"] = _supply_type
    needed = ["stin", *own]
    return number, day, own | {"srcfilstatus": _is_filed, "isRemarksBlocked": _flag, "remarks": values.text}, needed


def _of_bill() -> tuple[str, str, dict[str, Reader], list[str]]:
    """Return the same of a bill of entry; what two of them are told apart by must be there (decision F5)."""
    own: dict[str, Reader] = {
        "portcd": bills.RECORD["port_code"],
        "boenum": bills.RECORD["boe_number"],
        "boedt": values.day,
        "irefdt": values.day,
    }
    beside = {
        "rgstinrefId": bills.RECORD["ref_no"],
        "itcprd": fields.period,
        "srtinprd": fields.period,
        "amendType": values.one_of("A", "G", "D"),
    }
    return "boenum", "boedt", own | beside, list(own)


def _plainly(raw: object) -> tuple[object, list[Fault]]:
    """Return a row in the API's spelling without what is empty or to be ignored, and where two spellings disagree."""
    if not isinstance(raw, dict):
        return raw, []
    given: dict[str, Any] = raw
    found: dict[str, Any] = {}
    faults = []
    for spelled, value in given.items():
        if value is None or value in ("", []):
            continue
        key = SPELLINGS.get(spelled, spelled)
        if found.setdefault(key, value) != value:
            said = f"{spelled} says otherwise than another spelling of it. Keep one of the two."
            faults.append(Fault(values.NOT_IN_LIST, spelled, said))
    if found.get("itcRedReq") not in ("Y", True):
        # Some programs send amounts with every answer; without a reduction they mean nothing (formats 3.3).
        found = {key: value for key, value in found.items() if key not in DECLARED.values()}
    return found, faults


def _undeclared(found: Mapping[str, Any], heads: Mapping[str, str]) -> list[Fault]:
    """Return which amounts a partial reduction leaves out: a head that is not told is not nothing (formats 3.3)."""
    missing = [DECLARED[head] for head in heads if DECLARED[head] not in found]
    if len(missing) in (0, len(heads)):
        return []
    return [Fault(values.MISSING, key, f"{key} is missing. Give the amount of every head, or none.") for key in missing]


def _document(shape: _Shape, found: Mapping[str, Any]) -> Row:
    key = DocumentKey(
        supplier=found["stin"],
        number=found[shape.number],
        day=found[shape.day],
        form=found["srcform"],
        period=found["rtnprd"],
        inv_type=found.get("inv_typ"),
        original_number=found.get(f"o{shape.number}", ""),
        original_day=found.get(f"o{shape.day}"),
    )
    return Row(
        section=shape.section,
        key=key,
        value=found["val"],
        pos=found["pos"],
        remark=found.get("remarks", "").strip(),
        is_filed=found.get("srcfilstatus"),
        remarks_blocked=found.get("isRemarksBlocked"),
        **_alike(shape, found),
    )


def _bill(shape: _Shape, found: Mapping[str, Any]) -> Row:
    key = BillKey(
        port=found["portcd"],
        number=found["boenum"],
        day=found["boedt"],
        reference=found.get("rgstinrefId", ""),
        reference_day=found["irefdt"],
        itc_period=found.get("itcprd", ""),
        source_period=found.get("srtinprd", ""),
        sez=found.get("stin", ""),
    )
    return Row(section=shape.section, key=key, amends=found.get("amendType", ""), **_alike(shape, found))


def _alike(shape: _Shape, found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what rows of documents and of bills of entry say alike."""
    answer, declared = Answer.NOT_GIVEN, NIL
    if "itcRedReq" in found:
        answer = Answer.FULL if found["itcRedReq"] else Answer.NONE
    amounts = {head: found[DECLARED[head]] for head in shape.heads if DECLARED[head] in found}
    if amounts:
        answer, declared = Answer.PART, Tax.of(amounts)
    return {
        "action": Action(found.get("action", Action.NONE)),
        "taxable": found["txval"],
        "tax": Tax.of({head: found[key] for head, key in shape.heads.items()}),
        "answer": answer,
        "declared": declared,
        "name": found.get("tradenm", ""),
        "pending_blocked": found.get("ispendactblocked"),
        "reduction_blocked": found.get("isItcRedReqBlocked"),
    }


def _same(row: Row) -> tuple[object, ...]:
    """Return what two rows of one record have in common; letter case of numbers does not count (R10.5)."""
    key = row.key
    if isinstance(key, BillKey):
        return row.section, key.port, key.number, key.day, key.reference_day, key.reference
    return row.section, key.supplier, key.number.upper(), key.day, key.form, key.period


def _flag(value: object) -> bool:
    """Return Y or N as true or false, which the portal's page writes."""
    return value if isinstance(value, bool) else values.one_of("Y", "N")(value) == "Y"


def _supply_type(value: object) -> InvoiceType:
    return SUPPLY_TYPE_OF[values.one_of(*SUPPLY_TYPE_OF)(value)]


def _is_filed(value: object) -> bool | None:
    """Return what `srcfilstatus` says, None for a word nobody has seen yet: it only echoes what we know."""
    return IS_FILED.get(values.text(value).strip().upper())


def _written(plain: object, key: str) -> str:
    """Return a text of a row as a problem may repeat it, "" for anything else."""
    value = plain.get(key) if isinstance(plain, dict) else None
    return shown(value) if isinstance(value, str) else ""
