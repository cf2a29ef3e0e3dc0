"""The demo's machines as physics: no I/O, no clock; time passes only by `step(seconds)`.

The figures are invented but plausible, so that what belongs together moves together: a stroke of
the press draws power, power over time is energy, heat takes time to arrive.
"""

import math
from dataclasses import dataclass
from enum import IntEnum

HALL_TEMPERATURE = 24.0  # Cel


class PressState(IntEnum):
    """What the press does, as its PLC says it."""

    STOPPED = 0
    SETUP = 1
    RUNNING = 2
    FAULT = 3


SHIFT = (
    (PressState.RUNNING, 35.0),
    (PressState.SETUP, 6.0),
    (PressState.RUNNING, 50.0),
    (PressState.FAULT, 5.0),
    (PressState.STOPPED, 6.0),
)
"""What the press does in turn, and for how many seconds."""


@dataclass
class Press:
    """An eccentric press with a flywheel: one part per stroke.

    Attributes:
        clock: Seconds since the shift began.
        speed: Strokes per minute.
        angle: Of the crank, in degrees; 0 is the top, 180 the bottom.
        strokes: Since the press was built.
        force: Peak of the last stroke in kN.
        oil_temperature: In Cel.
    """

    clock: float = 0.0
    speed: float = 46.0
    angle: float = 0.0
    strokes: int = 1_204_377
    force: float = 632.0
    oil_temperature: float = 38.0

    @property
    def state(self) -> PressState:
        """What the shift plan says for this moment."""
        left = self.clock % sum(seconds for _, seconds in SHIFT)
        for state, seconds in SHIFT:
            if left < seconds:
                return state
            left -= seconds
        return SHIFT[-1][0]

    @property
    def guard_closed(self) -> bool:
        """Whether the guard is shut; people reach in only while it is open."""
        return self.state in {PressState.RUNNING, PressState.STOPPED}

    @property
    def power(self) -> float:
        """Electrical power in kW: pumps, friction, and the push through the last 60 degrees."""
        pump = 0.4 if self.state is PressState.FAULT else 1.6
        push = math.sin(math.radians((self.angle - 120.0) * 3.0)) if 120 < self.angle < 180 else 0.0
        return pump + 0.05 * self.speed + 9.0 * push * self.speed / 48.0

    def step(self, seconds: float) -> None:
        """Let time pass."""
        self.clock += seconds
        target = 48.0 if self.state is PressState.RUNNING else 0.0
        self.speed += (target - self.speed) * (1 - math.exp(-seconds / 1.2))
        self.angle += self.speed * 360.0 / 60.0 * seconds
        turns, self.angle = divmod(self.angle, 360.0)
        if turns:
            self.strokes += int(turns)
            self.force = 630.0 + 14.0 * math.sin(self.strokes * 0.7) + 6.0 * math.sin(self.strokes)
        warm = HALL_TEMPERATURE + 0.62 * self.speed
        self.oil_temperature += (warm - self.oil_temperature) * (1 - math.exp(-seconds / 240.0))


