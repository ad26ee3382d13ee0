"""Who may see and do what: the only way from a request to a taxpayer.

Rights belong to users, by dated membership or engagement; whether somebody stands on a record's supplier or
recipient side follows from the record. Foreign GSTIN: 404, same bytes as an unknown one. Own GSTIN without the
right: 403.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeVar, cast

from django.db.models import Q
from django.http import Http404

from ims_portal import access_sql, calendar
from ims_portal.models import Engagement, Membership, Taxpayer, User
from ims_portal.rules.periods import Calendar, Filer

Found = TypeVar("Found")


class Right(StrEnum):
    """What a role or an engagement lets its holder do on a GSTIN."""

    VIEW = "view"
    EXPORT = "export"
    ACT = "act"
    SUPPLY = "supply"
    COMPUTE = "compute"
    FILE = "file"
    GRANT = "grant"


VIEWER = frozenset({Right.VIEW, Right.EXPORT})
PREPARER = VIEWER | {Right.ACT, Right.SUPPLY, Right.COMPUTE}
SIGNATORY = PREPARER | {Right.FILE, Right.GRANT}
MAY = {
    Membership.Role.VIEWER.value: VIEWER,
    Membership.Role.PREPARER.value: PREPARER,
    Membership.Role.SIGNATORY.value: SIGNATORY,
}
PRACTITIONER = "practitioner"
"""The capacity of who acts by engagement."""
NEVER_ENGAGED = frozenset({Right.GRANT})


class RightMissingError(Exception):
    """The user belongs to the GSTIN but lacks the right; `who_may` names people who have it."""

    def __init__(self, right: Right, who_may: list[str]) -> None:
        self.right = right
        self.who_may = who_may
        super().__init__(f"Only {', '.join(who_may) or 'a person with that right'} may do this.")


@dataclass(frozen=True, slots=True)
class Access:
    """A user's standing on a GSTIN at a moment: its rights, and in which capacity they are held."""

    user: User
    taxpayer: Taxpayer
    rights: frozenset[Right]
    capacity: str
    _read: dict[tuple[str, datetime], object] = field(default_factory=dict, compare=False, repr=False)

    def may(self, right: Right) -> bool:
        """Whether the right is held."""
        return right in self.rights

    @property
    def may_export(self) -> bool:
        """Whether files may be asked for, as pages ask."""
        return self.may(Right.EXPORT)

    def calendar(self, at: datetime) -> tuple[Filer, Calendar]:
        """Return the taxpayer as a filer, and the calendar as known at a moment; no query where it came with `self`."""
        return self.once("calendar", at, lambda: calendar.of(self.taxpayer, at))

    def once(self, what: str, at: datetime, read: Callable[[], Found]) -> Found:
        """Return what a page reads of the taxpayer at a moment, read once however many of its parts ask.

        For pages that only look: a command reads again under its lock.
        """
        if (what, at) not in self._read:
            self._read[what, at] = read()
        return cast("Found", self._read[what, at])


def for_taxpayer(*, user: User, gstin: str, at: datetime, right: Right = Right.VIEW) -> Access:
    """Return the user's access to a GSTIN. This will raise Http404 for a stranger and RightMissingError otherwise."""
    # What is no word cannot be a GSTIN, and PostgreSQL takes no NUL.
    found = _of_gstin(user, gstin, at) if gstin.isalnum() and user.is_authenticated else None
    if found is None:
        raise Http404("No such page.")
    if not found.may(right):
        raise RightMissingError(right, who_may(found.taxpayer, right, at))
    return found


def _of_gstin(user: User, gstin: str, at: datetime) -> Access | None:
    """Return the user's access to a GSTIN, or None for a stranger: one query for a member, as every page asks it."""
    members = Membership.objects.filter(_in_force(at), user=user, taxpayer__gstin=gstin)
    member = members.select_related("taxpayer").annotate(**calendar.beside(at)).first()
    if member is not None:
        known = calendar.told(member.taxpayer, vars(member))
        role = Membership.Role(member.role).value
        return Access(user, member.taxpayer, MAY[member.role], role, {("calendar", at): known})
    return _engaged(user, at, taxpayer__gstin=gstin)


def require(*, user: User, taxpayer: Taxpayer, right: Right, at: datetime) -> Access:
    """Return the user's access, re-read now. This will join the writing transaction, after its lock (M16)."""
    found = holding(user=user, taxpayer=taxpayer, at=at)
    if found is None or not found.may(right):
        raise RightMissingError(right, who_may(taxpayer, right, at))
    return found


