"""A process that uses the real buffer as an agent does, and keeps a journal of what it did.

    python -m tests.rigs.powercut_agent FOLDER JOURNAL FLUSH MAX_BYTES broker|outage|idle

The journal lies on another disk, so that it tells what was true at any instant before a cut:
what was made, what a commit had returned for, what the broker acknowledged, what was named lost.
It ends at SIGTERM, as a clean stop does, or by SIGKILL; idle, it only opens the buffer.
"""

import asyncio
import os
import random
import signal
import sys
import time
import zlib
from pathlib import Path

from edge_agent.buffer import Buffer
from edge_agent.clock import Clock
from edge_agent.config.model import BufferLimits
from edge_agent.lanes import Item
from edge_agent.row import Row

LOOK = 0.005  # seconds between looks at what is on disk now
PRODUCE = 0.004  # seconds between polls
READINGS = 2  # of each row
BROKER_THERE, BROKER_AWAY = 0.5, 0.9  # seconds, in turn


class Journal:
    """Lines `kind time-in-ns words...`, each written at once."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def note(self, kind: str, *words: object) -> None:
        line = " ".join(map(str, (kind, time.monotonic_ns(), *words)))
        os.write(self._file, line.encode() + b"\n")


class JournalledAgent:
    """The buffer, equipment that produces, and a broker that comes and goes."""

    def __init__(self, buffer: Buffer, clock: Clock, journal: Journal) -> None:
        self._buffer, self._clock, self._journal = buffer, clock, journal
        self._waiting: set[int] = set()
        self._chance = random.Random(1)

    async def produce(self) -> None:
        """Poll three devices; now and then a burst, as after a reconnect."""
        while True:
            burst = 400 if self._chance.random() < 0.005 else 1
            for _ in range(burst):
                self._append()
            await asyncio.sleep(PRODUCE)

    def _append(self) -> None:
        body = self._chance.randbytes(self._chance.choice((30, 200, 1500)))
        device = self._chance.choice(("press", "oven", "meter"))
        self._buffer.append(device, self._clock.now(), self._clock.mono(), READINGS, body)
        seq = self._buffer.last_seq
        self._waiting.add(seq)
        self._journal.note("made", seq, zlib.crc32(body))

    async def look(self) -> None:
        """Note what is on disk; and how late this look is, because the loop was held up."""
        while True:
            due = time.monotonic() + LOOK
            await asyncio.sleep(LOOK)
            saved = self._waiting - {row.seq for row in self._buffer._lanes.unsaved()}
            if saved:
                self._journal.note("saved", *sorted(saved))
                self._waiting -= saved
            if (late := time.monotonic() - due) > LOOK:
                self._journal.note("late", round(late * 1e9))

    async def broker(self) -> None:
        """Take what there is, acknowledge out of order, refuse little, and vanish in between."""
        while True:
            until = time.monotonic() + BROKER_THERE
            flying: list[Item] = []
            while time.monotonic() < until:
                while len(flying) < 100 and (item := self._buffer.next()):
                    flying.append(item)
                self._chance.shuffle(flying)
                for item in flying[10:]:
                    self._settle(item)
                del flying[10:]
                await asyncio.sleep(0.03)
            self._buffer.give_back()
            await asyncio.sleep(BROKER_AWAY)

    def _settle(self, item: Item) -> None:
        if not isinstance(item, Row):
            self._journal.note("named", item.first, item.last, item.readings, item.why)
            self._buffer.ack(item)
            return
        self._waiting.discard(item.seq)
        self._journal.note("done", item.seq)
        if self._chance.random() < 0.01:
            self._buffer.refuse(item)
        else:
            self._buffer.ack(item)


async def main(limits: BufferLimits, journal: Journal, mode: str) -> None:
    """Work until SIGTERM."""
    clock = Clock()
    journal.note("opening")
    buffer = await Buffer.open(limits, clock)
    journal.note("epoch", buffer.epoch)
    agent = JournalledAgent(buffer, clock, journal)
    work = [buffer.run()]
    work += [agent.produce(), agent.look()] if mode != "idle" else []
    work += [agent.broker()] if mode == "broker" else []
    tasks = [asyncio.create_task(one) for one in work]
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    buffer.give_back()
    journal.note("closing")
    await buffer.close()
    journal.note("closed")


if __name__ == "__main__":
    _folder, _journal, _flush, _max_bytes, _mode = sys.argv[1:]
    _limits = BufferLimits(Path(_folder), max_bytes=int(_max_bytes), flush=float(_flush))
    asyncio.run(main(_limits, Journal(Path(_journal)), _mode))
