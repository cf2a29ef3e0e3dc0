"""Logs: one line per change of state, JSON under systemd, colour on a terminal; never to stdout."""

import logging
import os
import sys

import structlog


def configure(level: str = "info") -> None:
    """Set up structlog for this process.

    Under systemd (which sets JOURNAL_STREAM or INVOCATION_ID) and wherever stderr is no terminal
    every line is a JSON object. Libraries' own logs appear from warnings on.
    """
    threshold = logging.getLevelName(level.upper())
    terminal = sys.stderr.isatty() and "INVOCATION_ID" not in os.environ
    processors: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if terminal:
        processors.append(_terminal_renderer())
    else:
        processors += [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(name)s: %(message)s")


def _terminal_renderer() -> structlog.types.Processor:
    from structlog.dev import ConsoleRenderer  # noqa: PLC0415 - it pulls in `rich`, 4 MB

    colours = "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    return ConsoleRenderer(colors=colours)
