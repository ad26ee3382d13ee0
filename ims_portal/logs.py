"""Logs: one JSON object per line on standard error, with ids only. Amounts, remarks and names stay out of them (F71).

Messages of exceptions can quote what somebody typed, so outside the sandbox a traceback is its places without its
texts. What frameworks say of a request quotes its address, in which GSTINs and keys stand; its route is told instead.
"""

import logging
import traceback
from types import TracebackType
from typing import Any

import structlog

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def configuration(*, level: str, with_texts: bool) -> dict[str, Any]:
    """Return Django's LOGGING and make structlog write through the same handler."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(_whole if with_texts else _places),
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": shared,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.JSONRenderer(sort_keys=True),
                ],
            },
        },
        "filters": {"no texts": {"()": NoTexts, "with_texts": with_texts}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json", "filters": ["no texts"]}},
        "root": {"handlers": ["stderr"], "level": level},
        # Django's own handlers would print the same again, or mail it to nobody.
        "loggers": {
            "django": {"handlers": [], "propagate": True},
            "django.server": {"handlers": [], "propagate": True},
        },
    }


class NoTexts(logging.Filter):
    """Rewords what frameworks log: the route of a request for its address, the kind of an exception for its text."""

    def __init__(self, *, with_texts: bool) -> None:
        super().__init__()
        self.with_texts = with_texts

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep every line, in our words."""
        if record.name.startswith(("django.request", "django.security")):
            status, of = getattr(record, "status_code", ""), route(getattr(record, "request", None))
            record.msg, record.args = f"{status} {of}".strip() or "refused", ()
        elif isinstance(record.args, dict) and "exc" in record.args and not self.with_texts:
            kind = record.exc_info[0] if record.exc_info else None
            record.args = record.args | {"exc": kind.__qualname__ if kind else ""}  # of a task that failed
        return True


def route(request: Any) -> str:  # noqa: ANN401 - nothing here knows the framework
    """Return the name of the page a request is for, "" where it is for none."""
    match = getattr(request, "resolver_match", None)
    return str(match.view_name) if match else ""


def request_number() -> str:
    """Return the number of the request that is being answered, "" outside of one."""
    return str(structlog.contextvars.get_contextvars().get("request", ""))


def _places(exc_info: ExcInfo) -> str:
    kind, _, trace = exc_info
    frames = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)]
    return "\n".join([*frames, kind.__qualname__])


def _whole(exc_info: ExcInfo) -> str:
    return "".join(traceback.format_exception(*exc_info))


def get(name: str) -> structlog.stdlib.BoundLogger:
    """Return a logger: logs.get(__name__).info("job_done", job=job.pk)."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger
