"""The calendar is what RFC 5545 asks for: lines by octets, CRLF, escaping, all-day events that keep their name."""

from __future__ import annotations

from datetime import date

import pytest

from ims_portal import ics
from ims_portal.ics import Event
from tests import factories

DECEMBER = Event(
    "lapses-202510-27AAACR5055K1Z7@ims-portal.invalid",
    date(2025, 12, 20),
    "Pending of 2 records of GSTR-2B 10/2025 lapses",
    "If you do nothing, they count; as accepted.",
    "https://portal.example/en/t/27AAACR5055K1Z7/ims/deadlines/",
)


def unfolded(*events: Event, name: str = "Deadlines", on: str = "2025-11-12 23:30") -> list[str]:
    found = ics.calendar(name=name, events=events, at=factories.at(on), language="en")
    return found.decode().replace("\r\n ", "").split("\r\n")


def test_every_line_ends_with_crlf_and_no_other_break_stands_in_it() -> None:
    found = ics.calendar(name="a\nb", events=[DECEMBER], at=factories.at("2025-11-12"), language="en")
    assert found.endswith(b"END:VCALENDAR\r\n")
    assert b"\n" not in found.replace(b"\r\n", b"")
    assert b"NAME:a\\nb\r\n" in found


def test_an_event_is_a_whole_indian_day_told_in_utc() -> None:
    lines = unfolded(DECEMBER)
    assert "DTSTART;VALUE=DATE:20251220" in lines
    assert "DTEND;VALUE=DATE:20251221" in lines
    assert "DTSTAMP:20251112T180000Z" in lines
    assert f"UID:{DECEMBER.uid}" in lines
    assert f"URL:{DECEMBER.url}" in lines


def test_words_are_escaped() -> None:
    assert "DESCRIPTION:If you do nothing\\, they count\\; as accepted." in unfolded(DECEMBER)
    assert ics.text("a\\b;c,d\r\ne\x07f") == "a\\\\b\\;c\\,d\\ne f"


@pytest.mark.parametrize("word", ["x" * 200, "₹" * 60, "हिन्दी " * 30])
def test_lines_are_folded_at_75_octets_and_never_within_a_character(word: str) -> None:
    folded = ics.fold(f"SUMMARY:{word}")
    pieces = folded.removesuffix(b"\r\n").split(b"\r\n")
    assert len(pieces) > 1
    assert all(len(piece) <= 75 for piece in pieces)
    assert all(piece.startswith(b" ") for piece in pieces[1:])
    assert all(piece.decode() for piece in pieces)
    assert b"".join([pieces[0], *(piece[1:] for piece in pieces[1:])]).decode() == f"SUMMARY:{word}"


def test_a_line_of_exactly_75_octets_stays_whole() -> None:
    assert ics.fold("x" * 75) == b"x" * 75 + b"\r\n"
    assert ics.fold("x" * 76) == b"x" * 75 + b"\r\n x\r\n"


def test_blocks_are_closed_in_order_and_a_calendar_is_never_empty() -> None:
    for events in ([], [DECEMBER, DECEMBER]):
        stack = []
        for line in unfolded(*events):
            if line.startswith("BEGIN:"):
                stack.append(line.removeprefix("BEGIN:"))
            elif line.startswith("END:"):
                assert stack.pop() == line.removeprefix("END:")
        assert stack == []
    assert "BEGIN:VTIMEZONE" in unfolded()
