"""Power cuts without a power switch: record what a disk was told, rebuild it at any instant.

`record` lets the real buffer work on an ext4 that notes every write and flush. `Cuts` makes of
that the disk as a cut at some instant leaves it: what was flushed is there, of the rest each
sector survives by chance, as in a card's volatile cache.
"""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.rigs.loop_disk import do, make_image, mounted
from tests.rigs.recording_disk import NAME, events

SECTOR = 512
# ext4 writes its superblock in place and reads it before its journal: half of one would cost the
# whole file system, whatever is on it. No disk of today tears these 1024 bytes.
SUPERBLOCK = range(1024, 2048)
MEGABYTES = 24
MAX_BYTES = 3 << 20  # the buffer's quota: it is reached, so that segments are dropped as well
FLUSH = 0.5
ANOTHER_VERSION = "another version's database"

Event = tuple[bytes, int, int, bytes]


@dataclass
class Made:
    """A row of the journal.

    Attributes:
        at: When it was made, ns on the steady clock.
        run: In which run of the agent.
        check: Checksum of its body.
        saved: When a commit that holds it had returned, likewise; None if none had.
        done: When the broker acknowledged or refused it, likewise; None if it never did.
    """

    at: int
    run: int
    check: int
    saved: int | None = None
    done: int | None = None


@dataclass
class Journal:
    """What all runs of the agent did, and when.

    Attributes:
        named: When the broker took a record of loss, first, last, readings and why.
        epochs: When an epoch was first used, and its name.
        phases: What the disk is told most about, and when it began and ended: `first start`,
            `start`, `recovery` after a kill, `checkpoint` of a clean stop, and what a start is
            called after damage.
        ends: When each run ended.
        damages: When damage on purpose to the database began and was complete, and what the start
            after it is called.
        next: What the next start is called.
        late: The longest time that the agent's event loop was held up, ns.
        began: When the present phase began.
    """

    rows: dict[int, Made] = field(default_factory=dict)
    named: list[tuple[int, int | None, int, int | None, str]] = field(default_factory=list)
    epochs: list[tuple[int, str]] = field(default_factory=list)
    phases: list[tuple[str, int, int]] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    damages: list[tuple[int, int, str]] = field(default_factory=list)
    next: str = "first start"
    late: int = 0
    began: int = 0

    def read(self, text: str) -> None:
        """Take in the journal of one run that has ended."""
        for line in text.splitlines():
            kind, at, *words = line.split()
            getattr(self, f"_note_{kind}")(int(at), words)
        self.ends.append(time.monotonic_ns())

    def _note_made(self, at: int, words: list[str]) -> None:
        assert int(words[0]) not in self.rows, f"number {words[0]} was used twice"
        self.rows[int(words[0])] = Made(at, len(self.ends), int(words[1]))

    def _note_saved(self, at: int, words: list[str]) -> None:
        for seq in words:
            self.rows[int(seq)].saved = at

    def _note_done(self, at: int, words: list[str]) -> None:
        row = self.rows[int(words[0])]
        row.done = row.done or at

    def _note_named(self, at: int, words: list[str]) -> None:
        first, last, readings = (None if one == "None" else int(one) for one in words[:3])
        self.named.append((at, first, last or 0, readings, words[3]))

    def _note_opening(self, at: int, _words: list[str]) -> None:
        self.began = at

    _note_closing = _note_opening

    def _note_closed(self, at: int, _words: list[str]) -> None:
        self.phases.append(("checkpoint", self.began, at))

    def _note_epoch(self, at: int, words: list[str]) -> None:
        self.phases.append((self.next, self.began, at))
        if not self.epochs or self.epochs[-1][1] != words[0]:
            self.epochs.append((at, words[0]))

    def _note_late(self, _at: int, words: list[str]) -> None:
        self.late = max(self.late, int(words[0]))


@dataclass
class Recording:
    """An empty disk, everything it was told since, and the journal of who told it."""

    base: bytes
    events: list[Event]
    journal: Journal

    def points(self, count: int, chance: random.Random) -> list[int]:
        """Choose instants: numbers of events, each the last one before the cut; ascending."""
        start = self.last_before(self.journal.epochs[0][0]) + 1
        return sorted(chance.randrange(start, len(self.events) - 1) for _ in range(count))

    def points_within(self, phase: str) -> list[int]:
        """Give every instant within the phases of this name."""
        return [
            point
            for name, began, ended in self.journal.phases
            if name == phase
            for point in range(self.last_before(began), self.last_before(ended) + 1)
            if 0 <= point < len(self.events) - 1
        ]

    def last_before(self, moment: int) -> int:
        """Give the number of the last event before a moment of the steady clock, in ns."""
        return bisect_right([at for _, at, _, _ in self.events], moment) - 1


