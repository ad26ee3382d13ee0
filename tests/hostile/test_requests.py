"""Forged and bent requests: no write without a form of ours, no GET that writes, no way out to elsewhere (F64, F72)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from urllib.parse import urljoin

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from ims_portal import web
from ims_portal.access import Right
from ims_portal.models import User
from invoices.models import Record
from tests import factories
from tests.api.client import USUAL, token
from tests.api.test_rights import OURS, THEIRS, filled
from tests.hostile import prints

pytestmark = pytest.mark.django_db
R = factories.RECIPIENT
WITHOUT_LANGUAGE = ("api/", "gstn/", "standard/", "taxpayerapi/", "static/")
KINDS = {"uuid:": str(uuid.UUID(int=1)), "form:": "gstr1", "table:": "b2b", "report:": "json", "int:": "1"}
NAMES = {"gstin": R, "p": "102025", "section": "b2b", "row": "t4B1", "entry": "t6_cash", "slug:prefix": "abcdefgh"}


def pages() -> Iterator[str]:
    """Yield an address of every route that is no program's."""

    def walk(resolver: URLResolver, before: str) -> Iterator[str]:
        for each in resolver.url_patterns:
            way = before + str(each.pattern)
            if isinstance(each, URLResolver):
                yield from walk(each, way)
            elif isinstance(each, URLPattern):
                yield way

    def example(found: re.Match[str]) -> str:
        return NAMES.get(found[2]) or KINDS.get(found[1] or "", "1")

    for way in walk(get_resolver(), ""):
        if not way.startswith(WITHOUT_LANGUAGE):
            plain = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"<\1>", way).replace("^", "").replace("$", "").replace("\\Z", "")
            yield "/" + re.sub(r"<([a-z]+:)?([a-z_0-9]+)>", example, plain)


PAGES = sorted(set(pages()))


@pytest.fixture
def asha() -> User:
    """A signatory of R who is an administrator too; R has two records and a statement."""
    factories.filed(factories.document(number="INV1", tax=18000), factories.document(number="INV2", tax=900))
    found = factories.member(factories.taxpayer(), "signatory", "asha")
    User.objects.filter(pk=found.pk).update(is_staff=True)
    factories.computed()
    return found


