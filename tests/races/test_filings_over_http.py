"""GSTR-3B filed over HTTP as something else happens (F06, F07, F09, F15): counted before it or refused after it."""

from __future__ import annotations

import pytest

from ims_portal.models import Taxpayer
from ims_portal.rules import periods
from ims_portal.rules.documents import Form, Section
from invoices import outward
from invoices.models import Record
from returns import gstr3b
from returns.models import Addback, Filing
from tests import factories
from tests.races.over_http import Portal, gstin
from tests.rounds import Begin

pytestmark = pytest.mark.race
AT_ONCE = 20
NOVEMBER = periods.parse("112025")


def firm(number: int, state: str = "27") -> Taxpayer:
    """Return the firm of a round: what is filed stays filed, so that each round has its own."""
    return factories.taxpayer(gstin(number, state))


def ready(owner: Taxpayer, on: str = "2025-11-14") -> None:
    """Let a firm's October be ready to be filed."""
    outward.file(
        supplier=owner, form=Form.GSTR1, period=factories.OCTOBER, actor=None, clock=factories.clock("2025-11-10")
    )
    factories.computed(owner, on=on)


def supplied(owner: Taxpayer, number: int, **options: object) -> Record:
    """Return a document for a firm that its supplier filed in October."""
    seller = gstin(number, "24")
    made = factories.document(recipient=owner.gstin, supplier=seller, number="X1", **options)
    return factories.filed(made, supplier=seller)[0]


def test_an_action_beside_a_filing_is_counted_or_refused(portal: Portal, rounds: Begin) -> None:
    for turn in rounds("F06", 12, 500):
        record = supplied(firm(turn), turn)
        ready(record.recipient)
        portal.stand_at("2025-11-18")
        asha = portal.person(record.recipient, f"asha{turn}", files=True)
        ravi = portal.person(record.recipient, f"ravi{turn}")
        filing, acting = portal.filing_3b(asha), portal.acting(ravi, record, action="R")
        filed, acted = portal.at_once(filing, acting)
        record.refresh_from_db()
        if filed.status == 200:
            assert [result["code"] for result in acted.told["results"]] == ["RECORD_FROZEN"], acted
            assert (record.action, record.settled_as) == ("N", "A")
        else:
            assert (filed.status, filed.code, acted.statuses) == (409, "RECOMPUTE_REQUIRED", ["ok"]), (filed, acted)
            assert (record.action, record.settled_as) == ("R", "")


def test_twenty_people_who_file_at_once_file_once(portal: Portal, rounds: Begin) -> None:
    for turn in rounds("F07", 2, 20):
        owner = supplied(firm(turn), turn).recipient
        ready(owner)
        portal.stand_at("2025-11-18")
        people = [portal.person(owner, f"p{turn}-{n}", files=True) for n in range(AT_ONCE)]
        answers = portal.at_once(*(portal.filing_3b(person) for person in people))
        done = [answer for answer in answers if answer.status == 200]
        assert len(done) == 1, answers
        rest = {(answer.status, answer.code) for answer in answers if answer not in done}
        assert rest == {(409, "ALREADY_FILED")}, answers
        assert Filing.objects.get(taxpayer=owner).reference == done[0].told["reference"]


def test_what_a_supplier_files_late_is_in_one_statement(portal: Portal, rounds: Begin) -> None:
    """October's documents, filed on the 18th, belong to November's GSTR-2B, whoever is first (R7.2)."""
    for turn in rounds("F09", 6, 100):
        owner, seller = supplied(firm(turn), turn).recipient, firm(turn, "29")
        ready(owner)
        late = factories.document(recipient=owner.gstin, supplier=seller.gstin, number="L1")
        (record,) = factories.saved(late, supplier=seller.gstin)
        portal.stand_at("2025-11-18")
        asha = portal.person(owner, f"asha{turn}", files=True)
        kiran = portal.person(seller, f"kiran{turn}", files=True)
        answers = portal.at_once(portal.filing_3b(asha), portal.filing_out(kiran))
        assert [answer.status for answer in answers] == [200, 200], answers
        record.refresh_from_db()
        assert (record.gstr2b_month, record.settled_month) == (NOVEMBER.month, None)
        factories.filed_period(owner, period="112025", on="2025-12-18")  # what the race left can be counted
        record.refresh_from_db()
        assert (record.settled_month, record.settled_as) == (NOVEMBER.month, "A")


