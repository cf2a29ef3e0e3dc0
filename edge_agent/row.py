"""What waits in the buffer: rows of encoded readings, and records of what was lost."""

from dataclasses import dataclass, field
from typing import Any

LOSS_TOPIC = "_agent/loss"  # below the agent's root


@dataclass(slots=True, eq=False)
class Row:
    """One message that waits for its acknowledgement: what one poll of one device brought.

    Attributes:
        seq: Its number within the epoch.
        prev: The number of the message before it on the same topic; 0 if none is known.
        device: Whose readings these are.
        ts: The agent's wall clock at the poll, ms since 1970 UTC.
        mono: Seconds on the steady clock of this boot at the poll.
        synced: Whether the wall clock was known to be right.
        readings: How many readings the body holds.
        body: The encoded readings.
        home: Identity of the segment on disk that also holds the row; None while only in memory.
        historical: Read back from disk to be sent after live readings.
        done: Acknowledged, or given up with a loss record.
    """

    seq: int
    prev: int
    device: str
    ts: int
    mono: float
    synced: bool
    readings: int
    body: bytes
    home: int | None = None
    historical: bool = False
    done: bool = False


@dataclass(slots=True, eq=False)
class Loss:
    """A record that names readings which will never arrive. It has a number like any message.

    Attributes:
        lost_epoch: The epoch of the numbers below.
        first: First number lost; None where a destroyed buffer leaves it unknown.
        last: Last number lost, likewise.
        readings: How many readings, likewise.
        oldest: When the first of them was read (ms since 1970 UTC); None if unknown.
        newest: When the last of them was read, likewise.
        why: `capacity`, `age`, `corrupt`, `power_cut` or `refused`.
        exposed_ms: After a kill: what was really lost is younger than this at that moment.
        sent: Whether it was ever handed to a broker; from then on its content is fixed.
    """

    seq: int
    prev: int
    lost_epoch: str
    first: int | None
    last: int | None
    readings: int | None
    oldest: int | None
    newest: int | None
    why: str
    exposed_ms: int | None = None
    sent: bool = field(default=False, compare=False)

    def continues(self, other: "Loss") -> bool:
        """Tell whether this range follows the other one without a gap and for the same reason."""
        return (
            other.last is not None
            and self.first == other.last + 1
            and (self.why, self.lost_epoch) == (other.why, other.lost_epoch)
        )

    def absorb(self, other: "Loss") -> None:
        """Take the range that follows this one into this record."""
        self.last, self.newest = other.last, other.newest
        if self.readings is not None and other.readings is not None:
            self.readings += other.readings

    def payload(self, epoch: str) -> dict[str, Any]:
        """Give the record as the contract's JSON object."""
        return {
            "v": 1,
            "epoch": epoch,
            "seq": self.seq,
            "prev": self.prev,
            "lost_epoch": self.lost_epoch,
            "first": self.first,
            "last": self.last,
            "readings": self.readings,
            "from": self.oldest,
            "to": self.newest,
            "exposed_ms": self.exposed_ms,
            "why": self.why,
        }
