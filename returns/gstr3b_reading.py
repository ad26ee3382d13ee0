"""Read a GSTR-3B in the portal's JSON (formats 6.1): a draft as we write it, or a filed return read back.

A cell that is absent, null or an empty list says nothing. A row with an amount that is none is wrong by itself and
takes no other down; a file whose shape cannot be trusted is refused whole. Unknown keys are ignored (formats 1.6).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from ims_portal.rules.money import LARGEST_PAISE
from invoices.feeds_json import fields
from invoices.gstr1_json import values
from invoices.gstr1_json.values import Fault, Reader
from invoices.json_reading import KEY_TWICE, NOT_READABLE, JsonReader, UnreadableFileError, refuse
from returns.gstr3b_json import CREDIT, KEYS, OUTWARD

__all__ = ["Read", "UnreadableFileError", "read"]

UNKNOWN_FILE, TOO_LARGE, TWICE = "APP-F03", "APP-F04", "APP-F06"

LARGEST_FILE = 1_000_000
"""Bytes of a file that may still be a GSTR-3B; a filed one read back has some thousands."""

TAXABLE = "taxable"
NET, PLACES, INTEREST, LATE_FEE = "t4C", "t3_2", "t5_1", "late_fee"
"""Names of what stands outside the rows with keys of their own."""
EXEMPT, NON_GST = "t5_exempt", "t5_non_gst"
INWARD = {"GST": EXEMPT, "NONGST": NON_GST}
"""Type of a line of Table 5 -> our name of it."""
CLASSES = {"unreg_details": "unregistered", "comp_details": "composition", "uin_details": "uin"}
"""List of Table 3.2 -> our name of the class of recipients."""

PARTS = (*OUTWARD, "inter_sup", "itc_elg", "inward_sup", "intr_ltfee")
AROUND = ("gstin", "ret_period")

Amounts = Mapping[str, str]
"""Key of the file -> our name of the amount."""
HEAD_OF: Amounts = {key: head for head, key in KEYS.items()}
PLACE_AMOUNTS: Amounts = {"txval": TAXABLE, "iamt": "igst"}


@dataclass(frozen=True, slots=True)
class Read:
    """What a file says, in paise and signed as printed: row -> amount -> value, of the cells it holds.

    Rows are those of `rules.ROWS` less 3.2, and the names above; an amount is `taxable` or a head, in Table 5
    `inter` and `intra`. `places`: of 3.2, class -> place of supply -> [taxable value, IGST], for classes told of.
    `faults`: row -> what is wrong with it; such a row has no cells.
    """

    gstin: str
    period: str
    cells: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    places: Mapping[str, Mapping[str, list[int]]] = field(default_factory=dict)
    faults: Mapping[str, list[str]] = field(default_factory=dict)


def read(content: bytes) -> Read:
    """Return what a file of a GSTR-3B says. Whose it must be is for the caller to check.

    Raises UnreadableFileError where it is refused whole: no JSON, no GSTR-3B, or a list or line that is none.
    """
    if len(content) > LARGEST_FILE:
        refuse(TOO_LARGE, f"The file has more than {LARGEST_FILE} bytes, and no GSTR-3B does. Choose another file.")
    root = _root(content)
    missing = [key for key in AROUND if _is_absent(root.get(key))]
    if missing or all(_is_absent(root.get(part)) for part in PARTS):
        said = f": {' and '.join(missing)} missing" if missing else ""
        refuse(UNKNOWN_FILE, f"This is no GSTR-3B of the portal{said}. Choose another file.")
    found = _Found()
    for part, rows in OUTWARD.items():
        inside = _object(root, part)
        for key, (row, heads) in rows.items():
            found.take(
                row, f"{part}.{key}", inside.get(key), {"txval": TAXABLE, **{KEYS[head]: head for head in heads}}
            )
    _inter_state(found, _object(root, "inter_sup"))
    _credit(found, _object(root, "itc_elg"))
    lines = _typed(_object(root, "inward_sup"), "inward_sup", "isup_details", INWARD)
    for kind, where, line in lines:
        found.take(INWARD[kind], where, line, {"inter": "inter", "intra": "intra"})
    beside = _object(root, "intr_ltfee")
    found.take(INTEREST, "intr_ltfee.intr_details", beside.get("intr_details"), HEAD_OF)
    found.take(LATE_FEE, "intr_ltfee.ltfee_details", beside.get("ltfee_details"), HEAD_OF)
    gstin, period = (_around(root, key) for key in AROUND)
    return Read(gstin.upper(), period, found.cells, found.places, found.faults)


@dataclass(slots=True)
class _Found:
    """What was read so far."""

    cells: dict[str, Mapping[str, int]] = field(default_factory=dict)
    places: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    faults: dict[str, list[str]] = field(default_factory=dict)

    def take(self, row: str, where: str, raw: object, amounts: Amounts) -> None:
        """Take the amounts of a row in, or what is wrong with them."""
        if _is_absent(raw):
            return
        told, faults = fields.fields(raw, dict.fromkeys(amounts, values.signed_paise), ())
        if faults:
            self.wrong(row, where, faults)
        elif told:
            self.cells[row] = {amounts[key]: paise for key, paise in told.items()}

    def wrong(self, row: str, where: str, faults: list[Fault]) -> None:
        """Keep what is wrong with a row, each with its place in the file."""
        self.faults.setdefault(row, []).extend(f"{where}: {fault.said}" for fault in faults)


def _root(content: bytes) -> dict[str, Any]:
    """Return the object that holds the return: the root, or the `data` inside it, which answers of the API wrap."""
    reader = JsonReader(BytesIO(content))
    if reader.peek() not in ("{", ""):
        refuse(NOT_READABLE, "The file is not one JSON object. Upload the file as your program made it.")
    root: dict[str, Any] = reader.value()
    reader.end()
    inner = root.get("data")
    if not isinstance(inner, dict):
        return root
    for key in (*AROUND, *PARTS):
        if key in root and key in inner and root[key] != inner[key]:
            refuse(KEY_TWICE, f"The file says {key} twice, and not the same. Export the file again.", field=key)
    return root | inner


def _is_absent(value: object) -> bool:
    """Whether a value says nothing (formats 1.1)."""
    return value is None or value == []


def _around(root: Mapping[str, Any], key: str) -> str:
    try:
        return values.text(root[key])
    except values.WrongValueError as wrong:
        refuse(wrong.faults[0].code, f"The {key} of the file, {wrong.faults[0].said}", field=key)


def _object(around: Mapping[str, Any], key: str) -> dict[str, Any]:
    found = around.get(key)
    if _is_absent(found):
        return {}
    if not isinstance(found, dict):
        refuse(values.WRONG_TYPE, f"{key} is not an object. Export the file again.", field=key)
    return found


def _lines(around: Mapping[str, Any], way: str, key: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the lines of a list, each with its place in the file."""
    found = around.get(key)
    if _is_absent(found):
        return
    if not isinstance(found, list):
        refuse(values.WRONG_TYPE, f"{key} is not a list. Export the file again.", field=key)
    for number, line in enumerate(found):
        where = f"{way}.{key}[{number}]"
        if not isinstance(line, dict):
            refuse(values.WRONG_TYPE, f"{where}: This is not an object. Write it in braces.", field=key)
        yield where, line


