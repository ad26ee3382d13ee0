"""Files: a return from its bytes to its records, a workbook of all records, the books matched with them."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from itertools import count
from pathlib import Path

import openpyxl
from django.core.files.base import File
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from ims_portal import spreadsheet
from ims_portal.clock import Fixed
from ims_portal.models import FilingFrequency, Membership, Taxpayer
from ims_portal.rules import gstin, periods, rates
from ims_portal.rules.documents import Document, Form, Section
from ims_portal.rules.periods import Frequency, TaxPeriod
from ims_portal.spreadsheet import Sheet
from invoices import (
    books_sql,
    gstr1_json,
    ims_rows,
    ims_workbook,
    locking,
    register_reading,
    registers,
    standing,
    uploads,
)
from invoices.filters import Filters
from invoices.ims_json import Row
from invoices.ims_workbook import Head
from invoices.models import Booked, Pair, Record, SupplierReturn, Upload
from invoices.register_reading import TEMPLATE
from returns import bigworld, bigworld_sql, large_gstr1
from returns.bench import HotPath, Target, bare_sql, timed
from returns.bigworld import World

MOST, NAIVE_ROWS, RECIPIENTS = 100_000, 10_000, 50
SUPPLIER, MONTHS = "24AAQCL9999K1Z", 30
"""A GSTIN without its check character, and how many of its months are not filed."""


class Ingest:
    """A GSTR-1 of many invoices, a supplier's own each round."""

    def __init__(self, world: World, *, rows: int, at: datetime, folder: Path) -> None:
        self.world, self.at, self.folder = world, at, folder
        self.rows = min(rows, MOST)
        self.rounds = count()
        self.to = large_gstr1.recipients(RECIPIENTS)
        self.text = io.StringIO()
        self.supplier = _supplier(world)

    def _handed_in(self, rows: int) -> tuple[Upload, Path]:
        """Write the supplier's return of another month each time, and hand it in."""
        number = next(self.rounds)
        supplier, period = self.supplier, TaxPeriod(periods.add_months(self.world.period.month, -2 - number))
        path = self.folder / f"{period.wire}.json"
        made = large_gstr1.documents(supplier=supplier.gstin, period=period, to=self.to, each=rows // RECIPIENTS)
        found = (replace(document, number=f"{number}{document.number}") for document in made)
        large_gstr1.write(path, supplier=supplier.gstin, period=period, found=found)
        with path.open("rb") as stream:
            upload = uploads.receive(
                taxpayer=supplier,
                form=Form.GSTR1,
                period=period,
                file=UploadedFile(File(stream), name=path.name, size=path.stat().st_size),
                actor=self.world.owner,
                clock=self.clock,
                request_id=uuid.uuid4(),
            )
        return upload, path

    @property
    def clock(self) -> Fixed:
        """A clock on which every month asked for has begun and none is too old."""
        return Fixed(self.at)

    def by_us(self) -> float:
        """Return the seconds from the file to its records."""
        upload, _path = self._handed_in(self.rows)
        took = timed(lambda: uploads.ingest(upload=upload, clock=self.clock))
        upload.refresh_from_db()
        if upload.added != self.rows // RECIPIENTS * RECIPIENTS:
            raise AssertionError(upload.problem or upload.added)
        if not self.text.tell():
            kept = SupplierReturn.objects.get(supplier=self.supplier, month=upload.month, form=upload.form)
            self.text = bare_sql.records_as_text(kept.pk)
        return took

    def by_objects(self) -> float:
        """Return the seconds the same file takes read into model objects and kept by bulk_create."""
        _upload, path = self._handed_in(NAIVE_ROWS)
        return bare_sql.seconds(lambda: self._bulk_create(path))

    def _bulk_create(self, path: Path) -> None:
        like = Record.objects.filter(recipient__gstin__in=self.to, status="S").select_related("supplier_return")[0]
        recipients = {one.gstin: one for one in Taxpayer.objects.filter(gstin__in=self.to)}
        with path.open("rb") as stream:
            documents = [found for found in gstr1_json.read(stream) if isinstance(found, Document)]
        Record.objects.bulk_create(
            (
                self._record(document, recipients[document.recipient], like, no)
                for no, document in enumerate(documents, 1)
            ),
            batch_size=1_000,
        )

    def _record(self, document: Document, recipient: Taxpayer, like: Record, no: int) -> Record:
        made = Record(**{field.attname: getattr(like, field.attname) for field in Record._meta.concrete_fields})  # noqa: SLF001 Django's documented interface
        made.pk, made.chain = None, -no
        made.recipient = recipient
        made.number, made.number_key = document.number, f"{document.number}N"
        made.document_date, made.taxable, made.value = document.date, document.taxable, document.value
        made.igst, made.cgst, made.sgst, made.cess = document.tax
        return made

    def bare(self) -> float:
        """Return the seconds of a COPY of the same rows into the same table, with its indexes."""
        if not self.text.tell():
            self.by_us()
        return bare_sql.seconds(lambda: bare_sql.copy_records(self.text))

    def path(self) -> HotPath:
        """Return how it is measured: 0.4 of COPY's rate is 2.5 times its seconds."""
        return HotPath(
            "ingest",
            self.rows,
            ours=self.by_us,
            naive=self.by_objects,
            limit=self.bare,
            targets=(Target("limit", 2.5), Target("naive", 8, is_least=True)),
            naive_share=min(1.0, NAIVE_ROWS / self.rows),
        )


def _supplier(world: World) -> Taxpayer:
    """Make a supplier who has months enough that are not filed."""
    number = SUPPLIER + gstin.check_char(SUPPLIER)
    first = periods.add_months(world.period.month, -MONTHS)
    made = Taxpayer.objects.create(gstin=number, legal_name="Measured Limited", first_month=first)
    FilingFrequency.objects.create(taxpayer=made, frequency=Frequency.MONTHLY.value)
    since = bigworld.at_ten(rates.GST_BEGAN)
    Membership.objects.create(user=world.owner, taxpayer=made, role=Membership.Role.SIGNATORY, valid_from=since)
    locking.ensure([made])
    return made


class Workbook:
    """All open records as a workbook, by three writers of the same cells, read from the database each time."""

    def __init__(self, world: World, at: datetime, folder: Path) -> None:
        self.world, self.at, self.folder = world, at, folder
        self.today = standing.of(world.recipient, at)
        self.rows = sum(1 for sheet in self._sheets() for _row in sheet.rows)

    def _sheets(self) -> Iterator[Sheet]:
        firm = self.world.recipient
        head = Head(firm.gstin, firm.legal_name, firm.trade_name, "", "all that are open", {})

        def rows(section: Section) -> Iterator[Row]:
            return ims_rows.of(firm, self.today, Filters(sections=(section,)))

        return ims_workbook.sheets(head, rows)

    def by_us(self) -> float:
        """Return the seconds of our writer."""
        return timed(lambda: spreadsheet.write(self.folder / "ours.xlsx", self._sheets()))

    def by_openpyxl(self) -> float:
        """Return the seconds of openpyxl, write-only."""
        return timed(self._openpyxl)

    def _openpyxl(self) -> None:
        book = openpyxl.Workbook(write_only=True)
        for sheet in self._sheets():
            page = book.create_sheet(sheet.name)
            for row in sheet.rows:
                page.append(row)
        book.save(self.folder / "openpyxl.xlsx")

    def as_csv(self) -> float:
        """Return the seconds of the csv module."""
        return timed(self._csv)

    def _csv(self) -> None:
        with (self.folder / "rows.csv").open("w", newline="", encoding="utf-8") as stream:
            lines = csv.writer(stream)
            for sheet in self._sheets():
                lines.writerows(sheet.rows)

    def path(self) -> HotPath:
        """Return how it is measured."""
        return HotPath("xlsx", self.rows, ours=self.by_us, naive=self.by_openpyxl, limit=self.as_csv, targets=())


class Books:
    """A purchase register of nine in ten documents, matched with the records."""

    def __init__(self, world: World, at: datetime, folder: Path) -> None:
        self.pk = world.recipient.pk
        clock, owner, path = Fixed(at), world.owner, folder / "register.csv"
        with path.open("w", newline="", encoding="utf-8") as stream:
            lines = csv.writer(stream)
            lines.writerow(TEMPLATE.values())
            lines.writerows(bigworld_sql.booked(self.pk))
        with path.open("rb") as content:
            file = UploadedFile(content, name=path.name, size=path.stat().st_size)
            register = registers.receive(
                taxpayer=world.recipient, file=file, actor=owner, clock=clock, request_id=uuid.uuid4()
            )
        registers.carry_out(register=register, clock=clock)
        columns = register_reading.guess(register.heading)
        named = registers.name_columns(
            register=register, columns=columns, actor=owner, clock=clock, request_id=uuid.uuid4()
        )
        registers.carry_out(register=named, clock=clock)
        self.rows = Booked.objects.filter(recipient=world.recipient).count()
        if not self.rows:
            raise AssertionError(named.problem)

    def by_us(self) -> float:
        """Return the seconds in which all pairs are found anew."""
        with transaction.atomic():
            Pair.objects.filter(recipient_id=self.pk).delete()
            took = timed(lambda: books_sql.match(self.pk))
            transaction.set_rollback(True)
        return took

    def by_dict(self) -> float:
        """Return the seconds of a dict of one side, looked up by the other, as one would write it first."""
        return timed(self._dict)

    def _dict(self) -> None:
        records = {
            (record.supplier.gstin if record.supplier else "", record.fy, record.number_key): record.pk
            for record in Record.objects.filter(recipient_id=self.pk).select_related("supplier").iterator()
        }
        pairs = [
            Pair(recipient_id=self.pk, booked=booked, record_id=records[key], kind=Pair.Kind.IS)
            for booked in Booked.objects.filter(recipient_id=self.pk).iterator()
            if (key := (booked.supplier_gstin, booked.fy, booked.number_key)) in records
        ]
        with transaction.atomic():
            Pair.objects.filter(recipient_id=self.pk).delete()
            Pair.objects.bulk_create(pairs, batch_size=1_000, ignore_conflicts=True)
            transaction.set_rollback(True)

    def bare(self) -> float:
        """Return the seconds of one hash join that counts."""
        return timed(lambda: bare_sql.joined(recipient_id=self.pk))

    def path(self) -> HotPath:
        """Return how it is measured."""
        return HotPath("match", self.rows, ours=self.by_us, naive=self.by_dict, limit=self.bare, targets=())
