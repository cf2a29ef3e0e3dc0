"""Nothing that could change a machine can be built, and the shipped documents are true."""

import subprocess
import sys
from pathlib import Path

import edge_agent_modbus
import pytest
from edge_agent_modbus import ModbusAddress, ModbusDriver, ModbusSettings
from edge_agent_modbus.layout import KINDS
from edge_agent_modbus.pdu import FUNCTIONS, Request, Table

from edge_agent.config import parse

PACKAGE = Path(edge_agent_modbus.__file__).parent


def test_every_request_of_every_table_has_a_function_code_that_reads():
    codes = {Request(1, table, offset, 1).pdu[0] for table in Table for offset in (0, 65535)}
    assert codes == set(FUNCTIONS.values()) == {1, 2, 3, 4}


def test_a_request_takes_no_function_code_and_cannot_be_changed():
    with pytest.raises(TypeError):
        Request(1, Table.HOLDING, 0, 1, function=6)
    with pytest.raises(AttributeError):
        Request(1, Table.HOLDING, 0, 1).pdu = b"\x06\x00\x00\x00\x01"


@pytest.mark.parametrize(("offset", "count"), [(0, 0), (0, 126), (65535, 2), (-1, 1), (0, -1)])
def test_a_request_that_no_device_could_answer_is_not_built(offset, count):
    with pytest.raises(ValueError, match="no request"):
        Request(1, Table.HOLDING, offset, count)


async def test_all_that_goes_over_the_wire_reads(tcp, gateway, device):
    everything = [
        *(ModbusAddress(table=table, offset=at) for table in Table for at in (0, 7, 900)),
        *(
            ModbusAddress(offset=20, type=name, length=None if kind.registers else 4)
            for name, kind in KINDS.items()
        ),
        ModbusAddress(offset=5000),
    ]
    for peer, transport in ((tcp, "tcp"), (gateway, "rtu-over-tcp")):
        settings = ModbusSettings(host="127.0.0.1", port=peer.port, transport=transport)
        driver = ModbusDriver(settings)
        await driver.open()
        learnt = {}
        for _ in range(3):
            samples = await driver.read(driver.plan(everything, learnt))
            learnt = samples.learnt or learnt
        await driver.close()
    assert {request[7] for request in tcp.requests} == {1, 2, 3, 4}
    assert {request[1] for request in gateway.requests} == {1, 2, 3, 4}
    assert device.writes == []


def test_neither_pymodbus_nor_pyserial_is_imported_where_they_are_not_needed():
    program = (
        "import sys, edge_agent_modbus as m;"
        "m.ModbusDriver(m.ModbusSettings(host='plc'));"
        "print([name for name in ('pymodbus', 'serial') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_sample_is_a_configuration_without_a_mistake():
    inspection = parse((PACKAGE / "sample.yaml").read_text())
    assert inspection.errors == []
    assert inspection.warnings == []
    assert inspection.config is not None
    points = inspection.config.connections[0].devices[0].points
    assert str(points[0].address) == "unit 1 input:107 uint16"


def test_the_readme_names_every_setting_type_and_address_key():
    text = (PACKAGE / "README.md").read_text()
    names = [*ModbusSettings.model_fields, *ModbusAddress.model_fields, *KINDS]
    assert [name for name in names if f"`{name}`" not in text] == []
