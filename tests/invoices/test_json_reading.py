"""Walking through JSON of any size, and refusing what no reader could trust."""

import io
import json
import time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoices import json_reading
from invoices.json_reading import Held, JsonReader, UnreadableFileError

ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.decimals(-(10**9), 10**9, places=3)
    | st.text(
        st.characters(
            exclude_categories=["Cc", "Cs"], exclude_characters="\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
        )
    ),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abc"), inner),
    max_leaves=20,
)


class Dribble(io.BytesIO):
    """A stream that gives a few bytes at a time."""

    step = 1

    def read(self, size: int | None = -1) -> bytes:
        """Return less than was asked for."""
        return super().read(min(size or 0, self.step))


def whole(data: bytes, stream: type[io.BytesIO] = io.BytesIO) -> Any:  # noqa: ANN401
    """Return the one value in `data`."""
    reader = JsonReader(stream(data))
    value = reader.value()
    reader.end()
    return value


def walked(data: bytes, stream: type[io.BytesIO] = io.BytesIO) -> None:
    """Pass over the one value in `data`."""
    reader = JsonReader(stream(data))
    reader.skip()
    reader.end()


def refusal(data: bytes) -> str:
    """Return the code `data` is refused with, whichever way it is read."""
    found = set()
    for way in (whole, walked):
        for stream in (io.BytesIO, Dribble):
            with pytest.raises(UnreadableFileError) as refused:
                way(data, stream)
            found.add(refused.value.problem.code)
    (code,) = found
    return code


UNREADABLE = {
    "empty": b"",
    "white space": b" \n",
    "cut short": b'{"a":[1,2',
    "cut in a text": b'{"a":"x',
    "bare word": b"hello",
    "trailing garbage": b'{"a":1} x',
    "two objects": b'{"a":1}{"b":2}',
    "trailing comma": b'{"a":1,}',
    "comma in a list": b"[1,]",
    "single quotes": b"{'a':1}",
    "comment": b'{"a":1 /* one */}',
    "leading zero": b'{"a":01}',
    "lone minus": b'{"a":-}',
    "NaN": b'{"a":NaN}',
    "Infinity": b'{"a":[Infinity]}',
    "minus Infinity": b'{"a":-Infinity}',
    "1e999": b'{"a":1e999}',
    "1e-999": b'{"a":1e-999}',
    "endless exponent": b'{"a":1e' + b"9" * 50 + b"}",
    "giant number": b'{"a":' + b"9" * 5000 + b"}",
    "long fraction": b'{"a":0.' + b"1" * 5000 + b"}",
    "raw control character": b'{"a":"\x01"}',
    "escaped control character": b'{"a":"\\u0000"}',
    "tab": b'{"a":"\t"}',
    "escaped line break": b'{"a":"x\\ny"}',
    "delete": b'{"a":"\x7f"}',
    "C1 control": '{"a":"\x85"}'.encode(),
    "lone surrogate": b'{"a":"\\ud800"}',
    "lone low surrogate": b'{"a":"\\udc00"}',
    "surrogate in a key": b'{"\\ud800":1}',
    "surrogate bytes": b'{"a":"\xed\xa0\x80"}',
    "bidi override": '{"a":"\u202eabc"}'.encode(),
    "escaped bidi override": b'{"a":{"b":["\\u202e"]}}',
    "latin-1": b'{"a":"\xe9"}',
    "utf-16": '{"a":1}'.encode("utf-16"),
    "utf-16 without mark": '{"a":1}'.encode("utf-16-le"),
    "cut in a character": b'{"a":1} ' + b"\xe2\x82",
    "nested too deep": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"a":' * 100_000,
}


@pytest.mark.parametrize("data", UNREADABLE.values(), ids=UNREADABLE)
def test_a_broken_or_dangerous_text_is_refused_whole(data: bytes) -> None:
    assert refusal(data) == "APP-F01"


