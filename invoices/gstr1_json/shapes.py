"""The document sections of a GSTR-1 that reach IMS: their keys, and one document read or complained about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ims_portal.rules import gstin
from ims_portal.rules.documents import SECTION_OF, Document, InvoiceType, Item, Problem
from ims_portal.rules.money import LARGEST_PAISE, Tax
from invoices.gstr1_json import values
from invoices.gstr1_json.values import Fault, Reader, WrongValueError
from invoices.json_reading import shown

YES_NO = values.one_of("Y", "N")
ECO_FLAG = values.one_of("N", "E", "D")
FLAG = values.one_of("N", "M", "U", "E", "D")
SUPPLY = values.one_of("INTER", "INTRA")
REFUND_VOUCHER = "R"
FEW_LINES = 20
"""As many lines of the largest amounts still fit into a document."""
ADDED_BY_DOWNLOADS = dict.fromkeys(("chksum", "updby", "cflag", "opd", "d_flag", "p_gst"), values.anything)
GROUP_ADDED_BY_DOWNLOADS = dict.fromkeys(("cfs", "cfs3b"), values.anything)

_OPERATOR = values.registration(check_digit=False, kinds=frozenset({gstin.Kind.OPERATOR}))


def _operator(value: object) -> str:
    return "" if value == "" else str(_OPERATOR(value))


_LINE: dict[str, Reader] = {
    "rt": values.rate,
    "txval": values.paise,
    "iamt": values.paise,
    "camt": values.paise,
    "samt": values.paise,
    "csamt": values.paise,
}


def lines(value: object) -> tuple[Item, ...]:
    """Return the rate lines of a document, or everything wrong with any of them."""
    if not isinstance(value, list):
        raise WrongValueError.of(values.WRONG_TYPE, "is not a list. Give the lines as a list.")
    faults: list[Fault] = []
    found = [_line(index, line, faults) for index, line in enumerate(value, start=1)]
    if faults:
        raise WrongValueError(*faults)
    return tuple(item for item in found if item)


def _line(index: int, line: object, faults: list[Fault]) -> Item | None:
    if not isinstance(line, dict):
        faults.append(Fault(values.WRONG_TYPE, "itms", f"line {index}: an object is needed. Give num and itm_det."))
        return None
    outer, wrong = values.fields(line, _OUTER, _OUTER_KEYS)
    faults += (Fault(code, key, f"line {index}: {said}") for code, key, said in wrong)
    return outer.get("itm_det")


def _detail(value: object) -> Item:
    if not isinstance(value, dict):
        raise WrongValueError.of(values.WRONG_TYPE, "is not an object. Give rt, txval and the taxes.")
    found, faults = values.fields(value, _LINE, _LINE_KEYS)
    if faults:
        raise WrongValueError(*faults)
    return Item(rate=found["rt"], taxable=found["txval"], tax=tax_of(found))


_OUTER: dict[str, Reader] = {"num": values.line_number, "itm_det": _detail}
_LINE_KEYS, _OUTER_KEYS = ("rt", "txval"), ("num", "itm_det")


def tax_of(found: dict[str, Any]) -> Tax:
    """Return the tax of a row with the keys of GSTR-1."""
    return Tax(found.get("iamt", 0), found.get("camt", 0), found.get("samt", 0), found.get("csamt", 0))


_EINVOICE: dict[str, Reader] = {
    "srctyp": values.text,
    "irn": values.pattern(r"[0-9a-fA-F]{64}|", "of 64 hexadecimal digits"),
    "irngendate": values.day,
}
_GOODS = values.one_of("R", "DE", "SEWP", "SEWOP", "CBW")
_COMMON: dict[str, Reader] = {
    "val": values.total_paise,
    "pos": values.pos,
    "rchrg": YES_NO,
    "inv_typ": _GOODS,
    "itms": lines,
    "etin": _operator,
    "flag": FLAG,
    "diff_percent": values.differential,
    **ADDED_BY_DOWNLOADS,
}
_ECO: dict[str, Reader] = {
    "val": values.total_paise,
    "pos": values.pos,
    "sply_ty": SUPPLY,
    "inv_typ": values.one_of("R", "DE", "SEWP", "SEWOP"),
    "flag": ECO_FLAG,
    "itms": lines,
    **ADDED_BY_DOWNLOADS,
}
_INVOICE: dict[str, Reader] = {"inum": values.document_number, "idt": values.day}
_NOTE: dict[str, Reader] = {"nt_num": values.document_number, "nt_dt": values.day, "ntty": values.one_of("C", "D", "R")}
_OF_INVOICE: dict[str, Reader] = {"oinum": values.document_number, "oidt": values.day}
_OF_NOTE: dict[str, Reader] = {"ont_num": values.document_number, "ont_dt": values.day}


@dataclass(frozen=True, slots=True)
class Shape:
    """One document section: the keys of a group and of its documents (formats 2.2). `ims` leads to SECTION_OF."""

    ims: str
    documents: str
    number: str
    dated: str
    recipient: str
    group: tuple[str, ...]
    identity: dict[str, Reader]
    rest: dict[str, Reader]
    required: tuple[str, ...]
    original: tuple[str, ...] = ()

    @property
    def readers(self) -> dict[str, Reader]:
        """Every key a document may have."""
        return {**self.identity, **self.rest}


def _invoices(ims: str, *, is_amendment: bool) -> Shape:
    return Shape(
        ims,
        "inv",
        "inum",
        "idt",
        "ctin",
        ("ctin",),
        _INVOICE,
        {**_COMMON, **(_OF_INVOICE if is_amendment else _EINVOICE)},
        ("inum", "idt", "val", "pos", "rchrg", "inv_typ", "itms"),
        tuple(_OF_INVOICE) if is_amendment else (),
    )


def _notes(ims: str, *, is_amendment: bool) -> Shape:
    return Shape(
        ims,
        "nt",
        "nt_num",
        "nt_dt",
        "ctin",
        ("ctin",),
        _NOTE,
        {**_COMMON, **(_OF_NOTE if is_amendment else _EINVOICE)},
        ("ntty", "nt_num", "nt_dt", "val", "pos", "rchrg", "inv_typ", "itms"),
        tuple(_OF_NOTE) if is_amendment else (),
    )


def _eco(ims: str, *group: str, is_amendment: bool) -> Shape:
    return Shape(
        ims,
        "inv",
        "inum",
        "idt",
        "rtin",
        group,
        _INVOICE,
        {**_ECO, **(_OF_INVOICE if is_amendment else {})},
        ("inum", "idt", "val", "pos", "sply_ty", "inv_typ", "flag", "itms"),
        tuple(_OF_INVOICE) if is_amendment else (),
    )


SHAPES = {
    "b2b": _invoices("b2b", is_amendment=False),
    "b2ba": _invoices("b2ba", is_amendment=True),
    "cdnr": _notes("cdnr", is_amendment=False),
    "cdnra": _notes("cdnra", is_amendment=True),
    "ecom.b2b": _eco("ecom", "stin", "rtin", is_amendment=False),
    "ecom.urp2b": _eco("ecom", "rtin", is_amendment=False),
    "ecoma.b2ba": _eco("ecoma", "stin", "rtin", is_amendment=True),
    "ecoma.urp2ba": _eco("ecoma", "rtin", is_amendment=True),
}
_READERS = {id(shape): shape.readers for shape in SHAPES.values()}


@dataclass(frozen=True, slots=True)
class Group:
    """What stands around the documents of one counterparty: its GSTINs, and what is wrong with them."""

    shape: Shape
    written: dict[str, str]
    read: dict[str, str]
    faults: list[Fault]


def document(raw: object, group: Group, position: str) -> Document | list[Problem] | None:
    """Return one document, or everything wrong with it and its group, or None for an old refund voucher."""
    shape = group.shape
    if not isinstance(raw, dict):
        return complaints(
            [*group.faults, Fault(values.WRONG_TYPE, shape.documents, "An object is needed here.")], {}, group, position
        )
    is_withdrawal = raw.get("flag") == "D"
    if is_withdrawal:
        readers = {**dict.fromkeys(_READERS[id(shape)], values.anything), **shape.identity}
        found, faults = values.fields(raw, readers, tuple(shape.identity))
    else:
        found, faults = values.fields(raw, _READERS[id(shape)], shape.required)
        faults += _missing_original(raw, shape)
        faults += _too_large(found)
    if group.faults or faults:
        return complaints([*group.faults, *faults], raw, group, position)
    if found.get("ntty") == REFUND_VOUCHER:
        return None
    return _withdrawal(found, group, position) if is_withdrawal else _document(found, group, position)


def _missing_original(raw: dict[str, Any], shape: Shape) -> list[Fault]:
    missing = [key for key in shape.original if raw.get(key) is None]
    if not missing:
        return []
    return [
        Fault(
            values.NO_ORIGINAL,
            missing[0],
            f"{' and '.join(missing)} missing: an amendment must say which "
            "document it amends. Add the original's number and date.",
        )
    ]


def _too_large(found: dict[str, Any]) -> list[Fault]:
    items = found.get("itms") or ()
    if len(items) <= FEW_LINES or sum(line.taxable + line.tax.total for line in items) <= LARGEST_PAISE:
        return []
    return [Fault(values.AMOUNT, "itms", "The lines together make more than 13 digits. Correct the amounts.")]


def _section(found: dict[str, Any], group: Group) -> Any:  # noqa: ANN401
    return SECTION_OF[group.shape.ims, found.get("ntty", "")]


def _withdrawal(found: dict[str, Any], group: Group, position: str) -> Document:
    shape = group.shape
    return Document(
        section=_section(found, group),
        recipient=group.read[shape.recipient],
        number=found[shape.number],
        date=found[shape.dated],
        taxable=0,
        tax=Tax(),
        pos="",
        position=position,
        withdraw=True,
        eco_supplier=group.read.get("stin", ""),
    )


def _document(found: dict[str, Any], group: Group, position: str) -> Document:
    shape, items = group.shape, found["itms"]
    number_key, date_key = shape.original or ("", "")
    return Document(
        section=_section(found, group),
        recipient=group.read[shape.recipient],
        number=found[shape.number],
        date=found[shape.dated],
        taxable=sum(line.taxable for line in items),
        tax=total(items),
        pos=found["pos"],
        value=found["val"],
        inv_type=InvoiceType(found["inv_typ"]),
        reverse_charge=found.get("rchrg") == "Y",
        differential=found.get("diff_percent", False),
        items=items,
        original_number=found.get(number_key, ""),
        original_date=found.get(date_key),
        irn=found.get("irn", ""),
        irn_date=found.get("irngendate"),
        position=position,
        eco_supplier=group.read.get("stin", ""),
    )


def total(items: tuple[Item, ...]) -> Tax:
    """Return the tax of all lines."""
    if len(items) == 1:
        return items[0].tax
    return Tax(
        sum(line.tax.igst for line in items),
        sum(line.tax.cgst for line in items),
        sum(line.tax.sgst for line in items),
        sum(line.tax.cess for line in items),
    )


_NAMES = {"inv": "Invoice", "nt": "Note"}


def complaints(faults: list[Fault], raw: dict[str, Any], group: Group, position: str) -> list[Problem]:
    """Return the problems of one document, group first."""
    shape = group.shape
    number, dated = (shown(str(raw.get(key) or "")) for key in (shape.number, shape.dated))
    name = f"{_NAMES[shape.documents]} {number}" if number else f"The document at {position}"
    return [
        Problem(
            code=fault.code,
            message=f"{name}: {fault.said}",
            field=fault.key,
            number=number,
            refusal="ORIGINAL_NOT_FOUND" if fault.code == values.NO_ORIGINAL else "DOCUMENT_INVALID",
            position=position,
            counterparty=group.written.get(shape.recipient, ""),
            dated=dated,
        )
        for fault in faults
    ]
