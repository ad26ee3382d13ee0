"""The stale banner of every page of a GSTIN: what its GSTR-2B lacks, in rupees, until it is computed (R7.11)."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ims_portal.access import Access, Right
from ims_portal.banners import Banner
from ims_portal.templatetags import ims as show
from returns import behind
from returns.behind import Behind


def read(held: Access, at: datetime) -> Banner | None:
    """Return the banner where the statement of the open period is out of date."""
    found = behind.for_page(held, at)
    if found is None:
        return None
    where = [held.taxpayer.gstin, found.period.wire]
    return Banner(
        title=_("GSTR-2B is out of date"),
        text=text(found),
        url=reverse("returns:gstr2b-changes", args=where),
        label=_("Show the changes"),
        command=_("Compute GSTR-2B"),
        command_url=reverse("returns:gstr2b-compute", args=where) if held.may(Right.COMPUTE) else "",
    )


def text(found: Behind) -> str:
    """Return what is not in a statement, in a sentence."""
    names = {
        "count": show.count(found.count),
        "period": found.period.label,
        "version": found.version,
        "at": show.moment(found.computed_at),
        "itc": figures(found),
    }
    if found.is_of_other_law:
        return (
            _("GSTR-2B of %(period)s (version %(version)s, %(at)s) is out of date: the rules have changed since.")
            % names
        )
    if found.has_many:
        return (
            _(
                "More than %(count)s saved changes are not in GSTR-2B of %(period)s (version %(version)s, %(at)s). The "
                "changes are added up on their page."
            )
            % names
        )
    if found.is_lapse:
        return (
            ngettext(
                "%(count)s Pending lapsed since GSTR-2B of %(period)s (version %(version)s, %(at)s) was computed: ITC "
                "%(itc)s.",
                "%(count)s Pending lapsed since GSTR-2B of %(period)s (version %(version)s, %(at)s) was computed: ITC "
                "%(itc)s.",
                found.count,
            )
            % names
        )
    if not names["itc"]:
        return (
            ngettext(
                "%(count)s saved change is not in GSTR-2B of %(period)s (version %(version)s, %(at)s). It leaves ITC "
                "as it is.",
                "%(count)s saved changes are not in GSTR-2B of %(period)s (version %(version)s, %(at)s). They leave "
                "ITC as it is.",
                found.count,
            )
            % names
        )
    return (
        ngettext(
            "%(count)s saved change is not in GSTR-2B of %(period)s (version %(version)s, %(at)s): ITC %(itc)s.",
            "%(count)s saved changes are not in GSTR-2B of %(period)s (version %(version)s, %(at)s): ITC %(itc)s.",
            found.count,
        )
        % names
    )


def figures(found: Behind) -> str:
    """Return what net ITC gains and what it loses, with their signs; empty where it stays."""
    gain = [f"+{show.inr(found.gain)}"] if found.gain else []
    loss = [show.inr(found.loss)] if found.loss else []
    return ", ".join([*gain, *loss])
