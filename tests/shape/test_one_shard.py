"""What a recipient does touches one shard: each statement of a hot path tells whose rows it means, not an id alone.

Statements are read as text: each table of `placing.DISTRIBUTED` in one must have its column compared, or written, and
somewhere the comparing must end at a value. What spans recipients for a reason is named below with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ims_portal import placing
from ims_portal.clock import Fixed
from ims_portal.rules.actions import Action
from ims_portal.rules.documents import Form, Section
from invoices import actions, bulk, outward
from invoices.actions import Choice, Item
from invoices.bulk import Which
from invoices.models import Batch
from returns import gstr2b, gstr3b
from returns.models import Filing
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
TODAY = "2025-11-15"
NAMED = re.compile(
    r'\b(?:FROM|JOIN|UPDATE|INTO|,)\s+"?(?P<table>[a-z0-9_]+)"?(?:\s+(?:AS\s+)?"?(?P<alias>[a-z]\w*)"?)?'
)
VALUE = re.compile(
    r"\b(?:recipient_id|taxpayer_id|supplier_id|ims_portal_taxpayer\.id)\s*"
    r"(?:=\s*(?:ANY\()?(?:\(?ARRAY\[)?|IN\s*\()\s*\d|INTO[^()]*\((?:recipient|taxpayer)_id[^()]*\)\s*SELECT \d"
)
"""Where the comparing ends: at a number, one or several, or the one that is written."""

NO_ALIAS = {"set", "where", "on", "group", "order", "values", "returning", "having", "limit", "for", "as", "using"}


def unplaced(statement: str) -> Iterator[str]:
    """Yield the distributed tables of a statement for which it tells no recipient."""
    text = statement.replace('"', "")
    if not re.match(r"\s*(SELECT|WITH|UPDATE|INSERT|DELETE)", text):
        return
    for found in NAMED.finditer(text):
        table = found["table"]
        if table not in placing.DISTRIBUTED:
            continue
        column = placing.DISTRIBUTED[table][0]
        alias = found["alias"] or ""
        names = rf"(?:{alias}\.|{table}\.)" if alias and alias.lower() not in NO_ALIAS else rf"(?:{table}\.)?"
        is_written = re.search(rf"INTO\s+{table}\s*\([^)]*\b{column}\b", text)
        is_compared = re.search(rf"\b{names}{column}\s*(?:=|IN\b)|=\s*(?:ANY\()?{names}{column}\b", text)
        is_told = VALUE.search(text) or "VALUES" in text
        if not ((is_written or is_compared) and is_told):
            yield table


def asked(work: Callable[[], object]) -> dict[str, set[str]]:
    """Return table -> the statements of some work that name it and no recipient."""
    with CaptureQueriesContext(connection) as queries:
        work()
    found: dict[str, set[str]] = {}
    for query in queries:
        for table in unplaced(query["sql"]):
            found.setdefault(table, set()).add(query["sql"])
    return found


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("SELECT * FROM invoices_record r WHERE r.id = 1", ["invoices_record"]),
        ('SELECT * FROM "invoices_record" WHERE "invoices_record"."id" = 1', ["invoices_record"]),
        ("UPDATE invoices_record SET version = 1 WHERE id = ANY(1)", ["invoices_record"]),
        ("SELECT * FROM invoices_record r WHERE r.recipient_id = 1", []),
        ("SELECT 1 FROM a JOIN invoices_record r ON a.recipient_id = r.recipient_id WHERE a.recipient_id = 1", []),
        ("SELECT 1 FROM a JOIN invoices_record r ON a.recipient_id = r.recipient_id", ["invoices_record"]),
        ('INSERT INTO "invoices_message" ("recipient_id") VALUES (1)', []),
        ("DELETE FROM returns_adjustment WHERE id = 3", ["returns_adjustment"]),
    ],
)
def test_the_reading_of_a_statement(statement: str, told: list[str]) -> None:
    assert list(unplaced(statement)) == told


SUPPLIERS_SIDE = {
    "returns_addback": "what others' filings charge a supplier is found by supplier, by an index of every shard",
    "invoices_returnsummary": "its supplier_id may still be NULL; it is reached by its return",
}
"""Tables a GSTR-3B reads as its taxpayer's outward side, in one statement, with why they tell no recipient."""

REVERSED = {"invoices_record": "the document a Rule 37A reversal is of: feeds tell it by its id alone"}


@pytest.mark.usefixtures("now", "patient")
def test_what_a_recipient_does_tells_whose_rows_it_means(client: Client, now: Fixed) -> None:
    note, first, *_others = factories.filed(
        factories.document(section=Section.CN, number="CN1"), *(factories.document(number=f"I{n}") for n in range(3))
    )
    recipient = note.recipient
    person = factories.member(recipient)
    client.force_login(person)
    factories.computed()
    told = {"taxpayer": recipient, "actor": person, "clock": now}

    def page(path: str) -> Callable[[], object]:
        return lambda: client.get(f"/en/t/{factories.RECIPIENT}/{path}")

    def chosen() -> object:
        return actions.take(**told, items=[Item(first.pk, 0, Choice(Action.REJECT))], request_id=uuid4())

    def many() -> None:
        batch = bulk.preview(**told, which=Which("b2b", "", "/"), action=Action.PENDING, request_id=uuid4())
        bulk.find(batch=batch, clock=now)
        batch.refresh_from_db()
        bulk.apply(batch=batch, actor=person, clock=now, request_id=uuid4(), remark="", reason_code="")
        batch.refresh_from_db()
        bulk.carry_out(batch=batch, clock=now)
        batch.refresh_from_db()
        bulk.undo(batch=batch, actor=person, clock=now, request_id=uuid4())
        batch.refresh_from_db()
        bulk.carry_out(batch=batch, clock=now)

    outward.file(supplier=recipient, form=Form.GSTR1, period=factories.OCTOBER, actor=None, clock=now)
    paths: dict[str, tuple[Callable[[], object], dict[str, str]]] = {
        "inward list": (page("ims/inward/all/"), {}),
        "summary": (page("ims/inward/"), {}),
        "a record": (page(f"ims/records/{note.pk}/"), {}),
        "one action": (chosen, {}),
        "changes": (page("returns/102025/gstr2b/changes/"), REVERSED),
        "bulk action": (many, {}),
        "what if": (page("ims/whatif/?of=b2bcn&do=R"), {}),
        "computing": (lambda: gstr2b.compute(**told, period=factories.OCTOBER), {}),
        "GSTR-2B": (page("returns/102025/gstr2b/"), {}),
        "difference": (page("returns/102025/gstr2b/diff/1/2/"), REVERSED),
        "GSTR-3B": (page("returns/102025/gstr3b/"), SUPPLIERS_SIDE),
        "review": (page("returns/102025/gstr3b/review/"), SUPPLIERS_SIDE),
        "filing": (lambda: gstr3b.file(**told, period=factories.OCTOBER), SUPPLIERS_SIDE),
    }
    found = {name: asked(work) for name, (work, _allowed) in paths.items()}
    untold = {name: of for name, of in found.items() if not of.keys() <= paths[name][1].keys()}
    assert untold == {}
    assert Batch.objects.get().phase == Batch.Phase.UNDONE
    assert Filing.objects.get().taxpayer == recipient
