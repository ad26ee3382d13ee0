"""The recipient's desk in the browser: looking, choosing, answering, and who may."""

from __future__ import annotations

import re
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ims_portal.clock import Fixed
from ims_portal.models import Taxpayer, User
from ims_portal.rules.actions import Action
from ims_portal.rules.documents import Section
from ims_portal.rules.money import Tax
from invoices import actions
from invoices.actions import Choice, Item
from invoices.models import ActionEvent, Record
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now")]
TODAY = "2025-11-12"
DESK = f"/en/t/{factories.RECIPIENT}/ims/"
LIST = DESK + "inward/all/"
CN = Section.CN


def form(**more: object) -> dict[str, object]:
    """Return what every form carries."""
    return {"gstin": factories.RECIPIENT, "request_id": str(uuid4()), "back": LIST} | more


def choice(record: Record, action: str, version: int | None = None) -> dict[str, object]:
    """Return the field of one row's choice."""
    return {f"a.{record.pk}.{record.version if version is None else version}": action}


def line(record: Record, **fields: object) -> dict[str, object]:
    """Return the fields of one line of the questions' page."""
    key = f"{record.pk}.{record.version}"
    return {"line": key} | {f"l.{key}-{name}": value for name, value in fields.items()}


def acted(client: Client, *choices: dict[str, object], **more: object) -> HttpResponse:
    """Return the answer to a page of choices."""
    fields: dict[str, object] = form(**more)
    for one in choices:
        fields |= one
    return client.post(DESK + "act/", fields)


def stored(number: str) -> Record:
    """Return a record as it stands."""
    return Record.objects.get(number=number)


# Looking


@pytest.mark.parametrize("path", ["", "inward/", "inward/?tab=isd", "inward/?tab=settled", "inward/all/?settled=1"])
@pytest.mark.usefixtures("preparer")
def test_every_page_of_the_desk_stays_within_fifteen_queries(client: Client, path: str) -> None:
    factories.filed(factories.document(number="INV1"), factories.document(number="CN1", section=CN))
    factories.computed()
    factories.act(stored("INV1"), "R", on="2025-11-14", reason="OTHER", remark="why")
    with CaptureQueriesContext(connection) as found:
        assert client.get(DESK + path).status_code == 200
    assert len(found) <= 15


def test_a_record_s_page_says_why_and_tells_its_history(client: Client, preparer: User) -> None:
    record = factories.filed_record(section=CN, number="CN1")
    factories.act(record, "A", actor=preparer, answer="P", declared=Tax(igst=900000), remark="half was blocked")
    with CaptureQueriesContext(connection) as found:
        page = client.get(f"{DESK}records/{record.pk}/").text
    assert "it counts in GSTR-2B of 10/2025" in page
    assert "tax rises by ₹18,000.00 in a GSTR-3B after 10/2025" in page
    assert "half was blocked" in page
    assert "Ravi" in page
    assert "Part ₹9,000.00" in page
    assert len(found) <= 15


@pytest.mark.usefixtures("preparer")
def test_a_settled_record_says_who_can_still_change_it(client: Client, now: Fixed) -> None:
    record = factories.filed_record()
    factories.filed_period()
    now.at = factories.at("2025-11-19")
    page = client.get(f"{DESK}records/{record.pk}/").text
    assert "Settled with GSTR-3B of 10/2025. Only Firm AAACS can change it, by reporting it again." in page
    assert 'type="radio"' not in page


# Choosing


@pytest.mark.usefixtures("preparer")
def test_a_choice_without_questions_is_saved_at_once(client: Client) -> None:
    record = factories.filed_record()
    answer = acted(client, choice(record, "A"))
    assert answer.status_code == 303
    assert stored("INV1").action == "A"
    assert "1 record saved." in client.get(answer.headers["Location"]).text


@pytest.mark.usefixtures("preparer")
def test_rows_left_as_they_were_are_not_touched(client: Client) -> None:
    record = factories.filed_record()
    answer = acted(client, choice(record, "N"))
    assert answer.headers["Location"] == LIST
    assert stored("INV1").version == 0


