"""The pages of GSTR-2B: every figure opens to its lines; compute, its job, its versions, what they changed."""

from __future__ import annotations

import re
import uuid
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ims_portal.models import Taxpayer
from ims_portal.rules import gstin, periods
from ims_portal.rules.documents import Section
from ims_portal.rules.money import Tax
from ims_portal.rules.periods import Frequency
from invoices import feeds
from invoices.feeds_json.reversals import Reversal, ReversalBatch, Reversed
from invoices.models import Record
from returns import gstr2b, gstr3b, verify
from returns.models import Gstr2b, Gstr2bJob
from tests import factories
from tests.returns.views.conftest import Desk

PAGE, COMPUTE = "returns/102025/gstr2b/", "returns/102025/gstr2b/compute/"
OTHER = f"29AAACT2727Q1Z{gstin.check_char('29AAACT2727Q1Z')}"
BY_HTMX = {"HX-Request": "true"}


def text(answer: object) -> str:
    """Return what a page says, without its markup."""
    content = answer.content.decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", content[content.index("<main") :]))


def test_the_header_says_whose_statement_of_when(computed: Desk) -> None:
    found = text(computed.get(PAGE))
    for part in (
        "2025-26",
        "10/2025",
        computed.taxpayer.gstin,
        "Meera Traders",
        "14/11/2025 10:00 IST",
        "by the portal",
    ):
        assert part in found


def test_zero_is_printed(computed: Desk) -> None:
    assert re.search(r"Import of Goods 4\(A\)\(1\) 0\.00 0\.00 0\.00 0\.00", text(computed.get(PAGE)))


def test_every_figure_opens_to_lines_that_come_to_it(computed: Desk) -> None:
    content = computed.get(PAGE).content.decode()
    links = re.findall(r'<td class="num"><a href="([^"]+)">([^<]+)</a>', content)
    assert len(links) == 16
    client = computed.as_("viewer")
    for link in {href for href, _figure in links}:
        figures = [figure for href, figure in links if href == link]
        foot = client.get(link.replace("&amp;", "&")).content.decode().split("<tfoot>")[1]
        assert re.findall(r'<td class="num">([^<]+)</td>', foot) == figures


