"""The real buffer in a process of its own, told what to do line by line.

As a program it answers each JSON line `[command, argument]` with one JSON line `{"answer": ...}`,
after `{"refusal": ...}` for each reason for which the buffer could not be opened.
"""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from edge_agent.buffer import Buffer
from edge_agent.clock import Clock
from edge_agent.config.model import BufferLimits
from edge_agent.errors import BufferUnavailable
from edge_agent.row import Row

FLUSH = 0.1
RETRY = 0.1  # seconds between tries to open the buffer
PATIENCE = 30.0  # seconds at most until something that is awaited has happened
AS_USER = "BUFFER_PROCESS_USER"  # a variable: the user to become before the buffer is opened


class BufferProcess:
    """The other end: a process that holds a buffer."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, command: str, argument: float = 0) -> Any:
        """Have something done; give what it brought."""
        self._process.stdin.write(json.dumps([command, argument]) + "\n")
        self._process.stdin.flush()
        answer = self._answer()
        while "refusal" in answer:
            answer = self._answer()
        return answer["answer"]

    def refusal(self) -> str:
        """Wait until the buffer cannot be opened; give why."""
        said: str = self._answer()["refusal"]
        return said

    def _answer(self) -> dict[str, Any]:
        line = self._process.stdout.readline()
        assert line, "the process with the buffer ended"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@contextlib.contextmanager
def buffer_process(folder: Path, environment: dict[str, str]) -> Iterator[BufferProcess]:
    """Open a buffer in a process with these variables; killed at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.rigs.buffer_process", folder],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env={**os.environ, **environment},
    )  # fmt: skip
    with process:
        try:
            yield BufferProcess(process)
        finally:
            process.kill()


class _Held:
    """What the process does with its buffer."""

    def __init__(self, buffer: Buffer, clock: Clock) -> None:
        self._buffer, self._clock = buffer, clock

    async def append(self, count: float) -> list[int]:
        """Keep some rows; give their numbers."""
        numbers = []
        for _ in range(int(count)):
            self._buffer.append("press", self._clock.now(), self._clock.mono(), 1, b"body")
            numbers.append(self._buffer.last_seq)
        return numbers

    async def saved(self, _: float) -> dict[str, Any]:
        """Do what is due until all is called safe; give how it stands then."""
        return await self._live(lambda now: now == {"trouble": "", "unsaved": []})

    async def troubled(self, _: float) -> dict[str, Any]:
        """Do what is due until there is trouble; give how it stands then."""
        return await self._live(lambda now: bool(now["trouble"]))

    async def _live(self, done: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        end = self._clock.mono() + PATIENCE
        while not done(now := self._stand()) and self._clock.mono() < end:
            await self._buffer.tick()
            await asyncio.sleep(FLUSH / 4)
        return now

    def _stand(self) -> dict[str, Any]:
        unsaved = [row.seq for row in self._buffer._lanes.unsaved()]
        return {"trouble": self._buffer.trouble, "unsaved": unsaved}

    async def drain(self, _: float) -> dict[str, Any]:
        """Acknowledge everything; give the numbers of rows, and reasons and ends of losses."""
        rows, losses = [], []
        while self._buffer.waiting or self._buffer.losses:
            await self._buffer.tick()
            while item := self._buffer.next():
                self._buffer.ack(item)
                if isinstance(item, Row):
                    rows.append(item.seq)
                else:
                    losses.append((item.why, item.lost_epoch, item.first, item.last))
        return {"rows": rows, "losses": losses, "epoch": self._buffer.epoch}


async def _main(folder: Path) -> None:
    clock = Clock()
    if user := os.environ.get(AS_USER):
        os.setgid(int(user))
        os.setuid(int(user))
    answers, sys.stdout = sys.stdout, sys.stderr  # what is logged is no answer

    def say(**what: Any) -> None:
        print(json.dumps(what), file=answers, flush=True)

    held = _Held(await _opened(folder, clock, say), clock)
    while line := await asyncio.to_thread(sys.stdin.readline):
        command, argument = json.loads(line)
        say(answer=await getattr(held, command)(argument))


async def _opened(folder: Path, clock: Clock, say: Callable[..., None]) -> Buffer:
    """Open the buffer, as often as it takes; say once why it is refused."""
    complaint = ""
    while True:
        try:
            return await Buffer.open(BufferLimits(folder, flush=FLUSH), clock)
        except BufferUnavailable as error:
            if str(error) != complaint:
                say(refusal=str(error))
            complaint = str(error)
            await asyncio.sleep(RETRY)


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1])))
