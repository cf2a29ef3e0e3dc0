"""Settings that fit together are accepted, others say what to write; times follow from them."""

from pathlib import Path

import pytest
from edge_agent_modbus import ModbusDriver, ModbusSettings
from edge_agent_modbus.timing import silence_between_frames, timing_of
from pydantic import ValidationError


def says(**keys) -> str:
    with pytest.raises(ValidationError) as caught:
        ModbusSettings.model_validate(keys)
    return str(caught.value)


@pytest.mark.parametrize(
    ("keys", "hint"),
    [
        ({}, "needs `host`"),
        ({"transport": "tcp", "host": "plc", "port": "/dev/ttyUSB0"}, "transport: rtu"),
        ({"host": "plc", "baud": 9600}, "no baud"),
        ({"transport": "rtu", "baud": 9600}, "needs `port`"),
        ({"transport": "rtu", "port": "/dev/ttyUSB0"}, "needs `baud`"),
        ({"transport": "rtu", "port": 502, "baud": 9600}, "rtu-over-tcp"),
        ({"transport": "rtu", "port": "/dev/x", "baud": 9600, "host": "plc"}, "rtu-over-tcp"),
        ({"transport": "rtu", "port": "/dev/x", "baud": 9600, "data_bits": 7}, "8 data bits"),
        ({"transport": "rtu", "port": "/dev/x", "baud": 9600, "parity": "mark"}, "even"),
        ({"transport": "udp", "host": "plc"}, "rtu-over-tcp"),
        ({"host": "plc", "timeout": "soon"}, "200ms"),
        ({"host": "plc", "timeout": 0}, "greater than 0"),
        ({"host": "plc", "port": 0}, "greater"),
        ({"host": "plc", "max_registers": 126}, "125"),
        ({"host": "plc", "hots": 1}, "hots"),
    ],
)
def test_settings_that_do_not_fit_say_what_to_write(keys, hint):
    assert hint in says(**keys)


def test_a_line_is_named_so_that_two_connections_to_it_are_noticed(tmp_path: Path):
    port = tmp_path / "ttyUSB0"
    port.touch()
    by_id = tmp_path / "usb-FTDI-if00-port0"
    by_id.symlink_to(port)
    one, two = (
        ModbusSettings(transport="rtu", port=str(path), baud=9600).line() for path in (port, by_id)
    )
    assert one == two == str(port)
    assert ModbusSettings(host="PLC.local").line() == "plc.local:502"


def test_timeouts_are_durations_and_have_defaults_by_the_line():
    tcp = timing_of(ModbusSettings(host="plc"))
    assert (tcp.timeout, tcp.late_window, tcp.pause) == (1.0, None, 0.0)
    assert timing_of(ModbusSettings(host="plc", timeout="500ms")).timeout == 0.5
    slow = timing_of(ModbusSettings(transport="rtu", port="/dev/x", baud=9600))
    assert slow.timeout == pytest.approx(3 * 133 * 10 / 9600 + 0.1)
    fast = timing_of(ModbusSettings(transport="rtu", port="/dev/x", baud=115200, parity="even"))
    assert fast.timeout == 0.3
    assert fast.character == pytest.approx(11 / 115200)


@pytest.mark.parametrize(
    ("baud", "seconds"), [(9600, 0.00401), (19200, 0.002005), (38400, 0.00175), (115200, 0.00175)]
)
def test_the_silence_between_frames_is_that_of_the_specification(baud, seconds):
    assert silence_between_frames(baud) == pytest.approx(seconds, rel=1e-3)
    timing = timing_of(ModbusSettings(transport="rtu", port="/dev/x", baud=baud))
    assert timing.pause == pytest.approx(seconds, rel=1e-3)


def test_the_cost_of_a_plan_is_what_its_frames_take_on_the_line():
    driver = ModbusDriver(ModbusSettings(transport="rtu", port="/dev/x", baud=9600, parity="even"))
    plan = driver.plan([driver.address_type(offset=at) for at in range(60)], {})
    assert plan.cost == pytest.approx((8 + 5 + 120 + 7) * 11 / 9600, rel=1e-3)
    assert plan.patience > 2 * timing_of(driver.settings).timeout


def test_every_setting_and_address_key_is_described_for_editors():
    for model in (ModbusSettings, ModbusDriver.address_type):
        for name, schema in model.model_json_schema()["properties"].items():
            assert schema.get("description"), name


def test_a_port_with_a_zero_character_is_a_mistake() -> None:
    with pytest.raises(ValidationError, match="zero character"):
        ModbusSettings(transport="rtu", port="/dev/tty\0")
