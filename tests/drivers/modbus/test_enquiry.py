"""Answers that tell their own length are found in whatever bytes arrive, on every framing."""

from collections import Counter

import pytest
from edge_agent_modbus import services
from edge_agent_modbus.ascii import AsciiFramer
from edge_agent_modbus.enquiry import Enquiry, Service
from edge_agent_modbus.framing import MOST_KEPT, Framer
from edge_agent_modbus.lenient import LenientTcpFramer
from edge_agent_modbus.mbap import TcpFramer
from edge_agent_modbus.pdu import Refusal, Request, Table
from edge_agent_modbus.rtu import RtuFramer
from hypothesis import given
from hypothesis import strategies as st

from tests.rigs.modbus_device import with_crc
from tests.rigs.modbus_tcp import mbap
from tests.rigs.modbus_wire import ascii_frame
from tests.rigs.nameplate import NamedDevice

FRAMERS = {
    "rtu": RtuFramer,
    "tcp": TcpFramer,
    "tcp-unnumbered": lambda evidence: TcpFramer(evidence, numbered=False),
    "ascii": AsciiFramer,
}
every_framing = pytest.mark.parametrize("framing", FRAMERS)
every_service = pytest.mark.parametrize("service", Service)
CODES = {
    Service.EXCEPTION_STATUS: 7,
    Service.EVENT_COUNTER: 11,
    Service.EVENT_LOG: 12,
    Service.SERVER_ID: 17,
    Service.DEVICE_IDENTIFICATION: 43,
}


def frame(framing: str, unit: int, pdu: bytes, number: int = 1) -> bytes:
    if framing.startswith("tcp"):
        return mbap(number, unit, pdu)
    return with_crc(bytes((unit,)) + pdu) if framing == "rtu" else ascii_frame(unit, pdu)


def waiting(framing: str, service: Service, unit: int = 5) -> tuple[Framer, bytes]:
    """A framer that has asked, and the right answer."""
    framer = FRAMERS[framing](Counter())
    enquiry = Enquiry(unit, service)
    assert framer.encode(enquiry) == frame(framing, unit, enquiry.pdu)
    return framer, NamedDevice().answer(enquiry.pdu)


@every_service
def test_the_specification_s_codes_are_asked_and_no_others(service):
    assert Enquiry(1, service).function == CODES[service]
    assert Enquiry(1, service).pdu[0] == CODES[service]
    with pytest.raises(TypeError):
        Enquiry(1, service, function=6)
    with pytest.raises(AttributeError):
        Enquiry(1, service).pdu = b"\x06"


def test_counters_and_logs_are_read_as_the_specification_does():
    assert services.event_counter(bytes.fromhex("0bffff0108")) == (True, 264)
    log = services.event_log(bytes.fromhex("0c08000001080121 2000"))
    assert log == (False, 264, 289, b"\x20\x00")
    assert services.exception_status(b"\x07\x6d") == 0x6D
    assert services.server_id(b"\x11\x03\x01\x02\xff") == b"\x01\x02\xff"


@every_service
@every_framing
@pytest.mark.parametrize("size", [1, 3, 300])
def test_an_answer_is_found_in_pieces_of_any_size(framing, service, size):
    framer, pdu = waiting(framing, service)
    wire = frame(framing, 5, pdu)
    pieces = [wire[at : at + size] for at in range(0, len(wire), size)]
    assert [framer.feed(piece) for piece in pieces] == [None] * (len(pieces) - 1) + [pdu]
    assert framer.feed(wire) is None


@every_service
@every_framing
def test_an_answer_is_found_behind_junk_an_echo_and_another_unit_s(framing, service):
    framer, pdu = waiting(framing, service)
    echo = frame(framing, 5, Enquiry(5, service).pdu)
    wire = b"\0\xff" + echo + frame(framing, 6, pdu) + b"\xf8" + frame(framing, 5, pdu)
    assert framer.feed(wire) == pdu


@every_service
@every_framing
def test_a_refusal_answers_as_well(framing, service):
    framer, _ = waiting(framing, service)
    refusal = bytes((CODES[service] | 0x80, 1))
    assert framer.feed(frame(framing, 5, refusal)) == Refusal(1)


@every_service
@every_framing
def test_a_damaged_or_foreign_answer_is_none(framing, service):
    framer, pdu = waiting(framing, service)
    other = frame(framing, 6, pdu)
    bent = bytearray(frame(framing, 5, pdu))
    bent[-3] ^= 0x10
    assert framer.feed(other) is None
    if not framing.startswith("tcp"):  # where TCP's own checksum stands for a frame's
        assert framer.feed(bytes(bent)) is None
    answers = {Service.DEVICE_IDENTIFICATION: b"\x11\x00", Service.SERVER_ID: b"\x07\x00"}
    assert framer.feed(frame(framing, 5, answers.get(service, b"\x11\x01A"))) is None


def test_an_answer_with_another_number_is_none():
    framer, pdu = waiting("tcp", Service.SERVER_ID)
    assert framer.feed(frame("tcp", 5, pdu, number=9)) is None
    assert framer.feed(frame("tcp", 5, pdu)) == pdu


def test_a_header_with_a_wrong_length_or_unit_is_read_by_option_only():
    wire = bytearray(frame("tcp", 5, NamedDevice().answer(b"\x11")))
    wire[5], wire[6] = 99, 255
    strict = waiting("tcp", Service.SERVER_ID)[0]
    assert strict.feed(bytes(wire)) is None
    framer = LenientTcpFramer(Counter(), numbered=True, any_unit=True, any_length=True)
    framer.encode(Enquiry(5, Service.SERVER_ID))
    assert framer.feed(bytes(wire)) == NamedDevice().answer(b"\x11")


@every_framing
@given(st.lists(st.binary(max_size=400), max_size=6), st.sampled_from(list(Service)))
def test_arbitrary_bytes_are_no_answer_no_error_and_no_memory(framing, pieces, service):
    framer, pdu = waiting(framing, service)
    head, fed = frame(framing, 5, pdu), b""
    for piece in pieces:
        wire = head[: len(piece) % (len(head) + 3)] + piece
        fed += wire
        answer = framer.feed(wire)
        assert answer is None or _stands_in(framing, answer, service, fed)
        assert len(framer._buffer) <= MOST_KEPT
    framer.reject()


def _stands_in(framing: str, answer: bytes | Refusal, service: Service, fed: bytes) -> bool:
    """Tell whether the frame of an answer, made anew, is among the bytes."""
    if isinstance(answer, Refusal):
        answer = bytes((CODES[service] | 0x80, answer.code))
    if framing == "ascii":
        fed = bytes(byte & 0x7F for byte in fed).upper().replace(b"\r\n", b"\n")
        return frame(framing, 5, answer).replace(b"\r\n", b"\n") in fed
    return frame(framing, 5, answer)[2 * (framing == "tcp-unnumbered") :] in fed


@every_framing
def test_cells_are_read_behind_an_enquiry_as_ever(framing):
    framer, pdu = waiting(framing, Service.DEVICE_IDENTIFICATION)
    framer.encode(Request(5, Table.HOLDING, 0, 1))
    assert framer.feed(frame(framing, 5, pdu)) is None
    assert framer.feed(frame(framing, 5, b"\x03\x02\x12\x34", number=2)) == b"\x12\x34"
