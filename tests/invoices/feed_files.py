"""Feeds as files: the samples' own, and small ones made of what matters to a test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parent.parent / "data"
IMPORTER, OTHER, ISD = "29AAKCT0000P1Z6", "24AAKCT0000P1ZG", "27AAKCT0000P2Z9"
SHIVNATH = "22AAJCS0000G1Z5"
HEADS = ("igst", "cgst", "sgst", "cess")


def sample(name: str) -> dict[str, Any]:
    """Return a sample feed."""
    found: dict[str, Any] = json.loads((DATA / name).read_text())
    return found


def bill(number: str = "7012345", **changes: object) -> dict[str, Any]:
    """Return a new bill of entry of 5,000 rupees with 900 of IGST; None leaves a key out."""
    record: dict[str, object] = {
        "ref_no": f"ICG-{number}",
        "event": "NEW",
        "source": "OVERSEAS",
        "seq": 0,
        "importer_gstin": IMPORTER,
        "port_code": "INMAA1",
        "boe_number": number,
        "boe_date": "06-10-2026",
        "icegate_ref_date": "08-10-2026",
        "received_at": "2026-10-09T06:00:00+05:30",
        "taxable_value": 5000,
        "igst": 900,
        "cess": 0,
    } | changes
    return {key: value for key, value in record.items() if value is not None}


def amended(number: str = "7012345", **changes: object) -> dict[str, Any]:
    """Return the first value amendment of such a bill, from 900 to 720."""
    before = {
        "importer_gstin": IMPORTER,
        "icegate_ref_date": "08-10-2026",
        "taxable_value": 5000,
        "igst": 900,
        "cess": 0,
    } | dict(changes.pop("original", {}))
    told = {
        "event": "AMEND_VALUE",
        "seq": 1,
        "icegate_ref_date": "20-10-2026",
        "taxable_value": 4000,
        "igst": 720,
        "original": before,
    }
    return bill(number, **(told | changes))


def bills(*records: dict[str, Any], batch_id: str = "BOE-1", **changes: object) -> dict[str, Any]:
    """Return a feed of bills whose count and totals agree, unless changed."""
    totals = {key: sum(record.get(key, 0) for record in records) for key in ("taxable_value", "igst", "cess")}
    return {
        "feed": "ICEGATE-BOE",
        "version": "1.0",
        "batch_id": batch_id,
        "generated_at": "2026-11-01T06:00:00+05:30",
        "from": "01-10-2026",
        "to": "31-10-2026",
        "count": len(records),
        "totals": totals,
        "records": list(records),
    } | changes


def isd_document(number: str = "ISD/1", **changes: object) -> dict[str, Any]:
    """Return an ISD invoice of 45 rupees of IGST."""
    return {
        "doctyp": "ISDI",
        "docnum": number,
        "docdt": "31-10-2026",
        "itcelg": "Y",
        "igst": 45,
        "cgst": 0,
        "sgst": 0,
        "cess": 0,
    } | changes


def gstr6(*found: dict[str, Any], amendments: tuple[dict[str, Any], ...] = (), **changes: Any) -> dict[str, Any]:  # noqa: ANN401 any JSON
    """Return a GSTR-6 of documents to one recipient whose totals agree, unless changed."""
    ctin = changes.pop("ctin", IMPORTER)
    totals: dict[str, dict[str, dict[str, int]]] = {}
    for section, lines in (("isd", found), ("isda", amendments)):
        for line in lines:
            cell = totals.setdefault(section, {}).setdefault(line["doctyp"], dict.fromkeys(("docs", *HEADS), 0))
            cell["docs"] += 1
            for head in HEADS:
                cell[head] += line[head]
    file = {
        "feed": "GSTR6-ISD",
        "version": "1.0",
        "gstin": ISD,
        "fp": "102026",
        "filed_on": "12-11-2026",
        "isd": [{"ctin": ctin, "docs": list(found)}] if found else [],
        "isda": [{"ctin": ctin, "docs": list(amendments)}] if amendments else [],
        "totals": totals,
    }
    return file | changes


def reversal(number: str = "INV1", **changes: object) -> dict[str, Any]:
    """Return a reversal of 100 rupees of IGST in October 2026."""
    return {
        "gstin": IMPORTER,
        "itcprd": "102026",
        "section": "b2b",
        "ctin": SHIVNATH,
        "supprd": "012026",
        "docnum": number,
        "docdt": "20-01-2026",
        "igst": 100,
        "cgst": 0,
        "sgst": 0,
        "cess": 0,
    } | changes


def reversals(*records: dict[str, Any], batch_id: str = "R37A-1", **changes: object) -> dict[str, Any]:
    """Return a list of reversals whose count and totals agree, unless changed."""
    return {
        "feed": "RULE-37A",
        "version": "1.0",
        "batch_id": batch_id,
        "count": len(records),
        "totals": {head: sum(record[head] for record in records) for head in HEADS},
        "records": list(records),
    } | changes
