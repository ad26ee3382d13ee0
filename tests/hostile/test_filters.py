"""Hostile filters: names of lookups and pieces of SQL are words nobody knows, and no list is endless (F49, F51)."""

from __future__ import annotations

import json
import time
import uuid
from urllib.parse import urlencode

import pytest
from django.test import Client

from ims_portal.access import Right
from ims_portal.models import User
from tests import factories
from tests.api.client import USUAL, token
from tests.api.test_rights import OURS, filled

R = factories.RECIPIENT
NAMES = (
    *("_connector", "_negated", "__class__", "pk__in", "id__gte", "recipient__gstin", "supplier__user__password"),
    *("recipient_id", "taxpayer", "or", "OR 1=1", "q__regex", "q__contains", "action__in", "number__iregex", "extra"),
    *("order_by", "annotate", "0", "", "%s", "{0}", "$where", "filter[q]", "q[]", "constructor", "offset"),
)
TEXTS = (
    *("' OR '1'='1", "1; DROP TABLE invoices_record; --", "') UNION SELECT password FROM ims_portal_user --", "%"),
    *("_", "\\", "%%%%%%%%", "a' AND pg_sleep(20) --", '"; --', "$$; --", "%(q)s", "%s", "{}", "(a+)+$", "*" * 40),
    *("1) OR (1=1", "b2b' --", "\\'; --", "/**/", "0x31", "CHAR(49)", "nextval('x')", "${7*7}", "[[:alpha:]]*"),
)
SECONDS = 5
LISTS = ("ims/inward/all/", "ims/outward/b2b/", "ims/match/", "ims/find/", "returns/102025/gstr2b/all/b2b/")
pytestmark = pytest.mark.django_db


@pytest.fixture
def asha() -> User:
    """A signatory of R, which has records and a statement."""
    factories.filed(*(factories.document(number=f"INV{n}", tax=n * 100) for n in (1, 2, 3)))
    factories.computed()
    return factories.member(factories.taxpayer(), "signatory", "asha")


@pytest.fixture
def program(asha: User) -> Client:
    """A program of hers."""
    return Client(headers={"Authorization": f"Bearer {token(asha, R, rights=(*USUAL, Right.FILE))}"})


@pytest.fixture
def page(asha: User) -> Client:
    """Her browser."""
    client = Client()
    client.force_login(asha)
    return client


READS = sorted({filled(one.values[1], R) for one in OURS if one.values[0] == "GET"})


@pytest.mark.parametrize("path", READS)
def test_no_read_of_the_interface_knows_a_lookup(program: Client, path: str) -> None:
    plain = program.get(path)
    for name in NAMES:
        answer = program.get(f"{path}?{urlencode({name: '1'})}")
        is_passed_over = answer.status_code == plain.status_code and answer.content == plain.content
        assert answer.status_code in (400, 404) or is_passed_over, (name, answer.content[:200])


@pytest.mark.parametrize("path", LISTS)
def test_no_list_knows_a_lookup(page: Client, path: str) -> None:
    for name in NAMES:
        answer = page.get(f"/en/t/{R}/{path}?{urlencode({name: '1'})}")
        assert answer.status_code in (200, 400, 404, 422), name
        if path.startswith("ims/inward"):
            assert b"INV1" not in answer.content, name  # a filter nobody knows lists nothing


def test_a_piece_of_sql_is_a_text_to_look_for(program: Client, page: Client) -> None:
    for text in TEXTS:
        begin = time.monotonic()
        for name in ("q", "supplier", "sort"):
            query = urlencode({name: text})
            told = program.get(f"/api/v1/t/{R}/ims/records?{query}")
            assert told.status_code in (200, 400), (name, text)
            assert told.status_code == 400 or told.json()["count"] == 0, (name, text)
        assert page.get(f"/en/t/{R}/ims/inward/all/?{urlencode({'q': text})}").status_code in (200, 422), text
        assert time.monotonic() - begin < SECONDS, text


@pytest.mark.parametrize("rows", ["0", "-1", "201", "1000000", "1e3", "NaN", "\u0968\u0966", "20.0", " 20", "0x10", ""])
def test_a_page_is_never_longer_than_may_be(program: Client, page: Client, rows: str) -> None:
    for path in ("ims/records", "out/gstr1/102025/records", "2b/102025/lines"):
        told = program.get(f"/api/v1/t/{R}/{path}?{urlencode({'rows': rows})}")
        assert told.status_code in (200, 400), path
        assert told.status_code == 400 or rows in ("", " 20", "20.0", "\u0968\u0966"), path
    for path in LISTS:
        assert page.get(f"/en/t/{R}/{path}?{urlencode({'rows': rows})}").status_code in (200, 422), path


def test_a_cursor_of_ones_own_making_shows_nothing_else(program: Client) -> None:
    for after in ("1", "-1", "' OR 1=1", "eyJhIjoxfQ==", "9" * 500, "null", "[]", json.dumps([1, 2]), "\u0967"):
        told = program.get(f"/api/v1/t/{R}/ims/records?{urlencode({'after': after})}")
        assert told.status_code in (200, 400), after
        assert told.status_code == 400 or told.json()["count"] == 3, after


@pytest.mark.parametrize("name", NAMES)
def test_no_filter_in_a_body_knows_a_lookup(program: Client, name: str) -> None:
    for path, body in (
        ("exports", {"kind": "ims-xlsx", "list": "all", "filters": {name: "1"}}),
        ("whatif", {"action": "R", "list": "all", "filters": {name: "1"}}),
        ("ims/batches", {"filter": urlencode({name: "1"}), "action": "A"}),
    ):
        sent = {"content_type": "application/json", "headers": {"Idempotency-Key": str(uuid.uuid4())}}
        answer = program.post(f"/api/v1/t/{R}/{path}", json.dumps(body), **sent)
        assert answer.status_code in (400, 422), (path, answer.content[:200])
