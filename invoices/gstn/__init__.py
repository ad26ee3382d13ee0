"""IMS and GSTR-1 as existing GST software calls them (formats 2, 3)."""
