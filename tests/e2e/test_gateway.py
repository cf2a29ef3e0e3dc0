"""Several units behind one gateway: a dead one costs neither neighbours nor the connection."""

import asyncio
import time

import pytest
from edge_agent_modbus import ModbusSettings

from tests.rigs.modbus_device import Device, with_crc
from tests.rigs.modbus_tcp import TcpPeer, mbap, take_mbap
from tests.rigs.shared_line import connection, polling
from tests.rigs.until import until

UNITS = range(1, 5)
DEAD = 3


class Gateway:
    """A gateway with some units behind it.

    Attributes:
        refusal: Exception code it gives for a dead unit; None stays silent.
        asked: Instant and unit of every request.
    """

    def __init__(self, transport: str, refusal: int | None) -> None:
        self.dead = {DEAD}
        self.refusal = refusal
        self.asked: list[tuple[float, int]] = []
        self._plant = Device()
        self._is_rtu = transport == "rtu-over-tcp"
        self.peer = TcpPeer(self._script, request_size=8 if self._is_rtu else 12)

    def _script(self, frame: bytes):
        number, unit, pdu = (0, frame[0], frame[1:-2]) if self._is_rtu else take_mbap(frame)
        self.asked.append((time.monotonic(), unit))
        if unit not in self.dead:
            answer = self._plant.answer(pdu)
        elif self.refusal is None:
            return []
        else:
            answer = bytes((pdu[0] | 0x80, self.refusal))
        whole = with_crc(bytes((unit,)) + answer) if self._is_rtu else mbap(number, unit, answer)
        return [(0, whole)]


@pytest.mark.parametrize(
    ("transport", "refusal", "codes"),
    [
        pytest.param("tcp", 0x0B, {"E-GATEWAY"}, marks=pytest.mark.thorough),
        ("rtu-over-tcp", None, {"E-NET-SILENT", "E-BUS-ABSENT"}),
        pytest.param("tcp", 0x0A, {"E-GATEWAY"}, marks=pytest.mark.thorough),
        pytest.param("tcp", None, {"E-NET-SILENT", "E-BUS-ABSENT"}, marks=pytest.mark.thorough),
        pytest.param("rtu-over-tcp", 0x0A, {"E-GATEWAY"}, marks=pytest.mark.thorough),
        pytest.param("rtu-over-tcp", 0x0B, {"E-GATEWAY"}, marks=pytest.mark.thorough),
    ],
)
async def test_a_dead_unit_is_demoted_and_the_connection_stays(
    monkeypatch, transport, refusal, codes
):
    monkeypatch.setattr("edge_agent.standing.FIRST_PROBE", 0.3)
    monkeypatch.setattr("edge_agent.standing.LAST_PROBE", 0.3)
    gateway = Gateway(transport, refusal)
    await gateway.peer.start()
    settings = ModbusSettings(
        transport=transport, host="127.0.0.1", port=gateway.peer.port, timeout=0.01, late_window=0
    )
    async with polling(connection(UNITS, settings, every=0.05, points=3)) as (poller, kept):
        await until(lambda: poller.devices[f"unit-{DEAD}"].is_demoted)
        assert kept.state(f"unit-{DEAD}") == "silent"
        assert kept.code(f"unit-{DEAD}") in codes
        since, before = time.monotonic(), kept.good.copy()
        await asyncio.sleep(0.6)
        asked = sum(unit == DEAD for at, unit in gateway.asked if at >= since)
        assert 1 <= asked <= 3, "it is only probed"
        for unit in set(UNITS) - {DEAD}:
            assert kept.good[f"unit-{unit}"] - before[f"unit-{unit}"] >= 9
            assert not kept.bad[f"unit-{unit}"]
        gateway.dead.clear()
        await until(lambda: kept.state(f"unit-{DEAD}") == "up", 2)
        assert poller.state == "up"
        assert poller.reopened == 0
        assert {state for _, state, _ in kept.states} == {"up", "silent"}
    await gateway.peer.stop()


@pytest.mark.thorough
async def test_a_device_that_closes_idle_connections_gives_no_bad_reading():
    plant = Device()

    def script(frame: bytes):
        number, unit, pdu = take_mbap(frame)
        return [(0, mbap(number, unit, plant.answer(pdu)))]

    peer = TcpPeer(script)
    await peer.start()
    settings = ModbusSettings(host="127.0.0.1", port=peer.port, timeout=0.5)
    async with polling(connection(range(1, 2), settings, every=0.05, points=3)) as (_, kept):
        for polls in range(1, 8):
            await until(lambda: kept.good["unit-1"] >= 2 * polls)  # noqa: B023
            peer.hang_up()
        await until(lambda: kept.good["unit-1"] >= 18)
        assert not kept.bad
        assert kept.states == [("unit-1", "up", "")]
    await peer.stop()
