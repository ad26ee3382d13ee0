"""Typing one document on a page: what is asked, what is told, and that it is the same as from a file."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from ims_portal.models import AuditEvent, Taxpayer
from ims_portal.rules.documents import Form, Section
from invoices import outward, uploads
from invoices.models import Record, RecordDetail
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now")]
TODAY = "2025-11-10"
DESK = f"/en/t/{factories.SUPPLIER}/"
HERE = f"{DESK}returns/102025/gstr1/"
NEW = f"{HERE}b2b/new/"
LIST = f"{HERE}b2b/"


@pytest.fixture(autouse=True)
def owner(client: Client) -> Taxpayer:
    """Return the supplier, with its preparer signed in."""
    found = factories.taxpayer(factories.SUPPLIER)
    client.force_login(factories.member(found, "preparer"))
    return found


def page(*lines: dict[str, str], **more: str) -> dict[str, str]:
    """Return a page of one invoice as a browser sends it: 1,00,000 at 18 % to Maharashtra unless told otherwise."""
    sent = {
        "gstin": factories.SUPPLIER,
        "request_id": str(uuid4()),
        "recipient": factories.RECIPIENT,
        "number": "INV1",
        "dated": "05/10/2025",
        "pos": "27",
        "inv_type": "R",
        "value": "",
        "do": "save",
        "lines": str(len(lines) or 1),
    }
    for place, line in enumerate(lines or ({},)):
        typed = {"rate": "1800", "taxable": "1,00,000.00", "igst": "", "cgst": "", "sgst": "", "cess": ""} | line
        sent |= {f"line-{place}-{name}": value for name, value in typed.items()}
    return sent | more


def test_an_invoice_is_saved_its_tax_worked_out_and_seen_at_once(client: Client) -> None:
    asked = client.get(NEW)
    assert "Recipients see saved records at once" in asked.text
    answer = client.post(NEW, page())
    assert (answer.status_code, answer.headers["Location"]) == (303, LIST)
    record = Record.objects.get()
    assert (record.status, record.number, record.recipient.gstin) == ("S", "INV1", factories.RECIPIENT)
    assert (record.taxable, record.igst, record.value) == (1_00_000_00, 18_000_00, 1_18_000_00)
    assert AuditEvent.objects.filter(event="document.saved").count() == 1
    told = client.get(LIST)
    assert "INV1 is saved in GSTR-1 of 10/2025" in told.text
    assert "18,000.00" in told.text


def test_everything_that_is_wrong_is_told_at_once_and_what_was_typed_stays(client: Client) -> None:
    wrong = page(
        {"taxable": "10,00.5x", "rate": "1800"},
        {"rate": "", "taxable": "5"},
        recipient="27AAACR5055K1Z8",
        number="INV#1",
        dated="31/12/2025",
        pos="27",
    )
    answer = client.post(NEW, wrong)
    assert answer.status_code == 422
    told = dict(answer.context["errors"])
    assert set(told) == {"id_recipient", "id_number", "id_line-0-taxable", "id_line-1-rate"}
    assert "must be 7" in told["id_recipient"]
    assert 'value="10,00.5x"' in answer.text
    assert 'value="INV#1"' in answer.text
    assert answer.text.count('aria-invalid="true"') == 4
    assert not Record.objects.exists()


def test_the_rules_speak_although_another_field_cannot_be_read(client: Client) -> None:
    answer = client.post(NEW, page(dated="31/12/2025", value="many"))
    assert set(dict(answer.context["errors"])) == {"id_dated", "id_value"}
    assert "can&#x27;t contain it" in answer.text


def test_devanagari_digits_are_refused_with_a_hint(client: Client) -> None:
    answer = client.post(NEW, page({"taxable": "१०००"}))
    assert dict(answer.context["errors"])["id_line-0-taxable"] == "Write the amount with the digits 0 to 9."


@pytest.mark.parametrize(("igst", "is_kept"), [("18,001.00", True), ("17,999.00", True), ("18,001.01", False)])
def test_tax_may_differ_by_one_rupee_per_head(client: Client, igst: str, is_kept: bool) -> None:
    answer = client.post(NEW, page({"igst": igst}))
    assert Record.objects.exists() is is_kept
    if not is_kept:
        assert "gives Rs 18000.00" in dict(answer.context["errors"])["id_line-0-igst"]


def test_a_fault_of_a_line_stands_at_that_line(client: Client) -> None:
    answer = client.post(NEW, page({}, {"igst": "1.00", "rate": "500"}))
    assert list(dict(answer.context["errors"])) == ["id_line-1-igst"]


def test_inside_the_state_both_halves_are_worked_out(client: Client) -> None:
    inside = "24AAACR5055K1ZD"
    assert client.post(NEW, page({"taxable": "33.33"}, recipient=inside, pos="24")).status_code == 303
    record = Record.objects.get()
    assert (record.igst, record.cgst, record.sgst) == (0, 3_00, 3_00)


def test_lines_come_and_go_without_script_and_nothing_typed_is_lost(client: Client) -> None:
    more = client.post(NEW, page(do="add"))
    assert more.status_code == 200
    assert [line.initial.get("taxable") for line in more.context["entry"].lines] == ["1,00,000.00", None]
    less = client.post(NEW, page({"taxable": "1"}, {"taxable": "2"}, {"taxable": "3"}, do="remove-1"))
    assert [line.initial["taxable"] for line in less.context["entry"].lines] == ["1", "3"]
    assert less.context["errors"] == []
    assert not Record.objects.exists()


def test_the_tax_is_worked_out_on_asking_and_htmx_gets_the_sums_alone(client: Client) -> None:
    worked_out = client.post(NEW, page(do="compute"))
    assert worked_out.context["sums"].tax.igst == 18_000_00
    assert worked_out.context["entry"].lines[0].initial["igst"] == ""
    assert "From Gujarat to Maharashtra: IGST" in worked_out.text
    part = client.post(NEW, page(do="compute", pos="24"), headers={"HX-Request": "true"})
    assert part.text.lstrip().startswith('<div id="sums"')
    assert "inside Gujarat" in part.text
    assert part.text.count("9,000.00") == 4
    assert not Record.objects.exists()


def test_a_line_left_empty_is_none(client: Client) -> None:
    empty = {"rate": "", "taxable": ""}
    assert client.post(NEW, page(empty, {}, empty)).status_code == 303
    assert len(RecordDetail.objects.get().items) == 1


def test_the_same_click_twice_saves_once_and_answers_the_same(client: Client) -> None:
    sent = page()
    first, second = client.post(NEW, sent), client.post(NEW, sent)
    assert (first.status_code, second.status_code) == (303, 303)
    assert Record.objects.count() == 1
    assert client.post(NEW, sent | {"number": "INV2"}).status_code == 409


def test_a_number_used_already_is_a_duplicate_and_replaces_nothing(client: Client) -> None:
    client.post(NEW, page())
    again = client.post(NEW, page({"taxable": "5.00"}, number="inv1"))
    assert again.status_code == 422
    assert "used already" in dict(again.context["errors"])["id_number"]
    assert Record.objects.get().taxable == 1_00_000_00


def test_a_value_that_does_not_fit_is_warned_of_and_saved(client: Client) -> None:
    client.post(NEW, page(value="1,20,000.00"))
    assert Record.objects.get().value == 1_20_000_00
    assert "It is accepted; check it all the same" in client.get(LIST).text


def test_a_recipient_is_named_or_its_gstin_complained_of(client: Client) -> None:
    factories.taxpayer(factories.RECIPIENT, name="Meera Traders")
    here = f"{HERE}recipient/?recipient="
    assert "Meera Traders" in client.get(here + factories.RECIPIENT.lower()).text
    assert "must be 7" in client.get(here + "27AAACR5055K1Z8").text
    assert "No name is known" in client.get(here + "29AAFCK0000M1ZQ").text


def test_a_form_that_is_filed_offers_nothing_and_takes_nothing(client: Client) -> None:
    factories.filed()
    asked = client.get(NEW)
    assert "is filed" in asked.text
    assert 'name="recipient"' not in asked.text
    assert client.post(NEW, page(number="INV2")).status_code == 409
    assert Record.objects.count() == 1
    assert "Enter new" not in client.get(LIST).text


def test_a_viewer_sees_no_button_and_forges_nothing(client: Client, owner: Taxpayer) -> None:
    client.force_login(factories.member(owner, "viewer"))
    for path in (HERE, LIST):
        assert "Enter new" not in client.get(path).text
    for path in (NEW, f"{HERE}recipient/?recipient={factories.RECIPIENT}"):
        assert client.get(path).status_code == 403
    assert client.post(NEW, page()).status_code == 403
    assert not Record.objects.exists()


def test_a_stranger_finds_nothing(client: Client) -> None:
    client.force_login(factories.member(factories.taxpayer(factories.RECIPIENT), "signatory"))
    for path in (NEW, LIST, f"{HERE}recipient/"):
        assert client.get(path).status_code == 404
    assert client.post(NEW, page()).status_code == 404


def test_a_page_of_another_gstin_is_refused(client: Client) -> None:
    assert client.post(NEW, page(gstin=factories.RECIPIENT)).status_code == 409
    assert not Record.objects.exists()


def test_tables_of_operators_are_for_operators(client: Client, owner: Taxpayer) -> None:
    assert "ecom" not in [tile.table for tile in client.get(HERE).context["tiles"]]
    assert client.get(f"{HERE}ecom/new/").status_code == 404
    Taxpayer.objects.filter(pk=owner.pk).update(kind=Taxpayer.Kind.ECO)
    assert "ecom" in [tile.table for tile in client.get(HERE).context["tiles"]]
    assert client.post(f"{HERE}ecom/new/", page()).status_code == 303
    assert Record.objects.get().section == "ecom"


def test_tiles_count_saved_filed_and_refused(client: Client, owner: Taxpayer) -> None:
    client.post(NEW, page())
    upload = uploads.Upload.objects.create(
        taxpayer=owner, form="GSTR-1", month=202510, path="-", size=1, sha256="0" * 64, state="done", refused=2
    )
    for position in ("b2b[0].inv[0]", "b2b[0].inv[0]", "b2b[1].inv[0]", "cdnr[0].nt[0]"):
        upload.problems.create(position=position, code="APP-G107", message="x")
    tiles = {tile.table: (tile.saved, tile.filed, tile.refused) for tile in client.get(HERE).context["tiles"]}
    assert tiles == {"b2b": (1, 0, 2), "b2ba": (0, 0, 0), "cdnr": (0, 0, 1), "cdnra": (0, 0, 0)}
    assert client.get(LIST).context["refused"] == 2


FILED_THE_SAME = [
    ("b2b", {}, "inv", {"inum": "INV1", "idt": "05-10-2025", "rchrg": "N"}),
    ("b2b", {"inv_type": "SEWOP"}, "inv", {"inum": "INV1", "idt": "05-10-2025", "rchrg": "N", "inv_typ": "SEWOP"}),
    ("b2b", {"reverse_charge": "1"}, "inv", {"inum": "INV1", "idt": "05-10-2025", "rchrg": "Y"}),
    ("cdnr", {"note": "C"}, "nt", {"nt_num": "INV1", "nt_dt": "05-10-2025", "rchrg": "N", "ntty": "C"}),
    ("cdnr", {"note": "D"}, "nt", {"nt_num": "INV1", "nt_dt": "05-10-2025", "rchrg": "N", "ntty": "D"}),
]
OWN_KEYS = ("id", "pk", "supplier_return_id", "chain", "_state")


def kept(number: str) -> tuple[dict[str, Any], Any]:
    """Return all that is stored of a document but its keys."""
    record = Record.objects.get(number=number, status="S")
    columns = {field.attname: getattr(record, field.attname) for field in Record._meta.concrete_fields}
    return {name: value for name, value in columns.items() if name not in OWN_KEYS}, record.detail.items


@pytest.mark.parametrize(("table", "typed", "documents", "words"), FILED_THE_SAME)
@pytest.mark.parametrize("taxable", ["0.01", "99,99,999.97"])
def test_a_document_typed_is_the_same_as_from_a_file(
    client: Client,
    owner: Taxpayer,
    table: str,
    typed: dict[str, str],
    documents: str,
    words: dict[str, str],
    taxable: str,
) -> None:
    lines = ({"taxable": taxable}, {"rate": "500", "taxable": "1,000.00", "cess": "12.34"})
    assert client.post(f"{HERE}{table}/new/", page(*lines, **typed)).status_code == 303
    by_hand, its_lines = kept("INV1")
    record = Record.objects.get()
    outward.delete(
        supplier=owner,
        record=record,
        actor=None,
        clock=factories.clock("2025-11-10"),
        document=factories.document(number="INV1", section=Section(record.section), withdraw=True),
    )
    rates = (18, 5)
    items = [
        {
            "num": place,
            "itm_det": {
                "rt": rate,
                "txval": line[1] / 100,
                "iamt": line[2] / 100,
                "csamt": line[5] / 100,
            },
        }
        for place, (rate, line) in enumerate(zip(rates, its_lines, strict=True), start=1)
    ]
    document = {"inv_typ": "R", "pos": "27", "val": by_hand["value"] / 100, "itms": items} | words
    file = {"gstin": owner.gstin, "fp": "102025", table: [{"ctin": factories.RECIPIENT, documents: [document]}]}
    saved = outward.save(
        supplier=owner,
        form=Form.GSTR1,
        period=factories.OCTOBER,
        found=uploads.found_in(BytesIO(json.dumps(file).encode()), Form.GSTR1),
        actor=None,
        clock=factories.clock("2025-11-10"),
    )
    assert not list(saved.problems)
    assert kept("INV1") == (by_hand, its_lines)
