"""The story a demo begins with: who signs in, what the suppliers filed, what the recipient decided, month by month.

Every step goes through the domain functions the pages call, at the moment it is told of; each is skipped where it has
been taken already, so that a story cut off in the middle goes on from there.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from ims_portal import audit, demo_codes
from ims_portal.clock import Fixed
from ims_portal.models import (
    AuditEvent,
    Engagement,
    FilingFrequency,
    Membership,
    PortalClock,
    Taxpayer,
    User,
)
from ims_portal.rules import periods
from ims_portal.rules.actions import Action, Answer
from ims_portal.rules.documents import Form
from ims_portal.rules.periods import Frequency, TaxPeriod
from invoices import (
    actions,
    feed_uploads,
    kept_files,
    locking,
    outward,
    register_reading,
    registers,
    standing,
    uploads,
)
from invoices.actions import Choice, Item
from invoices.models import Books, FeedBatch, FeedKind, Record, Register, SupplierReturn
from returns import gstr2b, gstr3b
from returns.models import Filing

STORY = Path(__file__).resolve().parent / "story"
SEEDED = "demo.seeded"

RECIPIENT, KAVERI, NOYYAL = "29AAKCT0000P1Z6", "29AAFCK0000M1ZQ", "33AASFN0000R1Z5"
WARDHA, MANJIRA, NARMADA = "27AAGCW0000L1ZJ", "36AAHCM0000N1ZP", "23AALCN0000J1ZZ"
SHIVNATH, CHAMBAL, GUJARAT = "22AAJCS0000G1Z5", "08AAMFC0000H1Z0", "24AAKCT0000P1ZG"

REGULAR, SEZ, ECO, ISD = (kind.value for kind in Taxpayer.Kind)
CAST = (
    (RECIPIENT, "Tungabhadra Precision Private Limited", REGULAR, 202601),
    (GUJARAT, "Tungabhadra Precision Private Limited, Gujarat", REGULAR, 202608),
    ("27AAKCT0000P2Z9", "Tungabhadra Precision Private Limited (ISD)", ISD, 202608),
    (KAVERI, "Kaveri Mobility and Freight Private Limited", ECO, 202608),
    (NOYYAL, "Noyyal Coatings LLP", REGULAR, 202609),
    (WARDHA, "Wardha Minerals and Alloys Private Limited", REGULAR, 202607),
    (MANJIRA, "Manjira Stay Hotels Private Limited", REGULAR, 202610),
    (NARMADA, "Narmada Tools and Dies Private Limited", REGULAR, 202610),
    (SHIVNATH, "Shivnath Castings Private Limited", REGULAR, 202601),
    (CHAMBAL, "Chambal Lubricants", REGULAR, 202610),
    ("27AANCP0000Q1Z9", "Panchganga SEZ Electronics Private Limited", SEZ, 202608),
    ("33AAPCN0000E1Z5", "Nilgiri Retail Stores", REGULAR, 202608),
    ("29AAQCP0000D1ZT", "Palar SEZ Systems", SEZ, 202608),
    ("30AARCM0000B1ZG", "Mandovi Foods", REGULAR, 202608),
    ("36AATCM0000C1Z0", "Musi Pharma", REGULAR, 202608),
    ("29AAUPH0000F1Z2", "Hemavathi Cabs", REGULAR, 202608),
)
"""GSTIN, name, kind, first period. Only Noyyal files by the quarter."""

PEOPLE = (
    ("meera", "Meera Kulkarni", RECIPIENT, "preparer"),
    ("raghav", "Raghavendra Rao", RECIPIENT, "signatory"),
    ("divya", "Divya Shetty", RECIPIENT, "viewer"),
    ("kiran", "Kiran Gowda", KAVERI, "signatory"),
    ("sunita", "Sunita Deshmukh", WARDHA, "signatory"),
    ("anand", "Anand Joshi and Co, Chartered Accountants", RECIPIENT, "practitioner"),
    ("admin1", "Portal Administrator One", "", "administrator"),
    ("admin2", "Portal Administrator Two", "", "administrator"),
)
ENGAGED_FOR = ["view", "export", "act", "supply", "compute"]

GSTR1 = (
    ("2026-02-11", SHIVNATH, "shivnath-gstr1-012026.json"),
    ("2026-08-10", WARDHA, "wardha-gstr1-072026.json"),
    ("2026-09-10", KAVERI, "kaveri-gstr1-082026.json"),
    ("2026-09-10", WARDHA, "wardha-gstr1-082026.json"),
    ("2026-10-10", KAVERI, "kaveri-gstr1-092026.json"),
    ("2026-10-13", NOYYAL, "noyyal-gstr1-092026.json"),
    ("2026-11-09", MANJIRA, "manjira-gstr1-102026.json"),
    ("2026-11-10", KAVERI, "gstr1-monthly.json"),
    ("2026-11-10", WARDHA, "wardha-gstr1-102026.json"),
    ("2026-11-11", NARMADA, "narmada-gstr1-102026.json"),
    ("2026-11-11", RECIPIENT, "tungabhadra-gstr1-102026.json"),
)
"""Day of filing, who, the file; the period is the file's own."""

