"""How GSTN's clients seal what they send and read: AES-256-ECB over base64, HMAC-SHA256 (formats 7, 8.3).

ECB is what those clients demand; it hides nothing that TLS does not hide better, and only TLS protects the connection.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Iterator

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.padding import PKCS7, PaddingContext

KEY_OCTETS = 32


class SealError(Exception):
    """What was to be opened is no such thing, or sealed under another key."""


def sealed(key: bytes, plain: bytes) -> str:
    """Return octets sealed under a key of 32, in base64."""
    padder, encryptor = PKCS7(AES256.block_size).padder(), _cipher(key).encryptor()
    padded = padder.update(plain) + padder.finalize()
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()


def opened(key: bytes, text: str) -> bytes:
    """Return the octets that were sealed under a key of 32. Raises SealError."""
    try:
        decryptor, unpadder = _cipher(key).decryptor(), PKCS7(AES256.block_size).unpadder()
        padded = decryptor.update(base64.b64decode(text, validate=True)) + decryptor.finalize()
        return unpadder.update(padded) + unpadder.finalize()
    except (ValueError, binascii.Error):
        raise SealError from None


def signed(key: bytes, message: bytes) -> str:
    """Return the HMAC of a message under a key, in base64."""
    return base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode()


def pieces(key: bytes, texts: Iterable[str]) -> Iterator[bytes]:
    """Yield what a part of a large answer holds: base64 of the seal of base64 of the texts, a piece at a time."""
    padder, encryptor = PKCS7(AES256.block_size).padder(), _cipher(key).encryptor()
    inner = _in_base64(text.encode() for text in texts)
    yield from _in_base64(_sealed_pieces(inner, padder, encryptor))


def _sealed_pieces(plain: Iterable[bytes], padder: PaddingContext, encryptor: CipherContext) -> Iterator[bytes]:
    for each in plain:
        yield encryptor.update(padder.update(each))
    yield encryptor.update(padder.finalize()) + encryptor.finalize()


def _in_base64(octets: Iterable[bytes]) -> Iterator[bytes]:
    """Yield base64 of octets that come in pieces of any length: three at a time become four letters."""
    left = b""
    for each in octets:
        left += each
        whole = len(left) - len(left) % 3
        yield base64.b64encode(left[:whole])
        left = left[whole:]
    yield base64.b64encode(left)


def _cipher(key: bytes) -> Cipher[ECB]:
    return Cipher(AES256(key), ECB())  # noqa: S305 the clients' own mode  # nosec B305
