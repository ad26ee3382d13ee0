"""The pages of GSTR-3B: locked, derived, declared, reviewed, filed exactly as shown."""

from __future__ import annotations

import re
import uuid

import pytest
from django.http import HttpResponse

from ims_portal.rules import periods
from ims_portal.rules.documents import Form
from ims_portal.rules.money import Tax
from invoices import outward
from invoices.staging import Summary
from returns.models import Adjustment, Filing
from tests import factories
from tests.returns.views.conftest import Desk, decides
from tests.returns.views.test_gstr2b import text

PAGE = "returns/102025/gstr3b/"
ROW, REVIEW, FILE = PAGE + "table/t4A5/", PAGE + "review/", PAGE + "file/"
AMOUNTS = {"igst": "8,000.00", "cgst": "0", "sgst": "0", "cess": "0"}


def shown(answer: HttpResponse) -> dict[str, str]:
    """Return the hidden fields of the form that files."""
    form = answer.content.decode().split('gstr3b/file/"')[1].split("</form>")[0]
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form))


def test_table_3_is_text_with_its_lock(computed: Desk) -> None:
    answer = computed.get(PAGE)
    assert "Locked from 07/2025; use GSTR-1A" in text(answer)
    assert "<input" not in decides(answer.content.decode())
    row = computed.get(PAGE + "table/t3_1_a/")
    assert "Break-up: own filed returns" in text(row)
    assert "<input" not in decides(row.content.decode())


def test_without_a_statement_table_4_is_grey(desk: Desk) -> None:
    found = desk.get(PAGE)
    assert "No GSTR-2B yet" in text(found)
    assert "table/t4A5/" not in found.content.decode()


def test_a_derived_figure_opens_to_its_2b_lines(computed: Desk) -> None:
    content = computed.get(PAGE).content.decode()
    found = re.search(r'<a href="([^"]+cell=t4A5[^"]*)">9,000.00</a>', content)
    assert found
    lines = computed.as_("viewer").get(found[1].replace("&amp;", "&"))
    assert "9,000.00" in lines.content.decode().split("<tfoot>")[1]


def test_declaring_shows_derived_adjustment_and_declared(computed: Desk) -> None:
    answer = computed.post(ROW, "preparer", **AMOUNTS, reason="one invoice is personal")
    assert answer.status_code == 303
    found = text(computed.get(PAGE))
    assert re.search(r"derived from version 1 9,000.00 .*adjustment -1,000.00 .*declared 8,000.00", found)
    assert "one invoice is personal" in found


def test_a_missing_reason_keeps_what_was_typed(computed: Desk) -> None:
    answer = computed.post(ROW, "preparer", **AMOUNTS)
    assert answer.status_code == 422
    assert "Say why" in text(answer)
    assert 'value="8,000.00"' in answer.content.decode()
    assert 'href="#id_reason"' in answer.content.decode()
    assert not Adjustment.objects.exists()


@pytest.mark.parametrize(
    "typed",
    ["", "abc", "1.234", "1e2", "NaN", "--5", "+5", "01", "1_000", "१२३", "12345678901234", "5.", " ", "₹5", "1 0"],
)
def test_what_is_no_amount_is_refused_at_its_field(computed: Desk, typed: str) -> None:
    answer = computed.post(ROW, "preparer", **{**AMOUNTS, "igst": typed}, reason="why")
    assert answer.status_code == 422
    assert 'href="#id_igst"' in answer.content.decode()
    assert not Adjustment.objects.exists()


@pytest.mark.parametrize(
    ("typed", "paise"), [("-12,34,567.5", -123456750), ("0.01", 1), ("-0", 0), ("9999999999999.99", 999999999999999)]
)
def test_amounts_become_paise_without_rounding(computed: Desk, typed: str, paise: int) -> None:
    assert computed.post(ROW, "preparer", **{**AMOUNTS, "igst": typed}, reason="why").status_code == 303
    assert Adjustment.objects.get().igst == paise


