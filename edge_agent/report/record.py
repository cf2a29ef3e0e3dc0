"""What only the person before the machines knew, kept beside the configuration.

Which values were compared with which display and when, who did it, and what the power-cycle test
gave: `setup` writes it down, and every later report repeats it. No secrets.
"""

from pathlib import Path
from typing import Any

import msgspec

from edge_agent.report.model import Confirmed
from edge_agent.versions import write_whole

FILE = "commissioning.json"
MODE = 0o644  # it holds no secrets, and whoever may read the configuration may read this


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What was kept; `power` as in `Report`."""

    by: str = ""
    confirmed: dict[str, Confirmed] = {}
    power: dict[str, Any] | None = None


def read(config: Path) -> Record:
    """Give what was kept beside this configuration; nothing where nothing can be read."""
    try:
        return msgspec.json.decode((config.parent / FILE).read_bytes(), type=Record)
    except (OSError, msgspec.DecodeError):
        return Record()


def keep(
    config: Path,
    *,
    confirmed: dict[str, dict[str, Any]] | None = None,
    power: dict[str, Any] | None = None,
    by: str | None = None,
) -> None:
    """Add to what is kept; what is not given stays as it is.

    Args:
        config: The configuration file.
        confirmed: Device -> `at`, ms since 1970 UTC, and `values`: point -> value as shown. Takes
            the place of everything confirmed before.
        power: What `powercut.judge` gave.
        by: Who is at work.

    Raises:
        OSError: It cannot be written.
    """
    before = read(config)
    after = Record(
        by=before.by if by is None else by,
        confirmed=before.confirmed
        if confirmed is None
        else msgspec.convert(confirmed, dict[str, Confirmed]),
        power=before.power if power is None else power,
    )
    file = config.parent / FILE
    content = msgspec.json.format(msgspec.json.encode(after), indent=1) + b"\n"
    write_whole(file, content, like=config, mode=MODE)
