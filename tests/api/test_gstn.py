"""The interface existing GST software speaks, plain profile: envelopes, records, actions and their reports, GSTR-2B."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from ims_portal.access import Right
from ims_portal.models import User
from ims_portal.rules.documents import Section
from ims_portal.rules.money import Tax
from invoices import tasks as invoice_tasks
from invoices.models import ActionFile, Record
from returns import tasks
from returns.models import Gstr2bJob
from tests import factories
from tests.api.client import token

pytestmark = pytest.mark.django_db
R, S = factories.RECIPIENT, factories.SUPPLIER


class Software:
    """A program that speaks GSTN's way, with a bearer token."""

    def __init__(self, text: str, gstin: str = R) -> None:
        self.client, self.gstin = Client(headers={"Authorization": f"Bearer {text}"}), gstin

    def get(self, action: str, path: str = "returns/ims", **query: str) -> Any:  # noqa: ANN401 - JSON
        """Call something that reads."""
        return self.client.get(f"/gstn/{path}", {"action": action, "gstin": self.gstin, **query})

    def put(self, body: object, path: str = "returns/ims") -> Any:  # noqa: ANN401 - JSON
        """Call something that writes."""
        content = body if isinstance(body, bytes) else json.dumps(body)
        return self.client.put(f"/gstn/{path}", content, content_type="application/json")

    def result(self, answer: Any) -> dict[str, Any]:  # noqa: ANN401 - the test client's answer
        """Return what an answer holds; its envelope is as clients compare it."""
        told = answer.json()
        assert (answer.status_code, told.keys(), told["status_cd"]) == (200, {"status_cd", "result"}, 1)
        return told["result"]

    def error(self, answer: Any, status: int = 200) -> str:  # noqa: ANN401 - the test client's answer
        """Return the code of a refusal; its envelope is as clients compare it."""
        told = answer.json()
        assert (answer.status_code, told.keys(), told["status_cd"]) == (status, {"status_cd", "error"}, 0)
        assert told["error"]["message"]
        return told["error"]["error_cd"]

    def save(self, section: str, rows: list[dict[str, Any]], kind: str = "SAVE") -> Any:  # noqa: ANN401 - JSON
        """Send rows as GETINV told them, without what a request leaves out."""
        kept = ("hash", "srcfilstatus", "ispendactblocked", "isItcRedReqBlocked", "isRemarksBlocked")
        sent = [{key: value for key, value in row.items() if key not in kept} for row in rows]
        data = {"rtin": self.gstin, "reqtyp": "RESET" if kind == "RESETIMS" else kind, "invdata": {section: sent}}
        return self.put({"action": kind, "data": data})


@pytest.fixture
def asha() -> User:
    """A signatory of R, which has two invoices and a credit note."""
    factories.filed(
        factories.document(number="INV1", tax=18000),
        factories.document(number="INV2", tax=900),
        factories.document(section=Section.CN, number="CN1", tax=500),
    )
    return factories.member(factories.taxpayer(), "signatory", "asha")


@pytest.fixture
def software(asha: User) -> Software:
    """A program of R's signatory."""
    return Software(token(asha, R))


def worked() -> None:
    """Do what the worker would."""
    for file in ActionFile.objects.filter(state="waiting"):
        invoice_tasks.carry_out_file(job_id=str(file.pk))
    for job in Gstr2bJob.objects.filter(state="waiting"):
        tasks.compute_gstr2b(job_id=str(job.pk))


def acted(row: dict[str, Any], action: str, **more: object) -> dict[str, Any]:
    """Return a row that asks for an action."""
    return {**row, "prev_status": row["action"], "action": action, **more}


