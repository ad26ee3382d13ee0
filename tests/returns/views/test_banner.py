"""The stale banner stands above every page of the GSTIN, once, with rupees; only computing takes it away."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from invoices.models import Record
from tests import factories
from tests.returns.views.conftest import Desk

SAYS = "1 saved change is not in GSTR-2B of 10/2025 (version 1, 14/11/2025 10:00): ITC -₹18,000.00."
EVERYWHERE = (
    "",
    "ims/",
    "ims/inward/",
    "ims/inward/all/",
    "ims/inward/b2bcn/",
    "ims/find/",
    "ims/outward/",
    "returns/",
    "returns/102025/gstr1/",
    "returns/102025/gstr2b/",
    "returns/102025/gstr2b/all/all/",
    "returns/102025/gstr2b/versions/1/",
    "returns/102025/gstr2b/changes/",
    "returns/102025/gstr3b/",
    "returns/102025/gstr3b/table/t4A5/",
    "returns/102025/gstr3b/review/",
)


def main(desk: Desk, path: str, who: str = "preparer") -> str:
    answer = desk.get(path, who)
    assert answer.status_code == 200, path
    content = answer.content.decode()
    return content[content.index("<main") : content.index("</main>")]


@pytest.fixture
def stale(computed: Desk) -> Desk:
    computed.act("INV1", "R")
    return computed


@pytest.mark.parametrize("path", EVERYWHERE)
def test_every_page_says_it_once_and_computes(stale: Desk, path: str) -> None:
    content = main(stale, path)
    assert content.count("banner-stale") == 1
    assert content.count(SAYS) == 1
    banner = content.split("banner-stale")[1].split("</section>")[0]
    fields = dict(re.findall(r'<input type="hidden" name="(gstin|request_id)" value="([^"]*)">', banner))
    assert content.count(fields["request_id"]) == 1
    action = re.search(r'action="/en/t/[^/]+/([^"]+)"', banner)
    assert action is not None
    assert stale.post(action[1], "preparer", **fields).status_code == 303
    stale.work()
    assert "banner-stale" not in main(stale, path if "changes" not in path else "returns/102025/gstr2b/")


def test_a_record_s_page_says_it_too(stale: Desk) -> None:
    assert SAYS in main(stale, f"ims/records/{Record.objects.get(number='CN1').pk}/")


def test_a_viewer_is_told_and_gets_no_button(stale: Desk) -> None:
    content = main(stale, "ims/", "viewer")
    assert SAYS in content
    assert "gstr2b/compute/" not in content


def test_pages_of_nobody_s_gstin_say_nothing(stale: Desk) -> None:
    client: Client = stale.as_("preparer")
    for path in ("/en/t/", "/en/rules/", "/en/help/"):
        assert b"banner-stale" not in client.get(path).content


def test_a_part_of_a_page_asks_nothing_of_it(stale: Desk) -> None:
    client = stale.as_("preparer")
    with CaptureQueriesContext(connection) as asked:
        client.get(stale.url("ims/inward/b2b/"), headers={"HX-Request": "true"})
    assert not [query for query in asked.captured_queries if "inbox_seq >" in query["sql"]]


def test_the_changes_are_listed_with_who_and_what_they_do(stale: Desk) -> None:
    stale.act("CN1", "A", answer="F")
    content = main(stale, "returns/102025/gstr2b/changes/")
    rows = re.findall(r"<tr>.*?</tr>", content.split("<tbody>")[1], re.DOTALL)
    words = [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in rows]
    assert len(words) == 2
    assert words[0].startswith("INV1")
    assert "18,000.00 ITC available 18,000.00 ITC rejected -18,000.00" in words[0]
    assert "Preparer 16/11/2025 10:00" in words[0]
    assert "9,000.00 ITC available 9,000.00 ITC available 0.00" in words[1]


def test_without_a_change_the_list_of_changes_leads_to_the_statement(computed: Desk) -> None:
    answer = computed.get("returns/102025/gstr2b/changes/")
    assert (answer.status_code, answer["Location"]) == (303, computed.url("returns/102025/gstr2b/"))


def test_a_settled_period_is_behind_nothing(computed: Desk) -> None:
    factories.gstr3b.file(
        taxpayer=computed.taxpayer, period=factories.OCTOBER, actor=None, clock=factories.clock("2025-11-16")
    )
    assert "banner-stale" not in main(computed, "returns/102025/gstr2b/")
