"""The other sections of a GSTR-1 file: totals for Table 3, and what is passed over."""

import copy
from typing import Any

import pytest

from ims_portal.rules.documents import Document, Form, Problem
from ims_portal.rules.money import Tax
from invoices.gstr1_json import PassedOver, Summary
from tests.invoices.gstr1_files import (
    RECIPIENT,
    make_file,
    make_invoice,
    make_note,
    problems,
    read,
    sample,
    with_invoices,
)


def summaries(**sections: Any) -> dict[str, Summary]:  # noqa: ANN401
    """Return the totals by section."""
    return {found.section: found for found in read(make_file(**sections)) if isinstance(found, Summary)}


def details(summary: Summary) -> dict[tuple[str, str, str], tuple[int, int]]:
    """Return taxable value and tax by kind, supply and place of supply."""
    found: dict[tuple[str, str, str], tuple[int, int]] = {}
    for row in summary.details:
        key = (row.detail.kind, row.detail.supply, row.detail.pos)
        before = found.get(key, (0, 0))
        found[key] = (before[0] + row.taxable, before[1] + row.tax.total)
    return found


def named(summary: Summary) -> dict[str, tuple[int, int]]:
    """Return taxable value and tax by the detail as it is kept."""
    return {str(row.detail): (row.taxable, row.tax.total) for row in summary.details}


def test_consumer_supplies_are_summed_by_supply_and_place() -> None:
    row = {"typ": "OE", "sply_ty": "INTRA", "pos": "29", "rt": 5, "txval": 100, "camt": 2.5, "samt": 2.5}
    away = {"typ": "OE", "sply_ty": "INTER", "pos": "33", "rt": 18, "txval": -100.5, "iamt": -18.09}
    found = summaries(b2cs=[row, row, away])["b2cs"]
    assert details(found) == {("", "INTRA", "29"): (20_000, 1_000), ("", "INTER", "33"): (-10_050, -1_809)}
    assert (found.taxable, found.tax, found.rows) == (9_950, Tax(igst=-1_809, cgst=500, sgst=500), 3)


def test_exports_are_summed_with_and_without_payment() -> None:
    shipment = {"inum": "E1", "idt": "05-10-2026", "val": 118, "itms": [{"txval": 100, "rt": 18, "iamt": 18}]}
    free = {**shipment, "val": 100, "itms": [{"txval": 100, "rt": 0}]}
    found = summaries(exp=[{"exp_typ": "WPAY", "inv": [shipment, shipment]}, {"inv": [free], "exp_typ": "WOPAY"}])[
        "exp"
    ]
    assert details(found) == {("WPAY", "INTER", ""): (20_000, 3_600), ("WOPAY", "INTER", ""): (10_000, 0)}
    assert found.rows == 3


def test_large_consumer_invoices_are_summed_by_place() -> None:
    large = make_invoice(
        rchrg=None, inv_typ=None, pos=None, itms=[{"num": 1, "itm_det": {"txval": 100, "rt": 18, "iamt": 18}}]
    )
    assert details(summaries(b2cl=[{"pos": "33", "inv": [large, large]}])["b2cl"]) == {
        ("", "INTER", "33"): (20_000, 3_600)
    }


def test_credit_notes_to_consumers_count_negative() -> None:
    note = {**make_note(rchrg=None, inv_typ=None, pos=None), "typ": "EXPWP"}
    found = summaries(
        cdnur=[note, {**note, "ntty": "D", "nt_num": "D1"}, {**note, "nt_num": "C2"}, {**note, "ntty": "R"}]
    )
    assert details(found["cdnur"]) == {("EXPWP", "INTER", ""): (-10_000, -1_800)}


def test_nil_exempt_and_non_gst_are_kept_apart() -> None:
    row = {"sply_ty": "INTRAB2C", "nil_amt": 1, "expt_amt": 2, "ngsup_amt": 3}
    assert details(
        summaries(nil={"inv": [row, {**row, "sply_ty": "INTRB2B", "nil_amt": 0, "ngsup_amt": 0}]})["nil"]
    ) == {
        ("nil", "INTRAB2C", ""): (100, 0),
        ("exempt", "INTRAB2C", ""): (200, 0),
        ("non_gst", "INTRAB2C", ""): (300, 0),
        ("exempt", "INTRB2B", ""): (200, 0),
    }