def holding(*, user: User, taxpayer: Taxpayer, at: datetime) -> Access | None:
    """Return the user's access to a taxpayer at a moment, or None for a stranger, and keep it from ending meanwhile.

    This will join the writing transaction: what is written in it is written before the right ends.
    """
    whose = {"user_id": user.pk, "taxpayer_id": taxpayer.pk}
    role = access_sql.role(**whose, at=at)
    if role is not None:
        return Access(user, taxpayer, MAY[role], role)
    rights = access_sql.engaged(**whose, at=at)
    return None if rights is None else _practitioner(user, taxpayer, rights)


def standing(*, user: User, taxpayer: Taxpayer, at: datetime) -> Access | None:
    """Return the user's access to a taxpayer at a moment, or None for a stranger."""
    role = Membership.objects.filter(_in_force(at), user=user, taxpayer=taxpayer).values_list("role", flat=True).first()
    if role is not None:
        return Access(user, taxpayer, MAY[role], Membership.Role(role).value)
    return _engaged(user, at, taxpayer=taxpayer)


def _engaged(user: User, at: datetime, **of_taxpayer: object) -> Access | None:
    """Return the access of a practitioner, or None for a stranger: one query."""
    engagements = Engagement.objects.filter(_in_force(at), user=user, accepted_by__isnull=False, **of_taxpayer)
    engagement = engagements.select_related("taxpayer").first()
    return None if engagement is None else _practitioner(user, engagement.taxpayer, engagement.rights)


def _practitioner(user: User, taxpayer: Taxpayer, names: Iterable[str]) -> Access:
    rights = frozenset(Right(name) for name in names) - NEVER_ENGAGED | {Right.VIEW}
    return Access(user, taxpayer, rights, PRACTITIONER)


def all_of(*, user: User, at: datetime) -> list[Access]:
    """Return a user's access to every GSTIN it may open, in order of name: two queries, however many there are.

    Of a GSTIN the user both belongs to and is engaged for, the membership holds, as on its own pages.
    """
    members = Membership.objects.filter(_in_force(at), user=user).select_related("taxpayer").order_by("pk")
    engagements = Engagement.objects.filter(_in_force(at), user=user, accepted_by__isnull=False)
    found: dict[int, Access] = {}
    for member in members:
        role = Membership.Role(member.role).value
        found.setdefault(member.taxpayer_id, Access(user, member.taxpayer, MAY[member.role], role))
    for engagement in engagements.select_related("taxpayer").order_by("pk"):
        held = _practitioner(user, engagement.taxpayer, engagement.rights)
        found.setdefault(engagement.taxpayer_id, held)
    return sorted(found.values(), key=lambda held: (held.taxpayer.name.casefold(), held.taxpayer.gstin))


def does_more_than_look(*, user: User, at: datetime) -> bool:
    """Whether a user holds more than a Viewer's rights on any GSTIN at a moment: two queries at most."""
    roles = [role for role, rights in MAY.items() if not rights <= VIEWER]
    if Membership.objects.filter(_in_force(at), user=user, role__in=roles).exists():
        return True
    engagements = Engagement.objects.filter(_in_force(at), user=user, accepted_by__isnull=False)
    return engagements.exclude(rights__contained_by=[right.value for right in VIEWER]).exists()


def has_clients(found: Sequence[Access]) -> bool:
    """Whether a list of clients concerns somebody with this access: several GSTINs, or an engagement."""
    return len(found) > 1 or any(held.capacity == PRACTITIONER for held in found)


def who_may(taxpayer: Taxpayer, right: Right, at: datetime) -> list[str]:
    """Return the names of members who hold a right on a taxpayer, so that a refusal can say whom to ask."""
    return who_may_of([taxpayer], right, at)[taxpayer.pk]


def who_may_of(taxpayers: Iterable[Taxpayer], right: Right, at: datetime) -> dict[int, list[str]]:
    """Return key of taxpayer -> the names of members who hold a right on it: one query, however many there are."""
    found: dict[int, list[str]] = {taxpayer.pk: [] for taxpayer in taxpayers}
    roles = [role for role, rights in MAY.items() if right in rights]
    members = Membership.objects.filter(_in_force(at), taxpayer_id__in=found, role__in=roles).select_related("user")
    for member in members.order_by("user__full_name", "user_id"):
        found[member.taxpayer_id].append(str(member.user))
    return found


def _in_force(at: datetime) -> Q:
    return Q(valid_from__lte=at) & (Q(valid_to__isnull=True) | Q(valid_to__gt=at))
