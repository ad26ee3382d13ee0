"""Another version of a saved document, and an amendment of a filed one, typed on their pages."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.test import Client

from ims_portal.clock import Fixed
from ims_portal.models import Taxpayer
from ims_portal.rules.documents import Section
from ims_portal.rules.periods import Frequency
from invoices.models import Record, ReportedBefore
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now")]
TODAY = "2025-11-10"
RETURNS = f"/en/t/{factories.SUPPLIER}/returns/"
HERE = f"{RETURNS}102025/gstr1/"


@pytest.fixture(autouse=True)
def owner(client: Client) -> Taxpayer:
    """Return the supplier, with its preparer signed in."""
    found = factories.taxpayer(factories.SUPPLIER)
    client.force_login(factories.member(found, "preparer"))
    return found


def typed(*, taxable: str = "50,000.00", version: object = 0, **more: str) -> dict[str, str]:
    """Return an edit or amendment as a browser sends it: half of the value it had."""
    return {
        "gstin": factories.SUPPLIER,
        "request_id": str(uuid4()),
        "version": str(version),
        "number": "INV1",
        "dated": "05/10/2025",
        "pos": "27",
        "inv_type": "R",
        "lines": "1",
        "line-0-rate": "1800",
        "line-0-taxable": taxable,
    } | more


def page_of(record: Record, name: str = "") -> str:
    """Return the address of a record's page."""
    return f"{HERE}records/{record.pk}/{name}"


def test_a_saved_document_is_shown_with_its_lines_and_its_ways(client: Client) -> None:
    record = factories.saved()[0]
    page = client.get(page_of(record))
    assert "18 %" in page.text
    assert "18,000.00" in page.text
    assert page_of(record, "edit/") in page.text
    assert page_of(record, "delete/") in page.text
    assert page_of(record, "amend/") not in page.text
    listed = client.get(f"{HERE}b2b/")
    assert page_of(record) in listed.text
    assert page_of(record, "edit/") in listed.text


def test_another_version_replaces_the_saved_one_and_resets_the_action(client: Client) -> None:
    record = factories.saved()[0]
    factories.act(record, "A", on="2025-11-06")
    record.refresh_from_db()
    asked = client.get(page_of(record, "edit/"))
    assert "Saving resets what the recipient decided" in asked.text
    assert asked.context["entry"].lines[0].initial["taxable"] == "1,00,000.00"
    assert "igst" not in asked.context["entry"].lines[0].initial
    assert asked.context["sums"].tax.igst == 18_000_00
    answer = client.post(page_of(record, "edit/"), typed(version=record.version))
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{HERE}b2b/")
    again = Record.objects.get()
    assert (again.pk, again.taxable, again.igst, again.value) == (record.pk, 50_000_00, 9_000_00, 59_000_00)
    assert (again.action, again.status) == ("N", "S")
    assert ReportedBefore.objects.get().said["igst"] == 18_000_00


def test_a_document_saved_by_another_meanwhile_is_told_and_nothing_typed_is_lost(client: Client) -> None:
    record = factories.saved()[0]
    assert client.post(page_of(record, "edit/"), typed(taxable="70,000.00")).status_code == 303
    answer = client.post(page_of(record, "edit/"), typed(taxable="60,000.00"))
    assert answer.status_code == 409
    assert "Somebody saved another version of INV1" in answer.text
    assert "taxable value ₹70,000.00, tax ₹12,600.00" in answer.text
    assert 'value="60,000.00"' in answer.text
    assert Record.objects.get().taxable == 70_000_00
    assert (
        client.post(page_of(record, "edit/"), typed(taxable="60,000.00", version=answer.context["version"])).status_code
        == 303
    )
    assert Record.objects.get().taxable == 60_000_00


def test_a_decision_taken_meanwhile_is_told_before_it_is_reset(client: Client) -> None:
    record = factories.saved()[0]
    factories.act(record, "R", on="2025-11-06", reason="OTHER", remark="no")
    answer = client.post(page_of(record, "edit/"), typed())
    assert answer.status_code == 409
    assert "The recipient decided on INV1" in answer.text
    assert Record.objects.get().action == "R"


