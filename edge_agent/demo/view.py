"""Shows messages as they arrive: a live table on a terminal, else one line after the other."""

import json
import os
import sys
import time
from abc import ABC, abstractmethod
from operator import attrgetter
from typing import TYPE_CHECKING, Literal, TextIO

from edge_agent.demo.board import Board, Line
from edge_agent.demo.tally import Payload
from edge_agent.language import _, speaking

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

COLUMNS: dict[str, Literal["left", "right"]] = {
    "device": "left",
    "point": "left",
    "value": "right",
    "unit": "left",
    "age": "right",
}
REDRAWS = 4  # per second; more costs a small computer too much


class View(ABC):
    """Something that shows messages."""

    @abstractmethod
    def show(self, topic: str, payload: Payload) -> None:
        """Show one message."""

    def redraw(self) -> None:  # noqa: B027 - only a screen has something to redraw
        """Bring the ages up to date."""

    def close(self) -> None:  # noqa: B027
        """Leave the terminal as it was."""


class Interpreter(View):
    """Lets a view speak a language, while the agent in the same process speaks English."""

    def __init__(self, view: View, language: str) -> None:
        self._view = view
        self._language = language

    def show(self, topic: str, payload: Payload) -> None:
        with speaking(self._language):
            self._view.show(topic, payload)

    def redraw(self) -> None:
        with speaking(self._language):
            self._view.redraw()

    def close(self) -> None:
        with speaking(self._language):
            self._view.close()


class JsonView(View):
    """One JSON document per message."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def show(self, topic: str, payload: Payload) -> None:
        document = {"topic": topic, "payload": payload}
        self._out.write(json.dumps(document, ensure_ascii=False) + "\n")
        self._out.flush()


class PlainView(View):
    """One line of text per reading, for pipes, files and terminals that can only append."""

    def __init__(self, out: TextIO, root: str) -> None:
        self._out = out
        self._root = root
        self._board = Board()

    def show(self, topic: str, payload: Payload) -> None:
        device, kind = place(topic, self._root)
        lines = [_sentence(line) for line in self._board.add(device, kind, payload)]
        if kind == "status":
            state = self._board.states[device]
            lines = [
                _("{time}  {device:<12} is {state}").format(
                    time=_clock(time.time()), device=device, state=_(state)
                )
            ]
        if lines:
            self._out.write("\n".join(lines) + "\n")
            self._out.flush()


class TableView(View):
    """A table that is redrawn in place, with the age of every value."""

    def __init__(self, title: str, root: str, console: "Console") -> None:
        from rich.live import Live  # noqa: PLC0415 - only where a table is drawn

        self._title = title
        self._root = root
        self._messages = 0
        self._board = Board()
        self._live = Live(console=console, auto_refresh=False)
        self._live.start()

    def show(self, topic: str, payload: Payload) -> None:
        self._messages += 1
        self._board.add(*place(topic, self._root), payload)

    def redraw(self) -> None:
        self._live.update(self._table(), refresh=True)

    def close(self) -> None:
        self.redraw()
        self._live.stop()

    def _table(self) -> "Table":
        from rich.table import Table  # noqa: PLC0415

        caption = _("{messages} messages so far; Ctrl-C ends").format(messages=self._messages)
        # No lines around cells: the whole factory has to fit a terminal of 24 rows.
        table = Table(box=None, header_style="bold underline", title=self._title, caption=caption)
        table.title_justify = table.caption_justify = "left"
        for name, side in COLUMNS.items():
            table.add_column(_(name), justify=side, no_wrap=True)
        before = ""
        for line in sorted(self._board.lines.values(), key=attrgetter("device")):
            table.add_row(*self._cells(line, first=line.device != before))
            before = line.device
        return table

    def _cells(self, line: Line, *, first: bool) -> tuple[str, ...]:
        from rich.markup import escape  # noqa: PLC0415

        device = f"[bold]{line.device}[/] {escape(self._board.labels.get(line.device, ''))}"
        colour = "green" if line.good else "red"
        age = max(0.0, time.time() - line.time / 1000)
        value = f"[{colour}]{escape(line.value)}[/]"
        return (device if first else "", line.point, value, escape(line.unit), f"{age:.1f} s")


def choose(*, as_json: bool, title: str, root: str, out: TextIO | None = None) -> View:
    """Choose how to show messages on stdout, or another output.

    Args:
        as_json: Whether a program reads it.
        title: Stands above a table.
        root: The root topic of the demo's agent, whose devices are shown by their bare names.
        out: Where to write.
    """
    out = out or sys.stdout
    if as_json:
        return JsonView(out)
    if not is_screen(out):
        return PlainView(out, root)
    from rich.console import Console  # noqa: PLC0415

    return TableView(title, root, Console(file=out))


def is_screen(out: TextIO) -> bool:
    """Tell whether something can be drawn there, and not only appended."""
    return out.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def place(topic: str, root: str) -> tuple[str, str]:
    """Give the device and the kind of message; another agent's device with the agent's name."""
    *_, agent, device, kind = topic.split("/")
    return (device if topic.startswith(f"{root}/") else f"{agent}/{device}"), kind


def _sentence(line: Line) -> str:
    when = _clock(line.time / 1000)
    return f"{when}  {line.device:<12} {line.point:<18} {line.value} {line.unit}".rstrip()


def _clock(seconds: float) -> str:
    moment = time.strftime("%H:%M:%S", time.localtime(seconds))
    return f"{moment}.{int(seconds * 10 % 10)}"
