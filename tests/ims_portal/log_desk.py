"""The log's desk in tests: events written, people signed in, rows told, a break-glass opened."""

from __future__ import annotations

import re
from datetime import datetime
from html import unescape
from uuid import uuid4

from django.http import HttpResponse
from django.test import Client

from ims_portal import audit
from ims_portal.models import AuditEvent, Taxpayer
from tests import factories

TODAY = "2025-11-12"
PAGE = "/en/control/audit/"
FILES = f"{PAGE}extracts/"
GSTIN, OTHER = factories.RECIPIENT, factories.SUPPLIER
REASON = "Ticket 77: they ask who filed"
SECRET = "export 4f1d"


def at(text: str = TODAY) -> datetime:
    return factories.at(text)


def record(event: str, of: Taxpayer, actor: object, details: dict[str, object], **other: object) -> None:
    told = {"subject": f"about {event}", "request_id": uuid4(), "at": at()} | other
    audit.record(event=event, taxpayer=of, actor=actor, details=details, **told)


def adm(number: int = 1) -> object:
    return factories.user(f"adm{number}", is_staff=True)


def as_(username: str = "adm1", **options: object) -> Client:
    client = Client()
    client.force_login(factories.user(username, is_staff=username.startswith("adm"), **options))
    return client


def text(answer: HttpResponse) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def told(client: Client, query: str = "") -> list[str]:
    """Return the rows of the log's page, each as its text."""
    rows = re.findall(r"<tr>\s*<td>(.*?)</tr>", client.get(f"{PAGE}{query}").text, re.DOTALL)
    return [" ".join(unescape(re.sub(r"<[^>]+>", " ", row)).split()) for row in rows]


def opened(client: Client, *, gstin: str = GSTIN, reason: str = REASON, **other: object) -> HttpResponse:
    fields = {"do": "open", "gstin": gstin, "reason": reason, "request_id": uuid4()} | other
    return client.post(PAGE, fields, follow=True)


def log() -> list[str]:
    return list(AuditEvent.objects.order_by("id").values_list("event", flat=True))
