"""Tries what was typed on the real equipment, at once, and gives what came as plain values."""

import asyncio
from collections.abc import Mapping
from typing import Any

from edge_agent.language import _
from edge_agent.layout import shown
from edge_agent.setup.draft import Values, connection_of
from edge_agent.trial import DeviceResult, try_connection


def read_points(
    driver: str, settings: Mapping[str, Any], device_address: Mapping[str, Any], points: Values
) -> Values:
    """Read these points of one device once.

    Args:
        driver: Its name.
        settings: Of the connection, as in the configuration file.
        device_address: What the points' addresses share, as in the file.
        points: Name -> point as in the file.

    Returns:
        `state`, `why` and `ms` of the device, and `values`: point name -> `v` as people read it,
        `why` it has none, `ok`.
    """
    try:
        made = connection_of(driver, settings, device_address, points)
    except ValueError as error:
        return {"state": "down", "why": str(error), "ms": 0, "values": {}}
    (result,) = asyncio.run(try_connection(made))
    return as_values(result)


def as_values(result: DeviceResult) -> Values:
    """Give what one read of a device brought, as a look keeps it."""
    values = {
        reading.point: {
            "ok": reading.value is not None,
            "v": shown(reading.value),
            "number": reading.value if type(reading.value) in {int, float} else None,
            "unit": reading.unit,
            "why": reading.detail or (reading.why.value if reading.why else ""),
        }
        for reading in result.readings
    }
    return {
        "state": result.state.value,
        "why": result.why,
        "code": result.code,
        "ms": result.ms,
        "at": result.ts,
        "answer_time": result.answer_time,
        "values": values,
    }


def complaint(seen: Values, name: str) -> str:
    """Say why a point could not be read; empty if it could."""
    if seen["why"]:
        return str(seen["why"])
    value = seen["values"][name]
    return "" if value["ok"] else _("the device answers, but: {why}").format(why=value["why"])
