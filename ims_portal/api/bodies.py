"""Bodies of requests: JSON that means one thing only, refused otherwise (F41)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from ims_portal.rules.texts import UNWELCOME

LONGEST_NUMBER = 40
"""Characters of a number, and the most its exponent may shift the point: 1e999 is no number of this world."""


class TooLargeError(Exception):
    """A body is larger than one may be; nothing was done."""


class StrictJson(BaseParser):
    """Reads a JSON object in UTF-8 of a megabyte at most: no key twice, no NaN, no half characters, decimals exact."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:  # noqa: ANN401, ARG002 - the framework's signature
        """Return the object. Raises ParseError and TooLargeError."""
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        raw = stream.read(limit + 1)
        if len(raw) > limit:
            raise TooLargeError
        return read(raw)


def read(raw: bytes) -> dict[str, Any]:
    """Return the object of a JSON text; numbers are int or Decimal. Raises ParseError."""
    try:
        found = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_object,
            parse_float=_exact(Decimal),
            parse_int=_exact(int),
            parse_constant=_constant,
        )
    except UnicodeDecodeError:
        raise ParseError("The body is not UTF-8. Send JSON in UTF-8.") from None
    except RecursionError:
        raise ParseError("The body is nested too deep. Send what the interface describes.") from None
    except json.JSONDecodeError as fault:
        raise ParseError(f"The body is not JSON: {fault.msg} at character {fault.pos + 1}. Correct it.") from None
    if not isinstance(found, dict):
        raise ParseError("The body is not an object. Send one, in braces.")
    _check_texts(found)
    return found


def _exact(kind: type[int | Decimal]) -> Callable[[str], int | Decimal]:
    def convert(text: str) -> int | Decimal:
        if len(text) > LONGEST_NUMBER:
            raise ParseError("A number is longer than any of the interface. Amounts are texts such as “18000.00”.")
        try:
            found = kind(text)
        except InvalidOperation:
            found = Decimal("Infinity")
        if isinstance(found, Decimal) and not (found.is_finite() and abs(found.adjusted()) <= LONGEST_NUMBER):
            raise ParseError("A number is larger or smaller than any of the interface. Correct it.")
        return found

    return convert


def _constant(text: str) -> NoReturn:
    raise ParseError(f"{text} is no JSON number. Correct it.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(key for key, count in Counter(key for key, _value in pairs).items() if count > 1)
        raise ParseError(f"The key {json.dumps(twice)} stands twice in one object. Send it once.")
    return found


def _check_texts(found: object) -> None:
    """Refuse characters no text may hold, wherever they stand."""
    waiting: list[object] = [found]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str) and UNWELCOME.search(value):
            raise ParseError("A text holds a control character or half a character. Take it out.")
        if isinstance(value, dict):
            waiting += [*value, *value.values()]
        elif isinstance(value, list):
            waiting += value
