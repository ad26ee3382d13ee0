"""What the database enforces by itself: statements, filings and add-backs never change, nor does a closed line."""

from django.db import migrations

GUARD = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION ims_append_only();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION ims_append_only();
"""
UNGUARD = "DROP TRIGGER append_only ON {table}; DROP TRIGGER never_emptied ON {table};"
TABLES = ("returns_gstr2b", "returns_filing", "returns_addback", "returns_ledgerentry")

LINES = """
CREATE FUNCTION ims_line_closes_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.last_version IS NULL AND NEW.last_version IS NOT NULL
       AND to_jsonb(OLD) - 'last_version' = to_jsonb(NEW) - 'last_version' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a line of a statement only ever gets its last version, once' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER line_closes_once BEFORE UPDATE OR DELETE ON returns_gstr2bline
    FOR EACH ROW EXECUTE FUNCTION ims_line_closes_once();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON returns_gstr2bline
    FOR EACH STATEMENT EXECUTE FUNCTION ims_append_only();
"""
NO_LINES = """
DROP TRIGGER line_closes_once ON returns_gstr2bline;
DROP TRIGGER never_emptied ON returns_gstr2bline;
DROP FUNCTION ims_line_closes_once();
"""

PERIODS = """
CREATE FUNCTION ims_period_stays_filed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.is_filed AND NOT NEW.is_filed THEN
        RAISE EXCEPTION 'a filed period never opens again' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER stays_filed BEFORE UPDATE ON returns_returnperiod
    FOR EACH ROW EXECUTE FUNCTION ims_period_stays_filed();
"""
NO_PERIODS = "DROP TRIGGER stays_filed ON returns_returnperiod; DROP FUNCTION ims_period_stays_filed();"

OWN_RECIPIENT = """
ALTER TABLE returns_gstr2bline ADD CONSTRAINT line_of_a_record_of_its_recipient
    FOREIGN KEY (recipient_id, record_id) REFERENCES invoices_record (recipient_id, id);
ALTER TABLE returns_addback ADD CONSTRAINT addback_of_a_record_of_its_recipient
    FOREIGN KEY (recipient_id, record_id) REFERENCES invoices_record (recipient_id, id);
"""
ANY_RECIPIENT = """
ALTER TABLE returns_gstr2bline DROP CONSTRAINT line_of_a_record_of_its_recipient;
ALTER TABLE returns_addback DROP CONSTRAINT addback_of_a_record_of_its_recipient;
"""


class Migration(migrations.Migration):
    dependencies = [("returns", "0001_initial"), ("invoices", "0002_append_only")]

    operations = [
        *(migrations.RunSQL(GUARD.format(table=table), UNGUARD.format(table=table)) for table in TABLES),
        migrations.RunSQL(LINES, NO_LINES),
        migrations.RunSQL(PERIODS, NO_PERIODS),
        migrations.RunSQL(OWN_RECIPIENT, ANY_RECIPIENT),
    ]
