"""Single values of a GSTR-1 as GSTN's schema wants them (formats 1.1, 1.5, 2.1): each reader returns or complains."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Context, Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from ims_portal.rules import gstin, rates
from ims_portal.rules.documents import number_problem
from ims_portal.rules.money import LARGEST_PAISE, to_rupees
from invoices.json_reading import shown

MISSING, WRONG_TYPE, WRONG_FORMAT, NOT_IN_LIST = "APP-G101", "APP-G102", "APP-G103", "APP-G104"
CHECK_DIGIT, NUMBER, AMOUNT, NO_ORIGINAL, UNKNOWN_KEY = "APP-G105", "APP-G106", "APP-G113", "APP-G114", "APP-G116"

LARGEST_TAX_PAISE = 9_999_999_999_999
"""Eleven digits of rupees: the most a taxable value or a tax of one line may be (formats 2.1)."""

Reader = Callable[[Any], Any]


class Fault(NamedTuple):
    """One thing wrong with a value: its code, its key, and sentences that say what and what to do."""

    code: str
    key: str
    said: str


class WrongValueError(Exception):
    """A value is not what its key demands; `faults` lists everything, their key empty for the value itself."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(*faults)
        self.faults = faults

    @classmethod
    def of(cls, code: str, said: str) -> WrongValueError:
        """Return the error with the one fault of the value itself."""
        return cls(Fault(code, "", said))


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, str):
        return "text"
    if isinstance(value, int | Decimal):
        return "a number"
    return "a list" if isinstance(value, list) else "an object"


def written(value: object) -> str:
    """Return a value of the file as a message may show it."""
    if isinstance(value, str):
        return f'"{shown(value)}"'
    if isinstance(value, list | dict):
        return "This"
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def anything(value: object) -> object:
    """Accept whatever downloads of GSTN add and we have no use for (formats 2.4)."""
    return value


def text(value: object) -> str:
    """Return a text."""
    if not isinstance(value, str):
        raise WrongValueError.of(
            WRONG_TYPE,
            f"{written(value)} is {_kind(value)}, but text is needed. Put it in quotes, leading zeros included.",
        )
    return value


def one_of(*allowed: str) -> Reader:
    """Return a reader of a text out of a list."""
    listed = ", ".join(allowed)

    def read(value: object) -> str:
        found = text(value)
        if found not in allowed:
            raise WrongValueError.of(NOT_IN_LIST, f"{written(found)} is not one of {listed}. Use one of these.")
        return found

    return read


def pos(value: object) -> str:
    """Return a place of supply, two digits."""
    found = text(value)
    if found not in gstin.POS_CODES:
        raise WrongValueError.of(
            NOT_IN_LIST,
            f"{written(found)} is not a State code. Give two digits, 01 to 38, 96 "
            "or 97; the leading zero belongs to it.",
        )
    return found


_DATE = re.compile(r"([0-9]{2})-([0-9]{2})-([0-9]{4})")


@lru_cache(maxsize=4096)
def _day(written_as: str) -> date | None:
    found = _DATE.fullmatch(written_as)
    try:
        return date(int(found[3]), int(found[2]), int(found[1])) if found else None
    except ValueError:
        return None


def day(value: object) -> date:
    """Return a day written DD-MM-YYYY."""
    found = _day(text(value))
    if found is None:
        raise WrongValueError.of(
            WRONG_FORMAT, f"{written(value)} is not a day written DD-MM-YYYY. Write it like 05-10-2026."
        )
    return found


def document_number(value: object) -> str:
    """Return a document number, which is always text."""
    found = text(value)
    reason = number_problem(found)
    if reason:
        raise WrongValueError.of(NUMBER, f"{written(found)} {reason}")
    return found


def pattern(expression: str, example: str) -> Reader:
    """Return a reader of a text of one form."""
    wanted = re.compile(expression)

    def read(value: object) -> str:
        found = text(value)
        if not wanted.fullmatch(found):
            raise WrongValueError.of(WRONG_FORMAT, f"{written(found)} does not have the form {example}. Correct it.")
        return found

    return read


