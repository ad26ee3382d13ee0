"""Deadlines as a calendar other programs subscribe to (RFC 5545, RFC 7986): days and words in, text out.

Written here because it is a handful of lines; `tests/ims_portal/test_ics.py` holds them to the standard.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

LONGEST_LINE = 75
"""Octets of a line, its break not counted (RFC 5545 3.1)."""
REFRESHED = "PT6H"
CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f]")
INDIAN_TIME = (
    "BEGIN:VTIMEZONE",
    "TZID:Asia/Kolkata",
    "BEGIN:STANDARD",
    "DTSTART:19700101T000000",
    "TZOFFSETFROM:+0530",
    "TZOFFSETTO:+0530",
    "TZNAME:IST",
    "END:STANDARD",
    "END:VTIMEZONE",
)
"""Days here are Indian days; and a calendar without any deadline must hold one component at least."""


@dataclass(frozen=True, slots=True)
class Event:
    """One deadline: an all-day event. `uid` is the same for as long as it is the same deadline, whatever its day."""

    uid: str
    on: date
    summary: str
    description: str
    url: str


def calendar(*, name: str, events: Iterable[Event], at: datetime, language: str) -> bytes:
    """Return a calendar of all-day events, told at a moment, in UTF-8 with lines folded and ended as the RFC wants."""
    stamp = at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:-//IMS Portal//Deadlines//{language.upper()}",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"NAME:{text(name)}",
        f"X-WR-CALNAME:{text(name)}",
        f"REFRESH-INTERVAL;VALUE=DURATION:{REFRESHED}",
        f"X-PUBLISHED-TTL:{REFRESHED}",
        *INDIAN_TIME,
    ]
    for event in events:
        lines += [
            "BEGIN:VEVENT",
            f"UID:{text(event.uid)}",
            f"DTSTAMP:{stamp}",
            f"DTSTART;VALUE=DATE:{event.on:%Y%m%d}",
            f"DTEND;VALUE=DATE:{event.on + timedelta(days=1):%Y%m%d}",
            f"SUMMARY:{text(event.summary)}",
            f"DESCRIPTION:{text(event.description)}",
            f"URL:{event.url}",
            "CLASS:PRIVATE",
            "TRANSP:TRANSPARENT",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return b"".join(fold(line) for line in lines)


def text(value: str) -> str:
    """Return words as a property's value of type TEXT: commas, semicolons, backslashes and line breaks escaped."""
    plain = CONTROLS.sub(" ", value.replace("\r\n", "\n"))
    return plain.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def fold(line: str) -> bytes:
    """Return a line broken into pieces of at most 75 octets, never within a character, each ended by CRLF."""
    pieces, piece = [], b""
    for character in line:
        octets = character.encode()
        if len(piece) + len(octets) > LONGEST_LINE:
            pieces.append(piece)
            piece = b" "
        piece += octets
    return b"\r\n".join([*pieces, piece]) + b"\r\n"
