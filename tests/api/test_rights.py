"""The table of rights: every route of both interfaces, every method, by right and by whose GSTIN it is."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from ims_portal.access import Right
from ims_portal.api.views import TaxpayerView
from ims_portal.gstn.views import GstnView
from ims_portal.models import AuditEvent, User
from tests import factories
from tests.api.client import token

pytestmark = pytest.mark.django_db
R, S = factories.RECIPIENT, factories.SUPPLIER
EXAMPLES = {
    "p": "102025",
    "period": "102025",
    "pk": "1",
    "row": "t4B1",
    "form": "gstr1",
    "entry": "t6_cash",
    "key": "b2b:1",
}
"""What stands for a part of an address; whoever may not enter never gets so far as to read it."""

GRANTED = frozenset(Right) - {Right.GRANT}


def below(prefix: str) -> Iterator[tuple[str, type]]:
    """Yield address and view of everything below an address."""

    def walk(resolver: URLResolver, before: str) -> Iterator[tuple[str, type]]:
        for each in resolver.url_patterns:
            if isinstance(each, URLResolver):
                yield from walk(each, before + str(each.pattern))
            elif isinstance(each, URLPattern):
                yield before + str(each.pattern), each.callback.cls

    yield from walk(next(each for each in get_resolver().url_patterns if str(each.pattern) == prefix), prefix)


def filled(address: str, gstin: str) -> str:
    """Return an address with something in each of its places."""

    def example(found: re.Match[str]) -> str:
        kind, name = found[1], found[2]
        return gstin if name == "gstin" else str(uuid.UUID(int=1)) if kind == "uuid:" else EXAMPLES.get(name, "1")

    return "/" + re.sub(r"<([a-z]+:)?([a-z_]+)>", example, address)


OURS = [
    pytest.param(method, address, view.rights[method], id=f"{method} {address}")
    for address, view in below("api/v1/")
    if issubclass(view, TaxpayerView)
    for method in view.rights
]
THEIRS = [
    pytest.param(method, address, action, call.right, id=f"{method} {address} {action}")
    for address, view in below("gstn/")
    if issubclass(view, GstnView)
    for (method, action), call in view.calls.items()
]


@pytest.fixture
def asha() -> User:
    """A signatory of R and of S; her tokens are for R alone."""
    found = factories.member(factories.taxpayer(R), "signatory", "asha")
    factories.member(factories.taxpayer(S), "signatory", "asha")
    return found


def send(text: str, method: str, address: str, body: object = None) -> Any:  # noqa: ANN401 - the test client's answer
    """Send a request with a token."""
    client = Client(headers={"Authorization": f"Bearer {text}", "Idempotency-Key": str(uuid.uuid4())})
    return client.generic(method, address, "" if body is None else json.dumps(body), content_type="application/json")


@pytest.mark.parametrize(("method", "address", "right"), OURS)
def test_our_interface_lets_in_by_right_and_gstin(asha: User, method: str, address: str, right: Right) -> None:
    lacking = token(asha, R, rights=GRANTED - {right}) if right is not Right.VIEW else ""
    whole = token(asha, R, rights=GRANTED)
    before = AuditEvent.objects.count()
    if lacking:
        answer = send(lacking, method, filled(address, R))
        assert (answer.status_code, answer.json()["code"]) == (403, "RIGHT_MISSING")
    for foreign in (S, "29AAKCT0000P1Z6"):
        answer = send(whole, method, filled(address, foreign))
        assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
    assert send("imsp_no_token", method, filled(address, R)).status_code == 401
    assert AuditEvent.objects.count() == before


@pytest.mark.parametrize(("method", "address", "action", "right"), THEIRS)
def test_the_other_interface_lets_in_by_right_and_gstin(
    asha: User, method: str, address: str, action: str, right: Right
) -> None:
    def call(text: str, gstin: str) -> Any:  # noqa: ANN401 - the test client's answer
        if method == "GET":
            return send(text, "GET", f"/{address}?action={action}&gstin={gstin}")
        kind = {"SAVE": "SAVE", "RESETIMS": "RESET"}.get(action)
        data = {"rtin": gstin, "reqtyp": kind, "invdata": {}} if kind else {"gstin": gstin, "rtin": gstin}
        return send(text, method, f"/{address}", {"action": action, "data": data})

    lacking = token(asha, R, rights=GRANTED - {right}) if right is not Right.VIEW else ""
    whole = token(asha, R, rights=GRANTED)
    before = AuditEvent.objects.count()
    answers = [call(lacking, R)] if lacking else []
    for answer in [*answers, call(whole, S), call(whole, "29AAKCT0000P1Z6")]:
        assert (answer.status_code, answer.json()["error"]["error_cd"]) == (403, "APP-RIGHT_MISSING")
    assert call("imsp_no_token", R).status_code == 401
    assert AuditEvent.objects.count() == before


def test_every_address_takes_part() -> None:
    assert len(OURS) >= 8
    assert {param.id.split()[1] for param in THEIRS} == {
        address for address, view in below("gstn/") if issubclass(view, GstnView) and view.calls
    }
