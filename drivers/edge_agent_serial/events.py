"""Reports what an instrument sends when something happens: each event once, none left out."""

from collections import Counter
from collections.abc import Callable, Sequence

from edge_agent.driver import (
    ChangeQueue,
    Changes,
    ConnectionLost,
    Quality,
    Sample,
    Samples,
    WatchGroup,
)
from edge_agent_serial.address import SerialAddress
from edge_agent_serial.frames import Frame
from edge_agent_serial.inbox import Arrival


class Events:
    """From frames to changes, for one open link.

    Args:
        same_within: Seconds within which the same bytes again are the same event.
        sample: Gives what an address stands for in a frame.
        evidence: Takes `repeated`, frames that were the same event again.
    """

    def __init__(
        self,
        same_within: float,
        sample: Callable[[SerialAddress, Frame], Sample],
        evidence: "Counter[str]",
    ) -> None:
        self.queue = ChangeQueue()
        self._same_within, self._sample, self._evidence = same_within, sample, evidence
        self._groups: Sequence[WatchGroup[SerialAddress]] = ()
        self._last = b""
        self._last_at = float("-inf")

    def watch(
        self,
        groups: Sequence[WatchGroup[SerialAddress]],
        first: Callable[[SerialAddress], Sample],
    ) -> None:
        """Report to these groups from now on, and begin with what there is at first."""
        self._groups = groups
        for number, group in enumerate(groups):
            samples = Samples.of(first(address) for address in group.addresses)
            self.queue.put(Changes(number, range(len(samples)), samples))

    def note(self, arrival: Arrival) -> None:
        """Report a frame, unless it is the event before once more."""
        frame = arrival.frame
        is_same = frame.raw == self._last and arrival.time - self._last_at < self._same_within
        self._last, self._last_at = frame.raw, arrival.time
        if is_same:
            self._evidence["repeated"] += 1
            return
        self.report(frame)

    def report(self, frame: Frame) -> None:
        """Report a frame to all groups of which it says anything."""
        for number, group in enumerate(self._groups):
            indices = [at for at, each in enumerate(group.addresses) if _tells(frame, each)]
            if indices:
                samples = Samples.of(self._sample(group.addresses[at], frame) for at in indices)
                self.queue.put(Changes(number, indices, samples))

    def end(self, why: str) -> None:
        """Let who waits know that the link is gone, once everything before is fetched."""
        self.queue.end(ConnectionLost(why))


def _tells(frame: Frame, address: SerialAddress) -> bool:
    """Tell whether a frame says anything about a field, be it that it has no value."""
    if address.field not in frame.fields:
        return False
    if frame.flaw is not None and frame.flaw.quality is Quality.BAD:
        return True
    return frame.fields[address.field] is not None or address.field in frame.flaws
