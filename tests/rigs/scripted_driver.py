"""A driver that does what a test's script says: for everything above the driver border."""

from collections.abc import Callable
from typing import Any

from edge_agent.config.model import Connection, Device, Point
from edge_agent.driver import Address, Driver, Plan, Samples, Settings


class ScriptedSettings(Settings):
    """Nothing."""


class ScriptedAddress(Address):
    """A name."""

    at: str = "x"

    def __str__(self) -> str:
        return self.at

    def value_type(self) -> str:
        return "int16"


class ScriptedDriver(Driver[ScriptedSettings, ScriptedAddress]):
    """Asks `script(addresses)` for the samples of each read; it may raise.

    Attributes:
        opened: How often it was opened.
        closed: How often it was closed.
        reads: The addresses of every read.
        opening: Called at every open; it may raise.
    """

    settings_type = ScriptedSettings
    address_type = ScriptedAddress

    def __init__(self, script: Callable[[list[str]], Any]) -> None:
        super().__init__(ScriptedSettings())
        self.script = script
        self.opening: Callable[[], None] = lambda: None
        self.opened = self.closed = 0
        self.reads: list[list[str]] = []
        self.plans: list[Any] = []

    async def open(self) -> None:
        self.opened += 1
        self.opening()

    def plan(self, addresses: Any, learnt: Any) -> Plan[ScriptedAddress]:
        self.plans.append(learnt)
        return Plan(tuple(addresses), patience=0.5)

    async def read(self, plan: Plan[ScriptedAddress]) -> Samples:
        names = [address.at for address in plan.addresses]
        self.reads.append(names)
        result = self.script(names)
        if hasattr(result, "__await__"):
            result = await result
        return result if isinstance(result, Samples) else Samples(list(result))

    async def close(self) -> None:
        self.closed += 1


def connection(*devices: str, every: float = 0.01, points: int = 1) -> Connection:
    """Configure a connection with some devices, each with a few points of the same interval."""
    return Connection(
        "line",
        "scripted",
        ScriptedSettings(),
        tuple(
            Device(
                name,
                tuple(
                    Point(f"p{number}", ScriptedAddress(at=f"{name}.p{number}"), every=every)
                    for number in range(points)
                ),
            )
            for name in devices
        ),
    )
