"""What must be so once all is quiet: what was acknowledged is in the history just once, and `verify` is silent."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Iterator, Sequence

from invoices.models import ActionEvent, Batch
from tests.acks import AckLog, Outcome
from tests.chaos.stage import Stage
from tests.load.measured import BROKE, BUSY, Run


def broken(run: Run, log: AckLog, confirmed: Sequence[uuid.UUID], stage: Stage) -> Iterator[str]:
    """Yield, a sentence each, what is not as it must be."""
    yield from (f"an error of ours: {one}" for one in run.faults if one.status >= BROKE and one.status != BUSY)
    yield from (f"the driver broke: {one}" for one in run.broke)
    yield from log.faults()
    yield from _batches(confirmed)
    yield from _verified(stage)


def _batches(confirmed: Sequence[uuid.UUID]) -> Iterator[str]:
    """Find bulks that were acknowledged and did not end, or whose history has not what they say they changed."""
    kept = {batch.pk: batch for batch in Batch.objects.filter(pk__in=confirmed)}
    for pk in confirmed:
        batch = kept.get(pk)
        if batch is None or batch.state != Batch.State.DONE:
            yield f"bulk {pk} was acknowledged and is {batch.state if batch else 'gone'}"
            continue
        said = batch.became.get("applied", {}).get("will", [0])[0]
        events = ActionEvent.objects.filter(request_id=pk).count()
        if said != events:
            yield f"bulk {pk} says that it changed {said} records; the history has {events}"


def _verified(stage: Stage) -> Iterator[str]:
    """Run `manage.py verify` and yield what it says is broken."""
    try:
        stage.manage("verify")
    except subprocess.CalledProcessError as failed:
        yield from (f"verify: {line}" for line in f"{failed.stdout}{failed.stderr}".splitlines())


def counted(log: AckLog, confirmed: Sequence[uuid.UUID]) -> dict[str, int]:
    """Return how much was acknowledged."""
    return {
        "actions": log.count(Outcome.OK),
        "conflicts": log.count(Outcome.CONFLICT),
        "refused": log.count(Outcome.REFUSED),
        "unknown": log.count(Outcome.UNKNOWN),
        "bulks": len(confirmed),
    }
