"""`edge-agent profiles new`: a profile of one's own, beside the configuration."""

import asyncio
import json
from pathlib import Path

import pytest

from edge_agent.cli import main
from edge_agent.command import CONFIG_INVALID, OK, USAGE
from edge_agent.config import load
from edge_agent.config.library import Library
from edge_agent.errors import ProfileUnavailable
from tests.rigs.modbus_wire import TcpEnd
from tests.rigs.nameplate import NamedDevice

CONFIG = """\
version: 1
agent: {id: gw-01, site: hall}
mqtt: {url: mqtt://localhost}
connections:
  - name: hall-3
    driver: modbus
    settings: {transport: rtu, port: /dev/ttyUSB0, baud: 9600}
    devices:
      - name: meter-1
        address: {unit: 7}
        points:
          voltage: {address: {table: input, offset: 0, type: float32}, unit: V, label: 电压}
          energy: {address: {table: input, offset: 72, type: float32}, unit: kW.h, deadband: 1}
buffer: {path: /tmp/x}
"""
LIST = "名称,地址,类型,倍率,单位\n油温,40005,short,1/10,℃\n电压,40001,float,,V\n"
LABEL = ("--maker", "ACME", "--model", "M1", "--model", "M2", "--kind", "meter", "--zh", "安科 M1")


@pytest.fixture
def site(tmp_path: Path, monkeypatch) -> Path:
    (tmp_path / "config.yaml").write_text(CONFIG)
    (tmp_path / "list.csv").write_text(LIST)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make(*words: str) -> int:
    return main(["profiles", "new", *words, "-c", "config.yaml"])


def test_of_a_list_it_is_a_file_that_devices_can_name(site: Path, capsys) -> None:
    assert make("acme-m1", "--from", "list.csv", *LABEL, "--essentials", "voltage") == OK
    assert "unverified: compare every value with the device's display" in capsys.readouterr().out
    profile = Library(site).load("modbus", "acme-m1")
    assert (profile.maker, profile.models, profile.zh) == ("ACME", ["M1", "M2"], "安科 M1")
    assert profile.is_unverified
    assert (profile.sources, profile.essentials) == (["list.csv"], ["voltage"])
    assert profile.points["oil_temperature"].label.zh == "油温"
    before = CONFIG[: CONFIG.index("        points:")]
    (site / "config.yaml").write_text(before + "        profile: acme-m1\nbuffer: {path: /tmp/x}\n")
    (device,) = load(site / "config.yaml").connections[0].devices
    assert [(point.name, point.unit) for point in device.points] == [("voltage", "V")]
    assert main(["check", "--explain", "-c", "config.yaml"]) == OK
    assert "profile acme-m1: ACME M1, M2; unverified" in capsys.readouterr().out
    assert main(["profiles", "acme", "--json", "-c", "config.yaml"]) == OK
    assert [one["name"] for one in json.loads(capsys.readouterr().out)["profiles"]] == ["acme-m1"]


def test_of_a_device_it_has_its_points_without_what_is_the_sites(site: Path, capsys) -> None:
    assert make("acme-m1", "--from", "hall-3/meter-1", *LABEL, "--json") == OK
    assert json.loads(capsys.readouterr().out)["points"] == 2
    profile = Library(site).load("modbus", "acme-m1")
    assert profile.protocols == ["rtu"]
    assert profile.points["voltage"].address == {"table": "input", "offset": 0, "type": "float32"}
    assert (profile.points["voltage"].label.en, profile.points["voltage"].label.zh) == (
        "Voltage",
        "电压",
    )
    assert profile.points["energy"].unit == "kW.h"
    assert "every:" not in (site / "profiles" / "modbus" / "acme-m1.yaml").read_text()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["acme"], USAGE, "say what of"),
        (["acme", "--from", "list.csv"], USAGE, "--maker NAME --model NAME"),
        (["eastron-sdm630", "--from", "list.csv", *LABEL], USAGE, "there is a profile"),
        (["Acme!", "--from", "list.csv", *LABEL], CONFIG_INVALID, "cannot be a name"),
        (["acme", "--from", "hall-3/none", *LABEL], USAGE, "has no hall-3/none"),
        (["acme", "--from", "hall-3", *LABEL], USAGE, "names no device"),
        (["acme", "--from", "open.csv", *LABEL], CONFIG_INVALID, "numbers (book, book-0, wire"),
        (
            ["acme", "--from", "list.csv", *LABEL, "--essentials", "x"],
            CONFIG_INVALID,
            "not have: x",
        ),
    ],
)
def test_mistakes_are_named(site: Path, words: list[str], code: int, said: str, capsys) -> None:
    (site / "open.csv").write_text("name,address\np,4\n")
    assert make(*words) == code
    assert said in capsys.readouterr().err
    assert not list(site.glob("profiles/modbus/*"))


async def test_a_device_that_says_whose_it_is_need_not_be_told(site: Path, capsys) -> None:
    device = NamedDevice()
    end = TcpEnd("tcp", lambda frame, send: send(frame.wrap(frame.unit, device.answer(frame.pdu))))
    await end.start()
    host, port = end.settings["host"], end.settings["port"]
    link = f"transport: tcp, host: {host}, port: {port}"
    text = CONFIG.replace("transport: rtu, port: /dev/ttyUSB0, baud: 9600", link)
    (site / "config.yaml").write_text(text)
    try:
        assert await asyncio.to_thread(make, "pm-200", "--from", "hall-3/meter-1") == OK
        assert (
            await asyncio.to_thread(make, "pm-x", "--from", "hall-3/meter-1", "--offline") == USAGE
        )
    finally:
        await end.stop()
    profile = Library(site).load("modbus", "pm-200")
    assert (profile.maker, profile.models) == ("Acme Works", ["Power meter"])
    assert set(device.asked) == {0x2B}
    capsys.readouterr()


def test_ones_own_profile_wins_and_belongs_to_its_driver(site: Path) -> None:
    own = site / "profiles" / "modbus"
    own.mkdir(parents=True)
    installed = Library().load("modbus", "eastron-sdm630")
    (own / "eastron-sdm630.yaml").write_text(
        Library()
        .files["modbus"]["xy-md02"]
        .read_text()
        .replace("confidence: high", "confidence: low")
    )
    assert Library(site).load("modbus", "eastron-sdm630") != installed
    assert Library(site).is_own("modbus", "eastron-sdm630")
    assert not Library(site).is_own("modbus", "xy-md02")
    with pytest.raises(ProfileUnavailable, match="is for devices of the driver 'modbus'"):
        Library(site).load("opcua", "eastron-sdm630")
