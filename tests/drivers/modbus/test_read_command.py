"""`edge-agent read` shows what registers may mean, and names what the display shows."""

import asyncio
import json

import pytest
from edge_agent_modbus.interpretation import interpretations, text_of
from edge_agent_modbus.pdu import Table
from edge_agent_modbus.target import Endpoint, Line, parse_target

from edge_agent.cli import main
from tests.rigs import modbus_plant
from tests.rigs.modbus_tcp import TcpPeer, mbap, take_mbap
from tests.rigs.until import until

FLOAT = {100: 0x4367, 101: 0x6666}  # 231.4


async def read(*words) -> int:
    return await asyncio.to_thread(main, ["read", *map(str, words)])


@pytest.fixture
async def url(tcp, device):
    device.values = FLOAT | {103: 0x3132, 104: 0x4142}
    return f"tcp://127.0.0.1:{tcp.port}"


@pytest.mark.shows("P10.3")
async def test_registers_are_shown_as_everything_that_they_may_mean(url, capfd):
    assert await read(url, "holding:100", "--count", 2) == 0
    out = capfd.readouterr().out
    assert "holding:100  40101  0x4367  17255" in out
    rows = {tuple(line.split()[:2]): line.split()[2:] for line in out.splitlines()}
    assert rows["holding:100", "float32"] == ["231.4"]  # the other orders give what nobody measures
    assert rows["holding:100", "uint32"] == ["1130849894", "1717977959", "1732470374", "1717987139"]
    assert "ABCD" in out
    assert "endian" not in out


async def test_all_of_it_is_there_as_json(url, capfd):
    assert await read(url, "40101", "--json") == 0
    found = json.loads(capfd.readouterr().out)
    assert (found["table"], found["offset"], found["count"]) == ("holding", 100, 2)
    assert (found["raw"], found["registers"]) == ("43676666", [0x4367, 0x6666])
    floats = {each["order"]: each["value"] for each in found["values"] if each["type"] == "float32"}
    assert floats["ABCD"] == pytest.approx(231.4, rel=1e-6)
    assert set(floats) == {"ABCD", "CDAB", "BADC", "DCBA"}
    assert "candidates" not in found


@pytest.mark.shows("P10.6")
async def test_a_number_from_the_display_names_the_point(url, capfd):
    assert await read(url, "holding:100", "--expect", "231.4") == 0
    out = capfd.readouterr().out
    first = out[out.index("1)") :].splitlines()[0]
    assert first.split(maxsplit=1) == [
        "1)",
        "231.4  address: {table: holding, offset: 100, type: float32, order: ABCD}",
    ]


async def test_an_address_that_is_off_by_one_is_noticed(url, capfd):
    assert await read(url, "holding:101", "--expect", "231.4", "--json") == 0
    first = json.loads(capfd.readouterr().out)["candidates"][0]
    assert first["address"] == {
        "unit": 1,
        "table": "holding",
        "offset": 100,
        "type": "float32",
        "order": "ABCD",
    }


@pytest.mark.thorough
async def test_a_second_look_is_taken_later(url, device, capfd):
    reading = asyncio.ensure_future(
        read(url, "holding:100", "--expect", "231.4", "--expect", "250", "--wait", "0.3")
    )
    said = []

    def first_look_is_over() -> bool:
        said.append(capfd.readouterr())
        return any("the second look is in" in one.err for one in said)

    await until(first_look_is_over)
    device.values = {100: 0x437A, 101: 0x0000}
    assert await reading == 0
    out = "".join(one.out for one in said) + capfd.readouterr().out
    assert "the second look" not in out
    assert "231.4  address: {table: holding, offset: 100, type: float32, order: ABCD}" in out
    assert "uint32" not in out[out.index("the likeliest") :]


async def test_what_no_register_shows_says_where_to_look(url, capfd):
    assert await read(url, "holding:100", "--expect", "3.33") == 0
    assert "check the address against the manual" in capfd.readouterr().out


async def test_holes_around_the_register_do_not_hide_it(url, device, capfd):
    device.holes = frozenset({99, 102, 103})
    assert await read(url, "holding:100", "--expect", "231.4", "--json") == 0
    assert json.loads(capfd.readouterr().out)["candidates"][0]["address"]["offset"] == 100


async def test_a_type_and_an_order_narrow_it(url, capfd):
    words = ("holding:100", "--type", "float32", "--order", "3412", "--json")
    assert await read(url, *words) == 0
    (only,) = json.loads(capfd.readouterr().out)["values"]
    assert (only["type"], only["order"], only["sensible"]) == ("float32", "CDAB", False)


async def test_bits_and_text(url, capfd):
    assert await read(url, "coil:0", "--count", 4) == 0
    assert [line.split()[-1] for line in capfd.readouterr().out.splitlines()[1:]] == [
        "on",
        "off",
        "off",
        "on",
    ]
    assert await read(url, "holding:103") == 0
    assert 'as text: "12AB"' in capfd.readouterr().out


async def test_a_refusal_says_what_to_compare(url, capfd):
    assert await read(url, "holding:5000") == 4
    err = capfd.readouterr().err
    assert "exception 2: illegal data address" in err
    assert "perhaps holding:4999 is meant" in err
    assert "E-BUS-REFUSED" in err


async def test_a_silent_unit_and_a_port_that_is_shut_have_codes_of_their_own(tcp, url, capfd):
    tcp.script = lambda _: []
    assert await read(url, "holding:0", "--timeout", "0.05", "--json") == 4
    assert json.loads(capfd.readouterr().out)["code"] == "E-NET-SILENT"
    await tcp.stop()
    assert await read(url, "holding:0", "--json") == 4
    assert json.loads(capfd.readouterr().out)["code"] == "E-LINK-DOWN"


