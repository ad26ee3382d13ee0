"""The supplier's view by a program: the recipient's decision and its cost, and nothing that is the recipient's own."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from ims_portal.access import Right
from ims_portal.models import User
from ims_portal.rules.documents import Form, Section
from ims_portal.rules.money import Tax
from invoices.models import Record
from tests import factories
from tests.api.client import Program, token
from tests.api.test_entrance import refused

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now")]
TODAY = "2025-11-20"
R, S = factories.RECIPIENT, factories.SUPPLIER
OTHER, THIRD = "29AAKCT0000P1Z6", "29AABCT1332L1ZA"


@pytest.fixture
def kiran() -> User:
    """A signatory of S, which filed three invoices and a credit note to R."""
    numbers = (factories.document(number=f"D{n}", tax=100 * n) for n in (1, 2, 3))
    factories.filed(*numbers, factories.document(section=Section.CN, number="C1", tax=5000))
    return factories.member(factories.taxpayer(S), "signatory", "kiran")


def listed(program: Program, **query: str) -> dict[str, Any]:
    """Return the documents of a page by number."""
    answer = program.get(f"t/{S}/ims/outward", **query)
    assert answer.status_code == 200, answer.json()
    return {record["number"]: record for record in answer.json()["records"]}


def test_a_supplier_reads_the_recipient_s_decision_and_its_cost(kiran: User) -> None:
    factories.act(Record.objects.get(number="C1"), "R", remark="not agreed with us", reason="NOT_AGREED")
    program = Program(token(kiran, S))
    found = listed(program)["C1"]
    assert (found["action"], found["remark"], found["reason_code"]) == ("R", "not agreed with us", "NOT_AGREED")
    assert (found["final"], found["effect"], found["addback"]["igst"]) == (False, "provisional", "5000.00")
    assert (found["recipient"]["gstin"], found["period"], found["status"]) == (R, "102025", "filed")
    counts = program.get(f"t/{S}/ims/outward/counts").json()
    assert {"section": "b2bcn", "action": "R", "count": 1, "tax": "5000.00"} in counts["counts"]
    assert counts["addback_provisional"]["igst"] == "5000.00"
    one = program.get(f"t/{S}/ims/outward/{found['id']}").json()
    assert one["history"][0]["reason_code"] == "NOT_AGREED"
    factories.filed_period()
    found = listed(program, effect="fixed", filed3b="1")["C1"]
    assert (found["final"], found["addback_period"]) == (True, "112025")


def test_a_supplier_never_sees_what_the_recipient_answered(kiran: User) -> None:
    note = Record.objects.get(number="C1")
    factories.act(note, "A", answer="P", declared=Tax(igst=123_457), remark="used half")
    factories.act(note, "A", answer="P", declared=Tax(igst=234_561), remark="used half")
    program = Program(token(kiran, S))
    answers = [
        program.get(f"t/{S}/ims/outward"),
        program.get(f"t/{S}/ims/outward/{note.pk}"),
        program.get(f"t/{S}/ims/outward/counts"),
    ]
    for answer in answers:
        text = answer.content.decode()
        assert answer.status_code == 200
        for canary in ("1234.57", "2345.61", '"reduce"', '"itc"', "declared", "match", "gstr2b"):
            assert canary not in text
    assert len(answers[1].json()["history"]) == 1
    for path in (f"records/{note.pk}", f"records/{note.pk}/history"):
        refused(program.get(f"t/{S}/ims/{path}"), 404, "NOT_FOUND")


def test_pages_follow_one_another_and_filters_narrow_them(kiran: User) -> None:
    program = Program(token(kiran, S))
    seen, after = [], ""
    while True:
        page = program.get(f"t/{S}/ims/outward", rows="3", **({"after": after} if after else {})).json()
        seen += [record["number"] for record in page["records"]]
        after = page["next"]
        if not after:
            break
    assert (seen, page["count"]) == (["C1", "D3", "D2", "D1"], 4)
    assert set(listed(program, section="b2b", q="D2", period="102025")) == {"D2"}
    assert set(listed(program, period="112025")) == set()


@pytest.mark.parametrize(
    "wrong",
    [
        {"rows": "201"},
        {"after": "x"},
        {"section": "impg"},
        {"p": "102025"},
        {"period": "132025"},
        {"action": "X"},
        {"colour": "red"},
        {"recipient": "x"},
    ],
)
def test_a_list_asked_for_wrongly_is_refused_at_its_field(kiran: User, wrong: dict[str, str]) -> None:
    told = refused(Program(token(kiran, S)).get(f"t/{S}/ims/outward", **wrong), 400, "INVALID")
    assert told["field"] == next(iter(wrong))


def test_another_supplier_s_documents_are_not_there(kiran: User) -> None:
    pk = Record.objects.get(number="C1").pk
    asha = factories.member(factories.taxpayer(), "signatory", "asha")
    program = Program(token(asha, R))
    assert program.get(f"t/{R}/ims/outward").json()["records"] == []
    refused(program.get(f"t/{R}/ims/outward/{pk}"), 404, "NOT_FOUND")
    for path in ("outward", "outward/counts", f"outward/{pk}"):
        refused(program.get(f"t/{S}/ims/{path}"), 404, "NOT_FOUND")
    refused(Program(token(kiran, S, rights=[Right.VIEW])).post(f"t/{S}/ims/outward"), 405, "METHOD_NOT_ALLOWED")


@pytest.mark.parametrize(("path", "queries"), [("", 7), ("/counts", 6)])
def test_queries_do_not_grow_with_rows(
    kiran: User, django_assert_num_queries: DjangoAssertNumQueries, path: str, queries: int
) -> None:
    factories.filed(
        *(factories.document(number=f"E{n}", tax=10, recipient=r) for n, r in enumerate((OTHER, THIRD))),
        form=Form.GSTR1A,
        on="2025-11-12",
    )
    program = Program(token(kiran, S))
    program.get("token")
    for rows in ("1", "200") if not path else ("",):
        with django_assert_num_queries(queries):
            answer = program.get(f"t/{S}/ims/outward{path}", **({"rows": rows} if rows else {}))
        assert answer.status_code == 200


def test_one_document_takes_few_queries(kiran: User, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    pk = Record.objects.get(number="C1").pk
    program = Program(token(kiran, S))
    program.get("token")
    with django_assert_num_queries(6):
        program.get(f"t/{S}/ims/outward/{pk}")
