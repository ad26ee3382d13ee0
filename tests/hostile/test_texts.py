"""Characters that no text may hold, and bodies that mean two things, wherever one can be sent (F41)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import get_resolver
from pytest_django.fixtures import Settings
from rest_framework.exceptions import ParseError

from ims_portal.api import bodies
from ims_portal.models import User
from ims_portal.rules.texts import UNWELCOME
from invoices.models import Record, Upload
from tests import factories
from tests.api.client import Program, token
from tests.invoices.test_uploads import KAVERI

R = factories.RECIPIENT
BAD = {
    "NUL": "\x00",
    "bell": "\x07",
    "escape": "\x1b",
    "delete": "\x7f",
    "next line": "\x85",
    "right-to-left override": "\u202e",
    "isolate": "\u2066",
    "half a character": "\ud800",
}


def every_form() -> Iterator[type[forms.BaseForm]]:
    """Yield every form of ours."""
    get_resolver().url_patterns  # noqa: B018 - all of them are imported by it
    waiting: list[type[forms.BaseForm]] = [forms.BaseForm]
    while waiting:
        one = waiting.pop()
        waiting += one.__subclasses__()
        if one.__module__.split(".")[0] in ("ims_portal", "invoices", "returns"):
            yield one


FIELDS = {
    f"{kind.__name__}.{name}": field
    for kind in every_form()
    for name, field in kind.base_fields.items()
    if isinstance(field, forms.CharField)
}
NEVER_KEPT_AS_TYPED = {
    "SignInForm.password": "hashed, never shown",
    "SnoozeForm.item": "looked up among the items there are",
    "TokenForm.networks": "read line by line as networks",
}


def test_there_are_forms_with_texts() -> None:
    assert len(FIELDS) > 25


@pytest.mark.parametrize("name", sorted(FIELDS.keys() - NEVER_KEPT_AS_TYPED))
def test_no_field_of_a_form_takes_a_character_that_cannot_be_shown(name: str) -> None:
    for said, character in BAD.items():
        try:
            found = FIELDS[name].clean(f"1{character}1")
        except ValidationError:
            continue
        assert not UNWELCOME.search(str(found)), said


@pytest.mark.parametrize("said", BAD)
def test_no_body_takes_one_at_any_depth(said: str) -> None:
    text = f'"a{BAD[said]}b"'
    escaped = f'"a\\u{ord(BAD[said]):04x}b"'
    for written in (text.encode("utf-8", "surrogatepass"), escaped.encode()):
        for body in (b'{"a": %s}', b'{"a": [{"b": %s}]}', b'{"a": {%s: 1}}', b"{%s: 1}", b'{"a": [[[[%s]]]]}'):
            with pytest.raises(ParseError):
                bodies.read(body % written)


@pytest.mark.parametrize(
    "body",
    [
        *(b'{"a": %s}' % number for number in (b"NaN", b"Infinity", b"-Infinity", b"9" * 5_000, b"1e9999999999")),
        *(
            b'{"a": %s}' % number
            for number in (b"1." + b"0" * 100, b"-" + b"9" * 41, b"01", b"+1", b".5", b"1.", b"0x1")
        ),
        b"[" * 200_000 + b"]" * 200_000,
        b'{"a":' * 200_000 + b"1" + b"}" * 200_000,
        b'{"a": 1, "a": 2}',
        b'{"a": {"b": 1, "b": 1}}',
        b'{"a": 1, "\\u0061": 2}',
        b'{"a": "\xff"}',
        b'{"a": "\xc0\x80"}',
        b'{"a": "\xed\xa0\x80"}',
        '{"a": "é"}'.encode("latin-1"),
        '{"a": 1}'.encode("utf-16"),
        '{"a": 1}'.encode("utf-32"),
        b"+ADw-script+AD4-",
        b"",
        b"null",
        b'"a"',
        b'{"a": 1} {"a": 2}',
        b"{'a': 1}",
        b'{"a": 1,}',
        b"/* */ {}",
    ],
)
def test_a_body_that_is_not_plain_json_is_refused(body: bytes) -> None:
    with pytest.raises(ParseError):
        bodies.read(body)


@pytest.fixture
def asha() -> User:
    """A signatory of R, which has a record."""
    factories.filed(factories.document(number="INV1", tax=18000))
    return factories.member(factories.taxpayer(), "signatory", "asha")


@pytest.mark.django_db
@pytest.mark.parametrize("charset", ["utf-7", "unicode_escape", "utf-16", "latin-1", "idna", "no-such", "zlib_codec"])
def test_no_charset_makes_a_body_mean_something_else(asha: User, charset: str) -> None:
    program = Program(token(asha, R))
    for body in (b'{"items": [], "a\\u0062": 1}', b"{+ACI-items+ACI-: []}", b"\\x7b\\x7d"):
        answer = program.client.generic(
            "POST",
            f"/api/v1/t/{R}/ims/actions",
            body,
            content_type=f"application/json; charset={charset}",
            headers={"Idempotency-Key": str(uuid.uuid4())},
        )
        assert answer.status_code in (400, 415), answer.content
    page = Client()
    page.force_login(asha)
    kind = f"application/x-www-form-urlencoded; charset={charset}"
    answer = page.generic("POST", "/en/me/", b"rows=100", content_type=kind)
    assert answer.status_code in (302, 303, 400, 409, 422)


@pytest.mark.django_db
@pytest.mark.parametrize("said", BAD)
def test_no_address_and_no_query_takes_one(asha: User, said: str) -> None:
    program, page = Program(token(asha, R)), Client()
    page.force_login(asha)
    bad = quote(BAD[said].encode("utf-8", "surrogatepass"))
    refused = (
        (200, 400, 404) if said == "half a character" else (400, 404)
    )  # its bytes are no UTF-8: they become U+FFFD
    for name in ("q", "supplier", "after", "section", f"a{bad}"):
        for base in (f"/api/v1/t/{R}/ims/records", f"/api/v1/t/{R}/out/records", f"/api/v1/t/{R}/2b/102025/lines"):
            assert program.client.get(f"{base}?{name}=a{bad}b").status_code in refused, (base, name)
        for base in (f"/en/t/{R}/ims/inward/all/", f"/en/t/{R}/ims/outward/all/", f"/en/t/{R}/ims/find/"):
            assert page.get(f"{base}?{name}=a{bad}b").status_code < 500, (base, name)
    for path in (f"/en/t/a{bad}/", f"/en/t/{R}/returns/a{bad}/gstr2b/", f"/en/t/{R}/ims/inward/a{bad}/"):
        assert page.get(path).status_code in (400, 404), path
    for path in (f"/api/v1/t/a{bad}/ims/records", f"/gstn/files/a{bad}", f"/gstn/returns/ims?gstin={R}&action=a{bad}"):
        assert program.client.get(path).status_code in (200, 400, 404), path


@pytest.mark.django_db
@pytest.mark.parametrize("said", BAD)
def test_no_choice_of_many_takes_a_remark_with_one(asha: User, said: str) -> None:
    record = Record.objects.get(number="INV1")
    page = Client()
    page.force_login(asha)
    remark = f"a{BAD[said]}b".encode("utf-8", "surrogatepass")
    body = f"gstin={R}&request_id={uuid.uuid4()}&action=R&record={record.pk}&version-{record.pk}=0&remark="
    for path in ("ims/bulk/", "ims/act/"):
        answer = page.post(
            f"/en/t/{R}/{path}",
            body.encode() + quote(remark).encode(),
            content_type="application/x-www-form-urlencoded",
        )
        assert answer.status_code < 500
    record.refresh_from_db()
    assert not UNWELCOME.search(record.remark)


TRICKS = (
    *("../../etc/passwd.json", "..\\..\\boot.json", "/etc/passwd.json", "C:\\x.json", "a\x00.json", "a\r\nX: y.json"),
    *("a\u202enosj.json", "<img src=x>.json", '"; filename="b.json', "=1+1.json", "con.json", "." * 300 + ".json"),
    *("x" * 5_000 + ".json", "a/b/c.json", "%2e%2e%2fa.json", "~root.json", "-rf.json", " .json"),
)


@pytest.mark.django_db
@pytest.mark.parametrize("name", TRICKS, ids=range(len(TRICKS)))
def test_a_name_of_a_file_is_only_a_name(settings: Settings, tmp_path: Path, name: str) -> None:
    settings.IMS_UPLOAD_DIR = str(tmp_path / "uploads")
    kiran = factories.member(factories.taxpayer(KAVERI, first=202510), "signatory", "kiran")
    page = Client()
    page.force_login(kiran)
    file = SimpleUploadedFile("x", b'{"gstin": "x"}')
    file._name = name  # the class itself would take the path away, which a browser of ill will does not
    form = {"gstin": KAVERI, "request_id": str(uuid.uuid4()), "file": file}
    answer = page.post(f"/en/t/{KAVERI}/returns/102025/gstr1/upload/", form)
    assert answer.status_code in (303, 400, 422), answer.content[:300]
    lying = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert all(path.parent == tmp_path / "uploads" and uuid.UUID(path.stem) for path in lying)
    for upload in Upload.objects.all():
        assert not UNWELCOME.search(upload.file_name)
        assert "/" not in upload.file_name
        told = page.get(f"/en/t/{KAVERI}/uploads/{upload.pk}/")
        assert told.status_code == 200
        assert "<img src=x>" not in told.content.decode()
