"""A check of every answer to a made-up request: nothing of another taxpayer stands in it."""

from __future__ import annotations

from typing import Any

import schemathesis

CANARY = "CANARY"
"""Stands in everything of the taxpayer that the tokens have nothing to do with."""


@schemathesis.check
def tells_nothing_of_others(_context: Any, response: Any, _case: Any) -> None:  # noqa: ANN401 - the tool's own
    """Fail where a canary sings."""
    assert CANARY.encode() not in response.content, "the answer tells of another taxpayer"
