"""Numbers the messages of an epoch without gaps, within what is reserved on disk. Pure."""

from edge_agent.reserve import Reservation

SMALLEST_RESERVE = 10_000
SPARE = 100  # kept for records of loss when everything else has run out
RESERVE_SECONDS = 86400.0  # a reserve lasts this long at the present rate, if the disk refuses more
RENEW_SECONDS = (
    600.0  # how often what is accounted for is written down; bounds the range after a kill
)


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
        self._granted = (float("-inf"), last)

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
    def spent(self) -> bool:
        """Whether not even a record of loss may take a number."""
        return self.last >= self.reserved

    def running_low(self, mono: float) -> bool:
        """Tell whether it is time to reserve anew. `mono` is seconds on a steady clock."""
        since, used = self._granted
        is_stale = self.last > used and mono - since >= RENEW_SECONDS
        return self.reserved - self.last < self._reserve / 2 or self.exhausted or is_stale

    def reservation(self, accounted: int, ts: int, mono: float) -> Reservation:
        """Say what to write down so that more numbers can be used.

        Args:
            accounted: Every number up to here is acknowledged or on disk.
            ts: Wall clock, ms since 1970 UTC.
            mono: Seconds on a steady clock, to know the present rate.
        """
        since, used = self._granted
        rate = (self.last - used) / max(mono - since, 1.0)
        reserve = max(SMALLEST_RESERVE, int(rate * RESERVE_SECONDS))
        return Reservation(self.epoch, accounted, max(self.reserved, self.last + reserve), ts)

    def granted(self, reservation: Reservation, mono: float) -> None:
        """Take note that the reservation is on disk; `mono` is when it was made."""
        self.reserved = max(self.reserved, reservation.reserved)
        self._reserve = self.reserved - self.last
        self._granted = (mono, self.last)
