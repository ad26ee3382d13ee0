"""Characters that no text may hold, typed or uploaded: controls, halves of characters, turned writing direction."""

from __future__ import annotations

import re

UNWELCOME = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
