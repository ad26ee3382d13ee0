"""Read a GSTR-2B in the portal's JSON (formats 5), ours or GSTN's: what it says of each document, and its sums.

A GSTR-2A is read alike, in the words of GSTR-2B; it has no sums, and what it does not say of a document is not said.

Every file of a statement comes to the same: what a document is called, and what is said of it by names of our own, so
that two of them can be laid side by side. Unknown keys are ignored; a row that cannot be read takes no other down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, BinaryIO

from ims_portal.rules.documents import Problem, financial_year
from ims_portal.rules.gstr2b import Placement
from ims_portal.rules.money import HEADS, LARGEST_PAISE, NIL, NotMoneyError, Tax, to_paise
from invoices.gstr1_json import values
from invoices.gstr1_json.values import Fault, WrongValueError
from invoices.json_reading import NOT_READABLE, Held, JsonReader, UnreadableFileError, refuse, shown
from returns import gstr2a_rows
from returns.gstr2b_json import BLOCKS, BUCKETS, ORDER, ROWS_OF, SUPPLIES, Row, group_of, row_of

__all__ = ["Head", "Told", "UnreadableFileError", "of_row", "paise", "read"]

UNKNOWN_FILE = "APP-F03"
Said = dict[str, str | int]
"""What is said of a document by `FIELDS`: amounts in paise, days YYYY-MM-DD, periods MMYYYY, codes as in JSON."""

ALSO = {"itcrej": "itcRejected", "impsup": "imports"}
"""Another spelling of a block or bucket -> the one we write (formats 5.4)."""

BLOCK_NAMES, BUCKET_NAMES = frozenset(BLOCKS.values()), frozenset(BUCKETS)
TAKEN, OUT, BACK = "docdata", "docRejdata", "itcrev"
EARLIER = "gstr2a"
"""The half all documents of a GSTR-2A stand in."""
AVAILABILITY = {"Y": Placement.AVAILABLE.value, "N": Placement.NOT_AVAILABLE.value, "T": "temporary"}
AMOUNTS = {"value": "val", "taxable": "txval", **{one: one for one in HEADS}}
DECLARED = {f"declared_{one}": f"decl{one.title()}" for one in HEADS}
NUMBERS = ("inum", "ntnum", "nt_num", "docnum", "boenum", "benum")
"""Keys of a document's number, of GSTR-2B and GSTR-2A."""
LONGEST_TEXT = 1_000


@dataclass(slots=True)
class Head:
    """Whose statement a file is, of which period MMYYYY, generated when if it says so, and its sums.

    `sums` is block and bucket of `itcsumm` -> its tax, in paise. It is filled while a file is read, and whole once its
    last document was.
    """

    gstin: str = ""
    period: str = ""
    made_on: date | None = None
    sums: dict[tuple[str, str], Tax] = field(default_factory=dict)
    has_documents: bool = False

    def check(self) -> None:
        """Raise UnreadableFileError where what was read is no statement."""
        if not (self.has_documents and self.gstin and self.period):
            refuse(
                UNKNOWN_FILE,
                "This is no GSTR-2B and no GSTR-2A. A file of GSTR-2B says gstin and rtnprd and holds docdata, one of "
                "GSTR-2A says gstin and fp and holds b2b or cdn, a workbook of either has the sheets Read me and B2B. "
                "Download it from the portal and upload that file as it is.",
            )


@dataclass(frozen=True, slots=True)
class Told:
    """A document of a statement: `list` is that of `docdata`, itcrev.b2b of a reversal, impga of an amended bill.

    `record` is the id of our record, None in somebody's file.
    """

    list: str
    ctin: str
    name: str
    number: str
    day: date
    said: Said = field(hash=False)
    record: int | None = None

    @property
    def key(self) -> str:
        """What makes it the same document in two files: numbers come back each financial year, in any case (1.5)."""
        port = str(self.said.get("port", ""))
        return "|".join((self.list, self.ctin, port, self.number.upper(), str(financial_year(self.day))))


def read(stream: BinaryIO, head: Head) -> Iterator[Told | Problem]:
    """Yield every document, or what is wrong with it, in the order of the file; `head` is filled on the way.

    Raises UnreadableFileError, maybe after documents, where the file as a whole must be refused.
    """
    reader, around = JsonReader(stream), dict[str, Any]()
    for half, kind in _lists(reader, around):
        if kind == BACK:
            yield from _reversed(reader, half)
        elif reader.peek() == "[":
            for one in _list(reader, half, kind, f"{half}.{kind}"):
                if half == EARLIER and isinstance(one, Told) and OF_GROUP.keys() & one.said.keys():
                    around[EARLIER] = True  # a GSTR-1, which has lists of the same names, says neither of its groups
                yield one
        else:
            reader.skip()
    head.has_documents = any(around.get(half) for half in (TAKEN, OUT, EARLIER))
    head.gstin, head.period = _name(around.get("gstin")), _name(around.get("rtnprd")) or _name(around.get("fp"))
    head.made_on = _day_or_none(around.get("gendt"))
    head.sums = _sums(around.get("itcsumm"))
    head.check()


