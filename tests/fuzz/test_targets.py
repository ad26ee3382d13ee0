"""What fuzzing found, and some of what it makes; the hours of it are run by hand (tests/fuzz/__main__.py)."""

from __future__ import annotations

import json
import random

import pytest

from tests.fuzz import mutation
from tests.fuzz.__main__ import SHARES
from tests.fuzz.targets import TARGETS

EXAMPLES = 150
"""Changed files each target reads here."""


def sheet(reader: int, *rows: list[object]) -> bytes:
    """Return rows of a sheet as the target of cells takes them."""
    return json.dumps([reader, rows]).encode()


FOUND = {
    "headings of GSTR-2B end with their first tier": (
        "cells",
        sheet(2, ["B2B", ["Invoice Details", "GSTIN of supplier"]]),
    ),
}


@pytest.mark.parametrize(("name", "data"), FOUND.values(), ids=FOUND)
def test_what_once_crashed_a_reader_is_read_or_refused(name: str, data: bytes) -> None:
    TARGETS[name].run(data)


def test_every_target_has_its_share_of_the_time() -> None:
    assert TARGETS.keys() == SHARES.keys()
    assert sum(SHARES.values()) == 1


@pytest.mark.parametrize("name", TARGETS)
def test_changed_files_are_read_or_refused(name: str) -> None:
    target, chance = TARGETS[name], random.Random(20261129)  # noqa: S311 - the same every time
    seeds = list(target.seeds())
    assert seeds
    for data in seeds:
        target.run(data)
    bare = [data[target.leading :] for data in seeds]
    others = [mutation.parse(text.decode()) for text in bare if target.is_json and text.startswith((b"{", b"["))]
    for number in range(EXAMPLES):
        data = chance.choice(seeds)
        changed = mutation.mutate(data[target.leading :], number, others)
        target.run(data[: target.leading] + (changed or bytes(reversed(data))))
