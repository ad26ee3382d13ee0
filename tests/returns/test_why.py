"""Why a line and a row count as they do: kept with them, the same in both readers, shown on their pages."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.db import DatabaseError, transaction
from django.test import Client

from ims_portal import clock as portal_clock
from ims_portal import sql
from ims_portal.models import Taxpayer
from ims_portal.rules import gstr2b as rules
from ims_portal.rules import gstr3b as rules3b
from ims_portal.rules import periods
from ims_portal.rules.documents import Section
from ims_portal.rules.gstr2b import Placement
from ims_portal.rules.money import Tax
from ims_portal.rules.table import Table, otherwise
from invoices import standing, why
from invoices.models import Record
from invoices.why import Facts
from returns import gstr2b, gstr3b
from returns.models import Explanation, Filing, Gstr2bLine
from tests import factories

pytestmark = pytest.mark.django_db
RUPEES = 100


@pytest.fixture
def desk(client: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
    """Stand on 15 November 2025, signed in as R's signatory."""
    monkeypatch.setattr(portal_clock, "portal", lambda: factories.clock("2025-11-15"))
    client.force_login(factories.member(factories.taxpayer(), "signatory"))
    return client


@pytest.fixture
def story() -> Taxpayer:
    """File one record of each kind that matters, decide on some, compute October."""
    factories.filed(
        factories.document(number="PLAIN"),
        factories.document(number="REJECTED"),
        factories.document(number="PENDING"),
        factories.document(number="RCM", reverse_charge=True),
        factories.document(section=Section.CN, number="DEEMED-CN", tax=900),
        factories.document(section=Section.CN, number="PART-CN", tax=1800),
    )
    found = {record.number: record for record in Record.objects.select_related("recipient")}
    factories.act(found["PLAIN"], "A")
    factories.act(found["REJECTED"], "R")
    factories.act(found["PENDING"], "P")
    factories.act(found["PART-CN"], "A", answer="P", declared=Tax(igst=600 * RUPEES), remark="the rest never taken")
    factories.computed()
    return factories.taxpayer()


def lines() -> dict[str, Gstr2bLine]:
    return {line.record.number: line for line in Gstr2bLine.objects.select_related("record", "why")}


def says(line: Gstr2bLine) -> list[str]:
    return [step["says"] for step in line.why.steps]


@pytest.mark.usefixtures("story")
def test_each_line_keeps_the_steps_that_placed_and_counted_it() -> None:
    found = lines()
    assert set(found) == {"PLAIN", "REJECTED", "RCM", "DEEMED-CN", "PART-CN"}
    assert says(found["PLAIN"]) == [
        "It is in IMS",
        "It counts as accepted",
        "It stands under ITC available",
        "Its whole effect counts",
        "It stands in Part A I",
        "It goes to 4(A)(5)",
    ]
    assert says(found["REJECTED"])[-3:] == ["It stands under ITC rejected", "It stands in Part A I", "None"]
    assert says(found["RCM"])[0] == "It bypasses IMS, by reverse charge"
    assert "Yes" in says(found["RCM"])
    assert "What was declared is reduced" in says(found["PART-CN"])
    assert all(step["cite"] for line in found.values() for step in line.why.steps)


@pytest.mark.usefixtures("story")
def test_lines_decided_alike_share_one_explanation() -> None:
    factories.filed(
        *(factories.document(number=f"MORE{n}") for n in range(5)), supplier="29AAGCB7383J1Z4", on="2025-11-10"
    )
    factories.computed(on="2025-11-15")
    found = lines()
    assert len({found[f"MORE{n}"].why_id for n in range(5)}) == 1
    assert Explanation.objects.count() < len(found)


def test_sql_and_python_find_the_same_facts_for_every_record(story: Taxpayer) -> None:
    today = standing.of(story, factories.at("2025-11-14"))
    columns = today.columns("r")
    asked = {
        **columns,
        "bypass": "r.bypass",
        "unavailable": "r.unavailable",
        "answer": f"(CASE WHEN {columns['effective']} = 'A' THEN r.answer ELSE '' END)",
        "is_barred": standing.time_barred_sql("r", "202510"),
    }
    rows = sql.run(f"SELECT r.id, {why.trace(asked)} FROM invoices_record r WHERE r.recipient_id = {story.pk}")
    records = Record.objects.in_bulk([pk for pk, _trace in rows])
    assert len(rows) == 6
    for pk, trace in rows:
        assert Facts.read(str(trace)) == replace(why.facts(records[pk], today, 202510), month=202510)


