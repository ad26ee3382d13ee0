"""R's desk as its people see it: a signatory, a preparer, a viewer, and a stranger who is nobody here."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from ims_portal.models import PortalClock, Taxpayer, User
from ims_portal.rules import periods
from ims_portal.rules.documents import Form, Section
from invoices import outward
from invoices.models import Record
from returns import tasks
from returns.models import Archive, Export, Gstr2bJob
from tests import factories
from tests.returns.test_clients import engaged
from tests.returns.views import clients_desk

ASKS_FOR_A_FILE = re.compile(r'<form method="post" action="/en/t/[0-9A-Z]+/exports/">.*?</form>', re.DOTALL)


def decides(content: str) -> str:
    """Return the main part of a page without the forms that only ask for a file: what is left may change something."""
    return ASKS_FOR_A_FILE.sub("", content[content.index("<main") :])


class Desk:
    """R's pages as its people see them."""

    def __init__(self) -> None:
        self.taxpayer: Taxpayer = factories.taxpayer(name="Meera Traders")
        self.people: dict[str, User] = {
            role: factories.member(self.taxpayer, role, role) for role in ("signatory", "preparer", "viewer")
        }
        self.people["stranger"] = factories.user("stranger")

    def as_(self, who: str) -> Client:
        client = Client()
        client.force_login(self.people[who])
        return client

    def url(self, path: str) -> str:
        return f"/en/t/{self.taxpayer.gstin}/{path}"

    def get(self, path: str, who: str = "signatory", **query: str) -> HttpResponse:
        return self.as_(who).get(self.url(path), query)

    def post(self, path: str, who: str = "signatory", **fields: str) -> HttpResponse:
        """Send a form with the fields every form carries."""
        body = {"gstin": self.taxpayer.gstin, "request_id": str(uuid.uuid4())} | fields
        return self.as_(who).post(self.url(path), body)

    def documents(self) -> None:
        """File an invoice of 18,000 and a credit note of 9,000 by S, and R's own GSTR-1 of October."""
        factories.filed(
            factories.document(number="INV1", tax=18000),
            factories.document(section=Section.CN, number="CN1", tax=9000),
        )
        outward.file(
            supplier=self.taxpayer,
            form=Form.GSTR1,
            period=periods.parse("102025"),
            actor=None,
            clock=factories.clock("2025-11-10"),
        )

    def act(self, number: str, action: str, **options: str) -> None:
        record = Record.objects.get(number=number)
        factories.act(record, action, on="2025-11-16", actor=self.people["preparer"], **options)

    @staticmethod
    def work() -> None:
        """Do what the worker would: every job that is due."""
        for job in Gstr2bJob.objects.filter(state="waiting"):
            tasks.compute_gstr2b(job_id=str(job.pk))
        for export in Export.objects.filter(state="waiting"):
            tasks.write_export(job_id=str(export.pk))
        for archive in Archive.objects.filter(state="waiting"):
            tasks.write_archive(job_id=str(archive.pk))

    @staticmethod
    def today(text: str) -> None:
        PortalClock.objects.update_or_create(pk=1, defaults={"ahead": factories.at(text) - timezone.now()})


@pytest.fixture
def desk(db: None, settings: Any) -> Desk:  # noqa: ANN401, ARG001 - fixtures of pytest-django
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # nobody types a password here
    made = Desk()
    made.today("2025-11-16")
    return made


@pytest.fixture
def computed(desk: Desk) -> Desk:
    """Return R's desk with version 1 of October."""
    desk.documents()
    factories.computed(desk.taxpayer)
    return desk


@pytest.fixture
def firm(computed: Desk) -> Client:
    """Return a practitioner engaged for R, whose October has an invoice, a note and a statement, and for another."""
    person = factories.user("firm")
    engaged(person, computed.taxpayer, "export", "compute")
    engaged(person, factories.taxpayer(clients_desk.OTHER, name="Ujala Traders"), "export")
    client = Client()
    client.force_login(person)
    return client
