"""Secrets that the database keeps so that only the portal's own secret key reads them (promises 4.3)."""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


def keeper(purpose: str) -> MultiFernet:
    """Return what keeps the secrets of a purpose: under SECRET_KEY, and readable under its earlier ones too.

    What is kept for one purpose is not read for another.
    """
    return MultiFernet([_fernet(secret, purpose) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _fernet(secret: str, purpose: str) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode()).derive(secret.encode())
    return Fernet(base64.urlsafe_b64encode(derived))