@pytest.mark.usefixtures("preparer")
def test_ticked_rows_take_the_action_chosen_for_them(client: Client) -> None:
    records = factories.filed(*[factories.document(number=f"I{n}") for n in range(3)])
    ticks = [f"{record.pk}.0" for record in records[:2]]
    acted(client, choice(records[2], "N"), tick=ticks, **{"with": "A"})
    assert [stored(f"I{n}").action for n in range(3)] == ["A", "A", "N"]


@pytest.mark.usefixtures("preparer")
def test_a_rejection_asks_why_and_says_who_pays(client: Client) -> None:
    record = factories.filed_record(section=CN, number="CN1")
    asked = acted(client, choice(record, "R")).headers["Location"]
    page = client.get(asked)
    assert "Your ITC stays. Firm AAACS&#x27;s tax rises by ₹18,000.00 in a GSTR-3B after 10/2025." in page.text
    refused = client.post(asked, form() | line(record, reason="OTHER"))
    assert refused.status_code == 422
    assert "The reason is Other. Write what it is." in refused.text
    assert "Tick that it is not yours, or that the supplier has been told." in refused.text
    saved = client.post(asked, form() | line(record, reason="OTHER", remark="never ordered", told="1"))
    assert saved.status_code == 303
    assert saved.headers["Location"].startswith(LIST)
    found = stored("CN1")
    assert (found.action, found.reason_code, found.remark) == ("R", "OTHER", "never ordered")


def test_list_and_history_keep_what_was_said_of_a_rejection(client: Client, preparer: User) -> None:
    record = factories.filed_record(number="I1")
    factories.act(record, "R", remark="never ordered", reason="NOT_OURS", on="2025-11-12", actor=preparer)
    listed, page = client.get(LIST).text, client.get(DESK + f"records/{record.pk}/").text
    assert "“never ordered”" in listed
    assert ">POS</abbr> 27" in listed
    assert '<td>never ordered<span class="sub">Not our purchase</span></td>' in page


@pytest.mark.usefixtures("preparer")
def test_part_above_the_cap_keeps_what_was_typed_while_the_others_are_saved(client: Client) -> None:
    full, part, none = factories.filed(*[factories.document(section=CN, number=f"CN{n}") for n in range(3)])
    asked = acted(client, choice(full, "A"), choice(part, "A"), choice(none, "A")).headers["Location"]
    keys = [f"{record.pk}.0" for record in (full, part, none)]
    fields = line(full, answer="F") | line(part, answer="P", igst="18,000.01", remark="half")
    answer = client.post(
        asked, form() | fields | line(none, answer="N", remark="never claimed") | {"line": keys, "checked": "1"}
    )
    assert answer.status_code == 422
    assert "Integrated tax: ₹18,000.01 is above the cap ₹18,000.00." in answer.text
    assert 'value="18,000.01"' in answer.text
    assert f'href="#id_l.{part.pk}.0-igst"' in answer.text
    assert "2 records saved." in answer.text
    assert [stored(f"CN{n}").answer for n in range(3)] == ["F", "", "N"]
    assert stored("CN2").remark == "never claimed"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "Say whether ITC is reduced for CN1."),
        ({"answer": "P", "igst": "9000"}, "Part and None need a remark."),
        ({"answer": "N"}, "Part and None need a remark."),
        ({"answer": "P", "igst": "-1", "remark": "x"}, "Integrated tax cannot be below 0.00."),
        ({"answer": "P", "remark": "x"}, "All four amounts are 0.00."),
        ({"answer": "P", "cgst": "1", "remark": "x"}, "Central tax: ₹1.00 is above the cap ₹0.00."),
        ({"answer": "P", "igst": "90.005", "remark": "x"}, "Write rupees with digits and at most two decimals"),
        ({"answer": "P", "igst": "९०", "remark": "x"}, "Write the amount with the digits 0 to 9."),
        ({"answer": "P", "igst": "NaN", "remark": "x"}, "Write rupees with digits and at most two decimals"),
        ({"answer": "N", "remark": "x" * 251}, "At most 250 characters; this has 251."),
    ],
)
@pytest.mark.usefixtures("preparer")
def test_a_wrong_answer_is_named_at_its_field(client: Client, fields: dict[str, object], told: str) -> None:
    record = factories.filed_record(section=CN, number="CN1")
    asked = acted(client, choice(record, "A")).headers["Location"]
    answer = client.post(asked, form() | line(record, **fields))
    assert answer.status_code == 422
    assert told in answer.text
    assert stored("CN1").action == "N"


