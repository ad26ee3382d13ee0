"""A check of every answer to a made-up request: nothing of another taxpayer stands in it. And how many there were."""

from __future__ import annotations

import atexit
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import quote

import schemathesis

CANARY = "CANARY"
"""Stands in everything of the taxpayer that the tokens have nothing to do with."""


@schemathesis.check
def tells_nothing_of_others(_context: Any, response: Any, _case: Any) -> None:  # noqa: ANN401 - the tool's own
    """Fail where a canary sings."""
    assert CANARY.encode() not in response.content, "the answer tells of another taxpayer"


LONGEST_ADDRESS = 3_000
"""Characters; a longer request line is refused by the server in front of the portal, in words of its own."""


@schemathesis.hook
def filter_case(_context: Any, case: Any) -> bool:  # noqa: ANN401 - the tool's own
    """Leave out addresses the portal never gets to see."""
    told = [*(case.path_parameters or {}).values(), *(case.query or {}).items()]
    return len(quote(str(told))) < LONGEST_ADDRESS


COUNTED: Counter[str] = Counter()
"""How many requests each status answered."""
TOLD_EVERY = 500
"""Requests after which the counts are written down, for a run that is ended early."""
_slowest = 0.0


@schemathesis.hook
def after_call(_context: Any, _case: Any, response: Any) -> None:  # noqa: ANN401 - the tool's own
    """Count an answer by its status, and remember how long the longest took."""
    global _slowest  # noqa: PLW0603 - one process, one run
    COUNTED[str(response.status_code)] += 1
    _slowest = max(_slowest, response.elapsed)
    if COUNTED.total() % TOLD_EVERY == 0:
        _tell()


@atexit.register
def _tell() -> None:
    if os.environ.get("IMS_FUZZ_COUNTS"):
        told = {"statuses": dict(COUNTED), "slowest": _slowest}
        Path(os.environ["IMS_FUZZ_COUNTS"]).write_text(json.dumps(told))
