"""A converter from TCP to a serial line that passes frames on as they are; devices behind it."""

import asyncio
from collections.abc import Mapping

from tests.rigs import writes
from tests.rigs.modbus_device import Device, crc, with_crc


class Converter:
    """Listens at `port`; what is no frame of the line is ignored by every device, as on a line.

    Attributes:
        ignored: What arrived that no device understood.
    """

    def __init__(self, devices: Mapping[int, Device]) -> None:
        self.devices = devices
        self.ignored: list[bytes] = []
        self.port = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while frame := await reader.read(256):  # the converter cuts where the network does
            if crc(frame[:-2]) != frame[-2:]:
                self.ignored.append(frame)
                continue
            writes.check(frame[1:-2], "a device behind a converter")
            device = self.devices.get(frame[0])
            if device is not None:
                writer.write(with_crc(frame[:1] + device.answer(frame[1:-2])))
        writer.close()
