"""Numbers the messages of an epoch without gaps, within what is reserved on disk. Pure."""

import math

from edge_agent.reserve import Reservation

SMALLEST_RESERVE = 10_000
SPARE = 100  # kept for records of loss when everything else has run out
# A reserve lasts this long at the average rate, if the disk refuses more: a technician comes within
# a day. It is also what a record names after a kill, so a burst must not make it long.
RESERVE_SECONDS = 86400.0
AVERAGE_SECONDS = 3600.0  # what is much shorter hardly counts in the average
TOO_MUCH = 4  # a reserve that is so many times what is needed is cut back
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
        self._rate = 0.0

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

        From now on no number is used that it would not reserve, since nobody can tell how much of
        a write that fails is on the disk.

        Args:
            accounted: Every number up to here is acknowledged or on disk.
            ts: Wall clock, ms since 1970 UTC.
            mono: Seconds on a steady clock, to know the rate.
        """
        recent = self.last - self._granted[1]
        needed = max(SMALLEST_RESERVE, 2 * recent, int(self._average(mono) * RESERVE_SECONDS))
        reserved = self.last + needed
        if self.reserved - self.last <= TOO_MUCH * needed:
            reserved = max(self.reserved, reserved)
        self.reserved = min(self.reserved, reserved)
        return Reservation(self.epoch, accounted, reserved, ts)

    def granted(self, reservation: Reservation, mono: float) -> None:
        """Take note that the reservation is on disk; `mono` is when it was made."""
        self._rate = self._average(mono)
        self.reserved = reservation.reserved
        self._reserve = self.reserved - self.last
        self._granted = (mono, self.last)

    def _average(self, mono: float) -> float:
        """Give the numbers used per second, on an average that forgets slowly."""
        since, used = self._granted
        elapsed = max(mono - since, 1.0)
        recent = (self.last - used) / elapsed
        return self._rate + (1 - math.exp(-elapsed / AVERAGE_SECONDS)) * (recent - self._rate)