def test_the_same_edit_twice_is_one_and_an_equal_one_changes_nothing(client: Client) -> None:
    record = factories.saved()[0]
    sent = typed()
    assert [client.post(page_of(record, "edit/"), sent).status_code for _ in range(2)] == [303, 303]
    assert ReportedBefore.objects.count() == 1
    record.refresh_from_db()
    client.post(page_of(record, "edit/"), typed(version=record.version))
    assert "nothing changed" in client.get(f"{HERE}b2b/").text
    assert ReportedBefore.objects.count() == 1


def test_what_is_filed_or_deleted_is_not_edited(client: Client) -> None:
    filed = factories.filed_record()
    for answer in (client.get(page_of(filed, "edit/")), client.post(page_of(filed, "edit/"), typed())):
        assert (answer.status_code, answer.headers["Location"]) == (303, page_of(filed))
    assert "INV1 is filed" in client.get(page_of(filed)).text
    assert Record.objects.get().taxable == 1_00_000_00


def test_a_viewer_sees_no_button_and_forges_nothing(client: Client, owner: Taxpayer) -> None:
    record = factories.saved()[0]
    client.force_login(factories.member(owner, "viewer"))
    assert "edit/" not in client.get(page_of(record)).text
    assert client.get(page_of(record, "edit/")).status_code == 403
    assert client.post(page_of(record, "edit/"), typed()).status_code == 403
    assert client.get(page_of(record, "amend/")).status_code == 403
    assert Record.objects.get().taxable == 1_00_000_00


def test_strangers_and_other_forms_find_nothing(client: Client) -> None:
    record = factories.saved()[0]
    elsewhere = page_of(record).replace("102025/gstr1", "112025/gstr1")
    assert client.get(elsewhere).status_code == 404
    client.force_login(factories.member(factories.taxpayer(factories.RECIPIENT), "signatory"))
    for path in (page_of(record), page_of(record, "edit/"), page_of(record, "amend/")):
        assert client.get(path).status_code == 404
        mine = path.replace(factories.SUPPLIER, factories.RECIPIENT)
        assert client.get(mine).status_code == 404


def test_a_filed_document_names_the_forms_that_can_amend_it_and_until_when(client: Client, now: Fixed) -> None:
    record = factories.filed_record()
    early = client.get(page_of(record, "amend/"))
    assert "30/11/2026" in early.text
    assert f"{RETURNS}102025/gstr1a/b2ba/new/" not in early.text
    assert f"{RETURNS}112025/gstr1/b2ba/new/?of={record.pk}" in early.text
    now.at = factories.at("2025-11-12")
    page = client.get(page_of(record, "amend/"))
    assert f"{RETURNS}102025/gstr1a/b2ba/new/?of={record.pk}" in page.text
    assert page_of(record, "amend/") in client.get(page_of(record)).text


def test_after_30_november_of_the_next_year_a_document_is_amended_no_more(client: Client, now: Fixed) -> None:
    record = factories.filed_record()
    new = f"{RETURNS}112025/gstr1/b2ba/new/?of={record.pk}"
    now.at = factories.at("2026-11-30 23:00")
    assert new in client.get(page_of(record, "amend/")).text
    assert "Too late" not in client.get(page_of(record, "amend/")).text
    assert client.get(new).status_code == 200
    now.at = factories.at("2026-12-01")
    page = client.get(page_of(record, "amend/")).text
    assert "Too late" in page
    assert "Documents of 2025-26 could be amended until 30/11/2026. Settle it with the recipient" in page
    assert "/new/?of=" not in page
    assert client.get(new).headers["Location"] == page_of(record, "amend/")
    refused = client.post(new, typed(number="INV1-A"), follow=True)
    assert refused.redirect_chain == [(page_of(record, "amend/"), 303)]
    assert "INV1 can no longer be amended. What you typed was not saved." in refused.text
    assert Record.objects.count() == 1


