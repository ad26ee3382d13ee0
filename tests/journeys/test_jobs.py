"""An administrator retries what failed and cancels what waits, in a browser and with a real worker."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from invoices.models import Upload
from returns.models import Gstr2bJob
from tests import factories
from tests.journeys.desk import Desk, set_clock
from tests.live import wait_for

GSTIN = factories.RECIPIENT


@pytest.mark.journey
@pytest.mark.usefixtures("transactional_db")
def test_a_failed_job_is_retried_and_done_and_one_that_waits_is_cancelled(at_desk: Callable[..., Desk]) -> None:
    factories.filed()
    firm = factories.taxpayer(name="Meera Traders")
    factories.member(firm, "viewer", "divya")
    factories.user("adm1", name="Portal Administrator", is_staff=True)
    set_clock("2025-11-14 10:00")
    told = {"state": "failed", "attempts": 3, "problem": "Tried 3 times and stopped each time before the end."}
    failed = Gstr2bJob.objects.create(taxpayer=firm, month=202510, **told)
    file = {"file_name": "gstr1.json", "path": "nowhere", "size": 1, "sha256": "0" * 64}
    waits = Upload.objects.create(taxpayer=firm, form="GSTR-1", month=202510, **file)

    adm = at_desk("adm1")
    adm.page.get_by_role("navigation", name="Main").get_by_role("link", name="Jobs").click()
    lines = adm.page.get_by_role("row").filter(has_text=GSTIN)
    expect(lines).to_have_count(2)
    adm.shoot("jobs-of-all")
    lines.filter(has_text="Upload of a return").get_by_role("button", name="Cancel job").click()
    expect(adm.message("The job is cancelled.")).to_be_visible()
    expect(lines.filter(has_text="Upload of a return")).to_contain_text(
        "Portal Administrator, an administrator, cancelled this"
    )

    # Among those that failed is the computation; retried, a worker does it at once.
    adm.page.get_by_role("navigation", name="State").get_by_role("link", name="Failed").click()
    lines.filter(has_text="Computing GSTR-2B").get_by_role("button", name="Retry").click()
    expect(adm.message("The job waits again")).to_be_visible()
    expect(lines.filter(has_text="Computing GSTR-2B")).to_have_count(0)
    wait_for(lambda: Gstr2bJob.objects.get(pk=failed.pk).is_over, seconds=30)
    adm.page.get_by_role("navigation", name="State").get_by_role("link", name="Done").click()
    expect(lines).to_have_count(1)
    expect(lines).to_contain_text("Computing GSTR-2B")
    assert Upload.objects.get(pk=waits.pk).state == "failed"

    # The GSTIN's own people see the same, and where each leads.
    divya = at_desk("divya")
    divya.open(GSTIN, "jobs/")
    expect(divya.page.get_by_role("row").filter(has_text="Upload of a return")).to_contain_text("Failed")
    divya.shoot("jobs-of-one")
    divya.page.get_by_role("link", name="Computing GSTR-2B").click()
    expect(divya.page.get_by_text("Version 1 stands")).to_be_visible()
