"""Seals. Beside old code: the triggers guard a table that old code does not know."""

from django.db import migrations, models

GUARD = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON returns_seal FOR EACH ROW EXECUTE FUNCTION ims_append_only();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON returns_seal FOR EACH STATEMENT EXECUTE FUNCTION ims_append_only();
"""
UNGUARD = "DROP TRIGGER append_only ON returns_seal; DROP TRIGGER never_emptied ON returns_seal;"


class Migration(migrations.Migration):

    dependencies = [
        ('returns', '0010_archives_of_clients_files'),
    ]

    operations = [
        migrations.CreateModel(
            name='Seal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sealed', models.CharField(choices=[('events', 'changes of actions'), ('filings', 'filed returns')], max_length=8)),
                ('prev_hash', models.CharField(blank=True, max_length=64, unique=True)),
                ('from_id', models.BigIntegerField()),
                ('to_id', models.BigIntegerField()),
                ('rows', models.PositiveIntegerField()),
                ('hash', models.CharField(max_length=64)),
                ('made_at', models.DateTimeField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('sealed', 'from_id'), name='one_seal_per_block')],
            },
        ),
        migrations.RunSQL(GUARD, UNGUARD),
    ]
