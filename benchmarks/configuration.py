"""Writes the configuration of a gateway under test."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

AGENT = "bench"
SITE = "works/bench"


@dataclass(frozen=True)
class Load:
    """What the agent has to do: so many devices with so many registers each, once in `every`.

    Attributes:
        every: Seconds between polls.
    """

    devices: int
    registers: int
    every: float = 1.0

    @property
    def points(self) -> int:
        """How many points the configuration has."""
        return self.devices * self.registers


def write(folder: Path, load: Load, ports: Sequence[int], broker_port: int) -> Path:
    """Write a configuration with one connection for each device, and give its path.

    Args:
        folder: Where it goes, and the agent's buffer.
        load: What is polled.
        ports: The TCP port of each device.
        broker_port: The broker's.
    """
    lines = [
        "version: 1",
        f"agent: {{id: {AGENT}, site: {SITE}}}",
        f"mqtt: {{url: 'mqtt://127.0.0.1:{broker_port}'}}",
        f"buffer: {{path: {folder / 'buffer'}}}",
        "connections:",
    ]
    for number, port in enumerate(ports[: load.devices]):
        lines += _connection(number, port, load)
    path = folder / "edge-agent.yaml"
    path.write_text("\n".join(lines) + "\n")
    (folder / "buffer").mkdir(exist_ok=True)
    return path


def _connection(number: int, port: int, load: Load) -> list[str]:
    head = [
        f"  - name: plc-{number:03}",
        "    driver: modbus",
        f"    settings: {{transport: tcp, host: 127.0.0.1, port: {port}}}",
        "    devices:",
        f"      - name: machine-{number:03}",
        "        address: {unit: 1, table: holding, type: uint16}",
        f"        every: {round(load.every * 1000)}ms",
        "        points:",
    ]
    points = (
        f"          value_{offset:03}: {{address: {{offset: {offset}}}}}"
        for offset in range(load.registers)
    )
    return [*head, *points]
