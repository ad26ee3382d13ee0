"""The interface existing GST software speaks, `/gstn/`, in its plain profile (formats 8.1, 8.2)."""
