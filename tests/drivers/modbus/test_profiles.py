"""The device profiles that come with the driver: all are checked, some are read."""

import struct

import pytest
from edge_agent_modbus import ModbusAddress
from edge_agent_modbus.pdu import Table

from edge_agent.config import Config
from edge_agent.config.library import Library
from edge_agent.config.loading import parse
from edge_agent.config.profile import Profile
from edge_agent.trial import DeviceResult, try_connections
from tests.rigs.modbus_device import Device
from tests.rigs.modbus_tcp import TcpPeer

LIBRARY = Library()
NAMES = list(LIBRARY.files["modbus"])
UNITS = {
    "", "%", "1/min", "A", "Cel", "Hz", "N.m", "V", "V.A", "W", "[ppm]", "deg", "h", "kPa", "kW",
    "kW.h", "kvar.h", "m/s", "m3", "m3/h", "mA", "s", "var",
}  # fmt: skip
# A quantity's unit by the beginning of its point's name, so that no kW stands at an energy.
QUANTITIES = {
    "voltage": "V", "current": "A", "active_power": "W", "reactive_power": "var",
    "apparent_power": "V.A", "energy": "kW.h", "reactive_energy": "kvar.h", "frequency": "Hz",
    "power_factor": "", "thd": "%", "di": "", "do": "",
}  # fmt: skip


def profile(name: str) -> Profile:
    return LIBRARY.load("modbus", name)


def configured(name: str, port: int = 502, more: str = "") -> Config:
    """Load a configuration with one device of this profile, with every point of it."""
    answers = {key: (each.choices or [120])[0] for key, each in profile(name).parameters.items()}
    inspection = parse(
        "version: 1\nagent: {id: gw, site: hall}\nmqtt: {url: mqtt://localhost}\n"
        "connections:\n- name: link\n  driver: modbus\n"
        f"  settings: {{transport: tcp, host: 127.0.0.1, port: {port}}}\n"
        f"  devices:\n  - name: device\n    address: {{unit: 7}}\n    profile: {name}\n"
        f"    preset: all\n    parameters: {answers}\n{more}"
    )
    assert inspection.errors == []
    assert inspection.config is not None
    return inspection.config


def test_there_are_profiles() -> None:
    assert len(NAMES) == 73


@pytest.mark.parametrize("name", NAMES)
def test_a_profile_is_sound(name: str) -> None:
    one = profile(name)
    (device,) = configured(name, more=_own(one)).connections[0].devices
    points = [point for point in device.points if point.name != "mine"]
    assert {point.name for point in points} == one.points.keys()
    assert {point.unit for point in points} <= UNITS
    cells: dict[tuple[Table, int], str] = {}
    for point in points:
        address = point.address
        assert isinstance(address, ModbusAddress)
        assert address.unit == 7
        assert 0 < abs(point.scale) <= 1e6
        wanted = [unit for begin, unit in QUANTITIES.items() if _is(point.name, begin)]
        assert not wanted or point.unit == wanted[-1], point.name
        for cell in range(address.offset, address.offset + address.cells):
            other = cells.setdefault((address.table, cell), point.name)
            assert other == point.name, f"{point.name} and {other} share {address.table}:{cell}"


def _is(point: str, quantity: str) -> bool:
    return point == quantity or point.startswith(f"{quantity}_")


@pytest.mark.parametrize("name", NAMES)
def test_a_profile_asks_and_recognises_by_what_the_driver_knows(name: str) -> None:
    one = profile(name)
    for sign in one.recognise:
        ModbusAddress.model_validate(sign.address)
    link = configured(name, more=_own(one)).connections[0]
    known = type(link.settings).model_fields
    assert one.settings.keys() <= known.keys()
    assert {*one.protocols} <= {"rtu", "ascii", "tcp"}
    assert not any(mark in one.model_dump_json() for mark in ("http://1", "TODO", "???"))


def _own(one: Profile) -> str:
    return "" if one.points else "    points: {mine: {address: 'holding:0'}}\n"


def test_devices_that_need_care_say_so() -> None:
    assert [name for name in NAMES if profile(name).settings] == [
        "carel-ir33",
        "danfoss-fc51",
        "inovance-md500",
        "schneider-atv312",
    ]


# --- over the wire -----------------------------------------------------------------------------


async def read(name: str, device: Device) -> DeviceResult:
    def answer(frame: bytes) -> list[tuple[float, bytes]]:
        pdu = device.answer(frame[7:])
        return [(0.0, frame[:4] + struct.pack(">H", len(pdu) + 1) + frame[6:7] + pdu)]

    peer = TcpPeer(answer)
    await peer.start()
    try:
        (result,) = await try_connections(configured(name, peer.port).connections)
    finally:
        await peer.stop()
    assert device.writes == []
    return result


def put(device: Device, offset: int, form: str, *values: float) -> None:
    data = struct.pack(f">{len(values)}{form}", *values)
    for index, (word,) in enumerate(struct.iter_unpack(">H", data)):
        device.values[offset + index] = word


async def test_a_float_meter_is_read() -> None:
    device = Device(size=65536)
    put(device, 0, "f", 231.5, 230.25, 229.0, 12.5)
    put(device, 52, "f", 7912.5)
    put(device, 72, "f", 18442.5)
    values = {
        one.point: (one.value, one.unit) for one in (await read("eastron-sdm630", device)).readings
    }
    assert values["voltage_l1"] == (231.5, "V")
    assert values["voltage_l3"] == (229.0, "V")
    assert values["current_l1"] == (12.5, "A")
    assert values["active_power"] == (7912.5, "W")
    assert values["energy_import"] == (18442.5, "kW.h")
    assert {function for function, _, _ in device.reads} == {4}


async def test_low_words_first_and_scaled_integers_are_read() -> None:
    device = Device(size=65536)
    put(device, 0, "H", 2314, 0)
    put(device, 40, "H", 0xFFF6, 0xFFFF)
    values = {one.point: one.value for one in (await read("carlogavazzi-em340", device)).readings}
    assert (values["voltage_l1"], values["active_power"]) == (231.4, -1.0)


async def test_codes_that_mean_none_are_no_values() -> None:
    device = Device(size=65536)
    put(device, 20480, "Q", 2**64 - 1, 1_844_260)
    put(device, 23316, "i", 2**31 - 1, -5000)
    readings = {one.point: one for one in (await read("abb-b23-b24", device)).readings}
    assert (readings["energy_import"].value, readings["energy_import"].why) == (None, "no_value")
    assert readings["energy_export"].value == 18442.6
    assert (readings["active_power"].value, readings["active_power"].why) == (None, "no_value")
    assert readings["active_power_l1"].value == -50.0


async def test_ratios_scale_the_secondary_side() -> None:
    device = Device(size=65536)
    put(device, 97, "H", 2310, 2311, 2312, 250)
    values = {one.point: one.value for one in (await read("acrel-adl3000", device)).readings}
    assert values["current_l1"] == 300.0  # 2.50 A times 120
    assert values["voltage_l1"] == 27720.0  # 231.0 V times 120
    assert values["frequency"] == 10.0 + 0.01 * 119


async def test_parts_of_registers_are_read() -> None:
    device = Device(size=65536)
    put(device, 8448, "H", 0x1205, 0xFFF3)
    values = {one.point: one.value for one in (await read("delta-ms300", device)).readings}
    assert (values["fault_code"], values["drive_state"]) == (5, 3)
