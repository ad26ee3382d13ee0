"""What a GSTIN is: its shapes, its check character, the State in it (R10.1, R10.2, R10.4)."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache

LENGTH = 15
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Kind(StrEnum):
    """The kinds of registration that can be told from the number alone (R10.1, formats 1.3)."""

    NORMAL = "normal"
    UIN = "UIN"
    NON_RESIDENT = "NRTP"
    TAX_DEDUCTOR = "TDS"
    OPERATOR = "TCS"


PATTERNS = {
    Kind.TAX_DEDUCTOR: re.compile(r"[0-9]{2}[A-Z]{4}[A-Z0-9][0-9]{4}[A-Z][1-9A-Z]D[0-9A-Z]"),
    Kind.OPERATOR: re.compile(r"[0-9]{2}[A-Z]{5}[0-9]{4}[A-Z][1-9A-Z]C[0-9A-Z]"),
    Kind.NORMAL: re.compile(r"[0-9]{2}[A-Z]{5}[0-9]{4}[A-Z][1-9A-Z][Z1-9ABD-J][0-9A-Z]"),
    Kind.UIN: re.compile(r"[0-9]{4}[A-Z]{3}[0-9]{5}[UO]N[A-Z0-9]"),
    Kind.NON_RESIDENT: re.compile(r"[0-9]{4}[A-Z]{3}[0-9]{5}NR[0-9A-Z]"),
}
"""The first that fits tells the kind (R10.1; formats 1.3 for TDS and NRTP). A deductor's number also fits NORMAL."""


ANY_KIND = frozenset(Kind)
RECIPIENTS = ANY_KIND - {Kind.OPERATOR}
"""Who may stand as `ctin` (formats 2.1): everybody but an operator under its tax-collection number."""

STATES = {
    "01": "Jammu and Kashmir",
    "02": "Himachal Pradesh",
    "03": "Punjab",
    "04": "Chandigarh",
    "05": "Uttarakhand",
    "06": "Haryana",
    "07": "Delhi",
    "08": "Rajasthan",
    "09": "Uttar Pradesh",
    "10": "Bihar",
    "11": "Sikkim",
    "12": "Arunachal Pradesh",
    "13": "Nagaland",
    "14": "Manipur",
    "15": "Mizoram",
    "16": "Tripura",
    "17": "Meghalaya",
    "18": "Assam",
    "19": "West Bengal",
    "20": "Jharkhand",
    "21": "Odisha",
    "22": "Chhattisgarh",
    "23": "Madhya Pradesh",
    "24": "Gujarat",
    "25": "Daman and Diu",
    "26": "Dadra and Nagar Haveli and Daman and Diu",
    "27": "Maharashtra",
    "28": "Andhra Pradesh (before the split)",
    "29": "Karnataka",
    "30": "Goa",
    "31": "Lakshadweep",
    "32": "Kerala",
    "33": "Tamil Nadu",
    "34": "Puducherry",
    "35": "Andaman and Nicobar Islands",
    "36": "Telangana",
    "37": "Andhra Pradesh",
    "38": "Ladakh",
    "96": "Foreign country",
    "97": "Other territory",
    "99": "Centre jurisdiction",
}
"""Every State code with its name (R10.4). 25 and 28 are old codes still met in data."""

POS_CODES = frozenset(STATES) - {"99"}
"""Places of supply of documents for registered recipients: 01 to 38, 96, 97 (formats 2.1); 99 is only a prefix."""

PREFIXES = frozenset(STATES) - {"96"}
"""What a GSTIN may begin with (R10.4): 96 is only a place of supply."""


def check_char(first14: str) -> str:
    """Return the check character that belongs to the first 14 characters (R10.2)."""
    total = 0
    for place, character in enumerate(first14):
        product = _ALPHABET.index(character) * (2 if place % 2 else 1)
        total += product // 36 + product % 36
    return _ALPHABET[(36 - total % 36) % 36]


def kind_of(gstin: str) -> Kind | None:
    """Return the kind of registration whose shape `gstin` has, or None if it has none."""
    return next((kind for kind, pattern in PATTERNS.items() if pattern.fullmatch(gstin)), None)


@lru_cache(maxsize=8192)
def problem(gstin: str, *, check_digit: bool = True, kinds: frozenset[Kind] = ANY_KIND) -> str | None:
    """Return what is wrong with `gstin`, as the end of a sentence that begins with it, or None if it is right."""
    if len(gstin) != LENGTH:
        return f"has {len(gstin)} characters; a GSTIN has {LENGTH}"
    kind = kind_of(gstin)
    if kind is None:
        return "does not have the form of a GSTIN (State code, PAN, entity, Z, check character)"
    if kind not in kinds:
        return f"is a {kind.value} registration, which cannot stand here"
    if state_of(gstin) not in PREFIXES:
        return f"begins with {gstin[:2]}, which is not a State code"
    if check_digit and gstin[-1] != (right := check_char(gstin[:-1])):
        return f"has the check character {gstin[-1]}, which must be {right}"
    return None


def state_of(gstin: str) -> str:
    """Return the State code a GSTIN begins with."""
    return gstin[:2]
