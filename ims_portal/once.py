"""One effect per request id: the answer of a command is kept with a hash of what was asked (F02, F03)."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping

from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from ims_portal.models import Command, User


class MismatchError(Exception):
    """A request id came again with another body: nothing was done."""

    code = "IDEMPOTENCY_MISMATCH"


def claim(*, actor: User, key: uuid.UUID, body: Mapping[str, object]) -> Command:
    """Return the command of a request id, new or as answered before. This will join the caller's transaction.

    A twin that runs at the same moment waits here until the first commits. `answer` is empty only for the first:
    the caller does the work and calls `answered`. Raises MismatchError when the id was used for something else.
    """
    body_hash = _hash(body)
    try:
        with transaction.atomic():
            return Command.objects.create(actor=actor, key=key, body_hash=body_hash)
    except IntegrityError:
        earlier = Command.objects.get(actor=actor, key=key)
    if earlier.body_hash != body_hash:
        raise MismatchError(_("This form was already used for another request. Open the page again."))
    return earlier


def earlier(*, actor: User, key: uuid.UUID, body: Mapping[str, object]) -> dict[str, object]:
    """Return the answer a request had when it came before, empty where it did not. Raises MismatchError as `claim`.

    For commands whose second coming would be refused before it could be claimed: a document entered twice.
    """
    found = Command.objects.filter(actor=actor, key=key).first()
    if found is None:
        return {}
    if found.body_hash != _hash(body):
        raise MismatchError(_("This form was already used for another request. Open the page again."))
    return dict(found.answer or {})


def answer(*, actor: User, key: uuid.UUID) -> dict[str, object]:
    """Return the answer kept of a request, empty where there is none: one query. For the page that shows it."""
    found = Command.objects.filter(actor=actor, key=key).first()
    return dict(found.answer or {}) if found else {}


def _hash(body: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True, cls=DjangoJSONEncoder).encode()).hexdigest()


def answered(command: Command, answer: Mapping[str, object]) -> None:
    """Keep the answer of a command. This will join the caller's transaction."""
    command.answer = dict(answer)
    command.save(update_fields=["answer"])
