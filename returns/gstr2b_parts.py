"""A version of GSTR-2B in parts, where it holds too many documents for one answer to a program (formats 7)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from ims_portal import calendar, large_answers
from ims_portal.large_answers import Part
from ims_portal.models import Taxpayer
from returns import gstr2b_json, gstr2b_rows
from returns.models import Gstr2b

KIND = "gstr2b-parts"


def asked(statement: Gstr2b) -> dict[str, int]:
    """Return what a request for parts says: of which month and version."""
    return {"month": statement.month, "version": statement.version}


def write(taxpayer: Taxpayer, told: Mapping[str, Any], at: datetime) -> Iterator[Part]:  # noqa: ARG001 a version never changes
    """Yield a statement in parts that each are an answer of GET2B; all its sums stand in the last."""
    statement = Gstr2b.objects.get(recipient=taxpayer, month=told["month"], version=told["version"])
    parts = gstr2b_json.in_parts(
        gstin=taxpayer.gstin,
        period=calendar.filer(taxpayer).period(statement.month).wire,
        made_on=statement.as_of,
        chunks=large_answers.chunks(gstr2b_rows.of(statement)),
    )
    for count, data in parts:
        yield Part(count, (json.dumps(gstr2b_json.envelope(data), ensure_ascii=False, separators=(",", ":")),))
