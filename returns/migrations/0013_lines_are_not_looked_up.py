"""Lines of a statement without foreign keys to check one by one, and without the indexes those came with.

Beside old code: it reads and writes lines as before; it only loses checks it always passed, and two indexes that the
unique ones serve as well.
"""

import django.db.models.deletion
from django.db import migrations, models

UNCHECKED = "ALTER TABLE returns_gstr2bline DROP CONSTRAINT line_of_a_record_of_its_recipient"
CHECKED = """
ALTER TABLE returns_gstr2bline ADD CONSTRAINT line_of_a_record_of_its_recipient
    FOREIGN KEY (recipient_id, record_id) REFERENCES invoices_record (recipient_id, id)
"""


class Migration(migrations.Migration):
    dependencies = [("returns", "0012_holds"), ("invoices", "0028_filed_since_a_count")]

    operations = [
        migrations.RunSQL(UNCHECKED, CHECKED),
        migrations.AlterField(
            model_name="gstr2bline",
            name="recipient",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="ims_portal.taxpayer",
            ),
        ),
        migrations.AlterField(
            model_name="gstr2bline",
            name="record",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="lines",
                to="invoices.record",
            ),
        ),
    ]
