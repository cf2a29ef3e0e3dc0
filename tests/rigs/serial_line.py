"""A serial line without hardware: a pseudo-terminal, paced to a baud rate, behind a symlink.

The far end answers by a script. Unplugging closes the terminal and removes the link, as udev does;
plugging in again makes a new terminal behind the same name.
"""

import os
import select
import threading
import time
import tty
from collections.abc import Callable, Sequence
from pathlib import Path

Pieces = Sequence[tuple[float, bytes]]
Script = Callable[[bytes], Pieces]

_NO_ONE_THERE = 0.002  # seconds to wait while nobody has the near end open


class SerialLine:
    """One end of a paced line; the other is the device file `path`.

    Attributes:
        requests: What was heard, cut where the line was silent for `silence`.
        gaps: Seconds of silence before each request but the first, at most as long as they were
            on the wire plus what the machine was late to notice.
    """

    def __init__(self, path: Path, script: Script, baud: int = 115200, *, bits: int = 11) -> None:
        self.path = path
        self.script = script
        self.requests: list[bytes] = []
        self.gaps: list[float] = []
        self._character = bits / baud
        self.silence = 3.5 * 11 / baud if baud <= 19200 else 0.00175
        self._far = -1
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._last_sent = 0.0
        self._clock = 0.0  # up to when the line is known to have been used

    def plug(self) -> None:
        self._far, near = os.openpty()
        tty.setraw(near)
        self.path.symlink_to(os.ttyname(near))
        os.close(near)
        os.set_blocking(self._far, False)
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, args=(self._far,), daemon=True)
        self._thread.start()

    def unplug(self) -> None:
        if self._thread is None:
            return
        self._stop.set()
        self._thread.join()
        self._thread = None
        self.path.unlink(missing_ok=True)
        os.close(self._far)

    def _run(self, far: int) -> None:
        while not self._stop.is_set():
            request = self._hear(far)
            if request:
                self.requests.append(request)
                self._answer(far, request)

    def _hear(self, far: int) -> bytes:
        """Collect bytes until the line has been silent; a request has then passed at its pace."""
        request = b""
        patience = 0.02
        while select.select([far], [], [], patience)[0]:
            try:
                piece = os.read(far, 1024)
            except BlockingIOError:  # the near end was opened just now: nothing to read yet
                continue
            except OSError:  # nobody has opened the near end
                time.sleep(_NO_ONE_THERE)
                return b""
            if not request:
                self._note_gap()
            request += piece
            # On the wire the request ends, and then the silence, whenever this thread wakes.
            self._clock = max(self._clock, time.monotonic()) + len(piece) * self._character
            patience = max(0.0, self._clock + self.silence - time.monotonic())
        self._clock += self.silence
        return request

    def _note_gap(self) -> None:
        if self._last_sent:
            self.gaps.append(time.monotonic() - self._last_sent)

    def _answer(self, far: int, request: bytes) -> None:
        for delay, data in self.script(request):
            if delay and self._stop.wait(delay):
                return
            self._send(far, data, time.monotonic() if delay else self._clock)

    def _send(self, far: int, data: bytes, due: float) -> None:
        """Send at the line's pace from `due` on: a byte can be read when it would have arrived."""
        for at in range(0, len(data), 8):
            piece = data[at : at + 8]
            due += len(piece) * self._character
            time.sleep(max(0.0, due - time.monotonic()))
            self._last_sent = self._clock = time.monotonic()
            try:
                os.write(far, piece)
            except OSError:  # unplugged meanwhile, or nobody listens or reads
                return
