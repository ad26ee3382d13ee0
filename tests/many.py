"""Many records in a moment: one record copied by the database itself, each copy a document of its own."""

from __future__ import annotations

from django.db import connection, transaction

from invoices.models import Record


def copies(record: Record, count: int) -> None:
    """Copy a record until there are `count` more of it, numbered after it; nothing was decided on any of them."""
    own = {
        "id": "nextval(pg_get_serial_sequence('invoices_record', 'id'))",
        "chain": "currval(pg_get_serial_sequence('invoices_record', 'id'))",
        "number": "r.number || '/' || n",
        "number_key": "r.number_key || '/' || n",
        "document_date": "r.document_date + (n %% 25)::int",
        "igst": "r.igst + 100 * (n %% 1000)",
        "effect_igst": "r.effect_igst + sign(r.effect_igst)::bigint * 100 * (n %% 1000)",
    }
    columns = [field.column for field in Record._meta.local_fields]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        # Copies refer to what their original does, so only the kept counts are left to do.
        cursor.execute("ALTER TABLE invoices_record ENABLE ALWAYS TRIGGER counts_of_inserted")
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            f"""
            INSERT INTO invoices_record ({", ".join(columns)})
            SELECT {", ".join(own.get(name, f"r.{name}") for name in columns)}
            FROM generate_series(1, %s) n, invoices_record r WHERE r.id = %s
            """,
            [count, record.pk],
        )
        cursor.execute("SET LOCAL session_replication_role = origin")
        cursor.execute("ALTER TABLE invoices_record ENABLE TRIGGER counts_of_inserted")
        cursor.execute("ANALYZE invoices_record")
