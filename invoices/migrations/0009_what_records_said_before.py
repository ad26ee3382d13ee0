"""What a saved record said before its supplier changed it, append-only; and numbers found however they are written."""

import django.db.models.deletion
from django.db import migrations, models

GUARD = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON invoices_reportedbefore
    FOR EACH ROW EXECUTE FUNCTION ims_append_only();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON invoices_reportedbefore
    FOR EACH STATEMENT EXECUTE FUNCTION ims_append_only();
ALTER TABLE invoices_reportedbefore ADD CONSTRAINT said_by_a_record_of_its_recipient
    FOREIGN KEY (recipient_id, record_id) REFERENCES invoices_record (recipient_id, id);
"""
UNGUARD = """
DROP TRIGGER append_only ON invoices_reportedbefore; DROP TRIGGER never_emptied ON invoices_reportedbefore;
ALTER TABLE invoices_reportedbefore DROP CONSTRAINT said_by_a_record_of_its_recipient;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("ims_portal", "0002_pmt06_has_a_due_date"),
        ("invoices", "0008_originals_are_found_again"),
    ]

    operations = [
        migrations.CreateModel(
            name="ReportedBefore",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("version", models.PositiveIntegerField()),
                ("said", models.JSONField()),
                (
                    "recipient",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ims_portal.taxpayer",
                    ),
                ),
                (
                    "record",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="said_before",
                        to="invoices.record",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=["recipient", "record", "version"], name="one_earlier_reading_per_record_version"
                    )
                ],
            },
        ),
        migrations.RunSQL(GUARD, UNGUARD),
        migrations.AddIndex(
            model_name="record",
            index=models.Index(
                models.F("supplier"),
                models.Func(
                    models.F("number_key"),
                    models.Value("-/ 0"),
                    models.Value(""),
                    function="translate",
                    output_field=models.CharField(),
                ),
                name="near_numbers_of_a_supplier",
            ),
        ),
    ]
