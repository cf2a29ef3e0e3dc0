"""Whether a line can carry what is asked of it, worked out before anything opens. Pure.

A driver's plans say how long requests and answers occupy the line, at its baud rate. How long
devices think before they answer is known only where the agent has read them before.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from edge_agent import plugins
from edge_agent.config.experience import Experience
from edge_agent.config.model import Config, Connection, Device
from edge_agent.config.places import Path
from edge_agent.config.wording import Words
from edge_agent.driver import Address
from edge_agent.language import _
from edge_agent.plugins import AnyDriver

MOST_NAMED = 3  # devices in one hint


class Demand(NamedTuple):
    """Points of one device that are read together.

    Attributes:
        every: Seconds between polls.
        cost: Seconds that one poll occupies the line.
        is_measured: Whether that includes how long the device thinks.
    """

    device: str
    points: int
    every: float
    cost: float
    is_measured: bool

    @property
    def share(self) -> float:
        """Give the share of the line's time."""
        return self.cost / self.every


def demands(connection: Connection, driver: AnyDriver, known: Experience) -> list[Demand]:
    """Ask the driver what each poll costs."""
    return [demand for device in connection.devices for demand in _of_device(device, driver, known)]


def _of_device(device: Device, driver: AnyDriver, known: Experience) -> Iterator[Demand]:
    """Points of one device with one interval are read together."""
    groups: defaultdict[float, list[Address]] = defaultdict(list)
    for point in device.points:
        groups[point.every].append(point.address)
    answer_time = known.answer_times.get(device.name)
    for every, addresses in groups.items():
        plan = driver.plan(addresses, known.learnt.get(device.name, {}))
        cost = plan.cost + plan.requests * (answer_time or 0.0)
        yield Demand(device.name, len(addresses), every, cost, answer_time is not None)


class Shortfall(NamedTuple):
    """The interval that cannot be kept, and the one that could.

    Attributes:
        crowd: The demands of that interval, the most expensive first.
    """

    wanted: float
    possible: float
    crowd: list[Demand]


def shortfall(asked: Sequence[Demand]) -> Shortfall | None:
    """Find the interval that has to be made longer; None if the line can carry everything."""
    busy = sum(demand.share for demand in asked)
    if busy <= 1:
        return None
    by_interval: defaultdict[float, list[Demand]] = defaultdict(list)
    for demand in asked:
        by_interval[demand.every].append(demand)
    every, crowd = max(by_interval.items(), key=lambda item: sum(one.share for one in item[1]))
    others = busy - sum(one.share for one in crowd)
    # Where the others alone are too many, all have to be slowed down alike.
    possible = every * busy if others >= 1 else sum(one.cost for one in crowd) / (1 - others)
    return Shortfall(every, possible, sorted(crowd, key=lambda one: -one.cost))


def doubts(config: Config, known: Experience) -> Iterator[tuple[Path, Words]]:
    """Say of each line that cannot carry what is asked of it, what it could."""
    for at, connection in enumerate(config.connections):
        driver = plugins.load(connection.driver)(connection.settings)
        short = shortfall(demands(connection, driver, known))
        if short is not None:
            yield ("connections", at), _words(connection.name, short)


def _words(name: str, short: Shortfall) -> Words:
    at_best = "" if all(one.is_measured for one in short.crowd) else _(" at best")
    named = [f"{one.device} ({_counted(one.points)})" for one in short.crowd[:MOST_NAMED]]
    more = len(short.crowd) - MOST_NAMED
    crowd = ", ".join(named) + (_(" and {more} more devices").format(more=more) if more > 0 else "")
    return (
        _("{name}: {wanted:g} s wanted, {possible} s possible{at_best}").format(
            name=name, wanted=short.wanted, possible=_rounded_up(short.possible), at_best=at_best
        ),
        _("slow down these points or split the line: {crowd}").format(crowd=crowd),
    )


def _counted(points: int) -> str:
    return _("1 point") if points == 1 else _("{points} points").format(points=points)


def _rounded_up(seconds: float) -> str:
    """Write an interval that is certainly long enough, in two digits."""
    step = 10.0 ** (math.floor(math.log10(seconds)) - 1)
    return f"{math.ceil(seconds / step) * step:.3g}"
