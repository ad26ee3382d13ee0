"""A GSTR-2A beside our GSTR-2B: its own names and rows of rates come to the same documents."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from ims_portal.rules.documents import Problem
from returns import gstr2b_reading
from returns.gstr2b_reading import Head, Told
from returns.models import Gstr2b, StatementFile
from tests.returns.test_gstr2b_files import compared, differences, our_json, statement, uploads  # noqa: F401 fixtures

pytestmark = pytest.mark.django_db


def itms(row: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what a document's amounts are, as two rates of it."""
    tax = {"iamt": row["igst"], "camt": row["cgst"], "samt": row["sgst"], "csamt": row["cess"]}
    none = {**dict.fromkeys(tax, 0), "txval": 0, "rt": 5}
    return [{"num": 1, "itm_det": {**tax, "txval": row["txval"], "rt": 18}}, {"num": 2, "itm_det": none}]


def invoice(row: dict[str, Any]) -> dict[str, Any]:
    """Return an invoice as GSTR-2A has it."""
    return {
        "inum": row["inum"],
        "idt": row["dt"],
        "val": row["val"],
        "pos": row["pos"],
        "rchrg": row["rev"],
        "inv_typ": row["typ"],
        "itms": itms(row),
    }


def note(row: dict[str, Any]) -> dict[str, Any]:
    """Return a note as GSTR-2A has it."""
    return {
        "ntty": row["typ"],
        "nt_num": row["ntnum"],
        "nt_dt": row["dt"],
        "val": row["val"],
        "pos": row["pos"],
        "rchrg": row["rev"],
        "inv_typ": row["suptyp"],
        "itms": itms(row),
    }


