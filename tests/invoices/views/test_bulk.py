"""Many records at once in the browser's terms: preview, answer, confirm, follow, undo, and who may."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ims_portal import clock as portal_clock
from ims_portal.clock import Fixed
from ims_portal.models import Taxpayer, User
from ims_portal.rules.documents import Section
from invoices import bulk
from invoices.models import ActionEvent, Batch, Record
from tests import factories
from tests.factories import document, filed
from tests.signing_in import PASSWORD, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now", "patient")]
TODAY = "2025-11-12"
DESK = f"/en/t/{factories.RECIPIENT}/ims/"
LIST = DESK + "inward/all/"
MOVED = "Changed by somebody after the preview"


def form(**more: object) -> dict[str, object]:
    """Return what every form carries."""
    return {"gstin": factories.RECIPIENT, "request_id": str(uuid4()), "back": LIST} | more


def ask(client: Client, **more: object) -> HttpResponse:
    """Return the preview of all matching records, or of what is said."""
    sent = form(**({"list": "all", "query": "", "all": "1", "bulk": "A"} | more))
    return client.post(DESK + "bulk/", sent, follow=True)


def post(client: Client, step: str, **more: object) -> HttpResponse:
    """Return what a step of the newest batch leads to."""
    return client.post(f"{DESK}batches/{Batch.objects.latest('created_at').pk}/{step}/", form(**more), follow=True)


def text(answer: HttpResponse) -> str:
    """Return a page as text."""
    return " ".join(answer.content.decode().split())


def some(count: int = 3) -> list[Record]:
    """Return filed invoices."""
    return filed(*(document(number=f"N{n}", tax=100 * (n + 1)) for n in range(count)))


@pytest.mark.usefixtures("preparer")
def test_all_matching_are_previewed_applied_and_undone(client: Client, now: Fixed) -> None:
    some()
    assert "All 3 matching records" in text(client.get(LIST))
    page = ask(client, back=LIST)
    assert "Accept 3 records" in text(page)
    assert "₹600.00" in text(page)
    assert set(Record.objects.values_list("action", flat=True)) == {"N"}
    page = post(client, "confirm")
    assert "Undo, until 10:10" in text(page)
    assert set(Record.objects.values_list("action", flat=True)) == {"A"}
    now.at += timedelta(minutes=5)
    page = post(client, "undo")
    assert "3 records put back as they stood before" in text(page)
    assert set(Record.objects.values_list("action", flat=True)) == {"N"}
    assert ActionEvent.objects.count() == 6
    history = text(client.get(f"{DESK}records/{Record.objects.latest('pk').pk}/"))
    assert history.count("with many others at once") == 2
    assert "undone by the recipient" in history


@pytest.mark.usefixtures("preparer")
def test_ticked_rows_are_previewed(client: Client) -> None:
    first, second, _third = some()
    page = ask(client, all="", tick=[f"{first.pk}.0", f"{second.pk}.0"], bulk="P")
    assert "Keep 2 records pending" in text(page)
    assert "Nothing is ticked" in text(ask(client, all=""))


@pytest.mark.usefixtures("preparer")
def test_filters_of_the_list_are_kept(client: Client) -> None:
    filed(document(number="INV"), document(number="CN", section=Section.CN))
    page = ask(client, list=Section.CN.value, query="action=N", bulk="P")
    assert "Keep 1 record pending" in text(page)
    assert "Credit notes, No action" in text(page)


@pytest.mark.parametrize("wrong", [{"bulk": "X"}, {"list": "nowhere"}, {"query": "action=Q"}, {"query": "settled=1"}])
@pytest.mark.usefixtures("preparer")
def test_a_forged_toolbar_is_refused(client: Client, wrong: dict[str, str]) -> None:
    some(1)
    assert ask(client, **wrong).status_code == 409
    assert not Batch.objects.exists()


@pytest.mark.usefixtures("preparer")
def test_a_bulk_accept_asks_the_itc_question_once(client: Client) -> None:
    filed(document(number="INV"), *(document(number=f"CN{n}", section=Section.CN, tax=1000) for n in (1, 2)))
    page = ask(client)
    assert "2 records reduce your ITC by ₹2,000.00" in text(page)
    refused = post(client, "answer")
    assert refused.status_code == 422
    assert "Choose an answer for all of them" in text(refused)
    assert "Tick that you checked" in text(refused)
    refused = post(client, "answer", answer="N", checked="1")
    assert "None needs a remark" in text(refused)
    page = post(client, "confirm")
    assert "Answer the question on the ITC reduction first" in text(page)
    left = Record.objects.get(number="CN2")
    page = post(client, "answer", answer="F", checked="1", left=[left.pk])
    assert "Apply to 2 for" in text(page)
    post(client, "confirm")
    assert dict(Record.objects.values_list("number", "answer")) == {"INV": "", "CN1": "F", "CN2": ""}


@pytest.mark.usefixtures("preparer")
def test_some_of_a_bulk_accept_are_answered_one_by_one(client: Client) -> None:
    notes = filed(*(document(section=Section.CN, number=f"CN{n}", tax=100) for n in range(3)), document(number="INV1"))
    assert "Answer one by one: the ticked, or all" in text(ask(client))
    page = post(client, "apart", left=[notes[0].pk])
    assert "Must ITC be reduced for CN0?" in text(page)
    assert "CN1" not in text(page)
    key = f"{notes[0].pk}.{notes[0].version}"
    told = {f"l.{key}-{name}": value for name, value in {"answer": "P", "igst": "40.00", "remark": "half"}.items()}
    page = client.post(page.redirect_chain[-1][0], form(line=key, **told), follow=True)
    assert "1 record saved" in text(page)
    assert "Decided one by one" in text(page)
    assert "2 records reduce your ITC by ₹200.00" in text(page)
    page = post(client, "answer", answer="F", checked="1")
    assert "Apply to 3 for" in text(page)
    post(client, "confirm")
    assert dict(Record.objects.values_list("number", "answer")) == {"CN0": "P", "CN1": "F", "CN2": "F", "INV1": ""}
    assert Record.objects.get(number="CN0").declared.total == 40_00
    assert set(Record.objects.values_list("action", flat=True)) == {"A"}


@pytest.mark.usefixtures("preparer")
def test_a_bulk_reject_may_give_each_its_own_reason(client: Client) -> None:
    some(2)
    assert "Give each its own reason" in text(ask(client, bulk="R"))
    page = post(client, "apart")
    assert page.redirect_chain[-1][0].startswith(f"{DESK}act/")
    reasons = dict(zip(Record.objects.order_by("pk"), ("NOT_RECEIVED", "DUPLICATE"), strict=True))
    told = {f"l.{record.pk}.{record.version}-reason": reason for record, reason in reasons.items()}
    lines = [f"{record.pk}.{record.version}" for record in reasons]
    page = client.post(page.redirect_chain[-1][0], form(line=lines, **told), follow=True)
    assert "2 records saved" in text(page)
    assert page.request["PATH_INFO"] == LIST
    assert sorted(Record.objects.values_list("reason_code", flat=True)) == ["DUPLICATE", "NOT_RECEIVED"]


@pytest.mark.usefixtures("preparer")
def test_more_than_a_page_are_not_decided_one_by_one(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "MOST_APART", 1)
    some(2)
    assert "Give each its own reason" not in text(ask(client, bulk="R"))
    assert "These are too many to decide one by one" in text(post(client, "apart"))
    assert Batch.objects.get().total == 2


@pytest.mark.usefixtures("preparer")
def test_a_bulk_reject_names_the_price_and_asks_why(client: Client) -> None:
    filed(*(document(number=f"CN{n}", section=Section.CN, tax=1000) for n in (1, 2)))
    page = ask(client, bulk="R")
    assert "tax rises by ₹2,000.00 in all" in text(page)
    refused = post(client, "confirm", reason="OTHER")
    assert refused.status_code == 422
    assert "The reason is Other" in text(refused)
    assert "Tick that they are not yours" in text(refused)
    post(client, "confirm", reason="NOT_OURS", told="1", remark="not ours")
    found = set(Record.objects.values_list("action", "reason_code", "remark"))
    assert found == {("R", "NOT_OURS", "not ours")}


def test_a_large_batch_asks_for_the_password_when_it_was_given_long_ago(
    client: Client, recipient: Taxpayer, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.member(recipient, "preparer", "ravi")
    sign_in(client, "ravi")
    some(101)
    ask(client)
    later = portal_clock.real() + timedelta(minutes=11)
    with monkeypatch.context() as patched:
        patched.setattr(portal_clock, "real", lambda: later)
        page = post(client, "confirm")
        assert "/account/reauthenticate/" in page.request["PATH_INFO"]
        assert not ActionEvent.objects.exists()
    batch = Batch.objects.get()
    address = f"{DESK}batches/{batch.pk}/"
    page = client.post("/en/account/reauthenticate/", {"password": PASSWORD, "next": address}, follow=True)
    assert page.request["PATH_INFO"] == address
    post(client, "confirm")
    assert ActionEvent.objects.count() == 101


def test_a_sign_in_just_now_is_proof_enough(client: Client, recipient: Taxpayer) -> None:
    factories.member(recipient, "preparer", "ravi")
    sign_in(client, "ravi")
    some(101)
    ask(client)
    post(client, "confirm")
    assert ActionEvent.objects.count() == 101


@pytest.mark.usefixtures("preparer")
def test_more_questions_than_people_answer_one_by_one_may_be_answered_in_excel(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    filed(*(document(section=Section.CN, number=f"CN{n}") for n in range(3)))
    assert "Answer in Excel" not in text(ask(client, list="b2bcn"))
    monkeypatch.setattr(bulk, "MOST_APART", 2)
    page = text(ask(client, list="b2bcn"))
    assert "Answer in Excel" in page
    assert '<input type="hidden" name="section" value="b2bcn">' in page
    ticked = [f"{record.pk}.{record.version}" for record in Record.objects.all()]
    assert "Answer in Excel" not in text(ask(client, list="b2bcn", all="", tick=ticked))


@pytest.mark.usefixtures("preparer")
def test_more_than_a_page_can_wait_for_is_a_job_that_can_be_stopped(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "AT_ONCE", 2)
    monkeypatch.setattr(bulk, "PIECE", 2)
    some()
    ask(client)
    page = post(client, "confirm")
    assert "0 of 3 rows, 0 %" in text(page)
    assert 'hx-trigger="every 2s"' in text(page)
    batch = Batch.objects.get()
    bulk._next_piece(batch, factories.clock("2025-11-12"))
    address = f"{DESK}batches/{batch.pk}/"
    part = client.get(address, headers={"HX-Request": "true"})
    assert part.status_code == 200
    assert "2 of 3 rows, 66 %" in text(part)
    assert "<html" not in text(part)
    post(client, "stop")
    bulk.carry_out(batch=Batch.objects.get(), clock=factories.clock("2025-11-12"))
    part = client.get(address, headers={"HX-Request": "true"})
    assert part.status_code == 286
    assert "It was stopped before the end" in text(part)
    rest = client.get(address + "rows/?verdict=rest")
    assert "N2" in text(rest)
    assert ">N0<" not in text(rest)


@pytest.mark.usefixtures("preparer")
def test_refusals_are_told_by_reason_and_listed(client: Client) -> None:
    first, *_others = some()
    ask(client)
    factories.act(first, "R")
    page = post(client, "confirm")
    assert "Changed by somebody after the preview" in text(page)
    batch = Batch.objects.get()
    listed = text(client.get(f"{DESK}batches/{batch.pk}/rows/?verdict=moved"))
    assert ">N0</a>" in listed
    assert ">N1</a>" not in listed
    told = client.get(f"{DESK}batches/{batch.pk}/rows.csv?verdict=moved")
    lines = b"".join(told.streaming_content).decode().splitlines()
    assert lines[1:] == [f"N0,05/10/2025,{factories.SUPPLIER},Firm AAACS,Invoice,100.00,{MOVED}"]
    changed = text(client.get(f"{LIST}?batch={batch.pk}"))
    assert ">N0</a>" not in changed
    assert ">N1</a>" in changed


@pytest.mark.usefixtures("preparer")
def test_a_late_undo_is_refused_with_its_reason(client: Client, now: Fixed) -> None:
    some(1)
    ask(client)
    post(client, "confirm")
    now.at += timedelta(minutes=11)
    assert "The time to undo is over" in text(post(client, "undo"))


def test_who_may(client: Client, recipient: Taxpayer, preparer: User) -> None:
    some(1)
    ask(client)
    batch = Batch.objects.get()
    address = f"{DESK}batches/{batch.pk}/"
    client.force_login(factories.member(recipient, "viewer", "vera"))
    page = client.get(address)
    assert page.status_code == 200
    assert "Apply to" not in text(page)
    assert f"Only {preparer}" in text(page)
    for step in ("confirm", "answer", "stop", "undo"):
        assert client.post(f"{address}{step}/", form()).status_code == 403
    assert client.post(DESK + "bulk/", form()).status_code == 403
    client.force_login(factories.user("stranger"))
    assert client.get(address).status_code == 404
    assert client.get(address + "rows/").status_code == 404
    assert client.post(f"{address}confirm/", form()).status_code == 404


def test_another_gstins_address_shows_no_batch(client: Client, recipient: Taxpayer, preparer: User) -> None:
    some(1)
    ask(client)
    other = factories.taxpayer("29AABCT1332L1ZA")
    factories.member(other, "preparer", preparer.username)
    batch = Batch.objects.get()
    assert recipient.pk != other.pk
    assert client.get(f"/en/t/{other.gstin}/ims/batches/{batch.pk}/").status_code == 404


@pytest.mark.usefixtures("preparer")
def test_pages_of_a_batch_ask_few_questions(client: Client) -> None:
    filed(*(document(number=f"CN{n}", section=Section.CN, tax=1000) for n in range(20)))
    ask(client, bulk="R")
    batch = Batch.objects.get()
    for path in ("", "rows/?verdict=will"):
        with CaptureQueriesContext(connection) as asked:
            client.get(f"{DESK}batches/{batch.pk}/{path}")
        assert len(asked) <= 15, [query["sql"] for query in asked]


@pytest.mark.usefixtures("preparer")
def test_a_batch_that_was_followed_to_its_end_brings_the_banner_it_raises(client: Client, now: Fixed) -> None:
    some()
    factories.computed()
    now.at = factories.at("2025-11-15")
    ask(client)
    post(client, "confirm")
    address = f"{DESK}batches/{Batch.objects.get().pk}/"
    with CaptureQueriesContext(connection) as asked:
        part = client.get(address, headers={"HX-Request": "true"}).content.decode()
    assert '<div id="stale" hx-swap-oob="true"><section class="banner banner-stale"' in part
    assert len(asked) <= 15, [query["sql"] for query in asked]
    assert client.get(address).content.decode().count('id="stale"') == 1
