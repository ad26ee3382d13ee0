"""What a page says of a record and what a command says of it are one law: Python and SQL agree on every state."""

from datetime import date

import pytest

from ims_portal import calendar
from ims_portal.models import FilingFrequency, Taxpayer
from ims_portal.rules import gstr2b
from ims_portal.rules.actions import Action, Answer
from ims_portal.rules.documents import Form, Section
from invoices import actions_sql, standing
from invoices.actions import Choice, Item
from invoices.models import Record
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
DAYS = ("2025-11-08", "2025-11-12", "2025-12-09", "2025-12-20", "2025-12-21", "2026-01-15")


@pytest.fixture
def every_state() -> list[Record]:
    """Records of one recipient in every state the rules tell apart."""
    document = factories.document
    factories.filed(
        document(number="SETTLED"),
        document(number="REJECTED"),
        document(number="CARRIED"),
        document(section=Section.CN, number="CN-PENDING", tax=9000),
        document(number="RCM", reverse_charge=True),
        on="2025-11-10",
    )
    records = {record.number: record for record in Record.objects.select_related("recipient")}
    factories.act(records["REJECTED"], "R")
    factories.act(records["CARRIED"], "P")
    factories.act(records["CN-PENDING"], "P")
    factories.filed_period(on="2025-11-18")
    factories.saved(
        document(number="SAVED", on="2025-11-20"),
        document(section=Section.B2BA, number="SETTLED", tax=12000),
        document(section=Section.B2BA, number="REJECTED", tax=18000),
        document(section=Section.B2BA, number="CARRIED", tax=20000),
        period="112025",
        on="2025-12-01",
    )
    return list(Record.objects.select_related("recipient", "supplier_return"))


@pytest.mark.parametrize("day", DAYS)
def test_pages_and_commands_refuse_alike(every_state: list[Record], day: str) -> None:
    today = standing.of(every_state[0].recipient, factories.at(day))
    for record in every_state:
        for action in Action:
            asks = action is Action.ACCEPT and today.is_specified(record)
            choice = Choice(action, Answer.FULL if asks else Answer.NOT_GIVEN)
            judged = actions_sql.judge(record.recipient_id, today, [Item(record.pk, record.version, choice)])[0]
            assert judged.refusal == today.refusal(record, action).outcome, (record.number, record.section, action)


@pytest.mark.parametrize("day", DAYS)
def test_periods_and_effective_actions_are_read_alike(every_state: list[Record], day: str) -> None:
    today = standing.of(every_state[0].recipient, factories.at(day))
    columns = today.columns("r")
    rows = actions_sql.run(f"SELECT r.id, {columns['month']}, {columns['effective']} FROM invoices_record r")
    told = {pk: (month, effective) for pk, month, effective in rows}
    for record in every_state:
        assert told[record.pk] == (today.gstr2b_period(record).month, today.effective_action(record).value)


@pytest.mark.parametrize("day", ["2025-09-20", *DAYS])
def test_what_is_blocked_is_read_alike(every_state: list[Record], day: str) -> None:
    Record.objects.filter(number="SAVED").update(earliest_month=202509)
    today = standing.of(every_state[0].recipient, factories.at(day))
    blocked = f"{today.pending_blocked_sql()}, {today.remarks_blocked_sql()}"
    told = {pk: flags for pk, *flags in actions_sql.run(f"SELECT r.id, {blocked} FROM invoices_record r")}
    for record in Record.objects.all():
        pending = today.refusal(record, Action.PENDING).outcome is not None
        assert told[record.pk] == [pending, today.remarks_blocked(record)], record.number


def test_a_saved_record_moves_on_by_the_clock_alone() -> None:
    record = factories.saved(on="2025-11-05")[0]
    on_the_11th = standing.of(record.recipient, factories.at("2025-11-11"))
    on_the_12th = standing.of(record.recipient, factories.at("2025-11-12"))
    assert on_the_11th.gstr2b_period(record).month == 202510
    assert on_the_12th.gstr2b_period(record).month == 202511


