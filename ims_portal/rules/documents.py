"""What a document is: kinds and sections, and the checks on one document (R1.3, R10.5 to R10.8)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from datetime import date as Day  # noqa: N812 - the field `date` hides the type
from decimal import Decimal

from ims_portal.rules import gstin, rates
from ims_portal.rules.money import LARGEST_PAISE, Tax, to_rupees
from ims_portal.rules.sections import (
    AMENDMENTS,
    BILLS_OF_ENTRY,
    CREDIT_NOTES,
    ECO,
    NAMES,
    NOTES,
    NUMBER_CLASSES,
    ORIGINAL_OF,
    REPORTED_IN,
    SECTION_OF,
    SEZ,
    Form,
    InvoiceType,
    NumberClass,
    Section,
    number_class,
)

__all__ = [
    "AMENDMENTS",
    "BILLS_OF_ENTRY",
    "CREDIT_NOTES",
    "ECO",
    "LONGEST_NUMBER",
    "NAMES",
    "NOTES",
    "NUMBER_CLASSES",
    "ORIGINAL_OF",
    "POS_INELIGIBLE_SQL",
    "REPORTED_IN",
    "SECTION_OF",
    "SEZ",
    "Document",
    "Form",
    "InvoiceType",
    "Item",
    "NumberClass",
    "Problem",
    "Section",
    "day_in_words",
    "financial_year",
    "is_pos_ineligible",
    "number_class",
    "number_problem",
    "problems",
]


@dataclass(frozen=True, slots=True)
class Item:
    """One rate line of a document. `rate` is hundredths of a percent (18 % = 1800); amounts in paise."""

    rate: int
    taxable: int
    tax: Tax


@dataclass(frozen=True, slots=True)
class Document:
    """One document as a supplier reports it: amounts in whole paise and never negative, days Indian calendar days.

    `position` says where in the source it stood (`b2b[0].inv[3]`), `withdraw` that the source asks to delete it,
    `differential` that 65 % of the rate is charged. `original_number` and `original_date` belong to amendments.
    `eco_supplier` is the registered supplier behind a document that an e-commerce operator reports (section 9(5)).
    """

    section: Section
    recipient: str
    number: str
    date: Day
    taxable: int
    tax: Tax
    pos: str
    value: int = 0
    inv_type: InvoiceType = InvoiceType.REGULAR
    reverse_charge: bool = False
    differential: bool = False
    items: tuple[Item, ...] = ()
    original_number: str = ""
    original_date: Day | None = None
    irn: str = ""
    irn_date: Day | None = None
    position: str = ""
    withdraw: bool = False
    eco_supplier: str = ""

    @property
    def number_key(self) -> str:
        """The number as compared: letter case does not count (R10.5)."""
        return self.number.upper()


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one document or with a whole file, for people and for the error report.

    `code` is of formats 8.5 (`APP-G109`) , `refusal` the rules' own symbolic code, `field` the key as the source
    writes it, `message` says what, where, why and what next. A warning does not stop the document. `counterparty`
    and `dated` repeat the recipient and the date as the source writes them, for an error report in its shape. `place`
    counts the documents of the source up to this one.
    """

    code: str
    message: str
    refusal: str = "DOCUMENT_INVALID"
    field: str = ""
    number: str = ""
    position: str = ""
    is_warning: bool = False
    counterparty: str = ""
    dated: str = ""
    place: int = 0


# Numbers, dates, place of supply


def financial_year(day: date) -> int:
    """Return the year in which the financial year of `day` begins: April to March (R10.3)."""
    return day.year if day.month >= _APRIL else day.year - 1


_APRIL = 4


_NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-/]{0,15}")
LONGEST_NUMBER = 16


def number_problem(number: str) -> str | None:
    """Return what is wrong with a document number, to follow "The number ..", or None if it may be used (R10.5)."""
    if len(number) > LONGEST_NUMBER:
        return f"has {len(number)} characters; at most {LONGEST_NUMBER} are allowed. Shorten it."
    if not _NUMBER.fullmatch(number):
        return (
            "may hold only letters, digits, - and / and must begin with a letter or a digit. "
            "Write it without other characters."
        )
    if not number.strip("0"):
        return "consists of zeros only. Give the number printed on the document."
    return None


