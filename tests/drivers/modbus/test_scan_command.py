"""`edge-agent scan` finds what is there by reading, says what to write, and can be stopped."""

import asyncio
import json
import os
import signal
import threading
import time
from dataclasses import replace

import pytest
import yaml
from edge_agent_modbus import discovery, hunt, network
from edge_agent_modbus.discovery import LIKELY_SETTINGS, PATIENT, QUICK, LineSetting, cost
from edge_agent_modbus.progress import Progress
from edge_agent_modbus.recognising import known_profiles

from edge_agent.cli import main
from edge_agent.config import load
from tests.rigs import modbus_plant
from tests.rigs.imitation import Imitation
from tests.rigs.line_plant import LinePlant
from tests.rigs.modbus_device import Device, with_crc
from tests.rigs.modbus_wire import TcpEnd
from tests.rigs.nameplate import NamedDevice
from tests.rigs.serial_converter import Converter
from tests.rigs.until import until

ALLOWED = {1, 2, 3, 4, 17, 43}
AT_ONCE = ("--baud", "115200", "--units", "1-4")


@pytest.fixture
def plant(tmp_path, monkeypatch):
    monkeypatch.setattr(discovery, "LISTEN_SECONDS", 0.05)
    monkeypatch.setattr(discovery, "QUICK", replace(QUICK, within=0.15))  # this machine is busy
    plant = LinePlant(tmp_path / "ttyRS485", {2: NamedDevice(), 3: Device(size=0)})
    plant.line.plug()
    yield plant
    plant.line.unplug()
    assert plant.functions <= ALLOWED


def lines(capfd) -> list[dict]:
    return [json.loads(line) for line in capfd.readouterr().out.splitlines()]


@pytest.mark.shows("P10.1")
def test_a_line_s_units_are_listed_with_what_they_say(plant, capfd):
    assert main(["scan", plant.port, *AT_ONCE]) == 0
    out, err = capfd.readouterr()
    first, second = out.splitlines()
    assert "115200 8N1  unit 2" in first
    assert "vendor Acme Works" in first
    assert "unit 3" in second
    assert "exception 2" in second
    assert "at 115200 8N1, at most" in err


def test_each_finding_is_a_line_of_json(plant, capfd):
    assert main(["scan", plant.port, *AT_ONCE, "--json"]) == 0
    named, refusing = lines(capfd)
    assert (named["unit"], named["identity"]["vendor"]) == (2, "Acme Works")
    assert named["answered"] == {"holding": "03e8", "input": "07d0"}
    assert named["connection"] == {
        "transport": "rtu",
        "port": plant.port,
        "baud": 115200,
        "parity": "none",
        "stop_bits": 1,
    }
    assert 0 < named["ms"] < 1000
    assert (refusing["unit"], refusing["identity"]) == (3, {})


@pytest.mark.thorough
def test_the_profiles_that_a_device_may_be_stand_beside_it(plant, capfd):
    plant.devices = {1: Imitation(known_profiles()["eastron-sdm630"]), 2: NamedDevice()}
    assert main(["scan", plant.port, *AT_ONCE, "--json"]) == 0
    meter, nobody = lines(capfd)
    assert meter["profiles"][0] == {
        "profile": "eastron-sdm630",
        "title": "Eastron SDM630-Modbus",
        "certain": False,
    }
    assert not any(each["certain"] for each in nobody["profiles"])
    assert main(["scan", plant.port, *AT_ONCE]) == 0
    assert "perhaps profile eastron-sdm630, " in capfd.readouterr().out


def test_what_is_printed_for_the_configuration_is_accepted_there(plant, capfd, tmp_path):
    assert main(["scan", plant.port, *AT_ONCE, "--yaml"]) == 0
    snippet = yaml.safe_load(capfd.readouterr().out)
    whole = {
        "version": 1,
        "agent": {"id": "gw-01", "site": "works"},
        "mqtt": {"url": "mqtt://127.0.0.1"},
        "buffer": {"path": str(tmp_path / "buffer")},
    }
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(whole | snippet))
    (connection,) = load(file).connections
    assert connection.settings.port == plant.port
    assert [device.name for device in connection.devices] == ["ttyrs485-unit-2", "ttyrs485-unit-3"]