def test_records_come_by_section_and_are_counted(software: Software) -> None:
    counted = software.result(software.get("GETCNT"))
    assert counted["all_oth"]["b2b"] == {"noaction": 2, "accept": 0, "reject": 0, "pending": 0}
    assert (counted["all_oth"]["ttl_cnt"], counted["imp_gds"]["ttl_cnt"]) == (3, 0)
    assert software.result(software.get("GETCNT", goods_typ="IMP_GDS")).keys() == {"imp_gds"}
    rows = software.result(software.get("GETINV", section="B2B"))
    assert rows.keys() == {"b2b"}
    assert [row["inum"] for row in rows["b2b"]] == ["INV1", "INV2"]
    assert {"stin", "idt", "inv_typ", "hash", "ispendactblocked", "srcfilstatus"} <= rows["b2b"][0].keys()
    assert rows["b2b"][0]["iamt"] == 18000
    (note,) = software.result(software.get("GETINV", section="CN"))["b2bcn"]
    assert software.result(software.get("GETINV", section="B2BCN"))["b2bcn"] == [note]
    assert software.error(software.get("GETINV", section="ECOM")) == "RET13510"
    assert software.error(software.get("GETINV", section="X")) == "APP-G104"
    assert software.error(software.get("GETPREF")) == "APP-N01"


def test_actions_are_saved_as_far_as_the_law_allows_and_reported(software: Software) -> None:
    one, two = software.result(software.get("GETINV", section="B2B"))["b2b"]
    reference = software.result(software.save("b2b", [acted(one, "R", remarks="not ours"), acted(two, "A")]))
    asked = reference["reference_id"]
    assert software.result(software.get("REQSTS", int_tran_id=asked))["status_cd"] == "IP"
    assert software.error(software.save("b2b", [acted(two, "P")])) == "IMSSAV0015"
    worked()
    assert software.result(software.get("REQSTS", int_tran_id=asked)) == {
        "status_cd": "P",
        "transTypCd": "SAVE",
        "proc_cnt": "2",
        "err_cnt": "0",
        "err_cd": "",
        "err_msg": "",
    }
    assert {row.number: row.action for row in Record.objects.all()} == {"INV1": "R", "INV2": "A", "CN1": "N"}
    (note,) = software.result(software.get("GETINV", section="CN"))["b2bcn"]
    stale = {**acted(two, "P"), "txval": two["txval"] + 1}
    told = software.result(software.save("b2bcn", [acted(note, "A")]))["reference_id"]
    worked()
    report = software.result(software.get("REQSTS", int_tran_id=told))
    assert (report["status_cd"], report["err_cnt"]) == ("PE", "1")
    (refused,) = report["error_report"]["b2bcn"]
    assert (refused["stin"], refused["error_cd"]) == (S, "IMSSAV0054")
    assert refused["inv"] == [{"nt_num": "CN1", "rtnprd": "102025"}]
    told = software.result(software.save("b2b", [stale, acted(one, "A")]))["reference_id"]
    worked()
    report = software.result(software.get("REQSTS", int_tran_id=told))
    assert [row["error_cd"] for row in report["error_report"]["b2b"]] == ["IMSSAV0010", "IMSSAV0010"]
    assert {row.number: row.action for row in Record.objects.all()} == {"INV1": "R", "INV2": "A", "CN1": "N"}


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        ({"itcRedReq": "Y"}, ("F", Tax())),
        ({"itcRedReq": "N", "declIgst": 0, "declCgst": 0, "declSgst": 0, "declCess": 0}, ("N", Tax())),
        ({"itcRedReq": "Y", "declIgst": 200, "declCgst": 0, "declSgst": 0, "declCess": 0}, ("P", Tax(igst=20000))),
    ],
)
def test_a_credit_note_is_accepted_with_any_answer(
    software: Software, answer: dict[str, object], kept: tuple[str, Tax]
) -> None:
    (note,) = software.result(software.get("GETINV", section="CN"))["b2bcn"]
    asked = software.result(software.save("b2bcn", [acted(note, "A", remarks="as agreed", **answer)]))["reference_id"]
    worked()
    assert software.result(software.get("REQSTS", int_tran_id=asked)).get("error_report") is None
    record = Record.objects.get(number="CN1")
    assert (record.action, record.answer) == ("A", kept[0])
    if kept[0] == "P":
        assert record.declared == kept[1]
    (told,) = software.result(software.get("GETINV", section="CN", status="A"))["b2bcn"]
    assert {key: value for key, value in told.items() if key == "itcRedReq" or (key in answer and kept[0] == "P")} == {
        key: value for key, value in answer.items() if key == "itcRedReq" or kept[0] == "P"
    }


