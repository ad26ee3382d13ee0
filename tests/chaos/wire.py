"""A program's requests over a socket that may break at any byte: sent again with the same key until it is answered."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
import uuid
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from ims_portal import run

TIMEOUT = 30
PATIENCE = 60
"""Seconds after the end of the play for which an answer is still waited for."""
AGAIN = frozenset({429, 503})
BROKEN = (OSError, http.client.HTTPException)
BOUNDARY = "return"
RETURN_FORM = f"multipart/form-data; boundary={BOUNDARY}"
"""The kind of what `return_form` returns."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `status` is 0 where nothing did before patience ended: the outcome is unknown."""

    status: int
    body: Any

    @property
    def is_good(self) -> bool:
        """Whether it was done."""
        return 200 <= self.status < 300

    @property
    def code(self) -> str:
        """Return the code of a refusal."""
        return str(self.body.get("code", "")) if isinstance(self.body, dict) else ""


@dataclass(slots=True)
class Tally:
    """What all programs met: answers by status, broken connections, how long acting took, what must never happen."""

    answers: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, what: str) -> None:
        """Count something."""
        with self._lock:
            self.answers[what] += 1

    def took(self, what: str, seconds: float) -> None:
        """Keep how long an answer took."""
        with self._lock:
            self.seconds.setdefault(what, []).append(seconds)

    def find(self, text: str) -> None:
        """Keep what must never happen."""
        with self._lock:
            self.findings.append(text)


@dataclass(slots=True)
class Until:
    """The moment at which players stop: as first set, or once it is over."""

    at: float

    def over(self) -> None:
        """Stop them now."""
        self.at = time.monotonic()


class Line:
    """One thread's connection to the portal; it breaks and is made anew."""

    def __init__(self, port: int, tally: Tally, until: Until, rng: random.Random, host: str = run.HOST) -> None:
        self.host, self.port, self.tally, self.until, self.rng = host, port, tally, until, rng
        self._connection: http.client.HTTPConnection | None = None

    def get(self, token: str, path: str) -> Answer:
        """Read something, once."""
        return self._once("GET", token, path, b"", {})

    def send(
        self, method: str, token: str, path: str, body: object, *, key: uuid.UUID, code: str = "", kind: str = ""
    ) -> Answer:
        """Send a command until it is answered for good, or patience ends: then the outcome is unknown.

        A one-time code is good once, so a command with one is not sent again: a filing answers by what it finds.
        """
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Idempotency-Key": str(key), "Content-Type": kind or "application/json"}
        headers |= {"X-One-Time-Code": code} if code else {}
        while True:
            found = self._once(method, token, path, raw, headers)
            is_open = found.status in AGAIN or not found.status or found.code == "IN_PROGRESS"
            if not is_open:
                return found
            if code or time.monotonic() > self.until.at + PATIENCE:
                return Answer(0, None)
            time.sleep(self.rng.uniform(0.05, 0.6))

    def _once(self, method: str, token: str, path: str, raw: bytes, headers: dict[str, str]) -> Answer:
        began = time.monotonic()
        try:
            status, body = self._asked(method, f"/api/v1/{path}", raw, {**headers, "Authorization": f"Bearer {token}"})
        except BROKEN as problem:
            self.close()
            self.tally.count(f"broken {type(problem).__name__}")
            return Answer(0, None)
        self.tally.count(str(status))
        what = "read" if method == "GET" else "written"
        if status < 300:
            self.tally.took(what, time.monotonic() - began)
        if status >= 500 and status != 503:
            self.tally.find(f"{status} for {method} {path}: {body[:300]!r}")
            return Answer(0, None)
        try:
            found = Answer(status, json.loads(body or b"null"))
        except ValueError:
            self.tally.find(f"{status} for {method} {path} is no JSON: {body[:300]!r}")
            return Answer(0, None)
        if found.code:
            self.tally.count(f"{status} {found.code}")
        return found

    def _asked(self, method: str, path: str, raw: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(self.host, self.port, timeout=TIMEOUT)
        self._connection.request(method, path, raw or None, {**headers, "Host": "localhost"})
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def close(self) -> None:
        """Close the connection; the next request makes another."""
        if self._connection is not None:
            with suppress(OSError):
                self._connection.close()
        self._connection = None


def return_form(text: str, period: str) -> bytes:
    """Return a GSTR-1 as a browser's form would send its file."""
    head = "".join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in (("kind", "gstr1"), ("period", period))
    )
    file = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="gstr1.json"\r\n'
    return f"{head}{file}Content-Type: application/json\r\n\r\n{text}\r\n--{BOUNDARY}--\r\n".encode()
