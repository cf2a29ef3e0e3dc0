"""Serves several machines as Modbus RTU units on one serial line, which is a pseudo-terminal."""

import asyncio
import os
import tty
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from pymodbus.constants import ExcCodes
from pymodbus.exceptions import ModbusIOException
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU, ExceptionResponse, ModbusPDU
from pymodbus.pdu.bit_message import ReadCoilsResponse, ReadDiscreteInputsResponse
from pymodbus.pdu.register_message import ReadHoldingRegistersResponse, ReadInputRegistersResponse

from edge_agent.demo.registers import Machine

BAUD = 19200
BITS_PER_BYTE = 10  # 8N1; a pseudo-terminal takes no parity
GAP = 0.05  # seconds of silence after which half a request is noise
LONGEST_FRAME = 256  # bytes; MODBUS over Serial Line V1.02, 2.5.1


@asynccontextmanager
async def serve(units: Mapping[int, Machine]) -> AsyncIterator[str]:
    """Serve machines by unit identifier and give the path of the line."""
    ours, theirs = os.openpty()
    try:
        # Our hold on their end keeps the line alive while nobody has it open.
        tty.setraw(theirs)
        os.set_blocking(ours, False)
        line = Line(ours, units)
        line.listen()
        try:
            yield os.ttyname(theirs)
        finally:
            line.leave()
    finally:
        os.close(ours)
        os.close(theirs)


class Line:
    """The machines' end of the line. Units that are not there stay silent, as on a real one."""

    def __init__(self, end: int, units: Mapping[int, Machine]) -> None:
        self._end = end
        self._units = units
        self._framer = FramerRTU(DecodePDU(True))
        self._heard = b""
        self._heard_at = 0.0
        self._answer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    def listen(self) -> None:
        """Answer from now on."""
        self._loop.add_reader(self._end, self._receive)

    def leave(self) -> None:
        """Answer no more."""
        self._loop.remove_reader(self._end)
        if self._answer:
            self._answer.cancel()

    def _receive(self) -> None:
        now = self._loop.time()
        if now - self._heard_at > GAP:
            self._heard = b""
        self._heard_at = now
        self._heard = (self._heard + os.read(self._end, LONGEST_FRAME))[-LONGEST_FRAME:]
        try:
            used, request = self._framer.handleFrame(self._heard, 0, 0)
        except ModbusIOException:  # a whole frame that is no request
            used, request = len(self._heard), None
        self._heard = self._heard[used:]
        if request is not None and request.dev_id in self._units:
            self._send_later(used, self._framer.buildFrame(self._respond(request)))

    def _respond(self, request: ModbusPDU) -> ModbusPDU:
        response = _response(self._units[request.dev_id], request)
        response.dev_id = request.dev_id
        return response

    def _send_later(self, request_bytes: int, frame: bytes) -> None:
        # A pseudo-terminal is as fast as memory; a real line would be busy for so long.
        busy = (request_bytes + len(frame)) * BITS_PER_BYTE / BAUD
        self._answer = self._loop.call_later(busy, os.write, self._end, frame)


def _response(machine: Machine, request: ModbusPDU) -> ModbusPDU:
    function = request.function_code
    if not 1 <= function <= 4:  # nothing else reads
        return ExceptionResponse(function, ExcCodes.ILLEGAL_FUNCTION)
    tables, last = machine(), request.address + request.count
    if last > len(tables[function - 1]):
        return ExceptionResponse(function, ExcCodes.ILLEGAL_ADDRESS)
    if function <= 2:
        bits = (tables.coils, tables.discrete)[function - 1][request.address : last]
        return (ReadCoilsResponse, ReadDiscreteInputsResponse)[function - 1](bits=list(bits))
    words = (tables.holding, tables.input)[function - 3][request.address : last]
    return (ReadHoldingRegistersResponse, ReadInputRegistersResponse)[function - 3](
        registers=list(words)
    )
