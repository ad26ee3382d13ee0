"""The purchase register and its six tabs: what stands where, what is suggested, what a hand may do."""

from __future__ import annotations

import csv
import io
import re
import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ims_portal import clock as portal_clock
from ims_portal.models import AuditEvent, Taxpayer
from ims_portal.rules.documents import Section
from ims_portal.rules.money import Tax
from invoices import books, books_sql, registers, standing
from invoices.books import Suggestion
from invoices.filters import Match
from invoices.models import Booked, Inbox, Pair, Record, Register
from invoices.register_reading import TEMPLATE, Field
from tests import factories
from tests.factories import SUPPLIER, document, filed, saved

TODAY = "2025-11-12"
DESK = f"/en/t/{factories.RECIPIENT}/ims/match/"
OURS = {name.value: label for name, label in TEMPLATE.items()}
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("now")]


@pytest.fixture
def ravi(client: Client, recipient: Taxpayer) -> Client:
    """A preparer's browser."""
    client.force_login(factories.member(recipient, "preparer", "ravi"))
    return client


def line(number: str, tax: str = "18000.00", **cells: object) -> dict[str, object]:
    """Return a row of a register: an invoice of the usual supplier, 18 per cent."""
    return {"supplier": SUPPLIER, "number": number, "date": "05-10-2025", "taxable": "100000.00", "igst": tax} | cells


