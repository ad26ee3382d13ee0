"""Explanations kept: one row for all lines decided alike, found by its content, never changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from ims_portal import sql
from ims_portal.sql import run
from invoices import why
from invoices.why import Facts
from returns.models import Explanation


def prepare(month: int, traces: Sequence[str]) -> None:
    """Make the temporary table `explained` (trace, why_id) for the lines of a month, keeping explanations that are new.

    Inserted in the order of their digests, so that two computations never wait for each other in a circle.
    """
    told = {trace: [step.stored() for step in why.steps(month, Facts.read(trace))] for trace in traces}
    digests = {trace: _digest(steps) for trace, steps in told.items()}
    missing = {digest: told[trace] for trace, digest in digests.items()}
    for digest in Explanation.objects.filter(digest__in=missing).values_list("digest", flat=True):
        del missing[digest]
    Explanation.objects.bulk_create(
        [Explanation(digest=digest, steps=missing[digest]) for digest in sorted(missing)], ignore_conflicts=True
    )
    ids = dict(Explanation.objects.filter(digest__in=set(digests.values())).values_list("digest", "pk"))
    run("DROP TABLE IF EXISTS explained")
    run("CREATE TEMPORARY TABLE explained (trace text PRIMARY KEY, why_id bigint NOT NULL) ON COMMIT DROP")
    sql.copy_in("explained", ("trace", "why_id"), [(trace, ids[digest]) for trace, digest in digests.items()])


def _digest(steps: list[dict[str, object]]) -> str:
    return hashlib.sha256(json.dumps(steps, sort_keys=True).encode()).hexdigest()
