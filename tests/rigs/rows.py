"""Rows and segments for tests of the buffer's parts."""

from edge_agent.row import Row, Segment


def row(seq: int, device: str = "d", mono: float | None = None, body: bytes = b"body") -> Row:
    """Make a row of one reading, one second after the one before it."""
    at = float(seq) if mono is None else mono
    return Row(seq, seq - 1, device, seq * 1000, at, True, 1, body)


def read_back(seq: int, home: int) -> Row:
    """Make a row as the store gives it."""
    one = row(seq)
    one.home, one.read_back, one.historical = home, True, True
    return one


def segment(first: int, last: int, *, synced: bool = True) -> Segment:
    """Make a segment of consecutive rows."""
    one = Segment.of([row(seq) for seq in range(first, last + 1)], "boot-1", 100)
    one.synced = synced
    return one
