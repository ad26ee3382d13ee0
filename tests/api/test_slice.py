"""A whole slice over HTTP, web and worker as ims_app: a return is uploaded and filed, its recipient acts and files.

What they were sent is in the database, and nothing of it is in any log: amounts, remarks, names, keys, GSTINs (F71).
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from ims_portal import grants
from ims_portal.access import Right
from ims_portal.models import User
from ims_portal.requests import HEADER
from ims_portal.rules.documents import Form
from invoices import outward
from invoices.models import ActionEvent, Record
from returns.models import Filing, Gstr2b
from tests import factories, live
from tests.api.client import USUAL, one_time_code, token
from tests.journeys.desk import set_clock
from tests.visitor import Visitor

R, S = factories.RECIPIENT, factories.SUPPLIER
CANARY = "CANARY"
TAXABLE, IGST = "123457.89", "22222.42"
BOUNDARY = "----slice"
FILE = {
    "gstin": S,
    "fp": "102025",
    "b2b": [
        {
            "ctin": R,
            "inv": [
                {
                    "inum": f"{CANARY}/1",
                    "idt": "05-10-2025",
                    "val": 145680.31,
                    "pos": "27",
                    "rchrg": "N",
                    "inv_typ": "R",
                    "itms": [
                        {"num": 1, "itm_det": {"txval": float(TAXABLE), "rt": 18, "iamt": float(IGST), "csamt": 0}}
                    ],
                }
            ],
        }
    ],
}


class Program:
    """A program at the live portal."""

    def __init__(self, base: str, gstin: str, user: User) -> None:
        self.at, self.user = f"{base}/api/v1/t/{gstin}", user
        self.token = token(user, gstin, rights=(*USUAL, Right.FILE))
        self.numbers: list[str] = []

    def ask(self, path: str, body: object = None, *, code: bool = False, **file: bytes) -> Any:  # noqa: ANN401 - JSON
        """Return what a request answers, a POST where there is something to send."""
        headers = {"Authorization": f"Bearer {self.token}"}
        data = None
        if body is not None or file:
            headers |= {"Idempotency-Key": str(uuid.uuid4()), "Content-Type": "application/json"}
            data = json.dumps(body).encode()
        if file:
            headers["Content-Type"] = f"multipart/form-data; boundary={BOUNDARY}"
            data = _form({"kind": "gstr1", "period": "102025"}, file["file"])
        if code:
            headers["X-One-Time-Code"] = one_time_code(self.user)
        try:
            with urllib.request.urlopen(urllib.request.Request(f"{self.at}/{path}", data, headers)) as answer:  # noqa: S310
                self.numbers.append(answer.headers[HEADER])
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            raise AssertionError(refused.read().decode()) from None

    def done(self, path: str) -> Any:  # noqa: ANN401 - JSON
        """Return a job once it is over."""
        while (told := self.ask(path))["state"] in ("waiting", "running"):
            time.sleep(0.1)
        assert told["state"] == "done", told
        return told


def _form(fields: dict[str, str], content: bytes) -> bytes:
    parts = [f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}' for name, value in fields.items()]
    parts.append(
        f'Content-Disposition: form-data; name="file"; filename="{CANARY}.json"\r\n'
        f"Content-Type: application/json\r\n\r\n{content.decode()}"
    )
    return "".join(f"--{BOUNDARY}\r\n{part}\r\n" for part in parts).encode() + f"--{BOUNDARY}--\r\n".encode()


@pytest.fixture
def people(transactional_db: None) -> tuple[User, User]:  # noqa: ARG001 - other processes see what is committed
    """A signatory of the supplier, one of the recipient whose own GSTR-1 is filed; both with an authenticator."""
    buyer = factories.taxpayer(R, name=f"{CANARY} Limited")
    kiran = factories.member(factories.taxpayer(S), "signatory", "kiran")
    asha = factories.member(buyer, "signatory", f"{CANARY.lower()}-asha")
    outward.file(
        supplier=buyer, form=Form.GSTR1, period=factories.OCTOBER, actor=None, clock=factories.clock("2025-11-10")
    )
    for person in (kiran, asha):
        one_time_code(person)
    return kiran, asha


def test_a_slice_works_without_rights_to_rewrite_and_leaves_nothing_in_the_logs(
    people: tuple[User, User],
    start_web: Callable[[], str],
    start_worker: Callable[[], live.Child],
    tmp_path: Path,
) -> None:
    kiran, asha = people
    set_clock("2025-11-10")
    start_worker()
    base = start_web()
    seller, buyer = Program(base, S, kiran), Program(base, R, asha)

    taken = seller.ask("uploads", file=json.dumps(FILE).encode())
    seller.done(f"uploads/{taken['id']}")
    seller.ask("out/gstr1/102025/file", {"digest": seller.ask("out/gstr1/102025")["digest"]}, code=True)
    set_clock("2025-11-14")
    (seen,) = buyer.ask("ims/records")["records"]
    item = {"record": seen["id"], "version": seen["version"], "action": "P", "remark": f"{CANARY} remark"}
    assert buyer.ask("ims/actions", {"items": [item]})["results"][0]["status"] == "ok"
    item = {"record": seen["id"], "version": seen["version"] + 1, "action": "A"}
    assert buyer.ask("ims/actions", {"items": [item]})["results"][0]["status"] == "ok"
    job = buyer.ask("2b/102025/compute", {})
    asked_by = buyer.numbers[-1]
    buyer.done(f"jobs/{job['id']}")
    review = buyer.ask("3b/102025/review")
    shown = {name: review[name] for name in ("statement_version", "digest", "net_itc")}
    assert shown["net_itc"]["igst"] == IGST
    buyer.ask("3b/102025/file", shown, code=True)
    assert (Filing.objects.count(), Gstr2b.objects.count(), ActionEvent.objects.count()) == (1, 1, 2)
    assert Record.objects.get().settled_month == 202510

    visitor = _look_around(base, asha)
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT usename FROM pg_stat_activity WHERE application_name = %s", [live.NAMED])
        assert cursor.fetchall() == [(grants.APP,)]
    logs = "".join(path.read_text() for path in tmp_path.glob("*.log"))
    assert len(logs.splitlines()) > 20
    for secret in _secrets(seller, buyer, visitor):
        assert secret not in logs, secret
    of_job = [line for line in _lines(tmp_path) if line.get("job") == job["id"]]
    assert of_job
    assert {line["request"] for line in of_job} == {asked_by}
    assert {line["user"] for line in _lines(tmp_path) if line["event"] == "request"} >= {kiran.pk, asha.pk}


def _look_around(base: str, asha: User) -> Visitor:
    """Sign in by the page, look at the record, ask for what is not there."""
    visitor = Visitor(base).sign_in(asha.username)
    for path in ("ims/inward/all/?q=CANARY%2F1", "returns/102025/gstr3b/", "ims/deadlines.ics?key=CANARY", "CANARY/"):
        visitor.get(f"/en/t/{R}/{path}")
    return visitor


def _secrets(seller: Program, buyer: Program, visitor: Visitor) -> Iterator[str]:
    yield from (CANARY, CANARY.lower(), R, S, factories.PASSWORD, seller.token, buyer.token)
    yield from (TAXABLE, IGST, TAXABLE.replace(".", ""), IGST.replace(".", ""))
    yield from (str(cookie.value) for cookie in visitor.cookies)


def _lines(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines of all logs that are ours: gunicorn says some words of its own when it starts."""
    for path in folder.glob("*.log"):
        yield from (json.loads(line) for line in path.read_text().splitlines() if line.startswith("{"))
