"""Forty ways to write no amount, at every door an amount comes in by, and past all of them at the database (F45)."""

from __future__ import annotations

import io
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django import forms
from django.db import IntegrityError, connection, transaction
from rest_framework import serializers

from ims_portal.api.fields import Rupees
from ims_portal.forms import RupeesField
from ims_portal.rules.money import LARGEST_PAISE, NotMoneyError, to_paise
from invoices import ims_sheets, register_reading
from invoices.gstr1_json import values
from invoices.gstr1_sheets import words
from invoices.json_reading import JsonReader, UnreadableFileError
from returns import gstr2b_reading, gstr2b_sheets
from tests import factories

NOWHERE = (
    *("abc", "--1", "+-1", "1.2.3", "1.005", "0.001", "1.2345", ".005", "1_000", "0x10", "1e3x", "1,2,3.456"),
    *("NaN", "nan", "sNaN", "Infinity", "-Infinity", "inf", "1e999", "1E+400", "-1e999", "1e-999", "1e-3"),
    *("10000000000000", "10000000000000.00", "99999999999999999999", "9" * 40, "9" * 400, "1" + "0" * 64),
    *(
        "\u0967\u0968.\u0966\u0966",
        "\uff11\uff18",
        "٣",
        "⅔",
        "²",
        "1\u00a0000",
        "1 000",
        "1'000",
        "18O.00",
        "l80.00",
        "1.00 Rs",
        "$1.00",
        "=1+1",
    ),
    *("1." + "0" * 37 + "1", "0." + "0" * 38 + "1", "1234567890" * 4 + "." + "1234567890" * 4 + "e-30", "\u202e1.00"),
    *("1.00\u0000", "1.0\n0", "true", "[]", "{}", "null", "1/2", "1%"),
)
"""Texts that are an amount at no door."""
NONE_OF_JSON = (
    "1e-1000",
    "0.1e-9",
    "1E309",
    "-0.01",
    "-1",
    "1e14",
    "123456789012345678901234567890",
    "0.009",
    "-1e-999",
)
"""Numbers of JSON that no document's amount may be."""


def of_json(read: Callable[[Any], int]) -> Callable[[str], int]:
    """Return what reads the text of a JSON number, as it stands in a file."""

    def door(text: str) -> int:
        reader = JsonReader(io.BytesIO(text.encode()))
        value = reader.value()
        reader.end()
        return read(value)

    return door


def of_interface(text: str) -> int:
    return Rupees().to_internal_value(text)


def of_form(text: str) -> int:
    return RupeesField(required=False).clean(text)


def of_workbook_of_ims(text: str) -> int:
    return ims_sheets._paise("igst", text)


def of_workbook_of_gstr1(text: str) -> int:
    return values.signed_paise(words._amount(text))


def of_workbook_of_gstr2b(text: str) -> int:
    found = gstr2b_sheets._paise(text)
    if found is None:
        raise NotMoneyError(text)
    return found


def of_register(text: str) -> int:
    return register_reading._paise(text, "IGST")


DOORS: dict[str, Callable[[str], int]] = {
    "interface": of_interface,
    "form": of_form,
    "GSTR-1 and IMS in JSON": of_json(values.total_paise),
    "GSTR-3B in JSON": of_json(values.signed_paise),
    "GSTR-2B in JSON": of_json(gstr2b_reading.paise),
    "workbook of IMS": of_workbook_of_ims,
    "workbook of GSTR-1": of_workbook_of_gstr1,
    "workbook of GSTR-2B": of_workbook_of_gstr2b,
    "purchase register": of_register,
}
REFUSALS = (
    serializers.ValidationError,
    forms.ValidationError,
    values.WrongValueError,
    ims_sheets.WrongCellError,
    register_reading.WrongCellError,
    NotMoneyError,
    UnreadableFileError,
)


@pytest.mark.parametrize("door", DOORS)
def test_what_is_no_amount_is_refused_at_every_door(door: str) -> None:
    read = {text: _read(DOORS[door], text) for text in NOWHERE}
    assert {text: paise for text, paise in read.items() if paise is not None} == {}


def _read(door: Callable[[str], int], text: str) -> int | None:
    try:
        return door(text)
    except REFUSALS:
        return None


@pytest.mark.parametrize("text", NONE_OF_JSON)
def test_a_number_of_json_that_no_document_has_is_refused(text: str) -> None:
    try:
        value = JsonReader(io.BytesIO(text.encode())).value()
    except UnreadableFileError:
        return
    with pytest.raises(values.WrongValueError):
        values.total_paise(value)


@pytest.mark.parametrize("door", DOORS)
def test_the_largest_amount_passes_every_door_and_one_paisa_more_none(door: str) -> None:
    assert DOORS[door]("9999999999999.99") == LARGEST_PAISE
    assert _read(DOORS[door], "10000000000000.00") is None


@pytest.mark.parametrize("text", ["NaN", "Infinity", "1e999999", "1." + "0" * 70 + "1", "0.001", "1e-70"])
def test_money_is_exact_or_none(text: str) -> None:
    with pytest.raises(NotMoneyError):
        to_paise(Decimal(text))


# At the database

BOUNDED = {
    "invoices_record": 0,
    "invoices_booked": 0,
    "invoices_billofentry": 0,
    "invoices_actionevent": 0,
    "returns_addback": 0,
    "invoices_returnsummary": -LARGEST_PAISE,
    "invoices_actionfilerow": -LARGEST_PAISE,
    "returns_adjustment": -LARGEST_PAISE,
    "returns_gstr2bline": -LARGEST_PAISE,
    "returns_ledgerentry": -LARGEST_PAISE,
}
"""Table of amounts that came in from outside, or that a return is made of -> the least any of its columns may hold."""
SIGNED = ("effect_", "charged_", "claimed_")
"""What columns begin with that an amendment or a reversal may turn below 0."""
AMOUNT = r"(^|_)(igst|cgst|sgst|cess|taxable|value)$"


@pytest.mark.django_db
@pytest.mark.parametrize(("table", "least"), BOUNDED.items())
def test_no_amount_out_of_bounds_passes_the_checks_of_its_table(table: str, least: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attname ~ %s AND a.atttypid = 'bigint'::regtype"
            " FROM pg_attribute a WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped",
            [AMOUNT, table],
        )
        columns = cursor.fetchall()
        cursor.execute(
            "SELECT pg_get_expr(conbin, conrelid) FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'c'",
            [table],
        )
        checks = " AND ".join(f"coalesce({check}, true)" for (check,) in cursor.fetchall())
        amounts = [name for name, _kind, is_amount in columns if is_amount]
        assert amounts
        for name in amounts:
            below = -LARGEST_PAISE if name.startswith(SIGNED) else least
            for paise in (below - 1, LARGEST_PAISE + 1):
                row = ", ".join(f"{paise if one == name else 'NULL'}::{kind} AS {one}" for one, kind, _ in columns)
                cursor.execute(f"SELECT {checks} FROM (SELECT {row}) AS told")
                assert cursor.fetchone() == (False,), (name, paise)


@pytest.mark.django_db
@pytest.mark.parametrize("paise", [-1, LARGEST_PAISE + 1])
@pytest.mark.parametrize("column", ["taxable", "value", "igst", "cgst", "sgst", "cess", "declared_igst"])
def test_a_statement_past_the_program_is_refused(column: str, paise: int) -> None:
    record = factories.filed_record()
    with (
        pytest.raises(IntegrityError, match=r"in_bounds|declared"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"UPDATE invoices_record SET {column} = %s WHERE id = %s", [paise, record.pk])
