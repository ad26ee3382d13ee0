"""The live portal that programs race at, and what is looked at after each race."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.races.over_http import Portal


@pytest.fixture
def portal(
    nothing_under_way: None,  # noqa: ARG001 - the database is emptied when all answers are in
    lasting_web: Callable[[], str],
) -> Iterator[Portal]:
    """A live gunicorn of several processes and threads on 12 November 2025; what must hold is looked at in the end."""
    found = Portal(lasting_web())
    found.stand_at("2025-11-12")
    yield found
    found.check()
