"""How deep the suite digs: `make test` what a change needs, `make thorough` all random histories and examples."""

import os

IS_THOROUGH = os.environ.get("IMS_THOROUGH") == "1"
ROUNDS = int(os.environ.get("IMS_ROUNDS", "0"))
"""Rounds of each race, where it is told: a release has a thousand (promises 6.2)."""
