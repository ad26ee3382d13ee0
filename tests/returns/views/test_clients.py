"""The page of clients: whom it lists, where its figures lead, what is asked for ticked ones, in how many queries."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import Any

from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ims_portal.models import Command, Engagement, Taxpayer, User
from invoices.models import Booked, Inbox, Pair, Record, Register
from returns.models import Export, Gstr2bJob
from tests import factories
from tests.returns.test_clients import engaged, gstin, note
from tests.returns.views.clients_desk import OTHER, PAGE, ask
from tests.returns.views.conftest import Desk
from tests.returns.views.test_gstr2b import text


def links(page: HttpResponse) -> set[str]:
    return set(re.findall(r'href="(/en/t/[^"]+)"', page.content.decode().replace("&amp;", "&")))


def test_each_client_is_told_with_its_figures_and_its_days(firm: Client, computed: Desk) -> None:
    page = firm.get(PAGE)
    found = text(page)
    for part in ("Meera Traders", "Ujala Traders", "10/2025", "monthly", "₹9,000.00", "version 1, 14/11/2025 10:00"):
        assert part in found
    for part in ("on 10/11/2025", "due 20/11/2025", "As of 16/11/2025", "of the others they are not checked"):
        assert part in found
    assert found.index("Meera Traders") < found.index("Ujala Traders")
    computed.act("INV1", "R")
    assert "Out of date" in text(firm.get(PAGE))


def test_every_figure_leads_to_what_it_is_made_of(firm: Client, computed: Desk) -> None:
    found = links(firm.get(PAGE))
    own = f"/en/t/{computed.taxpayer.gstin}/"
    for part in (f"{own}ims/inward/all/?action=N", f"{own}ims/inward/all/?action=N&needs=1&reduces=1"):
        assert part in found
    assert {answer for link in found if (answer := firm.get(link).status_code) != 200} == set()


def test_only_whom_it_concerns_is_shown_the_way(firm: Client, desk: Desk) -> None:
    assert f'href="{PAGE}"' in firm.get("/en/t/").content.decode()
    assert f'href="{PAGE}"' in firm.get(desk.url("")).content.decode()
    assert f'href="{PAGE}"' not in desk.as_("viewer").get("/en/t/").content.decode()
    assert f'href="{PAGE}"' not in desk.get("").content.decode()
    answer = desk.as_("viewer").get(PAGE)
    assert "people who may open several GSTINs" in text(answer)
    assert desk.taxpayer.gstin not in answer.content.decode()
    factories.member(factories.taxpayer(factories.SUPPLIER), "viewer", "viewer")
    assert f'href="{PAGE}"' in desk.as_("viewer").get("/en/t/").content.decode()
    assert factories.SUPPLIER in desk.as_("viewer").get(PAGE).content.decode()


def test_an_ended_engagement_is_gone_at_once(firm: Client, desk: Desk) -> None:
    assert desk.taxpayer.gstin in firm.get(PAGE).content.decode()
    over = factories.at("2025-11-16") - timedelta(hours=1)
    Engagement.objects.filter(taxpayer=desk.taxpayer).update(valid_to=over)
    assert desk.taxpayer.gstin not in firm.get(PAGE).content.decode()


def test_a_stranger_signs_in_first(client: Client, db: None) -> None:  # noqa: ARG001 fixture of pytest-django
    assert client.get(PAGE)["Location"].startswith("/en/account/login/")


def test_twelve_clients_take_no_more_queries_than_three(firm: Client) -> None:
    def asked(numbers: range) -> int:
        for number in numbers:
            taxpayer: Taxpayer = factories.taxpayer(gstin(f"27AAACV{number:04d}C1Z"))
            engaged(factories.user("firm"), taxpayer, "export", "compute")
            factories.filed(
                note(recipient=taxpayer.gstin, number=f"N{number}"), supplier=gstin(f"24AAACW{number:04d}C1Z")
            )
        firm.get(PAGE)
        with CaptureQueriesContext(connection) as found:
            assert text(firm.get(PAGE)).count("Not filed") >= numbers.stop
        return len(found)

    few: Any = asked(range(1))
    assert asked(range(1, 10)) == few
    assert few <= 15


def test_what_may_be_ticked_is_what_may_be_asked_for(firm: Client, desk: Desk) -> None:
    page = firm.get(PAGE).content.decode()
    assert set(re.findall(r'name="tick" value="(\w+)"', page)) == {desk.taxpayer.gstin, OTHER}
    Engagement.objects.update(rights=["view"])
    page = firm.get(PAGE).content.decode()
    assert 'name="tick"' not in page
    assert 'name="do"' not in page


def test_a_computation_is_asked_for_each_with_the_right_and_refused_in_words_for_the_rest(
    firm: Client, desk: Desk
) -> None:
    key = str(uuid.uuid4())
    desk.act("INV1", "R")
    answer = ask(firm, "compute", desk.taxpayer.gstin, OTHER, key=key)
    assert answer.status_code == 303
    job = Gstr2bJob.objects.get()
    assert (job.taxpayer, job.month, str(job.requested_by)) == (desk.taxpayer, 202510, "Firm")
    page = firm.get(answer["Location"])
    assert f"/en/t/{desk.taxpayer.gstin}/jobs/{job.pk}/" in page.content.decode()
    assert "Refused You were given no right to do this for this GSTIN." in text(page)
    assert firm.get(f"/en/t/{desk.taxpayer.gstin}/jobs/{job.pk}/").status_code == 200
    desk.work()
    again = ask(firm, "compute", desk.taxpayer.gstin, OTHER, key=key)
    assert again["Location"] == answer["Location"]
    assert Gstr2bJob.objects.count() == 1
    assert ask(firm, "export", desk.taxpayer.gstin, key=key).status_code == 409


def test_records_are_exported_for_each_by_a_job_of_its_own(firm: Client, desk: Desk) -> None:
    page = firm.get(ask(firm, "export", desk.taxpayer.gstin, OTHER)["Location"])
    made = {export.taxpayer.gstin: export for export in Export.objects.select_related("taxpayer")}
    assert set(made) == {desk.taxpayer.gstin, OTHER}
    assert {export.kind for export in made.values()} == {"ims-xlsx"}
    for number, export in made.items():
        address = f"/en/t/{number}/exports/{export.pk}/"
        assert address in page.content.decode()
        assert firm.get(address).status_code == 200


def test_a_foreign_gstin_in_the_form_is_refused_and_nothing_happens_for_it(firm: Client) -> None:
    foreign = factories.taxpayer(factories.SUPPLIER, name="Somebody Else")
    for do in ("compute", "export"):
        page = firm.get(ask(firm, do, foreign.gstin, gstin("29AAACX0000C1Z"))["Location"])
        assert text(page).count("Refused This GSTIN is not among your clients.") == 2
        assert "Somebody Else" not in page.content.decode()
    assert not Gstr2bJob.objects.exists()
    assert not Export.objects.exists()


def test_a_client_whose_engagement_ended_meanwhile_is_refused(firm: Client, desk: Desk) -> None:
    kept = ask(firm, "export", desk.taxpayer.gstin)["Location"]
    Engagement.objects.filter(taxpayer=desk.taxpayer).update(valid_to=factories.at("2025-11-16") - timedelta(hours=1))
    assert "not among your clients" in text(firm.get(ask(firm, "export", desk.taxpayer.gstin)["Location"]))
    assert Export.objects.count() == 1
    page = firm.get(kept).content.decode()
    assert "Meera Traders" not in page
    assert f"/en/t/{desk.taxpayer.gstin}/" not in page


def test_what_the_law_refuses_is_told_with_its_reason(firm: Client, desk: Desk) -> None:
    Engagement.objects.update(rights=["compute"])
    desk.today("2025-11-13")
    page = firm.get(ask(firm, "compute", OTHER)["Location"])
    assert "can be computed from 14/11/2025" in text(page)
    assert not Gstr2bJob.objects.exists()


def test_a_form_no_page_sends_does_nothing(firm: Client, desk: Desk) -> None:
    assert ask(firm, "file", desk.taxpayer.gstin).status_code == 409
    assert ask(firm, "export", "\0").status_code == 409
    assert firm.post(PAGE, {"do": "export", "tick": desk.taxpayer.gstin}).status_code == 409
    assert ask(firm, "export")["Location"] == PAGE
    assert "No client is ticked" in text(firm.get(PAGE))
    assert not Export.objects.exists()


def test_all_clients_of_every_page_can_be_asked_for(firm: Client, desk: Desk) -> None:
    User.objects.filter(username="firm").update(rows=25)
    for number in range(25):
        engaged(factories.user("firm"), factories.taxpayer(gstin(f"27AAACV{number:04d}C1Z")), "export")
    engaged(factories.user("firm"), factories.taxpayer(gstin("27AAACV9999C1Z")))
    assert "All 28 clients, of every page" in text(firm.get(PAGE))
    page = firm.post(PAGE, {"do": "export", "all": "1", "request_id": str(uuid.uuid4())})["Location"]
    assert Export.objects.count() == 27
    assert "0 of 27 done" in text(firm.get(page))
    assert Export.objects.filter(taxpayer=desk.taxpayer).exists()


def test_invoices_that_are_not_in_the_books_are_at_risk(firm: Client, desk: Desk) -> None:
    before = text(firm.get(PAGE))
    assert "Not in books" not in before
    recipient = desk.taxpayer
    register = Register.objects.create(taxpayer=recipient, kind="csv", file_name="x", size=1, sha256="x")
    Booked.objects.create(
        recipient=recipient,
        register=register,
        number="B1",
        number_key="B1",
        number_class="I",
        document_date="2025-10-09",
        fy=2025,
        supplier_gstin=factories.SUPPLIER,
    )
    Inbox.objects.filter(pk=recipient.pk).update(has_books=True)
    page = firm.get(PAGE)
    assert "Not in books: 1 , ₹18,000.00" in text(page)
    (link,) = {one for one in links(page) if "match=only" in one}
    assert ">INV1</a>" in firm.get(link).content.decode()
    Pair.objects.create(
        recipient=recipient, booked=Booked.objects.get(), record=Record.objects.get(number="INV1"), kind="is"
    )
    assert "Not in books" not in text(firm.get(PAGE))


def test_the_deadlines_of_all_clients_stand_by_day(firm: Client, desk: Desk) -> None:
    found = text(firm.get(f"{PAGE}deadlines/"))
    assert found.index("11/11/2025 Overdue") < found.index("20/11/2025")
    assert found.count("GSTR-3B") == 2
    assert desk.taxpayer.gstin in found
    Engagement.objects.update(valid_to=factories.at("2025-11-16") - timedelta(hours=1))
    assert desk.taxpayer.gstin not in text(firm.get(f"{PAGE}deadlines/"))


def test_what_was_asked_is_its_asker_s_alone(firm: Client, desk: Desk) -> None:
    address = ask(firm, "export", OTHER)["Location"]
    assert desk.as_("signatory").get(address).status_code == 404
    assert firm.get(f"{PAGE}asked/{uuid.uuid4()}/").status_code == 404
    other = Command.objects.create(actor=factories.user("firm"), key=uuid.uuid4(), body_hash="", answer={"job": "1"})
    assert firm.get(f"{PAGE}asked/{other.key}/").status_code == 404


def test_many_clients_are_shown_by_the_page(firm: Client, desk: Desk) -> None:
    User.objects.filter(username="firm").update(rows=25)
    for number in range(24):
        engaged(factories.user("firm"), factories.taxpayer(gstin(f"27AAACV{number:04d}C1Z")), "export")
    first, second = firm.get(PAGE), firm.get(PAGE, {"page": "2"})
    assert "1-25 of 26" in text(first)
    assert "26-26 of 26" in text(second)
    assert desk.taxpayer.gstin in first.content.decode()
    assert second.content.decode().count('name="tick"') == 1
    assert "26-26 of 26" in text(firm.get(PAGE, {"page": "99"}))
    assert "1-25 of 26" in text(firm.get(PAGE, {"page": "x"}))
    assert ask(firm, "export", *(gstin(f"27AAACV{number:04d}C1Z") for number in range(501))).status_code == 409
