"""Modbus frames as the far end sees them, on every transport. Shares no code with the driver."""

import asyncio
import contextlib
import os
import struct
import tty
from collections.abc import Callable

from tests.rigs.modbus_device import with_crc
from tests.rigs.modbus_tcp import mbap


class Frame:
    """A request that arrived: which unit, which PDU, and how an answer to it is framed."""

    def __init__(self, unit: int, pdu: bytes, wrap: Callable[[int, bytes], bytes], raw: bytes):
        self.unit, self.pdu, self.wrap, self.raw = unit, pdu, wrap, raw


def take_tcp(buffer: bytearray) -> Frame | None:
    if len(buffer) < 8:
        return None
    number, _, length, unit = struct.unpack_from(">HHHB", buffer)
    raw = bytes(buffer[: 6 + length])
    if len(raw) < 6 + length:
        return None
    del buffer[: len(raw)]
    return Frame(unit, raw[7:], lambda unit, pdu: mbap(number, unit, pdu), raw)


def take_rtu(buffer: bytearray) -> Frame | None:
    if len(buffer) < 8:  # every request that reads
        return None
    raw = bytes(buffer[:8])
    del buffer[:8]
    assert with_crc(raw[:-2]) == raw
    return Frame(raw[0], raw[1:-2], lambda unit, pdu: with_crc(bytes((unit,)) + pdu), raw)


def ascii_frame(unit: int, pdu: bytes) -> bytes:
    body = bytes((unit,)) + pdu
    return b":" + (body + bytes((-sum(body) & 0xFF,))).hex().upper().encode() + b"\r\n"


def take_ascii(buffer: bytearray) -> Frame | None:
    end = buffer.find(b"\r\n")
    if end < 0:
        return None
    raw = bytes(buffer[: end + 2])
    del buffer[: end + 2]
    body = bytes.fromhex(raw[1:-2].decode())
    assert sum(body) & 0xFF == 0
    return Frame(body[0], body[1:-1], ascii_frame, raw)


TAKE = {"tcp": take_tcp, "rtu": take_rtu, "ascii": take_ascii}


class FarEnd:
    """One link's far end: `hear` is called with every request and with a way to send bytes."""

    def __init__(self, framing: str, hear: Callable[[Frame, Callable[[bytes], None]], None]):
        self._take, self._hear = TAKE[framing], hear
        self._buffer = bytearray()

    def _heard(self, data: bytes, send: Callable[[bytes], None]) -> None:
        self._buffer += data
        while (frame := self._take(self._buffer)) is not None:
            self._hear(frame, send)


class TcpEnd(FarEnd):
    """Listens at `settings`; what is on its way on an old connection goes with it."""

    async def start(self) -> None:
        self._server = await asyncio.get_running_loop().create_server(
            lambda: _Connection(self), "127.0.0.1", 0
        )
        self.settings = {"host": "127.0.0.1", "port": self._server.sockets[0].getsockname()[1]}

    async def stop(self) -> None:
        self._server.close()
        await self._server.wait_closed()


class _Connection(asyncio.Protocol):
    def __init__(self, end: TcpEnd) -> None:
        self._end = end
        end._buffer.clear()

    def connection_made(self, transport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._end._heard(data, self._send)

    def _send(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)


class PtyEnd(FarEnd):
    """The other side of the serial port in `settings`, as fast as the machine is."""

    async def start(self) -> None:
        self._far, self._near = os.openpty()
        tty.setraw(self._near)  # and kept open, so that the far end never reads an error
        os.set_blocking(self._far, False)
        self.settings = {"port": os.ttyname(self._near), "baud": 921600, "data_bits": 8}
        asyncio.get_running_loop().add_reader(self._far, self._read)

    def _read(self) -> None:
        self._heard(os.read(self._far, 4096), self._send)

    def _send(self, data: bytes) -> None:
        with contextlib.suppress(BlockingIOError, OSError):  # nobody reads, or the line is gone
            os.write(self._far, data)

    async def stop(self) -> None:
        asyncio.get_running_loop().remove_reader(self._far)
        os.close(self._far)
        os.close(self._near)