@pytest.mark.usefixtures("preparer")
def test_cgst_and_sgst_must_agree(client: Client) -> None:
    neighbour = "27AAAFK7071L1Z2"
    note = factories.document(section=CN, number="CN1", tax=18000, supplier=neighbour)
    record = factories.filed(note, supplier=neighbour)[0]
    asked = acted(client, choice(record, "A")).headers["Location"]
    answer = client.post(asked, form() | line(record, answer="P", cgst="10", sgst="20", remark="x"))
    assert "Central tax ₹10.00 and State/UT tax ₹20.00 must be equal." in answer.text


@pytest.mark.usefixtures("preparer")
def test_a_record_can_be_left_as_it_is(client: Client) -> None:
    record = factories.filed_record(section=CN, number="CN1")
    asked = acted(client, choice(record, "A")).headers["Location"]
    answer = client.post(asked, form() | line(record, leave="1"))
    assert answer.status_code == 303
    assert stored("CN1").version == 0


@pytest.mark.usefixtures("preparer")
def test_pending_takes_an_optional_remark(client: Client) -> None:
    record = factories.filed_record()
    asked = acted(client, choice(record, "P")).headers["Location"]
    assert client.post(asked, form() | line(record, remark=" goods on the way ")).status_code == 303
    assert (stored("INV1").action, stored("INV1").remark) == ("P", "goods on the way")


@pytest.mark.usefixtures("preparer")
def test_an_answer_given_before_can_be_changed_from_the_record_s_page(client: Client) -> None:
    record = factories.filed_record(section=CN, number="CN1")
    factories.act(record, "A", answer="N", remark="never claimed")
    record.refresh_from_db()
    asked = acted(client, choice(record, "A"), again="1").headers["Location"]
    page = client.get(asked).text
    assert 'value="never claimed"' in page
    client.post(asked, form() | line(record, answer="F"))
    assert (stored("CN1").answer, stored("CN1").remark) == ("F", "")


@pytest.mark.usefixtures("preparer")
def test_more_questions_than_fit_one_page_follow_on_the_next(client: Client) -> None:
    records = factories.filed(*[factories.document(number=f"I{n:03d}") for n in range(102)])
    asked = acted(client, tick=[f"{record.pk}.0" for record in records], **{"with": "P"}).headers["Location"]
    page = client.get(asked)
    lines = page.context["lines"]
    assert (len(lines), page.context["more"]) == (100, 2)
    onward = client.post(asked, form(line=[shown["key"] for shown in lines]))
    assert onward.headers["Location"].startswith(asked)
    assert len(client.get(onward.headers["Location"]).context["lines"]) == 2


# Twice, at once, and by others


@pytest.mark.usefixtures("preparer")
def test_the_same_page_sent_twice_has_one_effect_and_one_answer(client: Client) -> None:
    plain, asking = factories.filed(factories.document(number="INV1"), factories.document(number="CN1", section=CN))
    fields = form() | choice(plain, "A") | choice(asking, "R")
    first, second = (client.post(DESK + "act/", fields).headers["Location"] for _ in range(2))
    assert first == second
    assert stored("INV1").version == 1
    answers = form() | line(asking, reason="NOT_AGREED", told="1")
    asked = first.partition("?")[0]
    once, twice = (client.post(asked, answers).headers["Location"] for _ in range(2))
    assert once == twice
    assert stored("CN1").version == 1
    assert ActionEvent.objects.count() == 2
    assert "1 record saved." in client.get(twice).text


