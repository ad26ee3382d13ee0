"""Pages stay within their size and their queries in a big world; `manage.py budgets` measures their time there too."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import django_htmx
import pytest
from django.core.management import CommandError, call_command

from ims_portal import clock
from invoices.models import ActionEvent
from returns import budgets
from returns.budgets import Budget, Measured

PROJECT = Path(__file__).resolve().parents[2]
ROWS = 2_500
FIRST_VISIT = 110_000
"""Bytes of assets a first visit in English may load (portal 8)."""


@pytest.mark.django_db
def test_every_page_keeps_its_size_and_its_queries() -> None:
    world = budgets.world(rows=ROWS)
    found = list(budgets.Measuring(world, rounds=1, clients=40).all())
    assert len(found) > 20
    assert all(one.queries and one.raw for one in found if one.budget.raw)
    told = {one.name: missed for one in found if (missed := one.misses(of_time=False))}
    assert told == {}
    events = ActionEvent.objects.filter(recipient=world.recipient)
    assert events.filter(action="R", reason_code="NOT_RECEIVED").count() > ROWS // 2
    assert events.filter(old_action="R", action="A").count() > ROWS // 4  # by a program
    assert clock.portal().now() > clock.real()


def test_what_is_over_a_budget_is_told() -> None:
    measured = Measured("home", Budget(300, 90, 14), p50=250, p95=301, raw=91, compressed=15, queries=16)
    assert measured.misses() == ["p95 301 ms", "91 kB", "15 kB gzip", "16 queries"]
    assert measured.misses(of_time=False) == ["91 kB", "15 kB gzip", "16 queries"]
    within = Measured("home", Budget(300, 90, 14), p50=250, p95=300, raw=90, compressed=14, queries=15)
    assert within.misses() == []
    assert "MISS p95 301 ms" in budgets.table([measured])
    assert budgets.table([within]).endswith("ok")


@pytest.mark.django_db
def test_budgets_are_measured_in_a_sandbox_only(settings: object) -> None:
    settings.IMS_SANDBOX = False
    with pytest.raises(CommandError, match="in a sandbox"):
        call_command("budgets")


@pytest.mark.django_db(transaction=True)
def test_the_command_measures_beside_the_portal_and_writes_what_it_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(budgets.Measuring, "_pages", lambda _self: [("start", "/en/glossary/", Budget(0))])
    monkeypatch.setattr(budgets.Measuring, "_preview", budgets.Measuring._save)
    # A test of the command, not of this machine: however busy it is, only the page without any budget misses it.
    for name in ("SAVE", "PREVIEW", "COMPUTE", "APPLY", "FILE", "GETINV", "SAVE_ALL", "CLIENTS"):
        monkeypatch.setattr(budgets, name, Budget(600_000, 1_000, 1_000, 1_000))
    into = tmp_path / "budgets.json"
    with pytest.raises(CommandError, match="1 of 15 pages") as stopped:
        call_command("budgets", rows=200, rounds=1, clients=3, json=into)
    assert stopped.value.returncode == 1
    assert "MISS p95" in capsys.readouterr().out
    assert json.loads(into.read_text())["pages"][0]["misses"]


def test_a_first_visit_loads_little() -> None:
    static = PROJECT / "static"
    styles = [*static.glob("*.css"), *static.glob("*.js"), *static.glob("vendor/**/*.css")]
    fonts = [font for font in static.glob("vendor/**/*.woff2") if "devanagari" not in font.name.lower()]
    sent = {path.name: len(gzip.compress(path.read_bytes())) for path in styles}
    sent |= {path.name: path.stat().st_size for path in fonts}
    assert sent
    htmx = Path(django_htmx.__file__).parent / "static" / "django_htmx" / "htmx-2.min.js"
    sent["htmx"] = len(gzip.compress(htmx.read_bytes()))
    assert sum(sent.values()) <= FIRST_VISIT, sent
