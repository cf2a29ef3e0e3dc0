"""Makes a report and puts it where people find it."""

import time
from pathlib import Path
from typing import Any

from edge_agent.errors import EdgeAgentError
from edge_agent.report.gathering import gather
from edge_agent.report.looking import Told, nobody
from edge_agent.report.model import Report
from edge_agent.report.page import write_html
from edge_agent.versions import write_whole

MODE = 0o644  # it is meant to be shown


def produce(config: Path, out: Path | None = None, tell: Told = nobody) -> dict[str, Any]:
    """Make a report, for the wizard: what goes wrong is said, not raised.

    Takes up to a minute where points are read every minute; `tell` is told how long still.

    Returns:
        `file`: where it is, empty if it could not be made; `hash`: what it shows at its end;
        `problem`: a sentence, empty if all went well.
    """
    try:
        report = gather(config, tell=tell)
        file = out or usual_place(config, report)
        write(file, write_html(report))
    except (EdgeAgentError, OSError) as error:
        return {"file": "", "hash": "", "problem": str(error)}
    return {"file": str(file), "hash": report.seal, "problem": ""}


def usual_place(config: Path, report: Report) -> Path:
    """Name the file after gateway and day, beside the configuration."""
    day = time.strftime("%Y-%m-%d", time.localtime(report.made / 1000))
    return config.parent / f"report-{report.gateway.id}-{day}.html"


def write(file: Path, content: bytes) -> None:
    """Put the file in place as a whole.

    Raises:
        OSError: It cannot be written.
    """
    write_whole(file, content, like=file, mode=MODE)