def group(of: dict[str, Any], rows: str, written: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a supplier's documents as GSTR-2A has them."""
    period = {"102025": "Oct-25"}[of["supprd"]]
    filed = of["supfildt"]
    return {"ctin": of["ctin"], "cfs": "Y", "cfs3b": "N", "fldtr1": filed, "flprdr1": period, rows: written}


@pytest.fixture
def told(statement: Gstr2b) -> dict[str, Any]:  # noqa: F811
    """What a GSTR-2A says of the documents of the statement."""
    mine = json.loads(our_json(statement))["data"]
    documents = mine["docdata"]
    return {
        "gstin": mine["gstin"],
        "fp": mine["rtnprd"],
        "b2b": [group(of, "inv", [invoice(row) for row in of["inv"]]) for of in documents["b2b"]],
        "cdn": [group(of, "nt", [note(row) for row in of["nt"]]) for of in documents["cdnr"]],
        "ecom": [group(of, "inv", [invoice(row) for row in of["inv"]]) for of in documents["ecom"]],
        "tds": [{"gstin_deductor": of["ctin"], "amt_ded": 5} for of in documents["b2b"]],
    }


def test_documents_of_both_are_the_same_whatever_their_keys_are_called(
    statement: Gstr2b,  # noqa: F811
    told: dict[str, Any],
) -> None:
    found = compared(statement, json.dumps(told).encode(), "2a.json")
    assert (found.problem, found.problems) == ("", [])
    assert (found.documents, found.counts["same"][0]) == (statement.line_count, statement.line_count)
    assert (differences(found), found.sums) == ([], [])


def test_what_differs_is_told_and_where_a_document_counts_is_not_asked(
    statement: Gstr2b,  # noqa: F811
    told: dict[str, Any],
) -> None:
    first, second = told["b2b"][0]["inv"][:2]
    first["itms"][1]["itm_det"]["iamt"] = 0.01
    told["b2b"][0]["inv"].append({**second, "inum": "LATE/1"})
    told["cdn"] = []
    found = compared(statement, json.dumps(told).encode(), "2a.json")
    assert sorted(differences(found)) == [("differs", first["inum"]), ("ours", "CN1"), ("theirs", "LATE/1")]
    differs = found.differences.get(outcome="differs")
    assert {name for name, value in differs.theirs.items() if differs.ours[name] != value} == {"igst"}
    assert not {"placement", "reason", "remark", "answer"} & differs.theirs.keys()


@pytest.mark.parametrize("wrong", [{"fp": "092025"}, {"gstin": "24AAQCL9999K1ZP"}])
def test_one_of_another_period_or_gstin_is_refused_whole(
    statement: Gstr2b,  # noqa: F811
    told: dict[str, Any],
    wrong: dict[str, str],
) -> None:
    found = compared(statement, json.dumps({**told, **wrong}).encode(), "2a.json")
    assert (found.state, found.counts) == (StatementFile.State.FAILED, {})
    assert next(iter(wrong.values())) in found.problem


def test_a_gstr1_of_the_taxpayer_is_refused_whole(statement: Gstr2b, told: dict[str, Any]) -> None:  # noqa: F811
    theirs = [{"ctin": of["ctin"], "inv": of["inv"]} for of in told["b2b"]]
    content = {"gstin": told["gstin"], "fp": told["fp"], "b2b": theirs}
    found = compared(statement, json.dumps(content).encode(), "1.json")
    assert found.state == StatementFile.State.FAILED
    assert "This is no GSTR-2B and no GSTR-2A" in found.problem


def test_credit_of_a_distributor_and_imports_are_read() -> None:
    bill = {"refdt": "03-11-2025", "portcd": "INNSA1", "benum": 1234567, "bedt": "01-11-2025", "amd": "N"}
    content = {
        "gstin": "29AAKCT0000P1Z6",
        "fp": "112025",
        "isd": [
            {
                "ctin": "24AAQCL9999K1ZP",
                "doclist": [
                    {
                        "isd_docty": "ISDCN",
                        "docnum": "D1",
                        "docdt": "02-11-2025",
                        "itc_elg": "Y",
                        "iamt": 7.5,
                        "cess": 1,
                    }
                ],
            }
        ],
        "impg": [bill | {"benum": "1234567", "txval": 100, "iamt": 18, "csamt": 2}, bill],
        "impgsez": [bill | {"benum": "7654321", "sgstin": "27AAACS1111H1Z9", "tdname": "Zone", "txval": 10, "iamt": 2}],
    }
    head = Head()
    isd, abroad, broken, zone = gstr2b_reading.read(io.BytesIO(json.dumps(content).encode()), head)
    assert (head.gstin, head.period, head.sums) == ("29AAKCT0000P1Z6", "112025", {})
    assert isinstance(isd, Told)
    assert (isd.list, isd.number, isd.said) == (
        "isd",
        "D1",
        {"kind": "ISDC", "day": "2025-11-02", "eligible": "Y", "igst": 750, "cess": 100},
    )
    assert isinstance(abroad, Told)
    assert (abroad.said["port"], abroad.said["taxable"], abroad.said["cess"]) == ("INNSA1", 10_000, 200)
    assert isinstance(broken, Problem)
    assert (broken.position, broken.field) == ("gstr2a.impg[1]", "boenum")
    assert isinstance(zone, Told)
    assert (zone.list, zone.ctin, zone.name, zone.said["igst"]) == ("impgsez", "27AAACS1111H1Z9", "Zone", 200)


TAX = ("Rate (%)", "Taxable Value (₹)", "Integrated Tax (₹)", "Central Tax (₹)", "State/UT Tax (₹)", "Cess (₹)")
FILED = ("GSTR-1/IFF/GSTR-1A/5 Filing Status", "GSTR-1/IFF/GSTR-1A/5 Filing Date", "GSTR-1/IFF/GSTR-1A/5 Filing Period")
HEADINGS = {
    "B2B": ("GSTIN of supplier", "Invoice number", "Invoice type", "Invoice Date", "Invoice Value (₹)"),
    "CDNR": ("GSTIN of supplier", "Note type", "Note number", "Note Supply type", "Note date", "Note Value (₹)"),
}


def rows_of(row: list[Any], number: int, amounts: list[Any], filed: list[str]) -> list[list[Any]]:
    """Return a document's rows: one for a rate, and one for the sums, whose number says so."""
    total = [*row]
    total[number] += "-Total"
    return [[*row, 18, *amounts, *filed], [*total, "-", *amounts, *filed]]


def workbook(told: dict[str, Any], path: Path) -> bytes:
    """Return a GSTR-2A as the portal's workbook, of its invoices and notes."""
    book = openpyxl.Workbook()
    about = book.active
    assert about is not None
    about.title = "Read me"
    for line in ((), ("", "Financial Year", "2025-26", "GSTIN", told["gstin"]), ("", "Tax Period", "Oct")):
        about.append(line)
    for name, kind, rows in (("B2B", "b2b", "inv"), ("CDNR", "cdn", "nt")):
        sheet = book.create_sheet(name)
        labels = (*HEADINGS[name], "Place of supply", "Supply Attract Reverse Charge", *TAX, *FILED)
        sheet.append(["Taxable inward supplies received from registered persons"])
        sheet.append([*labels[:1], *("Details" for _ in labels[1:])])
        sheet.append(["", *labels[1:]])
        for of in told[kind]:
            for one in of[rows]:
                amounts = [one["itms"][0]["itm_det"][key] for key in ("txval", "iamt", "camt", "samt", "csamt")]
                if kind == "b2b":
                    row = [of["ctin"], one["inum"], one["inv_typ"], one["idt"], one["val"], one["pos"], one["rchrg"]]
                else:
                    row = [of["ctin"], one["ntty"], one["nt_num"], one["inv_typ"], one["nt_dt"]]
                    row += [one["val"], one["pos"], one["rchrg"]]
                number = 1 if kind == "b2b" else 2
                for written in rows_of(row, number, amounts, ["Y", of["fldtr1"], of["flprdr1"]]):
                    sheet.append(written)
    book.save(path)
    return path.read_bytes()


def test_its_workbook_has_rows_of_rates_and_their_sums(
    statement: Gstr2b,  # noqa: F811
    told: dict[str, Any],
    tmp_path: Path,
) -> None:
    found = compared(statement, workbook(told, tmp_path / "2a.xlsx"), "2a.xlsx")
    assert (found.problem, found.problems) == ("", [])
    assert (found.documents, found.counts["same"][0]) == (4, 4)
    assert differences(found) == [("ours", "ECO1")]
    told["b2b"][0]["inv"][0]["itms"][0]["itm_det"]["txval"] += 1
    found = compared(statement, workbook(told, tmp_path / "2a.xlsx"), "2a.xlsx")
    (differs,) = found.differences.filter(outcome="differs")
    assert (differs.number, differs.theirs["taxable"] - differs.ours["taxable"]) == (
        told["b2b"][0]["inv"][0]["inum"],
        100,
    )
