"""What a configuration means on the wire."""

import pytest

from edge_agent.config import parse
from edge_agent.config.explain import explain
from edge_agent.plugins import load

TEXT = """\
version: 1
agent: {id: gw-01, site: hall}
mqtt: {url: mqtt://localhost}
connections:
  - name: hall-3
    driver: modbus
    settings: {transport: rtu, port: /dev/ttyUSB0, baud: 9600}
    devices:
      - name: press-1
        address: {unit: 7}
        points:
          fast: {address: "40001", every: 100ms}
          near: {address: "40002", every: 100ms}
          slow: {address: "40003", every: 10s}
      - {name: press-2, address: {unit: 8}, points: {x: {address: "30001"}}}
  - {name: sim, driver: simulated, devices: [{name: wave, points: {x: {}}}]}
"""


def test_points_of_one_interval_are_one_poll_and_the_load_is_their_sum() -> None:
    config = parse(TEXT).config
    assert config is not None
    serial = config.connections[0]
    driver = load("modbus")(serial.settings)
    fast, near, slow = (point.address for point in serial.devices[0].points)
    other = serial.devices[1].points[0].address
    expected = (
        driver.plan([fast, near], {}).cost / 0.1
        + driver.plan([slow], {}).cost / 10
        + driver.plan([other], {}).cost
    )
    line = explain(serial)
    assert line.busy == pytest.approx(expected)
    assert line.busy > 0
    assert (line.connection, line.driver, line.line) == ("hall-3", "modbus", "/dev/ttyUSB0")
    assert [tuple(point)[:4] for point in line.points][2:] == [
        ("press-1", "slow", "unit 7 holding:2 uint16", 10.0),
        ("press-2", "x", "unit 8 input:0 uint16", 1.0),
    ]


def test_a_driver_that_knows_no_cost_has_no_load() -> None:
    config = parse(TEXT).config
    assert config is not None
    assert explain(config.connections[1]).busy is None
