"""`edge-agent probe` learns what a device is and holds by reading, and within bounds."""

import asyncio
import json
import struct

import pytest
from edge_agent_modbus import discovery, survey
from edge_agent_modbus.guess import guess
from edge_agent_modbus.pdu import Miss, Refusal, Table
from edge_agent_modbus.survey import Surveyor

from edge_agent.cli import main
from edge_agent.driver import Why
from tests.rigs.line_plant import LinePlant
from tests.rigs.modbus_device import Device
from tests.rigs.modbus_wire import TcpEnd
from tests.rigs.nameplate import NamedDevice
from tests.rigs.serial_converter import Converter

ALLOWED = {1, 2, 3, 4, 17, 43}


def asking(device: Device):
    """Ask a device without a wire."""

    async def ask(request):
        pdu = device.answer(request.pdu)
        return Refusal(pdu[1]) if pdu[0] & 0x80 else pdu[2:]

    return ask


async def survey_of(device, table=Table.HOLDING, most=150):
    surveyor = Surveyor(asking(device), 1, pause=0, most=most)
    return await surveyor.look(table)


@pytest.mark.shows("P10.7")
async def test_a_list_is_followed_to_its_end_over_holes():
    cells = await survey_of(Device(size=300, holes=frozenset({40, 41, 200})))
    assert cells.ranges == [(0, 39), (42, 199), (201, 299)]
    assert cells.values[42] == 1042
    assert cells.limit is None
    assert not cells.is_cut_short


@pytest.mark.parametrize("code", [2, 3])
@pytest.mark.shows("P10.7")
async def test_the_most_registers_of_one_request_are_found_out(code):
    cells = await survey_of(Device(size=400, most=50, code_for_length=code))
    assert (cells.limit, cells.largest) == (50, 50)
    assert cells.ranges == [(0, 399)]


async def test_a_list_that_begins_before_a_place_that_is_tried_is_found_backwards():
    everything = range(10_000)
    device = Device(size=10_000, holes=frozenset(everything) - frozenset(range(2990, 3060)))
    assert (await survey_of(device)).ranges == [(2990, 3059)]


async def test_a_table_that_is_not_there_costs_one_request():
    asked = []

    async def refuse(request):
        asked.append(request)
        return Refusal(1)

    cells = await Surveyor(refuse, 1, pause=0).look(Table.COIL)
    assert len(asked) == 1
    assert "illegal function" in cells.absent


async def test_a_table_that_is_not_answered_is_left_after_three_questions():
    asked = []

    async def be_silent(request):
        asked.append(request)
        return Miss(Why.TIMEOUT, "no answer")

    cells = await Surveyor(be_silent, 1, pause=0).look(Table.INPUT)
    assert len(asked) == 3
    assert cells.absent == "no answer"


@pytest.mark.parametrize("most", [1, 10, 60])
@pytest.mark.shows("P10.7")
async def test_the_number_of_requests_is_bounded(most):
    device = Device(size=60_000, most=10, holes=frozenset(range(5, 60_000, 7)))
    cells = await survey_of(device, most=most)
    assert len(device.reads) <= most
    assert cells.is_cut_short


async def test_bits_are_read_as_bits():
    cells = await survey_of(Device(size=30), Table.COIL)
    assert [at for at, bit in cells.values.items() if bit] == list(range(0, 30, 3))


def floats(order, numbers=(231.4, 229.8, 230.1, 12.08, 7912.0)) -> dict[int, int]:
    wire = b""
    for number in numbers:
        plain = struct.pack(">f", number)
        wire += bytes(plain["ABCD".index(letter)] for letter in order)
    return {
        100 + at // 2: int.from_bytes(wire[at : at + 2], "big") for at in range(0, len(wire), 2)
    }


@pytest.mark.parametrize("order", ["ABCD", "CDAB", "BADC", "DCBA"])
def test_decimal_numbers_tell_their_order(order):
    (only,) = guess(floats(order))
    assert only.order == order
    assert only.examples[0] == (100, pytest.approx(231.4, rel=1e-6))


