"""What recipes say of frames, and ask, agrees with libraries of other people.

Sources: dlt645, iec62056-21, pyMeterBus and pymodbus, as on PyPI.
"""

import meterbus
import pytest
from dlt645.common.transform import bcd_to_float
from dlt645.model.data.define import DIMap
from dlt645.protocol.protocol import DLT645Protocol
from edge_agent_serial import library
from edge_agent_serial.checksums import checksum
from edge_agent_serial.denied import objection
from edge_agent_serial.engine import Engine
from hypothesis import given, settings
from hypothesis import strategies as st
from iec62056_21 import messages
from pymodbus.framer import FramerAscii, FramerRTU

DLT645 = library.load("dlt645-2007")
READ = DLT645.request("item")
PRESETS = {name: preset["item"] for name, preset in READ.brings.items() if preset}
FORMATS = {
    f"{number:08X}": item.data_format
    for number, item in DIMap.items()
    if number >> 16 <= 4 or number >> 24 == 2  # what the recipe has formats for, and more
    if not isinstance(item, list)
}


def captured(recipe, control):
    """The whole frames of a recipe's vectors that answer a request."""
    return [
        vector
        for vector in recipe.vectors
        if vector.octets and vector.request and control in vector.octets and not vector.nothing
    ]


FRAMES = captured(DLT645, b"\x68\x91")


@pytest.mark.parametrize("vector", FRAMES, ids=[vector.name for vector in FRAMES])
def test_frames_of_meters_are_taken_apart_as_by_dlt645(vector):
    frames, rest = [], vector.octets
    while rest:
        rest, frame = DLT645Protocol.deserialize_with_remaining(rest)
        if frame is None:
            break
        frames.append(frame)
    engine = Engine(DLT645)
    engine.ask(READ, vector.parameters)
    ours = engine.feed(vector.octets)[-1].fields
    theirs = frames[-1]
    assert ours["answering"] == bytes(theirs.addr)[::-1].hex().upper()
    assert ours["data"] == bytes(theirs.data[4:]).hex().upper()
    if ours["reading"] is not None:
        item = bytes(theirs.data[:4])[::-1].hex().upper()
        value = bcd_to_float(bytes(theirs.data[4:]), FORMATS[item], "little")
        assert ours["reading"] == pytest.approx(value)


@pytest.mark.parametrize(("field", "item"), PRESETS.items())
@given(data=st.data())
@settings(max_examples=20)
def test_each_item_has_the_format_that_dlt645_knows(field, item, data):
    digits = FORMATS[item].replace(".", "")
    decimals = len(FORMATS[item].partition(".")[2])
    signed = item[:4] in {"0000", "0003", "0004", "0202", "0203", "0204", "0206"}
    largest = 10 ** len(digits) - 1
    number = data.draw(st.integers(-(8 * largest // 10) if signed else 0, 8 * largest // 10))
    raw = bytearray.fromhex(f"{abs(number):0{len(digits)}d}")[::-1]
    if number < 0:
        raw[-1] |= 0x80
    assert bcd_to_float(bytes(raw), FORMATS[item], "little") == pytest.approx(number / 10**decimals)
    frame = DLT645Protocol.build_frame(
        bytes.fromhex("610100000000"), 0x91, bytes.fromhex(item)[::-1] + bytes(raw)
    )
    engine = Engine(DLT645)
    engine.ask(READ, {"meter": "161", "item": item})
    (heard,) = engine.feed(bytes(frame))
    assert heard.fields[field] == pytest.approx(number / 10**decimals)
    assert [name for name in PRESETS if heard.fields[name] is not None] == [field]


@given(meter=st.from_regex("[0-9]{12}", fullmatch=True), item=st.sampled_from(sorted(FORMATS)))
def test_questions_to_meters_are_those_that_dlt645_builds(meter, item):
    theirs = DLT645Protocol.build_frame(bytes.fromhex(meter)[::-1], 0x11, bytes.fromhex(item)[::-1])
    assert Engine(DLT645).ask(READ, {"meter": meter, "item": item}) == bytes(theirs)
    assert objection(bytes(theirs), "dlt645") is None


@pytest.mark.parametrize("control", [*range(0x02, 0x11), *range(0x14, 0x20)])
def test_what_dlt645_builds_to_change_a_meter_is_not_sent(control):
    frame = DLT645Protocol.build_frame(bytes(6), control, bytes(12))
    assert objection(bytes(frame), "dlt645")


IEC = library.load("iec62056-21")
READOUTS = [vector for vector in IEC.vectors if vector.fields and not vector.flaws]


def heard(vector):
    """What a meter sent in this vector, from the last STX on."""
    said = vector.octets or b"".join(turn.hears or b"" for turn in vector.session)
    return said[said.rindex(b"\x02") :]


@pytest.mark.parametrize("vector", READOUTS, ids=[vector.name for vector in READOUTS])
def test_read_outs_are_taken_apart_as_by_iec62056_21(vector):
    data = heard(vector)
    kind = messages.ReadoutDataMessage if b"!" in data else messages.AnswerDataMessage
    theirs = {}
    block = kind.from_representation(data.decode("ascii")).data_block
    for line in block.data_lines:
        for entry in line.data_sets:
            if entry.address:
                theirs[entry.address] = entry.value
                theirs[f"{entry.address}.unit"] = entry.unit
    (frame,) = Engine(IEC).feed(data)
    ours = {name: value for name, value in frame.fields.items() if value not in (None, "")}
    assert ours == {name: value for name, value in theirs.items() if value not in (None, "")}


def test_what_is_said_to_a_meter_is_what_iec62056_21_says():
    said = [turn.sends for turn in IEC.vectors[1].session if turn.sends]
    assert said == [
        messages.RequestMessage("45678903").to_bytes(),
        messages.AckOptionSelectMessage("4", "0").to_bytes(),
    ]
    for vector in IEC.vectors:
        for turn in vector.session:
            assert turn.sends is None or objection(turn.sends, "iec62056") is None


def test_what_iec62056_21_says_to_change_a_meter_is_not_said():
    for message in (
        messages.AckOptionSelectMessage("5", "1"),
        messages.CommandMessage.for_single_write("C001", "1"),
        messages.CommandMessage.for_single_read("1.8.0"),
    ):
        assert objection(message.to_bytes(), "iec62056")


@pytest.mark.parametrize("address", [0, 1, 42, 250, 254])
def test_questions_of_pymeterbus_pass_and_its_commands_do_not(address):
    asks = [
        meterbus.TelegramShort([0x10, control, address, (control + address) & 0xFF, 0x16])
        for control in (0x40, 0x5B, 0x7B)
    ]
    for telegram in asks:
        assert telegram.check_crc()
        assert objection(bytes(telegram), "mbus") is None
    for control in (0x53, 0x73, 0x44, 0x08):
        frame = bytes([0x10, control, address, (control + address) & 0xFF, 0x16])
        assert objection(frame, "mbus")


@given(st.binary(min_size=2, max_size=60))
def test_checksums_of_modbus_are_those_of_pymodbus(data):
    assert checksum("crc16-modbus", data) == FramerRTU.compute_CRC(data).to_bytes(2, "big")
    assert checksum("lrc", data)[0] == FramerAscii.compute_LRC(data)
