"""What a program below /gstn/ is measured by: records fetched, actions saved, in the big world of the budgets."""

from __future__ import annotations

import json
import time
import uuid
from itertools import islice
from typing import Any

from django.conf import settings
from django.test import Client

from ims_portal import clock, large_answers, tokens
from ims_portal.access import Right
from ims_portal.models import LargeAnswer
from ims_portal.rules.actions import Action
from ims_portal.rules.sections import Section
from invoices import exchange, ims_json, ims_rows, standing
from invoices.filters import Filters
from invoices.ims_json import Dialect
from invoices.models import ActionFile
from returns.bigworld import World

IMS = "/gstn/returns/ims"
FETCHED, SAVED = 500, 5_000
"""Rows of a page that is fetched, and of a request that saves (GSTN's clients send so many)."""
NOT_SENT = ("hash", "srcfilstatus", "ispendactblocked", "isItcRedReqBlocked", "isRemarksBlocked")
OK = 200


class Software:
    """A program of the owner of a big world."""

    def __init__(self, world: World) -> None:
        self.world = world
        terms = tokens.Terms("budgets", [world.recipient.gstin], [Right.VIEW, Right.ACT])
        text = tokens.make(user=world.owner, terms=terms, clock=clock.portal(), request_id=uuid.uuid4())
        self.is_long = world.records > 2 * settings.GSTN_LARGE_ROWS  # most records are invoices
        self.client = Client(SERVER_NAME=settings.ALLOWED_HOSTS[0], headers={"Authorization": f"Bearer {text}"})

    def page(self) -> tuple[str, int]:
        """Return the address of the records of a section and action, of those nearest to a page's number, and it."""
        counted = self._result(self.client.get(IMS, {"action": "GETCNT", "gstin": self.world.recipient.gstin}))
        letters = {"noaction": "N", "accept": "A", "reject": "R", "pending": "P"}
        found = [
            (abs(count - FETCHED), count, section, letters[word])
            for block in counted.values()
            for section, words in block.items()
            if section != "ttl_cnt"
            for word, count in words.items()
        ]
        _off, count, section, letter = min(found)
        query = f"action=GETINV&gstin={self.world.recipient.gstin}&section={section.upper()}&status={letter}"
        return f"{IMS}?{query}", count

    def get(self, address: str) -> tuple[int, bytes]:
        """Return nanoseconds an answer took, and the answer."""
        began = time.perf_counter_ns()
        answered = self.client.get(address)
        took = time.perf_counter_ns() - began
        self._result(answered)
        return took, answered.content

    def request(self) -> tuple[bytes, int]:
        """Return a request that accepts so many of the invoices that are rejected, and how many."""
        taxpayer = self.world.recipient
        today = standing.of(taxpayer, clock.portal().now())
        listed = ims_rows.of(taxpayer, today, Filters(sections=(Section.B2B,), action=Action.REJECT.value))
        rows = [ims_json.as_row(row, recipient=taxpayer.gstin, dialect=Dialect.API) for row in islice(listed, SAVED)]
        sent = [
            {key: value for key, value in row.items() if key not in NOT_SENT} | {"prev_status": "R", "action": "A"}
            for row in rows
        ]
        data = {"rtin": taxpayer.gstin, "reqtyp": "SAVE", "invdata": {"b2b": sent}}
        return json.dumps({"action": "SAVE", "data": data}).encode(), len(sent)

    def save(self) -> tuple[int, int]:
        """Send such a request and do the worker's part; return nanoseconds it took, and rows, none where none is left.

        Raises AssertionError unless all of it is processed.
        """
        body, count = self.request()
        began = time.perf_counter_ns()
        if count:
            self._processed(body, count)
        return time.perf_counter_ns() - began, count

    def _processed(self, body: bytes, count: int) -> None:
        told = self._result(self.client.put(IMS, body, content_type="application/json"))
        file = ActionFile.objects.get(pk=uuid.UUID(told["reference_id"]))
        while not file.is_over:
            exchange.carry_out(file=file, clock=clock.portal())
            file.refresh_from_db()
        query = {"action": "REQSTS", "int_tran_id": told["reference_id"], "gstin": self.world.recipient.gstin}
        report = self._result(self.client.get(IMS, query))
        if (report["status_cd"], report["proc_cnt"]) != ("P", str(count)):
            raise AssertionError(f"the request ended as {report['status_cd']}, {report['proc_cnt']} rows")

    def in_parts(self) -> None:
        """Ask for all invoices, and write their parts as the worker does."""
        query = {"action": "GETINV", "gstin": self.world.recipient.gstin, "section": "B2B"}
        told = self._result(self.client.get(IMS, query))
        large_answers.write(answer=LargeAnswer.objects.get(pk=uuid.UUID(told["token"])), clock=clock.portal())

    @staticmethod
    def _result(answered: Any) -> dict[str, Any]:  # noqa: ANN401 - the test client's answer
        if answered.status_code != OK or answered.json()["status_cd"] != 1:
            raise AssertionError(f"{answered.request['PATH_INFO']} answered {answered.content[:300]!r}")
        found: dict[str, Any] = answered.json()["result"]
        return found
