"""What the log's codes of events mean, in the reader's language."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ims_portal.access import PRACTITIONER
from ims_portal.models import Membership

EVENTS: dict[str, Promise] = {
    "account.factor_added": _("Second step of signing in added"),
    "account.factor_removed": _("Second step of signing in removed"),
    "account.factor_renewed": _("Recovery codes made anew"),
    "account.mail_changed": _("Mail address changed"),
    "account.new_device": _("Signed in with a new browser"),
    "account.password_changed": _("Password changed"),
    "actions.file_received": _("File of actions received"),
    "archive.asked": _("Archive of clients' files asked for"),
    "archive.made": _("Archive of clients' files made"),
    "audit.asked": _("Log asked for as a file"),
    "actions.request_received": _("Actions received from a program"),
    "audit.exported": _("Log taken out as a file"),
    "audit.made": _("File of the log made"),
    "books.linked": _("Purchase linked to a record"),
    "books.tolerance": _("Tolerance of matching changed"),
    "books.unlinked": _("Purchase unlinked from a record"),
    "break_glass.ended": _("Break-glass ended early"),
    "break_glass.looked": _("Details looked at under break-glass"),
    "break_glass.opened": _("Break-glass opened"),
    "calendar_key.made": _("Calendar feed made"),
    "calendar_key.revoked": _("Calendar feed revoked"),
    "clock.set": _("Portal date set"),
    "deadline.snoozed": _("Deadline put off"),
    "deadline.woken": _("Deadline shown again"),
    "code.refused": _("Wrong one-time code from a program"),
    "demo.seeded": _("Practice data made"),
    "document.saved": _("Document saved"),
    "engagement.accepted": _("Engagement accepted"),
    "engagement.asked": _("Engagement asked for"),
    "engagement.declined": _("Engagement declined"),
    "engagement.ended": _("Engagement ended"),
    "engagement.withdrawn": _("Request for an engagement taken back"),
    "export.archive": _("Files taken out for several clients"),
    "export.asked": _("File asked for"),
    "export.downloaded": _("File downloaded"),
    "export.made": _("File made"),
    "extension.approved": _("Extension approved"),
    "extension.proposed": _("Extension proposed"),
    "extension.withdrawn": _("Extension withdrawn"),
    "feed.received": _("Feed received"),
    "feed.taken": _("Feed taken in"),
    "filing.held": _("Filing stopped: what is stored does not agree"),
    "gstr2b.computed": _("GSTR-2B computed"),
    "gstr2b.file_received": _("GSTR-2B received for comparison"),
    "gstr3b.adjusted": _("GSTR-3B adjusted"),
    "gstr3b.entered": _("GSTR-3B amount entered"),
    "gstr3b.filed": _("GSTR-3B filed"),
    "hold.lifted": _("Stop of filing lifted"),
    "job.cancelled": _("Job cancelled"),
    "job.retried": _("Job retried"),
    "message.written": _("Message written"),
    "records.acted": _("Action saved on records"),
    "records.undone": _("Action on records undone"),
    "register.received": _("Purchase register received"),
    "register.removed": _("Purchase register removed"),
    "return.filed": _("Return filed"),
    "role.changed": _("Role changed"),
    "role.ended": _("Role ended"),
    "role.given": _("Role given"),
    "signatory.confirmed": _("First signatory confirmed"),
    "signatory.named": _("First signatory named"),
    "signatory.withdrawn": _("Naming of a signatory taken back"),
    "taxpayer.created": _("Taxpayer created"),
    "taxpayer.named": _("Taxpayer given its names"),
    "token.made": _("Token for programs made"),
    "token.revoked": _("Token for programs revoked"),
    "upload.received": _("Return uploaded"),
    "user.created": _("User created"),
    "user.link_made": _("Link to choose a password made"),
    "user.reactivated": _("User let in again"),
    "user.signed_out": _("Sessions of a user ended"),
    "user.suspended": _("User suspended"),
}
"""Code -> words."""

ADMINISTRATOR = "administrator"
"""The capacity of who does what only administrators may."""

CAPACITIES = dict(Membership.Role.choices) | {PRACTITIONER: _("Practitioner"), ADMINISTRATOR: _("Administrator")}
"""Capacity -> words."""
