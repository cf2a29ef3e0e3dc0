"""The Modbus part of the wizard, spoken with devices on real lines and behind real addresses."""

import asyncio
import contextlib
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time

import pytest
from edge_agent_modbus import network as net
from edge_agent_modbus import setup, setup_line, setup_reach, setup_search
from edge_agent_modbus.discovery import LIKELY_SETTINGS, QUICK, LineSetting, Manner, cost
from edge_agent_modbus.recognising import known_profiles
from edge_agent_modbus.recognition import models
from edge_agent_modbus.setup_evidence import (
    of_line,
    of_network,
    other_number,
    raw_frames,
    refuses,
)
from edge_agent_modbus.setup_unit import line_of, remember, unseen

from edge_agent.commissioning import Link
from edge_agent.language import speaking
from edge_agent.layout import width
from edge_agent.setup import listing
from edge_agent.setup.interview import Interview
from edge_agent.setup.profile_trial import connection_with
from edge_agent.setup.session import home_of
from tests.rigs.beside import beside
from tests.rigs.conversation import Conversation
from tests.rigs.imitation import Imitation
from tests.rigs.modbus_device import Device, crc, with_crc
from tests.rigs.modbus_tcp import TcpPeer, mbap, take_mbap
from tests.rigs.serial_converter import Converter
from tests.rigs.serial_line import SerialLine

PROFILES = known_profiles()
READS = {1, 2, 3, 4, 17, 43}
FAST = LineSetting(115200)


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """One setting, few numbers and a short listening: the whole search is measured elsewhere."""
    monkeypatch.setattr(setup_search, "LISTEN_SECONDS", 0.15)
    monkeypatch.setattr(setup_search, "LIKELY_SETTINGS", (FAST,))
    monkeypatch.setattr(setup_line, "LIKELY_SETTINGS", (FAST,))
    monkeypatch.setattr(setup_line, "LIKELY_UNITS", (1, 2, 3))
    monkeypatch.setattr(setup_line, "EVERYONE", (1, 2, 3, 7))
    monkeypatch.setattr("edge_agent_modbus.setup_typed.EVERYONE", (1, 2, 3, 7))
    monkeypatch.setattr(net, "LIKELY_UNITS", (1, 2))
    few = {name: PROFILES[name] for name in ("eastron-sdm630", "eastron-sdm72d-v2", "xy-md02")}
    known = models(few, is_serial=True)
    monkeypatch.setattr("edge_agent_modbus.recognising.known_models", lambda **_: known)


class Wires:
    """Two wires with some devices.

    Attributes:
        functions: Codes of everything that was asked.
        wiring: What is heard for a request and its right answer, None where nobody has one.
    """

    def __init__(self, path, devices, baud=115200):
        self.devices = devices
        self.functions: set[int] = set()
        self.wiring = lambda request, answer: [] if answer is None else [(0, answer)]
        self.line = SerialLine(path, self._script, baud)
        self.line.plug()

    def _script(self, request):
        if len(request) < 4 or crc(request[:-2]) != request[-2:]:
            return []
        self.functions.add(request[1])
        device = self.devices.get(request[0])
        answer = with_crc(request[:1] + device.answer(request[1:-2])) if device else None
        return self.wiring(request, answer)


@pytest.fixture
def wires(tmp_path, monkeypatch):
    """Lay wires to the only adapter of this machine; at the end only reading was asked."""
    laid = []

    def lay(devices, baud=115200):
        laid.append(Wires(tmp_path / "ttyRS485", devices, baud))
        port = str(laid[0].line.path)
        monkeypatch.setattr("edge_agent.setup.wires.serial_ports", lambda: [port])
        return laid[0]

    yield lay
    for one in laid:
        one.line.unplug()
        assert one.functions <= READS


@pytest.fixture
def kinds(tmp_path):
    return {kind.word: kind for kind in setup.kinds(home_of(tmp_path / "config.yaml"))}


