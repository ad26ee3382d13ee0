"""What is counted for those who run the portal: labels are our own names, never a GSTIN, a person or an address.

Counters live in files beside the process, so that gunicorn's workers add up (`PROMETHEUS_MULTIPROC_DIR`, which
gunicorn.conf.py sets); what the database knows is read from it when somebody asks.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

SECONDS = (0.025, 0.05, 0.1, 0.3, 0.5, 1, 2, 5, 15)
"""Bounds of the histogram: promises 6.2 asks for 0.3 s to read, 0.5 s to act; 15 s is where a statement ends."""

REQUESTS = Counter("ims_requests", "Requests answered", ["route", "method", "status"])
DURATION = Histogram("ims_request_seconds", "Seconds until a request was answered", ["route"], buckets=SECONDS)
BROKER_FAILURES = Counter("ims_broker_failures", "Times the broker failed and was left alone for a while")

Reader = Callable[[], Iterable[GaugeMetricFamily]]
_readers: list[Reader] = []


def answered(*, route: str, method: str, status: int, seconds: float) -> None:
    """Count a request. Counters lie in files; whoever swept those away, or filled the disk, stops nobody by it."""
    with suppress(OSError):
        REQUESTS.labels(route, method, str(status)).inc()
        DURATION.labels(route).observe(seconds)


def broker_failed() -> None:
    """Count a time the broker failed, as `answered` counts."""
    with suppress(OSError):
        BROKER_FAILURES.inc()


def serve(reader: Reader) -> None:
    """Name a reader of the database; each room names its own at its start."""
    _readers.append(reader)


def text() -> bytes:
    """Return everything in Prometheus' text format; it asks the database."""
    registry = CollectorRegistry()
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        for own in (REQUESTS, DURATION, BROKER_FAILURES):
            registry.register(own)
    registry.register(_Database())
    return generate_latest(registry)


class _Database(Collector):
    def collect(self) -> Iterable[GaugeMetricFamily]:
        for reader in _readers:
            yield from reader()
