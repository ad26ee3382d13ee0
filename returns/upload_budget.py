"""What the largest return may take: a GSTR-1 read, checked and stored by a process whose memory hardly grows (F40).

It is measured in a process of its own, which has ingested a small return before: so what it loads once is not counted.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.files.base import File
from django.core.files.uploadedfile import UploadedFile
from django.db import connection

from ims_portal import clock
from ims_portal.models import FilingFrequency, Membership, Taxpayer, User
from ims_portal.rules import gstin, periods
from ims_portal.rules.documents import Document, Form
from ims_portal.rules.periods import Frequency, TaxPeriod
from invoices import locking, uploads
from invoices.models import Upload
from returns import large_gstr1

MOST_GROWTH = 200
"""MB the worker may grow by (promises 6.2)."""

SUPPLIER = "24AAQCL9999K1Z"
"""Without its check character."""
RECIPIENTS = 50
SMALL = 1
MB, KB_OF_A_MB = 1_000_000, 1024
BYTES_OF_A_DOCUMENT = 308
STATUS = Path("/proc/self/status")
"""What Linux tells of a process, its memory in kB."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What ingesting a return took: seconds, MB of memory before it and at its peak, documents stored and refused."""

    seconds: float
    before: int
    peak: int
    stored: int
    refused: int

    @property
    def growth(self) -> int:
        """MB the process grew by."""
        return self.peak - self.before


def supplier() -> tuple[Taxpayer, User, TaxPeriod]:
    """Make a supplier with its signatory, and return them with the month before today's, whose GSTR-1 it uploads."""
    filer = periods.filer(gstin.state_of(SUPPLIER))
    now = clock.portal().now()
    period = filer.previous(filer.period(periods.month_of(clock.day(now))))
    number = SUPPLIER + gstin.check_char(SUPPLIER)
    made = Taxpayer.objects.create(gstin=number, legal_name="Measured Limited", first_month=period.month)
    FilingFrequency.objects.create(taxpayer=made, frequency=Frequency.MONTHLY.value)
    owner = User.objects.create(username=f"measured-{made.pk}", full_name="Who measures")
    Membership.objects.create(user=owner, taxpayer=made, role="signatory", valid_from=now - timedelta(days=1))
    locking.ensure([made])
    return made, owner, period


def handed_in(
    megabytes: int, *, by: User, of: Taxpayer, period: TaxPeriod, folder: Path, is_half_broken: bool = False
) -> Upload:
    """Write a return of a size, or one of which every second document is refused, and hand it in to be ingested."""
    each = megabytes * MB // BYTES_OF_A_DOCUMENT // RECIPIENTS
    path = folder / f"{megabytes}.json"
    found = large_gstr1.documents(supplier=of.gstin, period=period, to=large_gstr1.recipients(RECIPIENTS), each=each)
    large_gstr1.write(path, supplier=of.gstin, period=period, found=_half_broken(found) if is_half_broken else found)
    with path.open("rb") as stream:
        file = UploadedFile(File(stream), name=path.name, size=path.stat().st_size)
        return uploads.receive(
            taxpayer=of,
            form=Form.GSTR1,
            period=period,
            file=file,
            actor=by,
            clock=clock.portal(),
            request_id=uuid.uuid4(),
        )


def _half_broken(found: Iterable[Document]) -> Iterator[Document]:
    for place, document in enumerate(found):
        yield replace(document, pos="99") if place % 2 else document


def ingested(upload_ids: Sequence[str]) -> Measured:
    """Ingest uploads in this process, one after the other, and return what the last one took."""
    *before, last = (Upload.objects.select_related("taxpayer", "requested_by").get(pk=pk) for pk in upload_ids)
    for upload in before:
        uploads.ingest(upload=upload, clock=clock.portal())
    held, began = _memory("VmRSS"), time.monotonic()
    uploads.ingest(upload=last, clock=clock.portal())
    took = time.monotonic() - began
    last.refresh_from_db()
    if last.state != Upload.State.DONE:
        raise AssertionError(last.problem)
    return Measured(took, held, _memory("VmHWM"), last.added + last.unchanged, last.refused)


def _memory(name: str) -> int:
    """Return MB of this process's memory: VmRSS now, VmHWM at its peak."""
    return int(STATUS.read_text().split(f"{name}:")[1].split()[0]) // KB_OF_A_MB


def in_child(uploads_: Sequence[Upload]) -> Measured:
    """Ingest uploads in a process of their own, in the database this one is connected to."""
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "measure_upload"]
    command += ["--database", str(connection.settings_dict["NAME"]), "--ingest", *(str(one.pk) for one in uploads_)]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return Measured(**json.loads(told.splitlines()[-1]))


def told(measured: Measured) -> str:
    """Return what was measured as one line of JSON, as `in_child` reads it."""
    return json.dumps(asdict(measured))
