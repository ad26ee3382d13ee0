"""R's desk: the recipient, and somebody of it who may act."""

from __future__ import annotations

import pytest
from django.test import Client

from ims_portal.models import Taxpayer, User
from tests import factories


@pytest.fixture
def recipient() -> Taxpayer:
    """Return the recipient."""
    return factories.taxpayer()


@pytest.fixture
def preparer(client: Client, recipient: Taxpayer) -> User:
    """Return somebody who may act, signed in."""
    found = factories.member(recipient, "preparer", "ravi")
    client.force_login(found)
    return found
