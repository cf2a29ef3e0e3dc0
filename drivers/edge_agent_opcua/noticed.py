"""Counts what is noticed, for the connection and for each device behind it. Pure.

Something watched is refused once, but stays wrong: so it counts again with each look at the device,
as it would if it were polled.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from edge_agent.driver import Flaw, Quality, WatchGroup, Why
from edge_agent_opcua import faults
from edge_agent_opcua.address import OpcUaAddress
from edge_agent_opcua.reconcile import Item


class Noticed:
    """The evidence of one connection.

    Args:
        evidence: Of the connection as a whole.
    """

    def __init__(self, evidence: "Counter[str]") -> None:
        self._evidence = evidence
        self._groups: Sequence[WatchGroup[OpcUaAddress]] = ()
        self._devices: Sequence[int] = ()
        self._counted: dict[int, Counter[str]] = defaultdict(Counter)
        self._refused: dict[tuple[int, float], Counter[str]] = {}

    def begin(self, groups: Sequence[WatchGroup[OpcUaAddress]]) -> None:
        """Learn which device is behind which group and address."""
        self._groups = groups
        self._devices = [group.device for group in groups]
        self._refused.clear()

    def count(self, kind: str, times: int = 1) -> None:
        """Count something about the connection as a whole."""
        self._evidence[kind] += times

    def add(self, group: int, found: "Counter[str]") -> None:
        """Count what was found at one group's device."""
        self._evidence.update(found)
        self._counted[self._devices[group]].update(found)

    def add_read(self, addresses: Sequence[OpcUaAddress], found: "Counter[str]") -> None:
        """Count what was found in a read of one device."""
        self._evidence.update(found)
        if (device := self._device(addresses)) is not None:
            self._counted[device].update(found)

    def add_everywhere(self, kinds: Iterable[str]) -> None:
        """Count what concerns every device."""
        found = Counter(kinds)
        self._evidence.update(found)
        for device in set(self._devices):
            self._counted[device].update(found)

    def refused(self, every: float, items: Iterable[Item]) -> None:
        """Take note of all that is refused at one interval."""
        refused: dict[int, Counter[str]] = {device: Counter() for device in self._devices}
        for item in items:
            kind = faults.noticed([Flaw(Quality.BAD, Why.REFUSED, item.trouble)])
            for target in item.targets:
                refused[self._devices[target.group]].update(kind)
        self._refused |= {(device, every): kinds for device, kinds in refused.items()}

    def of(self, addresses: Sequence[OpcUaAddress]) -> "Counter[str] | None":
        """Give what was counted at the device of these; None where nobody watches it."""
        device = self._device(addresses)
        if device is None:
            return None
        for (of, _), kinds in self._refused.items():
            if of == device:
                self._counted[device].update(kinds)
        return self._counted[device]

    def _device(self, addresses: Sequence[OpcUaAddress]) -> int | None:
        if not addresses:
            return None
        for group in self._groups:
            if group.addresses is addresses:  # mostly: the plan of what was reported
                return group.device
        first = addresses[0]
        return next((group.device for group in self._groups if first in group.addresses), None)
