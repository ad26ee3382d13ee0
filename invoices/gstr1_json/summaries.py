"""The summary sections of a GSTR-1 that the supplier's own GSTR-3B Table 3 is made of (R8.1, formats 2.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, NamedTuple

from ims_portal.rules import gstin
from ims_portal.rules.documents import Problem
from ims_portal.rules.money import Tax
from ims_portal.rules.table3 import Detail
from invoices.gstr1_json import shapes, values
from invoices.gstr1_json.values import Fault, Reader, WrongValueError
from invoices.json_reading import JsonReader, shown


@dataclass(frozen=True, slots=True)
class SummaryLine:
    """What one detail of a section adds up to, in paise.

    The details of b2cl, exp and cdnur name each document, those of consumer supplies and operators the party where
    there is one: an amendment counts by its change, so its original must be found again.
    """

    detail: Detail
    taxable: int
    tax: Tax


@dataclass(frozen=True, slots=True)
class Summary:
    """The totals of one section; credit notes of cdnur count negative, and rows with a fault or flag D not at all.

    Amended sections give the new values: the difference needs the earlier return.
    """

    section: str
    taxable: int
    tax: Tax
    details: tuple[SummaryLine, ...]
    rows: int


class Amount(NamedTuple):
    """One row's contribution: its detail, taxable value and tax by head."""

    detail: Detail
    taxable: int
    tax: Tax


Amounts = Callable[[dict[str, Any]], list[Amount]]


@dataclass(frozen=True, slots=True)
class RowShape:
    """The keys of one kind of row, and what a good one adds. `group`: the key of an object around a list, `rows`."""

    readers: dict[str, Reader]
    required: tuple[str, ...]
    amounts: Amounts
    group: str = ""
    rows: str = "inv"


_SIGNED: dict[str, Reader] = dict.fromkeys(("iamt", "camt", "samt", "csamt"), values.signed_paise)
_EXPORT_TAX: dict[str, Reader] = dict.fromkeys(("iamt", "csamt"), values.paise)
_CONSUMER_POS = values.one_of(*sorted(gstin.POS_CODES - {"96"}))
_FREE: dict[str, Reader] = {"flag": shapes.FLAG, **shapes.ADDED_BY_DOWNLOADS}
_MONTH = values.pattern(r"(0[1-9]|1[0-2])20[0-9]{2}", "MMYYYY")
_NOTE_SIGN = {"C": -1, "D": 1, "R": 0}


def _flat_lines(amount_key: str, amount: Reader, taxes: dict[str, Reader]) -> Reader:
    """Return a reader of lines without `itm_det` that gives their taxable total and tax."""
    readers = {"rt": values.rate, amount_key: amount, **taxes}

    def read(value: object) -> tuple[int, Tax]:
        if not isinstance(value, list):
            raise WrongValueError.of(values.WRONG_TYPE, "is not a list. Give the lines as a list.")
        taxable, tax, faults = 0, Tax(), []
        for index, line in enumerate(value, start=1):
            found, wrong = values.fields(line if isinstance(line, dict) else {}, readers, ("rt", amount_key))
            faults += [Fault(code, key, f"line {index}: {said}") for code, key, said in wrong]
            if not wrong:
                taxable, tax = taxable + found[amount_key], tax + shapes.tax_of(found)
        if faults:
            raise WrongValueError(*faults)
        return taxable, tax

    return read


def _document_lines(value: object) -> tuple[int, Tax]:
    lines = shapes.lines(value)
    return sum(line.taxable for line in lines), shapes.total(lines)


def _of_lines(row: dict[str, Any]) -> list[Amount]:
    """Return what a document, an advance or amended consumer supplies add."""
    taxable, tax = row["itms"]
    sign = _NOTE_SIGN[row.get("ntty", "D")]
    detail = Detail(
        supply=row.get("sply_ty", "INTER"),
        pos=row.get("pos", ""),
        kind=row["typ"] if "nt_num" in row else "",
        month=row.get("omon", ""),
        number=_document(row, "inum", "idt") or _document(row, "nt_num", "nt_dt") or _operator(row),
        original=_document(row, "oinum", "oidt")
        or _document(row, "ont_num", "ont_dt")
        or (_operator(row) if "omon" in row else ""),
    )
    return [Amount(detail, sign * taxable, tax if sign > 0 else Tax(*(sign * head for head in tax)))]


