"""IMS for programs: records, what may be decided on them, their history; the supplier's side (formats 12.2)."""
