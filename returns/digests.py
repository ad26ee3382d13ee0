"""The SHA-256 by which a signatory says that what is filed is what was shown."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

Rows = Mapping[str, Any]


def of_return(  # noqa: PLR0913 one argument per part of what is filed
    *,
    gstin: str,
    period: str,
    statement: tuple[int, int] | None,
    derived: Rows,
    declared: Rows,
    reasons: Mapping[str, str],
    payment: Rows,
    taxable: tuple[Rows, Rows],
) -> str:
    """Return the digest of a GSTR-3B: who, which period, which statement (id, version), every row, what is paid.

    Rows are row -> [igst, cgst, sgst, cess] in paise, `taxable` row -> paise, derived and declared. Payment and taxable
    values are left out where none are kept: returns of before they were have their digest without them.
    """
    content: dict[str, object] = {
        "gstin": gstin,
        "period": period,
        "statement": list(statement) if statement else None,
        "derived": derived,
        "declared": declared,
        "reasons": dict(reasons),
        **({"payment": payment} if payment else {}),
    }
    if taxable[0]:
        content["taxable"] = [dict(one) for one in taxable]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
