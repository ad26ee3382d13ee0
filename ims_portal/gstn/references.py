"""References of requests that were carried out at once: clients ask what became of them all the same (formats 2.4)."""

from __future__ import annotations

import uuid

from django.db import transaction

from ims_portal import once
from ims_portal.models import Taxpayer, User


def keep(*, actor: User, taxpayer: Taxpayer, form: str, action: str) -> str:
    """Return a reference of something that was done for a form (R1, R1A, R3B)."""
    key = uuid.uuid4()
    told = {"gstin": taxpayer.gstin, "form_typ": form, "action": action}
    with transaction.atomic():
        command = once.claim(actor=actor, key=key, body={"do": "reference", **told})
        once.answered(command, {"reference": told})
    return key.hex


def status(*, actor: User, taxpayer: Taxpayer, key: uuid.UUID) -> dict[str, object] | None:
    """Return what a client is told of a reference of its person and GSTIN, None for any other."""
    told = once.answer(actor=actor, key=key).get("reference")
    if not isinstance(told, dict) or told["gstin"] != taxpayer.gstin:
        return None
    return {"status_cd": "P", "form_typ": told["form_typ"], "action": told["action"], "error_report": {}}
