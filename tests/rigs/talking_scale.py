"""An instrument at the far end of a pseudo-terminal, in a thread: it sends, or it must be asked.

What is sent at another speed than the port is set to arrives as a receiver would hear it.
"""

import os
import select
import termios
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.rigs.uart import Wave, heard

_SPEEDS = {
    getattr(termios, f"B{baud}"): baud
    for baud in (300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)
}


class Scale:
    """One instrument.

    Attributes:
        port: The device file of its line.
        requests: What it was sent, piece by piece.
        lines: What it sends by itself, in turn; empty where it is silent.
        answer: Gives the answer to a request; None is silence.
    """

    def __init__(self, baud: int, every: float) -> None:
        self.requests: list[bytes] = []
        self.lines: list[bytes] = []
        self.answer: Callable[[bytes], bytes | None] = lambda _: None
        self._baud, self._every = baud, every
        self._far, self._near = os.openpty()
        tty.setraw(self._near)
        self.port = os.ttyname(self._near)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()
        os.close(self._far)
        os.close(self._near)

    def _run(self) -> None:
        turn = 0
        while not self._stop.is_set():
            if select.select([self._far], [], [], self._every)[0]:
                self._hear(os.read(self._far, 1024))
            elif self.lines:
                self._send(self.lines[turn % len(self.lines)])
                turn += 1

    def _hear(self, data: bytes) -> None:
        if self._theirs() != self._baud:
            return  # what it hears is noise to it
        self.requests.append(data)
        if (answer := self.answer(data)) is not None:
            self._send(answer)

    def _send(self, data: bytes) -> None:
        theirs = self._theirs()
        os.write(self._far, data if theirs == self._baud else heard(Wave(data, self._baud), theirs))

    def _theirs(self) -> int:
        return _SPEEDS[termios.tcgetattr(self._near)[4]]


@contextmanager
def talking(*lines: bytes, baud: int = 9600, every: float = 0.05) -> Iterator[Scale]:
    """Run one that sends these lines in turn."""
    scale = Scale(baud, every)
    scale.lines = list(lines)
    scale.start()
    try:
        yield scale
    finally:
        scale.stop()
