"""What a feed told is history: the database refuses to change or delete it."""

from django.db import migrations

GUARD = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION ims_append_only();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION ims_append_only();
"""
UNGUARD = "DROP TRIGGER append_only ON {table}; DROP TRIGGER never_emptied ON {table};"
TABLES = ("invoices_billofentry", "invoices_isddocument", "invoices_reversal")


class Migration(migrations.Migration):
    dependencies = [("invoices", "0004_feeds")]

    operations = [
        migrations.RunSQL(GUARD.format(table=table), UNGUARD.format(table=table)) for table in TABLES
    ]
