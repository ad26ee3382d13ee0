"""Several returns may hold a saved amendment of one document; only one of them can be filed (R2.12)."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("invoices", "0006_a_recipient_without_ims")]

    operations = [
        migrations.RemoveConstraint(model_name="record", name="one_record_per_place_in_its_chain"),
        migrations.AddConstraint(
            model_name="record",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "F")),
                fields=("recipient", "chain", "chain_no"),
                name="one_filed_record_per_place_in_its_chain",
            ),
        ),
        migrations.AddConstraint(
            model_name="record",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "W"), _negated=True),
                fields=("recipient", "chain", "supplier_return"),
                name="one_record_of_a_chain_per_return",
            ),
        ),
    ]
