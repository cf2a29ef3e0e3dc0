"""Framers find the answer in real and hostile bytes, and nothing else ever becomes one."""

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from edge_agent_modbus.ascii import AsciiFramer
from edge_agent_modbus.checksum import crc16
from edge_agent_modbus.framing import MOST_KEPT, Framer
from edge_agent_modbus.mbap import TcpFramer
from edge_agent_modbus.pdu import Refusal, Request, Table, match
from edge_agent_modbus.rtu import RtuFramer
from hypothesis import given
from hypothesis import strategies as st

from tests.rigs.modbus_device import crc, with_crc
from tests.rigs.modbus_tcp import mbap
from tests.rigs.processor import takes_at_most

FRAMES = json.loads(Path(__file__).with_name("frames.json").read_text())
FRAMERS = {
    "rtu": RtuFramer,
    "tcp": TcpFramer,
    "tcp-unnumbered": lambda evidence: TcpFramer(evidence, numbered=False),
    "ascii": AsciiFramer,
}


def new(framing: str, number: int = 1) -> Framer:
    framer = FRAMERS[framing](Counter())
    for _ in range(number - 1):
        framer.encode(Request(1, Table.HOLDING, 0, 1))
    return framer


def expected(frame: dict):
    if "refusal" in frame:
        return Refusal(frame["refusal"])
    return bytes.fromhex(frame["data"]) if "data" in frame else None


def ask(frame: dict) -> Request:
    table, offset, count = frame["ask"]
    return Request(frame["unit"], Table(table), offset, count)


@pytest.mark.parametrize(
    "frame", [f for f in FRAMES if f["framing"] == "pdu"], ids=lambda f: f["name"]
)
def test_the_specification_s_examples_are_made_and_read(frame):
    request = ask(frame)
    assert request.pdu == bytes.fromhex(frame["request"])
    if "answer" in frame:
        assert match(request, bytes.fromhex(frame["answer"])) == expected(frame)


@pytest.mark.parametrize(
    "frame", [f for f in FRAMES if f["framing"] != "pdu"], ids=lambda f: f["name"]
)
@pytest.mark.parametrize("piece", [1, 3, 1000])
def test_answers_from_the_field_are_found_in_pieces_of_any_size(frame, piece):
    framer = new(frame["framing"], frame.get("number", 1))
    sent = framer.encode(ask(frame))
    if "request" in frame:
        assert sent == bytes.fromhex(frame["request"])
    wire = bytes.fromhex(frame["answer"])
    answers = [framer.feed(wire[at : at + piece]) for at in range(0, len(wire), piece)]
    assert [answer for answer in answers if answer is not None] == [expected(frame)]


requests = st.builds(
    Request,
    st.integers(0, 255),
    st.sampled_from(Table),
    st.integers(0, 65000),
    st.integers(1, 125),
)


def answer_frame(framing: str, request: Request, data: bytes, number: int = 1) -> bytes:
    pdu = bytes((request.function, len(data))) + data
    if framing.startswith("tcp"):
        return mbap(number, request.unit, pdu)
    body = bytes((request.unit,)) + pdu
    if framing == "rtu":
        return with_crc(body)
    return b":" + (body + bytes((-sum(body) & 0xFF,))).hex().encode() + b"\r\n"


@pytest.mark.parametrize("framing", FRAMERS)
@given(
    data=st.data(),
    request_=requests,
    before=st.binary(max_size=20),
    cuts=st.sets(st.integers(1, 250), max_size=4),
)
def test_the_answer_is_found_behind_any_junk(framing, data, request_, before, cuts):
    framer = new(framing)
    sent = framer.encode(request_)
    content = data.draw(st.binary(min_size=request_.size, max_size=request_.size))
    right = answer_frame(framing, request_, content)
    if framing != "ascii" and sent.startswith(right):
        return  # the answer looks like our own request: it is taken for an echo, on purpose
    wire = before.replace(b":", b"") + right
    edges = [0, *sorted(cut for cut in cuts if cut < len(wire)), len(wire)]
    answers = [framer.feed(wire[a:b]) for a, b in pairwise(edges)]
    assert [answer for answer in answers if answer is not None] == [content]


@pytest.mark.parametrize("framing", FRAMERS)
@given(request_=requests, noise=st.lists(st.binary(max_size=700), max_size=5))
def test_arbitrary_bytes_are_no_answer_no_error_and_no_memory(framing, request_, noise):
    framer = new(framing)
    framer.encode(request_)
    for piece in noise:
        assert framer.feed(piece) is None
        assert len(framer._buffer) <= MOST_KEPT
    framer.reject()
    assert not framer._buffer