def test_devanagari_digits_get_a_hint(computed: Desk) -> None:
    answer = computed.post(ROW, "preparer", **{**AMOUNTS, "igst": "१२३"}, reason="why")
    assert "with the digits 0 to 9" in text(answer)


def test_setting_back_to_derived(computed: Desk) -> None:
    computed.post(ROW, "preparer", **AMOUNTS, reason="why")
    assert "Set back to derived" in text(computed.get(ROW, "preparer"))
    assert computed.post(ROW, "preparer", reset="1").status_code == 303
    assert not Adjustment.objects.exists()


def test_a_forged_post_to_a_locked_row_is_refused(computed: Desk) -> None:
    answer = computed.post(PAGE + "table/t3_1_a/", "preparer", **AMOUNTS, taxable="0", reason="why")
    assert answer.status_code == 409
    assert "Locked from 07/2025" in text(answer)
    assert not Adjustment.objects.exists()


def test_a_limit_that_blocks_is_named_with_its_amount(desk: Desk) -> None:
    desk.today("2026-02-16")
    desk.taxpayer.first_month = 202601
    desk.taxpayer.save()
    desk.taxpayer.inbox.open_month = 202601
    desk.taxpayer.inbox.save()
    factories.computed(desk.taxpayer, period="012026", on="2026-02-16")
    row = "returns/012026/gstr3b/table/t4D1/"
    desk.post(row, "preparer", igst="5", cgst="0", sgst="0", cess="0")
    found = desk.get("returns/012026/gstr3b/review/")
    assert "4(D)(1) Integrated tax: at most ₹0.00." in text(found)
    assert row in found.content.decode()


def test_the_review_shows_rejections_with_who_pays_and_change(computed: Desk) -> None:
    computed.act("CN1", "R", remark="goods kept")
    factories.computed(computed.taxpayer, on="2025-11-16")
    found = text(computed.get(REVIEW))
    assert "1 rejection becomes final" in found
    assert "Your ITC stays." in found
    assert "tax rises by ₹9,000.00" in found
    assert "goods kept" in found
    assert "1 record without action counts as accepted. ITC rises by ₹18,000.00." in found


def test_filing_files_exactly_what_was_shown(computed: Desk) -> None:
    review = computed.get(REVIEW)
    fields = shown(review)
    answer = computed.post(FILE, **fields)
    assert answer.status_code == 303
    receipt = computed.as_("viewer").get(answer["Location"])
    filing = Filing.objects.get()
    assert filing.digest == fields["digest"]
    assert filing.reference in text(receipt)
    groups = re.search(r'<code class="digest">([^<]+)</code>', receipt.content.decode())
    assert groups
    assert groups[1].replace(" ", "") == fields["digest"]
    assert groups[1] in review.content.decode()


def test_a_double_click_files_once_and_shows_the_receipt_twice(computed: Desk) -> None:
    fields = shown(computed.get(REVIEW))
    first, second = (computed.post(FILE, **fields) for _click in range(2))
    assert first.status_code == second.status_code == 303
    assert first["Location"] == second["Location"]
    assert Filing.objects.count() == 1


def test_another_filing_says_it_is_filed_already(computed: Desk) -> None:
    fields = shown(computed.get(REVIEW))
    computed.post(FILE, **fields)
    answer = computed.post(FILE, **{**fields, "request_id": str(uuid.uuid4())})
    assert answer.status_code == 409
    assert "Nothing was filed again" in text(answer)
    assert "gstr3b/receipt/" in answer.content.decode()
    assert Filing.objects.count() == 1


def test_what_changed_while_one_looked_stops_the_filing_and_is_shown_beside(computed: Desk) -> None:
    fields = shown(computed.get(REVIEW))
    computed.act("CN1", "R")
    factories.computed(computed.taxpayer, on="2025-11-16")
    answer = computed.post(FILE, **fields)
    assert answer.status_code == 409
    found = text(answer)
    assert "nothing was filed" in found
    assert "You looked at GSTR-2B version 1; version 2 stands now." in found
    assert re.search(r"4\(A\)\(5\) All other ITC declared as you saw it 9,000.00 .*as it stands now 18,000.00", found)
    assert not Filing.objects.exists()


