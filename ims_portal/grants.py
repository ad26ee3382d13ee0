"""What each role of the database may do, table by table; `grants_sql` puts it in force (promises 2.4).

`ims_owner` owns everything and does migrations; nobody signs in as it. `ims_app` is web, workers and beat. `ims_audit`
reads, and nothing that would let anybody in. A new table has to be written here: a test names one that is not.
"""

from __future__ import annotations

from collections.abc import Mapping

OWNER, APP, AUDIT = "ims_owner", "ims_app", "ims_audit"

READ = "SELECT"
ADD = "SELECT, INSERT"
CHANGE = "SELECT, INSERT, UPDATE"
REMOVE = "SELECT, INSERT, UPDATE, DELETE"

APPEND_ONLY = (
    "ims_portal_auditevent",
    "invoices_actionevent",
    "invoices_billofentry",
    "invoices_isddocument",
    "invoices_message",
    "invoices_reportedbefore",
    "invoices_reversal",
    "returns_addback",
    "returns_explanation",
    "returns_filing",
    "returns_gstr2b",
    "returns_gstr2bline",
    "returns_ledgerentry",
    "returns_seal",
)
"""History: a trigger refuses every change, for the owner too; the role that works here may not even ask."""

CLOSED_ONCE = {"returns_gstr2bline": ("last_version",)}
"""Table of history -> the columns that are set once, when a later version no longer has the row."""

OF_MIGRATIONS = (
    "auth_group",
    "auth_group_permissions",
    "auth_permission",
    "django_admin_log",
    "django_content_type",
    "django_migrations",
    "ims_portal_ruleswitch",
    "ims_portal_user_groups",
    "ims_portal_user_user_permissions",
)
"""What migrations fill and the program only reads, and what the framework brings and nobody uses."""

WRITTEN_ONCE = (
    "ims_portal_apitoken_taxpayers",
    "ims_portal_filingfrequency",
    "ims_portal_sealedsession",
    "invoices_feedproblem",
    "invoices_uploadproblem",
)

STATE = (
    "ims_portal_apitoken",
    "ims_portal_auditextract",
    "ims_portal_breakglass",
    "ims_portal_calendarkey",
    "ims_portal_command",
    "ims_portal_engagement",
    "ims_portal_largeanswer",
    "ims_portal_membership",
    "ims_portal_onetimecode",
    "ims_portal_portalclock",
    "ims_portal_taxpayer",
    "ims_portal_user",
    "invoices_actionfile",
    "invoices_batch",
    "invoices_books",
    "invoices_delivery",
    "invoices_draft",
    "invoices_feedbatch",
    "invoices_inbox",
    "invoices_record",
    "invoices_recorddetail",
    "invoices_register",
    "invoices_supplierreturn",
    "invoices_upload",
    "returns_archive",
    "returns_export",
    "returns_gstr2bjob",
    "returns_hold",
    "returns_returnperiod",
    "returns_statementfile",
)
"""What stands as it is now; what it was before is in history. Rows end, they are never removed."""

TRULY_REMOVED = {
    "account_emailaddress": "allauth's own",
    "account_emailconfirmation": "allauth's own",
    "django_session": "whoever signs out leaves no session",
    "ims_portal_duedateextension": "a proposal is withdrawn; the audit log keeps it",
    "ims_portal_envelope": "what a sealed request was known by, once its session is over",
    "ims_portal_nomination": "a proposal is withdrawn; the audit log keeps it",
    "ims_portal_shared_count": "a count of failures, or of used codes, is over",
    "ims_portal_snooze": "somebody wants to be reminded again",
    "invoices_actionfilerow": "the file was applied, or read anew",
    "invoices_batchrow": "a preview nobody confirmed",
    "invoices_booked": "a purchase register was replaced",
    "invoices_draftchoice": "a choice was saved, or dropped",
    "invoices_keptcount": "counts are folded; the trigger on records writes them as whoever wrote the record",
    "invoices_pair": "a pair was unmade, or made anew",
    "invoices_registerproblem": "a register is read anew",
    "invoices_returnsummary": "sums of a section are replaced whole while the return is a draft",
    "mfa_authenticator": "somebody took an authenticator off",
    "returns_adjustment": "an entry of a draft was taken out; a filing keeps its own",
    "usersessions_usersession": "whoever signs out leaves no session",
    "returns_statementdifference": "a file is laid beside the statement anew",
}
"""Table -> why the program removes its rows."""

MAINTAINED = ("invoices_booked", "invoices_pair", "invoices_record", "invoices_recorddetail")
"""Tables the program itself has analysed after it filled them by the hundred thousand (PostgreSQL 17 and newer)."""

HIDDEN = (
    "account_emailconfirmation",
    "django_session",
    "ims_portal_envelope",
    "ims_portal_shared_count",
    "mfa_authenticator",
)
"""Tables made of secrets: not for the auditor."""

SECRET = {
    "ims_portal_apitoken": ("token_hash",),
    "ims_portal_calendarkey": ("key_hash",),
    "ims_portal_command": ("body_hash", "answer"),
    "ims_portal_largeanswer": ("key", "seal", "parts"),
    "ims_portal_onetimecode": ("code",),
    "ims_portal_sealedsession": ("kept_key",),
    "ims_portal_user": ("password",),
    "usersessions_usersession": ("session_key",),
}
"""Table -> columns that are not for the auditor: they let somebody in, or help to guess what does."""


def of_app() -> Mapping[str, str]:
    """Return table -> privileges of the role that works here, as GRANT takes them."""
    found = dict.fromkeys((*APPEND_ONLY, *WRITTEN_ONCE), ADD)
    found |= dict.fromkeys(OF_MIGRATIONS, READ) | dict.fromkeys(STATE, CHANGE) | dict.fromkeys(TRULY_REMOVED, REMOVE)
    return {table: f"{may}, UPDATE ({', '.join(CLOSED_ONCE[table])})" if table in CLOSED_ONCE else may
            for table, may in found.items()}  # fmt: skip
