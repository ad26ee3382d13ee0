"""One person at work: what they do next, drawn from the mix, each thing due at a moment of its own.

The moments come from the seed alone, whatever the portal does: who is held up finds the next thing overdue, and its
latency counts from when it was due. What was acknowledged goes into the log the history is compared with.
"""

from __future__ import annotations

import json
import random
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from tests.acks import AckLog, Attempt, Outcome
from tests.load import pages
from tests.load.caller import Caller, Reply
from tests.load.measured import ACTION, BUSY, READ, WRITE, Fault, Record, Sample
from tests.load.world import Desk, Person

BULK = 20
"""Records of a small bulk."""
MOST_QUOTED = 200

MIX = {
    "home": 6,
    "inward_summary": 10,
    "list_first": 16,
    "list_deep": 12,
    "list_filtered": 12,
    "one_record": 10,
    "gstr2b": 5,
    "outward": 4,
    "api_list": 5,
    "act_by_page": 4,
    "act_by_api": 4,
    "preview": 1,
    "bulk": 1,
}
"""What people do -> how often: with the requests each takes some 85 in 100 requests read and 15 write."""
STEPS = {"act_by_page": 3, "preview": 2, "bulk": 2}
"""Requests of what takes more than one."""
BY_PAGE = {"api_list": "list_first", "act_by_api": "act_by_page", "bulk": "preview"}
"""What somebody without a token does instead."""
PER_TURN = sum(weight * STEPS.get(name, 1) for name, weight in MIX.items()) / sum(MIX.values())


class AnswerError(Exception):
    """An answer was not what it should be; it is in the record, and what was under way is over."""


@dataclass(slots=True)
class Seen:
    """What a person has before them of one recipient: the list, how deep they are in it, what their program knows."""

    shown: pages.Shown | None = None
    deeper: str = ""
    known: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Pace:
    """When it begins and ends, by the monotonic clock, and seconds between two things one person does, on average."""

    begins: float
    ends: float
    between: float


