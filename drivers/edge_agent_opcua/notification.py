"""Takes a server's notifications apart: once per message, not once per value and layer.

asyncua makes some ten objects of each changed value. Here a value of a usual type is cut out of
the message in one step; whatever is unusual is still taken apart by asyncua.

Source: OPC 10000-6, 5.2.2 (encoding of built-in types); OPC 10000-4, 5.14.5 (Publish) and 7.25
(notifications).
"""

import struct
from functools import lru_cache
from typing import Any, NamedTuple

from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import (
    nodeid_from_binary,
    struct_from_binary,
    variant_from_binary,
)

DATA_CHANGE = ua.ObjectIds.DataChangeNotification_Encoding_DefaultBinary
STATUS_CHANGE = ua.ObjectIds.StatusChangeNotification_Encoding_DefaultBinary

OVERFLOW = 0x480
"""Bits of a status: values before this one were dropped. Source: OPC 10000-4, 7.39.1."""

_UNIX_EPOCH = 116_444_736_000_000_000
"""1970 in the server's ticks of 100 ns since 1601. Source: OPC 10000-6, 5.2.2.5 (DateTime)."""
_TICKS = 10_000  # in a millisecond

# What a DataValue is made of, by the bits of its first byte.
_VALUE, _STATUS, _SOURCE, _SERVER, _SOURCE_PICO, _SERVER_PICO = 1, 2, 4, 8, 16, 32
_KNOWN = _VALUE | _STATUS | _SOURCE | _SERVER | _SOURCE_PICO | _SERVER_PICO

# Formats of the scalar types that fill a fixed number of bytes, by the number of the type.
_SCALARS = {
    1: "?",
    2: "b",
    3: "B",
    4: "h",
    5: "H",
    6: "i",
    7: "I",
    8: "q",
    9: "Q",
    10: "f",
    11: "d",
}
_STRUCTURE, _DIMENSIONS, _ARRAY = 22, 0x40, 0x80
_HEAD = struct.Struct("<IBB")  # client handle, what is there, type of the value
_LONG = struct.Struct("<q")
_INT = struct.Struct("<i")
_WORD = struct.Struct("<I")


class Said(NamedTuple):
    """What a server said about one value.

    Attributes:
        value: As decoded by asyncua; None where there is none; an exception where it cannot be.
        status: The 32 bits of the status code.
        source: The source's time, in milliseconds since 1970 UTC; None if there is none.
        server: The server's time, likewise.
    """

    value: Any
    status: int
    source: int | None
    server: int | None


class Notification(NamedTuple):
    """One notification message of one subscription.

    Attributes:
        subscription: Which.
        sequence: Its number; a message without news tells the number of the next one with news.
        changes: Client handle of a monitored item, and what is said about it, in order.
        status: What became of the subscription, where the server says so; else None.
        has_news: Whether it carries anything; else it only shows that the server lives.
    """

    subscription: int
    sequence: int
    changes: list[tuple[int, Said]]
    status: int | None
    has_news: bool


class _Layout(NamedTuple):
    """How an item with a value of fixed size is cut out; 0 means that the part is missing."""

    cut: struct.Struct
    status: int
    source: int
    server: int


@lru_cache
def _layout(mask: int, kind: int) -> _Layout | None:
    if kind not in _SCALARS or not mask & _VALUE or mask & ~_KNOWN:
        return None
    cut, places = "<" + _SCALARS[kind], [0, 0, 0, 0]
    count = 1
    for place, (bit, form) in enumerate(
        ((_STATUS, "I"), (_SOURCE, "q"), (_SERVER, "q")),
    ):
        if mask & bit:
            cut, places[place], count = cut + form, count, count + 1
        if bit != _STATUS and mask & (bit << 2):
            cut += "xx"  # picoseconds
    return _Layout(struct.Struct(cut), *places[:3])


def milliseconds_of(ticks: int) -> int | None:
    """Turn a server's time into milliseconds since 1970 UTC; None where it has none to give."""
    return (ticks - _UNIX_EPOCH) // _TICKS if ticks >= _UNIX_EPOCH else None


