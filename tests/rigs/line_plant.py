"""Devices of different units on one paced serial line, and a count of all function codes asked."""

import time
from pathlib import Path

from tests.rigs import writes
from tests.rigs.modbus_device import Device, crc, with_crc
from tests.rigs.serial_line import SerialLine


class LinePlant:
    """Devices on a line.

    Attributes:
        late: Seconds that single units need to answer.
        collides: Units whose next answer is spoilt, as when somebody else sends meanwhile.
        functions: Codes of everything that was asked.
        first_asked: When the first request came, in seconds of the steady clock.
    """

    def __init__(self, path: Path, devices: dict[int, Device], baud: int = 115200) -> None:
        self.devices = devices
        self.late: dict[int, float] = {}
        self.collides: set[int] = set()
        self.functions: set[int] = set()
        self.units: list[int] = []
        self.first_asked = 0.0
        self.line = SerialLine(path, self._script, baud)

    @property
    def port(self) -> str:
        return str(self.line.path)

    def _script(self, request: bytes):
        self.first_asked = self.first_asked or time.monotonic()
        if crc(request[:-2]) != request[-2:]:
            return []  # two that ran into each other while a device was thinking
        writes.check(request[1:-2], "a device on a line")
        self.functions.add(request[1])
        self.units.append(request[0])
        device = self.devices.get(request[0])
        if device is None:
            return []
        answer = with_crc(request[:1] + device.answer(request[1:-2]))
        if request[0] in self.collides:
            self.collides.discard(request[0])
            answer = answer[:3] + bytes(byte ^ 0x5A for byte in answer[3:])
        return [(self.late.get(request[0], 0.0), answer)]
