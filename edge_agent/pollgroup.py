"""Points of one device that are read together, and everything prepared for doing so."""

from collections.abc import Mapping, Sequence
from typing import Any

from edge_agent.conditioning import Conditioner
from edge_agent.config.model import Device, Point
from edge_agent.driver import Plan
from edge_agent.model import Learnt, Samples, Why
from edge_agent.onlookers import Seen
from edge_agent.payload import ReadingsEncoder
from edge_agent.plugins import AnyDriver

MOST_READINGS = 1000  # in one message: some 40 kB, well below the 128 kB that brokers commonly take
PORTION = 500  # points that are read apart at a time, so that changes meanwhile need not wait long


class PollGroup:
    """One device's points of one interval: their plan, their conditioning, their encoding.

    Attributes:
        device: The device's name.
        every: Seconds between polls.
        plan: How the driver reads them.
        conditioner: What makes readings of their samples.
        deadbands: Index -> by how much the raw value must change to be news, where nothing else
            decides about that.
    """

    __slots__ = (
        "_driver", "_encoder", "_learnt", "_refused", "_units",
        "conditioner", "deadbands", "device", "every", "plan",
    )  # fmt: skip

    def __init__(
        self,
        device: str,
        points: Sequence[Point],
        driver: AnyDriver,
        learnt: Learnt,
        *,
        watched: bool = False,
    ) -> None:
        self.device = device
        self.every = points[0].every
        self.conditioner = Conditioner(points, watched=watched)
        self.deadbands = _deadbands(points) if watched else {}
        self._encoder = ReadingsEncoder(points)
        self._driver, self._learnt = driver, learnt
        self._units = tuple(point.unit for point in points)
        self._refused: dict[int, str] = {}  # index -> what the device said
        self.plan: Plan[Any] = driver.plan([point.address for point in points], learnt)

    def plan_again(self, learnt: Learnt) -> None:
        """Make a new plan from what the driver learnt."""
        self._learnt = learnt
        self.plan = self._driver.plan(self.plan.addresses, learnt)

    def turns(self, now: float) -> "Sequence[PollGroup | Part]":
        """Give what is read when its time has come: all of it."""
        return [self]

    def parts(self, indices: Sequence[int]) -> "list[Part]":
        """Give some of its points to be read apart, in portions that are soon done."""
        addresses, parts = self.plan.addresses, []
        for start in range(0, len(indices), PORTION):
            portion = indices[start : start + PORTION]
            plan = self._driver.plan([addresses[index] for index in portion], self._learnt)
            parts.append(Part(self, portion, plan))
        return parts

    @property
    def remedy(self) -> str:
        """What to do about points that the device refuses."""
        return self._driver.remedy

    def note_refusals(
        self, samples: Samples, points: Sequence[int] | None = None
    ) -> tuple[dict[str, str], list[str]]:
        """Compare with the polls before.

        Args:
            samples: What the driver brought.
            points: The point of each sample, where they are not all points in order.

        Returns:
            Point -> why, for those that the device refuses from now on; and the points that it
            gives again.
        """
        if not (samples.flaws or self._refused):
            return {}, []
        rows = range(len(samples)) if points is None else points
        flaws = samples.flaws
        refused = {rows[i]: flaw.detail for i, flaw in flaws.items() if flaw.why is Why.REFUSED}
        new = {self._name(i): why for i, why in refused.items() if i not in self._refused}
        flawed = {rows[i] for i in flaws}
        given = [i for i in self._refused if i in rows and i not in flawed]
        self._refused |= refused
        for index in given:
            del self._refused[index]
        return new, [self._name(i) for i in given]

    def _name(self, point: int) -> str:
        return self._encoder.names[point].decode()

    def seen(self, samples: Samples, points: Sequence[int] | None = None) -> list[Seen]:
        """Give all readings as they are, for those who look on; `points` as in `encode`."""
        values, flaws = self.conditioner.judge(samples, points)
        rows = range(len(values)) if points is None else points
        return [
            Seen(self._name(point), value, flaws.get(row), self._units[point])
            for row, (point, value) in enumerate(zip(rows, values, strict=True))
        ]

    def encode(
        self, samples: Samples, now: float, points: Sequence[int] | None = None
    ) -> list[tuple[int, bytes]]:
        """Turn samples into message bodies, with the number of readings in each.

        Args:
            samples: What the driver brought.
            now: Seconds on the steady clock.
            points: The point of each sample, where they are not all points in order.
        """
        readings = self.conditioner.condition(samples, now, points)
        indices = readings.indices
        if len(indices) <= MOST_READINGS:
            return [(len(indices), self._encoder.encode(readings, indices))] if indices else []
        parts = [indices[i : i + MOST_READINGS] for i in range(0, len(indices), MOST_READINGS)]
        return [(len(part), self._encoder.encode(readings, part)) for part in parts]


class Part:
    """Some points of a poll group, by index: those that changed, or are read apart.

    A point that changed several times is in it several times.
    """

    __slots__ = ("_group", "_indices", "device", "every", "plan")

    def __init__(self, group: PollGroup, indices: Sequence[int], plan: Plan[Any]) -> None:
        self._group, self._indices = group, indices
        self.device, self.every, self.plan = group.device, group.every, plan

    @property
    def remedy(self) -> str:
        """What to do about points that the device refuses."""
        return self._group.remedy

    def note_refusals(self, samples: Samples) -> tuple[dict[str, str], list[str]]:
        """Compare with what was reported and polled before, as a poll group does."""
        return self._group.note_refusals(samples, self._indices)

    def seen(self, samples: Samples) -> list[Seen]:
        """Give all readings as they are, as a poll group does."""
        return self._group.seen(samples, self._indices)

    def encode(self, samples: Samples, now: float) -> list[tuple[int, bytes]]:
        """Turn samples into message bodies, as a poll group does."""
        return self._group.encode(samples, now, self._indices)


def _deadbands(points: Sequence[Point]) -> Mapping[int, float]:
    """Give the raw deadbands of those points for which the equipment can decide alone.

    It compares with what it reported last. That is what was published last only where no limit, no
    code and no reading after a silence makes other values pass.
    """
    return {
        index: abs(point.deadband.size / point.scale)
        for index, point in enumerate(points)
        if point.deadband and not point.deadband.percent and point.deadband.size and point.scale
        if not (point.range or point.no_value or point.max_silence)
    }


def poll_groups(
    device: Device, driver: AnyDriver, learnt: Learnt, *, watched: bool = False
) -> list[PollGroup]:
    """Part a device's points by their interval."""
    by_interval: dict[float, list[Point]] = {}
    for point in device.points:
        by_interval.setdefault(point.every, []).append(point)
    return [
        PollGroup(device.name, points, driver, learnt, watched=watched)
        for points in by_interval.values()
    ]
