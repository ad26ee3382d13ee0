"""GSTR-2B for programs: its documents as they are and as they count, what versions differ in, what it lacks."""

from __future__ import annotations

from typing import Any

import pytest

from ims_portal.access import Right
from ims_portal.models import User
from ims_portal.rules.documents import Section
from ims_portal.rules.money import Tax
from invoices.models import Record
from tests import factories
from tests.api.client import Program, token
from tests.api.test_entrance import refused

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now")]
TODAY = "2025-11-16"
R = factories.RECIPIENT
AT = f"t/{R}/2b/102025"


@pytest.fixture
def program() -> Program:
    """A token of R, whose GSTR-2B of October has two versions: in the second INV1 is rejected."""
    factories.filed(
        factories.document(number="INV1"),
        factories.document(number="INV2", tax=900),
        factories.document(number="CN1", section=Section.CN, tax=400),
    )
    signatory: User = factories.member(factories.taxpayer(), "signatory", "asha")
    factories.act(Record.objects.get(number="CN1"), "A", answer="P", declared=Tax(igst=10000), remark="used in part")
    factories.computed()
    factories.act(Record.objects.get(number="INV1"), "R", on="2025-11-15", actor=signatory)
    factories.computed(on="2025-11-15")
    return Program(token(signatory, R, rights=[Right.VIEW]))


def numbers(told: dict[str, Any], name: str = "lines") -> list[str]:
    """Return the documents of an answer, in its order."""
    return [line["document"]["number"] for line in told[name]]


def test_a_line_says_what_the_document_is_what_it_counts_for_and_why(program: Program) -> None:
    told = program.get(f"{AT}/lines").json()
    assert (told["period"], told["version"], told["count"]) == ("102025", 2, 3)
    by_number = {line["document"]["number"]: line for line in told["lines"]}
    note = by_number["CN1"]
    assert note["document"] == {
        "record": Record.objects.get(number="CN1").pk,
        "supplier": {"gstin": factories.SUPPLIER, "name": "Firm AAACS"},
        "number": "CN1",
        "date": "2025-10-05",
        "pos": "27",
        "type": "R",
        "reverse_charge": False,
        "supplier_period": "102025",
        "filed_on": "2025-11-10",
        "value": "2622.23",
        "taxable": "2222.23",
        "tax": {"igst": "400.00", "cgst": "0.00", "sgst": "0.00", "cess": "0.00"},
    }
    counted = note["counted"]
    assert (counted["section"], counted["part"], counted["row"], counted["feeds"]) == (
        "available",
        "B_I",
        "b2bcn",
        "t4A5",
    )
    assert (counted["tax"]["igst"], counted["net_itc"]["igst"]) == ("100.00", "-100.00")
    assert (counted["reduce"], counted["reduced"]["igst"], counted["status"]) == ("P", "100.00", "accepted")
    assert by_number["INV1"]["counted"]["net_itc"]["igst"] == "0.00"  # rejected: printed, but no credit
    assert by_number["INV1"]["counted"]["tax"]["igst"] == "18000.00"
    for line in told["lines"]:
        assert line["why"]
        assert all(step["says"] and step["cite"] for step in line["why"])


def test_lines_come_page_by_page_and_back(program: Program) -> None:
    everything = numbers(program.get(f"{AT}/lines").json())
    first = program.get(f"{AT}/lines", rows="2").json()
    assert (numbers(first), first["previous"]) == (everything[:2], None)
    second = program.get(f"{AT}/lines", rows="2", after=first["next"]).json()
    assert (numbers(second), second["next"]) == (everything[2:], None)
    assert numbers(program.get(f"{AT}/lines", rows="2", after=second["previous"]).json()) == everything[:2]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"section": "rejected"}, ["INV1"]),
        ({"section": "available", "part": "B_I"}, ["CN1"]),
        ({"row": "b2b", "version": "1"}, ["INV1", "INV2"]),
        ({"status": "deemed_accepted"}, ["INV2"]),
        ({"feeds": "t4A5"}, ["CN1", "INV2"]),
        ({"part": "A_IV"}, []),
    ],
)
def test_lines_are_found_by_what_they_count_as(program: Program, query: dict[str, str], found: list[str]) -> None:
    assert sorted(numbers(program.get(f"{AT}/lines", **query).json())) == found


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("lines", {"section": "NOWHERE"}, "section"),
        ("lines", {"part": "C"}, "part"),
        ("lines", {"row": "x"}, "row"),
        ("lines", {"status": "x"}, "status"),
        ("lines", {"feeds": "t9"}, "feeds"),
        ("lines", {"rows": "201"}, "rows"),
        ("lines", {"version": "0"}, "version"),
        ("lines", {"after": "x"}, "after"),
        ("lines", {"colour": "red"}, "colour"),
        ("diff", {"newer": "2"}, "older"),
        ("diff", {"older": "2", "newer": "2"}, "older"),
        ("diff", {"older": "1", "newer": "2", "cell": "x"}, "cell"),
        ("diff", {"older": "1", "newer": "2", "after": "0"}, "after"),
        ("changes", {"rows": "0"}, "rows"),
    ],
)
def test_what_is_asked_wrongly_is_refused_at_its_field(
    program: Program, path: str, query: dict[str, str], field: str
) -> None:
    assert refused(program.get(f"{AT}/{path}", **query), 400, "INVALID")["field"] == field


