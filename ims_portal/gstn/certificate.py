"""The key pair programs seal their own key under, and the certificate that tells them of it (formats 8.3)."""

from __future__ import annotations

import os
import tempfile
from datetime import timedelta
from functools import lru_cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID
from django.conf import settings

from ims_portal.clock import real
from ims_portal.sealing import SealError

BITS = 2048
LASTS = timedelta(days=3650)
NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "IMS Portal, not run by GSTN")])


def text() -> str:
    """Return the certificate in PEM."""
    return _certificate(_file().read_bytes()).public_bytes(Encoding.PEM).decode()


def opened(sealed: bytes) -> bytes:
    """Return what was sealed under the certificate. Raises SealError."""
    key = _private_key(_file().read_bytes())
    try:
        return key.decrypt(sealed, PKCS1v15())
    except ValueError:
        raise SealError from None


def problem() -> str:
    """Return what is wrong with the file of key and certificate, "" where it is good, or is yet to be made."""
    path = Path(settings.GSTN_KEY_FILE)
    if not path.exists():
        return ""
    try:
        pem = path.read_bytes()
        ours, told = _private_key(pem).public_key(), _certificate(pem).public_key()
    except (OSError, ValueError, TypeError) as wrong:
        return f"{path} holds no RSA key without a password and its certificate, in PEM: {wrong}"
    return "" if ours == told else f"The certificate in {path} is of another key."


@lru_cache(maxsize=2)
def _private_key(pem: bytes) -> rsa.RSAPrivateKey:
    found = load_pem_private_key(pem, password=None)
    if not isinstance(found, rsa.RSAPrivateKey):
        raise TypeError("GSTN_KEY_FILE holds another kind of key: clients seal under RSA only.")
    return found


@lru_cache(maxsize=2)
def _certificate(pem: bytes) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem)


def _file() -> Path:
    """Return the file of key and certificate; where there is none it is made, once for all processes."""
    path = Path(settings.GSTN_KEY_FILE)
    if not path.is_file():
        _make(path)
    return path


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent) as made:  # only its owner may read it
        made.write(_new_pem())
        made.flush()
        os.fsync(made.fileno())
        try:
            os.link(made.name, path)
        except FileExistsError:
            return


def _new_pem() -> bytes:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=BITS)
    builder = x509.CertificateBuilder(NAME, NAME, key.public_key(), x509.random_serial_number())
    since = real() - timedelta(days=1)
    certificate = builder.not_valid_before(since).not_valid_after(since + LASTS).sign(key, SHA256())
    plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return plain + certificate.public_bytes(Encoding.PEM)