def test_the_last_day_of_pending_is_included() -> None:
    note = factories.filed_record(section=Section.CN, number="CN1", tax=9000)
    factories.act(note, "P")
    note.refresh_from_db()
    last = standing.of(note.recipient, factories.at("2025-12-20 23:59"))
    assert (last.pending_until(note), last.effective_action(note)) == (date(2025, 12, 20), Action.PENDING)
    after = standing.of(note.recipient, factories.at("2025-12-21 00:00"))
    assert (after.pending_lapsed(note), after.effective_action(note)) == (True, Action.NONE)


def test_a_choice_is_stored_whole() -> None:
    note = factories.filed_record(section=Section.CN, number="CN1", tax=9000)
    factories.act(note, "A", answer="N", remark="never claimed")
    note.refresh_from_db()
    assert (note.action, note.answer, note.remark) == ("A", "N", "never claimed")


@pytest.mark.parametrize("starts", [(), ((0, "Q"),), ((202507, "Q"),), ((202504, "Q"), (202510, "M"))])
@pytest.mark.parametrize("month", [202503, 202505, 202508, 202510, 202511, 202512])
def test_own_periods_are_read_alike_before_and_after_every_change(
    starts: tuple[tuple[int, str], ...], month: int
) -> None:
    recipient = factories.taxpayer()
    FilingFrequency.objects.filter(taxpayer=recipient).delete()
    for start, frequency in starts:
        FilingFrequency.objects.create(taxpayer=recipient, from_month=start, frequency=frequency)
    filer = calendar.filer(recipient)
    of_one = standing.own_month_sql(filer, "m.month")
    of_any = standing.recipients_month_sql("t.id", "m.month")
    rows = actions_sql.run(f"SELECT {of_one}, {of_any} FROM ims_portal_taxpayer t, (SELECT {month} AS month) m")
    assert rows == [(filer.period(month).month,) * 2]


def test_a_filed_record_counts_in_the_recipients_own_period_before_its_first_frequency_too() -> None:
    FilingFrequency.objects.filter(taxpayer=factories.taxpayer()).update(from_month=202604, frequency="Q")
    record = factories.filed_record()
    assert record.gstr2b_month == 202512


@pytest.mark.parametrize(
    ("gstin", "kind", "has_ims"),
    [
        ("27AAACR5055K1Z7", "regular", True),
        ("27AAACR5055K1Z7", "sez", True),
        ("27AAACR5055K1Z7", "isd", False),
        ("2917AAA00001UNB", "regular", False),
        ("0717USA12345NF2", "regular", False),
        ("27MUMR12345A1D1", "regular", False),
        ("27AAACR5055K1D7", "regular", False),
        ("27AAACR5055K1C7", "regular", False),
        ("9917SGP29001OS1", "regular", False),
    ],
)
def test_who_has_an_ims_is_read_alike(gstin: str, kind: str, *, has_ims: bool) -> None:
    made = Taxpayer.objects.create(gstin=gstin, kind=kind)
    in_sql = gstr2b.has_ims_sql("t.gstin", is_isd="t.kind = 'isd'")
    (told,) = actions_sql.run(f"SELECT {in_sql} FROM ims_portal_taxpayer t")
    assert (made.has_ims, *told) == (has_ims, has_ims)


def test_what_a_distributor_is_sent_is_in_no_ims_saved_or_filed() -> None:
    Taxpayer.objects.filter(pk=factories.taxpayer().pk).update(kind=Taxpayer.Kind.ISD)
    filed = factories.filed_record()
    (saved,) = factories.saved(factories.document(number="SAVED"), form=Form.GSTR1A, on="2025-11-12")
    for record in (filed, saved):
        record.refresh_from_db()
        today = standing.of(record.recipient, factories.at("2025-11-12"))
        assert (today.bypass(record), today.allowed(record)) == ("NOIMS", [])
        condition = today.columns("r")["bypasses"]
        assert actions_sql.run(f"SELECT {condition} FROM invoices_record r WHERE r.id = {record.pk}") == [(True,)]