def _document(row: dict[str, Any], number: str, day: str) -> str:
    """Return a document as it is found again: numbers are compared without regard to case (R10.5)."""
    dated: date | None = row.get(day)
    return f"{row[number].upper()} {dated:%d-%m-%Y}" if dated else ""


def _operator(row: dict[str, Any]) -> str:
    """Return the operator that consumer supplies were made through, if one is named."""
    return row.get("etin") or ""


def _of_row(row: dict[str, Any]) -> list[Amount]:
    party = row.get("stin") or _operator(row)
    return [
        Amount(Detail(supply=row["sply_ty"], pos=row["pos"], number=party), row["txval"], shapes.tax_of(row)),
    ]


def _of_nil(row: dict[str, Any]) -> list[Amount]:
    return [
        Amount(Detail(supply=row["sply_ty"], kind=kind), row[key], Tax())
        for kind, key in (("nil", "nil_amt"), ("exempt", "expt_amt"), ("non_gst", "ngsup_amt"))
        if row[key]
    ]


def _of_operator(kind: str) -> Amounts:
    def read(row: dict[str, Any]) -> list[Amount]:
        detail = Detail(kind=kind, month=row.get("omon", ""), number=row["etin"], original=row.get("oetin", ""))
        return [Amount(detail, row["suppval"], Tax(row["igst"], row["cgst"], row["sgst"], row.get("cess", 0)))]

    return read


def _of_amended_eco(row: dict[str, Any]) -> list[Amount]:
    taxable, tax = row.get("itms") or (0, Tax())
    detail = Detail(
        supply=row["sply_ty"],
        pos=row.get("pos", ""),
        month=row["omon"],
        number=row.get("stin", ""),
        original=row.get("ostin", ""),
    )
    return [Amount(detail, taxable, tax)]


_INVOICE: dict[str, Reader] = {"inum": values.document_number, "idt": values.day, "val": values.total_paise}
_OF_INVOICE: dict[str, Reader] = {"oinum": values.document_number, "oidt": values.day}
_EINVOICE: dict[str, Reader] = {"srctyp": values.text, "irn": values.text, "irngendate": values.text}
_PARTY = values.pattern("[0-9A-Z]{15}|", "29AAKCT0000P1Z6")
_ETIN: dict[str, Reader] = {"etin": _PARTY}
_DIFFERENTIAL: dict[str, Reader] = {"diff_percent": values.differential}
_NOTE: dict[str, Reader] = {
    "typ": values.one_of("B2CL", "EXPWP", "EXPWOP"),
    "ntty": values.one_of("C", "D", "R"),
    "nt_num": values.document_number,
    "nt_dt": values.day,
    "val": values.total_paise,
    "pos": _CONSUMER_POS,
    "itms": _document_lines,
    **_DIFFERENTIAL,
    **_FREE,
}
_OF_NOTE: dict[str, Reader] = {"ont_num": values.document_number, "ont_dt": values.day}
_LARGE: dict[str, Reader] = {**_INVOICE, "itms": _document_lines, **_ETIN, **_DIFFERENTIAL, **_FREE}
_EXPORT: dict[str, Reader] = {
    **_INVOICE,
    "itms": _flat_lines("txval", values.paise, _EXPORT_TAX),
    "sbnum": values.pattern("[0-9]{3,7}|", "1234567"),
    "sbdt": values.day,
    "sbpcode": values.text,
    **_DIFFERENTIAL,
    **_FREE,
}
_CONSUMER: dict[str, Reader] = {"sply_ty": shapes.SUPPLY, "pos": _CONSUMER_POS}
_ADVANCE: dict[str, Reader] = {
    **_CONSUMER,
    "itms": _flat_lines("ad_amt", values.signed_paise, _SIGNED),
    **_DIFFERENTIAL,
    **_FREE,
}
_ECO_CONSUMER: dict[str, Reader] = {
    **_CONSUMER,
    "rt": values.rate,
    "txval": values.signed_paise,
    **_SIGNED,
    "flag": shapes.ECO_FLAG,
}
_OPERATOR: dict[str, Reader] = {
    "etin": _PARTY,
    **dict.fromkeys(("suppval", "igst", "cgst", "sgst", "cess"), values.signed_paise),
    **_FREE,
}
_OF_OPERATOR: dict[str, Reader] = {"oetin": _PARTY, "omon": _MONTH}
_AMENDED_ADVANCE: dict[str, Reader] = {**_ADVANCE, "omon": _MONTH}
_AMENDED_ECO: dict[str, Reader] = {
    "omon": _MONTH,
    "sply_ty": shapes.SUPPLY,
    "itms": _flat_lines("txval", values.signed_paise, _SIGNED),
    "flag": shapes.ECO_FLAG,
}
_OPERATOR_KEYS = ("etin", "suppval", "igst", "cgst", "sgst")
_LARGE_KEYS = ("inum", "idt", "val", "itms")
_NOTE_KEYS = ("typ", "ntty", "nt_num", "nt_dt", "val", "itms")

