"""The pages of actions by file: who may, what is said, what a second press does."""

from __future__ import annotations

import json
import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client

from ims_portal import clock as portal_clock
from ims_portal.models import Taxpayer
from invoices import exchange
from invoices.models import ActionFile, Record
from tests import factories
from tests.factories import document, filed

TODAY = "2025-11-12"
DESK = f"/en/t/{factories.RECIPIENT}/ims/files/"
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("now")]


def rows(*numbers: str, action: str = "A") -> bytes:
    """Return a file of the offline utility that chooses one action on invoices of the usual supplier."""
    listed = [
        {
            "stin": factories.SUPPLIER,
            "inum": number,
            "idt": f"{record.document_date:%d-%m-%Y}",
            "inv_typ": "R",
            "srcform": "R1",
            "rtnprd": "102025",
            "val": record.value / 100,
            "pos": record.pos,
            "txval": record.taxable / 100,
            "iamt": record.igst / 100,
            "camt": record.cgst / 100,
            "samt": record.sgst / 100,
            "cess": 0,
            "action": action,
        }
        for number in numbers
        for record in [Record.objects.get(number=number)]
    ]
    return json.dumps({"rtin": factories.RECIPIENT, "reqtyp": "SAVE", "invdata": {"b2b": listed}}).encode()


def send(client: Client, content: bytes, name: str = "up.json", **more: object) -> HttpResponse:
    """Upload a file."""
    sent = {"gstin": factories.RECIPIENT, "request_id": str(uuid.uuid4()), "file": SimpleUploadedFile(name, content)}
    return client.post(DESK, sent | more)


def post(client: Client, address: str, **more: object) -> HttpResponse:
    """Confirm a file."""
    sent = {"gstin": factories.RECIPIENT, "request_id": str(uuid.uuid4())}
    return client.post(f"{address}apply/", sent | more)


def work() -> None:
    """Do what the worker would."""
    for file in ActionFile.objects.exclude(state__in=["done", "failed"]):
        exchange.carry_out(file=file, clock=portal_clock.portal())


@pytest.fixture
def ravi(client: Client, recipient: Taxpayer) -> Client:
    """A preparer's browser."""
    client.force_login(factories.member(recipient, "preparer", "ravi"))
    return client


def test_a_file_is_read_shown_and_saved_once(ravi: Client) -> None:
    filed(document(number="N1"), document(number="N2"))
    key = str(uuid.uuid4())
    first, again = (send(ravi, rows("N1", "N2"), request_id=key) for _ in range(2))
    assert first.status_code == again.status_code == 303
    assert first["Location"] == again["Location"]
    assert "Waiting" in ravi.get(first["Location"]).content.decode()
    work()
    page = ravi.get(first["Location"]).content.decode()
    assert "2 records would change" in page
    assert "Save 2 actions" in page
    assert set(Record.objects.values_list("action", flat=True)) == {"N"}
    for _press in range(2):
        assert post(ravi, first["Location"]).status_code == 303
    work()
    assert "2 records were changed" in ravi.get(first["Location"]).content.decode()
    assert set(Record.objects.values_list("action", "version")) == {("A", 1)}
    assert post(ravi, first["Location"]).status_code == 303


def test_a_viewer_and_a_stranger_send_nothing(client: Client, recipient: Taxpayer) -> None:
    filed(document(number="N1"))
    client.force_login(factories.member(recipient, "viewer", "vic"))
    assert send(client, rows("N1")).status_code == 403
    assert "A preparer or signatory can act" in client.get(DESK).content.decode()
    client.force_login(factories.user("stranger"))
    assert send(client, rows("N1")).status_code == 404
    assert client.get(f"{DESK}{uuid.uuid4()}/").status_code == 404
    assert not ActionFile.objects.exists()


def test_only_who_uploaded_a_file_applies_it(ravi: Client, recipient: Taxpayer) -> None:
    filed(document(number="N1"))
    address = send(ravi, rows("N1"))["Location"]
    work()
    ravi.force_login(factories.member(recipient, "preparer", "other"))
    page = ravi.get(address).content.decode()
    assert "can save what this file asks" in page
    assert "Save 1 action" not in page
    refused = post(ravi, address)
    assert refused.status_code == 409
    assert "Only who uploaded a file can apply it" in refused.content.decode()
    assert set(Record.objects.values_list("action", flat=True)) == {"N"}


def test_a_file_without_a_change_has_nothing_to_save(ravi: Client) -> None:
    filed(document(number="N1"))
    address = send(ravi, rows("N1", action="N"))["Location"]
    work()
    page = ravi.get(address).content.decode()
    assert "Nothing of this file would change" in page
    assert "1 row was left as it was, or asks for what stands already" in page
    assert post(ravi, address).status_code == 409


def test_a_form_of_another_gstin_is_refused(ravi: Client) -> None:
    filed(document(number="N1"))
    assert send(ravi, rows("N1"), gstin=factories.SUPPLIER).status_code == 409
    assert not ActionFile.objects.exists()


def test_refused_rows_stand_under_their_reason(ravi: Client) -> None:
    filed(document(number="N1"))
    content = json.loads(rows("N1", action="P"))
    content["invdata"]["b2b"].append(content["invdata"]["b2b"][0] | {"inum": "N9"})
    content["invdata"]["b2b"].append(content["invdata"]["b2b"][0] | {"inum": "N8", "action": "X"})
    address = send(ravi, json.dumps(content).encode())["Location"]
    work()
    page = " ".join(ravi.get(address).content.decode().split())
    assert "2 rows are refused" in page
    assert "Not in IMS: nothing is to be decided: 1" in page
    assert "Cannot be read: 1" in page
    assert "invdata.b2b[2]" in page


def test_to_htmx_only_the_part_that_changes(ravi: Client) -> None:
    filed(document(number="N1"))
    address = send(ravi, rows("N1"))["Location"]
    part = ravi.get(address, headers={"HX-Request": "true"})
    assert part.status_code == 200
    assert "<html" not in part.content.decode()
    work()
    assert ravi.get(address, headers={"HX-Request": "true"}).status_code == 286
