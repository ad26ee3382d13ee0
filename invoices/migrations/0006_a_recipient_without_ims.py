"""What is reported to a registration without IMS bypasses it (R1.1)."""

from django.db import migrations, models

BYPASSES = [
    ("", "No"),
    ("EARLY", "Before_Ims"),
    ("RCM", "Reverse_Charge"),
    ("POS", "Place_Of_Supply"),
    ("TIME", "Time_Barred"),
    ("ISD", "Isd"),
    ("BOE", "Import"),
    ("R37A", "Rule_37A"),
    ("NOIMS", "No_Ims"),
]


class Migration(migrations.Migration):
    dependencies = [("invoices", "0005_feeds_are_append_only")]

    operations = [
        migrations.AlterField(
            model_name="record",
            name="bypass",
            field=models.CharField(blank=True, choices=BYPASSES, default="", max_length=5),
        ),
    ]