def written(*lines: dict[str, object]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(TEMPLATE.values())
    for one in lines:
        writer.writerow([one.get(name.value, "") for name in Field])
    return text.getvalue().encode()


def send(client: Client, content: bytes, name: str = "oct.csv", **more: object) -> HttpResponse:
    sent = {"gstin": factories.RECIPIENT, "request_id": str(uuid.uuid4()), "file": SimpleUploadedFile(name, content)}
    return client.post(DESK, sent | more)


def post(client: Client, address: str, **more: object) -> HttpResponse:
    return client.post(address, {"gstin": factories.RECIPIENT, "request_id": str(uuid.uuid4())} | more)


def work() -> None:
    """Do what the worker would."""
    for register in Register.objects.exclude(state__in=["done", "failed"]):
        registers.carry_out(register=register, clock=portal_clock.portal())


def handed_in(client: Client, *lines: dict[str, object], name: str = "oct.csv") -> Register:
    """Hand a register in, name its columns where that is asked, and let it be matched."""
    where = send(client, written(*lines), name)["Location"]
    work()
    found = Register.objects.latest("created_at")
    if found.phase == "naming":
        assert post(client, f"{where}columns/", **OURS).status_code == 303
        work()
        found.refresh_from_db()
    return found


def tabs(recipient: Taxpayer) -> dict[str, int]:
    """Return tab -> how many, empty ones left out."""
    found = books.counts(recipient, standing.of(recipient, portal_clock.portal().now()))
    return {tab: one.number for tab, one in found.items() if one.number}


def rows(recipient: Taxpayer, tab: str) -> list[books.Row]:
    found, _after = books.page(recipient, standing.of(recipient, portal_clock.portal().now()), tab)
    return found


def test_columns_are_named_once_for_a_client(ravi: Client, recipient: Taxpayer) -> None:
    filed(document(number="N1"))
    where = send(ravi, written(line("N1")))["Location"]
    work()
    page = ravi.get(where).content.decode()
    assert "Which column is what" in page
    assert '<option value="Supplier GSTIN" selected>' in page
    assert '<option value="Taxable value" selected>' in page
    twice = OURS | {"cgst": "IGST", "sgst": "No such"}
    refused = post(ravi, f"{where}columns/", **twice)
    assert refused.status_code == 422
    assert "This column is named twice" in refused.content.decode()
    assert "The register has no such column" in refused.content.decode()
    assert Booked.objects.count() == 0
    assert post(ravi, f"{where}columns/", **OURS).status_code == 303
    work()
    assert tabs(recipient) == {"exact": 1}
    second = handed_in(ravi, line("N2"), name="nov.csv")
    assert (second.phase, second.documents) == ("matched", 1)
    assert Inbox.objects.get(pk=recipient.pk).has_books


def test_each_document_stands_in_its_tab_with_its_difference_and_suggestion(ravi: Client, recipient: Taxpayer) -> None:
    filed(
        *(document(number=number) for number in ("E1", "T1", "M1", "I1", "A-1", "A/1")),
        document(number="CN1", section=Section.CN),
        document(number="CN2", section=Section.CN),
    )
    saved(document(number="S1"), period="112025", on="2025-11-12")
    handed_in(
        ravi,
        line("E1"),
        line("T1", "17999.00"),
        line("M1", "17998.99", date="06-10-2025"),
        line("A1"),
        line("B1"),
        line("S1"),
        line("CN1", type="Credit note"),
    )
    assert tabs(recipient) == {"exact": 3, "tolerance": 1, "mismatch": 1, "only": 2, "books": 1, "ambiguous": 1}
    found = {
        (tab, row.booked.number if row.booked else row.record.number if row.record else ""): row
        for tab in books.TABS
        for row in rows(recipient, tab)
    }
    assert found["exact", "E1"].suggestion is Suggestion.ACCEPT
    assert found["exact", "CN1"].suggestion is Suggestion.ACCEPT
    assert found["exact", "S1"].suggestion is Suggestion.WAIT
    assert found["tolerance", "T1"].differs == (0, Tax(igst=100))
    assert found["mismatch", "M1"].differs == (0, Tax(igst=101))
    assert found["mismatch", "M1"].suggestion is Suggestion.PENDING
    assert found["only", "I1"].suggestion is Suggestion.PENDING
    assert found["only", "CN2"].suggestion is Suggestion.BY_HAND
    assert found["books", "B1"].suggestion is Suggestion.ASK_SUPPLIER
    assert found["ambiguous", "A1"].suggestion is Suggestion.PICK
    for tab in books.TABS:
        page = ravi.get(f"{DESK}?tab={tab}").content.decode()
        assert "Reject" not in re.sub(r"<nav.*?</nav>", "", page, flags=re.DOTALL)


@pytest.mark.parametrize(
    ("reported", "booked", "took"),
    [
        ("KMF/26/1", "kmf/26/1", ["case"]),
        ("KMF/25-26/1001", "KMF/1001", ["year", "separators"]),
        ("KMF/2025-26/1001", "KMF1001", ["year", "separators"]),
        ("FY2526/0077", "77", ["year", "zeros", "separators"]),
        ("INV-0007", "inv 7", ["case", "zeros", "separators"]),
        ("INV0007", "INV-7", ["zeros", "separators"]),
    ],
)
def test_numbers_written_otherwise_are_found_and_why_says_how(
    ravi: Client, recipient: Taxpayer, reported: str, booked: str, took: list[str]
) -> None:
    filed(document(number=reported))
    handed_in(ravi, line(booked))
    (row,) = rows(recipient, Match.EXACT)
    assert row.took == took


@pytest.mark.parametrize(
    ("reported", "booked"), [("INV-100", "INV-1000"), ("A-10", "A-1"), ("24-25/7", "25-26/7"), ("X1", "Y1")]
)
def test_numbers_that_differ_are_no_pair(ravi: Client, recipient: Taxpayer, reported: str, booked: str) -> None:
    filed(document(number=reported))
    handed_in(ravi, line(booked))
    assert tabs(recipient) == {"only": 1, "books": 1}


def test_a_number_as_it_stands_goes_before_one_that_is_alike(ravi: Client, recipient: Taxpayer) -> None:
    filed(document(number="A-1"), document(number="A/1"))
    handed_in(ravi, line("A-1"), line("A/1"))
    assert tabs(recipient) == {"exact": 2}
    assert {
        (row.booked.number, row.record.number) for row in rows(recipient, "exact") if row.booked and row.record
    } == {
        ("A-1", "A-1"),
        ("A/1", "A/1"),
    }


def test_rows_of_one_document_are_put_together_and_a_later_register_tells_it_anew(
    ravi: Client, recipient: Taxpayer
) -> None:
    filed(document(number="N1"))
    handed_in(ravi, line("N1", "9000.00", taxable="50000.00"), line("n1", "9000.00", taxable="50000.00"))
    assert tabs(recipient) == {"exact": 1}
    again = handed_in(ravi, line("N1", "9000.00"), name="later.csv")
    assert (again.documents, again.replaced) == (1, 1)
    assert tabs(recipient) == {"mismatch": 1}
    removed = post(ravi, f"{DESK}registers/{again.pk}/remove/")
    assert removed.status_code == 303
    assert tabs(recipient) == {}
    assert not Inbox.objects.get(pk=recipient.pk).has_books
    assert ravi.get(f"{DESK}registers/{again.pk}/").status_code == 404


def test_a_suppliers_edit_moves_a_pair_at_once(ravi: Client, recipient: Taxpayer) -> None:
    saved(document(number="N1"), period="112025", on="2025-11-12")
    handed_in(ravi, line("N1"))
    assert tabs(recipient) == {"exact": 1}
    saved(document(number="N1", tax=9000), period="112025", on="2025-11-12")
    assert tabs(recipient) == {"mismatch": 1}


def test_an_amended_document_is_its_newest_version(ravi: Client, recipient: Taxpayer) -> None:
    filed(document(number="N1"))
    saved(document(number="N1A", section=Section.B2BA, original="N1", tax=9000), period="112025", on="2025-11-12")
    handed_in(ravi, line("N1", "9000.00", taxable="50000.00"))
    (row,) = rows(recipient, "exact")
    assert row.record is not None
    assert row.record.number == "N1A"


def test_what_an_amendment_replaced_is_not_only_in_ims(ravi: Client, recipient: Taxpayer) -> None:
    filed(document(number="N1"))
    saved(document(number="N1A", section=Section.B2BA, original="N1", tax=9000), period="112025", on="2025-11-12")
    handed_in(ravi, line("N1", "9000.00", taxable="50000.00"))
    Record.objects.filter(number="N1").update(superseded_by=Record.objects.get(number="N1A"))
    assert tabs(recipient) == {"exact": 1}


def test_what_somebody_said_holds_for_the_newest_version(ravi: Client, recipient: Taxpayer) -> None:
    filed(document(number="N1"))
    handed_in(ravi, line("TYPO", "9000.00", taxable="50000.00"))
    one, record = Booked.objects.get(), Record.objects.get()
    post(ravi, f"{DESK}books/{one.pk}/link/", record=record.pk)
    assert tabs(recipient) == {"mismatch": 1}
    saved(document(number="N1A", section=Section.B2BA, original="N1", tax=9000), period="112025", on="2025-11-12")
    post(ravi, f"{DESK}again/")
    work()
    (row,) = rows(recipient, "exact")
    assert (row.record.number if row.record else "", row.is_said) == ("N1A", True)


def test_a_number_that_is_its_financial_year_is_found(ravi: Client, recipient: Taxpayer) -> None:
    filed(document(number="2526"), document(number="25-26/1"))
    handed_in(ravi, line("2526"), line("25-26/1"))
    assert tabs(recipient) == {"exact": 2}


def test_without_a_type_the_sum_of_a_document_tells_a_credit_note(ravi: Client, recipient: Taxpayer) -> None:
    filed(document(number="N1"), document(number="CN1", section=Section.CN))
    columns = {name: label for name, label in OURS.items() if name != "type"}
    rows_ = [line("N1", "18900.00", taxable="105000.00"), line("N1", "-900.00", taxable="-5000.00")]
    where = send(ravi, written(*rows_, line("CN1", "-18000.00", taxable="-100000.00")))["Location"]
    work()
    post(ravi, f"{where}columns/", **columns)
    work()
    assert tabs(recipient) == {"exact": 2}


def test_a_wrong_naming_of_columns_can_be_mended(ravi: Client, recipient: Taxpayer) -> None:
    filed(document(number="N1"))
    where = send(ravi, written(line("N1")))["Location"]
    work()
    wrong = OURS | {"date": "Document number", "number": "Document date"}
    post(ravi, f"{where}columns/", **wrong)
    work()
    page = ravi.get(where).content.decode()
    assert "Name the columns again" in page
    assert "The date says" in page
    post(ravi, f"{where}columns/", **OURS)
    work()
    assert tabs(recipient) == {"exact": 1}


def test_sums_no_document_has_are_told_and_the_rest_kept(ravi: Client, recipient: Taxpayer) -> None:
    filed(document(number="N1"))
    huge = line("BIG", taxable="9999999999999.00")
    found = handed_in(ravi, line("N1"), huge, huge)
    assert (found.documents, found.wrong) == (1, 1)
    assert tabs(recipient) == {"exact": 1}


def test_the_same_file_named_twice_at_once_is_refused_in_words(ravi: Client) -> None:
    one = send(ravi, written(line("N1")))["Location"]
    work()
    two = send(ravi, written(line("N1")))["Location"]
    work()
    assert one != two
    assert post(ravi, f"{one}columns/", **OURS).status_code == 303
    refused = post(ravi, f"{two}columns/", **OURS)
    assert refused.status_code == 422
    assert "The same file is being read already" in refused.content.decode()


def test_pairs_are_made_and_unmade_by_hand_and_stay_so(ravi: Client, recipient: Taxpayer) -> None:
    filed(document(number="N1"), document(number="WRONG"))
    handed_in(ravi, line("N1"), line("TYPO"))
    typo, one = (Booked.objects.get(number=number) for number in ("TYPO", "N1"))
    record, other = (Record.objects.get(number=number) for number in ("WRONG", "N1"))
    page = ravi.get(f"{DESK}books/{typo.pk}/").content.decode()
    assert "WRONG" in page
    assert f'value="{other.pk}"' not in page, "that record is another document"
    assert "does not stand in our Invoice Management System" in " ".join(page.split())

    taken = post(ravi, f"{DESK}books/{typo.pk}/link/", record=other.pk)
    assert "Unlink that pair first" in ravi.get(taken["Location"]).content.decode()
    assert post(ravi, f"{DESK}books/{typo.pk}/link/", record=record.pk).status_code == 303
    assert tabs(recipient) == {"exact": 2}
    assert post(ravi, f"{DESK}books/{one.pk}/unlink/", record=other.pk).status_code == 303
    assert tabs(recipient) == {"exact": 1, "only": 1, "books": 1}
    assert post(ravi, f"{DESK}again/").status_code == 303
    work()
    assert tabs(recipient) == {"exact": 1, "only": 1, "books": 1}
    assert "Paired by hand." in ravi.get(DESK).content.decode()
    told = AuditEvent.objects.filter(event__startswith="books.").values_list("event", flat=True)
    assert list(told.order_by("id")) == ["books.linked", "books.unlinked"]


def test_accepting_a_tab_goes_by_the_bulk_and_leaves_what_is_only_saved(ravi: Client, recipient: Taxpayer) -> None:
    filed(document(number="E1"), document(number="M1"))
    saved(document(number="S1"), period="112025", on="2025-11-12")
    handed_in(ravi, line("E1"), line("S1"), line("M1", "1.00"))
    page = ravi.get(f"{DESK}?tab=exact").content.decode()
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.split("ims/bulk/")[1]))
    assert fields["query"].replace("&amp;", "&") == "action=N&status=F&match=exact"
    preview = post(
        ravi,
        f"/en/t/{factories.RECIPIENT}/ims/bulk/",
        list="all",
        query="action=N&status=F&match=exact",
        all="1",
        bulk="A",
    )
    assert "Accept 1 record" in ravi.get(preview["Location"]).content.decode()
    done = post(ravi, f"{preview['Location']}confirm/")
    assert done.status_code == 303
    actions = dict(Record.objects.values_list("number", "action"))
    assert actions == {"E1": "A", "S1": "N", "M1": "N"}
    assert [row.suggestion for row in rows(recipient, "exact") if row.record and row.record.number == "E1"] == [
        Suggestion.DONE
    ]