FEEDS = (
    ("2026-09-11", FeedKind.ISD, "isd-gstr6-082026.json"),
    ("2026-10-01", FeedKind.BILLS, "boe-icegate-092026.json"),
    ("2026-11-01", FeedKind.BILLS, "boe-icegate.json"),
    ("2026-11-01", FeedKind.RULE_37A, "rule37a.json"),
    ("2026-11-12", FeedKind.ISD, "isd-gstr6.json"),
)
"""Day a feed arrives, its kind, the file."""

REGISTER = "purchase-register.csv"

NIL_GSTR1 = (
    *((RECIPIENT, month) for month in range(202601, 202610)),
    (WARDHA, 202609),
    (GUJARAT, 202608),
    (GUJARAT, 202609),
)
CLOSED = (
    *((RECIPIENT, month) for month in range(202601, 202610)),
    (WARDHA, 202607),
    (WARDHA, 202608),
    (WARDHA, 202609),
    (KAVERI, 202608),
    (KAVERI, 202609),
    (NOYYAL, 202609),
    (GUJARAT, 202608),
    (GUJARAT, 202609),
)
"""Periods whose GSTR-3B is filed, because the law wants them in order; those of NIL_GSTR1 had no sales."""

REJECTED = {
    "WMA/CN/71": ("No goods were returned", "NOT_AGREED"),
    "KMF/26-27/0711": ("Billed to the wrong unit", "NOT_OURS"),
    "KMF-ECO-2087": ("Ride not booked by us", "NOT_OURS"),
    "WMA/DN/11": ("Price increase not agreed", "WRONG_VALUE"),
}
"""What the recipient rejected before October; everything else it accepted, in full where the law asks."""

DECIDED = "2026-11-12 16:30"
BEGINS = "2026-11-13 10:00"


@dataclass(frozen=True, slots=True)
class Step:
    """One event of the story: when, and what happens then."""

    at: str
    play: Callable[[Fixed], None]


def is_seeded() -> bool:
    """Whether the story has been played to its end here."""
    return AuditEvent.objects.filter(event=SEEDED).exists()


def seed(*, password: str) -> bool:
    """Play the story where it has not been played yet; return whether anything was done."""
    if is_seeded():
        return False
    prepare(password=password)
    play(until=BEGINS)
    begins = moment(BEGINS)
    PortalClock.objects.get_or_create(pk=1, defaults={"ahead": begins - timezone.now()})
    audit.record(event=SEEDED, at=begins)
    return True


def prepare(*, password: str) -> None:
    """Make the story's taxpayers and people."""
    _make_cast()
    _make_people(password)


def give_codes() -> None:
    """Let the story's people have the codes of their names, also where they were made before there were any."""
    for user in User.objects.filter(username__in=[username for username, *_ in PEOPLE]):
        demo_codes.give(user)


def play(*, until: str) -> None:
    """Play the story's steps up to a moment, in order; those taken already are skipped."""
    for step in sorted(_steps(), key=lambda step: step.at):
        if step.at <= until:
            step.play(Fixed(moment(step.at)))


def moment(text: str) -> datetime:
    """Return a moment in Indian time: a day alone means 10:00."""
    day, _, hour = text.partition(" ")
    return timezone.make_aware(datetime.fromisoformat(f"{day} {hour or '10:00'}"), timezone.get_default_timezone())


def _make_cast() -> None:
    for gstin, name, kind, first_month in CAST:
        taxpayer, _made = Taxpayer.objects.get_or_create(
            gstin=gstin, defaults={"legal_name": name, "kind": kind, "first_month": first_month}
        )
        frequency = Frequency.QUARTERLY if gstin == NOYYAL else Frequency.MONTHLY
        FilingFrequency.objects.get_or_create(taxpayer=taxpayer, from_month=0, defaults={"frequency": frequency.value})
        locking.ensure([taxpayer])


