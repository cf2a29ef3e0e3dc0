"""Says on a terminal how far a search is and how long the rest takes; elsewhere a line a step.

It prints to stderr, as what is no result.
"""

import os
import sys
import time
from typing import TextIO

from edge_agent.language import _

_WIDTH = 24
_EVERY = 0.1  # seconds between drawings


def bar(part: float, width: int = _WIDTH) -> str:
    """Draw a part of the whole."""
    full = round(min(max(part, 0.0), 1.0) * width)
    return "#" * full + "." * (width - full)


class Progress:
    """One line that is drawn again and again, on a terminal that can; on others one per title."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stderr
        self._redraws = self._out.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        self._title, self._drawn_at, self._length = "", 0.0, 0

    def show(self, title: str, part: float, seconds_left: float, found: int) -> None:
        """Tell how far it is.

        Args:
            title: What is being done.
            part: How much of it is done, 0 to 1.
            seconds_left: How long the rest takes at most.
            found: How many were found so far.
        """
        if not self._redraws:
            if title != self._title:
                print(
                    _("{title}, at most {seconds_left:.0f} s left").format(
                        title=title, seconds_left=seconds_left
                    ),
                    file=self._out,
                    flush=True,
                )
            self._title = title
            return
        now = time.monotonic()
        if now - self._drawn_at < _EVERY and title == self._title:
            return
        self._title, self._drawn_at = title, now
        self._draw(
            _("{title}  {part}  {seconds_left:.0f} s left, found {found}").format(
                title=title, part=bar(part), seconds_left=seconds_left, found=found
            )
        )

    def note(self, text: str) -> None:
        """Say something in a line of its own."""
        self.clear()
        print(text, file=self._out, flush=True)

    def clear(self) -> None:
        """Take the line away."""
        if self._length:
            self._draw("")
            self._length = 0

    def _draw(self, text: str) -> None:
        end = "" if text else "\r"
        print(f"\r{text.ljust(self._length)}", end=end, file=self._out, flush=True)
        self._length = len(text)
