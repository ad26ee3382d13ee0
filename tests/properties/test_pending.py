"""Pending moves an amount to a later statement and never changes it, for any number of periods (R2.10, R3, R7.9)."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ims_portal.rules.documents import Document, Section
from ims_portal.rules.money import Tax
from invoices.models import Record
from returns.models import Gstr2bLine
from tests import factories
from tests.properties import worlds
from tests.properties.worlds import ACROSS, AMENDED_AS, CHOSEN_ON, MONTHS, NOVEMBER, OCTOBER, RECIPIENT, Wish

TOO_LATE = "2025-12-22"
"""Two days after the last date of an October note (R3.4): a 2B(Nov) computed now deems it accepted (R3.5)."""


@dataclass(frozen=True)
class Kind:
    """A kind of record of R2.10: its original's section, what became of it, which way the amendment goes."""

    section: Section
    original: str = ""
    way: str = ""
    is_specified: bool = False
    has_time_limit: bool = True


KINDS = {
    "K1 invoice": Kind(Section.B2B),
    "K1 debit note": Kind(Section.DN),
    "K1 e-commerce": Kind(Section.ECO),
    "K2": Kind(Section.CN, is_specified=True, has_time_limit=False),
    "K3": Kind(Section.B2B, "A", "up"),
    "K4": Kind(Section.DN, "A", "down", is_specified=True, has_time_limit=False),
    "K5": Kind(Section.ECO, "R", "down"),
    "K6": Kind(Section.CN, "A", "up", is_specified=True, has_time_limit=False),
    "K7": Kind(Section.CN, "R", "down", is_specified=True, has_time_limit=False),
    "K8": Kind(Section.CN, "A", "down", has_time_limit=False),
    "K9": Kind(Section.IMPG, has_time_limit=False),
}


@dataclass(frozen=True)
class Told:
    """One history: a record of October kept pending for some periods, then accepted or left to be deemed accepted."""

    kind: Kind
    small: Tax
    more: Tax
    periods: int
    at_last: str
    clicks_again: bool
    is_of_last_year: bool
    files_november_late: bool

    @property
    def dated(self) -> str:
        """The date of the document, and of its original: its credit lapses with October 2025, or a year later."""
        return "2025-03-20" if self.is_of_last_year else "2025-09-20"

    @property
    def taxes(self) -> tuple[Tax, Tax]:
        """The tax of the version before and of the version that is kept pending."""
        large = self.small + self.more
        return (self.small, large) if self.kind.way == "up" else (large, self.small)

    @property
    def effect(self) -> Tax:
        """What accepting it does to ITC: the document, less what was accepted of its original (R2.14)."""
        before, tax = self.taxes
        change = tax - before if self.kind.original == "A" else tax
        return -change if self.kind.section is Section.CN else change

    @property
    def turn(self) -> int:
        """The turn it counts in."""
        turn = OCTOBER + self.periods
        latest = NOVEMBER if self.files_november_late else NOVEMBER + 1
        return min(turn, latest) if self.kind.is_specified else turn

    @property
    def place(self) -> str:
        """Where it stands there: past the time limit its credit is not available (R7.9)."""
        is_past = self.is_of_last_year and self.kind.has_time_limit and self.turn > OCTOBER
        return "not_available" if is_past else "available"


def histories(kind: Kind) -> st.SearchStrategy[Told]:
    """Return histories of a kind of record; the simplest is kept pending for two periods."""
    return st.builds(
        Told,
        st.just(kind),
        worlds.taxes(),
        worlds.taxes(),
        st.sampled_from([2, 1, 3, 4, 0]),
        st.sampled_from("AN"),
        st.booleans(),
        st.booleans(),
        st.booleans(),
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", KINDS)
@worlds.examples(3)
@given(data=st.data())
def test_an_amount_kept_pending_comes_once_and_whole_into_one_statement(kind: str, data: st.DataObject) -> None:
    told = data.draw(histories(KINDS[kind]))
    record = _begin(told)
    for turn in range(OCTOBER, len(MONTHS)):
        _choose(record, told, turn)
        worlds.close(turn, RECIPIENT, on=TOO_LATE if turn == NOVEMBER and told.files_november_late else "")
    lines = Gstr2bLine.objects.filter(record=record)
    found = [(line.month, line.placement, worlds.itc_of(line)) for line in lines]
    month = worlds.periods.parse(MONTHS[told.turn]).month
    assert found == [(month, told.place, told.effect)]


def _begin(told: Told) -> Record:
    worlds.empty()
    for name in (RECIPIENT, ACROSS):
        worlds.party(name, first=0)
    if told.kind.section is Section.IMPG:
        worlds.close(0, RECIPIENT)
        return worlds.bill(OCTOBER, told.taxes[1], dated=told.dated)
    if told.kind.original:
        worlds.report(0, _version(told, 0))
        worlds.take([(Record.objects.get(), Wish(told.kind.original))], on=CHOSEN_ON[0])
    worlds.close(0, RECIPIENT, ACROSS)
    worlds.report(OCTOBER, _version(told, 1))
    return Record.objects.select_related("recipient").latest("chain_no")


def _version(told: Told, number: int) -> Document:
    section = told.kind.section if not (number and told.kind.original) else AMENDED_AS[told.kind.section]
    found = factories.document(section=section, number="D1", tax=told.taxes[number], on=told.dated)
    return replace(found, original_date=found.date) if found.original_number else found


def _choose(record: Record, told: Told, turn: int) -> None:
    """Keep it pending, once or again every month; in the end accept it or set it back to no action."""
    is_pending = turn < OCTOBER + told.periods
    if turn == OCTOBER + told.periods:
        _save(record, told.at_last, turn)
    elif is_pending and (turn == OCTOBER or told.clicks_again):
        _save(record, "N", turn)
        _save(record, "P", turn)


def _save(record: Record, action: str, turn: int) -> None:
    worlds.take([(record, Wish(action))], on=CHOSEN_ON[turn])
