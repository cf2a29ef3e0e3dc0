"""Reading services beside the four tables: what a device is, how it does, files, queues. Pure.

They are for finding out what a device is; polls use the four tables only. Like `pdu`, this module
can make requests that read and no others: their function codes are constants here.

Source: MODBUS Application Protocol V1.1b3, 6.7 (7), 6.9 (11), 6.10 (12), 6.13 (17), 6.14 (20),
6.18 (24) and 6.21 (43 / 14).
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

READ_EXCEPTION_STATUS, COMM_EVENT_COUNTER, COMM_EVENT_LOG, REPORT_SERVER_ID = 7, 11, 12, 17
READ_FILE_RECORD, READ_FIFO_QUEUE, ENCAPSULATED = 20, 24, 43
_DEVICE_IDENTIFICATION = 14
_REFERENCE_TYPE = 6
_MOST_IN_FIFO = 31
_MORE_FOLLOWS = 0xFF
_BUSY = 0xFFFF  # a command is still being worked on: V1.1b3, 6.9

OBJECTS = {
    0: "vendor",
    1: "product_code",
    2: "revision",
    3: "vendor_url",
    4: "product_name",
    5: "model_name",
    6: "application_name",
}
"""Objects of the device identification; 0-2 are the basic ones. Source: V1.1b3, 6.21."""


class Group(NamedTuple):
    """Registers of a file: record numbers count from 0."""

    file: int
    record: int
    registers: int


def ask_file_records(groups: Sequence[Group]) -> bytes:
    """Make the PDU that reads these groups of file records."""
    parts = b"".join(struct.pack(">BHHH", _REFERENCE_TYPE, *group) for group in groups)
    return bytes((READ_FILE_RECORD, len(parts))) + parts


def file_records(groups: Sequence[Group], pdu: bytes) -> list[tuple[int, ...]] | None:
    """Give the registers of each group; None if this is no proper answer for these groups."""
    heads = [bytes((1 + 2 * group.registers, _REFERENCE_TYPE)) for group in groups]
    size = sum(2 + 2 * group.registers for group in groups)
    if len(pdu) != size + 2 or pdu[:2] != bytes((READ_FILE_RECORD, size)):
        return None
    found, at = [], 2
    for group, head in zip(groups, heads, strict=True):
        if pdu[at : at + 2] != head:
            return None
        found.append(struct.unpack_from(f">{group.registers}H", pdu, at + 2))
        at += 2 + 2 * group.registers
    return found


def ask_fifo(pointer: int) -> bytes:
    """Make the PDU that reads the queue behind this register, and leaves it as it is."""
    return struct.pack(">BH", READ_FIFO_QUEUE, pointer)


def fifo(pdu: bytes) -> tuple[int, ...] | None:
    """Give the registers in the queue; None if this is no proper answer."""
    if len(pdu) < 5 or pdu[0] != READ_FIFO_QUEUE:
        return None
    size, count = struct.unpack_from(">HH", pdu, 1)
    if count > _MOST_IN_FIFO or size != 2 + 2 * count or len(pdu) != 3 + size:
        return None
    return struct.unpack_from(f">{count}H", pdu, 5)


def ask_identification(level: int = 1, first: int = 0) -> bytes:
    """Make the PDU that reads what the device calls itself.

    Args:
        level: 1 basic, 2 regular, 3 extended.
        first: The object to begin with.
    """
    return bytes((ENCAPSULATED, _DEVICE_IDENTIFICATION, level, first))


@dataclass(frozen=True, slots=True)
class Identification:
    """What one answer says about a device.

    Attributes:
        objects: Object number -> text.
        next_object: Where to go on asking; None at the end.
        level: How much the device knows of itself: 1 basic, 2 regular, 3 extended.
    """

    objects: dict[int, str]
    next_object: int | None
    level: int = 1


def identification(pdu: bytes) -> Identification | None:
    """Read an answer; None if it is no proper one."""
    if len(pdu) < 7 or pdu[:2] != bytes((ENCAPSULATED, _DEVICE_IDENTIFICATION)):
        return None
    more, following, count = pdu[4:7]
    objects, at = {}, 7
    for _ in range(count):
        if at + 2 > len(pdu) or at + 2 + pdu[at + 1] > len(pdu):
            return None
        number, length = pdu[at : at + 2]
        objects[number] = pdu[at + 2 : at + 2 + length].decode("latin-1").strip("\0 ")
        at += 2 + length
    if at != len(pdu):
        return None
    # Bit 7 of the level tells only whether single objects can be asked for.
    return Identification(objects, following if more == _MORE_FOLLOWS else None, pdu[3] & 0x7F)


class EventCounter(NamedTuple):
    """What code 11 says: whether a command is being worked on, and messages without a fault."""

    is_busy: bool
    events: int


class EventLog(NamedTuple):
    """What code 12 says; the newest of the last events, one byte each, is the first."""

    is_busy: bool
    events: int
    messages: int
    log: bytes


def ask_exception_status() -> bytes:
    """Make the PDU that reads eight flags, whose meaning the device's manual tells."""
    return bytes((READ_EXCEPTION_STATUS,))


def exception_status(pdu: bytes) -> int | None:
    """Give the eight flags; None if this is no proper answer."""
    return pdu[1] if len(pdu) == 2 and pdu[0] == READ_EXCEPTION_STATUS else None


def ask_event_counter() -> bytes:
    """Make the PDU that reads how many messages the device has worked off."""
    return bytes((COMM_EVENT_COUNTER,))


def event_counter(pdu: bytes) -> EventCounter | None:
    """Read an answer; None if it is no proper one."""
    if len(pdu) != 5 or pdu[0] != COMM_EVENT_COUNTER:
        return None
    status, events = struct.unpack_from(">HH", pdu, 1)
    return EventCounter(status == _BUSY, events)


def ask_event_log() -> bytes:
    """Make the PDU that reads the device's last events on the line."""
    return bytes((COMM_EVENT_LOG,))


def event_log(pdu: bytes) -> EventLog | None:
    """Read an answer; None if it is no proper one."""
    if len(pdu) < 8 or pdu[0] != COMM_EVENT_LOG or len(pdu) != pdu[1] + 2:
        return None
    status, events, messages = struct.unpack_from(">HHH", pdu, 2)
    return EventLog(status == _BUSY, events, messages, pdu[8:])


def ask_server_id() -> bytes:
    """Make the PDU that reads what the device says of itself in its maker's own form."""
    return bytes((REPORT_SERVER_ID,))


def server_id(pdu: bytes) -> bytes | None:
    """Give what the device says, in its maker's form; None if this is no proper answer."""
    is_whole = len(pdu) >= 2 and pdu[0] == REPORT_SERVER_ID and len(pdu) == pdu[1] + 2
    return pdu[2:] if is_whole else None