# R1.6, reason P: the place of supply is the supplier's State and the recipient stands in another one.
POS_INELIGIBLE_SQL = "({supplier_state} = {pos} AND {recipient_state} <> {pos})"
"""SQL twin of `is_pos_ineligible`: fill in three columns of two-digit State codes."""


def is_pos_ineligible(*, supplier_state: str, pos: str, recipient_state: str) -> bool:
    """Return whether the recipient gets no credit because of the place of supply (R1.6, reason P)."""
    return supplier_state == pos and recipient_state != pos


# The checks on one document


@dataclass(frozen=True, slots=True)
class _Subject:
    """One document with what it is judged by."""

    document: Document
    supplier: str
    form: Form
    period_end: date
    registered_on: date | None
    check_digit: bool
    is_sez: bool
    is_operator: bool

    @property
    def name(self) -> str:
        return f"{NAMES[self.document.section]} {self.document.number}"


_Found = Iterator[tuple[str, str, str]]
"""Code, field and message of each problem."""


def problems(  # noqa: PLR0913 what a document is judged by
    document: Document,
    *,
    supplier: str,
    form: Form,
    period_end: date,
    registered_on: date | None,
    is_sez: bool,
    is_operator: bool,
    check_digit: bool = True,
) -> list[Problem]:
    """Return everything that is wrong with `document`, shape first; warnings, which stop nothing, come last.

    `is_sez` says that the supplier or the recipient is an SEZ unit or developer, `is_operator` that the supplier is an
    e-commerce operator. Numbers used before and originals not found need the other documents and are not judged here.
    """
    subject = _Subject(document, supplier, form, period_end, registered_on, check_digit, is_sez, is_operator)
    checks = _checks_for(document)
    return [_problem(document, code, field, message) for check in checks for code, field, message in check(subject)]


def _problem(document: Document, code: str, field: str, message: str) -> Problem:
    return Problem(
        code=code,
        message=message,
        field=field,
        number=document.number,
        position=document.position,
        refusal="ORIGINAL_NOT_FOUND" if code == "APP-G114" else "DOCUMENT_INVALID",
        is_warning=code == "APP-G112",
        counterparty=document.recipient,
        dated=f"{document.date:%d-%m-%Y}",
    )


def _section(subject: _Subject) -> _Found:
    if subject.document.section not in REPORTED_IN[subject.form]:
        yield (
            "APP-G115",
            "",
            f"{subject.name} cannot be reported in {subject.form.value}. Report it in the form it belongs to.",
        )
    elif subject.document.section in ECO and not subject.is_operator:
        yield (
            "APP-G115",
            "",
            f"{subject.name} is a supply under section 9(5), which an e-commerce operator reports; {subject.supplier} "
            "is none. Report your own supply as an invoice.",
        )


def _recipient(subject: _Subject) -> _Found:
    recipient = subject.document.recipient
    key = "rtin" if subject.document.section in ECO else "ctin"
    shape = gstin.problem(recipient, check_digit=False, kinds=gstin.RECIPIENTS)
    reason = shape or gstin.problem(recipient, check_digit=subject.check_digit, kinds=gstin.RECIPIENTS)
    if reason:
        yield (
            "APP-G103" if shape else "APP-G105",
            key,
            f"{subject.name} is addressed to {recipient or 'nobody'}, which {reason}. "
            "Correct the GSTIN of the recipient.",
        )
    elif recipient == subject.supplier:
        yield (
            "APP-G104",
            key,
            f"{subject.name} names the supplier itself, {recipient}, as the recipient. Give the GSTIN of the customer.",
        )


def _number(subject: _Subject) -> _Found:
    reason = number_problem(subject.document.number)
    if reason:
        yield "APP-G106", _key(subject.document, "inum", "nt_num"), f"{subject.name}: the number {reason}"


