"""Programs of several people at a live gunicorn, released at one moment, and what must hold of all they were told.

The oracle of promises 1: what was acknowledged is in the history once, what is there was asked for (`tests.acks`);
everything `verify` looks at holds; no answer is a 5xx but the declared 503; nobody reads of strangers.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.db import connection
from django.utils import timezone

from ims_portal.access import Right
from ims_portal.api import step_up
from ims_portal.models import PortalClock, Taxpayer, User
from ims_portal.rules.gstin import check_char
from invoices.models import Record
from returns import verify
from tests import factories
from tests.acks import AckLog, Attempt, Outcome
from tests.api.client import USUAL, token
from tests.signing_in import code_of

PATIENCE = 60
"""Seconds a program waits for an answer; then the outcome is unknown."""
LIVES, MARGIN = 30, 4
"""Seconds a one-time code lives, and those it must have left when it is sent."""
CANARY = "CANARY"
"""Stands in all that strangers own: those who race have nothing to do with them."""
DECLARED = (503, "BUSY")
BROKEN = 0
"""The status of an answer that never came."""


@dataclass(frozen=True, slots=True)
class Person:
    """A person of one GSTIN with a program's token."""

    user: User
    taxpayer: Taxpayer
    token: str

    @property
    def gstin(self) -> str:
        """The GSTIN the program is for."""
        return str(self.taxpayer.gstin)


