"""A program that enters by GSTN's sealed way, with everything in hand to send what it should not."""

from __future__ import annotations

import base64
import json
import secrets
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from django.test import Client

from ims_portal import sealing
from ims_portal.models import OneTimeCode, User

APP_KEY = b"0123456789abcdef0123456789ABCDEF"


def certificate_key() -> RSAPublicKey:
    """Return the key of the certificate that anybody may fetch."""
    text = Client().get("/static/gstn_g2b_prod_public").json()["certificate"]
    found = x509.load_pem_x509_certificate(text.encode()).public_key()
    assert isinstance(found, RSAPublicKey)
    return found


class Sealed:
    """A program of one person and GSTIN."""

    def __init__(self, user: User, gstin: str) -> None:
        self.user, self.gstin, self.token, self.key = user, gstin, "", b""

    def send(self, method: str, path: str, content: str = "", txn: str = "", **headers: str) -> Any:  # noqa: ANN401 - the test client's answer
        """Send a request with the headers of the sealed way."""
        told = {"username": self.user.username, "gstin": self.gstin, "txn": txn or secrets.token_hex(16)}
        told |= {"auth-token": self.token} if self.token else {}
        where = f"/standard/gstn/{path}"
        return Client(headers=told | headers).generic(method, where, content, content_type="application/json")

    def authenticate(self, action: str, **told: str) -> Any:  # noqa: ANN401 - the test client's answer
        """Post to `authenticate` with the program's own key, sealed under the certificate."""
        app_key = base64.b64encode(certificate_key().encrypt(APP_KEY, PKCS1v15())).decode()
        body = {"action": action, "app_key": app_key, "username": self.user.username} | told
        return self.send("POST", "authenticate", json.dumps(body))

    def begin(self, code: str = "") -> Any:  # noqa: ANN401 - the test client's answer
        """Begin a session with a code, the one that waits where none is told."""
        code = code or OneTimeCode.objects.get(user=self.user, purpose="enter", used_at=None).code
        answer = self.authenticate("AUTHTOKEN", otp=sealing.sealed(APP_KEY, code.encode()))
        self.keep(answer)
        return answer

    def keep(self, answer: Any) -> None:  # noqa: ANN401 - the test client's answer
        """Remember the session an answer begins."""
        told = answer.json()
        if told["status_cd"] == 1:
            assert told.keys() == {"status_cd", "auth_token", "sek", "expiry"}
            self.token, self.key = told["auth_token"], sealing.opened(APP_KEY, told["sek"])

    def sealed(self, body: dict[str, Any], key: bytes | None = None) -> str:
        """Return a request sealed under the session's key, or another."""
        key = key or self.key
        message = base64.b64encode(json.dumps(body["data"]).encode())
        told = {"action": body["action"], "data": sealing.sealed(key, message), "hmac": sealing.signed(key, message)}
        return json.dumps(told)

    def filing(self, body: dict[str, Any], sid: str) -> str:
        """Return a request that files, signed with person and code."""
        message = base64.b64encode(json.dumps(body["data"]).encode())
        sign = sealing.signed(sid.encode(), message)
        told = {"action": body["action"], "data": sealing.sealed(self.key, message), "sign": sign}
        return json.dumps({**told, "st": "EVC", "sid": sid})

    def put(self, path: str, body: dict[str, Any], txn: str = "") -> Any:  # noqa: ANN401 - the test client's answer
        """Send a sealed request."""
        return self.send("PUT", path, self.sealed(body), txn)

    def result(self, answer: Any) -> dict[str, Any]:  # noqa: ANN401 - the test client's answer
        """Return what a sealed answer holds."""
        told = answer.json()
        assert (answer.status_code, told.keys()) == (200, {"status_cd", "rek", "data", "hmac"}), told
        key = sealing.opened(self.key, told["rek"])
        message = sealing.opened(key, told["data"])
        assert told["hmac"] == sealing.signed(key, message)
        found: dict[str, Any] = json.loads(base64.b64decode(message))
        return found

    def error(self, answer: Any, status: int = 200) -> str:  # noqa: ANN401 - the test client's answer
        """Return the code of a refusal, which is never sealed."""
        told = answer.json()
        assert (answer.status_code, told.keys(), told["status_cd"]) == (status, {"status_cd", "error"}, 0), told
        code: str = told["error"]["error_cd"]
        return code
