"""What the database enforces by itself: events are append-only, and belong to a record of their own recipient."""

from django.db import migrations

APPEND_ONLY = """
CREATE FUNCTION ims_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;
"""

GUARD = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION ims_append_only();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION ims_append_only();
"""
UNGUARD = "DROP TRIGGER append_only ON {table}; DROP TRIGGER never_emptied ON {table};"

OWN_RECIPIENT = """
ALTER TABLE invoices_actionevent ADD CONSTRAINT event_of_a_record_of_its_recipient
    FOREIGN KEY (recipient_id, record_id) REFERENCES invoices_record (recipient_id, id);
ALTER TABLE invoices_recorddetail ADD CONSTRAINT detail_of_a_record_of_its_recipient
    FOREIGN KEY (recipient_id, record_id) REFERENCES invoices_record (recipient_id, id);
ALTER TABLE invoices_record ADD CONSTRAINT original_of_the_same_recipient
    FOREIGN KEY (recipient_id, original_id) REFERENCES invoices_record (recipient_id, id);
ALTER TABLE invoices_record ADD CONSTRAINT successor_of_the_same_recipient
    FOREIGN KEY (recipient_id, superseded_by_id) REFERENCES invoices_record (recipient_id, id);
"""
ANY_RECIPIENT = """
ALTER TABLE invoices_actionevent DROP CONSTRAINT event_of_a_record_of_its_recipient;
ALTER TABLE invoices_recorddetail DROP CONSTRAINT detail_of_a_record_of_its_recipient;
ALTER TABLE invoices_record DROP CONSTRAINT original_of_the_same_recipient;
ALTER TABLE invoices_record DROP CONSTRAINT successor_of_the_same_recipient;
"""


class Migration(migrations.Migration):
    dependencies = [("invoices", "0001_initial")]

    operations = [
        migrations.RunSQL(APPEND_ONLY, "DROP FUNCTION ims_append_only()"),
        migrations.RunSQL(GUARD.format(table="invoices_actionevent"), UNGUARD.format(table="invoices_actionevent")),
        migrations.RunSQL(GUARD.format(table="ims_portal_auditevent"), UNGUARD.format(table="ims_portal_auditevent")),
        migrations.RunSQL(OWN_RECIPIENT, ANY_RECIPIENT),
    ]
