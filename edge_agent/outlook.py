"""Foretells when the buffer is full: how fast readings are made, what one takes on disk. Pure."""

from edge_agent.rate import Rate
from edge_agent.row import Row

WINDOW = 300.0  # seconds; a plant's rate changes with its shifts, not with its seconds
SAMPLE_PAUSE = 300.0  # seconds between samples of what readings would take on disk
HEAD = 80  # bytes of a segment on disk beside its packed rows, about
PAGE = 1024  # bytes of a page of the database, 12 of which tell what it holds
USUAL = 20.0  # bytes that a reading takes on disk, before any was seen
DOUBT = 100  # readings on disk that count as much as what was known before


class Outlook:
    """Follows what is made and what it takes.

    Args:
        now: Seconds on the steady clock.
        flush: Seconds of rows that become one segment on disk.
    """

    def __init__(self, now: float, flush: float) -> None:
        self._flush = flush
        self._made = 0
        self._rate = Rate(WINDOW)
        self._rate.note(now, 0)
        self._empty = 0
        self._known = self._each = USUAL
        self._sample: list[Row] = []
        self._sample_from = now

    def add(self, row: Row) -> None:
        """Take note of a row that was just made."""
        self._made += row.readings
        if 0 <= row.mono - self._sample_from < self._flush:
            self._sample.append(row)

    def sample(self, now: float) -> list[Row]:
        """Give the rows that would now become one segment; now and then, else none."""
        if not self._sample or now - self._sample_from < self._flush:
            return []
        sample, self._sample, self._sample_from = self._sample, [], now + SAMPLE_PAUSE
        return sample

    def learn(self, packed: int, readings: int) -> None:
        """Take note of the bytes that so many readings take, packed as one segment."""
        self._known = on_disk(packed) / readings

    def note(self, now: float, *, on_disk: int, readings: int) -> None:
        """Take note of an instant.

        Args:
            now: Seconds on the steady clock.
            on_disk: Bytes in use on disk.
            readings: How many readings these hold.
        """
        self._rate.note(now, self._made)
        if not readings:
            self._empty = on_disk
        taken = max(0, on_disk - self._empty)
        self._each = (taken + DOUBT * self._known) / (readings + DOUBT)

    def seconds_until_full(self, free: int) -> float | None:
        """Give the seconds until so many bytes are used, if nothing is sent; None if unknown."""
        rate = self._rate.per_second
        return max(0, free) / (rate * self._each) if rate else None


def on_disk(packed: int) -> float:
    """Give the bytes that a segment of so many packed bytes takes in the database, on average.

    What does not fit into a leaf of the tree goes to pages of its own, but for a rest; several
    small ones share a leaf, of which some stays empty.

    Source: https://www.sqlite.org/fileformat2.html, 1.6 (cell payload overflow pages).
    """
    payload = packed + HEAD
    least = (PAGE - 12) * 32 // 255 - 23
    overflow = 0
    if payload > PAGE - 35:
        rest = least + (payload - least) % (PAGE - 4)
        local = rest if rest <= PAGE - 35 else least
        overflow = -(-(payload - local) // (PAGE - 4))
        payload = local + 4
    return PAGE * (overflow + 1 / ((PAGE - 12) // (payload + 8)))