class Talk:
    """A conversation that begins with its first word, when the wires are laid."""

    def __init__(self, kind):
        self._begin = lambda: Conversation(kind)

    def says(self, answers, until=""):
        """Say that it matches the display, unless something else is to be said."""
        return self.__getattr__("says")({"match": "yes", **answers}, until)

    def __getattr__(self, name):
        self._talk = self.__dict__.get("_talk") or self._begin()
        return getattr(self._talk, name)


@pytest.fixture
def talk(kinds):
    return Talk(kinds["rs485"])


def meter():
    return Imitation(PROFILES["eastron-sdm630"])


def sensor():
    return Imitation(PROFILES["xy-md02"])


def two_devices(kind, answers):
    """Set up two devices on one line, and one more like the second."""

    def flow():
        link = yield from kind.link("device.1")
        for number, name in enumerate(("one", "two"), 1):
            draft = yield from kind.device(f"device.{number}", link)
            link.devices.append({"name": name, **draft.device})
        draft = yield from kind.again("device.3", link, link.devices[1])
        link.devices.append({"name": "three", **draft.device})
        return link

    interview, asked = Interview(flow), []
    while interview.question is not None:
        asked.append(interview.question.id)
        usual = "keep" if asked[-1] == "device.3.match" else "yes"
        given = answers.get(asked[-1], interview.default() or usual)
        interview.answer(given)
        assert len(asked) < 30, asked
    return interview.result, asked


def test_two_devices_are_found_by_one_search_and_a_third_is_like_the_second(wires, kinds):
    laid = wires({1: meter(), 2: sensor(), 3: sensor()})
    answers = {"device.1.profile": "eastron-sdm630", "device.2.profile": "xy-md02"}
    link, asked = two_devices(kinds["rs485"], answers)
    assert not {"baud", "parity", "unit_id"} & {at.rpartition(".")[2] for at in asked}
    assert asked.count("device.1.unit") == asked.count("device.2.unit") == 1
    made = connection_with("modbus", link.settings, link.devices)
    units = [{point.address.unit for point in device.points} for device in made.devices]
    assert units == [{1}, {2}, {3}]
    assert made.settings.baud == 115200
    assert link.devices[0]["profile"] == "eastron-sdm630"
    energy = next(point for point in made.devices[0].points if point.name == "energy_import")
    assert (energy.every, made.devices[0].points[0].every) == (60.0, 5.0)
    assert link.devices[2] == {**link.devices[1], "name": "three", "address": {"unit": 3}}
    assert laid.functions == {3, 4, 17, 43, 1, 2} & laid.functions


@pytest.mark.thorough
def test_what_was_found_stands_on_the_screen_with_a_value_of_now(wires, talk):
    wires({1: meter(), 3: Device(size=0)})
    talk.says({}, until="unit")
    assert "2 devices were found." in talk.screen
    assert " 1) id 1  probably Eastron SDM630  Voltage L1 231.4 V" in talk.screen
    talk.says({})
    assert talk.draft.device["address"] == {"unit": 1}
    assert talk.draft.name == "sdm630"
    assert talk.draft.compared["voltage_l1"] == "231.4 V"
    assert 0 <= time.time() * 1000 - talk.draft.at < 30_000


@pytest.mark.thorough
def test_a_confirmation_is_typed_and_a_choice_among_several_is_made(wires, talk):
    wires({1: meter()})
    talk.says({"profile": "sdm"}, until="model")
    assert talk.interview.default() is None
    assert talk.interview.question.choices[0].word == "eastron-sdm630"  # what it probably is
    talk.says({"model": "eastron-sdm630"}, until="match")
    assert talk.interview.default() is None


def test_a_search_that_is_stopped_keeps_what_was_known(wires, talk):
    laid = wires({1: meter(), 7: sensor()})
    talk.says({}, until="unit")

    def stops(request, answer):
        if request[0] == 3:
            laid.wiring = usual
            os.kill(os.getpid(), signal.SIGINT)
        return usual(request, answer)

    usual, laid.wiring = laid.wiring, stops
    talk.answer("all")
    assert talk.standing == "unit"
    assert "The search was stopped." in talk.screen
    assert "probably Eastron SDM630" in talk.screen
    assert talk.interview.default() == "1"


