"""Feeds over the interface: an administrator's token hands them in, and opens no GSTIN by that."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from ims_portal import clock, tokens
from ims_portal.access import Right
from ims_portal.models import AuditEvent, User
from ims_portal.tokens import Terms, TokenRefusedError
from invoices import feed_uploads
from invoices.models import FeedBatch, Record
from tests import factories
from tests.api.client import Program
from tests.api.client import token as token_of
from tests.signing_in import sign_in

pytestmark = pytest.mark.django_db
STORY = Path(__file__).resolve().parents[2] / "returns" / "story"
BILLS = (STORY / "boe-icegate-092026.json").read_bytes()
R, S = factories.RECIPIENT, factories.SUPPLIER
PAGE = "/en/me/tokens/"


@pytest.fixture(autouse=True)
def uploads(settings: Any, tmp_path: Path) -> None:  # noqa: ANN401 pytest-django's settings
    """Keep files where nobody else looks."""
    settings.IMS_UPLOAD_DIR = str(tmp_path)


@pytest.fixture
def admin() -> User:
    """An administrator, signatory of nothing."""
    return factories.user("admin", is_staff=True)


def program(person: User, **terms: Any) -> Program:  # noqa: ANN401 - a token's terms
    """Return a program with a token of somebody."""
    asked = Terms("customs", **{"gstins": [], "rights": [], "feeds": True, **terms})
    return Program(tokens.make(user=person, terms=asked, clock=clock.portal(), request_id=uuid.uuid4()))


def send(to: Program, content: bytes | None, kind: str = "boe", key: uuid.UUID | None = None) -> Any:  # noqa: ANN401
    """Hand a feed in."""
    file = {} if content is None else {"file": SimpleUploadedFile("feed.json", content)}
    return to.client.post(f"/api/v1/feeds/{kind}", file, headers={"Idempotency-Key": str(key or uuid.uuid4())})


def refused(answer: Any, status: int, code: str) -> None:  # noqa: ANN401 - the test client's answer
    """Fail where an answer is another."""
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def taken_in(pk: str) -> None:
    """Be the worker."""
    feed_uploads.ingest(batch=FeedBatch.objects.get(pk=pk), clock=factories.clock("2026-11-10 10:00"))


def test_a_feed_is_handed_in_once_followed_and_its_problems_told(admin: User) -> None:
    customs, key = program(admin), uuid.uuid4()
    assert customs.get("token").json()["feeds"] is True
    answer = send(customs, BILLS, key=key)
    pk = answer.json()["id"]
    assert (answer.status_code, answer.json()["state"], answer.json()["by"]) == (202, "waiting", str(admin))
    assert send(customs, BILLS, key=key).json()["id"] == send(customs, BILLS).json()["id"] == pk
    refused(send(customs, b"{}", key=key), 422, "IDEMPOTENCY_MISMATCH")
    taken_in(pk)  # no GSTIN of it is known here
    told = customs.get(f"feeds/boe/{pk}").json()
    assert (told["state"], told["added"]) == ("failed", 0)
    assert told["refused"] == len(told["problems"]) > 0
    assert all(one["code"] and one["message"] for one in told["problems"])
    assert not Record.objects.exists()
    refused(customs.get(f"feeds/isd/{pk}"), 404, "NOT_FOUND")
    refused(customs.get(f"feeds/boe/{uuid.uuid4()}"), 404, "NOT_FOUND")


def test_what_is_no_feed_is_refused(admin: User, settings: Any) -> None:  # noqa: ANN401 pytest-django's settings
    customs = program(admin)
    refused(send(customs, BILLS, kind="tds"), 404, "NOT_FOUND")
    refused(send(customs, None), 400, "INVALID")
    refused(send(customs, b""), 422, "EMPTY_FILE")
    settings.IMS_UPLOAD_LIMIT = 10
    refused(send(customs, BILLS), 413, "TOO_LARGE")
    assert not FeedBatch.objects.exists()


def test_such_a_token_opens_no_gstin_and_others_hand_in_nothing(admin: User) -> None:
    asha = factories.member(factories.taxpayer(R), "signatory", "asha")
    refused(program(admin).get(f"t/{R}/ims/records"), 404, "NOT_FOUND")
    signatory = Program(token_of(asha, R))
    assert signatory.get("token").json()["feeds"] is False
    refused(send(signatory, BILLS), 403, "RIGHT_MISSING")
    refused(signatory.get(f"feeds/boe/{uuid.uuid4()}"), 403, "RIGHT_MISSING")
    with pytest.raises(TokenRefusedError) as wrong:
        program(asha, gstins=[R])
    assert list(wrong.value.problems) == ["feeds"]
    with pytest.raises(TokenRefusedError):
        program(admin, gstins=[R])
    customs = program(admin)
    User.objects.filter(pk=admin.pk).update(is_staff=False)
    refused(send(customs, BILLS), 403, "RIGHT_MISSING")
    assert customs.get("token").json()["feeds"] is False
    assert not FeedBatch.objects.exists()


def test_an_administrator_makes_it_on_the_page_and_revokes_it(client: Client, admin: User) -> None:
    sign_in(client, "admin")
    page = client.get(PAGE).text
    assert "Hand in feeds" in page
    assert "gstins" not in page
    fields = {"name": "customs", "lasts": "24", "networks": "", "do": "make", "request_id": str(uuid.uuid4())}
    made = client.post(PAGE, {**fields, "gstins": [R]})
    assert made.status_code == 422
    made = client.post(PAGE, fields)
    assert "Your token, shown only now" in made.text
    kept = admin.api_tokens.get()
    assert (kept.feeds, kept.taxpayers.count()) == (True, 0)
    event = AuditEvent.objects.get(event="token.made")
    assert (event.taxpayer, event.details) == (None, {"rights": ["feeds"]})
    assert "<li>Hand in feeds</li>" in client.get(PAGE).text
    client.post(f"{PAGE}{kept.prefix}/revoke/", {"request_id": str(uuid.uuid4())})
    assert not tokens.live(admin).exists()


def test_a_signatory_who_administers_chooses(client: Client, admin: User) -> None:
    factories.member(factories.taxpayer(R), "signatory", "admin")
    sign_in(client, "admin")
    fields = {"name": "erp", "lasts": "24", "networks": "", "do": "make"}

    def asked(**more: object) -> int:
        return int(client.post(PAGE, {**fields, "request_id": str(uuid.uuid4()), **more}).status_code)

    assert asked() == 422
    assert asked(gstins=[R]) == 200
    assert asked(feeds="on") == 200
    assert asked(gstins=[R], feeds="on", rights=[Right.ACT.value]) == 200
    found = [(one.feeds, one.taxpayers.count()) for one in admin.api_tokens.order_by("pk")]
    assert found == [(False, 1), (True, 0), (True, 1)]
