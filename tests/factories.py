"""Builds what tests need through the domain itself. Name only what matters to the test; days are fixed.

The cast: R 27AAACR5055K1Z7 (recipient, Maharashtra, monthly), S 24AAACS2718C1ZX (supplier, Gujarat, monthly).
"""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from uuid import uuid4

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import encrypt
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.utils import timezone

from ims_portal import audit, demo_codes
from ims_portal.clock import Fixed
from ims_portal.models import AuditEvent, FilingFrequency, Membership, Taxpayer, User
from ims_portal.rules import documents, periods
from ims_portal.rules.actions import Action, Answer
from ims_portal.rules.documents import Document, Form, Item, Section
from ims_portal.rules.money import NIL, Tax, to_paise
from ims_portal.rules.periods import Frequency
from invoices import actions, locking, outward
from invoices.actions import Choice, Outcome
from invoices.models import Record
from returns import gstr2b, gstr3b
from returns.models import Filing
from tests.signing_in import PASSWORD

RECIPIENT = "27AAACR5055K1Z7"
SUPPLIER = "24AAACS2718C1ZX"
OCTOBER = periods.parse("102025")
LONG_AGO = datetime(2017, 7, 1, tzinfo=timezone.get_fixed_timezone(330))


def at(text: str) -> datetime:
    """Return a moment of an Indian day: `2025-11-12` is 10:00 IST, `2025-11-12 23:59` as told."""
    day, _, hour = text.partition(" ")
    return timezone.make_aware(datetime.fromisoformat(f"{day} {hour or '10:00'}"), timezone.get_default_timezone())


def clock(text: str) -> Fixed:
    """Return a clock that stands at a moment."""
    return Fixed(at(text))


def taxpayer(
    gstin: str = RECIPIENT, *, name: str = "", first: int = 202510, frequency: Frequency = Frequency.MONTHLY
) -> Taxpayer:
    """Return a taxpayer with its inbox, made when it is new."""
    found, made = Taxpayer.objects.get_or_create(
        gstin=gstin, defaults={"legal_name": name or f"Firm {gstin[2:7]}", "first_month": first}
    )
    if made:
        FilingFrequency.objects.create(taxpayer=found, frequency=frequency.value)
        locking.ensure([found])
    return found


def user(username: str = "asha", *, name: str = "", has_app: bool = True, **options: object) -> User:
    """Return a user who can sign in with PASSWORD and, unless they have no app, the code that `demo_codes` tells."""
    found = User.objects.filter(username=username).first()
    if found is not None:
        return found
    made = User.objects.create(
        username=username, password=_hashed(settings.PASSWORD_HASHERS[0]), full_name=name or username.title(), **options
    )
    if has_app:
        Authenticator.objects.create(user=made, type=Authenticator.Type.TOTP, data={"secret": _sealed(username)})
    return made


@cache
def _sealed(username: str) -> str:
    """Return the secret of an app as it is kept, sealed once for all tests: that is slow too."""
    return str(encrypt(demo_codes.secret(username)))


@cache
def _hashed(_hasher: str) -> str:
    """Return PASSWORD hashed, once for all users: the hash is meant to be slow, and is checked where they sign in.

    Some tests swap the hasher for a quick one; what it made must not be kept for those who sign in with the real one.
    """
    return make_password(PASSWORD)


def member(taxpayer_: Taxpayer, role: str = "signatory", username: str = "") -> User:
    """Return a user with a role on a taxpayer, since long ago."""
    found = user(username or f"{role}-{taxpayer_.pk}")
    Membership.objects.get_or_create(user=found, taxpayer=taxpayer_, defaults={"role": role, "valid_from": LONG_AGO})
    return found