@pytest.mark.thorough
def test_a_model_is_found_by_letters_of_its_label(wires, talk):
    wires({1: meter()})
    talk.says({"profile": "sdm 72"}, until="model")
    assert "Eastron SDM72D-M v2" in talk.screen
    talk.says({"model": "search"}, until="profile")
    with pytest.raises(ValueError, match="fewer letters"):
        talk.answer("no such thing")


@pytest.mark.thorough
def test_other_units_of_the_display_are_shown_before_it_is_no(wires, talk):
    wires({1: meter()})
    talk.says({"match": "units"}, until="units")
    assert "kW" in talk.screen
    talk.says({"units": "no"}, until="wrong")
    talk.says({"wrong": "registers"}, until="how")
    assert talk.standing == "how"


@pytest.mark.thorough
def test_more_values_than_the_usual_ones(wires, talk):
    wires({1: meter()})
    talk.says({"preset": "choose", "more.1": "1-2"})
    (device,) = connection_with("modbus", talk.link.settings, [
        {"name": "one", **talk.draft.device}
    ]).devices  # fmt: skip
    assert {"active_power_l1", "active_power_l2"} <= {point.name for point in device.points}
    assert "active_power_l3" not in {point.name for point in device.points}


# --- S5: somebody else talks ---------------------------------------------------------------------


@contextlib.contextmanager
def another_master(laid):
    """Have another master poll unit 1, on and on."""
    end = threading.Event()
    request = with_crc(bytes.fromhex("010400000050"))
    reply = with_crc(b"\x01" + laid.devices[1].answer(request[1:-2]))

    def poll():
        while not end.wait(0.02):
            os.write(laid.line._far, request)
            time.sleep(0.005)
            os.write(laid.line._far, reply)

    thread = threading.Thread(target=poll)
    thread.start()
    try:
        yield end
    finally:
        end.set()
        thread.join()


@pytest.mark.shows("P10.2")
def test_a_line_that_another_master_polls_is_only_listened_to(wires, talk):
    laid = wires({1: Imitation(PROFILES["eastron-sdm630"], lenient=True)})
    with another_master(laid):
        talk.says({}, until="foreign")
        assert "E-BUS-FOREIGN" in talk.screen
        assert "115200 8N1, ids 1" in talk.screen
        talk.says({"foreign": "listen", "profile": "eastron-sdm630"}, until="match")
        assert "231.4  V" in talk.screen
        talk.says({})
    assert talk.link.settings["listen"] is True
    assert talk.draft.compared["voltage_l1"] == "231.4 V"
    assert laid.functions == set()  # not a word was said


@pytest.mark.thorough
def test_when_the_other_master_is_unplugged_the_search_goes_on(wires, talk):
    laid = wires({1: Imitation(PROFILES["eastron-sdm630"], lenient=True)})
    with another_master(laid) as end:
        talk.says({}, until="foreign")
        end.set()
        time.sleep(0.05)
        termios.tcflush(laid.line._far, termios.TCIOFLUSH)
        talk.says({"foreign": "again"}, until="unit")
    assert "1 device was found." in talk.screen


# --- S6x: nobody was found -----------------------------------------------------------------------


def noise(request, answer):
    return [(0, b"\x00\xf3\x9c\x00\xe7")] if answer else []


def echo(request, answer):
    return [(0, request)]


@pytest.mark.parametrize(
    ("wiring", "code", "says"),
    [
        (lambda request, answer: [], "E-BUS-SILENT", "only silence"),
        pytest.param(noise, "E-BUS-GARBAGE", "no valid message", marks=pytest.mark.thorough),
        pytest.param(echo, "E-BUS-ECHO", "the adapter echoes", marks=pytest.mark.thorough),
    ],
)
def test_nothing_found_says_why_by_what_was_heard(wires, talk, wiring, code, says):
    laid = wires({1: meter(), 2: sensor(), 3: sensor()})
    usual, laid.wiring = laid.wiring, wiring
    talk.says({}, until="trouble")
    assert code in talk.screen
    assert says in " ".join(talk.screen.split())
    laid.wiring = usual
    talk.says({"trouble": "again"}, until="unit")  # Enter tests again
    assert "3 devices were found." in talk.screen


@pytest.mark.thorough
def test_a_device_with_another_number_is_named(wires, talk):
    wires({7: meter()})
    typed = {"trouble": "type", "baud": "115200", "unit_id": "1"}
    talk.says(typed, until="typed.trouble")
    assert "Number 1 does not answer, but number 7 does. (E-BUS-NUMBER)" in talk.screen
    talk.says({})
    assert talk.draft.device["address"] == {"unit": 7}


@pytest.mark.thorough
def test_all_numbers_are_searched_where_the_usual_ones_are_nobodys(wires, talk):
    wires({7: meter()})
    talk.says({"trouble": "all"}, until="unit")
    assert "id 7" in talk.screen


def test_a_device_that_only_refuses_is_there(wires, talk):
    wires({2: Device(size=0)})
    talk.says({}, until="profile")
    assert "id 2  answers, unknown" in talk.screen
    assert "E-BUS-REFUSED" in talk.screen


def test_a_port_that_is_not_there(kinds, monkeypatch):
    monkeypatch.setattr("edge_agent.setup.wires.serial_ports", lambda: ["/dev/serial/by-id/gone"])
    talk = Conversation(kinds["rs485"]).says({}, until="port.trouble")
    assert "D-PORT-MISSING" in talk.screen


HOLDS = """
import os, sys, time
os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
print(1, flush=True)
time.sleep(60)
"""


def test_a_port_that_another_program_has_open(wires, kinds):
    laid = wires({1: meter()})
    other = subprocess.Popen([sys.executable, "-c", HOLDS, str(laid.line.path)], stdout=-1)
    try:
        other.stdout.readline()
        talk = Conversation(kinds["rs485"]).says({}, until="port.trouble")
        assert "D-PORT-BUSY" in talk.screen
        assert str(other.pid) in talk.screen
    finally:
        other.kill()
        other.communicate()


# --- the network ---------------------------------------------------------------------------------


@pytest.fixture
def in_network(kinds, monkeypatch):
    monkeypatch.setattr(setup_reach, "UNITS", (1, 255, 0, 2))
    monkeypatch.setattr(setup, "UNITS", (1, 255, 0, 2))
    quick = {key: Manner(0.2, each.tables) for key, each in net.MANNERS.items()}
    monkeypatch.setattr(net, "MANNERS", quick)
    monkeypatch.setattr(net, "FRAMING_WITHIN", 0.1)
    return Talk(kinds["network"])


