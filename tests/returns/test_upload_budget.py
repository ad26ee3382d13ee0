"""A large GSTR-1 is ingested by a process that hardly grows; `manage.py measure_upload` measures it at 100 MB."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from returns import upload_budget

LINUX = pytest.mark.skipif(not upload_budget.STATUS.exists(), reason="not run: only Linux tells a process's peak here")
SIZE, LITTLE = 12, 40
"""MB of a file that takes some 80 MB once it is Python objects, and MB the process may grow by."""


@LINUX
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("half_broken", [False, True])
def test_a_return_is_read_checked_and_stored_in_flat_memory(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *, half_broken: bool
) -> None:
    monkeypatch.setattr(upload_budget, "MOST_GROWTH", LITTLE)
    call_command("measure_upload", megabytes=SIZE, half_broken=half_broken)
    told = capsys.readouterr().out
    assert f"{SIZE} MB of GSTR-1: " in told
    assert ("19475 documents stored, 19475 refused" in told) is half_broken
    assert ("38950 documents stored, 0 refused" in told) is not half_broken


@LINUX
@pytest.mark.django_db(transaction=True)
def test_a_process_that_grows_too_much_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_budget, "MOST_GROWTH", -1)
    with pytest.raises(CommandError, match="grew too much") as stopped:
        call_command("measure_upload", megabytes=2)
    assert stopped.value.returncode == 1


@pytest.mark.django_db
def test_uploads_are_measured_beside_a_sandbox_only(settings: object) -> None:
    settings.IMS_SANDBOX = False
    with pytest.raises(CommandError, match="beside a sandbox"):
        call_command("measure_upload")
