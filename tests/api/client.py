"""A program at the interface: a token, and requests that carry it."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django.test import Client

from ims_portal import clock, demo_codes, tokens
from ims_portal.access import Right
from ims_portal.api import step_up
from ims_portal.models import User
from tests.signing_in import AT_LEAST

USUAL = (Right.VIEW, Right.EXPORT, Right.ACT, Right.SUPPLY, Right.COMPUTE)


def token(user: User, *gstins: str, rights: Collection[Right] = USUAL, lasts: timedelta = timedelta(hours=1)) -> str:
    """Return a new token of a signatory."""
    terms = tokens.Terms("tests", gstins, rights, lasts)
    return tokens.make(user=user, terms=terms, clock=clock.portal(), request_id=uuid.uuid4())


def one_time_code(user: User) -> str:
    """Return what the authenticator app of a person shows now, and for some seconds yet."""
    found = demo_codes.now(user.username)
    if found.seconds < AT_LEAST:
        time.sleep(found.seconds + 0.1)
    return demo_codes.now(user.username).digits


class Program:
    """Requests to `/api/v1/` with one token."""

    def __init__(self, text: str) -> None:
        self.client = Client(headers={"Authorization": f"Bearer {text}"})

    def get(self, path: str, **query: str) -> Any:  # noqa: ANN401 - the test client's answer
        """Read something."""
        return self.client.get(f"/api/v1/{path}", query)

    def post(self, path: str, body: object = None, key: uuid.UUID | str | None = None, *, code: str = "") -> Any:  # noqa: ANN401
        """Send an object, or the bytes of something, under a key; "" sends none. `code` is a one-time code."""
        return self.send("post", path, body, key, code=code)

    def send(
        self, method: str, path: str, body: object = None, key: uuid.UUID | str | None = None, *, code: str = ""
    ) -> Any:  # noqa: ANN401
        """Send an object with any method, as `post` does."""
        headers = {"Idempotency-Key": str(key if key is not None else uuid.uuid4())} if key != "" else {}
        headers |= {step_up.HEADER: code} if code else {}
        content = body if isinstance(body, bytes) else json.dumps({} if body is None else body)
        return getattr(self.client, method)(
            f"/api/v1/{path}", content, content_type="application/json", headers=headers
        )
