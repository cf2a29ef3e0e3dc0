"""What is tried on an unknown line, in which order, and what it costs."""

import pytest
from edge_agent_modbus.discovery import (
    PATIENT,
    QUICK,
    LineSetting,
    cost,
    line_settings,
    network_units,
    serial_units,
)


def test_what_is_configured_comes_first_and_once_then_the_usual():
    configured = LineSetting(19200, "even")
    tried = list(line_settings(configured))
    assert tried[0] == configured
    assert [str(setting) for setting in tried[1:5]] == [
        "9600 8N1",
        "9600 8E1",
        "9600 8N2",
        "9600 8O1",
    ]
    assert len(tried) == len(set(tried)) == 28
    assert [setting.baud for setting in line_settings()][::4] == [
        9600,
        19200,
        38400,
        115200,
        4800,
        2400,
        1200,
    ]


def test_an_unusual_setting_is_tried_beside_all_usual_ones():
    assert len(list(line_settings(LineSetting(57600)))) == 29


def test_likely_units_are_asked_and_all_others_on_request():
    assert serial_units() == tuple(range(1, 17))
    assert serial_units(everyone=True) == tuple(range(1, 248))
    assert network_units()[:3] == (255, 0, 1)


def test_a_probe_waits_for_its_frames_and_for_the_device_to_think():
    slow, fast = LineSetting(1200), LineSetting(115200)
    assert slow.per_unit(PATIENT) == pytest.approx(2 * (15 * 10 / 1200 + 2 * 3.5 * 11 / 1200 + 0.2))
    assert fast.per_unit(PATIENT) == pytest.approx(2 * (15 * 10 / 115200 + 2 * 0.00175 + 0.2))
    assert LineSetting(9600, "even", 1).character == pytest.approx(11 / 9600)


def test_the_cost_is_that_of_all_settings_and_units():
    one, two = LineSetting(9600), LineSetting(19200)
    assert cost([one, two], 10, QUICK) == pytest.approx(
        10 * (one.per_unit(QUICK) + two.per_unit(QUICK))
    )
    assert cost([], 10, QUICK) == 0


def test_a_setting_is_one_of_the_driver():
    settings = LineSetting(4800, "odd").settings("/dev/ttyS1")
    assert (settings.baud, settings.parity, settings.stop_bits) == (4800, "odd", 1)
    assert settings.is_serial
