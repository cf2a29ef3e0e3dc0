"""What this process writes to the card: cards wear out by it."""

from pathlib import Path

from edge_agent.rate import Rate

WINDOW = 3600.0  # seconds; the database is folded back, and numbers are reserved, minutes apart
SECONDS_A_DAY = 86400
IO = Path("/proc/self/io")


def written() -> int | None:
    """Give the bytes this process caused to be written since its start; None if that is not told.

    What stays in memory (tmpfs) is not counted, nor what the file system writes for itself.
    Source: proc_pid_io(5), write_bytes.
    """
    try:
        fields = dict(line.split(": ") for line in IO.read_text().splitlines())
        return int(fields["write_bytes"])
    except (OSError, KeyError, ValueError):
        return None


class Wear:
    """Follows what is written.

    Attributes:
        bytes: Written since the start of the process; None if that is not told.
    """

    def __init__(self) -> None:
        self.bytes: int | None = None
        self._rate = Rate(WINDOW)

    def look(self, now: float) -> None:
        """Look how much it is. `now` is seconds on a steady clock."""
        self.bytes = written()
        if self.bytes is not None:
            self._rate.note(now, self.bytes)

    @property
    def per_day(self) -> int | None:
        """Bytes a day at the rate of the last hour, or since the start; None before a minute."""
        rate = self._rate.per_second
        return round(rate * SECONDS_A_DAY) if rate is not None and self._rate.seconds > 60 else None
