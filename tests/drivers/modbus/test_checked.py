"""What `check` says about Modbus, and what a point of a file becomes in a reading."""

import struct

import pytest
from edge_agent_modbus.decode import compile_decoder

from edge_agent.conditioning import Conditioner
from edge_agent.config import parse
from edge_agent.model import Samples, Why

FILE = """\
version: 1
agent: {{id: gw-01, site: hall}}
mqtt: {{url: mqtt://127.0.0.1}}
buffer: {{path: /tmp/none}}
connections:
  - name: line
    driver: modbus
    settings: {settings}
    devices:
      - name: meter
        address: {device}
        points:
          value: {point}
"""
TCP = "{host: plc}"
RTU = "{transport: rtu, port: /dev/ttyUSB0, baud: 9600}"


def check(point: str, device: str = "{}", settings: str = TCP):
    return parse(FILE.format(settings=settings, device=device, point=point))


def point_of(*keys: str):
    inspection = check(*keys)
    assert inspection.errors == []
    return inspection.config.connections[0].devices[0].points[0]


def reading(registers: list[int], *keys: str):
    """Read a point of a file from these registers; give its value and what is wrong with it."""
    point = point_of(*keys)
    data = struct.pack(f">{len(registers)}H", *registers)
    values, flaws = compile_decoder(0, len(registers), [point.address])(data)
    readings = Conditioner([point]).condition(Samples(list(values), flaws), 0.0)
    return readings.values[0], readings.flaws[0].why if readings.flaws else None


@pytest.mark.parametrize(
    ("unit", "settings"),
    [
        (0, RTU),
        (248, RTU),
        (255, "{transport: ascii, port: /dev/ttyUSB0, baud: 9600}"),
        (0, "{transport: rtu-over-tcp, host: gateway}"),
        (250, "{transport: ascii-over-tcp, host: gateway}"),
    ],
)
def test_a_unit_that_no_serial_line_has_is_refused_where_it_is_written(unit, settings):
    inspection = check("{address: {offset: 1}}", f"{{unit: {unit}}}", settings)
    [error] = inspection.errors
    assert error.path == "connections[0].devices[0].address.unit"
    assert error.line == 11
    assert "1 to 247" in error.hint


def test_a_unit_written_at_a_point_is_refused_there():
    [error] = check("{address: {offset: 1, unit: 0}}", "{}", RTU).errors
    assert error.path == "connections[0].devices[0].points.value.address.unit"


@pytest.mark.parametrize("unit", [0, 255])
def test_tcp_servers_may_have_units_that_serial_lines_do_not(unit):
    assert check("{address: {offset: 1}}", f"{{unit: {unit}}}").errors == []


def test_a_value_wider_than_the_requests_that_are_allowed_is_refused():
    settings = "{host: plc, max_registers: 8}"
    [error] = check("{address: {offset: 1, type: string, length: 20}}", "{}", settings).errors
    assert error.path == "connections[0].devices[0].points.value.address"
    assert "max_registers" in error.hint


def test_an_order_at_the_device_is_for_the_values_that_have_one():
    device = "{unit: 7, order: CDAB}"
    assert str(point_of("{address: {offset: 1}}", device).address).endswith("holding:1 uint16")
    wide = point_of("{address: {offset: 1, type: float32}}", device)
    assert str(wide.address).endswith("float32 CDAB")
    own = point_of("{address: {offset: 1, type: float32, order: DCBA}}", device)
    assert str(own.address).endswith("float32 DCBA")


def test_an_order_at_a_point_of_sixteen_bits_stays_a_mistake():
    [error] = check("{address: {offset: 1, type: int16, order: BA}}").errors
    assert "no byte order" in error.message


def test_an_order_at_the_device_that_nothing_has_is_a_mistake_of_the_device():
    [error] = check("{address: {offset: 1}}", "{order: CBAD}").errors
    assert "order" in str(error)