def test_nobody_is_exit_code_4_with_the_likeliest_reason(plant, capfd):
    plant.devices.clear()
    assert main(["scan", plant.port, *AT_ONCE]) == 4
    out, err = capfd.readouterr()
    assert out == ""
    assert "wires A and B swapped" in err
    assert "E-BUS-SILENT" in err
    assert "--patient" in err


@pytest.mark.thorough
def test_a_unit_that_was_found_is_not_asked_at_the_other_settings(plant, capfd, monkeypatch):
    settings = (LineSetting(115200), LineSetting(38400))
    monkeypatch.setattr(discovery, "LIKELY_SETTINGS", settings)
    assert main(["scan", plant.port, "--units", "1-4", "--json"]) == 0
    assert [each["unit"] for each in lines(capfd)] == [2, 3]


@pytest.mark.thorough
@pytest.mark.shows("P10.1")
def test_a_device_slower_than_the_quick_round_is_found_by_its_late_answer(
    plant, capfd, monkeypatch
):
    monkeypatch.setattr(discovery, "QUICK", QUICK)
    plant.devices = {2: Device()}
    plant.late = {2: 0.09}
    assert main(["scan", plant.port, *AT_ONCE, "--json"]) == 0
    assert [each["unit"] for each in lines(capfd)] == [2]


@pytest.mark.thorough
@pytest.mark.shows("P10.1")
def test_a_late_answer_that_is_spoilt_by_the_next_question_is_a_sign_of_life(
    plant, capfd, monkeypatch
):
    monkeypatch.setattr(discovery, "QUICK", QUICK)
    plant.devices, plant.late, plant.collides = {2: Device()}, {2: 0.07}, {2}
    assert main(["scan", plant.port, *AT_ONCE, "--json"]) == 0
    assert [each["unit"] for each in lines(capfd)] == [2]


@pytest.mark.shows("P10.4")
async def test_it_goes_on_telling_while_nothing_can_be_seen(monkeypatch):
    monkeypatch.setattr(hunt, "_TICK", 0.01)
    told = []
    report = hunt.Report(told=lambda *what: told.append(what))
    async with hunt._ticking(report, "listening", 0.05):
        await until(lambda: told and told[-1][2] == 0)
    assert len(told) > 3
    left = [seconds for _, _, seconds in told]
    assert left == sorted(left, reverse=True)
    assert left[-1] == 0


@pytest.mark.thorough
@pytest.mark.shows("P10.4")
def test_ctrl_c_shows_what_was_found_so_far(plant, capfd):
    def press():
        while 20 not in plant.units:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    presser = threading.Thread(target=press)
    presser.start()
    assert main(["scan", plant.port, "--baud", "115200", "--all", "--json"]) == 0
    presser.join()
    assert [each["unit"] for each in lines(capfd)] == [2, 3]
    assert max(plant.units) < 40


@pytest.mark.shows("P10.2")
def test_somebody_else_s_line_is_left_alone_and_what_was_heard_is_shown(plant, capfd):
    talk = with_crc(bytes.fromhex("070400640002")) + with_crc(bytes.fromhex("07040400de00ad"))
    stop = threading.Event()

    def converse():
        while not stop.wait(0.01):
            os.write(plant.line._far, talk)

    master = threading.Thread(target=converse)
    master.start()
    assert main(["scan", plant.port, *AT_ONCE, "--json"]) == 4
    stop.set()
    master.join()
    (said,) = lines(capfd)
    assert said["code"] == "E-BUS-FOREIGN"
    assert said["heard"][0] == {
        "unit": 7,
        "table": "input",
        "offset": 100,
        "count": 2,
        "answer": "00de 00ad",
    }
    assert plant.units == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["8.8.8.0/24"], "not a private network"),
        (["10.0.0.0/8"], "at most 4096"),
        (["serial:///dev/ttyUSB0?speed=1"], "is no setting of a line"),
        (["/dev/ttyUSB0", "--baud", "1"], "no setting of a serial line"),
        (["/dev/ttyUSB0", "--listen", "/dev/ttyUSB0"], "leave the other targets out"),
        (["what?no"], "nothing to look at"),
        (["serial:///dev/ttyUSB0?baud=9600&transport=ascii"], "Modbus RTU only"),
    ],
)
def test_mistakes_are_usage(words, said, capfd):
    assert main(["scan", *words]) == 2
    assert said in capfd.readouterr().err