def document(  # noqa: PLR0913 - name only what matters
    *,
    section: Section = Section.B2B,
    number: str = "INV1",
    tax: int | Tax = 18000,
    recipient: str = RECIPIENT,
    supplier: str = SUPPLIER,
    on: str = "2025-10-05",
    original: str = "",
    original_on: str = "2025-10-05",
    rate: int = 18,
    **other: object,
) -> Document:
    """Return a document with IGST `tax` in rupees (or a Tax in paise), its taxable value worked out from the rate."""
    heads = tax if isinstance(tax, Tax) else Tax(igst=to_paise(tax))
    if not isinstance(tax, Tax) and recipient[:2] == supplier[:2]:
        heads = Tax(cgst=to_paise(tax) // 2, sgst=to_paise(tax) // 2)
    taxable = -(-(heads.total - heads.cess) * 100 // rate)
    amends = section in documents.AMENDMENTS
    return Document(
        section=section,
        recipient=recipient,
        number=number,
        date=date.fromisoformat(on),
        taxable=taxable,
        tax=heads,
        pos=recipient[:2],
        value=taxable + heads.total,
        items=(Item(rate * 100, taxable, heads),),
        position=number,
        original_number=(original or number) if amends else "",
        original_date=date.fromisoformat(original_on) if amends else None,
        **other,
    )


def saved(
    *found: Document, supplier: str = SUPPLIER, form: Form = Form.GSTR1, period: str = "102025", on: str = "2025-11-05"
) -> list[Record]:
    """Return records saved by a supplier."""
    taxpayer(RECIPIENT)
    owner = taxpayer(supplier)
    outward.save(
        supplier=owner,
        form=form,
        period=periods.parse(period),
        found=found or (document(),),
        actor=None,
        clock=clock(on),
        all_or_nothing=True,
    )
    return _records(owner, period, found)


def filed(
    *found: Document, supplier: str = SUPPLIER, form: Form = Form.GSTR1, period: str = "102025", on: str = "2025-11-10"
) -> list[Record]:
    """Return records filed by a supplier."""
    taxpayer(RECIPIENT)
    owner = taxpayer(supplier)
    outward.file(
        supplier=owner,
        form=form,
        period=periods.parse(period),
        found=found or (document(),),
        actor=None,
        clock=clock(on),
    )
    return _records(owner, period, found)


def _records(owner: Taxpayer, period: str, found: tuple[Document, ...]) -> list[Record]:
    numbers = [line.number for line in found] or ["INV1"]
    rows = Record.objects.select_related("recipient", "supplier").filter(
        supplier=owner, return_month=periods.parse(period).month, number__in=numbers
    )
    by_number = {row.number: row for row in rows}
    return [by_number[number] for number in numbers]


def filed_record(**options: object) -> Record:
    """Return one filed record."""
    return filed(document(**options))[0]


def act(  # noqa: PLR0913 - name only what matters
    record: Record,
    action: str,
    *,
    on: str = "2025-11-12",
    actor: User | None = None,
    answer: str = "",
    declared: Tax = NIL,
    remark: str = "",
    reason: str = "",
    version: int | None = None,
) -> Outcome:
    """Return the outcome of a recipient's choice on one record."""
    record.refresh_from_db()
    choice = Choice(Action(action), Answer(answer), declared, remark, reason)
    seen = record.version if version is None else version
    return actions.take(
        taxpayer=record.recipient,
        items=[actions.Item(record.pk, seen, choice)],
        actor=actor,
        clock=clock(on),
        request_id=uuid4(),
    )


def computed(recipient: Taxpayer | None = None, *, period: str = "102025", on: str = "2025-11-14") -> gstr2b.Computed:
    """Return a computed statement of a recipient."""
    return gstr2b.compute(
        taxpayer=recipient or taxpayer(RECIPIENT), period=periods.parse(period), actor=None, clock=clock(on)
    )


def filed_period(recipient: Taxpayer | None = None, *, period: str = "102025", on: str = "2025-11-18") -> Filing:
    """Return the filing of a recipient's period: nil GSTR-1, GSTR-2B, GSTR-3B."""
    owner = recipient or taxpayer(RECIPIENT)
    outward.file(supplier=owner, form=Form.GSTR1, period=periods.parse(period), actor=None, clock=clock(on))
    computed(owner, period=period, on=on)
    return gstr3b.file(taxpayer=owner, period=periods.parse(period), actor=None, clock=clock(on))


def audit_event() -> AuditEvent:
    """Return an audit event."""
    audit.record(event="test.event", at=at("2025-11-12"))
    return AuditEvent.objects.latest("id")
