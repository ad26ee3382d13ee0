"""A GSTR-1 of any size, made up: e-invoices to some recipients, in the portal's JSON, written as it comes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

from ims_portal.rules import gstin, rates
from ims_portal.rules.documents import Document, Item, Section
from ims_portal.rules.money import Tax
from ims_portal.rules.periods import TaxPeriod
from invoices import gstr1_out

LOWEST, STEPS = 1_000_000, 9_000
"""Paise of the smallest taxable value, and how many different ones there are."""


def recipients(count: int, *, state: str = "27") -> list[str]:
    """Return GSTINs of a State, each with its check character; at most 10,000."""
    numbers = (f"{state}AAQCL{number:04d}K1Z" for number in range(count))
    return [first14 + gstin.check_char(first14) for first14 in numbers]


def documents(*, supplier: str, period: TaxPeriod, to: Sequence[str], each: int) -> Iterator[Document]:
    """Yield `each` invoices to each recipient, dated over the days of the period's first month."""
    begin = date(period.month // 100, period.month % 100, 1)
    for place, recipient in enumerate(to):
        for number in range(each):
            yield _invoice(supplier, recipient, f"L{place:04d}/{number:06d}", begin + timedelta(days=number % 28))


def _invoice(supplier: str, recipient: str, number: str, day: date) -> Document:
    pos = gstin.state_of(recipient)
    heads = rates.heads_due(day, is_sez=False, is_same_state=pos == gstin.state_of(supplier))
    rate = rates.accepted(day)[-1]
    taxable = LOWEST + 100 * (int(number[-6:]) % STEPS)
    tax = Tax(*rates.worked_out(taxable=taxable, rate=rate, heads=heads, is_differential=False, kind="R"))
    return Document(
        section=Section.B2B,
        recipient=recipient,
        number=number,
        date=day,
        taxable=taxable,
        tax=tax,
        pos=pos,
        value=taxable + tax.total,
        items=(Item(rate, taxable, tax),),
        irn=hashlib.sha256(f"{supplier} {number}".encode()).hexdigest(),
        irn_date=day,
    )


def write(target: Path, *, supplier: str, period: TaxPeriod, found: Iterable[Document]) -> None:
    """Write documents, those of one recipient together, as the JSON of a return."""
    with target.open("w", encoding="utf-8") as stream:
        stream.writelines(gstr1_out.write(gstin=supplier, period=period.wire, documents=found, sums={}))