def _typed(
    around: Mapping[str, Any], way: str, key: str, types: Mapping[str, str]
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield the lines of a list whose `ty` says what they are, each type once."""
    seen: set[str] = set()
    which: Reader = values.one_of(*types)
    for where, line in _lines(around, way, key):
        told, faults = fields.fields(line, {"ty": which}, ("ty",))
        if not faults and told["ty"] in seen:
            faults = [Fault(TWICE, "ty", f"{told['ty']} stands in this list before. Put both into one line.")]
        if faults:
            refuse(faults[0].code, f"{where}: {faults[0].said}", field="ty")
        seen.add(told["ty"])
        yield told["ty"], where, line


def _credit(found: _Found, inside: Mapping[str, Any]) -> None:
    for key, rows in CREDIT.items():
        for kind, where, line in _typed(inside, "itc_elg", key, rows):
            found.take(rows[kind], where, line, HEAD_OF)
    found.take(NET, "itc_elg.itc_net", inside.get("itc_net"), HEAD_OF)


def _inter_state(found: _Found, inside: Mapping[str, Any]) -> None:
    """Read the places of 3.2; one wrong place is wrong with the whole row, whose total it belongs to."""
    readers = {"pos": values.pos, **dict.fromkeys(PLACE_AMOUNTS, values.signed_paise)}
    for key, name in CLASSES.items():
        for where, line in _lines(inside, "inter_sup", key):
            told, faults = fields.fields(line, readers, ("pos",))
            places = found.places.setdefault(name, {})
            if not faults and told["pos"] in places:
                faults = [Fault(TWICE, "pos", f"{told['pos']} stands in this list before. Put both into one line.")]
            if faults:
                found.wrong(PLACES, where, faults)
            else:
                places[told["pos"]] = [told.get(amount, 0) for amount in PLACE_AMOUNTS]
    for total in map(sum, zip(*(amounts for each in found.places.values() for amounts in each.values()), strict=True)):
        if abs(total) > LARGEST_PAISE:
            found.wrong(PLACES, "inter_sup", [Fault(values.AMOUNT, "", "The sum of its places is too large.")])