def test_a_changed_reason_alone_stops_the_filing_too(computed: Desk) -> None:
    computed.post(ROW, "preparer", **AMOUNTS, reason="first")
    fields = shown(computed.get(REVIEW))
    computed.post(ROW, "preparer", **AMOUNTS, reason="second")
    answer = computed.post(FILE, **fields)
    assert answer.status_code == 409
    assert "the GSTR-2B version or a reason changed" in text(answer)


@pytest.mark.parametrize("forged", ["", "x.y.z", "eyJyb3dzIjp7fX0:1uX:sig"])
def test_a_forged_list_of_shown_figures_files_nothing_and_breaks_nothing(computed: Desk, forged: str) -> None:
    answer = computed.post(FILE, digest="0" * 64, shown=forged)
    assert answer.status_code == 409
    assert not Filing.objects.exists()


def test_filing_a_stale_statement_offers_to_compute(computed: Desk) -> None:
    fields = shown(computed.get(REVIEW))
    computed.act("CN1", "R")
    answer = computed.post(FILE, **fields)
    assert answer.status_code == 409
    assert "Compute it again, then file" in text(answer)
    assert "gstr2b/compute/" in answer.content.decode()
    assert "Cancel" not in text(answer)
    assert "It cannot be filed yet" in text(answer)


@pytest.mark.parametrize("path", [PAGE, REVIEW, "returns/102025/gstr2b/"])
def test_the_compute_of_every_stale_banner_computes(computed: Desk, path: str) -> None:
    computed.act("CN1", "R")
    content = computed.get(path).content.decode()
    banner = content.split("banner-stale")[1].split("</form>")[0]
    fields = dict(re.findall(r'<input type="hidden" name="(gstin|request_id)" value="([^"]*)">', banner))
    assert computed.post("returns/102025/gstr2b/compute/", **fields).status_code == 303


def test_a_filed_return_has_no_inputs(computed: Desk) -> None:
    computed.post(FILE, **shown(computed.get(REVIEW)))
    assert computed.get(REVIEW)["Location"].endswith("gstr3b/receipt/")
    for path in (PAGE, ROW, PAGE + "receipt/"):
        content = computed.get(path).content.decode()
        main = decides(content)
        assert "request_id" not in main
        assert "<button" not in main
    assert "Filed 16/11/2025" in computed.get(PAGE).content.decode()


def test_the_receipt_lists_the_add_backs_it_made(computed: Desk) -> None:
    computed.act("CN1", "R")
    factories.computed(computed.taxpayer, on="2025-11-16")
    computed.post(FILE, **shown(computed.get(REVIEW)))
    found = text(computed.get(PAGE + "receipt/"))
    assert "CN1" in found
    assert "11/2025" in found
    assert "9,000.00" in found


def test_an_addback_stands_in_the_suppliers_break_up_by_recipient_and_note(computed: Desk) -> None:
    computed.act("CN1", "R")
    factories.computed(computed.taxpayer, on="2025-11-16")
    computed.post(FILE, **shown(computed.get(REVIEW)))
    supplier = factories.taxpayer("24AAACS2718C1ZX")
    factories.member(supplier, "viewer", "viewer")
    answer = computed.as_("viewer").get(f"/en/t/{supplier.gstin}/returns/112025/gstr3b/table/t3_1_a/")
    found = text(answer)
    for part in ("Meera Traders", "CN1", "the recipient's GSTR-3B of 10/2025, 16/11/2025", "9,000.00"):
        assert part in found


def reported(desk: Desk, *found: Summary) -> None:
    """File R's own GSTR-1 of October with sums, and compute its GSTR-2B."""
    outward.file(
        supplier=desk.taxpayer,
        form=Form.GSTR1,
        period=periods.parse("102025"),
        actor=None,
        clock=factories.clock("2025-11-10"),
        found=found,
    )
    factories.computed(desk.taxpayer)


