"""Doors reach rows of taxpayers by what `access` let in: a query of their own is named here, with what bounds it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
DOORS = ("views", "api", "gstn")
QUERY = re.compile(r"\b(\w+)\.objects\b")
NOBODYS = {"Taxpayer", "User", "Authenticator", "FeedBatch"}
"""Names in returns are public; users, their factors and feeds are no taxpayer's."""

BOUNDED = {
    "invoices/api/documents.py": {"Record": "supplier: the taxpayer that was entered"},
    "invoices/gstn/gstr1.py": {
        "SupplierReturn": "supplier: the taxpayer that was entered",
        "Upload": "taxpayer: the one that was entered",
    },
    "invoices/views/entry.py": {"ActionEvent": "of a record that was found for the taxpayer"},
    "invoices/views/messages.py": {"Record": "supplier or recipient: the taxpayer that was entered"},
    "returns/api/gstr2b.py": {"Inbox": "key: the taxpayer that was entered"},
    "returns/gstn/gstr2b.py": {
        "Gstr2bJob": "taxpayer: the one that was entered",
        "Inbox": "key: the taxpayer that was entered",
    },
    "returns/views/whatif.py": {"Record": "recipient: the taxpayer that was entered"},
}


def doors() -> list[Path]:
    """Return every source of a door."""
    return [
        path
        for room in ("ims_portal", "invoices", "returns")
        for door in DOORS
        for path in (PROJECT / room / door).rglob("*.py")
    ]


@pytest.mark.parametrize("path", doors(), ids=lambda path: path.relative_to(PROJECT).as_posix())
def test_a_door_asks_for_no_rows_but_those_named(path: Path) -> None:
    asked = set(QUERY.findall(path.read_text())) - NOBODYS
    assert asked <= set(BOUNDED.get(path.relative_to(PROJECT).as_posix(), {}))


def test_what_is_named_is_still_asked() -> None:
    for name, models in BOUNDED.items():
        assert set(models) <= set(QUERY.findall((PROJECT / name).read_text())), name
