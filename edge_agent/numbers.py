"""Numbers the messages of an epoch without gaps, within what is reserved on disk. Pure."""

from edge_agent.reserve import Reservation

SMALLEST_RESERVE = 10_000
SPARE = 100  # kept for records of loss when everything else has run out
RESERVE_SECONDS = 1200.0  # how long a reserve lasts at the present rate; renewed at half of it


class Numbers:
    """Gives every message its number, and the number before it on the same topic.

    Args:
        epoch: Identity of this sequence.
        last: The last number that may have been used.
        previous: Topic -> the last number on it, as far as known.
    """

    def __init__(self, epoch: str, last: int, previous: dict[str, int]) -> None:
        self.epoch = epoch
        self.last = last
        self.previous = previous
        self.reserved = last
        self._reserve = 0
        self._reserved_at: tuple[float, int] | None = None

    def take(self, topic: str) -> tuple[int, int]:
        """Give the next number and the one before it on this topic (0 if none is known)."""
        self.last += 1
        before = self.previous.get(topic, 0)
        self.previous[topic] = self.last
        return self.last, before

    @property
    def exhausted(self) -> bool:
        """Whether readings may take no more numbers until more are reserved."""
        return self.last + SPARE >= self.reserved

    @property
    def running_low(self) -> bool:
        """Whether it is time to reserve more."""
        return self.reserved - self.last < self._reserve / 2 or self.exhausted

    def reservation(self, accounted: int, ts: int, mono: float) -> Reservation:
        """Say what to write down so that more numbers can be used.

        Args:
            accounted: Every number up to here is acknowledged or on disk.
            ts: Wall clock, ms since 1970 UTC.
            mono: Seconds on a steady clock, to know the present rate.
        """
        self._reserve = max(SMALLEST_RESERVE, int(self._rate(mono) * RESERVE_SECONDS))
        self._reserved_at = (mono, self.last)
        return Reservation(self.epoch, accounted, self.last + self._reserve, ts)

    def granted(self, reservation: Reservation) -> None:
        """Take note that the reservation is on disk."""
        self.reserved = reservation.reserved

    def _rate(self, mono: float) -> float:
        if self._reserved_at is None:
            return 0.0
        since, used = self._reserved_at
        return (self.last - used) / max(mono - since, 1.0)
