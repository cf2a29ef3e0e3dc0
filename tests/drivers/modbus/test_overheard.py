"""What other masters and devices say is understood from any pieces, and junk teaches nothing."""

import itertools

import pytest
from edge_agent_modbus.overheard import Overheard
from edge_agent_modbus.pdu import Refusal, Request, Table
from hypothesis import given
from hypothesis import strategies as st

from tests.rigs.modbus_device import Device, with_crc


def talk(*pdus: str, unit: int = 3) -> bytes:
    device = Device()
    frames = []
    for text in pdus:
        pdu = bytes.fromhex(text)
        frames += [with_crc(bytes((unit,)) + pdu), with_crc(bytes((unit,)) + device.answer(pdu))]
    return b"".join(frames)


def heard(wire: bytes, size: int = 4096) -> Overheard:
    overheard = Overheard()
    for at in range(0, len(wire), size):
        overheard.feed(wire[at : at + size])
    overheard.end()
    return overheard


@pytest.mark.parametrize("size", [1, 2, 7, 64, 4096])
def test_requests_and_their_answers_are_understood_in_pieces_of_any_size(size):
    found = heard(talk("0300050002", "0400640001", "0100000018", "0307d00001"), size)
    assert found.answers == {
        Request(3, Table.HOLDING, 5, 2): bytes.fromhex("03ed03ee"),
        Request(3, Table.INPUT, 100, 1): bytes.fromhex("0834"),
        Request(3, Table.COIL, 0, 24): bytes.fromhex("499224"),  # as long as a request
        Request(3, Table.HOLDING, 2000, 1): Refusal(2),
    }
    assert found.units == [3]
    assert found.is_traffic


@given(st.lists(st.binary(max_size=12), min_size=3, max_size=3), st.integers(1, 50))
def test_junk_between_messages_hides_at_most_messages_and_invents_none(junk, size):
    one, two = talk("0300050002"), talk("0400640001", unit=9)
    found = heard(junk[0] + one + junk[1] + two + junk[2], size)
    assert found.answers.get(Request(3, Table.HOLDING, 5, 2)) == bytes.fromhex("03ed03ee")
    assert found.answers.get(Request(9, Table.INPUT, 100, 1)) == bytes.fromhex("0834")


def test_a_request_that_nobody_answers_is_counted():
    request = with_crc(bytes.fromhex("080300000001"))
    found = heard(request * 3 + talk("0300050002"))
    assert found.unanswered == {Request(8, Table.HOLDING, 0, 1): 3}
    assert "unit 8 holding:0 x1: not answered, 3 times" in list(found.lines())
    assert found.units == [3]


def test_another_master_s_writes_are_noticed():
    write = with_crc(bytes.fromhex("030600010002"))
    found = heard(talk("0300050002") + write * 2)
    assert found.writes == {3: 2}
    assert list(found.lines())[-1] == "unit 3: 2 messages that write"


def test_a_few_stray_bytes_are_no_traffic():
    assert not heard(b"\0\xff\0").is_traffic


@given(st.lists(st.binary(max_size=600), max_size=8))
def test_arbitrary_bytes_bring_no_error_and_no_memory(pieces):
    overheard = Overheard()
    for piece in pieces:
        overheard.feed(piece)
        assert len(overheard._buffer) <= 256
    overheard.end()
    assert overheard._buffer == b""
    assert overheard.bytes_heard == sum(map(len, pieces))


def test_an_answer_to_a_request_that_was_not_heard_is_passed_over():
    wire = talk("0300050002")
    for begin in itertools.islice(range(1, 8), 7):
        assert heard(wire[begin:]).answers == {}