def test_numbers_that_are_sensible_in_several_orders_tell_none():
    assert guess({at: 0x4248 + at // 2 for at in range(20)}) == []


def test_whole_numbers_tell_no_order():
    assert guess({at: 1000 + at for at in range(60)}) == []
    assert guess({at: at % 2 * 500 for at in range(60)}) == []
    assert guess({}) == []


@pytest.fixture(autouse=True)
def haste(monkeypatch):
    monkeypatch.setattr(survey, "PAUSE", 0)


@pytest.fixture
def plant(tmp_path, monkeypatch):
    monkeypatch.setattr(discovery, "LISTEN_SECONDS", 0.05)
    device = NamedDevice(size=110, most=64, values=floats("CDAB"))
    plant = LinePlant(tmp_path / "ttyRS485", {2: device})
    plant.line.plug()
    yield plant
    plant.line.unplug()
    assert plant.functions <= ALLOWED


@pytest.mark.thorough
@pytest.mark.shows("P10.7")
def test_a_device_on_a_line_is_described(plant, capfd):
    assert main(["probe", plant.port, "--unit", "2", "--json", "--requests", "16"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert found["connection"]["baud"] == 9600  # a pseudo-terminal hears at any speed
    assert found["identity"]["product_code"] == "PM-200"
    holding = found["tables"]["holding"]
    assert holding["ranges"] == [[0, 109]]
    assert (holding["limit"], holding["values"]["0"]) == (64, 1000)
    assert 0 < found["ms"]["median"] <= found["ms"]["slowest"]


def test_the_profile_that_a_device_names_itself_is_told(plant, capfd):
    plant.devices[2].objects = {0: b"Eastron", 1: b"SDM630", 2: b"V2"}
    words = ["probe", f"serial://{plant.port}?baud=115200", "--unit", "2", "--requests", "2"]
    assert main(words) == 0
    assert "\nprofile eastron-sdm630\n" in capfd.readouterr().out
    assert main([*words, "--json"]) == 0
    (first, *_) = json.loads(capfd.readouterr().out)["profiles"]
    assert (first["profile"], first["certain"]) == ("eastron-sdm630", True)


def test_nobody_there_is_exit_code_4(plant, capfd):
    words = ["probe", f"serial://{plant.port}?baud=115200", "--unit", "9"]
    assert main([*words, "--json"]) == 4
    said = json.loads(capfd.readouterr().out)
    assert said["code"] == "E-BUS-SILENT"
    assert "unit 9 does not answer" in said["error"]


async def probe(*words) -> int:
    return await asyncio.to_thread(main, ["probe", *words])


async def test_a_device_in_the_network_is_shown_to_people(capfd):
    device = NamedDevice(size=20, values=dict(enumerate(floats("CDAB").values())))
    end = TcpEnd("tcp", lambda frame, send: send(frame.wrap(frame.unit, device.answer(frame.pdu))))
    await end.start()
    assert await probe(f"127.0.0.1:{end.settings['port']}") == 0
    await end.stop()
    out = capfd.readouterr().out
    assert "vendor Acme Works" in out
    assert "transport: tcp" in out
    assert "holding   0-19  at least 19 at once" in out
    assert set(device.asked) <= ALLOWED


async def test_frames_passed_on_are_read_as_well(capfd):
    converter = Converter({1: Device(size=10)})
    await converter.start()
    target = f"rtu-over-tcp://127.0.0.1:{converter.port}"
    assert await probe(target, "--json", "--requests", "20") == 0
    await converter.stop()
    assert json.loads(capfd.readouterr().out)["connection"]["transport"] == "rtu-over-tcp"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["10.0.0.0/24"], "name one address"),
        (["/dev/ttyUSB0", "--unit", "0"], "write 1 to 247"),
        (["10.0.0.1", "--requests", "0"], "from 1 on"),
    ],
)
def test_mistakes_are_usage(words, said, capfd):
    assert main(["probe", *words]) == 2
    assert said in capfd.readouterr().err


def test_its_progress_speaks_the_language_of_the_rest(capfd):
    assert main(["--lang", "zh", "probe", "127.0.0.1:1", "--unit", "3"]) == 4
    err = capfd.readouterr().err
    assert "unit 3" not in err
    assert "从站 3" in err or "站号 3" in err
