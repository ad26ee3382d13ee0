"""Document numbers that people take for the same: written in another case, with other separators or leading zeros."""

from __future__ import annotations

import re

from django.db.models import CharField, F, Func, Value

DROPPED = "-/ 0"
"""What the coarse form leaves out: separators and every zero. It finds; `are_near` decides."""

_LEADING_ZEROS = re.compile(r"(?<![0-9])0+(?=[0-9])")
_SEPARATORS = re.compile(r"[-/ ]")


def coarse(column: str = "number_key") -> Func:
    """Return the coarse form of a number as SQL over its key; an index of `Record` holds it, so it never changes."""
    return Func(F(column), Value(DROPPED), Value(""), function="translate", output_field=CharField())


def coarse_of(number: str) -> str:
    """Return the coarse form of a number somebody wrote."""
    return number.upper().translate({ord(letter): None for letter in DROPPED})


def are_near(one: str, other: str) -> bool:
    """Whether two numbers differ only in case, separators or leading zeros: CN/26/0117 and cn-26-117, or CN260117."""
    return bool(_readings(one) & _readings(other))


def _readings(number: str) -> set[str]:
    written = number.upper()
    plain = _SEPARATORS.sub("", written)
    return {_SEPARATORS.sub("", _LEADING_ZEROS.sub("", written)), plain, _LEADING_ZEROS.sub("", plain)}
