"""What several tests of the log's pages begin with."""

from __future__ import annotations

import pytest
from django.utils import timezone

from ims_portal import audit, clock
from ims_portal.clock import Fixed
from ims_portal.models import Taxpayer
from tests import factories
from tests.ims_portal import log_desk


@pytest.fixture
def real(monkeypatch: pytest.MonkeyPatch) -> Fixed:
    """Return the real clock, standing until the test moves it."""
    found = Fixed(timezone.now())
    monkeypatch.setattr(clock, "real", found.now)
    return found


@pytest.fixture
def meera() -> Taxpayer:
    """Return a taxpayer of whom the log tells two things of its own, another one, and the portal a third."""
    found = factories.taxpayer(log_desk.GSTIN, name="Meera Traders")
    owner = factories.member(found, "signatory", "owner")
    for event, details in (("export.made", {"export": log_desk.SECRET}), ("role.given", {"user": 3})):
        log_desk.record(event, found, owner, details, capacity="signatory")
    log_desk.record("export.made", factories.taxpayer(log_desk.OTHER), None, {"export": "another's"})
    adm = factories.user("adm9", is_staff=True)
    audit.record(event="clock.set", at=log_desk.at(), actor=adm, details={"to": "2025-11-12"})
    return found
