"""Nobody writes a column by naming it: the interface refuses keys it does not know, forms pass them over (F48)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import get_resolver
from rest_framework import serializers

from ims_portal.access import Right
from ims_portal.api.views import Strict
from ims_portal.models import User
from invoices.models import Record, Upload
from returns.models import Gstr2bJob
from tests import factories
from tests.api.client import USUAL, token
from tests.api.test_rights import filled

pytestmark = pytest.mark.django_db
SCHEMA: dict[str, Any] = yaml.safe_load((Path(__file__).resolve().parents[2] / "docs" / "openapi.yaml").read_text())
R = factories.RECIPIENT
COLUMNS = sorted(
    {
        name
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        for name in (field.name, field.attname)
    }
)
WANTED = ("gstin", "taxpayer_id", "recipient_id", "status", "state", "filed_at", "version", "is_staff", "is_superuser")
"""What somebody would like to write most."""


def inputs() -> Iterator[type[Strict]]:
    """Yield every serializer of what is sent."""
    get_resolver().url_patterns  # noqa: B018 - all of them are imported by it
    waiting = list(Strict.__subclasses__())
    while waiting:
        one = waiting.pop()
        waiting += one.__subclasses__()
        yield one


@pytest.mark.parametrize("kind", sorted(set(inputs()), key=lambda kind: kind.__name__), ids=lambda kind: kind.__name__)
def test_a_body_with_the_name_of_a_column_is_refused_at_it(kind: type[Strict]) -> None:
    for name in COLUMNS:
        if name not in kind().fields:
            form = kind(data={name: "1"})
            assert not form.is_valid(), name
            assert name in form.errors, name
    inner = [getattr(field, "child", field) for field in kind().fields.values()]
    assert [one for one in inner if isinstance(one, serializers.BaseSerializer) and not isinstance(one, Strict)] == []


@pytest.fixture
def program() -> Client:
    """A program of a signatory who is an administrator, with every right."""
    asha = factories.member(factories.taxpayer(), "signatory", "asha")
    User.objects.filter(pk=asha.pk).update(is_staff=True)
    return Client(headers={"Authorization": f"Bearer {token(asha, R, rights=(*USUAL, Right.FILE))}"})


WRITES = [
    pytest.param(method, address, next(iter(told.get("requestBody", {}).get("content", ["application/json"]))))
    for address, methods in SCHEMA["paths"].items()
    for method, told in methods.items()
    if method in ("post", "put", "patch") and "{gstin}" in address
]


@pytest.mark.parametrize(("method", "address", "kind"), WRITES)
def test_no_write_takes_what_it_did_not_ask_for(program: Client, method: str, address: str, kind: str) -> None:
    path = filled(address.replace("{id}", str(uuid.UUID(int=1))).replace("{", "<").replace("}", ">").lstrip("/"), R)
    for name in WANTED:
        sent: dict[str, Any] = {name: "1"}
        if kind == "multipart/form-data":
            sent |= {"kind": "gstr1", "period": "102025", "file": SimpleUploadedFile("a.json", b"{}")}
        content = {} if kind == "multipart/form-data" else {"content_type": kind}
        answer = getattr(program, method)(path, sent, headers={"Idempotency-Key": str(uuid.uuid4())}, **content)
        told = answer.json()
        assert answer.status_code in (400, 404), (name, told)
        assert answer.status_code == 404 or told["code"] == "INVALID", (name, told)
    assert Gstr2bJob.objects.count() == Upload.objects.count() == 0
    assert User.objects.get(username="asha").is_superuser is False


@pytest.mark.parametrize("path", [f"t/{R}/2b/102025/compute"])
def test_a_command_without_a_body_takes_an_empty_one(program: Client, path: str) -> None:
    answer = program.post(f"/api/v1/{path}", {}, "application/json", headers={"Idempotency-Key": str(uuid.uuid4())})
    assert answer.status_code == 202, answer.content


def test_a_form_reads_its_own_fields_and_no_column() -> None:
    person = factories.member(factories.taxpayer(), "preparer", "asha")
    client = Client()
    client.force_login(person)
    more = dict.fromkeys(COLUMNS, "1") | {"request_id": str(uuid.uuid4()), "rows": "100", "gstin": R}
    assert client.post("/en/me/", more).status_code in (302, 303)
    before, after = person, User.objects.get(pk=person.pk)
    kept = [field.name for field in User._meta.concrete_fields if field.name not in ("rows", "uses_keys")]
    assert [name for name in kept if getattr(before, name) != getattr(after, name)] == []
    assert after.rows == 100
    record = factories.filed_record()
    told = {"back": "/en/", "record": str(record.pk), "action": "A", "version": "0"}
    client.post(f"/en/t/{R}/ims/act/", dict.fromkeys(COLUMNS, "1") | more | told)
    after_all = Record.objects.get(pk=record.pk)
    told_by_supplier = ("igst", "taxable", "number", "pos", "status", "filed_on", "recipient_id", "settled_month")
    assert [name for name in told_by_supplier if getattr(record, name) != getattr(after_all, name)] == []