class Worker(threading.Thread):
    """One person; what they met is in `record`."""

    def __init__(self, person: Person, period: str, port: int, log: AckLog, rng: random.Random) -> None:
        super().__init__(name=person.username, daemon=True)
        self.person, self.period, self.log, self.rng = person, period, log, rng
        self.plan = random.Random(rng.random())  # noqa: S311 - apart, so that no answer changes what is due when
        self.caller = Caller(port, person.cookies, person.token)
        self.record = Record()
        self.pace = Pace(0, 0, 1)
        self.seen = {desk.gstin: Seen() for desk in person.desks}
        self.desk = person.desks[0]
        self._due = 0.0
        self._sent = 0.0
        self.confirmed: list[uuid.UUID] = []
        """Batches whose confirmation was acknowledged."""

    def run(self) -> None:
        """Work until the end."""
        due = self.pace.begins + self.plan.uniform(0, self.pace.between)
        while due < self.pace.ends:
            name, desk = self.plan.choices([*MIX], [*MIX.values()])[0], self.plan.choice(self.person.desks)
            if time.monotonic() >= self.pace.ends:
                self.record.unsent += 1
                self.record.oldest = self.record.oldest or self.pace.ends - due
            else:
                self._wait(due)
                self._turn(due, name, desk)
            due += self.plan.expovariate(1 / self.pace.between)

    def begin(self) -> None:
        """Open the first list of every recipient, before anything is measured."""
        for desk in self.person.desks:
            self.desk = desk
            self._due, self._sent = time.monotonic(), 0.0
            self.list_first()
        self.record = Record()

    def _wait(self, due: float) -> None:
        left = due - time.monotonic()
        if left > 0:
            time.sleep(left)
            self.record.late.append(time.monotonic() - due)

    def _turn(self, due: float, name: str, desk: Desk) -> None:
        if not self.person.token:
            name = BY_PAGE.get(name, name)
        self.desk, self._due, self._sent = desk, due, 0.0
        try:
            getattr(self, name)()
        except AnswerError:
            pass
        except Exception as problem:  # noqa: BLE001 - a driver that breaks must not pass for a portal that is content
            self.record.broke.append(f"{self.person.username} {name}: {problem!r}")

    # -- Asking ----------------------------------------------------------------------------------------------------

    @property
    def now(self) -> Seen:
        """What the person has before them of the recipient they are at."""
        return self.seen[self.desk.gstin]

    def _path(self, rest: str, gstin: str = "") -> str:
        return f"/en/t/{gstin or self.desk.gstin}/{rest}"

    def _check(self, kind: str, reply: Reply, *wanted: int) -> Reply:
        """Return an answer that is what it should be, and put any other down. Raises AnswerError."""
        self._sent = self._sent or reply.sent
        if reply.status in wanted and "/account/" not in reply.location:
            return reply
        says = reply.headers.get("problem", "") or f"{reply.location} {_plain(reply.body)}".strip()[:MOST_QUOTED]
        is_explained = reply.status == BUSY and "retry-after" in reply.headers
        number = reply.headers.get("x-request-id", "")
        fault = Fault(kind, reply.status, number, says, is_explained)
        self.record.faults.append(fault)
        raise AnswerError(str(fault))

    def _done(self, kind: str, sort: str, reply: Reply, requests: int = 1) -> None:
        """Put down that something was done. What comes next of the same turn was due as soon as this could be done.

        So what a person was held up by before is in the latency of every step, not only of the first.
        """
        sample = Sample(kind, sort, self.person.is_hot, self._due, self._sent, reply.had, requests)
        self.record.samples.append(sample)
        self._due, self._sent = self._due + reply.had - self._sent, 0.0

    def _read(self, kind: str, path: str, *, is_part: bool = False) -> Reply:
        reply = self._check(kind, self.caller.page(path, is_part=is_part), 200)
        self._done(kind, READ, reply)
        return reply

    def _called(self, kind: str, method: str, path: str, body: object = None, *, key: str = "") -> tuple[Reply, Any]:
        raw = None if body is None else json.dumps(body).encode()
        reply = self.caller.call(method, f"t/{self.desk.gstin}/{path}", raw, key=key)
        self._check(kind, reply, 200, 202)
        return reply, json.loads(reply.body)

    # -- Reading ---------------------------------------------------------------------------------------------------

    def home(self) -> None:
        """Open the dashboard."""
        self._read("home", self._path(""))

    def inward_summary(self) -> None:
        """Open the inward summary."""
        self._read("inward summary", self._path("ims/inward/"))

    def list_first(self) -> None:
        """Open the first page of the invoices."""
        address = self._path("ims/inward/b2b/")
        self._list("list, first page", address, is_part=False)
        self.now.deeper = self.now.shown.next if self.now.shown else ""

    def list_deep(self) -> None:
        """Go on to the next page, as deep as it goes; after the last one begin again."""
        if not self.now.deeper:
            self.list_first()
            return
        self._list("list, next page", self.now.deeper, is_part=True)
        self.now.deeper = self.now.shown.next if self.now.shown else ""

    def list_filtered(self) -> None:
        """Filter a list by what people filter by."""
        supplier = self.rng.choice(self.desk.suppliers)
        queries = ["all/?action=N", f"all/?supplier={supplier}", "b2b/?sort=-tax", "all/?tax_from=10000.00"]
        if self.now.shown is not None and self.now.shown.numbers:
            queries.append(f"all/?q={quote(self.rng.choice(self.now.shown.numbers)[:-2])}")
        self._list("list, filtered", self._path(f"ims/inward/{self.rng.choice(queries)}"), is_part=True)

    def _list(self, kind: str, address: str, *, is_part: bool) -> None:
        reply = self._read(kind, address, is_part=is_part)
        self.now.shown = pages.read(reply.text, address)

    def one_record(self) -> None:
        """Open a record of the list with its why."""
        pk = self.rng.choice(self._listed().records)
        self._read("one record", self._path(f"ims/records/{pk}/"))

    def gstr2b(self) -> None:
        """Open the statement of the open period."""
        self._read("GSTR-2B", self._path(f"returns/{self.period}/gstr2b/"))

    def outward(self) -> None:
        """Look after a supplier's documents."""
        self._read("supplier's outward list", self._path("ims/outward/b2b/", self.person.supplier))

    def api_list(self) -> None:
        """Let the program read a page of records."""
        sort = self.rng.choice(("needs", "tax", "-tax", "date", "supplier"))
        reply, body = self._called("API list", "GET", f"ims/records?section=b2b&rows=50&sort={sort}")
        self._done("API list", READ, reply)
        self.now.known = body["records"]

    def _listed(self) -> pages.Shown:
        """Return a list with records, opened now where there is none."""
        if self.now.shown is None or not self.now.shown.records:
            self.list_first()
        assert self.now.shown is not None
        return self.now.shown

    # -- Writing ---------------------------------------------------------------------------------------------------

    def act_by_page(self) -> None:
        """Choose in a row, which is kept at once, then save, and see what came of it."""
        if self.now.shown is None or not self._choices(self.now.shown) or not self.now.shown.address.count("/b2b/"):
            self.list_first()
        shown = self.now.shown
        choices = self._choices(shown) if shown else []
        if shown is None or not choices:
            raise LookupError(f"nothing to choose at {shown and shown.address}")
        choice = self.rng.choice(choices)
        chosen = {f"a.{choice.record}.{choice.version}": choice.letter}
        self.now.shown = None  # what was chosen there is used up, whatever comes of it
        act = self._path("ims/act/")
        around = {name: shown.fields[name] for name in ("csrfmiddlewaretoken", "gstin", "back")}
        kept = around | chosen | {"request_id": str(uuid.uuid4()), "do": "stage"}
        self._done("choice kept", WRITE, self._check("choice kept", self._post(act, kept, shown.address), 204))
        self._save(act, shown, choice, around | chosen | {"request_id": shown.fields["request_id"], "do": "save"})

    @staticmethod
    def _choices(shown: pages.Shown) -> list[pages.Choice]:
        """Return the choices that ask nothing: a rejection asks for its reason, keeping pending for a remark."""
        return [choice for choice in shown.choices if choice.letter in "AN"] if shown.fields else []

    def _post(self, path: str, fields: dict[str, str], back: str) -> Reply:
        return self.caller.post(path, fields, back=back, is_part=True)

    def _save(self, act: str, shown: pages.Shown, choice: pages.Choice, fields: dict[str, str]) -> None:
        kind, name = "single action by page, shown", self.person.username
        saving = uuid.uuid5(uuid.UUID(fields["request_id"]), "asks nothing")
        attempt = self.log.attempt(name, choice.record, choice.version, choice.letter, saving)
        led = self._check(kind, self._post(act, fields, shown.address), 303)
        reply = self._check(kind, self.caller.page(led.location, is_part=True), 200)
        self._done(kind, ACTION, reply, requests=2)
        self.now.shown = pages.read(reply.text, led.location.partition("?")[0])
        told = pages.saved(reply.text)
        if told is None:
            raise LookupError(f"the page does not say what came of saving: {led.location}")
        if told.has_troubles:
            self.log.told(attempt, Outcome.CONFLICT)
            self.record.conflicts += 1
            self._discard(act, shown)
        elif told.count == 1:
            self.log.told(attempt, Outcome.OK, choice.version + 1)

    def _discard(self, act: str, shown: pages.Shown) -> None:
        """Give up a choice somebody overtook, which else is tried again with the next save."""
        around = {name: shown.fields[name] for name in ("csrfmiddlewaretoken", "gstin", "back")}
        fields = around | {"request_id": str(uuid.uuid4()), "do": "discard"}
        reply = self._check("choice given up", self._post(act, fields, shown.address), 303)
        self._done("choice given up", WRITE, reply)

    def act_by_api(self) -> None:
        """Let the program decide on one record it has read."""
        record = self.rng.choice(self._known(1))
        action = self.rng.choice([letter for letter in "ARPN" if letter not in record["barred"]] or ["A"])
        item = {"record": record["id"], "version": record["version"], "action": action}
        if action == "R":
            item["reason_code"] = "DUPLICATE"
        key, kind = uuid.uuid4(), "single action by API"
        attempt = self.log.attempt(self.person.username, record["id"], record["version"], action, key)
        reply, body = self._called(kind, "POST", "ims/actions", {"items": [item]}, key=str(key))
        self._done(kind, ACTION, reply)
        self._told(attempt, body["results"][0], record)

    def _told(self, attempt: Attempt, result: dict[str, Any], record: dict[str, Any]) -> None:
        is_ok = result["status"] == "ok"
        self.log.told(attempt, Outcome(result["status"]), result["version"] if is_ok else None)
        self.record.conflicts += result["status"] == "conflict"
        record["version"] = result["version"]
        if result["status"] == "refused":
            self.now.known.remove(record)

    def _known(self, least: int) -> list[dict[str, Any]]:
        """Return what the program knows, read now where that is too little."""
        if len(self.now.known) < least:
            self.api_list()
        if not self.now.known:
            raise LookupError(f"{self.desk.gstin} has no records")
        return self.now.known

    def preview(self) -> None:
        """Preview an action on all invoices of a supplier, and leave it at that."""
        listed, kind = self._listed(), "preview of a bulk, by page"
        if not listed.fields:
            self.list_first()
            listed = self._listed()
        query = f"supplier={self.rng.choice(self.desk.suppliers)}"
        fields = {name: listed.fields[name] for name in ("csrfmiddlewaretoken", "gstin")}
        fields |= {"request_id": str(uuid.uuid4()), "back": self._path(f"ims/inward/b2b/?{query}")}
        fields |= {"list": "b2b", "query": query, "all": "1", "bulk": self.rng.choice("APN")}
        path = self._path("ims/bulk/")
        led = self._check(kind, self.caller.post(path, fields, back=fields["back"]), 303)
        reply = self._check(kind, self.caller.page(led.location), 200)
        self._done(kind, WRITE, reply, requests=2)

    def bulk(self) -> None:
        """Let the program preview an action on some records, and confirm it."""
        known = self._known(2)
        some = [record for record in self.rng.sample(known, min(BULK, len(known))) if "A" not in record["barred"]]
        if not some:
            raise LookupError(f"{self.desk.gstin} has no records to accept")
        named = [{"record": record["id"], "version": record["version"]} for record in some]
        action, kind = self.rng.choice("AN"), "preview of a small bulk, by API"
        body = {"records": named, "action": action}
        reply, batch = self._called(kind, "POST", "ims/batches", body, key=str(uuid.uuid4()))
        self._done(kind, WRITE, reply)
        if batch["phase"] != "ready" or batch["needs_code"] or not _changes(batch):
            return
        for record in some:  # what becomes of each is in the batch; the history must hold no other, and none twice
            self.log.attempt(self.person.username, record["id"], record["version"], action, uuid.UUID(batch["id"]))
        self.now.known = []
        path, kind = f"ims/batches/{batch['id']}/confirm", "small bulk confirmed, by API"
        reply, _batch = self._called(kind, "POST", path, {}, key=str(uuid.uuid4()))
        self._done(kind, WRITE, reply)
        self.confirmed.append(uuid.UUID(batch["id"]))


def _changes(batch: dict[str, Any]) -> bool:
    return any(line["verdict"] == "will" and line["count"] for line in batch["counts"])


def _plain(body: bytes) -> str:
    """Return the gist of an answer that was not expected: a program's, or a page's heading."""
    text = body.decode(errors="replace")
    if text.startswith("<") and "<main" in text:
        text = text[text.index("<main") :]
    return " ".join(text.split())
