"""How deep the suite digs: `make test` what a change needs, `make thorough` all random histories and examples."""

import os

IS_THOROUGH = os.environ.get("IMS_THOROUGH") == "1"
