"""A person's browser and program over one kept connection: cookies, a token, and when each answer came."""

from __future__ import annotations

import http.client
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from urllib.parse import urlencode

from ims_portal import run

TIMEOUT = 60
KEPT = 1.5
"""Seconds a connection is kept unused: the server closes one after two, and must not be met closing it."""
BROKEN = (OSError, http.client.HTTPException)
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: status (0 where the connection broke), headers, body; when it was asked and had, in seconds."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    sent: float
    had: float

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    @property
    def location(self) -> str:
        """Where it leads."""
        return self.headers.get("location", "")


@dataclass(slots=True)
class Caller:
    """One person's connection; it is made anew where it broke, and what broke is told."""

    port: int
    cookies: dict[str, str]
    token: str = ""
    _connection: http.client.HTTPConnection | None = None
    _used: float = field(default=0.0)

    def page(self, path: str, *, is_part: bool = False) -> Reply:
        """Ask for a page, or for the part of it that script asks for."""
        return self._ask("GET", path, None, self._as_browser(path, is_part=is_part))

    def post(self, path: str, fields: Mapping[str, str], *, back: str, is_part: bool = False) -> Reply:
        """Send a form of the page `back`."""
        headers = self._as_browser(back, is_part=is_part) | {"Content-Type": FORM}
        return self._ask("POST", path, urlencode(fields).encode(), headers)

    def call(self, method: str, path: str, body: bytes | None = None, *, key: str = "") -> Reply:
        """Send a request of a program."""
        headers = {"Authorization": f"Bearer {self.token}"}
        if body is not None:
            headers |= {"Content-Type": "application/json", "Idempotency-Key": key}
        return self._ask(method, f"/api/v1/{path}", body, headers)

    def _as_browser(self, path: str, *, is_part: bool) -> dict[str, str]:
        address = f"http://localhost:{self.port}{path}"
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        part = {"HX-Request": "true", "HX-Current-URL": address} if is_part else {}
        return {"Cookie": cookies, "Referer": address, "Accept-Language": "en", **part}

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Reply:
        sent = time.monotonic()
        if self._connection is not None and sent - self._used > KEPT:
            self.drop()
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection(run.HOST, self.port, timeout=TIMEOUT)
            self._connection.request(method, path, body, {**headers, "Host": f"localhost:{self.port}"})
            answer = self._connection.getresponse()
            raw = answer.read()
        except BROKEN as problem:
            self.drop()
            return Reply(0, {"problem": repr(problem)}, b"", sent, time.monotonic())
        self._used = had = time.monotonic()
        told = {name.lower(): value for name, value in answer.getheaders() if name.lower() != "set-cookie"}
        self._keep(answer.headers.get_all("Set-Cookie") or [])
        return Reply(answer.status, told, raw, sent, had)

    def _keep(self, sent: list[str]) -> None:
        for line in sent:
            for name, morsel in SimpleCookie(line).items():
                if morsel["max-age"] == "0" or not morsel.value:
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value

    def drop(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            with suppress(OSError):
                self._connection.close()
        self._connection = None