@dataclass
class Oven:
    """An electric oven with a thermostat: the elements heat the chamber, the chamber the hall.

    Two heat stores in a row, so the chamber goes on rising after the elements were switched off.

    Attributes:
        clock: Seconds since the programme began.
        chamber: Cel. elements: Cel.
        heating: Whether the elements are switched on.
    """

    clock: float = 0.0
    chamber: float = 174.0
    elements: float = 240.0
    heating: bool = True

    HEATER = 18.0  # kW
    ELEMENTS_STORE, CHAMBER_STORE = 4.0, 60.0  # kJ/K
    INTO_CHAMBER, INTO_HALL = 0.16, 0.03  # kW/K

    @property
    def setpoint(self) -> float:
        """What the programme asks for, in Cel."""
        return 180.0 if self.clock % 540.0 < 300.0 else 205.0

    @property
    def door_open(self) -> bool:
        """Whether somebody loads the oven."""
        return self.clock % 90.0 > 84.0

    @property
    def power(self) -> float:
        """Electrical power in kW; the fan always runs."""
        return 0.35 + (self.HEATER if self.heating else 0.0)

    def step(self, seconds: float) -> None:
        """Let time pass."""
        self.clock += seconds
        band = 1.5  # Cel, so that the contactor lives long
        if self.chamber > self.setpoint + band:
            self.heating = False
        elif self.chamber < self.setpoint - band:
            self.heating = True
        given = self.INTO_CHAMBER * (self.elements - self.chamber)
        leak = self.INTO_HALL * (6.0 if self.door_open else 1.0)
        lost = leak * (self.chamber - HALL_TEMPERATURE)
        heater = self.HEATER if self.heating else 0.0
        self.elements += (heater - given) * seconds / self.ELEMENTS_STORE
        self.chamber += (given - lost) * seconds / self.CHAMBER_STORE


@dataclass
class Meter:
    """A three-phase meter in front of one machine.

    Attributes:
        clock: Seconds.
        power: Active power of the three phases, in kW.
        energy: In kWh: the integral of power and nothing else.
    """

    energy: float
    clock: float = 0.0
    power: float = 0.0

    SHARES = (0.35, 0.33, 0.32)  # of the load on each phase

    @property
    def frequency(self) -> float:
        """Of the grid, in Hz."""
        return 50.0 + 0.02 * math.sin(self.clock / 11.0)

    @property
    def power_factor(self) -> float:
        """Poor without load, as motors are."""
        return 0.95 - 0.3 / (1.0 + self.power)

    @property
    def voltages(self) -> tuple[float, ...]:
        """Phase to neutral, in V; it sags a little under load."""
        return tuple(
            231.0 + 1.6 * math.sin(self.clock / 7.0 + phase) - 0.15 * self.power
            for phase in (0.0, 2.1, 4.2)
        )

    @property
    def currents(self) -> tuple[float, ...]:
        """In A: power = sum of voltage * current * power factor."""
        return tuple(
            1000.0 * self.power * share / (voltage * self.power_factor)
            for share, voltage in zip(self.SHARES, self.voltages, strict=True)
        )

    def step(self, seconds: float, power: float) -> None:
        """Let time pass while the machine draws this power in kW."""
        self.clock += seconds
        self.power = power
        self.energy += power * seconds / 3600.0


@dataclass
class Scale:
    """A bench scale: a box is put on, swings, stands still, and is taken off.

    Attributes:
        clock: Seconds since the box before was taken off.
        load: Gross weight of the box that is weighed now, in kg.
    """

    clock: float = 0.0
    load: float = 5.74

    CYCLE, EMPTY = 8.0, 1.2  # seconds: from box to box; with nothing on it
    SWING, SETTLING = 1.7, 0.28  # Hz; seconds until a swing is down to 37 %

    @property
    def weight(self) -> float:
        """What the load cell feels, in kg."""
        return self._rest + self._swing * math.cos(math.tau * self.SWING * self._since)

    @property
    def stable(self) -> bool:
        """Whether the swing is too small to be seen in the last digit, as scales decide it."""
        return abs(self._swing) < 0.001

    def step(self, seconds: float, next_load: float) -> None:
        """Let time pass; `next_load` (kg) is the box that would be put on next."""
        self.clock += seconds
        if self.clock >= self.CYCLE:
            self.clock %= self.CYCLE
            self.load = next_load

    @property
    def _since(self) -> float:
        return self.clock if self.clock < self.EMPTY else self.clock - self.EMPTY

    @property
    def _rest(self) -> float:
        return 0.0 if self.clock < self.EMPTY else self.load

    @property
    def _swing(self) -> float:
        size = 0.05 if self.clock < self.EMPTY else -self.load
        return size * math.exp(-self._since / self.SETTLING)
