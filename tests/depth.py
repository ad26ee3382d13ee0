"""How deep the suite digs: `make test` what a change needs, `make thorough` all random histories and examples."""

import os

IS_THOROUGH = os.environ.get("IMS_THOROUGH") == "1"
ROUNDS = int(os.environ.get("IMS_ROUNDS", "0"))
"""Rounds of each race, where it is told: a release has a thousand (promises 6.2)."""
FUZZ_CASES = int(os.environ.get("IMS_FUZZ_CASES", "0"))
"""Made-up requests to be sent by the tests that make them up, together at least; 0 is the few every change needs."""
