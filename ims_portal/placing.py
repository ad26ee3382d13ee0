"""Where each table stands when the database is spread over machines by Citus; `placing_sql` makes the statements of it.

What is of one recipient stands in one shard, so that an action, a statement, a filing touch one machine. A taxpayer's
id places the supplier's own tables too: they share the shards, each supplier's with what it holds as a recipient. A
new table has to be written here: a test names one that is not.
"""

from __future__ import annotations

from typing import Final

ANCHOR: Final = "invoices_inbox"
"""The table distributed first; all others are put beside it, so that equal taxpayer ids are in the same shard."""

DISTRIBUTED: Final = {
    ANCHOR: ("taxpayer_id", "the lock and counter under which a recipient's records change"),
    "invoices_record": ("recipient_id", "the largest table; every list, action and statement reads one recipient's"),
    "invoices_actionevent": ("recipient_id", "written in the statement that changes the record"),
    "invoices_recorddetail": ("recipient_id", "read with its record"),
    "invoices_reportedbefore": ("recipient_id", "written in the statement that changes the record"),
    "invoices_message": ("recipient_id", "read with its record; a supplier's are found by an index in every shard"),
    "invoices_batchrow": ("recipient_id", "200,000 rows of a bulk action, joined with their records"),
    "invoices_actionfilerow": ("recipient_id", "200,000 rows of a file, joined with the records they name"),
    "invoices_books": ("taxpayer_id", "locked while a recipient's books are matched"),
    "invoices_booked": ("recipient_id", "the books' documents, joined with records"),
    "invoices_pair": ("recipient_id", "pairs of the two"),
    "returns_returnperiod": ("taxpayer_id", "what a filing closes"),
    "returns_gstr2b": ("recipient_id", "computed from one recipient's records"),
    "returns_gstr2bline": ("recipient_id", "a row per record and statement"),
    "returns_adjustment": ("taxpayer_id", "rows of a draft GSTR-3B"),
    "returns_filing": ("taxpayer_id", "written with the settling of its records"),
    "returns_addback": ("recipient_id", "written by the recipient's filing; its supplier finds it by an index"),
    "returns_ledgerentry": ("taxpayer_id", "written by a filing"),
    "returns_hold": ("taxpayer_id", "looked at by a filing"),
    "invoices_supplierreturn": ("supplier_id", "the supplier's own; its documents stand with their recipients"),
    "invoices_returnsummary": ("supplier_id", "the sums of a return, read with it"),
}
"""Table -> the column by which it is distributed, and why it is."""

REFERENCE: Final = {
    "ims_portal_taxpayer": "joined by nearly every statement, to and from GSTIN; few writes; 15 million are some GB",
    "ims_portal_user": "the names of those who acted, joined with history",
    "ims_portal_filingfrequency": "joined where periods are worked out for many taxpayers at once",
    "ims_portal_membership": "who may act, read in the transaction that acts, joined by verify",
    "ims_portal_engagement": "who may act, read in the transaction that acts, joined by verify",
    "ims_portal_duedateextension": "a handful; joined where days are worked out",
    "ims_portal_ruleswitch": "a handful",
    "returns_explanation": "some dozens, joined by lines of every recipient",
    "invoices_billofentry": "by feed only; a number is one in the country, and a change of GSTIN has two importers",
    "invoices_isddocument": "by feed only; joined with records, and found without their recipient",
    "invoices_reversal": "by feed only; joined with records, and found without their recipient",
}
"""Table -> why every machine has a copy of the whole: it is small beside what it is joined with, and rarely written."""

OF_A_JOB: Final = "a queue: claimed by its id alone under a row lock, which Citus does in one shard or on one machine"
OF_A_PERSON: Final = "of a person who signs in, read by no statement that reads records"
OF_DJANGO: Final = "the framework's own"

