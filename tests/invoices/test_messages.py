"""Asking to reconsider a rejection: once a side, while it can still be changed, seen by nobody else."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from ims_portal import agenda
from ims_portal.access import for_taxpayer
from ims_portal.models import User
from ims_portal.rules.documents import Section
from invoices import messages
from invoices.messages import MessageRefusedError, Why
from invoices.models import Message, Record
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now")]
TODAY = "2025-11-16"
R, S = factories.RECIPIENT, factories.SUPPLIER
SIDE = Message.Side


@pytest.fixture
def note() -> Record:
    """Return a credit note that R rejected."""
    found = factories.filed_record(section=Section.CN, number="CN1")
    factories.act(found, "R", remark="Nothing came back")
    return found


def writer(gstin: str, role: str = "preparer") -> User:
    return factories.member(factories.taxpayer(gstin), role)


def write(record: Record, side: Message.Side, text: str = "Please look again") -> Message:
    gstin = S if side is SIDE.SUPPLIER else R
    return messages.write(record=record, side=side, text=text, actor=writer(gstin), clock=factories.clock("2025-11-16"))


def refusal(record: Record, side: Message.Side, text: str = "Something else") -> Why:
    with pytest.raises(MessageRefusedError) as refused:
        write(record, side, text)
    return refused.value.why


def sent(gstin: str, **more: str) -> dict[str, str]:
    return {"gstin": gstin, "request_id": "8f4f6b1e-9a57-4c36-a0f6-61b6a2f7b9c1", "text": "Please\r\nlook again"} | more


def test_each_side_writes_once_and_the_same_click_twice_is_one_message(note: Record) -> None:
    assert refusal(note, SIDE.RECIPIENT) is Why.NOT_ASKED
    first, again = write(note, SIDE.SUPPLIER), write(note, SIDE.SUPPLIER)
    assert first == again
    assert refusal(note, SIDE.SUPPLIER) is Why.WRITTEN
    write(note, SIDE.RECIPIENT, "It was a discount, not a return")
    assert refusal(note, SIDE.RECIPIENT) is Why.WRITTEN
    assert Message.objects.count() == 2


def test_only_a_rejection_is_asked_about(note: Record) -> None:
    factories.act(note, "A", answer="F")
    assert refusal(note, SIDE.SUPPLIER) is Why.NOT_REJECTED


def test_filing_closes_the_exchange_for_both(note: Record) -> None:
    write(note, SIDE.SUPPLIER)
    factories.filed_period()
    assert refusal(note, SIDE.RECIPIENT) is Why.CLOSED


def test_a_settled_record_is_not_asked_about(note: Record) -> None:
    factories.filed_period()
    assert refusal(note, SIDE.SUPPLIER) is Why.CLOSED


def test_what_was_written_stays(note: Record) -> None:
    kept = write(note, SIDE.SUPPLIER)
    with pytest.raises(IntegrityError), transaction.atomic():
        Message.objects.filter(pk=kept.pk).update(text="I never said that")
    with pytest.raises(IntegrityError), transaction.atomic():
        Message.objects.filter(pk=kept.pk).delete()


def test_a_request_reaches_the_inbox_and_leaves_with_the_answer(note: Record) -> None:
    held = for_taxpayer(user=writer(R), gstin=R, at=factories.at("2025-11-16"))
    assert agenda.of(held, factories.at("2025-11-16")).item("messages") is None
    write(note, SIDE.SUPPLIER)
    held = for_taxpayer(user=writer(R), gstin=R, at=factories.at("2025-11-16"))
    item = agenda.of(held, factories.at("2025-11-16")).item("messages")
    assert item is not None
    assert (item.count, item.tax, item.on.isoformat()) == (1, 1800000, "2025-11-20")
    write(note, SIDE.RECIPIENT, "No")
    held = for_taxpayer(user=writer(R), gstin=R, at=factories.at("2025-11-16"))
    assert agenda.of(held, factories.at("2025-11-16")).item("messages") is None


def test_the_suppliers_inbox_counts_what_will_raise_its_tax(note: Record) -> None:
    at = factories.at("2025-11-16")
    held = for_taxpayer(user=writer(S), gstin=S, at=at)
    item = agenda.of(held, at).item("rejected-notes")
    assert item is not None
    assert (item.count, item.tax, item.on.isoformat()) == (1, 1800000, "2025-11-20")
    factories.act(note, "A", answer="F")
    assert agenda.of(for_taxpayer(user=writer(S), gstin=S, at=at), at).item("rejected-notes") is None


def test_the_supplier_asks_and_the_recipient_reads_and_answers(client: Client, note: Record) -> None:
    mine, theirs = f"/en/t/{S}/ims/outward/records/{note.pk}/", f"/en/t/{R}/ims/records/{note.pk}/"
    client.force_login(writer(S))
    assert f"{mine}message/" in client.get(mine).text
    answer = client.post(f"{mine}message/", sent(S))
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{mine}#messages")
    page = client.get(mine).text
    assert "Please<br>look again" in page
    assert f"{mine}message/" not in page
    client.force_login(writer(R))
    listed = client.get(f"/en/t/{R}/ims/messages/").text
    assert "CN1" in listed
    assert "Please<br>look again" in listed
    assert f"{theirs}message/" in client.get(theirs).text
    assert client.post(f"{theirs}message/", sent(R, text="It was a discount")).status_code == 303
    assert "No supplier waits for an answer" in client.get(f"/en/t/{R}/ims/messages/").text
    client.force_login(writer(S))
    assert "It was a discount" in client.get(mine).text


@pytest.mark.parametrize("text", ["", "  \r\n ", "x" * 501, "turned\u202eround", "half \x00"])
def test_what_cannot_be_kept_is_refused_at_its_field(client: Client, note: Record, text: str) -> None:
    client.force_login(writer(S))
    page = client.post(f"/en/t/{S}/ims/outward/records/{note.pk}/message/", sent(S, text=text))
    assert page.status_code == 422
    assert 'aria-invalid="true"' in page.text
    assert not Message.objects.exists()


def test_five_hundred_characters_fit(client: Client, note: Record) -> None:
    client.force_login(writer(S))
    path = f"/en/t/{S}/ims/outward/records/{note.pk}/message/"
    assert client.post(path, sent(S, text="x" * 498 + "\r\n" + "y")).status_code == 303


def test_viewers_look_and_strangers_find_nothing(client: Client, note: Record) -> None:
    mine, theirs = f"/en/t/{S}/ims/outward/records/{note.pk}/message/", f"/en/t/{R}/ims/records/{note.pk}/message/"
    for gstin, path in ((S, mine), (R, theirs)):
        client.force_login(writer(gstin, "viewer"))
        page = client.get(path)
        assert page.status_code == 200
        assert "<textarea" not in page.text
        assert client.post(path, sent(gstin)).status_code == 403
    client.force_login(writer("29AAQCP0000D1ZT"))
    for gstin, path in ((S, mine), (R, theirs)):
        assert client.get(path).status_code == 404
        assert client.post(path, sent(gstin)).status_code == 404
    client.force_login(writer(R))
    assert client.get(mine.replace(S, R)).status_code == 404
    assert client.get(f"/en/t/{S}/ims/messages/").status_code == 404
    assert not Message.objects.exists()
