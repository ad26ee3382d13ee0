"""The practitioner's page of engagements: asks, agrees, ends; tells nobody more than they may know."""

from __future__ import annotations

from html import unescape
from uuid import uuid4

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ims_portal.models import AuditEvent, Engagement, PortalClock, Taxpayer
from tests import factories
from tests.ims_portal.test_people_page import as_, text

pytestmark = pytest.mark.django_db
GSTIN = factories.RECIPIENT
PAGE = "/en/clients/engagements/"


@pytest.fixture(autouse=True)
def firm() -> Taxpayer:
    """Return a taxpayer with a signatory, on 12 November 2025."""
    PortalClock.objects.create(pk=1, ahead=factories.at("2025-11-12") - timezone.now())
    found = factories.taxpayer(name="Meera Traders")
    factories.member(found, "signatory", "sig")
    factories.user("acct")
    return found


def send(by: str = "acct", **fields: object) -> HttpResponse:
    return as_(by).post(PAGE, {"gstin": GSTIN, "request_id": str(uuid4())} | fields, follow=True)


def offered(accepted: str = "", gstin: str = GSTIN) -> Engagement:
    return Engagement.objects.create(
        user=factories.user("acct"),
        taxpayer=factories.taxpayer(gstin),
        rights=["view", "act"],
        valid_from=factories.LONG_AGO,
        asked_by=factories.user("sig"),
        accepted_by=factories.user(accepted) if accepted else None,
    )


def test_asking_gives_nothing_and_tells_no_name() -> None:
    page = send(do="ask", rights=["act"], first="", last="31/12/2025")
    assert page.redirect_chain == [(PAGE, 303)]
    assert f"{GSTIN} is asked. You may open it once they accept." in text(page)
    for part in ("Waits for their answer", "31/12/2025", "Decide on records"):
        assert part in text(page)
    for name in ("Meera Traders", "Sig "):
        assert name not in text(page)
    assert as_("acct").get(f"/en/t/{GSTIN}/").status_code == 404
    assert Engagement.objects.get().rights == ["view", "act"]


def test_an_agreed_one_leads_to_the_gstin_and_is_ended_at_once() -> None:
    row = offered()
    page = as_("acct").get(PAGE)
    for part in ("Meera Traders", GSTIN, "Waits for your answer", "Asked by Sig"):
        assert part in text(page)
    page = send(do="accept", row=row.pk)
    assert f"{GSTIN}: The engagement is agreed." in text(page)
    assert f'href="/en/t/{GSTIN}/"' in page.content.decode()
    assert as_("acct").get(f"/en/t/{GSTIN}/").status_code == 200
    page = send(do="end", row=row.pk)
    assert f"{GSTIN}: It has ended." in text(page)
    assert "Past engagements" in text(page)
    assert as_("acct").get(f"/en/t/{GSTIN}/").status_code == 404
    assert "has ended already" in text(send(do="end", row=row.pk))


@pytest.mark.parametrize(
    ("fields", "at", "told"),
    [
        ({"gstin": ""}, "gstin", "Write the GSTIN"),
        ({"gstin": "29AAKCT0000P1Z7"}, "gstin", "must be 6"),
        ({"gstin": "29AAKCT0000P1Z6"}, "gstin", "Nobody here can agree for 29AAKCT0000P1Z6."),
        ({"gstin": "9" * 40}, "gstin", "at most 15 characters"),
        ({"first": "11/11/2025"}, "first", "This day is over."),
        ({"last": "soon"}, "last", "DD/MM/YYYY"),
        ({"rights": ["grant"]}, "rights", "Select a valid choice"),
    ],
)
def test_what_is_wrong_is_told_at_its_field(fields: dict[str, object], at: str, told: str) -> None:
    answer = send(**({"do": "ask", "rights": ["act"]} | fields))
    assert answer.status_code == 422
    page = unescape(answer.content.decode())
    assert f'<a href="#id_{at}">' in page
    assert told in page.partition(f'id="id_{at}-error">')[2].partition("</p>")[0]
    assert not Engagement.objects.exists()


