"""The bench measures every path it names, beside a naive way and a limit; whether it keeps a target is no test."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from returns import bench
from returns.bench import Measured, Target, everything

FIGURES = {"rows", "ours", "naive", "limit", "spread", "memory_mb", "beside", "misses"}


@pytest.mark.django_db(transaction=True)
def test_every_path_is_measured_in_a_world_of_its_own(tmp_path: Path) -> None:
    found = list(everything.run(size=1_500, rounds=1, only=set(everything.NAMES), folder=tmp_path))
    assert sorted(one.name for one in found) == sorted(everything.NAMES)
    for one in found:
        told = json.loads(json.dumps(one.as_json()))
        assert told.keys() == FIGURES
        assert min(one.rows, one.ours, one.naive, one.limit, one.memory_mb) > 0, one
    assert len(bench.table(found).splitlines()) >= len(found) + 1


def test_a_target_says_how_it_is_missed() -> None:
    targets = (Target("limit", 1.6), Target("naive", 10, is_least=True))
    slow = Measured("gstr2b", 10, ours=2.0, naive=12.0, limit=1.0, spread=1.0, memory_mb=1, targets=targets)
    assert slow.misses() == ["2.00 of limit, at most 1.6", "6.00 of naive, at least 10"]
    quick = Measured("gstr2b", 10, ours=1.0, naive=12.0, limit=1.0, spread=1.0, memory_mb=1, targets=targets)
    assert quick.misses() == []


@pytest.mark.django_db
def test_paths_are_measured_in_a_sandbox_only(settings: object) -> None:
    settings.IMS_SANDBOX = False
    with pytest.raises(CommandError, match="in a sandbox"):
        call_command("bench")
