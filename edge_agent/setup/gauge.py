"""Shows on a terminal how far a look is: one line, written anew by a carriage return alone."""

from typing import TextIO

from edge_agent.language import _
from edge_agent.layout import SCREEN_WIDTH, width, wrap

BAR = 16  # signs


class Gauge:
    """Progress of one look; what it says stays, how far it is is written over."""

    def __init__(self, screen: TextIO) -> None:
        self._screen = screen
        self._shown = ""

    def say(self, line: str) -> None:
        """Show a line that stays."""
        self.clear()
        for part in wrap(line):
            print(part, file=self._screen)
        self._screen.flush()

    def at(self, doing: str, done: float, total: float) -> None:
        """Show how far it is."""
        text = f"{doing}  {bar(done, total)}  {left(done, total)}"
        self._over(wrap(text, SCREEN_WIDTH - 1)[0])  # the last cell of a line makes some scroll

    def clear(self) -> None:
        """Leave nothing that would be out of date."""
        if self._shown:
            self._over("")
            print(end="\r", file=self._screen, flush=True)

    def _over(self, text: str) -> None:
        if text != self._shown:
            padding = " " * (width(self._shown) - width(text))
            print(f"\r{text}{padding}", end="", file=self._screen, flush=True)
            self._shown = text


def bar(done: float, total: float) -> str:
    """Draw how much of it is done."""
    full = round(BAR * min(max(done / total, 0.0), 1.0)) if total > 0 else 0
    return "#" * full + "." * (BAR - full)


def left(done: float, total: float) -> str:
    """Say how long it still takes; how long it took, where that was not foreseen."""
    if done > total:
        return _("{n} s so far").format(n=round(done))
    seconds = round(total - done)
    if seconds >= 120:
        return _("{n} min left").format(n=round(seconds / 60))
    return _("{n} s left").format(n=seconds)
