"""GSTR-2B beside a file, as its pages show it: handed in, followed, read; what no page sends; how much it asks."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext

from returns import gstr2b_files, gstr2b_json, gstr2b_rows
from returns.models import Gstr2b, StatementFile
from tests import factories
from tests.returns.views.conftest import Desk

PAGE = "returns/102025/gstr2b/files/"
BY_HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> None:  # noqa: ANN401 pytest-django's settings
    """Keep files out of the way."""
    settings.IMS_UPLOAD_DIR = str(tmp_path)


def our_data() -> dict[str, Any]:
    """Return October's statement as its file says it."""
    made = Gstr2b.objects.latest("version")
    return gstr2b_json.statement(
        gstin=made.recipient.gstin, period="102025", made_on=made.as_of, rows=gstr2b_rows.of(made)
    )


def hand_in(desk: Desk, data: object, who: str = "preparer", name: str = "R2B.json") -> HttpResponse:
    """Upload a file as the page does."""
    body = {"gstin": desk.taxpayer.gstin, "request_id": str(uuid.uuid4())}
    file = SimpleUploadedFile(name, json.dumps(data).encode())
    return desk.as_(who).post(desk.url(PAGE), {**body, "file": file})


def text(answer: HttpResponse) -> str:
    """Return a page without the blanks between its tags."""
    return " ".join(answer.content.decode().split())


def test_a_file_is_followed_to_what_came_of_it(computed: Desk) -> None:
    data = our_data()
    invoice = data["docdata"]["b2b"][0]["inv"][0]
    invoice["igst"] += 1.5
    data["docdata"]["b2b"][0]["inv"].append({**invoice, "inum": "INV<9>"})
    data["itcsumm"]["itcavl"]["nonrevsup"]["igst"] += 100
    answer = hand_in(computed, data)
    assert answer.status_code == 303
    waiting = text(computed.as_("viewer").get(answer["Location"]))
    assert 'hx-trigger="every 2s"' in waiting
    gstr2b_files.carry_out(file=StatementFile.objects.get())
    part = computed.as_("viewer").get(answer["Location"], headers=BY_HTMX)
    assert part.status_code == 286
    assert "<html" not in text(part)
    page = text(computed.as_("viewer").get(answer["Location"]))
    assert "3 in the file, 2 here" in page
    assert "INV1" in page
    assert "18,001.50" in page
    assert "18,000.00" in page
    assert "Sums of the summary that differ" in page
    only_theirs = text(computed.as_("viewer").get(answer["Location"], {"tab": "theirs"}))
    assert "INV&lt;9&gt;" in only_theirs
    assert "18,001.50" in only_theirs
    listed = text(computed.get(PAGE, "viewer"))
    assert "R2B.json" in listed
    assert "Compared" in listed


def test_a_later_version_is_told(computed: Desk) -> None:
    address = hand_in(computed, our_data())["Location"]
    gstr2b_files.carry_out(file=StatementFile.objects.get())
    page = text(computed.as_("viewer").get(address))
    assert "was computed since" not in page
    assert "all the same" in page
    computed.act("CN1", "R")
    factories.computed(computed.taxpayer, on="2025-11-16")
    assert "Version 2 was computed since" in text(computed.as_("viewer").get(address))


def test_what_is_no_statement_is_refused_in_words(computed: Desk) -> None:
    address = hand_in(computed, {"gstin": computed.taxpayer.gstin})["Location"]
    gstr2b_files.carry_out(file=StatementFile.objects.get())
    assert "This is no GSTR-2B" in text(computed.as_("viewer").get(address))
    refused = hand_in(computed, {}, name="R2B.pdf")
    assert refused.status_code == 422
    assert 'id="id_file-error"' in text(refused)


def test_without_a_statement_the_page_says_what_to_do(desk: Desk) -> None:
    page = text(desk.get(PAGE))
    assert "nothing to compare with" in page
    assert 'type="file"' not in page
    assert hand_in(desk, {}).status_code == 303
    assert not StatementFile.objects.exists()


def test_a_comparison_is_nobody_else_s_and_a_place_that_is_none_is_no_page(computed: Desk) -> None:
    address = hand_in(computed, our_data())["Location"]
    gstr2b_files.carry_out(file=StatementFile.objects.get())
    other = factories.taxpayer(gstin=factories.SUPPLIER)
    factories.member(other, "viewer", "viewer")
    foreign = address.replace(computed.taxpayer.gstin, other.gstin)
    for client, path in ((computed.as_("stranger"), address), (computed.as_("viewer"), foreign)):
        assert client.get(path).status_code == 404
    for query in ({"tab": "all"}, {"after": "-1"}, {"after": "x"}, {"after": "9" * 30}):
        assert computed.as_("viewer").get(address, query).status_code == 404


def test_a_page_of_differences_asks_little(computed: Desk) -> None:
    data = our_data()
    invoices = data["docdata"]["b2b"][0]["inv"]
    invoices += [{**invoices[0], "inum": f"NEW/{number}"} for number in range(60)]
    address = hand_in(computed, data)["Location"]
    gstr2b_files.carry_out(file=StatementFile.objects.get())
    client = computed.as_("viewer")
    client.get(address)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        page = text(client.get(address))
    assert len(asked) <= 8
    assert page.count("NEW/") == 50
    following = page[page.index('rel="next" href="') + 17 :].split('"')[0].replace("&amp;", "&")
    last = text(client.get(following))
    assert last.count("NEW/") == 10
    assert 'rel="next"' not in last
