"""A driver without equipment: every address is a sine wave of its own."""

import math
import time

from pydantic import Field

from edge_agent.driver import Address, ConnectionLost, Driver, Plan, Samples, Settings


class SimulatedSettings(Settings):
    """Nothing has to be reached."""

    def peers(self) -> tuple[str, ...]:
        return ()


class SineAddress(Address):
    """A sine wave: middle + amplitude * sin(2 pi t / period), t in seconds of the system clock."""

    amplitude: float = 1.0
    """Half the height of the wave."""
    middle: float = 0.0
    """What the wave swings around."""
    period: float = Field(default=60.0, gt=0)
    """Seconds from crest to crest."""

    def value_type(self) -> str:
        return "float"

    def __str__(self) -> str:
        return f"sine {self.middle}±{self.amplitude} every {self.period:g} s"

    def at(self, seconds: float) -> float:
        """Give the wave's value at this many seconds."""
        return self.middle + self.amplitude * math.sin(2 * math.pi * seconds / self.period)


class SimulatedDriver(Driver[SimulatedSettings, SineAddress]):
    """Gives each address its wave."""

    settings_type = SimulatedSettings
    address_type = SineAddress

    _open = False

    async def open(self) -> None:
        self._open = True

    async def read(self, plan: Plan[SineAddress]) -> Samples:
        if not self._open:
            raise ConnectionLost("the simulated link is closed: open it first")
        now = time.time()
        return Samples([address.at(now) for address in plan.addresses])

    async def close(self) -> None:
        self._open = False
