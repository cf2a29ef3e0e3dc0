"""Counts what arrived, and proves by the sequence numbers that nothing is missing. Pure."""

from dataclasses import dataclass, field
from typing import Any

from edge_agent.language import _
from edge_agent.ranges import Ranges

Payload = dict[str, Any]


@dataclass
class Tally:
    """What a subscriber received from one agent, whose numbers it has seen from the first one."""

    messages: int = 0
    readings: int = 0
    devices: set[str] = field(default_factory=set)
    epochs: dict[str, Ranges] = field(default_factory=dict)

    def add(self, device: str, kind: str, payload: Payload) -> None:
        """Count one message of this agent, by the last two levels of its topic."""
        self.messages += 1
        if kind == "loss":
            self._account(payload["epoch"], payload["seq"])
            self._forgive(payload)
        if kind == "data" and self._account(payload["epoch"], payload["seq"]):
            self.readings += len(payload["readings"])
            self.devices.add(device)

    def missing(self) -> int:
        """Count sequence numbers that neither arrived nor stand in a loss record."""
        return sum(
            last - first + 1 for numbers in self.epochs.values() for first, last in numbers.gaps()
        )

    def __str__(self) -> str:
        return _(
            "{messages} messages, {readings} readings from {devices} devices, "
            "sequence numbers missing: {missing}"
        ).format(
            messages=self.messages,
            readings=self.readings,
            devices=len(self.devices),
            missing=self.missing(),
        )

    def _account(self, epoch: str, number: int) -> bool:
        return self._numbers(epoch).add(number)

    def _forgive(self, loss: Payload) -> None:
        if loss["first"] is not None and loss["last"] is not None:
            self._numbers(loss["lost_epoch"]).add(loss["first"], loss["last"])

    def _numbers(self, epoch: str) -> Ranges:
        return self.epochs.setdefault(epoch, Ranges([(0, 0)]))  # so that number 1 is missed, too
