"""A change of law is one dated version in one table: pages, bulk actions, GSTR-2B, GSTR-3B and the Why follow it.

Every version here is made up and begins in January 2027; December 2026 stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.test import Client

from ims_portal import clock as portal_clock
from ims_portal.rules import actions, gstr2b, gstr3b, periods
from ims_portal.rules.actions import YES_NO, Action, Answer, Refusal
from ims_portal.rules.documents import Section
from ims_portal.rules.gstr2b import Measure, Part, Placement
from ims_portal.rules.money import Tax
from ims_portal.rules.table import Dated, Table, otherwise, row
from invoices.actions import Choice, Item, ResultStatus, take
from invoices.models import Record
from returns import gstr3b as returns_3b
from returns.gstr3b import Gstr3bRefusedError
from returns.models import Addback, Gstr2bLine
from tests import factories

pytestmark = pytest.mark.django_db
JANUARY = 202701
SAYS = "Made-up Notification 1/2027"
RUPEES = 100


@pytest.fixture(autouse=True)
def people(client: Client) -> None:
    factories.taxpayer(first=202612)
    factories.taxpayer(factories.SUPPLIER, first=202612)
    client.force_login(factories.member(factories.taxpayer(), "signatory"))


@pytest.fixture
def stand(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def move(on: str) -> None:
        monkeypatch.setattr(portal_clock, "portal", lambda: factories.clock(on))

    return move


def change(monkeypatch: pytest.MonkeyPatch, rule: Dated, table: Table) -> None:
    monkeypatch.setitem(rule.versions, JANUARY, table)


def december(*documents: dict) -> list[Record]:
    return _filed("122026", "2026-12-01", "2027-01-10", *documents)


def january(*documents: dict) -> list[Record]:
    supplier = factories.taxpayer(factories.SUPPLIER)
    factories.computed(supplier, period="122026", on="2027-01-19")
    returns_3b.file(taxpayer=supplier, period=periods.parse("122026"), actor=None, clock=factories.clock("2027-01-19"))
    return _filed("012027", "2027-01-05", "2027-02-10", *documents)


def _filed(period: str, dated: str, on: str, *documents: dict) -> list[Record]:
    return factories.filed(*(factories.document(on=dated, **named) for named in documents), period=period, on=on)


def test_list_record_page_and_bulk_action_bar_what_the_new_version_bars(
    monkeypatch: pytest.MonkeyPatch, client: Client, stand: Callable[[str], None]
) -> None:
    old = december({"number": "DEC1"})
    new = january({"number": "JAN1"})
    stand("2027-02-12")
    address = f"/en/t/{factories.RECIPIENT}/ims/"
    before = client.get(f"{address}records/{new[0].pk}/").content.decode()
    assert SAYS not in before
    table = Table(
        "no Pending at all",
        actions.ACTION_FACTS,
        (
            row(Refusal.PENDING_BLOCKED, action=Action.PENDING, cite=SAYS),
            otherwise(None, cite=SAYS),
        ),
    )
    change(monkeypatch, actions.ACTION_REFUSALS, table)
    page = client.get(f"{address}records/{new[0].pk}/").content.decode()
    assert SAYS in page
    assert (
        f'name="a.{new[0].pk}.0" value="P" aria-label="Pending" disabled'
        in client.get(f"{address}inward/all/").content.decode()
    )
    outcome = take(
        taxpayer=factories.taxpayer(),
        items=[Item(record.pk, record.version, Choice(Action.PENDING)) for record in (*old, *new)],
        actor=None,
        clock=factories.clock("2027-02-12"),
        request_id=uuid4(),
    )
    assert [(r.number, r.status, r.refusal) for r in outcome.results] == [
        ("DEC1", ResultStatus.SAVED, None),
        ("JAN1", ResultStatus.REFUSED, Refusal.PENDING_BLOCKED),
    ]


def test_gstr2b_counts_and_explains_by_the_version_of_its_record(monkeypatch: pytest.MonkeyPatch) -> None:
    december({"section": Section.CN, "number": "CN-DEC", "tax": 9000})
    table = Table(
        "untouched credit notes reduce nothing",
        {"adds": YES_NO, "answer": tuple(Answer)},
        (
            row(Measure.NOTHING, adds=False, answer=Answer.NOT_GIVEN, cite=SAYS),
            otherwise(Measure.EFFECT, cite=SAYS),
        ),
    )
    change(monkeypatch, gstr2b.COUNTED, table)
    factories.filed_period(period="122026", on="2027-01-19")
    january({"section": Section.CN, "number": "CN-JAN", "tax": 9000})
    factories.computed(period="012027", on="2027-02-14")
    lines = {line.record.number: line for line in Gstr2bLine.objects.select_related("record", "why")}
    assert lines["CN-DEC"].tax == Tax(igst=9000 * RUPEES)
    assert lines["CN-JAN"].tax == Tax()
    (new,) = [step for step in lines["CN-JAN"].why.steps if step["asks"] == gstr2b.COUNTED.name]
    assert (new["cite"], new["version"], new["says"]) == (SAYS, JANUARY, "Nothing is reduced")
    (old,) = [step for step in lines["CN-DEC"].why.steps if step["asks"] == gstr2b.COUNTED.name]
    assert ["the rule in force from 01/2027 applied", "Nothing is reduced", "time"] in old["changes"]


def test_gstr3b_and_the_pages_of_both_follow_the_cell(
    monkeypatch: pytest.MonkeyPatch, client: Client, stand: Callable[[str], None]
) -> None:
    december({"number": "DEC1", "tax": 18000})
    factories.filed_period(period="122026", on="2027-01-19")
    january({"number": "JAN1", "tax": 27000})
    table = Table(
        "all credit in one row",
        {"placement": tuple(Placement), "part": tuple(Part)},
        (row("t4A4", placement=Placement.AVAILABLE, cite=SAYS), otherwise("", cite=SAYS)),
    )
    change(monkeypatch, gstr2b.CELL, table)
    factories.computed(period="012027", on="2027-02-14")
    at = factories.at("2027-02-14")
    drafts = {
        name: returns_3b.draft(taxpayer=factories.taxpayer(), period=periods.parse(name), at=at)
        for name in ("122026", "012027")
    }
    assert (drafts["122026"].derived["t4A5"].igst, drafts["122026"].derived["t4A4"].igst) == (18000 * RUPEES, 0)
    assert (drafts["012027"].derived["t4A5"].igst, drafts["012027"].derived["t4A4"].igst) == (0, 27000 * RUPEES)
    stand("2027-02-14")
    address = f"/en/t/{factories.RECIPIENT}/returns/012027/"
    assert "Credit may be taken in 4(A)(4)" in client.get(f"{address}gstr2b/").content.decode()
    assert "JAN1" in client.get(f"{address}gstr2b/all/all/?cell=t4A4").content.decode()
    assert SAYS in client.get(f"{address}gstr3b/table/t4A4/").content.decode()


def test_a_row_locks_from_the_period_of_the_new_version(
    monkeypatch: pytest.MonkeyPatch, client: Client, stand: Callable[[str], None]
) -> None:
    december({"number": "DEC1"})
    table = Table(
        "4(B)(1) locked",
        {"row": gstr3b.ROWS},
        (row(Refusal.FIELD_LOCKED, row="t4B1", cite=SAYS), otherwise(None, cite=SAYS)),
    )
    change(monkeypatch, gstr3b.EDIT_REFUSALS, table)
    adjust("122026", "2027-01-15")
    factories.filed_period(period="122026", on="2027-01-19")
    factories.computed(period="012027", on="2027-02-14")
    with pytest.raises(Gstr3bRefusedError, match="FIELD_LOCKED"):
        adjust("012027", "2027-02-15")
    stand("2027-02-15")
    page = client.get(f"/en/t/{factories.RECIPIENT}/returns/012027/gstr3b/table/t4B1/").content.decode()
    assert "Locked from 01/2027" in page
    assert SAYS in page


def adjust(period: str, on: str) -> None:
    returns_3b.adjust(
        taxpayer=factories.taxpayer(),
        period=periods.parse(period),
        row="t4B1",
        tax=Tax(igst=100),
        reason="",
        actor=None,
        clock=factories.clock(on),
    )


def test_add_backs_and_their_warnings_end_with_the_new_version(
    monkeypatch: pytest.MonkeyPatch, client: Client, stand: Callable[[str], None]
) -> None:
    (old,) = december({"section": Section.CN, "number": "CN-DEC", "tax": 9000})
    table = Table("no add-back", {"reduces": YES_NO}, (otherwise(False, cite=SAYS),))
    change(monkeypatch, gstr3b.ADDS_BACK, table)
    factories.act(old, "R", on="2027-01-12")
    factories.filed_period(period="122026", on="2027-01-19")
    (new,) = january({"section": Section.CN, "number": "CN-JAN", "tax": 9000})
    stand("2027-02-12")
    page = client.get(f"/en/t/{factories.RECIPIENT}/ims/records/{new.pk}/").content.decode()
    assert "tax rises" not in page
    factories.act(new, "R", on="2027-02-12")
    factories.filed_period(period="012027", on="2027-02-19")
    assert [line.record.number for line in Addback.objects.select_related("record")] == ["CN-DEC"]


def test_a_statement_computed_by_other_law_is_out_of_date_and_a_later_version_leaves_it(
    monkeypatch: pytest.MonkeyPatch, client: Client, stand: Callable[[str], None]
) -> None:
    december({"number": "DEC1"})
    factories.computed(period="122026", on="2027-01-14")
    stand("2027-01-15")
    page = f"/en/t/{factories.RECIPIENT}/returns/122026/gstr2b/"
    part = {"section": tuple(Section), "is_reverse_charge": YES_NO}
    change(monkeypatch, gstr2b.PART, Table("later", part, (otherwise(Part.A_I, cite=SAYS),)))
    assert "out of date" not in client.get(page).content.decode()
    monkeypatch.setitem(gstr2b.PART.versions, 202612, Table("now", part, (otherwise(Part.A_I, cite=SAYS),)))
    assert "the rules have changed since" in client.get(page).content.decode()


def test_the_rules_page_prints_the_version_of_the_day(monkeypatch: pytest.MonkeyPatch, client: Client) -> None:
    change(monkeypatch, gstr3b.NEEDS_REASON, Table("later", {"row": gstr3b.ROWS}, (otherwise(True, cite=SAYS),)))
    assert SAYS not in client.get("/en/rules/?on=31/12/2026").content.decode()
    assert SAYS in client.get("/en/rules/?on=01/01/2027").content.decode()
