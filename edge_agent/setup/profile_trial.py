"""A device that names a profile, tried live and weighed, as the agent would read it.

It goes through the configuration's own reader, so that the wizard shows what the agent will send.
"""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from edge_agent.config.experience import Experience
from edge_agent.config.explain import explain
from edge_agent.config.library import Library
from edge_agent.config.loading import parse
from edge_agent.config.model import Connection
from edge_agent.setup.draft import Values
from edge_agent.setup.live import as_values
from edge_agent.trial import try_connection

_NAME = "device"


def connection_with(
    driver: str,
    settings: Mapping[str, Any],
    devices: Sequence[Mapping[str, Any]],
    folder: Path | None = None,
) -> Connection:
    """Make a connection with these devices, as in the configuration file of this folder.

    Raises:
        ValueError: The configuration would not have it; a sentence.
    """
    document = {
        "version": 1,
        "agent": {"id": "wizard", "site": "wizard"},
        "mqtt": {"url": "mqtt://localhost"},
        "connections": [
            {
                "name": "wizard",
                "driver": driver,
                "settings": dict(settings),
                "devices": [dict(device) for device in devices],
            }
        ],
    }
    text = yaml.safe_dump(document, allow_unicode=True, sort_keys=False)
    inspection = parse(text, folder or Path())
    if inspection.config is None:
        raise ValueError("; ".join(error.message for error in inspection.errors))
    return inspection.config.connections[0]


def read_device(
    driver: str,
    settings: Mapping[str, Any],
    device: Mapping[str, Any],
    folder: Path | None = None,
) -> Values:
    """Read all points of one device once.

    Returns:
        `state`, `why`, `code` and `ms`; `at`, when that was, ms since 1970 UTC; `answer_time`, as
        in `DeviceResult`; and `values`: point -> `ok`, `v` as people read it, the `number` it is or
        None, `unit`, and `why` it has none.
    """
    try:
        made = connection_with(driver, settings, [{"name": _NAME, **device}], folder)
    except ValueError as error:
        return {"state": "down", "why": str(error), "code": "", "ms": 0, "values": {}}
    (result,) = asyncio.run(try_connection(made))
    return as_values(result)


def busy(
    driver: str,
    settings: Mapping[str, Any],
    devices: Sequence[Mapping[str, Any]],
    answer_times: Sequence[float | None],
    folder: Path | None = None,
) -> float | None:
    """Tell which share of its time a line is used by these devices.

    Args:
        driver: Its name.
        settings: Of the connection, as in the file.
        devices: All that hang on it, as in the file.
        answer_times: Seconds that each thinks before it answers; None where nobody measured.
        folder: That of the configuration.

    Returns:
        Above 1 where the line cannot carry it; None where the driver does not know.
    """
    names = [f"{_NAME}-{number}" for number in range(len(devices))]
    named = [{**device, "name": name} for device, name in zip(devices, names, strict=True)]
    try:
        made = connection_with(driver, settings, named, folder)
    except ValueError:
        return None
    return load_of(made, dict(zip(names, answer_times, strict=True)), folder)


def load_of(
    connection: Connection,
    answer_times: Mapping[str, float | None],
    folder: Path | None = None,
) -> float | None:
    """Tell which share of its time a connection's line is used.

    Args:
        connection: As it will be.
        answer_times: Device -> seconds that it thinks before it answers; None where that is open.
        folder: That of the configuration.

    Returns:
        Above 1 where the line cannot carry it; None where the driver does not know.
    """
    known = {name: seconds for name, seconds in answer_times.items() if seconds is not None}
    return explain(connection, Experience({}, known), Library(folder)).busy