@pytest.mark.parametrize("units", ["0", "1-300", "a", "3-", ""])
def test_lists_of_units_are_checked(units, capfd):
    with pytest.raises(SystemExit):
        main(["scan", "/dev/ttyUSB0", "--units", units])


@pytest.mark.thorough
def test_without_a_target_all_adapters_of_this_machine_are_searched(plant, capfd, monkeypatch):
    ports: list[str] = []
    monkeypatch.setattr("edge_agent_modbus.scan_command.serial_ports", lambda: ports)
    assert main(["scan", *AT_ONCE]) == 4
    assert "has no serial adapter" in capfd.readouterr().err
    ports.append(plant.port)
    assert main(["scan", *AT_ONCE, "--json"]) == 0
    assert [each["unit"] for each in lines(capfd)] == [2, 3]


def test_a_port_that_is_not_there_says_so(capfd):
    assert main(["scan", "/dev/ttyNONE", "--json"]) == 4
    (said,) = lines(capfd)
    assert "there is no serial port /dev/ttyNONE" in said["error"]


async def scan(*words) -> int:
    return await asyncio.to_thread(main, ["scan", *words, "--json"])


@pytest.mark.thorough
@pytest.mark.shows("P10.5")
async def test_frames_passed_on_and_modbus_tcp_are_told_apart_on_any_port(capfd, monkeypatch):
    monkeypatch.setattr(network, "FRAMING_WITHIN", 0.1)
    converter = Converter({1: NamedDevice()})
    await converter.start()
    devices = {1: Device(), 3: NamedDevice()}

    def hear(frame, send):
        device = devices.get(frame.unit)
        nobody = bytes((frame.pdu[0] | 0x80, 0x0B))
        send(frame.wrap(frame.unit, device.answer(frame.pdu) if device else nobody))

    gateway = TcpEnd("tcp", hear)
    await gateway.start()
    addresses = [f"127.0.0.1:{port}" for port in (converter.port, gateway.settings["port"])]
    assert await scan(*addresses, "--units", "1,3") == 0
    found = [(each["target"], each["unit"], each["connection"]) for each in lines(capfd)]
    await converter.stop()
    await gateway.stop()
    assert [(target, unit, given["transport"]) for target, unit, given in found] == [
        (addresses[0], 1, "rtu-over-tcp"),
        (addresses[1], 1, "tcp"),
        (addresses[1], 3, "tcp"),
    ]
    assert all(frame[7] in {3, 4} for frame in converter.ignored), "MBAP, and what reads"


@pytest.mark.faults
async def test_a_device_that_does_not_look_at_the_number_is_one(tmp_path_factory, capfd):
    plant = modbus_plant.Plant(modbus_plant.build(tmp_path_factory.mktemp("plant")))
    assert await scan(f"127.0.0.1:{plant.port}") == 0
    (found,) = lines(capfd)
    plant.stop()
    assert found["any_unit"] is True
    assert found["connection"]["transport"] == "tcp"


