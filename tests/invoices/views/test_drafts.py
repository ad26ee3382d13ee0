"""Choices not saved yet: kept for their person and GSTIN, told on the page, never lost and never overwritten."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.http import HttpResponse
from django.test import Client

from ims_portal.clock import Fixed
from ims_portal.models import Taxpayer, User
from ims_portal.rules.documents import Section
from invoices import drafts, locking
from invoices.models import DraftChoice, Record
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now", "preparer")]
TODAY = "2025-11-12"
DESK = f"/en/t/{factories.RECIPIENT}/ims/"
LIST = DESK + "inward/all/"


@pytest.fixture
def records() -> list[Record]:
    return factories.filed(*[factories.document(number=f"I{n}") for n in range(3)])


@pytest.fixture
def send(client: Client) -> Callable[..., HttpResponse]:
    """Send a page of choices: record -> letter, with what else the page's form carries."""

    def sent(chosen: dict[Record, str], **more: object) -> HttpResponse:
        fields: dict[str, object] = {"gstin": factories.RECIPIENT, "request_id": str(uuid4()), "back": LIST} | more
        fields |= {f"a.{record.pk}.{record.version}": letter for record, letter in chosen.items()}
        return client.post(DESK + "act/", fields)

    return sent


Send = Callable[..., HttpResponse]


def staged() -> dict[str, str]:
    """Return number -> letter of every unsaved choice."""
    return dict(DraftChoice.objects.values_list("record__number", "action"))


def is_checked(page: str, record: Record, letter: str) -> bool:
    return re.search(rf'name="a\.{record.pk}\.\d+" value="{letter}"[^>]* checked', page) is not None


def test_going_on_takes_unsaved_choices_along(client: Client, records: list[Record], send: Send) -> None:
    first, second, third = records
    answer = send({first: "A", second: "R", third: "N"}, go="?rows=25&after=x")
    assert (answer.status_code, answer.headers["Location"]) == (303, LIST + "?rows=25&after=x")
    assert staged() == {"I0": "A", "I1": "R"}
    assert Record.objects.filter(action="N").count() == 3
    page = client.get(LIST).text
    assert "2 unsaved choices" in page
    assert page.count('class="unsaved"') == 2
    assert is_checked(page, first, "A")
    assert is_checked(page, second, "R")
    assert f'name="was.{first.pk}" value="A"' in page


def test_filters_sent_with_the_rows_keep_the_choices_and_become_a_clean_address(
    client: Client, records: list[Record], send: Send
) -> None:
    first, _second, _third = records
    filled = {"filter": LIST, "q": "I1", "section": ["b2b", "b2ba"], "date_from": "05/10/2025", "sort": "-tax"}
    empty = {"action": "", "tax_to": "  ", "with": "", "list": "all", "query": "q=old", "bulk": "A"}
    answer = send({first: "A"}, **filled, **empty)
    to = answer.headers["Location"]
    assert (answer.status_code, to) == (303, LIST + "?q=I1&section=b2b&section=b2ba&date_from=05/10/2025&sort=-tax")
    assert staged() == {"I0": "A"}
    assert [line["text"][-2:] for line in client.get(to).context["active"]][1:] == ["I1", "25"]
    assert send({}, filter=LIST).headers["Location"] == LIST


def test_a_filter_that_cannot_be_read_keeps_the_choices_too(client: Client, records: list[Record], send: Send) -> None:
    answer = send({records[0]: "A"}, filter=LIST, tax_from="much")
    page = client.get(answer.headers["Location"])
    assert (page.status_code, staged()) == (422, {"I0": "A"})
    assert 'value="much"' in page.text


def test_a_filter_form_of_elsewhere_leads_back(records: list[Record], send: Send) -> None:
    assert send({records[0]: "A"}, filter="https://example.org/", q="I1").headers["Location"] == LIST


@pytest.mark.usefixtures("records")
def test_filters_belong_to_the_rows_only_where_somebody_may_choose(client: Client, recipient: Taxpayer) -> None:
    assert 'name="q" form="choices"' in client.get(LIST).text
    assert 'name="q" value' in client.get(LIST + "?settled=1").text
    client.force_login(factories.member(recipient, "viewer", "vera"))
    page = client.get(LIST).text
    assert 'form="choices"' not in page
    assert 'target="record"' not in page
    assert f'class="sub gstin" href="{LIST}?supplier={factories.SUPPLIER}"' in page