def test_a_gstin_may_be_typed_in_small_letters() -> None:
    send(do="ask", gstin=GSTIN.lower())
    assert Engagement.objects.get().taxpayer.gstin == GSTIN


def test_a_member_and_a_practitioner_already_asked_are_told_so() -> None:
    assert "has a role on this GSTIN already: Signatory" in text(send("sig", do="ask"))
    send(do="ask")
    assert "has an engagement, or a request for one" in text(send(do="ask"))
    assert Engagement.objects.count() == 1


@pytest.mark.parametrize("do", ["accept", "end"])
def test_another_s_row_or_another_gstin_s_is_not_found(do: str) -> None:
    row = offered()
    factories.user("eve")
    assert send("eve", do=do, row=row.pk).status_code == 404
    assert send(do=do, row=row.pk, gstin=factories.SUPPLIER).status_code == 404
    assert send(do=do, row=10**30).status_code == 404
    row.refresh_from_db()
    assert (row.accepted_by, row.valid_to) == (None, None)


@pytest.mark.parametrize(
    "fields",
    [
        {"do": "accept"},
        {"do": "accept", "row": "x"},
        {"do": "accept", "row": 1, "gstin": "\0"},
        {"do": "file", "row": 1},
        {"do": "ask", "request_id": "1"},
    ],
)
def test_what_no_page_sends_is_refused(fields: dict[str, object]) -> None:
    assert send(**fields).status_code == 409
    assert not Engagement.objects.exists()


def test_a_practitioner_accepts_nothing_they_asked_for_themselves() -> None:
    send(do="ask", file="on")
    row = Engagement.objects.get()
    assert row.rights == ["view", "file"]
    assert "does not wait for your answer any more" in text(send(do="accept", row=row.pk))
    assert as_("acct").get(f"/en/t/{GSTIN}/").status_code == 404


def test_a_double_press_has_one_effect() -> None:
    fields = {"do": "ask", "rights": ["act"], "request_id": str(uuid4())}
    for _press in range(2):
        assert send(**fields).status_code == 200
    assert AuditEvent.objects.filter(event="engagement.asked").count() == 1
    assert Engagement.objects.count() == 1


def test_pages_lead_here_and_a_stranger_signs_in_first(firm: Taxpayer) -> None:
    assert Client().get(PAGE).headers["Location"].startswith("/en/account/login/")
    acct = as_("acct")
    assert f'href="{PAGE}"' in acct.get("/en/t/").content.decode()
    assert f'href="{PAGE}"' in acct.get("/en/clients/").content.decode()
    offered("acct", firm.gstin)
    for path in ("/en/t/", "/en/clients/", f"/en/t/{firm.gstin}/"):
        assert f'href="{PAGE}"' in acct.get(path).content.decode()


def test_more_engagements_ask_no_more_of_the_database() -> None:
    offered("acct")
    acct = as_("acct")
    acct.get(PAGE)
    with CaptureQueriesContext(connection) as few:
        acct.get(PAGE)
    for gstin in (factories.SUPPLIER, "29AAKCT0000P1Z6", "29AAFCK0000M1ZQ"):
        offered("acct", gstin)
    with CaptureQueriesContext(connection) as more:
        assert text(acct.get(PAGE)).count("In force") == 4
    assert len(few) == len(more) <= 6


def test_a_practitioner_is_told_on_the_first_page_that_a_taxpayer_asks() -> None:
    told = "1 taxpayer asks you for an engagement"
    send(do="ask")
    assert told not in text(as_("acct").get("/en/t/"))
    Engagement.objects.update(asked_by=factories.user("sig"))
    assert told in text(as_("acct").get("/en/t/"))
    Engagement.objects.update(accepted_by=factories.user("acct"))
    assert told not in text(as_("acct").get("/en/t/"))
