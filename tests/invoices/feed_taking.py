"""Feeds taken in by tests: what became of one, what it was refused for, and the importers it is about."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any, BinaryIO

import pytest

from ims_portal.models import AuditEvent, Taxpayer
from invoices import feeds
from invoices.feeds import FeedRefusedError, Taken
from invoices.feeds_json import bills, isd, reversals
from invoices.models import ActionEvent, BillOfEntry, Inbox, IsdDocument, Record, Reversal, SupplierReturn
from tests import factories
from tests.invoices import feed_files as files

ON = "2026-11-12"


def stream(file: dict[str, Any]) -> BinaryIO:
    """Return a file to read from."""
    return BytesIO(json.dumps(file).encode())


def take_bills(*records: dict[str, Any], on: str = ON, **around: object) -> Taken:
    """Return what became of a feed of bills."""
    return feeds.take_bills(found=bills.read(stream(files.bills(*records, **around))), clock=factories.clock(on))


def take_isd(file: dict[str, Any], on: str = ON) -> Taken:
    """Return what became of a GSTR-6."""
    return feeds.take_isd(found=isd.read(stream(file)), clock=factories.clock(on))


def take_reversals(*records: dict[str, Any], on: str = ON, **around: object) -> Taken:
    """Return what became of a list of reversals."""
    return feeds.take_reversals(
        found=reversals.read(stream(files.reversals(*records, **around))), clock=factories.clock(on)
    )


def refused(take: Callable[[], Taken]) -> list[tuple[str, str, str]]:
    """Return (position, field, code) of what a feed was refused for; it left nothing behind."""
    before = stored()
    with pytest.raises(FeedRefusedError) as told:
        take()
    assert stored() == before
    assert all(problem.position in problem.message for problem in told.value.problems)
    return [(problem.position, problem.field, problem.code) for problem in told.value.problems]


def stored() -> list[list[object]]:
    """Return everything a feed may write."""
    kinds = (Record, BillOfEntry, IsdDocument, Reversal, SupplierReturn, Inbox, Taxpayer, AuditEvent, ActionEvent)
    return [list(kind.objects.order_by("pk").values()) for kind in kinds]


def recipient() -> Taxpayer:
    """Return the importer of the files."""
    return Taxpayer.objects.get(gstin=files.IMPORTER)


def closed(month: str, on: str) -> None:
    """File the importer's period."""
    factories.filed_period(recipient(), period=month, on=on)
