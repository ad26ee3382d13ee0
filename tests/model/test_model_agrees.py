"""The application and the model of the law answer alike for random histories, line by line.

IMS_MODEL_SEED tries other worlds: the first of the seeds, 1 where it is not given. `make thorough` plays all of them,
`make test` the first third.
"""

from __future__ import annotations

import ast
import os
import sys
import traceback
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from random import Random

import pytest
from django.db import connection

from returns import verify
from tests import depth
from tests.model import histories, law_model
from tests.model.histories import History, World
from tests.model.play_both import Both, Play

WORLDS = 12 if depth.IS_THOROUGH else 4
HISTORIES = {2: 260, 3: 150, 4: 100, 5: 80}
"""Months of a world -> histories that share it: long ones cost more."""
FIRST_SEED = int(os.environ.get("IMS_MODEL_SEED", "1"))
AT_LEAST, A_HANDFUL = (2000, 5) if depth.IS_THOROUGH else (590, 1)
MUST_OCCUR = (
    *(f"line {placement}" for placement in ("available ", "rejected ", "reversal ", "not_available P")),
    *("line not_available C", "superseded", "carried over", "carried over past the time limit", "lapsed"),
    *("acts on the last day of Pending", "acts on the day after"),
    *("add-back", "refiled after add-back"),
    *(f"part {part}" for part in ("A_I", "A_II", "A_III", "A_IV", "B_I", "B_II", "B_III")),
    *(f"kind K{number}" for number in range(1, 11)),
    *("K2 AF", "K2 AP", "K2 AN", "K2 P", "K2 R", "K4 AP", "K4 P", "K4 R", "K6 P", "K6 R", "K7 R", "K8 P", "K10 AP"),
    *("RECORD_NOT_IN_IMS", "RECORD_FROZEN", "RECORD_SUPERSEDED", "AMENDMENT_NOT_FILED", "ORIGINAL_NOT_SETTLED"),
    *("REJECT_NOT_ALLOWED", "PENDING_BLOCKED", "PENDING_EXPIRED", "ITC_REDUCTION_ONLY_ON_ACCEPT"),
    *("ITC_REDUCTION_BLOCKED", "ITC_REDUCTION_REQUIRED", "DECLARED_NEGATIVE", "DECLARED_ZERO"),
    *("DECLARED_EXCEEDS_DOCUMENT", "CGST_SGST_MISMATCH", "REMARKS_BLOCKED", "REMARKS_TOO_LONG"),
    *("REMARKS_NOT_ALLOWED", "REMARKS_REQUIRED"),
    *(f"compute {answer}" for answer in ("None", "NOTHING_CHANGED", "TOO_EARLY", "ALREADY_FILED")),
    *("compute PREVIOUS_3B_NOT_FILED", "3B ALREADY_FILED", "3B PREVIOUS_3B_NOT_FILED", "3B GSTR1_NOT_FILED"),
    *("3B GSTR2B_NOT_AVAILABLE", "3B RECOMPUTE_REQUIRED", "3B RCM_ITC_EXCEEDS_LIABILITY", "3B None"),
)
TOO_RARE = {"K4 AP", "K10 AP", "REMARKS_NOT_ALLOWED", "REMARKS_REQUIRED", "3B RCM_ITC_EXCEEDS_LIABILITY"}
"""What the first third of the worlds does not draw."""
SHRINKING_STEPS = 60
salts = count(FIRST_SEED + WORLDS)


def drawn(seed: int) -> tuple[World, list[History]]:
    rng = Random(seed)  # noqa: S311 a history, not a secret
    world = histories.world(rng, histories.STARTS[seed % len(histories.STARTS)])
    return world, [histories.history(rng, world, f"h{n}") for n in range(HISTORIES[world.months])]


def played(seed: int) -> tuple[int, Counter[str], list[int]]:
    """Play one world, in a process of its own: return how many were compared, what occurred, which differ."""
    connection.close()  # the one that came with the fork belongs to the parent
    try:
        play = Play(*drawn(seed), seed)
        differing = [at for at, both in enumerate(play.run()) if both.differences]
        assert [(one.check.name, one.count, one.offenders[:3]) for one in verify.broken(deep=True)] == []
        return len(play.all), play.seen, differing
    except Exception as stopped:  # noqa: BLE001 not every refusal can be sent from process to process
        raise RuntimeError(f"world {seed} stopped: {stopped!r}\n{traceback.format_exc()}") from None
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_application_and_model_agree_over_many_histories() -> None:
    seeds = range(FIRST_SEED, FIRST_SEED + WORLDS)
    connection.close()
    with ProcessPoolExecutor(2, mp_context=get_context("fork")) as pool:
        worlds = list(pool.map(played, seeds))
    failing = [(seed, at) for seed, (_count, _seen, differing) in zip(seeds, worlds, strict=True) for at in differing]
    assert not failing, f"{len(failing)} histories differ; the first, shrunk:\n{first_of(*failing[0])}"
    assert sum(compared for compared, _seen, _differing in worlds) >= AT_LEAST
    seen = sum((seen for _count, seen, _differing in worlds), Counter[str]())
    expected = set(MUST_OCCUR) - (set() if depth.IS_THOROUGH else TOO_RARE)
    assert {what: seen[what] for what in expected if seen[what] < A_HANDFUL} == {}


def test_the_model_stands_alone() -> None:
    tree = ast.parse(Path(law_model.__file__).read_text())
    imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    assert {name.split(".")[0] for name in imported} <= sys.stdlib_module_names
    assert not {"importlib", "builtins", "sys", "runpy"} & imported


def first_of(seed: int, at: int) -> str:
    """Return a history that differs, played alone and shrunk, in words."""
    world, all_ = drawn(seed)
    both = Play(world, [all_[at]], next(salts)).run()[0]
    return told(world, shrunk(world, both))


def shrunk(world: World, both: Both) -> Both:
    """Return a history that still differs with fewer papers and events."""
    for _ in range(SHRINKING_STEPS):
        smaller = (Play(world, [history], next(salts)).run()[0] for history in _smaller(both.history))
        found = next((again for again in smaller if again.differences), None)
        if found is None:
            return both
        both = found
    return both


def _smaller(history: History) -> Iterator[History]:
    yield from (history.without(paper=paper.ref) for paper in history.papers)
    yield from (history.without(event=at) for at in reversed(range(len(history.events))))


def told(world: World, both: Both) -> str:
    """Return a history in words: who, which papers, what was asked and answered, what differs."""
    used = {paper.supplier for paper in both.history.papers} - {""}
    forms = [
        f"{key}: {slot.form} {slot.period // 12}-{slot.period % 12 + 1:02d} saved {slot.saved_on} filed {slot.filed_on}"
        for key in sorted(used)
        for slot in world.suppliers[key].slots
    ]
    who = f"State {both.history.state}, {'quarterly' if both.history.is_quarterly else 'monthly'}"
    parts = ["papers:", *map(str, both.history.papers), "forms:", *forms, "what happened -> by the law:", *both.told]
    return "\n".join([who, *parts, "differences:", *both.differences])
