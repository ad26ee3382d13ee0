"""What gunicorn is told wherever it serves the portal from this folder.

Existing GST software sends headers with an underscore in their names, which servers drop: read as Django reads them,
`X_Forwarded_Proto` is the same as the proxy's own `X-Forwarded-Proto`. Only the two we know come through.
"""

import os
import shutil
import tempfile
from typing import Any

# Before the portal is loaded: what its processes count is kept in files here and added up (ims_portal/metrics.py).
COUNTED = os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="ims-metrics-")

header_map = "dangerous"  # all of them, until `pre_request` has sorted them
KNOWN = frozenset({"RET_PERIOD", "RTN_TYP"})


def pre_request(_worker: Any, request: Any) -> None:  # noqa: ANN401 - gunicorn's own, without types
    """Keep, of the headers with an underscore, those of GST software."""
    request.headers = [(name, value) for name, value in request.headers if "_" not in name or name in KNOWN]


def on_exit(_server: Any) -> None:  # noqa: ANN401 - gunicorn's own, without types
    """Leave no files behind."""
    shutil.rmtree(COUNTED, ignore_errors=True)
