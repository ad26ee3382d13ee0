"""What somebody asks for many clients at once: each is asked for alone, by its own right, and each answer is kept."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from ims_portal import access, once
from ims_portal.access import Access, RightMissingError
from ims_portal.clock import Clock
from ims_portal.models import Command, Job, Taxpayer, User
from ims_portal.rules.periods import TaxPeriod
from invoices import filters, reported
from invoices.models import Inbox
from invoices.standing import Standing
from returns import exports, gstr2b, wording
from returns.export_files import Kind, NothingToWriteError
from returns.models import Export, Gstr2b, Gstr2bJob

LATEST = 50


class What(StrEnum):
    """What may be asked for many clients at once."""

    COMPUTE = "compute"
    EXPORT = "export"
    STATEMENT = "statement"

    @property
    def is_of_files(self) -> bool:
        """Whether files are made."""
        return self is not What.COMPUTE


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one client: `job` is the id of the computation or file that was asked for, "" where refused.

    `problem` then says why, in the language of who asked.
    """

    gstin: str
    job: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked, and the answers in the order of the clients named."""

    what: What
    answers: Sequence[Answer]

    def jobs(self) -> dict[str, Job]:
        """Return id -> job of what was asked for: one query."""
        kind: type[Job] = Export if self.what.is_of_files else Gstr2bJob
        asked = [answer.job for answer in self.answers if answer.job]
        found = kind._default_manager.select_related("taxpayer").filter(pk__in=asked)  # noqa: SLF001 Django's documented interface
        return {str(job.pk): job for job in found}


def ask(*, user: User, what: What, gstins: Sequence[str], key: uuid.UUID, clock: Clock) -> Order:
    """Ask for each GSTIN that GSTR-2B of its open period is computed or written, or its records of IMS are written.

    Return what became of each.

    A GSTIN the user may not open, or lacks the right for, is refused in words, and nothing happens for it. The same
    `key` again returns the answers it had; once.MismatchError where it was used for something else.
    """
    with transaction.atomic():
        command = once.claim(actor=user, key=key, body={"do": f"clients {what}", "gstins": list(gstins)})
        if not command.answer:
            order = Order(what, _answers(user, what, gstins, clock))
            once.answered(command, {"clients": what.value, "answers": [asdict(answer) for answer in order.answers]})
            return order
        return _read(command.answer)


def earlier(*, user: User, key: uuid.UUID) -> Order | None:
    """Return what a user asked under a key, None where it asked nothing of the kind: one query."""
    answer = once.answer(actor=user, key=key)
    return _read(answer) if "clients" in answer else None


def _read(answer: Mapping[str, Any]) -> Order:
    return Order(What(answer["clients"]), [Answer(**one) for one in answer["answers"]])


def _answers(user: User, what: What, gstins: Sequence[str], clock: Clock) -> list[Answer]:
    at = clock.now()
    wanted = frozenset(gstins)
    held = {one.taxpayer.gstin: one for one in access.all_of(user=user, at=at) if one.taxpayer.gstin in wanted}
    today = reported.standings([one.taxpayer for one in held.values()], at=at)
    inboxes = Inbox.objects.in_bulk(list(today))
    return [_answer(what, gstin, held.get(gstin), today, inboxes, clock) for gstin in gstins]


def _answer(
    what: What,
    gstin: str,
    held: Access | None,
    today: Mapping[int, Standing],
    inboxes: Mapping[int, Inbox],
    clock: Clock,
) -> Answer:
    if held is None:
        return Answer(gstin, problem=_("This GSTIN is not among your clients."))
    taxpayer, user = held.taxpayer, held.user
    open_month = inboxes[taxpayer.pk].open_month if taxpayer.pk in inboxes else taxpayer.first_month
    period = today[taxpayer.pk].filer.period(open_month)
    try:
        if what is What.COMPUTE:
            return Answer(gstin, str(gstr2b.request(taxpayer=taxpayer, period=period, actor=user, clock=clock).pk))
        kind, asked = _wanted(what, taxpayer, period)
        made = exports.request(taxpayer=taxpayer, kind=kind, asked=asked, actor=user, clock=clock)
        return Answer(gstin, str(made.pk))
    except RightMissingError as missing:
        names = f" {_('These people can:')} {', '.join(missing.who_may)}." if missing.who_may else ""
        return Answer(gstin, problem=_("You were given no right to do this for this GSTIN.") + names)
    except gstr2b.StatementRefusedError as refused:
        advice = wording.statement(
            refused.refusal, taxpayer=taxpayer, period=period, today=today[taxpayer.pk], open_month=open_month
        )
        return Answer(gstin, problem=advice.text)
    except NothingToWriteError as nothing:
        return Answer(gstin, problem=str(nothing))


def _wanted(what: What, taxpayer: Taxpayer, period: TaxPeriod) -> tuple[Kind, dict[str, Any]]:
    """Return the kind of file asked for, and of what. Raises NothingToWriteError where there is no statement."""
    if what is What.EXPORT:
        return Kind.IMS_XLSX, {"section": filters.ALL, "query": ""}
    made = Gstr2b.objects.filter(recipient=taxpayer, month=period.month).order_by("-version")
    newest = made.values_list("version", flat=True).first()
    if newest is None:
        raise NothingToWriteError(
            _("There is no GSTR-2B of %(period)s yet. Compute it first.") % {"period": period.label}
        )
    return Kind.GSTR2B_XLSX, {"month": period.month, "version": newest}


def latest(*, user: User, since: datetime) -> list[tuple[uuid.UUID, datetime, Order]]:
    """Return what a user asked for many clients since a real moment, the newest first: one query."""
    asked = Command.objects.filter(actor=user, answer__has_key="clients", created_at__gte=since).order_by("-created_at")
    return [(command.key, command.created_at, _read(command.answer)) for command in asked[:LATEST]]
