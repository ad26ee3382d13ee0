"""The main job, whole, in a browser: a supplier's file goes in, its recipient acts, GSTR-2B and GSTR-3B follow from it.

The files are those of the published story, and so are the figures: Table 4 must come out to the paisa.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from ims_portal import run
from ims_portal.children import Child
from returns import demo
from returns.models import Gstr2b
from tests import factories
from tests.journeys.desk import Desk, set_clock
from tests.live import wait_for
from tests.signing_in import PASSWORD

BUYER, KAVERI, WARDHA, NOYYAL = demo.RECIPIENT, demo.KAVERI, demo.WARDHA, demo.NOYYAL


def upload_and_file(desk: Desk, gstin: str, name: str, picture: str) -> None:
    desk.open(gstin, "returns/102026/gstr1/")
    desk.page.set_input_files("input[type=file]", demo.STORY / name)
    desk.press("Upload")
    expect(desk.page.get_by_text(re.compile(r"refused", re.IGNORECASE)).first).to_be_visible(timeout=30_000)
    expect(desk.page.get_by_text("Done").first).to_be_visible(timeout=30_000)
    desk.shoot(f"{picture}-uploaded")
    desk.open(gstin, "returns/102026/gstr1/file/")
    desk.shoot(f"{picture}-before-filing")
    desk.press("File for")
    expect(desk.page.get_by_text(re.compile("SBX-R1-")).first).to_be_visible()
    desk.shoot(f"{picture}-filed")


def compute(desk: Desk, version: int) -> None:
    desk.open(BUYER, "returns/102026/gstr2b/")
    desk.press("Compute GSTR-2B")
    wait_for(lambda: Gstr2b.objects.filter(recipient__gstin=BUYER, month=202610, version=version).exists())
    desk.open(BUYER, "returns/102026/gstr2b/")
    expect(desk.page.get_by_text(f"Version {version}").first).to_be_visible()


@pytest.mark.django_db(transaction=True)
def test_a_file_goes_in_and_its_figures_come_out(
    person: Callable[[], Page],
    start_web: Callable[[], str],
    start_worker: Callable[[], Child],
    start_process: Callable[[str, list[str]], Child],
) -> None:
    demo.prepare(password=PASSWORD)
    demo.play(until="2026-11-09 23:59")
    set_clock("2026-11-10")
    factories.member(demo.Taxpayer.objects.get(gstin=NOYYAL), "signatory", "nila")
    base = start_web()
    start_worker()

    kiran, sunita = Desk(person(), base, "kiran"), Desk(person(), base, "sunita")
    a_broken_file_is_told_line_by_line(kiran)
    upload_and_file(kiran, KAVERI, "gstr1-monthly.json", "01-kaveri")
    upload_and_file(sunita, WARDHA, "wardha-gstr1-102026.json", "02-wardha")
    demo.play(until=demo.BEGINS)
    set_clock(demo.BEGINS)

    meera = Desk(person(), base, "meera")
    the_inward_summary_opens_to_its_lists(meera)
    meera_saves_the_actions_of_the_story(meera)

    administrator = Desk(person(), base, "admin1")
    the_administrator_moves_the_date(administrator)
    start_process("beat", run.beat_command())
    wait_for(lambda: Gstr2b.objects.filter(recipient__gstin=BUYER, month=202610).exists(), seconds=90)
    every_figure_opens_to_its_lines(meera)
    a_change_makes_it_stale_and_a_compute_cures_it(meera)

    raghav = Desk(person(), base, "raghav")
    table_3_is_locked_and_table_4_adjusts_with_a_reason(raghav)
    filing_files_what_was_shown(raghav)
    the_supplier_sees_the_rejection(Desk(person(), base, "nila"))


def a_broken_file_is_told_line_by_line(kiran: Desk) -> None:
    kiran.open(KAVERI, "returns/102026/gstr1/")
    broken = Path(__file__).resolve().parents[1] / "data" / "gstr1-broken.json"
    kiran.page.set_input_files("input[type=file]", broken)
    kiran.press("Upload")
    expect(kiran.page.get_by_role("cell", name="APP-G107")).to_be_visible(timeout=30_000)
    expect(kiran.page.get_by_text("KMF/26-27/2007").first).to_be_visible()
    kiran.shoot("00-broken-file")
    for number in ("KMF/26-27/2012", "KMF/26-27/2001", "KMF/CN/050"):
        kiran.open(KAVERI, "returns/102026/gstr1/")
        kiran.page.get_by_role("link", name=f"Delete {number}").click()
        kiran.press("Delete")
        expect(kiran.page.get_by_role("link", name=f"Delete {number}")).to_have_count(0)


def the_inward_summary_opens_to_its_lists(meera: Desk) -> None:
    meera.open(BUYER, "ims/inward/")
    row = meera.page.get_by_role("row").filter(has_text="Credit notes").first
    expect(row).to_contain_text("40,600.00")
    meera.shoot("03-inward-summary")
    meera.page.get_by_role("link", name="Credit notes", exact=True).click()
    expect(meera.row("KMF/CN/041")).to_be_visible()
    meera.shoot("04-credit-notes")


def meera_saves_the_actions_of_the_story(meera: Desk) -> None:
    meera.open(BUYER, "ims/inward/all/")
    accepted = (
        "KMF/26-27/1004",
        "NCL-26-0558",
        "KMF/26-27/0902",
        "KMF/26-27/0893",
        "KMF/CN/041",
        "WMA/CN/88",
        "WMA/CN/91",
        "KMF/CN/029",
        "KMF/CN/033",
    )
    for number in accepted:
        meera.choose(number, "Accept")
    meera.choose("CHL/0077", "Reject")
    meera.choose("KMF-ECO-2210", "Pending")
    meera.shoot("05-choices")
    meera.press("Save")
    meera.shoot("06-questions")
    for number in ("KMF/CN/041", "KMF/CN/029"):
        meera.line(number).get_by_role("radio", name=re.compile("^Full")).check()
    part = meera.line("KMF/26-27/0902")
    part.get_by_role("radio", name=re.compile("^Part")).check()
    part.get_by_label(re.compile("^Central tax")).fill("1000.00")
    part.get_by_label(re.compile("^State/UT tax")).fill("1000.00")
    coal = meera.line("WMA/CN/88")
    coal.get_by_role("radio", name=re.compile("^Part")).check()
    coal.get_by_label(re.compile("^Integrated tax")).fill("12500.00")
    coal.get_by_label(re.compile("^Cess")).fill("8000.00")
    meera.line("WMA/CN/91").get_by_role("radio", name=re.compile("^None")).check()
    meera.line("CHL/0077").get_by_label(re.compile("Why")).select_option("NOT_OURS")
    meera.page.get_by_label(re.compile("^I checked the")).check()
    meera.press("Save for")
    expect(meera.page.get_by_text(re.compile("Part and None need a remark")).first).to_be_visible()
    expect(meera.line("WMA/CN/88").get_by_label(re.compile("^Integrated tax"))).to_have_value("12500.00")
    meera.shoot("07-remark-is-missing")
    for number, remark in (
        ("KMF/26-27/0902", "claimed in part"),
        ("WMA/CN/88", "cess claimed in part"),
        ("WMA/CN/91", "never claimed"),
    ):
        meera.line(number).get_by_label(re.compile("Remark")).fill(remark)
    meera.page.get_by_label(re.compile("^I checked the")).check()
    meera.press("Save for")
    expect(meera.row("WMA/CN/91")).to_contain_text("never claimed")
    meera.shoot("08-saved")


def the_administrator_moves_the_date(administrator: Desk) -> None:
    administrator.page.goto(f"{administrator.base}/en/control/clock/")
    administrator.shoot("09-clock")
    administrator.press("14/11/2026")
    expect(administrator.page.get_by_text(re.compile("Sandbox date 14/11/2026"))).to_be_visible()


def every_figure_opens_to_its_lines(meera: Desk) -> None:
    meera.open(BUYER, "returns/102026/gstr2b/")
    expect(meera.page.get_by_text("Version 1").first).to_be_visible()
    meera.shoot("10-gstr2b")
    meera.page.get_by_role("link", name="57,105.09").first.click()
    expect(meera.row("NCL-26-0551")).to_be_visible()
    expect(meera.row("KMF/26-27/1011")).to_have_count(0)
    meera.shoot("11-lines")


def a_change_makes_it_stale_and_a_compute_cures_it(meera: Desk) -> None:
    meera.open(BUYER, "ims/inward/b2b/")
    meera.choose("NCL-26-0558", "Pending")
    meera.press("Save")
    meera.press("Save for")
    expect(meera.page.get_by_label("Result of saving")).to_contain_text("1 record saved.")
    meera.open(BUYER, "ims/inward/")
    expect(meera.page.get_by_role("button", name="Compute").first).to_be_enabled()
    meera.shoot("12-stale")
    compute(meera, 2)
    meera.open(BUYER, "ims/inward/b2b/")
    meera.choose("NCL-26-0558", "Accept")
    meera.press("Save")
    expect(meera.page.get_by_label("Result of saving")).to_contain_text("1 record saved.")
    compute(meera, 3)
    meera.shoot("13-gstr2b-version-3")


def table_3_is_locked_and_table_4_adjusts_with_a_reason(raghav: Desk) -> None:
    raghav.open(BUYER, "returns/102026/gstr3b/")
    expect(raghav.page.get_by_text(re.compile("Locked from 07/2025")).first).to_be_visible()
    all_other = raghav.page.get_by_role("row").filter(has_text="4(A)(5)").first
    for amount in ("45,325.09", "15,258.14", "8,000.00"):
        expect(all_other).to_contain_text(amount)
    reverse_charge = raghav.page.get_by_role("row").filter(has_text="4(A)(3)").first
    expect(reverse_charge).to_contain_text("800.00")
    raghav.shoot("14-gstr3b")
    raghav.open(BUYER, "returns/102026/gstr3b/table/t4A5/")
    raghav.page.get_by_label(re.compile("Integrated|IGST")).first.fill("45,000.00")
    raghav.press("Declare")
    expect(raghav.page.get_by_text(re.compile("reason", re.IGNORECASE)).first).to_be_visible()
    raghav.shoot("15-reason-is-missing")
    raghav.page.get_by_label(re.compile("Why it differs")).fill("325.09 is in dispute")
    raghav.press("Declare")
    expect(raghav.page.get_by_role("row").filter(has_text="= declared").first).to_contain_text("45,000.00")
    raghav.shoot("16-adjusted")


def filing_files_what_was_shown(raghav: Desk) -> None:
    set_clock("2026-11-17")
    raghav.open(BUYER, "returns/102026/gstr3b/review/")
    raghav.shoot("17-review")
    raghav.press("File")
    expect(raghav.page.get_by_text(re.compile("SBX-3B-102026-")).first).to_be_visible()
    raghav.shoot("18-receipt")
    raghav.open(BUYER, "returns/102026/gstr3b/")
    expect(raghav.page.get_by_role("button", name=re.compile("^file", re.IGNORECASE))).to_have_count(0)


def the_supplier_sees_the_rejection(nila: Desk) -> None:
    nila.open(NOYYAL, "ims/outward/")
    row = nila.row("NCL-CN-0031")
    expect(row).to_contain_text("Rejected")
    expect(row).to_contain_text("1,800.00")
    expect(row).to_contain_text("2027")
    nila.shoot("19-outward")