def test_lists_filter_by_match_once_there_are_books(ravi: Client) -> None:
    filed(document(number="E1"), document(number="I1"))
    inward = f"/en/t/{factories.RECIPIENT}/ims/inward/all/"
    assert "There is no purchase register yet" in ravi.get(f"{inward}?match=exact").content.decode()
    handed_in(ravi, line("E1"))
    exact, only = (ravi.get(f"{inward}?match={tab}").content.decode() for tab in ("exact", "only"))
    assert ">E1</a>" in exact
    assert ">I1</a>" not in exact
    assert ">I1</a>" in only
    assert ">E1</a>" not in only


def test_a_record_tells_what_the_books_say_of_it(ravi: Client) -> None:
    filed(document(number="N1"), document(number="N2"))
    pages = {
        number: f"/en/t/{factories.RECIPIENT}/ims/records/{pk}/"
        for number, pk in Record.objects.values_list("number", "pk")
    }
    assert "No purchase register is kept here" in ravi.get(pages["N1"]).content.decode()
    handed_in(ravi, line("n-1", "17000.00"))
    told = re.sub(r"<[^>]+>", " ", ravi.get(pages["N1"]).content.decode())
    assert "Mismatch" in told
    assert "same number with capitals and small letters apart, separators left out" in " ".join(told.split())
    assert "1,000.00" in told
    assert "No document of your registers is this record." in ravi.get(pages["N2"]).content.decode()