ROWS = {
    "b2cs": RowShape(
        {
            "typ": values.one_of("E", "OE"),
            **_CONSUMER,
            "rt": values.rate,
            "txval": values.signed_paise,
            **_SIGNED,
            **_ETIN,
            **_DIFFERENTIAL,
            **_FREE,
        },
        ("typ", "sply_ty", "pos", "rt", "txval"),
        _of_row,
    ),
    "b2csa": RowShape(
        {
            "typ": values.one_of("E", "OE"),
            **_CONSUMER,
            "omon": _MONTH,
            "itms": _flat_lines("txval", values.signed_paise, _SIGNED),
            **_ETIN,
            **_DIFFERENTIAL,
            **_FREE,
        },
        ("typ", "sply_ty", "pos", "omon", "itms"),
        _of_lines,
    ),
    "b2cl": RowShape(_LARGE, _LARGE_KEYS, _of_lines, group="pos"),
    "b2cla": RowShape({**_LARGE, **_OF_INVOICE}, (*_LARGE_KEYS, "oinum", "oidt"), _of_lines, group="pos"),
    "exp": RowShape({**_EXPORT, **_EINVOICE}, _LARGE_KEYS, _of_lines, group="exp_typ"),
    "expa": RowShape({**_EXPORT, **_OF_INVOICE}, (*_LARGE_KEYS, "oinum", "oidt"), _of_lines, group="exp_typ"),
    "cdnur": RowShape({**_NOTE, **_EINVOICE}, _NOTE_KEYS, _of_lines),
    "cdnura": RowShape({**_NOTE, **_OF_NOTE}, (*_NOTE_KEYS, "ont_num", "ont_dt"), _of_lines),
    "nil": RowShape(
        {
            "sply_ty": values.one_of("INTRB2B", "INTRB2C", "INTRAB2B", "INTRAB2C"),
            **dict.fromkeys(("nil_amt", "expt_amt", "ngsup_amt"), values.signed_paise),
            **_FREE,
        },
        ("sply_ty", "nil_amt", "expt_amt", "ngsup_amt"),
        _of_nil,
    ),
    "at": RowShape(_ADVANCE, ("pos", "sply_ty", "itms"), _of_lines),
    "txpd": RowShape(_ADVANCE, ("pos", "sply_ty", "itms"), _of_lines),
    "ata": RowShape(_AMENDED_ADVANCE, ("pos", "sply_ty", "omon", "itms"), _of_lines),
    "txpda": RowShape(_AMENDED_ADVANCE, ("pos", "sply_ty", "omon", "itms"), _of_lines),
    "ecom.b2c": RowShape({**_ECO_CONSUMER, "stin": _PARTY}, ("stin", "rt", "pos", "txval", "sply_ty", "flag"), _of_row),
    "ecom.urp2c": RowShape(_ECO_CONSUMER, ("rt", "pos", "txval", "sply_ty", "flag"), _of_row),
    "supeco.clttx": RowShape(_OPERATOR, _OPERATOR_KEYS, _of_operator("clttx")),
    "supeco.paytx": RowShape(_OPERATOR, _OPERATOR_KEYS, _of_operator("paytx")),
    "supecoa.clttxa": RowShape({**_OPERATOR, **_OF_OPERATOR}, (*_OPERATOR_KEYS, *_OF_OPERATOR), _of_operator("clttx")),
    "supecoa.paytxa": RowShape({**_OPERATOR, **_OF_OPERATOR}, (*_OPERATOR_KEYS, *_OF_OPERATOR), _of_operator("paytx")),
    "ecoma.b2ca": RowShape(
        {**_AMENDED_ECO, "stin": _PARTY, "ostin": _PARTY},
        ("stin", "ostin", "omon", "sply_ty", "flag"),
        _of_amended_eco,
        group="pos",
        rows="posItms",
    ),
    "ecoma.urp2ca": RowShape(
        {**_AMENDED_ECO, "pos": _CONSUMER_POS}, ("pos", "omon", "sply_ty", "flag"), _of_amended_eco
    ),
}
_GROUP_READERS = {"pos": _CONSUMER_POS, "exp_typ": values.one_of("WPAY", "WOPAY")}


