"""A Modbus TCP device that serves a counter, and remembers what it served and when.

Each answered read of a unit brings the next number of that unit, in two registers from offset 0 on,
so that what arrives at the platform shows which poll it is from.
"""

import asyncio
import itertools
import struct
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from tests.rigs import writes
from tests.rigs.agent_process import AgentProcess
from tests.rigs.modbus_tcp import Pieces, TcpPeer, mbap, take_mbap
from tests.rigs.until import until

Mood = Callable[["CounterPlc", int, int, bytes], Pieces]
"""Makes the answer to a request: the device, transaction, unit, PDU."""


def honest(plc: "CounterPlc", number: int, unit: int, pdu: bytes) -> Pieces:
    return [(0, mbap(number, unit, plc.answer(unit, pdu)))]


def hangs(*_: Any) -> Pieces:
    return []


class CounterPlc:
    """One TCP endpoint with any number of units.

    Attributes:
        mood: How it answers; may be exchanged at any time.
        served: Unit -> the instants (time.monotonic) at which its counter became 1, 2, 3, ...
        asked: The instants of all requests.
        lies: Numbers that were given only in answers that must not be believed -> which kind.
    """

    def __init__(self, mood: Mood = honest) -> None:
        self.mood = mood
        self.served: dict[int, list[float]] = defaultdict(list)
        self.asked: list[float] = []
        self.lies: dict[int, str] = {}
        self.peer = TcpPeer(self._script)
        self._free_at = 0.0

    async def __aenter__(self) -> "CounterPlc":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen, on the port it had before if it had one."""
        await self.peer.start()

    async def stop(self) -> None:
        """Cut every connection and listen no more."""
        await self.peer.stop()

    @property
    def port(self) -> int:
        return self.peer.port

    def count(self) -> int:
        """How many numbers were served, by all units."""
        return sum(map(len, self.served.values()))

    def answer(self, unit: int, pdu: bytes) -> bytes:
        """Answer a read with the next number of the unit."""
        function, _, count = struct.unpack(">BHH", pdu[:5])
        if not writes.check(pdu, "a counter") or function not in {3, 4}:
            return bytes((function | 0x80, 1))
        self.served[unit].append(time.monotonic())
        words = struct.pack(">I", len(self.served[unit])).ljust(2 * count, b"\0")
        return struct.pack(">BB", function, 2 * count) + words

    def lie(self, unit: int, pdu: bytes, kind: str) -> bytes:
        """Make an answer that must never be taken for a value."""
        answer = self.answer(unit, pdu)
        self.lies[len(self.served[unit])] = kind
        return answer

    def _script(self, frame: bytes) -> Pieces:
        self.asked.append(time.monotonic())
        number, unit, pdu = take_mbap(frame)
        pieces = self.mood(self, number, unit, pdu)
        return self._in_turn(pieces) if pieces else []

    def _in_turn(self, pieces: Pieces) -> Pieces:
        """Begin no answer in the middle of another one: no device mixes the bytes of two."""
        now = time.monotonic()
        wait = max(0.0, self._free_at - now)
        if wait or len(pieces) > 1:
            self._free_at = now + wait + sum(delay for delay, _ in pieces) + 0.02
        (first, data), *others = pieces
        return [(wait + first, data), *others]


@asynccontextmanager
async def several(count: int, mood: Mood) -> AsyncIterator[list[CounterPlc]]:
    """Let so many devices of one mood listen until the block ends."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(CounterPlc(mood)) for _ in range(count)]


def connection(
    plc: CounterPlc, name: str = "line", units: int = 1, every: str = "20ms", **settings: Any
) -> dict[str, Any]:
    """Configure a connection to a device; its units are called `<name>-<unit>`."""
    point = {"address": {"table": "holding", "offset": 0, "type": "uint32"}}
    return {
        "name": name,
        "driver": "modbus",
        "settings": {
            "transport": "tcp",
            "host": "127.0.0.1",
            "port": plc.port,
            "timeout": 10,  # longer than `drain` takes
            "late_window": 0,
            **settings,
        },
        "devices": [
            {
                "name": f"{name}-{unit}",
                "address": {"unit": unit},
                "every": every,
                "points": {"counter": point},
            }
            for unit in range(1, units + 1)
        ],
    }


async def drain(gateway: AgentProcess, *plcs: CounterPlc, seconds: float = 60) -> float:
    """Let the devices say nothing more, and wait until all they said is acknowledged."""
    began = time.monotonic()
    for plc in plcs:
        plc.mood = hangs
    await asyncio.sleep(0.05)  # what was answered last is on its way into the buffer
    await until(lambda: not gateway.status()["buffer"]["readings"], seconds, pause=0.02)
    return time.monotonic() - began


def longest_gap(instants: list[float], since: float = 0.0) -> float:
    """Give the longest time between two instants that follow each other."""
    later = [at for at in instants if at >= since]
    return max((after - at for at, after in itertools.pairwise(later)), default=0.0)


BEAT = 0.01  # seconds


class Heartbeat:
    """Watches how late this process's own loop is, since the machine is shared.

    Attributes:
        worst: The longest that the loop overslept, in seconds.
        lost: All that it overslept by more than a beat, in seconds.
    """

    def __init__(self) -> None:
        self.worst = self.lost = 0.0

    async def __aenter__(self) -> "Heartbeat":
        self._task = asyncio.create_task(self._beat())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()

    @property
    def noise(self) -> float:
        """Seconds by which the agent's own loop may be late for the same reasons as this one."""
        return 0.05 + 2 * self.worst

    async def _beat(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(BEAT)
            late = time.monotonic() - before - BEAT
            self.worst = max(self.worst, late)
            self.lost += late if late > BEAT else 0
