"""Points of one device that are read together, and everything prepared for doing so."""

from collections.abc import Sequence

from edge_agent.conditioning import Conditioner
from edge_agent.config.model import Device, Point
from edge_agent.driver import Plan
from edge_agent.model import Learnt, Samples, Why
from edge_agent.payload import ReadingsEncoder
from edge_agent.plugins import AnyDriver

MOST_READINGS = 1000  # in one message: some 40 kB, well below the 128 kB that brokers commonly take


class PollGroup:
    """One device's points of one interval: their plan, their conditioning, their encoding.

    Attributes:
        device: The device's name.
        every: Seconds between polls.
        plan: How the driver reads them.
    """

    __slots__ = ("_conditioner", "_encoder", "_names", "_refused", "device", "every", "plan")

    def __init__(self, device: str, points: Sequence[Point], driver: AnyDriver, learnt: Learnt):
        self.device = device
        self.every = points[0].every
        self._conditioner = Conditioner(points)
        self._encoder = ReadingsEncoder(points)
        self._names = tuple(point.name for point in points)
        self._refused: dict[int, str] = {}  # index -> what the device said
        self.plan: Plan[object] = driver.plan([point.address for point in points], learnt)  # type: ignore[type-var]  # the driver's own addresses

    def plan_again(self, driver: AnyDriver, learnt: Learnt) -> None:
        """Make a new plan from what the driver learnt."""
        self.plan = driver.plan(self.plan.addresses, learnt)

    def note_refusals(self, samples: Samples) -> tuple[dict[str, str], list[str]]:
        """Compare with the polls before.

        Returns:
            Point -> why, for those that the device refuses from now on; and the points that it
            gives again.
        """
        if not (samples.flaws or self._refused):
            return {}, []
        refused = {i: flaw.detail for i, flaw in samples.flaws.items() if flaw.why is Why.REFUSED}
        new = {self._names[i]: why for i, why in refused.items() if i not in self._refused}
        given = [i for i in self._refused if i not in samples.flaws]
        self._refused |= refused
        for index in given:
            del self._refused[index]
        return new, [self._names[i] for i in given]

    def encode(self, samples: Samples, now: float) -> list[tuple[int, bytes]]:
        """Turn one poll's samples into message bodies, with the number of readings in each.

        Args:
            samples: What the driver brought.
            now: Seconds on the steady clock.
        """
        readings = self._conditioner.condition(samples, now)
        indices = readings.indices
        if len(indices) <= MOST_READINGS:
            return [(len(indices), self._encoder.encode(readings, indices))] if indices else []
        parts = [indices[i : i + MOST_READINGS] for i in range(0, len(indices), MOST_READINGS)]
        return [(len(part), self._encoder.encode(readings, part)) for part in parts]


def poll_groups(device: Device, driver: AnyDriver, learnt: Learnt) -> list[PollGroup]:
    """Part a device's points by their interval."""
    by_interval: dict[float, list[Point]] = {}
    for point in device.points:
        by_interval.setdefault(point.every, []).append(point)
    return [PollGroup(device.name, points, driver, learnt) for points in by_interval.values()]
