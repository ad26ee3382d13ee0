"""Journey 7: 200,000 records at once. What was previewed is what was done, and what was done can be undone."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models import Count, F
from playwright.sync_api import Page, expect

from ims_portal.children import Child
from ims_portal.models import PortalClock
from ims_portal.rules.documents import Section
from ims_portal.templatetags.ims import count
from invoices.models import ActionEvent, Record
from tests import factories
from tests.factories import document, filed, saved, taxpayer
from tests.journeys.desk import Desk, set_clock
from tests.many import copies

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]

RECORDS = 200_000
NOTES, AMENDMENTS, ACCEPTED = 1_000, 300, 2
PATIENCE = 600_000
"""Milliseconds for what takes half a minute on a machine of its own."""


def a_large_month() -> None:
    """Put in invoices and credit notes, amendments that are only saved, and two records decided before."""
    invoice, note, *decided = filed(
        document(number="INV"),
        document(number="CN", section=Section.CN, tax=1_000),
        *(document(number=f"OK{n}") for n in range(ACCEPTED)),
    )
    (amendment,) = saved(
        document(number="INV", section=Section.B2BA, original="INV", tax=200), period="112025", on="2025-11-15"
    )
    for record in decided:
        factories.act(record, "A")
    copies(note, NOTES - 1)
    copies(amendment, AMENDMENTS - 1)
    copies(invoice, RECORDS - NOTES - AMENDMENTS - 1)


def figures(desk: Desk) -> dict[str, list[str]]:
    """Return the table of a preview or a result: what -> how many, how much."""
    lines = desk.page.locator("#batch table").first.locator("tbody tr")
    texts = lines.evaluate_all("all => all.map(tr => [...tr.children].map(td => td.innerText.trim()))")
    return {line[0]: line[1:3] for line in texts}


def states() -> dict[str, int]:
    """Return how many records stand where."""
    return dict(Record.objects.values_list("action").annotate(Count("pk")))


def test_two_hundred_thousand_records_are_rejected_and_put_back(
    person: Callable[[], Page], start_web: Callable[[], str], start_worker: Callable[[], Child]
) -> None:
    factories.member(taxpayer(), "preparer", "asha")
    a_large_month()
    set_clock("2025-11-15 10:00")
    before = states()
    start_worker()
    asha = Desk(person(), start_web(), "asha")

    previewed = all_matching_are_previewed(asha)
    assert states() == before
    done = they_are_applied_while_progress_is_seen(asha, previewed)
    every_record_has_its_history(done)
    PortalClock.objects.update(ahead=F("ahead") + timedelta(minutes=5))
    they_are_put_back(asha)
    assert states() == before
    history_has_both(asha)


def all_matching_are_previewed(asha: Desk) -> dict[str, list[str]]:
    asha.open(factories.RECIPIENT, "ims/inward/all/?action=N")
    asha.shoot("07-list")
    asha.page.get_by_label(f"All {count(RECORDS)} matching records").check()
    asha.page.locator("#bulk").select_option("R")
    asha.press("Preview bulk")
    expect(asha.page.get_by_role("heading", name=re.compile("^Reject .* records$"))).to_be_visible(timeout=PATIENCE)
    expect(asha.page.get_by_text("Will change").first).to_be_visible(timeout=PATIENCE)
    found = figures(asha)
    assert found["Will change"][0] == count(RECORDS - AMENDMENTS)
    assert found["Refused"][0] == found["Amendment saved by its supplier, not filed yet"][0] == count(AMENDMENTS)
    expect(asha.page.locator("#main strong").get_by_text("Your suppliers' tax rises by")).to_be_visible()
    asha.page.goto(asha.page.url)
    asha.shoot("07-preview")
    return found


def they_are_applied_while_progress_is_seen(asha: Desk, previewed: dict[str, list[str]]) -> dict[str, list[str]]:
    asha.press("Apply to")
    expect(asha.page.get_by_text("Choose why they are rejected.").first).to_be_visible()
    asha.shoot("07-preview-errors")
    asha.page.get_by_label("Why are they rejected?").select_option("NOT_OURS")
    asha.page.get_by_label("They are not ours").check()
    asha.press("Apply to")
    rows = re.compile(rf"of {count(RECORDS - AMENDMENTS)} rows, \d+ %")
    expect(asha.page.get_by_text(rows).first).to_be_visible(timeout=PATIENCE)
    expect(asha.page.get_by_text(re.compile(r"min left|minute left")).first).to_be_visible(timeout=PATIENCE)
    asha.shoot("07-progress")
    expect(asha.page.get_by_role("button", name=re.compile("^Undo, until"))).to_be_visible(timeout=PATIENCE)
    done = figures(asha)
    asha.shoot("07-result")
    assert done["Changed"] == previewed["Will change"]
    assert done["Not changed"] == previewed["Refused"]
    return done


def every_record_has_its_history(done: dict[str, list[str]]) -> None:
    assert done["Changed"][0] == count(RECORDS - AMENDMENTS)
    assert states() == {"R": RECORDS - AMENDMENTS, "N": AMENDMENTS, "A": ACCEPTED}
    assert ActionEvent.objects.filter(action="R", reason_code="NOT_OURS").count() == RECORDS - AMENDMENTS


def they_are_put_back(asha: Desk) -> None:
    asha.page.reload()
    asha.press("Undo, until")
    told = f"{count(RECORDS - AMENDMENTS)} records put back as they stood before"
    expect(asha.page.get_by_role("heading", name=told)).to_be_visible(timeout=PATIENCE)
    asha.shoot("07-undone")


def history_has_both(asha: Desk) -> None:
    record = Record.objects.filter(version=2).latest("pk")
    told = list(
        ActionEvent.objects.filter(record=record).order_by("version").values_list("old_action", "action", "cause")
    )
    assert told == [("N", "R", "chosen"), ("R", "N", "undone")]
    asha.open(factories.RECIPIENT, f"ims/records/{record.pk}/")
    asha.shoot("07-history")