def test_advances_amended_consumer_supplies_and_operators_are_summed() -> None:
    advance = {"pos": "29", "sply_ty": "INTRA", "itms": [{"rt": 18, "ad_amt": 100, "camt": 9, "samt": 9}]}
    amended = {
        "typ": "OE",
        "pos": "33",
        "sply_ty": "INTER",
        "omon": "092026",
        "itms": [{"rt": 18, "txval": 100, "iamt": 18}],
    }
    operator = {"etin": "29AAKCT0000P1C6", "suppval": 100, "igst": 0, "cgst": 2, "sgst": 2}
    consumer = {"rt": 5, "pos": "29", "txval": 100, "sply_ty": "INTRA", "flag": "N", "camt": 2.5, "samt": 2.5}
    found = summaries(
        at=[advance],
        txpd=[advance],
        b2csa=[amended],
        supeco={"clttx": [operator], "paytx": [operator]},
        ecom={"urp2c": [consumer], "b2c": [{**consumer, "stin": RECIPIENT}]},
    )
    assert {section: details(summary) for section, summary in found.items()} == {
        "at": {("", "INTRA", "29"): (10_000, 1_800)},
        "txpd": {("", "INTRA", "29"): (10_000, 1_800)},
        "b2csa": {("", "INTER", "33"): (10_000, 1_800)},
        "supeco": {("clttx", "", ""): (10_000, 400), ("paytx", "", ""): (10_000, 400)},
        "ecom.urp2c": {("", "INTRA", "29"): (10_000, 500)},
        "ecom.b2c": {("", "INTRA", "29"): (10_000, 500)},
    }


def test_what_can_be_amended_by_number_is_kept_document_by_document() -> None:
    lines = [{"num": 1, "itm_det": {"txval": 100, "rt": 18, "iamt": 18}}]
    large = {"inum": "L/1a", "idt": "05-10-2026", "val": 118, "itms": lines}
    shipment = {"inum": "E1", "idt": "06-10-2026", "val": 100, "itms": [{"txval": 100, "rt": 0}]}
    note = {"typ": "B2CL", "ntty": "C", "nt_num": "N1", "nt_dt": "07-10-2026", "val": 118, "pos": "33", "itms": lines}
    found = summaries(
        b2cl=[{"pos": "33", "inv": [large, {**large, "inum": "L2"}]}],
        b2cla=[{"pos": "33", "inv": [{**large, "inum": "L3", "oinum": "L/1A", "oidt": "05-09-2026"}]}],
        expa=[{"exp_typ": "WOPAY", "inv": [{**shipment, "oinum": "E0", "oidt": "01-09-2026"}]}],
        cdnura=[{**note, "ont_num": "N0", "ont_dt": "02-09-2026"}],
    )
    assert {section: named(summary) for section, summary in found.items()} == {
        "b2cl": {"INTER 33 | L/1A 05-10-2026": (10_000, 1_800), "INTER 33 | L2 05-10-2026": (10_000, 1_800)},
        "b2cla": {"INTER 33 | L3 05-10-2026 | L/1A 05-09-2026": (10_000, 1_800)},
        "expa": {"INTER WOPAY | E1 06-10-2026 | E0 01-09-2026": (10_000, 0)},
        "cdnura": {"INTER 33 B2CL | N1 07-10-2026 | N0 02-09-2026": (-10_000, -1_800)},
    }


