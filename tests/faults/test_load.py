"""The load driver, small and short: it signs in, reads, decides and does the heavy work, and loses nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
SMALL = ("--rows=2000", "--tail=6", "--users=6", "--rate=8", "--seconds=8", "--invoices=200")
ASKED_OF_ALL = {"list, first page", "one record", "inward summary"}


@pytest.mark.fault
def test_a_short_load_reads_acts_works_and_loses_nothing(tmp_path: Path) -> None:
    told = tmp_path / "told.json"
    command = [sys.executable, "-m", "tests.load", *SMALL, f"--json={told}"]
    played = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert played.returncode == 0, played.stdout + played.stderr
    found = json.loads(told.read_text())
    counts = {line["name"]: line["count"] for line in found["lines"]}
    assert counts.keys() >= ASKED_OF_ALL
    assert counts["ALL reads"] > 0
    assert counts["ALL single actions"] > 0
    assert counts["ALL reads, hot GSTIN"] > 0
    assert not [status for status in found["errors"] if status.startswith("5") and status != "503"]
    assert (found["broken"], found["driver"], found["unexplained"]) == ([], [], [])
    assert found["acknowledged"]["actions"] > 0
    assert all(found["jobs"][kind] for kind in ("compute GSTR-2B", "export to Excel", "ingest GSTR-1"))
    assert found["cpu_seconds"]["web"] > found["cpu_seconds"]["driver"] > 0
