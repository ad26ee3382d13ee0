"""Read the feeds of what has no form here (formats 10): bills of entry, GSTR-6 and Rule 37A reversals.

Each reader streams and may raise after thousands of records; its last item is the batch, and only where nothing was
wrong: keep what it yields in staging until that came.
"""

from __future__ import annotations