def cells(answer: HttpResponse, number: str) -> list[str]:
    """Return the figures of a row of the page, by its number on the form."""
    content = answer.content.decode()
    line = next(row for row in content.split("<tr>") if re.match(rf'\s*<th scope="row">{re.escape(number)} ', row))
    return [re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r'<td class="num">(.*?)</td>', line)]


def test_table_3_has_its_taxable_values_in_line_with_its_tax(desk: Desk) -> None:
    reported(
        desk,
        Summary("b2cs", "INTER 29", 1000_00, Tax(igst=180_00)),
        Summary("nil", "INTRAB2C exempt", 150_00, Tax()),
        Summary("supeco", "paytx | 29AAKCT0000P1C6", 70_00, Tax(igst=3_50)),
    )
    page = desk.get(PAGE)
    assert cells(page, "3.1(a)") == ["1,000.00", "180.00", "0.00", "0.00", "0.00"]
    assert cells(page, "3.1(c)") == ["150.00", "", "", "", ""]
    assert cells(page, "3.1.1(ii)") == ["70.00", "", "", "", ""]
    assert desk.post(FILE, **shown(desk.get(REVIEW))).status_code == 303
    receipt = desk.get(PAGE + "receipt/")
    assert cells(receipt, "3.1(c)")[0] == "150.00"
    assert cells(receipt, "3.1(a)")[:2] == ["1,000.00", "180.00"]


def test_the_break_up_of_3_2_is_by_class_and_place(desk: Desk) -> None:
    reported(
        desk,
        Summary("b2cs", "INTER 29", 1000_00, Tax(igst=180_00)),
        Summary("ecom.urp2c", "INTER 07", 200_00, Tax(igst=10_00)),
    )
    found = text(desk.get(PAGE + "table/t3_2/"))
    assert re.search(
        r"unregistered persons Place of supply Taxable value Integrated tax 07 200.00 10.00 29 1,000.00", found
    )
    assert "Supplies made to UIN holders" in found
    assert "does not tell a composition taxable person" in found


def test_3_1_c_is_declared_by_its_value_alone(desk: Desk) -> None:
    reported(desk, Summary("nil", "INTRAB2C exempt", 150_00, Tax()))
    row = PAGE + "table/t3_1_c/"
    form = desk.get(row, "preparer").content.decode()
    assert 'name="taxable"' in form
    assert 'name="igst"' not in form
    answer = desk.post(row, "preparer", taxable="1,234.50")
    assert answer["Location"].endswith("#table-3-1")
    assert cells(desk.get(PAGE), "3.1(c)")[0] == "1,234.50"
    assert "taxable value derived ₹150.00" in text(desk.get(PAGE))


def test_what_is_negative_is_shown_with_what_is_payable_and_carried(desk: Desk) -> None:
    reported(desk, Summary("b2cs", "INTER 29", -1000_00, Tax(igst=-180_00)))
    page = desk.get(PAGE)
    assert cells(page, "3.1(a)")[:2] == ["-1,000.00", "-180.00"]
    assert re.search(r"Negative liability of 3.1, carried forward .*payable 0.00 .*next GSTR-3B 180.00", text(page))
    review = text(desk.get(REVIEW))
    assert "Payable of Table 3.1 ₹0.00" in review
    assert "to the next GSTR-3B ₹180.00" in review
    assert "to the next GSTR-3B ₹180.00" in text(desk.get(PAGE + "table/t3_1_a/"))


def test_a_changed_taxable_value_is_set_beside_what_was_seen(desk: Desk) -> None:
    reported(desk, Summary("nil", "INTRAB2C exempt", 150_00, Tax()))
    fields = shown(desk.get(REVIEW))
    desk.post(PAGE + "table/t3_1_c/", "preparer", taxable="160")
    answer = desk.post(FILE, **fields)
    assert answer.status_code == 409
    assert re.search(r"as you saw it 150.00 .*as it stands now 160.00 .*change 10.00", text(answer))