@pytest.mark.usefixtures("preparer")
def test_one_request_id_for_another_page_is_refused(client: Client) -> None:
    record = factories.filed_record()
    fields = form()
    client.post(DESK + "act/", fields | choice(record, "A"))
    assert client.post(DESK + "act/", fields | choice(record, "R")).status_code == 409
    assert stored("INV1").action == "A"


@pytest.mark.usefixtures("preparer")
def test_somebody_overtaken_learns_by_whom_and_when(client: Client, recipient: Taxpayer) -> None:
    mine, theirs, left = factories.filed(*[factories.document(number=f"I{n}") for n in range(3)])
    other = factories.member(recipient, "preparer", "bela")
    for record in (theirs, left):
        factories.act(record, "R", actor=other, reason="DUPLICATE", on="2025-11-12 10:31")
    answer = acted(client, choice(mine, "A", 0), choice(theirs, "A", 0), choice(left, "N", 0))
    page = client.get(answer.headers["Location"]).text
    assert "1 record saved." in page
    assert "Bela chose Reject at 12/11/2025 10:31, after you opened this page. Yours was not saved." in page
    assert "1 was not saved" in page
    assert [stored(f"I{n}").action for n in range(3)] == ["A", "R", "R"]


@pytest.mark.usefixtures("preparer")
def test_a_draft_overtaken_meanwhile_tells_who(client: Client, recipient: Taxpayer) -> None:
    record = factories.filed_record(section=CN, number="CN1")
    asked = acted(client, choice(record, "R")).headers["Location"]
    factories.act(record, "P", actor=factories.member(recipient, "preparer", "bela"))
    page = client.get(asked, follow=True)
    assert "CN1: Bela chose Pending at 12/11/2025 10:00, before you answered. Yours was not saved." in page.text
    assert stored("CN1").action == "P"


@pytest.mark.usefixtures("preparer")
def test_a_refused_choice_stays_chosen_with_its_reason(client: Client, now: Fixed) -> None:
    record = factories.filed_record(section=CN, number="CN1")
    now.at = factories.at("2025-12-21")
    answer = acted(client, choice(record, "P"))
    page = client.get(answer.headers["Location"]).text
    assert "1 was not saved" in page
    assert re.search(rf'name="a\.{record.pk}\.0" value="P"[^>]* checked', page)
    assert stored("CN1").version == 0


# Who may, and forms that are none of ours


def test_a_viewer_sees_no_buttons_and_a_forced_post_is_refused(client: Client, recipient: Taxpayer) -> None:
    factories.member(recipient, "signatory", "asha")
    client.force_login(factories.member(recipient, "viewer", "vina"))
    record = factories.filed_record()
    page = client.get(DESK + "inward/b2b/").text
    assert 'type="radio"' not in page
    assert ">Save<" not in page
    refused = acted(client, choice(record, "A"))
    assert refused.status_code == 403
    assert "Asha" in refused.text
    assert stored("INV1").action == "N"


@pytest.mark.parametrize("path", ["", "inward/", "inward/b2b/", "records/1/", f"act/{UUID(int=1)}/"])
@pytest.mark.usefixtures("recipient")
def test_a_stranger_finds_nothing(client: Client, path: str) -> None:
    client.force_login(factories.user("eve"))
    assert client.get(DESK + path).status_code == 404


@pytest.mark.usefixtures("recipient")
def test_a_stranger_cannot_act(client: Client) -> None:
    client.force_login(factories.user("eve"))
    assert acted(client, choice(factories.filed_record(), "A")).status_code == 404
    assert stored("INV1").action == "N"


