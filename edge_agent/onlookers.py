"""Those who look on while readings arrive. While nobody does, nothing is kept or done for them."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from typing import Any, NamedTuple

from edge_agent.model import Flaw, Quality, Value

MOST_WAITING = 256  # updates for one onlooker; who is slower than the machines misses the oldest
EXACT = 2**53  # readers of JSON may round whole numbers beyond


class Seen(NamedTuple):
    """One reading as it came, whether or not it is news enough to be published."""

    point: str
    value: Value
    flaw: Flaw | None
    unit: str


class _Onlooker:
    """One who looks on: which device is wanted, what waits, and how many updates were missed."""

    def __init__(self, device: str) -> None:
        self.device = device
        self.waiting: asyncio.Queue[dict[str, Any]] = asyncio.Queue(MOST_WAITING)
        self.missed = 0

    def show(self, update: dict[str, Any]) -> None:
        if self.waiting.full():
            self.waiting.get_nowait()
            self.missed += 1
        self.waiting.put_nowait(update)

    async def next(self) -> dict[str, Any]:
        update = await self.waiting.get()
        if self.missed:
            update = {**update, "missed": self.missed}
            self.missed = 0
        return update


class Onlookers:
    """Hands what is read to everyone who looks on at present."""

    def __init__(self) -> None:
        self._present: set[_Onlooker] = set()

    def __bool__(self) -> bool:
        """Tell whether anybody looks on."""
        return bool(self._present)

    def show(self, device: str, ts: int, readings: Iterable[Seen]) -> None:
        """Show what one read of one device brought; `ts` is ms since 1970 UTC."""
        update = {"device": device, "ts": ts, "readings": [_reading(one) for one in readings]}
        for onlooker in self._present:
            if onlooker.device in ("", device):
                onlooker.show(update)

    async def watch(self, device: str) -> AsyncGenerator[dict[str, Any], None]:
        """Give every update of a device, or of all where it is empty, until nobody wants more.

        An update says how many before it were missed, where somebody was too slow for them.
        """
        onlooker = _Onlooker(device)
        self._present.add(onlooker)
        try:
            while True:
                yield await onlooker.next()
        finally:
            self._present.discard(onlooker)


def _reading(seen: Seen) -> dict[str, Any]:
    value, flaw = seen.value, seen.flaw
    if isinstance(value, int) and abs(value) > EXACT:
        value = str(value)
    return {
        "p": seen.point,
        "v": value,
        "q": (flaw.quality if flaw else Quality.GOOD).name.lower(),
        "why": flaw and flaw.why,
        "unit": seen.unit,
    }
