"""Commands at one moment on real connections: one winner per version, one statement, one filing, nothing ignored."""

from collections.abc import Callable
from functools import partial
from uuid import uuid4

import pytest

from ims_portal.clock import Clock
from ims_portal.rules import periods
from ims_portal.rules.actions import Action, Refusal
from ims_portal.rules.documents import Form, Section
from ims_portal.rules.money import Tax
from invoices import actions, outward
from invoices.actions import Choice, Item, Outcome, ResultStatus
from invoices.models import ActionEvent, Record
from returns import gstr2b, gstr3b, statement_sums
from returns.models import Addback, Filing, Gstr2b, Gstr2bLine
from tests import factories
from tests.races import together

pytestmark = pytest.mark.django_db(transaction=True)


def take(record: Record, action: Action, **options: object) -> Outcome:
    told = {"actor": None, "request_id": uuid4(), "clock": factories.clock("2025-11-12")} | options
    item = Item(record.pk, record.version, Choice(action))
    return actions.take(taxpayer=record.recipient, items=[item], **told)


def test_two_people_on_one_record_have_one_winner_and_the_other_is_told() -> None:
    records = factories.filed(*(factories.document(number=f"N{n}") for n in range(25)))
    ravi = factories.member(records[0].recipient, "preparer", "ravi")
    mina = factories.member(records[0].recipient, "preparer", "mina")
    for record in records:
        answers = together.run(
            partial(take, record, Action.ACCEPT, actor=ravi), partial(take, record, Action.PENDING, actor=mina)
        )
        results = {outcome.results[0].status: outcome.results[0] for outcome in answers}
        assert results.keys() == {ResultStatus.SAVED, ResultStatus.CONFLICT}, answers
        winner = "Ravi" if results[ResultStatus.SAVED].current is Action.ACCEPT else "Mina"
        late = results[ResultStatus.CONFLICT]
        assert (late.by, late.current) == (winner, results[ResultStatus.SAVED].current)
        assert late.at == factories.at("2025-11-12")
    assert ActionEvent.objects.count() == len(records)


def test_one_request_sent_ten_times_at_once_has_one_effect_and_one_answer() -> None:
    record = factories.filed_record()
    actor, request_id = factories.member(record.recipient, "preparer"), uuid4()
    sent = [partial(take, record, Action.REJECT, actor=actor, request_id=request_id)] * 10
    answers = together.run(*sent)
    assert [answer.results[0].status for answer in answers] == [ResultStatus.SAVED] * 10
    assert ActionEvent.objects.count() == 1


def test_eight_computes_at_once_make_one_statement() -> None:
    records = factories.filed(*(factories.document(number=f"N{n}") for n in range(20)))
    answers = together.run(*[factories.computed] * 8)
    assert [answer.statement.version for answer in answers] == [1] * 8
    assert sum(not answer.nothing_changed for answer in answers) == 1
    assert Gstr2b.objects.count() == 1
    assert Gstr2bLine.objects.count() == len(records)


def file_3b() -> Filing:
    return gstr3b.file(
        taxpayer=factories.taxpayer(), period=factories.OCTOBER, actor=None, clock=factories.clock("2025-11-18")
    )


def ready_to_file() -> Record:
    record = factories.filed_record()
    outward.file(
        supplier=record.recipient,
        form=Form.GSTR1,
        period=factories.OCTOBER,
        actor=None,
        clock=factories.clock("2025-11-11"),
    )
    factories.computed()
    return record


def test_six_filings_at_once_are_one_filing_and_five_refusals() -> None:
    ready_to_file()
    answers = together.run(*[file_3b] * 6)
    refused = together.of(answers, gstr3b.Gstr3bRefusedError)
    assert len(together.of(answers, Filing)) == 1 == Filing.objects.count()
    assert [problem.refusal for problem in refused] == [Refusal.ALREADY_FILED] * 5


@pytest.mark.parametrize("_round", range(8))
def test_an_action_beside_a_filing_is_counted_or_refused_never_ignored(_round: int) -> None:
    record = ready_to_file()
    outcome, filing = together.run(partial(take, record, Action.REJECT), file_3b)
    record.refresh_from_db()
    if isinstance(filing, Filing):
        assert outcome.results[0].refusal is Refusal.RECORD_FROZEN
        assert (record.action, record.settled_as) == ("N", "A")
    else:
        assert filing.refusal is Refusal.RECOMPUTE_REQUIRED
        assert outcome.results[0].status is ResultStatus.SAVED
        assert (record.action, record.settled_as) == ("R", "")


