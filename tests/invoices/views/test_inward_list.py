"""The inward list in the browser: its rows, its filters and chips, its orders and pages."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ims_portal.clock import Fixed
from ims_portal.models import User
from ims_portal.rules.documents import Section
from invoices.models import Record
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now")]
TODAY = "2025-11-12"
DESK = f"/en/t/{factories.RECIPIENT}/ims/"
ALL = DESK + "inward/all/"
CN = Section.CN


@pytest.mark.usefixtures("preparer")
def test_a_list_shows_a_row_with_its_choices_and_their_legend(client: Client) -> None:
    record = factories.filed_record(section=CN, number="CN/26/0117")
    page = client.get(DESK + "inward/b2bcn/").text
    assert "Action for CN/26/0117 of Firm AAACS" in page
    assert page.count(f'name="a.{record.pk}.0"') == 4
    assert "Pending until 20/12/2025" in page
    assert "1-1 of 1, tax ₹18,000.00" in page


@pytest.mark.usefixtures("preparer")
def test_a_barred_choice_is_disabled_with_its_reason(client: Client, now: Fixed) -> None:
    record = factories.filed_record(section=CN, number="CN1")
    factories.act(record, "P")
    now.at = factories.at("2025-12-21")
    page = client.get(DESK + "inward/b2bcn/").text
    assert re.search(rf'name="a\.{record.pk}\.1" value="P"[^>]* disabled', page)
    assert "CN1 could be pending until 20/12/2025." in page
    assert "Pending has lapsed: it counts as No action." in page
    assert "Pending until" not in page


@pytest.mark.usefixtures("preparer")
def test_an_amendment_that_waits_for_its_original_has_no_choices(client: Client, now: Fixed) -> None:
    factories.filed(factories.document(number="INV1"))
    factories.gstr2b.compute(
        taxpayer=factories.taxpayer(factories.SUPPLIER),
        period=factories.OCTOBER,
        actor=None,
        clock=factories.clock("2025-11-14"),
    )
    factories.gstr3b.file(
        taxpayer=factories.taxpayer(factories.SUPPLIER),
        period=factories.OCTOBER,
        actor=None,
        clock=factories.clock("2025-11-15"),
    )
    amended = factories.document(section=Section.B2BA, number="INV1", tax=9000, original="INV1")
    factories.filed(amended, period="112025", on="2025-12-05")
    now.at = factories.at("2025-12-06")
    page = client.get(DESK + "inward/b2ba/").text
    assert "Decide on the original INV1 and file GSTR-3B of 10/2025 first." in page
    assert 'type="radio"' not in page
    assert "amends INV1 of 05/10/2025" in page
    assert 'data-of="Old tax, new below">18,000.00<span class="sub">9,000.00</span></td>' in page


@pytest.mark.usefixtures("preparer")
def test_paging_keeps_filters_and_the_address_carries_them(client: Client) -> None:
    factories.filed(*[factories.document(number=f"I{n:03d}") for n in range(30)])
    first = client.get(DESK + "inward/b2b/?rows=25&action=N")
    following = str(first.context["after_url"])
    assert following.startswith(DESK + "inward/b2b/?action=N&rows=25&after=")
    second = client.get(following)
    assert "26-30 of 30" in second.text
    assert client.get(str(second.context["before_url"])).text.count('<tr id="r') == 25


@pytest.mark.usefixtures("preparer")
def test_a_filter_that_cannot_be_read_lists_nothing_and_says_what_to_write(client: Client) -> None:
    factories.filed_record(number="INV1")
    page = client.get(DESK + "inward/all/?date_from=11/25/2026&statuss=S")
    assert page.status_code == 422
    assert "Write the day as DD/MM/YYYY, for example 14/11/2026." in page.text
    assert "There is no filter called statuss." in page.text
    assert "INV1" not in page.text


@pytest.mark.usefixtures("preparer")
def test_htmx_asks_for_the_list_alone(client: Client) -> None:
    factories.filed_record()
    part = client.get(DESK + "inward/b2b/", headers={"HX-Request": "true"})
    assert part.text.lstrip().startswith('<div id="records">')
    assert "HX-Request" in part.headers["Vary"]


@pytest.mark.usefixtures("preparer")
def test_no_list_takes_more_queries_for_more_rows(client: Client) -> None:
    factories.filed(*[factories.document(number=f"I{n:03d}") for n in range(60)])
    with CaptureQueriesContext(connection) as few:
        client.get(DESK + "inward/b2b/?q=I000")
    with CaptureQueriesContext(connection) as many:
        client.get(DESK + "inward/b2b/")
    assert len(few) == len(many) == 7


@pytest.mark.usefixtures("preparer")
def test_filters_in_force_are_chips_that_each_take_themselves_off(client: Client) -> None:
    factories.filed_record()
    page = client.get(ALL + f"?q=INV&supplier={factories.SUPPLIER}&date_from=05/10/2025&reduces=1&sort=tax")
    chips = {chip["text"]: chip["url"] for chip in page.context["active"]}
    assert list(chips) == [
        "GSTIN or number begins with, name contains: INV",
        f"Supplier's GSTIN: {factories.SUPPLIER}",
        "Dated from, DD/MM/YYYY: 05/10/2025",
        "Reduces ITC",
    ]
    assert chips["Reduces ITC"] == f"{ALL}?q=INV&supplier={factories.SUPPLIER}&date_from=05/10/2025&sort=tax"
    assert "More filters (3)" in page.text
    assert 'value="05/10/2025"' in page.text


@pytest.mark.usefixtures("preparer")
def test_clicking_a_gstin_or_a_chip_sets_its_filter_and_again_clears_it(client: Client) -> None:
    factories.filed_record()
    page = client.get(ALL)
    assert f'name="go" value="{ALL}?supplier={factories.SUPPLIER}"' in page.text
    assert f'name="go" value="{ALL}?status=F"' in page.text
    once = client.get(f"{ALL}?supplier={factories.SUPPLIER}")
    assert re.search(rf'class="go sub gstin" name="go" value="{ALL}"', once.text)


@pytest.mark.usefixtures("preparer")
def test_a_date_filter_reads_the_day_before_the_month(client: Client) -> None:
    factories.saved(
        factories.document(number="NOV5", on="2025-11-05"),
        factories.document(number="NOV11", on="2025-11-11"),
        period="112025",
        on="2025-11-11",
    )
    page = client.get(ALL + "?date_from=05/11/2025&date_to=05/11/2025")
    assert "NOV5" in page.text
    assert "NOV11" not in page.text


@pytest.mark.usefixtures("preparer")
def test_a_wrong_filter_keeps_what_was_typed_and_says_the_cure_beside_it(client: Client) -> None:
    page = client.get(ALL + "?tax_from=many&period=10/2025")
    assert page.status_code == 422
    assert 'href="#f-tax_from"' in page.text
    assert re.search(r'id="f-tax_from" name="tax_from" value="many"[^>]*aria-invalid="true"', page.text)
    assert 'name="period" value="10/2025"' in page.text


@pytest.mark.usefixtures("preparer")
def test_a_heading_sorts_says_so_and_turns_at_the_second_click(client: Client) -> None:
    factories.filed(factories.document(number="SMALL", tax=100), factories.document(number="LARGE", tax=900))
    page = client.get(ALL + "?sort=tax")
    assert page.text.index("LARGE") < page.text.index("SMALL")
    go = '<button class="go" type="submit" name="go" value='
    assert f'aria-sort="descending">{go}"{ALL}?sort=-tax">' in page.text
    assert f'aria-sort="none">{go}"{ALL}?sort=supplier">' in page.text
    turned = client.get(ALL + "?sort=-tax")
    assert turned.text.index("SMALL") < turned.text.index("LARGE")
    assert 'aria-sort="ascending"' in turned.text
    assert client.get(ALL + "?sort=colour").status_code == 422


def test_a_page_has_as_many_rows_as_its_reader_chose_unless_the_address_says(client: Client, preparer: User) -> None:
    factories.filed(*[factories.document(number=f"I{n:03d}") for n in range(30)])
    preparer.rows = 25
    preparer.save()
    assert client.get(ALL).text.count('<tr id="r') == 25
    assert client.get(ALL + "?rows=50").text.count('<tr id="r') == 30


@pytest.mark.usefixtures("preparer")
def test_what_the_supplier_changed_is_badged_with_old_and_new(client: Client) -> None:
    for tax in (1800, 3600):
        note = factories.document(number="LATER", tax=tax, on="2025-11-02")
        factories.saved(note, period="112025", on="2025-11-11")
        if tax == 1800:
            factories.act(Record.objects.get(number="LATER"), "A")
    page = client.get(ALL)
    assert "Changed since decided" in page.text
    assert "You had chosen Accept." in page.text
    assert "1,800.00 &gt; 3,600.00" in page.text


@pytest.mark.usefixtures("preparer")
def test_a_list_without_a_register_says_that_nothing_is_matched(client: Client) -> None:
    page = client.get(ALL + "?match=exact")
    assert page.status_code == 422
    assert "There is no purchase register yet, so no record is matched. Clear this filter." in page.text


@pytest.mark.usefixtures("preparer")
@pytest.mark.parametrize(
    ("query", "told"),
    [("", "No open records."), ("?q=X", "No record matches these filters."), ("?settled=1", "Nothing is settled here")],
)
def test_an_empty_list_says_why(client: Client, query: str, told: str) -> None:
    assert told in client.get(ALL + query).text


@pytest.mark.usefixtures("preparer")
def test_a_stranger_to_a_section_is_told_there_is_no_such_page(client: Client) -> None:
    assert client.get(DESK + "inward/isd/").status_code == 404


@pytest.mark.usefixtures("preparer")
def test_a_save_swapped_into_the_page_brings_the_banner_it_raises(client: Client, now: Fixed) -> None:
    record = factories.filed_record(number="INV1")
    factories.computed()
    now.at = factories.at("2025-11-15")
    assert "GSTR-2B is out of date" not in client.get(ALL).text
    sent = {"gstin": factories.RECIPIENT, "request_id": str(uuid4()), "back": ALL, f"a.{record.pk}.0": "A"}
    saved = client.post(f"{DESK}act/", sent, headers={"HX-Request": "true"}, follow=True)
    assert '<div id="stale" hx-swap-oob="true"><section class="banner banner-stale"' in saved.text
    assert "GSTR-2B is out of date" in saved.text
    # Paging and filters, which change nothing, bring none.
    assert 'id="stale"' not in client.get(ALL, headers={"HX-Request": "true"}).text
    assert client.get(ALL).text.count('id="stale"') == 1


@pytest.mark.usefixtures("preparer")
def test_a_note_and_the_only_invoice_of_its_tax_name_one_another(client: Client) -> None:
    invoice, note = factories.filed(
        factories.document(number="INV1"), factories.document(number="CN1", section=CN, on="2025-10-20")
    )
    factories.act(invoice, "R")
    assert "INV1, the same tax: Rejected" in _row(client, note)
    assert "CN1, the same tax: No action" in _row(client, invoice)


@pytest.mark.usefixtures("preparer")
def test_of_several_invoices_of_the_same_tax_a_list_names_none(client: Client) -> None:
    _one, _other, note = factories.filed(
        factories.document(number="INV1"),
        factories.document(number="INV2"),
        factories.document(number="CN1", section=CN, on="2025-10-20"),
    )
    assert "the same tax" not in _row(client, note)


@pytest.mark.parametrize("fields", [{"on": "2025-10-21"}, {"tax": 17999}, {"reverse_charge": True}])
@pytest.mark.usefixtures("preparer")
def test_an_invoice_the_note_cannot_be_of_is_not_named(client: Client, fields: dict[str, object]) -> None:
    _invoice, note = factories.filed(
        factories.document(number="INV1", **fields), factories.document(number="CN1", section=CN, on="2025-10-20")
    )
    assert "INV1" not in _row(client, note)


def _row(client: Client, record: Record) -> str:
    found = re.search(rf'<tr id="r{record.pk}".*?</tr>', client.get(ALL).text, re.DOTALL)
    assert found is not None
    return found[0]
