"""What `manage.py check --database default` refuses in production, and lets pass."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.core.checks import run_checks
from django.db import connection

from ims_portal import embedded, grants
from ims_portal.models import PortalClock
from tests import live

pytestmark = pytest.mark.django_db


def refused() -> list[str]:
    return [one.id for one in run_checks(databases=["default"]) if one.id.startswith("ims.")]


@pytest.fixture
def production(settings: LazySettings) -> LazySettings:
    settings.IMS_SANDBOX = False
    return settings


def test_a_date_that_was_set_is_refused(production: LazySettings) -> None:
    production.ROLE = "command"
    assert refused() == []
    PortalClock.objects.create(pk=1, ahead=timedelta(days=1))
    assert refused() == ["ims.E001"]


def test_who_serves_people_may_not_be_the_owner(production: LazySettings) -> None:
    production.ROLE = "command"
    assert refused() == []
    production.ROLE = "web"
    assert refused() == ["ims.E002"]


def test_a_sandbox_may_do_both(settings: LazySettings) -> None:
    settings.ROLE = "web"
    PortalClock.objects.create(pk=1, ahead=timedelta(days=1))
    assert refused() == []


def test_who_serves_people_has_its_time_limits(settings: LazySettings) -> None:
    settings.ROLE = "web"
    assert refused() == []
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '1min'")
    assert refused() == ["ims.E003", "ims.E003"]


def test_the_role_that_works_here_passes() -> None:
    told = {"DATABASE_URL": live.address_of(grants.APP), "IMS_SANDBOX": "false", "IMS_ROLE": "web"}
    told["IMS_DEMO_CODES"] = "false"
    command = [sys.executable, embedded.PROJECT / "manage.py", "check", "--database", "default"]
    done = subprocess.run(command, env=os.environ | told, capture_output=True, text=True, check=False)
    assert "no issues" in done.stdout + done.stderr
