"""The supplier's desk in the browser: its form, filing, taking back, and what recipients decided."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.test import Client

from ims_portal.clock import Fixed
from ims_portal.models import Taxpayer
from ims_portal.rules.documents import Form, Section
from ims_portal.rules.money import Tax
from ims_portal.rules.periods import Frequency
from invoices.models import Record, SupplierReturn
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now")]
TODAY = "2025-11-10"
DESK = f"/en/t/{factories.SUPPLIER}/"
HERE = f"{DESK}returns/102025/gstr1/"


@pytest.fixture
def owner() -> Taxpayer:
    """Return the supplier."""
    return factories.taxpayer(factories.SUPPLIER)


def signed_in(client: Client, owner: Taxpayer, role: str = "signatory") -> Client:
    """Return the client, signed in as somebody with a role."""
    client.force_login(factories.member(owner, role))
    return client


def form(**more: object) -> dict[str, object]:
    """Return what every form carries."""
    return {"gstin": factories.SUPPLIER, "request_id": str(uuid4())} | more


def shown_by(client: Client) -> str:
    """Return the digest on the page that asks before filing."""
    return str(client.get(HERE + "file/").context["shown"])


def test_a_form_shows_its_documents_its_step_and_its_window(client: Client, owner: Taxpayer) -> None:
    factories.saved(factories.document(number="INV1"), factories.document(number="CN1", section=Section.CN))
    page = signed_in(client, owner).get(HERE)
    assert '<strong aria-current="step">Saved</strong>' in page.text
    assert "it is due 11/11/2025" in page.text
    assert "INV1" in page.text
    assert "CN1" in page.text
    only = client.get(HERE + "?section=b2bcn")
    assert "CN1" in only.text
    assert "INV1" not in only.text


def test_an_empty_form_says_what_comes_next(client: Client, owner: Taxpayer) -> None:
    page = signed_in(client, owner).get(HERE)
    assert '<strong aria-current="step">Draft</strong>' in page.text
    assert "Nothing is saved here yet" in page.text


def test_filing_shows_what_it_means_and_gives_an_acknowledgement(client: Client, owner: Taxpayer) -> None:
    factories.saved()
    asked = signed_in(client, owner).get(HERE + "file/")
    assert "GSTR-2B period of each record becomes final" in asked.text
    answer = client.post(HERE + "file/", form(shown=asked.context["shown"]))
    assert (answer.status_code, answer.headers["Location"]) == (303, HERE)
    filed = SupplierReturn.objects.get()
    assert filed.acknowledgement.startswith("SBX-")
    page = client.get(HERE)
    assert filed.acknowledgement in page.text
    assert 'type="file"' not in page.text
    assert "Delete" not in page.text


def test_filing_asks_for_the_password_when_it_was_given_long_ago(client: Client, owner: Taxpayer) -> None:
    factories.saved()
    shown = str(signed_in(client, owner).get(HERE + "file/").context["shown"])
    session = client.session
    session["account_authentication_methods"][0]["at"] = 0
    session.save()
    assert "before anything is filed" in client.get(HERE + "file/").text
    answer = client.post(HERE + "file/", form(shown=shown))
    assert answer.status_code == 303
    assert "reauthenticate" in answer.headers["Location"]
    assert not SupplierReturn.objects.get().is_filed


def test_a_double_click_files_once_and_answers_the_same(client: Client, owner: Taxpayer) -> None:
    factories.saved()
    signed_in(client, owner)
    sent = form(shown=shown_by(client))
    first, second = client.post(HERE + "file/", sent), client.post(HERE + "file/", sent)
    assert (first.status_code, first.headers["Location"]) == (second.status_code, second.headers["Location"])
    assert SupplierReturn.objects.get().filed_at == factories.at("2025-11-10")
    assert client.get(HERE + "file/").status_code == 303


def test_a_return_without_documents_can_be_filed(client: Client, owner: Taxpayer) -> None:
    signed_in(client, owner)
    assert client.post(HERE + "file/", form(shown=shown_by(client))).status_code == 303
    assert SupplierReturn.objects.get().is_filed


def test_what_changed_while_looking_is_not_filed(client: Client, owner: Taxpayer) -> None:
    factories.saved()
    signed_in(client, owner)
    shown = shown_by(client)
    factories.saved(factories.document(number="INV2"))
    answer = client.post(HERE + "file/", form(shown=shown))
    assert answer.status_code == 409
    assert "The figures changed while you looked" in answer.text
    assert not SupplierReturn.objects.get().is_filed
    assert client.post(HERE + "file/", form(shown=answer.context["shown"])).status_code == 303


def test_a_refusal_says_why_and_leads_to_the_next_step(client: Client, owner: Taxpayer, now: Fixed) -> None:
    now.at = factories.at("2025-12-05")
    path = f"{DESK}returns/112025/gstr1/file/"
    page = signed_in(client, owner).get(path)
    assert "File it first" in page.text
    assert f"{DESK}returns/102025/gstr3b/" in page.text
    answer = client.post(path, form(shown=""))
    assert answer.status_code == 409
    assert not SupplierReturn.objects.filter(filed_on__isnull=False).exists()


def test_who_may_file_is_named_to_who_may_not(client: Client, owner: Taxpayer) -> None:
    factories.member(owner, "signatory", "rao")
    page = signed_in(client, owner, "preparer").get(HERE)
    assert "Only a signatory can file: Rao" in page.text
    assert HERE + "file/" not in page.text
    assert client.get(HERE + "file/").status_code == 403
    assert client.post(HERE + "file/", form(shown="")).status_code == 403
    assert not SupplierReturn.objects.exists()


def test_a_saved_document_is_taken_back_after_asking(client: Client, owner: Taxpayer) -> None:
    record = factories.saved()[0]
    path = f"{HERE}records/{record.pk}/delete/"
    asked = signed_in(client, owner, "preparer").get(path)
    assert "Delete INV1?" in asked.text
    assert Record.objects.get().status == Record.Status.SAVED
    sent = form(version=record.version)
    first, second = client.post(path, sent), client.post(path, sent)
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.headers["Location"] == second.headers["Location"] == HERE
    assert Record.objects.get().status == Record.Status.WITHDRAWN
    assert Record.objects.get().events.count() == 1


def test_a_document_acted_on_meanwhile_is_shown_again_before_it_goes(client: Client, owner: Taxpayer) -> None:
    record = factories.saved()[0]
    factories.act(record, "A", on="2025-11-06")
    answer = signed_in(client, owner).post(f"{HERE}records/{record.pk}/delete/", form(version=0))
    assert answer.status_code == 409
    assert "Nothing was taken back" in answer.text
    assert Record.objects.get().status == Record.Status.SAVED


def test_a_filed_document_is_not_taken_back(client: Client, owner: Taxpayer) -> None:
    record = factories.filed_record()
    answer = signed_in(client, owner).post(f"{HERE}records/{record.pk}/delete/", form(version=record.version))
    assert answer.status_code == 409
    assert "is filed" in answer.text
    assert Record.objects.get().status == Record.Status.FILED


def test_viewers_and_strangers_take_nothing_back(client: Client, owner: Taxpayer) -> None:
    record = factories.saved()[0]
    path = f"{HERE}records/{record.pk}/delete/"
    assert "Delete" not in signed_in(client, owner, "viewer").get(HERE).text
    assert client.post(path, form(version=0)).status_code == 403
    other = factories.taxpayer(factories.RECIPIENT)
    signed_in(client, other)
    assert client.post(path, form(version=0)).status_code == 404
    mine = path.replace(factories.SUPPLIER, factories.RECIPIENT)
    assert client.post(mine, form(version=0, gstin=factories.RECIPIENT)).status_code == 404
    assert Record.objects.get().status == Record.Status.SAVED


def test_a_month_of_a_quarterly_filer_says_which_return_there_is(client: Client) -> None:
    quarterly = factories.taxpayer("33AASFN0000R1Z5", frequency=Frequency.QUARTERLY)
    signed_in(client, quarterly)
    desk = "/en/t/33AASFN0000R1Z5/returns/"
    page = client.get(desk + "102025/gstr1/")
    assert "files by the quarter" in page.text
    assert "10-12/2025" in page.text
    assert desk + "102025/iff/" in page.text
    assert client.get(desk + "102025/iff/").context["window"].startswith("IFF of 10/2025 can be filed from 01/11/2025")
    assert "last month of a quarter" in client.get(desk + "122025/iff/").text
    assert client.get(desk + "122025/gstr1/").status_code == 200
    monthly = signed_in(client, factories.taxpayer(factories.SUPPLIER)).get(f"{DESK}returns/102025/iff/")
    assert "files every month" in monthly.text


def test_the_supplier_sees_the_rejection_its_remark_and_its_cost(client: Client, owner: Taxpayer) -> None:
    note = factories.filed_record(section=Section.CN, number="CN1")
    factories.act(note, "R", remark="No goods came back", reason="RETURNED")
    page = signed_in(client, owner, "viewer").get(DESK + "ims/outward/")
    assert "No goods came back" in page.text
    assert "Goods returned" in page.text
    assert "Provisional" in page.text
    assert "₹18,000.00" in page.text
    detail = client.get(f"{DESK}ims/outward/records/{note.pk}/")
    assert "No goods came back" in detail.text
    assert "The recipient chose" in detail.text


def test_the_supplier_never_sees_what_itc_its_recipient_reduced(client: Client, owner: Taxpayer) -> None:
    note = factories.filed_record(section=Section.CN, number="CN1")
    factories.act(note, "A", answer="P", declared=Tax(igst=123457), remark="As agreed")
    signed_in(client, owner)
    for path in ("ims/outward/", f"ims/outward/records/{note.pk}/", "returns/102025/gstr1/"):
        text = client.get(DESK + path).text
        assert "1,234.57" not in text
        assert "Accepted" in text


def test_filters_leave_out_the_rest_and_keep_standing(client: Client, owner: Taxpayer) -> None:
    factories.filed(factories.document(number="INV1"), factories.document(number="CN1", section=Section.CN))
    factories.act(Record.objects.get(number="CN1"), "R")
    signed_in(client, owner)
    rejected = client.get(DESK + "ims/outward/b2bcn/?action=R&p=102025&form=gstr1").text
    assert "CN1" in rejected
    assert "INV1" not in rejected
    assert "Nothing reported matches" in client.get(DESK + "ims/outward/?form=iff").text
    assert client.get(DESK + "ims/outward/?rows=99999&after=forged").status_code == 200


def test_a_record_of_somebody_else_is_not_found(client: Client) -> None:
    record = factories.filed_record()
    signed_in(client, factories.taxpayer(factories.RECIPIENT))
    assert client.get(f"{DESK}ims/outward/records/{record.pk}/").status_code == 404
    assert client.get(f"/en/t/{factories.RECIPIENT}/ims/outward/records/{record.pk}/").status_code == 404


def test_pages_keep_within_their_queries(
    client: Client, owner: Taxpayer, django_assert_max_num_queries: object
) -> None:
    recipients = ["33AAPCN0000E1Z5", "29AAQCP0000D1ZT", "36AATCM0000C1Z0", factories.RECIPIENT]
    factories.saved(
        *(factories.document(number=f"INV{n}", recipient=gstin, tax=1800) for n, gstin in enumerate(recipients))
    )
    signed_in(client, owner)
    with django_assert_max_num_queries(15):
        client.get(DESK + "ims/outward/")
    with django_assert_max_num_queries(20):
        client.get(HERE)


def test_gstr_1a_says_until_when_it_is_open(client: Client, owner: Taxpayer) -> None:
    page = signed_in(client, owner).get(f"{DESK}returns/102025/gstr1a/")
    assert "open until you file GSTR-3B of 10/2025" in page.text
    assert Form.GSTR1A.value in page.text
