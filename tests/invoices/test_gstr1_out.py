"""A return written as the portal's JSON and read again: every document says what it said, whatever form it came by."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from ims_portal.models import Taxpayer
from ims_portal.rules import periods
from ims_portal.rules.documents import Document, Form, InvoiceType, Item, Problem, Section
from ims_portal.rules.money import Tax
from ims_portal.rules.table3 import Detail
from invoices import gstr1_json, gstr1_out, gstr1_rows, outward, uploads
from invoices.gstr1_json import Summary, SummaryLine
from invoices.models import SupplierReturn
from tests import factories
from tests.invoices.gstr1_files import DATA, KAVERI, RECIPIENT, sample
from tests.returns import story

NOYYAL = "33AASFN0000R1Z5"
FILED = [
    ("gstr1-monthly.json", KAVERI, Form.GSTR1, 22),
    ("gstr1a.json", KAVERI, Form.GSTR1A, 5),
    ("iff.json", NOYYAL, Form.IFF, 5),
]
DOCUMENTS = ("b2b", "b2ba", "cdnr", "cdnra", "ecom", "ecoma")
SUM_TAX = Tax(igst=1800, cess=5)


def kept_as(supplier: str, form: Form, month: int) -> SupplierReturn:
    return SupplierReturn.objects.select_related("supplier").get(supplier__gstin=supplier, form=form, month=month)


def text_of(kept: SupplierReturn) -> str:
    """Return the file of a return."""
    return "".join(
        gstr1_out.write(
            gstin=kept.supplier.gstin,
            period=periods.TaxPeriod(kept.month).wire,
            documents=gstr1_rows.documents(kept),
            sums=gstr1_rows.sums(kept),
        )
    )


def read(text: str, form: Form) -> list[Any]:
    return list(gstr1_json.read(io.BytesIO(text.encode()), form=form))


def of_documents(found: Iterable[Any]) -> dict[tuple[Section, str], Document]:
    """Return every document by what it is, without where in its file it stood."""
    read_ones = [item for item in found if isinstance(item, Document)]
    return {(document.section, document.number): replace(document, position="") for document in read_ones}


def of_sums(found: Iterable[Any]) -> dict[str, list[SummaryLine]]:
    return {item.section: list(item.details) for item in found if isinstance(item, Summary)}


def again(text: str, form: Form) -> str:
    """Return the file made of what the reader gave from a file, without any database."""
    found, head = read(text, form), gstr1_json.header(io.BytesIO(text.encode()))
    assert not [item for item in found if isinstance(item, Problem)]
    documents = [item for item in found if isinstance(item, Document)]
    return "".join(gstr1_out.write(gstin=head.gstin, period=head.period_text, documents=documents, sums=of_sums(found)))


def in_order(found: Any) -> Any:  # noqa: ANN401 JSON
    """Return a file with its lists in one order: which recipient comes first says nothing."""
    if isinstance(found, dict):
        return {key: in_order(value) for key, value in found.items()}
    if isinstance(found, list):
        return sorted((in_order(one) for one in found), key=lambda one: json.dumps(one, sort_keys=True))
    return found


@pytest.mark.django_db
def test_filed_returns_of_all_three_forms_come_out_as_they_went_in(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    story.told_so_far()
    for name, supplier, form, count in FILED:
        original = sample(name)
        kept = kept_as(supplier, form, periods.parse(original["fp"]).month)
        with django_assert_num_queries(2):
            text = text_of(kept)
        went_in, came_out = read((DATA / name).read_text(), form), read(text, form)
        assert of_documents(came_out) == of_documents(went_in)
        assert len(of_documents(came_out)) == count
        assert again(text, form) == text
        file = json.loads(text)
        assert (file["gstin"], file["fp"]) == (original["gstin"], original["fp"])
        for section in DOCUMENTS:
            assert in_order(file.get(section)) == in_order(original.get(section)), section


@pytest.fixture
def saved() -> SupplierReturn:
    """Return the samples' GSTR-1, saved and not filed; the returns it amends are filed."""
    kaveri = factories.taxpayer(KAVERI, first=202608)
    Taxpayer.objects.filter(pk=kaveri.pk).update(kind=Taxpayer.Kind.ECO)
    kaveri.refresh_from_db()
    with (DATA / "story/kaveri-gstr1-082026.json").open("rb") as stream:
        outward.file(
            supplier=kaveri,
            form=Form.GSTR1,
            period=periods.parse("082026"),
            actor=None,
            clock=factories.clock("2026-09-10"),
            found=uploads.found_in(stream, Form.GSTR1),
        )
    save((DATA / "gstr1-monthly.json").read_text())
    return kept_as(KAVERI, Form.GSTR1, 202610)


def save(text: str) -> outward.Saved:
    """Return what saving a file does."""
    return outward.save(
        supplier=Taxpayer.objects.get(gstin=KAVERI),
        form=Form.GSTR1,
        period=periods.parse("102026"),
        actor=None,
        clock=factories.clock("2026-11-05"),
        found=uploads.found_in(io.BytesIO(text.encode()), Form.GSTR1),
    )


@pytest.mark.django_db
def test_saving_what_was_written_changes_nothing_and_writes_the_same_again(saved: SupplierReturn) -> None:
    first = text_of(saved)
    done = save(first)
    assert (done.unchanged, done.changed_nothing, list(done.problems)) == (22, True, [])
    assert text_of(saved) == first


