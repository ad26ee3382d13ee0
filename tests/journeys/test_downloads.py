"""Files a worker makes of much at once: the clients' as one archive, the log as CSV; with script and without."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from ims_portal import audit_extracts
from ims_portal.audit_log import Asked
from ims_portal.models import Engagement, Taxpayer
from returns import client_archives, client_orders, exports
from returns.client_orders import What
from tests import factories
from tests.journeys.desk import Desk, set_clock
from tests.journeys.tour import Tour
from tests.returns.test_clients import engaged

R, B = factories.RECIPIENT, "33AAPCN0000E1Z5"

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def clients() -> list[Taxpayer]:
    """Return two clients of acct, with an invoice each."""
    found = [factories.taxpayer(R, name="Meera Traders"), factories.taxpayer(B, name="Ujala Traders")]
    acct = factories.user("acct", name="Anand Joshi and Co")
    for taxpayer in found:
        engaged(acct, taxpayer, "export")
    factories.filed(*(factories.document(number=f"INV-{one.gstin[:2]}", recipient=one.gstin) for one in found))
    set_clock("2025-11-12 10:00")
    return found


def taken(desk: Desk, tmp_path: Path, name: str) -> Path:
    """Click the link of a file once there is one, and return where the browser put it."""
    link = desk.awaited(desk.page.get_by_role("link", name=name).first)
    with desk.page.expect_download() as found:
        link.click()
    path = tmp_path / found.value.suggested_filename
    found.value.save_as(path)
    return path


@pytest.mark.parametrize("script", [True, False])
def test_the_files_of_all_clients_are_taken_as_one_until_one_of_them_is_lost(
    clients: list[Taxpayer], at_desk: Callable[..., Desk], tmp_path: Path, complaints: list[str], *, script: bool
) -> None:
    acct = at_desk("acct", script=script)
    acct.page.goto(f"{acct.base}/en/clients/")
    for box in acct.page.locator("input[name=tick]").all():
        box.check()
    acct.press("Export IMS")
    acct.awaited(acct.page.get_by_role("button", name="Make the archive")).click()
    expect(acct.page.get_by_role("heading", level=1)).to_have_text("Asked for many clients")
    with zipfile.ZipFile(taken(acct, tmp_path, "Download 12112025_export_2_clients.zip")) as packed:
        assert len(packed.namelist()) == 3
    acct.shoot("downloads-archive")

    # R ends the engagement: the archive that has its file is given out no more, and is made anew without it.
    over = factories.at("2025-11-11")
    Engagement.objects.filter(taxpayer=clients[0]).update(valid_to=over)
    acct.page.get_by_role("link", name="Download 12112025").click()
    expect(acct.page.locator("main")).to_contain_text(f"You may take the files of {R} no more")
    acct.shoot("downloads-archive-refused")
    complaints[:] = [said for said in complaints if "status of 403" not in said]  # it is meant to be refused
    acct.page.goto(f"{acct.base}/en/clients/exports/")
    expect(acct.page.locator("main")).to_contain_text("Not given out")
    acct.page.get_by_role("button", name="Make the archive anew").click()
    with zipfile.ZipFile(taken(acct, tmp_path, "Download 12112025_export_2_clients.zip")) as packed:
        assert [name for name in packed.namelist() if R in name] == []
        assert len(packed.namelist()) == 2


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.usefixtures("clients")
def test_the_log_is_taken_out(at_desk: Callable[..., Desk], tmp_path: Path, *, script: bool) -> None:
    factories.user("adm1", is_staff=True)
    adm = at_desk("adm1", script=script)
    adm.page.goto(f"{adm.base}/en/control/audit/?event=return.filed")
    events = adm.page.locator("tbody tr").count()
    adm.press("Take out as CSV")
    expect(adm.page.get_by_role("heading", level=1)).to_have_text("Files of the log")
    rows = taken(adm, tmp_path, "Download audit_12112025.csv").read_text(encoding="utf-8-sig").splitlines()
    assert len(rows) == 1 + events > 1
    adm.shoot("downloads-log")


@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES])
def test_every_step_of_a_file_is_clean(
    clients: list[Taxpayer],
    language: str,
    person: Callable[[], Page],
    start_web: Callable[[], str],
    complaints: list[str],
) -> None:
    acct, adm = factories.user("acct"), factories.user("adm1", is_staff=True)
    key, now = uuid4(), factories.clock("2025-11-12")
    order = client_orders.ask(user=acct, what=What.EXPORT, gstins=[one.gstin for one in clients], key=key, clock=now)
    places = (f"clients/asked/{key}/", "clients/exports/")
    tour = Tour(person(), start_web(), language, complaints)
    tour.sign_in("acct")
    look_at(tour, places, "files that wait")
    for export in order.jobs().values():
        exports.write(export=export, clock=now)
    look_at(tour, places, "an archive may be made")
    archive = client_archives.request(user=acct, key=key, clock=now, request_id=uuid4())
    look_at(tour, places, "an archive that waits")
    client_archives.write(archive=archive, clock=now)
    look_at(tour, places, "an archive")
    Engagement.objects.filter(taxpayer=clients[0]).update(valid_to=factories.at("2025-11-11"))
    look_at(tour, places, "an archive given out no more")
    tour.open(f"clients/exports/{archive.pk}/file", status=403)
    tour.look("an archive refused")

    tour.page.context.clear_cookies()
    tour.sign_in("adm1")
    asked = Asked(event="return.filed", first=date(2025, 11, 1))
    extract = audit_extracts.request(asked=asked, actor=adm, clock=now, request_id=uuid4())
    look_at(tour, ("control/audit/extracts/",), "a file of the log that waits")
    audit_extracts.write(extract=extract, clock=now)
    look_at(tour, ("control/audit/extracts/", "control/jobs/"), "a file of the log")
    assert tour.problems == [], "\n".join(tour.problems)


def look_at(tour: Tour, places: Sequence[str], state: str) -> None:
    """Look at pages as they are."""
    for place in places:
        tour.open(place)
        tour.look(state)
