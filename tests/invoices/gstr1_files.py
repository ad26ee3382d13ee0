"""Builders of GSTR-1 files, and what reading them gives."""

import calendar
import datetime as dt
import io
import json
from pathlib import Path
from typing import Any

from ims_portal.rules import documents
from ims_portal.rules.documents import Document, Form, Problem
from invoices import gstr1_json

DATA = Path(__file__).parent.parent / "data"
KAVERI, RECIPIENT = "29AAFCK0000M1ZQ", "29AAKCT0000P1Z6"


def sample(name: str) -> dict[str, Any]:
    """Return a sample as Python objects."""
    return dict(json.loads((DATA / name).read_text()))


def make_invoice(**changes: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return a good invoice as a file writes it; a change to None takes the key away."""
    whole = {
        "inum": "KMF/1",
        "idt": "05-10-2026",
        "val": 118,
        "pos": "29",
        "rchrg": "N",
        "inv_typ": "R",
        "itms": [{"num": 1, "itm_det": {"txval": 100, "rt": 18, "camt": 9, "samt": 9, "csamt": 0}}],
        **changes,
    }
    return {key: value for key, value in whole.items() if value is not None}


def make_note(**changes: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return a good credit note as a file writes it."""
    whole = {**make_invoice(inum=None, idt=None), "ntty": "C", "nt_num": "CN/1", "nt_dt": "06-10-2026", **changes}
    return {key: value for key, value in whole.items() if value is not None}


def make_file(**sections: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return a file of Kaveri Mobility for October 2026."""
    return {"gstin": KAVERI, "fp": "102026", **sections}


def with_invoices(*invoices: object, **group: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return a file with one group of invoices."""
    return make_file(b2b=[{"ctin": RECIPIENT, "inv": list(invoices), **group}])


def read(file: dict[str, Any] | bytes, **options: Any) -> list[Any]:  # noqa: ANN401
    """Return everything a file yields."""
    data = file if isinstance(file, bytes) else json.dumps(file).encode()
    return list(gstr1_json.read(io.BytesIO(data), **options))


def problems(file: dict[str, Any], **options: Any) -> list[tuple[str, str, str]]:  # noqa: ANN401
    """Return code, position and key of every problem of a file."""
    return [(found.code, found.position, found.field) for found in read(file, **options) if isinstance(found, Problem)]


def read_and_judged(name: str, form: Form = Form.GSTR1) -> tuple[list[Document], list[Problem]]:
    """Return the good documents of a sample, and all problems of the reader and of the rules."""
    with (DATA / name).open("rb") as stream:
        head = gstr1_json.header(stream)
        found = list(gstr1_json.read(stream, form=form))
    month, year = int(head.period_text[:2]), int(head.period_text[2:])
    end = dt.date(year, month, calendar.monthrange(year, month)[1])
    wrong = [item for item in found if isinstance(item, Problem)]
    good = []
    for document in (item for item in found if isinstance(item, Document)):
        told = documents.problems(
            document, supplier=head.gstin, form=form, period_end=end, registered_on=None, is_sez=False, is_operator=True
        )
        wrong += told
        good += [document] * (not told)
    return good, wrong