def test_an_amendment_filed_beside_a_filing_counts_once(portal: Portal, rounds: Begin) -> None:
    """The credit of both GSTR-3B together is that of the document as amended."""
    for turn in rounds("F09", 6, 100):
        owner = supplied(firm(turn), turn, tax=18000).recipient
        seller = factories.taxpayer(gstin(turn, "24"))
        ready(owner)
        named = {"recipient": owner.gstin, "supplier": seller.gstin, "original": "X1"}
        lower = factories.document(section=Section.B2BA, number="X1A", tax=12000, on="2025-10-05", **named)
        factories.computed(seller)
        gstr3b.file(taxpayer=seller, period=factories.OCTOBER, actor=None, clock=factories.clock("2025-11-18"))
        factories.saved(lower, supplier=seller.gstin, period="112025", on="2025-12-05")
        portal.stand_at("2025-12-10")
        asha = portal.person(owner, f"asha{turn}", files=True)
        kiran = portal.person(seller, f"kiran{turn}", files=True)
        answers = portal.at_once(portal.filing_3b(asha), portal.filing_out(kiran, "112025"))
        assert [answer.status for answer in answers] == [200, 200], answers
        factories.filed_period(owner, period="112025", on="2025-12-18")
        credit = [filing.declared["t4C"][0] for filing in Filing.objects.filter(taxpayer=owner)]
        assert sum(credit) == 12000_00, credit


def reject_each_other(turn: int) -> list[Taxpayer]:
    """Return two firms that each rejected the other's credit note in November, of an October nobody can change."""
    pair = [firm(turn), firm(turn, "29")]
    for owner, other in (pair, pair[::-1]):
        note = factories.document(
            section=Section.CN, number="C1", tax=9000, recipient=other.gstin, supplier=owner.gstin, on="2025-10-20"
        )
        factories.filed(note, supplier=owner.gstin, on="2025-11-15")
    for owner in pair:
        factories.computed(owner, on="2025-11-18")
        gstr3b.file(taxpayer=owner, period=factories.OCTOBER, actor=None, clock=factories.clock("2025-11-18"))
    for owner in pair:
        factories.act(Record.objects.get(recipient=owner), "R", on="2025-12-01")
        when = factories.clock("2025-12-10")
        outward.file(supplier=owner, form=Form.GSTR1, period=NOVEMBER, actor=None, clock=when)
        factories.computed(owner, period="112025", on="2025-12-14")
    return pair


def test_of_two_that_charge_each_other_the_later_files_what_the_first_charged(portal: Portal, rounds: Begin) -> None:
    for turn in rounds("F15", 6, 100):
        portal.stand_at("2025-12-15")
        people = [portal.person(one, f"sig{turn}-{one.gstin}", files=True) for one in reject_each_other(turn)]
        answers = portal.at_once(*(portal.filing_3b(person, "112025") for person in people))
        codes = sorted((answer.status, answer.code) for answer in answers)
        assert codes == [(200, ""), (409, "CHANGED_SINCE_SHOWN")], answers
        late = next(person for person, answer in zip(people, answers, strict=True) if answer.status == 409)
        again = portal.at_once(portal.filing_3b(late, "112025"))
        assert [answer.status for answer in again] == [200], again
        landed = {back.supplier_id: back.target_month for back in Addback.objects.filter(filing__month=NOVEMBER.month)}
        first = next(person for person in people if person is not late)
        assert (landed[late.taxpayer.pk], landed[first.taxpayer.pk]) == (202511, 202512)
        filing = Filing.objects.get(taxpayer=late.taxpayer, month=NOVEMBER.month)
        assert filing.declared["t3_1_a"][0] == 9000_00
