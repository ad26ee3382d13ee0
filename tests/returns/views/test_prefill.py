"""A draft GSTR-3B filled from a file: what is shown of each row, and what is kept of it."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse

from ims_portal.models import AuditEvent, RuleSwitch
from ims_portal.rules import periods
from ims_portal.rules.money import Tax
from invoices.staging import Summary
from returns import gstr3b, gstr3b_json, gstr3b_rows
from returns.models import Adjustment
from tests import english, factories
from tests.returns.views.conftest import Desk
from tests.returns.views.test_gstr2b import text
from tests.returns.views.test_gstr3b import AMOUNTS, FILE, PAGE, REVIEW, ROW, reported, shown

UPLOAD, FILL = PAGE + "upload/", PAGE + "upload/fill/"
RCM = {"taxable": "0", "igst": "1,00,000.00", "cgst": "0", "sgst": "0", "cess": "0"}


def exported(desk: Desk, period: str = "102025") -> dict[str, Any]:
    """Return the file of a period as it stands, as the export writes it."""
    now = factories.at("2025-11-16")
    found = gstr3b.draft(taxpayer=desk.taxpayer, period=periods.parse(period), at=now)
    return json.loads(json.dumps(gstr3b_json.body(gstr3b_rows.of(found))))


def upload(desk: Desk, body: object, who: str = "preparer", path: str = UPLOAD) -> HttpResponse:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    file = SimpleUploadedFile("gstr3b.json", content, "application/json")
    return desk.post(path, who, file=file)


def fields(answer: HttpResponse) -> dict[str, str]:
    """Return what the form of a preview sends, as it stands."""
    form = answer.content.decode().split('upload/fill/">')[-1].split("</form>")[0]
    return dict(re.findall(r'name="([^"]+)"[^>]* value="([^"]*)"', form))


def row(answer: HttpResponse, number: str) -> str:
    """Return what a preview tells of a row, as text."""
    bodies = answer.content.decode().split("<tbody>")
    found = next(body for body in bodies if re.search(rf'<th scope="rowgroup"[^>]*>{re.escape(number)} ', body))
    return " ".join(re.sub(r"<[^>]+>", " ", found.split("</tbody>")[0]).split())


def credit(body: dict[str, Any], part: str, kind: str) -> dict[str, Any]:
    """Return a line of Table 4 in a file."""
    return next(line for line in body["itc_elg"][part] if line["ty"] == kind)


def declared(name: str, **heads: int) -> bool:
    """Whether a row is kept with these heads in paise, the others nil."""
    return Adjustment.objects.get(row=name).tax == Tax(**heads)


def test_a_draft_s_own_file_changes_nothing(desk: Desk) -> None:
    reported(desk, Summary("b2cs", "INTER 29", 1000_00, Tax(igst=180_00)))
    desk.post(ROW, "preparer", **AMOUNTS, reason="one invoice is personal")
    desk.post(PAGE + "table/t4B1/", "preparer", **AMOUNTS)
    desk.post(PAGE + "table/t3_1_d/", "preparer", **RCM)
    desk.post(PAGE + "table/t3_1_c/", "preparer", taxable="70")
    desk.post(PAGE + "table/t3_2/", "preparer", **RCM)
    desk.post(PAGE + "payment/t5_1/", "preparer", **AMOUNTS)
    answer = upload(desk, exported(desk))
    assert answer.status_code == 200
    assert "Nothing of this file would change GSTR-3B." in text(answer)
    assert 'name="seen"' not in answer.content.decode()
    assert set(re.findall(r'class="chip chip-\w+">([^<]+)<', answer.content.decode().split('id="title-rows"')[1])) == {
        "No change"
    }
    assert "The file tells 3.2 by place" in row(answer, "3.2")
    assert "5.1 Interest" in text(answer)


def test_an_edited_cell_is_shown_and_filled_and_nothing_else(computed: Desk) -> None:
    computed.post(PAGE + "table/t4B1/", "preparer", igst="5", cgst="7", sgst="7", cess="0", reason="as before")
    body = exported(computed)
    body["itc_elg"]["itc_rev"] = [{"ty": "RUL", "iamt": 2000.5}]
    answer = upload(computed, body)
    assert "1 row would be filled. Nothing is saved yet." in text(answer)
    told = row(answer, "4(B)(1)")
    assert "as it stands 5.00 7.00 7.00 0.00 Will be filled" in told
    assert "in the file 2,000.50" in told
    assert declared("t4B1", igst=500, cgst=700, sgst=700)
    before = AuditEvent.objects.count()
    done = computed.post(FILL, "preparer", **fields(answer))
    assert done.status_code == 303
    assert done["Location"].endswith("gstr3b/")
    assert declared("t4B1", igst=200050, cgst=700, sgst=700)
    assert Adjustment.objects.get().reason == "as before"
    event = AuditEvent.objects.latest("pk")
    assert (event.event, event.subject) == ("gstr3b.adjusted", "GSTR-3B 102025 t4B1")
    assert AuditEvent.objects.count() == before + 1


def test_the_page_says_how_many_rows_were_filled(computed: Desk) -> None:
    body = exported(computed)
    credit(body, "itc_rev", "RUL")["camt"] = 3
    client = computed.as_("preparer")
    sent = fields(upload(computed, body)) | {"gstin": computed.taxpayer.gstin}
    answer = client.post(computed.url(FILL), sent, follow=True)
    assert "1 row of GSTR-3B is filled from the file." in text(answer)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ({"reason": "for all"}, {"t4A5": "for all", "t4B2": "for all"}),
        ({"reason": "for all", "reason-t4A5": "own"}, {"t4A5": "own", "t4B2": "for all"}),
        ({"reason-t4A5": "own", "reason-t4B2": "other"}, {"t4A5": "own", "t4B2": "other"}),
    ],
)
def test_rows_that_need_a_reason_take_their_own_or_the_common_one(
    computed: Desk, typed: dict[str, str], kept: dict[str, str]
) -> None:
    sent = fields(upload(computed, both_need_a_reason(computed)))
    assert computed.post(FILL, "preparer", **{**sent, **typed}).status_code == 303
    assert dict(Adjustment.objects.values_list("row", "reason")) == {**kept, "t4B1": ""}


def both_need_a_reason(desk: Desk) -> dict[str, Any]:
    """Return a file that declares two rows otherwise than derived, and one that needs no reason."""
    body = exported(desk)
    credit(body, "itc_avl", "OTH")["iamt"] = 10_000
    credit(body, "itc_rev", "OTH")["iamt"] = 1
    credit(body, "itc_rev", "RUL")["iamt"] = 1
    return body


def test_a_missing_reason_is_asked_for_at_its_row_and_nothing_is_kept(computed: Desk) -> None:
    answer = upload(computed, both_need_a_reason(computed))
    assert "Declared above derived: Integrated tax ₹1,000.00." in row(answer, "4(A)(5)")
    refused = computed.post(FILL, "preparer", **{**fields(answer), "reason-t4B2": "rent"})
    assert refused.status_code == 422
    content = refused.content.decode()
    assert 'href="#id_reason-t4A5"' in content
    assert 'href="#id_reason-t4B2"' not in content
    assert 'value="rent"' in content
    assert not Adjustment.objects.exists()


def test_a_reason_is_as_long_as_one_typed_by_hand(computed: Desk) -> None:
    sent = fields(upload(computed, both_need_a_reason(computed)))
    assert computed.post(FILL, "preparer", **{**sent, "reason": "x" * 251}).status_code == 422
    assert not Adjustment.objects.exists()


def test_a_row_as_derived_is_set_back(computed: Desk) -> None:
    body = exported(computed)
    computed.post(ROW, "preparer", **AMOUNTS, reason="why")
    answer = upload(computed, body)
    assert "It follows what is derived again." in row(answer, "4(A)(5)")
    assert "reason-t4A5" not in fields(answer)
    computed.post(FILL, "preparer", **fields(answer))
    assert not Adjustment.objects.exists()


def test_a_locked_row_that_differs_is_told_and_stays(computed: Desk) -> None:
    body = exported(computed)
    body["sup_details"]["osup_det"]["iamt"] = 12_345
    body["sup_details"]["osup_nongst"]["txval"] = 40
    answer = upload(computed, body)
    told = row(answer, "3.1(a)")
    assert (
        "Locked Locked from 07/2025; use GSTR-1A before filing, or amend in a later return. It stays as it is." in told
    )
    assert "in the file 0.00 12,345.00" in told
    assert "1 row would be filled" in text(answer)
    assert computed.post(FILL, "preparer", **fields(answer)).status_code == 303
    assert Adjustment.objects.get().row == "t3_1_e"
    assert Adjustment.objects.get().taxable == 4000


def test_4_c_is_computed_whatever_the_file_says(computed: Desk) -> None:
    body = exported(computed)
    credit(body, "itc_rev", "RUL")["iamt"] = 1000
    told = row(upload(computed, body), "4(C)")
    assert "Computed" in told
    assert "it comes to Integrated tax ₹8,000.00" in told


def test_an_amount_of_three_decimals_refuses_its_row_alone(computed: Desk) -> None:
    body = exported(computed)
    credit(body, "itc_rev", "RUL")["iamt"] = 1.005
    credit(body, "itc_avl", "IMPS")["iamt"] = 77
    answer = upload(computed, body)
    assert "1 row would be filled. Nothing is saved yet. 1 row is refused and stays as it is" in text(answer)
    assert "iamt 1.005 has more than two decimals. Round it to paise. It stays as it is." in row(answer, "4(B)(1)")
    computed.post(FILL, "preparer", **fields(answer))
    assert [line.row for line in Adjustment.objects.all()] == ["t4A2"]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda body: {**body, "gstin": "24AAACS2718C1ZX"}, "is of 24AAACS2718C1ZX, but you are uploading for"),
        (lambda body: {**body, "ret_period": "092025"}, "is the GSTR-3B of 092025, but you are uploading for 102025"),
        (lambda body: json.dumps(body).encode()[:-2], "The file cannot be read: the text is broken or ends early"),
        (lambda _body: {"gstin": "x", "fp": "102025", "b2b": []}, "This is no GSTR-3B of the portal"),
        (lambda _body: b"x" * 1_100_000, "The file has more than 1000000 bytes"),
        (lambda _body: b"PK\x03\x04", "The file is not one JSON object"),
    ],
)
def test_a_file_that_is_none_of_this_return_is_refused_whole(
    computed: Desk, spoil: Callable[[dict[str, Any]], object], said: str
) -> None:
    answer = upload(computed, spoil(exported(computed)))
    assert answer.status_code == 422
    assert said in text(answer)
    assert 'href="#id_file"' in answer.content.decode()


def test_without_a_file_one_is_asked_for(computed: Desk) -> None:
    answer = computed.post(UPLOAD, "preparer")
    assert answer.status_code == 422
    assert "Choose the JSON file (.json) of a GSTR-3B." in text(answer)


def test_a_filed_return_takes_no_file(computed: Desk) -> None:
    body = exported(computed)
    credit(body, "itc_rev", "RUL")["iamt"] = 1000
    sent = fields(upload(computed, body))
    computed.post(FILE, **shown(computed.get(REVIEW)))
    assert "upload/" not in computed.get(PAGE).content.decode()
    assert 'type="file"' not in computed.get(UPLOAD).content.decode()
    for answer in (upload(computed, body), computed.post(FILL, "preparer", **sent)):
        assert answer.status_code == 409
        assert "GSTR-3B of 10/2025 is filed and cannot be changed." in text(answer)
    assert not Adjustment.objects.exists()


def test_what_changed_since_the_preview_shows_it_anew(computed: Desk) -> None:
    body = exported(computed)
    credit(body, "itc_rev", "RUL")["iamt"] = 1000
    sent = fields(upload(computed, body))
    computed.act("CN1", "R")
    factories.computed(computed.taxpayer, on="2025-11-16")
    again = computed.post(FILL, "preparer", **{**sent, "reason-t4B1": "rule 42"})
    assert again.status_code == 409
    assert "The figures changed while you looked. Check the new ones; nothing was filled." in text(again)
    assert "as it stands 18,000.00" in row(again, "4(A)(5)")
    assert 'value="rule 42"' in again.content.decode()
    assert not Adjustment.objects.exists()
    done = computed.post(FILL, "preparer", **{**fields(again), "reason": "the old file stands"})
    assert done.status_code == 303
    assert dict(Adjustment.objects.values_list("row", "reason")) == {
        "t4A5": "the old file stands",
        "t4B1": "rule 42",
    }


def test_a_row_locked_since_the_preview_shows_it_anew(computed: Desk) -> None:
    body = exported(computed)
    credit(body, "itc_avl", "OTH")["iamt"] = 1
    credit(body, "itc_rev", "RUL")["iamt"] = 1
    sent = fields(upload(computed, body))
    RuleSwitch.objects.create(name=gstr3b.TABLE4_LOCK_FROM, from_month=202510)
    again = computed.post(FILL, "preparer", **{**sent, "reason": "why"})
    assert again.status_code == 409
    assert "4(A)(5) is locked: it follows GSTR-2B." in row(again, "4(A)(5)")
    assert not Adjustment.objects.exists()


def test_a_double_click_fills_once(computed: Desk) -> None:
    body = exported(computed)
    credit(body, "itc_rev", "RUL")["iamt"] = 1000
    sent = {**fields(upload(computed, body)), "request_id": str(uuid.uuid4())}
    assert [computed.post(FILL, "preparer", **sent).status_code for _click in range(2)] == [303, 303]
    assert AuditEvent.objects.filter(event="gstr3b.adjusted").count() == 1
    other = computed.post(FILL, "preparer", **{**sent, "reason": "something else"})
    assert other.status_code == 409
    assert "already used for another request" in text(other)


@pytest.mark.parametrize("forged", ["", "x.y.z", "eyJyb3dzIjp7fX0:1uX:sig"])
def test_a_forged_preview_fills_nothing(computed: Desk, forged: str) -> None:
    answer = computed.post(FILL, "preparer", seen=forged)
    assert answer.status_code == 409
    assert not Adjustment.objects.exists()


def test_a_preview_of_another_period_fills_nothing(computed: Desk) -> None:
    body = exported(computed)
    credit(body, "itc_rev", "RUL")["iamt"] = 1000
    sent = fields(upload(computed, body))
    assert computed.post("returns/112025/gstr3b/upload/fill/", "preparer", **sent).status_code == 409
    assert not Adjustment.objects.exists()


def test_without_a_statement_its_rows_wait(desk: Desk) -> None:
    body = exported(desk)
    credit(body, "itc_rev", "RUL")["iamt"] = 1000
    answer = upload(desk, body)
    assert "There is no GSTR-2B yet; this row follows it. It stays as it is." in row(answer, "4(B)(1)")
    assert "Nothing of this file would change GSTR-3B." in text(answer)


def test_interest_is_filled_and_never_below_nothing(computed: Desk) -> None:
    body = exported(computed)
    body["intr_ltfee"]["intr_details"]["iamt"] = 12.5
    computed.post(FILL, "preparer", **fields(upload(computed, body)))
    assert declared("t5_1", igst=1250)
    assert AuditEvent.objects.latest("pk").event == "gstr3b.entered"
    body["intr_ltfee"]["intr_details"]["iamt"] = -1
    answer = upload(computed, body)
    assert "The least that may be entered: Integrated tax ₹0.00" in row(answer, "5.1")
    assert "1 row is refused" in text(answer)


def test_what_has_no_place_here_is_told(computed: Desk) -> None:
    body = exported(computed)
    body["inward_sup"] = {"isup_details": [{"ty": "GST", "inter": 1, "intra": 0}]}
    body["intr_ltfee"]["ltfee_details"]["camt"] = 50
    found = text(upload(computed, body))
    assert "The file also holds Table 5" in found
    assert "The file also holds a late fee" in found


def test_3_2_is_filled_by_its_total_and_its_places_are_told(desk: Desk) -> None:
    reported(desk, Summary("b2cs", "INTER 29", 1000_00, Tax(igst=180_00)))
    body = exported(desk)
    body["inter_sup"]["unreg_details"].append({"pos": "07", "txval": 200, "iamt": 36})
    answer = upload(desk, body)
    told = row(answer, "3.2")
    assert "in the file 1,200.00 216.00" in told
    assert "place of supply 07: value ₹0.00, tax ₹0.00 here; ₹200.00, ₹36.00 in the file." in told
    desk.post(FILL, "preparer", **fields(answer))
    kept = Adjustment.objects.get()
    assert (kept.row, kept.taxable, kept.igst) == ("t3_2", 1200_00, 216_00)


def test_a_limit_that_would_stop_the_filing_is_told_before(desk: Desk) -> None:
    desk.today("2026-02-16")
    desk.taxpayer.first_month = 202601
    desk.taxpayer.save()
    desk.taxpayer.inbox.open_month = 202601
    desk.taxpayer.inbox.save()
    factories.computed(desk.taxpayer, period="012026", on="2026-02-16")
    body = {"gstin": desk.taxpayer.gstin, "ret_period": "012026"}
    body["itc_elg"] = {
        "itc_avl": [{"ty": "IMPS", "iamt": 5}],
        "itc_inelg": [{"ty": "RUL", "iamt": 5}],
    }
    answer = upload(desk, body, path="returns/012026/gstr3b/upload/")
    found = text(answer)
    assert "filing would be refused: 4(D)(1) Integrated tax: at most ₹0.00." in found
    assert "filing would be refused: 4(A)(2) + 4(A)(3) Integrated tax: at most ₹0.00." in found
    assert desk.post("returns/012026/gstr3b/upload/fill/", "preparer", **fields(answer)).status_code == 303
    assert "4(D)(1) Integrated tax: at most ₹0.00." in text(desk.get("returns/012026/gstr3b/review/"))


def test_every_row_at_once_asks_a_fixed_number_of_questions(
    computed: Desk,
    django_assert_max_num_queries: Any,  # noqa: ANN401 - pytest-django's fixture
) -> None:
    body = exported(computed)
    for part in ("itc_avl", "itc_rev", "itc_inelg"):
        for line in body["itc_elg"][part]:
            line["iamt"] = 4321
    client, gstin = computed.as_("preparer"), computed.taxpayer.gstin
    sent = {"gstin": gstin, "request_id": str(uuid.uuid4())}
    file = SimpleUploadedFile("gstr3b.json", json.dumps(body).encode(), "application/json")
    with django_assert_max_num_queries(15):
        answer = client.post(computed.url(UPLOAD), {**sent, "file": file})
    assert "9 rows would be filled" in text(answer)
    with django_assert_max_num_queries(110):  # nine rows, each kept and told to the log
        client.post(computed.url(FILL), {**fields(answer), "reason": "by the books"})
    assert Adjustment.objects.count() == 9


def test_a_preview_and_a_refusal_are_told_in_hindi(computed: Desk) -> None:
    body = exported(computed)
    body["sup_details"]["osup_det"]["iamt"] = 12_345
    body["inter_sup"]["uin_details"] = [{"pos": "07", "txval": 200}]
    body["inward_sup"] = {"isup_details": [{"ty": "GST", "inter": 1}]}
    body["intr_ltfee"] = {"intr_details": {"iamt": -1}, "ltfee_details": {"camt": 5}}
    credit(body, "itc_avl", "OTH")["iamt"] = 10_000
    credit(body, "itc_avl", "IMPS")["iamt"] = "5"
    credit(body, "itc_rev", "RUL")["iamt"] = 1.005
    client = computed.as_("preparer")
    sent = {"gstin": computed.taxpayer.gstin, "request_id": str(uuid.uuid4())}
    address = computed.url(UPLOAD).replace("/en/", "/hi/")
    people = {"Meera Traders", "Preparer", "Viewer", "Signatory", "preparer", "iamt", "gstin"}
    for content in (json.dumps(body).encode(), b"{}", b'{"gstin":"x","ret_period":"y","itc_elg":[1]}'):
        file = SimpleUploadedFile("gstr3b.json", content, "application/json")
        answer = client.post(address, {**sent, "file": file})
        assert english.left_in(answer.content.decode(), data=people) == []
