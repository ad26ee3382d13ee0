"""GSTR-1 as existing software saves, reads and files it: documents in, told back, refused ones reported."""

from __future__ import annotations

from typing import Any

import pytest

from ims_portal.access import Right
from ims_portal.models import User
from ims_portal.rules.documents import Section
from ims_portal.rules.money import Tax
from invoices import tasks
from invoices.models import Record, SupplierReturn, Upload
from tests import factories
from tests.api.client import token
from tests.api.test_gstn import Software

pytestmark = pytest.mark.django_db
R, S = factories.RECIPIENT, factories.SUPPLIER
PATH = "returns/gstr1"


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Any) -> None:  # noqa: ANN401 fixtures of pytest
    """Keep files out of the way, and a date on which October is open."""
    settings.IMS_UPLOAD_DIR = str(tmp_path)


@pytest.fixture
def kiran() -> User:
    """A signatory of S, whose recipient is R."""
    factories.taxpayer(R)
    return factories.member(factories.taxpayer(S), "signatory", "kiran")


@pytest.fixture
def software(kiran: User) -> Software:
    """A program of S's signatory that may do all but file."""
    return Software(token(kiran, S), S)


def invoice(number: str, *, rate: int = 18, **more: object) -> dict[str, Any]:
    """Return an invoice to another State."""
    line = {"rt": rate, "txval": 1000, "iamt": 10 * rate, "csamt": 0}
    return {
        "inum": number,
        "idt": "05-10-2025",
        "val": 1000 + 10 * rate,
        "pos": "27",
        "rchrg": "N",
        "inv_typ": "R",
        "itms": [{"num": 1, "itm_det": line}],
        **more,
    }


def body(*invoices: dict[str, Any], action: str = "RETSAVE") -> dict[str, Any]:
    """Return a request that saves invoices to R."""
    return {"action": action, "data": {"gstin": S, "fp": "102025", "b2b": [{"ctin": R, "inv": list(invoices)}]}}


def saved(software: Software, *invoices: dict[str, Any]) -> dict[str, Any]:
    """Save invoices and return what became of it."""
    asked = software.result(software.put(body(*invoices), PATH))["reference_id"]
    told = software.result(software.get("RETSTATUS", "returns", ref_id=asked))
    assert told["status_cd"] == "IP"
    for upload in Upload.objects.filter(state="waiting"):
        tasks.ingest_upload(job_id=str(upload.pk))
    return software.result(software.get("RETSTATUS", "returns", ref_id=asked))


def test_a_return_is_saved_told_back_and_its_faults_reported(software: Software) -> None:
    told = saved(software, invoice("A/1"), invoice("A/2", rate=17))
    assert (told["status_cd"], told["form_typ"], told["action"]) == ("PE", "R1", "SAVE")
    (group,) = told["error_report"]["b2b"]
    assert (group["ctin"], group["inv"][0]["inum"]) == (R, "A/2")
    assert group["inv"][0]["error_cd"].startswith("APP-G")
    assert [record.number for record in Record.objects.all()] == ["A/1"]
    listed = software.result(software.get("B2B", PATH, ret_period="102025"))
    (kept,) = listed["b2b"][0]["inv"]
    assert (kept["inum"], kept["val"], listed["b2b"][0]["ctin"]) == ("A/1", 1180, R)
    (summed,) = software.result(software.get("RETSUM", PATH, ret_period="102025"))["sec_sum"]
    assert (summed["sec_nm"], summed["ttl_rec"], summed["ttl_igst"]) == ("B2B", 1, 180)
    assert software.error(software.get("CDNR", PATH, ret_period="102025")) == "RET11416"
    again = saved(software, invoice("A/1", flag="D"))
    assert again["status_cd"] == "P"
    assert software.error(software.get("B2B", PATH, ret_period="102025")) == "RET11416"


def test_what_is_told_saves_again_as_it_stands(software: Software) -> None:
    saved(software, invoice("A/1"), invoice("A/2"))
    before = list(Record.objects.order_by("pk").values())
    (group,) = software.result(software.get("B2B", PATH, ret_period="102025"))["b2b"]
    assert saved(software, *group["inv"])["status_cd"] == "P"
    assert list(Record.objects.order_by("pk").values()) == before


def test_filing_needs_the_right_and_a_code(kiran: User, software: Software) -> None:
    saved(software, invoice("A/1"))
    request = {
        "action": "RETFILE",
        "data": {"gstin": S, "ret_period": "102025"},
        "st": "EVC",
        "sid": "AAACS2718C|123456",
    }
    assert software.error(software.put(request, PATH), 403) == "APP-RIGHT_MISSING"
    filer = Software(token(kiran, S, rights=[Right.FILE]), S)
    assert filer.error(filer.put(request, PATH)) == "RET13506"
    assert filer.error(filer.put({**request, "sid": ""}, PATH)) == "EVCREQUEST"
    assert not SupplierReturn.objects.get().is_filed


def test_a_return_of_another_gstin_or_form_is_refused(software: Software) -> None:
    foreign = body(invoice("A/1"))
    foreign["data"]["gstin"] = R
    assert software.error(software.put(foreign, PATH), 403) == "APP-RIGHT_MISSING"
    assert software.error(software.put(body(invoice("A/1"), action="RETCOPY"), PATH)) == "APP-N01"
    assert software.error(software.put({**body(), "data": {"gstin": S, "fp": "2025"}}, PATH)) == "APP-G103"
    early = software.put(body(invoice("A/1")), "returns/gstr1a")
    assert software.error(early).startswith("APP-")
    assert not Upload.objects.exists()


def test_a_supplier_sees_actions_and_remarks_and_nothing_else(kiran: User) -> None:
    note = factories.document(section=Section.CN, number="CN1", tax=500)
    factories.filed(factories.document(number="INV1", tax=18000), note)
    asha = factories.member(factories.taxpayer(), "signatory", "asha")
    canary = Tax(igst=12345)
    for number, action, more in (
        ("INV1", "R", {"remark": "not ours"}),
        ("CN1", "A", {"answer": "P", "declared": canary, "remark": "half of it"}),
    ):
        factories.act(Record.objects.get(number=number), action, actor=asha, **more)
    answer = Software(token(kiran, S), S).get("SUPVIEW", ret_period="102025")
    assert "123.45" not in answer.content.decode()
    told = Software(token(kiran, S), S).result(answer)
    assert (told["gstin"], told["rtnprd"], told["gstr1a"]) == (S, "102025", {})
    (invoices,), (notes,) = told["gstr1"]["b2b"], told["gstr1"]["cdnr"]
    assert (invoices["ctin"], invoices["cfs"]) == (R, "N")
    assert [(row["inum"], row["imsactn"], row["remarks"]) for row in invoices["inv"]] == [("INV1", "R", "not ours")]
    assert [(row["nt_num"], row["ntty"], row["imsactn"]) for row in notes["nt"]] == [("CN1", "C", "A")]
    only = Software(token(kiran, S), S).get("SUPVIEW", ret_period="102025", section="CDNR", rtn_typ="R1").json()
    assert only["result"]["gstr1"].keys() == {"cdnr"}
    software = Software(token(kiran, S), S)
    assert software.error(software.get("SUPVIEW")) == "APP-G103"
