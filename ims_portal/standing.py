"""What the database tells those who run the portal, each time it is asked: work that waits, what was made of it."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Model
from prometheus_client.core import GaugeMetricFamily

from ims_portal import metrics, queue, standing_sql


def serve() -> None:
    """Have work and connections told among the metrics."""
    metrics.serve(_work)
    metrics.serve(_connections)


def count(name: str, says: str, model: type[Model]) -> None:
    """Have the rows of a model told among the metrics, as each room asks for its own."""

    def read() -> Iterator[GaugeMetricFamily]:
        yield GaugeMetricFamily(name, says, value=standing_sql.rows(model._meta.db_table))  # noqa: SLF001 as below

    metrics.serve(read)


def _work() -> Iterator[GaugeMetricFamily]:
    jobs = GaugeMetricFamily("ims_jobs", "Jobs that wait, run or failed", labels=["kind", "state"])
    oldest = GaugeMetricFamily(
        "ims_job_oldest_seconds", "Seconds since the longest untouched", labels=["kind", "state"]
    )
    tables = [(queue.code(kind), kind._meta.db_table) for kind in queue.tasks()]  # noqa: SLF001 Django's documented interface
    for kind, state, number, age in standing_sql.work(tables):
        jobs.add_metric([kind, state], number)
        oldest.add_metric([kind, state], age)
    yield jobs
    yield oldest


def _connections() -> Iterator[GaugeMetricFamily]:
    yield GaugeMetricFamily("ims_database_connections", "Connections of the database", value=standing_sql.connections())