async def test_a_network_is_searched_and_closed_addresses_are_not_mentioned(capfd):
    device = Device()
    end = TcpEnd("tcp", lambda frame, send: send(frame.wrap(frame.unit, device.answer(frame.pdu))))
    await end.start()
    assert await scan("127.0.0.0/29", "--tcp-port", str(end.settings["port"])) == 0
    found = lines(capfd)
    await end.stop()
    assert [(each["target"], each["any_unit"]) for each in found] == [
        (f"127.0.0.1:{end.settings['port']}", True)
    ]


async def test_the_port_counts_for_an_address_that_names_none(capfd):
    assert await scan("127.0.0.1", "--tcp-port", "1") == 4
    (said,) = lines(capfd)
    assert "127.0.0.1:1 refuses connections" in said["error"]


@pytest.mark.parametrize("target", ["/dev/ttyNobody", "127.0.0.1:1"])
def test_where_there_is_nobody_to_wait_for_nothing_says_so_and_no_target_twice(target, capfd):
    assert main(["scan", target]) == 4
    err = capfd.readouterr().err
    assert "--patient" not in err
    (said,) = [line for line in err.splitlines() if "E-LINK-DOWN" in line]
    assert said.count(target) == 1


async def test_a_network_where_nobody_answers_is_exit_code_4(capfd):
    assert await scan("127.0.0.0/30", "--tcp-port", "1") == 4
    (said,) = lines(capfd)
    assert said["error"] == "no address of 127.0.0.0/30 answers on port 1"


class Terminal:
    """Takes what is drawn, as a terminal that can go back to the beginning of a line."""

    def __init__(self) -> None:
        self.drawn = ""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> None:
        self.drawn += text

    def flush(self) -> None:
        pass


@pytest.mark.shows("P10.4")
def test_a_bar_is_drawn_over_itself_and_taken_away(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    progress = Progress(terminal)
    progress.show("9600 8N1", 0.5, 6.4, 2)
    progress.clear()
    first, second, empty = terminal.drawn.split("\r")[1:]
    assert first == f"9600 8N1  {'#' * 12}{'.' * 12}  6 s left, found 2"
    assert second.strip() == ""
    assert empty == ""


@pytest.mark.shows("P10.4")
def test_six_settings_cost_less_than_ten_seconds_and_all_numbers_less_than_three_minutes():
    """By the driver's own model of the time on the wire, with nobody there: the worst case."""
    few = discovery.LISTEN_SECONDS + cost(LIKELY_SETTINGS, 16, QUICK)
    everyone = discovery.LISTEN_SECONDS + cost([LineSetting(9600)], 247, QUICK)
    everywhere = discovery.LISTEN_SECONDS + cost(LIKELY_SETTINGS, 247, QUICK)
    patiently = discovery.LISTEN_SECONDS + cost([LineSetting(9600)], 247, PATIENT)
    print(f"1-16 at six settings {few:.1f} s; 1-247 at 9600 {everyone:.1f} s", end="; ")
    print(f"1-247 at six settings {everywhere:.1f} s; 1-247 at 9600 patiently {patiently:.1f} s")
    assert few < 10
    assert max(everyone, everywhere, patiently) < 180


@pytest.mark.faults
@pytest.mark.parametrize(
    ("words", "baud", "least"),
    [(["--units", "1-16"], 9600, 10), (["--all", "--baud", "9600"], 9600, 180)],
)
@pytest.mark.shows("P10.4")
def test_the_times_are_kept_on_a_paced_line(tmp_path, capfd, words, baud, least):
    """The pseudo-terminal has no speed of its own: the far end is paced to 9600 baud throughout."""
    plant = LinePlant(tmp_path / "ttyRS485", {3: NamedDevice(), 14: Device()}, baud)
    plant.line.plug()
    started = time.monotonic()
    assert main(["scan", plant.port, *words, "--json"]) == 0
    took, listened = time.monotonic() - started, plant.first_asked - started
    plant.line.unplug()
    assert [each["unit"] for each in lines(capfd)] == [3, 14]
    with capfd.disabled():
        print(f"scan {' '.join(words)}: {took:.1f} s, of which listening {listened:.2f} s")
    assert listened >= 3
    assert took < least
