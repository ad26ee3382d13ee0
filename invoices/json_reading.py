"""Read JSON of any size in flat memory, and refuse a file whole that no reader could trust (formats 1.6).

Values come one at a time from the json module of the standard library; this module only walks from one to the next.
ijson was tried and left out: it turns lone surrogates into question marks, forgets repeated keys and crashes on
giant numbers.
"""

from __future__ import annotations

import codecs
import json
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, BinaryIO, NoReturn

from ims_portal.rules.documents import Problem
from ims_portal.rules.texts import UNWELCOME

CHUNK = 1 << 18
LARGEST_VALUE = 2_000_000
"""Characters of the largest value read in one piece, such as a document with all its lines."""
MOST_KEYS = 10_000
LONGEST_NUMBER = 64
LARGEST_EXPONENT = 30
HELD_CHARACTERS = 1_000_000
"""Documents of one group kept in memory; more of them wait in a temporary file."""

NOT_READABLE = "APP-F01"
KEY_TWICE = "APP-F02"

_SPACE = re.compile(r"[ \t\n\r]*")
_UNWELCOME_BEYOND_ASCII = re.compile("[\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class UnreadableFileError(Exception):
    """The file as a whole is refused; `problem` says why, and nothing of it may be kept."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def shown(text: str, longest: int = 60) -> str:
    """Return text of a file as it may stand in a message: not endless, and nothing that cannot be stored."""
    cut = text if len(text) <= longest else text[:longest] + "…"
    return UNWELCOME.sub("?", cut)


def refuse(code: str, message: str, *, field: str = "") -> NoReturn:
    """Raise the refusal of the whole file."""
    raise UnreadableFileError(Problem(code=code, message=message, field=field))


class _RefusedError(Exception):
    """Raised inside the json module's callbacks, where the place in the file is not known."""

    def __init__(self, code: str, said: str, field: str = "") -> None:
        super().__init__(said)
        self.code, self.said, self.field = code, said, field


def _whole(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise _RefusedError(NOT_READABLE, f"a number has {len(text)} digits")
    return int(text)


def _decimal(text: str) -> Decimal:
    if len(text) > LONGEST_NUMBER:
        raise _RefusedError(NOT_READABLE, f"a number is written with {len(text)} characters")
    mantissa, _, exponent = text.lower().partition("e")
    if exponent and abs(int(exponent)) > LARGEST_EXPONENT:
        raise _RefusedError(NOT_READABLE, f"{mantissa[:20]}e{exponent[:20]} is not a number of this world")
    return Decimal(text)


def _constant(text: str) -> NoReturn:
    raise _RefusedError(NOT_READABLE, f"{text} is not a JSON number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) != len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise _RefusedError(KEY_TWICE, f"the key “{shown(twice)}” stands twice in one object", shown(twice))
    return mapping


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=_decimal, parse_int=_whole, parse_constant=_constant)


class JsonReader:
    """Walks through one JSON text: `keys_of_object()`, `elements()` of an array, `value()` of anything small.

    Whoever walks consumes exactly one value after each key and for each element. Numbers are int or Decimal.
    Every fault of the text, whatever its bytes, comes out as UnreadableFileError.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("strict")
        self._text = ""
        self._at = 0
        self._behind = 0
        self._has_ended = False

    def peek(self) -> str:
        """Return the next character that is not white space, or "" at the end of the text."""
        while True:
            found = _SPACE.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def keys_of_object(self) -> Iterator[str]:
        """Yield the keys of the object that comes next; the caller consumes each value before going on."""
        self._expect("{")
        seen: set[str] = set()
        if self.peek() == "}":
            self._expect("}")
            return
        while True:
            if self.peek() != '"':
                self._malformed("a key in quotes was expected")
            key = str(self.value())
            if key in seen:
                self._refuse(KEY_TWICE, f"the key “{shown(key)}” stands twice in one object", shown(key))
            if len(seen) >= MOST_KEYS:
                self._malformed(f"an object has more than {MOST_KEYS} keys")
            seen.add(key)
            self._expect(":")
            yield key
            if self._expect(",}") == "}":
                return

    def elements(self) -> Iterator[int]:
        """Yield the number of each element of the array that comes next; the caller consumes each before going on."""
        self._expect("[")
        if self.peek() == "]":
            self._expect("]")
            return
        number = 0
        while True:
            yield number
            number += 1
            if self._expect(",]") == "]":
                return

    def value(self) -> Any:  # noqa: ANN401 - JSON is whatever it is; the caller checks
        """Read the next value whole."""
        value, self._at = self._scan()
        return value

    def raw(self) -> str:
        """Return the text of the next value, checked but unread."""
        _, end = self._scan()
        text, self._at = self._text[self._at : end], end
        return text

    def skip(self, levels: int = 4) -> int:
        """Pass over the next value, in pieces down to `levels`; return how many elements or keys it had."""
        opening = self.peek()
        count = 0
        if levels and opening == "{":
            for _ in self.keys_of_object():
                count += 1
                self.skip(levels - 1)
        elif levels and opening == "[":
            for _ in self.elements():
                count += 1
                self.skip(levels - 1)
        else:
            self.value()
        return count

    def end(self) -> None:
        """Make sure that nothing follows."""
        if self.peek():
            self._malformed("something follows after the end of the JSON text")

    @property
    def position(self) -> int:
        """Return how many characters have been read."""
        return self._behind + self._at

    def _scan(self) -> tuple[Any, int]:
        """Return the next value and where it ends, without moving on.

        A number at the edge of what has been read may go on: `1` may be the beginning of `1.5` or of `1e+5`.
        """
        self.peek()
        while True:
            found = self._decoded()
            if found and (found[1] + 2 < len(self._text) or not self._more()):
                self._check_escaped(*found)
                return found

    def _decoded(self) -> tuple[Any, int] | None:
        """Return the next value and where it ends, or None once more has been read because it was not all there."""
        try:
            found: tuple[Any, int] = _DECODER.raw_decode(self._text, self._at)
        except json.JSONDecodeError as fault:
            if len(self._text) - self._at > LARGEST_VALUE:
                self._malformed(f"a value is broken or longer than {LARGEST_VALUE} characters", fault.pos)
            if not self._more():
                self._malformed("the text is broken or ends early", fault.pos)
            return None
        except _RefusedError as refused:
            self._refuse(refused.code, refused.said, refused.field)
        except RecursionError:
            self._malformed("objects are nested too deep")
        return found

    def _check_escaped(self, value: Any, end: int) -> None:  # noqa: ANN401 - any JSON value
        """Refuse characters that came in behind a backslash; the raw text was checked as it was read."""
        if self._text.find("\\", self._at, end) < 0:
            return
        waiting = [value]
        while waiting:
            value = waiting.pop()
            if isinstance(value, str) and UNWELCOME.search(value):
                self._malformed("a text holds a control character or half a character")
            elif isinstance(value, list):
                waiting.extend(value)
            elif isinstance(value, dict):
                waiting.extend(value)
                waiting.extend(value.values())

    def _expect(self, wanted: str) -> str:
        character = self.peek()
        if not character or character not in wanted:
            self._malformed(f"{' / '.join(wanted)} was expected")
        self._at += 1
        return character

    def _more(self) -> bool:
        """Read on, dropping what lies behind; return False at the end of the file."""
        if self._has_ended:
            return False
        chunk = self._stream.read(max(CHUNK, len(self._text) - self._at))
        if not self._behind and chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            refuse(NOT_READABLE, "The file is written in UTF-16. Save it as UTF-8 and upload it again.")
        self._has_ended = not chunk
        try:
            text = self._decoder.decode(chunk, final=self._has_ended)
        except UnicodeDecodeError:
            self._malformed("the bytes are not UTF-8", len(self._text))
        if "\x7f" in text or not text.isascii():
            unwelcome = _UNWELCOME_BEYOND_ASCII.search(text)
            if unwelcome:
                self._malformed(
                    "a text holds a control character or a change of writing direction",
                    len(self._text) + unwelcome.start(),
                )
        if self._has_ended:
            return False
        self._behind += self._at
        self._text, self._at = self._text[self._at :] + text, 0
        return True

    def _malformed(self, said: str, at: int | None = None) -> NoReturn:
        self._refuse(NOT_READABLE, said, at=at)

    def _refuse(self, code: str, said: str, field: str = "", at: int | None = None) -> NoReturn:
        place = self._behind + (self._at if at is None else at) + 1
        refuse(
            code,
            f"The file cannot be read: {said}, at or after character {place}. Nothing of it was kept. "
            "Export the file again from the program that made it.",
            field=field,
        )


class Held:
    """Values of one array that are needed later: the first in memory, the rest in a temporary file."""

    def __init__(self) -> None:
        self._first: list[Any] = []
        self._characters = 0
        self._rest: Any = None

    def take(self, reader: JsonReader) -> None:
        """Keep the value that comes next in `reader`."""
        begin = reader.position
        if self._characters < HELD_CHARACTERS:
            self._first.append(reader.value())
            self._characters += reader.position - begin
            return
        if self._rest is None:
            self._rest = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self._rest.write((b"," if self._rest.tell() else b"[") + reader.raw().encode())

    def __iter__(self) -> Iterator[Any]:
        yield from self._first
        if self._rest is None:
            return
        self._rest.write(b"]")
        self._rest.seek(0)
        reader = JsonReader(self._rest)
        for _ in reader.elements():
            yield reader.value()

    @property
    def is_empty(self) -> bool:
        """Whether nothing was kept."""
        return not self._first

    def close(self) -> None:
        """Give the temporary file back."""
        if self._rest is not None:
            self._rest.close()