def test_no_section_that_carries_tax_is_passed_over() -> None:
    operator, supplier = "29AAKCT0000P1C6", RECIPIENT
    amended = {
        "pos": "29",
        "sply_ty": "INTRA",
        "omon": "092026",
        "itms": [{"rt": 18, "ad_amt": 100, "camt": 9, "samt": 9}],
    }
    eco = {"omon": "092026", "sply_ty": "INTER", "flag": "N", "itms": [{"rt": 5, "txval": 100, "iamt": 5}]}
    through = {"etin": operator, "oetin": operator, "omon": "092026", "suppval": 100, "igst": 5, "cgst": 0, "sgst": 0}
    consumer = {"typ": "E", "sply_ty": "INTER", "pos": "33", "rt": 5, "txval": 100, "iamt": 5, "etin": operator}
    found = summaries(
        ata=[amended],
        txpda=[amended],
        supecoa={"clttxa": [through], "paytxa": [through]},
        ecoma={
            "b2ca": [{"pos": "33", "posItms": [{**eco, "stin": supplier, "ostin": supplier}]}],
            "urp2ca": [{**eco, "pos": "33"}],
        },
        b2cs=[consumer],
    )
    assert {section: named(summary) for section, summary in found.items()} == {
        "ata": {"INTRA 29 092026": (10_000, 1_800)},
        "txpda": {"INTRA 29 092026": (10_000, 1_800)},
        "supecoa": {
            f"clttx 092026 | {operator} | {operator}": (10_000, 500),
            f"paytx 092026 | {operator} | {operator}": (10_000, 500),
        },
        "ecoma.b2ca": {f"INTER 33 092026 | {supplier} | {supplier}": (10_000, 500)},
        "ecoma.urp2ca": {"INTER 33 092026": (10_000, 500)},
        "b2cs": {f"INTER 33 | {operator}": (10_000, 500)},
    }


def test_a_party_that_is_no_registration_is_reported_at_its_key() -> None:
    row = {"typ": "E", "sply_ty": "INTER", "pos": "33", "rt": 5, "txval": 100, "iamt": 5}
    assert problems(make_file(b2cs=[{**row, "etin": "x | y"}])) == [("APP-G103", "b2cs[0]", "etin")]
    assert problems(make_file(b2cs=[{**row, "etin": ""}])) == []


def test_a_wrong_summary_row_is_reported_and_not_summed() -> None:
    row = {"typ": "OE", "sply_ty": "INTRA", "pos": "29", "rt": 5, "txval": 100}
    found = read(make_file(b2cs=[row, {**row, "txval": "100"}, {**row, "pos": "96", "x": 1}, 7]))
    assert [(item.code, item.position, item.field) for item in found if isinstance(item, Problem)] == [
        ("APP-G102", "b2cs[1]", "txval"),
        ("APP-G104", "b2cs[2]", "pos"),
        ("APP-G116", "b2cs[2]", "x"),
        ("APP-G102", "b2cs[3]", ""),
    ]
    assert [(item.taxable, item.rows) for item in found if isinstance(item, Summary)] == [(10_000, 1)]


def test_sections_with_no_part_in_ims_are_counted_and_passed_over() -> None:
    found = read(sample("gstr1-monthly.json"))
    assert [item for item in found if isinstance(item, PassedOver)] == [
        PassedOver("hsn", 2),
        PassedOver("doc_issue", 1),
    ]


@pytest.mark.parametrize(
    "section",
    [
        {"b2cs": [{}]},
        {"nil": {"inv": [{}]}},
        {"hsn": {"hsn_b2b": [{}]}},
        {"exp": [{}]},
        {"ecom": {"b2c": [{}]}},
        {"ecoma": {"b2ca": [{}]}},
        {"supeco": {"clttx": [{}]}},
    ],
)
def test_an_iff_holds_only_documents_for_registered_recipients(section: dict[str, Any]) -> None:
    file = {**with_invoices(make_invoice()), **section}
    assert [code for code, _, _ in problems(file, form=Form.IFF)] == ["APP-G115"]
    assert any(isinstance(found, Document) for found in read(file, form=Form.IFF))


def test_an_unknown_part_of_a_section_is_reported() -> None:
    assert problems(make_file(ecom={"b2x": [], "b2b": []})) == [("APP-G116", "ecom", "b2x")]


def test_reading_leaves_the_file_as_it_was() -> None:
    file = with_invoices(make_invoice())
    before = copy.deepcopy(file)
    read(file)
    assert file == before