async def test_a_gateway_that_has_nobody_there_is_named(tcp, url, capfd):
    def nobody(frame):
        number, unit, pdu = take_mbap(frame)
        return [(0, mbap(number, unit, bytes((pdu[0] | 0x80, 0x0B))))]

    tcp.script = nobody
    assert await read(url, "holding:0", "--json") == 4
    assert json.loads(capfd.readouterr().out)["code"] == "E-GATEWAY"


async def test_raw_frames_on_tcp_are_named_as_what_they_are(device, gateway, capfd):
    assert await read(f"rtu-over-tcp://127.0.0.1:{gateway.port}", "holding:3", "--json") == 0
    assert json.loads(capfd.readouterr().out)["registers"] == [1003, 1004]
    raw = TcpPeer(lambda _: [(0, b"\x01\x03\x02\x00\x01\x79\x84")])
    await raw.start()
    words = ("holding:3", "--timeout", "0.1", "--json")
    assert await read(f"tcp://127.0.0.1:{raw.port}", *words) == 4
    await raw.stop()
    assert json.loads(capfd.readouterr().out)["code"] == "E-NET-PROTOCOL"


async def test_a_serial_line_and_its_settings(line, capfd):
    target = f"serial://{line.path}?baud=115200&parity=even"
    assert await read(target, "0x0005", "--unit", 7, "--count", 1, "--json") == 0
    found = json.loads(capfd.readouterr().out)
    assert (found["unit"], found["registers"]) == (7, [1005])


async def test_libmodbus_holds_what_is_shown(tmp_path_factory, capfd):
    plant = modbus_plant.Plant(modbus_plant.build(tmp_path_factory.mktemp("plant")))
    assert await read(f"tcp://127.0.0.1:{plant.port}", "30008", "--count", 1, "--json") == 0
    plant.stop()
    assert json.loads(capfd.readouterr().out)["registers"] == [2007]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["tcp://127.0.0.1", "100"], '"40100" if it is register 100'),
        (["tcp://127.0.0.1", "nonsense"], "is no Modbus address"),
        (["tcp://127.0.0.1", "holding:0", "--unit", "256"], "write 0 to 255"),
        (["tcp://127.0.0.1", "holding:0", "--count", "126"], "no request can read"),
        (["tcp://127.0.0.1", "holding:0", "--type", "float"], "there is no type 'float'"),
        (["tcp://127.0.0.1", "holding:0", "--order", "ABDC"], "there is no order 'ABDC'"),
        (["tcp://127.0.0.1", "holding:0", "--expect", "x"], "no number"),
        (["tcp://127.0.0.1", "coil:0", "--expect", "1"], "leave --expect out"),
        (["10.0.0.0/24", "holding:0"], "name one address"),
        (["/dev/ttyUSB0", "holding:0"], "needs its speed"),
        (["serial:///dev/ttyUSB0?baud=9600", "holding:0", "--unit", "0"], "write 1 to 247"),
        (["tcp://127.0.0.1", "holding:0", "--timeout", "-1"], "timeout"),
    ],
)
def test_mistakes_are_usage(words, said, capfd):
    assert main(["read", *words]) == 2
    err = capfd.readouterr().err
    assert said in err
    assert "Traceback" not in err
    assert "validation error" not in err


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("/dev/ttyUSB0", Line("/dev/ttyUSB0")),
        ("serial:///dev/ttyS1?baud=9600", Line("/dev/ttyS1", (("baud", "9600"),))),
        ("10.0.0.5", Endpoint("10.0.0.5")),
        ("plc.local:1502", Endpoint("plc.local", 1502)),
        ("tcp://10.0.0.5", Endpoint("10.0.0.5", 502, "tcp")),
        ("rtu-over-tcp://10.0.0.5:4196", Endpoint("10.0.0.5", 4196, "rtu-over-tcp")),
        ("fe80::1", Endpoint("fe80::1")),
        ("tcp://[fe80::1]:503", Endpoint("fe80::1", 503, "tcp")),
    ],
)
def test_targets(text, target):
    assert parse_target(text) == target


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tcp://",
        "http://10.0.0.5",
        "10.0.0.5:0",
        "10.0.0.5:70000",
        "tcp://10.0.0.5/1",
        "serial://ttyUSB0",
        "serial:///dev/ttyS1?parity=even",
        "serial:///dev/ttyS1?baud=fast",
        "serial:///dev/ttyS1?baud=9600&parity=maybe",
        "user@10.0.0.5",
        "10.0.0.5/64",
    ],
)
def test_what_is_no_target_says_so(text):
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        parse_target(text)


def test_special_types_are_shown_only_where_they_are_sensible():
    found = {each.type for each in interpretations(Table.HOLDING, 0, bytes.fromhex("0fff0000"))}
    assert "bcd16" in found  # the second register is 0000
    assert "time_unix" not in found
    when = interpretations(Table.HOLDING, 0, (1_700_000_000).to_bytes(4, "big"))
    assert [each.value for each in when if each.type == "time_unix"] == ["2023-11-14T22:13:20Z"]


@pytest.mark.parametrize(
    ("data", "text"),
    [(b"PM-200\0\0", "PM-200"), (b"\x00\x01\x02\x03", "")],
)
def test_text_is_text_only_if_most_of_it_is_readable(data, text):
    assert text_of(data) == text
