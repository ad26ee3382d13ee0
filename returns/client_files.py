"""The files of many clients as one archive: a workbook of each, and a cover that says what is in it and what is not."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import cast

from django.utils.translation import gettext as _
from django.utils.translation import override

from ims_portal import access, clock, downloads, spreadsheet
from ims_portal.access import Access, Right
from ims_portal.downloads import Made, NoFileError, Progress
from ims_portal.models import User
from ims_portal.spreadsheet import Column, Sheet
from ims_portal.templatetags import ims as show
from returns import client_orders
from returns.client_orders import Order
from returns.models import Archive, Export

COVER = "cover.xlsx"
MOST_BYTES = 512 << 20
"""The most an archive holds; whoever needs more takes the files one by one."""

EVERY = 10
"""Files after which it is told how far an archive is."""

COLUMNS = (
    Column(("GSTIN",)),
    Column(("Name",), width=40),
    Column(("File",), width=48),
    Column(("Records",)),
    Column(("Of",), width=24),
    Column(("SHA-256",), width=68),
    Column(("Problem",), width=60),
)


def write(archive: Archive, target: Path, *, at: datetime, progress: Progress) -> Made:
    """Write the files of an order that are done, kept, and its asker's to take, with a cover, into one archive.

    What is missing stands on the cover with its reason, in the language it was asked in. `archive.holds` will name
    every client of whom something is in it. Raises NoFileError.
    """
    user = archive.requested_by
    order = client_orders.earlier(user=user, key=archive.order)
    if order is None:
        raise NoFileError(_("What was asked for is not known any more. Ask for the files again."))
    held = may_take(user, at)
    found = {job.taxpayer.gstin: cast("Export", job) for job in order.jobs().values()}
    ready = {gstin: export for gstin, export in found.items() if gstin in held and _is_ready(export, at)}
    if sum(export.size for export in ready.values()) > MOST_BYTES:
        raise NoFileError(_("The files are too large to be taken together. Take them one by one."))
    progress.expect(len(ready))
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as packed, tempfile.TemporaryDirectory() as folder:
        cover = Path(folder) / COVER
        with override(archive.language):
            spreadsheet.write(cover, _cover(order, held, found, ready))
        packed.write(cover, COVER)
        for export in progress.counted(ready.values(), EVERY):
            packed.write(export.path, export.file_name)
    named = [answer.gstin for answer in order.answers if answer.gstin in held]
    archive.holds = {gstin: str(ready[gstin].pk) if gstin in ready else "" for gstin in named}
    return Made(f"{clock.day(at):%d%m%Y}_{order.what.value}_{len(order.answers)}_clients.zip", len(ready), at)


def may_take(user: User, at: datetime) -> dict[str, Access]:
    """Return GSTIN -> access of every client whose files somebody may take at a moment: two queries."""
    return {one.taxpayer.gstin: one for one in access.all_of(user=user, at=at) if one.may(Right.EXPORT)}


def _is_ready(export: Export, at: datetime) -> bool:
    return (
        export.state == Export.State.DONE and not downloads.is_over(export, at) and downloads.lies(export) is not None
    )


def _cover(
    order: Order, held: Mapping[str, Access], found: Mapping[str, Export], ready: Mapping[str, Export]
) -> Iterator[Sheet]:
    rows = [_line(answer.gstin, answer.problem, held, found, ready) for answer in order.answers]
    yield Sheet("Cover", rows, COLUMNS, titles=(f"{len(ready)} of {len(order.answers)} clients",))


def _line(
    gstin: str,
    problem: str,
    held: Mapping[str, Access],
    found: Mapping[str, Export],
    ready: Mapping[str, Export],
) -> Sequence[spreadsheet.Cell]:
    if gstin not in held:
        return (gstin, None, None, None, None, None, problem or _("This GSTIN is not among your clients."))
    name = held[gstin].taxpayer.name
    export = ready.get(gstin)
    if export is not None:
        of = f"{show.moment(export.as_of)} IST" if export.as_of else None
        return (gstin, name, export.file_name, export.rows, of, export.sha256, None)
    asked = found.get(gstin)
    missing = asked.problem if asked else ""
    return (gstin, name, None, None, None, None, problem or missing or _("The file is not ready, or is kept no more."))
