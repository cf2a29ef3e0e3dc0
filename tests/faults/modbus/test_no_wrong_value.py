"""100,000 requests to devices that lie, on every transport: not one wrong value."""

import asyncio
import random
from collections import Counter

import pytest
from edge_agent_modbus import ModbusAddress, ModbusDriver, ModbusSettings

from edge_agent.driver import NoResponse
from tests.rigs.fault_sizes import sized
from tests.rigs.modbus_liar import SIZE, STRICT, STRICT_CELLS, Liar
from tests.rigs.modbus_wire import PtyEnd, TcpEnd

TIMEOUT = 0.02
PATIENT = 0.1  # beside other tests, so that what is asked is mostly answered in time
FULL = 100_000  # requests, on every transport
LINKS = 8
TRANSPORTS = {
    "tcp": {"transport": "tcp"},
    "tcp without numbers": {"transport": "tcp", "transaction_id": "ignore"},
    "rtu": {"transport": "rtu"},
    "rtu-over-tcp": {"transport": "rtu-over-tcp"},
    "ascii": {"transport": "ascii"},
    "ascii-over-tcp": {"transport": "ascii-over-tcp"},
}


def numbers(unit: int, offset: int, count: int = 1, table: str = "holding") -> list[ModbusAddress]:
    return [
        ModbusAddress(unit=unit, table=table, offset=at, type="uint32")
        for at in range(offset, offset + 2 * count, 2)
    ]


def bits(unit: int, table: str) -> list[ModbusAddress]:
    return [ModbusAddress(unit=unit, table=table, offset=at, type="bool") for at in range(64, 96)]


ASKED = [
    numbers(1, 10),
    numbers(1, 10),
    numbers(1, 20, 5),
    numbers(1, 10, 1, "input"),
    numbers(2, 10),
    numbers(2, 400, 20),
    numbers(STRICT, STRICT_CELLS[0]),
    bits(1, "coil"),
    bits(2, "discrete"),
    [ModbusAddress(unit=2, offset=SIZE + 4000)],  # refused
]


def number_in(values: list) -> list[int | None]:
    """Give the request numbers that the values of one block carry."""
    if isinstance(values[0], bool):
        return [sum(bit << at for at, bit in enumerate(values))]
    return values


class Client:
    """Reads one link again and again and compares what it gets with what was answered."""

    def __init__(self, keys: dict, seed: int, timeout: float) -> None:
        framing = keys["transport"].partition("-")[0]
        self.liar, self._timeout = Liar(timeout, framing, seed), timeout
        self._end = (PtyEnd if keys["transport"] in {"rtu", "ascii"} else TcpEnd)(
            framing, self.liar
        )
        self._keys, self._chance = keys, random.Random(seed + 1)
        self.seen: Counter[str] = Counter()
        self.wrong: list[tuple[int, list[int | None]]] = []
        self.holes: set[str] = set()

    async def run(self, count: int) -> None:
        await self._end.start()
        settings = {**self._keys, **self._end.settings, "timeout": self._timeout}
        driver = ModbusDriver(ModbusSettings(**settings))
        await driver.open()
        plans = [driver.plan(addresses, {}) for addresses in ASKED]
        while self.liar.latest < count:
            await self._read(driver, self._chance.choice(plans))
        await driver.close()
        await self._end.stop()
        self.seen.update({f"evidence {kind}": n for kind, n in driver.evidence.items()})

    async def _read(self, driver: ModbusDriver, plan) -> None:
        try:
            # Now and then the agent's own deadline comes before the answer.
            patience = self._timeout / 4 if self._chance.random() < 0.002 else plan.patience
            async with asyncio.timeout(patience):
                samples = await driver.read(plan)
        except (NoResponse, TimeoutError):
            self.seen["no response"] += 1
            return
        self.holes |= set((samples.learnt or {}).get("holes", {}))
        if None in samples.values:
            self.seen[samples.flaws[0].why] += 1
            return
        found = set(number_in(samples.values))
        self.seen["good"] += 1
        if found != {self.liar.latest}:
            self.wrong.append((self.liar.latest, sorted(found)))


@pytest.mark.parametrize("name", TRANSPORTS)
@sized(quick=(FULL // 50, PATIENT), full=(FULL, TIMEOUT), thorough=True)
async def test_devices_that_lie_bring_no_wrong_value(name, size):
    count, timeout = size.amount
    clients = [Client(TRANSPORTS[name], seed, timeout) for seed in range(LINKS)]
    await asyncio.gather(*(client.run(count // LINKS) for client in clients))
    seen, told = Counter(), Counter()
    for client in clients:
        seen += client.seen
        told += client.liar.told
    print(name, dict(told), dict(seen))
    assert [client.wrong for client in clients if client.wrong] == []
    assert {hole for client in clients for hole in client.holes} <= {"2/holding"}
    asked = sum(told.values())
    assert asked >= count
    assert told["late"] > asked * 0.04
    assert told["damaged"] > asked * 0.005
    assert seen["evidence late"] > told["late"] / 4
    assert seen["good"] > asked / 2
