"""The program of the README, run as it stands there against a running portal and a worker."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from invoices.models import Record
from returns.models import Gstr2b
from tests import factories
from tests.api.client import token

README = Path(__file__).resolve().parents[2] / "README.md"
LINES = 40


def program() -> str:
    """Return the README's program."""
    return README.read_text().split("```python\n")[1].split("```")[0]


@pytest.mark.django_db(transaction=True)
def test_the_readme_s_program_looks_acts_polls_and_computes(
    start_web: Callable[[], str], start_worker: Callable[[], object], tmp_path: Path
) -> None:
    factories.filed(factories.document(number="INV1", tax=18000), factories.document(number="INV2", tax=900))
    asha = factories.member(factories.taxpayer(), "signatory", "asha")
    start_worker()
    text = program()
    assert text.count("\n") <= LINES
    for theirs, ours in (
        ("http://localhost:8000", start_web()),
        ("29AAKCT0000P1Z6", factories.RECIPIENT),
        ("imsp_…", token(asha, factories.RECIPIENT)),
        ("2b/102026", "2b/102025"),
    ):
        assert theirs in text
        text = text.replace(theirs, ours)
    path = tmp_path / "client.py"
    path.write_text(text)
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split()[1] for line in done.stdout.splitlines()[:2]] == ["ok", "ok"]
    assert {record.action for record in Record.objects.all()} == {"A"}
    assert done.stdout.splitlines()[-1] == str(Gstr2b.objects.get().version)