def test_an_old_line_explains_itself_by_the_law_of_its_day(story: Taxpayer, monkeypatch: pytest.MonkeyPatch) -> None:
    before = lines()["PLAIN"].why.steps
    facts = {"placement": tuple(Placement), "part": tuple(rules.Part)}
    monkeypatch.setitem(rules.CELL.versions, 202510, Table("other", facts, (otherwise("t4A1", cite="made up"),)))
    assert lines()["PLAIN"].why.steps == before
    gstr2b.compute(taxpayer=story, period=periods.parse("102025"), actor=None, clock=factories.clock("2025-11-16"))
    old, new = Gstr2bLine.objects.filter(record__number="PLAIN").select_related("why").order_by("first_version")
    assert old.why.steps == before
    assert new.why.steps[-1]["cite"] == "made up"


@pytest.mark.usefixtures("story")
def test_an_explanation_never_changes() -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        Explanation.objects.update(steps=[])
    with pytest.raises(DatabaseError), transaction.atomic():
        Explanation.objects.all().delete()


@pytest.mark.usefixtures("story")
def test_computing_again_writes_no_line_and_no_explanation_where_nothing_changed() -> None:
    count, kept = Explanation.objects.count(), Gstr2bLine.objects.count()
    record = Record.objects.get(number="PLAIN")
    factories.act(record, "R")
    factories.act(record, "A")
    assert factories.computed(on="2025-11-16").statement.version == 2
    assert (Explanation.objects.count(), Gstr2bLine.objects.count()) == (count, kept)


def test_the_page_of_a_line_tells_what_decided_its_source_and_what_would_change_it(
    story: Taxpayer, desk: Client
) -> None:
    line = lines()["REJECTED"]
    page = desk.get(f"/en/t/{story.gstin}/returns/102025/gstr2b/why/1/{line.pk}/").content.decode()
    assert "<strong>It stands under ITC rejected</strong>, because your action is Reject." in page
    assert "R7.6; R7.10" in page
    assert "If your action is Accept: It stands under ITC available." in page


def test_nobody_reads_the_line_of_another_taxpayer(story: Taxpayer, desk: Client) -> None:
    stranger = factories.taxpayer("29AAGCB7383J1Z4")
    line = lines()["PLAIN"]
    assert desk.get(f"/en/t/{story.gstin}/returns/102025/gstr2b/why/2/{line.pk}/").status_code == 404
    assert desk.get(f"/en/t/{stranger.gstin}/returns/102025/gstr2b/why/1/{line.pk}/").status_code == 404


def test_a_record_page_explains_today_and_a_settled_one_the_statement(story: Taxpayer, desk: Client) -> None:
    record = Record.objects.get(number="DEEMED-CN")
    address = f"/en/t/{story.gstin}/ims/records/{record.pk}/"
    page = desk.get(address).content.decode()
    assert "Were GSTR-2B of 10/2025 computed now" in page
    assert "deemed accepted with full reduction" in page
    factories.filed_period(on="2025-11-15")
    page = desk.get(address).content.decode()
    assert "As GSTR-2B of 10/2025 counted it" in page
    assert "It counts as No action" in page


def test_a_row_of_gstr3b_names_its_summands_which_make_its_figure(story: Taxpayer) -> None:
    shown = gstr3b.draft(taxpayer=story, period=periods.parse("102025"), at=factories.at("2025-11-15"))
    for name in rules3b.ROWS:
        told = gstr3b.why_of(shown, name)
        assert told["cite"]
        summed = sum((Tax(*tax) for _says, tax, _cite, _version, _taxable in told["summands"]), Tax())
        if name != "t4C":
            assert summed == shown.derived[name], name


def test_a_filed_row_keeps_its_why_after_the_law_moved_on(
    story: Taxpayer, desk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.filed_period(on="2025-11-15")
    kept = Filing.objects.get().why
    assert set(kept) == set(rules3b.ROWS)
    later = Table("other", {"row": rules3b.ROWS}, (otherwise("something else", cite="made up"),))
    monkeypatch.setitem(rules3b.SOURCES.versions, 202510, later)
    page = desk.get(f"/en/t/{story.gstin}/returns/102025/gstr3b/table/t4A5/").content.decode()
    assert "A I - B I" in page
    assert "made up" not in page
    assert "R8.6; credit notes netted since Jan-2023" in page


def test_every_row_of_a_filed_gstr3b_leads_to_its_why(story: Taxpayer, desk: Client) -> None:
    factories.filed_period(on="2025-11-15")
    page = desk.get(f"/en/t/{story.gstin}/returns/102025/gstr3b/").content.decode()
    for name in rules3b.ROWS:
        assert f"gstr3b/table/{name}/" in page, name
