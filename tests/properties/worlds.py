"""Worlds that properties are asked of: drawn, played through the domain on fixed days, compared, emptied.

Turn 0 is the period 092025. In each turn suppliers file on the 10th of the month after, the recipient chooses on the
12th, and everybody computes GSTR-2B and files GSTR-3B on the 15th. IMS_PROPERTY_EXAMPLES draws that many examples per
property, others each time; without it the few are the same in every run.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

from django.db import connection
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from ims_portal.models import Taxpayer, User
from ims_portal.rules import gstin, periods
from ims_portal.rules.actions import Action, Answer
from ims_portal.rules.documents import ORIGINAL_OF, Document, Form, Section
from ims_portal.rules.money import NIL, Tax
from invoices import actions, feeds, outward, standing
from invoices.actions import Choice, Item, Outcome
from invoices.models import Inbox, Record
from returns import gstr2b, gstr2b_sql, gstr3b
from returns.models import Filing, Gstr2b, Gstr2bLine
from tests import factories

MONTHS = ("092025", "102025", "112025", "122025", "012026", "022026")
_AFTER = ("2025-10", "2025-11", "2025-12", "2026-01", "2026-02", "2026-03")
FILED_ON, CHOSEN_ON, CLOSED_ON = (tuple(f"{month}-{day}" for month in _AFTER) for day in (10, 12, 15))
OCTOBER, NOVEMBER = 1, 2
AMENDED_AS = {original: amended for amended, original in ORIGINAL_OF.items()}

RECIPIENT, ACROSS = factories.RECIPIENT, factories.SUPPLIER
WITHIN = "27AAACW1234F1Z" + gstin.check_char("27AAACW1234F1Z")
"""A supplier of the recipient's own State: CGST and SGST."""
NEIGHBOUR = "27AAACN5678G1Z" + gstin.check_char("27AAACN5678G1Z")
"""Another recipient of the same suppliers, in the same State."""

CALLED_BY_HAND = os.environ.get("IMS_PROPERTY_EXAMPLES", "")