def test_a_name_given_twice_is_refused(program: Program) -> None:
    answer = program.client.get(f"/api/v1/{AT}/lines?part=A_I&part=B_I")
    assert refused(answer, 400, "INVALID")["field"] == "part"


def test_versions_differ_in_cells_and_in_the_records_that_moved_them(program: Program) -> None:
    told = program.get(f"{AT}/diff", older="1", newer="2").json()
    assert told["count"] == 1
    (record,) = told["records"]
    assert (record["document"]["number"], record["by"], record["at"][:10]) == ("INV1", "Asha", "2025-11-15")
    assert (record["older"]["section"], record["newer"]["section"]) == ("available", "rejected")
    assert record["net_itc"]["igst"] == "-18000.00"
    cells = {cell["cell"]: (cell["older"], cell["newer"], cell["change"]) for cell in told["cells"]}
    assert cells["available.A_I.all.igst"] == ("18900.00", "900.00", "-18000.00")
    assert cells["rejected.A_I.b2b.igst"] == ("0.00", "18000.00", "18000.00")
    available = next(section for section in told["sections"] if section["section"] == "available")
    assert (available["older"]["igst"], available["change"]["igst"]) == ("18800.00", "-18000.00")
    of_cell = program.get(f"{AT}/diff", older="1", newer="2", cell="rejected.A_I.b2b.igst").json()
    assert numbers(of_cell, "records") == ["INV1"]
    assert program.get(f"{AT}/diff", older="1", newer="2", cell="available.B_I.b2bcn.igst").json()["records"] == []


def test_the_records_of_a_difference_come_page_by_page(program: Program) -> None:
    for number in ("INV2", "CN1"):
        factories.act(Record.objects.get(number=number), "R", on="2025-11-16")
    factories.computed(on="2025-11-16")
    everything = numbers(program.get(f"{AT}/diff", older="1", newer="3").json(), "records")
    assert len(everything) == 3
    for cell in ({}, {"cell": "rejected.A_I.all.igst"}):
        found, after = [], None
        while True:
            query = {"older": "1", "newer": "3", "rows": "1"} | ({"after": str(after)} if after else {}) | cell
            page = program.get(f"{AT}/diff", **query).json()
            found += numbers(page, "records")
            after = page["next"]
            if after is None:
                break
        assert found == (everything if not cell else ["INV1", "INV2"])
    nowhere = program.get(f"{AT}/diff", older="1", newer="3", after="999999").json()
    assert (nowhere["records"], nowhere["next"]) == ([], None)


def test_changes_are_what_computing_now_would_change(program: Program) -> None:
    told = program.get(f"{AT}/changes").json()
    assert (told["version"], told["is_out_of_date"], told["count"], told["records"]) == (2, False, 0, [])
    factories.act(Record.objects.get(number="INV2"), "R", on="2025-11-16")
    told = program.get(f"{AT}/changes").json()
    assert (told["is_out_of_date"], told["count"], told["gain"], told["loss"]) == (True, 1, "0.00", "-900.00")
    assert numbers(told, "records") == ["INV2"]
    assert told["records"][0]["newer"]["section"] == "rejected"


@pytest.mark.parametrize(("path", "query"), [("lines", {}), ("diff", {"older": "1", "newer": "2"}), ("changes", {})])
def test_where_there_is_no_statement_no_version_or_nothing_to_see(
    program: Program, path: str, query: dict[str, str]
) -> None:
    refused(program.get(f"t/{R}/2b/112025/{path}", **query), 422, "GSTR2B_NOT_AVAILABLE")
    refused(program.get(f"t/{R}/2b/092025/{path}", **query), 404, "NOT_FOUND")
    refused(program.get(f"t/{factories.SUPPLIER}/2b/102025/{path}", **query), 404, "NOT_FOUND")
    if path != "changes":
        later = {name: "9" for name in query if name == "newer"} or {"version": "9"}
        refused(program.get(f"{AT}/{path}", **(query | later)), 404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("path", "query", "most"), [("lines", {}, 6), ("diff", {"older": "1", "newer": "2"}, 8), ("changes", {}, 10)]
)
def test_queries_do_not_grow_with_rows(
    program: Program,
    path: str,
    query: dict[str, str],
    most: int,
    django_assert_max_num_queries: Any,  # noqa: ANN401 - pytest-django's fixture
) -> None:
    factories.act(Record.objects.get(number="INV2"), "R", on="2025-11-16")
    program.get("token")  # a token's use is written down once a minute
    for rows in ("1", "200"):
        with django_assert_max_num_queries(most):
            assert program.get(f"{AT}/{path}", rows=rows, **query).status_code == 200