@pytest.mark.usefixtures("preparer")
def test_a_draft_is_its_owner_s_alone(client: Client, recipient: Taxpayer) -> None:
    asked = acted(client, choice(factories.filed_record(), "R")).headers["Location"]
    client.force_login(factories.member(recipient, "preparer", "bela"))
    assert client.get(asked).status_code == 404


@pytest.mark.usefixtures("preparer")
def test_a_form_of_another_gstin_is_refused(client: Client) -> None:
    record = factories.filed_record()
    assert acted(client, choice(record, "A"), gstin=factories.SUPPLIER).status_code == 409
    assert stored("INV1").action == "N"


@pytest.mark.usefixtures("recipient")
def test_a_foreign_record_in_ones_own_form_is_not_in_ims(client: Client) -> None:
    record = factories.filed_record()
    other = factories.taxpayer(factories.SUPPLIER)
    client.force_login(factories.member(other, "preparer", "sunil"))
    there = f"/en/t/{factories.SUPPLIER}/ims/"
    fields = form(gstin=factories.SUPPLIER, back=there + "inward/") | choice(record, "A")
    answer = client.post(there + "act/", fields)
    assert answer.status_code == 303
    assert stored("INV1").action == "N"
    assert client.get(f"{there}records/{record.pk}/").status_code == 404


@pytest.mark.parametrize("fields", [{"a.1.0": "X"}, {"tick": "1", "with": "A"}, {"request_id": "none"}])
@pytest.mark.usefixtures("preparer")
def test_a_field_no_page_of_ours_makes_is_refused(client: Client, fields: dict[str, object]) -> None:
    assert acted(client, **fields).status_code == 409


@pytest.mark.parametrize("back", ["//evil.example/", "https://evil.example/", "javascript:alert(1)", "/\\evil.example"])
@pytest.mark.usefixtures("preparer")
def test_nobody_is_sent_to_another_site_after_saving(client: Client, back: str) -> None:
    answer = acted(client, choice(factories.filed_record(), "A"), back=back)
    assert answer.headers["Location"].startswith(DESK + "inward/?result=")


@pytest.mark.parametrize("path", ["inward/nothing/", "inward/isd/"])
@pytest.mark.usefixtures("preparer")
def test_a_section_there_is_none_of_is_no_page(client: Client, path: str) -> None:
    assert client.get(DESK + path).status_code == 404


@pytest.mark.usefixtures("preparer")
def test_looking_changes_nothing(client: Client) -> None:
    record = factories.filed_record()
    assert client.get(DESK + "act/").status_code == 405
    client.get(DESK + f"inward/b2b/?a.{record.pk}.0=A")
    assert stored("INV1").version == 0


@pytest.mark.parametrize("remark", ["a\x00b", "a\x01b", "a\nb", "a\u202eb", "a\x85b"])
@pytest.mark.usefixtures("preparer")
def test_a_remark_with_a_character_of_no_text_is_refused_at_its_field(client: Client, remark: str) -> None:
    record = factories.filed_record()
    draft = acted(client, choice(record, "R")).headers["Location"]
    page = client.post(draft, form() | line(record, reason="OTHER", remark=remark))
    assert page.status_code == 422
    assert "The text holds a character that cannot be shown" in page.text or "Null characters" in page.text
    assert stored(record.number).action == "N"


@pytest.mark.parametrize("digits", [14, 70, 5000])
@pytest.mark.usefixtures("preparer")
def test_an_endless_amount_is_told_at_its_field(client: Client, digits: int) -> None:
    record = factories.filed_record(section=CN)
    draft = acted(client, choice(record, "A")).headers["Location"]
    page = client.post(draft, form() | line(record, answer="P", igst="9" * digits))
    assert page.status_code == 422
    assert "This amount is larger than any document may carry." in page.text


@pytest.mark.parametrize("back", ["/x\x00y", "/x\ny", "/" + "a" * 2_000])
@pytest.mark.usefixtures("preparer")
def test_an_address_that_cannot_be_kept_is_not_gone_back_to(client: Client, back: str) -> None:
    record = factories.filed_record()
    draft = acted(client, choice(record, "R"), back=back).headers["Location"]
    answer = client.post(draft, form() | line(record, reason="NOT_OURS"))
    assert answer.headers["Location"].startswith(DESK + "inward/?result=")


