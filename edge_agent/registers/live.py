"""Reads points of a list once, from a device of the configuration."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from edge_agent.config.model import Connection, Device, Point
from edge_agent.plugins import load
from edge_agent.registers.table import ListUnreadable
from edge_agent.trial import try_connection

# What devices call it, in the words of the drivers. Source for Modbus: V1.1b3, 6.21.
_SAID = {
    "maker": ("maker", "vendor", "manufacturer", "manufacturer_name"),
    "model": ("model", "model_name", "product_name", "product", "product_code"),
}


def read_numbers(
    connection: Connection, shared: Mapping[str, Any], bodies: Sequence[Mapping[str, Any]]
) -> list[float | None]:
    """Read points once.

    Args:
        connection: Of a checked configuration; its devices do not matter.
        shared: What the device's `address` says in the file.
        bodies: Points as in the configuration.

    Returns:
        Their values in engineering units; None where there is no number.

    Raises:
        ListUnreadable: The device does not answer; the message says why.
    """
    address_type = load(connection.driver).address_type
    points = tuple(
        Point(
            f"way-{number}",
            address_type.model_validate(address_type.merged(shared, body["address"])),
            scale=body.get("scale", 1),
            add=body.get("add", 0),
        )
        for number, body in enumerate(bodies)
    )
    device = Device("list", points)
    trial = Connection(connection.name, connection.driver, connection.settings, (device,))
    (result,) = asyncio.run(try_connection(trial))
    if not result.readings or (result.good == 0 and result.why):
        raise ListUnreadable(f"{connection.name}: {result.why}")
    return [_number(reading.value) for reading in result.readings]


async def identity(connection: Connection, device: Device) -> dict[str, str]:
    """Ask a device whose it is and which: `maker` and `model`; what it does not say is missing.

    Raises:
        ConnectionLost: The link cannot be opened, or broke.
    """
    driver = load(connection.driver)(connection.settings)
    try:
        await driver.open()
        plan = driver.plan([point.address for point in device.points], {})
        said = await driver.identify(plan)
    finally:
        await driver.close()
    named = {
        key: next((said[at] for at in words if said.get(at)), "") for key, words in _SAID.items()
    }
    return {key: text.strip() for key, text in named.items() if text.strip()}


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
