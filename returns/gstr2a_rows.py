"""GSTR-2A in the portal's JSON (formats 5.7), told in the words of GSTR-2B, so that one reader reads both.

GSTR-2A lists what suppliers reported in a period of theirs, filed or not. Of where a document counts it says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

LISTS = {
    "b2b": "b2b",
    "b2ba": "b2ba",
    "cdn": "cdnr",
    "cdna": "cdnra",
    "ecom": "ecom",
    "ecoma": "ecoma",
    "isd": "isd",
    "isda": "isda",
    "impg": "impg",
    "impgsez": "impgsez",
}
"""Section of GSTR-2A -> list of GSTR-2B; `tds` and `tcs` have none."""

ONLY_HERE = ("cdn", "cdna", "isd", "isda", "impg", "impgsez")
"""Sections by which it is told from a GSTR-1 (formats 12.4)."""

PLAIN = ("impg", "impgsez")
"""Sections whose rows stand in no group."""

_GROUP = {"ctin": "ctin", "fldtr1": "supfildt", "flprdr1": "supprd", "sgstin": "ctin", "tdname": "trdnm"}
_TAX = {"txval": "txval", "iamt": "igst", "camt": "cgst", "samt": "sgst", "csamt": "cess", "cess": "cess"}
_ROW = {
    "inum": "inum",
    "idt": "dt",
    "inv_typ": "typ",
    "val": "val",
    "pos": "pos",
    "rchrg": "rev",
    "diff_percent": "diffprcnt",
    "irn": "irn",
    "irngendate": "irngendate",
    "oinum": "oinum",
    "oidt": "oidt",
    "docnum": "docnum",
    "docdt": "docdt",
    "isd_docty": "doctyp",
    "itc_elg": "itcelg",
    "refdt": "refdt",
    "portcd": "portcode",
    "benum": "boenum",
    "bedt": "boedt",
    "amd": "isamd",
    **_TAX,
}
_NOTE = {
    **_ROW,
    "nt_num": "ntnum",
    "nt_dt": "dt",
    "ntty": "typ",
    "inv_typ": "suptyp",
    "ont_num": "ontnum",
    "ont_dt": "ontdt",
}
"""Key of GSTR-2A -> key of GSTR-2B."""

_DOCUMENTS = {"ISD": "ISDI", "ISDCN": "ISDC"}
_TYPES = {"SEWP": "SEZWP", "SEWOP": "SEZWOP"}
"""Codes of GSTR-1 that GSTR-2A may have -> those of GSTR-2B (decision F4)."""


def translated(kind: str, group: Mapping[str, Any], row: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return group and row of a document by GSTR-2B's keys; only what is said is there."""
    keys = _NOTE if kind in ("cdnr", "cdnra") else _ROW
    found = _by(keys, row)
    items = row.get("itms")
    if isinstance(items, list):
        details = [one.get("itm_det") for one in items if isinstance(one, dict)]
        found["items"] = [_by(_TAX, one) for one in details if isinstance(one, dict)]
    for key, codes in (("typ", _TYPES), ("suptyp", _TYPES), ("doctyp", _DOCUMENTS)):
        if isinstance(found.get(key), str):
            found[key] = codes.get(found[key], found[key])
    around = _by(_GROUP, {**row, **group} if kind in PLAIN else group)
    for key, read in (("supprd", wire), ("supfildt", _day)):
        if isinstance(around.get(key), str):
            around[key] = read(around[key])
    return around, found


def _by(keys: Mapping[str, str], said: Mapping[str, Any]) -> dict[str, Any]:
    return {other: said[key] for key, other in keys.items() if said.get(key) is not None}


def wire(text: str) -> str:
    """Return MMYYYY of a period written Oct-26, Oct'26 or 102026; any other text as it is."""
    for shape in ("%b-%y", "%b'%y", "%m%Y"):
        try:
            return f"{datetime.strptime(text, shape):%m%Y}"  # noqa: DTZ007 a month has no zone
        except ValueError:
            continue
    return text


def _day(text: str) -> str:
    """Return DD-MM-YYYY of a day written 11-Nov-26; any other text as it is."""
    try:
        return f"{datetime.strptime(text, '%d-%b-%y'):%d-%m-%Y}"  # noqa: DTZ007 a day has no zone
    except ValueError:
        return text