def test_choices_of_other_pages_are_counted_and_saved_with_this_one(
    client: Client, records: list[Record], send: Send
) -> None:
    first, second, _third = records
    send({first: "A"}, do="stage")
    page = client.get(LIST + "?q=I2").text
    assert "1 unsaved choice" in page
    assert "1 is of a record not on this page." in page
    answer = send({second: "A"})
    assert "2 records saved." in client.get(answer.headers["Location"]).text
    assert staged() == {}


def test_discard_throws_all_of_them_away(client: Client, records: list[Record], send: Send) -> None:
    first, second, _third = records
    send({first: "A"}, do="stage")
    assert send({second: "A"}, do="discard").headers["Location"] == LIST
    assert staged() == {}
    assert "No unsaved choices" in client.get(LIST).text
    assert not Record.objects.exclude(action="N").exists()


def test_a_row_set_back_to_what_is_saved_leaves_the_draft(records: list[Record], send: Send) -> None:
    first = records[0]
    send({first: "A"}, do="stage")
    send({first: "N"}, do="stage", **{f"was.{first.pk}": "A"})
    assert staged() == {}


def test_a_page_opened_before_does_not_undo_what_another_tab_chose(records: list[Record], send: Send) -> None:
    first, second, _third = records
    send({first: "A"}, do="stage")
    send({first: "N", second: "P"}, do="stage")  # the other tab shows the first row as it was: No action
    assert staged() == {"I0": "A", "I1": "P"}
    send({first: "A", second: "R"}, do="stage", **{f"was.{first.pk}": "A", f"was.{second.pk}": "P"})
    assert staged() == {"I0": "A", "I1": "R"}


def test_staging_alone_answers_with_nothing_to_show(records: list[Record], send: Send) -> None:
    assert send({records[0]: "A"}, do="stage").status_code == 204


def test_a_choice_is_kept_for_eight_hours(client: Client, records: list[Record], send: Send) -> None:
    send({records[0]: "A", records[1]: "A"}, do="stage")
    old = DraftChoice.objects.get(record=records[0])
    DraftChoice.objects.filter(pk=old.pk).update(staged_at=old.staged_at - drafts.LASTS - timedelta(minutes=1))
    assert "1 unsaved choice" in client.get(LIST).text
    send({records[2]: "A"}, do="stage")
    assert staged() == {"I1": "A", "I2": "A"}


def test_a_draft_survives_signing_in_again_and_is_its_person_s_alone(
    client: Client, recipient: Taxpayer, preparer: User, records: list[Record], send: Send
) -> None:
    send(dict.fromkeys(records, "A"), do="stage")
    client.logout()
    client.force_login(preparer)
    assert "3 unsaved choices" in client.get(LIST).text
    client.force_login(factories.member(recipient, "preparer", "bela"))
    assert "No unsaved choices" in client.get(LIST).text


def test_a_busy_inbox_keeps_the_choices_and_offers_to_try_again(
    client: Client, records: list[Record], send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_work: object) -> None:
        raise locking.BusyError("busy")

    with monkeypatch.context() as patched:
        patched.setattr(locking, "transact", refuse)
        answer = send({records[0]: "A"})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "2"
    assert "Your choices are kept." in answer.text
    assert staged() == {"I0": "A"}
    again = send({})
    assert "1 record saved." in client.get(again.headers["Location"]).text
    assert staged() == {}


def test_an_overtaken_choice_stays_and_is_to_be_made_again(
    client: Client, recipient: Taxpayer, records: list[Record], send: Send
) -> None:
    first, second, _third = records
    other = factories.member(recipient, "preparer", "bela")
    factories.act(second, "R", actor=other, reason="DUPLICATE", on="2025-11-12 10:31")
    answer = send({first: "A"}, **{f"a.{second.pk}.0": "A"})
    page = client.get(answer.headers["Location"]).text
    assert "1 record saved." in page
    assert f'<a href="#r{second.pk}">I1</a>' in page
    told = (
        "Bela chose Reject at 12/11/2025 10:31, after you opened this page. Yours, Accept, was not saved. Choose again."
    )
    assert told in page
    assert not is_checked(page, second, "[ARPN]")
    assert staged() == {"I1": "A"}
    second.refresh_from_db()
    send({second: "A"}, **{f"was.{second.pk}": "-"})
    assert (Record.objects.get(number="I1").action, staged()) == ("A", {})