@pytest.mark.django_db
def test_sums_that_have_no_rate_are_written_and_the_others_named(saved: SupplierReturn) -> None:
    went_in = of_sums(read((DATA / "gstr1-monthly.json").read_text(), Form.GSTR1))
    assert gstr1_rows.left_out(saved) == ["b2cs"]
    came_out = read(text_of(saved), Form.GSTR1)
    assert of_sums(came_out) == {"nil": went_in["nil"]}


@pytest.mark.django_db
def test_a_withdrawn_document_is_not_written(saved: SupplierReturn) -> None:
    row = {"inum": "KMF/26-27/1001", "idt": "05-10-2026", "flag": "D"}
    file = {"gstin": KAVERI, "fp": "102026", "b2b": [{"ctin": RECIPIENT, "inv": [row]}]}
    assert save(json.dumps(file)).withdrawn == 1
    written = of_documents(read(text_of(saved), Form.GSTR1))
    assert len(written) == 21
    assert (Section.B2B, "KMF/26-27/1001") not in written


def written(*documents: Document, sums: dict[str, list[SummaryLine]] | None = None, gstin: str = KAVERI) -> Any:  # noqa: ANN401 JSON
    """Return the file of documents that stand in no database."""
    return json.loads("".join(gstr1_out.write(gstin=gstin, period="102026", documents=documents, sums=sums or {})))


def a_document(**changes: Any) -> Document:  # noqa: ANN401
    tax = changes.pop("tax", Tax(cgst=900, sgst=900))
    whole = {
        "section": Section.B2B,
        "recipient": RECIPIENT,
        "number": "KMF/1",
        "date": date(2026, 10, 5),
        "taxable": 10_000,
        "tax": tax,
        "pos": "29",
        "value": 11_800,
        "items": (Item(1800, 10_000, tax),),
        **changes,
    }
    return Document(**whole)


def row_of(document: Document) -> dict[str, Any]:
    (group,) = written(document)["b2b"]
    return dict(group["inv"][0])


def test_a_return_with_nothing_to_write_is_still_known_for_one() -> None:
    assert written() == {"gstin": KAVERI, "fp": "102026", "b2b": []}
    assert gstr1_json.header(io.BytesIO(json.dumps(written()).encode())).period_text == "102026"


def test_a_supply_bears_the_heads_its_place_or_its_kind_asks_for() -> None:
    def lines(**changes: Any) -> list[str]:  # noqa: ANN401
        return list(row_of(a_document(**changes))["itms"][0]["itm_det"])

    assert lines() == ["rt", "txval", "camt", "samt", "csamt"]
    assert lines(tax=Tax()) == ["rt", "txval", "camt", "samt", "csamt"]
    assert lines(tax=Tax(), pos="33") == ["rt", "txval", "iamt", "csamt"]
    assert lines(tax=Tax(), inv_type=InvoiceType.SEZ_WITHOUT_PAYMENT) == ["rt", "txval", "iamt", "csamt"]
    assert lines(tax=Tax(igst=1800)) == ["rt", "txval", "iamt", "csamt"]


def test_what_is_rare_comes_out_too() -> None:
    row = row_of(a_document(differential=True, reverse_charge=True, irn="a" * 64, number="ü"))
    assert (row["diff_percent"], row["rchrg"], row["irn"]) == (0.65, "Y", "a" * 64)
    assert "irngendate" not in row
    assert row["inum"] == "ü"
    assert "irn" not in written(a_document(section=Section.ECO, irn="a" * 64))["ecom"]["urp2b"][0]["inv"][0]


def test_sums_of_operators_and_of_table_8_are_read_as_they_were() -> None:
    sums = {
        "nil": [
            SummaryLine(Detail("INTRAB2C", kind="exempt"), 1850_050, Tax()),
            SummaryLine(Detail("INTRB2B", kind="nil"), -100, Tax()),
            SummaryLine(Detail("INTRB2B", kind="non_gst"), 300, Tax()),
        ],
        "supeco": [
            SummaryLine(Detail(kind="clttx", number="29AAKCT0000P1C6"), 10_000, SUM_TAX),
            SummaryLine(Detail(kind="paytx"), -5, Tax()),
        ],
        "supecoa": [
            SummaryLine(Detail(kind="paytx", month="082026", number="29AAKCT0000P1C6", original="X" * 15), 7, SUM_TAX)
        ],
    }
    text = "".join(
        gstr1_out.write(
            gstin=KAVERI,
            period="102026",
            documents=[a_document(), a_document(section=Section.ECO, eco_supplier=NOYYAL)],
            sums=sums,
        )
    )
    assert of_sums(read(text, Form.GSTR1)) == sums
    assert list(json.loads(text)) == ["gstin", "fp", "b2b", "nil", "supeco", "supecoa", "ecom"]
    assert again(text, Form.GSTR1) == text


def test_a_file_is_written_while_its_documents_come() -> None:
    taken = 0

    def coming() -> Iterable[Document]:
        nonlocal taken
        for number in range(1000):
            taken += 1
            yield a_document(number=f"KMF/{number + 1}")

    pieces = gstr1_out.write(gstin=KAVERI, period="102026", documents=coming(), sums={})
    assert next(piece for piece in pieces if "KMF/1" in piece)
    assert taken == 1
    assert sum(piece.count("KMF/") for piece in pieces) == 999