class Totals:
    """Adds up the rows of one section while they pass by."""

    def __init__(self, section: str) -> None:
        self.section = section
        self.rows = 0
        self._lines: dict[Detail, list[int]] = {}

    def add(self, amounts: list[Amount], *, rows: int = 1) -> None:
        """Add what some rows contribute."""
        self.rows += rows
        for amount in amounts:
            line = self._lines.setdefault(amount.detail, [0] * 5)
            for index, paise in enumerate((amount.taxable, *amount.tax)):
                line[index] += paise

    def summary(self) -> Summary:
        """Return what has been added so far."""
        details = tuple(SummaryLine(detail, taxable, Tax(*tax)) for detail, (taxable, *tax) in self._lines.items())
        return Summary(
            self.section,
            sum(line.taxable for line in details),
            sum((line.tax for line in details), Tax()),
            details,
            self.rows,
        )


def read(reader: JsonReader, section: str, totals: Totals) -> Iterator[Problem]:
    """Add the rows of one list of a section to `totals`; yield what is wrong with those that cannot be added."""
    shape = ROWS[section]
    for number in reader.elements():
        position = f"{section}[{number}]"
        if shape.group and reader.peek() == "{":
            yield from _group(reader, shape, position, totals)
        else:
            yield from _row(reader.value(), shape, position, totals)


def _group(reader: JsonReader, shape: RowShape, position: str, totals: Totals) -> Iterator[Problem]:
    inner = Totals(totals.section)
    around: dict[str, Any] = {}
    for key in reader.keys_of_object():
        if key == shape.rows and reader.peek() == "[":
            for number in reader.elements():
                yield from _row(reader.value(), shape, f"{position}.{shape.rows}[{number}]", inner)
        else:
            around[shown(key)] = reader.value()
    yield from _add_around(around, shape, position, inner, totals)


def one(
    row: dict[str, Any],
    *,
    section: str,
    around: dict[str, Any],
    position: str,
    totals: Totals,
    before: Sequence[Fault] = (),
) -> Iterator[Problem]:
    """Add one row given outside a file to `totals`, or yield everything wrong with it, as a file's would be read.

    `around` holds the key of the object around it, where its section has one, `before` what was found wrong with it
    where it came from.
    """
    shape = ROWS[section]
    if not shape.group:
        yield from _row(row, shape, position, totals, before)
        return
    inner = Totals(section)
    yield from _row(row, shape, position, inner, before)
    yield from _add_around(around, shape, position, inner, totals)


def _add_around(
    around: dict[str, Any], shape: RowShape, position: str, inner: Totals, totals: Totals
) -> Iterator[Problem]:
    """Add what the rows inside an object came to, with what the object says of all of them."""
    found, faults = values.fields(around, {shape.group: _GROUP_READERS[shape.group]}, (shape.group,))
    yield from _complaints(faults, {}, position)
    if not faults:
        around_it = {"kind" if shape.group == "exp_typ" else "pos": found[shape.group]}
        whole = inner.summary()
        totals.add(
            [Amount(replace(line.detail, **around_it), line.taxable, line.tax) for line in whole.details],
            rows=whole.rows,
        )


def _row(
    value: object, shape: RowShape, position: str, totals: Totals, before: Sequence[Fault] = ()
) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield from _complaints([Fault(values.WRONG_TYPE, "", "An object is needed here.")], {}, position)
        return
    if value.get("flag") == "D":
        return
    found, wrong = values.fields(value, shape.readers, shape.required)
    faults = [*before, *wrong]
    yield from _complaints(faults, value, position)
    if not faults:
        totals.add(shape.amounts(found))


def _complaints(faults: list[Fault], row: dict[str, Any], position: str) -> Iterator[Problem]:
    number = shown(str(row.get("inum") or row.get("nt_num") or ""))
    for fault in faults:
        yield Problem(
            code=fault.code,
            message=f"{position}: {fault.said}",
            field=fault.key,
            number=number,
            position=position,
            dated=shown(str(row.get("idt") or row.get("nt_dt") or "")),
        )
