"""Several units behind one gateway: a dead one costs neither neighbours nor the connection."""

import time

import pytest
from edge_agent_modbus import ModbusSettings

from tests.rigs.modbus_device import Device, with_crc
from tests.rigs.modbus_tcp import TcpPeer, mbap, take_mbap
from tests.rigs.shared_line import connection, polling
from tests.rigs.until import until

UNITS = range(1, 5)
DEAD = 3
PATIENCE = 0.2  # far more than this machine takes to answer itself
PROBE = 0.6


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

    def asks(self, unit: int, since: float) -> int:
        """Count the requests to this unit since an instant of the steady clock."""
        return sum(one == unit for at, one in self.asked if at >= since)

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
    monkeypatch.setattr("edge_agent.standing.FIRST_PROBE", PROBE)
    monkeypatch.setattr("edge_agent.standing.LAST_PROBE", PROBE)
    monkeypatch.setattr("edge_agent.standing.PROBE_SHARE", 1)  # four units make no large line
    monkeypatch.setattr("edge_agent.standing.USUAL_SHARE", 1)
    gateway = Gateway(transport, refusal)
    await gateway.peer.start()
    settings = ModbusSettings(
        transport=transport, host="127.0.0.1", port=gateway.peer.port, timeout=PATIENCE,
        late_window=0,
    )  # fmt: skip
    async with polling(connection(UNITS, settings, every=0.05, points=3)) as (poller, kept):
        await until(lambda: poller.devices[f"unit-{DEAD}"].is_demoted)
        assert kept.state(f"unit-{DEAD}") == "silent"
        assert kept.code(f"unit-{DEAD}") in codes
        since, before = time.monotonic(), kept.good.copy()
        await until(lambda: gateway.asks(DEAD, since) >= 2)
        asked, elapsed = gateway.asks(DEAD, since), time.monotonic() - since
        assert asked <= 1 + elapsed / PROBE, "it is only probed"
        for unit in set(UNITS) - {DEAD}:
            assert kept.good[f"unit-{unit}"] - before[f"unit-{unit}"] >= 4 * asked
            assert not kept.bad[f"unit-{unit}"]
        gateway.dead.clear()
        await until(lambda: kept.state(f"unit-{DEAD}") == "up")
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
    settings = ModbusSettings(host="127.0.0.1", port=peer.port, timeout=2)
    # The link has to be there again before the next poll is due: seldom enough for a busy machine.
    async with polling(connection(range(1, 2), settings, every=0.3, points=3)) as (_, kept):
        for polls in range(1, 8):
            await until(lambda: kept.good["unit-1"] >= 2 * polls)  # noqa: B023
            peer.hang_up()
        await until(lambda: kept.good["unit-1"] >= 18)
        assert not kept.bad
        assert kept.states == [("unit-1", "up", "")]
    await peer.stop()
