"""Tables that are written all day are vacuumed sooner than a fifth of them has changed, which is the default.

Beside old code: nothing of a table changes but when it is vacuumed, and how full new pages become. Each ALTER takes a
lock that only another such, or a vacuum, waits for; reads and writes go on.
"""

from django.db import migrations

VACUUM, INSERTED, ANALYZE = (
    "autovacuum_vacuum_scale_factor",
    "autovacuum_vacuum_insert_scale_factor",
    "autovacuum_analyze_scale_factor",
)

SETTINGS = {
    # 20 million rows would wait for 4 million dead ones; an action leaves one each. Their pages are cleaned while they
    # are in memory, and a bulk action on 200,000 finds room on them (0020 of invoices).
    "invoices_record": {VACUUM: 0.02, INSERTED: 0.02, ANALYZE: 0.02},
    # One row a taxpayer, written by every save for it: half a page of room keeps the versions on it, without an index.
    "invoices_inbox": {"fillfactor": 50, VACUUM: 0.02},
    # Written by a trigger with every statement, and folded, that is removed, each half minute: all of it dies daily.
    "invoices_keptcount": {VACUUM: 0, "autovacuum_vacuum_threshold": 2000, ANALYZE: 0.05},
    # History only grows. Vacuum marks its pages as seen by all, which index-only scans need, while they are few.
    "invoices_actionevent": {INSERTED: 0.02, ANALYZE: 0.02},
    "ims_portal_auditevent": {INSERTED: 0.02, ANALYZE: 0.02},
    # The same; and a new version closes the lines that it changed.
    "returns_gstr2bline": {VACUUM: 0.02, INSERTED: 0.02, ANALYZE: 0.02},
    # Every command is written, and written again with its answer: half of what is written is dead at once.
    "ims_portal_command": {VACUUM: 0.05},
    # Rows of previews, files and drafts come by the hundred thousand and go again.
    "invoices_batchrow": {VACUUM: 0.02, ANALYZE: 0.02},
    "invoices_actionfilerow": {VACUUM: 0.02, ANALYZE: 0.02},
    "invoices_draftchoice": {VACUUM: 0.02, ANALYZE: 0.05},
    # A job is written at each step of its way, its progress too; room on its page keeps that out of the indexes.
    **dict.fromkeys(
        ("returns_gstr2bjob", "invoices_upload", "invoices_batch", "returns_export"), {"fillfactor": 80, VACUUM: 0.05}
    ),
    # Written at every sign-in and out, and counts at every failure; both are small and looked at by every request.
    "django_session": {VACUUM: 0.02},
    "ims_portal_shared_count": {VACUUM: 0.02},
}
"""Table -> its storage parameters, whose reason stands above it."""


def _set(table: str) -> migrations.RunSQL:
    wanted = SETTINGS[table]
    told = ", ".join(f"{name} = {value}" for name, value in wanted.items())
    return migrations.RunSQL(
        f"ALTER TABLE {table} SET ({told})", f"ALTER TABLE {table} RESET ({', '.join(wanted)})"
    )


class Migration(migrations.Migration):

    dependencies = [
        ('ims_portal', '0014_failures_and_used_codes_are_counted_together'),
        ('invoices', '0022_actions_by_file'),
        ('returns', '0013_lines_are_not_looked_up'),
        ('sessions', '0001_initial'),
    ]

    operations = [_set(table) for table in SETTINGS]
