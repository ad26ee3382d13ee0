"""What-if as people see it: figures before and after, who pays, what cannot be; and nothing is saved by asking."""

from __future__ import annotations

import html
import re

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext

from invoices.models import ActionEvent, Record
from tests import factories
from tests.properties import worlds
from tests.returns.views.conftest import Desk

PAGE = "ims/whatif/"
SIGNED_IN = ("django_session", "ims_portal_user")


def text(answer: HttpResponse) -> str:
    content = answer.content.decode()
    main = content[content.index("<main") : content.index("</main>")]
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", main).split()))


def test_before_anything_is_asked_it_says_what_it_is_for(computed: Desk) -> None:
    answer = computed.get(PAGE, "viewer")
    assert answer.status_code == 200
    assert "Choose records and an action." in text(answer)
    assert "Nothing is saved" not in text(answer)


def test_rejecting_a_credit_note_keeps_itc_and_names_who_pays(computed: Desk) -> None:
    told = text(computed.get(PAGE, of="b2bcn", do="R"))
    assert "Nothing is saved 1 record would change. Before is version 1." in told
    assert "Others - credit notes other than reverse charge 9,000.00 0.00 -9,000.00" in told
    assert "4(A)(5) All other ITC 9,000.00 18,000.00 9,000.00" in told
    assert "24AAACS2718C1ZX 0.00 9,000.00 9,000.00 1 supplier 0.00 9,000.00 9,000.00" in told
    assert "CN1 05/10/2025" in told


def test_asking_saves_nothing(computed: Desk) -> None:
    before = worlds.digests(without=SIGNED_IN)
    computed.get(PAGE, of="b2bcn", do="R")
    computed.get(PAGE, do="A", answer="N", open="available.B_I")
    computed.post(PAGE, tick="1.0", list="all", bulk="R")
    assert worlds.digests(without=SIGNED_IN) == before
    assert not ActionEvent.objects.exists()


def test_accepting_a_note_without_an_answer_asks_for_it(computed: Desk) -> None:
    assert "1 record, tax ₹9,000.00: cannot yet: say whether ITC is reduced" in text(
        computed.get(PAGE, of="b2bcn", do="A")
    )
    assert "4(A)(5) All other ITC 9,000.00 18,000.00 9,000.00" in text(
        computed.get(PAGE, of="b2bcn", do="A", answer="N")
    )


def test_a_stale_statement_is_not_the_before(computed: Desk) -> None:
    computed.act("INV1", "R")
    told = text(computed.get(PAGE, of="b2bcn", do="R"))
    assert "Before is what GSTR-2B would be if it were computed now." in told
    assert "4(A)(5) All other ITC -9,000.00 0.00 9,000.00" in told


def test_every_changed_figure_opens_to_its_records(computed: Desk) -> None:
    content = html.unescape(computed.get(PAGE, do="R").content.decode())
    opened = set(re.findall(r'href="(\?[^"#]*open=[^"#]*)#records"', content))
    assert len(opened) > 4
    for address in opened:
        answer = computed.get(PAGE + address)
        assert answer.status_code == 200, address
        assert "Records behind the figure you opened" in text(answer), address
    credit_notes = text(computed.get(PAGE, do="R", open="rejected.B_I"))
    assert "CN1" in credit_notes
    assert "INV1" not in credit_notes


def test_a_list_s_toolbar_leads_here_with_its_ticks_or_all_it_matches(computed: Desk) -> None:
    record = Record.objects.get(number="CN1")
    asked = {"list": "all", "query": "q=CN", "bulk": "R", "tick": f"{record.pk}.0"}
    assert computed.post(PAGE, **asked)["Location"] == computed.url(f"{PAGE}?q=CN&of=all&records={record.pk}&do=R")
    assert computed.post(PAGE, **asked, all="1")["Location"] == computed.url(f"{PAGE}?q=CN&of=all&do=R")
    told = text(computed.get(PAGE, records=str(record.pk), do="R"))
    assert "Only 1 ticked record." in told
    assert "1 record would change." in told


@pytest.mark.usefixtures("patient")
def test_apply_leads_to_the_preview_of_the_bulk_action(computed: Desk) -> None:
    record = Record.objects.get(number="CN1")
    for asked in ({"of": "b2bcn", "do": "R"}, {"records": str(record.pk), "do": "R"}):
        content = computed.get(PAGE, "preparer", **asked).content.decode()
        form = content.split("ims/bulk/")[1].split("</form>")[0]
        fields = dict(re.findall(r'<input type="hidden" name="([a-z_]+)" value="([^"]*)">', form))
        answer = computed.post("ims/bulk/", "preparer", **fields)
        assert answer.status_code == 303
        assert "ims/batches/" in answer["Location"]
        preview = text(computed.as_("preparer").get(answer["Location"]))
        assert "1" in preview
        assert "9,000.00" in preview
    assert "ims/bulk/" not in computed.get(PAGE, "viewer", of="b2bcn", do="R").content.decode()


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"do": "X"}, "Choose Accept, Reject, Pending or No action."),
        ({"do": "A", "answer": "P"}, "Choose Full or None."),
        ({"do": "R", "records": "1.x"}, "tick them again"),
        ({"do": "R", "date_from": "31/02/2026"}, ""),
        ({"do": "R", "colour": "red"}, "There is no filter called colour."),
    ],
)
def test_what_cannot_be_read_is_told_and_nothing_is_answered(computed: Desk, asked: dict[str, str], says: str) -> None:
    answer = computed.get(PAGE, **asked)
    assert answer.status_code == 422
    assert says in text(answer)
    assert "Nothing is saved" not in text(answer)


def test_what_is_not_there_is_not_found(computed: Desk) -> None:
    assert computed.get(PAGE, of="b2c").status_code == 404
    assert computed.get(PAGE, do="R", open="nowhere").status_code == 404
    assert computed.get(PAGE, "stranger", do="R").status_code == 404


def test_it_asks_little(computed: Desk) -> None:
    client = computed.as_("preparer")
    with CaptureQueriesContext(connection) as asked:
        client.get(computed.url(PAGE), {"do": "R"})
    assert len(asked) <= 15


def test_another_s_record_is_never_told(computed: Desk) -> None:
    other = factories.taxpayer("29AAKCT0000P1Z6")
    theirs = factories.filed(factories.document(number="THEIRS", recipient=other.gstin), supplier="33AAACW1234F1Z5")[0]
    told = text(computed.get(PAGE, records=str(theirs.pk), do="R"))
    assert "0 records would change." in told
    assert "THEIRS" not in told
