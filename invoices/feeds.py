"""Records that have no form here: bills of entry and their amendments, and Rule 37A reversals (R1.5, R9).

Each comes filed, under its recipient's inbox lock, and counts in the period of its reference day.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from django.utils.translation import gettext as _

from ims_portal import audit, calendar
from ims_portal.clock import Clock, day
from ims_portal.models import Taxpayer
from ims_portal.rules import documents, periods
from ims_portal.rules.actions import BoeChange, Refusal
from ims_portal.rules.documents import Form, NumberClass, Section
from ims_portal.rules.money import Tax
from ims_portal.rules.periods import TaxPeriod
from invoices import locking, records_sql
from invoices.models import Record, RecordDetail


class FeedRefusedError(Exception):
    """What a feed brings cannot be kept; `refusal` is the rules' code."""

    def __init__(self, refusal: Refusal, message: str) -> None:
        self.refusal = refusal
        super().__init__(message)


AMENDED_AS = {original: amended for amended, original in documents.ORIGINAL_OF.items()} | {
    Section.IMPGA: Section.IMPGA,
    Section.IMPGSEZA: Section.IMPGSEZA,
}


def bill_of_entry(  # noqa: PLR0913 - the fields of a bill
    *,
    importer: Taxpayer,
    section: Section,
    number: str,
    port: str,
    boe_date: date,
    taxable: int,
    tax: Tax,
    clock: Clock,
    reference_date: date | None = None,
) -> Record:
    """Take in a bill of entry; `reference_date` is ICEGATE's, today where it is not given. Amounts in paise.

    Raises FeedRefusedError where the number or the port is longer than any that customs gives.
    """

    def make(at: datetime) -> Record:
        return _filed(
            importer,
            section,
            number=number,
            on=reference_date or day(at),
            document_date=boe_date,
            taxable=taxable,
            tax=tax,
            port=port,
        )

    return _taken(importer, make, clock)


def amend_value(*, original: Record, taxable: int, tax: Tax, clock: Clock) -> Record:
    """Take in a value amendment of a bill of entry: the difference to what was taken before counts (R9.4)."""

    def make(at: datetime) -> Record:
        return _amendment(original, day(at), taxable=taxable, tax=tax, change=BoeChange.NO)

    return _taken(original.recipient, make, clock)


def change_gstin(*, original: Record, to: Taxpayer, clock: Clock) -> tuple[Record, Record]:
    """Take in a GSTIN amendment: a reduction for the importer, a fresh credit for `to`; return both (R9.4)."""

    def reduce(at: datetime) -> Record:
        return _amendment(original, day(at), taxable=original.taxable, tax=original.tax, change=BoeChange.OLD_GSTIN)

    def credit(at: datetime) -> Record:
        return _filed(
            to,
            AMENDED_AS[Section(original.section)],
            number=original.number,
            on=day(at),
            document_date=original.document_date,
            taxable=original.taxable,
            tax=original.tax,
            port=original.port,
            change=BoeChange.NEW_GSTIN,
        )

    return _taken(original.recipient, reduce, clock), _taken(to, credit, clock)


def rule_37a(*, recipient: Taxpayer, period: TaxPeriod, tax: Tax, clock: Clock, number: str = "") -> Record:
    """Take in a Rule 37A reversal for a period's statement: the supplier never paid (R8.9)."""

    def make(at: datetime) -> Record:
        made = _filed(
            recipient,
            Section.RULE_37A,
            number=number or f"R37A-{period.wire}",
            on=day(at),
            document_date=day(at),
            taxable=0,
            tax=tax,
        )
        made.gstr2b_month = period.month
        made.save(update_fields=["gstr2b_month"])
        return made

    return _taken(recipient, make, clock)


def _taken(recipient: Taxpayer, make: Callable[[datetime], Record], clock: Clock) -> Record:
    locking.ensure([recipient])

    def work() -> Record:
        locking.lock([recipient.pk])
        at = clock.now()
        made = make(at)
        replaced = records_sql.supersede(recipient_ids=[recipient.pk])
        records_sql.refresh([made.pk, *records_sql.successors(replaced)])
        records_sql.bump(record_ids=[made.pk, *replaced])
        audit.record(event="feed.taken", at=at, taxpayer=recipient, subject=f"{made.section} {made.pk}")
        made.refresh_from_db()
        return made

    return locking.transact(work)


def _amendment(original: Record, on: date, *, taxable: int, tax: Tax, change: BoeChange) -> Record:
    return _filed(
        original.recipient,
        AMENDED_AS[Section(original.section)],
        number=original.number,
        on=on,
        document_date=original.document_date,
        taxable=taxable,
        tax=tax,
        port=original.port,
        change=change,
        original=original,
    )


def _refuse_longer(name: str, text: str) -> None:
    longest = getattr(Record, name).field.max_length
    if len(text) > longest:
        raise FeedRefusedError(
            Refusal.DOCUMENT_INVALID,
            _("The %(name)s %(text)s has %(count)d characters; at most %(longest)d are kept. Correct it at its source.")
            % {"name": name, "text": text, "count": len(text), "longest": longest},
        )


def _filed(  # noqa: PLR0913 - the columns a feed fills
    recipient: Taxpayer,
    section: Section,
    *,
    number: str,
    on: date,
    document_date: date,
    taxable: int,
    tax: Tax,
    port: str = "",
    change: BoeChange = BoeChange.NO,
    original: Record | None = None,
) -> Record:
    _refuse_longer("number", number)
    _refuse_longer("port", port)
    form = Form.RULE_37A if section is Section.RULE_37A else Form.CUSTOMS
    month = periods.month_of(on)
    fy = documents.financial_year(document_date)
    made = Record(
        recipient=recipient,
        section=section.value,
        form=form.value,
        return_month=month,
        own_month=month,
        earliest_month=month,
        status=Record.Status.FILED,
        number=number,
        number_key=number.upper(),
        number_class=NumberClass.BILL_OF_ENTRY.value,
        document_date=document_date,
        fy=fy,
        credit_fy=fy,
        pos=recipient.state,
        boe_change=change.value,
        port=port,
        taxable=taxable,
        value=taxable + tax.total,
        filed_on=on,
        gstr2b_month=calendar.filer(recipient).period(month).month,
        original=original,
        chain=original.chain if original else 0,
        chain_no=original.chain_no + 1 if original else 1,
        **tax.as_dict(),
    )
    made.save()
    if original is None:
        made.chain = made.pk
        made.save(update_fields=["chain"])
    RecordDetail.objects.create(record=made, recipient=recipient)
    return made
