"""What became of a wanted statement, for the page of its job."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from ims_portal.models import Taxpayer
from ims_portal.rules.actions import Refusal
from ims_portal.rules.periods import TaxPeriod
from invoices import standing
from invoices.models import Inbox
from returns import gstr2b, wording
from returns.models import Gstr2b, Gstr2bJob
from returns.wording import Advice


@dataclass(frozen=True, slots=True)
class Found:
    """A job with what it says: the statement once it is done, the cure where it was refused."""

    job: Gstr2bJob
    period: TaxPeriod
    statement: Gstr2b | None
    advice: Advice | None

    @property
    def stage(self) -> str:
        """What the job is at, in words."""
        return str(Gstr2bJob.Stage(self.job.stage).label) if self.job.stage in Gstr2bJob.Stage.values else ""

    @property
    def nothing_changed(self) -> bool:
        """Whether the statement stood already."""
        return self.job.notice == "NOTHING_CHANGED"


def of(*, taxpayer: Taxpayer, job_id: uuid.UUID, at: datetime) -> Found | None:
    """Return a job of a taxpayer, None for any other: at most five queries."""
    job = Gstr2bJob.objects.filter(taxpayer=taxpayer, pk=job_id).select_related("requested_by").first()
    if job is None:
        return None
    today = standing.of(taxpayer, at)
    period = today.filer.period(job.month)
    advice = None
    if job.notice in {refusal.value for refusal in Refusal}:
        open_month = Inbox.objects.values_list("open_month", flat=True).get(pk=taxpayer.pk)
        advice = wording.statement(
            Refusal(job.notice), taxpayer=taxpayer, period=period, today=today, open_month=open_month
        )
    done = job.state == Gstr2bJob.State.DONE
    return Found(job, period, gstr2b.current(taxpayer, period) if done else None, advice)
