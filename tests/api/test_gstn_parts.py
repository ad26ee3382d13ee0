"""Answers too large for one, by GSTN's way: a token, then parts that only its seal opens (formats 7)."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import ECB
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from ims_portal import clock, large_answers, tasks
from ims_portal.models import AuditEvent, LargeAnswer, Membership, User
from ims_portal.rules.documents import InvoiceType, Section
from ims_portal.rules.gstr2b import Part, Placement
from ims_portal.rules.money import Tax
from returns import gstr2b_json, gstr2b_rows
from returns.gstr2b_json import Row
from returns.models import Gstr2b
from tests import factories
from tests.api.client import token
from tests.api.test_gstn import Software

pytestmark = pytest.mark.django_db
R, S = factories.RECIPIENT, factories.SUPPLIER
HOW_MANY = 7


@pytest.fixture(autouse=True)
def small(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than three rows are many, and a part holds three."""
    settings.GSTN_LARGE_ROWS = 3
    monkeypatch.setattr(large_answers, "MOST_IN_PART", 3)


@pytest.fixture
def asha() -> User:
    """A signatory of R, to whom seven invoices and two notes were reported."""
    factories.filed(
        *(factories.document(number=f"INV{n}", tax=18000) for n in range(1, HOW_MANY + 1)),
        *(factories.document(section=Section.CN, number=f"CN{n}", tax=500) for n in range(1, 3)),
    )
    return factories.member(factories.taxpayer(), "signatory", "asha")


@pytest.fixture
def software(asha: User) -> Software:
    """A program of R's signatory."""
    return Software(token(asha, R))


def worked() -> None:
    """Do what the worker would."""
    for job in LargeAnswer.objects.exclude(state__in=["done", "failed"]):
        tasks.write_large_answer(job_id=str(job.pk))


def opened(content: bytes, told: dict[str, Any], key: bytes) -> Any:  # noqa: ANN401 - JSON
    """Return what a part holds, as a client opens it: its digest first, one file, and two layers of base64."""
    assert hashlib.sha256(content).hexdigest() == told["hash"]
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as packed:
        (member,) = packed.getmembers()
        assert member.name.endswith(".json")
        sealed = base64.b64decode(packed.extractfile(member).read(), validate=True)
    decryptor = Cipher(AES256(key), ECB()).decryptor()  # noqa: S305 the clients' own mode
    padded = decryptor.update(sealed) + decryptor.finalize()
    return json.loads(base64.b64decode(padded[: -padded[-1]], validate=True))


def parts(software: Software, told: dict[str, Any], path: str = "returns/ims") -> Iterator[Any]:
    """Yield what the parts of an answer hold."""
    details = software.result(software.get("FILEDET", path, token=told["token"], ret_period="102025"))
    assert details["fc"] == len(details["urls"])
    for each in details["urls"]:
        answer = Client().get(f"/gstn/files/{each['ul']}")
        content = b"".join(answer.streaming_content)
        again = Client().get(f"/standard/gstn/files/{each['ul']}")
        assert b"".join(again.streaming_content) == content
        yield each["ic"], opened(content, each, base64.b64decode(details["ek"]))


def test_a_section_of_many_rows_comes_in_parts(software: Software) -> None:
    told = software.result(software.get("GETINV", section="B2B"))
    assert told.keys() == {"token", "est"}
    assert told["est"].isdigit()
    assert software.error(software.get("FILEDET", token=told["token"])) == "RTN_24"
    worked()
    found = list(parts(software, told))
    assert [(count, len(held["b2b"])) for count, held in found] == [(3, 3), (3, 3), (1, 1)]
    numbers = [row["inum"] for _count, held in found for row in held["b2b"]]
    assert sorted(numbers) == [f"INV{n}" for n in range(1, HOW_MANY + 1)]


def test_few_rows_come_as_ever(software: Software) -> None:
    assert len(software.result(software.get("GETINV", section="CN"))["b2bcn"]) == 2


def test_rows_by_action_are_counted_by_that_action(software: Software) -> None:
    assert software.error(software.get("GETINV", section="B2B", status="A")) == "RET13510"
    assert LargeAnswer.objects.count() == 0


def test_asking_twice_is_one_job_and_later_another_with_a_seal_of_its_own(software: Software) -> None:
    first, second = (software.result(software.get("GETINV", section="B2B")) for _ in range(2))
    assert first["token"] == second["token"]
    worked()
    third = software.result(software.get("GETINV", section="B2B"))
    worked()
    assert third["token"] != first["token"]
    assert len(set(LargeAnswer.objects.values_list("seal", flat=True))) == 2