def _date(subject: _Subject) -> _Found:
    day, end, begin = subject.document.date, subject.period_end, subject.registered_on
    said = f"{subject.name} is dated {day_in_words(day)}"
    if day > end:
        yield (
            "APP-G108",
            _key(subject.document, "idt", "nt_dt"),
            f"{said}; a return for {end:%m/%Y} can't contain it. "
            f"Correct the date or file it in {_MONTHS[day.month - 1]} {day.year}.",
        )
    elif day < rates.GST_BEGAN:
        yield (
            "APP-G108",
            _key(subject.document, "idt", "nt_dt"),
            f"{said}, before GST began on {day_in_words(rates.GST_BEGAN)}. Correct the date.",
        )
    elif begin and day < begin:
        yield (
            "APP-G108",
            _key(subject.document, "idt", "nt_dt"),
            f"{said}, before the supplier was registered on {day_in_words(begin)}. Correct the date.",
        )


def _original(subject: _Subject) -> _Found:
    document = subject.document
    if document.section in AMENDMENTS and not (document.original_number and document.original_date):
        field = _key(document, "oidt", "ont_dt") if document.original_number else _key(document, "oinum", "ont_num")
        yield (
            "APP-G114",
            field,
            f"{subject.name} does not say which document it amends. Give the number and the date of the original.",
        )


def _amounts(subject: _Subject) -> _Found:
    document = subject.document
    for taxable, tax, value in (
        (document.taxable, document.tax, document.value),
        *((line.taxable, line.tax, 0) for line in document.items),
    ):
        amounts = (value, taxable, tax.igst, tax.cgst, tax.sgst, tax.cess)
        if min(amounts) >= 0 and max(amounts) <= LARGEST_PAISE:
            continue
        for key, amount in zip(("val", "txval", *_TAX_KEYS), amounts, strict=True):
            if not 0 <= amount <= LARGEST_PAISE:
                said = "is negative" if amount < 0 else "has more than 13 digits before the point"
                yield (
                    "APP-G113",
                    key,
                    f"{subject.name}: {key} {to_rupees(amount)} {said}. "
                    "Give a positive amount; the kind of document gives the sign.",
                )


def _pos(subject: _Subject) -> _Found:
    pos = subject.document.pos
    if pos not in gstin.POS_CODES:
        yield (
            "APP-G104",
            "pos",
            f"{subject.name}: {pos or 'nothing'} is not a place of supply. "
            "Give a State code of two digits (01 to 38), 96 or 97.",
        )


def _rates(subject: _Subject) -> _Found:
    document = subject.document
    if document.date < rates.GST_BEGAN:
        return
    accepted = rates.accepted(document.date)
    for number, line in enumerate(document.items, start=1):
        if line.rate not in accepted:
            yield (
                "APP-G109",
                "rt",
                f"{subject.name}, line {number}: {rates.percent(line.rate)} was not a rate of GST on "
                f"{day_in_words(document.date)}. Use one of {', '.join(map(rates.percent, accepted))}.",
            )


def _tax(subject: _Subject) -> _Found:
    document, tax = subject.document, subject.document.tax
    is_same_state = gstin.state_of(subject.supplier) == document.pos
    heads = rates.heads_due(
        document.date, is_sez=subject.is_sez or document.inv_type in SEZ, is_same_state=is_same_state
    )
    wrong = [
        key
        for key, amount in zip(_TAX_KEYS, (tax.igst, tax.cgst, tax.sgst), strict=False)
        if amount and (key == "iamt") is not (heads is rates.Heads.IGST)
    ]
    if wrong:
        yield "APP-G111", wrong[0], _wrong_heads_message(subject, wrong[0])
        return
    for number, line in enumerate(document.items, start=1):
        yield from _line_tax(subject, f"line {number}", line, heads)
    if document.items and not _adds_up(document):
        yield (
            "APP-G110",
            "itms",
            f"{subject.name}: the lines do not add up to the taxable value and tax of the document. Correct the lines.",
        )


