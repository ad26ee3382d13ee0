"""How files of the portal write an amount and a day, and JSON of any length a piece at a time (formats 1.1, 1.6)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import date
from functools import lru_cache
from itertools import chain


def rupees(paise: int) -> int | float:
    """Return paise as a number of rupees: whole ones without a point; two decimals of so many digits are exact."""
    return paise // 100 if paise % 100 == 0 else paise / 100


@lru_cache(maxsize=4096)
def day(when: date) -> str:
    """Return an Indian calendar day as DD-MM-YYYY."""
    return f"{when:%d-%m-%Y}"


def one(value: object) -> Iterator[str]:
    """Yield the text of a value that is at hand as a whole."""
    yield json.dumps(value, ensure_ascii=False)


def many(values: Iterable[Iterable[str]]) -> Iterator[str]:
    """Yield the text of a list, each of its values on a line of its own; they come as pieces of text, one by one."""
    return _joined("[", values, "]")


def keyed(pairs: Iterable[tuple[str, Iterable[str]]]) -> Iterator[str]:
    """Yield the text of an object from its keys and the pieces of their values."""
    return _joined("{", (chain(one(key), (": ",), value) for key, value in pairs), "}")


def _joined(opening: str, values: Iterable[Iterable[str]], closing: str) -> Iterator[str]:
    yield opening
    for place, value in enumerate(values):
        if place:
            yield ",\n"
        yield from value
    yield closing