@pytest.mark.usefixtures("preparer")
def test_one_request_id_with_other_answers_is_refused(client: Client) -> None:
    factories.filed(factories.document(number="INV1"), factories.document(number="INV2"))
    first, second = stored("INV1"), stored("INV2")
    draft = acted(client, choice(first, "R"), choice(second, "R")).headers["Location"]
    page = form()
    assert client.post(draft, page | line(first, reason="NOT_OURS")).status_code == 303
    assert client.post(draft, page | line(first, reason="NOT_OURS")).status_code == 303
    answer = client.post(draft, page | line(second, reason="DUPLICATE"))
    assert answer.status_code == 409
    assert "already used for another request" in answer.text
    assert (stored("INV1").action, stored("INV2").action) == ("R", "N")


def test_what_a_save_came_to_is_not_told_on_another_clients_pages(client: Client) -> None:
    record = factories.filed_record(number="SECRET-1")
    actor, request_id = factories.member(record.recipient, "preparer", "anand"), uuid4()
    other = factories.taxpayer("29AAKCT0000P1Z6")
    factories.member(other, "preparer", "anand")
    item = Item(record.pk, 0, Choice(Action.REJECT))
    actions.take(
        taxpayer=record.recipient,
        items=[item],
        actor=actor,
        clock=factories.clock("2025-11-12"),
        request_id=request_id,
    )
    client.force_login(actor)
    own = client.get(f"/en/t/{record.recipient.gstin}/ims/inward/b2b/?result={request_id}")
    foreign = client.get(f"/en/t/{other.gstin}/ims/inward/b2b/?result={request_id}")
    assert "1 record saved" in own.text
    assert "record saved" not in foreign.text


# Labels of amendments, and the time limit of section 16(4)


@pytest.mark.usefixtures("preparer")
def test_an_amendment_says_which_way_it_goes_in_the_list_and_on_its_page(client: Client, now: Fixed) -> None:
    factories.filed_record(number="INV1")
    supplier = factories.taxpayer(factories.SUPPLIER)
    factories.computed(supplier, on="2025-11-14")
    factories.gstr3b.file(taxpayer=supplier, period=factories.OCTOBER, actor=None, clock=factories.clock("2025-11-14"))
    amendment = factories.document(section=Section.B2BA, number="INV1", tax=17_000, on="2025-11-03")
    record = factories.filed(amendment, period="112025", on="2025-12-10")[0]
    now.at = factories.at("2025-12-12")
    assert ">Downward<" in client.get(DESK + "inward/b2ba/").text
    assert "<dt>Amendment</dt><dd>Downward</dd>" in client.get(f"{DESK}records/{record.pk}/").text
    original = stored_original(record)
    assert "<dt>Amendment</dt>" not in client.get(f"{DESK}records/{original.pk}/").text


def stored_original(record: Record) -> Record:
    """Return what an amendment amends."""
    assert record.original is not None
    return record.original


@pytest.mark.usefixtures("preparer")
def test_credit_near_its_time_limit_is_warned_of_on_the_summary_and_the_record(client: Client, now: Fixed) -> None:
    record = factories.filed_record(number="OLD", on="2025-03-10")
    told = "GSTR-3B of 10/2025 is the last that can take this credit"
    with CaptureQueriesContext(connection) as asked:
        page = client.get(DESK + "inward/").text
    assert len(asked) <= 15
    assert "1 record of 2024-25 is pending or without action, credit ₹18,000.00." in page
    assert told in page
    assert told in client.get(f"{DESK}records/{record.pk}/").text
    assert told not in client.get(DESK + "inward/?tab=settled").text
    now.at = factories.at("2025-10-31")
    assert told not in client.get(DESK + "inward/").text
    assert told not in client.get(f"{DESK}records/{record.pk}/").text
