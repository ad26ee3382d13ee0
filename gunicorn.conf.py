"""What gunicorn is told wherever it serves the portal from this folder.

Existing GST software sends headers with an underscore in their names, which servers drop: read as Django reads them,
`X_Forwarded_Proto` is the same as the proxy's own `X-Forwarded-Proto`. Only the two we know come through.
"""

from typing import Any

header_map = "dangerous"  # all of them, until `pre_request` has sorted them
KNOWN = frozenset({"RET_PERIOD", "RTN_TYP"})


def pre_request(_worker: Any, request: Any) -> None:  # noqa: ANN401 - gunicorn's own, without types
    """Keep, of the headers with an underscore, those of GST software."""
    request.headers = [(name, value) for name, value in request.headers if "_" not in name or name in KNOWN]
