"""Calls nobody would write, GSTN's way: an envelope for each, never an error of ours, nor of the worker later."""

from __future__ import annotations

import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from ims_portal.access import Right
from invoices import tasks
from invoices.models import ActionFile, Upload
from returns import tasks as statement_tasks
from returns.models import Gstr2bJob
from tests import depth, factories
from tests.api.client import USUAL, token
from tests.api.test_gstn import asha  # noqa: F401 a fixture
from tests.api.test_rights import THEIRS
from tests.fuzz import mutation

pytestmark = pytest.mark.django_db
DATA = Path(__file__).resolve().parents[1] / "data"
R = factories.RECIPIENT
CASES = 250 + depth.FUZZ_CASES // 10
HUNG_SECONDS = 10
STATUSES = {200, 400, 401, 403, 404, 405, 406, 413, 415, 429}
QUERIES = ("section", "goods_typ", "status", "int_tran_id", "ref_id", "ret_period", "rtnprd", "rtn_typ", "token", "fy")
USUAL_VALUES = ("B2B", "102025", "ALL_OTH", "R1", "A", "2025-26", R)


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> None:  # noqa: ANN401 fixtures of pytest
    """Keep files out of the way."""
    settings.IMS_UPLOAD_DIR = str(tmp_path)


def bodies() -> Iterator[tuple[str, bytes]]:
    """Yield every kind of address with a body it takes."""
    outward = json.loads((DATA / "gstr1-monthly.json").read_text()) | {"gstin": R, "fp": "102025"}
    asked = json.loads((DATA / "ims-save-request.json").read_text())
    asked["data"]["rtin"] = R
    draft = {"gstin": R, "ret_period": "102025", "sup_details": {}, "itc_elg": {"itc_rev": [{"ty": "RUL", "iamt": 1}]}}
    for address in ("gstr1", "gstr1a", "gstrptf"):
        yield f"returns/{address}", _body("RETSAVE", outward)
        yield f"returns/{address}", _body("RETNEWPTF", {"gstin": R, "ret_period": "102025"})
        yield f"returns/{address}", _body("RETFILE", {"gstin": R, "ret_period": "102025"}, st="EVC", sid="AAAC|123456")
    yield "returns/ims", json.dumps(asked).encode()
    yield "returns/ims", json.dumps(asked).replace("SAVE", "RESET", 1).encode()
    yield "returns/gstr3b", _body("RETSAVE", draft)
    yield "returns/gstr3b", _body("RETFILE", draft, st="EVC", sid="AAAC|123456")
    yield "returns/gstr2b", _body("GEN2B", {"rtin": R, "itcprd": "102025"})
    yield "authenticate", json.dumps({"action": "OTPREQUEST", "app_key": "AAAA", "username": "asha"}).encode()
    yield (
        "authenticate",
        json.dumps({"action": "AUTHTOKEN", "app_key": "AA==", "username": "asha", "otp": "x"}).encode(),
    )


def _body(action: str, data: object, **more: str) -> bytes:
    return json.dumps({"action": action, "data": data, **more}).encode()


def query(chance: random.Random, action: str) -> str:
    """Return a query of a call that reads, with things in it that mean nothing."""
    told = {"action": action, "gstin": R}
    for name in chance.sample(QUERIES, chance.randrange(5)):
        told[name] = chance.choice(USUAL_VALUES if chance.random() < 0.6 else mutation.TEXTS)
    if chance.random() < 0.2:
        told[chance.choice((*told, "__class", "_connector"))] = chance.choice(mutation.TEXTS)
    written = (f"{name}={quote(value[:2000].encode('utf-8', 'surrogatepass'))}" for name, value in told.items())
    return "&".join(written)


def work() -> None:
    """Do what the worker would, with whatever was taken in."""
    for file in ActionFile.objects.filter(state="waiting"):
        tasks.carry_out_file(job_id=str(file.pk))
    for upload in Upload.objects.filter(state="waiting"):
        tasks.ingest_upload(job_id=str(upload.pk))
    for job in Gstr2bJob.objects.filter(state="waiting"):
        statement_tasks.compute_gstr2b(job_id=str(job.pk))


@pytest.mark.usefixtures("asha")
def test_made_up_calls_are_answered_in_an_envelope() -> None:
    factories.computed()
    asha = factories.member(factories.taxpayer(), "signatory", "asha")  # noqa: F811 the person of the fixture
    program = Client(headers={"Authorization": f"Bearer {token(asha, R, rights=(*USUAL, Right.FILE))}"})
    chance, seeds = random.Random(20261129 + CASES), list(bodies())  # noqa: S311 - the same every time
    reads = [
        (address.removeprefix("gstn/"), action)
        for method, address, action, _right in (one.values for one in THEIRS)
        if method == "GET"
    ]
    others = [mutation.parse(body.decode()) for _address, body in seeds]
    counted: Counter[int] = Counter()
    slowest = 0.0
    for number in range(CASES):
        if chance.random() < 0.3:
            address, action = chance.choice(reads)
            told = ("GET", address, query(chance, action), b"")
        else:
            address, body = chance.choice(seeds)
            changed = mutation.mutate(body, number, others) if chance.random() < 0.95 else body[::-1]
            told = (
                chance.choice(("PUT", "POST")),
                address,
                query(chance, "") if chance.random() < 0.2 else "",
                changed or b"",
            )
        begin = time.monotonic()
        answer = program.generic(
            told[0], f"/gstn/{told[1]}", told[3], content_type="application/json", QUERY_STRING=told[2]
        )
        work()
        slowest = max(slowest, time.monotonic() - begin)
        counted[answer.status_code] += 1
        assert answer.status_code in STATUSES, (told, answer.content)
        assert answer["Content-Type"] == "application/json", (told, answer.content)
        assert answer.json()["status_cd"] in (0, 1, "0"), (told, answer.content)
    sys.stdout.write(f"{CASES} calls, {dict(counted)}, slowest {slowest:.2f} s\n")
    assert slowest < HUNG_SECONDS
