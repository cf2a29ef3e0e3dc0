"""File records, FIFO queues and device identification: the specification's own examples."""

import pytest
from edge_agent_modbus.services import (
    Group,
    Identification,
    ask_fifo,
    ask_file_records,
    ask_identification,
    fifo,
    file_records,
    identification,
)
from hypothesis import given
from hypothesis import strategies as st

GROUPS = [Group(4, 1, 2), Group(3, 9, 2)]
RECORDS = bytes.fromhex("140C05060DFE0020050633CD0040")
QUEUE = bytes.fromhex("180006000201B81284")
IDENTITY = bytes.fromhex(
    "2B0E0101000003"
    "0016436F6D70616E79206964656E74696669636174696F6E"
    "010F50726F6475637420636F6465205858"
    "020556322E3131"
)


def test_file_records_are_asked_for_and_read_as_the_specification_does():
    assert ask_file_records(GROUPS).hex() == "140e0600040001000206000300090002"
    assert file_records(GROUPS, RECORDS) == [(0x0DFE, 0x0020), (0x33CD, 0x0040)]


def test_a_queue_is_asked_for_and_read_as_the_specification_does():
    assert ask_fifo(0x04DE).hex() == "1804de"
    assert fifo(QUEUE) == (0x01B8, 0x1284)


def test_a_device_is_asked_for_its_name_as_the_specification_does():
    assert ask_identification().hex() == "2b0e0100"
    assert identification(IDENTITY) == Identification(
        {0: "Company identification", 1: "Product code XX", 2: "V2.11"}, None
    )


def test_an_identification_in_several_answers_says_where_to_go_on():
    answer = bytes.fromhex("2B0E0101FF0101000141")
    assert identification(answer) == Identification({0: "A"}, 1)


@pytest.mark.parametrize(
    "change",
    [lambda pdu: pdu[:-1], lambda pdu: pdu + b"\0", lambda pdu: b"\x90" + pdu[1:], lambda pdu: b""],
    ids=["short", "long", "another function", "nothing"],
)
def test_what_is_no_proper_answer_is_none(change):
    assert file_records(GROUPS, change(RECORDS)) is None
    assert fifo(change(QUEUE)) is None
    assert identification(change(IDENTITY)) is None


def test_records_of_other_groups_are_no_answer():
    assert file_records(GROUPS[:1], RECORDS) is None
    assert file_records([Group(4, 1, 3), Group(3, 9, 1)], RECORDS) is None


@given(st.binary(max_size=300), st.sampled_from([b"", b"\x14", b"\x18", b"\x2b\x0e"]))
def test_any_bytes_are_an_answer_or_none_and_never_an_exception(data, head):
    file_records(GROUPS, head + data)
    fifo(head + data)
    identification(head + data)
