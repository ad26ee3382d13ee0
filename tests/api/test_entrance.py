"""Who enters by which token, how bodies are read, and what a program is told when something is refused."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from ims_portal import clock, tokens
from ims_portal.access import Right
from ims_portal.models import ApiToken, AuditEvent, Membership, User
from ims_portal.tokens import Terms, TokenRefusedError
from invoices.models import Record
from tests import factories
from tests.api.client import Program, token

pytestmark = pytest.mark.django_db
R, S = factories.RECIPIENT, factories.SUPPLIER


@pytest.fixture
def asha() -> User:
    """A signatory of R, with one filed record."""
    factories.filed()
    return factories.member(factories.taxpayer(), "signatory", "asha")


def refused(answer: Any, status: int, code: str) -> dict[str, Any]:  # noqa: ANN401 - the test client's answer
    """Return what a refusal says; it has the shape of all of them."""
    told = answer.json()
    assert (answer.status_code, told["code"]) == (status, code)
    assert {"code", "message", "request_id"} <= told.keys() <= {"code", "message", "request_id", "field"}
    assert told["message"]
    return told


def test_a_token_is_seen_once_and_kept_as_a_hash(asha: User) -> None:
    text = token(asha, R)
    kept = ApiToken.objects.get()
    assert text.startswith(f"imsp_{kept.prefix}_")
    assert len(text) > 50
    assert text not in str(ApiToken.objects.values())
    event = AuditEvent.objects.get(event="token.made")
    assert (event.actor, event.subject, text in str(event.details)) == (asha, kept.prefix, False)
    told = Program(text).get("token").json()
    assert (
        told["taxpayers"]
        == [{"gstin": R, "name": "Firm ACR5", "rights": ["act", "compute", "export", "supply", "view"]}]
        or told["taxpayers"][0]["gstin"] == R
    )


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        (Terms("", [R], [Right.VIEW]), "name"),
        (Terms("x" * 61, [R], [Right.VIEW]), "name"),
        (Terms("erp", [], [Right.VIEW]), "gstins"),
        (Terms("erp", [S], [Right.VIEW]), "gstins"),
        (Terms("erp", [R], [Right.GRANT]), "rights"),
        (Terms("erp", [R], [Right.VIEW], timedelta(days=31)), "lasts"),
        (Terms("erp", [R], [Right.VIEW], timedelta(0)), "lasts"),
        (Terms("erp", [R], [Right.VIEW], networks=["anywhere"]), "networks"),
    ],
)
def test_a_token_that_may_not_be_is_refused_at_its_field(asha: User, terms: Terms, field: str) -> None:
    with pytest.raises(TokenRefusedError) as problem:
        tokens.make(user=asha, terms=terms, clock=clock.portal(), request_id=uuid.uuid4())
    assert list(problem.value.problems) == [field]
    assert not ApiToken.objects.exists()


def test_only_a_signatory_makes_tokens() -> None:
    ravi = factories.member(factories.taxpayer(), "preparer", "ravi")
    with pytest.raises(TokenRefusedError):
        token(ravi, R)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer imsp_x_y", "Basic YTpi", "Bearer é", "Bearer a b"])
def test_without_a_good_token_nobody_enters(asha: User, header: str) -> None:
    client = Client(headers={"Authorization": header} if header else {})
    client.force_login(asha)  # a session never counts here
    for path in ("token", f"t/{R}/ims/records", "nowhere/at/all"):
        answer = client.get(f"/api/v1/{path}")
        refused(answer, 401, "NOT_AUTHENTICATED")
        assert answer["WWW-Authenticate"] == "Bearer"


def test_session_and_token_never_mix_in_one_request(asha: User) -> None:
    """A session adds nothing to a token, and a token opens no page (promises 3)."""
    ravi = factories.member(factories.taxpayer(S, name="Other"), "signatory", "ravi")
    both = Client(headers={"Authorization": f"Bearer {token(ravi, S)}"})
    both.force_login(asha)
    assert both.get("/api/v1/token").json()["taxpayers"][0]["gstin"] == S
    refused(both.get(f"/api/v1/t/{R}/ims/records"), 404, "NOT_FOUND")
    assert both.get(f"/en/t/{S}/").status_code == 404
    assert both.get(f"/en/t/{R}/").status_code == 200
    alone = Client(headers={"Authorization": f"Bearer {token(ravi, S)}"})
    assert "/login/" in alone.get(f"/en/t/{S}/").headers["Location"]


def test_a_token_ends_by_time_by_hand_and_with_its_person(asha: User) -> None:
    text = token(asha, R)
    program, kept = Program(text), ApiToken.objects.get()
    assert program.get("token").status_code == 200
    ApiToken.objects.update(expires_at=clock.real())
    refused(program.get("token"), 401, "NOT_AUTHENTICATED")
    ApiToken.objects.update(expires_at=clock.real() + timedelta(hours=1))
    User.objects.filter(pk=asha.pk).update(is_active=False)
    refused(program.get("token"), 401, "NOT_AUTHENTICATED")
    User.objects.filter(pk=asha.pk).update(is_active=True)
    assert tokens.revoke(user=asha, prefix=kept.prefix, at=clock.portal().now())
    assert not tokens.revoke(user=asha, prefix=kept.prefix, at=clock.portal().now())
    refused(program.get("token"), 401, "NOT_AUTHENTICATED")


def test_a_token_of_some_addresses_enters_from_no_other(asha: User) -> None:
    terms = Terms("erp", [R], [Right.VIEW], networks=["203.0.113.0/24"])
    program = Program(tokens.make(user=asha, terms=terms, clock=clock.portal(), request_id=uuid.uuid4()))
    refused(program.get("token"), 401, "NOT_AUTHENTICATED")
    assert program.client.get("/api/v1/token", REMOTE_ADDR="203.0.113.9").status_code == 200


def test_a_foreign_gstin_is_not_there_and_a_missing_right_is_told(asha: User) -> None:
    factories.member(factories.taxpayer(S), "signatory", "asha")
    program = Program(token(asha, R, rights=[Right.VIEW]))
    foreign = program.get(f"t/{S}/ims/records")  # its person may, the token not
    nobody = program.get("t/29AAKCT0000P1Z6/ims/records")
    told = [refused(answer, 404, "NOT_FOUND") for answer in (foreign, nobody)]
    assert told[0]["message"] == told[1]["message"]
    told_ = refused(program.post(f"t/{R}/ims/actions", {"items": []}), 403, "RIGHT_MISSING")
    assert "act" in told_["message"]


def test_rights_that_ended_end_the_token_s_too(asha: User) -> None:
    program = Program(token(asha, R))
    assert program.get(f"t/{R}/ims/counts").status_code == 200
    Membership.objects.filter(user=asha).update(valid_to=clock.portal().now())
    refused(program.get(f"t/{R}/ims/counts"), 404, "NOT_FOUND")
    assert program.get("token").json()["taxpayers"] == []


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"[" * 100_000, 400, ""),
        (b"[]", 400, ""),
        (b'{"items": [], "items": []}', 400, ""),
        (b'{"items": NaN}', 400, ""),
        (b'{"items": ' + b"9" * 5_000 + b"}", 400, ""),
        (b'{"items": "\\ud800"}', 400, ""),
        (b"\xff\xfe{}", 400, ""),
        (b'{"items": [], "more": 1}', 400, "more"),
        (b'{"items": []}', 400, "items"),
        (b'{"items": [{"record": 1, "version": 0, "action": "X"}]}', 400, "items[0].action"),
        (b'{"items": [{"record": "x", "version": 0, "action": "A"}]}', 400, "items[0].record"),
        (b'{"items": [{"record": 1, "version": 0, "action": "A", "remark": "a\\u0000"}]}', 400, ""),
        (
            b'{"items": [{"record": 1, "version": 0, "action": "A", "itc": {"reduce": "P", "igst": 9.5}}]}',
            400,
            "items[0].itc.igst",
        ),
        (
            b'{"items": [{"record": 1, "version": 0, "action": "A", "itc": {"reduce": "F", "igst": "9.50"}}]}',
            400,
            "items[0].itc.igst",
        ),
        (b" " * 1_100_000, 413, ""),
    ],
)
def test_a_body_that_means_nothing_or_two_things_is_refused(asha: User, body: bytes, status: int, field: str) -> None:
    answer = Program(token(asha, R)).post(f"t/{R}/ims/actions", body)
    told = refused(answer, status, "TOO_LARGE" if status == 413 else "INVALID")
    assert told.get("field", "") == field


def test_a_write_needs_a_key_and_json(asha: User) -> None:
    program = Program(token(asha, R))
    one = {"items": [{"record": 1, "version": 0, "action": "A"}]}
    told = refused(program.post(f"t/{R}/ims/actions", one, key=""), 400, "INVALID")
    assert told["field"] == "Idempotency-Key"
    form = program.client.post(f"/api/v1/t/{R}/ims/actions", {"items": "1"})
    refused(form, 415, "NOT_JSON")
    refused(program.client.put(f"/api/v1/t/{R}/ims/actions"), 405, "METHOD_NOT_ALLOWED")


def test_records_are_listed_page_by_page_and_decided_on_once(asha: User) -> None:
    others = (factories.document(number=f"D{n}", tax=n * 10, supplier="29AAKCT0000P1Z6") for n in range(1, 6))
    factories.filed(*others, supplier="29AAKCT0000P1Z6")
    program = Program(token(asha, R))
    seen, after = [], ""
    while True:
        page = program.get(f"t/{R}/ims/records", rows="2", sort="tax", **({"after": after} if after else {})).json()
        seen += [record["number"] for record in page["records"]]
        after = page["next"]
        if not after:
            break
    assert seen == ["INV1", "D5", "D4", "D3", "D2", "D1"]
    assert page["count"] == 6
    record = program.get(f"t/{R}/ims/records", q="INV1").json()["records"][0]
    assert (record["tax"]["igst"], record["action"], record["barred"]) == ("18000.00", "N", {})
    key, body = uuid.uuid4(), {"items": [{"record": record["id"], "version": record["version"], "action": "R"}]}
    first = program.post(f"t/{R}/ims/actions", body, key=key)
    assert first.json()["results"] == [
        {"record": record["id"], "status": "ok", "code": "", "message": "", "version": 1}
    ]
    assert program.post(f"t/{R}/ims/actions", body, key=key).json() == first.json()
    assert Record.objects.get(pk=record["id"]).version == 1
    refused(
        program.post(f"t/{R}/ims/actions", {**body, "items": [{**body["items"][0], "action": "A"}]}, key=key),
        422,
        "IDEMPOTENCY_MISMATCH",
    )
    other = {"items": [{**body["items"][0], "action": "A"}]}
    late = program.post(f"t/{R}/ims/actions", other).json()["results"][0]
    assert (late["status"], late["code"], late["current"]["by"]) == ("conflict", "CONFLICT", "Asha")
    foreign = program.post(f"t/{R}/ims/actions", {"items": [{"record": 999, "version": 0, "action": "A"}]})
    assert foreign.json()["results"][0]["status"] == "refused"
    history = program.get(f"t/{R}/ims/records/{record['id']}/history").json()["history"]
    assert (history[0]["action"], history[0]["by"]) == ("R", "Asha")
    refused(program.get(f"t/{R}/ims/records/999"), 404, "NOT_FOUND")
    counts = program.get(f"t/{R}/ims/counts").json()["counts"]
    assert {"section": "b2b", "action": "R", "count": 1, "tax": "18000.00"} in counts


@pytest.mark.parametrize(
    "wrong", [{"rows": "201"}, {"rows": "x"}, {"sort": "colour"}, {"after": "x"}, {"action": "Z"}, {"nothing": "1"}]
)
def test_a_list_asked_for_wrongly_is_refused_at_its_field(asha: User, wrong: dict[str, str]) -> None:
    told = refused(Program(token(asha, R)).get(f"t/{R}/ims/records", **wrong), 400, "INVALID")
    assert told["field"] == next(iter(wrong))