def test_reverse_charge_opens_to_its_invoices_and_credit_notes(desk: Desk) -> None:
    desk.documents()
    factories.filed(
        factories.document(number="RCM1", tax=900, reverse_charge=True),
        factories.document(section=Section.CN, number="RCM2", tax=100, reverse_charge=True),
        supplier="24AAACT2727Q1ZW",
    )
    factories.computed(desk.taxpayer)
    page = text(desk.get("returns/102025/gstr2b/all/all/", cell="t3_1_d"))
    assert re.search(r"All of them, over every page 800\.00 0\.00 0\.00 0\.00", page)
    assert ("RCM1" in page, "RCM2" in page, "INV1" in page) == (True, True, False)


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every recipient be too large for a page."""
    monkeypatch.setattr(gstr2b, "MANY", 0)


def test_little_is_computed_at_once(desk: Desk) -> None:
    desk.documents()
    address = desk.post(COMPUTE, "preparer")["Location"]
    assert "Version 1 stands: 2 records counted." in text(desk.as_("preparer").get(address))
    desk.act("INV1", "R")
    address = desk.post(COMPUTE, "preparer")["Location"]
    assert "Version 2 stands" in text(desk.as_("preparer").get(address))
    assert set(Gstr2bJob.objects.values_list("state", "done")) == {("done", 1)}
    assert not list(verify.told_again())


@pytest.mark.usefixtures("large")
def test_compute_leads_to_its_job_and_the_job_to_the_statement(desk: Desk) -> None:
    desk.documents()
    asked = desk.post(COMPUTE, "preparer")
    assert asked.status_code == 303
    client = desk.as_("preparer")
    waiting = client.get(asked["Location"])
    assert 'hx-trigger="every 2s"' in waiting.content.decode()
    assert "Refresh" in text(waiting)
    desk.work()
    done = client.get(asked["Location"])
    assert "Version 1 stands: 2 records counted." in text(done)
    assert "hx-trigger" not in done.content.decode()
    assert client.get(desk.url(PAGE)).status_code == 200


@pytest.mark.usefixtures("large")
def test_polling_stops_when_the_job_is_over(desk: Desk) -> None:
    desk.documents()
    client, address = desk.as_("preparer"), desk.post(COMPUTE, "preparer")["Location"]
    running = client.get(address, headers=BY_HTMX)
    assert running.status_code == 200
    assert b"<html" not in running.content
    assert "HX-Request" in running["Vary"]
    desk.work()
    assert client.get(address, headers=BY_HTMX).status_code == 286


@pytest.mark.usefixtures("large")
def test_the_end_of_a_job_takes_the_banner_away(computed: Desk) -> None:
    computed.act("INV1", "R")
    address = computed.post(COMPUTE)["Location"]
    page, part = computed.as_("signatory").get(address), computed.as_("signatory").get(address, headers=BY_HTMX)
    assert '<div id="stale"><section class="banner banner-stale"' in page.content.decode()
    assert 'id="stale"' not in part.content.decode()
    computed.work()
    part = computed.as_("signatory").get(address, headers=BY_HTMX)
    assert '<div id="stale" hx-swap-oob="true"></div>' in part.content.decode()


def test_a_double_click_makes_one_job(desk: Desk) -> None:
    desk.documents()
    key = str(uuid.uuid4())
    first, second = (desk.post(COMPUTE, "preparer", request_id=key) for _click in range(2))
    assert first["Location"] == second["Location"]
    assert Gstr2bJob.objects.count() == 1


def test_computing_without_a_change_says_so(computed: Desk) -> None:
    address = computed.post(COMPUTE)["Location"]
    computed.work()
    assert "Nothing changed since version 1 of 14/11/2025 10:00." in text(computed.as_("viewer").get(address))
    assert Gstr2b.objects.count() == 1


def test_a_change_raises_the_banner_and_computing_takes_it_away(computed: Desk) -> None:
    computed.act("INV1", "A")
    banner = "1 saved change is not in GSTR-2B of 10/2025 (version 1, 14/11/2025 10:00). It leaves ITC as it is."
    for path in (PAGE, "returns/102025/gstr3b/", "returns/102025/gstr3b/review/"):
        assert text(computed.get(path)).count(banner) == 1
    assert "Out of date" in text(computed.get("returns/"))
    computed.post(COMPUTE)
    computed.work()
    assert "not in GSTR-2B" not in text(computed.get(PAGE))


def test_an_older_version_is_marked_and_has_no_compute(computed: Desk) -> None:
    computed.act("INV1", "R")
    factories.computed(computed.taxpayer, on="2025-11-16")
    old = computed.get("returns/102025/gstr2b/versions/1/")
    assert "Version 1 of 2, not current." in text(old)
    assert b"gstr2b/compute/" not in old.content
    assert "18,000.00" in text(old)
    assert b"&amp;version=1" in old.content


def test_a_diff_names_record_figures_and_who_acted(computed: Desk) -> None:
    computed.act("INV1", "R", remark="not ours")
    factories.computed(computed.taxpayer, on="2025-11-16")
    found = text(computed.get("returns/102025/gstr2b/diff/1/2/"))
    for part in ("INV1", "1 record counted differently", "ITC rejected", "-18,000.00", "Preparer", "not ours"):
        assert part in found
    assert "CN1" not in found


def paise(typed: str) -> int:
    """Return rupees as printed, in paise."""
    return int(typed.replace(",", "").replace(".", ""))


CELLS = re.compile(
    r'<td>([AB] I+V?)</td><th scope="row"[^>]*>([^<]+)</th><td>([^<]+)</td><td class="num">([-0-9,.]+)</td>'
    r'<td class="num">([-0-9,.]+)</td><td class="num"><a href="(\?cell=[^"#]+)#changed"[^>]*>([-0-9,.]+)</a>'
)


def test_a_diff_has_every_figure_that_differs_and_each_opens_to_what_moved_it(computed: Desk) -> None:
    computed.act("INV1", "R", remark="not ours")
    computed.act("CN1", "A", answer="P", declared=Tax(igst=400000), remark="half was reversed")
    factories.computed(computed.taxpayer, on="2025-11-16")
    address = PAGE + "diff/1/2/"
    found = CELLS.findall(computed.get(address).content.decode())
    assert [(place, heading.split(" - ")[0], head, old, new) for place, heading, head, old, new, *_ in found] == [
        ("A I", "All other ITC", "Integrated tax", "18,000.00", "0.00"),
        ("A I", "B2B", "Integrated tax", "18,000.00", "0.00"),
        ("B I", "Others", "Integrated tax", "9,000.00", "4,000.00"),
        ("B I", "B2B", "Integrated tax", "9,000.00", "4,000.00"),
        ("A I", "All other ITC", "Integrated tax", "0.00", "18,000.00"),
        ("A I", "B2B", "Integrated tax", "0.00", "18,000.00"),
    ]
    for *_names, old, new, cell, change in found:
        assert paise(new) - paise(old) == paise(change)
        opened = computed.get(address + cell)
        records = opened.context["comparison"].records
        assert sum(line.moved for line in records) == paise(change)
        assert [line.record.number for line in records] == ["CN1" if "B_I" in cell else "INV1"]
        assert "1 record behind the change of" in text(opened)
        assert "Preparer" in text(opened)
        assert 'aria-current="true"' in opened.content.decode()


def test_a_cell_opens_to_the_dearest_first_and_to_nothing_where_nothing_changed(computed: Desk) -> None:
    factories.filed(
        factories.document(number="INV2", tax=20), factories.document(number="INV3", tax=50000), supplier=OTHER
    )
    factories.computed(computed.taxpayer, on="2025-11-16")
    opened = computed.get(PAGE + "diff/1/2/", cell="available.A_I.b2b.igst")
    assert [line.record.number for line in opened.context["comparison"].records] == ["INV3", "INV2"]
    assert "2 records behind the change of ITC available, Part A I, B2B - Invoices, Integrated tax" in text(opened)
    none = computed.get(PAGE + "diff/1/2/", cell="rejected.A_I.all.cess")
    assert "No record changed ITC rejected, Part A I, All other ITC" in text(none)


@pytest.mark.parametrize("cell", ["x", "available.A_I.b2b", "available.A_I.b2b.igst.x", "available.A_I.b2x.igst"])
def test_a_cell_no_statement_has_is_no_page(computed: Desk, cell: str) -> None:
    computed.act("INV1", "R")
    factories.computed(computed.taxpayer, on="2025-11-16")
    assert computed.get(PAGE + "diff/1/2/", cell=cell).status_code == 404


def test_a_diff_takes_as_many_queries_for_many_records(computed: Desk) -> None:
    numbers = [f"N{n:02d}" for n in range(30)]
    factories.filed(*(factories.document(number=number, tax=100) for number in numbers), supplier=OTHER)
    factories.computed(computed.taxpayer, on="2025-11-16")
    computed.act("INV1", "R")
    factories.computed(computed.taxpayer, on="2025-11-16")
    for number in numbers:
        computed.act(number, "R")
    factories.computed(computed.taxpayer, on="2025-11-16")
    viewer = computed.as_("viewer")
    viewer.get(computed.url(PAGE))
    counts = []
    for path in ("diff/2/3/", "diff/3/4/", "diff/3/4/?cell=rejected.A_I.b2b.igst"):
        with CaptureQueriesContext(connection) as asked:
            viewer.get(computed.url(PAGE + path))
        counts.append(len(asked))
    assert len(set(counts)) == 1
    assert counts[0] <= 12


def test_any_two_versions_can_be_compared_without_script(computed: Desk) -> None:
    answer = computed.get(PAGE, older="3", newer="1")
    assert answer.status_code == 303
    assert answer["Location"].endswith("/gstr2b/diff/1/3/")


def test_lines_say_status_reduction_remark_and_rule(computed: Desk) -> None:
    computed.act("CN1", "A", answer="P", declared=Tax(igst=400000), remark="half was reversed")
    factories.computed(computed.taxpayer, on="2025-11-16")
    found = text(computed.get("returns/102025/gstr2b/all/b2bcn/"))
    for part in (
        "CN1",
        "Accepted",
        "Part",
        "₹4,000.00",
        "half was reversed",
        "R2.1; R7.6",
    ):
        assert part in found


def test_a_reversal_names_the_supplier_who_never_paid(desk: Desk) -> None:
    desk.documents()
    factories.computed(desk.taxpayer)
    gstr3b.file(taxpayer=desk.taxpayer, period=factories.OCTOBER, actor=None, clock=factories.clock("2025-11-18"))
    told = Reversed("b2b", factories.SUPPLIER, factories.OCTOBER, "INV1", date(2025, 10, 5))
    november = periods.parse("112025")
    reversal = Reversal("records[0]", factories.RECIPIENT, november, Tax(igst=100), told)
    feeds.take_reversals(found=[reversal, ReversalBatch("R37A-1")], clock=factories.clock("2025-12-01"))
    factories.computed(desk.taxpayer, period="112025", on="2025-12-14")
    desk.today("2025-12-14")
    found = text(desk.get("returns/112025/gstr2b/all/r37a/"))
    assert "INV1" in found
    assert factories.SUPPLIER in found
    assert "Customs" not in found
    record = Record.objects.get(section="r37a")
    assert factories.SUPPLIER in text(desk.get(f"ims/records/{record.pk}/"))


def test_lines_are_paged_by_key(desk: Desk) -> None:
    factories.filed(*(factories.document(number=f"INV{number}", tax=10) for number in range(30)))
    factories.computed(desk.taxpayer)
    first = desk.get("returns/102025/gstr2b/all/all/", rows="25")
    assert "1-25 of 30" in text(first)
    following = re.search(r'href="\?([^"]+after=[^"]+)"', first.content.decode())
    assert following
    second = desk.as_("viewer").get(desk.url("returns/102025/gstr2b/all/all/?" + following[1].replace("&amp;", "&")))
    assert "26-30 of 30" in text(second)


@pytest.mark.parametrize(
    ("path", "on", "reason", "cure"),
    [
        (PAGE, "2025-11-10", "can be computed from 14/11/2025", "/ims/inward/"),
        ("returns/112025/gstr2b/", "2025-12-15", "GSTR-3B of 10/2025 is not filed", "/returns/102025/gstr3b/"),
    ],
)
def test_where_there_is_none_the_page_says_why_and_where_to_go(
    desk: Desk, path: str, on: str, reason: str, cure: str
) -> None:
    desk.today(on)
    answer = desk.get(path)
    assert reason in text(answer)
    assert cure in answer.content.decode()
    assert b"gstr2b/compute/" not in answer.content
    refused = desk.post(path + "compute/")
    assert refused.status_code == 409
    assert reason in text(refused)
    assert not Gstr2bJob.objects.exists()


@pytest.mark.parametrize("part", ["all/all/", "all/b2b/?placement=available", "versions/1/", "diff/1/2/", "why/1/1/"])
def test_pages_within_a_statement_that_is_not_there_lead_to_why_and_the_cure(desk: Desk, part: str) -> None:
    desk.today("2025-11-10")
    viewer = desk.as_("viewer")
    told = viewer.get(desk.url(PAGE + part), follow=True)
    assert told.redirect_chain == [(desk.url(PAGE), 303)]
    assert "can be computed from 14/11/2025" in text(told)
    assert "/ims/inward/" in told.content.decode()
    assert desk.as_("stranger").get(desk.url(PAGE + part)).status_code == 404
    assert viewer.get(desk.url("returns/092025/gstr2b/" + part)).status_code == 404


@pytest.mark.parametrize(
    "part", ["all/nowhere/", "all/all/?version=2", "versions/2/", "diff/1/2/", "diff/1/1/", "why/1/999999/"]
)
def test_what_a_statement_does_not_hold_is_no_page(computed: Desk, part: str) -> None:
    assert computed.as_("viewer").get(computed.url(PAGE + part)).status_code == 404


def test_months_1_and_2_of_a_quarterly_filer_lead_to_the_quarter(desk: Desk) -> None:
    quarterly = factories.taxpayer("27AAACQ1234C1Z5", name="Quarterly & Sons", frequency=Frequency.QUARTERLY)
    factories.member(quarterly, "preparer", "preparer")
    client, base = desk.as_("preparer"), f"/en/t/{quarterly.gstin}/returns/"
    for page in ("102025/gstr2b/", "112025/gstr3b/"):
        answer = client.get(base + page)
        assert answer.status_code == 200
        assert "files quarterly" in text(answer)
        assert f"{base}122025/" in answer.content.decode()
    body = {"gstin": quarterly.gstin, "request_id": str(uuid.uuid4())}
    assert client.post(base + "102025/gstr2b/compute/", body).status_code == 409


def test_a_filed_period_keeps_its_statement_without_a_button(computed: Desk) -> None:
    gstr3b.file(taxpayer=computed.taxpayer, period=factories.OCTOBER, actor=None, clock=factories.clock("2025-11-16"))
    answer = computed.get(PAGE)
    assert "is filed, so its GSTR-2B stays as it was filed" in text(answer)
    assert b"gstr2b/compute/" not in answer.content


@pytest.mark.usefixtures("large")
def test_a_failed_job_says_why_and_what_to_do(desk: Desk) -> None:
    desk.documents()
    address = desk.post(COMPUTE)["Location"]
    desk.today("2025-11-10")
    desk.work()
    found = desk.as_("viewer").get(address)
    assert "can be computed from 14/11/2025" in text(found)
    assert "What stood before still stands" in text(found)


def test_a_period_before_the_first_is_not_there(desk: Desk) -> None:
    assert Taxpayer.objects.get(pk=desk.taxpayer.pk).first_month == 202510
    assert desk.get("returns/092025/gstr2b/").status_code == 404