@pytest.mark.parametrize("bad", ["true", "7.0", '"7"', "-1", "65536", "1e3", "0x10000"])
def test_an_offset_is_a_whole_number_within_the_table(bad):
    [error] = check(f"{{address: {{offset: {bad}}}}}").errors
    assert error.path.endswith("address.offset")


@pytest.mark.parametrize(
    "settings",
    [
        "{host: plc, port: true}",
        "{host: plc, max_registers: true}",
        "{host: plc, max_gap: 1.0}",
        "{host: plc, one_request_per_point: 1}",
        "{host: plc, coils_from_zero: yes}",
        "{transport: rtu, port: /dev/x, baud: true}",
        "{transport: rtu, port: /dev/x, baud: 9600, stop_bits: true}",
        "{transport: rtu, port: /dev/x, baud: 9600, rs485: {delay_before: 2s}}",
        "{transport: rtu, port: /dev/x, baud: 9600, rs485: {rts_when_sending: up}}",
        "{host: plc, rs485: {}}",
        "{host: plc, connection: sometimes}",
    ],
)
def test_settings_are_taken_strictly(settings):
    inspection = check("{address: {offset: 1}}", "{}", settings)
    assert len(inspection.errors) == 1
    assert inspection.errors[0].path.startswith("connections[0].settings")


@pytest.mark.parametrize(
    ("point", "registers", "value", "why"),
    [
        ("{address: {offset: 0, type: int16}, scale: 0.1}", [65436], -10.0, None),
        ("{address: {offset: 0, type: int16}, no_value: [0x8000]}", [0x8000], None, Why.NO_VALUE),
        ("{address: {offset: 0, type: int16}, no_value: [-32768]}", [0x8000], None, Why.NO_VALUE),
        ("{address: {offset: 0}, no_value: [0xFFFF], scale: 2}", [0xFFFF], None, Why.NO_VALUE),
        ("{address: {offset: 0}, no_value: [0xFFFF], scale: 2}", [0xFFFE], 131068, None),
        ("{address: {offset: 0, type: float32}}", [0x7FC0, 0], None, Why.NOT_A_NUMBER),
        ("{address: {offset: 0, type: float32}}", [0x7F80, 0], None, Why.NOT_A_NUMBER),
        (
            "{address: {offset: 0, type: float32, map: {raw: [0, 1], to: [0, 9], clamp: true}}}",
            [0x7F80, 0],
            None,
            Why.NOT_A_NUMBER,
        ),
        (
            "{address: {offset: 0, type: float32, map: {raw: [4, 20], to: [0, 10], loop: 4-20mA}},"
            " range: [0, 10]}",
            [0x4060, 0],
            None,
            Why.OUT_OF_RANGE,
        ),
        (
            "{address: {offset: 0, type: int16, map: {raw: [0, 100], to: [0, 10]}},"
            " no_value: [0x7FFF]}",
            [0x7FFF],
            None,
            Why.NO_VALUE,
        ),
        ("{address: {offset: 0, bit: 3}}", [8], True, None),
        (
            "{address: {offset: 0, type: string, length: 2}, no_value: ['--']}",
            [0x2D2D],
            None,
            Why.NO_VALUE,
        ),
    ],
)
def test_registers_become_the_reading_that_the_file_means(point, registers, value, why):
    assert reading(registers, point) == (value, why)


def test_an_order_that_does_not_exist_is_told_whatever_else_is_wrong_with_the_device():
    inspection = check("{address: {offset: 1, type: int32, order: ABDC}}", "{unit: 300}")
    device = "connections[0].devices[0]"
    assert [one.path for one in inspection.errors] == [
        f"{device}.address.unit",
        f"{device}.points.value.address.order",
    ]


def test_a_transport_that_does_not_exist_is_told_before_its_port():
    inspection = check(
        "{address: {offset: 1}}", settings="{transport: RTU, port: /dev/ttyUSB0, baud: 9600}"
    )
    assert [one.path for one in inspection.errors] == ["connections[0].settings.transport"]
