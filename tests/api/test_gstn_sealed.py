"""The sealed way of existing software: codes, sessions, envelopes, and everything that must not get through."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from pytest_django import Settings

from ims_portal import clock, one_time_codes, sealed_sessions, sealing, tasks, tokens
from ims_portal.gstn import checks
from ims_portal.gstn.authenticate import PerAddress
from ims_portal.models import ApiToken, AuditEvent, Envelope, OneTimeCode, SealedSession, User
from invoices import tasks as invoice_tasks
from invoices.models import ActionFile, Record, SupplierReturn
from tests import factories
from tests.api.client import token
from tests.api.sealed_client import APP_KEY, Sealed
from tests.signing_in import sign_in

pytestmark = pytest.mark.django_db
R, S = factories.RECIPIENT, factories.SUPPLIER
IMS = "returns/ims"


@pytest.fixture
def asha() -> User:
    """A signatory of R, which has two invoices."""
    factories.filed(factories.document(number="INV1", tax=18000), factories.document(number="INV2", tax=900))
    return factories.member(factories.taxpayer(), "signatory", "asha")


@pytest.fixture
def program(asha: User) -> Sealed:
    """A program of hers that is in; she has a key instead of an authenticator app."""
    asha.authenticator_set.update(type=Authenticator.Type.WEBAUTHN)
    found = Sealed(asha, R)
    assert found.authenticate("OTPREQUEST").json() == {"status_cd": 1}
    assert found.begin().json()["expiry"] == 360
    return found


def records(program: Sealed) -> list[dict[str, Any]]:
    """Return the invoices as GETINV tells them."""
    answer = program.send("GET", f"{IMS}?action=GETINV&section=B2B&gstin={R}")
    return program.result(answer)["b2b"]


def saving(program: Sealed, action: str = "A", rtin: str = R) -> dict[str, Any]:
    """Return a request that decides on all invoices."""
    kept = ("hash", "srcfilstatus", "ispendactblocked", "isRemarksBlocked")
    rows = [{key: value for key, value in row.items() if key not in kept} for row in records(program)]
    sent = [{**row, "prev_status": row["action"], "action": action} for row in rows]
    return {"action": "SAVE", "data": {"rtin": rtin, "reqtyp": "SAVE", "invdata": {"b2b": sent}}}


def worked() -> None:
    """Do what the worker would."""
    for job in ActionFile.objects.exclude(state__in=["done", "failed"]):
        invoice_tasks.carry_out_file(job_id=str(job.pk))


def decided() -> set[str]:
    """Return the actions on all records."""
    return set(Record.objects.values_list("action", flat=True))


def test_a_program_enters_acts_and_is_told(program: Sealed) -> None:
    told = program.result(program.put(IMS, saving(program)))
    worked()
    report = program.result(program.send("GET", f"{IMS}?action=REQSTS&int_tran_id={told['reference_id']}&gstin={R}"))
    assert (report["status_cd"], report["proc_cnt"]) == ("P", "2")
    assert decided() == {"A"}


def test_each_of_the_three_addresses_leads_to_the_same(program: Sealed) -> None:
    for prefix in ("gstn", "standard/gstn", "taxpayerapi/v1.0"):
        headers = {"auth-token": program.token, "gstin": R}
        answer = Client(headers=headers).get(f"/{prefix}/{IMS}", {"action": "GETCNT"})
        assert program.result(answer)["all_oth"]["ttl_cnt"] == 2


def test_off_it_is_unknown(asha: User, settings: Settings) -> None:
    settings.GSTN_ENCRYPTED_PROFILE = False
    assert Client().get("/static/gstn_g2b_prod_public").status_code == 404
    program = Sealed(asha, R)
    for path, method in (("authenticate", "POST"), ("authenticate", "GET"), (IMS, "GET")):
        program.token = "" if method == "POST" else "imsp_x"
        assert program.error(program.send(method, path, "{}" if method == "POST" else ""), 404) == "APP-NOT_FOUND"
    answer = Client(headers={"Authorization": f"Bearer {token(asha, R)}"}).get(f"/gstn/{IMS}?action=GETCNT&gstin={R}")
    assert answer.json()["status_cd"] == 1
    client = Client()
    client.force_login(asha)
    assert client.get(f"/en/t/{R}/codes/").status_code == 404


def test_a_key_sealed_under_another_certificate_is_told_so(asha: User) -> None:
    program = Sealed(asha, R)
    for wrong in ("", "nonsense!", "é", base64.b64encode(b"x" * 256).decode()):
        for action in ("OTPREQUEST", "AUTHTOKEN"):
            assert program.error(program.authenticate(action, app_key=wrong)) == "TEC4002"
    assert not OneTimeCode.objects.exists()


def test_a_wrong_used_old_or_worn_code_lets_nobody_in(asha: User, monkeypatch: pytest.MonkeyPatch) -> None:
    program = Sealed(asha, R)
    assert program.error(program.begin("000000")) == "AUTH4033"
    program.authenticate("OTPREQUEST")
    code = OneTimeCode.objects.get().code
    wrong = "111111" if code != "111111" else "222222"
    assert program.error(program.begin(wrong)) == "AUTH4033"
    program.begin(code)
    assert program.token
    assert program.error(program.begin(code)) == "AUTH4033"
    program.authenticate("OTPREQUEST")
    OneTimeCode.objects.filter(used_at=None).update(tries=one_time_codes.TRIES)
    assert program.error(program.begin()) == "AUTH4033"
    program.authenticate("OTPREQUEST")
    later = clock.real() + timedelta(minutes=10, seconds=1)
    monkeypatch.setattr(one_time_codes, "real", lambda: later)
    assert program.error(program.begin()) == "AUTH4033"
    assert ApiToken.objects.count() == 1


def test_asking_again_gives_no_more_tries_and_takes_no_code_away(asha: User) -> None:
    program = Sealed(asha, R)
    program.authenticate("OTPREQUEST")
    code = OneTimeCode.objects.get().code
    for _ in range(one_time_codes.TRIES):
        program.authenticate("OTPREQUEST")
        assert OneTimeCode.objects.get().code == code
        assert program.error(program.begin("12345x")) == "AUTH4033"
    assert program.error(program.begin(code)) == "AUTH4033"
    program.authenticate("OTPREQUEST")
    assert OneTimeCode.objects.get().tries == one_time_codes.TRIES
    told = AuditEvent.objects.filter(event="code.refused", taxpayer__gstin=R, subject="enter")
    assert told.count() == one_time_codes.TRIES
    OneTimeCode.objects.update(expires_at=clock.real())
    program.authenticate("OTPREQUEST")
    program.begin()
    assert program.token


def test_what_anybody_may_send_is_short_and_never_an_error_of_ours(asha: User) -> None:
    program = Sealed(asha, R)
    for content in (
        '{"a": 1e99999999999999999999}',
        '{"action": 7}',
        "[]",
        "",
        "\\ud800",
        '{"action": "X"}',
        '{"otp": null}',
    ):
        assert program.send("POST", "authenticate", content).status_code in (200, 400)
    assert program.error(program.send("POST", "authenticate", " " * 20_000), 413) == "APP-F04"


def test_addresses_are_counted_by_the_connection_not_by_what_is_sent(asha: User, settings: Settings) -> None:
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"DEFAULT_THROTTLE_RATES": {"user": "3/min"}}
    PerAddress.THROTTLE_RATES = {"user": "3/min"}
    try:
        program = Sealed(asha, R)
        answers = [program.send("POST", "authenticate", "{}", **{"X-Forwarded-For": f"10.0.0.{n}"}) for n in range(5)]
    finally:
        del PerAddress.THROTTLE_RATES
    assert [answer.status_code for answer in answers][-2:] == [429, 429]


def test_a_session_s_token_opens_sealed_requests_only(program: Sealed) -> None:
    headers = {"Authorization": f"Bearer {program.token}"}
    for path in (f"/gstn/{IMS}?action=GETCNT&gstin={R}", f"/api/v1/t/{R}/ims/counts"):
        assert Client(headers=headers).get(path).status_code == 401


def test_a_session_is_not_renewed_once_it_was_revoked_nor_for_ever(program: Sealed) -> None:
    told = {"app_key": sealing.sealed(program.key, APP_KEY), "auth_token": program.token}
    session = SealedSession.objects.get()
    SealedSession.objects.update(since=clock.real() - tokens.LONGEST)
    assert program.error(program.authenticate("REFRESHTOKEN", **told)) == "AUTH4038"
    tokens.revoke(user=program.user, prefix=session.token.prefix, at=clock.real())
    with pytest.raises(tokens.BadTokenError):
        sealed_sessions.renew(session=session, clock=clock.portal())
    assert SealedSession.objects.count() == 1


def test_filing_preferences_tell_that_a_session_lives(program: Sealed) -> None:
    told = program.result(program.send("GET", f"returns?action=GETPREF&fy=2025-26&gstin={R}"))
    assert told == {"response": [{"quarter": f"Q{n}", "preference": "M"} for n in range(1, 5)]}
    assert program.error(program.send("GET", f"returns?action=GETPREF&fy=x&gstin={R}")) == "APP-G103"


@pytest.mark.parametrize(("name", "gstin"), [("nobody", R), ("vik", R), ("asha", S), ("asha", "x")])
@pytest.mark.usefixtures("asha")
def test_whoever_is_no_signatory_is_told_no_more_than_others(name: str, gstin: str) -> None:
    factories.member(factories.taxpayer(), "preparer", "vik")
    program = Sealed(User(username=name), gstin)
    assert program.authenticate("OTPREQUEST").json() == {"status_cd": 1}
    assert not OneTimeCode.objects.exists()
    assert program.error(program.begin("123456")) == "AUTH4033"


def test_a_session_that_is_over_asks_for_a_new_code(program: Sealed) -> None:
    live = program.token
    for dead in ("imsp_0_x", "x" * 200, token(program.user, R)):
        program.token = dead
        assert program.error(program.send("GET", f"{IMS}?action=GETCNT&gstin={R}")) == "AUTH4038"
    program.token = live
    ApiToken.objects.update(expires_at=clock.real())
    assert program.error(program.send("GET", f"{IMS}?action=GETCNT&gstin={R}")) == "AUTH4038"


def test_a_session_is_a_token_on_the_page_and_ends_there(program: Sealed) -> None:
    kept = ApiToken.objects.get()
    assert (kept.name, list(kept.taxpayers.values_list("gstin", flat=True))) == ("OTP", [R])
    assert not {"grant", "file"} & set(kept.rights)
    assert AuditEvent.objects.filter(event="token.made", subject=kept.prefix).exists()
    person = Client()
    person.force_login(program.user)
    assert f"<code>{program.token[:13]}</code>" in person.get("/en/me/tokens/").text
    tokens.revoke(user=program.user, prefix=kept.prefix, at=clock.real())
    assert program.error(program.send("GET", f"{IMS}?action=GETCNT&gstin={R}")) == "AUTH4038"


def test_it_is_for_its_own_person_and_gstin_alone(program: Sealed) -> None:
    factories.member(factories.taxpayer(S), "signatory", "asha")
    assert program.error(program.send("GET", f"{IMS}?action=GETCNT&gstin={S}"), 403) == "APP-RIGHT_MISSING"
    body = saving(program, rtin=S)
    assert program.error(program.put(IMS, body), 403) == "APP-RIGHT_MISSING"
    answer = program.send("GET", f"{IMS}?action=GETCNT&gstin={R}", username="beena")
    assert program.error(answer) == "AUTH158"


def test_a_session_is_renewed_under_the_old_key_and_the_old_one_ends(program: Sealed) -> None:
    old, key = program.token, program.key
    told = {"app_key": sealing.sealed(key, APP_KEY), "auth_token": old}
    program.token = ""
    program.keep(program.authenticate("REFRESHTOKEN", **told))
    assert program.token not in ("", old)
    assert program.key != key
    assert len(records(program)) == 2
    for wrong in (told, told | {"app_key": sealing.sealed(b"x" * 32, APP_KEY)}, told | {"auth_token": "none"}):
        assert program.error(program.authenticate("REFRESHTOKEN", **wrong)) == "AUTH4038"


@pytest.mark.parametrize("wrong", ["key", "hmac", "data", "plain", "text", "half", "nothing"])
def test_an_envelope_that_was_touched_changes_nothing(program: Sealed, wrong: str) -> None:
    body = saving(program)
    told = json.loads(program.sealed(body, b"k" * 32 if wrong == "key" else None))
    other = json.loads(program.sealed(body | {"data": {**body["data"], "invdata": {}}}))
    content = {
        "key": told,
        "hmac": told | {"hmac": other["hmac"]},
        "data": told | {"data": other["data"]},
        "plain": body,
        "text": told | {"data": "not base64"},
        "half": told | {"data": told["data"][: len(told["data"]) // 2]},
        "nothing": {},
    }[wrong]
    assert program.error(program.send("PUT", IMS, json.dumps(content)), 400) == "APP-F01"
    assert not ActionFile.objects.exists()
    assert not Envelope.objects.exists()


def test_an_envelope_sent_again_is_a_replay(program: Sealed) -> None:
    body = saving(program)
    content = program.sealed(body)
    program.result(program.send("PUT", IMS, content, "t" * 32))
    worked()
    assert program.error(program.send("PUT", IMS, content, "t" * 32)) == "APP-REPLAYED"
    assert ActionFile.objects.count() == 1
    for method, path in (("POST", IMS), ("PUT", "returns/gstr2b"), ("PUT", "returns/gstr1a")):
        assert program.error(program.send(method, path, content, "t" * 32)) == "APP-REPLAYED"
    headers = {"auth-token": program.token, "txn": "t" * 32}
    answer = Client(headers=headers).generic("PUT", f"/taxpayerapi/v1.0/{IMS}", content, "application/json")
    assert program.error(answer) == "APP-REPLAYED"


def test_what_was_refused_may_be_sent_again_as_it_was(program: Sealed) -> None:
    body = {"action": "GEN2B", "data": {"rtin": R, "itcprd": "012030"}}
    codes = {program.error(program.put("returns/gstr2b", body, "t" * 32)) for _ in range(2)}
    assert "APP-REPLAYED" not in codes
    assert not Envelope.objects.exists()


def test_an_envelope_of_one_session_opens_in_no_other(program: Sealed) -> None:
    content = program.sealed(saving(program))
    program.authenticate("OTPREQUEST")
    program.begin()
    assert program.error(program.send("PUT", IMS, content), 400) == "APP-F01"


def test_a_saving_while_one_is_at_work_waits(program: Sealed) -> None:
    program.result(program.put(IMS, saving(program)))
    assert program.error(program.put(IMS, saving(program, "P"))) == "IMSSAV0015"


def test_keys_are_kept_unreadable_and_a_new_secret_key_reads_them_while_the_old_is_known(
    program: Sealed, settings: Settings
) -> None:
    kept = SealedSession.objects.get()
    assert program.key not in base64.urlsafe_b64decode(kept.kept_key)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "n" * 40 + "ewkey12345"
    assert sealed_sessions.key_of(kept) == program.key
    settings.SECRET_KEY_FALLBACKS = []
    assert program.error(program.send("GET", f"{IMS}?action=GETCNT&gstin={R}")) == "AUTH4038"
    told = {"app_key": sealing.sealed(b"\0" * 32, APP_KEY), "auth_token": program.token}
    assert program.error(program.authenticate("REFRESHTOKEN", **told)) == "AUTH4038"


def test_old_envelopes_are_forgotten(program: Sealed) -> None:
    program.result(program.put(IMS, saving(program)))
    tasks.remove_old_downloads()
    assert Envelope.objects.count() == 1
    ApiToken.objects.update(expires_at=clock.real())
    tasks.remove_old_downloads()
    assert not Envelope.objects.exists()


class TestFiling:
    """GSTR-1 is filed with a code of its own."""

    BODY = {"action": "RETFILE", "data": {"gstin": R, "ret_period": "102025"}}

    @pytest.fixture
    def program(self, asha: User) -> Sealed:
        """A program of a signatory with an authenticator app."""
        found = Sealed(asha, R)
        found.authenticate("OTPREQUEST")
        found.begin()
        return found

    def file(self, program: Sealed, sid: str) -> Any:  # noqa: ANN401 - the test client's answer
        """Send what files."""
        return program.send("POST", "returns/gstr1", program.filing(self.BODY, sid), ret_period="102025")

    def test_with_the_code_that_was_asked_for_and_once(self, program: Sealed) -> None:
        assert program.error(self.file(program, "ABCPD1234E|123456")) == "EVCREQUEST"
        asked = program.send("GET", "authenticate?action=EVCOTP&pan=ABCPD1234E&form_type=R1")
        assert asked.json() == {"status_cd": 1}
        code = OneTimeCode.objects.get(purpose="file").code
        wrong = "111111" if code != "111111" else "222222"
        assert program.error(self.file(program, f"ABCPD1234E|{wrong}")) == "RET13506"
        assert program.error(self.file(program, code)) == "EVCREQUEST"
        assert not SupplierReturn.objects.filter(supplier__gstin=R).exclude(acknowledgement="").exists()
        told = program.result(self.file(program, f"ABCPD1234E|{code}"))
        assert told["ack_num"]
        assert program.error(self.file(program, f"ABCPD1234E|{code}")) == "EVCREQUEST"

    def test_not_by_the_hmac_of_the_session(self, program: Sealed) -> None:
        program.send("GET", "authenticate?action=EVCOTP")
        answer = program.send("POST", "returns/gstr1", program.sealed(self.BODY), ret_period="102025")
        assert program.error(answer, 400) == "APP-F01"

    @pytest.mark.usefixtures("asha")
    def test_without_an_app_there_is_no_such_right(self) -> None:
        other = factories.member(factories.taxpayer(), "signatory", "beena")
        other.authenticator_set.update(type=Authenticator.Type.WEBAUTHN)
        program = Sealed(other, R)
        program.authenticate("OTPREQUEST")
        program.begin()
        answer = program.send("GET", "authenticate?action=EVCOTP")
        assert program.error(answer, 403) == "APP-RIGHT_MISSING"
        assert program.error(self.file(program, "ABCPD1234E|123456"), 403) == "APP-RIGHT_MISSING"


class TestPage:
    """Where the person reads it."""

    def test_shows_one_s_own_codes_after_proof(self, asha: User) -> None:
        Sealed(asha, R).authenticate("OTPREQUEST")
        code = OneTimeCode.objects.get().code
        page = f"/en/t/{R}/codes/"
        client, fresh = Client(), Client()
        client.force_login(asha)
        session = client.session
        session["account_authentication_methods"][0]["at"] -= 11 * 60
        session.save()
        assert code not in (hidden := client.get(page).text)
        assert "Say that it is you" in hidden
        sign_in(fresh, "asha")
        assert code in fresh.get(page).text
        assert page in fresh.get("/en/me/tokens/").text
        factories.member(factories.taxpayer(), "signatory", "beena")
        other = Client()
        sign_in(other, "beena")
        assert "No program waits" in other.get(page).text

    def test_is_another_s_to_nobody(self, asha: User) -> None:
        client = Client()
        client.force_login(asha)
        assert client.get(f"/en/t/{S}/codes/").status_code == 404


@pytest.mark.usefixtures("asha")
def test_a_file_without_key_or_certificate_is_told_by_the_check(settings: Settings, tmp_path: Path) -> None:
    settings.GSTN_KEY_FILE = str(tmp_path / "key.pem")
    assert checks.key_file() == []
    Client().get("/static/gstn_g2b_prod_public")
    assert checks.key_file() == []
    good = Path(settings.GSTN_KEY_FILE).read_bytes()
    key, _begin, certificate = good.partition(b"-----BEGIN CERTIFICATE-----")
    settings.GSTN_KEY_FILE = str(tmp_path / "other.pem")
    Client().get("/static/gstn_g2b_prod_public")
    other = Path(settings.GSTN_KEY_FILE).read_bytes().partition(b"-----BEGIN CERTIFICATE-----")[2]
    for wrong in (b"", key, b"-----BEGIN CERTIFICATE-----" + certificate, key + b"-----BEGIN CERTIFICATE-----" + other):
        Path(settings.GSTN_KEY_FILE).write_bytes(wrong)
        assert [one.id for one in checks.key_file()] == ["gstn.E001"]


def test_the_key_is_made_once_and_only_its_owner_reads_it(settings: Settings, tmp_path: Path) -> None:
    settings.GSTN_KEY_FILE = str(tmp_path / "new" / "key.pem")
    first = Client().get("/static/gstn_g2b_prod_public").json()
    assert first == Client().get("/static/gstn_g2b_prod_public").json()
    assert Path(settings.GSTN_KEY_FILE).stat().st_mode & 0o077 == 0
    assert "PRIVATE" not in first["certificate"]
