"""Counts and sums of a recipient's records, kept by the database with every statement that changes a record.

Each statement adds one row per kind of record it changed, and never touches one that is there: writers wait for nobody
and no order of locks can be wrong. The facts stand once, in `invoices_counted`, which also counts afresh.
"""

import django.db.models.deletion
from django.db import migrations, models

FACTS = {
    "section": "r.section",
    "status": "r.status",
    "bypass": "CASE WHEN r.status = 'F' THEN r.bypass ELSE '' END",
    "gstr2b_month": "CASE WHEN r.settled_month IS NULL THEN r.gstr2b_month END",
    "earliest_month": "CASE WHEN r.status = 'S' THEN r.earliest_month ELSE 0 END",
    "files_by_quarter": "(r.status = 'S' AND r.files_by_quarter)",
    "credit_fy": "CASE WHEN r.settled_month IS NULL THEN r.credit_fy ELSE 0 END",
    "reverse_charge": "(r.settled_month IS NULL AND r.reverse_charge)",
    "is_pos_ineligible": "(r.status = 'S' AND r.is_pos_ineligible)",
    "adds_itc": "(r.settled_month IS NULL AND r.effect_igst + r.effect_cgst + r.effect_sgst + r.effect_cess > 0)",
    "reduces": "(r.settled_month IS NULL AND r.reduces)",
    "original_is_open": "(r.settled_month IS NULL AND r.original_is_open)",
    "is_superseded": "(r.superseded_by_id IS NOT NULL)",
    "action": "CASE WHEN r.settled_month IS NULL THEN r.action ELSE 'N' END",
    "lost_action": "CASE WHEN r.settled_month IS NULL THEN r.lost_action ELSE '' END",
    "pending_dated": "CASE WHEN r.settled_month IS NULL AND r.action = 'P' THEN r.document_date END",
    "settled_month": "r.settled_month",
    "settled_as": "r.settled_as",
}
SUMS = {
    "records": "1",
    "tax": "r.igst + r.cgst + r.sgst + r.cess",
    "effect": "r.effect_igst + r.effect_cgst + r.effect_sgst + r.effect_cess",
    "cap": "greatest(-r.effect_igst, 0) + greatest(-r.effect_cgst, 0) + greatest(-r.effect_sgst, 0)"
    " + greatest(-r.effect_cess, 0)",
}
"""Fact -> what it is of a record `r`; sum -> what a record adds to it."""

NAMES = ", ".join(("recipient_id", *FACTS, *SUMS))
GROUPED = ", ".join(("recipient_id", *FACTS))
TOTALS = ", ".join(f"sum({name})" for name in SUMS)


def lines(source: str, sign: str = "") -> str:
    """Return the SELECT of what each record of a source counts as; no list shows a withdrawn or a closed one."""
    facts = ", ".join(f"{expression} AS {name}" for name, expression in FACTS.items())
    sums = ", ".join(f"{sign}({expression}) AS {name}" for name, expression in SUMS.items())
    return f"SELECT r.recipient_id, {facts}, {sums} FROM {source} r WHERE r.status <> 'W' AND NOT r.is_closed"


def added(*parts: str) -> str:
    """Return the INSERT of what a statement changed, one row per kind of record."""
    return f"""INSERT INTO invoices_keptcount ({NAMES})
            SELECT {GROUPED}, {TOTALS} FROM ({" UNION ALL ".join(parts)}) d GROUP BY {GROUPED}
            HAVING {" OR ".join(f"sum({name}) <> 0" for name in SUMS)}"""


COUNTED = f"""
CREATE FUNCTION invoices_counted(of_recipient bigint) RETURNS SETOF invoices_keptcount LANGUAGE sql STABLE AS $$
    SELECT 0::bigint, {", ".join(FACTS)}, true, {", ".join(f"sum({name})::bigint" for name in SUMS)}, recipient_id
    FROM ({lines("invoices_record")} AND r.recipient_id = of_recipient) d GROUP BY {GROUPED}
$$;
"""
KEEP = f"""
CREATE FUNCTION invoices_keep_counts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        {added(lines("now_rows"))};
    ELSIF TG_OP = 'DELETE' THEN
        {added(lines("old_rows", "-"))};
    ELSE
        {added(lines("now_rows"), lines("old_rows", "-"))};
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER counts_of_inserted AFTER INSERT ON invoices_record REFERENCING NEW TABLE AS now_rows
    FOR EACH STATEMENT EXECUTE FUNCTION invoices_keep_counts();
CREATE TRIGGER counts_of_updated AFTER UPDATE ON invoices_record REFERENCING OLD TABLE AS old_rows
    NEW TABLE AS now_rows FOR EACH STATEMENT EXECUTE FUNCTION invoices_keep_counts();
CREATE TRIGGER counts_of_deleted AFTER DELETE ON invoices_record REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION invoices_keep_counts();
"""
FORGET = """
DROP TRIGGER counts_of_inserted ON invoices_record; DROP TRIGGER counts_of_updated ON invoices_record;
DROP TRIGGER counts_of_deleted ON invoices_record; DROP FUNCTION invoices_keep_counts();
"""
FILL = """
UPDATE invoices_record o SET is_closed = true WHERE o.superseded_by_id IS NOT NULL AND EXISTS (
    SELECT 1 FROM invoices_record later WHERE later.recipient_id = o.recipient_id AND later.chain = o.chain
      AND later.chain_no > o.chain_no AND later.settled_month IS NOT NULL);
UPDATE invoices_record r SET lost_action = e.old_action FROM invoices_actionevent e
WHERE e.recipient_id = r.recipient_id AND e.record_id = r.id AND e.version = r.version AND e.cause = 'edited'
  AND e.old_action <> 'N' AND r.action = 'N';
"""
COUNT = f"""
INSERT INTO invoices_keptcount (is_folded, {NAMES}) SELECT c.is_folded, {", ".join(f"c.{n}" for n in NAMES.split(", "))}
FROM (SELECT DISTINCT recipient_id FROM invoices_record) r CROSS JOIN LATERAL invoices_counted(r.recipient_id) c;
"""


