"""What the sealed way needs before anybody can enter, looked at by every command (manage.py check)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from ims_portal.gstn import certificate


@register()
def key_file(**_told: Any) -> list[CheckMessage]:  # noqa: ANN401 - Django's signature
    """Refuse a file of key and certificate that lets no program in."""
    problem = certificate.problem() if settings.GSTN_ENCRYPTED_PROFILE else ""
    hint = "Name another file in GSTN_KEY_FILE, or none: it is made then."
    return [Error(problem, hint=hint, id="gstn.E001")] if problem else []
