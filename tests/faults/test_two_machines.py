"""Web and a worker on each of two machines, before one database and one broker: they share the work."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos.machines import NOT_ALLOWED

PROJECT = Path(__file__).resolve().parents[2]


@pytest.mark.fault
def test_two_machines_share_the_work_and_see_the_same() -> None:
    command = [sys.executable, "-m", "tests.chaos.machines"]
    played = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    if played.returncode == NOT_ALLOWED:
        pytest.skip(f"no networks may be made here: {played.stdout.strip()}")
    assert played.returncode == 0, played.stdout + played.stderr
    print(played.stdout)