def registration(*, check_digit: bool, kinds: frozenset[gstin.Kind]) -> Reader:
    """Return a reader of a GSTIN; small letters are taken as capitals, as GSTN does."""

    def read(value: object) -> str:
        found = text(value).upper()
        shape = gstin.problem(found, check_digit=False, kinds=kinds)
        reason = shape or gstin.problem(found, check_digit=check_digit, kinds=kinds)
        if reason:
            raise WrongValueError.of(
                WRONG_FORMAT if shape else CHECK_DIGIT, f"{written(found)} {reason}. Correct the GSTIN."
            )
        return found

    return read


_EXACT = Context(prec=200)
_HUNDRED = Decimal(100)


def paise(value: object, *, lowest: int = 0, highest: int = LARGEST_TAX_PAISE) -> int:
    """Return an amount of rupees in whole paise."""
    if type(value) is int:
        amount = value * 100
    elif type(value) is Decimal:
        scaled = _EXACT.multiply(value, _HUNDRED)
        amount = int(scaled)
        if amount != scaled:
            raise WrongValueError.of(AMOUNT, f"{written(value)} has more than two decimals. Round it to paise.")
        if not amount and value.is_signed():
            amount = lowest - 1 if lowest == 0 else 0
    else:
        raise WrongValueError.of(
            WRONG_TYPE, f"{written(value)} is {_kind(value)}, but a number is needed. Write it without quotes."
        )
    if lowest <= amount <= highest:
        return amount
    if amount < 0 <= lowest:
        raise WrongValueError.of(
            AMOUNT,
            f"{written(value)} is negative. Give a positive amount; the section and the note type give the sign.",
        )
    raise WrongValueError.of(AMOUNT, f"{written(value)} is too large. Correct the amount.")


def total_paise(value: object) -> int:
    """Return the value of a whole document in paise."""
    return paise(value, highest=LARGEST_PAISE)


def signed_paise(value: object) -> int:
    """Return an amount of a summary section, which may be negative (formats 2.1)."""
    return paise(value, lowest=-LARGEST_PAISE, highest=LARGEST_PAISE)


def rate(value: object) -> int:
    """Return a rate in hundredths of a percent; whether it exists is for the rules to say."""
    try:
        return paise(value, highest=99_999)
    except WrongValueError as wrong:
        if wrong.faults[0].code != AMOUNT:
            raise
        said = f"{written(value)} is not a rate of GST. Give a rate such as 18."
        raise WrongValueError.of("APP-G109", said) from None


def differential(value: object) -> bool:
    """Return True for the one share of the rate that may be given (R10.7)."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise WrongValueError.of(
            WRONG_TYPE, f"{written(value)} is {_kind(value)}, but a number is needed. Write it without quotes."
        )
    if not rates.is_differential(Decimal(value)):
        share = to_rupees(rates.DIFFERENTIAL)
        raise WrongValueError.of(NOT_IN_LIST, f"{written(value)} is not {share}. Give {share} or leave the key out.")
    return True


def line_number(value: object) -> int:
    """Return the number of a line: a whole number from 1."""
    if type(value) is not int:
        raise WrongValueError.of(WRONG_TYPE, f"{written(value)} is not a whole number. Number the lines 1, 2, 3.")
    if value < 1:
        raise WrongValueError.of(NOT_IN_LIST, f"{written(value)} is below 1. Number the lines 1, 2, 3.")
    return value


def fields(
    raw: dict[str, Any], readers: dict[str, Reader], required: tuple[str, ...]
) -> tuple[dict[str, Any], list[Fault]]:
    """Return what each key of an object says, and every fault: wrong values in file order, then missing keys.

    `null` and `[]` count as absent (formats 1.1); a wrong value is None.
    """
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    for key, value in raw.items():
        reader = readers.get(key)
        if reader is None:
            faults.append(Fault(UNKNOWN_KEY, shown(key), f"GSTR-1 has no such key as {shown(key)} here. Remove it."))
        elif value is not None and (value or type(value) is not list):
            try:
                values[key] = reader(value)
            except WrongValueError as wrong:
                values[key] = None
                faults += (
                    Fault(fault.code, fault.key or key, fault.said if fault.key else f"{key} {fault.said}")
                    for fault in wrong.faults
                )
    faults += [Fault(MISSING, key, f"{key} is missing. Add it.") for key in required if key not in values]
    return values, faults
