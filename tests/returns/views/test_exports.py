"""The pages of files: asked for by a button, told how far they are, taken by who may."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest

from ims_portal import clock
from returns import exports
from returns.models import Export
from tests import factories
from tests.returns.views.conftest import Desk

PAGE = "exports/"
BY_HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> None:  # noqa: ANN401 pytest-django's settings
    """Keep files out of the way."""
    settings.IMS_EXPORT_DIR = str(tmp_path)


def ask(desk: Desk, role: str = "viewer", **fields: str) -> Any:  # noqa: ANN401 a test client's answer
    """Ask for the workbook of the computed statement, or for something else."""
    return desk.post(PAGE, role, **({"kind": "gstr2b-xlsx", "month": "202510", "version": "1"} | fields))


def test_a_viewer_asks_for_a_file_and_takes_it(computed: Desk) -> None:
    page = computed.get("returns/102025/gstr2b/").content.decode()
    assert "Download Excel" in page
    answer = ask(computed)
    assert answer.status_code == 303
    waiting = computed.as_("viewer").get(answer["Location"]).content.decode()
    assert "Waiting" in waiting
    assert 'hx-trigger="every 2s"' in waiting
    export = Export.objects.get()
    exports.write(export=export, clock=clock.portal())
    part = computed.as_("viewer").get(answer["Location"], headers=BY_HTMX)
    assert part.status_code == 286
    assert export.sha256 in part.content.decode()
    assert "<html" not in part.content.decode()
    listed = computed.get(PAGE, "viewer").content.decode()
    assert export.file_name in listed
    taken = computed.as_("viewer").get(f"{answer['Location']}file")
    assert taken["Content-Disposition"] == f'attachment; filename="{export.file_name}"'
    assert taken["Content-Type"] == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    assert taken["X-Content-Type-Options"] == "nosniff"
    assert b"".join(taken.streaming_content) == Path(export.path).read_bytes()


def test_a_file_is_nobody_else_s_and_not_for_ever(computed: Desk) -> None:
    address = ask(computed)["Location"]
    exports.write(export=Export.objects.get(), clock=clock.portal())
    other = factories.taxpayer(gstin=factories.SUPPLIER)
    foreign = address.replace(computed.taxpayer.gstin, other.gstin)
    assert computed.as_("viewer").get(foreign).status_code == 404
    assert computed.get(f"{PAGE}{uuid.uuid4()}/file", "viewer").status_code == 404
    computed.today("2025-11-24")
    for each in (address, f"{address}file"):
        assert computed.as_("viewer").get(each).status_code == 404


def test_a_file_that_is_gone_from_the_disk_is_not_there(computed: Desk) -> None:
    address = ask(computed)["Location"]
    export = Export.objects.get()
    exports.write(export=export, clock=clock.portal())
    Path(export.path).unlink()
    assert computed.as_("viewer").get(f"{address}file").status_code == 404


@pytest.mark.parametrize("wrong", [{"kind": "everything"}, {"month": "October"}, {"version": "1; DROP"}])
def test_what_no_page_sends_is_refused(computed: Desk, wrong: dict[str, str]) -> None:
    assert ask(computed, **wrong).status_code == 409
    assert not Export.objects.exists()


def test_what_there_is_not_is_said(computed: Desk) -> None:
    answer = ask(computed, version="7")
    assert answer.status_code == 409
    assert "There is no such version of GSTR-2B" in answer.content.decode()


def test_failure_is_told_with_its_cause(computed: Desk) -> None:
    address = ask(computed)["Location"]
    Export.objects.update(state=Export.State.FAILED, problem="Sheet B2B would have more rows than Excel can read.")
    page = computed.as_("viewer").get(address).content.decode()
    assert "more rows than Excel can read" in page
    assert "No file was made" in page
