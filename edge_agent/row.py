"""What waits in the buffer: rows of encoded readings, segments of them, and records of loss.

Also how they are packed for the disk. Each pack carries a checksum, because SQLite keeps none.
"""

import math
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

Key = tuple[str, int]  # what tells one message from another: the epoch where foreign, the number
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
        read_back: Made from a segment on disk, where it stays until it is done.
        historical: To be sent after live readings and marked, because it is too old for them.
        done: Acknowledged, or given up with a loss record.
        epoch: The epoch of its number, where it was carried over from another card; else empty.
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
    read_back: bool = False
    historical: bool = False
    done: bool = False
    epoch: str = ""

    @property
    def key(self) -> Key:
        """What tells it from every other message in this buffer."""
        return self.epoch, self.seq

    def settle(self, now: int, mono: float) -> None:
        """Give a row that was read by a wrong clock its right time, now that the clock is right.

        The steady clock of this boot tells how long ago it was read. Rows of another boot have
        none (`mono` is not a number) and keep their mark.

        Args:
            now: Wall clock, ms since 1970 UTC.
            mono: Steady clock of this boot, seconds.
        """
        if not self.synced and not math.isnan(self.mono):
            self.ts = now - round((mono - self.mono) * 1000)
            self.synced = True


@dataclass(slots=True, eq=False)
class Segment:
    """What is known in memory about one segment on disk.

    Attributes:
        id: The number of its first row.
        last: The number of its last row.
        pending: How many of its rows are not acknowledged.
        readings: How many readings it held when written.
        oldest: When its first row was read, ms since 1970 UTC.
        newest: When its last row was read, likewise.
        mono: The same on the steady clock of `boot`, seconds.
        boot: Identity of the boot in which it was written.
        synced: Whether the wall clock was right for all its rows.
        size: Bytes of its blob.
        acked: Numbers of its rows that are acknowledged.
    """

    id: int
    last: int
    pending: int
    readings: int
    oldest: int
    newest: int
    mono: float
    boot: str
    synced: bool
    size: int
    acked: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, rows: Sequence[Row], boot: str, size: int) -> "Segment":
        """Describe rows that are packed into one segment."""
        first, last = rows[0], rows[-1]
        readings, synced = sum(row.readings for row in rows), all(row.synced for row in rows)
        times = first.ts, last.ts, last.mono
        return cls(first.seq, last.seq, len(rows), readings, *times, boot, synced, size)

    def head(self) -> bytes:
        """Pack what stands on disk beside the rows."""
        rows = self.pending + len(self.acked)
        times = self.oldest, self.newest, self.mono
        return seal((self.id, self.last, rows, self.readings, *times, self.boot, self.synced))

    @classmethod
    def opened(cls, key: int, head: object, size: int, acked: set[int]) -> "Segment":
        """Make a segment of what stands on disk.

        Raises:
            Damaged: The head is not what was written.
        """
        columns = unseal(head, _decode_head)
        written, last, rows, readings, oldest, newest, mono, boot, synced = columns
        if written != key:
            raise Damaged("it is another segment")
        times, pending = (oldest, newest, mono), rows - len(acked)
        return cls(key, last, pending, readings, *times, boot, synced, size, acked)


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
        epoch: The epoch of its own number, where it was carried over from another card; else empty.
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
    epoch: str = ""

    @property
    def key(self) -> Key:
        """What tells it from every other message in this buffer."""
        return self.epoch, self.seq

    def continues(self, other: "Loss") -> bool:
        """Tell whether this range follows the other one without a gap and for the same reason."""
        return (
            other.last is not None
            and self.first == other.last + 1
            and (self.why, self.lost_epoch) == (other.why, other.lost_epoch)
        )

    def covers(self, other: "Loss") -> bool:
        """Tell whether this record names everything that the other one would."""
        return (
            self.lost_epoch == other.lost_epoch
            and None not in {self.first, self.last, other.first, other.last}
            and (self.first or 0) <= (other.first or 0) <= (other.last or 0) <= (self.last or 0)
        )

    def absorb(self, other: "Loss") -> None:
        """Take the range that follows this one into this record."""
        self.last, self.newest = other.last, other.newest
        if self.readings is not None:
            self.readings = None if other.readings is None else self.readings + other.readings

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


# --- packing -----------------------------------------------------------------------------------

T = TypeVar("T")
_Stored = tuple[int, int, str, int, float, bool, int, bytes]
_encode = msgspec.msgpack.encode
_decode_rows = msgspec.msgpack.Decoder(list[_Stored]).decode
_decode_head = msgspec.msgpack.Decoder(tuple[int, int, int, int, int, int, float, str, bool]).decode
decode_loss = msgspec.msgpack.Decoder(Loss).decode
decode_numbers = msgspec.msgpack.Decoder(set[int]).decode


class Damaged(Exception):  # noqa: N818 - named after what happened
    """What stands on disk is not what was written."""


def pack(rows: Sequence[Row]) -> bytes:
    """Pack the rows of a segment."""
    return _guarded(zlib.compress(_encode([_columns(row) for row in rows]), 1))


def _columns(row: Row) -> _Stored:
    return (
        row.seq, row.prev, row.device, row.ts, row.mono, row.synced, row.readings, row.body
    )  # fmt: skip


def unpack(packed: object, key: int) -> list[Row]:
    """Unpack the rows of the segment with this id.

    Raises:
        Damaged: They are not what was written.
    """
    stored = _decoded(zlib.decompress(_checked(packed)), _decode_rows)
    if not stored or stored[0][0] != key:
        raise Damaged("it is another segment")
    return [Row(*columns, home=key, read_back=True, historical=True) for columns in stored]


def seal(thing: object) -> bytes:
    """Pack something small."""
    return _guarded(_encode(thing))


def unseal(sealed: object, decode: Callable[[bytes], T]) -> T:
    """Check and unpack what `seal` made.

    Raises:
        Damaged: It is not what was written.
    """
    return _decoded(_checked(sealed), decode)


def _guarded(content: bytes) -> bytes:
    return zlib.crc32(content).to_bytes(4) + content


def _checked(guarded: object) -> bytes:
    if not isinstance(guarded, bytes) or guarded[:4] != zlib.crc32(guarded[4:]).to_bytes(4):
        raise Damaged("the checksum does not fit")
    return guarded[4:]


def _decoded(content: bytes, decode: Callable[[bytes], T]) -> T:
    try:
        return decode(content)
    except msgspec.DecodeError as error:
        raise Damaged(str(error)) from error
