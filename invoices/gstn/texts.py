"""Bodies of returns: what is asked, and the text of its data, which has a reader of its own (formats 8.1)."""

from __future__ import annotations

import io
from collections.abc import Collection
from typing import Any

from rest_framework.exceptions import ParseError

from invoices.json_reading import JsonReader


def split(raw: bytes) -> tuple[str, str]:
    """Return the action of a body and the text of its data. Raises ParseError and UnreadableFileError."""
    reader, action, span = JsonReader(io.BytesIO(raw)), "", (0, 0)
    for key in reader.keys_of_object():
        if key == "action":
            action = str(reader.value())
        elif key == "data":
            reader.peek()
            begin = reader.position
            reader.skip()
            span = begin, reader.position
        else:
            reader.skip()
    reader.end()
    text = raw.decode("utf-8-sig")[slice(*span)]
    if not action or not text.startswith("{"):
        raise ParseError("The body needs an action, and data that is an object.")
    return action, text


def said(text: str | bytes, keys: Collection[str]) -> dict[str, Any]:
    """Return what an object says at its root, of some keys; everything else is passed over."""
    found = dict[str, Any]()
    reader = JsonReader(io.BytesIO(text if isinstance(text, bytes) else text.encode()))
    for key in reader.keys_of_object():
        if key in keys:
            found[key] = reader.value()
        else:
            reader.skip()
    return found


def code_of(raw: bytes) -> str:
    """Return the one-time code of a body that files: what stands behind the bar of `sid`."""
    sid = str(said(raw, ("sid",)).get("sid", ""))
    return sid.rpartition("|")[2] if "|" in sid else ""
