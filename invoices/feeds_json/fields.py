"""Values and objects of a feed as formats 10 wants them; each reader returns or complains, unknown keys are ignored."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from ims_portal.rules import gstin
from ims_portal.rules.documents import Problem, day_in_words
from ims_portal.rules.money import LARGEST_PAISE
from ims_portal.rules.rates import GST_BEGAN
from invoices.gstr1_json import values
from invoices.gstr1_json.values import Fault, Reader, WrongValueError, written

DOES_NOT_AGREE = "APP-B01"
OUT_OF_DAYS = "APP-G108"
LARGEST_TOTAL = LARGEST_PAISE * 1_000_000
LAST_YEAR = 2099

recipient = values.registration(check_digit=True, kinds=gstin.RECIPIENTS)
anybody = values.registration(check_digit=True, kinds=gstin.ANY_KIND)
period = values.pattern(r"(0[1-9]|1[0-2])20[0-9]{2}", "MMYYYY, such as 102026")


class Place(NamedTuple):
    """Where in the file something stands, and how people call it."""

    position: str
    number: str = ""

    def problem(self, fault: Fault) -> Problem:
        """Return what is wrong here, for people."""
        said = f"{self.position}: {fault.said}" if self.position else fault.said
        return Problem(fault.code, said, field=fault.key, number=self.number, position=self.position)


def fields(raw: object, readers: Mapping[str, Reader], required: tuple[str, ...]) -> tuple[dict[str, Any], list[Fault]]:
    """Return what the known keys of an object say, and every fault; `null` and `[]` count as absent (formats 1.1)."""
    if not isinstance(raw, dict):
        return {}, [Fault(values.WRONG_TYPE, "", f"{written(raw)} is not an object. Write it in braces.")]
    known = {key: value for key, value in raw.items() if key in readers}
    return values.fields(known, dict(readers), required)


def nested(prefix: str, readers: Mapping[str, Reader], required: tuple[str, ...]) -> Reader:
    """Return a reader of an object inside an object, whose faults name the way to their key."""

    def read(value: object) -> dict[str, Any]:
        found, faults = fields(value, readers, required)
        if faults:
            raise WrongValueError(*(Fault(f.code, f"{prefix}.{f.key}" if f.key else prefix, f.said) for f in faults))
        return found

    return read


def words(longest: int) -> Reader:
    """Return a reader of a text that is neither empty nor longer than `longest` characters."""

    def read(value: object) -> str:
        found = values.text(value).strip()
        if not found:
            raise WrongValueError.of(values.WRONG_FORMAT, "is empty. Write what it should say.")
        if len(found) > longest:
            raise WrongValueError.of(
                values.WRONG_FORMAT, f"has {len(found)} characters; at most {longest} are allowed. Shorten it."
            )
        return found

    return read


def whole(value: object) -> int:
    """Return a whole number from 0 on that a small column can hold."""
    if type(value) is not int:
        raise WrongValueError.of(
            values.WRONG_TYPE, f"{written(value)} is not a whole number. Write it without a point."
        )
    if not 0 <= value <= 10**6:
        raise WrongValueError.of(values.NOT_IN_LIST, f"{written(value)} is not between 0 and 1000000. Correct it.")
    return value


def day(value: object) -> date:
    """Return a day written DD-MM-YYYY, not before GST began."""
    found = values.day(value)
    if found < GST_BEGAN or found.year > LAST_YEAR:
        raise WrongValueError.of(
            OUT_OF_DAYS, f"{written(value)} is not between {day_in_words(GST_BEGAN)} and {LAST_YEAR}. Correct the day."
        )
    return found


def moment(value: object) -> datetime:
    """Return a moment written by ISO 8601, with its time zone."""
    said = f"{written(value)} is not a time of ISO 8601 with its zone. Write it like 2026-11-01T06:00:00+05:30."
    try:
        found = datetime.fromisoformat(values.text(value))
    except ValueError:
        raise WrongValueError.of(values.WRONG_FORMAT, said) from None
    if found.tzinfo is None or "T" not in str(value):
        raise WrongValueError.of(values.WRONG_FORMAT, said)
    if not GST_BEGAN.year <= found.year <= LAST_YEAR:
        raise WrongValueError.of(OUT_OF_DAYS, f"{written(value)} is not of these years. Correct it.")
    return found


def total(value: object) -> int:
    """Return the sum of a file in paise; it may be larger than any one amount."""
    return values.paise(value, highest=LARGEST_TOTAL)
