"""What a killed agent left: a folder with readings that wait, half of them still in the WAL."""

import random
from dataclasses import dataclass
from pathlib import Path

from tests.rigs.buffers import append, kill, open_buffer, pass_time
from tests.rigs.hand_clock import HandClock

ROUNDS, DEVICES = 40, "abcde"  # each round is one segment of a row per device
CHECKPOINT = 20  # after so many rounds everything is folded into the database; the rest is WAL


@dataclass(frozen=True)
class Remains:
    """A folder and what its agent knew.

    Attributes:
        made: Number -> body of every row; none is acknowledged.
        segments: The numbers by which the rows are kept together on disk.
    """

    folder: Path
    epoch: str
    made: dict[int, bytes]
    segments: list[int]


async def remains_of_a_kill(home: Path) -> Remains:
    """Fill a buffer below `home` and kill it."""
    clock, chance = HandClock(), random.Random(10)
    made: dict[int, bytes] = {}
    buffer = await open_buffer(home / "killed", clock)
    for number in range(ROUNDS):
        for device in DEVICES:
            body = b'{"p":"x","v":%d,"pad":"%b"}' % (number, chance.randbytes(300).hex().encode())
            append(buffer, clock, body, device=device)
            made[buffer.last_seq] = body
        await pass_time(buffer, clock, 1.0)
        if number == CHECKPOINT:
            buffer._disk._store.fold()
    await buffer._disk.grants.renew()  # what vanishes now was accounted for
    await kill(buffer, home / "killed", home / "remains")
    segments = list(buffer._lanes.backlog.segments)
    return Remains(home / "remains", buffer.epoch, made, segments)