@given(data=st.data(), request_=requests, flip=st.integers(0, 10_000))
def test_an_rtu_answer_with_one_wrong_bit_is_no_value(data, request_, flip):
    framer = new("rtu")
    framer.encode(request_)
    content = data.draw(st.binary(min_size=request_.size, max_size=request_.size))
    wire = bytearray(answer_frame("rtu", request_, content))
    wire[flip // 8 % len(wire)] ^= 1 << flip % 8
    assert not isinstance(framer.feed(bytes(wire)), bytes)


@given(wanted=requests, given_=requests, data=st.data())
def test_an_rtu_answer_to_another_request_is_no_value(wanted, given_, data):
    if (wanted.unit, wanted.shape) == (given_.unit, given_.shape):
        return
    framer = new("rtu")
    framer.encode(wanted)
    content = data.draw(st.binary(min_size=given_.size, max_size=given_.size))
    assert framer.feed(answer_frame("rtu", given_, content)) is None


def test_a_duplicate_is_no_answer_but_counted_as_late():
    evidence = Counter()
    framer = RtuFramer(evidence)
    request = Request(7, Table.HOLDING, 0, 1)
    framer.encode(request)
    wire = answer_frame("rtu", request, b"\x00\x2a")
    assert framer.feed(wire) == b"\x00\x2a"
    assert framer.feed(wire) is None
    framer.reject()
    assert evidence == {"late": 1}


@pytest.mark.parametrize(
    ("wire", "kind"),
    [
        (with_crc(b"\x08\x03\x02\x00\x01"), "foreign"),
        (with_crc(b"\x09\x10\x00\x01\x00\x02"), "foreign"),  # another master is told of a write
        (with_crc(b"\x07\x03\x04\x00\x01\x00\x02"), "mismatched"),
        (with_crc(b"\x07\x04\x02\x00\x01"), "mismatched"),
        (b"\x07\x03\x02\x00\x01\xff\xff", "damaged"),
        (b"\x07\x03\x02\x00", "damaged"),
        (with_crc(b"\x07\x03\x00\x00\x00\x01"), "echo"),
        (b"\x00", "stray"),
    ],
)
def test_what_is_no_answer_on_a_serial_line_is_named(wire, kind):
    evidence = Counter()
    framer = RtuFramer(evidence)
    framer.encode(Request(7, Table.HOLDING, 0, 1))
    assert framer.feed(wire) is None
    assert framer.reject() == {kind: 1}
    assert evidence == {kind: 1}


@pytest.mark.parametrize(
    ("wire", "kind", "count"),
    [
        (mbap(1, 7, b"\x03\x02\x00\x01"), "late", 1),
        (mbap(9, 7, b"\x03\x02\x00\x01"), "foreign", 1),
        (mbap(2, 8, b"\x03\x02\x00\x01"), "foreign", 1),
        (mbap(2, 7, b"\x03\x04\x00\x01\x00\x02"), "mismatched", 1),
        (mbap(2, 7, b"\x04\x02\x00\x01"), "mismatched", 1),
        (mbap(2, 7, b"\x03\x02\x00\x01")[:-1], "damaged", 1),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "stray", 28),
    ],
)
def test_what_is_no_answer_on_tcp_is_named(wire, kind, count):
    framer = new("tcp", number=2)
    framer.encode(Request(7, Table.HOLDING, 0, 1))
    assert framer.feed(wire) is None
    assert framer.reject() == {kind: count}


def test_the_stream_is_found_again_behind_a_wrong_length():
    framer = new("tcp")
    request = Request(1, Table.HOLDING, 0, 1)
    framer.encode(request)
    wrong = b"\x00\x01\x00\x00\x00\xc8\x01\x03\x02\x00\x05"
    assert framer.feed(wrong) is None
    framer.encode(request)
    assert framer.feed(mbap(2, 1, b"\x03\x02\x00\x06")) == b"\x00\x06"


def test_an_echo_that_is_a_valid_answer_is_not_taken_for_it():
    framer = new("rtu")
    request = Request(1, Table.COIL, 0x0355, 20)  # three bytes of answer: 01 01 03 55 00 14 and CRC
    echo = framer.encode(request)
    assert match(request, echo[1:-2]) is not None
    assert framer.feed(echo) is None
    assert framer.feed(answer_frame("rtu", request, b"\x01\x02\x03")) == b"\x01\x02\x03"


def test_a_flood_of_beginnings_is_searched_quickly():
    framer = new("rtu")
    framer.encode(Request(1, Table.HOLDING, 0, 100))
    flood = b"\x01\x03\xc8" * 20
    assert takes_at_most(2, lambda: [framer.feed(flood) for _ in range(100)])


@given(st.binary(max_size=300))
def test_the_checksum_is_that_of_the_specification(data):
    assert crc16(data) == crc(data)


def test_ascii_takes_lower_case_and_a_set_eighth_bit():
    framer = new("ascii")
    framer.encode(Request(1, Table.HOLDING, 107, 3))
    text = b":010306022b0000006465\r\n"
    assert framer.feed(bytes(byte | 0x80 for byte in text)) == bytes.fromhex("022b00000064")


@pytest.mark.parametrize("framing", FRAMERS)
@given(request_=requests)
def test_no_frame_has_a_function_code_that_writes(framing, request_):
    frame = new(framing).encode(request_)
    if framing == "ascii":
        frame = bytes.fromhex(frame[1:-2].decode())
    function = frame[7] if framing.startswith("tcp") else frame[1]
    assert function in {1, 2, 3, 4}


def ascii_frame(body: bytes) -> bytes:
    return b":" + (body + bytes((-sum(body) & 0xFF,))).hex().upper().encode() + b"\r\n"


@pytest.mark.parametrize(
    ("wire", "kind"),
    [
        (ascii_frame(b"\x08\x03\x02\x00\x01"), "foreign"),
        (ascii_frame(b"\x07\x04\x02\x00\x01"), "mismatched"),
        (ascii_frame(b"\x07\x03\x04\x00\x01\x00\x02"), "mismatched"),
        (ascii_frame(b"\x07\x03\x04\x00\x01"), "mismatched"),
        (ascii_frame(b"\x07\x03\x02\x00\x01\x02"), "mismatched"),
        (b":0703020001F4\r\n", "damaged"),
        (b":07030200\r\n", "damaged"),
        (b":0703020G01F3\r\n", "damaged"),
        (ascii_frame(b"\x07\x03\x00\x00\x00\x01"), "echo"),
    ],
)
def test_what_is_no_answer_in_readable_characters_is_named(wire, kind):
    framer = new("ascii")
    framer.encode(Request(7, Table.HOLDING, 0, 1))
    assert framer.feed(wire) is None
    assert framer.reject() == {kind: 1}