def test_only_in_ims_is_what_the_registers_months_hold(ravi: Client, recipient: Taxpayer) -> None:
    filed(document(number="I1"))
    saved(document(number="I2", on="2025-11-02"), period="112025", on="2025-11-12")
    handed_in(ravi, line("E1"))
    assert tabs(recipient) == {"only": 1, "books": 1}


def test_the_tolerance_moves_the_tabs(ravi: Client, recipient: Taxpayer) -> None:
    filed(document(number="N1"))
    handed_in(ravi, line("N1", "17990.00"))
    assert tabs(recipient) == {"mismatch": 1}
    refused = post(ravi, f"{DESK}tolerance/", tolerance="1000.01")
    assert refused.status_code == 422
    assert "from 0.00 to 1000.00" in refused.content.decode()
    assert post(ravi, f"{DESK}tolerance/", tolerance="10.00").status_code == 303
    assert tabs(recipient) == {"tolerance": 1}


def test_a_register_that_cannot_be_read_says_why_and_keeps_nothing(ravi: Client, recipient: Taxpayer) -> None:
    for content, name, says in (
        (b"a,b\n1,2\n", "x.csv", "looks like a heading"),
        (b"\xff\xfe", "x.csv", "CSV UTF-8"),
        (b"not a zip", "x.xlsx", "cannot be read"),
    ):
        where = send(ravi, content, name)["Location"]
        work()
        assert says in ravi.get(where).content.decode()
    assert "Choose the register" in send(ravi, b"x", "x.pdf").content.decode()
    assert "The file is empty" in send(ravi, b"", "x.csv").content.decode()
    assert Booked.objects.count() == 0
    assert tabs(recipient) == {}