def test_a_statement_of_many_documents_merges_to_the_whole(software: Software, settings: Settings) -> None:
    factories.computed(factories.taxpayer())
    told = software.result(software.get("GET2B", "returns/gstr2b", rtnprd="102025"))
    worked()
    found = [held for _count, held in parts(software, told, "returns")]
    for held in found:
        assert held["chksum"] == gstr2b_json.digest(held["data"])
    statement = Gstr2b.objects.get()
    whole = gstr2b_json.statement(gstin=R, period="102025", made_on=statement.as_of, rows=gstr2b_rows.of(statement))
    assert [("itcsumm" in held["data"]) for held in found] == [False, False, True]
    last = found[-1]["data"]
    assert {key: last[key] for key in ("itcsumm", "cpsumm", "cpSummRej")} == {
        key: whole[key] for key in ("itcsumm", "cpsumm", "cpSummRej")
    }
    for section, list_ in (("b2b", "inv"), ("cdnr", "nt")):
        rows = [row for held in found for group in held["data"]["docdata"].get(section, []) for row in group[list_]]
        assert rows == [row for group in whole["docdata"][section] for row in group[list_]]
    settings.GSTN_LARGE_ROWS = 100
    inline = software.result(software.get("GET2B", "returns/gstr2b", rtnprd="102025", file_num="1"))
    assert inline == gstr2b_json.envelope(whole)
    assert software.error(software.get("GET2B", "returns/gstr2b", rtnprd="102025", file_num="2")) == "RET2B1016"


def test_parts_are_another_s_neither_by_token_nor_by_a_guessed_name(software: Software) -> None:
    told = software.result(software.get("GETINV", section="B2B"))
    worked()
    beena = factories.member(factories.taxpayer(S), "signatory", "beena")
    other = Software(token(beena, S), S)
    assert other.error(other.get("FILEDET", token=told["token"])) == "APP-NOT_FOUND"
    for guess in (told["token"], f"{told['token']}-1-guessed.tar.gz", "..", "x", "%00"):
        assert Client().get(f"/gstn/files/{guess}").status_code == 404


def test_a_program_whose_person_may_read_no_more_gets_no_parts(software: Software, asha: User) -> None:
    told = software.result(software.get("GETINV", section="B2B"))
    Membership.objects.filter(user=asha).delete()
    worked()
    answer = LargeAnswer.objects.get()
    assert (answer.state, answer.parts) == ("failed", [])
    factories.member(factories.taxpayer(), "signatory", "asha")
    assert software.error(software.get("FILEDET", token=told["token"])) == "APP-FAILED"


def test_a_part_is_given_to_nobody_once_its_person_may_read_no_more(software: Software) -> None:
    software.result(software.get("GETINV", section="B2B"))
    worked()
    (first, *_rest) = LargeAnswer.objects.get().parts
    Membership.objects.all().delete()
    assert Client().get(f"/gstn/files/{first['name']}").status_code == 404


def test_each_person_s_answer_is_a_job_of_its_own(software: Software) -> None:
    beena = factories.member(factories.taxpayer(), "signatory", "beena")
    other = Software(token(beena, R))
    assert software.result(software.get("GETINV", section="B2B")) != other.result(other.get("GETINV", section="B2B"))


def test_what_takes_too_long_is_given_up_at_once(software: Software, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_long(**_told: object) -> None:
        raise SoftTimeLimitExceeded

    told = software.result(software.get("GETINV", section="B2B"))
    monkeypatch.setattr(large_answers, "write", too_long)
    worked()
    assert software.error(software.get("FILEDET", token=told["token"])) == "APP-FAILED"


def test_reversals_stand_in_one_part() -> None:
    row = partial(Row, part=Part.A_I, section=Section.B2B, ctin=S, name="S", filed_on=None, period="102025")
    row = partial(
        row, day=date(2025, 10, 1), pos="27", inv_type=InvoiceType.REGULAR, is_reverse_charge=False, reason=""
    )
    row = partial(row, value=1, taxable=1, tax=Tax(1), counted=Tax(1))
    taken, back = Placement.AVAILABLE, Placement.REVERSAL
    chunks = [
        [row(one, number=f"{n}{one}") for one in few] for n, few in enumerate(([taken, back], [back, taken], [taken]))
    ]
    found = list(gstr2b_json.in_parts(gstin=R, period="102025", made_on=date(2025, 11, 14), chunks=chunks))
    assert [count for count, _data in found] == [1, 1, 3]
    (reversed_,) = found[-1][1]["docdata"]["itcrev"]
    assert len(reversed_["b2b"][0]["inv"]) == 2
    assert all("itcrev" not in data["docdata"] for _count, data in found[:-1])


def test_parts_are_gone_after_half_an_hour(software: Software, monkeypatch: pytest.MonkeyPatch) -> None:
    told = software.result(software.get("GETINV", section="B2B"))
    worked()
    (first, *_rest) = LargeAnswer.objects.get().parts
    path = large_answers.lies(first["name"])
    assert path is not None
    now = clock.real()
    monkeypatch.setattr(large_answers, "real", lambda: now + timedelta(minutes=30, seconds=1))
    assert software.error(software.get("FILEDET", token=told["token"])) == "APP-NOT_FOUND"
    assert Client().get(f"/gstn/files/{first['name']}").status_code == 404
    tasks.remove_old_downloads()
    assert path.exists()  # another of its answer may be being written still
    long_ago = (now - timedelta(minutes=15)).timestamp()
    os.utime(path, (long_ago, long_ago))
    tasks.remove_old_downloads()
    assert not path.exists()
    assert LargeAnswer.objects.get().seal == ""


def test_what_is_taken_out_is_in_the_log(software: Software) -> None:
    software.result(software.get("GETINV", section="B2B"))
    worked()
    events = AuditEvent.objects.filter(subject="ims-parts").order_by("pk").values_list("event", flat=True)
    assert list(events) == ["export.asked", "export.made"]


def test_asking_for_much_reads_no_more_than_it_must(
    software: Software, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(14):
        software.result(software.get("GETINV", section="B2B"))
