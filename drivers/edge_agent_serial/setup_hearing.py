"""Listens to a line at the usual speeds until what is heard can be read. Nothing is ever sent."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from typing import Any

from edge_agent.commissioning import Progress, Values, _
from edge_agent.driver import ConnectionLost
from edge_agent_serial.capture import Capture, Enough, hear
from edge_agent_serial.config import SerialSettings
from edge_agent_serial.setup_evidence import Verdict, judge, lines_in, told_lines

SPEEDS = (9600, 2400, 4800, 19200, 1200, 38400, 115200, 57600, 600, 300)
"""The most common first: as scales, gauges and meters leave the factory."""
FIRST = 5.0
"""Seconds to wait whether anything comes at all; a slow sender says something every few."""
EACH = 2.5
"""Seconds for each further speed."""
LINES, BYTES = 5, 400
"""So much is enough for a judgement; the first line is often torn."""
SHOWN = 3
"""Lines that are shown."""
KEPT = 4000
"""Bytes that are kept, the last ones."""
TICK = 0.5
"""Seconds between two signs of life."""
MOST_SECONDS = FIRST + 17 * EACH
"""Of a search through all settings."""
NO_PARITY: Mapping[str, Any] = {"data_bits": 8, "parity": "none", "stop_bits": 1}


def listen(
    way: Values,
    progress: Progress,
    seconds: float | None = None,
    is_enough: Enough | None = None,
) -> Values:
    """Listen, and find out how characters travel.

    A receiver at a wrong speed hears something, too, so silence at one speed is silence at all.

    Args:
        way: `transport` with `port`, and `host` with a network.
        progress: Is shown the lines that can be read, as they come.
        seconds: How long to wait whether anything comes, `FIRST` unless given.
        is_enough: Ends that wait; unless given, after a few lines.

    Returns:
        `problem`: why nothing can be heard at all; `is_silent`: whether nothing came; else `heard`:
        bytes as latin-1 text; `lines`: the last ones, for people; `line`: settings of the line;
        `recipes`; `is_clear`: whether it can be read.
    """
    try:
        patience = FIRST if seconds is None else seconds
        return asyncio.run(_listen(way, progress, patience, is_enough or _is_enough))
    except ConnectionLost as error:
        return {**_nothing(), "problem": str(error)}


def _nothing() -> Values:
    return {"problem": "", "is_silent": True, "heard": "", "line": {}, "recipes": []}


async def _listen(way: Values, progress: Progress, seconds: float, is_enough: Enough) -> Values:
    is_serial = way["transport"] == "serial"
    line: Values = {"baud": SPEEDS[0], **NO_PARITY} if is_serial else {}
    first = await hear_at(way, line, progress, seconds, is_enough=is_enough)
    if not first.data and not first.misread:
        return _nothing()
    tried = [(line, first, judge(first.data, first.misread))]
    if is_serial and not tried[0][2].is_convincing:
        tried += await _sweep(way, progress)
    line, capture, verdict = max(tried, key=lambda each: each[2].rank)
    if verdict.line and not is_serial:
        line = {"mask7": True}  # how the converter is set is not ours to change
    elif verdict.line:
        line, capture = await _with_seven_bits(way, line, capture, verdict, progress)
    if verdict.is_convincing and not verdict.recipes and capture is not first:
        capture = await hear_at(way, line, progress, FIRST)  # a slow sender says more in this time
        verdict = judge(capture.data, capture.misread)
    return _told(line, capture, verdict)


async def _sweep(way: Values, progress: Progress) -> list[tuple[Values, Capture, Verdict]]:
    """Try the other speeds, and at a likely one the parities, until one convinces."""
    tried: list[tuple[Values, Capture, Verdict]] = []
    settings = list(_other_settings())
    for number, line in enumerate(settings, 1):
        try:
            capture = await hear_at(way, line, progress, EACH, before=number * EACH)
        except ConnectionLost:
            continue  # not every port can do every setting
        verdict = judge(capture.data, capture.misread)
        tried.append((line, capture, verdict))
        if verdict.is_convincing:
            break
    return tried


def _other_settings() -> Iterator[Values]:
    for baud in SPEEDS[1:]:
        yield {"baud": baud, **NO_PARITY}
    for baud in SPEEDS[:4]:
        for parity in ("even", "odd"):
            yield {"baud": baud, **NO_PARITY, "parity": parity}


def _name(line: Values) -> str:
    return f"{line['baud']} {line['data_bits']}{line['parity'][0].upper()}{line['stop_bits']}"


async def _with_seven_bits(
    way: Values, line: Values, capture: Capture, verdict: Verdict, progress: Progress
) -> tuple[Values, Capture]:
    """Take the setting that bit 7 tells of, so that the port checks the parity; else mask it."""
    exact = {**line, **{key: one for key, one in verdict.line.items() if key in NO_PARITY}}
    if exact != line:
        try:
            again = await hear_at(way, exact, progress, EACH)
        except ConnectionLost:
            return {**line, "mask7": True}, capture
        after = judge(again.data, again.misread)
        if after.is_convincing and not after.line:  # else the port did not do what it was told
            return exact, again
    return {**line, "mask7": True}, capture


def _is_enough(heard: bytes) -> bool:
    return lines_in(heard) >= LINES or len(heard) >= BYTES


async def hear_at(
    way: Values,
    line: Values,
    progress: Progress,
    seconds: float,
    before: float = 0.0,
    is_enough: Enough = _is_enough,
) -> Capture:
    """Listen at one setting of the line, and show that it goes on.

    Args:
        way: Where.
        line: How characters travel; empty with a network.
        progress: Is shown the first lines that can be read.
        seconds: How long, at most.
        before: Seconds that the whole search has taken already; 0 if this is all of it.
        is_enough: Ends it earlier.

    Raises:
        ConnectionLost: The link cannot be opened, or cannot do this setting.
    """
    exact = {key: one for key, one in line.items() if key != "mask7"}  # which a recipe does
    settings = SerialSettings.model_validate({**way, **exact, "pattern": "(?P<all>.*)"})
    doing = _name(line) if before else _("listening")
    clock = asyncio.create_task(_tick(progress, doing, before, MOST_SECONDS if before else seconds))
    try:
        return await hear(settings, seconds, _Shown(progress).line, is_enough)
    finally:
        clock.cancel()


async def _tick(progress: Progress, doing: str, before: float, total: float) -> None:
    """Show that it goes on, also while nothing comes."""
    began = time.monotonic()
    while True:
        progress.at(doing, before + time.monotonic() - began, total)
        await asyncio.sleep(TICK)


class _Shown:
    """Shows lines as they come, as far as people can read them."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self._left = progress, SHOWN

    def line(self, text: str) -> None:
        if self._left and "\\x" not in text.replace("\\x02", "").replace("\\x03", ""):
            self._left -= 1
            self._progress.say(f"  {text}")


def _told(line: Values, capture: Capture, verdict: Verdict) -> Values:
    return {
        "problem": "",
        "is_silent": False,
        "heard": capture.data[-KEPT:].decode("latin-1"),
        "line": line,
        "recipes": list(verdict.recipes),
        "is_clear": verdict.is_convincing,
        "lines": told_lines(capture.data, SHOWN),
    }