def examples(count: int) -> settings:
    """Return the settings of a property that is worth `count` examples in every run."""
    return settings(
        max_examples=int(CALLED_BY_HAND or count),
        derandomize=not CALLED_BY_HAND,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


# -- What is drawn -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wish:
    """What a recipient would like of a record, whatever the record is; `tenths` of the cap are declared in part."""

    action: str
    answer: str = "F"
    tenths: int = 5
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Chain:
    """A document of October with the wish for it, amended in November; or, without `first`, one of November."""

    section: Section
    supplier: str
    first: Tax | None
    wish: Wish
    second: Tax | None


wishes = st.builds(
    Wish, st.sampled_from("AARPN"), st.sampled_from("PNF"), st.integers(1, 9), st.sampled_from(["", "not ours"])
)


def taxes(supplier: str = ACROSS) -> st.SearchStrategy[Tax]:
    """Return taxes a supplier may charge the recipient: IGST from across, CGST and SGST within; cess now and then."""
    amounts, cess = st.integers(100, 9_000_000), st.sampled_from([0, 0, 4_500, 1_000_000])
    if supplier == ACROSS:
        return st.builds(lambda amount, extra: Tax(igst=amount, cess=extra), amounts, cess)
    return st.builds(lambda amount, extra: Tax(cgst=amount, sgst=amount, cess=extra), amounts, cess)


@st.composite
def chains(draw: st.DrawFn) -> Chain:
    """Draw one chain. Without a version of October there is one of November."""
    supplier = draw(st.sampled_from([ACROSS, WITHIN]))
    section = draw(st.sampled_from([Section.B2B, Section.CN, Section.CN, Section.DN, Section.ECO]))
    first = draw(taxes(supplier) | st.none())
    second = draw(taxes(supplier) if first is None else taxes(supplier) | st.just(first) | st.none())
    return Chain(section, supplier, first, draw(wishes), second)


several_chains = st.lists(chains(), min_size=2, max_size=6)


# -- What is played ----------------------------------------------------------------------------------------------------


def empty() -> None:
    """Empty the tables between examples: one test function is one database to hypothesis."""
    with connection.cursor() as cursor:
        # Whatever refers to a taxpayer goes with it; lines of a statement do not, as far as the database knows.
        cursor.execute("TRUNCATE ims_portal_taxpayer, ims_portal_auditevent, ims_portal_user CASCADE")
        cursor.execute("TRUNCATE returns_gstr2bline")


def party(name: str = RECIPIENT, *, first: int = OCTOBER) -> Taxpayer:
    """Return a taxpayer, made where it is new: what lies before its first turn is not asked of it."""
    found = factories.taxpayer(name, first=periods.parse(MONTHS[first]).month)
    if found.kind != Taxpayer.Kind.ECO:  # anybody may report for others under section 9(5) here
        found.kind = Taxpayer.Kind.ECO
        found.save()
    return found


def report(turn: int, *found: Document, supplier: str = ACROSS) -> None:
    """File a supplier's GSTR-1 of a turn."""
    party()
    outward.file(
        supplier=party(supplier),
        form=Form.GSTR1,
        period=periods.parse(MONTHS[turn]),
        found=found,
        actor=None,
        clock=factories.clock(FILED_ON[turn]),
    )


def close(turn: int, *names: str, on: str = "") -> list[Filing]:
    """Compute GSTR-2B and file GSTR-3B of a turn for taxpayers; a recipient files a nil GSTR-1 before."""
    return [_close(turn, party(name), on or CLOSED_ON[turn]) for name in names]


def _close(turn: int, owner: Taxpayer, on: str) -> Filing:
    period, clock = periods.parse(MONTHS[turn]), factories.clock(on)
    told = {"period": period, "actor": None, "clock": clock}
    if not owner.supplier_returns.filter(month=period.month, filed_on__isnull=False).exists():
        outward.file(supplier=owner, form=Form.GSTR1, **told)
    gstr2b.compute(taxpayer=owner, **told)
    return gstr3b.file(taxpayer=owner, **told)


def compute(turn: int, *, on: str = "") -> gstr2b.Computed:
    """Compute the recipient's statement of a turn."""
    return factories.computed(party(), period=MONTHS[turn], on=on or CLOSED_ON[turn])


def chosen(record: Record, wish: Wish, on: str) -> Choice:
    """Return a wish as a choice that fits the record: answered and remarked where the law asks for it (R4, R5)."""
    action = Action(wish.action)
    if action is not Action.ACCEPT:
        return Choice(action, remark="" if action is Action.NONE else wish.remark)
    if not standing.of(record.recipient, factories.at(on)).is_specified(record):
        return Choice(action)
    answer = Answer(wish.answer)
    declared = Tax(*(head * wish.tenths // 10 for head in record.cap)) if answer is Answer.PART else NIL
    return Choice(action, answer, declared, "" if answer is Answer.FULL else "availed in part only")


def take(
    picked: Sequence[tuple[Record, Wish]], *, on: str, actor: User | None = None, request_id: UUID | None = None
) -> Outcome:
    """Save wishes for records of one recipient in one command, each seen as it stands now."""
    for record, _wish in picked:
        record.refresh_from_db()
    return actions.take(
        taxpayer=picked[0][0].recipient if picked else party(),
        items=[Item(record.pk, record.version, chosen(record, wish, on)) for record, wish in picked],
        actor=actor,
        clock=factories.clock(on),
        request_id=request_id or uuid4(),
    )


def open_november(drawn: Sequence[Chain], others: Sequence[Chain] = ()) -> list[Record]:
    """Play a world up to the recipient's choices of November, and return its open records by name.

    Besides the chains: a reverse-charge invoice, one with a wrong place of supply, a bill of entry, a Rule 37A
    reversal, and an invoice that is only saved. `others` are chains of the neighbour, in the same returns.
    """
    empty()
    told = {RECIPIENT: drawn, NEIGHBOUR: others} if others else {RECIPIENT: drawn}
    for supplier in (ACROSS, WITHIN):
        report(
            OCTOBER,
            *(line for owner, chains in told.items() for line in october_of(chains, supplier, owner)),
            supplier=supplier,
        )
    for owner, chains in reversed(told.items()):
        _choose_october(owner, chains)
    close(OCTOBER, *reversed(told), ACROSS, WITHIN)
    for supplier in (ACROSS, WITHIN):
        found = [line for owner, chains in told.items() for line in november_of(chains, supplier, owner)]
        report(NOVEMBER, *found, *(_bypassing() if supplier == ACROSS else ()), supplier=supplier)
    _feed_november()
    return open_records()


def open_records(recipient: str = RECIPIENT) -> list[Record]:
    """Return what a recipient may still decide on, and what bypasses it, by name."""
    found = Record.objects.filter(recipient__gstin=recipient, settled_month=None, superseded_by=None)
    return list(found.select_related("recipient", "supplier").order_by("number", "chain_no"))


def october_of(drawn: Sequence[Chain], supplier: str, recipient: str = RECIPIENT) -> list[Document]:
    """Return the first versions that a supplier reports in October."""
    return [
        factories.document(
            section=chain.section,
            number=f"{recipient[5:8]}{place}",
            tax=chain.first,
            supplier=supplier,
            recipient=recipient,
        )
        for place, chain in enumerate(drawn)
        if chain.first is not None and chain.supplier == supplier
    ]


def november_of(drawn: Sequence[Chain], supplier: str, recipient: str = RECIPIENT) -> list[Document]:
    """Return the later, or only, versions that a supplier reports in November."""
    return [
        factories.document(
            section=chain.section if chain.first is None else AMENDED_AS[chain.section],
            number=f"{recipient[5:8]}{place}",
            tax=chain.second,
            supplier=supplier,
            recipient=recipient,
        )
        for place, chain in enumerate(drawn)
        if chain.second is not None and chain.supplier == supplier
    ]


def _choose_october(recipient: str, drawn: Sequence[Chain]) -> None:
    by_number = {record.number: record for record in open_records(recipient)}
    picked = [
        (by_number[f"{recipient[5:8]}{place}"], chain.wish)
        for place, chain in enumerate(drawn)
        if chain.first is not None
    ]
    take(picked, on=CHOSEN_ON[OCTOBER])


def _bypassing() -> list[Document]:
    """Return a reverse-charge invoice, and one whose place of supply is its supplier's State."""
    wrong_place = factories.document(number="POS1", tax=Tax(cgst=81_000, sgst=81_000))
    return [
        replace(wrong_place, pos=ACROSS[:2]),
        factories.document(number="RCM1", tax=500, reverse_charge=True),
    ]


def _feed_november() -> None:
    bill(NOVEMBER, Tax(igst=123_400))
    feeds.rule_37a(
        recipient=party(),
        period=periods.parse(MONTHS[NOVEMBER]),
        tax=Tax(igst=77_700),
        clock=factories.clock(FILED_ON[NOVEMBER]),
    )
    outward.save(
        supplier=party(ACROSS),
        form=Form.GSTR1,
        period=periods.parse(MONTHS[NOVEMBER + 1]),
        found=[factories.document(number="SAVED1", tax=900)],
        actor=None,
        clock=factories.clock("2025-12-11"),
        all_or_nothing=True,
    )


def bill(turn: int, tax: Tax, *, dated: str = "2025-09-20", importer: str = RECIPIENT) -> Record:
    """Take in a bill of entry that counts in a turn."""
    return feeds.bill_of_entry(
        importer=party(importer),
        section=Section.IMPG,
        number=f"4567{turn}{importer[7:9]}",  # a bill is one importer's
        port="INNSA1",
        boe_date=factories.at(dated).date(),
        reference_date=periods.parse(MONTHS[turn]).last_day,
        taxable=tax.igst * 100 // 18,
        tax=tax,
        clock=factories.clock(FILED_ON[turn]),
    )


# -- What is compared --------------------------------------------------------------------------------------------------

Name = tuple[str, str, int]
CHOICE = (
    *("action", "answer", "declared_igst", "declared_cgst", "declared_sgst", "declared_cess", "remark", "reason_code"),
    *("effect_igst", "effect_cgst", "effect_sgst", "effect_cess", "kind", "version", "settled_month", "settled_as"),
)


def name_of(record: Record) -> Name:
    """Return what a record is called in every world alike."""
    return record.section, record.number, record.chain_no


def records(recipient: str = RECIPIENT) -> dict[Name, tuple[object, ...]]:
    """Return what stands of each record of a recipient."""
    found = Record.objects.filter(recipient__gstin=recipient)
    return {name_of(record): tuple(getattr(record, column) for column in CHOICE) for record in found}


def statement(turn: int) -> Gstr2b:
    """Return the newest version of the recipient's statement of a turn."""
    return Gstr2b.objects.filter(recipient=party(), month=periods.parse(MONTHS[turn]).month).latest("version")


def lines(turn: int) -> dict[Name, tuple[object, ...]]:
    """Return every line of the recipient's statement of a turn, by the name of its record."""
    columns = [column for column in gstr2b_sql.LINE if column != "record_id"]
    found = gstr2b.lines(statement(turn)).select_related("record")
    return {name_of(line.record): tuple(getattr(line, column) for column in columns) for line in found}


def table_4(turn: int) -> Mapping[str, Tax]:
    """Return the derived rows of the recipient's GSTR-3B of a turn that come from its statement."""
    derived = gstr3b.draft(
        taxpayer=party(), period=periods.parse(MONTHS[turn]), at=factories.at(CLOSED_ON[turn])
    ).derived
    return {row: tax for row, tax in derived.items() if row.startswith("t4") or row == "t3_1_d"}


def sequence(recipient: str = RECIPIENT) -> int:
    """Return how many changes a recipient's inbox has counted."""
    return Inbox.objects.get(taxpayer__gstin=recipient).seq


def itc_of(line: Gstr2bLine) -> Tax:
    """Return what a line does to ITC: Part B prints what it reduces (R7.6)."""
    return -line.tax if line.part.startswith("B") else line.tax


def digests(*, without: Sequence[str] = ()) -> dict[str, str]:
    """Return table -> digest of all its rows, for every table of the portal."""
    tables = [name for name in connection.introspection.table_names() if name not in {"django_migrations", *without}]
    with connection.cursor() as cursor:
        cursor.execute(
            " UNION ALL ".join(
                f"SELECT '{name}', coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM {name} t"
                for name in tables
            )
        )
        return dict(cursor.fetchall())