@dataclass(frozen=True, slots=True)
class Ask:
    """One request beneath the person's GSTIN. `is_proved` sends a one-time code; `attempts` are the choices in it."""

    person: Person
    method: str
    path: str
    body: object = None
    key: uuid.UUID = field(default_factory=uuid.uuid4)
    is_proved: bool = False
    attempts: Sequence[Attempt] = ()
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, BROKEN where nothing did, and the object."""

    status: int
    told: Mapping[str, Any]
    text: str = ""

    @property
    def code(self) -> str:
        """The code of a refusal, "" where there is none."""
        return str(self.told.get("code", ""))

    @property
    def statuses(self) -> list[str]:
        """What became of each record of a command."""
        return [result["status"] for result in self.told["results"]]


class Portal:
    """The live portal, and the log of all that programs asked it in one test."""

    def __init__(self, base: str) -> None:
        self.netloc = urlsplit(base).netloc
        self.acks = AckLog()
        self.answers: list[tuple[Ask, Answer]] = []
        self.stranger = self._stranger()

    def _stranger(self) -> Person:
        """Return somebody who has nothing to do with who races, but asks at the same moments."""
        firm, seller = (factories.taxpayer(gstin(number), name=f"{CANARY} {number}") for number in (90_001, 90_002))
        factories.filed(
            *(
                factories.document(number=f"{CANARY}-{n}", recipient=firm.gstin, supplier=seller.gstin)
                for n in range(3)
            ),
            supplier=seller.gstin,
        )
        return self.person(firm, CANARY.lower())

    def stand_at(self, text: str) -> None:
        """Set the portal's clock to a moment, be it backwards."""
        PortalClock.objects.update_or_create(pk=1, defaults={"ahead": factories.at(text) - timezone.now()})

    def person(self, owner: Taxpayer, username: str = "", *, files: bool = False) -> Person:
        """Return a signatory of a taxpayer whose program may do all but grant, and file where told so."""
        user = factories.member(owner, "signatory", username)
        rights = [*USUAL, Right.FILE] if files else USUAL
        return Person(user, owner, token(user, owner.gstin, rights=rights))

    def acting(self, person: Person, *records: Record, action: str, version: int = -1, **options: Any) -> Ask:  # noqa: ANN401
        """Return the request of a choice for records at the version in hand, or the one told; `itc` goes along."""
        key = uuid.uuid4()
        items = [
            {"record": record.pk, "version": record.version if version < 0 else version, "action": action, **options}
            for record in records
        ]
        who = person.user.username
        made = [self.acks.attempt(who, item["record"], item["version"], action, key) for item in items]
        return Ask(person, "POST", "ims/actions", {"items": items}, key, attempts=made)

    def filing_3b(self, person: Person, period: str = "102025", key: uuid.UUID | None = None) -> Ask:
        """Return the request that files a GSTR-3B as its review tells it now, with a one-time code."""
        told = self.ask(Ask(person, "GET", f"3b/{period}/review")).told
        seen = {name: told[name] for name in ("statement_version", "digest", "net_itc")}
        return Ask(person, "POST", f"3b/{period}/file", seen, key or uuid.uuid4(), is_proved=True)

    def filing_out(self, person: Person, period: str = "102025", form: str = "gstr1") -> Ask:
        """Return the request that files a supplier's form as it stands now, with a one-time code."""
        told = self.ask(Ask(person, "GET", f"out/{form}/{period}")).told
        return Ask(person, "POST", f"out/{form}/{period}/file", {"digest": told["digest"]}, is_proved=True)

    def ask(self, asked: Ask) -> Answer:
        """Send one request and return what came back."""
        with closing(self._line()) as line:
            return self._send(line, asked)

    def at_once(self, *works: Ask | Callable[[], object]) -> list[Any]:
        """Do all at one moment and return the answers; what is no request is called, on a connection of its own.

        A stranger's program reads at the same moment: what one thread leaves behind, the next must not tell.
        """
        barrier = threading.Barrier(len(works) + 1)
        codes = _codes([work.person.user for work in works if isinstance(work, Ask) and work.is_proved])

        def request(asked: Ask) -> Answer:
            with closing(self._line()) as line:
                line.connect()
                barrier.wait(timeout=PATIENCE)
                return self._send(line, asked, codes.get(asked.person.user.pk, ""))

        def call(work: Callable[[], object]) -> object:
            try:
                connection.ensure_connection()
                barrier.wait(timeout=PATIENCE)
                return work()
            except Exception as problem:  # noqa: BLE001 - the test looks at whatever it was
                return problem
            finally:
                connection.close()

        looking = Ask(self.stranger, "GET", "ims/records")
        with ThreadPoolExecutor(len(works) + 1) as pool:
            begin = [pool.submit(request if isinstance(work, Ask) else call, work) for work in (*works, looking)]
            return [begun.result() for begun in begin[:-1]]

    def _line(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.netloc, timeout=PATIENCE)

    def _send(self, line: http.client.HTTPConnection, asked: Ask, code: str = "") -> Answer:
        headers = {"Authorization": f"Bearer {asked.person.token}", "Content-Type": asked.content_type}
        headers |= {"Idempotency-Key": str(asked.key)} if asked.method != "GET" else {}
        headers |= {step_up.HEADER: code} if asked.is_proved else {}
        try:
            line.request(asked.method, f"/api/v1/t/{asked.person.gstin}/{asked.path}", _octets(asked), headers)
            came = line.getresponse()
            text = came.read().decode()
            is_json = "json" in (came.getheader("Content-Type") or "")
            answer = Answer(came.status, json.loads(text) if is_json else {}, text)
        except (OSError, http.client.HTTPException):
            answer = Answer(BROKEN, {})
        self.answers.append((asked, answer))
        self._note(asked, answer)
        return answer

    def _note(self, asked: Ask, answer: Answer) -> None:
        """Write down what was told of each choice: a refused request did nothing, a lost one nobody knows."""
        results = answer.told.get("results", [])
        for place, attempt in enumerate(asked.attempts):
            if answer.status == http.client.OK:
                self.acks.told(attempt, Outcome(results[place]["status"]), _version(results[place]))
            else:
                is_known = http.client.BAD_REQUEST <= answer.status < http.client.INTERNAL_SERVER_ERROR
                self.acks.told(attempt, Outcome.REFUSED if is_known else Outcome.UNKNOWN)

    def check(self) -> None:
        """Fail where anything that must hold of a race does not."""
        self.acks.check()
        assert list(verify.broken()) == []
        racing = {asked.person.gstin for asked, _answer in self.answers} - {self.stranger.gstin}
        for asked, answer in self.answers:
            is_fine = answer.status < http.client.INTERNAL_SERVER_ERROR
            assert is_fine or (answer.status, answer.code) == DECLARED, (asked, answer)
            foreign = racing if asked.person is self.stranger else {CANARY}
            assert not [one for one in foreign if one in answer.text], (asked, answer)


def _octets(asked: Ask) -> bytes | None:
    if asked.method == "GET" or isinstance(asked.body, bytes):
        return asked.body
    return json.dumps({} if asked.body is None else asked.body).encode()


def _version(result: Mapping[str, Any]) -> int | None:
    """Return the record's version where the choice was acknowledged; what others made of it since tells nothing."""
    return int(result["version"]) if result["status"] == Outcome.OK else None


def _codes(people: Sequence[User]) -> dict[int, str]:
    """Return a one-time code of each person that nobody used: a code proves one request, and lives half a minute."""
    left = LIVES - time.time() % LIVES
    if people and left < MARGIN:
        time.sleep(left)
    return {user.pk: code_of(user.username) for user in people}


def gstin(number: int, state: str = "27") -> str:
    """Return the GSTIN of a made-up firm."""
    first = f"{state}AAAC{chr(65 + number // 10_000)}{number % 10_000:04d}Q1Z"
    return first + check_char(first)


def statuses(answers: Iterable[Answer]) -> list[str]:
    """Return what became of the one record of each answer, in order of the alphabet."""
    return sorted(answer.statuses[0] for answer in answers)
