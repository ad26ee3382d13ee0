"""Changes to a file that keep it a file: values, keys and parts of JSON, and now and then its bytes."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass

NUMBERS = (
    *("0", "-0", "-0.0", "-0.00", "0.001", "0.005", "1e-2", "1e2", "1E+30", "1e31", "1e999", "-1e999", "1e-999"),
    *("99999999999.99", "100000000000", "9999999999999.99", "10000000000000", "9" * 64, "9" * 65, "9" * 4301),
    *("1." + "0" * 62, "0." + "0" * 40 + "1", "NaN", "Infinity", "-Infinity", "9223372036854775808", "4294967296"),
)
TEXTS = (
    *("", " ", "-", "null", "0", "1e999", "\\u0000", "\x1f", "\x7f", "\x85", "\u202e", "\u2066", "\ufeff", "\u200b"),
    *(
        "\ud800",
        "\udfff",
        "\uffff",
        "\U0001f600",
        "é" * 300,
        "x" * 70_000,
        "१२३",
        "\uff11\uff12",
        "ß",
        "ﬁ",
        "İ",
        "=1+1",
        "@x",
    ),
    *("29AAFCK0000M1ZQ", "29aafck0000m1zq", "07AABCU9603R1ZX", "29AAFCK0000M1Z", "99AAFCK0000M1ZQ", "000000000000000"),
    *("31-02-2026", "29-02-2025", "01-01-0001", "31-12-9999", "00-00-0000", "1-1-26", "2026-10-05", "05-Oct-2026"),
    *("102026", "132026", "000000", "092024", "Q3-2026-27", "10/2026", "2026-27", "OCTOBER", "R", "N", "Y", "A", "P"),
    *("9999999999999.99", "1,00,000.00", "(180.00)", "₹ 5", "+1", "1.005", "२", "1_000", "0x10", "1e400", "--1", "⅔"),
    *("2026-11-01T06:00:00+05:30", "2026-11-01T06:00:00+23:59", "0001-01-01T00:00:00+14:00", "2026-W44-1T00Z", "24:00"),
)
"""What readers stumble over: a text, as JSON has to escape it or not."""


@dataclass(frozen=True, slots=True)
class Written:
    """A number as it stands in the text, whatever Python makes of it."""

    text: str


class Pairs(list[tuple[str, object]]):
    """An object, of which a key may stand twice."""


Node = object
Change = Callable[[random.Random, Node, Sequence[Node]], Node]


def parse(text: str) -> Node:
    """Return what a JSON text says, numbers as they are written. Raises ValueError and RecursionError."""
    return json.loads(text, object_pairs_hook=Pairs, parse_float=Written, parse_int=Written, parse_constant=Written)


def write(node: Node, *, escaped: bool = True) -> str:
    """Return the JSON text of what `parse` gave."""
    if isinstance(node, Written):
        return node.text
    if isinstance(node, Pairs):
        inside = (f"{json.dumps(key, ensure_ascii=escaped)}:{write(value, escaped=escaped)}" for key, value in node)
        return "{" + ",".join(inside) + "}"
    if isinstance(node, list):
        return "[" + ",".join(write(value, escaped=escaped) for value in node) + "]"
    return json.dumps(node, ensure_ascii=escaped)


def mutate(data: bytes, seed: int, others: Sequence[Node]) -> bytes | None:
    """Return a JSON text with one to four of its parts changed, or None for bytes that are none or nest too deep.

    `others` are files parts are taken from.
    """
    chance = random.Random(seed)  # noqa: S311 - the same seed finds the same again
    try:
        root = parse(data.decode())
        for _ in range(chance.randint(1, 4)):
            root = _changed(chance, root, others)
        return write(root, escaped=chance.random() < 0.7).encode("utf-8", "surrogatepass")
    except (ValueError, RecursionError):
        return None


def _changed(chance: random.Random, root: Node, others: Sequence[Node]) -> Node:
    """Change one node somewhere below the root, or the root itself."""
    holder, at, node = None, 0, root
    while isinstance(node, list) and node and chance.random() < 0.9:
        holder, at = node, chance.randrange(len(node))
        node = holder[at][1] if isinstance(holder, Pairs) else holder[at]
    if holder is None:
        return _value(chance, root, others)
    if chance.random() < 0.25:
        _around(chance, holder, at)
        return root
    fresh = _value(chance, node, others)
    if isinstance(holder, Pairs):
        holder[at] = (holder[at][0], fresh)
    else:
        holder[at] = fresh
    return root


def _around(chance: random.Random, holder: list[object], at: int) -> None:
    """Take a member away, put it in once more, move it, or give it another name."""
    what = chance.randrange(4)
    if what == 0:
        del holder[at]
    elif what == 1:
        holder.insert(chance.randrange(len(holder) + 1), deepcopy(holder[at]))
    elif what == 2 or not isinstance(holder, Pairs):
        holder.insert(chance.randrange(len(holder)), holder.pop(at))
    else:
        holder[at] = (chance.choice((chance.choice(holder)[0], chance.choice(TEXTS), "data")), holder[at][1])


def _value(chance: random.Random, node: Node, others: Sequence[Node]) -> Node:
    """Return something else in a node's place."""
    what = chance.randrange(10)
    if what < 3:
        return Written(chance.choice(NUMBERS))
    if what < 6:
        return _text(chance, node)
    if what == 6:
        return chance.choice((None, True, False, [], Pairs(), [[]], [None], Pairs([("", None)])))
    if what == 7 and others:
        return deepcopy(_somewhere(chance, chance.choice(others)))
    if what == 8:
        return _deep(chance, node)
    return str(node.text) if isinstance(node, Written) else Written(node) if _is_number(node) else [node]


def _is_number(node: Node) -> bool:
    return isinstance(node, str) and node.isascii() and node.isdigit()


def _text(chance: random.Random, node: Node) -> str:
    if not isinstance(node, str) or not node or chance.random() < 0.4:
        return chance.choice(TEXTS)
    at = chance.randrange(len(node))
    put = chance.choice((chance.choice(TEXTS)[:3], chr(chance.randrange(0x300)), node[at].swapcase(), ""))
    return node[:at] + put + node[at + chance.randrange(2) :]


def _somewhere(chance: random.Random, node: Node) -> Node:
    while isinstance(node, list) and node and chance.random() < 0.8:
        node = chance.choice(node)
        node = node[1] if isinstance(node, tuple) else node
    return node


def _deep(chance: random.Random, node: Node) -> Node:
    for _ in range(chance.choice((1, 5, 60))):
        node = [node] if chance.random() < 0.5 else Pairs([("data", node)])
    return node
