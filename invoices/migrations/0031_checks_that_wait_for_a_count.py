"""A large save may let the checks of whose its records are wait until its end, when the planner has counted them.

A foreign key looks a record up by its id and its recipient. Where every recipient had one record or two when the table
was counted, an index by recipient looks as good as the key; 20,000 added for one recipient were then read for each of
them. Checks stay immediate for whoever does not ask them to wait.

Beside old code: it never asks. Nothing is checked again; each ALTER changes a row of the catalogue, under a lock that
waits for the statements at work on the table and lets nothing by meanwhile.
"""

from django.db import migrations

MAY_WAIT = """
ALTER TABLE invoices_recorddetail ALTER CONSTRAINT detail_of_a_record_of_its_recipient DEFERRABLE;
ALTER TABLE invoices_record ALTER CONSTRAINT original_of_the_same_recipient DEFERRABLE;
"""
NEVER_WAITS = """
ALTER TABLE invoices_recorddetail ALTER CONSTRAINT detail_of_a_record_of_its_recipient NOT DEFERRABLE;
ALTER TABLE invoices_record ALTER CONSTRAINT original_of_the_same_recipient NOT DEFERRABLE;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('invoices', '0030_keyed_by_its_taxpayer'),
    ]

    operations = [
        migrations.RunSQL(MAY_WAIT, NEVER_WAITS),
    ]
