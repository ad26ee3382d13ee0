"""A taxpayer's software that speaks with the /gstn/ surface, and what it may be told, written from formats.md alone."""

import base64
import gzip
import hashlib
import hmac
import http.client
import io
import json
import re
import secrets
import tarfile
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

Json = dict[str, Any]
Row = dict[str, Any]
Rows = dict[str, list[Row]]

TIMEOUT_SECONDS = 120
# Statuses that something before the application may answer with a page of its own.
FOREIGN_STATUSES = frozenset({404, 500, 502, 503, 504})
SESSION_KEYS = frozenset({"auth_token", "sek", "expiry"})


@dataclass(frozen=True)
class Request:
    """One request as it goes over the line, kept so that it can be repeated to the byte."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes | None


@dataclass(frozen=True)
class Answer:
    """What the server said: the result of a success, or code and message of an error."""

    http: int
    ok: bool
    result: Json
    code: str = ""
    message: str = ""


def read(raw: bytes) -> Json:
    """Read one JSON object with decimal amounts, refusing repeated keys and NaN (formats.md 1.6)."""
    value = json.loads(raw, parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_no_key_twice)
    assert isinstance(value, dict), f"an object was expected, not {raw[:200]!r}"
    return value


def _no_constant(name: str) -> object:
    raise AssertionError(f"{name} is no JSON number")


def _no_key_twice(pairs: list[tuple[str, Any]]) -> Json:
    whole = dict(pairs)
    assert len(whole) == len(pairs), f"a key stands twice among {[key for key, _ in pairs]}"
    return whole


def written(value: object, *, sort: bool = False) -> str:
    """Write compact JSON in which a decimal keeps the digits it was read with."""
    if isinstance(value, dict):
        keys = sorted(value) if sort else list(value)
        return "{" + ",".join(f"{written(key)}:{written(value[key], sort=sort)}" for key in keys) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(written(item, sort=sort) for item in value) + "]"
    if isinstance(value, Decimal):
        return format(value, "f")
    if value is None or isinstance(value, str | int):
        return json.dumps(value, ensure_ascii=False)
    raise TypeError(f"{type(value).__name__} has no place in a request")


def merged(parts: Sequence[Json]) -> Json:
    """Join the parts of a large download section by section: lists joined, objects merged, of scalars the later one."""
    whole: Json = {}
    for part in parts:
        for key, value in part.items():
            kept = whole.get(key)
            if isinstance(value, list):
                whole[key] = [*(kept if isinstance(kept, list) else ()), *value]
            elif isinstance(value, dict):
                whole[key] = merged([kept, value]) if isinstance(kept, dict) else merged([value])
            else:
                whole[key] = value
    return whole


def exchanged(request: Request) -> tuple[int, bytes]:
    """Send a request over a connection of its own and return HTTP status and body."""
    place = urlsplit(request.url)
    connect = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
    target = f"{place.path}?{place.query}" if place.query else place.path
    with closing(connect(place.netloc, timeout=TIMEOUT_SECONDS)) as connection:
        connection.request(request.method, target, request.body, dict(request.headers))
        with closing(connection.getresponse()) as response:
            return response.status, response.read()


def _aes(key: bytes) -> Cipher[modes.ECB]:
    return Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305 the profile prescribes ECB


def _sealed(key: bytes, plain: bytes) -> str:
    padder, encryptor = PKCS7(128).padder(), _aes(key).encryptor()
    padded = padder.update(plain) + padder.finalize()
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()


def _opened(key: bytes, text: str) -> bytes:
    unpadder, decryptor = PKCS7(128).unpadder(), _aes(key).decryptor()
    padded = decryptor.update(base64.b64decode(text, validate=True)) + decryptor.finalize()
    return unpadder.update(padded) + unpadder.finalize()


def _mac(key: bytes, message: bytes) -> str:
    return base64.b64encode(hmac.digest(key, message, "sha256")).decode()


class Client(ABC):
    """What both profiles share: the calls, the envelope of 8.1 and the large files of 7."""

    prefix: str
    file_folders: tuple[str, ...] = ("standard/gstn/files",)

    def __init__(self, base: str, gstin: str) -> None:
        self.base = base.rstrip("/")
        self.gstin = gstin
        self.last_request: Request | None = None

    def get(self, path: str, action: str, **params: str) -> Answer:
        """Ask for an action below the profile's address; `gstin` goes along unless another one is named."""
        query = urlencode({"action": action, "gstin": self.gstin, **params})
        return self._send("GET", f"{path}?{query}", None, self._headers_of(params))

    def put(self, path: str, body: Json, **headers: str) -> Answer:
        """Send `{action, data, ..}` with PUT; `headers` are extra ones such as `ret_period`."""
        return self._send("PUT", path, self._body(body), self._headers_of({}) | headers)

    def post(self, path: str, body: Json, **headers: str) -> Answer:
        """Send `{action, data, ..}` with POST; `headers` are extra ones such as `ret_period`, `rtn_typ`, `userrole`."""
        return self._send("POST", path, self._body(body), self._headers_of({}) | headers)

    def resend(self, request: Request | None = None) -> Answer:
        """Repeat a request, by default the last one, with the same bytes and headers, `txn` included."""
        request = request or self.last_request
        assert request is not None, "nothing was sent yet"
        return self._answer(request, *exchanged(request))

    def file_details(self, path: str, token: str, **params: str) -> Answer:
        """Ask FILEDET for the files behind a token; while they are being made the answer has code RTN_24."""
        return self.get(path, "FILEDET", token=token, **params)

    def fetch_parts(self, details: Json) -> list[Json]:
        """Download, check, open and read every file that FILEDET named, in its order."""
        assert set(details) == {"fc", "ek", "urls"}, f"keys of FILEDET: {sorted(details)}"
        assert type(details["fc"]) is int, "fc is a whole number"
        assert details["fc"] == len(details["urls"]), "fc counts the files"
        key = base64.b64decode(details["ek"], validate=True)
        assert len(key) == 32, "ek is a key of AES-256"
        return [self._part(key, url) for url in details["urls"]]

    def _part(self, key: bytes, url: Json) -> Json:
        assert set(url) == {"ul", "ic", "hash"}, f"keys of a file: {sorted(url)}"
        assert type(url["ic"]) is int, "ic is a whole number"
        packed = self._file(url["ul"])
        assert hashlib.sha256(packed).hexdigest() == url["hash"], f"{url['ul']} is not what its hash says"
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(packed)), mode="r:") as archive:
            names = archive.getnames()
            assert len(names) == 1, f"one file was expected in {url['ul']}, not {names}"
            assert names[0].endswith(".json"), f"{names[0]} is no .json file"
            member = archive.extractfile(names[0])
            assert member is not None, f"{names[0]} is no file"
            text = member.read().decode("ascii")
        return read(base64.b64decode(_opened(key, text), validate=True))

    def _file(self, address: str) -> bytes:
        if address.startswith("https://"):
            return _downloaded(address)
        assert "/" not in address, f"{address} is neither an https address nor a bare file name"
        copies = [_downloaded(f"{self.base}/{folder}/{address}") for folder in self.file_folders]
        assert all(copy == copies[0] for copy in copies), f"{address} differs between {self.file_folders}"
        return copies[0]

    def _send(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        kinds = {"Accept": "application/json"} | ({"Content-Type": "application/json"} if body else {})
        request = Request(method, f"{self.base}/{self.prefix}/{path}", tuple((kinds | headers).items()), body)
        self.last_request = request
        return self._answer(request, *exchanged(request))

    def _answer(self, request: Request, status: int, raw: bytes) -> Answer:
        if status in FOREIGN_STATUSES and not raw.lstrip().startswith(b"{"):
            return Answer(status, ok=False, result={}, message=raw[:500].decode(errors="replace"))
        whole = read(raw)
        assert type(whole.get("status_cd")) is int, f"status_cd is a whole number (HTTP {status}): {raw[:500]!r}"
        if whole["status_cd"] == 0:
            assert set(whole) == {"status_cd", "error"}, f"keys of an error: {sorted(whole)}"
            error = whole["error"]
            assert set(error) == {"error_cd", "message"}, f"keys inside error: {sorted(error)}"
            assert all(isinstance(text, str) for text in error.values()), f"texts were expected in {error}"
            return Answer(status, ok=False, result={}, code=error["error_cd"], message=error["message"])
        assert whole["status_cd"] == 1, f"status_cd is 0 or 1, not {whole['status_cd']}"
        assert status == 200, f"a success with HTTP {status}"
        result = self._result(request, whole)
        assert isinstance(result, dict), "a result is an object"
        return Answer(status, ok=True, result=result)

    @abstractmethod
    def _headers_of(self, params: dict[str, str]) -> dict[str, str]: ...

    @abstractmethod
    def _body(self, body: Json) -> bytes: ...

    @abstractmethod
    def _result(self, request: Request, whole: Json) -> Json: ...


def _downloaded(url: str) -> bytes:
    status, raw = exchanged(Request("GET", url, (), None))
    assert status == 200, f"{url} answers HTTP {status}"
    return raw


class Plain(Client):
    """The plain profile of 8.2: a bearer token and open JSON below /gstn/."""

    prefix = "gstn"
    file_folders = ("standard/gstn/files", "gstn/files")

    def __init__(self, base: str, gstin: str, token: str) -> None:
        super().__init__(base, gstin)
        self.token = token

    def _headers_of(self, params: dict[str, str]) -> dict[str, str]:  # noqa: ARG002 the other profile reads it
        return {"Authorization": f"Bearer {self.token}"}

    def _body(self, body: Json) -> bytes:
        return written(body).encode()

    def _result(self, request: Request, whole: Json) -> Json:
        assert set(whole) == {"status_cd", "result"}, f"keys of a success at {request.url}: {sorted(whole)}"
        result: Json = whole["result"]
        return result


class Encrypted(Client):
    """The encrypted profile of 8.3: sign in by OTP, then sealed requests and answers below /standard/gstn/."""

    prefix = "standard/gstn"

    def __init__(self, base: str, gstin: str, username: str) -> None:
        super().__init__(base, gstin)
        self.username = username
        self.app_key = secrets.token_hex(16)
        self.auth_token = ""
        self.session_key = b""
        self.expiry_minutes = 0
        self._certificate: RSAPublicKey | None = None

    def ask_otp(self) -> Answer:
        """Ask for a one-time password for a new session, leaving the old one behind."""
        self.auth_token, self.app_key = "", secrets.token_hex(16)
        return self._authenticate({"action": "OTPREQUEST", "app_key": self._app_key_under_certificate()})

    def sign_in(self, otp: str) -> Answer:
        """Open a session with the one-time password; the session key is kept on success."""
        sealed = _sealed(self.app_key.encode(), otp.encode())
        body = {"action": "AUTHTOKEN", "app_key": self._app_key_under_certificate(), "otp": sealed}
        return self._session(self._authenticate(body), self.app_key)

    def refresh(self) -> Answer:
        """Exchange the session for a fresh one, under a new app key sealed with the old session key."""
        app_key = secrets.token_hex(16)
        sealed = _sealed(self.session_key, app_key.encode())
        body = {"action": "REFRESHTOKEN", "app_key": sealed, "auth_token": self.auth_token}
        return self._session(self._authenticate(body), app_key)

    def ask_filing_otp(self, pan: str, form_type: str) -> Answer:
        """Ask for the one-time password with which a return is signed."""
        return self.get("authenticate", "EVCOTP", pan=pan, form_type=form_type)

    def _authenticate(self, body: Json) -> Answer:
        raw = written({**body, "username": self.username}).encode()
        return self._send("POST", "authenticate", raw, self._headers_of({}))

    def _session(self, answer: Answer, app_key: str) -> Answer:
        if answer.ok:
            assert set(answer.result) == SESSION_KEYS, f"keys of a session: {sorted(answer.result)}"
            session_key = _opened(app_key.encode(), answer.result["sek"])
            assert len(session_key) == 32, "a session key has 32 bytes"
            self.app_key, self.session_key = app_key, session_key
            self.auth_token = answer.result["auth_token"]
            self.expiry_minutes = int(answer.result["expiry"])
            assert self.expiry_minutes > 0, "a session lasts for some minutes"
        return answer

    def _app_key_under_certificate(self) -> str:
        if self._certificate is None:
            whole = read(_downloaded(f"{self.base}/static/gstn_g2b_prod_public"))
            assert set(whole) == {"certificate"}, f"keys beside the certificate: {sorted(whole)}"
            key = x509.load_pem_x509_certificate(whole["certificate"].encode()).public_key()
            assert isinstance(key, RSAPublicKey), "the certificate holds an RSA key"
            self._certificate = key
        return base64.b64encode(self._certificate.encrypt(self.app_key.encode(), PKCS1v15())).decode()

    def _headers_of(self, params: dict[str, str]) -> dict[str, str]:
        who = {"gstin": self.gstin, "state-cd": self.gstin[:2], "username": self.username}
        if self.auth_token:
            who["auth-token"] = self.auth_token
        if period := params.get("ret_period") or params.get("rtnprd"):
            who["ret_period"] = period
        return who | {"x-api-key": "test-software", "txn": secrets.token_hex(16)}

    def _body(self, body: Json) -> bytes:
        message = base64.b64encode(written(body["data"]).encode())
        seal = {"hmac": _mac(self.session_key, message)}
        if body.get("st") == "EVC":
            seal = {"sign": _mac(body["sid"].encode(), message)}
        return written({**body, "data": _sealed(self.session_key, message), **seal}).encode()

    def _result(self, request: Request, whole: Json) -> Json:
        rest = {key: value for key, value in whole.items() if key != "status_cd"}
        if urlsplit(request.url).path.endswith("/authenticate") and rest.keys() in (frozenset(), SESSION_KEYS):
            return rest
        if rest.keys() == {"result"}:
            shortcut: Json = rest["result"]
            return shortcut
        assert rest.keys() == {"rek", "data", "hmac"}, f"keys of a success at {request.url}: {sorted(whole)}"
        rek = _opened(self.session_key, rest["rek"])
        assert len(rek) == 32, "rek is a key of AES-256"
        message = _opened(rek, rest["data"])
        assert _mac(rek, message) == rest["hmac"], f"the hmac at {request.url} is wrong"
        return read(base64.b64decode(message, validate=True))


# -- The tables ------------------------------------------------------------------------------------------------------

NAMES = {  # 3.1
    "b2b": ("B2B",), "b2ba": ("B2BA",), "b2bdn": ("DN", "B2BDN"), "b2bdna": ("DNA", "B2BDNA"),
    "b2bcn": ("CN", "B2BCN"), "b2bcna": ("CNA", "B2BCNA"), "ecom": ("ECOM",), "ecoma": ("ECOMA",),
    "impg": ("IMPG",), "impga": ("IMPGA",), "impgsez": ("IMPGSEZ",), "impgseza": ("IMPGSEZA",),
}  # fmt: skip
BLOCKS = {  # 3.6
    "all_oth": ("b2b", "b2ba", "b2bdn", "b2bdna", "b2bcn", "b2bcna", "ecom", "ecoma"),
    "inv_supp_isd": ("isd", "isda", "isdcn", "isdcna"),
    "imp_gds": ("impg", "impga", "impgsez", "impgseza"),
}
TAXES = ("iamt", "camt", "samt", "cess")
DECLARED = ("declIgst", "declCgst", "declSgst", "declCess")
HEADS = ("igst", "cgst", "sgst", "cess")


class Shape(NamedTuple):
    """Which keys a row must have and which it may have besides."""

    must: frozenset[str]
    may: frozenset[str]


def shape(must: str, may: str = "") -> Shape:
    """Make a shape of two lists of words."""
    return Shape(frozenset(must.split()), frozenset(may.split()))


_RECORD = "stin action ispendactblocked srcform rtnprd srcfilstatus val pos txval iamt camt samt cess hash "
_REMARKS = "remarks isRemarksBlocked "
_REDUCED = "itcRedReq declIgst declCgst declSgst declCess "
ASKED = _REMARKS + _REDUCED + "isItcRedReqBlocked"
_BILL = "rgstinrefId ispendactblocked irefdt itcprd portcd boenum boedt action txval igst cess srtinprd hash "
_BILL_ASKED = "itcRedReq declIgst declCess"
IMS_ROWS = {  # 3.2, 3.8
    "b2b": shape(_RECORD + "inum idt inv_typ", _REMARKS),
    "b2ba": shape(_RECORD + "inum idt oinum oidt inv_typ", ASKED),
    "b2bdn": shape(_RECORD + "nt_num nt_dt inv_typ", _REMARKS),
    "b2bdna": shape(_RECORD + "nt_num nt_dt ont_num ont_dt inv_typ", ASKED),
    "b2bcn": shape(_RECORD + "nt_num nt_dt inv_typ", ASKED),
    "b2bcna": shape(_RECORD + "nt_num nt_dt ont_num ont_dt inv_typ", ASKED),
    "ecom": shape(_RECORD + "inum idt", _REMARKS),
    "ecoma": shape(_RECORD + "inum idt oinum oidt", ASKED),
    "impg": shape(_BILL),
    "impga": shape(_BILL + "amendType isItcRedReqBlocked", _BILL_ASKED),
    "impgsez": shape(_BILL + "stin tradenm"),
    "impgseza": shape(_BILL + "stin tradenm amendType isItcRedReqBlocked", _BILL_ASKED),
}

EINVOICE = "srctyp irn irngendate "
_DOCUMENT = "typ dt val pos rev itcavl rsn txval igst cgst sgst cess "
_SINCE_2025 = _REDUCED + "remarks "
_ISD = "doctyp docnum docdt igst cgst sgst cess itcelg "
_BILL_2B = shape("refdt recdt portcode boenum boedt isamd txval igst cess", "amendType " + _SINCE_2025)
STATEMENT_ROWS = {  # 5.2: the list inside a group, the rows of it
    "b2b": ("inv", shape(_DOCUMENT + "inum diffprcnt", EINVOICE + _SINCE_2025)),
    "b2ba": ("inv", shape(_DOCUMENT + "inum diffprcnt oinum oidt", _SINCE_2025)),
    "cdnr": ("nt", shape(_DOCUMENT + "ntnum suptyp diffprcnt", EINVOICE + _SINCE_2025)),
    "cdnra": ("nt", shape(_DOCUMENT + "ntnum suptyp diffprcnt onttyp ontnum ontdt", _SINCE_2025)),
    "ecom": ("inv", shape(_DOCUMENT + "inum", EINVOICE + _SINCE_2025)),
    "ecoma": ("inv", shape(_DOCUMENT + "inum oinum oidt", _SINCE_2025)),
    "isd": ("doclist", shape(_ISD, "oinvnum oinvdt")),
    "isda": ("doclist", shape(_ISD + "odoctyp odocnum odocdt", "oinvnum oinvdt")),
    "impg": ("", _BILL_2B),
    "impgsez": ("boe", _BILL_2B),
}
BUCKETS = {  # 5.4
    "nonrevsup": ("b2b", "b2ba", "cdnr", "cdnra", "ecom", "ecoma"),
    "isdsup": ("isd", "isda"),
    "revsup": ("b2b", "b2ba", "cdnr", "cdnra"),
    "imports": ("impg", "impgsez", "impga", "impgasez"),
    "othersup": ("cdnr", "cdnra", "cdnrrev", "cdnrarev", "isd", "isda"),
}
AMOUNTS = frozenset({"val", "txval", *TAXES, *HEADS, *DECLARED})
_DATES = "idt nt_dt oidt ont_dt irefdt boedt dt ontdt docdt oinvdt odocdt refdt recdt irngendate supfildt gendt"
TEXTS = {  # 1.1, 1.3, 1.5, 3.2, 5.2
    key: re.compile(pattern, re.DOTALL)
    for pattern, keys in (
        (r"[0-9]{2}[A-Z0-9]{13}", "stin ctin"), (r"[A-Z0-9]{6}", "portcd portcode"), (r"[0-9]{7}", "boenum"),
        (r"[A-Za-z0-9][A-Za-z0-9\-/]{0,15}", "inum nt_num oinum ont_num ntnum ontnum docnum oinvnum odocnum"),
        (r"(0[1-9]|[12][0-9]|3[01])-(0[1-9]|1[0-2])-[0-9]{4}", _DATES),
        (r"(0[1-9]|1[0-2])[0-9]{4}", "rtnprd itcprd srtinprd supprd"), (r"[0-9a-f]{64}", "hash irn"),
        (r"Y|N", "ispendactblocked itcRedReq isItcRedReqBlocked isRemarksBlocked rev isamd itcelg"),
        (r"Y|N|T", "itcavl"), (r"P|C|", "rsn"), (r"A|R|P|N", "action"), (r"A|G", "amendType"), (r"C|D", "onttyp"),
        (r"R|DE|SEZWP|SEZWOP|CBW", "inv_typ suptyp"), (r"R|DE|SEZWP|SEZWOP|CBW|C|D", "typ"),
        (r"ISDI|ISDC", "doctyp odoctyp"), (r"R1|R1A|R5", "srcform"), (r"Filed|Not Filed", "srcfilstatus"),
        (r"0[1-9]|[12][0-9]|3[0-8]|96|97", "pos"), (r".{1,250}", "remarks"),
        (r".+", "tradenm rgstinrefId srctyp"), (r".*", "trdnm"),
    )
    for key in keys.split()
}  # fmt: skip


def fits(row: Row, form: Shape, where: str) -> None:
    """Check that a row has exactly the keys of its table and that every value is of its kind."""
    missing, extra = form.must - row.keys(), row.keys() - form.must - form.may
    assert not missing, f"{where} without {sorted(missing)}: {row}"
    assert not extra, f"{where} with {sorted(extra)}: {row}"
    for key, value in row.items():
        problem = problem_of(key, value)
        assert not problem, f"{where}: {key} {problem}: {row}"


def problem_of(key: str, value: object) -> str:
    """Say what is wrong with the value of a key, or nothing."""
    if key in AMOUNTS or key == "diffprcnt":
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            return "is no number"
        if key == "diffprcnt":
            return "" if value in {1, Decimal("0.65")} else "is neither 1 nor 0.65"
        return "is negative" if value < 0 else "has more than 2 decimals" if round(value, 2) != value else ""
    if not isinstance(value, str):
        return "is no text"
    return "" if TEXTS[key].fullmatch(value) else "has another form or is not in the list"


def number_of(row: Row) -> str:
    """Name the number under which a row of IMS goes: of the invoice, the note or the bill of entry."""
    return next(str(row[key]) for key in ("inum", "nt_num", "boenum") if key in row)


def our_hash(gstin: str, section: str, row: Row) -> str:
    """Compute "our hash" of 3.2 for a document or a bill of entry."""
    if section in BLOCKS["imp_gds"]:
        texts = [row.get(key, "") for key in ("stin", "portcd", "boenum", "boedt", "irefdt", "itcprd")]
        values = [*texts, *(_two_decimals(row[key]) for key in ("txval", "igst", "cess"))]
    else:
        pairs = (("inum", "nt_num"), ("idt", "nt_dt"), ("oinum", "ont_num"), ("oidt", "ont_dt"))
        numbers = [row.get(invoice, row.get(note, "")) for invoice, note in pairs]
        texts = [row.get("inv_typ", ""), row["srcform"], row["rtnprd"], _two_decimals(row["val"]), row["pos"]]
        values = [row["stin"], *numbers, *texts, *(_two_decimals(row[key]) for key in ("txval", *TAXES))]
    return hashlib.sha256("|".join([gstin, section, *values]).encode()).hexdigest()


def _two_decimals(value: int | Decimal) -> str:
    return f"{Decimal(value):.2f}"


def our_chksum(data: Json) -> str:
    """Compute "our chksum" of 5.1 with the digits as they came."""
    return hashlib.sha256(written(data, sort=True).encode()).hexdigest()