def test_an_action_that_comes_while_its_period_is_filed_is_refused() -> None:
    record = ready_to_file()
    filing = together.Slow("2025-11-18", lambda: together.waiting() > 0 or ActionEvent.objects.exists())

    def act_once_the_filing_has_begun() -> Outcome:
        filing.is_read.wait(timeout=10)
        return take(record, Action.REJECT, clock=factories.clock("2025-11-18"))

    file = partial(gstr3b.file, taxpayer=record.recipient, period=factories.OCTOBER, actor=None, clock=filing)
    filed, outcome = together.run(file, act_once_the_filing_has_begun)
    assert isinstance(filed, Filing), filed
    assert outcome.results[0].refusal is Refusal.RECORD_FROZEN, outcome
    record.refresh_from_db()
    assert (record.action, record.settled_as) == ("N", "A")


NOVEMBER = periods.parse("112025")
LATE = "2025-12-15"


def rejected_note() -> Record:
    """Return a rejected credit note whose recipient can file October, its supplier November."""
    note = factories.filed_record(section=Section.CN, number="CN1", tax=9000)
    factories.act(note, "R")
    outward.file(
        supplier=note.recipient,
        form=Form.GSTR1,
        period=factories.OCTOBER,
        actor=None,
        clock=factories.clock("2025-11-11"),
    )
    factories.computed()
    factories.computed(note.supplier)
    gstr3b.file(taxpayer=note.supplier, period=factories.OCTOBER, actor=None, clock=factories.clock("2025-11-17"))
    when = factories.clock("2025-12-10")
    outward.file(supplier=note.supplier, form=Form.GSTR1, period=NOVEMBER, actor=None, clock=when)
    factories.computed(note.supplier, period="112025", on="2025-12-14")
    return note


def file_both(note: Record, recipients: Clock, before: Callable[[], object] = lambda: None) -> None:
    """Let recipient and supplier file at once; the add-back then lies in a period that was open."""
    late = factories.clock(LATE)

    def suppliers() -> Filing:
        before()
        return gstr3b.file(taxpayer=note.supplier, period=NOVEMBER, actor=None, clock=late)

    filed, charged = together.run(
        partial(gstr3b.file, taxpayer=note.recipient, period=factories.OCTOBER, actor=None, clock=recipients),
        suppliers,
    )
    assert isinstance(filed, Filing), filed
    assert isinstance(charged, Filing), charged
    found = (Addback.objects.get().target_month, charged.declared["t3_1_a"][0])
    assert found in [(202511, 9000_00), (202512, 0)]


@pytest.mark.parametrize("_round", range(6))
def test_an_addback_lands_in_a_period_that_is_unfiled(_round: int) -> None:
    file_both(rejected_note(), factories.clock(LATE))


def test_a_supplier_that_files_while_it_is_charged_files_the_charge() -> None:
    note = rejected_note()
    filing = together.Slow(LATE, lambda: together.waiting() > 0 or Filing.objects.filter(month=202511).exists())
    file_both(note, filing, before=lambda: filing.is_read.wait(timeout=10))


def test_a_supplier_edit_beside_a_choice_always_leaves_no_action() -> None:
    for n in range(10):
        record = factories.saved(factories.document(number=f"S{n}"))[0]
        edit = partial(factories.saved, factories.document(number=f"S{n}", tax=12000))
        together.run(partial(take, record, Action.ACCEPT, clock=factories.clock("2025-11-05")), edit)
        record.refresh_from_db()
        assert (record.action, record.igst) == ("N", 12000_00)


def test_statement_sums_are_those_of_its_lines_after_a_storm() -> None:
    taxes = [Tax(igst=100_00 + 37 * n) for n in range(30)]  # not a rupee among them: what is rounded shows
    records = factories.filed(*(factories.document(number=f"N{n}", tax=tax) for n, tax in enumerate(taxes)))
    choices = [Action.ACCEPT, Action.REJECT, Action.PENDING]
    storms = [partial(take, record, choices[n % 3]) for n, record in enumerate(records)]
    together.run(*storms[:10], factories.computed, factories.computed)
    statement = factories.computed(on="2025-11-15").statement
    lines = gstr2b.lines(statement)
    total = sum(line.igst for line in lines if line.placement == "available")
    assert total == sum(
        tax.igst for (placement, _), tax in statement_sums.by_part(statement).items() if placement.value == "available"
    )
    assert lines.count() == statement.line_count


def test_a_choice_is_dated_once_its_turn_has_come() -> None:
    record, now = factories.filed_record(), factories.clock("2025-11-12 10:00")

    def five_minutes_pass() -> None:
        now.at = factories.at("2025-11-12 10:05")

    with together.held(record.recipient_id, meanwhile=five_minutes_pass):
        take(record, Action.ACCEPT, clock=now)
    assert ActionEvent.objects.get().at == factories.at("2025-11-12 10:05")
