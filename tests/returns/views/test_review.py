"""What a signatory looks at before filing, what a statement that is missing says, and what a receipt holds."""

from __future__ import annotations

import json
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ims_portal.rules.documents import Section
from invoices import standing
from returns import review, review_sql
from returns.models import Filing, LedgerEntry
from tests import factories
from tests.returns.views.conftest import Desk
from tests.returns.views.test_gstr2b import text
from tests.returns.views.test_gstr3b import AMOUNTS, FILE, PAGE, REVIEW, ROW, shown

STATEMENT = "returns/102025/gstr2b/"


def rejected_pair(desk: Desk, note: str) -> None:
    """File an invoice and a credit note of the same tax, reject the invoice, and decide on the note."""
    factories.filed(
        factories.document(number="INV1", tax=9000),
        factories.document(number="INV2", tax=500),
        factories.document(section=Section.CN, number="CN1", tax=9000, on="2025-10-20"),
    )
    desk.act("INV1", "R")
    desk.act("CN1", note, **({"answer": "F"} if note == "A" else {}))
    factories.computed(desk.taxpayer, on="2025-11-16")


@pytest.mark.parametrize(
    ("note", "says"),
    [
        ("R", "INV1 and credit note CN1 are both rejected: you take no ITC, and the tax of Firm AAACS still rises"),
        ("A", "INV1 is rejected, so you took no ITC of it, but credit note CN1 counts as accepted"),
    ],
)
def test_the_review_sets_a_rejected_invoice_beside_its_likely_note(desk: Desk, note: str, says: str) -> None:
    rejected_pair(desk, note)
    assert says in text(desk.get(REVIEW))


def test_a_pending_note_makes_no_pair(desk: Desk) -> None:
    rejected_pair(desk, "P")
    assert "Credit notes of rejected invoices" not in text(desk.get(REVIEW))


def test_the_filing_names_how_many_rejections_become_final(desk: Desk) -> None:
    rejected_pair(desk, "R")
    assert re.search(
        r"Becomes final 2 rejections become final\. 1 record without action is accepted\.", text(desk.get(REVIEW))
    )


def test_itc_above_gstr_2b_is_named_row_by_row_and_head_by_head(computed: Desk) -> None:
    computed.post(ROW, "preparer", **{**AMOUNTS, "igst": "9,000.50"}, reason="a late invoice")
    found = text(computed.get(REVIEW))
    assert "4(A)(5) All other ITC is declared above GSTR-2B: Integrated tax ₹0.50." in found
    assert "Declared above derived: Integrated tax ₹0.50." in text(computed.get(PAGE))


def test_the_review_lists_the_dearest_and_counts_the_rest(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review_sql, "LISTED", 3)
    factories.filed(*(factories.document(number=f"INV{tax}", tax=tax) for tax in range(10, 20)))
    factories.computed(desk.taxpayer)
    at = factories.at("2025-11-16")
    today = standing.of(desk.taxpayer, at)
    found = review.of(taxpayer=desk.taxpayer, period=factories.OCTOBER, at=at, today=today)
    assert [(line.record.number, line.net) for line in found.deemed.lines] == [
        ("INV19", 1900),
        ("INV18", 1800),
        ("INV17", 1700),
    ]
    assert (found.deemed.count, found.deemed.unlisted, found.deemed.adds) == (10, 7, 145_00)
    assert "7 more, all smaller." in text(desk.get(REVIEW))


@pytest.mark.parametrize("who", ["signatory", "preparer", "viewer"])
def test_the_review_asks_no_more_than_any_page_may(desk: Desk, who: str) -> None:
    rejected_pair(desk, "R")
    client = desk.as_(who)
    client.get(desk.url(REVIEW))
    with CaptureQueriesContext(connection) as asked:
        assert client.get(desk.url(REVIEW)).status_code == 200
    assert len(asked) <= 15


def test_earlier_unfiled_returns_are_listed_oldest_first_with_their_due_days(desk: Desk) -> None:
    desk.today("2026-01-15")
    for path in ("returns/122025/gstr2b/", "returns/122025/gstr3b/review/"):
        answer = desk.get(path)
        assert re.search(r"GSTR-3B of 10/2025 , due 20/11/2025 GSTR-3B of 11/2025 , due 20/12/2025", text(answer))
        first, second = (answer.content.decode().index(f"returns/{p}/gstr3b/review/") for p in ("102025", "112025"))
        assert first < second