@dataclass
class Run:
    """One run of the agent: how long, how it ends, and what happens to the folder afterwards.

    Attributes:
        seconds: From when its buffer is open.
        mode: With a `broker` that comes and goes; in an `outage`, where everything stays on the
            disk, is checkpointed, and the quota is reached; or `idle`.
        damage: What is done to the folder afterwards: what the next start is called, and how.
    """

    seconds: float
    end: signal.Signals = signal.SIGKILL
    mode: str = "broker"
    damage: tuple[str, Callable[[Path], None]] | None = None


def record(home: Path, runs: Sequence[Run]) -> Recording:
    """Let the agent work on a disk that notes everything."""
    image, noted, journal = home / "disk.img", home / "record", Journal()
    make_image(image, MEGABYTES)
    base = image.read_bytes()
    with _recording(image, home / "fuse", noted) as shown:
        with mounted(shown, home / "disk") as disk:
            for number, run in enumerate(runs):
                _run(disk / "buffer", home / f"journal-{number}", run, journal)
    return Recording(base, list(events(noted.read_bytes())), journal)


@contextlib.contextmanager
def _recording(image: Path, mountpoint: Path, noted: Path) -> Iterator[Path]:
    mountpoint.mkdir()
    shown = mountpoint / NAME.decode()
    command = [sys.executable, "-m", "tests.rigs.recording_disk", image, mountpoint, noted]
    process = subprocess.Popen(command)
    try:
        while not shown.exists():
            assert process.poll() is None, "the recording disk did not start"
            time.sleep(0.01)
        yield shown
    finally:
        do("umount", "--lazy", mountpoint)
        process.wait(10)


def _run(folder: Path, path: Path, run: Run, journal: Journal) -> None:
    words = (folder, path, str(FLUSH), str(MAX_BYTES), run.mode)
    process = subprocess.Popen([sys.executable, "-m", "tests.rigs.powercut_agent", *words])
    while process.poll() is None and not (path.exists() and b"epoch" in path.read_bytes()):
        time.sleep(0.01)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(run.seconds)
    assert process.poll() is None, "the agent ended by itself"
    process.send_signal(run.end)
    process.wait(10)
    journal.read(path.read_text())
    journal.next = "recovery" if run.end == signal.SIGKILL else "start"
    if run.damage:
        journal.next, damage = run.damage
        began = time.monotonic_ns()
        damage(folder)
        os.sync()
        journal.damages.append((began, time.monotonic_ns(), journal.next))


class Cuts:
    """Makes the disk as power cuts leave it; ask for instants in ascending order.

    Args:
        recording: What the disk was told.
        chance: Decides which sectors survive that were not flushed.
    """

    def __init__(self, recording: Recording, chance: random.Random) -> None:
        self._events = recording.events
        self._chance = chance
        self._disk = bytearray(recording.base)
        self._volatile: list[tuple[int, bytes]] = []
        self._next = 0

    def at(self, point: int, survival: float) -> bytes:
        """Give the disk after this event; each sector that was not flushed survives by chance."""
        while self._next <= point:
            self._take(self._events[self._next])
            self._next += 1
        disk = bytearray(self._disk)
        for offset, data in self._volatile:
            for start, piece in _pieces(offset, data):
                if self._chance.random() < survival:
                    disk[start : start + len(piece)] = piece
        return bytes(disk)

    def _take(self, event: Event) -> None:
        kind, _, offset, data = event
        if kind == b"W":
            self._volatile.append((offset, data))
            return
        for start, written in self._volatile:
            self._disk[start : start + len(written)] = written
        self._volatile.clear()


def _pieces(offset: int, data: bytes) -> Iterator[tuple[int, bytes]]:
    """Part a write into what a disk writes whole or not at all."""
    done = 0
    while done < len(data):
        size = len(SUPERBLOCK) if offset + done == SUPERBLOCK.start else SECTOR
        yield offset + done, data[done : done + size]
        done += size
