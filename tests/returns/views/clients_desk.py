"""The list of clients in tests: whose it is, and how something is asked for ticked ones."""

from __future__ import annotations

import uuid

from django.http import HttpResponse
from django.test import Client

from tests.returns.test_clients import gstin

PAGE = "/en/clients/"
OTHER = gstin("24AAACU1234C1Z")
"""The second client of the practitioner `firm`, of whom nothing was reported."""


def ask(firm: Client, do: str, *ticked: str, key: str = "") -> HttpResponse:
    """Ask for ticked clients what a button says."""
    return firm.post(PAGE, {"do": do, "tick": list(ticked), "request_id": key or str(uuid.uuid4())})
