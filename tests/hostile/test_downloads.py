"""What is given out is a file to keep, of the type we say, under a name that is only a name (F50)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from ims_portal import clock
from ims_portal.models import Taxpayer
from invoices.models import Upload, UploadProblem
from returns import exports
from returns.export_files import Kind
from tests import factories

pytestmark = pytest.mark.django_db
R = factories.RECIPIENT
BOUND = re.compile(r'(attachment|inline); filename="[A-Za-z0-9_.-]+"')
HOSTILE = '<script>x</script>"\r\nX-Bad: 1'


@pytest.fixture
def page(settings: Settings, tmp_path: Path) -> Client:
    """The browser of a signatory of R, whose name is no name."""
    settings.IMS_EXPORT_DIR = str(tmp_path)
    factories.filed(factories.document(number="INV1", tax=18000))
    factories.computed()
    Taxpayer.objects.filter(gstin=R).update(trade_name="<script>x</script>", legal_name='a"; filename="b')
    client = Client()
    client.force_login(factories.member(factories.taxpayer(), "signatory", "asha"))
    return client


def test_every_file_is_kept_not_shown_and_never_guessed_at(page: Client) -> None:
    asha = factories.member(factories.taxpayer(), "signatory", "asha")
    upload = Upload.objects.create(
        taxpayer=factories.taxpayer(), form="GSTR-1", month=202510, state="done", refused=1, file_name=HOSTILE, size=1
    )
    UploadProblem.objects.create(upload=upload, code="APP-G113", message="<b>x</b>", number="=1+1")
    addresses = [f"uploads/{upload.pk}/errors.{kind}" for kind in ("csv", "json")] + ["ims/match/template.csv"]
    for kind, asked in (
        (Kind.GSTR2B_XLSX, {"month": 202510, "version": 1}),
        (Kind.IMS_JSON, {"section": "all", "query": ""}),
    ):
        made = exports.request(taxpayer=factories.taxpayer(), kind=kind, asked=asked, actor=asha, clock=clock.portal())
        exports.write(export=made, clock=clock.portal())
        addresses.append(f"exports/{made.pk}/file")
    for address in addresses:
        answer = page.get(f"/en/t/{R}/{address}")
        assert answer.status_code == 200, address
        assert answer.headers["X-Content-Type-Options"] == "nosniff", address
        assert answer.headers["Content-Disposition"].startswith("attachment"), address
        assert BOUND.fullmatch(answer.headers["Content-Disposition"]), answer.headers["Content-Disposition"]
        assert not answer.headers["Content-Type"].startswith("text/html"), address
        assert "X-Bad" not in answer.headers
        assert "no-store" in answer.headers["Cache-Control"], address
        assert "default-src" in answer.headers["Content-Security-Policy"], address
        assert answer.getvalue(), address


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "..%2f..%2fetc%2fpasswd", "%00", "a/../b", "....//x", "/etc/passwd", "C:%5cx", "%2e%2e"],
)
def test_no_address_of_a_file_is_a_path(page: Client, name: str) -> None:
    for base in (
        f"/en/t/{R}/exports/{name}/file",
        f"/gstn/files/{name}",
        f"/static/{name}",
        f"/en/t/{R}/uploads/{name}/",
    ):
        answer = page.get(base)
        assert answer.status_code in (400, 401, 404), base
        assert b"root:" not in answer.getvalue()