class Migration(migrations.Migration):

    dependencies = [
        ("ims_portal", "0004_deadlines_are_put_off_and_fed"),
        ("invoices", "0013_orders_of_the_inward_list"),
    ]

    operations = [
        migrations.CreateModel(
            name="KeptCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("section", models.CharField(max_length=8)),
                ("status", models.CharField(max_length=1)),
                ("bypass", models.CharField(max_length=5)),
                ("gstr2b_month", models.PositiveIntegerField(null=True)),
                ("earliest_month", models.PositiveIntegerField()),
                ("files_by_quarter", models.BooleanField()),
                ("credit_fy", models.PositiveSmallIntegerField()),
                ("reverse_charge", models.BooleanField()),
                ("is_pos_ineligible", models.BooleanField()),
                ("adds_itc", models.BooleanField()),
                ("reduces", models.BooleanField()),
                ("original_is_open", models.BooleanField()),
                ("is_superseded", models.BooleanField()),
                ("action", models.CharField(max_length=1)),
                ("lost_action", models.CharField(max_length=1)),
                ("pending_dated", models.DateField(null=True)),
                ("settled_month", models.PositiveIntegerField(null=True)),
                ("settled_as", models.CharField(max_length=1)),
                ("is_folded", models.BooleanField(db_default=False, default=False)),
                ("records", models.BigIntegerField()),
                ("tax", models.BigIntegerField(default=0, verbose_name="")),
                ("effect", models.BigIntegerField(default=0, verbose_name="")),
                ("cap", models.BigIntegerField(default=0, verbose_name="")),
            ],
        ),
        migrations.AddField(
            model_name="record",
            name="is_closed",
            field=models.BooleanField(db_default=False, default=False, help_text="superseded, and a later version is settled: no list shows it"),
        ),
        migrations.AddField(
            model_name="record",
            name="lost_action",
            field=models.CharField(blank=True, db_default="", default="", help_text="what its supplier's edit took away, while nothing has been chosen since", max_length=1),
        ),
        migrations.AddIndex(
            model_name="record",
            index=models.Index(condition=models.Q(("is_closed", False), ("superseded_by__isnull", False)), fields=["recipient", "chain"], name="superseded_still_shown"),
        ),
        migrations.AddConstraint(
            model_name="record",
            constraint=models.CheckConstraint(condition=models.Q(("lost_action", ""), ("action", "N"), _connector="OR"), name="action_is_lost_until_the_next"),
        ),
        migrations.AddConstraint(
            model_name="record",
            constraint=models.CheckConstraint(condition=models.Q(("is_closed", False), ("superseded_by__isnull", False), _connector="OR"), name="only_superseded_is_closed"),
        ),
        migrations.AddField(
            model_name="keptcount",
            name="recipient",
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ims_portal.taxpayer"),
        ),
        migrations.AddIndex(
            model_name="keptcount",
            index=models.Index(fields=["recipient"], name="counts_of_a_recipient"),
        ),
        migrations.AddIndex(
            model_name="keptcount",
            index=models.Index(condition=models.Q(("is_folded", False)), fields=["recipient"], name="counts_to_fold"),
        ),
        # What a supplier changed since a decision stands on the record now.
        migrations.RemoveIndex(model_name="actionevent", name="decisions_lost_by_an_edit"),
        migrations.AddIndex(
            model_name="record",
            index=models.Index(
                condition=models.Q(("settled_month", None), models.Q(("lost_action", ""), _negated=True)),
                fields=["recipient"],
                name="changed_since_decided",
            ),
        ),
        migrations.RunSQL(COUNTED, "DROP FUNCTION invoices_counted(bigint)"),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.RunSQL(KEEP, FORGET),
        migrations.RunSQL(COUNT, migrations.RunSQL.noop),
    ]