def test_actions_are_reset(software: Software) -> None:
    one, _two = software.result(software.get("GETINV", section="B2B"))["b2b"]
    software.result(software.save("b2b", [acted(one, "R")]))
    worked()
    (rejected,) = software.result(software.get("GETINV", section="B2B", status="R"))["b2b"]
    row = acted(rejected, "N")
    row.pop("action")
    software.result(software.save("b2b", [row], kind="RESETIMS"))
    worked()
    assert Record.objects.get(number="INV1").action == "N"


def test_gstr2b_is_made_told_and_not_made_twice(software: Software) -> None:
    path, asked = "returns/gstr2b", {"action": "GEN2B", "data": {"rtin": R, "itcprd": "102025"}}
    assert software.error(software.get("GET2B", path, rtnprd="102025")) == "GTR2B-002"
    reference = software.result(software.put(asked, path))["reference_id"]
    assert software.result(software.get("GENSTS2B", path, int_tran_id=reference))["status_cd"] == "IP"
    worked()
    assert software.result(software.get("GENSTS2B", path, int_tran_id=reference))["status_cd"] == "P"
    told = software.result(software.get("GET2B", path, rtnprd="102025"))
    assert told.keys() == {"chksum", "data"}
    assert told["data"]["itcsumm"]["itcavl"]["nonrevsup"]["igst"] == 18900
    assert software.error(software.put(asked, path)) == "IMS2005"
    assert software.error(software.put({**asked, "data": {"rtin": R, "itcprd": "2025"}}, path)) == "APP-G103"
    factories.filed_period(on="2025-11-18")
    assert software.error(software.put(asked, path)) == "IMS2B007"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"action": "SAVE", "action": "SAVE"}', b'{"action": "SAVE", "data": 1}', b"[" * 50_000]
)
@pytest.mark.parametrize("path", ["returns/ims", "returns/gstr2b"])
def test_a_body_that_is_none_is_an_error_in_an_envelope(software: Software, body: bytes, path: str) -> None:
    answer = software.put(body, path)
    assert answer.status_code in (200, 400)
    assert software.error(answer, answer.status_code).startswith("APP-")
    assert not ActionFile.objects.exists()


def test_nobody_acts_for_a_gstin_that_is_not_the_token_s(asha: User, software: Software) -> None:
    factories.member(factories.taxpayer(S), "signatory", "asha")
    foreign = Software(token(asha, R), S)
    for answer in (
        foreign.get("GETCNT"),
        Software(token(asha, R), "29AAKCT0000P1Z6").get("GETCNT"),
        foreign.save("b2b", []),
        Software(token(asha, R, rights=[Right.VIEW])).save("b2b", []),
    ):
        assert software.error(answer, 403) == "APP-RIGHT_MISSING"
    assert software.error(Client().get("/gstn/returns/ims"), 401) == "APP-NOT_AUTHENTICATED"
    assert software.error(software.client.get("/gstn/nowhere"), 404) == "APP-NOT_FOUND"
    other = software.result(
        software.save("b2b", [acted(software.result(software.get("GETINV", section="B2B"))["b2b"][0], "A")])
    )
    assert foreign.get("REQSTS", int_tran_id=other["reference_id"]).status_code == 403
    mine = Software(token(asha, S), S)
    assert mine.error(mine.get("REQSTS", int_tran_id=other["reference_id"])) == "APP-NOT_FOUND"


@pytest.mark.parametrize(
    ("path", "action"),
    [
        ("returns/gstr1", "B2B"),
        ("returns/gstr1a", "RETSUM"),
        ("returns/gstr3b", "RETSUM"),
        ("returns/gstr3b", "AUTOLIAB"),
    ],
)
def test_a_return_asked_for_without_its_period_is_refused(software: Software, path: str, action: str) -> None:
    assert software.error(software.get(action, path)) == "APP-G103"