def test_a_period_without_documents_says_there_is_nothing_to_compute(desk: Desk) -> None:
    assert "there is nothing to compute" in text(desk.get(STATEMENT))
    factories.filed()
    assert "there is nothing to compute" not in text(desk.get(STATEMENT))


def test_versions_say_why_by_which_rules_and_what_they_come_to(computed: Desk) -> None:
    computed.act("CN1", "R")
    computed.act("INV1", "A")
    made = factories.computed(computed.taxpayer, on="2025-11-16").statement
    found = text(computed.get(STATEMENT))
    assert re.search(rf"2 current 16/11/2025 10:00 the portal 2 saved changes {made.engine} 2 18,000\.00", found)
    assert re.search(r"1 14/11/2025 10:00 the portal the draft of the draft day \S+ 2 9,000\.00", found)


def test_a_row_with_a_limit_shows_the_balance_it_is_made_of(desk: Desk) -> None:
    desk.taxpayer.first_month = 202601
    desk.taxpayer.save()
    desk.taxpayer.inbox.open_month = 202601
    desk.taxpayer.inbox.save()
    LedgerEntry.objects.create(
        taxpayer=desk.taxpayer,
        ledger="reclaim",
        month=202512,
        cause="GSTR-3B",
        at=factories.at("2026-01-20"),
        igst=500_00,
    )
    desk.today("2026-02-16")
    factories.computed(desk.taxpayer, period="012026", on="2026-02-16")
    row = "returns/012026/gstr3b/table/t4D1/"
    desk.post(row, "preparer", igst="600", cgst="0", sgst="0", cess="0")
    found = text(desk.get(row))
    figures = r"500\.00 .*at most 500\.00 .*4\(D\)\(1\) as declared 600\.00 .*left -100\.00"
    assert re.search(f"Reclaim balance before this return {figures}", found)
    assert "Filing is refused while a head is above it." in found
    assert "4(D)(1) Integrated tax: at most ₹500.00." in text(desk.get("returns/012026/gstr3b/review/"))


def test_the_cards_of_gstr_3b_are_those_of_the_form(computed: Desk) -> None:
    content = computed.get(PAGE).content.decode()
    tiles = re.findall(r'<li class="tile[^"]*"><h2>(\S+)', content)
    assert tiles == ["3.1", "3.1.1", "3.2", "4", "5", "5.1", "6.1"]
    anchors = re.findall(r'href="#(table-[^"]+)"', content)
    assert all(f'id="{anchor}"' in content for anchor in anchors)
    assert "9 = 6 + 7 + 8" in content


def test_the_receipt_as_json_holds_every_figure_and_the_digest(computed: Desk) -> None:
    computed.act("CN1", "R")
    factories.computed(computed.taxpayer, on="2025-11-16")
    computed.post(FILE, **shown(computed.get(REVIEW)))
    answer = computed.get(PAGE + "receipt.json", "viewer")
    filing = Filing.objects.get()
    told = json.loads(answer.content)
    assert (told["reference"], told["digest"], told["gstr2b_version"]) == (filing.reference, filing.digest, 2)
    rows = {row["table"]: row for row in told["rows"]}
    assert rows["4(A)(5)"]["declared"] == {"igst": "18000.00", "cgst": "0.00", "sgst": "0.00", "cess": "0.00"}
    assert [(line["document"], line["tax"]["igst"], line["lands_in"]) for line in told["add_backs"]] == [
        ("CN1", "9000.00", "112025")
    ]
    assert f"{filing.reference}.json" in answer["Content-Disposition"]
    assert computed.get(PAGE + "receipt.json", "stranger").status_code == 404


def test_there_is_no_receipt_before_filing(computed: Desk) -> None:
    assert computed.get(PAGE + "receipt.json").status_code == 404


def test_all_tables_opens_to_one_table_of_the_form_and_to_one_status(computed: Desk) -> None:
    content = computed.get(STATEMENT + "all/all/").content.decode()
    assert re.search(r"gstr2b/all/b2bcn/[^>]*>B2B - Credit notes 1<", content)
    found = text(computed.get(STATEMENT + "all/b2bcn/", placement="available", status="deemed_accepted"))
    assert "CN1" in found
    assert "INV1" not in found
    assert "No records here" in text(computed.get(STATEMENT + "all/b2bcn/", placement="rejected"))