def test_wrong_rows_are_told_and_the_others_kept(ravi: Client) -> None:
    found = handed_in(ravi, line("N1"), line("N2", "x"), line("N3", "-5.00"))
    assert (found.documents, found.wrong) == (1, 2)
    page = ravi.get(f"{DESK}registers/{found.pk}/").content.decode()
    assert "row 3" in page
    assert "IGST says" in page
    assert "amounts below 0" in page


def test_who_may_only_look_sees_and_changes_nothing(client: Client, ravi: Client, recipient: Taxpayer) -> None:
    filed(document(number="N1"))
    found = handed_in(ravi, line("N1"))
    one, record = Booked.objects.get(), Record.objects.get()
    client.force_login(factories.member(recipient, "viewer", "vik"))
    assert client.get(DESK).status_code == 200
    assert "Upload a purchase register" not in client.get(DESK).content.decode()
    assert send(client, written(line("N2"))).status_code == 403
    for where, more in (
        (f"registers/{found.pk}/remove/", {}),
        (f"registers/{found.pk}/columns/", OURS),
        (f"books/{one.pk}/unlink/", {"record": record.pk}),
        (f"books/{one.pk}/link/", {"record": record.pk}),
        ("tolerance/", {"tolerance": "5"}),
        ("again/", {}),
    ):
        assert post(client, f"{DESK}{where}", **more).status_code == 403, where
    assert Pair.objects.get().kind == "is"


def test_nothing_of_one_client_is_ever_in_anothers(ravi: Client) -> None:
    filed(document(number="N1"))
    found = handed_in(ravi, line("N1"))
    one, record = Booked.objects.get(), Record.objects.get()
    other = factories.taxpayer("27AAGCW0000L1ZJ")
    ravi.force_login(factories.member(other, "signatory", "olga"))
    assert ravi.get(DESK).status_code == 404
    theirs = f"/en/t/{other.gstin}/ims/match/"
    assert ravi.get(f"{theirs}registers/{found.pk}/").status_code == 404
    assert ravi.get(f"{theirs}books/{one.pk}/").status_code == 404
    posted = post(ravi, f"{theirs}books/{one.pk}/link/", gstin=other.gstin, record=record.pk)
    assert "not there any more" in ravi.get(posted["Location"]).content.decode()
    assert post(ravi, f"{theirs}books/{one.pk}/unlink/", record=record.pk).status_code == 409
    assert Pair.objects.get().said_at is None


def test_a_page_of_a_tab_asks_few_queries_however_many_rows(ravi: Client) -> None:
    filed(*(document(number=f"N{n}") for n in range(60)))
    handed_in(ravi, *(line(f"N{n}") for n in range(60)))
    with CaptureQueriesContext(connection) as asked:
        page = ravi.get(f"{DESK}?tab=exact")
    assert len(asked) <= 17
    seen = set(re.findall(r">(N\d+)</a>", page.content.decode()))
    while more := re.search(r'rel="next" href="([^"]+)"', page.content.decode()):
        page = ravi.get(more[1].replace("&amp;", "&"))
        now = set(re.findall(r">(N\d+)</a>", page.content.decode()))
        assert not now & seen
        seen |= now
    assert len(seen) == 60


def test_the_steps_of_sql_are_those_words_tell() -> None:
    assert len(books_sql.stages("'x'", "2025")) == len(books_sql.STEPS)
