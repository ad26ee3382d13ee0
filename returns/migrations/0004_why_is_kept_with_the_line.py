"""Lines and filings keep why they count as they do; explanations never change."""

import django.db.models.deletion
from django.db import migrations, models

GUARD = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON returns_explanation
    FOR EACH ROW EXECUTE FUNCTION ims_append_only();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON returns_explanation
    FOR EACH STATEMENT EXECUTE FUNCTION ims_append_only();
"""
UNGUARD = "DROP TRIGGER append_only ON returns_explanation; DROP TRIGGER never_emptied ON returns_explanation;"


class Migration(migrations.Migration):

    dependencies = [
        ('returns', '0003_one_open_line'),
    ]

    operations = [
        migrations.CreateModel(
            name='Explanation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(max_length=64, unique=True)),
                ('steps', models.JSONField()),
            ],
        ),
        migrations.RunSQL(GUARD, UNGUARD),
        migrations.RemoveField(
            model_name='gstr2bline',
            name='cite',
        ),
        migrations.RemoveField(
            model_name='gstr2bline',
            name='rule_version',
        ),
        migrations.AddField(
            model_name='filing',
            name='why',
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name='gstr2bline',
            name='why',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='returns.explanation'),
        ),
    ]