def test_a_quarterly_supplier_can_amend_by_its_next_iff(client: Client, now: Fixed) -> None:
    quarterly = factories.taxpayer("33AASFN0000R1Z5", first=202507, frequency=Frequency.QUARTERLY)
    client.force_login(factories.member(quarterly, "preparer"))
    record = factories.filed(
        factories.document(on="2025-07-05", supplier=quarterly.gstin),
        supplier=quarterly.gstin,
        period="Q2-2025-26",
        on="2025-10-10",
    )[0]
    now.at = factories.at("2025-11-02")
    page = client.get(f"/en/t/{quarterly.gstin}/returns/092025/gstr1/records/{record.pk}/amend/")
    ways = [(way["form"], way["period"].wire) for way in page.context["found"]]
    assert ways == [("GSTR-1A", "092025"), ("IFF", "102025"), ("IFF", "112025"), ("GSTR-1", "122025")]


@pytest.mark.parametrize(("form", "period"), [("gstr1a", "102025"), ("gstr1", "112025")])
def test_an_amendment_comes_filled_in_and_keeps_its_recipient(
    client: Client, now: Fixed, form: str, period: str
) -> None:
    record = factories.filed_record()
    now.at = factories.at("2025-11-12")
    new = f"{RETURNS}{period}/{form}/b2ba/new/?of={record.pk}"
    asked = client.get(new)
    assert "The recipient stays" in asked.text
    assert 'name="recipient"' not in asked.text
    assert asked.context["entry"].lines[0].initial["taxable"] == "1,00,000.00"
    forged = typed(number="INV1-A", recipient="29AAFCK0000M1ZQ")
    assert client.post(new, forged).status_code == 303
    amendment = Record.objects.get(section=Section.B2BA.value)
    assert (amendment.original_id, amendment.recipient_id) == (record.pk, record.recipient_id)
    assert (amendment.number, amendment.igst, amendment.status) == ("INV1-A", 9_000_00, "S")
    told = client.get(page_of(record, "amend/"))
    assert "is a later version" in told.text
    second = client.post(new, typed(number="INV1-B"))
    assert second.status_code == 422
    assert Record.objects.count() == 2


def test_a_note_is_amended_as_the_note_it_is(client: Client, now: Fixed) -> None:
    note = factories.filed_record(section=Section.CN, number="CN1")
    now.at = factories.at("2025-11-12")
    new = f"{RETURNS}102025/gstr1a/cdnra/new/?of={note.pk}"
    assert 'name="note"' not in client.get(new).text
    assert client.post(new, typed(number="CN1", note="D")).status_code == 303
    assert Record.objects.get(original=note).section == Section.CNA.value
    assert client.get(new.replace("cdnra", "b2ba")).status_code == 404
    assert client.get(new.split("?", maxsplit=1)[0]).status_code == 303


def test_what_is_only_saved_or_not_mine_is_not_amended(client: Client, now: Fixed) -> None:
    record = factories.saved()[0]
    now.at = factories.at("2025-11-12")
    assert client.get(page_of(record, "amend/")).status_code == 303
    for of in (str(record.pk), "0", "x", "9" * 30):
        assert client.get(f"{RETURNS}112025/gstr1/b2ba/new/?of={of}").status_code == 404


def test_a_deleted_document_stays_in_its_history_alone(client: Client) -> None:
    record = factories.saved()[0]
    client.post(page_of(record, "delete/"), {"gstin": factories.SUPPLIER, "request_id": str(uuid4()), "version": "0"})
    page = client.get(page_of(record))
    assert "only its history stays" in page.text
    assert "Change it" not in page.text
    assert "INV1" not in client.get(f"{HERE}b2b/").context["lines"]


def test_pages_ask_the_database_little(client: Client, django_assert_max_num_queries: object) -> None:
    record = factories.filed_record()
    saved = factories.saved(factories.document(number="INV2"), period="112025", on="2025-11-05")[0]
    november = f"{RETURNS}112025/gstr1/"
    for path in (
        page_of(record),
        page_of(record, "amend/"),
        f"{november}records/{saved.pk}/edit/",
        f"{november}b2ba/new/?of={record.pk}",
        f"{november}b2b/new/",
        f"{november}b2b/",
        november,
    ):
        with django_assert_max_num_queries(15):
            assert client.get(path).status_code == 200