@pytest.fixture
def browser(asha: User) -> Client:
    """Her browser, which is asked for the token of forms as any is."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(asha)
    return client


def test_every_page_is_among_them() -> None:
    assert len(PAGES) > 120
    assert not [page for page in PAGES if "<" in page or "(" in page]


def test_no_page_takes_a_form_that_is_not_ours(browser: Client) -> None:
    browser.get("/en/me/")
    token_ = browser.cookies["csrf"].value
    form = {"csrfmiddlewaretoken": token_, "gstin": R, "request_id": str(uuid.uuid4())}
    before = prints.fingerprint()
    for page in PAGES:
        told = {
            "no token": browser.post(page, {}),
            "a wrong token": browser.post(page, form | {"csrfmiddlewaretoken": "x" * 64}),
            "a page of elsewhere": browser.post(page, form, headers={"Origin": "https://example.org"}),
            "no origin at all": browser.post(page, form, headers={"Origin": "null"}),
            "JSON as text": browser.post(page, '{"a": "1"}', "text/plain"),
            "another method": browser.generic("DELETE", page),
        }
        assert {said: answer.status_code for said, answer in told.items() if answer.status_code != 403} == {}, page
    assert prints.changed(before) == {}


def test_a_method_in_a_header_or_field_is_no_method(browser: Client) -> None:
    before = prints.fingerprint()
    for name in ("X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"):
        for page in (f"/en/t/{R}/ims/act/", f"/en/t/{R}/returns/102025/gstr2b/compute/"):
            answer = browser.get(f"{page}?_method=POST", headers={name: "POST"})
            assert answer.status_code in (303, 405), (name, page)
    assert prints.changed(before) == {}


def test_no_interface_takes_a_session_or_a_form(browser: Client, asha: User) -> None:
    program = Client(headers={"Authorization": f"Bearer {token(asha, R, rights=(*USUAL, Right.FILE))}"})
    before = prints.fingerprint()
    writes = [(one.values[0], filled(one.values[1], R)) for one in (*OURS, *THEIRS) if one.values[0] != "GET"]
    assert len(writes) > 20
    for method, path in writes:
        by_session = browser.generic(method, path, "{}", content_type="application/json")
        assert by_session.status_code == 401, (method, path)
        for kind in ("text/plain", "application/x-www-form-urlencoded", "application/xml"):
            answer = program.generic(method, path, '{"a": "1"}', content_type=kind)
            assert answer.status_code in (415, 400, 404), (method, path, kind)
    token_used = {"ims_portal_apitoken"}
    assert prints.changed(before).keys() - token_used == set()


def test_nothing_changes_by_looking(browser: Client, asha: User) -> None:
    browser.get("/en/me/")
    program = Client(headers={"Authorization": f"Bearer {token(asha, R, rights=(*USUAL, Right.FILE))}"})
    program.get("/api/v1/token")
    reads = [filled(one.values[1], R) for one in OURS if one.values[0] == "GET"]
    calls = [f"{filled(one.values[1], R)}?action={one.values[2]}&gstin={R}" for one in THEIRS if one.values[0] == "GET"]
    before = prints.fingerprint()
    for page in PAGES:
        assert browser.get(page, follow=False).status_code < 500, page
    assert prints.changed(before) == {}
    for read in (*reads, *calls):
        assert program.get(read).status_code < 500, read
    assert prints.changed(before) == {}


ELSEWHERE = (
    *(
        "https://example.org/",
        "//example.org",
        "///example.org",
        "/\\example.org",
        "\\\\example.org",
        "http:example.org",
    ),
    *("javascript:alert(1)", "/\t/example.org", "/\n/example.org", "https:///example.org", "/%09//example.org\r\nX: y"),
    *(
        "data:text/html,x",
        "@example.org",
        "localhost@example.org",
        " //example.org",
        "//example.org/\u202e",
        "/" * 2_500,
    ),
)


@pytest.mark.parametrize("url", ELSEWHERE)
def test_an_address_to_go_back_to_is_ours_or_none(url: str) -> None:
    assert web.local(url, otherwise="/en/") == "/en/"


@pytest.mark.parametrize("url", ELSEWHERE)
def test_no_page_leads_elsewhere(asha: User, url: str) -> None:
    client = Client()
    signed_in = client.post("/en/account/login/", {"login": "asha", "password": factories.PASSWORD, "next": url})
    record = Record.objects.get(number="INV1")
    client.force_login(asha)
    form = {"gstin": R, "request_id": str(uuid.uuid4()), "back": url, "next": url}
    answers = [
        signed_in,
        client.get("/en/account/login/", {"next": url}),
        client.post("/i18n/setlang/", {"language": "hi", "next": url}),
        client.post(f"/en/t/{R}/ims/act/", form | {f"action-{record.pk}": "A"}),
        client.post(f"/en/t/{R}/ims/bulk/", form | {"action": "A"}),
        client.post("/en/account/logout/", {"next": url}),
    ]
    here = "http://testserver/en/account/login/"
    places = [urljoin(here, answer.headers.get("Location", "").replace("\\", "/")) for answer in answers]
    assert [place for place in places if not place.startswith("http://testserver/")] == []


@pytest.mark.parametrize(
    "host", ["example.org", "localhost.example.org", "localhost:80@example.org", "a b", "127.0.0.1.x"]
)
def test_a_request_to_another_host_is_refused(client: Client, host: str) -> None:
    answer = client.get("/en/account/login/", headers={"Host": host})
    assert answer.status_code == 400
    assert host not in answer.content.decode()


def test_a_forwarded_host_is_not_believed(client: Client) -> None:
    answer = client.get(
        "/", headers={"X-Forwarded-Host": "example.org", "X-Forwarded-Proto": "https", "Forwarded": "host=e.org"}
    )
    assert "example.org" not in answer.headers.get("Location", "") + answer.content.decode()


@pytest.mark.parametrize(
    "rest", ["", "%0A", "nothing", f"t/{R}/%0A", f"t/{R}/2b/102025/%0A/x", "t/a%0Ab/c", "%2F", "a//b"]
)
def test_an_address_of_no_use_is_told_in_the_interface_s_own_words(asha: User, rest: str) -> None:
    program = Client(headers={"Authorization": f"Bearer {token(asha, R)}"})
    for base in ("/api/v1/", "/gstn/", "/taxpayerapi/v1.0/"):
        answer = program.get(base + rest)
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/json"), base