def _line_tax(subject: _Subject, where: str, line: Item, heads: rates.Heads) -> _Found:
    is_free = subject.document.inv_type is InvoiceType.SEZ_WITHOUT_PAYMENT
    due = rates.tax_due(
        taxable=line.taxable,
        rate=0 if is_free else line.rate,
        heads=heads,
        is_differential=subject.document.differential,
    )
    for key, given, wanted in zip(_TAX_KEYS, (line.tax.igst, line.tax.cgst, line.tax.sgst), due, strict=False):
        if abs(given * rates.DIVISOR - wanted) > rates.TOLERANCE * rates.DIVISOR:
            rate = rates.percent(line.rate) + (" at 65 %" if subject.document.differential else "")
            why = (
                "a supply without payment bears none"
                if is_free
                else (f"{rate} of Rs {to_rupees(line.taxable)} gives Rs {_nearest(wanted)}")
            )
            yield (
                "APP-G110",
                key,
                f"{subject.name}, {where}: {_HEAD_NAMES[key]} is Rs {to_rupees(given)}, but "
                f"{why}. Correct the tax, the rate or the taxable value.",
            )
            return
    if line.tax.cgst != line.tax.sgst:
        yield (
            "APP-G110",
            "samt",
            f"{subject.name}, {where}: CGST Rs {to_rupees(line.tax.cgst)} and SGST "
            f"Rs {to_rupees(line.tax.sgst)} must be equal. Correct one of them.",
        )


def _adds_up(document: Document) -> bool:
    lines, tax = document.items, document.tax
    return (document.taxable, tax.igst, tax.cgst, tax.sgst, tax.cess) == (
        sum(line.taxable for line in lines),
        sum(line.tax.igst for line in lines),
        sum(line.tax.cgst for line in lines),
        sum(line.tax.sgst for line in lines),
        sum(line.tax.cess for line in lines),
    )


def _nearest(scaled: int) -> Decimal:
    """Return rupees for a message; no sum is ever made of them."""
    return to_rupees(rates.nearest(scaled))


def _value(subject: _Subject) -> _Found:
    document, tax = subject.document, subject.document.tax
    wanted = document.taxable + (0 if document.reverse_charge else tax.igst + tax.cgst + tax.sgst + tax.cess)
    if abs(document.value - wanted) > rates.TOLERANCE:
        yield (
            "APP-G112",
            "val",
            f"{subject.name}: the value is Rs {to_rupees(document.value)}, but taxable value "
            f"{'' if document.reverse_charge else 'and tax '}make Rs {to_rupees(wanted)}. "
            "It is accepted; check it all the same.",
        )


_CHECKS: tuple[Callable[[_Subject], _Found], ...] = (
    _section,
    _recipient,
    _number,
    _original,
    _pos,
    _amounts,
    _date,
    _rates,
    _tax,
    _value,
)
"""In the order a reader expects: what it is, to whom, its number, then what needs a calendar or a sum."""

_CHECKS_OF_A_WITHDRAWAL = (_section, _recipient, _number)
_CHECKS_OF_A_DISTRIBUTION = (_section, _recipient, _number, _amounts, _date)
"""An ISD passes on credit of other documents: it has no rate, value or place of supply of its own (R9.1)."""


def _checks_for(document: Document) -> tuple[Callable[[_Subject], _Found], ...]:
    if document.withdraw:
        return _CHECKS_OF_A_WITHDRAWAL
    return _CHECKS_OF_A_DISTRIBUTION if document.section in (Section.ISD, Section.ISDCN) else _CHECKS


_TAX_KEYS = ("iamt", "camt", "samt", "csamt")
_HEAD_NAMES = {"iamt": "IGST", "camt": "CGST", "samt": "SGST", "csamt": "cess"}
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def _key(document: Document, of_invoices: str, of_notes: str) -> str:
    return of_notes if document.section in NOTES else of_invoices


def _wrong_heads_message(subject: _Subject, wrong: str) -> str:
    document, state = subject.document, gstin.state_of(subject.supplier)
    if subject.is_sez or document.inv_type in SEZ:
        why = "supplies to or by an SEZ always bear IGST"
    elif wrong == "iamt":
        why = f"the supply stays inside {_state(state)}, so CGST and SGST are due"
    else:
        why = f"the supply goes from {_state(state)} to {_state(document.pos)}, so IGST is due"
    return f"{subject.name} charges {_HEAD_NAMES[wrong]}, but {why}. Correct the tax heads or the place of supply."


def _state(code: str) -> str:
    return f"{gstin.STATES.get(code, 'State')} ({code})"


def day_in_words(day: date) -> str:
    """Return a day as people write it: 3 May 2026."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