@pytest.mark.parametrize(
    "data", [b'{"a":1,"a":1}', b'{"x":[{"a":1,"b":2,"a":3}]}', b'{"a":1,"\\u0061":2}', b'[[[[[[{"a":{},"a":{}}]]]]]]']
)
def test_a_key_that_stands_twice_is_refused_at_any_depth(data: bytes) -> None:
    assert refusal(data) == "APP-F02"


def test_a_key_that_stands_twice_is_found_at_once_among_very_many() -> None:
    keys = b",".join(b'"k%d":0' % number for number in range(100_000))
    begun = time.monotonic()
    with pytest.raises(UnreadableFileError) as refused:
        whole(b'{"x":[{' + keys + b',"k99999":0}]}')
    assert refused.value.problem.code == "APP-F02"
    assert time.monotonic() - begun < 5


def test_the_refusal_says_where_and_what_to_do() -> None:
    with pytest.raises(UnreadableFileError) as refused:
        whole(b'{"a":1,"a":1}')
    assert refused.value.problem.message == (
        "The file cannot be read: the key “a” stands twice in one object, at or after character 1. "
        "Nothing of it was kept. Export the file again from the program that made it."
    )


def test_a_message_never_repeats_an_endless_or_hostile_key() -> None:
    key = b"\\ud800" + b"k" * 1000
    with pytest.raises(UnreadableFileError) as refused:
        whole(b'{"' + key + b'":1,"' + key + b'":1}')
    assert len(refused.value.problem.message.encode()) < 400


def test_a_byte_order_mark_is_accepted() -> None:
    assert whole(b'\xef\xbb\xbf{"a":1}') == whole(b'\xef\xbb\xbf{"a":1}', Dribble) == {"a": 1}


def test_numbers_are_exact() -> None:
    value = whole(b"[0.1, 1e2, 123456789012345678901234567890]")
    assert value == [Decimal("0.1"), Decimal(100), 123456789012345678901234567890]
    assert not any(isinstance(number, float) for number in value)


def test_a_pair_of_surrogates_is_one_character() -> None:
    assert whole(b'"\\ud83d\\ude00"', Dribble) == "\N{GRINNING FACE}"


@given(ANY_JSON, st.integers(1, 5))
def test_any_json_is_read_alike_in_one_piece_and_in_crumbs(value: object, step: int) -> None:
    data = json.dumps(value, default=str, ensure_ascii=step % 2 == 0).encode()
    crumbs = type("Crumbs", (Dribble,), {"step": step})
    expected = json.loads(data, parse_float=Decimal)
    if "\\u" not in data.decode():
        assert whole(data) == whole(data, crumbs) == expected
        walked(data, crumbs)


@pytest.mark.parametrize("number", ["1.5", "1.25e+2", "-1e-3", "12345.75", "10E5"])
def test_a_number_across_the_edge_of_a_chunk_is_not_cut(number: str) -> None:
    reader = JsonReader(Dribble(f'{{"a":{number},"b":[{number}]}}'.encode()))
    found = [(key, reader.value()) for key in reader.keys_of_object()]
    assert found == [("a", Decimal(number)), ("b", [Decimal(number)])]


@given(st.binary(max_size=200))
def test_no_bytes_whatever_raise_anything_else(data: bytes) -> None:
    for way in (whole, walked):
        try:
            way(data)
        except UnreadableFileError as refused:
            assert refused.problem.code in ("APP-F01", "APP-F02")  # noqa: PT017


def test_held_values_come_back_in_order_from_memory_and_disk() -> None:
    texts = [f"{number}-" + "é" * 1000 for number in range(2500)]
    assert sum(map(len, texts)) > 2 * json_reading.HELD_CHARACTERS
    reader, held = JsonReader(io.BytesIO(json.dumps(texts, ensure_ascii=False).encode())), Held()
    for _ in reader.elements():
        held.take(reader)
    assert list(held) == texts
    held.close()
