"""The pages of Tables 5.1 and 6.1, their entries, and the hint of DRC-01C."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client

from returns.models import Adjustment
from tests.returns.views.conftest import Desk
from tests.returns.views.test_gstr2b import text
from tests.returns.views.test_gstr3b import FILE, PAGE, REVIEW, shown

NEXT = "returns/112025/gstr3b/"
RCM = {"igst": "1,00,000.00", "cgst": "0", "sgst": "0", "cess": "0"}
BALANCE = {"igst": "40,000", "cgst": "0", "sgst": "0", "cess": "0"}


@pytest.fixture
def owing(computed: Desk) -> Desk:
    """Return R's desk with reverse charge of a lakh to pay in cash."""
    computed.post(PAGE + "table/t3_1_d/", "preparer", taxable="0", **RCM)
    return computed


def test_payment_stands_on_the_return_the_review_and_the_receipt_of_old(owing: Desk) -> None:
    said = "from this return's own figures: the portal keeps no credit or cash ledger"
    for path in (PAGE, REVIEW):
        found = text(owing.get(path))
        assert "6.1 Payment of tax" in found
        assert said in found
        assert "Integrated tax 0.00 0.00 0.00 0.00 0.00 0.00 1,00,000.00 0.00 1,00,000.00" in found
        assert "Net ITC left over:" in found
    owing.post(FILE, **shown(owing.get(REVIEW)))
    for path in (PAGE, PAGE + "receipt/"):
        assert "1,00,000.00 0.00 1,00,000.00" in text(owing.get(path)), path
    assert "gstr3b/payment/" not in owing.get(PAGE).content.decode()


def test_a_receipt_of_before_payments_were_kept_says_nothing_of_them(owing: Desk) -> None:
    owing.post(FILE, **shown(owing.get(REVIEW)))
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE returns_filing DISABLE TRIGGER append_only")
        cursor.execute("UPDATE returns_filing SET payment = '{}'")
        cursor.execute("ALTER TABLE returns_filing ENABLE TRIGGER append_only")
    receipt = text(owing.get(PAGE + "receipt/"))
    assert "Figures as filed" in receipt
    assert "6.1 Payment of tax" not in receipt


def test_interest_of_a_late_return_is_told_in_the_next_with_its_formula(owing: Desk) -> None:
    owing.post(PAGE + "payment/t6_cash/", "preparer", **BALANCE)
    owing.today("2025-11-30")
    owing.post(FILE, **shown(owing.get(REVIEW)))
    found = text(owing.get(NEXT))
    assert "GSTR-3B of 10/2025 was due on 20/11/2025 and filed on 30/11/2025, 10 days late." in found
    assert "less ₹40,000.00 least cash balance" in found
    assert "days / 365 x 18 % = ₹295.89" in found
    assert "296.00 295.89" in found
    form = owing.get(NEXT + "payment/t5_1/", "preparer")
    assert "it can be raised or lowered" in text(form)
    assert 'value="295.89"' in form.content.decode()


def test_an_entry_is_kept_shown_again_and_taken_back(owing: Desk) -> None:
    path = PAGE + "payment/t6_cash/"
    page = text(owing.get(path, "preparer"))
    assert "The portal keeps no cash ledger." in page
    answer = owing.post(path, "preparer", **BALANCE)
    assert (answer.status_code, answer["Location"].split("#")[1]) == (303, "table-6-1")
    assert 'value="40,000.00"' in owing.get(path, "preparer").content.decode()
    assert "Take back" in text(owing.get(path, "preparer"))
    assert owing.post(path, "preparer", reset="1").status_code == 303
    assert not Adjustment.objects.filter(row="t6_cash").exists()


def test_a_use_of_credit_asks_for_two_heads(owing: Desk) -> None:
    path = PAGE + "payment/t6_igst/"
    content = owing.get(path, "preparer").content.decode()
    assert 'name="cgst"' in content
    assert 'name="igst"' not in content
    assert owing.post(path, "preparer", cgst="0", sgst="500").status_code == 303
    assert list(Adjustment.objects.get(row="t6_igst").tax) == [0, 0, 50_000, 0]


@pytest.mark.parametrize(("typed", "told"), [("-1", "The least that may be entered"), ("x", "write rupees as")])
def test_an_entry_that_cannot_be_is_refused_and_kept_in_its_field(owing: Desk, typed: str, told: str) -> None:
    answer = owing.post(PAGE + "payment/t6_cash/", "preparer", **{**BALANCE, "igst": typed})
    assert answer.status_code == 422
    assert told in text(answer)
    assert f'value="{typed}"' in answer.content.decode()
    assert not Adjustment.objects.filter(row="t6_cash").exists()


def test_who_may_not_compute_may_look_and_not_enter(owing: Desk) -> None:
    path = PAGE + "payment/t6_cash/"
    assert b"<button" not in owing.get(path, "viewer").content.split(b"<main")[1]
    assert owing.post(path, "viewer", **BALANCE).status_code == 403
    assert owing.get(path, "stranger").status_code == 404
    assert owing.get(PAGE + "payment/t4A5/", "preparer").status_code == 404
    assert Client().get(owing.url(path)).status_code == 302
    assert "gstr3b/payment/" not in owing.get(PAGE, "viewer").content.decode()


def test_no_entry_is_made_after_filing(owing: Desk) -> None:
    owing.post(FILE, **shown(owing.get(REVIEW)))
    answer = owing.post(PAGE + "payment/t6_cash/", "preparer", **BALANCE)
    assert answer.status_code == 409
    assert "GSTR-3B of 10/2025 is filed and cannot be changed." in text(answer)
    assert "Filed: nothing can be changed." in text(answer)


@pytest.mark.parametrize(("igst", "is_told"), [("25,09,000.00", False), ("25,09,000.01", True)])
def test_itc_far_above_gstr2b_brings_a_hint_and_no_block(computed: Desk, igst: str, *, is_told: bool) -> None:
    amounts = {"igst": igst, "cgst": "0", "sgst": "0", "cess": "0"}
    computed.post(PAGE + "table/t4A5/", "preparer", **amounts, reason="found later")
    for path in (PAGE, REVIEW):
        found = text(computed.get(path))
        assert ("Form DRC-01C under Rule 88D" in found) is is_told
        assert ("ITC is declared ₹25,00,000.01 above GSTR-2B, 27777 % of it." in found) is is_told
    assert computed.post(FILE, **shown(computed.get(REVIEW))).status_code == 303