def test_an_overtaken_choice_is_settled_by_choosing_what_stands(
    recipient: Taxpayer, records: list[Record], send: Send
) -> None:
    second = records[1]
    factories.act(second, "A", actor=factories.member(recipient, "preparer", "bela"))
    send({}, **{f"a.{second.pk}.0": "P"})
    second.refresh_from_db()
    send({second: "A"}, do="stage", **{f"was.{second.pk}": "-"})
    assert staged() == {}


def test_a_choice_the_supplier_overtook_tells_who_changed_the_record(client: Client, send: Send) -> None:
    record = factories.saved(factories.document(number="S1"))[0]
    factories.act(record, "A")
    record.refresh_from_db()
    send({record: "P"}, do="stage")
    factories.saved(factories.document(number="S1", tax=9000))
    page = client.get(LIST).text
    assert re.search(r"Firm AAACS changed the record at .*Your choice, Pending, was not saved", page)


def test_a_refused_choice_stays_with_its_reason(client: Client, now: Fixed, send: Send) -> None:
    record = factories.filed_record(section=Section.CN, number="CN1")
    now.at = factories.at("2025-12-21")
    send({record: "P"})
    page = client.get(LIST).text
    assert is_checked(page, record, "P")
    assert page.count("CN1 could be pending until 20/12/2025.") == 1
    assert "1 unsaved choice" in page


def test_what_is_no_record_of_the_recipient_is_never_kept(send: Send) -> None:
    foreign = factories.filed(
        factories.document(number="F1", recipient="29AAKCT0000P1Z6", supplier=factories.SUPPLIER)
    )[0]
    send({foreign: "A"}, do="stage")
    assert staged() == {}


def test_typed_answers_are_kept_where_saving_refused_them(client: Client, send: Send) -> None:
    record = factories.filed_record(section=Section.CN, number="CN1")
    asked = send({record: "A"}).headers["Location"]
    key = f"{record.pk}.0"
    fields = {"line": key, f"l.{key}-answer": "P", f"l.{key}-igst": "9000"}
    answer = client.post(asked, {"gstin": factories.RECIPIENT, "request_id": str(uuid4())} | fields)
    assert answer.status_code == 422
    again = client.get(asked).text
    assert 'value="9000"' in again
    assert re.search(rf'name="l\.{key}-answer" value="P"[^>]* checked', again)


def test_nobody_without_the_right_stages_anything(
    client: Client, recipient: Taxpayer, records: list[Record], send: Send
) -> None:
    client.force_login(factories.member(recipient, "viewer", "vina"))
    assert send({records[0]: "A"}, do="stage").status_code == 403
    assert staged() == {}


@pytest.mark.parametrize("go", ["//evil.example/", "https://evil.example/"])
def test_going_on_leads_to_no_other_site(records: list[Record], send: Send, go: str) -> None:
    assert send({records[0]: "A"}, go=go).headers["Location"] == LIST


def test_htmx_gets_the_questions_for_its_dialog(client: Client, records: list[Record], send: Send) -> None:
    asked = send({records[0]: "R"}).headers["Location"]
    part = client.get(asked, headers={"HX-Request": "true"})
    assert part.headers["HX-Retarget"] == "#dialog-part"
    assert "<html" not in part.text
    assert "Reject for Firm AAACR" in part.text


def test_a_refusal_of_the_whole_form_replaces_the_whole_content_for_htmx(client: Client, records: list[Record]) -> None:
    fields = {"gstin": factories.SUPPLIER, "request_id": str(uuid4()), f"a.{records[0].pk}.0": "A"}
    answer = client.post(DESK + "act/", fields, headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Retarget"]) == (409, "#main")
