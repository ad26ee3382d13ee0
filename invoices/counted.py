"""What statements made of a record, for rules that ask: the room that makes statements names it when it starts.

As jobs name their tasks and homes their tiles; nothing here imports that room.
"""

from __future__ import annotations

_lines: list[str] = []


def serve(lines: str) -> None:
    """Name the SELECT of every line any statement ever held.

    Its columns: recipient_id, record_id, month, is_newest (of its period), is_available, and the credit per head, in
    paise, negative where it reduces.
    """
    _lines[:] = [lines]


def lines() -> str:
    """Return that SELECT, to be joined in brackets."""
    return _lines[0]