def _name(value: object) -> str:
    return value if isinstance(value, str) else ""


def of_row(row: Row) -> Told:
    """Return one of our own documents as a file of it would be read."""
    half = OUT if row.placement is Placement.REJECTED else TAKEN
    kind = f"{BACK}.{row.list}" if row.placement is Placement.REVERSAL else row.list
    # A writer's numbers are read as they are written.
    written = {key: Decimal(repr(one)) if isinstance(one, float) else one for key, one in row_of(row).items()}
    found = document(kind, half, group_of(row), written)
    return Told(found.list, found.ctin, found.name, found.number, found.day, found.said, row.record)


def _lists(reader: JsonReader, around: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield half and key of every list of documents; the caller consumes each. What stands beside goes to `around`."""
    if reader.peek() == "{":
        yield from _inside(reader, around, at_root=True)
    else:
        reader.skip()
    reader.end()


def _inside(reader: JsonReader, around: dict[str, Any], *, at_root: bool) -> Iterator[tuple[str, str]]:
    for key in reader.keys_of_object():
        if key == "data" and at_root and reader.peek() == "{":
            yield from _inside(reader, around, at_root=False)
        elif key in (TAKEN, OUT) and reader.peek() == "{":
            around[key] = True
            for kind in reader.keys_of_object():
                if kind in ORDER or kind == BACK:
                    yield key, kind
                else:
                    reader.skip()
        elif key in gstr2a_rows.LISTS:
            around[EARLIER] = key in gstr2a_rows.ONLY_HERE or around.get(EARLIER, False)
            yield EARLIER, gstr2a_rows.LISTS[key]
        elif key in ("gstin", "rtnprd", "fp", "gendt", "itcsumm"):
            around[key] = reader.value()
        else:
            reader.skip()


def _reversed(reader: JsonReader, half: str) -> Iterator[Told | Problem]:
    """Yield the documents of Rule 37A: a list of objects whose members are lists like those beside it."""
    if reader.peek() != "[":
        reader.skip()
        return
    for place in reader.elements():
        if reader.peek() != "{":
            reader.skip()
            continue
        for kind in reader.keys_of_object():
            if kind in SUPPLIES and reader.peek() == "[":
                yield from _list(reader, half, f"{BACK}.{kind}", f"{half}.{BACK}[{place}].{kind}")
            else:
                reader.skip()


def _list(reader: JsonReader, half: str, kind: str, where: str) -> Iterator[Told | Problem]:
    """Yield the documents of a list of groups; bills of entry from overseas stand in no group."""
    rows_key = ROWS_OF.get(kind.rpartition(".")[2], "inv")
    for place in reader.elements():
        position = f"{where}[{place}]"
        if reader.peek() != "{":
            reader.skip()
            yield Problem(NOT_READABLE, "This is not an object. It was left out.", position=position)
        elif kind in (gstr2a_rows.PLAIN if half == EARLIER else ("impg",)):
            yield _one(kind, half, {}, reader.value(), position)
        else:
            yield from _group(reader, kind, half, rows_key, position)


def _group(reader: JsonReader, kind: str, half: str, rows_key: str, position: str) -> Iterator[Told | Problem]:
    """Yield the documents of one supplier; what is said of all of them may stand behind them."""
    group, rows = dict[str, Any](), Held()
    try:
        for key in reader.keys_of_object():
            if key == rows_key and reader.peek() == "[":
                for _place in reader.elements():
                    rows.take(reader)
            else:
                group[key] = reader.value()
        for place, raw in enumerate(rows):
            yield _one(kind, half, group, raw, f"{position}.{rows_key}[{place}]")
    finally:
        rows.close()


def _one(kind: str, half: str, group: Mapping[str, Any], raw: object, position: str) -> Told | Problem:
    """Return one document, or the first thing wrong with it."""
    if not isinstance(raw, dict):
        return Problem(NOT_READABLE, "This is not an object. It was left out.", position=position)
    try:
        return document(kind, half, group, raw)
    except WrongValueError as wrong:
        fault: Fault = wrong.faults[0]
        number = next(
            (
                raw[key]
                for key in ("inum", "ntnum", "nt_num", "docnum", "boenum", "benum")
                if isinstance(raw.get(key), str)
            ),
            "",
        )
        message = f"{fault.said} The document was left out of the comparison."
        return Problem(fault.code, message, position=position, number=shown(number), field=fault.key)


# What a row says, by the list it stands in

Reader = Callable[[Any], str | int]


def document(kind: str, half: str, group: Mapping[str, Any], raw: Mapping[str, Any]) -> Told:
    """Return what a row of a list of `docdata` or `docRejdata`, or of GSTR-2A, says. Raises WrongValueError."""
    bare, is_earlier = kind.rpartition(".")[2], half == EARLIER
    if is_earlier:
        group, raw = gstr2a_rows.translated(bare, group, raw)
    number_key, day_key, texts = LAYOUTS[bare]
    said: Said = {name: _read(raw, key, read) for name, (key, read) in texts.items() if key in raw or not is_earlier}
    if bare not in IMPORTS:
        around = OF_GROUP.items()
        said |= {name: _read(group, key, read) for name, (key, read) in around if key in group or not is_earlier}
    said |= _amounts(raw, bare) | ({} if is_earlier else _answered(raw, bare))
    if half == OUT:
        said["placement"] = Placement.REJECTED.value
        said.pop("reason", None)
    elif kind.startswith(BACK):
        said["placement"] = Placement.REVERSAL.value
    return Told(
        list=f"{kind}a" if said.pop("amended", "N") == "Y" else kind,
        ctin=_text(group.get("ctin")),
        name=_text(group.get("trdnm")),
        number=_needed(raw, number_key, _text),
        day=date.fromisoformat(_needed(raw, day_key, _day)),
        said=said,
    )


def _read(raw: Mapping[str, Any], key: str, read: Reader) -> str | int:
    """Return what a key says; absent, null and empty are alike."""
    try:
        return read(raw.get(key))
    except WrongValueError as wrong:
        raise WrongValueError(*(Fault(fault.code, key, fault.said) for fault in wrong.faults)) from None


def _needed(raw: Mapping[str, Any], key: str, read: Callable[[Any], str]) -> str:
    found = str(_read(raw, key, read))
    if not found:
        raise WrongValueError(Fault(values.MISSING, key, f"{key} is missing."))
    return found


def _text(value: object) -> str:
    """Return a text without blanks around it; a long one is none of a statement's."""
    if value is None:
        return ""
    found = values.text(value).strip()
    if len(found) > LONGEST_TEXT:
        raise WrongValueError.of(values.WRONG_FORMAT, f'"{shown(found)}" is too long.')
    return found


def _day(value: object) -> str:
    return values.day(value).isoformat() if value else ""


def _availability(value: object) -> str:
    return AVAILABILITY.get(_text(value), _text(value))


def _percent(value: object) -> str:
    """Return 65 or 100: a number, absent where the whole rate applies."""
    return "65" if isinstance(value, Decimal) and value < Decimal(1) else "100"


def _amends(value: object) -> str:
    """Return A of an amendment, G of an addition, which older files call D (formats 9.1)."""
    return {"D": "G"}.get(_text(value), _text(value))


def _flag(value: object) -> str:
    return _text(value) or "N"


def paise(value: object) -> int:
    """Return a number of rupees as paise. Raises WrongValueError for text, three decimals, and what no column holds."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise WrongValueError.of(values.WRONG_TYPE, f"{values.written(value)} is no number. Write it without quotes.")
    with suppress(NotMoneyError):
        found = to_paise(value)
        if abs(found) <= LARGEST_PAISE:
            return found
    raise WrongValueError.of(values.AMOUNT, f"{value} is no amount of rupees with at most two decimals.")


def _amounts(raw: Mapping[str, Any], bare: str) -> Said:
    """Return the amounts a row says; older rows say them rate by rate, some of GSTN's not at all (formats 5.1, 5.2)."""
    names = {name: key for name, key in AMOUNTS.items() if key not in WITHOUT.get(bare, ())}
    items = raw.get("items")
    lines = [line for line in items if isinstance(line, dict)] if isinstance(items, list) else []
    said: Said = {}
    for name, key in names.items():
        told = [line for line in (raw, *lines) if line.get(key) is not None]
        # The row's own amount is the sum of its rates.
        if told:
            said[name] = sum(int(_read(line, key, paise)) for line in (told[:1] if told[0] is raw else told))
    return said


def _answered(raw: Mapping[str, Any], bare: str) -> Said:
    """Return whether ITC is reduced and by how much: without amounts it is the whole tax (formats 3.3)."""
    if bare not in ANSWERABLE:
        return {}
    answer = _text(raw.get("itcRedReq"))
    said: Said = {"answer": answer}
    for name, key in DECLARED.items():
        whole = raw.get(name.removeprefix("declared_"))
        of = raw.get(key) if any(raw.get(other) is not None for other in DECLARED.values()) else whole
        said[name] = _read({key: of}, key, paise) if answer == "Y" and of is not None else 0
    return said


def _day_or_none(value: object) -> date | None:
    try:
        return values.day(value)
    except WrongValueError:
        return None


def _sums(said: object) -> dict[tuple[str, str], Tax]:
    """Return the sums of `itcsumm`; what is no sum is passed over, for the documents are what counts."""
    found = dict[tuple[str, str], Tax]()
    for block, buckets in said.items() if isinstance(said, dict) else ():
        for bucket, told in buckets.items() if isinstance(buckets, dict) else ():
            place = str(ALSO.get(block, block)), str(ALSO.get(bucket, bucket))
            if place[0] in BLOCK_NAMES and place[1] in BUCKET_NAMES and isinstance(told, dict):
                found[place] = found.get(place, NIL) + _tax(told)
    return found


def _tax(told: Mapping[str, Any]) -> Tax:
    try:
        return Tax(*(paise(told.get(one, 0)) for one in HEADS))
    except WrongValueError:
        return NIL


Texts = dict[str, tuple[str, Reader]]
IMPORTS = ("impg", "impgsez")
AMENDED_IMPORTS = ("impga", "impgseza")
WITHOUT = {"isd": ("val", "txval"), "isda": ("val", "txval")} | dict.fromkeys(IMPORTS, ("val", "cgst", "sgst"))
"""List -> amounts its rows have not."""
ANSWERABLE = ("b2ba", "cdnr", "cdnra", "ecoma", *IMPORTS)
"""Lists whose rows may answer the question whether ITC is reduced."""

OF_GROUP: Texts = {"period": ("supprd", _text), "filed": ("supfildt", _day)}
_COMMON: Texts = {
    "day": ("dt", _day),
    "pos": ("pos", _text),
    "reverse": ("rev", _flag),
    "placement": ("itcavl", _availability),
    "reason": ("rsn", _text),
    "remark": ("remarks", _text),
}
_E_INVOICE: Texts = {"irn": ("irn", _text), "irn_day": ("irngendate", _day)}
_RATE: Texts = {"percent": ("diffprcnt", _percent)}
_INVOICE: Texts = {"type": ("typ", _text), **_COMMON}
_WAS: Texts = {"was_number": ("oinum", _text), "was_day": ("oidt", _day)}
_NOTE: Texts = {"kind": ("typ", _text), "type": ("suptyp", _text), **_COMMON, **_RATE}
_NOTE_WAS: Texts = {"was_kind": ("onttyp", _text), "was_number": ("ontnum", _text), "was_day": ("ontdt", _day)}
_ISD: Texts = {
    "kind": ("doctyp", _text),
    "day": ("docdt", _day),
    "corrected_number": ("oinvnum", _text),
    "corrected_day": ("oinvdt", _day),
    "eligible": ("itcelg", _text),
}
_ISD_WAS: Texts = {"was_kind": ("odoctyp", _text), "was_number": ("odocnum", _text), "was_day": ("odocdt", _day)}
_BILL: Texts = {
    "day": ("boedt", _day),
    "port": ("portcode", _text),
    "referred": ("refdt", _day),
    "received": ("recdt", _day),
    "amended": ("isamd", _text),
    "amends": ("amendType", _amends),
}
LAYOUTS: dict[str, tuple[str, str, Texts]] = {
    "b2b": ("inum", "dt", {**_INVOICE, **_RATE, **_E_INVOICE}),
    "b2ba": ("inum", "dt", {**_INVOICE, **_RATE, **_WAS}),
    "cdnr": ("ntnum", "dt", {**_NOTE, **_E_INVOICE}),
    "cdnra": ("ntnum", "dt", {**_NOTE, **_NOTE_WAS}),
    "ecom": ("inum", "dt", _INVOICE),
    "ecoma": ("inum", "dt", {**_INVOICE, **_WAS}),
    "isd": ("docnum", "docdt", _ISD),
    "isda": ("docnum", "docdt", {**_ISD, **_ISD_WAS}),
    "impg": ("boenum", "boedt", _BILL),
    "impgsez": ("boenum", "boedt", _BILL),
}
"""List -> the keys of number and day, and name of ours -> key and reader of everything else that is text."""


def names(kind: str) -> frozenset[str]:
    """Return everything that may be said of a document of a list, by names of ours."""
    bare = kind.rpartition(".")[2].removesuffix("a") if kind.endswith(AMENDED_IMPORTS) else kind.rpartition(".")[2]
    amounts = {name for name, key in AMOUNTS.items() if key not in WITHOUT.get(bare, ())}
    answers = {"answer", *DECLARED} if bare in ANSWERABLE else set[str]()
    return frozenset(LAYOUTS[bare][2]) | OF_GROUP.keys() | amounts | answers
