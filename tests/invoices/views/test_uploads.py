"""Uploading through the browser: three people, one effect per click, and what the job's page tells."""

from __future__ import annotations

import json
import re
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.translation import override
from pytest_django.fixtures import Settings

from ims_portal import clock as portal_clock
from ims_portal.models import Taxpayer
from ims_portal.rules import periods
from ims_portal.rules.documents import Form
from ims_portal.rules.money import Tax
from invoices import outward, uploads
from invoices.models import Record, Upload
from invoices.staging import Summary
from tests import english, factories
from tests.invoices import gstr1_files, gstr1_workbook

DATA = Path(__file__).resolve().parents[2] / "data"
KAVERI = "29AAFCK0000M1ZQ"
HERE = f"/en/t/{KAVERI}/returns/102026/gstr1/"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _portal(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand on 5 November 2026, with a folder of the test's own."""
    settings.IMS_UPLOAD_DIR = tmp_path / "uploads"
    monkeypatch.setattr(portal_clock, "portal", lambda: factories.clock("2026-11-05"))


@pytest.fixture
def kaveri() -> Taxpayer:
    """Return the supplier of the sample files."""
    return factories.taxpayer(KAVERI, first=202610)


def signed_in(client: Client, owner: Taxpayer, role: str) -> Client:
    """Return the client, signed in as somebody with a role."""
    client.force_login(factories.member(owner, role))
    return client


def sent(client: Client, content: bytes | None = b"{}", **changes: str) -> object:
    """Return the answer to an upload."""
    form: dict[str, object] = {"gstin": KAVERI, "request_id": str(uuid4())} | changes
    if content is not None:
        form["file"] = SimpleUploadedFile("gstr1.json", content)
    return client.post(HERE + "upload/", form)


def broken() -> bytes:
    """Return the sample with its twelve errors."""
    return (DATA / "gstr1-broken.json").read_bytes()


def test_a_file_leads_to_its_job_and_the_job_to_its_outcome(client: Client, kaveri: Taxpayer) -> None:
    signed_in(client, kaveri, "preparer")
    answer = sent(client, broken())
    upload = Upload.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/en/t/{KAVERI}/uploads/{upload.pk}/")
    waiting = client.get(answer.headers["Location"])
    assert "Waiting" in waiting.text
    assert "hx-trigger" in waiting.text
    uploads.ingest(upload=upload, clock=portal_clock.portal())
    done = client.get(answer.headers["Location"])
    assert "12 documents were refused" in done.text
    assert "hx-trigger" not in done.text
    assert done.text.count('<th scope="row">') == 12
    assert "KMF/26-27/2003" not in done.text
    assert "KMF/2026-27/10/2003" in done.text


def test_htmx_gets_the_job_alone(client: Client, kaveri: Taxpayer) -> None:
    signed_in(client, kaveri, "viewer")
    upload = Upload.objects.create(
        taxpayer=kaveri,
        form="GSTR-1",
        month=202610,
        path="-",
        size=1,
        sha256="0" * 64,
        requested_by=factories.member(kaveri),
    )
    answer = client.get(f"/en/t/{KAVERI}/uploads/{upload.pk}/", headers={"HX-Request": "true"})
    assert answer.text.lstrip().startswith('<div id="job"')
    assert "<html" not in answer.text


def test_the_error_report_comes_as_json_and_as_csv(client: Client, kaveri: Taxpayer) -> None:
    signed_in(client, kaveri, "preparer")
    sent(client, broken())
    upload = Upload.objects.get()
    uploads.ingest(upload=upload, clock=portal_clock.portal())
    report = client.get(f"/en/t/{KAVERI}/uploads/{upload.pk}/errors.json")
    assert "errors-GSTR1-102026.json" in report.headers["Content-Disposition"]
    assert report.json()["error_report"]["b2b"][0]["error_cd"] == "APP-G105"
    table = client.get(f"/en/t/{KAVERI}/uploads/{upload.pk}/errors.csv")
    assert len(table.getvalue().decode("utf-8-sig").splitlines()) == 13


def test_a_workbook_is_offered_taken_and_its_problems_told_in_its_own_words(
    client: Client, kaveri: Taxpayer, tmp_path: Path
) -> None:
    signed_in(client, kaveri, "preparer")
    page = client.get(HERE).text
    assert "JSON, or workbook of the GST offline tool" in page
    assert 'accept=".json,application/json,.xlsx,' in page
    wrong = gstr1_files.with_invoices(gstr1_files.make_invoice(pos="Karnataka"))
    path = gstr1_workbook.write(tmp_path / "made.xlsx", wrong)
    sent(client, path.read_bytes())
    upload = Upload.objects.get()
    uploads.ingest(upload=upload, clock=portal_clock.portal())
    here = f"/en/t/{KAVERI}/uploads/{upload.pk}/"
    done = client.get(here).text
    assert "<td>Place Of Supply</td>" in done
    assert "<td>b2b,sez,de row 5</td>" in done
    assert "errors.json" not in done
    assert client.get(f"{here}errors.json").status_code == 404
    table = client.get(f"{here}errors.csv").getvalue().decode("utf-8-sig")
    assert '"b2b,sez,de row 5"' in table


def test_the_problems_of_a_file_are_told_in_the_language_of_the_page(client: Client, kaveri: Taxpayer) -> None:
    signed_in(client, kaveri, "preparer")
    sent(client, broken())
    upload = Upload.objects.get()
    uploads.ingest(upload=upload, clock=portal_clock.portal())
    with override("hi"):
        page = client.get(f"/hi/t/{KAVERI}/uploads/{upload.pk}/").text
    problems = re.findall(r"</span> ([^<]+)</td><td>[^<]*</td><td class=\"gstin\">APP-", page)
    assert len(problems) > 10
    assert english.left_in("<br>".join(problems), data=upload.problems.values_list("field", flat=True)) == []


def test_the_refused_rows_of_a_workbook_are_offered_first_while_it_is_kept(
    client: Client, kaveri: Taxpayer, tmp_path: Path
) -> None:
    signed_in(client, kaveri, "preparer")
    late = gstr1_files.with_invoices(gstr1_files.make_invoice(idt="05-11-2026"))
    sent(client, gstr1_workbook.write(tmp_path / "gstr1.xlsx", late).read_bytes())
    upload = Upload.objects.get()
    uploads.ingest(upload=upload, clock=portal_clock.portal())
    page = client.get(f"/en/t/{KAVERI}/uploads/{upload.pk}/").text
    assert f'<input type="hidden" name="file" value="{upload.pk}">' in page
    assert page.index("Take the refused rows as a workbook") < page.index("Download problems (CSV)")
    assert "kept for 30 days" in page
    Path(upload.path).unlink()
    page = client.get(f"/en/t/{KAVERI}/uploads/{upload.pk}/").text
    assert "Take the refused rows" not in page
    assert "Download problems (CSV)" in page


def test_no_cell_of_the_csv_is_a_formula(client: Client, kaveri: Taxpayer) -> None:
    signed_in(client, kaveri, "preparer")
    content = {"gstin": KAVERI, "fp": "102026", "b2b": [{"ctin": factories.RECIPIENT, "inv": [{"inum": "=1+1"}]}]}
    sent(client, json.dumps(content).encode())
    upload = Upload.objects.get()
    uploads.ingest(upload=upload, clock=portal_clock.portal())
    table = client.get(f"/en/t/{KAVERI}/uploads/{upload.pk}/errors.csv")
    assert ",'=1+1," in table.getvalue().decode("utf-8-sig")


def test_the_same_click_twice_is_one_job_and_one_answer(client: Client, kaveri: Taxpayer) -> None:
    signed_in(client, kaveri, "preparer")
    key = str(uuid4())
    first, second = sent(client, broken(), request_id=key), sent(client, broken(), request_id=key)
    assert first.headers["Location"] == second.headers["Location"]
    assert Upload.objects.count() == 1
    other = sent(client, b"{}", request_id=key)
    assert other.status_code == 409
    assert Upload.objects.count() == 1


@pytest.mark.parametrize(("content", "said"), [(None, "No file was chosen"), (b"", "The file is empty")])
def test_what_is_not_taken_in_is_said_on_the_page(
    client: Client, kaveri: Taxpayer, content: bytes | None, said: str
) -> None:
    signed_in(client, kaveri, "preparer")
    answer = sent(client, content)
    assert answer.status_code == 422
    assert said in answer.text
    assert 'href="#id_file"' in answer.text
    assert not Upload.objects.exists()


def test_a_file_above_the_limit_is_said_on_the_page(client: Client, kaveri: Taxpayer, settings: Settings) -> None:
    settings.IMS_UPLOAD_LIMIT = 100
    signed_in(client, kaveri, "preparer")
    answer = sent(client, broken())
    assert answer.status_code == 422
    assert "larger than" in answer.text


def test_a_filed_period_takes_no_file(client: Client, kaveri: Taxpayer) -> None:
    outward.file(
        supplier=kaveri, form=Form.GSTR1, period=periods.parse("102026"), actor=None, clock=portal_clock.portal()
    )
    signed_in(client, kaveri, "preparer")
    answer = sent(client, broken())
    assert answer.status_code == 422
    assert "is filed" in answer.text
    assert not Upload.objects.exists()


def test_a_viewer_looks_but_hands_nothing_in(client: Client, kaveri: Taxpayer) -> None:
    factories.member(kaveri, "preparer", "asha")
    signed_in(client, kaveri, "viewer")
    assert 'type="file"' not in client.get(HERE).text
    answer = sent(client, broken())
    assert answer.status_code == 403
    assert "Asha" in answer.text
    assert not Upload.objects.exists()


def test_a_stranger_finds_nothing(client: Client, kaveri: Taxpayer) -> None:
    upload = Upload.objects.create(taxpayer=kaveri, form="GSTR-1", month=202610, path="-", size=1, sha256="0" * 64)
    signed_in(client, factories.taxpayer(), "signatory")
    for path in (
        HERE,
        HERE + "file/",
        f"/en/t/{KAVERI}/uploads/{upload.pk}/",
        f"/en/t/{KAVERI}/uploads/{upload.pk}/errors.json",
        f"/en/t/{KAVERI}/uploads/{upload.pk}/errors.csv",
        f"/en/t/{factories.RECIPIENT}/uploads/{upload.pk}/",
        f"/en/t/{KAVERI}/ims/outward/",
    ):
        assert client.get(path).status_code == 404, path
    assert sent(client, broken()).status_code == 404
    assert not Record.objects.exists()


def test_a_form_of_another_gstin_is_refused(client: Client, kaveri: Taxpayer) -> None:
    signed_in(client, kaveri, "preparer")
    answer = sent(client, broken(), gstin=factories.RECIPIENT)
    assert answer.status_code == 409
    assert not Upload.objects.exists()


@pytest.mark.parametrize(
    "path",
    [
        "returns/132026/gstr1/",
        "returns/102026/gstr9/",
        "returns/Q3-2026-27/gstr1/",
        "returns/october/gstr1/",
        "returns/102026/gstr1/records/1/delete/",
    ],
)
def test_an_address_that_means_nothing_is_not_found(client: Client, kaveri: Taxpayer, path: str) -> None:
    signed_in(client, kaveri, "preparer")
    assert client.get(f"/en/t/{KAVERI}/{path}").status_code == 404


def test_a_form_shows_what_never_reaches_ims_and_whether_it_counts(client: Client, kaveri: Taxpayer) -> None:
    consumers = Summary("b2cs", "INTER 30", 1000_00, Tax(igst=180_00))
    period = periods.parse("102026")
    outward.save(
        supplier=kaveri,
        form=Form.GSTR1,
        period=period,
        found=[consumers],
        actor=None,
        clock=factories.clock("2026-11-05"),
    )
    page = signed_in(client, kaveri, "viewer").get(HERE)
    assert page.status_code == 200
    assert "1,000.00" in page.text
