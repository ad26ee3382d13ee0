"""A statement as the portal's JSON: the story, played from its files, exports what the samples hold, key by key."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ims_portal.clock import Fixed
from ims_portal.models import Taxpayer
from returns import demo, gstr2b, gstr2b_json, gstr2b_rows
from tests.returns import story

pytestmark = pytest.mark.django_db


def exported(recipient: Taxpayer, on: str) -> dict[str, Any]:
    """Return October's statement, computed at a moment, as its file holds it, read back from text."""
    at = Fixed(demo.moment(on))
    made = gstr2b.compute(taxpayer=recipient, period=story.OCTOBER, actor=None, clock=at).statement
    data = gstr2b_json.statement(
        gstin=recipient.gstin, period=story.OCTOBER.wire, made_on=made.as_of, rows=gstr2b_rows.of(made)
    )
    return json.loads(json.dumps(gstr2b_json.envelope(data)))


def sample(name: str) -> dict[str, Any]:
    """Return a sample of a statement."""
    return json.loads((story.DATA / name).read_text())


def in_order(found: Any) -> Any:  # noqa: ANN401 JSON
    """Return a file with its lists in one order: which supplier comes first says nothing."""
    if isinstance(found, dict):
        return {key: in_order(value) for key, value in found.items()}
    if isinstance(found, list):
        return sorted((in_order(one) for one in found), key=lambda one: json.dumps(one, sort_keys=True))
    return found


def test_the_story_s_statements_are_those_of_the_samples() -> None:
    recipient = story.told_so_far()
    draft = exported(recipient, "2026-11-14")
    assert in_order(draft["data"]) == in_order(sample("gstr2b.json")["data"])
    story.save(recipient, "2026-11-16")
    newer = exported(recipient, "2026-11-16 11:00")
    assert in_order(newer["data"]) == in_order(sample("gstr2b-recomputed.json")["data"])
