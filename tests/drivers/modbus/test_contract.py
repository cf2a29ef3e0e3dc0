"""The Modbus driver keeps a driver's promises, against five pieces of equipment."""

import pytest
from edge_agent_modbus import ModbusAddress, ModbusDriver, ModbusSettings
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from edge_agent.testing import DriverContract, Rig
from tests.rigs.modbus_plant import Plant, build

GOOD = [
    ModbusAddress(offset=100),
    ModbusAddress(offset=109),
    ModbusAddress(table="input", offset=3),
]


def fall_silent(peer) -> None:
    peer.script = lambda frame: []


class TestTcp(DriverContract):
    @pytest.fixture
    async def rig(self, tcp):
        return Rig(
            driver=ModbusDriver(ModbusSettings(host="127.0.0.1", port=tcp.port, timeout=0.2)),
            good=GOOD,
            refused=ModbusAddress(offset=5000),
            cut=tcp.stop,
            silence=lambda: fall_silent(tcp),
        )


class TestRtu(DriverContract):
    @pytest.fixture
    async def rig(self, line):
        return Rig(
            driver=ModbusDriver(
                ModbusSettings(transport="rtu", port=str(line.path), baud=115200, timeout=0.2)
            ),
            good=GOOD,
            refused=ModbusAddress(offset=5000),
            cut=line.unplug,
            silence=lambda: fall_silent(line),
        )


class TestRtuOverTcp(DriverContract):
    @pytest.fixture
    async def rig(self, gateway):
        return Rig(
            driver=ModbusDriver(
                ModbusSettings(
                    transport="rtu-over-tcp", host="127.0.0.1", port=gateway.port, timeout=0.2
                )
            ),
            good=GOOD,
            refused=ModbusAddress(offset=5000),
            cut=gateway.stop,
            silence=lambda: fall_silent(gateway),
        )


class TestPymodbusServer(DriverContract):
    @pytest.fixture
    async def rig(self):
        words = SimData(0, values=list(range(1000, 1200)), datatype=DataType.REGISTERS)
        server = ModbusTcpServer(SimDevice(1, [words]), address=("127.0.0.1", 0))
        await server.serve_forever(background=True)
        port = server.transport.sockets[0].getsockname()[1]
        yield Rig(
            driver=ModbusDriver(ModbusSettings(host="127.0.0.1", port=port, timeout=1)),
            good=GOOD,
            refused=ModbusAddress(offset=200),
            cut=server.shutdown,
        )
        await server.shutdown()


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    return build(tmp_path_factory.mktemp("plant"))


class TestLibmodbusPlant(DriverContract):
    @pytest.fixture
    async def rig(self, program):
        plant = Plant(program)
        yield Rig(
            driver=ModbusDriver(ModbusSettings(host="127.0.0.1", port=plant.port, timeout=1)),
            good=GOOD,
            refused=ModbusAddress(offset=200),
            cut=plant.stop,
        )
        plant.stop()