class Framed(TcpPeer):
    """A peer that takes requests of any length, as the header tells it."""

    async def _serve(self, reader, writer):
        self.connects += 1
        self._writers.add(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while True:
                head = await reader.readexactly(6)
                frame = head + await reader.readexactly(int.from_bytes(head[4:], "big"))
                self._spawn(self._send(writer, self.script(frame)))
        writer.transport.abort()


@pytest.mark.thorough
def test_modbus_tcp_and_its_number_are_found_by_trying(in_network):
    device = meter()

    def script(frame):
        number, unit, pdu = take_mbap(frame)
        return [(0, mbap(number, unit, device.answer(pdu)))] if unit == 1 else []

    peer = Framed(script)
    with beside(peer):
        in_network.says({"host": f"127.0.0.1:{peer.port}"})
    assert in_network.link.settings == {
        "transport": "tcp", "host": "127.0.0.1", "port": peer.port
    }  # fmt: skip
    assert in_network.draft.device["profile"] == "eastron-sdm630"
    assert {*device.asked} <= READS
    assert device.writes == []


@pytest.mark.thorough
@pytest.mark.shows("P10.5")
def test_a_converter_that_passes_serial_messages_on_is_told_apart(in_network):
    converter = Converter({2: meter()})
    with beside(converter):
        in_network.says({"host": f"127.0.0.1:{converter.port}"}, until="profile")
        assert "E-NET-PROTOCOL" in in_network.screen
        in_network.says({})
    assert in_network.link.settings["transport"] == "rtu-over-tcp"
    assert in_network.draft.device["address"] == {"unit": 2}


@pytest.mark.thorough
def test_nobody_at_an_address_and_one_who_says_nothing_are_told_apart(in_network, kinds):
    mute = TcpPeer(lambda frame: [])
    with beside(mute):
        in_network.says({"host": f"127.0.0.1:{mute.port}"}, until="network.trouble")
        assert "E-NET-SILENT" in in_network.screen
        port = mute.port
    closed = Conversation(kinds["network"])
    closed.says({"host": f"127.0.0.1:{port}"}, until="network.trouble")
    assert "E-LINK-DOWN" in closed.screen


def test_an_own_network_is_looked_through_only_after_consent(in_network, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        monkeypatch.setattr("edge_agent_modbus.setup_link.own_network", lambda: "127.0.0.0/30")
        monkeypatch.setattr(setup_reach, "PORTS", (port,))
        in_network.says({"host": "search"}, until="consent")
        assert select.select([listener], [], [], 0.05)[0] == []
        in_network.says({"consent": "yes"}, until="place")
        assert select.select([listener], [], [], 0)[0] == [listener]
        assert f"127.0.0.1:{port}" in in_network.screen


# --- S9: by the number on the display ------------------------------------------------------------


def words(value):
    return struct.unpack(">HH", struct.pack(">f", value))


@pytest.mark.shows("P10.6")
def test_an_unknown_device_is_told_by_the_number_on_its_display(wires, talk):
    low, high = reversed(words(231.4))
    wires({2: Device(values={100: low, 101: high, 20: 7})})
    by_display = {
        "profile": "other",
        "how": "display",
        "value.1.address": "40102",  # the list counts from 1, and is one too high
        "value.1.shown": "231.4",
        "value.1.name": "volt",
        "value.1.unit": "V",
    }
    talk.says(by_display)
    assert talk.draft.device["points"] == {
        "volt": {
            "address": {"table": "holding", "offset": 100, "type": "float32", "order": "CDAB"},
            "unit": "V",
        }
    }
    screen = next(screen for at, screen in talk.screens if at == "value.1.which")
    assert "231.4" in screen
    assert "ABCD" not in screen
    assert "endian" not in screen
    assert talk.draft.compared == {"volt": "231.4 V"}
    assert 0 <= time.time() * 1000 - talk.draft.at < 30_000


LIST = """地址,名称,数据类型,单位,倍率
40101,oil_temperature,int16,℃,0.1
4010x,broken,int16,,
40103,pressure,float32,bar,
"""


def test_the_screens_of_a_makers_list_fit_in_chinese_too(wires, talk, tmp_path):
    wires({2: Device(values={100: 235})})
    (tmp_path / "list.csv").write_text(LIST)
    with speaking("zh"):
        talk.says({"profile": "other", "how": "file"}, until="list.file")
        by_list = {"list.file": str(tmp_path / "list.csv"), "list.rows.1": "ask"}
        talk.says({**by_list, "list.match": "keep"})
    assert "第 3 行" in dict(talk.screens)["list.rows.1"]


def test_an_unknown_device_is_set_up_by_its_makers_list(wires, talk, tmp_path, monkeypatch):
    monkeypatch.setattr(listing, "ROOT", tmp_path / "no-stick")
    high, low = words(2.5)
    wires({2: Device(values={100: 235, 102: low, 103: high})})
    talk.says({"profile": "other", "how": "file"}, until="list.file")
    (tmp_path / "list.csv").write_text(LIST)
    with pytest.raises(ValueError, match=r"nowhere\.csv is not there"):
        talk.says({"list.file": "nowhere.csv"}, until="list.rows")
    talk.says({"list.file": str(tmp_path / "list.csv")}, until="list.rows.1")
    assert "row 3: " in talk.screen  # which is not used, and why
    talk.says({"list.rows.1": "ask", "list.order": "CDAB"}, until="list.match")
    assert "This concerns 1 row." in dict(talk.screens)["list.order"]
    assert "23.5  °C" in talk.screen
    assert "2.5  bar" in talk.screen
    assert talk.interview.question.default is None
    talk.says({"list.match": "no"}, until="how")
    again = {"how": "file", "list.file": str(tmp_path / "list.csv"), "list.rows.1": "ask"}
    talk.says({**again, "list.order": "CDAB", "list.match": "keep"})
    assert talk.draft.device["address"] == {"unit": 2}
    assert list(talk.draft.device["points"]) == ["oil_temperature", "pressure"]
    assert talk.draft.compared == {"oil_temperature": "23.5 °C", "pressure": "2.5 bar"}
    made = [{"name": "one", **talk.draft.device}]
    assert connection_with("modbus", talk.link.settings, made, tmp_path)


def test_a_long_number_is_shown_with_all_its_digits_and_once(wires, talk):
    high, low = divmod(123456789, 65536)
    wires({2: Device(values={300: high, 301: low})})
    by_display = {"profile": "other", "value.1.address": "40301", "value.1.shown": "123456.789"}
    talk.says(by_display, until="value.1.which")
    texts = [choice.text for choice in talk.interview.question.choices]
    assert texts[0].startswith("123456.789 ")
    assert len({*texts}) == len(texts)


@pytest.mark.thorough
def test_who_is_set_up_already_is_no_silence(wires, kinds):
    wires({1: meter()})

    def flow():
        link = yield from kinds["rs485"].link("device.1")
        draft = yield from kinds["rs485"].device("device.1", link)
        link.devices.append({"name": "one", **draft.device})
        yield from kinds["rs485"].device("device.2", link)

    interview = Interview(flow)
    while interview.question.id != "device.2.more":
        interview.answer(interview.default() or "yes")
    assert interview.question.facts == "1 device was found.\nSet up already: 1."


def test_what_the_display_showed_is_what_was_typed_and_no_guess_is_taken_by_enter(wires, talk):
    wires({2: Device(values={20: 7912, 21: 0, 19: 0, 22: 0})})
    near = {"profile": "other", "value.1.address": "holding:20", "value.1.shown": "8000"}
    talk.says(near, until="value.1.which")
    assert "Not that number, but one near it" in talk.screen
    assert talk.interview.question.default is None
    given = {"value.1.which": "holding:20/uint16/1", "value.1.name": "power", "value.1.unit": "W"}
    talk.says(given, until="value.1.next")
    assert "power = 7912 W" in talk.screen
    talk.says({})
    assert talk.draft.compared == {"power": "8000 W"}


def test_a_short_number_asks_for_a_second_one(wires, talk):
    device = Device(values={20: 7, 21: 0, 19: 0, 22: 7})
    laid = wires({2: device})
    by_display = {
        "profile": "other",
        "value.1.address": "20",
        "value.1.shown": "7",
        "value.1.which": "holding:20/uint16/1",
        "value.1.name": "level",
        "value.1.unit": "Cel",
    }
    talk.says(by_display, until="value.1.shown.2")
    assert "fits" in talk.screen
    device.values[20] = 9
    talk.says({"value.1.shown.2": "9", **by_display})
    (point,) = talk.draft.device["points"].values()
    # a temperature can be below 0
    assert point["address"] == {"table": "holding", "offset": 20, "type": "int16"}
    assert laid.functions <= READS


@pytest.mark.thorough
def test_a_display_that_no_register_shows(wires, talk):
    wires({2: Device()})
    unseen = {"profile": "other", "value.1.address": "20", "value.1.shown": "0.00123"}
    talk.says(unseen, until="value.1.nothing")
    assert "holding registers from 19" in talk.screen


@pytest.mark.thorough
def test_a_register_that_is_refused(wires, talk):
    wires({2: Device(size=50)})
    unseen = {"profile": "other", "value.1.address": "40400", "value.1.shown": "1"}
    talk.says(unseen, until="value.1.trouble")
    assert "holding:399" in talk.screen


# --- times ---------------------------------------------------------------------------------------


def test_how_long_a_search_takes_where_nobody_answers():
    assert cost(LIKELY_SETTINGS, 16, QUICK) < 10
    assert cost(LIKELY_SETTINGS, 247, QUICK) < 180
    at_9600 = [setting for setting in LIKELY_SETTINGS if setting.baud == 9600]
    assert cost(at_9600, 247, QUICK) < 180


class Watch:
    """Takes the time between two signs of life."""

    def __init__(self):
        self.longest, self._last = 0.0, time.monotonic()

    def say(self, line): ...

    def at(self, doing, done, total):
        self.longest = max(self.longest, time.monotonic() - self._last)
        self._last = time.monotonic()


@pytest.mark.thorough
def test_six_settings_and_sixteen_numbers_on_a_real_line_within_ten_seconds(wires):
    laid = wires({5: meter()}, baud=9600)
    port, units = str(laid.line.path), tuple(range(1, 17))
    for _ in range(3):  # a busy machine may be late, but not always
        watch, started = Watch(), time.monotonic()
        seen = setup_search.search_line(port, LIKELY_SETTINGS, units, watch, thorough=False)
        took = time.monotonic() - started
        assert [each["unit"] for each in seen["found"]] == [5]
        if took < 10 and watch.longest < 2:
            break
    assert took < 10
    assert watch.longest < 2


# --- what is said, without a line ----------------------------------------------------------------


def test_each_evidence_has_its_own_sentence_and_code():
    heard = [
        {"reads": 16},
        {"reads": 16, "damaged": 1, "stray": 9},
        {"reads": 16, "echo": 16},
        {"reads": 16, "mismatched": 6},
        {"reads": 16, "late": 5},
        {"reads": 16, "foreign": 6},
    ]
    verdicts = [of_line({"9600 8N1": each, "9600 8E1": heard[0]}, "ids 1-16") for each in heard]
    verdicts += [of_network("closed"), of_network("silent"), raw_frames(), refuses()]
    verdicts.append(other_number(1, 7))
    assert len({one.sentence for one in verdicts}) == len(verdicts)
    assert [one.code for one in verdicts] == [
        "E-BUS-SILENT", "E-BUS-GARBAGE", "E-BUS-ECHO", "E-BUS-MISMATCHED", "E-BUS-LATE",
        "E-BUS-FOREIGN", "E-LINK-DOWN", "E-NET-SILENT", "E-NET-PROTOCOL", "E-BUS-REFUSED",
        "E-BUS-NUMBER",
    ]  # fmt: skip
    assert all(one.code in one.facts for one in verdicts)


def test_garbage_at_one_setting_is_louder_than_silence_at_the_others():
    quiet = {"reads": 16, "stray": 3}
    verdict = of_line({"9600 8N1": quiet, "9600 8E1": {"reads": 16, "damaged": 2}}, "")
    assert (verdict.code, "(at 9600 8E1)" in verdict.sentence) == ("E-BUS-GARBAGE", True)


def test_a_model_that_was_known_stays_known():
    link = Link({})
    remember(link, [{**unseen(1), "profiles": ["eastron-sdm630"]}, unseen(2)])
    remember(link, [unseen(1), {**unseen(2), "profiles": ["xy-md02"]}, unseen(3)])
    known = {each["unit"]: each["profiles"] for each in link.memory["found"]}
    assert known == {1: ["eastron-sdm630"], 2: ["xy-md02"], 3: []}


def test_settings_of_the_site_and_of_a_chosen_model_are_tried_first():
    site = [{"transport": "rtu", "port": "/dev/x", "baud": 19200, "parity": "even"}]
    link = Link({"transport": "rtu", "port": "/dev/y"}, memory={"site": site})
    first, *rest = setup_line._first_settings(link)
    assert (first, rest) == (LineSetting(19200, "even"), [FAST])
    assert setup_line._of_profile("dse-genset") == [LineSetting(19200), LineSetting(115200)]
    assert setup_line._of_profile(None) == []
    link.devices.append({"address": {"unit": 1}})
    link.settings |= {"baud": 4800}
    assert setup_line._first_settings(link) == [LineSetting(4800)]


@pytest.mark.thorough
def test_every_model_fits_into_a_line_of_the_menu_in_both_languages():
    for language in ("en", "zh"):
        with speaking(language):
            for name, profile in PROFILES.items():
                point = next(iter(profile.points), "")
                found = {**unseen(247), "profiles": [name], "ms": 123.4, "value": [point, 18442.65]}
                assert width(line_of(found, None)) <= 56
