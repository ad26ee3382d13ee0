"""Whatever somebody wrote is text on every page of everybody else: no script, no element, no complaint (F44).

Every free text the database lets hold markup is given some, past forms and readers, which let through less. Then every
page is opened as test_every_page.py finds them, and those of files and messages that no link leads to.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page

from ims_portal.models import BreakGlass, DueDateExtension, Taxpayer, User
from ims_portal.rules import periods
from ims_portal.rules.documents import Form, Problem
from ims_portal.rules.periods import Return
from invoices.models import (
    ActionFile,
    ActionFileRow,
    FeedBatch,
    FeedProblem,
    Message,
    Record,
    Register,
    RegisterProblem,
    Upload,
    UploadProblem,
)
from returns import demo, gstr2b
from returns.export_files import Kind
from returns.models import Adjustment, Export, Gstr2b, StatementFile
from tests import factories
from tests.journeys.desk import Desk
from tests.journeys.test_every_page import STATIONS, Walk, portal  # noqa: F401 a fixture

LONG = (
    "<script>window.ran=1</script>",
    "</script><script>window.ran=1</script>",
    "<img src=x onerror=window.ran=1>",
    "<svg/onload=window.ran=1>",
    '"><svg onload=window.ran=1>',
    "'><img src=x onerror='window.ran=1'>",
    '" autofocus onfocus="window.ran=1',
    "' onmouseover='window.ran=1' x='",
    "</textarea><img src=x onerror=window.ran=1>",
    "</title><script>window.ran=1</script>",
    "<iframe srcdoc='<script>parent.ran=1</script>'>",
    "<details open ontoggle=window.ran=1>",
    "javascript:window.ran=1//",
    "<a href=javascript:window.ran=1>",
    "{{7*7}}{% debug %}${7*7}",
    "<base href=//example.org/>",
    "<!--><svg onload=window.ran=1>-->",
    "&lt;script&gt;window.ran=1&lt;/script&gt;",
    "<b hx-get=/me/ hx-trigger=load hx-on:load=window.ran=1>",
    "<math><mtext><style><img src=x onerror=window.ran=1>",
)
SHORT = ("<b class=w>", "\"'><i w>", "<u>&lt;w", "'-\"<s w>")
"""For columns a long one has no place in."""
SHORTEST = 30
"""Characters a column must hold to take a long one."""
TEXTS = {
    "ims_portal_taxpayer": ("legal_name", "trade_name"),
    "ims_portal_user": ("full_name",),
    "ims_portal_apitoken": ("name",),
    "ims_portal_duedateextension": ("notification",),
    "ims_portal_breakglass": ("reason",),
    "ims_portal_auditevent": ("subject",),
    "invoices_record": ("number", "remark"),
    "invoices_actionevent": ("remark",),
    "invoices_message": ("text",),
    "invoices_billofentry": ("importer_name", "sez_name", "reference"),
    "invoices_returnsummary": ("detail",),
    "invoices_booked": ("number", "voucher", "position"),
    "invoices_register": ("file_name", "problem"),
    "invoices_registerproblem": ("message", "number", "position"),
    "invoices_upload": ("file_name", "problem"),
    "invoices_uploadproblem": ("message", "number", "field", "counterparty", "dated", "position"),
    "invoices_feedbatch": ("file_name", "problem"),
    "invoices_feedproblem": ("message", "number", "field", "position"),
    "invoices_actionfile": ("file_name",),
    "invoices_actionfilerow": ("number", "remark", "problem", "position"),
    "returns_export": ("problem",),
    "returns_statementfile": ("file_name",),
    "returns_gstr2bline": ("remark",),
    "returns_adjustment": ("reason",),
}
"""Table -> its columns that hold what somebody wrote, or a file said."""
OF_TEXTS = {"invoices_register.heading", "returns_filing.reasons", "returns_statementfile.problems"}
"""JSON of which every text is free."""
WRONG = """() => [...document.querySelectorAll(`script:not([src]):not([type="application/json"]), iframe, object, embed,
  base, [onerror], [onload], [onfocus], [onmouseover], [ontoggle], [hx-on\\\\:load], [class=w], [w], math, img[src=x],
  a[href^="javascript:"]`)].map(it => it.outerHTML.slice(0, 160)).concat(window.ran ? ['a script ran'] : [])"""


def poison() -> set[str]:
    """Write markup into every text that takes it, and return which columns took it in any row."""
    taken = set()
    with connection.cursor() as cursor:
        for table, columns in TEXTS.items():
            for place, column in enumerate(columns):
                if _written(cursor, table, column, place):
                    taken.add(f"{table}.{column}")
        for name in sorted(OF_TEXTS):
            table, column = name.split(".")
            cursor.execute(f"SELECT id, {column} FROM {table}")
            rows = [
                (json.dumps(_free(json.loads(told), turn)), number)
                for turn, (number, told) in enumerate(cursor.fetchall())
            ]
            _quietly(cursor, f"UPDATE {table} SET {column} = %s WHERE id = %s", rows)
    return taken


def _written(cursor: Any, table: str, column: str, place: int) -> bool:  # noqa: ANN401 - Django's cursor
    """Give each row of a column a text of its own, as long as it holds; numbers of documents stay apart."""
    cursor.execute(
        "SELECT coalesce(character_maximum_length, 500) FROM information_schema.columns"
        " WHERE table_name = %s AND column_name = %s",
        [table, column],
    )
    ((longest,),) = cursor.fetchall()
    texts = [text for text in LONG if len(text) <= longest] if longest > SHORTEST else SHORT
    cursor.execute(f"SELECT id FROM {table} ORDER BY id")
    rows = []
    for turn, (number,) in enumerate(cursor.fetchall(), start=place):
        text = texts[turn % len(texts)] + (str(number) if column == "number" else "")
        rows.append((text[:longest], number))
    return bool(rows) and _quietly(cursor, f"UPDATE {table} SET {column} = %s WHERE id = %s", rows)


def _quietly(cursor: Any, statement: str, rows: list[tuple[str, Any]]) -> bool:  # noqa: ANN401 - Django's cursor
    """Write as no trigger sees it; return False where a check of the database refuses."""
    try:
        with transaction.atomic():
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.executemany(statement, rows)
    except IntegrityError:
        return False
    return True


def _free(told: object, turn: int) -> object:
    """Return JSON with every text of more than one word replaced; codes stay."""
    if isinstance(told, dict):
        return {key: _free(value, turn + place) for place, (key, value) in enumerate(told.items())}
    if isinstance(told, list):
        return [_free(value, turn + place) for place, value in enumerate(told)]
    return LONG[turn % len(LONG)] if isinstance(told, str) and " " in told else told


class Looking(Walk):
    """A walk that looks for what markup made of a page."""

    seen = ""

    def look(self, link: str, kind: str) -> None:  # noqa: ARG002 - the walk's signature
        """Open a page; nothing of a text may be an element of it."""
        page = self.desk.page
        page.goto(link)
        self.problems += [f"{link}: {found}" for found in page.evaluate(WRONG)]
        self.seen += page.locator("body").inner_text()


def left_behind() -> dict[str, list[str]]:
    """Leave what a demo has none of: files that failed or were refused in part, messages, reasons. Return who looks
    at which of their pages, which no link leads to.
    """
    taxpayer = Taxpayer.objects.get(gstin=demo.RECIPIENT)
    raghav, admin = User.objects.get(username="raghav"), User.objects.get(username="admin1")
    at = factories.at("2026-11-15")
    file = {"taxpayer": taxpayer, "path": "gone", "size": 1, "sha256": "0" * 64, "requested_by": raghav}
    upload = Upload.objects.create(**file, form=Form.GSTR1.value, month=202610, state="done", refused=1, file_name="x")
    UploadProblem.objects.create(upload=upload, code="APP-G113", message="x")
    failed = Upload.objects.create(**file, form=Form.GSTR1.value, month=202610, state="failed", problem="x")
    actions = ActionFile.objects.create(**file, phase="ready", kind="json", state="done", counts={"APP-G113": 1})
    ActionFileRow.objects.create(
        recipient=taxpayer, file=actions, place=1, section="b2b", verdict="APP-G113", code="APP-G113"
    )
    register = Register.objects.filter(taxpayer=taxpayer)[0]
    RegisterProblem.objects.create(register=register, position="x", message="x")
    statement = StatementFile.objects.create(
        **file, month=202610, state="done", statement=Gstr2b.objects.filter(recipient=taxpayer).latest("id"), wrong=1
    )
    StatementFile.objects.filter(pk=statement.pk).update(problems=[asdict(Problem("APP-G113", "two words"))])
    record = Record.objects.filter(recipient=taxpayer, supplier__isnull=False)[0]
    both = {"recipient": taxpayer, "supplier": record.supplier, "record": record, "text": "x", "at": at}
    for side in Message.Side:
        Message.objects.create(**both, side=side, actor=raghav)
    Adjustment.objects.create(
        return_period=gstr2b.period_row(taxpayer, periods.parse("102026")), row="t4B1", reason="x", actor=raghav, at=at
    )
    feed = FeedBatch.objects.all()[0]
    FeedProblem.objects.create(batch=feed, code="APP-G113", message="x")
    now = timezone.now()
    BreakGlass.objects.create(
        actor=admin, taxpayer=taxpayer, reason="x", began_at=now, ends_at=now + timedelta(minutes=20)
    )
    DueDateExtension.objects.create(
        form=Return.GSTR3B.value,
        month=202610,
        frequency="M",
        due="2026-11-25",
        notification="x",
        known_from=at,
        proposed_by=admin,
    )
    Export.objects.create(taxpayer=taxpayer, kind=Kind.GSTR2B_JSON.value, key="x", state="failed", problem="x")
    own = [
        *(reverse("invoices:upload", args=[taxpayer.gstin, one.pk]) for one in (upload, failed)),
        reverse("invoices:action-file", args=[taxpayer.gstin, actions.pk]),
        reverse("returns:gstr2b-file", args=[taxpayer.gstin, statement.pk]),
        reverse("invoices:record", args=[taxpayer.gstin, record.pk]),
    ]
    return {"raghav": own, "admin1": [reverse("control-feed", args=[feed.pk])]}


@pytest.mark.journey
@pytest.mark.usefixtures("process_environment")
def test_what_somebody_wrote_is_never_markup_for_somebody_else(
    portal: str,  # noqa: F811
    person: Callable[[], Page],
) -> None:
    more = left_behind()
    taken = poison()
    assert {f"{table}.{column}" for table, columns in TEXTS.items() for column in columns} == taken
    dialogs: list[str] = []
    looked_at: set[str] = set()
    problems: list[str] = []
    seen = ""
    for username, paths in STATIONS.items():
        page = person()
        page.on("dialog", lambda told: (dialogs.append(told.message), told.dismiss()))
        walk = Looking(Desk(page, portal, username), "en", looked_at, frozenset())
        walk.from_("/en/t/", *(f"/en/{path}" for path in paths), *more.get(username, ()))
        problems += [f"{username}: {problem}" for problem in walk.problems]
        seen += walk.seen
    assert problems == [], "\n".join(problems)
    assert dialogs == []
    assert [text for text in LONG if text not in seen] == [], "seen nowhere as text"