LOCAL: Final = {
    **dict.fromkeys(
        (
            *("ims_portal_auditextract", "ims_portal_largeanswer", "invoices_actionfile", "invoices_batch"),
            *("invoices_feedbatch", "invoices_register", "invoices_upload", "returns_archive", "returns_export"),
            *("invoices_delivery", "returns_gstr2bjob", "returns_statementfile"),
        ),
        OF_A_JOB,
    ),
    "invoices_feedproblem": "read with its job",
    "invoices_registerproblem": "read with its job",
    "invoices_uploadproblem": "read with its job",
    "returns_statementdifference": "read with its job",
    **dict.fromkeys(
        (
            *("account_emailaddress", "account_emailconfirmation", "mfa_authenticator", "usersessions_usersession"),
            *("ims_portal_apitoken", "ims_portal_apitoken_taxpayers", "ims_portal_sealedsession"),
            *("ims_portal_envelope", "ims_portal_onetimecode", "ims_portal_calendarkey", "ims_portal_breakglass"),
            *("ims_portal_nomination", "ims_portal_snooze", "ims_portal_command"),
        ),
        OF_A_PERSON,
    ),
    "invoices_draft": "one person's choices, read by their page alone",
    "invoices_draftchoice": "one person's choices, read by their page alone",
    "ims_portal_auditevent": "of taxpayers, of people and of neither; its guards stay",
    "ims_portal_portalclock": "one row",
    "ims_portal_shared_count": "counts of failures to sign in, read by no statement that reads records",
    "returns_seal": "one chain over everybody; its guards stay",
    **dict.fromkeys(
        (
            *("auth_group", "auth_group_permissions", "auth_permission", "django_admin_log", "django_content_type"),
            *("django_migrations", "django_session", "ims_portal_user_groups", "ims_portal_user_user_permissions"),
        ),
        OF_DJANGO,
    ),
}
"""Table -> why it stays on the coordinator."""

VIEWS: Final = {"invoices_keptcount": ("invoices_counted", "r.recipient_id = of_recipient", "invoices_keep_counts")}
"""Table kept by a trigger -> the function that counts afresh, its condition on one recipient, and the trigger's own.

A trigger may not write from one shard into another table, so the table gives way to a view that counts one recipient's
records when it is asked.
"""

FILLED: Final = {
    "returns_adjustment": ("taxpayer_id", "return_period_id", "returns_returnperiod"),
    "invoices_returnsummary": ("supplier_id", "supplier_return_id", "invoices_supplierreturn"),
}
"""Table -> its column that rows of before it was written lack, and the reference by which it is found."""

BY_ID: Final = {
    "invoices_record": "a record's page and a supplier's view of it",
    "invoices_actionevent": "seals cover ids in order",
    "returns_filing": "seals cover ids in order",
    "returns_gstr2b": "looked up by what a filing rests on",
}
"""Table -> why it keeps an index on its id alone: somebody asks so, off the hot paths, in every shard."""

GUARDS: Final = {
    "append_only": "ims_app has no UPDATE and no DELETE there (grants.APPEND_ONLY)",
    "never_emptied": "ims_app has no TRUNCATE anywhere",
    "line_closes_once": "ims_app may UPDATE last_version alone (grants.CLOSED_ONCE); verify tells sums and lines (V14)",
    "stays_filed": "a filing is one row of history that nobody may change; verify compares it with its period (V21)",
    "counts_of_inserted": "the view counts",
    "counts_of_updated": "the view counts",
    "counts_of_deleted": "the view counts",
}
"""Trigger that no distributed or reference table may have -> what stands in its place."""

UNCHECKED: Final = {
    "invoices_record.supplier_return_id": "its supplier's row, in another shard",
    "invoices_billofentry.record_id": "a copy on every machine cannot refer into a shard",
    "invoices_billofentry.reduction_id": "a copy on every machine cannot refer into a shard",
    "invoices_isddocument.record_id": "a copy on every machine cannot refer into a shard",
    "invoices_reversal.record_id": "a copy on every machine cannot refer into a shard",
    "invoices_reversal.document_id": "a copy on every machine cannot refer into a shard",
    "invoices_delivery.supplier_return_id": "from the coordinator into a shard",
    "invoices_draftchoice.record_id": "from the coordinator into a shard",
    "returns_statementdifference.record_id": "from the coordinator into a shard",
    "returns_statementfile.statement_id": "from the coordinator into a shard",
    "invoices_actionfilerow.file_id": "from a shard to the coordinator",
    "invoices_booked.register_id": "from a shard to the coordinator",
}
"""Reference the database can check no longer -> why. `manage.py verify` does (V32)."""

SPANNING: Final = {
    "one_row_per_place_of_a_file": "a file is one taxpayer's",
    "returns_filing_reference_key": "a reference is made of its period and the period row's id, of which there is one",
}
"""Unique index that spanned recipients and reaches no further than one from now on -> what keeps it true."""
