"""Records of IMS as the portal's JSON: the story exports what the sample holds, whatever the list shows and bars."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ims_portal import sql
from ims_portal.models import Taxpayer
from ims_portal.rules.actions import Action, Answer
from ims_portal.rules.documents import Form, InvoiceType, Section
from ims_portal.rules.money import Tax
from invoices import ims_json, ims_rows, inbox, standing
from invoices.filters import Filters
from invoices.ims_json import Dialect, Row
from invoices.models import Record
from invoices.standing import Standing
from returns import demo
from tests import factories, many
from tests.returns import story

pytestmark = pytest.mark.django_db

SAMPLE = json.loads((story.DATA / "ims-inward.json").read_text())


def today(taxpayer: Taxpayer, on: str) -> Standing:
    return standing.of(taxpayer, demo.moment(on))


def text_of(rows: Iterable[Row], recipient: Taxpayer, dialect: Dialect) -> str:
    return "".join(ims_json.written(rows, recipient=recipient.gstin, dialect=dialect))


def exported(recipient: Taxpayer, on: str, dialect: Dialect = Dialect.API, **asked: object) -> dict[str, Any]:
    rows = ims_rows.of(recipient, today(recipient, on), Filters(**asked))
    return json.loads(text_of(rows, recipient, dialect))


def rows_of(recipient: Taxpayer, on: str, **asked: object) -> list[Row]:
    return list(ims_rows.of(recipient, today(recipient, on), Filters(**asked)))


def by_number(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {demo.number_of(row): row for row in rows}


def test_the_story_s_records_are_those_of_the_sample() -> None:
    found = exported(story.told_so_far(), "2026-11-13")
    assert list(found) == list(SAMPLE)
    assert {section: by_number(rows) for section, rows in found.items()} == {
        section: by_number(rows) for section, rows in SAMPLE.items()
    }
    keys = {demo.number_of(row): list(row) for rows in SAMPLE.values() for row in rows}
    assert {demo.number_of(row): list(row) for rows in found.values() for row in rows} == keys


def test_the_offline_file_has_its_own_wrapper_and_keys_and_no_bills_of_entry() -> None:
    recipient = story.told_so_far()
    found = exported(recipient, "2026-11-13", Dialect.OFFLINE)
    assert list(found) == ["imsDetails"]
    assert list(found["imsDetails"]) == [section for section in SAMPLE if not section.startswith("impg")]
    names = {taxpayer.gstin: taxpayer.name for taxpayer in Taxpayer.objects.all()}
    for section, rows in found["imsDetails"].items():
        over_api = by_number(SAMPLE[section])
        for number, row in by_number(rows).items():
            same = over_api[number]
            more = {"tradenm": names[same["stin"]], "rtnTyp": same["srcform"], "sRtnPrd": same["rtnprd"]}
            if "isItcRedReqBlocked" in same:
                more["itcRedReqBlocked"] = same["isItcRedReqBlocked"]
            assert row == same | more


def test_what_is_answered_and_declared_is_written() -> None:
    recipient = story.told_so_far()
    story.save(recipient, "2026-11-16")
    found = {demo.number_of(row): row for rows in exported(recipient, "2026-11-16 11:00").values() for row in rows}
    answered = ("action", "itcRedReq", "remarks", *story.HEADS)
    for _section, asked in story.requested():
        row = found[demo.number_of(asked)]
        assert {key: row[key] for key in answered if key in row} == {
            key: asked[key] for key in answered if key in asked
        }


def test_flags_and_actions_are_those_of_the_list() -> None:
    recipient = story.told_so_far()
    # A day after Pending of October's credit notes lapsed, with nothing filed meanwhile.
    for on in ("2026-11-13", "2026-12-25"):
        day = today(recipient, on)
        records = Record.objects.filter(recipient=recipient).select_related("original")
        shown = {record.number: inbox.line(record, day) for record in records if record.settled_month is None}
        found = rows_of(recipient, on)
        assert found
        for row in found:
            line = shown[row.key.number]
            assert row.action is line.effective
            assert row.pending_blocked is (Action.PENDING in line.barred)
            assert row.remarks_blocked in (None, not line.takes_remark)
            assert row.reduction_blocked in (None, not line.is_specified)
    assert any(row.pending_blocked for row in found)


@pytest.mark.parametrize(
    "asked",
    [{"action": "P"}, {"sections": (Section.CN,)}, {"supplier": "27AAGCW0000L1ZJ"}, {"settled": True}, {"text": "KMF"}],
    ids=str,
)
def test_a_file_holds_what_the_list_shows(asked: dict[str, Any]) -> None:
    recipient = story.told_so_far()
    day = today(recipient, "2026-11-13")
    page = inbox.page(taxpayer=recipient, today=day, filters=Filters(**asked), rows=200)
    found = rows_of(recipient, "2026-11-13", **asked)
    assert found
    assert sorted(row.key.number for row in found) == sorted(line.record.number for line in page.lines)


@pytest.mark.django_db(transaction=True)
def test_records_of_any_number_take_one_query_and_are_read_in_pieces() -> None:
    record = factories.filed_record()
    many.copies(record, 2 * sql.ROWS_READ)
    day = today(record.recipient, "2025-11-12")
    with CaptureQueriesContext(connection) as asked:
        found = list(ims_rows.of(record.recipient, day, Filters()))
    assert [one["sql"] for one in asked if one["sql"] in ("BEGIN", "COMMIT")] == ["BEGIN", "COMMIT"]
    assert len(asked) == 3  # a transaction of its own, and one query
    assert len({row.key for row in found}) == 2 * sql.ROWS_READ + 1
    assert [row.key.day for row in found] == sorted(row.key.day for row in found)


def test_the_gstin_that_gave_a_bill_up_is_asked_to_reduce() -> None:
    story.told_so_far()
    gujarat = Taxpayer.objects.get(gstin="24AAKCT0000P1ZG")
    [row] = exported(gujarat, "2026-11-13", sections=(Section.IMPGA,))["impga"]
    assert (row["boenum"], row["amendType"], row["isItcRedReqBlocked"]) == ("6990021", "A", "N")
    assert (row["rgstinrefId"], row["irefdt"]) == ("ICG-261013-000208", "13-10-2026")


def test_a_bill_s_declaration_has_two_heads() -> None:
    story.told_so_far()
    gujarat = Taxpayer.objects.get(gstin="24AAKCT0000P1ZG")
    record = Record.objects.get(recipient=gujarat, section=Section.IMPGA)
    factories.act(record, "A", on="2026-11-13", answer="P", declared=Tax(igst=100_50), remark="In part")
    [row] = exported(gujarat, "2026-11-13", sections=(Section.IMPGA,))["impga"]
    declared = {key: value for key, value in row.items() if key.startswith(("itc", "decl")) and key != "itcprd"}
    assert declared == {"itcRedReq": "Y", "declIgst": 100.5, "declCess": 0}
    assert "remarks" not in row


def test_the_hash_stays_with_the_action_and_changes_with_an_amount() -> None:
    record = factories.filed_record(section=Section.CN, number="CN1")
    [row] = rows_of(record.recipient, "2025-11-12")
    before = ims_json.digest(row, recipient=record.recipient.gstin)
    factories.act(record, "A", answer="N", remark="Never taken")
    [decided] = rows_of(record.recipient, "2025-11-12")
    assert (decided.action, decided.answer) == (Action.ACCEPT, Answer.NONE)
    assert ims_json.digest(decided, recipient=record.recipient.gstin) == before
    for changed in (
        replace(row, taxable=row.taxable + 1),
        replace(row, value=row.value + 1),
        replace(row, tax=row.tax + Tax(cess=1)),
        replace(row, key=replace(row.key, number="CN2")),
        replace(row, pos="24"),
    ):
        assert ims_json.digest(changed, recipient=record.recipient.gstin) != before
    assert ims_json.digest(row, recipient=factories.SUPPLIER) != before


def test_forms_and_types_are_spelled_as_in_ims() -> None:
    document = factories.document(inv_type=InvoiceType.SEZ_WITHOUT_PAYMENT, tax=0)
    [record] = factories.saved(document, form=Form.GSTR1)
    [row] = exported(record.recipient, "2025-11-12")["b2b"]
    assert (row["inv_typ"], row["srcform"], row["srcfilstatus"]) == ("SEZWOP", "R1", "Not Filed")


def test_nothing_listed_is_an_object_without_sections() -> None:
    recipient = factories.taxpayer()
    assert exported(recipient, "2025-11-12") == {}
    assert exported(recipient, "2025-11-12", Dialect.OFFLINE) == {"imsDetails": {}}


def test_rows_of_a_section_in_two_places_are_no_file() -> None:
    factories.filed(factories.document(number="I1"), factories.document(number="C1", section=Section.CN))
    recipient = factories.taxpayer()
    rows = rows_of(recipient, "2025-11-12")
    with pytest.raises(ValueError, match="two places"):
        text_of([*rows, *rows], recipient, Dialect.API)