def parse(answer: Buffer) -> Notification:
    """Take the answer to a Publish request apart.

    Raises:
        Exception: Whatever asyncua's decoder lets out, or `struct.error`: it cannot be decoded.
        ua.UaStatusCodeError: The server refuses the request.
    """
    nodeid_from_binary(answer)
    header = struct_from_binary(ua.ResponseHeader, answer)
    header.ServiceResult.check()
    return _parse(bytes(answer))


def _parse(data: bytes) -> Notification:
    subscription, available = struct.unpack_from("<Ii", data, 0)
    place = 8 + 4 * max(0, available) + 1  # numbers of kept messages, and whether more follow
    sequence, _, count = struct.unpack_from("<Iqi", data, place)
    place += 16
    changes: list[tuple[int, Said]] = []
    status = None
    for _ in range(max(0, count)):
        buffer = Buffer(data, place)
        kind = nodeid_from_binary(buffer).Identifier
        start = buffer.cur_pos
        size = _INT.unpack_from(data, start + 1)[0] if data[start] else -1
        place = start + 1 if size < 0 else start + 5
        if kind == DATA_CHANGE:
            _take_changes(data, place, changes)
        elif kind == STATUS_CHANGE:
            status = _WORD.unpack_from(data, place)[0]
        place += max(0, size)
    return Notification(subscription, sequence, changes, status, count > 0)


def _take_changes(data: bytes, place: int, changes: list[tuple[int, Said]]) -> None:
    (count,) = _INT.unpack_from(data, place)
    place += 4
    head, layout_of, append = _HEAD.unpack_from, _layout, changes.append
    for _ in range(count):
        handle, mask, kind = head(data, place)
        layout = layout_of(mask, kind)
        if layout is None:
            said, place = _unusual(data, place + 4)
        else:
            cut, status, source, server = layout
            parts = cut.unpack_from(data, place + 6)
            said = Said(
                parts[0],
                parts[status] if status else 0,
                milliseconds_of(parts[source]) if source else None,
                milliseconds_of(parts[server]) if server else None,
            )
            place += 6 + cut.size
        append((handle, said))


def _unusual(data: bytes, place: int) -> tuple[Said, int]:
    """Take one DataValue of any kind apart; give it with the place behind it."""
    mask = data[place]
    place += 1
    value: Any = None
    if mask & _VALUE:
        value, place = _any_value(data, place)
    status, source, server = 0, None, None
    if mask & _STATUS:
        (status,) = _WORD.unpack_from(data, place)
        place += 4
    if mask & _SOURCE:
        source = milliseconds_of(_LONG.unpack_from(data, place)[0])
        place += 8
    place += 2 * bool(mask & _SOURCE_PICO)
    if mask & _SERVER:
        server = milliseconds_of(_LONG.unpack_from(data, place)[0])
        place += 8
    place += 2 * bool(mask & _SERVER_PICO)
    return Said(value, status, source, server), place


def _any_value(data: bytes, place: int) -> tuple[Any, int]:
    buffer = Buffer(data, place)
    try:
        return variant_from_binary(buffer).Value, buffer.cur_pos
    # A class that asyncua made from the server's own description decodes a structure, so anything
    # may come out of it. It says how long it is, and so costs only itself.
    except Exception as error:
        if data[place] & 0x3F != _STRUCTURE:
            raise
        return error, _behind_structures(data, place)


def _behind_structures(data: bytes, place: int) -> int:
    """Give the place behind a value that is a structure, or an array of them."""
    kind, place, count = data[place], place + 1, 1
    if kind & _ARRAY:
        count, place = _INT.unpack_from(data, place)[0], place + 4
    for _ in range(count):
        buffer = Buffer(data, place)
        nodeid_from_binary(buffer)
        place = buffer.cur_pos + 1
        if data[place - 1]:
            place += 4 + max(0, _INT.unpack_from(data, place)[0])
    if kind & _DIMENSIONS:
        place += 4 + 4 * max(0, _INT.unpack_from(data, place)[0])
    return place
