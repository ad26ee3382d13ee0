"""The practice of a sandbox: clients with something to do, told apart by what is at risk."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import CommandError, call_command

from ims_portal import access
from invoices.models import Record
from returns import clients, practice
from returns.models import Gstr2b
from tests import factories

pytestmark = pytest.mark.django_db


def test_a_practice_has_clients_with_records_at_risk_and_is_made_once() -> None:
    at = factories.at("2025-11-16")
    made = practice.make(clients=6, documents=24, at=at)
    assert made.period.month == 202510
    listed = clients.of(access.all_of(user=made.user, at=at), at=at)
    assert len(listed) == 6
    assert all(client.at_risk > 0 for client in listed)
    assert [client.at_risk for client in listed] == sorted((client.at_risk for client in listed), reverse=True)
    assert Record.objects.filter(recipient__in=made.clients).count() == 6 * 24
    assert Gstr2b.objects.count() == 4
    with pytest.raises(practice.AlreadyMadeError):
        practice.make(clients=1, documents=24, at=at)


def test_before_the_draft_day_no_statement_is_made() -> None:
    practice.make(clients=3, documents=12, at=factories.at("2025-11-13"))
    assert not Gstr2b.objects.exists()


def test_no_practice_is_made_outside_a_sandbox(settings: Any) -> None:  # noqa: ANN401 fixture of pytest-django
    settings.IMS_SANDBOX = False
    with pytest.raises(CommandError, match="for a sandbox only"):
        call_command("practice", clients=1, documents=12)