def _make_people(password: str) -> None:
    since = moment("2026-01-01 00:00")
    for username, name, gstin, role in PEOPLE:
        user = User.objects.filter(username=username).first() or User.objects.create_user(
            username=username, password=password, full_name=name, is_staff=role == "administrator"
        )
        demo_codes.give(user)
        if role == "practitioner":
            Engagement.objects.get_or_create(
                user=user,
                taxpayer=_taxpayer(gstin),
                defaults={
                    "rights": ENGAGED_FOR,
                    "valid_from": since,
                    "asked_by": user,
                    "accepted_by": _person("raghav"),
                },
            )
        elif gstin:
            Membership.objects.get_or_create(
                user=user, taxpayer=_taxpayer(gstin), defaults={"role": role, "valid_from": since}
            )


def _taxpayer(gstin: str) -> Taxpayer:
    return Taxpayer.objects.get(gstin=gstin)


def _person(username: str) -> User:
    return User.objects.get(username=username)


def _signatory(gstin: str) -> User | None:
    """Return who files for a GSTIN of the story; most suppliers have nobody here."""
    held = Membership.objects.filter(taxpayer__gstin=gstin, role=Membership.Role.SIGNATORY).select_related("user")
    found = held.first()
    return found.user if found else None


def _steps() -> Iterator[Step]:
    for day, gstin, name in GSTR1:
        yield Step(day, partial(_file, gstin, Form.GSTR1, name))
    yield Step("2026-10-14", partial(_file, KAVERI, Form.GSTR1A, "gstr1a.json"))
    yield Step("2026-11-12", partial(_file, NOYYAL, Form.IFF, "iff.json"))
    yield Step("2026-11-12 11:00", partial(_save, CHAMBAL, "chambal-gstr1-102026.json"))
    for day, kind, name in FEEDS:
        yield Step(day, partial(_feed, kind, name))
    for gstin, month in NIL_GSTR1:
        yield Step(f"{_following(month)}-10 09:30", partial(_file_nil, gstin, month))
    for month in (202601, 202607, 202608, 202609):
        yield Step(f"{_following(month)}-16", _decide_earlier)
    for gstin, month in CLOSED:
        yield Step(f"{_following(month)}-20 16:00", partial(_close, gstin, month))
    yield Step(DECIDED, _decide_as_shown)
    yield Step("2026-11-12 18:00", _hand_in_register)


def _following(month: int) -> str:
    after = periods.add_months(month, 1)
    return f"{after // 100}-{after % 100:02d}"


def _file(gstin: str, form: Form, name: str, clock: Fixed) -> None:
    with (STORY / name).open("rb") as stream:
        period = _period_of(gstin, form, periods.parse(json.load(stream)["fp"]))
        stream.seek(0)
        if not _is_filed(gstin, form, period):
            outward.file(
                supplier=_taxpayer(gstin),
                form=form,
                period=period,
                actor=_signatory(gstin),
                clock=clock,
                found=uploads.found_in(stream, form),
            )


def _file_nil(gstin: str, month: int, clock: Fixed) -> None:
    period = TaxPeriod(month)
    if not _is_filed(gstin, Form.GSTR1, period):
        outward.file(supplier=_taxpayer(gstin), form=Form.GSTR1, period=period, actor=_signatory(gstin), clock=clock)


def _save(gstin: str, name: str, clock: Fixed) -> None:
    with (STORY / name).open("rb") as stream:
        period = periods.parse(json.load(stream)["fp"])
        stream.seek(0)
        outward.save(
            supplier=_taxpayer(gstin),
            form=Form.GSTR1,
            period=period,
            actor=_signatory(gstin),
            clock=clock,
            found=uploads.found_in(stream, Form.GSTR1),
            all_or_nothing=True,
        )


def _feed(kind: FeedKind, name: str, clock: Fixed) -> None:
    """Take a feed in as a worker would."""
    content = (STORY / name).read_bytes()
    told = {"kind": kind, "sha256": hashlib.sha256(content).hexdigest()}
    batch = FeedBatch.objects.filter(**told).first() or FeedBatch.objects.create(
        **told, file_name=name, size=len(content), requested_by=_person("admin1")
    )
    if not batch.is_over:
        feed_uploads.take(batch=batch, stream=BytesIO(content), clock=clock)


