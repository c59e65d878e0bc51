"""Logs: one line per event, for people or as JSON, never with patient data."""

from __future__ import annotations

import logging
import sys
from typing import Final

import structlog

from schemas.settings import LogSettings

_TALKATIVE: Final = (
    "faust", "mode", "aiokafka", "httpx", "httpcore", "uvicorn.access", "uvicorn.error", "psycopg.pool", "matplotlib",
)  # fmt: skip
"""Libraries that tell at INFO what only matters when they are debugged; uvicorn's lines also hold tokens (?token=)."""


def configure(settings: LogSettings, service: str) -> None:
    """Send structlog and the standard library's logging to standard error, once per process."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_renderers(settings)],
        )
    )
    logging.basicConfig(level=settings.level, handlers=[handler], force=True)
    if settings.level != "DEBUG":
        for name in _TALKATIVE:
            logging.getLogger(name).setLevel(logging.WARNING)


def _renderers(settings: LogSettings) -> list[structlog.typing.Processor]:
    if settings.format == "json":
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    # Not structlog's default, which prints every local variable: passwords, tokens and patients' names among them.
    plain = structlog.dev.plain_traceback
    return [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]


def logger(name: str) -> structlog.stdlib.BoundLogger:
    log: structlog.stdlib.BoundLogger = structlog.get_logger(name)
    return log
