from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # while it is made, records are written on

    dependencies = [
        ('invoices', '0027_amounts_everywhere_in_bounds'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='record',
            index=models.Index(condition=models.Q(('settled_month', None), ('status', 'F')), fields=['recipient', 'filed_seq'], name='filed_since_a_count'),
        ),
    ]