def _hand_in_register(clock: Fixed) -> None:
    """Take in the recipient's purchase register of October as a worker would, its columns named before."""
    recipient, content = _taxpayer(RECIPIENT), (STORY / REGISTER).read_bytes()
    if Register.objects.filter(taxpayer=recipient).exists():
        return
    heading = content.decode().partition("\n")[0].strip().split(",")
    Books.objects.update_or_create(taxpayer=recipient, defaults={"columns": register_reading.guess(heading)})
    with kept_files.held(SimpleUploadedFile(REGISTER, content), ending=Register.Kind.CSV.value) as kept:
        found = Register.objects.create(
            taxpayer=recipient,
            kind=Register.Kind.CSV,
            sha256=kept.sha256,
            requested_by=_person("meera"),
            **kept.columns(REGISTER),
        )
        registers.carry_out(register=found, clock=clock)


def _period_of(gstin: str, form: Form, month: TaxPeriod) -> TaxPeriod:
    is_quarter = gstin == NOYYAL and form is not Form.IFF
    return TaxPeriod(month.month, Frequency.QUARTERLY if is_quarter else Frequency.MONTHLY)


def _is_filed(gstin: str, form: Form, period: TaxPeriod) -> bool:
    return SupplierReturn.objects.filter(
        supplier__gstin=gstin, form=form.value, month=period.month, filed_on__isnull=False
    ).exists()


def _close(gstin: str, month: int, clock: Fixed) -> None:
    """Compute and file a period, as its signatory would."""
    taxpayer, period = _taxpayer(gstin), _period_of(gstin, Form.GSTR1, TaxPeriod(month))
    if not Filing.objects.filter(taxpayer=taxpayer, month=month).exists():
        actor = _signatory(gstin)
        gstr2b.compute(taxpayer=taxpayer, period=period, actor=actor, clock=clock)
        gstr3b.file(taxpayer=taxpayer, period=period, actor=actor, clock=clock)


def _decide(choose: Callable[[Record], Choice | None], clock: Fixed) -> None:
    """Let the recipient's preparer decide on every record that `choose` has an answer for."""
    recipient = _taxpayer(RECIPIENT)
    today = standing.of(recipient, clock.now())
    open_records = Record.objects.filter(recipient=recipient, settled_month=None, superseded_by=None)
    items = []
    for record in open_records.order_by("id"):
        choice = choose(record)
        if choice is not None and choice.action in today.allowed(record):
            items.append(Item(record.pk, record.version, choice))
    actions.take(taxpayer=recipient, items=items, actor=_person("meera"), clock=clock, request_id=uuid.uuid4())


def _decide_earlier(clock: Fixed) -> None:
    """Decide as in the months before October: accepted, in full where it reduces, or rejected with a reason."""
    today = standing.of(_taxpayer(RECIPIENT), clock.now())

    def choose(record: Record) -> Choice | None:
        if record.filed_on is None or record.filed_on > today.day:
            return None  # played again in a later month, this step must not reach what came after it
        if record.number in REJECTED:
            remark, reason = REJECTED[record.number]
            return Choice(Action.REJECT, remark=remark, reason_code=reason)
        return Choice(Action.ACCEPT, Answer.FULL if today.is_specified(record) else Answer.NOT_GIVEN)

    _decide(choose, clock)


def _decide_as_shown(clock: Fixed) -> None:
    _decide(_from_inward(), clock)


def _from_inward() -> Callable[[Record], Choice | None]:
    """Return what chooses as `ims-inward.json` shows it: the actions taken so far in October's IMS."""
    sections = json.loads((STORY / "ims-inward.json").read_text())
    by_document: Mapping[tuple[str, str], dict[str, Any]] = {
        (section, number_of(row)): row for section, rows in sections.items() for row in rows
    }

    def choose(record: Record) -> Choice | None:
        row = by_document.get((record.section, record.number))
        if row is None or row["action"] == Action.NONE.value:
            return None
        answer = Answer.FULL if row.get("itcRedReq") == "Y" else Answer.NOT_GIVEN
        return Choice(Action(row["action"]), answer, remark=row.get("remarks", ""))

    return choose


def number_of(row: Mapping[str, Any]) -> str:
    """Return the number of a document as its row in IMS writes it: of an invoice, a note or a bill of entry."""
    return str(row.get("inum") or row.get("nt_num") or row["boenum"])
