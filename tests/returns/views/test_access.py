"""Who may open which page of the returns desk, and what others get; how much each page asks the database."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from returns.models import Filing, Gstr2bJob
from tests import factories
from tests.returns.views.conftest import Desk, decides

PAGES = (
    "returns/",
    "returns/102025/gstr2b/",
    "returns/102025/gstr2b/all/all/",
    "returns/102025/gstr2b/all/b2b/",
    "returns/102025/gstr2b/versions/1/",
    "returns/102025/gstr2b/diff/1/2/",
    "returns/102025/gstr2b/files/",
    "returns/102025/gstr3b/",
    "returns/102025/gstr3b/table/t3_1_a/",
    "returns/102025/gstr3b/table/t4A5/",
    "returns/102025/gstr3b/review/",
    "returns/102025/gstr3b/payment/t5_1/",
    "returns/102025/gstr3b/payment/t6_igst/",
    "returns/102025/gstr3b/upload/",
)
FORMS = (
    ("returns/102025/gstr2b/compute/", "preparer"),
    ("returns/102025/gstr2b/files/", "preparer"),
    ("returns/102025/gstr3b/table/t4B1/", "preparer"),
    ("returns/102025/gstr3b/payment/t6_cash/", "preparer"),
    ("returns/102025/gstr3b/upload/", "preparer"),
    ("returns/102025/gstr3b/upload/fill/", "preparer"),
    ("returns/102025/gstr3b/file/", "signatory"),
)


@pytest.fixture
def two_versions(computed: Desk) -> Desk:
    computed.act("CN1", "R")
    factories.computed(computed.taxpayer, on="2025-11-16")
    return computed


@pytest.mark.parametrize("who", ["signatory", "preparer", "viewer"])
def test_every_member_may_look(two_versions: Desk, who: str) -> None:
    client = two_versions.as_(who)
    for path in PAGES:
        assert client.get(two_versions.url(path)).status_code == 200, path


def test_a_stranger_finds_nothing(two_versions: Desk) -> None:
    client = two_versions.as_("stranger")
    for path in (*PAGES, "returns/102025/gstr2b/changes/", "returns/102025/gstr3b/receipt/", f"jobs/{uuid.uuid4()}/"):
        assert client.get(two_versions.url(path)).status_code == 404, path


@pytest.mark.parametrize(("path", "least"), FORMS)
def test_a_forced_post_without_the_right_is_refused(two_versions: Desk, path: str, least: str) -> None:
    lesser = ["viewer"] if least == "preparer" else ["viewer", "preparer"]
    for who in lesser:
        answer = two_versions.post(path, who)
        assert answer.status_code == 403
        assert b"These people can" in answer.content
    assert two_versions.post(path, "stranger").status_code == 404
    assert not Gstr2bJob.objects.exists()
    assert not Filing.objects.exists()


@pytest.mark.parametrize(("path", "least"), FORMS)
def test_a_form_of_another_gstin_is_refused(two_versions: Desk, path: str, least: str) -> None:
    answer = two_versions.post(path, least, gstin="24AAACS2718C1ZX")
    assert answer.status_code == 409
    assert b"another GSTIN" in answer.content
    assert not Gstr2bJob.objects.exists()


@pytest.mark.parametrize(("path", "_least"), FORMS)
def test_nothing_that_writes_answers_a_get_by_writing(two_versions: Desk, path: str, _least: str) -> None:
    assert two_versions.get(path).status_code in (200, 303)
    assert not Gstr2bJob.objects.exists()
    assert not Filing.objects.exists()


def test_a_viewer_sees_no_button_that_would_be_refused(two_versions: Desk) -> None:
    for path in (
        "returns/102025/gstr2b/",
        "returns/102025/gstr3b/",
        "returns/102025/gstr3b/table/t4A5/",
        "returns/102025/gstr3b/upload/",
    ):
        content = two_versions.get(path, "viewer").content.decode()
        main = decides(content)
        assert "<button" not in main
        assert 'name="request_id"' not in main


def test_a_preparer_is_told_who_can_file(two_versions: Desk) -> None:
    content = two_versions.get("returns/102025/gstr3b/review/", "preparer").content.decode()
    assert "Only a signatory can file: Signatory." in content
    assert "gstr3b/file/" not in content


@pytest.mark.parametrize("who", ["signatory", "preparer"])
def test_a_page_asks_at_most_fifteen_questions(
    two_versions: Desk,
    who: str,
    django_assert_max_num_queries: Any,  # noqa: ANN401 - pytest-django's fixture
) -> None:
    client = two_versions.as_(who)
    for path in PAGES:
        with django_assert_max_num_queries(15, info=path):
            client.get(two_versions.url(path))


MISSING = (
    "returns/132025/gstr2b/",
    "returns/2025-10/gstr2b/",
    "returns/Q3-2025-26/gstr3b/",
    "returns/092025/gstr2b/",
    "returns/102025/gstr2b/all/b2c/",
    "returns/102025/gstr2b/versions/9/",
    "returns/102025/gstr2b/diff/1/9/",
    "returns/102025/gstr3b/table/t5/",
    "returns/102025/gstr3b/receipt/",
    f"jobs/{uuid.uuid4()}/",
)


def test_what_is_not_there_is_not_found(two_versions: Desk) -> None:
    client = two_versions.as_("signatory")
    for path in MISSING:
        assert client.get(two_versions.url(path)).status_code == 404, path


def test_a_job_of_another_gstin_is_not_found(two_versions: Desk) -> None:
    job = Gstr2bJob.objects.create(taxpayer=factories.taxpayer("24AAACS2718C1ZX"), month=202510)
    assert two_versions.get(f"jobs/{job.pk}/").status_code == 404
