"""GSTR-2B and GSTR-3B as existing GST software calls them (formats 5, 6)."""
