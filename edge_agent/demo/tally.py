"""Counts what arrived, and proves by the sequence numbers that nothing is missing. Pure."""

from dataclasses import dataclass, field
from typing import Any

Payload = dict[str, Any]


@dataclass
class Numbers:
    """The sequence numbers of one epoch that are accounted for: arrived, or named as lost.

    Attributes:
        settled: Every number up to this one is accounted for.
        ahead: Numbers beyond it that are.
    """

    settled: int = 0
    ahead: set[int] = field(default_factory=set)

    def add(self, number: int) -> bool:
        """Account for a number; False if it already was."""
        if number <= self.settled or number in self.ahead:
            return False
        self.ahead.add(number)
        while self.settled + 1 in self.ahead:
            self.settled += 1
            self.ahead.discard(self.settled)
        return True

    def missing(self) -> int:
        """Count the numbers below the highest one that are not accounted for."""
        return max(self.ahead) - self.settled - len(self.ahead) if self.ahead else 0


@dataclass
class Tally:
    """What a subscriber received from one agent, whose numbers it has seen from the first one."""

    messages: int = 0
    readings: int = 0
    devices: set[str] = field(default_factory=set)
    epochs: dict[str, Numbers] = field(default_factory=dict)

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
        return sum(numbers.missing() for numbers in self.epochs.values())

    def __str__(self) -> str:
        return (
            f"{self.messages} messages, {self.readings} readings from {len(self.devices)} devices, "
            f"sequence numbers missing: {self.missing()}"
        )

    def _account(self, epoch: str, number: int) -> bool:
        return self.epochs.setdefault(epoch, Numbers()).add(number)

    def _forgive(self, loss: Payload) -> None:
        if loss["first"] is None or loss["last"] is None:
            return
        numbers = self.epochs.setdefault(loss["lost_epoch"], Numbers())
        for number in range(loss["first"], loss["last"] + 1):
            numbers.add(number)
