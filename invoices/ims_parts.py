"""The records of one section in parts, where they are too many for one answer to a program (formats 7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from ims_portal import large_answers
from ims_portal.large_answers import Part
from ims_portal.models import Taxpayer
from ims_portal.rules.sections import Section
from invoices import ims_json, ims_rows, standing
from invoices.filters import Filters
from invoices.ims_json import Dialect

KIND = "ims-parts"


def asked(section: Section, action: str) -> dict[str, str]:
    """Return what a request for parts says: the section, and the action its records stand at, "" for any."""
    return {"section": section.value, "status": action}


def write(taxpayer: Taxpayer, told: Mapping[str, Any], at: datetime) -> Iterator[Part]:
    """Yield the open records of a section, as they stand at a moment, in parts that each are an answer of GETINV."""
    wanted = Filters(sections=(Section(told["section"]),), action=told["status"])
    rows = ims_rows.of(taxpayer, standing.of(taxpayer, at), wanted, with_superseded=False)
    for few in large_answers.chunks(rows):
        yield Part(len(few), ims_json.written(few, recipient=taxpayer.gstin, dialect=Dialect.API))
