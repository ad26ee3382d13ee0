"""Somebody who visits the live portal over HTTP without a browser: keeps cookies, fills in the forms of a page."""

from __future__ import annotations

import http.cookiejar
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser

from tests.signing_in import CODE_PAGE, PAGE, PASSWORD, code_of


@dataclass
class Page:
    """What a request answered: its status, final address and text."""

    status: int
    url: str
    text: str

    def form(self, action: str) -> dict[str, str]:
        """Return the fields of the first form whose address contains `action`, as a browser would send them."""
        return next(fields for address, fields in self._forms() if action in address)

    def form_with(self, name: str) -> dict[str, str]:
        """Return the fields of the first form that has one of this name."""
        return next(fields for _address, fields in self._forms() if name in fields)

    def _forms(self) -> list[tuple[str, dict[str, str]]]:
        reader = _Forms()
        reader.feed(self.text)
        return reader.found


@dataclass
class _Forms(HTMLParser):
    found: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag == "form":
            self.found.append((told.get("action") or "", {}))
        elif tag == "input" and self.found and told.get("name"):
            kind = told.get("type", "text")
            if kind not in ("checkbox", "radio") or "checked" in told:
                self.found[-1][1][str(told["name"])] = told.get("value") or ""


class Visitor:
    """One person's visit: cookies of their own."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Page:
        """Return a page."""
        address = urllib.parse.urljoin(self.base, path)
        return self._send(urllib.request.Request(address, headers=dict(headers or {})))  # noqa: S310 - our own server

    def post(self, path: str, fields: dict[str, str]) -> Page:
        """Return what a form posted to a path leads to."""
        address = urllib.parse.urljoin(self.base, path)
        sent = urllib.parse.urlencode(fields).encode()
        return self._send(urllib.request.Request(address, data=sent, headers={"Referer": address}))  # noqa: S310

    def sign_in(self, username: str) -> Visitor:
        """Sign in by the portal's own pages, and return the visitor."""
        page = self.get(PAGE)
        page = self.post(PAGE, page.form("") | {"login": username, "password": PASSWORD})
        assert CODE_PAGE in page.url, page.text
        page = self.post(CODE_PAGE, page.form(CODE_PAGE) | {"code": code_of(username)})
        assert "/account/" not in page.url, page.text
        return self

    def _send(self, request: urllib.request.Request) -> Page:
        try:
            with self._opener.open(request, timeout=30) as answer:
                return Page(answer.status, answer.url, answer.read().decode())
        except urllib.error.HTTPError as refused:
            return Page(refused.code, refused.url, refused.read().decode())
