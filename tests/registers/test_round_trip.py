"""What is exported reads back as the very same points, whatever they are."""

import csv
import io
import re
from pathlib import Path

import pytest
import yaml
from edge_agent_modbus.layout import NUMBER_ORDERS
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from edge_agent.config import Config, parse
from edge_agent.registers.dialect import dialect_of
from edge_agent.registers.export import corrected, list_of
from edge_agent.registers.naming import NAME
from edge_agent.registers.yamltext import device_lines
from tests.rigs.register_lists import listed

HEAD = {"version": 1, "agent": {"id": "gw", "site": "s"}, "mqtt": {"url": "mqtt://b"}}
TCP = {"transport": "tcp", "host": "10.0.0.5"}


def config_of(link: dict) -> Config:
    text = yaml.safe_dump({**HEAD, "connections": [link]}, allow_unicode=True, sort_keys=False)
    found = parse(text, Path("/nowhere"))
    assert found.config is not None, found.errors
    return found.config


def there_and_back(link: dict) -> None:
    """Export, import, and compare what the agent makes of both."""
    before = config_of(link).connections[0]
    text = list_of(before, dialect_of(before.driver))
    answers = {"duplicates": "keep"} if _has_twins(text, before.driver) else {}
    found = listed(text, before.driver, **answers)
    remarks = [row.remark for row in found.rows if row.state != "ok"]
    assert [one for one in remarks if "shares" not in one and "'foo' is kept" not in one] == []
    lines = [line for block in found.blocks() for line in device_lines(block, "      ")]
    document = yaml.safe_dump({**HEAD, "connections": []}).replace("connections: []\n", "")
    head = {key: value for key, value in link.items() if key != "devices"}
    document += "connections:\n  - " + yaml.safe_dump(head).strip().replace("\n", "\n    ")
    after = parse("\n".join([document, "    devices:", *lines]), Path("/nowhere"))
    assert after.config is not None, after.errors
    assert after.config.connections[0].devices == before.devices


def _has_twins(text: str, driver: str) -> bool:
    return any(question.id == "duplicates" for question in listed(text, driver).taken)


names = st.from_regex(re.compile(NAME.pattern, re.ASCII), fullmatch=True).filter(
    lambda n: len(n) < 40
)
numbers = st.floats(allow_nan=False, allow_infinity=False, width=64).filter(
    lambda x: 1e-300 < abs(x) < 1e300
)
labels = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"]), max_size=12
)
durations = st.sampled_from(["1s", "200ms", "5m", "0.25s", "8h", 0.0123])


def _registers(count: int, kinds: list[str]) -> st.SearchStrategy:
    orders = NUMBER_ORDERS[count]
    order = st.fixed_dictionaries({}, optional={"order": st.sampled_from(orders)} if orders else {})
    return st.tuples(st.sampled_from(kinds), order).map(lambda each: {"type": each[0], **each[1]})


meanings = st.one_of(
    _registers(1, ["int16", "uint16", "float16", "int16_sm", "uint8h", "bcd16"]),
    _registers(2, ["int32", "uint32", "float32", "uint24", "bcd32"]),
    _registers(3, ["uint48"]),
    _registers(4, ["int64", "uint64", "float64"]),
    st.fixed_dictionaries({"bit": st.integers(0, 15)}),
    st.just({"bit": 2, "width": 5}),
    st.fixed_dictionaries(
        {"type": st.just("string"), "length": st.integers(1, 250)},
        optional={"order": st.sampled_from(["BA", "A"]), "charset": st.just("gbk")},
    ),
    st.just({"type": "int16", "exponent": {"offset": 84, "type": "int8l"}}),
    st.just({"type": "uint16", "map": {"raw": [0, 4095], "to": [0, 10], "clamp": True}}),
    st.just({"type": "int16", "no_value": [32768, 7]}),
)
addresses = st.one_of(
    st.tuples(st.sampled_from(["holding", "input"]), st.integers(0, 65000), meanings).map(
        lambda each: {"table": each[0], "offset": each[1], **each[2]}
    ),
    st.tuples(st.sampled_from(["coil", "discrete"]), st.integers(0, 65535)).map(
        lambda each: {"table": each[0], "offset": each[1]}
    ),
)
points = st.fixed_dictionaries(
    {"address": addresses},
    optional={
        "label": labels,
        "unit": st.sampled_from(["Cel", "kW.h", "1/min", "{pieces}", "foo", "V"]),
        "scale": numbers,
        "add": numbers,
        "every": durations,
        "deadband": st.sampled_from([0, 0.2, "2%", "0.001%"]),
        "max_silence": durations,
        "range": st.just([-40.5, 125]),
    },
)
devices = st.fixed_dictionaries(
    {
        "name": names,
        "address": st.fixed_dictionaries({"unit": st.integers(1, 247)}),
        "points": st.dictionaries(names, points, min_size=1, max_size=4),
    },
    optional={"label": labels},
)


@pytest.mark.parametrize("examples", [25, pytest.param(40, marks=pytest.mark.thorough)])
def test_points_of_modbus_devices_come_back_as_they_were(examples: int) -> None:
    @settings(max_examples=examples, deadline=None, phases=[Phase.reuse, Phase.generate])
    @given(st.lists(devices, min_size=1, max_size=2, unique_by=lambda device: device["name"]))
    def come_back(found: list[dict]) -> None:
        there_and_back({"name": "line", "driver": "modbus", "settings": TCP, "devices": found})

    come_back()


@pytest.mark.parametrize(
    ("driver", "link", "addresses"),
    [
        ("simulated", {}, [{"amplitude": 2.5, "period": 10}, {"middle": 7}]),
        (
            "opcua",
            {"url": "opc.tcp://10.0.0.9"},
            ["ns=2;s=Oven.Temperature", {"at": "i=85", "namespace": "http://x/y", "part": "[1]"},
             {"at": "s=a", "path": "Oven/Zones", "text": True, "sampling": "100ms"}],
        ),
        (
            "serial",
            {"transport": "serial", "port": "/dev/ttyUSB0", "baud": 9600,
             "pattern": "(?P<gross>[0-9.]+) (?P<unit>kg)"},
            ["gross", {"field": "unit", "type": "text"}],
        ),
    ],
)  # fmt: skip
def test_so_do_those_of_drivers_without_a_dialect(driver: str, link: dict, addresses: list) -> None:
    points = {f"p{n}": {"address": address} for n, address in enumerate(addresses)}
    device = {"name": "d", "points": points}
    there_and_back({"name": "line", "driver": driver, "settings": link, "devices": [device]})


def test_a_corrected_file_holds_everything_and_reads_like_the_original() -> None:
    text = "设备,名称,地址,类型,倍率,单位\noven,油温,40001,short,1/10,℃\noven,坏,DB1.DBW2,short,,\n"
    first = listed(text)
    written = corrected(first, dialect_of("modbus"))
    second = listed(written)
    assert second.devices == first.devices
    assert [(row.code, row.reason) for row in second.rows] == [
        (row.code, row.reason) for row in first.rows
    ]
    rows = list(csv.DictReader(io.StringIO(written)))
    assert [(row["row"], row["device"]) for row in rows] == [("2", "oven"), ("3", "oven")]
    assert rows[1]["remark"] == first.rows[1].reason
    mended = listed(written.replace("DB1.DBW2", "40007"))
    assert [row.code for row in mended.rows] == ["", ""]
